//! The values that a predicate is tried on, and PostgreSQL's three-valued comparisons over them.

use std::cmp::Ordering;

use super::{range, time};

/// A value while a predicate is tried on a sample row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    /// Seconds since 1970.
    Time {
        at: f64,
        clock: Clock,
    },
    /// Seconds; a month counts 30 days.
    Span(f64),
    Row(Vec<Value>),
    Array(Vec<Value>),
    Range {
        low: f64,
        high: f64,
    },
    /// Not known: the same for every row unless the carrying [`Tried`] says otherwise.
    Unknown,
}

/// What a point in time is tied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// Written in the statement.
    Fixed,
    /// Derived from `now()`.
    Now,
    /// A sample of a column; may be compared with both.
    Sample,
}

/// A value and whether it came from the row that is tried.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tried {
    pub value: Value,
    pub row: bool,
}

impl Tried {
    pub fn constant(value: Value) -> Tried {
        Tried { value, row: false }
    }

    pub fn unknown(row: bool) -> Tried {
        Tried { value: Value::Unknown, row }
    }

    pub fn is_unknown(&self) -> bool {
        self.value == Value::Unknown
    }
}

/// The six comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub fn of(operator: &str) -> Option<Comparison> {
        Some(match operator {
            "=" | "==" => Comparison::Equal,
            "<>" | "!=" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return None,
        })
    }

    /// `int4eq`, `texteq`, `date_ge` and their kin: an operator spelled as a function.
    pub fn of_function(name: &str) -> Option<Comparison> {
        let (stem, comparison) = [
            ("eq", Comparison::Equal),
            ("ne", Comparison::NotEqual),
            ("lt", Comparison::Less),
            ("le", Comparison::LessOrEqual),
            ("gt", Comparison::Greater),
            ("ge", Comparison::GreaterOrEqual),
        ]
        .into_iter()
        .find_map(|(suffix, comparison)| name.strip_suffix(suffix).map(|stem| (stem, comparison)))?;
        let stem = stem.trim_end_matches('_');
        matches!(
            stem,
            "int2"
                | "int4"
                | "int8"
                | "int24"
                | "int42"
                | "int48"
                | "int84"
                | "int28"
                | "int82"
                | "float4"
                | "float8"
                | "numeric"
                | "text"
                | "bpchar"
                | "name"
                | "date"
                | "timestamp"
                | "timestamptz"
                | "time"
                | "bool"
                | "oid"
                | "tid"
                | "xid"
                | "uuid"
                | "char"
                | "record"
                | "array"
                | "citext"
                | "interval"
                | "bytea"
                | "enum"
                | "jsonb"
                | "cash"
                | "network"
        )
        .then_some(comparison)
    }

    pub fn negated(self) -> Comparison {
        match self {
            Comparison::Equal => Comparison::NotEqual,
            Comparison::NotEqual => Comparison::Equal,
            Comparison::Less => Comparison::GreaterOrEqual,
            Comparison::LessOrEqual => Comparison::Greater,
            Comparison::Greater => Comparison::LessOrEqual,
            Comparison::GreaterOrEqual => Comparison::Less,
        }
    }

    /// With the sides exchanged.
    pub fn turned(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
            other => other,
        }
    }

    /// Whether a value compared with itself passes.
    pub fn is_reflexive(self) -> bool {
        matches!(self, Comparison::Equal | Comparison::LessOrEqual | Comparison::GreaterOrEqual)
    }

    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Comparison::Equal => order == Ordering::Equal,
            Comparison::NotEqual => order != Ordering::Equal,
            Comparison::Less => order == Ordering::Less,
            Comparison::LessOrEqual => order != Ordering::Greater,
            Comparison::Greater => order == Ordering::Greater,
            Comparison::GreaterOrEqual => order != Ordering::Less,
        }
    }
}

/// PostgreSQL's comparison of two values: true, false, null, or not known.
pub(crate) fn compare(comparison: Comparison, left: &Tried, right: &Tried) -> Tried {
    let row = left.row || right.row;
    if left.value == Value::Null || right.value == Value::Null {
        return Tried { value: Value::Null, row };
    }
    let value = match order(&left.value, &right.value) {
        Some(order) => Value::Bool(comparison.holds(order)),
        None => Value::Unknown,
    };
    Tried { value, row }
}

/// How two values that are not null compare; `None` when that cannot be told.
pub(crate) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => Some(number_order(*a, *b)),
        (Value::Span(a), Value::Span(b)) => a.partial_cmp(b),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Time { at: a, clock: left }, Value::Time { at: b, clock: right }) => {
            let mixed = matches!((left, right), (Clock::Fixed, Clock::Now) | (Clock::Now, Clock::Fixed));
            let fixed = if *left == Clock::Fixed { a } else { b };
            if mixed && !time::is_far(*fixed) { None } else { a.partial_cmp(b) }
        }
        (Value::Number(a), Value::Text(b)) => Some(number_order(*a, b.trim().parse().ok()?)),
        (Value::Text(a), Value::Number(b)) => Some(number_order(a.trim().parse().ok()?, *b)),
        (Value::Time { .. }, Value::Text(text)) => order(left, &time::parse(text)?),
        (Value::Text(text), Value::Time { .. }) => order(&time::parse(text)?, right),
        (Value::Span(a), Value::Text(text)) => a.partial_cmp(&time::parse_span(text)?),
        (Value::Text(text), Value::Span(b)) => time::parse_span(text)?.partial_cmp(b),
        (Value::Bool(a), Value::Text(text)) => Some(a.cmp(&truth(text)?)),
        (Value::Text(text), Value::Bool(b)) => Some(truth(text)?.cmp(b)),
        (Value::Range { .. }, _) | (_, Value::Range { .. }) => {
            range::order(range::ends(left)?, range::ends(right)?)
        }
        (Value::Row(a), Value::Row(b)) | (Value::Array(a), Value::Array(b)) => {
            for (a, b) in a.iter().zip(b) {
                match order(a, b)? {
                    Ordering::Equal => {}
                    other => return Some(other),
                }
            }
            Some(a.len().cmp(&b.len()))
        }
        _ => None,
    }
}

/// PostgreSQL puts what is not a number after all numbers.
fn number_order(a: f64, b: f64) -> Ordering {
    // Decimals are exact there: `0.1 + 0.2 = 0.3`.
    let fractions = a.fract() != 0.0 || b.fract() != 0.0;
    if fractions
        && a.is_finite()
        && b.is_finite()
        && (a - b).abs() <= 4.0 * f64::EPSILON * a.abs().max(b.abs())
    {
        return Ordering::Equal;
    }
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// The elements of `{a,b}`; `None` when it is no such text, or quoted.
pub(crate) fn elements(text: &str) -> Option<Vec<&str>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let parts = inner.split(',').map(str::trim).filter(|part| !part.is_empty());
    (!text.contains('"')).then(|| parts.collect())
}

/// The words that PostgreSQL takes for true and false.
pub(crate) fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "t" | "tr" | "tru" | "true" | "y" | "ye" | "yes" | "on" | "1" => Some(true),
        "f" | "fa" | "fal" | "fals" | "false" | "n" | "no" | "of" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// `LIKE`, with `escape` as the escape character.
pub(crate) fn like(text: &str, pattern: &str, escape: Option<char>, fold_case: bool) -> bool {
    #[derive(PartialEq)]
    enum Part {
        Any,
        One,
        Just(char),
    }
    let fold = |c: char| if fold_case { c.to_ascii_lowercase() } else { c };
    let mut parts = Vec::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if Some(letter) == escape {
            parts.push(Part::Just(fold(letters.next().unwrap_or(letter))));
        } else {
            match letter {
                '%' if parts.last() == Some(&Part::Any) => {}
                '%' => parts.push(Part::Any),
                '_' => parts.push(Part::One),
                other => parts.push(Part::Just(fold(other))),
            }
        }
    }
    let letters: Vec<char> = text.chars().map(fold).collect();
    let (mut at, mut part) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < letters.len() {
        match (parts.get(part), letters.get(at)) {
            (Some(Part::Any), _) => {
                retry = Some((part, at));
                part += 1;
            }
            (Some(Part::One), _) => {
                at += 1;
                part += 1;
            }
            (Some(Part::Just(wanted)), Some(letter)) if wanted == letter => {
                at += 1;
                part += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    part = star + 1;
                    at = from + 1;
                }
                None => return false,
            },
        }
    }
    parts.iter().skip(part).all(|part| *part == Part::Any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_follows_postgresql() {
        for (text, pattern, expected) in [
            ("abc", "%", true),
            ("", "%", true),
            ("", "_", false),
            ("abc", "a%", true),
            ("abc", "%c", true),
            ("abc", "%b%", true),
            ("abc", "_b_", true),
            ("abc", "b%", false),
            ("a%c", "a\\%c", true),
            ("abc", "a\\%c", false),
            ("aab", "%ab", true),
        ] {
            assert_eq!(like(text, pattern, Some('\\'), false), expected, "{text} LIKE {pattern}");
        }
        assert!(like("ABC", "%b%", Some('\\'), true));
    }
}
