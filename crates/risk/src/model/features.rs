//! The numbers that the trees look at, each made of what is known of one combination of columns.

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

/// The spreads that the counted sets allow, those of one combination side by side.
pub(super) fn spreads(sets: &[u32]) -> Vec<Spread> {
    let mut spreads = Vec::new();
    for (of, &part) in sets.iter().enumerate() {
        for (by, &set) in sets.iter().enumerate() {
            if set & part == part && set.count_ones() == part.count_ones() + 1 {
                spreads.push(Spread { of, by });
            }
        }
    }
    spreads
}

/// Those of the columns that are counted by themselves.
pub(super) fn counted(sets: &[u32], columns: &[usize]) -> Vec<usize> {
    columns.iter().copied().filter(|column| sets.contains(&(1 << column))).collect()
}

/// The features of the counted sets of columns, kind by kind; `numeric` are the
/// counted columns of numbers.
pub(super) fn all(sets: &[u32], numeric: &[usize]) -> Vec<Feature> {
    let spreads = spreads(sets);
    let columns = |at: usize| sets.get(at).copied().unwrap_or_default();
    let of_sets = |of: fn(usize) -> Of| (0..sets.len()).map(move |at| (at, of(at)));
    let rates =
        of_sets(Of::Rate).chain(of_sets(Of::Seen)).map(|(at, of)| Feature { columns: columns(at), of });
    let shares = spreads
        .iter()
        .map(|spread| Feature { columns: columns(spread.by), of: Of::Share(spread.by, spread.of) });
    let spread = spreads
        .iter()
        .enumerate()
        .map(|(number, spread)| Feature { columns: columns(spread.of), of: Of::Spread(number, spread.of) });
    let numbers = numeric.iter().map(|&column| Feature { columns: 1 << column, of: Of::Number(column) });
    rates.chain(shares).chain(spread).chain(numbers).collect()
}

/// The values of all features for one row, in their order. Kind by kind, for it is most of the time of a score.
#[expect(
    clippy::indexing_slicing,
    reason = "the facts were looked up in the combinations that the spreads are of"
)]
pub(super) fn of_row(facts: &Facts, spreads: &[Spread], numeric: &[usize], rate: f64) -> Vec<f32> {
    let seen = facts.seen.as_slice();
    let mut values = Vec::with_capacity(2 * (seen.len() + spreads.len()) + numeric.len());
    values.extend(seen.iter().map(|&seen| approval(seen, rate)));
    values.extend(seen.iter().map(|seen| single(seen.0)));
    values.extend(spreads.iter().map(|spread| share(seen[spread.by].0, seen[spread.of].0)));
    values.extend(spreads.iter().zip(&facts.spread).map(|(spread, &told)| share(told, seen[spread.of].0)));
    values.extend(numeric.iter().map(|&column| facts.numbers.get(column).copied().unwrap_or_default()));
    values
}

impl Feature {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_and_a_sheet_have_the_same_features() {
        let sets = [0b01, 0b10, 0b11];
        let facts =
            Facts { seen: vec![(7, 5), (3, 3), (2, 2)], spread: vec![4, 1], numbers: vec![0.0, 12.0] };
        let sheet = Sheet {
            seen: facts.seen.iter().map(|&seen| vec![seen]).collect(),
            spread: facts.spread.iter().map(|&spread| vec![spread]).collect(),
            numbers: facts.numbers.iter().map(|&number| vec![number]).collect(),
        };
        let features = all(&sets, &[1]);
        let of_sheet: Vec<f32> = features.iter().map(|feature| feature.values(&sheet, 0.9)[0]).collect();
        assert_eq!(of_sheet, of_row(&facts, &spreads(&sets), &[1], 0.9));
        assert_eq!(
            features.iter().map(|feature| feature.columns).collect::<Vec<_>>(),
            [1, 2, 3, 1, 2, 3, 3, 3, 1, 2, 2]
        );
        assert_eq!(of_sheet[3..6], [7.0, 3.0, 2.0]);
        assert_eq!(of_sheet[10], 12.0);
    }
}
