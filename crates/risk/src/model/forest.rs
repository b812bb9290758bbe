//! The grown trees, as they are stored and asked.

use serde::{Deserialize, Serialize};

/// A sum of trees over features. Each leaf belongs to a part: the set of columns that its path looked at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Forest {
    /// The nodes of all trees. They lie close together, for much of the time of a score is spent in reading them.
    nodes: Vec<Node>,
    /// Where each tree begins.
    roots: Vec<u32>,
    base: f64,
    parts: Vec<Part>,
}

/// A split, or, where `below` is 0, a leaf.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Node {
    /// Of a leaf: what it gives.
    border: f32,
    /// Of a leaf: the number of its part.
    feature: u16,
    /// Where to go on, counted from the root, if the feature is at most `border`; at the node after it otherwise.
    below: u16,
}

/// A node as it was grown.
#[derive(Clone, Copy, Debug)]
pub(super) enum Grown {
    Split { feature: usize, border: f32, below: usize },
    Leaf { value: f64, columns: u32 },
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Part {
    columns: u32,
    /// What the leaves of the part give on average; subtracted, so that a part tells how unusual a row is.
    mean: f64,
}

impl Forest {
    /// Averages the trees of several growths, which add to `start`; then log-odds are made `slope` times as far from
    /// the start, and moved by `shift`.
    pub(super) fn new(growths: &[Vec<Vec<Grown>>], start: f64, (slope, shift): (f64, f64)) -> Self {
        let mut forest =
            Self { nodes: Vec::new(), roots: Vec::new(), base: start + shift, parts: Vec::new() };
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let scale = slope / growths.len().max(1) as f64;
        for tree in growths.iter().flatten() {
            forest.roots.push(u32::try_from(forest.nodes.len()).unwrap_or(u32::MAX));
            for &node in tree {
                let node = forest.node(node, scale);
                forest.nodes.push(node);
            }
        }
        forest
    }

    /// Moves the average of every part over `rows` into the base; no row's log-odds change.
    pub(super) fn centre(&mut self, rows: &[Vec<f32>]) {
        let mut sums = vec![0.0; self.parts.len()];
        for row in rows {
            for (sum, (_, part)) in sums.iter_mut().zip(self.parts(row)) {
                *sum += part;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a count of rows in memory")]
        let count = rows.len().max(1) as f64;
        for (part, sum) in self.parts.iter_mut().zip(sums) {
            part.mean += sum / count;
            self.base += sum / count;
        }
    }

    pub(super) fn base(&self) -> f64 {
        self.base
    }

    pub(super) fn log_odds(&self, features: &[f32]) -> f64 {
        let means: f64 = self.parts.iter().map(|part| part.mean).sum();
        let mut trees = 0.0;
        self.leaves(features, |leaf| trees += f64::from(leaf.border));
        self.base - means + trees
    }

    /// By set of columns, what it adds to the base.
    pub(super) fn parts(&self, features: &[f32]) -> Vec<(u32, f64)> {
        let mut parts: Vec<(u32, f64)> = self.parts.iter().map(|part| (part.columns, -part.mean)).collect();
        self.leaves(features, |leaf| {
            if let Some(part) = parts.get_mut(usize::from(leaf.feature)) {
                part.1 += f64::from(leaf.border);
            }
        });
        parts
    }

    /// The leaf of every tree that a row falls into, in the order of the trees.
    fn leaves(&self, features: &[f32], mut leaf: impl FnMut(Node)) {
        // Several trees at a time: while one waits for memory, the others go on.
        for roots in self.roots.chunks(LANES) {
            let mut nodes = [NOTHING; LANES];
            for (node, &root) in nodes.iter_mut().zip(roots) {
                *node = self.nodes.get(root as usize).copied().unwrap_or(NOTHING);
            }
            // As many steps as there can be; in a damaged forest, that is where it ends.
            for _ in 0..usize::from(u16::MAX) {
                let mut inner = false;
                for (node, &root) in nodes.iter_mut().zip(roots) {
                    inner |= node.below != 0;
                    *node = self.next(*node, root, features);
                }
                if !inner {
                    break;
                }
            }
            nodes.into_iter().zip(roots).filter(|(node, _)| node.below == 0).for_each(|(node, _)| leaf(node));
        }
    }

    /// The node after this one; a leaf stays.
    fn next(&self, node: Node, root: u32, features: &[f32]) -> Node {
        if node.below == 0 {
            return node;
        }
        let value = features.get(usize::from(node.feature)).copied().unwrap_or_default();
        // Without a branch: which way it goes cannot be foreseen.
        let next = root as usize + usize::from(node.below) + usize::from(value > node.border);
        self.nodes.get(next).copied().unwrap_or(NOTHING)
    }

    fn node(&mut self, grown: Grown, scale: f64) -> Node {
        let number = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        match grown {
            Grown::Split { feature, border, below } => {
                Node { border, feature: number(feature), below: number(below) }
            }
            Grown::Leaf { value, columns } => {
                let part = self.parts.iter().position(|part| part.columns == columns);
                let part = part.unwrap_or_else(|| {
                    self.parts.push(Part { columns, mean: 0.0 });
                    self.parts.len() - 1
                });
                #[expect(clippy::cast_possible_truncation, reason = "kept small; summed in double precision")]
                let value = (value * scale) as f32;
                Node { border: value, feature: number(part), below: 0 }
            }
        }
    }
}

const LANES: usize = 8;
/// What a damaged tree ends in: no part has this number.
const NOTHING: Node = Node { border: 0.0, feature: u16::MAX, below: 0 };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_forest_says_nothing() {
        let node = |feature, below| Node { border: 0.5, feature, below };
        for (nodes, roots) in [
            (vec![], vec![0]),
            (vec![node(0, 9)], vec![0]),
            (vec![node(0, 0)], vec![1]),
            (vec![node(0, 1), node(0, 1), node(0, 1)], vec![0]),
        ] {
            let forest = Forest { nodes, roots, base: 0.25, parts: vec![] };
            assert_eq!(forest.log_odds(&[0.0, 1.0]), 0.25);
            assert_eq!(forest.parts(&[0.0, 1.0]), []);
        }
    }

    #[test]
    fn parts_and_base_add_up() {
        let tree = vec![
            Grown::Split { feature: 0, border: 0.5, below: 1 },
            Grown::Leaf { value: 1.0, columns: 1 },
            Grown::Split { feature: 1, border: 2.5, below: 3 },
            Grown::Leaf { value: -1.0, columns: 3 },
            Grown::Leaf { value: 3.0, columns: 3 },
        ];
        let mut forest = Forest::new(&[vec![tree]], 0.25, (2.0, 0.5));
        let rows = [vec![0.0, 0.0], vec![1.0, 2.0], vec![1.0, 3.0]];
        let before = rows.each_ref().map(|row| forest.log_odds(row));
        assert_eq!(before, [2.75, -1.25, 6.75]);
        forest.centre(&rows);
        assert!((forest.base() - 2.75).abs() < 1e-9);
        for (row, before) in rows.iter().zip(before) {
            assert!((forest.log_odds(row) - before).abs() < 1e-9);
            let parts = forest.parts(row);
            assert!((forest.base() + parts.iter().map(|part| part.1).sum::<f64>() - before).abs() < 1e-9);
        }
        assert!((forest.parts(&rows[0])[0].1 - 4.0 / 3.0).abs() < 1e-9);
    }
}
