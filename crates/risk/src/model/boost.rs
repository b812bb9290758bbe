//! Growing trees one after another: gradient boosting on binned features.
//!
//! Trees grow best leaf first (as LightGBM, Ke et al. 2017, does). Below a split, only features are tried that keep
//! the path within three columns, so that every leaf is a statement about at most three attributes.

#![expect(
    clippy::indexing_slicing,
    reason = "rows, features and bins are numbered here, and checked by none else"
)]

use super::chance::{Dice, logit, sigmoid};
use super::counts;
use super::features::Feature;
use super::forest::Grown;

/// A feature has at most this many different values for the trees.
pub(super) const BINS: usize = 64;
/// How many attributes a path through a tree may look at.
const ORDER: u32 = 3;

/// How trees grow.
#[derive(Clone, Debug)]
pub(super) struct Growth {
    pub(super) rounds: usize,
    pub(super) leaves: usize,
    /// How much of what a tree found is believed.
    pub(super) pace: f64,
    /// The share of the rows, and of the features, that a tree sees.
    pub(super) rows: f64,
    pub(super) features: f64,
    pub(super) ridge: f64,
    pub(super) least_rows: u32,
}

/// The features of all rows, by feature and row, as the number of the first border that is not below the value.
pub(super) struct Binned {
    pub(super) bins: Vec<Vec<u8>>,
    pub(super) borders: Vec<Vec<f32>>,
}

/// Grows the trees whose sum, added to the log-odds of the overall rate, predicts `approved`, from the rows of
/// `learning`. Also returns what they say about every row.
pub(super) fn grow(
    binned: &Binned,
    features: &[Feature],
    approved: &[bool],
    learning: &[u32],
    growth: &Growth,
    dice: &mut Dice,
) -> (Vec<Vec<Grown>>, Vec<f64>) {
    let mut log_odds = vec![logit(counts::rate(approved)); approved.len()];
    let mut rows = learning.to_vec();
    let mut names: Vec<usize> = (0..features.len()).collect();
    let taken_rows = share_of(rows.len(), growth.rows);
    let taken_features = share_of(names.len(), growth.features);
    let mut slopes = vec![Slope::default(); approved.len()];
    let mut trees = Vec::with_capacity(growth.rounds);
    for _ in 0..growth.rounds {
        for ((slope, &log_odds), &approved) in slopes.iter_mut().zip(&log_odds).zip(approved) {
            *slope = Slope::of(log_odds, approved);
        }
        draw(&mut rows, taken_rows, dice);
        draw(&mut names, taken_features, dice);
        let (seen, tried) = (&mut rows[..taken_rows], &mut names[..taken_features]);
        // In order, memory is read forwards.
        seen.sort_unstable();
        tried.sort_unstable();
        let tree = Growing { binned, features, tried, slopes: &slopes, growth }.tree(seen);
        for (row, log_odds) in log_odds.iter_mut().enumerate() {
            *log_odds += tree.value_of(|feature| binned.bins[feature][row]);
        }
        trees.push(tree.finished(&binned.borders));
    }
    (trees, log_odds)
}

/// First and second derivative of the loss of a row.
#[derive(Clone, Copy, Default)]
struct Slope {
    first: f32,
    second: f32,
}

impl Slope {
    #[expect(clippy::cast_possible_truncation, reason = "summed in bins, single precision is enough")]
    fn of(log_odds: f64, approved: bool) -> Self {
        let chance = sigmoid(log_odds);
        let first = chance - f64::from(u8::from(approved));
        Self { first: first as f32, second: (chance * (1.0 - chance)) as f32 }
    }
}

/// The rows of one bin, summed up.
#[derive(Clone, Copy, Default)]
struct Cell {
    first: f32,
    second: f32,
    rows: u32,
}

struct Growing<'a> {
    binned: &'a Binned,
    features: &'a [Feature],
    tried: &'a [usize],
    slopes: &'a [Slope],
    growth: &'a Growth,
}

/// A leaf that may still be split.
struct Bud {
    node: usize,
    columns: u32,
    from: usize,
    to: usize,
    sum: Sum,
    cells: Vec<Cell>,
    best: Option<Split>,
}

#[derive(Clone, Copy, Default)]
struct Sum {
    first: f64,
    second: f64,
    rows: u32,
}

#[derive(Clone, Copy)]
struct Split {
    gain: f64,
    feature: usize,
    bin: u8,
    below: Sum,
}

/// A tree over bins.
struct Sprout {
    nodes: Vec<Twig>,
}

#[derive(Clone, Copy)]
struct Twig {
    feature: usize,
    bin: u8,
    /// Where the split leads to, for bins up to its own; the twig after it is for the others.
    below: usize,
    value: f64,
    columns: u32,
}

impl Growing<'_> {
    fn tree(&self, rows: &mut [u32]) -> Sprout {
        let sum = self.sum(rows);
        let cells = self.cells(rows, 0);
        let mut sprout = Sprout { nodes: vec![self.leaf(sum, 0)] };
        let mut buds = vec![self.bud(0, 0, (0, rows.len()), sum, cells)];
        while buds.len() < self.growth.leaves {
            let best = |bud: &Bud| bud.best.map_or(f64::NEG_INFINITY, |split| split.gain);
            let Some(at) =
                (0..buds.len()).max_by(|&a, &b| best(&buds[a]).total_cmp(&best(&buds[b])).then(b.cmp(&a)))
            else {
                break;
            };
            let Some(split) = buds[at].best else { break };
            let last = buds.len() + 1 == self.growth.leaves;
            let bud = buds.swap_remove(at);
            buds.extend(self.split(bud, split, rows, &mut sprout, last));
        }
        sprout
    }

    fn split(&self, bud: Bud, split: Split, rows: &mut [u32], sprout: &mut Sprout, last: bool) -> [Bud; 2] {
        let column = &self.binned.bins[split.feature];
        let own = &mut rows[bud.from..bud.to];
        let (mut below, mut above) = (Vec::with_capacity(own.len()), Vec::with_capacity(own.len()));
        for &row in own.iter() {
            if column[row as usize] <= split.bin { below.push(row) } else { above.push(row) }
        }
        own[..below.len()].copy_from_slice(&below);
        own[below.len()..].copy_from_slice(&above);
        let middle = bud.from + below.len();

        let columns = bud.columns | self.features[split.feature].columns;
        let sums = [
            split.below,
            Sum {
                first: bud.sum.first - split.below.first,
                second: bud.sum.second - split.below.second,
                rows: bud.sum.rows - split.below.rows,
            },
        ];
        let (below_node, above_node) = (sprout.nodes.len(), sprout.nodes.len() + 1);
        sprout.nodes.extend(sums.map(|sum| self.leaf(sum, columns)));
        let twig = &mut sprout.nodes[bud.node];
        (twig.feature, twig.bin, twig.below) = (split.feature, split.bin, below_node);

        // Only the smaller side is summed up; the larger is what remains.
        let (mut small, mut large) = (Vec::new(), Vec::new());
        if !last {
            let fewer = if below.len() <= above.len() { &below } else { &above };
            small = self.cells(fewer, columns);
            large = bud.cells;
            for (large, small) in large.iter_mut().zip(&small) {
                large.first -= small.first;
                large.second -= small.second;
                large.rows -= small.rows;
            }
        }
        let (of_below, of_above) = if below.len() <= above.len() { (small, large) } else { (large, small) };
        [
            self.bud(below_node, columns, (bud.from, middle), sums[0], of_below),
            self.bud(above_node, columns, (middle, bud.to), sums[1], of_above),
        ]
    }

    fn bud(&self, node: usize, columns: u32, (from, to): (usize, usize), sum: Sum, cells: Vec<Cell>) -> Bud {
        let best = self.best(&cells, columns, sum);
        Bud { node, columns, from, to, sum, cells, best }
    }

    fn leaf(&self, sum: Sum, columns: u32) -> Twig {
        let value = -self.growth.pace * sum.first / (sum.second + self.growth.ridge);
        Twig { feature: 0, bin: 0, below: 0, value, columns }
    }

    fn sum(&self, rows: &[u32]) -> Sum {
        let mut sum = Sum::default();
        for &row in rows {
            let slope = self.slopes[row as usize];
            sum.first += f64::from(slope.first);
            sum.second += f64::from(slope.second);
            sum.rows += 1;
        }
        sum
    }

    fn cells(&self, rows: &[u32], columns: u32) -> Vec<Cell> {
        let mut cells = vec![Cell::default(); self.tried.len() * BINS];
        let slopes: Vec<Slope> = rows.iter().map(|&row| self.slopes[row as usize]).collect();
        for (cells, &feature) in cells.chunks_exact_mut(BINS).zip(self.tried) {
            if !self.may_use(feature, columns) {
                continue;
            }
            let column = self.binned.bins[feature].as_slice();
            for (&row, slope) in rows.iter().zip(&slopes) {
                let cell = &mut cells[usize::from(column[row as usize]) % BINS];
                cell.first += slope.first;
                cell.second += slope.second;
                cell.rows += 1;
            }
        }
        cells
    }

    fn best(&self, cells: &[Cell], columns: u32, sum: Sum) -> Option<Split> {
        let least = self.growth.least_rows;
        if sum.rows < 2 * least {
            return None;
        }
        let score = |first: f64, second: f64| first * first / (second + self.growth.ridge);
        let whole = score(sum.first, sum.second);
        let mut best: Option<Split> = None;
        for (cells, &feature) in cells.chunks_exact(BINS).zip(self.tried) {
            if !self.may_use(feature, columns) {
                continue;
            }
            let mut below = Sum::default();
            for (bin, cell) in (0u8..).zip(cells) {
                if cell.rows == 0 {
                    continue;
                }
                below.first += f64::from(cell.first);
                below.second += f64::from(cell.second);
                below.rows += cell.rows;
                if below.rows < least {
                    continue;
                }
                if sum.rows - below.rows < least {
                    break;
                }
                let gain = score(below.first, below.second)
                    + score(sum.first - below.first, sum.second - below.second)
                    - whole;
                if gain > best.map_or(1e-6, |best| best.gain) {
                    best = Some(Split { gain, feature, bin, below });
                }
            }
        }
        best
    }

    fn may_use(&self, feature: usize, columns: u32) -> bool {
        (self.features[feature].columns | columns).count_ones() <= ORDER
    }
}

impl Sprout {
    fn value_of(&self, bin: impl Fn(usize) -> u8) -> f64 {
        let mut twig = &self.nodes[0];
        while twig.below != 0 {
            twig = &self.nodes[twig.below + usize::from(bin(twig.feature) > twig.bin)];
        }
        twig.value
    }

    fn finished(self, borders: &[Vec<f32>]) -> Vec<Grown> {
        let grown = |twig: &Twig| match twig.below {
            0 => Grown::Leaf { value: twig.value, columns: twig.columns },
            below => Grown::Split {
                feature: twig.feature,
                border: borders[twig.feature].get(usize::from(twig.bin)).copied().unwrap_or(f32::MAX),
                below,
            },
        };
        self.nodes.iter().map(grown).collect()
    }
}

/// Brings a random choice of `taken` items to the front.
fn draw<T>(items: &mut [T], taken: usize, dice: &mut Dice) {
    for at in 0..taken.min(items.len()) {
        let other = at + dice.below(items.len() - at);
        items.swap(at, other);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of a count"
)]
fn share_of(items: usize, share: f64) -> usize {
    ((items as f64 * share).ceil() as usize).clamp(1.min(items), items)
}
