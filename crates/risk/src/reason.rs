//! How much a reason says. Only the measure is kept, so that a score can be recomputed without the text.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What the score knows of a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub quality: Quality,
    pub words: u32,
}

/// From a reason that one can act on to none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    Telling,
    Fair,
    Thin,
    Empty,
}

/// Words that a reason can be made of without saying anything.
const FILLER: &[&str] = &[
    "a",
    "access",
    "and",
    "asap",
    "asdf",
    "db",
    "database",
    "debug",
    "debugging",
    "fix",
    "for",
    "get",
    "give",
    "have",
    "hello",
    "help",
    "hi",
    "i",
    "in",
    "is",
    "it",
    "me",
    "my",
    "need",
    "needed",
    "now",
    "of",
    "on",
    "please",
    "pls",
    "prod",
    "production",
    "quick",
    "reason",
    "request",
    "some",
    "something",
    "stuff",
    "temp",
    "test",
    "testing",
    "the",
    "thing",
    "things",
    "this",
    "to",
    "urgent",
    "want",
    "we",
    "work",
    "working",
    "xxx",
];

impl Reason {
    pub const EMPTY: Self = Self { quality: Quality::Empty, words: 0 };

    /// Measures a reason by the words in it that say something: distinct, longer than one letter, no filler and not
    /// one key held down.
    pub fn of(text: &str) -> Self {
        let mut words = 0u32;
        let mut telling = BTreeSet::new();
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            words = words.saturating_add(1);
            let word = word.to_lowercase();
            let letters: BTreeSet<char> = word.chars().collect();
            if letters.len() > 1 && !FILLER.contains(&word.as_str()) {
                telling.insert(word);
            }
        }
        let quality = match telling.len() {
            0 if words == 0 => Quality::Empty,
            0 | 1 => Quality::Thin,
            2 | 3 => Quality::Fair,
            _ => Quality::Telling,
        };
        Self { quality, words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_measured_by_what_it_says() {
        for (text, expected) in [
            ("", Quality::Empty),
            (" \n…!", Quality::Empty),
            ("need access", Quality::Thin),
            ("test test test test test test", Quality::Thin),
            ("aaaaaaaa bbbbbbb ccccccc ddddddd", Quality::Thin),
            ("fix order 4711", Quality::Fair),
            ("Customer reports duplicate invoices, checking order 4711", Quality::Telling),
            ("Доступ нужен чтобы проверить заказ 4711", Quality::Telling),
        ] {
            assert_eq!(Reason::of(text).quality, expected, "{text}");
        }
    }
}
