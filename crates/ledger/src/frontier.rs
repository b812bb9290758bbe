//! The root of a growing list, without keeping the list.

use crate::{Hash, empty_root, node_hash};

/// What has to be kept of a list to go on growing its root: the roots of its perfect subtrees, at most 64.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// From the left, which is also from the largest.
    subtrees: Vec<Hash>,
}

impl Frontier {
    /// Of the empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many leaves the list has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf at the end.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        // Each trailing one of the size is a perfect subtree that the new leaf completes to one twice as large.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.subtrees.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// The root of all leaves so far.
    pub fn root(&self) -> Hash {
        let mut from_the_right = self.subtrees.iter().rev();
        let Some(smallest) = from_the_right.next() else { return empty_root() };
        from_the_right.fold(*smallest, |right, left| node_hash(left, &right))
    }
}

impl FromIterator<Hash> for Frontier {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut frontier = Self::new();
        leaves.into_iter().for_each(|leaf| frontier.push(leaf));
        frontier
    }
}
