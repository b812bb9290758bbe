//! Where the parts of a body stand in the whole text.

use serde_json::Value as Json;

use super::{Analyzer, Body};

/// A part of a statement is looked for this far behind the beginning of its line, in bytes.
const MOST_APART: usize = 1 << 13;

impl Analyzer<'_> {
    /// Finds the line that a statement of the body begins on.
    pub(super) fn pl_line(&mut self, statement: &Json) {
        let Some(line) = statement.get("lineno").and_then(Json::as_u64) else { return };
        let Some(body) = &mut self.body else { return };
        if line < body.number {
            (body.number, body.line) = (1, body.start);
        }
        while body.number < line {
            let rest = self.source.get(body.line..body.end).unwrap_or("");
            let Some(end) = rest.find('\n') else { break };
            body.line += end + 1;
            body.number += 1;
        }
    }

    /// Where a part of the body stands in the whole text: its beginning, its length, and what its positions count from.
    pub(super) fn place_of(&mut self, part: &str) -> Option<(usize, usize, usize)> {
        let source = self.source;
        let body = self.body.as_mut()?;
        let blank = part.len() - part.trim_start().len();
        let trimmed = part.trim();
        // `INTO v` is blanked out, and `PERFORM` is read as `SELECT`.
        let mut first = trimmed.split("      ").next().unwrap_or(trimmed).trim_end();
        let mut shift = blank;
        let find = |wanted: &str, from: usize| {
            let rest = source.get(from..body.end)?;
            let near =
                (0..=rest.len().min(MOST_APART + wanted.len())).rev().find(|end| rest.is_char_boundary(*end));
            let rest = rest.get(..near.unwrap_or(0))?;
            let whole = |at: &usize| {
                let word = |c: char| c.is_alphanumeric() || c == '_';
                let before = rest.get(..*at).and_then(|before| before.chars().next_back());
                let after = rest.get(at + wanted.len()..).and_then(|after| after.chars().next());
                let runs_on = before.is_some_and(word) && wanted.chars().next().is_some_and(word)
                    || after.is_some_and(word) && wanted.chars().next_back().is_some_and(word);
                !runs_on
            };
            rest.match_indices(wanted).map(|(at, _)| at).find(whole).map(|at| from + at)
        };
        let from = body.line.max(body.last);
        let mut at = find(first, from).or_else(|| find(first, body.line));
        if let (None, Some(rest)) = (at, first.strip_prefix("SELECT")) {
            shift += first.len() - rest.trim_start().len();
            first = rest.trim_start();
            at = find(first, from).or_else(|| find(first, body.line));
        }
        let at = at.filter(|_| !first.is_empty())?;
        body.last = at;
        let end = at.saturating_add(part.trim_end().len().saturating_sub(shift)).min(body.end);
        Some((at, end.saturating_sub(at), at.saturating_sub(shift)))
    }

    /// Reads a part of the body as what it is in the whole text, where it can be found there.
    pub(super) fn at_part(&mut self, part: &str, read: impl FnOnce(&mut Self)) {
        let Some((at, length, origin)) = self.place_of(part) else {
            read(self);
            return;
        };
        let outer = (self.start, self.length, self.origin, self.exact);
        (self.start, self.length, self.origin, self.exact) = (at, length, origin, true);
        read(self);
        (self.start, self.length, self.origin, self.exact) = outer;
    }
}

impl Body {
    /// Where `text` stands between two places of the source.
    pub(super) fn find(source: &str, start: usize, length: usize, text: &str) -> Option<Body> {
        let within = source.get(start..start.saturating_add(length))?;
        let start = start + within.find(text).filter(|_| !text.trim().is_empty())?;
        Some(Body { start, end: start + text.len(), line: start, number: 1, last: start })
    }
}
