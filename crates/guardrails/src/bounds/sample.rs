//! Looks for a row that a predicate leaves out.
//!
//! A predicate that bounds a write must leave out some row that the table could hold. This tries the predicate on rows
//! made of the constants that it mentions, their neighbours, and ordinary values, as far as types, `NOT NULL`, checks and
//! sequences allow them. One row left out is a real test. None left out: the predicate is taken to let every row through.

use std::cell::RefCell;

use super::Outcome;
use super::eval::{Row, as_bool, evaluate};
use super::expr::{Expr, Form, Scene, Subquery, bit};
use super::pattern;
use super::pool::{numbers, spans, texts, times, uuids, whole_days};
use super::range;
use super::time::{self, DAY, FAR_FUTURE, LONG_PAST, NOW};
use super::value::{self, Clock, Tried, Value};
use crate::catalogue::Kind;

const MOST_COMBINATIONS: usize = 3_000;
const MOST_CONSTANTS: usize = 24;
/// Rows that are tried with equations solved.
const MOST_SOLVED: usize = 24;
/// From check to check over the columns that they share.
const MOST_STEPS: usize = 3;

/// Tries `expr`, a predicate over one source, on sample rows. `of_subquery` tells what a subquery in it amounts to.
pub(crate) fn try_rows(
    scene: &Scene,
    expr: &Expr,
    source: Option<usize>,
    of_subquery: &mut dyn FnMut(usize) -> Outcome,
) -> Outcome {
    if expr.contradicts_itself() {
        return Outcome::Never;
    }
    if expr.repeats_itself() {
        return Outcome::Every;
    }
    let outcome = try_with(scene, expr, source, of_subquery, Ground::Known);
    if outcome == Outcome::Every && rests_on_schema(scene, expr, source, of_subquery) {
        // Checks and types let null pass; a test on the same column does not.
        return try_with(scene, expr, source, of_subquery, Ground::Nulls);
    }
    if outcome == Outcome::Bounded && expr.has_parameters() {
        // A parameter that is left out may open the test: `id = COALESCE($1, id)`.
        let mut nulled = expr.clone();
        if nulled.without_parameters()
            && try_with(scene, &nulled, source, of_subquery, Ground::Known) == Outcome::Every
        {
            return Outcome::Same;
        }
    }
    outcome
}

/// What is taken for granted while a predicate is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ground {
    /// Whatever the schema says.
    Known,
    /// The same, and columns that may be null are.
    Nulls,
    /// Nothing of checks.
    Bare,
}

/// Whether a predicate on columns that may be null holds only by what the schema says of their values.
fn rests_on_schema(
    scene: &Scene,
    expr: &Expr,
    source: Option<usize>,
    of_subquery: &mut dyn FnMut(usize) -> Outcome,
) -> bool {
    let (mut nullable, mut labels) = (false, false);
    expr.walk(&mut |part| {
        if let Expr::Column(id) = part
            && let Some(column) = scene.column(*id).filter(|column| column.not_null == Some(false))
        {
            nullable = true;
            labels |= matches!(column.kind, Kind::Labels(_));
        }
    });
    let assumes = source.and_then(|source| scene.source(source)).is_some_and(|held| !held.assumed.is_empty());
    nullable
        && (labels || assumes && try_with(scene, expr, source, of_subquery, Ground::Bare) == Outcome::Bounded)
}

fn try_with(
    scene: &Scene,
    expr: &Expr,
    source: Option<usize>,
    of_subquery: &mut dyn FnMut(usize) -> Outcome,
    ground: Ground,
) -> Outcome {
    let mut variables: Vec<Variable> = Vec::new();
    let mut constants: Vec<Value> = Vec::new();
    let mut outcomes: Vec<(usize, Outcome)> = Vec::new();
    let mut tests_null = false;
    gather(scene, expr, source, &mut variables, &mut constants);
    expr.walk(&mut |part| match part {
        Expr::IsNull(_) | Expr::IsNotNull(_) | Expr::Distinct(..) | Expr::Is(..) => tests_null = true,
        Expr::Subquery(id) if !outcomes.iter().any(|(known, _)| known == id) => {
            let outcome = of_subquery(*id);
            if outcome == Outcome::Bounded {
                variables.extend(
                    scene.subqueries.get(*id).map(|held| Variable::subquery(scene, *id, held, source)),
                );
            }
            outcomes.push((*id, outcome));
        }
        _ => {}
    });
    let assumed = source
        .filter(|_| ground != Ground::Bare)
        .and_then(|source| scene.source(source))
        .map(|source| source.assumed.as_slice())
        .unwrap_or_default();
    let relevant = relevant(scene, assumed, source, &mut variables, &mut constants);
    let has_columns = variables.iter().any(|variable| matches!(variable.id, Id::Column(_)));
    infer(expr, &mut variables);
    for check in &relevant {
        infer(check, &mut variables);
    }
    for variable in &mut variables {
        // A key is a number when nothing tells otherwise.
        if let (Id::Column(id), Kind::Unknown) = (variable.id, &variable.kind)
            && scene.column(id).is_some_and(|column| column.counted)
        {
            variable.kind = Kind::Integer(-9e15, 9e15);
        }
        variable.fill(scene, &constants, tests_null);
        if let Id::Column(id) = variable.id
            && ground == Ground::Nulls
            && scene.column(id).is_some_and(|column| column.not_null == Some(false))
            && !variable.pool.contains(&Value::Null)
        {
            variable.pool.push(Value::Null);
        }
    }
    let state = State {
        variables: &variables,
        outcomes: &outcomes,
        picks: RefCell::new(vec![0; variables.len()]),
        solved: RefCell::new(None),
    };
    let equations = equations(expr, &variables);
    let mut seen = Seen::default();
    let mut admitted = false;
    let longest = variables.iter().map(|variable| variable.pool.len()).max().unwrap_or(1);
    let product =
        variables.iter().fold(1usize, |product, variable| product.saturating_mul(variable.pool.len().max(1)));
    let complete = product <= MOST_COMBINATIONS;
    let total = longest + if complete { product } else { MOST_COMBINATIONS };
    let mut noise = 0x9E37_79B9_7F4A_7C15_u64;
    let size = expr.size();
    for turn in 0..total {
        if !scene.spend(size) {
            return Outcome::Same;
        }
        state.pick(turn, longest, complete, &mut noise);
        // The row as it is, then with each column set to what it is compared with.
        let solved = equations.iter().filter(|_| turn < MOST_SOLVED).map(Some);
        for equation in std::iter::once(None).chain(solved) {
            if let Some((column, other)) = equation {
                let value = evaluate(other, &state).value;
                if matches!(value, Value::Null | Value::Unknown) || !state.can_hold(scene, *column, &value) {
                    continue;
                }
                state.solved.replace(Some((*column, value)));
            }
            if relevant.iter().all(|check| as_bool(&evaluate(check, &state)) != Some(false)) {
                admitted = true;
                seen.note(&evaluate(expr, &state));
            }
            state.solved.take();
            if seen.bounded() {
                return Outcome::Bounded;
            }
        }
    }
    if !admitted {
        // No sample meets the checks; what holds without them holds with them.
        return if is_checked(scene, expr, &relevant) {
            Outcome::Every
        } else if ground == Ground::Bare {
            Outcome::Bounded
        } else {
            try_with(scene, expr, source, of_subquery, Ground::Bare)
        };
    }
    seen.outcome(has_columns || variables.iter().any(|variable| matches!(variable.id, Id::Subquery(_))))
}

/// The checks that share a column with what is tried, or with another such check; their columns and constants are
/// gathered, too.
fn relevant<'a>(
    scene: &Scene,
    assumed: &'a [Expr],
    source: Option<usize>,
    variables: &mut Vec<Variable>,
    constants: &mut Vec<Value>,
) -> Vec<&'a Expr> {
    let mut rest: Vec<&Expr> = assumed.iter().collect();
    let mut found = Vec::new();
    for _ in 0..MOST_STEPS {
        let (near, far): (Vec<&Expr>, Vec<&Expr>) = rest.into_iter().partition(|check| {
            let mut shares = false;
            check.walk(&mut |part| {
                if let Expr::Column(id) = part {
                    shares |= variables.iter().any(|variable| variable.id == Id::Column(*id));
                }
            });
            shares
        });
        for check in &near {
            gather(scene, check, source, variables, constants);
        }
        rest = far;
        let is_last = near.is_empty();
        found.extend(near);
        if is_last {
            break;
        }
    }
    found
}

/// Whether a predicate is one of the checks, word for word, on columns that are never null.
fn is_checked(scene: &Scene, expr: &Expr, checks: &[&Expr]) -> bool {
    fn holds(check: &Expr, expr: &Expr) -> bool {
        check == expr || matches!(check, Expr::And(parts) if parts.iter().any(|part| holds(part, expr)))
    }
    let mut never_null = true;
    expr.walk(&mut |part| {
        if let Expr::Column(id) = part {
            never_null &= scene.column(*id).is_some_and(|column| column.not_null == Some(true));
        }
    });
    never_null && checks.iter().any(|check| holds(check, expr))
}

#[derive(Default)]
struct Seen {
    passed: bool,
    left_out: bool,
    of_row: bool,
    unknown: bool,
}

impl Seen {
    fn note(&mut self, tried: &Tried) {
        match as_bool(tried) {
            Some(true) => self.passed = true,
            Some(false) => self.left_out = true,
            None if tried.value == Value::Null => self.left_out = true,
            None if tried.row => self.of_row = true,
            None => self.unknown = true,
        }
    }

    fn bounded(&self) -> bool {
        self.of_row || self.left_out && (self.passed || self.unknown)
    }

    fn outcome(&self, depends_on_row: bool) -> Outcome {
        if self.bounded() || (self.left_out && depends_on_row) {
            Outcome::Bounded
        } else if self.left_out {
            Outcome::Never
        } else if self.unknown {
            Outcome::Same
        } else {
            Outcome::Every
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Id {
    Column(usize),
    Subquery(usize),
}

struct Variable {
    id: Id,
    kind: Kind,
    pool: Vec<Value>,
}

impl Variable {
    fn subquery(scene: &Scene, id: usize, subquery: &Subquery, source: Option<usize>) -> Variable {
        let output = subquery.query.outputs.first();
        let kind = match (subquery.form, output) {
            (Form::Scalar, _) if subquery.counts() => {
                let (fewest, most) = scene.count_of(subquery, source);
                Kind::Integer(fewest, most)
            }
            (Form::Scalar, Some(output)) if !subquery.query.one_row => output.kind.clone(),
            (Form::Scalar, _) => Kind::Unknown,
            _ => Kind::Bool,
        };
        Variable { id: Id::Subquery(id), kind, pool: Vec::new() }
    }

    fn fill(&mut self, scene: &Scene, constants: &[Value], tests_null: bool) {
        let mut pool: Vec<Value> = Vec::new();
        let Id::Column(id) = self.id else {
            match &self.kind {
                Kind::Bool => pool.extend([Value::Bool(false), Value::Bool(true)]),
                Kind::Labels(labels) => pool.extend(labels.iter().map(|label| Value::Text(label.clone()))),
                Kind::Integer(..) | Kind::Decimal => numbers(&mut pool, false, false, &self.kind, constants),
                Kind::Time => times(&mut pool, false, constants),
                Kind::Text => texts(&mut pool, None, constants),
                _ => pool.extend([0.0, 1.0, 2.0, 7.0, 5_000.0].into_iter().map(Value::Number)),
            }
            if tests_null && !matches!(self.kind, Kind::Bool | Kind::Integer(..)) {
                pool.push(Value::Null);
            }
            self.pool = pool;
            return;
        };
        let Some(column) = scene.column(id) else { return };
        match &self.kind {
            Kind::Bool => pool.extend([Value::Bool(false), Value::Bool(true)]),
            Kind::Labels(labels) => pool.extend(labels.iter().map(|label| Value::Text(label.clone()))),
            Kind::Integer(..) | Kind::Decimal => {
                numbers(&mut pool, column.counted, column.not_negative, &self.kind, constants)
            }
            Kind::Time => {
                times(&mut pool, column.past, constants);
                if column.whole_days {
                    whole_days(&mut pool);
                }
            }
            Kind::Span => {
                spans(&mut pool, constants);
                pool.extend([Value::Span(3600.0), Value::Span(DAY), Value::Span(40.0 * DAY)]);
            }
            Kind::TimeOfDay => {
                spans(&mut pool, constants);
                pool.retain(|value| matches!(value, Value::Span(at) if (0.0..=DAY).contains(at)));
                pool.extend([0.0, 3.0 * 3600.0, DAY / 2.0, DAY - 60.0].map(Value::Span));
            }
            Kind::Uuid => uuids(&mut pool, constants),
            Kind::Range => range::samples(&mut pool, constants),
            _ => texts(&mut pool, column.can_be_empty, constants),
        }
        if tests_null && column.not_null != Some(true) {
            pool.push(Value::Null);
        }
        self.pool = pool;
    }
}

/// The columns that are compared with an expression over other columns: `due = issued + 14`.
fn equations<'a>(expr: &'a Expr, variables: &[Variable]) -> Vec<(usize, &'a Expr)> {
    let mut found = Vec::new();
    expr.walk(&mut |part| {
        let (Expr::Compare(_, left, right) | Expr::Distinct(left, right)) = part else { return };
        for (side, other) in [(left, right), (right, left)] {
            let Some(column) = side.column() else { continue };
            let known = |id: usize| variables.iter().any(|variable| variable.id == Id::Column(id));
            let (mut others, mut itself) = (false, false);
            other.walk(&mut |part| {
                if let Expr::Column(id) = part {
                    others |= known(*id);
                    itself |= *id == column;
                }
            });
            if known(column) && others && !itself && found.len() < 4 {
                found.push((column, other.as_ref()));
            }
        }
    });
    found
}

struct State<'a> {
    variables: &'a [Variable],
    outcomes: &'a [(usize, Outcome)],
    picks: RefCell<Vec<usize>>,
    /// The value of one column in place of its pick.
    solved: RefCell<Option<(usize, Value)>>,
}

impl State<'_> {
    /// First the diagonals, so that one odd value per column is tried at once; then all combinations, or many.
    fn pick(&self, turn: usize, longest: usize, complete: bool, noise: &mut u64) {
        let mut picks = self.picks.borrow_mut();
        let mut rest = turn.saturating_sub(longest);
        for (pick, variable) in picks.iter_mut().zip(self.variables) {
            let size = variable.pool.len().max(1);
            *pick = if turn < longest {
                turn % size
            } else if complete {
                let at = rest % size;
                rest /= size;
                at
            } else {
                *noise ^= *noise << 13;
                *noise ^= *noise >> 7;
                *noise ^= *noise << 17;
                usize::try_from(*noise % size as u64).unwrap_or(0)
            };
        }
    }

    /// Whether a value fits the type of a column, and what its name promises.
    fn can_hold(&self, scene: &Scene, id: usize, value: &Value) -> bool {
        let Some(column) = scene.column(id) else { return false };
        let kind =
            self.variables.iter().find(|variable| variable.id == Id::Column(id)).map(|held| &held.kind);
        match (value, kind) {
            (Value::Number(number), Some(Kind::Integer(low, high))) => {
                number.fract() == 0.0
                    && (*low..=*high).contains(number)
                    && (!column.counted || *number >= 1.0)
                    && (!column.not_negative || *number >= 0.0)
            }
            (Value::Number(number), Some(Kind::Decimal | Kind::Unknown)) => {
                (!column.counted || *number >= 1.0) && (!column.not_negative || *number >= 0.0)
            }
            (Value::Time { at, .. }, Some(Kind::Time | Kind::Unknown)) => {
                (LONG_PAST..FAR_FUTURE).contains(at) && (!column.past || *at < NOW)
            }
            (Value::Text(text), Some(Kind::Text | Kind::Unknown)) => {
                !text.is_empty() || column.can_be_empty != Some(false)
            }
            (Value::Text(text), Some(Kind::Labels(labels))) => labels.contains(text),
            (Value::Span(_), Some(Kind::Span | Kind::TimeOfDay | Kind::Unknown))
            | (Value::Bool(_), Some(Kind::Bool)) => true,
            _ => false,
        }
    }

    fn value(&self, id: Id) -> Option<Value> {
        if let Some((column, value)) = self.solved.borrow().as_ref()
            && id == Id::Column(*column)
        {
            // A column that holds a moment may be compared with any other.
            return Some(match value {
                Value::Time { at, .. } => Value::Time { at: *at, clock: Clock::Sample },
                other => other.clone(),
            });
        }
        let at = self.variables.iter().position(|variable| variable.id == id)?;
        let pick = *self.picks.borrow().get(at)?;
        self.variables.get(at)?.pool.get(pick).cloned()
    }
}

impl Row for State<'_> {
    fn column(&self, id: usize) -> Tried {
        match self.value(Id::Column(id)) {
            Some(value) => Tried { value, row: true },
            // A column of another source: given from outside.
            None => Tried::unknown(false),
        }
    }

    fn subquery(&self, id: usize) -> Tried {
        if let Some(value) = self.value(Id::Subquery(id)) {
            return Tried { value, row: true };
        }
        match self.outcomes.iter().find(|(known, _)| *known == id).map(|(_, outcome)| outcome) {
            Some(Outcome::Every) => Tried::constant(Value::Bool(true)),
            Some(Outcome::Never) => Tried::constant(Value::Bool(false)),
            Some(Outcome::Same) => Tried::unknown(false),
            _ => Tried::unknown(true),
        }
    }

    fn extreme(&self, column: usize, largest: bool) -> Tried {
        let Some(variable) = self.variables.iter().find(|variable| variable.id == Id::Column(column)) else {
            return Tried::unknown(false);
        };
        let mut best: Option<&Value> = None;
        for value in variable.pool.iter().filter(|value| **value != Value::Null) {
            best = match best {
                Some(held) => match value::order(value, held) {
                    Some(order) if order.is_gt() == largest && !order.is_eq() => Some(value),
                    _ => Some(held),
                },
                None => Some(value),
            };
        }
        best.map_or(Tried::unknown(false), |value| Tried::constant(value.clone()))
    }
}

/// Collects the columns of `source` and the constants.
fn gather(
    scene: &Scene,
    expr: &Expr,
    source: Option<usize>,
    variables: &mut Vec<Variable>,
    constants: &mut Vec<Value>,
) {
    expr.walk(&mut |part| match part {
        Expr::Column(id) | Expr::Extreme { column: id, .. } => {
            let Some(column) = scene.column(*id) else { return };
            let ours = source.is_none_or(|source| bit(column.source) == bit(source));
            if ours && !variables.iter().any(|variable| variable.id == Id::Column(*id)) {
                variables.push(Variable { id: Id::Column(*id), kind: column.kind.clone(), pool: Vec::new() });
            }
        }
        Expr::Const(value @ (Value::Number(_) | Value::Text(_) | Value::Time { .. } | Value::Span(_)))
            if constants.len() < MOST_CONSTANTS && !constants.contains(value) =>
        {
            constants.push(value.clone());
        }
        // `'{a,b}'`: its elements.
        Expr::AnyOf(_, _, list) if constants.len() < MOST_CONSTANTS => {
            let Some(Value::Text(written)) = evaluate_constant(list) else { return };
            for element in value::elements(&written).unwrap_or_default().into_iter().take(MOST_CONSTANTS) {
                let value = Value::Text(element.to_owned());
                if !constants.contains(&value) {
                    constants.push(value);
                }
            }
        }
        // A text that the pattern lets through.
        Expr::Match { pattern, .. } | Expr::Like { pattern, .. } if constants.len() < MOST_CONSTANTS => {
            let Some(Value::Text(written)) = evaluate_constant(pattern) else { return };
            let texts = match part {
                Expr::Match { .. } => pattern::samples(&written),
                _ => vec![written.replace('%', "").replace('_', "k")],
            };
            for text in texts.into_iter().map(Value::Text) {
                if !constants.contains(&text) {
                    constants.push(text);
                }
            }
        }
        // `now() - interval '90 days'` is one moment of interest.
        Expr::Arithmetic(..) | Expr::Call(..) | Expr::Cast(..)
            if scene.mask(part) == 0 && constants.len() < MOST_CONSTANTS =>
        {
            let tried = evaluate(part, &Nowhere);
            let of_interest = matches!(
                tried.value,
                Value::Number(_) | Value::Time { .. } | Value::Span(_) | Value::Range { .. }
            );
            if of_interest && !constants.contains(&tried.value) {
                constants.push(tried.value);
            }
        }
        _ => {}
    });
}

/// A row without columns.
pub(crate) struct Nowhere;

impl Row for Nowhere {
    fn column(&self, _: usize) -> Tried {
        Tried::unknown(true)
    }

    fn subquery(&self, _: usize) -> Tried {
        Tried::unknown(false)
    }

    fn extreme(&self, _: usize, _: bool) -> Tried {
        Tried::unknown(false)
    }
}

/// Tells the kind of a column that the catalogue does not know from what it is compared with.
fn infer(expr: &Expr, variables: &mut [Variable]) {
    let mut learn = |column: &Expr, kind: Kind| {
        let Some(id) = column.column() else { return };
        for variable in variables.iter_mut() {
            if variable.id == Id::Column(id) && matches!(variable.kind, Kind::Unknown) {
                variable.kind = kind.clone();
            }
        }
    };
    expr.walk(&mut |part| match part {
        Expr::Compare(_, left, right) | Expr::Distinct(left, right) | Expr::NullIf(left, right) => {
            for (column, other) in [(left, right), (right, left)] {
                if let Some(kind) = kind_of(other) {
                    learn(column, kind);
                }
            }
        }
        Expr::AnyOf(_, column, other) => {
            if let Expr::Array(parts) = other.as_ref()
                && let Some(kind) = parts.first().and_then(kind_of)
            {
                learn(column, kind);
            }
        }
        Expr::Like { text, .. } | Expr::Match { text, .. } => learn(text, Kind::Text),
        Expr::Arithmetic('|', left, right) => {
            learn(left, Kind::Text);
            learn(right, Kind::Text);
        }
        Expr::Arithmetic(_, left, right) => {
            for (column, other) in [(left, right), (right, left)] {
                match kind_of(other) {
                    Some(Kind::Span) => learn(column, Kind::Time),
                    Some(Kind::Time) => learn(column, Kind::Time),
                    _ => learn(column, Kind::Integer(-9e15, 9e15)),
                }
            }
        }
        Expr::Call(function, parts) => {
            use super::expr::Function as F;
            let kind = match function {
                F::Length
                | F::Lower
                | F::Upper
                | F::Trim
                | F::Position
                | F::StartsWith
                | F::Left
                | F::Replace => Kind::Text,
                F::Abs | F::Sign | F::Floor | F::Ceil | F::Round => Kind::Decimal,
                F::Mod | F::Negate => Kind::Integer(-9e15, 9e15),
                F::Truncate | F::Extract | F::IsFinite => Kind::Time,
                F::Overlap
                    if parts
                        .iter()
                        .any(|part| matches!(evaluate_constant(part), Some(Value::Range { .. }))) =>
                {
                    Kind::Range
                }
                _ => return,
            };
            parts.iter().for_each(|part| learn(part, kind.clone()));
        }
        Expr::Contains(range, item) => {
            if let Some(Value::Range { .. }) = evaluate_constant(item) {
                learn(range, Kind::Range);
            }
            if let Some(Value::Range { low, high }) = evaluate_constant(range) {
                let moments = [low, high].into_iter().any(|end| end.is_finite() && end.abs() > 1e8);
                learn(item, if moments { Kind::Time } else { Kind::Integer(-9e15, 9e15) });
            }
        }
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| learn(part, Kind::Bool)),
        Expr::Not(inner) | Expr::Is(_, inner) => learn(inner, Kind::Bool),
        Expr::Coalesce(parts) | Expr::Greatest(parts) | Expr::Least(parts) => {
            if let Some(kind) = parts.iter().find_map(kind_of) {
                parts.iter().for_each(|part| learn(part, kind.clone()));
            }
        }
        _ => {}
    });
    // Alone, a column is a condition.
    if let Expr::Column(_) = expr {
        learn(expr, Kind::Bool);
    }
}

fn kind_of(expr: &Expr) -> Option<Kind> {
    match expr {
        Expr::Cast(_, kind) if *kind != Kind::Other => Some(kind.clone()),
        _ => match evaluate_constant(expr)? {
            Value::Bool(_) => Some(Kind::Bool),
            Value::Number(number) if number.fract() == 0.0 => Some(Kind::Integer(-9e15, 9e15)),
            Value::Number(_) => Some(Kind::Decimal),
            Value::Text(text) => Some(match time::parse(&text) {
                Some(_) => Kind::Time,
                None if !text.is_empty() && text.parse::<f64>().is_ok() => Kind::Integer(-9e15, 9e15),
                None => Kind::Text,
            }),
            Value::Time { .. } => Some(Kind::Time),
            Value::Span(_) => Some(Kind::Span),
            _ => None,
        },
    }
}

/// The value of an expression without columns.
pub(crate) fn evaluate_constant(expr: &Expr) -> Option<Value> {
    let mut depends = false;
    expr.walk(&mut |part| {
        depends |= matches!(part, Expr::Column(_) | Expr::Subquery(_) | Expr::Extreme { .. })
    });
    if depends {
        return None;
    }
    match evaluate(expr, &Nowhere).value {
        Value::Unknown => None,
        value => Some(value),
    }
}
