//! Dates, timestamps and intervals as PostgreSQL reads them, as far as folding needs it.

use super::value::{Clock, Value};

/// The moment that stands for `now()` while predicates are tried: any moment would do, because only distances count.
pub(crate) const NOW: f64 = 1_767_268_800.0;
pub(crate) const DAY: f64 = 86_400.0;
pub(crate) const YEAR: f64 = 365.25 * DAY;
/// Nothing that an application keeps is older than this (2000-01-01).
pub(crate) const LONG_PAST: f64 = 946_684_800.0;
/// Nothing that an application keeps is later than this (2090-01-01).
pub(crate) const FAR_FUTURE: f64 = 3_786_912_000.0;

/// Whether a fixed moment is so far from today that its order to `now()` needs no clock.
pub(crate) fn is_far(at: f64) -> bool {
    !(1_700_000_000.0..FAR_FUTURE).contains(&at)
}

/// A date or timestamp literal.
pub(crate) fn parse(text: &str) -> Option<Value> {
    let text = text.trim();
    let fixed = |at| Some(Value::Time { at, clock: Clock::Fixed });
    let now = |at| Some(Value::Time { at, clock: Clock::Now });
    match text.to_ascii_lowercase().as_str() {
        "infinity" | "+infinity" => return fixed(f64::INFINITY),
        "-infinity" => return fixed(f64::NEG_INFINITY),
        "epoch" => return fixed(0.0),
        "now" | "today" => return now(NOW),
        "tomorrow" => return now(NOW + DAY),
        "yesterday" => return now(NOW - DAY),
        _ => {}
    }
    let (text, before_christ) = match text.strip_suffix("BC").or_else(|| text.strip_suffix("bc")) {
        Some(rest) => (rest.trim_end(), true),
        None => (text, false),
    };
    let (date, clock) = match text.find([' ', 'T', 't']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?.trim()),
        None => (text, ""),
    };
    let days = parse_date(date, before_christ)?;
    let seconds = if clock.is_empty() { 0.0 } else { parse_clock(clock)? };
    fixed(days * DAY + seconds)
}

fn parse_date(text: &str, before_christ: bool) -> Option<f64> {
    let parts: Vec<&str> = text.split(['-', '/', '.']).collect();
    let numbers: Vec<i64> = parts.iter().map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let (year, month, day) = match (numbers.as_slice(), parts.as_slice()) {
        ([year, month, day], [first, ..]) if first.len() >= 4 => (*year, *month, *day),
        ([first, second, year], [_, _, last]) if last.len() == 4 => {
            // Month first, unless it cannot be.
            if *first > 12 { (*year, *second, *first) } else { (*year, *first, *second) }
        }
        ([packed], [only]) if only.len() == 8 => (packed / 10_000, packed / 100 % 100, packed % 100),
        _ => return None,
    };
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if before_christ { 1 - year } else { year };
    Some(days_from_civil(year, month, day) as f64)
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year.saturating_sub(1) } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era.saturating_mul(146_097).saturating_add(day_of_era).saturating_sub(719_468)
}

/// The year that a moment is in.
pub(crate) fn year_of(at: f64) -> f64 {
    let about = (1970.0 + at / YEAR).floor();
    let begins = |year: f64| days_from_civil(year as i64, 1, 1) as f64 * DAY;
    [about + 1.0, about, about - 1.0].into_iter().find(|year| begins(*year) <= at).unwrap_or(about)
}

fn parse_clock(text: &str) -> Option<f64> {
    let text = text.trim_end_matches(['Z', 'z']).trim_end_matches(" UTC").trim();
    let (clock, offset) = match text.rfind(['+', '-']) {
        Some(at) => {
            let sign = if text.get(at..)?.starts_with('-') { -1.0 } else { 1.0 };
            let mut parts = text.get(at + 1..)?.split(':');
            let hours: f64 = parts.next()?.parse().ok()?;
            let minutes: f64 = parts.next().map_or(Some(0.0), |part| part.parse().ok())?;
            (text.get(..at)?.trim(), sign * (hours * 3600.0 + minutes * 60.0))
        }
        None => (text, 0.0),
    };
    let mut seconds = 0.0;
    for (part, unit) in clock.split(':').zip([3600.0, 60.0, 1.0]) {
        seconds += part.trim().parse::<f64>().ok()? * unit;
    }
    Some(seconds - offset)
}

/// An interval literal, in seconds.
pub(crate) fn parse_span(text: &str) -> Option<f64> {
    let lower = text.trim().to_ascii_lowercase();
    let (body, ago) = match lower.strip_suffix("ago") {
        Some(rest) => (rest.trim(), -1.0),
        None => (lower.as_str(), 1.0),
    };
    if let Some(iso) = body.strip_prefix('p') {
        return parse_iso_span(iso).map(|span| span * ago);
    }
    let mut total = 0.0;
    let mut number: Option<f64> = None;
    for word in body.trim_start_matches('@').split_whitespace() {
        if word.contains(':') {
            let negative = word.starts_with('-');
            let mut seconds = 0.0;
            for (part, unit) in word.trim_start_matches(['-', '+']).split(':').zip([3600.0, 60.0, 1.0]) {
                seconds += part.parse::<f64>().ok()? * unit;
            }
            total += if negative { -seconds } else { seconds };
            continue;
        }
        let split = word.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(word.len());
        let (digits, name) = (word.get(..split)?, word.get(split..)?);
        if !digits.is_empty() {
            number = Some(digits.parse().ok()?);
        }
        if !name.is_empty() {
            total += number.take()? * unit(name)?;
        }
    }
    if let Some(bare) = number {
        total += bare;
    }
    Some(total * ago)
}

fn parse_iso_span(text: &str) -> Option<f64> {
    let mut total = 0.0;
    let mut digits = String::new();
    let mut in_time = false;
    for letter in text.chars() {
        match letter {
            't' => in_time = true,
            '0'..='9' | '.' | '-' => digits.push(letter),
            _ => {
                let value: f64 = digits.parse().ok()?;
                digits.clear();
                total += value
                    * match letter {
                        'y' => YEAR,
                        'm' if in_time => 60.0,
                        'm' => 30.0 * DAY,
                        'w' => 7.0 * DAY,
                        'd' => DAY,
                        'h' => 3600.0,
                        's' => 1.0,
                        _ => return None,
                    };
            }
        }
    }
    Some(total)
}

/// The seconds in a unit of an interval.
pub(crate) fn unit(name: &str) -> Option<f64> {
    let name = name.trim_end_matches(',');
    Some(match name.strip_suffix('s').filter(|stem| !stem.is_empty()).unwrap_or(name) {
        "microsecond" | "usec" | "u" => 0.000_001,
        "millisecond" | "msec" | "m_" => 0.001,
        "second" | "sec" | "s" => 1.0,
        "minute" | "min" | "m" => 60.0,
        "hour" | "hr" | "h" => 3600.0,
        "day" | "d" => DAY,
        "week" | "w" => 7.0 * DAY,
        "month" | "mon" => 30.0 * DAY,
        "quarter" => 90.0 * DAY,
        "year" | "yr" | "y" => YEAR,
        "decade" => 10.0 * YEAR,
        "century" | "centurie" => 100.0 * YEAR,
        "millennium" => 1000.0 * YEAR,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_of_many_shapes() {
        let at = |text| match parse(text) {
            Some(Value::Time { at, .. }) => at,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(at("1970-01-01"), 0.0);
        assert_eq!(at("2000-01-01"), LONG_PAST);
        assert_eq!(at("2090-01-01"), FAR_FUTURE);
        assert_eq!(at("2000-01-01 00:00:00+00"), LONG_PAST);
        assert_eq!(at("2000-01-01T01:00:00Z"), LONG_PAST + 3600.0);
        assert!(at("4713-01-01 BC") < -2e11);
        assert_eq!(parse("new"), None);
        assert_eq!(parse_span("90 days"), Some(90.0 * DAY));
        assert_eq!(parse_span("1 day 02:00:00"), Some(DAY + 7200.0));
        assert_eq!(parse_span("P1DT2H"), Some(DAY + 7200.0));
        assert_eq!(parse_span("1h"), Some(3600.0));
    }
}
