//! How good chances were, once the outcomes are known.

use serde::Serialize;

/// The chance that a random approval was given a higher chance than a random denial (area under the ROC curve); ties
/// count half. One half where there is nothing to compare.
pub fn auc(chances: &[(f64, bool)]) -> f64 {
    let mut sorted: Vec<&(f64, bool)> = chances.iter().collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut denied, mut approved, mut won) = (0.0, 0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let yes = count(tied.iter().filter(|row| row.1).count());
        let no = count(tied.len()) - yes;
        won += yes * (denied + no / 2.0);
        denied += no;
        approved += yes;
    }
    if denied * approved > 0.0 { won / (denied * approved) } else { 0.5 }
}

/// The mean of minus the logarithm of the chance given to what happened.
pub fn log_loss(chances: &[(f64, bool)]) -> f64 {
    let loss = |&(chance, approved): &(f64, bool)| {
        let chance = if approved { chance } else { 1.0 - chance };
        -chance.clamp(1e-15, 1.0).ln()
    };
    chances.iter().map(loss).sum::<f64>() / count(chances.len()).max(1.0)
}

/// Requests that were given about the same chance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bucket {
    pub rows: usize,
    /// The mean chance that was said, and the share that was approved.
    pub said: f64,
    pub was: f64,
}

/// Whether chances hold what they say: the rows sorted by chance, in `buckets` of about the same size.
pub fn calibration(chances: &[(f64, bool)], buckets: usize) -> Vec<Bucket> {
    let mut sorted: Vec<(f64, bool)> = chances.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    sorted
        .chunks(sorted.len().div_ceil(buckets.max(1)).max(1))
        .map(|rows| Bucket {
            rows: rows.len(),
            said: rows.iter().map(|row| row.0).sum::<f64>() / count(rows.len()),
            was: count(rows.iter().filter(|row| row.1).count()) / count(rows.len()),
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "a count of rows in memory")]
fn count(rows: usize) -> f64 {
    rows as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_of_known_cases() {
        let perfect = [(0.1, false), (0.2, false), (0.9, true)];
        assert!((auc(&perfect) - 1.0).abs() < 1e-12);
        let mixed = [(0.1, true), (0.2, false), (0.3, true), (0.3, false)];
        assert!((auc(&mixed) - 0.375).abs() < 1e-12);
        assert!((auc(&[(0.5, true)]) - 0.5).abs() < 1e-12);
        assert!((log_loss(&[(0.5, true), (0.25, false)]) - (2f64.ln() - 0.75f64.ln()) / 2.0).abs() < 1e-12);
        assert!(log_loss(&[(0.0, true)]).is_finite());
        let buckets = calibration(&mixed, 2);
        assert_eq!(
            buckets.iter().map(|bucket| (bucket.rows, bucket.was)).collect::<Vec<_>>(),
            [(2, 0.5), (2, 0.5)]
        );
        assert_eq!(calibration(&[], 10), []);
    }
}
