//! How often each combination of values was decided on, and approved.

#![expect(clippy::indexing_slicing, reason = "every index is an id or a code that the tables here gave out")]

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::hint::black_box;

use super::features::{self, Facts};
use super::table::{Table, UNKNOWN};

/// The counts of the combinations of a table.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    combinations: Vec<Combination>,
    /// How many there are of them.
    spreads: usize,
    rate: f64,
}

/// One set of columns, and the combinations of values that occurred in them.
#[derive(Clone, Debug)]
struct Combination {
    /// Bit `n` for column `n`.
    columns: u32,
    /// The last column, and the combination of all others, which comes earlier in the list.
    last: usize,
    before: Option<usize>,
    ids: HashMap<u64, u32, BuildHasherDefault<Mix>>,
    /// Where no combination is wider.
    last_of_all: LastOfAll,
    /// By id, side by side: how often it was seen, how often approved, and its spreads.
    told: Vec<u32>,
    /// How many numbers each id has.
    width: usize,
}

/// Which combination each row has, by id.
pub(super) type RowIds = Vec<u32>;

impl Counts {
    /// Counts the given sets of columns; a set whose part without the last column is missing is left out.
    pub(super) fn of_table(table: &Table, sets: &[u32]) -> Self {
        let mut counts = Self { combinations: Vec::new(), spreads: 0, rate: rate(table.approved()) };
        let mut row_ids: Vec<RowIds> = Vec::new();
        for &set in sets {
            let Some(mut combination) = counts.start(set, table.coded().len()) else { continue };
            let before = combination.before.map(|before| &row_ids[before]);
            let ids = combination.number(&table.coded()[combination.last].codes, before);
            counts.combinations.push(combination);
            row_ids.push(ids);
        }
        let spreads = features::spreads(&counts.sets());
        counts.spreads = spreads.len();
        for (of, (combination, ids)) in counts.combinations.iter_mut().zip(&row_ids).enumerate() {
            let wider = spreads.iter().filter(|spread| spread.of == of).map(|spread| &row_ids[spread.by]);
            combination.count(ids, table.approved(), &wider.collect::<Vec<_>>());
        }
        counts
    }

    /// Chooses the sets of up to three columns that tell something of their own, and numbers the rows in each. A set
    /// that splits the rows no finer than a part of it does (a role's code and its title) is left out.
    pub(super) fn choose(table: &Table, columns: &[usize]) -> (Vec<u32>, Vec<RowIds>) {
        let mut chosen: Vec<(u32, RowIds, usize)> = Vec::new();
        let mut counts = Self { combinations: Vec::new(), spreads: 0, rate: 0.0 };
        for size in 1..=3 {
            for set in sets_of(columns, size) {
                let Some(mut combination) = counts.start(set, table.coded().len()) else { continue };
                let before = combination.before.map(|before| &chosen[before].1);
                let ids = combination.number(&table.coded()[combination.last].codes, before);
                let distinct = combination.ids.len();
                let parts = parts_of(set);
                let told = |part: &u32| chosen.iter().any(|other| other.0 == *part && other.2 < distinct);
                if distinct < 2 || !parts.iter().all(told) {
                    continue;
                }
                chosen.push((set, ids, distinct));
                combination.ids = HashMap::default();
                counts.combinations.push(combination);
            }
            if size == 1 {
                drop_synonyms(&mut chosen, &mut counts);
            }
        }
        chosen.into_iter().map(|(set, ids, _)| (set, ids)).unzip()
    }

    /// What is known of a row; `codes` are its values', by column.
    pub(super) fn look_up(&self, codes: &[u32]) -> Facts {
        let mut ids: Vec<u32> = Vec::with_capacity(self.combinations.len());
        let mut facts = Facts {
            seen: Vec::with_capacity(self.combinations.len()),
            spread: Vec::with_capacity(self.spreads),
            numbers: Vec::new(),
        };
        let mut last_of_all: Vec<(&LastOfAll, u64, usize)> = Vec::with_capacity(self.combinations.len());
        for combination in &self.combinations {
            let before = combination.before.map_or(0, |before| ids[before]);
            let code = codes.get(combination.last).copied().unwrap_or(UNKNOWN);
            let known = before != UNKNOWN && code != UNKNOWN;
            if combination.width == 2 {
                if known {
                    last_of_all.push((&combination.last_of_all, key(before, code), facts.seen.len()));
                }
                facts.seen.push((0, 0));
                ids.push(UNKNOWN);
                continue;
            }
            let id = if known { combination.ids.get(&key(before, code)) } else { None };
            let id = id.copied().unwrap_or(UNKNOWN);
            ids.push(id);
            let from = (id as usize).saturating_mul(combination.width);
            match combination.told.get(from..from.saturating_add(combination.width)) {
                Some([seen, approved, spread @ ..]) => {
                    facts.seen.push((*seen, *approved));
                    facts.spread.extend_from_slice(spread);
                }
                _ => {
                    facts.seen.push((0, 0));
                    facts.spread.extend(std::iter::repeat_n(0, combination.width - 2));
                }
            }
        }
        // Most of a score is waiting for memory: all of it is asked for before any of it is read.
        black_box(last_of_all.iter().fold(0, |sum, (held, key, _)| sum ^ held.first_of(*key)));
        for (held, key, at) in last_of_all {
            facts.seen[at] = held.get(key);
        }
        facts
    }

    /// The counted sets of columns.
    pub(super) fn sets(&self) -> Vec<u32> {
        self.combinations.iter().map(|combination| combination.columns).collect()
    }

    /// The counts of one set out of what [`Counts::look_up`] found. A set that is not counted has the counts of its
    /// largest counted part.
    pub(super) fn of(&self, columns: u32, seen: &[(u32, u32)]) -> (u32, u32) {
        self.combinations
            .iter()
            .zip(seen)
            .filter(|(combination, _)| combination.columns & !columns == 0)
            .max_by_key(|(combination, _)| combination.columns.count_ones())
            .map_or((0, 0), |(_, &seen)| seen)
    }

    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    fn start(&self, columns: u32, width: usize) -> Option<Combination> {
        let last = usize::try_from(columns.checked_ilog2()?).ok()?;
        let rest = columns & !(1 << last);
        let before = match rest {
            0 => None,
            rest => Some(self.combinations.iter().position(|other| other.columns == rest)?),
        };
        (last < width).then(|| Combination {
            columns,
            last,
            before,
            ids: HashMap::default(),
            last_of_all: LastOfAll::default(),
            told: Vec::new(),
            width: 2,
        })
    }
}

impl Combination {
    /// Gives every combination of values an id, in the order in which they first occur.
    fn number(&mut self, codes: &[u32], before: Option<&RowIds>) -> RowIds {
        let mut next = 0;
        let mut ids = Vec::with_capacity(codes.len());
        for (row, &code) in codes.iter().enumerate() {
            let before = before.map_or(0, |before| before[row]);
            if before == UNKNOWN || code == UNKNOWN {
                ids.push(UNKNOWN);
                continue;
            }
            let id = *self.ids.entry(key(before, code)).or_insert_with(|| {
                next += 1;
                next - 1
            });
            ids.push(id);
        }
        ids
    }

    /// Counts the rows of each id, and the wider ids that each comes with.
    fn count(&mut self, ids: &RowIds, approved: &[bool], wider: &[&RowIds]) {
        let spreads: Vec<Vec<u32>> = wider.iter().map(|wider| spread_of(ids, wider)).collect();
        self.width = 2 + spreads.len();
        self.told = vec![0; self.ids.len() * self.width];
        for (&id, &approved) in ids.iter().zip(approved).filter(|row| *row.0 != UNKNOWN) {
            let told = &mut self.told[id as usize * self.width..];
            told[0] += 1;
            told[1] += u32::from(approved);
        }
        for (id, told) in self.told.chunks_exact_mut(self.width).enumerate() {
            for (told, spread) in told.iter_mut().skip(2).zip(&spreads) {
                *told = spread.get(id).copied().unwrap_or_default();
            }
        }
        if spreads.is_empty() {
            let seen = |id: u32| (self.told[id as usize * 2], self.told[id as usize * 2 + 1]);
            self.last_of_all = LastOfAll::of(self.ids.iter().map(|(&key, &id)| (key, seen(id))));
            (self.ids, self.told) = (HashMap::default(), Vec::new());
        }
    }
}

/// How often each key was seen and approved: open addressing, so that a look-up reads one place in memory.
#[derive(Clone, Debug, Default)]
struct LastOfAll {
    /// At most half full; a power of two.
    slots: Vec<Slot>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    key: u64,
    seen: u32,
    approved: u32,
}

/// No key: it would be made of two unknown codes.
const VACANT: Slot = Slot { key: u64::MAX, seen: 0, approved: 0 };

impl LastOfAll {
    fn of(counted: impl ExactSizeIterator<Item = (u64, (u32, u32))>) -> Self {
        let mut held = Self { slots: vec![VACANT; (counted.len() * 2).next_power_of_two()] };
        for (key, (seen, approved)) in counted {
            let mut at = held.place(key);
            while held.slots[at].key != u64::MAX {
                at = (at + 1) & (held.slots.len() - 1);
            }
            held.slots[at] = Slot { key, seen, approved };
        }
        held
    }

    fn place(&self, key: u64) -> usize {
        let mut mix = Mix::default();
        mix.write_u64(key);
        usize::try_from(mix.finish()).unwrap_or(0) & self.slots.len().wrapping_sub(1)
    }

    /// What stands where the search for a key begins.
    fn first_of(&self, key: u64) -> u64 {
        self.slots.get(self.place(key)).map_or(0, |slot| slot.key)
    }

    fn get(&self, key: u64) -> (u32, u32) {
        let mut at = self.place(key);
        loop {
            match self.slots.get(at) {
                Some(slot) if slot.key == key => return (slot.seen, slot.approved),
                Some(slot) if slot.key != u64::MAX => at = (at + 1) & (self.slots.len() - 1),
                _ => return (0, 0),
            }
        }
    }
}

/// By id, with how many different wider ids it comes.
fn spread_of(ids: &RowIds, wider: &RowIds) -> Vec<u32> {
    let distinct =
        |ids: &RowIds| ids.iter().filter(|id| **id != UNKNOWN).max().map_or(0, |&id| id as usize + 1);
    let mut met = vec![false; distinct(wider)];
    let mut spread = vec![0; distinct(ids)];
    for (&id, &wider) in ids.iter().zip(wider).filter(|row| *row.1 != UNKNOWN) {
        if !std::mem::replace(&mut met[wider as usize], true) {
            spread[id as usize] += 1;
        }
    }
    spread
}

/// The overall share of approvals, never quite 0 or 1.
pub(super) fn rate(approved: &[bool]) -> f64 {
    let yes = approved.iter().filter(|approved| **approved).count();
    #[expect(clippy::cast_precision_loss, reason = "a count of rows in memory")]
    let rate = (yes as f64 + 0.5) / (approved.len() as f64 + 1.0);
    rate
}

/// All sets of `size` of the columns.
fn sets_of(columns: &[usize], size: u32) -> Vec<u32> {
    let all = columns.iter().fold(0u32, |set, column| set | (1 << column));
    let mut sets: Vec<u32> = Vec::new();
    let singles: Vec<u32> = (0..32).map(|column| 1u32 << column).filter(|single| single & all != 0).collect();
    for &a in &singles {
        match size {
            1 => sets.push(a),
            2 => sets.extend(singles.iter().filter(|&&b| b > a).map(|b| a | b)),
            _ => {
                for &b in singles.iter().filter(|&&b| b > a) {
                    sets.extend(singles.iter().filter(|&&c| c > b).map(|c| a | b | c));
                }
            }
        }
    }
    sets
}

/// The set without one of its columns, for each of them; nothing for a single column.
pub(super) fn parts_of(set: u32) -> Vec<u32> {
    (0..32)
        .map(|column| 1u32 << column)
        .filter(|single| set & single != 0 && set != *single)
        .map(|single| set & !single)
        .collect()
}

/// Of columns that name the same thing in other words, only the first is kept.
fn drop_synonyms(chosen: &mut Vec<(u32, RowIds, usize)>, counts: &mut Counts) {
    let mut kept: Vec<(u32, RowIds, usize)> = Vec::new();
    for candidate in chosen.drain(..) {
        // Ids are given in the order of first occurrence, so that two columns that split the rows alike get the
        // same ids.
        if kept.iter().all(|other| other.1 != candidate.1) {
            kept.push(candidate);
        }
    }
    counts.combinations.retain(|combination| kept.iter().any(|other| other.0 == combination.columns));
    *chosen = kept;
}

fn key(before: u32, code: u32) -> u64 {
    (u64::from(before) << 32) | u64::from(code)
}

/// Keys are ids that nobody outside chooses, so that a multiplication spreads them well enough; the standard hasher
/// would take most of the time of a score.
#[derive(Clone, Copy, Debug, Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        let mixed = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        self.0 ^= self.0 >> 29;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_again_and_no_other() {
        let counted = |n: u32| (key(n % 97, n), (n + 1, n / 2));
        for size in [0, 1, 2, 3, 1_000] {
            let held = LastOfAll::of((0..size).map(counted).collect::<Vec<_>>().into_iter());
            for (key, seen) in (0..size).map(counted) {
                assert_eq!(held.get(key), seen);
            }
            for (key, _) in (size..size + 500).map(counted) {
                assert_eq!(held.get(key), (0, 0));
            }
        }
        assert_eq!(LastOfAll::default().get(key(1, 2)), (0, 0));
    }
}
