//! The values that a column is tried with.

use super::time::{self, DAY, FAR_FUTURE, LONG_PAST, NOW, YEAR};
use super::value::{Clock, Value};
use crate::catalogue::Kind;

pub(super) fn numbers(
    pool: &mut Vec<Value>,
    counted: bool,
    not_negative: bool,
    kind: &Kind,
    constants: &[Value],
) {
    let (mut low, mut high) = match kind {
        Kind::Integer(low, high) => (*low, *high),
        _ => (f64::NEG_INFINITY, f64::INFINITY),
    };
    // An application's numbers stay far from the ends of their type.
    let far = if high > 4e9 { 9e18 } else { 999_999_998.0 };
    low = low.max(-far);
    high = high.min(far);
    // The ends of a whole number's type, written out: the column is of that type.
    if constants.iter().any(|constant| matches!(constant, Value::Number(number) if number.abs() == 2_147_483_647.0 || number.abs() == 2_147_483_648.0)) {
        low = low.max(-2_147_483_647.0);
        high = high.min(2_147_483_646.0);
    }
    if counted {
        low = low.max(1.0);
    } else if not_negative {
        low = low.max(0.0);
    }
    let mut add = |number: f64| {
        if (low..=high).contains(&number) && !pool.contains(&Value::Number(number)) {
            pool.push(Value::Number(number));
        }
    };
    add(7.0);
    add(43.0);
    add(1_001.0);
    if matches!(kind, Kind::Decimal) && !counted {
        add(7.25);
    }
    for constant in constants {
        let number = match constant {
            Value::Number(number) => *number,
            Value::Text(text) => match text.trim().parse() {
                Ok(number) => number,
                Err(_) => continue,
            },
            _ => continue,
        };
        if counted && number >= 999_999_999.0 && is_round(number) {
            continue;
        }
        let step = if number.abs() > 1e15 { number.abs() * 1e-12 } else { 1.0 };
        add(number - step);
        add(number + step);
        add(number);
        if matches!(kind, Kind::Decimal | Kind::Unknown) {
            add(number - 0.5);
            add(number + 0.5);
        }
    }
    for number in [1.0, 2.0, 3.0, 10.0, 250_000.0, 0.0, -5.0, -250_000.0] {
        add(number);
    }
}

/// 999…, 10…0 and the like: a bound written to reach everything.
fn is_round(number: f64) -> bool {
    let digits = format!("{:.0}", number.abs());
    let rest = digits.get(1..).unwrap_or("");
    digits.chars().all(|digit| digit == '9') || rest.chars().all(|digit| digit == '0') || number >= 9.2e18
}

pub(super) fn times(pool: &mut Vec<Value>, past: bool, constants: &[Value]) {
    let mut add = |at: f64| {
        if (LONG_PAST..FAR_FUTURE).contains(&at) {
            pool.push(Value::Time { at, clock: Clock::Sample });
        }
    };
    add(NOW - 400.0 * DAY);
    if !past {
        add(NOW + 400.0 * DAY);
    }
    add(NOW - 1.0);
    for constant in constants {
        let moment = match constant {
            Value::Time { at, clock } => Some((*at, *clock)),
            Value::Text(text) => match time::parse(text) {
                Some(Value::Time { at, clock }) => Some((at, clock)),
                _ => None,
            },
            Value::Span(span) => {
                add(NOW - span - DAY);
                if !past || *span > 60.0 {
                    add(NOW - span + 60.0);
                }
                if !past {
                    add(NOW + span + DAY);
                }
                None
            }
            _ => None,
        };
        if let Some((at, clock)) = moment.filter(|(at, _)| at.is_finite()) {
            for near in [at - DAY, at - 1.0, at, at + 1.0, at + DAY] {
                if !(past && clock == Clock::Now && near >= NOW) {
                    add(near);
                }
            }
        }
    }
    for back in [3600.0, 8.0 * DAY, 45.0 * DAY, 3.0 * YEAR, 12.0 * YEAR] {
        add(NOW - back);
        if !past {
            add(NOW + back);
        }
    }
}

/// Leaves the days of the moments.
pub(super) fn whole_days(pool: &mut Vec<Value>) {
    let mut days: Vec<Value> = Vec::new();
    for value in pool.drain(..) {
        let value = match value {
            Value::Time { at, clock } => Value::Time { at: (at / DAY).floor() * DAY, clock },
            other => other,
        };
        if !days.contains(&value) {
            days.push(value);
        }
    }
    *pool = days;
}

pub(super) fn spans(pool: &mut Vec<Value>, constants: &[Value]) {
    for constant in constants {
        let span = match constant {
            Value::Span(span) => *span,
            Value::Text(text) => match time::parse_span(text) {
                Some(span) => span,
                None => continue,
            },
            _ => continue,
        };
        pool.extend([span - 1.0, span, span + 1.0].map(Value::Span));
    }
}

pub(super) fn texts(pool: &mut Vec<Value>, can_be_empty: Option<bool>, constants: &[Value]) {
    let mut add = |text: String| {
        let value = Value::Text(text);
        if !pool.contains(&value) {
            pool.push(value);
        }
    };
    add("zq7x".to_owned());
    add("Mwk 4".to_owned());
    add("QX 9".to_owned());
    add(" m ".to_owned());
    for constant in constants {
        if let Value::Text(text) = constant {
            if text.is_empty() {
                continue;
            }
            add(text.clone());
            let bare: String = text.trim_matches('%').to_owned();
            add(bare.clone());
            add(format!("{bare}q"));
            add(format!("q{bare}"));
        }
        if let Value::Number(number) = constant {
            let wanted = number.clamp(1.0, 1_000.0);
            add("k".repeat(wanted as usize));
            add("k".repeat((wanted as usize).saturating_add(1)));
            add(number.to_string());
        }
    }
    // A text of a certain length that also holds what is looked for.
    let parts = constants.iter().filter_map(|constant| match constant {
        Value::Text(text) => Some(text.trim_matches('%')).filter(|bare| !bare.is_empty()),
        _ => None,
    });
    let mut bare: Vec<&str> = Vec::new();
    for part in parts {
        if bare.len() < 4 && !bare.contains(&part) {
            bare.push(part);
        }
    }
    for bare in bare {
        for constant in constants {
            if let Value::Number(number) = constant {
                let wanted = (number.clamp(1.0, 1_000.0) as usize).saturating_sub(bare.chars().count());
                add(format!("{}{bare}", "k".repeat(wanted)));
                add(format!("{}{bare}", "k".repeat(wanted.saturating_add(1))));
                add(bare.chars().cycle().take(number.clamp(1.0, 1_000.0) as usize).collect());
            }
        }
    }
    add("k".to_owned());
    add("a longer piece of text, with a comma".to_owned());
    if can_be_empty != Some(false) {
        add(String::new());
    }
}

pub(super) fn uuids(pool: &mut Vec<Value>, constants: &[Value]) {
    const PLAIN: [&str; 3] = [
        "3f2a6c1e-9b0d-4e57-8a41-c5d27e90b6f3",
        "0b7e41d9-52c8-4a16-9f3d-6e8a0c4b1d75",
        "e94d0f82-7a3b-4c65-b1d8-2f5e9a7c3b06",
    ];
    let mut add = |text: String| {
        let value = Value::Text(text);
        if !pool.contains(&value) {
            pool.push(value);
        }
    };
    PLAIN.iter().for_each(|text| add((*text).to_owned()));
    for constant in constants {
        let Value::Text(text) = constant else { continue };
        let bare = text.trim_matches(['%', '{', '}']).to_ascii_lowercase();
        if bare.is_empty() || bare.chars().any(|c| !(c.is_ascii_hexdigit() || c == '-')) {
            continue;
        }
        // What is looked for, at the beginning and at the end.
        for plain in PLAIN.iter().take(1) {
            let (head, tail) = (plain.get(bare.len()..), plain.get(..plain.len().saturating_sub(bare.len())));
            add(format!("{bare}{}", head.unwrap_or("")));
            add(format!("{}{bare}", tail.unwrap_or("")));
        }
    }
}
