//! Predicates with their names resolved: what is left of a `WHERE` when only its meaning counts.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::value::{Comparison, Value};
use crate::catalogue::{Kind, Name, Relation};
use crate::tree::Node;

/// An expression over the columns of a [`Scene`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    Const(Value),
    /// Index into [`Scene::columns`].
    Column(usize),
    /// A value that cannot be folded: a parameter, a variable, a function that is not modelled.
    Opaque(String, Vec<Expr>),
    Call(Function, Vec<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    Arithmetic(char, Box<Expr>, Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    Like {
        text: Box<Expr>,
        pattern: Box<Expr>,
        escape: Option<char>,
        fold_case: bool,
    },
    Match {
        text: Box<Expr>,
        pattern: Box<Expr>,
        fold_case: bool,
    },
    IsNull(Box<Expr>),
    /// Every field of a row is not null (`IS NOT NULL`), which is not the opposite of `IS NULL` for rows.
    IsNotNull(Box<Expr>),
    /// `IS TRUE`, `IS FALSE`, `IS UNKNOWN`.
    Is(Option<bool>, Box<Expr>),
    Case(Vec<(Expr, Expr)>, Box<Expr>),
    Coalesce(Vec<Expr>),
    NullIf(Box<Expr>, Box<Expr>),
    Greatest(Vec<Expr>),
    Least(Vec<Expr>),
    Distinct(Box<Expr>, Box<Expr>),
    Row(Vec<Expr>),
    Array(Vec<Expr>),
    /// `left op ANY (array)`.
    AnyOf(Comparison, Box<Expr>, Box<Expr>),
    Cast(Box<Expr>, Kind),
    Contains(Box<Expr>, Box<Expr>),
    /// Index into [`Scene::subqueries`].
    Subquery(usize),
    /// The smallest or largest value of a column of the whole table.
    Extreme {
        column: usize,
        largest: bool,
    },
}

/// The functions whose meaning is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Now,
    Length,
    Lower,
    Upper,
    Trim,
    Abs,
    Sign,
    Floor,
    Ceil,
    Round,
    Mod,
    Position,
    StartsWith,
    Concat,
    /// Keeps the moment: `date_trunc`, `date`, `timezone`.
    Truncate,
    Extract,
    IsFinite,
    MakeDate,
    Range,
    IsEmptyRange,
    /// `&&` of ranges or arrays.
    Overlap,
    NonNulls,
    Nulls,
    /// Any total function whose result is never null or empty, such as a digest.
    Digest,
    /// Any other function whose result is null only when an argument is.
    Strict,
    /// The day of a moment.
    Day,
    /// `(a, b) OVERLAPS (c, d)`.
    Overlaps,
    /// `regexp_replace`, and what else an expression makes of a text.
    PatternReplace,
    PatternCount,
    /// Null when the pattern is not found.
    PatternMatch,
    Substring,
    Repeat,
    CodeOfFirst,
    Quote,
    /// What kind of JSON a document is.
    JsonType,
    Reverse,
    /// The number of elements; null when there are none.
    ArrayLength,
    /// The number of elements.
    Cardinality,
    Left,
    Replace,
    /// A count, or another number that is never negative.
    Tally,
    Negate,
}

/// Everything that one statement's predicates talk about.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    pub sources: Vec<Source>,
    pub columns: Vec<Column>,
    pub subqueries: Vec<Subquery>,
    /// What is judged is done again and again.
    pub in_loop: bool,
    /// Columns that are not null where this is read.
    pub given: RefCell<Vec<usize>>,
    /// Work done so far; see [`Scene::spend`].
    spent: Cell<usize>,
}

/// Evaluated nodes, about a third of a second: what takes longer counts as not understood.
const MOST_WORK: usize = 3_000_000;

/// One item of a `FROM` list, or the target of a write.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub alias: String,
    /// The table's own name, when it is one and no alias hides it.
    pub table: Option<Name>,
    pub info: Option<Arc<Relation>>,
    /// What its columns are, for a subquery, a view or a CTE.
    pub outputs: Vec<Output>,
    /// `None`: any name may be a column of it.
    pub names: Option<Vec<String>>,
    /// Holds for every row: checks, and the `WHERE` of an updatable view.
    pub assumed: Vec<Expr>,
    /// For an updatable view: its name for each column of the table.
    pub renamed: Vec<(String, String)>,
    pub view: Option<Name>,
    /// `ONLY` hides the rows of its children.
    pub partial: bool,
    /// The tables that its rows belong to, too: it is a partition or child of them.
    pub above: Vec<Name>,
}

/// A column of a source.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub source: usize,
    pub name: String,
    pub kind: Kind,
    /// `None`: not known.
    pub not_null: Option<bool>,
    /// Values start at 1.
    pub counted: bool,
    /// Holds a moment of the past.
    pub past: bool,
    pub can_be_empty: Option<bool>,
    pub not_negative: bool,
    /// A date, without a time of day.
    pub whole_days: bool,
    pub origin: Option<Origin>,
    /// The smallest (`false`) or largest (`true`) value of this origin.
    pub extreme: Option<(Origin, bool)>,
    /// The column of the view that it was reached through.
    pub of_view: Option<(Name, String)>,
}

/// Where the values of a column come from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Origin {
    pub table: Name,
    pub column: String,
    /// Every value of that column of that table is among them.
    pub complete: bool,
}

/// One column that a query puts out.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub name: String,
    pub expr: Expr,
    pub origin: Option<Origin>,
    pub kind: Kind,
    pub not_null: Option<bool>,
    /// The smallest (`false`) or largest (`true`) value of this origin.
    pub extreme: Option<(Origin, bool)>,
    /// `array_agg` over this origin.
    pub gathered: Option<Origin>,
}

/// A subquery inside an expression.
#[derive(Debug)]
pub(crate) struct Subquery {
    pub form: Form,
    pub test: Option<Expr>,
    pub query: Query,
    /// The outer sources that it refers to.
    pub outer: u128,
    /// The source that stands for its rows.
    pub source: usize,
    /// Of its text: the same subquery twice is one.
    pub fingerprint: u64,
}

/// How a subquery is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Exists,
    Any(Comparison),
    /// A test with an operator that is not a comparison.
    AnyOther,
    Scalar,
    Array,
}

/// A query, as far as it decides which rows of its sources come through.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    pub sources: Vec<usize>,
    pub conjuncts: Vec<Expr>,
    pub outer_joins: Vec<OuterJoin>,
    pub outputs: Vec<Output>,
    pub limit: Limit,
    /// Aggregates without `GROUP BY`: exactly one row.
    pub one_row: bool,
    pub grouped: bool,
    pub having: bool,
    pub sampled: bool,
    /// `ORDER BY x [DESC] LIMIT 1`.
    pub first_of: Option<(Expr, bool)>,
    pub set: Option<(Set, Box<Query>, Box<Query>)>,
    pub is_values: bool,
    /// The first column of each row of a `VALUES`.
    pub rows: Vec<Expr>,
    /// Not understood: nothing may be concluded from it.
    pub odd: bool,
}

/// `UNION`, `INTERSECT`, `EXCEPT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    Union,
    Intersect,
    Except,
}

/// How many rows a query may put out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Limit {
    #[default]
    None,
    Zero,
    Some,
}

/// An outer join: rows of the `kept` side stay whatever the conditions say.
#[derive(Debug, Clone)]
pub(crate) struct OuterJoin {
    pub kept: u128,
    pub optional: u128,
    pub conditions: Vec<Expr>,
}

/// The bit of a source in a set of sources.
pub(crate) fn bit(source: usize) -> u128 {
    1u128.checked_shl(u32::try_from(source).unwrap_or(u32::MAX)).unwrap_or(1 << 127)
}

impl Scene {
    pub fn new(in_loop: bool) -> Scene {
        Scene { in_loop, ..Scene::default() }
    }
}

impl Expr {
    /// Calls `visit` for this expression and all below it.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        visit(self);
        match self {
            Expr::Const(_) | Expr::Column(_) | Expr::Subquery(_) | Expr::Extreme { .. } => {}
            Expr::Opaque(_, parts)
            | Expr::Call(_, parts)
            | Expr::And(parts)
            | Expr::Or(parts)
            | Expr::Coalesce(parts)
            | Expr::Greatest(parts)
            | Expr::Least(parts)
            | Expr::Row(parts)
            | Expr::Array(parts) => parts.iter().for_each(|part| part.walk(visit)),
            Expr::Not(inner)
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::Is(_, inner)
            | Expr::Cast(inner, _) => inner.walk(visit),
            Expr::Compare(_, left, right)
            | Expr::Arithmetic(_, left, right)
            | Expr::NullIf(left, right)
            | Expr::Distinct(left, right)
            | Expr::AnyOf(_, left, right)
            | Expr::Contains(left, right)
            | Expr::Match { text: left, pattern: right, .. }
            | Expr::Like { text: left, pattern: right, .. } => {
                left.walk(visit);
                right.walk(visit);
            }
            Expr::Case(arms, default) => {
                for (condition, result) in arms {
                    condition.walk(visit);
                    result.walk(visit);
                }
                default.walk(visit);
            }
        }
    }

    /// How many expressions this is made of.
    pub fn size(&self) -> usize {
        let mut size = 0;
        self.walk(&mut |_| size += 1);
        size
    }

    /// Made of constants and parameters alone.
    pub fn is_constant(&self) -> bool {
        let mut constant = true;
        self.walk(&mut |part| match part {
            Expr::Column(_) | Expr::Subquery(_) | Expr::Extreme { .. } => constant = false,
            Expr::Opaque(name, parts) => constant &= parts.is_empty() && name.starts_with('$'),
            _ => {}
        });
        constant
    }

    /// Something that is not to differ from itself: true for every row.
    pub fn repeats_itself(&self) -> bool {
        match self {
            Expr::And(parts) => !parts.is_empty() && parts.iter().all(Expr::repeats_itself),
            Expr::Or(parts) => parts.iter().any(Expr::repeats_itself),
            Expr::Not(inner) => match inner.as_ref() {
                Expr::Distinct(left, right) => left == right && left.is_steady(),
                _ => false,
            },
            _ => false,
        }
    }

    /// The same each time that it is asked for on one row.
    fn is_steady(&self) -> bool {
        let mut steady = true;
        self.walk(&mut |part| steady &= !matches!(part, Expr::Opaque(..) | Expr::Subquery(_)));
        steady
    }

    /// Something that is to differ from itself: true for no row.
    pub fn contradicts_itself(&self) -> bool {
        match self {
            Expr::And(parts) => parts.iter().any(Expr::contradicts_itself),
            Expr::Or(parts) => !parts.is_empty() && parts.iter().all(Expr::contradicts_itself),
            Expr::Compare(comparison, left, right) => {
                !comparison.is_reflexive() && left == right && left.is_steady()
            }
            Expr::Distinct(left, right) => left == right && left.is_steady(),
            _ => false,
        }
    }

    pub fn has_parameters(&self) -> bool {
        let mut found = false;
        self.walk(&mut |part| {
            found |= matches!(part, Expr::Opaque(name, parts) if parts.is_empty() && name.starts_with('$'))
        });
        found
    }

    /// Puts null in the place of every parameter; tells whether there was one.
    pub fn without_parameters(&mut self) -> bool {
        let mut found = false;
        self.rewrite(&mut |part| {
            if matches!(part, Expr::Opaque(name, parts) if parts.is_empty() && name.starts_with('$')) {
                *part = Expr::Const(Value::Null);
                found = true;
            }
        });
        found
    }

    /// Puts one column in the place of another.
    pub fn replace_column(&mut self, from: usize, to: usize) {
        self.rewrite(&mut |part| {
            if *part == Expr::Column(from) {
                *part = Expr::Column(to);
            }
        });
    }

    /// Puts a value in the place of every `count(*)`.
    pub fn with_tally(&self, value: &Expr) -> Expr {
        let mut changed = self.clone();
        changed.rewrite(&mut |part| {
            if matches!(part, Expr::Call(Function::Tally, parts) if parts.is_empty()) {
                *part = value.clone();
            }
        });
        changed
    }

    /// Puts an expression in the place of a column.
    pub fn replace_with(&mut self, column: usize, with: &Expr) {
        // What is put in does not hold the column itself.
        self.rewrite(&mut |part| {
            if *part == Expr::Column(column) {
                *part = with.clone();
            }
        });
    }

    /// Calls `change` for this expression, then for all below it.
    pub fn rewrite(&mut self, change: &mut dyn FnMut(&mut Expr)) {
        change(self);
        match self {
            Expr::Const(_) | Expr::Column(_) | Expr::Subquery(_) | Expr::Extreme { .. } => {}
            Expr::Opaque(_, parts)
            | Expr::Call(_, parts)
            | Expr::And(parts)
            | Expr::Or(parts)
            | Expr::Coalesce(parts)
            | Expr::Greatest(parts)
            | Expr::Least(parts)
            | Expr::Row(parts)
            | Expr::Array(parts) => parts.iter_mut().for_each(|part| part.rewrite(change)),
            Expr::Not(inner)
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::Is(_, inner)
            | Expr::Cast(inner, _) => inner.rewrite(change),
            Expr::Compare(_, left, right)
            | Expr::Arithmetic(_, left, right)
            | Expr::NullIf(left, right)
            | Expr::Distinct(left, right)
            | Expr::AnyOf(_, left, right)
            | Expr::Contains(left, right)
            | Expr::Match { text: left, pattern: right, .. }
            | Expr::Like { text: left, pattern: right, .. } => {
                left.rewrite(change);
                right.rewrite(change);
            }
            Expr::Case(arms, default) => {
                for (condition, result) in arms {
                    condition.rewrite(change);
                    result.rewrite(change);
                }
                default.rewrite(change);
            }
        }
    }

    /// The column that this is, below casts that keep the value.
    pub fn column(&self) -> Option<usize> {
        match self {
            Expr::Column(column) => Some(*column),
            Expr::Cast(inner, _) => inner.column(),
            Expr::Row(parts) => match parts.as_slice() {
                [only] => only.column(),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Scene {
    /// Whether there is work left to spend.
    pub fn spend(&self, work: usize) -> bool {
        let spent = self.spent.get().saturating_add(work);
        self.spent.set(spent);
        spent <= MOST_WORK
    }

    pub fn column(&self, id: usize) -> Option<&Column> {
        self.columns.get(id)
    }

    pub fn source(&self, id: usize) -> Option<&Source> {
        self.sources.get(id)
    }

    /// The sources that an expression refers to.
    pub fn mask(&self, expr: &Expr) -> u128 {
        let mut mask = 0;
        expr.walk(&mut |part| match part {
            Expr::Column(column) | Expr::Extreme { column, .. } => {
                if let Some(column) = self.column(*column) {
                    // The extreme of a whole table does not depend on the row.
                    if matches!(part, Expr::Column(_)) {
                        mask |= bit(column.source);
                    }
                }
            }
            Expr::Subquery(id) => {
                if let Some(subquery) = self.subqueries.get(*id) {
                    mask |= subquery.outer;
                    if let Some(test) = &subquery.test {
                        mask |= self.mask(test);
                    }
                }
            }
            _ => {}
        });
        mask
    }
}

impl Subquery {
    /// `(SELECT count(..) ..)`.
    pub fn counts(&self) -> bool {
        self.form == Form::Scalar
            && matches!(
                self.query.outputs.first().map(|output| &output.expr),
                Some(Expr::Call(Function::Tally, _))
            )
    }
}

impl Query {
    /// Aggregates over rows of its sources.
    pub fn one_row_of_many(&self) -> bool {
        self.one_row && !self.sources.is_empty()
    }

    /// Certainly without a row.
    pub fn yields_nothing(&self) -> bool {
        let never = |conjunct: &Expr| {
            matches!(super::evaluate_constant(conjunct), Some(Value::Bool(false) | Value::Null))
        };
        self.limit == Limit::Zero || (!self.one_row_of_many() && self.conjuncts.iter().any(never))
    }

    /// Its outputs are computed row by row.
    pub fn is_of_rows(&self) -> bool {
        self.set.is_none() && !self.grouped && !self.odd && (!self.is_values || self.rows.len() == 1)
    }

    /// Exactly one row, of constants and parameters.
    pub fn is_fixed(&self) -> bool {
        self.sources.is_empty()
            && self.conjuncts.is_empty()
            && self.set.is_none()
            && self.limit == Limit::None
            && !self.having
            && !self.odd
            && (!self.is_values || self.rows.len() == 1)
            && !self.outputs.is_empty()
            && self.outputs.iter().all(|output| output.expr.is_constant())
    }

    /// The values of a query of one column that reads no table.
    pub fn constants(&self) -> Option<Vec<Expr>> {
        if self.odd
            || self.limit != Limit::None
            || !self.sources.is_empty()
            || !self.conjuncts.is_empty()
            || self.having
        {
            return None;
        }
        if let Some((Set::Union, left, right)) = &self.set {
            let mut values = left.constants()?;
            values.extend(right.constants()?);
            return Some(values);
        }
        if self.set.is_some() {
            return None;
        }
        if self.is_values {
            return Some(self.rows.clone());
        }
        match self.outputs.as_slice() {
            [only] => Some(vec![only.expr.clone()]),
            _ => None,
        }
    }
}

/// The nodes that a list node or a single node stands for.
pub(crate) fn items(node: &Node) -> Vec<&Node> {
    if node.kind == "List" { node.nodes("items").collect() } else { vec![node] }
}
