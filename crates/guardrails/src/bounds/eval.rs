//! Tries a predicate on one sample row.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::expr::{Expr, Function};
use super::pattern;
use super::range;
use super::time;
use super::value::{self, Clock, Comparison, Tried, Value, compare};
use crate::catalogue::Kind;

/// A sample row.
pub(crate) trait Row {
    fn column(&self, id: usize) -> Tried;
    fn subquery(&self, id: usize) -> Tried;
    fn extreme(&self, column: usize, largest: bool) -> Tried;
}

/// The value of an expression on a row.
pub(crate) fn evaluate(expr: &Expr, row: &dyn Row) -> Tried {
    match expr {
        Expr::Const(value) => Tried::constant(value.clone()),
        Expr::Column(id) => row.column(*id),
        Expr::Subquery(id) => row.subquery(*id),
        Expr::Extreme { column, largest } => row.extreme(*column, *largest),
        Expr::Opaque(_, parts) => Tried::unknown(parts.iter().any(|part| evaluate(part, row).row)),
        Expr::Call(Function::Overlap, parts) if matches!(parts.as_slice(), [a, b] if a == b) => {
            let tried = call(Function::Overlap, parts.iter().map(|part| evaluate(part, row)).collect());
            // What is not known is taken not to be empty.
            if tried.is_unknown() { Tried { value: Value::Bool(true), row: tried.row } } else { tried }
        }
        Expr::Call(function, parts) => {
            call(*function, parts.iter().map(|part| evaluate(part, row)).collect())
        }
        Expr::Compare(comparison, left, right) => {
            let (a, b) = (evaluate(left, row), evaluate(right, row));
            let either_unknown = a.is_unknown() || b.is_unknown();
            if either_unknown && left == right {
                return Tried::constant(Value::Bool(comparison.is_reflexive()));
            }
            compare(*comparison, &a, &b)
        }
        Expr::Distinct(left, right) => {
            let (a, b) = (evaluate(left, row), evaluate(right, row));
            let row = a.row || b.row;
            if left == right {
                return Tried { value: Value::Bool(false), row };
            }
            if a.is_unknown() || b.is_unknown() {
                return Tried::unknown(row);
            }
            match (&a.value, &b.value) {
                (Value::Null, Value::Null) => Tried { value: Value::Bool(false), row },
                (Value::Null, _) | (_, Value::Null) => Tried { value: Value::Bool(true), row },
                _ => compare(Comparison::NotEqual, &a, &b),
            }
        }
        Expr::Arithmetic(operator, left, right) => {
            arithmetic(*operator, &evaluate(left, row), &evaluate(right, row))
        }
        Expr::And(parts) => all(parts.iter().map(|part| evaluate(part, row)), false),
        Expr::Or(parts) => {
            let tried = all(parts.iter().map(|part| evaluate(part, row)), true);
            // Whatever it is, it is so or it is not.
            if tried.is_unknown() && has_opposites(parts) {
                return Tried { value: Value::Bool(true), row: tried.row };
            }
            tried
        }
        Expr::Not(inner) => {
            let inner = evaluate(inner, row);
            match as_bool(&inner) {
                Some(truth) => Tried { value: Value::Bool(!truth), row: inner.row },
                None => inner,
            }
        }
        Expr::Like { text, pattern, escape, fold_case } => {
            let (a, b) = (evaluate(text, row), evaluate(pattern, row));
            let row = a.row || b.row;
            match (text_of(&a.value), &b.value) {
                _ if a.value == Value::Null || b.value == Value::Null => Tried { value: Value::Null, row },
                (Some(text), Value::Text(pattern)) => {
                    Tried { value: Value::Bool(value::like(&text, pattern, *escape, *fold_case)), row }
                }
                (None, Value::Text(pattern)) if !pattern.is_empty() && pattern.chars().all(|c| c == '%') => {
                    Tried { value: Value::Bool(true), row }
                }
                _ => Tried::unknown(row),
            }
        }
        Expr::Match { text, pattern, fold_case } => {
            let (a, b) = (evaluate(text, row), evaluate(pattern, row));
            let row = a.row || b.row;
            match (text_of(&a.value), &b.value) {
                _ if a.value == Value::Null || b.value == Value::Null => Tried { value: Value::Null, row },
                (Some(text), Value::Text(pattern)) => match pattern::matches(&text, pattern, *fold_case) {
                    Some(truth) => Tried { value: Value::Bool(truth), row },
                    None => Tried::unknown(row),
                },
                // What is found in nothing at all is found in everything.
                (None, Value::Text(pattern)) if pattern::matches("", pattern, *fold_case) == Some(true) => {
                    Tried { value: Value::Bool(true), row }
                }
                _ => Tried::unknown(row),
            }
        }
        Expr::IsNull(inner) => {
            let strict = known_by_arguments(inner, row);
            let inner = evaluate(inner, row);
            let value = match &inner.value {
                Value::Unknown if strict => Value::Bool(false),
                Value::Unknown => Value::Unknown,
                Value::Row(parts) if parts.contains(&Value::Unknown) => Value::Unknown,
                Value::Row(parts) => Value::Bool(parts.iter().all(|part| *part == Value::Null)),
                other => Value::Bool(*other == Value::Null),
            };
            Tried { value, row: inner.row }
        }
        Expr::IsNotNull(inner) => {
            let strict = known_by_arguments(inner, row);
            let inner = evaluate(inner, row);
            let value = match &inner.value {
                Value::Unknown if strict => Value::Bool(true),
                Value::Unknown => Value::Unknown,
                Value::Row(parts) if parts.contains(&Value::Null) => Value::Bool(false),
                Value::Row(parts) if parts.contains(&Value::Unknown) => Value::Unknown,
                Value::Row(_) => Value::Bool(true),
                other => Value::Bool(*other != Value::Null),
            };
            Tried { value, row: inner.row }
        }
        Expr::Is(wanted, inner) => {
            let inner = evaluate(inner, row);
            if inner.is_unknown() {
                return inner;
            }
            Tried { value: Value::Bool(as_bool(&inner) == *wanted), row: inner.row }
        }
        Expr::Case(arms, default) => case(arms, default, row),
        Expr::Coalesce(parts) => {
            let mut tainted = false;
            for part in parts {
                let tried = evaluate(part, row);
                tainted |= tried.row;
                match tried.value {
                    Value::Null => {}
                    value => return Tried { value, row: tainted },
                }
            }
            Tried { value: Value::Null, row: tainted }
        }
        Expr::NullIf(left, right) => {
            let (a, b) = (evaluate(left, row), evaluate(right, row));
            let equal = if left == right { Some(true) } else { as_bool(&compare(Comparison::Equal, &a, &b)) };
            match equal {
                Some(true) => Tried { value: Value::Null, row: a.row || b.row },
                _ if a.is_unknown() || b.is_unknown() => Tried::unknown(a.row || b.row),
                _ => a,
            }
        }
        Expr::Greatest(parts) | Expr::Least(parts) => {
            let largest = matches!(expr, Expr::Greatest(_));
            let mut best: Option<Tried> = None;
            let mut tainted = false;
            for part in parts {
                let tried = evaluate(part, row);
                tainted |= tried.row;
                if tried.value == Value::Null {
                    continue;
                }
                if tried.is_unknown() {
                    return Tried::unknown(tainted || parts.iter().any(|part| evaluate(part, row).row));
                }
                best = match best {
                    None => Some(tried),
                    Some(held) => match value::order(&tried.value, &held.value) {
                        Some(order) if order.is_gt() == largest && !order.is_eq() => Some(tried),
                        Some(_) => Some(held),
                        None => return Tried::unknown(true),
                    },
                };
            }
            Tried { value: best.map_or(Value::Null, |best| best.value), row: tainted }
        }
        Expr::Row(parts) | Expr::Array(parts) => {
            let parts: Vec<Tried> = parts.iter().map(|part| evaluate(part, row)).collect();
            let tainted = parts.iter().any(|part| part.row);
            let values = parts.into_iter().map(|part| part.value).collect();
            Tried {
                value: if matches!(expr, Expr::Row(_)) { Value::Row(values) } else { Value::Array(values) },
                row: tainted,
            }
        }
        Expr::AnyOf(comparison, left, right) => any_of(*comparison, left, right, row),
        Expr::Cast(inner, kind) => cast(evaluate(inner, row), kind),
        Expr::Contains(whole, part) if whole == part => {
            let held = evaluate(whole, row);
            let value = if held.value == Value::Null { Value::Null } else { Value::Bool(true) };
            Tried { value, row: held.row }
        }
        Expr::Contains(range, item) => {
            let (a, b) = (evaluate(range, row), evaluate(item, row));
            let row = a.row || b.row;
            let at = match &b.value {
                Value::Number(at) | Value::Time { at, .. } => Some(*at),
                _ => None,
            };
            match (&a.value, at) {
                _ if a.value == Value::Null || b.value == Value::Null => Tried { value: Value::Null, row },
                (Value::Range { low, high }, Some(at)) => {
                    Tried { value: Value::Bool(*low <= at && at <= *high), row }
                }
                // Nothing is contained in everything.
                _ if is_empty(&b.value) => Tried { value: Value::Bool(true), row },
                (whole, None) => match (range::ends(whole), range::ends(&b.value)) {
                    (Some(whole), Some(part)) => {
                        Tried { value: Value::Bool(range::contains(whole, part)), row }
                    }
                    _ => Tried::unknown(row),
                },
                _ => Tried::unknown(row),
            }
        }
    }
}

/// A value that is not known, but not null, since nothing that it is made of is.
fn known_by_arguments(expr: &Expr, row: &dyn Row) -> bool {
    use Function::{CodeOfFirst, JsonType, PatternCount, PatternReplace, Quote, Repeat, Strict, Substring};
    match expr {
        Expr::Call(
            Strict | PatternReplace | PatternCount | Substring | Repeat | CodeOfFirst | Quote | JsonType,
            parts,
        ) => parts.iter().all(|part| {
            let tried = evaluate(part, row);
            tried.value != Value::Null && (!tried.is_unknown() || known_by_arguments(part, row))
        }),
        Expr::Cast(inner, _) => known_by_arguments(inner, row),
        _ => false,
    }
}

/// The truth of a value; `None` for null and for what is not known.
pub(crate) fn as_bool(tried: &Tried) -> Option<bool> {
    match &tried.value {
        Value::Bool(truth) => Some(*truth),
        Value::Text(text) => value::truth(text),
        _ => None,
    }
}

/// `AND` (`decisive` false) and `OR` (`decisive` true). What is not known and the same for every row wins in an `OR`,
/// because it may let every row through; in an `AND` a part that depends on the row wins.
fn all(parts: impl Iterator<Item = Tried>, decisive: bool) -> Tried {
    let mut tainted = false;
    let mut null = false;
    let mut unknown_of_row = false;
    let mut unknown_constant = false;
    for part in parts {
        tainted |= part.row;
        match as_bool(&part) {
            Some(truth) if truth == decisive => return Tried { value: Value::Bool(decisive), row: part.row },
            Some(_) => {}
            None if part.value == Value::Null => null = true,
            None if part.row => unknown_of_row = true,
            None => unknown_constant = true,
        }
    }
    if unknown_of_row || unknown_constant {
        let row = if decisive { !unknown_constant } else { unknown_of_row };
        return Tried::unknown(row);
    }
    Tried { value: if null { Value::Null } else { Value::Bool(!decisive) }, row: tainted }
}

fn case(arms: &[(Expr, Expr)], default: &Expr, row: &dyn Row) -> Tried {
    let mut possible: Vec<Tried> = Vec::new();
    let mut open: Option<bool> = None;
    for (condition, result) in arms {
        let tried = evaluate(condition, row);
        match as_bool(&tried) {
            Some(true) => {
                possible.push(evaluate(result, row));
                return merge(possible, open);
            }
            None if tried.is_unknown() => {
                open = Some(open.unwrap_or(true) && tried.row);
                possible.push(evaluate(result, row));
            }
            _ => {}
        }
    }
    possible.push(evaluate(default, row));
    merge(possible, open)
}

/// What comes out when any of `possible` may be the result; `open` tells whether the choice depends on the row.
fn merge(possible: Vec<Tried>, open: Option<bool>) -> Tried {
    let Some(choice_of_row) = open else {
        return possible.into_iter().next().unwrap_or_else(|| Tried::unknown(true));
    };
    let first = possible.first().map(|tried| tried.value.clone()).unwrap_or(Value::Unknown);
    if first != Value::Unknown && possible.iter().all(|tried| tried.value == first) {
        return Tried { value: first, row: true };
    }
    Tried::unknown(choice_of_row)
}

/// Whether one of the parts says the opposite of another.
fn has_opposites(parts: &[Expr]) -> bool {
    parts.iter().any(|part| match part {
        Expr::Not(inner) => parts.contains(inner),
        Expr::Is(Some(_), inner) => parts.contains(&Expr::Not(inner.clone())),
        _ => false,
    })
}

/// An empty array or object.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(parts) => parts.is_empty(),
        Value::Text(text) => text.chars().filter(|letter| !letter.is_whitespace()).eq("{}".chars()),
        _ => false,
    }
}

fn any_of(comparison: Comparison, left: &Expr, right: &Expr, row: &dyn Row) -> Tried {
    let a = evaluate(left, row);
    let parts: Vec<Tried> = match right {
        Expr::Array(parts) => parts
            .iter()
            .map(|part| {
                if part == left && a.value != Value::Null {
                    return Tried { value: Value::Bool(comparison.is_reflexive()), row: a.row };
                }
                compare(comparison, &a, &evaluate(part, row))
            })
            .collect(),
        _ => {
            let b = evaluate(right, row);
            match b.value {
                Value::Array(values) => values
                    .into_iter()
                    .map(|value| compare(comparison, &a, &Tried { value, row: b.row }))
                    .collect(),
                Value::Null => return Tried { value: Value::Null, row: a.row },
                Value::Text(text) => match value::elements(&text) {
                    Some(parts) => parts
                        .into_iter()
                        .map(|part| compare(comparison, &a, &Tried::constant(Value::Text(part.to_owned()))))
                        .collect(),
                    None => return Tried::unknown(a.row || b.row),
                },
                _ => return Tried::unknown(a.row || b.row),
            }
        }
    };
    let result = all(parts.into_iter(), true);
    Tried { row: result.row || a.row, value: result.value }
}

fn arithmetic(operator: char, a: &Tried, b: &Tried) -> Tried {
    let row = a.row || b.row;
    let (left, right) = match (&a.value, &b.value) {
        (Value::Null, _) | (_, Value::Null) => return Tried { value: Value::Null, row },
        (Value::Number(left), Value::Text(text)) => match text.trim().parse() {
            Ok(right) => (Value::Number(*left), Value::Number(right)),
            Err(_) => return Tried::unknown(row),
        },
        (Value::Time { .. }, Value::Text(text)) => match time::parse_span(text) {
            Some(span) => (a.value.clone(), Value::Span(span)),
            None => return Tried::unknown(row),
        },
        (left, right) => (left.clone(), right.clone()),
    };
    let value = match (operator, left, right) {
        ('|', left, right) => match (text_of(&left), text_of(&right)) {
            (Some(left), Some(right)) => Value::Text(left + &right),
            _ => Value::Unknown,
        },
        (_, Value::Number(left), Value::Number(right)) => number(operator, left, right),
        ('*', left @ Value::Range { .. }, right) | ('*', left, right @ Value::Range { .. }) => {
            match (range::ends(&left), range::ends(&right)) {
                (Some(left), Some(right)) => range::common(left, right),
                _ => Value::Unknown,
            }
        }
        ('+', Value::Time { at, clock }, Value::Span(span))
        | ('+', Value::Span(span), Value::Time { at, clock }) => Value::Time { at: at + span, clock },
        ('-', Value::Time { at, clock }, Value::Span(span)) => Value::Time { at: at - span, clock },
        ('+', Value::Time { at, clock }, Value::Number(days)) => {
            Value::Time { at: at + days * time::DAY, clock }
        }
        ('-', Value::Time { at, clock }, Value::Number(days)) => {
            Value::Time { at: at - days * time::DAY, clock }
        }
        ('-', Value::Time { at: left, clock: a }, Value::Time { at: right, clock: b }) => {
            let known = a == b
                || a == Clock::Sample
                || b == Clock::Sample
                || time::is_far(left)
                || time::is_far(right);
            if known { Value::Span(left - right) } else { Value::Unknown }
        }
        ('+', Value::Span(left), Value::Span(right)) => Value::Span(left + right),
        ('-', Value::Span(left), Value::Span(right)) => Value::Span(left - right),
        ('*', Value::Span(span), Value::Number(times)) | ('*', Value::Number(times), Value::Span(span)) => {
            Value::Span(span * times)
        }
        ('/', Value::Span(span), Value::Number(by)) if by != 0.0 => Value::Span(span / by),
        _ => Value::Unknown,
    };
    Tried { value, row }
}

fn number(operator: char, left: f64, right: f64) -> Value {
    let whole = left.fract() == 0.0 && right.fract() == 0.0;
    let bits = |with: fn(i64, i64) -> i64| {
        if whole { Value::Number(with(left as i64, right as i64) as f64) } else { Value::Unknown }
    };
    match operator {
        '+' => Value::Number(left + right),
        '-' => Value::Number(left - right),
        '*' => Value::Number(left * right),
        '/' if right != 0.0 && whole => Value::Number((left / right).trunc()),
        '/' if right != 0.0 => Value::Number(left / right),
        '%' if right != 0.0 => Value::Number(left % right),
        '^' => Value::Number(left.powf(right)),
        '&' => bits(|a, b| a & b),
        'o' => bits(|a, b| a | b),
        'l' if (0.0..63.0).contains(&right) => bits(|a, b| a.wrapping_shl(u32::try_from(b).unwrap_or(0))),
        'r' if (0.0..63.0).contains(&right) => bits(|a, b| a >> b),
        '#' => bits(|a, b| a ^ b),
        _ => Value::Unknown,
    }
}

fn text_of(value: &Value) -> Option<String> {
    Some(match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Time { at, .. } => at.to_string(),
        Value::Span(span) => span.to_string(),
        _ => return None,
    })
}

fn cast(tried: Tried, kind: &Kind) -> Tried {
    let row = tried.row;
    let value = match (kind, tried.value) {
        (_, Value::Null) => Value::Null,
        (_, Value::Unknown) => Value::Unknown,
        (Kind::Bool, Value::Number(number)) => Value::Bool(number != 0.0),
        (Kind::Bool, Value::Text(text)) => value::truth(&text).map_or(Value::Unknown, Value::Bool),
        (Kind::Integer(..), Value::Number(number)) => Value::Number(number.round()),
        (Kind::Integer(..) | Kind::Decimal, Value::Bool(truth)) => {
            Value::Number(if truth { 1.0 } else { 0.0 })
        }
        (Kind::Integer(..) | Kind::Decimal, Value::Text(text)) => {
            text.trim().parse().map_or(Value::Unknown, Value::Number)
        }
        (Kind::Time, Value::Text(text)) => time::parse(&text).unwrap_or(Value::Unknown),
        (Kind::Span | Kind::TimeOfDay, Value::Text(text)) => {
            time::parse_span(&text).map_or(Value::Unknown, Value::Span)
        }
        (Kind::TimeOfDay, Value::Time { .. }) => Value::Unknown,
        (Kind::Text | Kind::Uuid | Kind::Labels(_), value) => {
            text_of(&value).map_or(Value::Unknown, Value::Text)
        }
        (_, value) => value,
    };
    Tried { value, row }
}

fn call(function: Function, arguments: Vec<Tried>) -> Tried {
    let row = arguments.iter().any(|argument| argument.row);
    let values: Vec<&Value> = arguments.iter().map(|argument| &argument.value).collect();
    let counts_nulls =
        matches!(function, Function::NonNulls | Function::Nulls | Function::Concat | Function::Range);
    if !counts_nulls && values.contains(&&Value::Null) {
        return Tried { value: Value::Null, row };
    }
    let value = match (function, values.as_slice()) {
        (Function::Now, _) => Value::Time { at: time::NOW, clock: Clock::Now },
        (Function::Length, [value]) => match text_of(value) {
            Some(text) => Value::Number(text.chars().count() as f64),
            None => Value::Unknown,
        },
        (Function::Lower, [Value::Text(text)]) => Value::Text(text.to_lowercase()),
        (Function::Upper, [Value::Text(text)]) => Value::Text(text.to_uppercase()),
        (Function::Trim, [Value::Text(text), ..]) => Value::Text(text.trim().to_owned()),
        (Function::Abs, [Value::Number(number)]) => Value::Number(number.abs()),
        (Function::Negate, [Value::Number(number)]) => Value::Number(-number),
        (Function::Negate, [Value::Span(span)]) => Value::Span(-span),
        (Function::Sign, [Value::Number(number)]) => {
            Value::Number(if *number == 0.0 { 0.0 } else { number.signum() })
        }
        (Function::Floor, [Value::Number(number)]) => Value::Number(number.floor()),
        (Function::Ceil, [Value::Number(number)]) => Value::Number(number.ceil()),
        (Function::Round, [Value::Number(number), ..]) => Value::Number(number.round()),
        (Function::Mod, [Value::Number(left), Value::Number(right)]) => self::number('%', *left, *right),
        (Function::Position, [hay, needle]) => match (text_of(hay), text_of(needle)) {
            (Some(hay), Some(needle)) => Value::Number(hay.find(&needle).map_or(0.0, |at| at as f64 + 1.0)),
            _ => Value::Unknown,
        },
        (Function::StartsWith, [Value::Text(text), Value::Text(start)]) => {
            Value::Bool(text.starts_with(start.as_str()))
        }
        (Function::Concat, parts) => {
            let mut joined = String::new();
            for part in parts {
                match part {
                    Value::Null => {}
                    other => match text_of(other) {
                        Some(text) => joined.push_str(&text),
                        None => return Tried::unknown(row),
                    },
                }
            }
            Value::Text(joined)
        }
        (Function::Truncate, [Value::Number(at)]) => Value::Time { at: *at, clock: Clock::Fixed },
        (Function::Truncate, parts) => match parts.iter().find(|part| matches!(part, Value::Time { .. })) {
            Some(time) => (*time).clone(),
            None => match parts.last() {
                Some(Value::Text(text)) => time::parse(text).unwrap_or(Value::Unknown),
                _ => Value::Unknown,
            },
        },
        (Function::Extract, [Value::Text(field), Value::Time { at, clock }]) => match field.as_str() {
            "epoch" if *clock != Clock::Now => Value::Number(*at),
            "year" | "isoyear" if *clock != Clock::Now => Value::Number(time::year_of(*at)),
            "month" => Value::Number(((at / (30.44 * time::DAY)).floor()).rem_euclid(12.0) + 1.0),
            "day" => Value::Number((at / time::DAY).floor().rem_euclid(28.0) + 1.0),
            "hour" => Value::Number((at / 3600.0).floor().rem_euclid(24.0)),
            "minute" | "second" => Value::Number(at.floor().rem_euclid(60.0)),
            "dow" => Value::Number(((at / time::DAY).floor() + 4.0).rem_euclid(7.0)),
            "isodow" => Value::Number(((at / time::DAY).floor() + 3.0).rem_euclid(7.0) + 1.0),
            _ => Value::Unknown,
        },
        (Function::Extract, [Value::Text(field), Value::Span(span)]) if field == "epoch" => {
            Value::Number(*span)
        }
        (Function::IsFinite, [_]) => Value::Bool(true),
        (Function::MakeDate, [Value::Number(year), Value::Number(month), Value::Number(day), ..]) => {
            Value::Time {
                at: time::days_from_civil(*year as i64, *month as i64, *day as i64) as f64 * time::DAY,
                clock: Clock::Fixed,
            }
        }
        (Function::Range, [low, high, ..]) => range::between(low, high),
        (Function::Range, [Value::Text(text)]) => range::parse(text).unwrap_or(Value::Unknown),
        (Function::Lower, [Value::Range { low, .. }]) => range::end(*low),
        (Function::Upper, [Value::Range { high, .. }]) => range::end(*high),
        (Function::IsEmptyRange, [value]) => match range::ends(value) {
            Some(ends) => Value::Bool(range::is_empty(ends)),
            None => Value::Unknown,
        },
        (Function::Overlap, [Value::Array(left), Value::Array(right)]) => {
            let known = !left.contains(&Value::Unknown) && !right.contains(&Value::Unknown);
            let shared = left.iter().any(|part| *part != Value::Null && right.contains(part));
            if known { Value::Bool(shared) } else { Value::Unknown }
        }
        (Function::Overlap, [left, right]) => match (range::ends(left), range::ends(right)) {
            (Some(left), Some(right)) => Value::Bool(range::overlap(left, right)),
            _ => Value::Unknown,
        },
        (Function::NonNulls, parts) => {
            Value::Number(parts.iter().filter(|part| ***part != Value::Null).count() as f64)
        }
        (Function::Nulls, parts) => {
            Value::Number(parts.iter().filter(|part| ***part == Value::Null).count() as f64)
        }
        (Function::ArrayLength | Function::Cardinality, [array, ..]) => {
            let length = match array {
                Value::Array(parts) => parts.len(),
                // A column's array stands as some text: as good as any length.
                Value::Text(text) if row => text.len() % 4,
                _ => return Tried::unknown(row),
            };
            match (function, length) {
                (Function::ArrayLength, 0) => Value::Null,
                _ => Value::Number(length as f64),
            }
        }
        (Function::Day, [Value::Time { at, clock }]) => {
            Value::Time { at: (at / time::DAY).floor() * time::DAY, clock: *clock }
        }
        (Function::Day, [Value::Text(text)]) => time::parse(text).unwrap_or(Value::Unknown),
        (
            Function::PatternReplace,
            [Value::Text(text), Value::Text(pattern), Value::Text(to), flags @ ..],
        ) => {
            let flags = flags.iter().map(|flags| text_of(flags).unwrap_or_default()).collect::<String>();
            match pattern::replaced(text, pattern, to, flags.contains('i'), flags.contains('g')) {
                Some(text) => Value::Text(text),
                None => Value::Unknown,
            }
        }
        (Function::PatternCount, [Value::Text(text), Value::Text(pattern), ..]) => {
            pattern::count(text, pattern).map_or(Value::Unknown, |count| Value::Number(count as f64))
        }
        (Function::PatternMatch, [Value::Text(text), Value::Text(pattern), ..]) => {
            match pattern::matches(text, pattern, false) {
                Some(true) => Value::Array(vec![Value::Text(text.clone())]),
                Some(false) => Value::Null,
                None => Value::Unknown,
            }
        }
        (Function::Substring, [Value::Text(text), Value::Number(from), rest @ ..]) => {
            let end = match rest {
                [] => f64::INFINITY,
                [Value::Number(length), ..] if *length >= 0.0 => from + length,
                _ => return Tried::unknown(row),
            };
            let kept = text.chars().zip(1u32..).filter(|(_, at)| (*from..end).contains(&f64::from(*at)));
            Value::Text(kept.map(|(letter, _)| letter).collect())
        }
        (Function::Repeat, [Value::Text(text), Value::Number(times)]) if *times <= 100.0 => {
            Value::Text(text.repeat(times.max(0.0) as usize))
        }
        (Function::CodeOfFirst, [Value::Text(text)]) => {
            Value::Number(text.chars().next().map_or(0.0, |letter| f64::from(u32::from(letter))))
        }
        (Function::Quote, [value]) => match text_of(value) {
            Some(text) => Value::Text(format!("'{}'", text.replace('\'', "''"))),
            None => Value::Unknown,
        },
        (Function::JsonType, [Value::Text(text)]) if row => {
            // A column's document stands as some text: as good as any kind.
            let kinds = ["object", "array", "string", "number", "boolean", "null"];
            Value::Text(kinds.get(text.len() % kinds.len()).copied().unwrap_or("object").to_owned())
        }
        (Function::Reverse, [Value::Text(text)]) => Value::Text(text.chars().rev().collect()),
        (Function::Overlaps, [from, to, other_from, other_to]) => {
            match (value::order(from, other_to), value::order(other_from, to), value::order(from, other_from))
            {
                (Some(starts), Some(other_starts), Some(together)) => {
                    Value::Bool(together.is_eq() || starts.is_lt() && other_starts.is_lt())
                }
                _ => Value::Unknown,
            }
        }
        (Function::Digest, _) => {
            let mut hasher = DefaultHasher::new();
            format!("{values:?}").hash(&mut hasher);
            let half = format!("{:016x}", hasher.finish());
            Value::Text(format!("{half}{half}"))
        }
        (Function::Left, [Value::Text(text), Value::Number(count)]) => {
            Value::Text(text.chars().take(if *count > 0.0 { *count as usize } else { 0 }).collect())
        }
        (Function::Replace, [Value::Text(text), Value::Text(from), Value::Text(to)]) if !from.is_empty() => {
            Value::Text(text.replace(from.as_str(), to))
        }
        _ => Value::Unknown,
    };
    Tried { value, row }
}
