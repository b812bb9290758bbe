//! From a table of decisions to a model.

#![expect(clippy::indexing_slicing, reason = "rows, folds and combinations are numbered here")]

use super::boost::{self, BINS, Binned, Growth};
use super::chance::{self, Dice, folds, logit};
use super::counts::{self, Counts, RowIds};
use super::features::{self, Facts, Feature, Sheet, Spread};
use super::forest::Forest;
use super::sheet::{self, NO_PART, PARTS};
use super::table::{Column, Table, UNKNOWN};
use super::{Learned, Standing, calibrate};
use crate::metrics;

/// How to learn, and how much history is enough.
#[derive(Clone, Debug)]
pub struct Params {
    pub seed: u64,
    /// How many sums are averaged.
    pub growths: usize,
    pub rounds: usize,
    /// At most this many columns are combined; those that tell most by themselves are taken.
    pub columns: usize,
    /// Only the newest decisions count, if there are more than this.
    pub newest: usize,
    /// The least decisions, and the least of each outcome, before the model is listened to.
    pub enough: u32,
    pub enough_of_each: u32,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            seed: 1,
            growths: 3,
            rounds: 150,
            columns: 10,
            newest: 60_000,
            enough: 500,
            enough_of_each: 30,
        }
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrainError {
    #[error("there are no decisions to learn from")]
    Empty,
    #[error("there are no attributes to learn from")]
    NoColumns,
    #[error("there are {0} attributes, and no more than 32 can be learned from")]
    TooManyColumns(usize),
    #[error("all {0} decisions are approvals; there is nothing to tell apart")]
    OnlyApproved(usize),
    #[error("all {0} decisions are denials; there is nothing to tell apart")]
    OnlyDenied(usize),
}

/// One decision in this many is put aside for the rehearsal.
const ASIDE: usize = 4;
/// Names the way of learning; to be raised with every change that changes an opinion.
const EDITION: u32 = 1;

pub(super) fn train(table: Table, params: &Params) -> Result<Learned, TrainError> {
    check(&table)?;
    let table = match table.len().checked_sub(params.newest) {
        Some(old) if old > 0 => table.filtered(|row| row >= old),
        _ => table,
    };
    check(&table)?;
    let (sets, ids) = Counts::choose(&table, &choose_columns(&table, params.columns));
    let numeric = features::counted(&sets, &table.numeric());
    let known = Known {
        approved: table.approved(),
        ids: &ids,
        spreads: &features::spreads(&sets),
        numbers: &table.numbers(),
        numeric: &numeric,
        features: &features::all(&sets, &numeric),
    };
    let growth = Growth {
        rounds: params.rounds,
        leaves: 12,
        pace: 0.05,
        rows: 0.7,
        features: 0.3,
        ridge: 5.0,
        least_rows: 20,
    };
    let mut dice = Dice::new(params.seed);
    let (standing, calibration) = known.rehearse(&growth, &mut dice);
    let forest = known.grow(params.growths.max(1), calibration, &growth, &mut dice);
    let version = version(&table, params);
    Ok(Learned { version, table, combinations: sets, forest, standing })
}

fn check(table: &Table) -> Result<(), TrainError> {
    let rows = table.len();
    let approved = table.approved().iter().filter(|approved| **approved).count();
    match table.coded().len() {
        _ if rows == 0 => Err(TrainError::Empty),
        0 => Err(TrainError::NoColumns),
        columns if columns > 32 => Err(TrainError::TooManyColumns(columns)),
        _ if approved == rows => Err(TrainError::OnlyApproved(rows)),
        _ if approved == 0 => Err(TrainError::OnlyDenied(rows)),
        _ => Ok(()),
    }
}

/// The columns to combine: those whose approval rates, without the row itself, predict best.
fn choose_columns(table: &Table, most: usize) -> Vec<usize> {
    let mut columns: Vec<(usize, f64)> =
        table.coded().iter().map(|column| loss_of(column, table.approved())).enumerate().collect();
    columns.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut columns: Vec<usize> = columns.into_iter().take(most).map(|column| column.0).collect();
    columns.sort_unstable();
    columns
}

fn loss_of(column: &Column, approved: &[bool]) -> f64 {
    let rate = counts::rate(approved);
    let mut seen = vec![(0u32, 0u32); column.distinct()];
    let known = || column.codes.iter().zip(approved).filter(|row| *row.0 != UNKNOWN);
    for (&code, &approved) in known() {
        seen[code as usize].0 += 1;
        seen[code as usize].1 += u32::from(approved);
    }
    let chances: Vec<(f64, bool)> = known()
        .map(|(&code, &approved)| {
            let (all, yes) = seen[code as usize];
            let others = f64::from(all - 1);
            ((f64::from(yes - u32::from(approved)) + 2.0 * rate) / (others + 2.0), approved)
        })
        .collect();
    metrics::log_loss(&chances)
}

/// What there is to learn from.
struct Known<'a> {
    approved: &'a [bool],
    ids: &'a [RowIds],
    spreads: &'a [Spread],
    numbers: &'a [Vec<f32>],
    numeric: &'a [usize],
    features: &'a [Feature],
}

impl Known<'_> {
    /// Learns from most of the decisions and looks at what that says about the others.
    fn rehearse(&self, growth: &Growth, dice: &mut Dice) -> (Standing, (f64, f64)) {
        let aside = folds(self.approved, ASIDE, dice);
        let mut part = folds(self.approved, PARTS, dice);
        for (part, _) in part.iter_mut().zip(&aside).filter(|row| *row.1 == 0) {
            *part = NO_PART;
        }
        let binned = self.bin(&self.sheet(&part), None);
        let (_, log_odds) =
            boost::grow(&binned, self.features, self.approved, &learning(&part), growth, dice);
        let held: Vec<(f64, bool)> = log_odds
            .into_iter()
            .zip(self.approved.iter().copied())
            .zip(&part)
            .filter(|row| *row.1 == NO_PART)
            .map(|row| row.0)
            .collect();
        let rate = counts::rate(self.approved);
        let calibration = calibrate::platt(&held, logit(rate));
        let chances: Vec<(f64, bool)> = held.iter().map(|row| (chance::sigmoid(row.0), row.1)).collect();
        let of_rate: Vec<(f64, bool)> = held.iter().map(|row| (rate, row.1)).collect();
        let count = |rows: usize| u32::try_from(rows).unwrap_or(u32::MAX);
        let standing = Standing {
            decisions: count(self.approved.len()),
            approved: count(self.approved.iter().filter(|approved| **approved).count()),
            auc: metrics::auc(&chances),
            log_loss: metrics::log_loss(&chances),
            log_loss_of_rate: metrics::log_loss(&of_rate),
        };
        (standing, calibration)
    }

    fn grow(&self, growths: usize, calibration: (f64, f64), growth: &Growth, dice: &mut Dice) -> Forest {
        let mut trees = Vec::new();
        let mut borders = None;
        let mut sample = Vec::new();
        for _ in 0..growths {
            let part = folds(self.approved, PARTS, dice);
            let sheet = self.sheet(&part);
            let binned = self.bin(&sheet, borders.take());
            trees.push(boost::grow(&binned, self.features, self.approved, &learning(&part), growth, dice).0);
            borders = Some(binned.borders);
            sample = self.sample(&sheet);
        }
        let mut forest = Forest::new(&trees, logit(counts::rate(self.approved)), calibration);
        forest.centre(&sample);
        forest
    }

    fn sheet(&self, part: &[usize]) -> Sheet {
        let sheet = sheet::out_of_part(self.ids, self.spreads, part, self.approved);
        Sheet { numbers: self.numbers.to_vec(), ..sheet }
    }

    fn bin(&self, sheet: &Sheet, borders: Option<Vec<Vec<f32>>>) -> Binned {
        let rate = counts::rate(self.approved);
        let borders = borders.unwrap_or_else(|| {
            self.features.iter().map(|feature| borders_of(feature.values(sheet, rate))).collect()
        });
        let bins = self.features.iter().zip(&borders).map(|(feature, borders)| {
            feature.values(sheet, rate).into_iter().map(|value| bin_of(value, borders)).collect()
        });
        Binned { bins: bins.collect(), borders }
    }

    /// The features of up to two thousand rows, evenly taken.
    fn sample(&self, sheet: &Sheet) -> Vec<Vec<f32>> {
        let rate = counts::rate(self.approved);
        let step = self.approved.len().div_ceil(2000).max(1);
        let rows = (0..self.approved.len()).step_by(step);
        rows.map(|row| {
            let facts = Facts {
                seen: sheet.seen.iter().map(|seen| seen[row]).collect(),
                spread: sheet.spread.iter().map(|spread| spread[row]).collect(),
                numbers: sheet
                    .numbers
                    .iter()
                    .map(|numbers| numbers.get(row).copied().unwrap_or_default())
                    .collect(),
            };
            features::of_row(&facts, self.spreads, self.numeric, rate)
        })
        .collect()
    }
}

fn learning(part: &[usize]) -> Vec<u32> {
    (0u32..).zip(part).filter(|row| *row.1 != NO_PART).map(|row| row.0).collect()
}

/// Borders between values, so that the bins between them hold about as many rows each.
fn borders_of(mut values: Vec<f32>) -> Vec<f32> {
    values.sort_unstable_by(f32::total_cmp);
    let runs: Vec<(f32, usize)> = values.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect();
    let mut borders = Vec::new();
    let mut left = values.len();
    let mut full = 0;
    for pair in runs.windows(2) {
        full += pair[0].1;
        // What is left is shared evenly among the bins that are left; a frequent value takes one for itself.
        let share = left.div_ceil(BINS - borders.len());
        if runs.len() <= BINS || full >= share || full + pair[1].1 > 2 * share {
            borders.push(f32::midpoint(pair[0].0, pair[1].0));
            left -= full;
            full = 0;
            if borders.len() + 1 == BINS {
                break;
            }
        }
    }
    borders
}

/// The number of the first border that is not below the value.
fn bin_of(value: f32, borders: &[f32]) -> u8 {
    u8::try_from(borders.partition_point(|&border| border < value)).unwrap_or(u8::MAX)
}

/// The same for the same decisions and parameters, and hardly ever for others (FNV-1a, Fowler, Noll and Vo).
fn version(table: &Table, params: &Params) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut add = |bytes: &[u8]| {
        for &byte in bytes.iter().chain(&[0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    add(format!("{EDITION} {params:?}").as_bytes());
    for (row, &approved) in table.approved().iter().enumerate() {
        table.row(row).into_iter().for_each(|value| add(value.as_bytes()));
        add(&[u8::from(approved)]);
    }
    table.columns().for_each(|name| add(name.as_bytes()));
    format!("{EDITION}-{}-{hash:016x}", table.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_part_the_values_evenly() {
        assert_eq!(borders_of(vec![1.0, 2.0, 2.0, 4.0]), [1.5, 3.0]);
        assert_eq!(borders_of(vec![1.0, 1.0]), [] as [f32; 0]);
        let many: Vec<f32> = (0..10_000u16).map(f32::from).collect();
        let borders = borders_of(many.clone());
        assert_eq!(borders.len(), BINS - 1);
        let mut rows = [0usize; BINS];
        many.iter().for_each(|&value| rows[usize::from(bin_of(value, &borders))] += 1);
        assert!(rows.iter().all(|rows| (100..250).contains(rows)), "{rows:?}");
    }
}
