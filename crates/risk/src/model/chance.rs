//! Odds and dice.

pub(crate) fn sigmoid(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

pub(super) fn logit(chance: f64) -> f64 {
    let chance = chance.clamp(1e-9, 1.0 - 1e-9);
    (chance / (1.0 - chance)).ln()
}

/// SplitMix64 (Steele, Lea and Flood 2014): the same seed gives the same numbers everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`, which must not be 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u128::try_from(end).unwrap_or(1);
        usize::try_from((u128::from(self.roll()) * end) >> 64).unwrap_or(0)
    }

    /// From 0 up to but not including 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double")]
    pub(crate) fn share(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            let other = self.below(end + 1);
            items.swap(end, other);
        }
    }
}

/// Splits rows into `folds` parts at random, with the same share of approvals in each.
pub(crate) fn folds(approved: &[bool], folds: usize, dice: &mut Dice) -> Vec<usize> {
    let mut of = vec![0; approved.len()];
    let mut next = 0;
    for outcome in [true, false] {
        let mut rows: Vec<usize> =
            approved.iter().enumerate().filter(|row| *row.1 == outcome).map(|row| row.0).collect();
        dice.shuffle(&mut rows);
        for row in rows {
            if let Some(fold) = of.get_mut(row) {
                *fold = next;
            }
            next = (next + 1) % folds.max(1);
        }
    }
    of
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_even_and_have_both_outcomes() {
        let approved: Vec<bool> = (0..1000).map(|row| row % 10 != 0).collect();
        let of = folds(&approved, 5, &mut Dice::new(1));
        for fold in 0..5 {
            let rows: Vec<bool> =
                of.iter().zip(&approved).filter(|row| *row.0 == fold).map(|row| *row.1).collect();
            assert_eq!((rows.len(), rows.iter().filter(|approved| !**approved).count()), (200, 20));
        }
    }

    #[test]
    fn dice_are_fair_enough() {
        let mut dice = Dice::new(7);
        let mean = (0..10_000).map(|_| dice.share()).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        assert!((0..10_000).all(|_| dice.below(3) < 3));
    }
}
