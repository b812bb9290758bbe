//! Whether enough distinct people exist for all stages together.
//!
//! A person counts in one stage only, so it is not enough that each stage has people: this finds an assignment of
//! people to places by augmenting paths (Kuhn 1955), which is exact and, for a handful of places, immediate.

use std::collections::{BTreeMap, BTreeSet};

/// One stage: how many people it needs, and who could approve in it.
#[derive(Clone, Debug)]
pub(crate) struct Places<P> {
    pub needed: usize,
    pub people: BTreeSet<P>,
}

/// How many places of all stages can be filled by distinct people.
pub(crate) fn fillable<P: Ord>(stages: &[Places<P>]) -> usize {
    let places: Vec<&Places<P>> = stages.iter().flat_map(|s| std::iter::repeat_n(s, s.needed)).collect();
    let mut sits: BTreeMap<&P, usize> = BTreeMap::new();
    (0..places.len()).filter(|place| seat(*place, &places, &mut sits, &mut BTreeSet::new())).count()
}

/// Whether every place can be filled.
pub(crate) fn feasible<P: Ord>(stages: &[Places<P>]) -> bool {
    fillable(stages) == stages.iter().map(|s| s.needed).sum::<usize>()
}

/// Finds someone for `place`, moving others to another place where they can sit too.
fn seat<'a, P: Ord>(
    place: usize,
    places: &[&'a Places<P>],
    sits: &mut BTreeMap<&'a P, usize>,
    tried: &mut BTreeSet<&'a P>,
) -> bool {
    let Some(wanted) = places.get(place) else { return false };
    for person in &wanted.people {
        if !tried.insert(person) {
            continue;
        }
        let free = match sits.get(person).copied() {
            None => true,
            Some(other) => seat(other, places, sits, tried),
        };
        if free {
            sits.insert(person, place);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stages(of: &[(usize, &[u8])]) -> Vec<Places<u8>> {
        of.iter()
            .map(|(needed, people)| Places { needed: *needed, people: people.iter().copied().collect() })
            .collect()
    }

    #[test]
    fn one_person_cannot_sit_in_two_stages() {
        assert!(feasible(&stages(&[(1, &[1, 2]), (1, &[1])])));
        assert!(!feasible(&stages(&[(1, &[1]), (1, &[1])])));
        assert!(!feasible(&stages(&[(2, &[1])])));
        assert!(feasible::<u8>(&[]));
        assert_eq!(fillable(&stages(&[(2, &[1, 2]), (2, &[2, 3])])), 3);
    }

    proptest! {
        /// Hall's theorem: places can be filled unless some stages together want more people than they have.
        #[test]
        fn feasible_as_halls_theorem_says(
            of in prop::collection::vec((0usize..4, prop::collection::btree_set(0u8..6, 0..6)), 0..5)
        ) {
            let stages: Vec<_> = of.into_iter().map(|(needed, people)| Places { needed, people }).collect();
            let hall = (0u32..1 << stages.len()).all(|subset| {
                let chosen = || stages.iter().enumerate().filter(|(i, _)| subset >> i & 1 == 1).map(|(_, s)| s);
                let people: BTreeSet<_> = chosen().flat_map(|s| &s.people).collect();
                chosen().map(|s| s.needed).sum::<usize>() <= people.len()
            });
            prop_assert_eq!(feasible(&stages), hall);
        }
    }
}
