//! Ranges of numbers and of moments, as far as tests on them need it: bounds are taken to be inclusive.

use std::cmp::Ordering;

use super::time::{self, DAY, NOW};
use super::value::{Clock, Value};

const EMPTY: Value = Value::Range { low: f64::INFINITY, high: f64::NEG_INFINITY };

/// A moment is a number of seconds since 1970; numbers this large are moments.
const FIRST_MOMENT: f64 = 1e8;

/// `int4range(low, high)` and the like; null is no bound.
pub(super) fn between(low: &Value, high: &Value) -> Value {
    let low = if *low == Value::Null { Some(f64::NEG_INFINITY) } else { bound(low) };
    let high = if *high == Value::Null { Some(f64::INFINITY) } else { bound(high) };
    match (low, high) {
        (Some(low), Some(high)) => Value::Range { low, high },
        _ => Value::Unknown,
    }
}

fn bound(value: &Value) -> Option<f64> {
    match value {
        Value::Number(at) | Value::Time { at, .. } => Some(*at),
        Value::Text(text) => match text.trim().parse() {
            Ok(number) => Some(number),
            Err(_) => match time::parse(text) {
                Some(Value::Time { at, .. }) => Some(at),
                _ => None,
            },
        },
        _ => None,
    }
}

/// `[1,5)`, `(,2024-01-01]`, `empty`.
pub(super) fn parse(text: &str) -> Option<Value> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("empty") {
        return Some(EMPTY);
    }
    let inner = text.strip_prefix(['[', '('])?.strip_suffix([']', ')'])?;
    let (low, high) = inner.split_once(',')?;
    let side = |part: &str| {
        let part = part.trim().trim_matches('"');
        if part.is_empty() { Value::Null } else { Value::Text(part.to_owned()) }
    };
    Some(between(&side(low), &side(high))).filter(|range| *range != Value::Unknown)
}

/// The ends of a range, which may be written out; `None` when it is none.
pub(super) fn ends(value: &Value) -> Option<(f64, f64)> {
    match value {
        Value::Range { low, high } => Some((*low, *high)),
        Value::Text(text) => match parse(text)? {
            Value::Range { low, high } => Some((low, high)),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn is_empty((low, high): (f64, f64)) -> bool {
    low > high
}

pub(super) fn contains((low, high): (f64, f64), part: (f64, f64)) -> bool {
    is_empty(part) || (low <= part.0 && part.1 <= high)
}

pub(super) fn overlap(left: (f64, f64), right: (f64, f64)) -> bool {
    !is_empty(left) && !is_empty(right) && left.0 <= right.1 && right.0 <= left.1
}

pub(super) fn common(left: (f64, f64), right: (f64, f64)) -> Value {
    let (low, high) = (left.0.max(right.0), left.1.min(right.1));
    if low > high { EMPTY } else { Value::Range { low, high } }
}

/// `lower` and `upper`: null where there is no bound.
pub(super) fn end(at: f64) -> Value {
    if !at.is_finite() {
        Value::Null
    } else if at.abs() >= FIRST_MOMENT {
        Value::Time { at, clock: Clock::Sample }
    } else {
        Value::Number(at)
    }
}

pub(super) fn order(left: (f64, f64), right: (f64, f64)) -> Option<Ordering> {
    match (is_empty(left), is_empty(right)) {
        (false, false) => left.partial_cmp(&right),
        (left, right) => Some(right.cmp(&left)),
    }
}

/// Ranges around what is mentioned, with and without ends.
pub(super) fn samples(pool: &mut Vec<Value>, constants: &[Value]) {
    let mut add = |low: f64, high: f64| {
        let value = Value::Range { low, high };
        if low <= high && !pool.contains(&value) {
            pool.push(value);
        }
    };
    add(NOW - 400.0 * DAY, NOW - 300.0 * DAY);
    add(NOW + 300.0 * DAY, NOW + 400.0 * DAY);
    add(f64::NEG_INFINITY, NOW - 4_000.0 * DAY);
    add(NOW + 4_000.0 * DAY, f64::INFINITY);
    add(1.0, 5.0);
    add(300.0, 400.0);
    for constant in constants {
        let ends = match constant {
            Value::Number(at) | Value::Time { at, .. } => (*at, *at),
            other => match ends(other) {
                Some(ends) => ends,
                None => continue,
            },
        };
        let (low, high) = ends;
        let step = if low.abs().max(high.abs()) >= FIRST_MOMENT { DAY } else { 1.0 };
        add(low, high);
        add(low - 9.0 * step, low - 2.0 * step);
        add(high + 2.0 * step, high + 9.0 * step);
        add(low - step, high + step);
        add(low + step, high - step);
    }
    add(f64::NEG_INFINITY, f64::INFINITY);
    pool.push(EMPTY);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_follow_postgresql() {
        let range = |text: &str| parse(text).and_then(|value| ends(&value)).expect(text);
        assert!(contains(range("(,)"), range("[1,5)")));
        assert!(contains(range("[1,5)"), range("empty")));
        assert!(!contains(range("[2,3]"), range("(,3]")));
        assert!(overlap(range("[1,5]"), range("[5,)")));
        assert!(!overlap(range("(,)"), range("empty")));
        assert_eq!(common(range("[1,5]"), range("[7,9]")), EMPTY);
        assert_eq!(order(range("empty"), range("(,)")), Some(Ordering::Less));
        assert_eq!(end(range("(,3]").0), Value::Null);
        assert!(matches!(end(range("[2024-01-01,)").0), Value::Time { .. }));
        assert_eq!(parse("1,5"), None);
    }
}
