//! The grown trees, as they are stored and asked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A sum of trees over features. Each leaf belongs to the columns that its path looked at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Forest {
    trees: Vec<Tree>,
    base: f64,
    /// By set of columns, what its leaves give on average; subtracted, so that a part tells how unusual a row is.
    means: BTreeMap<u32, f64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
}

/// A split leads to nodes further on in the list: `below` where the feature is at most `border`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum Node {
    Split { feature: u32, border: f32, below: u32, above: u32 },
    Leaf { value: f64, columns: u32 },
}

impl Forest {
    /// Averages `trees` of several growths that start from `start`, and scales the sum.
    pub(super) fn new(trees: Vec<Tree>, growths: f64, start: f64) -> Self {
        let mut forest = Self { trees, base: start, means: BTreeMap::new() };
        forest.scale(1.0 / growths.max(1.0));
        forest
    }

    /// Stretches what the trees say and moves the whole: log-odds become `slope` times as far from the start, plus
    /// `shift`.
    pub(super) fn calibrate(&mut self, slope: f64, shift: f64) {
        self.scale(slope);
        self.base += shift;
    }

    /// Moves the average of every part over `rows` into the base; no row's log-odds change.
    pub(super) fn centre<'a>(&mut self, rows: impl Iterator<Item = &'a [f32]>) {
        let mut sums: BTreeMap<u32, f64> = BTreeMap::new();
        let mut count = 0.0;
        for row in rows {
            for tree in &self.trees {
                let (value, columns) = tree.leaf(row);
                *sums.entry(columns).or_default() += value;
            }
            count += 1.0;
        }
        if count > 0.0 {
            self.base += sums.values().sum::<f64>() / count;
            self.means = sums.into_iter().map(|(columns, sum)| (columns, sum / count)).collect();
        }
    }

    pub(super) fn base(&self) -> f64 {
        self.base
    }

    pub(super) fn log_odds(&self, features: &[f32]) -> f64 {
        let trees: f64 = self.trees.iter().map(|tree| tree.leaf(features).0).sum();
        self.base - self.means.values().sum::<f64>() + trees
    }

    /// By set of columns, what it adds to the base.
    pub(super) fn parts(&self, features: &[f32]) -> Vec<(u32, f64)> {
        let mut parts: BTreeMap<u32, f64> =
            self.means.iter().map(|(&columns, &mean)| (columns, -mean)).collect();
        for tree in &self.trees {
            let (value, columns) = tree.leaf(features);
            *parts.entry(columns).or_default() += value;
        }
        parts.into_iter().collect()
    }

    fn scale(&mut self, by: f64) {
        for node in self.trees.iter_mut().flat_map(|tree| &mut tree.nodes) {
            if let Node::Leaf { value, .. } = node {
                *value *= by;
            }
        }
    }
}

impl Tree {
    /// The value and the columns of the leaf that a row falls into. A damaged tree has none, and says nothing.
    fn leaf(&self, features: &[f32]) -> (f64, u32) {
        let mut at = 0;
        while let Some(node) = self.nodes.get(at) {
            match *node {
                Node::Leaf { value, columns } => return (value, columns),
                Node::Split { feature, border, below, above } => {
                    let value = features.get(feature as usize).copied().unwrap_or_default();
                    let next = if value <= border { below } else { above } as usize;
                    if next <= at {
                        break;
                    }
                    at = next;
                }
            }
        }
        (0.0, 0)
    }
}
