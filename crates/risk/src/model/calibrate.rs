//! Bringing log-odds to what they promise.

use super::chance::sigmoid;

/// Finds the slope and shift under which the log-odds that were `said` predict the outcomes best (Platt 1999), by Newton's method. Both are
/// drawn towards leaving things as they are, so that few rows change little; the slope stays positive, so that the
/// order of requests stays.
pub(super) fn platt(said: &[(f64, bool)], start: f64) -> (f64, f64) {
    /// What says "leave it", in the measure of the curvature: as much as 1,200 even odds.
    const CAUTION: f64 = 300.0;
    let (mut slope, mut shift) = (1.0f64, 0.0f64);
    for _ in 0..50 {
        let (mut to_slope, mut to_shift) = (CAUTION * (slope - 1.0), CAUTION * shift);
        let (mut by_slope, mut by_both, mut by_shift) = (CAUTION, 0.0, CAUTION);
        for &(log_odds, approved) in said {
            let distance = log_odds - start;
            let chance = sigmoid(start + shift + slope * distance);
            let miss = chance - f64::from(u8::from(approved));
            let weight = chance * (1.0 - chance);
            to_slope += miss * distance;
            to_shift += miss;
            by_slope += weight * distance * distance;
            by_both += weight * distance;
            by_shift += weight;
        }
        let determinant = by_slope * by_shift - by_both * by_both;
        if determinant.abs() < 1e-12 {
            break;
        }
        let slope_step = (to_slope * by_shift - to_shift * by_both) / determinant;
        let shift_step = (to_shift * by_slope - to_slope * by_both) / determinant;
        slope = (slope - slope_step).clamp(0.2, 3.0);
        shift = (shift - shift_step).clamp(-3.0, 3.0);
        if slope_step.abs() + shift_step.abs() < 1e-9 {
            break;
        }
    }
    (slope, shift)
}

#[cfg(test)]
mod tests {
    use super::super::chance::Dice;
    use super::*;

    #[test]
    fn a_known_distortion_is_found() {
        let mut dice = Dice::new(3);
        let mut said = Vec::new();
        for _ in 0..100_000 {
            let log_odds = 6.0 * dice.share() - 3.0;
            said.push((log_odds, dice.share() < sigmoid(0.5 + 0.7 * log_odds)));
        }
        let (slope, shift) = platt(&said, 0.0);
        assert!((slope - 0.7).abs() < 0.03 && (shift - 0.5).abs() < 0.05, "{slope} {shift}");
    }

    #[test]
    fn nothing_known_changes_nothing() {
        assert_eq!(platt(&[], 0.0), (1.0, 0.0));
    }
}
