//! A conjunction over several sources: which rows of one of them come through.
//!
//! A test on a source bounds the target when a chain of conditions ties the two. Conditions that every row meets, such as
//! a foreign key that is never null, or a table joined with itself, tie without bounding.

use super::expr::{Column, Expr, Origin, OuterJoin, Scene, bit};
use super::value::Comparison;
use super::{Inlined, Outcome, sample};
use crate::catalogue::Name;

const DEEPEST: usize = 24;

/// A conjunction over several sources, seen from one of them.
#[derive(Clone)]
pub(super) struct Join {
    pub sources: u128,
    pub conjuncts: Vec<Expr>,
    pub outer_joins: Vec<OuterJoin>,
}

/// What the conjuncts say, one by one.
#[derive(Default)]
struct Found {
    /// One of them is never true.
    never: bool,
    /// One of them is the same for every row, and not known.
    same: bool,
    /// The sources that one of them tests.
    tests: u128,
    links: Vec<Link>,
    /// The conjuncts themselves, apart from `spread`.
    flat: Vec<Expr>,
    /// Disjunctions over several sources.
    spread: Vec<Vec<Expr>>,
}

/// A condition between sources.
#[derive(Debug)]
struct Link {
    mask: u128,
    kind: LinkKind,
}

#[derive(Debug)]
enum LinkKind {
    /// Excludes rows.
    Real,
    /// Alone, excludes next to nothing: `a.id <> b.id`.
    Weak,
    /// Two plain columns are compared.
    Columns(Pair),
}

#[derive(Debug)]
struct Pair {
    left: u128,
    right: u128,
    /// The columns, when they are equal.
    columns: Option<(usize, usize)>,
    /// Every row of the left side finds one on the right.
    left_covered: bool,
    right_covered: bool,
    /// Both are the same column of the same table, so a row meets the condition together with itself.
    reflexive: bool,
    /// The foreign key of several columns that it is a part of.
    key: Option<usize>,
}

impl Pair {
    /// Between a table and itself; every row meets it together with itself.
    fn with_itself(left: u128, right: u128) -> Pair {
        Pair {
            left,
            right,
            columns: None,
            left_covered: true,
            right_covered: true,
            reflexive: true,
            key: None,
        }
    }
}

impl Pair {
    fn turned(&self) -> Option<(usize, usize)> {
        self.columns.map(|(left, right)| (right, left))
    }
}

enum Isolated {
    Test(u128),
    Link(Link),
    Spread(Vec<Expr>),
    Outcome(Outcome),
}

impl Scene {
    pub(super) fn decide(&self, target: usize, mut join: Join, depth: usize) -> Outcome {
        if depth > DEEPEST || !self.spend(100) {
            return Outcome::Same;
        }
        // A target on the optional side of an outer join is left out when the conditions say so.
        for outer in std::mem::take(&mut join.outer_joins) {
            if outer.optional & bit(target) != 0 && outer.kept & bit(target) == 0 {
                join.conjuncts.extend(outer.conditions);
            } else {
                join.outer_joins.push(outer);
            }
        }
        let mut found = Found::default();
        let mut pending: Vec<Expr> = std::mem::take(&mut join.conjuncts);
        pending.reverse();
        let mut budget = 400usize;
        while let Some(conjunct) = pending.pop() {
            budget = budget.saturating_sub(1);
            if budget == 0 {
                return Outcome::Same;
            }
            match conjunct {
                Expr::And(parts) => pending.extend(parts),
                Expr::Is(Some(true), inner) => pending.push(*inner),
                Expr::Is(Some(false), inner) => pending.push(Expr::Not(inner)),
                Expr::Not(inner) => match negate(*inner) {
                    Expr::Not(inner) if self.ties_by_distinct(&inner) => {
                        if let Expr::Distinct(left, right) = *inner {
                            pending.push(Expr::Compare(Comparison::Equal, left, right));
                        }
                    }
                    Expr::Not(inner) => match self.of_own_row(&inner, join.sources) {
                        // No row where it is not true, be it false or null.
                        Some(conditions) => pending
                            .push(Expr::Not(Box::new(Expr::Is(Some(true), Box::new(Expr::And(conditions)))))),
                        None => self.place(Expr::Not(inner), target, &join, depth, &mut found),
                    },
                    other => pending.push(other),
                },
                Expr::Subquery(id) => match self.inline(id, &mut join, &mut pending) {
                    Inlined::Done => {}
                    Inlined::Outcome(Outcome::Bounded) => {
                        found.flat.push(Expr::Subquery(id));
                        let mask = self.mask(&Expr::Subquery(id)) & join.sources;
                        if mask == bit(target) || mask == 0 {
                            found.tests |= bit(target);
                        } else {
                            found.tests |= mask;
                            found.links.push(Link { mask, kind: LinkKind::Real });
                        }
                    }
                    Inlined::Outcome(outcome) => found.note(outcome),
                },
                Expr::AnyOf(comparison, left, right) => match self.array_subquery(&right) {
                    Some(id) => {
                        if let Some(column) = self.column(id) {
                            join.sources |= bit(column.source);
                        }
                        pending.push(Expr::Compare(comparison, left, Box::new(Expr::Column(id))));
                    }
                    None => {
                        self.place(Expr::AnyOf(comparison, left, right), target, &join, depth, &mut found);
                    }
                },
                Expr::Compare(Comparison::Equal, left, right) if rows_of_one_length(&left, &right) => {
                    if let (Expr::Row(lefts), Expr::Row(rights)) = (*left, *right) {
                        let pairs = lefts.into_iter().zip(rights);
                        pending.extend(pairs.map(|(left, right)| {
                            Expr::Compare(Comparison::Equal, Box::new(left), Box::new(right))
                        }));
                    }
                }
                Expr::Compare(comparison, left, right) => match self.link(comparison, &left, &right, &join) {
                    Some(link) => {
                        found.links.push(link);
                        found.flat.push(Expr::Compare(comparison, left, right));
                    }
                    None => {
                        self.place(Expr::Compare(comparison, left, right), target, &join, depth, &mut found);
                    }
                },
                other => self.place(other, target, &join, depth, &mut found),
            }
        }
        if found.never {
            return Outcome::Never;
        }
        self.cover_by_whole_keys(&mut found.links);
        let outcome = self.reach(target, &join, &found);
        if !outcome.reaches_all() {
            return outcome;
        }
        let mut same = outcome == Outcome::Same;
        for arms in std::mem::take(&mut found.spread) {
            match self.any_arm(target, &join, &found.flat, arms, depth) {
                Outcome::Every => {}
                Outcome::Same => same = true,
                other => return other,
            }
        }
        if same { Outcome::Same } else { Outcome::Every }
    }

    /// A disjunction over several sources: whatever else is required holds for each of its arms too.
    fn any_arm(&self, target: usize, join: &Join, flat: &[Expr], arms: Vec<Expr>, depth: usize) -> Outcome {
        let mut outcome = Outcome::Never;
        let before = self.given.replace(nulls(&arms));
        for arm in arms {
            let mut conjuncts = flat.to_vec();
            conjuncts.push(arm);
            let with_arm = Join { sources: join.sources, conjuncts, outer_joins: join.outer_joins.clone() };
            outcome = outcome.or(self.decide(target, with_arm, depth + 1));
            if outcome == Outcome::Every {
                break;
            }
        }
        self.given.replace(before);
        outcome
    }

    fn place(&self, conjunct: Expr, target: usize, join: &Join, depth: usize, found: &mut Found) {
        match self.isolated(&conjunct, target, join, depth) {
            Isolated::Test(mask) => found.tests |= mask,
            Isolated::Link(link) => found.links.push(link),
            Isolated::Outcome(outcome) => found.note(outcome),
            Isolated::Spread(arms) => {
                found.spread.push(arms);
                return;
            }
        }
        found.flat.push(conjunct);
    }

    /// A conjunct on its own: what it does, or which sources it tests.
    fn isolated(&self, conjunct: &Expr, target: usize, join: &Join, depth: usize) -> Isolated {
        let mask = self.mask(conjunct) & join.sources;
        if mask.count_ones() > 1 {
            if let Expr::Or(arms) = conjunct {
                return Isolated::Spread(arms.clone());
            }
            if let Some(link) = self.itself(conjunct, mask, depth) {
                return Isolated::Link(link);
            }
            // Constants and tautologies need no source.
            let mut of = |id: usize| self.subquery_outcome(id, target, depth + 1);
            return match sample::try_rows(self, conjunct, None, &mut of) {
                Outcome::Bounded => Isolated::Link(Link { mask, kind: LinkKind::Real }),
                outcome => Isolated::Outcome(outcome),
            };
        }
        let source = if mask == 0 { None } else { usize::try_from(mask.trailing_zeros()).ok() };
        if source.is_some_and(|source| self.is_own_extreme(conjunct, source, depth)) {
            return Isolated::Outcome(Outcome::Every);
        }
        let mut of = |id: usize| self.subquery_outcome(id, source.unwrap_or(target), depth + 1);
        let arms = match conjunct {
            Expr::Or(arms) => arms.as_slice(),
            _ => &[],
        };
        let before = self.given.replace(nulls(arms));
        // Columns of no source here are given from outside.
        let outcome = sample::try_rows(self, conjunct, Some(source.unwrap_or(usize::MAX)), &mut of);
        self.given.replace(before);
        match outcome {
            Outcome::Bounded if mask == 0 => Isolated::Outcome(Outcome::Same),
            Outcome::Bounded => Isolated::Test(mask),
            other => Isolated::Outcome(other),
        }
    }

    /// A condition between a table and itself that every row meets together with itself, such as `a.id + 0 = b.id`.
    fn itself(&self, conjunct: &Expr, mask: u128, depth: usize) -> Option<Link> {
        let mut sources = (0..self.sources.len()).filter(|source| mask & bit(*source) != 0);
        let (first, second, None) = (sources.next()?, sources.next()?, sources.next()) else { return None };
        let mut columns = Vec::new();
        conjunct.walk(&mut |part| {
            if let Expr::Column(id) = part {
                columns.push(*id);
            }
        });
        let mut turned = conjunct.clone();
        for id in columns {
            let column = self.column(id).filter(|column| column.source == second);
            let Some(column) = column else { continue };
            let origin = column.origin.as_ref().filter(|origin| origin.complete)?;
            let own = self
                .columns
                .iter()
                .position(|held| held.source == first && held.origin.as_ref() == Some(origin))?;
            turned.replace_column(id, own);
        }
        let mut of = |id: usize| self.subquery_outcome(id, first, depth + 1);
        if !sample::try_rows(self, &turned, Some(first), &mut of).reaches_all() {
            return None;
        }
        Some(Link { mask, kind: LinkKind::Columns(Pair::with_itself(bit(first), bit(second))) })
    }

    /// `a.x IS DISTINCT FROM b.y`, between two sources.
    fn of_own_row(&self, expr: &Expr, sources: u128) -> Option<Vec<Expr>> {
        let Expr::Subquery(id) = expr else { return None };
        self.on_own_row(self.subqueries.get(*id)?, sources)
    }

    fn ties_by_distinct(&self, expr: &Expr) -> bool {
        let Expr::Distinct(left, right) = expr else { return false };
        match (left.column().and_then(|id| self.column(id)), right.column().and_then(|id| self.column(id))) {
            (Some(left), Some(right)) => left.source != right.source,
            _ => false,
        }
    }

    /// Whether a comparison ties two sources by plain columns.
    fn link(&self, comparison: Comparison, left: &Expr, right: &Expr, join: &Join) -> Option<Link> {
        let (left_id, right_id) = (left.column()?, right.column()?);
        let (left, right) = (self.column(left_id)?, self.column(right_id)?);
        let (a, b) = (bit(left.source), bit(right.source));
        if a == b || a & join.sources == 0 || b & join.sources == 0 {
            return None;
        }
        // At most the largest value of the whole table, at least the smallest.
        let within = |column: &Column, bound: &Column, comparison: Comparison| {
            let (Some(origin), Some((whole, largest))) = (&column.origin, &bound.extreme) else {
                return false;
            };
            origin.table == whole.table
                && origin.column == whole.column
                && comparison == if *largest { Comparison::LessOrEqual } else { Comparison::GreaterOrEqual }
        };
        if within(left, right, comparison) || within(right, left, comparison.turned()) {
            return Some(Link { mask: a | b, kind: LinkKind::Columns(Pair::with_itself(a, b)) });
        }
        let same_view = left.of_view.is_some() && left.of_view == right.of_view;
        let same_column = same_view
            || match (&left.origin, &right.origin) {
                (Some(a), Some(b)) => {
                    a.column == b.column
                        && (a.table == b.table
                            || self.belongs(left.source, &b.table)
                            || self.belongs(right.source, &a.table))
                }
                _ => false,
            };
        let kind = match comparison {
            Comparison::Equal | Comparison::LessOrEqual | Comparison::GreaterOrEqual => {
                LinkKind::Columns(Pair {
                    left: a,
                    right: b,
                    columns: (comparison == Comparison::Equal).then_some((left_id, right_id)),
                    left_covered: self.covers(left_id, right_id, comparison),
                    right_covered: self.covers(right_id, left_id, comparison),
                    reflexive: same_column,
                    key: None,
                })
            }
            Comparison::NotEqual => LinkKind::Weak,
            _ if same_column => LinkKind::Weak,
            _ => LinkKind::Real,
        };
        Some(Link { mask: a | b, kind })
    }

    /// Whether the rows of a source are rows of that table, too, which it is a partition or child of.
    fn belongs(&self, source: usize, table: &Name) -> bool {
        self.source(source).is_some_and(|held| held.above.contains(table))
    }

    /// Whether every row with `from` finds one with `to` that passes.
    fn covers(&self, from_id: usize, to: usize, comparison: Comparison) -> bool {
        let (Some(from), Some(to)) = (self.column(from_id), self.column(to)) else { return false };
        if from.of_view.is_some() && from.of_view == to.of_view && comparison.is_reflexive() {
            return true;
        }
        let (Some(from_origin), Some(to_origin)) = (&from.origin, &to.origin) else { return false };
        if !to_origin.complete {
            return false;
        }
        let belongs = || self.source(from.source).is_some_and(|held| held.above.contains(&to_origin.table));
        let itself =
            from_origin.column == to_origin.column && (from_origin.table == to_origin.table || belongs());
        (itself && comparison.is_reflexive())
            || (comparison == Comparison::Equal && self.refers(from_id, from_origin, to_origin))
    }

    /// Whether the one column is a foreign key to the other, and always set: known from the catalogue, or plain from the
    /// names.
    fn refers(&self, id: usize, from_origin: &Origin, to: &Origin) -> bool {
        let Some(from) = self.column(id) else { return false };
        let info = self.source(from.source).and_then(|source| source.info.as_ref());
        if let Some(info) = info {
            return (from.not_null != Some(false) || self.given.borrow().contains(&id))
                && info.foreign.iter().any(|key| {
                    key.columns.len() == 1
                        && key.columns.first() == Some(&from_origin.column)
                        && key.to == to.table
                        && key.to_columns.first().is_none_or(|column| *column == to.column)
                });
        }
        let Some(stem) = from_origin.column.strip_suffix("_id") else { return false };
        (to.column == "id" || to.column == from_origin.column)
            && (to.table.name == stem
                || to.table.name.trim_end_matches('s') == stem
                || to.table.name == format!("{}ies", stem.trim_end_matches('y')))
    }

    /// A foreign key of several columns ties two sources when all of its columns are equal.
    fn cover_by_whole_keys(&self, links: &mut [Link]) {
        let equal: Vec<(usize, usize, usize)> = links
            .iter()
            .enumerate()
            .filter_map(|(at, link)| match &link.kind {
                LinkKind::Columns(Pair { columns: Some((left, right)), .. }) => Some((at, *left, *right)),
                _ => None,
            })
            .collect();
        if equal.len() < 2 {
            return;
        }
        let mut keys = 0;
        for from in 0..self.sources.len() {
            let Some(info) = self.source(from).and_then(|source| source.info.clone()) else { continue };
            for key in info.foreign.iter().filter(|key| key.columns.len() > 1) {
                // The links that make up the key, each with the source that it leads to.
                let parts: Option<Vec<(usize, usize)>> = key
                    .columns
                    .iter()
                    .enumerate()
                    .map(|(position, name)| {
                        equal.iter().find_map(|(at, left, right)| {
                            let (left, right) = (self.column(*left)?, self.column(*right)?);
                            let (own, other) =
                                if left.source == from { (left, right) } else { (right, left) };
                            let origin = other.origin.as_ref().filter(|origin| origin.complete)?;
                            let fits = own.source == from
                                && own.name == *name
                                && own.not_null == Some(true)
                                && origin.table == key.to
                                && key.to_columns.get(position).is_none_or(|to| *to == origin.column);
                            fits.then_some((*at, other.source))
                        })
                    })
                    .collect();
                let Some(parts) = parts else { continue };
                let to = parts.first().map(|(_, to)| *to);
                if parts.iter().any(|(_, other)| Some(*other) != to) {
                    continue;
                }
                keys += 1;
                for (at, _) in parts {
                    if let Some(Link { kind: LinkKind::Columns(pair), .. }) = links.get_mut(at) {
                        pair.key = Some(keys);
                        if pair.left == bit(from) {
                            pair.left_covered = true;
                        } else {
                            pair.right_covered = true;
                        }
                    }
                }
            }
        }
    }

    /// Follows the links from the target: a test on a source that is tied to it is a test on it.
    fn reach(&self, target: usize, join: &Join, found: &Found) -> Outcome {
        let links = &found.links;
        if found.tests & bit(target) != 0 {
            return Outcome::Bounded;
        }
        let only_weak = links.iter().filter(|link| link.mask & bit(target) != 0).count() <= 1;
        let mut reached = bit(target);
        // Sources that a row may be taken from as one and the same, a set each.
        let mut same_row: Vec<u128> = Vec::new();
        let mut followed: Vec<usize> = Vec::new();
        loop {
            let before = reached;
            for (at, link) in links.iter().enumerate() {
                if link.mask & reached == 0 || followed.contains(&at) {
                    continue;
                }
                match &link.kind {
                    LinkKind::Real => return Outcome::Bounded,
                    LinkKind::Weak if only_weak => reached |= link.mask,
                    LinkKind::Weak => return Outcome::Bounded,
                    LinkKind::Columns(pair) => {
                        if link.mask & reached == link.mask {
                            // Both ends are there already: a second condition between them.
                            let again = followed.iter().filter_map(|at| links.get(*at)).any(|other| {
                                matches!(&other.kind, LinkKind::Columns(held) if
                                    held.key.is_some() && held.key == pair.key
                                        || held.columns.is_some() && held.columns == pair.columns
                                        || held.columns.is_some() && held.columns == pair.turned())
                            });
                            let one_row = same_row.iter().any(|set| link.mask & set == link.mask);
                            if !(again || pair.reflexive && one_row) {
                                return Outcome::Bounded;
                            }
                            continue;
                        }
                        let forward = pair.left & reached != 0 && pair.left_covered;
                        let backward = pair.right & reached != 0 && pair.right_covered;
                        if !(forward || backward) {
                            return Outcome::Bounded;
                        }
                        if pair.reflexive {
                            let mut merged = link.mask;
                            same_row.retain(|set| {
                                let meets = set & link.mask != 0;
                                merged |= if meets { *set } else { 0 };
                                !meets
                            });
                            same_row.push(merged);
                        }
                        reached |= link.mask;
                        followed.push(at);
                    }
                }
            }
            for outer in &join.outer_joins {
                if outer.kept & reached != 0 {
                    let tied = outer.conditions.iter().any(|condition| {
                        let mask = self.mask(condition);
                        mask & reached != 0 && mask & outer.optional != 0
                    });
                    if tied {
                        reached |= outer.optional;
                    }
                }
            }
            if reached == before {
                break;
            }
        }
        if found.tests & reached != 0 {
            return Outcome::Bounded;
        }
        // A test on a source that is not tied to the target holds for every row or for none.
        if found.same || found.tests != 0 || links.iter().any(|link| link.mask & reached == 0) {
            return Outcome::Same;
        }
        Outcome::Every
    }
}

impl Found {
    fn note(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Never => self.never = true,
            Outcome::Same => self.same = true,
            Outcome::Bounded | Outcome::Every => {}
        }
    }
}

/// The columns that arms of a disjunction test for null: for the other arms they are not.
fn nulls(arms: &[Expr]) -> Vec<usize> {
    let column = |arm: &Expr| match arm {
        Expr::IsNull(inner) => inner.column(),
        _ => None,
    };
    arms.iter().filter_map(column).collect()
}

fn rows_of_one_length(left: &Expr, right: &Expr) -> bool {
    matches!((left, right), (Expr::Row(lefts), Expr::Row(rights)) if lefts.len() == rights.len())
}

/// `NOT` moved one step inwards; comes back as `Not` when it cannot be.
fn negate(expr: Expr) -> Expr {
    match expr {
        Expr::Not(inner) => *inner,
        Expr::And(parts) => Expr::Or(parts.into_iter().map(negate).collect()),
        Expr::Or(parts) => Expr::And(parts.into_iter().map(negate).collect()),
        Expr::Compare(comparison, left, right) => Expr::Compare(comparison.negated(), left, right),
        other => Expr::Not(Box::new(other)),
    }
}
