//! What a person is told.

use std::fmt::Write as _;

use crate::facts::{Facts, Finding};
use crate::guard::{Judgement, Refusal};
use crate::policy::{Ruling, Verdict};

/// The message that goes with a ruling.
pub(crate) fn of(ruling: &Ruling, facts: &Facts, sql: &str) -> String {
    if ruling.verdict == Verdict::Allow {
        return if facts.findings.is_empty() {
            "Allowed.".to_owned()
        } else {
            "Allowed, and recorded.".to_owned()
        };
    }
    let opening = match ruling.verdict {
        Verdict::Hold => "Held for approval",
        Verdict::Limit => "Limited",
        _ => "Stopped",
    };
    let deciding: Vec<&Finding> = facts
        .findings
        .iter()
        .filter(|finding| ruling.rules.iter().any(|rule| rule == finding.hazard.word()))
        .collect();
    let Some(first) = deciding.first() else {
        let reason = ruling
            .reasons
            .iter()
            .find(|reason| !reason.is_empty())
            .map_or("no policy permits this", String::as_str);
        let rows = ruling.rows.map(|rows| format!(" (at most {rows} rows)")).unwrap_or_default();
        return format!("{opening}: {reason}{rows}");
    };
    let mut message = format!("{opening}: {}", first.why);
    if !first.within.is_empty() {
        let _ = write!(message, ", in {}", first.within);
    }
    let (line, column) = line_of(sql, first.at);
    let part = quoted(sql, first.at, first.length);
    let _ = write!(message, ". At line {line}, character {column}: {part}. Instead: {}.", first.instead);
    if deciding.len() > 1 {
        let _ = write!(message, " {} more in this text.", deciding.len() - 1);
    }
    message
}

pub(crate) fn of_refusal(refusal: &Refusal) -> String {
    printable(&format!("Stopped: {}. Instead: {}.", refusal.reason, refusal.instead))
}

/// Longer texts are not searched for the place of an error.
const LONGEST_SEARCH: usize = 1 << 14;

/// Where the parser stopped, as a sentence: the parser itself only tells the word.
pub(crate) fn place_of_error(sql: &str, reason: &str) -> String {
    if sql.len() > LONGEST_SEARCH {
        return String::new();
    }
    let end = sql.trim_end().len();
    let at = if reason.ends_with("at end of input") {
        Some(end)
    } else {
        let word = reason.split_once("at or near \"").and_then(|(_, rest)| rest.strip_suffix('"'));
        word.and_then(|word| {
            // The first of these words that a text cut off behind it fails at.
            sql.match_indices(word).take(32).map(|(at, _)| at).find(|at| {
                let upto = sql.get(..at.saturating_add(word.len())).unwrap_or("");
                matches!(pg_query::parse(upto, 0), Err(pg_query::Error::Parse(again)) if again == reason)
            })
        })
    };
    let Some(at) = at else { return String::new() };
    let (line, column) = line_of(sql, at);
    if at >= end {
        return format!(". At line {line}, character {column}: the end of the text");
    }
    format!(". At line {line}, character {column}: {}", quoted(sql, at, end.saturating_sub(at)))
}

/// Line and character, both from 1.
fn line_of(sql: &str, at: usize) -> (usize, usize) {
    let before = sql.get(..at).unwrap_or("");
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}

fn quoted(sql: &str, at: usize, length: usize) -> String {
    let part =
        sql.get(at..at.saturating_add(length)).unwrap_or("").split_whitespace().collect::<Vec<_>>().join(" ");
    let part = printable(&part);
    let short: String = part.chars().take(80).collect();
    if short.len() < part.len() { format!("`{short}…`") } else { format!("`{short}`") }
}

/// The judgement for a terminal, in colour, with the offending parts marked.
pub fn coloured(judgement: &Judgement, sql: &str) -> String {
    let colour = match judgement.verdict {
        Verdict::Allow => "32",
        Verdict::Limit | Verdict::Hold => "33",
        Verdict::Block => "31",
    };
    let mut out = format!(
        "\u{1b}[1;{colour}m{}\u{1b}[0m  {}\n\n",
        judgement.verdict.word().to_uppercase(),
        printable(&judgement.message)
    );
    out.push_str(&marked(sql, &judgement.facts.findings));
    out.push_str("\n\n");
    let facts = &judgement.facts;
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(out, "\u{1b}[2m{name:>15}\u{1b}[0m  {value}");
        }
    };
    let words = |set: &std::collections::BTreeSet<String>| {
        set.iter().map(|word| printable(word)).collect::<Vec<_>>().join(", ")
    };
    row("rules", judgement.rules.join(", "));
    row("kinds", facts.kinds.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", "));
    row("verbs", words(&facts.verbs));
    row("tables read", words(&facts.tables_read));
    row("tables written", words(&facts.tables_written));
    row(
        "functions",
        facts
            .functions
            .iter()
            .map(|called| {
                format!("{} ({})", printable(&called.name), format!("{:?}", called.trust).to_lowercase())
            })
            .collect::<Vec<_>>()
            .join(", "),
    );
    row("settings", words(&facts.settings));
    if !facts.catalogue {
        row("catalogue", "none: judged more carefully".to_owned());
    }
    for finding in &facts.findings {
        let (line, column) = line_of(sql, finding.at);
        let within =
            if finding.within.is_empty() { String::new() } else { format!(" (in {})", finding.within) };
        let _ = writeln!(
            out,
            "\n\u{1b}[1m{}\u{1b}[0m at {line}:{column}{within}\n  {}\n  \u{1b}[36minstead:\u{1b}[0m {}",
            finding.hazard.word(),
            printable(&finding.why),
            printable(&finding.instead)
        );
    }
    out
}

/// The text with the offending parts in red.
fn marked(sql: &str, findings: &[Finding]) -> String {
    let mut spans: Vec<(usize, usize)> = findings
        .iter()
        .filter(|finding| finding.length > 0)
        .map(|finding| (finding.at, finding.at.saturating_add(finding.length).min(sql.len())))
        .collect();
    spans.sort_unstable();
    let mut out = String::new();
    let mut at = 0;
    for (start, end) in spans {
        let start = start.max(at);
        if start >= end {
            continue;
        }
        let (Some(before), Some(part)) = (sql.get(at..start), sql.get(start..end)) else { continue };
        out.push_str(&printable(before));
        let _ = write!(out, "\u{1b}[4;31m{}\u{1b}[0m", printable(part));
        at = end;
    }
    out.push_str(&printable(sql.get(at..).unwrap_or("")));
    out
}

/// Without control characters: a statement must not steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}
