//! Can this predicate leave out a row of the table that is written?

mod eval;
mod expr;
mod join;
mod lower;
mod pattern;
mod pool;
mod range;
mod sample;
mod time;
mod value;

pub(crate) use expr::{Expr, Origin, Query, Scene};
pub(crate) use lower::{Common, Lower, UNKNOWN_TEXT, World};
pub(crate) use sample::evaluate_constant;
pub(crate) use value::Value;

use expr::{Form, Limit, Set, Subquery, bit};
use join::Join;
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
        if let Some(of_own_row) = self.on_own_row(subquery, join.sources) {
            pending.extend(of_own_row);
            return Inlined::Done;
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
                if comparison.is_reflexive() && self.gives(query, &tests) {
                    return Inlined::Outcome(Outcome::Every);
                }
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
                    pending.extend(compared(comparison, &tests, query));
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

    /// Whether a union has an arm that is just the tested values: `x IN (SELECT y FROM t UNION SELECT x)`.
    fn gives(&self, query: &Query, tests: &[&Expr]) -> bool {
        match &query.set {
            Some((Set::Union, left, right)) => {
                query.limit == Limit::None && (self.gives(left, tests) || self.gives(right, tests))
            }
            Some(_) => false,
            None => {
                query.sources.is_empty()
                    && query.conjuncts.is_empty()
                    && !query.is_values
                    && query.outputs.iter().map(|output| &output.expr).eq(tests.iter().copied())
            }
        }
    }

    /// The conditions of a subquery that finds the row itself by a key of its own table, as conditions on the row.
    fn on_own_row(&self, subquery: &Subquery, sources: u128) -> Option<Vec<Expr>> {
        let query = &subquery.query;
        let [inner] = query.sources.as_slice() else { return None };
        let table = self.source(*inner).filter(|held| !held.partial)?.table.as_ref()?;
        let cut = match subquery.form {
            Form::Exists => query.limit == Limit::Zero,
            _ => query.limit != Limit::None,
        };
        if cut
            || query.odd
            || query.set.is_some()
            || !query.outer_joins.is_empty()
            || query.sampled
            || query.grouped
            || query.one_row
            || query.having
        {
            return None;
        }
        let mut conjuncts = query.conjuncts.clone();
        match (subquery.form, &subquery.test) {
            (Form::Exists, _) => {}
            (Form::Any(Comparison::Equal), Some(Expr::Row(tests))) => {
                conjuncts.extend(compared(Comparison::Equal, &tests.iter().collect::<Vec<_>>(), query));
            }
            (Form::Any(Comparison::Equal), Some(test)) => {
                conjuncts.extend(compared(Comparison::Equal, &[test], query));
            }
            _ => return None,
        }
        let own = (0..self.sources.len()).find(|source| {
            sources & bit(*source) != 0
                && source != inner
                && self.source(*source).and_then(|held| held.table.as_ref()) == Some(table)
                && self.ties_by_key(&conjuncts, *source)
        })?;
        conjuncts.iter().map(|conjunct| self.as_of(conjunct, *inner, own)).collect()
    }

    /// An expression over one source, said of another one of the same table.
    fn as_of(&self, expr: &Expr, from: usize, to: usize) -> Option<Expr> {
        let mut turned = expr.clone();
        for (id, column) in self.columns.iter().enumerate().filter(|(_, column)| column.source == from) {
            let mut used = false;
            expr.walk(&mut |part| used |= *part == Expr::Column(id));
            if used {
                let twin =
                    self.columns.iter().position(|held| held.source == to && held.name == column.name)?;
                turned.replace_column(id, twin);
            }
        }
        Some(turned)
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
                let query = &subquery.query;
                if !self.tied(query, source, depth).reaches_all() {
                    return Outcome::Bounded;
                }
                let inner = query.sources.iter().fold(0, |mask, source| mask | bit(*source));
                let of_row = query.outputs.iter().any(|output| self.mask(&output.expr) & inner != 0);
                let varies = if query.one_row { !self.is_by_own_key(query, source) } else { of_row };
                // Tied to the row by nothing but its own key: the same for every row.
                if varies && subquery.form == Form::Scalar { Outcome::Bounded } else { Outcome::Same }
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

    /// Whether a correlated query reads the row's own table and every row meets its conditions together with itself.
    fn takes_own_row(&self, query: &Query, source: usize) -> bool {
        let [inner] = query.sources.as_slice() else { return false };
        let table = |source: usize| self.source(source).and_then(|held| held.table.as_ref());
        if query.odd
            || query.set.is_some()
            || query.sampled
            || !query.outer_joins.is_empty()
            || table(*inner).is_none()
            || table(*inner) != table(source)
        {
            return false;
        }
        query.conjuncts.iter().all(|conjunct| {
            self.as_of(conjunct, *inner, source).is_some_and(|own| {
                sample::try_rows(self, &own, Some(source), &mut |_| Outcome::Same) == Outcome::Every
            })
        })
    }

    /// Whether a correlated query finds the row itself and no other: it compares a key of the table with itself.
    fn is_by_own_key(&self, query: &Query, source: usize) -> bool {
        self.takes_own_row(query, source) && self.ties_by_key(&query.conjuncts, source)
    }

    /// Whether one of the conditions compares a key of the source's table with the source's own.
    fn ties_by_key(&self, conjuncts: &[Expr], source: usize) -> bool {
        let mut equal: Vec<&str> = Vec::new();
        let mut pending: Vec<&Expr> = conjuncts.iter().collect();
        while let Some(conjunct) = pending.pop() {
            match conjunct {
                Expr::And(parts) => pending.extend(parts),
                Expr::Compare(Comparison::Equal, left, right) => {
                    let of = |expr: &Expr| expr.column().and_then(|id| self.column(id));
                    if let (Some(left), Some(right)) = (of(left), of(right))
                        && left.source != right.source
                        && (left.source == source || right.source == source)
                        && left.name == right.name
                    {
                        equal.push(&left.name);
                    }
                }
                _ => {}
            }
        }
        match self.source(source).and_then(|held| held.info.as_ref()).filter(|info| !info.columns.is_empty())
        {
            Some(info) => {
                info.keys.iter().any(|key| key.iter().all(|column| equal.contains(&column.as_str())))
                    || equal.contains(&"ctid")
            }
            None => equal.iter().any(|name| matches!(*name, "id" | "pk" | "uuid" | "ctid")),
        }
    }

    /// The fewest and most that `(SELECT count(*) ..)` can come to for a row of `source`.
    fn count_of(&self, subquery: &Subquery, source: Option<usize>) -> (f64, f64) {
        let Some(source) = source else { return (0.0, f64::INFINITY) };
        let first = subquery.query.outputs.first().map(|output| &output.expr);
        // `count(x)` counts what is not null, and a filter counts less.
        let of_all = matches!(first, Some(Expr::Call(expr::Function::Tally, parts)) if parts.is_empty());
        if !of_all || !self.takes_own_row(&subquery.query, source) {
            (0.0, f64::INFINITY)
        } else if self.is_by_own_key(&subquery.query, source) {
            (1.0, 1.0)
        } else {
            (1.0, f64::INFINITY)
        }
    }

    /// A column that is compared with the largest or smallest of rows that the row itself is among.
    fn is_own_extreme(&self, conjunct: &Expr, source: usize, depth: usize) -> bool {
        let Expr::Compare(comparison, left, right) = conjunct else { return false };
        [(left, right, *comparison), (right, left, comparison.turned())].into_iter().any(
            |(value, extreme, comparison)| {
                // A loop takes one after the other, and so all.
                if let Expr::Extreme { column, .. } = extreme.as_ref() {
                    return self.in_loop && comparison.is_reflexive() && value.column() == Some(*column);
                }
                let Expr::Subquery(id) = extreme.as_ref() else { return false };
                let (Some(subquery), Some(column)) =
                    (self.subqueries.get(*id), value.column().and_then(|id| self.column(id)))
                else {
                    return false;
                };
                let Some(Expr::Extreme { column: of, largest }) =
                    subquery.query.outputs.first().map(|output| &output.expr)
                else {
                    return false;
                };
                let held = if *largest { Comparison::LessOrEqual } else { Comparison::GreaterOrEqual };
                let passes = comparison == held
                    || comparison.is_reflexive() && self.is_by_own_key(&subquery.query, source);
                depth < 8
                    && passes
                    && subquery.form == Form::Scalar
                    && column.source == source
                    && self.column(*of).is_some_and(|of| of.name == column.name)
                    && self.takes_own_row(&subquery.query, source)
            },
        )
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

/// `(a, b) = ANY (SELECT x, y ..)`, output by output.
fn compared(comparison: Comparison, tests: &[&Expr], query: &Query) -> Vec<Expr> {
    let pairs = tests.iter().zip(&query.outputs);
    pairs
        .map(|(test, output)| {
            Expr::Compare(comparison, Box::new((*test).clone()), Box::new(output.expr.clone()))
        })
        .collect()
}

/// What becomes of a subquery that stands as a condition of its own.
enum Inlined {
    Done,
    Outcome(Outcome),
}
