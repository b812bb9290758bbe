//! Proofs, made from the leaf hashes and checked from the roots.

use std::fmt;

use crate::{Hash, empty_root, node_hash};

/// The proof does not show what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofError;

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the proof does not hold")
    }
}

impl std::error::Error for ProofError {}

/// The root of a list of leaf hashes.
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// Shows that the leaf at `index`, from 0, is one of `leaves`; none when there is no such leaf.
pub fn inclusion_proof(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    (index < leaves.len()).then(|| path(leaves, index))
}

/// Shows that the first `old` of `leaves` are the beginning of all of them; none when there are fewer.
pub fn consistency_proof(leaves: &[Hash], old: usize) -> Option<Vec<Hash>> {
    match old {
        _ if old > leaves.len() => None,
        0 => Some(Vec::new()),
        _ => Some(subproof(leaves, old, true)),
    }
}

/// Checks that `leaf` stands at `index`, from 0, of the list of `size` leaves that has `root`.
///
/// # Errors
/// When the proof does not show it (RFC 9162, section 2.1.3.2).
pub fn verify_inclusion(
    leaf: Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError);
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError);
        }
        if is_right_child(at, last) {
            hash = node_hash(sibling, &hash);
            climb_past_single_children(&mut at, &mut last);
        } else {
            hash = node_hash(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    holds(last == 0 && hash == root)
}

/// Checks that the list of `old_size` leaves that has `old_root` is the beginning of the list of `size` leaves that has
/// `root`.
///
/// # Errors
/// When the proof does not show it (RFC 9162, section 2.1.4.2).
pub fn verify_consistency(
    old_size: u64,
    size: u64,
    proof: &[Hash],
    old_root: Hash,
    root: Hash,
) -> Result<(), ProofError> {
    if old_size > size {
        return Err(ProofError);
    }
    if old_size == size {
        return holds(proof.is_empty() && old_root == root);
    }
    if old_size == 0 {
        return holds(proof.is_empty() && old_root == empty_root());
    }
    let (mut at, mut last) = (old_size - 1, size - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    // A perfect old tree is a subtree of the new one, so its root is known and is left out of the proof.
    let (first, rest) = match proof {
        [] => return Err(ProofError),
        rest if old_size.is_power_of_two() => (old_root, rest),
        [first, rest @ ..] => (*first, rest),
    };
    let (mut old, mut new) = (first, first);
    for sibling in rest {
        if last == 0 {
            return Err(ProofError);
        }
        if is_right_child(at, last) {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            climb_past_single_children(&mut at, &mut last);
        } else {
            new = node_hash(&new, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    holds(last == 0 && old == old_root && new == root)
}

fn path(leaves: &[Hash], index: usize) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut below, sibling) =
        if index < k { (path(left, index), root(right)) } else { (path(right, index - k), root(left)) };
    below.push(sibling);
    below
}

/// `whole` says whether `leaves` are the whole old list, whose root the verifier knows.
fn subproof(leaves: &[Hash], old: usize, whole: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if whole { Vec::new() } else { vec![root(leaves)] };
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut below, sibling) = if old <= k {
        (subproof(left, old, whole), root(right))
    } else {
        (subproof(right, old - k, false), root(left))
    };
    below.push(sibling);
    below
}

/// The largest power of two below `len`, which is at least 2.
fn split(len: usize) -> usize {
    len.div_ceil(2).next_power_of_two()
}

fn is_right_child(at: u64, last: u64) -> bool {
    at & 1 == 1 || at == last
}

/// The last node of a level may have no sibling for some levels; the proof says nothing about those.
fn climb_past_single_children(at: &mut u64, last: &mut u64) {
    while *at & 1 == 0 && *at != 0 {
        *at >>= 1;
        *last >>= 1;
    }
}

fn holds(it_does: bool) -> Result<(), ProofError> {
    if it_does { Ok(()) } else { Err(ProofError) }
}
