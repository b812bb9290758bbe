//! What is known of the rows to learn from, without what the rows themselves have told.
//!
//! Decisions are dealt into parts; what is known of a row comes from the other parts. A model that saw a row's own
//! outcome among the counts would learn to read it off them.

#![expect(clippy::indexing_slicing, reason = "rows, parts and ids are numbered here and in the counts")]

use super::counts::RowIds;
use super::features::{Sheet, Spread};
use super::table::UNKNOWN;

/// Decisions are dealt into this many parts.
pub(super) const PARTS: usize = 10;
/// Rows of this part tell nothing; what is known of them comes from all parts.
pub(super) const NO_PART: usize = PARTS;

/// The sheet of all rows; `ids` are by combination, `part` and `approved` by row.
pub(super) fn out_of_part(ids: &[RowIds], spreads: &[Spread], part: &[usize], approved: &[bool]) -> Sheet {
    Sheet {
        seen: ids.iter().map(|ids| seen_in_others(ids, part, approved)).collect(),
        spread: spreads
            .iter()
            .map(|spread| spread_in_others(&ids[spread.of], &ids[spread.by], part))
            .collect(),
        numbers: Vec::new(),
    }
}

fn seen_in_others(ids: &RowIds, part: &[usize], approved: &[bool]) -> Vec<(u32, u32)> {
    let distinct = distinct(ids);
    let mut whole = vec![(0u32, 0u32); distinct];
    let mut by_part = vec![[(0u32, 0u32); PARTS]; distinct];
    for ((&id, &part), &approved) in ids.iter().zip(part).zip(approved) {
        if id == UNKNOWN || part == NO_PART {
            continue;
        }
        for counted in [&mut whole[id as usize], &mut by_part[id as usize][part]] {
            counted.0 += 1;
            counted.1 += u32::from(approved);
        }
    }
    let others = |(&id, &part): (&u32, &usize)| {
        if id == UNKNOWN {
            return (0, 0);
        }
        let whole = whole[id as usize];
        let own = by_part[id as usize].get(part).copied().unwrap_or_default();
        (whole.0 - own.0, whole.1 - own.1)
    };
    ids.iter().zip(part).map(others).collect()
}

fn spread_in_others(ids: &RowIds, wider: &RowIds, part: &[usize]) -> Vec<u32> {
    /// In which parts a wider combination occurs.
    #[derive(Clone, Copy)]
    enum Occurs {
        Nowhere,
        OnlyIn(usize, u32),
        Widely(u32),
    }
    let mut occurs = vec![Occurs::Nowhere; distinct(wider)];
    for ((&id, &wider), &part) in ids.iter().zip(wider).zip(part) {
        if wider == UNKNOWN || part == NO_PART {
            continue;
        }
        let occurs = &mut occurs[wider as usize];
        *occurs = match *occurs {
            Occurs::Nowhere => Occurs::OnlyIn(part, id),
            Occurs::OnlyIn(only, id) if only != part => Occurs::Widely(id),
            as_before => as_before,
        };
    }
    let mut whole = vec![0u32; distinct(ids)];
    let mut only = vec![[0u32; PARTS]; distinct(ids)];
    for occurs in occurs {
        match occurs {
            Occurs::Nowhere => {}
            Occurs::OnlyIn(part, id) => {
                whole[id as usize] += 1;
                only[id as usize][part] += 1;
            }
            Occurs::Widely(id) => whole[id as usize] += 1,
        }
    }
    let others = |(&id, &part): (&u32, &usize)| {
        if id == UNKNOWN {
            return 0;
        }
        whole[id as usize] - only[id as usize].get(part).copied().unwrap_or_default()
    };
    ids.iter().zip(part).map(others).collect()
}

fn distinct(ids: &RowIds) -> usize {
    ids.iter().filter(|id| **id != UNKNOWN).max().map_or(0, |&id| id as usize + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_not_in_its_own_counts() {
        let approved = [true, false, true, true];
        let ids = vec![0, 0, 0, 1];
        assert_eq!(seen_in_others(&ids, &[0, 1, 2, 3], &approved), [(2, 1), (2, 2), (2, 1), (0, 0)]);
        assert_eq!(seen_in_others(&ids, &[0, 1, 1, NO_PART], &approved), [(2, 1), (1, 1), (1, 1), (0, 0)]);
    }

    #[test]
    fn a_row_is_not_in_its_own_spread() {
        // Under the first id three values occur, one of them in two parts.
        let (ids, wider) = (vec![0, 0, 0, 0, 1], vec![0, 1, 1, 2, 3]);
        assert_eq!(spread_in_others(&ids, &wider, &[0, 1, 2, 2, 3]), [2, 3, 2, 2, 0]);
        assert_eq!(spread_in_others(&ids, &wider, &[0, 1, 2, 2, NO_PART]), [2, 3, 2, 2, 0]);
        assert_eq!(spread_in_others(&ids, &wider, &[NO_PART, 1, 1, 2, 3]), [2, 1, 1, 1, 0]);
    }
}
