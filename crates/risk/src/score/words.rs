//! Numbers and names as people say them.

use daypass_domain::Environment;

/// Who a sentence is read by. Verb forms agree in both: "you have", "they have".
#[derive(Clone, Copy)]
pub(super) enum Reader {
    Requester,
    Other,
}

impl Reader {
    pub(super) fn they(self) -> &'static str {
        match self {
            Self::Requester => "you",
            Self::Other => "they",
        }
    }

    pub(super) fn their(self) -> &'static str {
        match self {
            Self::Requester => "your",
            Self::Other => "their",
        }
    }
}

pub(super) fn environment(environment: Environment) -> &'static str {
    match environment {
        Environment::Dev => "development",
        Environment::Staging => "staging",
        Environment::Prod => "production",
    }
}

pub(super) fn duration(minutes: u32) -> String {
    match minutes {
        0..60 => counted(minutes, "minute"),
        60.. if minutes.is_multiple_of(1440) => counted(minutes / 1440, "day"),
        60.. if minutes.is_multiple_of(60) => counted(minutes / 60, "hour"),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

pub(super) fn counted(number: u32, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

pub(super) fn ordinal(number: u32) -> String {
    match number {
        1 => "first".to_owned(),
        2 => "second".to_owned(),
        3 => "third".to_owned(),
        4 => "fourth".to_owned(),
        5 => "fifth".to_owned(),
        _ => {
            let suffix = match (number % 10, number % 100) {
                (_, 11..=13) => "th",
                (1, _) => "st",
                (2, _) => "nd",
                (3, _) => "rd",
                _ => "th",
            };
            format!("{number}{suffix}")
        }
    }
}

/// "one a day", "4 a day", "one in 3 days".
pub(super) fn pace(times: u32, days: u32) -> String {
    let (times, days) = (times.max(1), days.max(1));
    match (times.saturating_add(days / 2)) / days {
        0 | 1 => "one a day".to_owned(),
        each => format!("{each} a day"),
    }
}

pub(super) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_say_them() {
        for (minutes, expected) in [
            (1, "1 minute"),
            (30, "30 minutes"),
            (60, "1 hour"),
            (90, "1 h 30 min"),
            (480, "8 hours"),
            (1440, "1 day"),
        ] {
            assert_eq!(duration(minutes), expected);
        }
        assert_eq!(
            ["third", "11th", "21st", "112th", "42nd"].map(str::to_owned),
            [3, 11, 21, 112, 42].map(ordinal)
        );
        assert_eq!(pace(9, 9), "one a day");
        assert_eq!(pace(22, 5), "4 a day");
        assert_eq!(capitalised("élan"), "Élan");
    }
}
