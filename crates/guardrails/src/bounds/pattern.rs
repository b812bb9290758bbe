//! PostgreSQL's regular expressions, as far as another engine agrees with them.

use std::cell::RefCell;

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};

/// Compiled automata may not be larger: a pattern comes from outside.
const MOST_BYTES: usize = 1 << 18;
const KEPT: usize = 8;
const LONGEST_SAMPLE: usize = 200;

thread_local! {
    /// One predicate is tried on many rows.
    static COMPILED: RefCell<Vec<(String, bool, Option<Regex>)>> = const { RefCell::new(Vec::new()) };
}

/// Whether `pattern` is found in `text`; `None` when that cannot be told.
pub(crate) fn matches(text: &str, pattern: &str, fold_case: bool) -> Option<bool> {
    COMPILED.with_borrow_mut(|compiled| {
        let known = compiled.iter().position(|(held, fold, _)| held == pattern && *fold == fold_case);
        let at = known.unwrap_or_else(|| {
            if compiled.len() >= KEPT {
                compiled.remove(0);
            }
            compiled.push((pattern.to_owned(), fold_case, compile(pattern, fold_case)));
            compiled.len() - 1
        });
        let (_, _, regex) = compiled.get(at)?;
        regex.as_ref().map(|regex| regex.is_match(text))
    })
}

/// How often `pattern` is found.
pub(crate) fn count(text: &str, pattern: &str) -> Option<usize> {
    compile(pattern, false).map(|regex| regex.find_iter(text).count())
}

/// `regexp_replace`, where what comes in has no references to what was found.
pub(crate) fn replaced(text: &str, pattern: &str, to: &str, fold_case: bool, every: bool) -> Option<String> {
    if to.contains('\\') {
        return None;
    }
    let regex = compile(pattern, fold_case)?;
    let times = usize::from(!every);
    Some(regex.replacen(text, times, regex::NoExpand(to)).into_owned())
}

fn compile(pattern: &str, fold_case: bool) -> Option<Regex> {
    let (pattern, fold) = translated(pattern)?;
    RegexBuilder::new(&pattern)
        .case_insensitive(fold || fold_case)
        // As in PostgreSQL, a dot takes a line break too, and ^ and $ are the ends of the text.
        .dot_matches_new_line(true)
        .size_limit(MOST_BYTES)
        .build()
        .ok()
}

/// In the other engine's spelling, and whether case does not count; `None` for what it does not have.
fn translated(pattern: &str) -> Option<(String, bool)> {
    if let Some(literal) = pattern.strip_prefix("***=") {
        return Some((regex::escape(literal), false));
    }
    let mut rest = pattern.strip_prefix("***:").unwrap_or(pattern);
    let mut fold = false;
    if let Some((options, tail)) = rest.strip_prefix("(?").and_then(|tail| tail.split_once(')'))
        && options.chars().all(|option| option.is_ascii_lowercase())
    {
        match options {
            "i" => fold = true,
            "c" | "s" => {}
            _ => return None,
        }
        rest = tail;
    }
    let mut out = String::with_capacity(rest.len());
    let mut letters = rest.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next()? {
                'm' => out.push_str("\\b{start}"),
                'M' => out.push_str("\\b{end}"),
                'y' => out.push_str("\\b"),
                'Y' => out.push_str("\\B"),
                'Z' => out.push_str("\\z"),
                // A back reference.
                digit if digit.is_ascii_digit() && digit != '0' => return None,
                other => {
                    out.push('\\');
                    out.push(other);
                }
            },
            // `[[:<:]]` and `[[:>:]]` are the ends of a word.
            '[' if letters.clone().take(6).eq("[:<:]]".chars()) => {
                letters.nth(5);
                out.push_str("\\b{start}");
            }
            '[' if letters.clone().take(6).eq("[:>:]]".chars()) => {
                letters.nth(5);
                out.push_str("\\b{end}");
            }
            other => out.push(other),
        }
    }
    Some((out, fold))
}

/// Texts that the pattern is found in: one as short as it goes, and others of other letters.
pub(crate) fn samples(pattern: &str) -> Vec<String> {
    let hir = translated(pattern).and_then(|(pattern, _)| {
        regex_syntax::ParserBuilder::new().dot_matches_new_line(true).build().parse(&pattern).ok()
    });
    let Some(hir) = hir else { return Vec::new() };
    let mut found = Vec::new();
    for (variant, letters) in LETTERS.iter().enumerate() {
        let mut text = String::new();
        if write_sample(&hir, variant, letters, &mut text).is_some() && !found.contains(&text) {
            found.push(text);
        }
    }
    found
}

/// Something readable to choose from, for each sample.
const LETTERS: [[char; 8]; 3] = [
    ['k', 'K', '7', '@', '.', '-', '_', ' '],
    ['z', 'Z', '9', '.', '@', '_', '-', ' '],
    ['b', 'B', '0', '-', '.', '@', '_', ' '],
];

fn write_sample(hir: &Hir, variant: usize, letters: &[char], text: &mut String) -> Option<()> {
    if text.len() > LONGEST_SAMPLE {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(Class::Unicode(class)) => {
            let holds = |wanted: char| {
                class.ranges().iter().any(|range| range.start() <= wanted && wanted <= range.end())
            };
            let readable = letters.iter().copied().find(|letter| holds(*letter));
            text.push(readable.or_else(|| class.ranges().first().map(|range| range.start()))?);
        }
        HirKind::Class(Class::Bytes(_)) => return None,
        HirKind::Repetition(repetition) => {
            let more = u32::try_from(variant).unwrap_or(0);
            let times = repetition.min.saturating_add(more).min(repetition.max.unwrap_or(u32::MAX));
            for _ in 0..times.min(64) {
                write_sample(&repetition.sub, variant, letters, text)?;
            }
        }
        HirKind::Capture(capture) => write_sample(&capture.sub, variant, letters, text)?,
        HirKind::Concat(parts) => {
            parts.iter().try_for_each(|part| write_sample(part, variant, letters, text))?;
        }
        HirKind::Alternation(parts) => {
            write_sample(parts.get(variant % parts.len().max(1))?, variant, letters, text)?;
        }
    }
    Some(())
}

/// The regular expression that `SIMILAR TO` stands for.
pub(crate) fn of_similar(pattern: &str, escape: Option<char>) -> String {
    let mut out = "^(?:".to_owned();
    let mut letters = pattern.chars();
    let mut in_class = false;
    while let Some(letter) = letters.next() {
        match letter {
            _ if Some(letter) == escape => {
                out.push_str(&regex::escape(&letters.next().unwrap_or(letter).to_string()));
            }
            '[' => {
                in_class = true;
                out.push('[');
            }
            ']' => {
                in_class = false;
                out.push(']');
            }
            '%' if !in_class => out.push_str(".*"),
            '_' if !in_class => out.push('.'),
            '.' | '^' | '$' | '\\' if !in_class => out.push_str(&regex::escape(&letter.to_string())),
            other => out.push(other),
        }
    }
    out.push_str(")$");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_postgresql() {
        for pattern in [".*", "", "^", "$", "^.*$", "(.*)", "a|", "()", "[\\s\\S]*", "x*"] {
            assert_eq!(matches("zq", pattern, false), Some(true), "{pattern}");
        }
        for (text, pattern, expected) in [
            ("zq", "^a", false),
            ("zq", "^[0-9]+$", false),
            ("17", "^[[:digit:]]+$", true),
            ("zq", "[ab]+", false),
            ("zq", "[^\\s\\S]", false),
            ("a\nb", "a.b", true),
            ("one two", "\\mtwo\\M", true),
            ("onetwo", "\\ytwo", false),
            ("one two", "[[:<:]]two", true),
            ("ZQ", "(?i)zq", true),
            ("a.b", "***=a.b", true),
            ("axb", "***=a.b", false),
        ] {
            assert_eq!(matches(text, pattern, false), Some(expected), "{text} ~ {pattern}");
        }
        assert_eq!(matches("ZQ", "zq", true), Some(true));
        assert_eq!(matches("zz", "(z)\\1", false), None, "back references are another engine's");
        assert_eq!(matches("zz", "(?x) z z", false), None);
    }

    #[test]
    fn a_sample_of_a_pattern_matches_it() {
        for pattern in [
            "^[^@]+@[^@]+\\.[a-z]{2,}$",
            "^[A-Z]{3}$",
            "^(eu|us)-[0-9]{4}$",
            "^\\d+$",
            "a+b?c*",
            "^\\S+$",
            "",
        ] {
            let texts = samples(pattern);
            assert!(!texts.is_empty(), "{pattern}");
            for text in texts {
                assert_eq!(matches(&text, pattern, false), Some(true), "{pattern} gave {text:?}");
            }
        }
    }

    #[test]
    fn similar_to_takes_the_whole_text() {
        for (text, pattern, expected) in [
            ("abc", "a%", true),
            ("abc", "a", false),
            ("abc", "(a|b)_c", true),
            ("a.c", "a.c", true),
            ("abc", "a.c", false),
            ("a%", "a\\%", true),
        ] {
            let regex = of_similar(pattern, Some('\\'));
            assert_eq!(matches(text, &regex, false), Some(expected), "{text} SIMILAR TO {pattern}");
        }
    }
}
