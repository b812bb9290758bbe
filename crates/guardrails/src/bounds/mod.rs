//! Can this predicate leave out a row of the table that is written?

mod eval;
mod expr;
mod lower;
mod sample;
mod time;
mod value;

pub(crate) use expr::{Expr, Origin, Query, Scene};
pub(crate) use lower::{Common, Lower, UNKNOWN_TEXT, World};
pub(crate) use sample::evaluate_constant;
pub(crate) use value::Value;

use expr::{Form, Limit, OuterJoin, Set, Subquery, bit};
use value::Comparison;

/// What a predicate does to the rows of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Lets no row through.
    Never,
    /// Leaves some row out by a test on it.
    Bounded,
    /// The same for every row, and not known: all or nothing.
    Same,
    /// Lets every row through.
    Every,
}

impl Outcome {
    pub fn reaches_all(self) -> bool {
        matches!(self, Outcome::Same | Outcome::Every)
    }

    /// Of a disjunction.
    fn or(self, other: Outcome) -> Outcome {
        match (self, other) {
            (Outcome::Every, _) | (_, Outcome::Every) => Outcome::Every,
            (Outcome::Same, _) | (_, Outcome::Same) => Outcome::Same,
            (Outcome::Never, Outcome::Never) => Outcome::Never,
            _ => Outcome::Bounded,
        }
    }
}

const DEEPEST: usize = 24;

/// A conjunction over several sources, seen from one of them.
#[derive(Clone)]
struct Join {
    sources: u128,
    conjuncts: Vec<Expr>,
    outer_joins: Vec<OuterJoin>,
}

impl Scene {
    /// Which rows of `target` come through `query`, whose sources hold it.
    pub fn judge(&self, target: usize, query: &Query) -> Outcome {
        if let Some((set, left, right)) = &query.set {
            let (left, right) = (self.judge(target, left), self.judge(target, right));
            return match set {
                Set::Union => left.or(right),
                _ => Outcome::Bounded,
            };
        }
        let sources = query.sources.iter().fold(bit(target), |mask, source| mask | bit(*source));
        self.decide(
            target,
            Join { sources, conjuncts: query.conjuncts.clone(), outer_joins: query.outer_joins.clone() },
            0,
        )
    }

    fn decide(&self, target: usize, mut join: Join, depth: usize) -> Outcome {
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
        let mut pending: Vec<Expr> = std::mem::take(&mut join.conjuncts);
        pending.reverse();
        let mut never = false;
        let mut same = false;
        let mut tests: u128 = 0;
        let mut links: Vec<Link> = Vec::new();
        let mut budget = 400usize;
        while let Some(conjunct) = pending.pop() {
            budget = budget.saturating_sub(1);
            if budget == 0 {
                return Outcome::Same;
            }
            match conjunct {
                Expr::And(parts) => pending.extend(parts),
                Expr::Not(inner) => match negate(*inner) {
                    Expr::Not(inner) if self.ties_by_distinct(&inner) => {
                        if let Expr::Distinct(left, right) = *inner {
                            pending.push(Expr::Compare(Comparison::Equal, left, right));
                        }
                    }
                    Expr::Not(inner) => match self.isolated(&Expr::Not(inner), target, &join, depth) {
                        Isolated::Test(mask) => tests |= mask,
                        Isolated::Tied(link) => links.push(link),
                        Isolated::Link(mask) => links.push(Link { mask, kind: LinkKind::Real }),
                        Isolated::Outcome(outcome) => note(outcome, &mut never, &mut same),
                    },
                    other => pending.push(other),
                },
                Expr::Is(Some(true), inner) => pending.push(*inner),
                Expr::Is(Some(false), inner) => pending.push(Expr::Not(inner)),
                Expr::Subquery(id) => match self.inline(id, &mut join, &mut pending) {
                    Inlined::Done => {}
                    Inlined::Outcome(Outcome::Bounded) => {
                        let mask = self.mask(&Expr::Subquery(id)) & join.sources;
                        if mask == bit(target) || mask == 0 {
                            tests |= bit(target);
                        } else {
                            tests |= mask;
                            links.push(Link { mask, kind: LinkKind::Real });
                        }
                    }
                    Inlined::Outcome(outcome) => note(outcome, &mut never, &mut same),
                },
                Expr::AnyOf(comparison, left, right) => match self.array_subquery(&right) {
                    Some(id) => {
                        let test = Expr::Compare(comparison, left, Box::new(Expr::Column(id)));
                        if let Some(column) = self.column(id) {
                            join.sources |= bit(column.source);
                        }
                        pending.push(test);
                    }
                    None => self.place(
                        Expr::AnyOf(comparison, left, right),
                        target,
                        &join,
                        depth,
                        &mut tests,
                        &mut links,
                        &mut never,
                        &mut same,
                    ),
                },
                Expr::Compare(comparison, left, right) => {
                    if let (Expr::Row(lefts), Expr::Row(rights)) = (left.as_ref(), right.as_ref())
                        && comparison == Comparison::Equal
                        && lefts.len() == rights.len()
                    {
                        for (left, right) in lefts.iter().zip(rights) {
                            pending.push(Expr::Compare(
                                comparison,
                                Box::new(left.clone()),
                                Box::new(right.clone()),
                            ));
                        }
                        continue;
                    }
                    if let Some(link) = self.link(comparison, &left, &right, &join) {
                        links.push(link);
                        continue;
                    }
                    self.place(
                        Expr::Compare(comparison, left, right),
                        target,
                        &join,
                        depth,
                        &mut tests,
                        &mut links,
                        &mut never,
                        &mut same,
                    );
                }
                Expr::Distinct(..) => {
                    self.place(conjunct, target, &join, depth, &mut tests, &mut links, &mut never, &mut same);
                }
                other => {
                    self.place(other, target, &join, depth, &mut tests, &mut links, &mut never, &mut same)
                }
            }
        }
        if never {
            return Outcome::Never;
        }
        self.reach(target, &join, tests, &links, same)
    }

    /// `a.x IS DISTINCT FROM b.y`, between two sources.
    fn ties_by_distinct(&self, expr: &Expr) -> bool {
        let Expr::Distinct(left, right) = expr else { return false };
        match (left.column().and_then(|id| self.column(id)), right.column().and_then(|id| self.column(id))) {
            (Some(left), Some(right)) => left.source != right.source,
            _ => false,
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the running state of one decision")]
    fn place(
        &self,
        conjunct: Expr,
        target: usize,
        join: &Join,
        depth: usize,
        tests: &mut u128,
        links: &mut Vec<Link>,
        never: &mut bool,
        same: &mut bool,
    ) {
        match self.isolated(&conjunct, target, join, depth) {
            Isolated::Test(mask) => *tests |= mask,
            Isolated::Tied(link) => links.push(link),
            Isolated::Link(mask) => links.push(Link { mask, kind: LinkKind::Real }),
            Isolated::Outcome(outcome) => note(outcome, never, same),
        }
    }

    /// A conjunct on its own: what it does, or which sources it tests.
    fn isolated(&self, conjunct: &Expr, target: usize, join: &Join, depth: usize) -> Isolated {
        let mask = self.mask(conjunct) & join.sources;
        if mask.count_ones() > 1 {
            // Several sources at once. A disjunction reaches all when one of its arms does.
            let arms: &[Expr] = match conjunct {
                Expr::Or(arms) => arms,
                _ => {
                    let mut of = |id: usize| self.subquery_outcome(id, target, depth + 1);
                    if let Some(link) = self.with_itself(conjunct, mask, depth) {
                        return Isolated::Tied(link);
                    }
                    // Constants and tautologies need no source.
                    return match sample::try_rows(self, conjunct, None, &mut of) {
                        outcome @ (Outcome::Every | Outcome::Never) => Isolated::Outcome(outcome),
                        Outcome::Same => Isolated::Outcome(Outcome::Same),
                        Outcome::Bounded => Isolated::Link(mask),
                    };
                }
            };
            let mut outcome = Outcome::Never;
            for arm in arms {
                let alone = Join { conjuncts: vec![arm.clone()], ..join.clone() };
                outcome = outcome.or(self.decide(target, alone, depth + 1));
            }
            return match outcome {
                Outcome::Bounded => Isolated::Link(mask),
                other => Isolated::Outcome(other),
            };
        }
        let source = if mask == 0 { None } else { usize::try_from(mask.trailing_zeros()).ok() };
        let mut of = |id: usize| self.subquery_outcome(id, source.unwrap_or(target), depth + 1);
        // Columns of no source here are given from outside.
        let outcome = sample::try_rows(self, conjunct, Some(source.unwrap_or(usize::MAX)), &mut of);
        match outcome {
            Outcome::Bounded if mask == 0 => Isolated::Outcome(Outcome::Same),
            Outcome::Bounded => Isolated::Test(mask),
            other => Isolated::Outcome(other),
        }
    }

    /// A condition between a table and itself that every row meets together with itself, such as `a.id + 0 = b.id`.
    fn with_itself(&self, conjunct: &Expr, mask: u128, depth: usize) -> Option<Link> {
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
        let kind = LinkKind::Columns {
            left: bit(first),
            right: bit(second),
            left_covered: true,
            right_covered: true,
            reflexive: true,
        };
        Some(Link { mask, kind })
    }

    /// Whether a comparison ties two sources by plain columns.
    fn link(&self, comparison: Comparison, left: &Expr, right: &Expr, join: &Join) -> Option<Link> {
        let (left, right) = (self.column(left.column()?)?, self.column(right.column()?)?);
        let (a, b) = (bit(left.source), bit(right.source));
        if a == b || a & join.sources == 0 || b & join.sources == 0 {
            return None;
        }
        let covers = |from: &expr::Column, to: &expr::Column| {
            if from.of_view.is_some() && from.of_view == to.of_view && comparison.is_reflexive() {
                return true;
            }
            let (Some(from_origin), Some(to_origin)) = (&from.origin, &to.origin) else { return false };
            if !to_origin.complete {
                return false;
            }
            let itself = from_origin.table == to_origin.table && from_origin.column == to_origin.column;
            (itself && comparison.is_reflexive())
                || (comparison == Comparison::Equal && self.refers(from, from_origin, to_origin))
        };
        let same_view = left.of_view.is_some() && left.of_view == right.of_view;
        let same_column = same_view
            || match (&left.origin, &right.origin) {
                (Some(a), Some(b)) => a.table == b.table && a.column == b.column,
                _ => false,
            };
        // At most the largest value of the whole table, at least the smallest.
        let within = |column: &expr::Column, bound: &expr::Column, comparison: Comparison| {
            let (Some(origin), Some((whole, largest))) = (&column.origin, &bound.extreme) else {
                return false;
            };
            origin.table == whole.table
                && origin.column == whole.column
                && comparison == if *largest { Comparison::LessOrEqual } else { Comparison::GreaterOrEqual }
        };
        if within(left, right, comparison) || within(right, left, comparison.turned()) {
            let kind = LinkKind::Columns {
                left: a,
                right: b,
                left_covered: true,
                right_covered: true,
                reflexive: true,
            };
            return Some(Link { mask: a | b, kind });
        }
        let kind = match comparison {
            Comparison::Equal | Comparison::LessOrEqual | Comparison::GreaterOrEqual => LinkKind::Columns {
                left: a,
                right: b,
                left_covered: covers(left, right),
                right_covered: covers(right, left),
                reflexive: same_column,
            },
            Comparison::NotEqual => LinkKind::Weak,
            _ if same_column => LinkKind::Weak,
            _ => LinkKind::Real,
        };
        Some(Link { mask: a | b, kind })
    }

    /// Whether the one column is a foreign key to the other: known from the catalogue, or plain from the names.
    fn refers(&self, from: &expr::Column, from_origin: &Origin, to: &Origin) -> bool {
        let info = self.source(from.source).and_then(|source| source.info.as_ref());
        if let Some(info) = info {
            return info.foreign.iter().any(|key| {
                key.columns.len() == 1
                    && key.columns.first() == Some(&from_origin.column)
                    && key.to == to.table
                    && key.to_columns.first().is_none_or(|column| *column == to.column)
            });
        }
        let Some(stem) = from_origin.column.strip_suffix("_id") else { return false };
        to.column == "id"
            && (to.table.name == stem
                || to.table.name.trim_end_matches('s') == stem
                || to.table.name == format!("{}ies", stem.trim_end_matches('y')))
    }

    /// Follows the links from the target: a test on a source that is tied to it is a test on it.
    fn reach(&self, target: usize, join: &Join, tests: u128, links: &[Link], same: bool) -> Outcome {
        if tests & bit(target) != 0 {
            return Outcome::Bounded;
        }
        let only_weak = links.iter().filter(|link| link.mask & bit(target) != 0).count() <= 1;
        let mut reached = bit(target);
        loop {
            let before = reached;
            for link in links {
                if link.mask & reached == 0 {
                    continue;
                }
                match &link.kind {
                    LinkKind::Real => return Outcome::Bounded,
                    LinkKind::Weak if only_weak => reached |= link.mask,
                    LinkKind::Weak => return Outcome::Bounded,
                    LinkKind::Columns { left, right, left_covered, right_covered, reflexive } => {
                        let forward = left & reached != 0 && *left_covered;
                        let backward = right & reached != 0 && *right_covered;
                        if link.mask & reached == link.mask {
                            // Both ends are there already: a second condition between them.
                            if !(*reflexive || forward || backward) {
                                return Outcome::Bounded;
                            }
                            continue;
                        }
                        if !(forward || backward) {
                            return Outcome::Bounded;
                        }
                        reached |= link.mask;
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
        if tests & reached != 0 {
            return Outcome::Bounded;
        }
        // A test on a source that is not tied to the target holds for every row or for none.
        if same || tests != 0 || links.iter().any(|link| link.mask & reached == 0) {
            return Outcome::Same;
        }
        Outcome::Every
    }

    /// Takes a subquery that stands as a condition of its own into the join.
    fn inline(&self, id: usize, join: &mut Join, pending: &mut Vec<Expr>) -> Inlined {
        let Some(subquery) = self.subqueries.get(id) else { return Inlined::Outcome(Outcome::Same) };
        let query = &subquery.query;
        if query.odd {
            return Inlined::Outcome(if subquery.outer == 0 && subquery.test.is_none() {
                Outcome::Same
            } else {
                Outcome::Bounded
            });
        }
        match subquery.form {
            Form::Exists => {
                if query.limit == Limit::Zero {
                    return Inlined::Outcome(Outcome::Never);
                }
                if let Some((set, _, _)) = &query.set {
                    return Inlined::Outcome(match (set, subquery.outer) {
                        (_, 0) => Outcome::Same,
                        (Set::Union, _) => self.union_outcome(query, join),
                        _ => Outcome::Bounded,
                    });
                }
                if query.is_values || (query.one_row && !query.having) {
                    return Inlined::Outcome(Outcome::Every);
                }
                if query.having {
                    return Inlined::Outcome(if subquery.outer == 0 {
                        Outcome::Same
                    } else {
                        Outcome::Bounded
                    });
                }
                self.take_in(query, join, pending);
                Inlined::Done
            }
            Form::Any(comparison) => {
                let Some(test) = &subquery.test else { return Inlined::Outcome(Outcome::Same) };
                if query.limit == Limit::Zero {
                    return Inlined::Outcome(Outcome::Never);
                }
                let tests: Vec<&Expr> = match test {
                    Expr::Row(parts) => parts.iter().collect(),
                    other => vec![other],
                };
                if let (Some(values), [test]) = (query.constants(), tests.as_slice()) {
                    pending.push(Expr::AnyOf(
                        comparison,
                        Box::new((*test).clone()),
                        Box::new(Expr::Array(values)),
                    ));
                    return Inlined::Done;
                }
                let plain = query.set.is_none()
                    && query.limit == Limit::None
                    && !query.one_row
                    && !query.having
                    && !query.is_values
                    && !query.sampled
                    && (!query.grouped || query.outputs.iter().all(|output| output.expr.column().is_some()));
                if plain {
                    self.take_in(query, join, pending);
                    for (test, output) in tests.iter().zip(&query.outputs) {
                        pending.push(Expr::Compare(
                            comparison,
                            Box::new((*test).clone()),
                            Box::new(output.expr.clone()),
                        ));
                    }
                } else {
                    join.sources |= bit(subquery.source);
                    let columns = self
                        .columns
                        .iter()
                        .enumerate()
                        .filter(|(_, column)| column.source == subquery.source);
                    for (test, (column, _)) in tests.iter().zip(columns) {
                        pending.push(Expr::Compare(
                            comparison,
                            Box::new((*test).clone()),
                            Box::new(Expr::Column(column)),
                        ));
                    }
                }
                Inlined::Done
            }
            Form::AnyOther => Inlined::Outcome(Outcome::Bounded),
            // A scalar subquery as a condition.
            Form::Scalar | Form::Array => Inlined::Outcome(self.scalar_outcome(subquery)),
        }
    }

    fn union_outcome(&self, query: &Query, join: &Join) -> Outcome {
        if let Some((Set::Union, left, right)) = &query.set {
            return self.union_outcome(left, join).or(self.union_outcome(right, join));
        }
        if query.sources.is_empty() && query.conjuncts.is_empty() {
            return Outcome::Every;
        }
        let depends = query.conjuncts.iter().any(|conjunct| self.mask(conjunct) & join.sources != 0);
        if depends { Outcome::Bounded } else { Outcome::Same }
    }

    fn take_in(&self, query: &Query, join: &mut Join, pending: &mut Vec<Expr>) {
        for source in &query.sources {
            join.sources |= bit(*source);
        }
        join.outer_joins.extend(query.outer_joins.iter().cloned());
        pending.extend(query.conjuncts.iter().cloned());
    }

    fn scalar_outcome(&self, subquery: &Subquery) -> Outcome {
        if subquery.outer == 0 { Outcome::Same } else { Outcome::Bounded }
    }

    /// The column of the source of `ARRAY(SELECT ..)` or of `(SELECT array_agg(..) ..)`.
    fn array_subquery(&self, right: &Expr) -> Option<usize> {
        let inner = match right {
            Expr::Cast(inner, _) => inner.as_ref(),
            other => other,
        };
        let Expr::Subquery(id) = inner else { return None };
        let subquery = self.subqueries.get(*id)?;
        let is_array = subquery.form == Form::Array
            || subquery.query.outputs.first().is_some_and(|output| output.gathered.is_some());
        if !is_array || subquery.outer != 0 {
            return None;
        }
        self.columns.iter().position(|column| column.source == subquery.source)
    }

    /// What a subquery inside a larger expression amounts to, seen from one source.
    fn subquery_outcome(&self, id: usize, source: usize, depth: usize) -> Outcome {
        let Some(subquery) = self.subqueries.get(id) else { return Outcome::Same };
        match subquery.form {
            Form::Scalar | Form::Array | Form::AnyOther => {
                if subquery.outer & bit(source) == 0 && subquery.test.is_none() {
                    return Outcome::Same;
                }
                // Tied to the row by nothing but its own key: the same for every row.
                let outcome = self.tied(&subquery.query, source, depth);
                if outcome.reaches_all() { Outcome::Same } else { Outcome::Bounded }
            }
            Form::Exists | Form::Any(_) => {
                let join = Join {
                    sources: bit(source),
                    conjuncts: vec![Expr::Subquery(id)],
                    outer_joins: Vec::new(),
                };
                self.decide(source, join, depth)
            }
        }
    }

    fn tied(&self, query: &Query, source: usize, depth: usize) -> Outcome {
        if query.odd || query.set.is_some() {
            return Outcome::Bounded;
        }
        let mut join = Join {
            sources: bit(source),
            conjuncts: query.conjuncts.clone(),
            outer_joins: query.outer_joins.clone(),
        };
        for inner in &query.sources {
            join.sources |= bit(*inner);
        }
        self.decide(source, join, depth)
    }

    /// Where the values of an output come from, given which rows come through.
    pub fn origin(&self, query: &Query, expr: &Expr) -> Option<Origin> {
        let column = self.column(expr.column()?)?;
        let mut origin = column.origin.clone()?;
        origin.complete &= query.limit == Limit::None
            && !query.having
            && !query.sampled
            && !query.odd
            && query.sources.contains(&column.source)
            && self.judge(column.source, query).reaches_all();
        Some(origin)
    }
}

enum Isolated {
    Tied(Link),
    Test(u128),
    Link(u128),
    Outcome(Outcome),
}

enum Inlined {
    Done,
    Outcome(Outcome),
}

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
    Columns {
        left: u128,
        right: u128,
        /// Every row of the left side finds one on the right.
        left_covered: bool,
        right_covered: bool,
        /// Both are the same column of the same table.
        reflexive: bool,
    },
}

fn note(outcome: Outcome, never: &mut bool, same: &mut bool) {
    match outcome {
        Outcome::Never => *never = true,
        Outcome::Same => *same = true,
        _ => {}
    }
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
