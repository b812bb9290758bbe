//! The numbers that the trees look at, each made of what is known of one combination of columns.

use super::counts::parts_of;

/// One number of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Feature {
    /// The columns it depends on.
    pub(super) columns: u32,
    of: Of,
}

#[derive(Clone, Copy, Debug)]
enum Of {
    /// The approval rate of a combination, drawn a little towards the overall one.
    Rate(usize),
    /// How often the combination was decided on.
    Seen(usize),
    /// Which share of the decisions on the second combination were on the first, which is a case of it.
    Share(usize, usize),
    /// How many different values of one more column came with the combination, by decision: 1 where every decision
    /// brought another one. The first number is that of the spread, the second that of the combination.
    Spread(usize, usize),
    /// The value of a column itself. Identifiers are handed out in sequence, so that near ones have much in common,
    /// and it is all there is to say about one that was never seen.
    Number(usize),
}

/// What is known of one row, by combination, spread and column.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) seen: Vec<(u32, u32)>,
    pub(super) spread: Vec<u32>,
    pub(super) numbers: Vec<f32>,
}

/// The same of many rows, by column first.
#[derive(Clone, Debug, Default)]
pub(super) struct Sheet {
    pub(super) seen: Vec<Vec<(u32, u32)>>,
    pub(super) spread: Vec<Vec<u32>>,
    pub(super) numbers: Vec<Vec<f32>>,
}

/// A combination, and the one with one more column whose values are counted under it, both by their place in the
/// list of combinations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    pub(super) of: usize,
    pub(super) by: usize,
}

/// The spreads that the counted sets allow.
pub(super) fn spreads(sets: &[u32]) -> Vec<Spread> {
    let mut spreads = Vec::new();
    for (by, &set) in sets.iter().enumerate() {
        for part in parts_of(set) {
            if let Some(of) = sets.iter().position(|&other| other == part) {
                spreads.push(Spread { of, by });
            }
        }
    }
    spreads
}

/// The features of the counted sets of columns; `numeric` are the columns of numbers.
pub(super) fn all(sets: &[u32], numeric: &[usize]) -> Vec<Feature> {
    let mut features = Vec::new();
    for (at, &columns) in sets.iter().enumerate() {
        features.push(Feature { columns, of: Of::Rate(at) });
        features.push(Feature { columns, of: Of::Seen(at) });
    }
    for (number, Spread { of, by }) in spreads(sets).into_iter().enumerate() {
        let columns = |at: usize| sets.get(at).copied().unwrap_or_default();
        features.push(Feature { columns: columns(by), of: Of::Share(by, of) });
        features.push(Feature { columns: columns(of), of: Of::Spread(number, of) });
    }
    let counted = |column: &&usize| sets.contains(&(1 << **column));
    features.extend(
        numeric
            .iter()
            .filter(counted)
            .map(|&column| Feature { columns: 1 << column, of: Of::Number(column) }),
    );
    features
}

impl Feature {
    pub(super) fn value(&self, facts: &Facts, rate: f64) -> f32 {
        let seen = |at: usize| facts.seen.get(at).copied().unwrap_or_default();
        match self.of {
            Of::Rate(of) => approval(seen(of), rate),
            Of::Seen(of) => single(seen(of).0),
            Of::Share(of, out_of) => share(seen(of).0, seen(out_of).0),
            Of::Spread(number, of) => {
                share(facts.spread.get(number).copied().unwrap_or_default(), seen(of).0)
            }
            Of::Number(column) => facts.numbers.get(column).copied().unwrap_or_default(),
        }
    }

    /// The values of all rows of a sheet.
    #[expect(
        clippy::indexing_slicing,
        reason = "the sheet was made for the sets that the features were made for"
    )]
    pub(super) fn values(&self, sheet: &Sheet, rate: f64) -> Vec<f32> {
        match self.of {
            Of::Rate(of) => sheet.seen[of].iter().map(|&seen| approval(seen, rate)).collect(),
            Of::Seen(of) => sheet.seen[of].iter().map(|seen| single(seen.0)).collect(),
            Of::Share(of, out_of) => sheet.seen[of]
                .iter()
                .zip(&sheet.seen[out_of])
                .map(|(of, out_of)| share(of.0, out_of.0))
                .collect(),
            Of::Spread(number, of) => sheet.spread[number]
                .iter()
                .zip(&sheet.seen[of])
                .map(|(&spread, of)| share(spread, of.0))
                .collect(),
            Of::Number(column) => sheet.numbers[column].clone(),
        }
    }
}

fn approval((seen, approved): (u32, u32), rate: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "trees compare single precision")]
    let approval = ((f64::from(approved) + 0.5 * rate) / (f64::from(seen) + 0.5)) as f32;
    approval
}

fn share(of: u32, out_of: u32) -> f32 {
    (single(of) + 0.1) / (single(out_of) + 1.0)
}

fn single(count: u32) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "trees compare single precision")]
    let single = count as f32;
    single
}
