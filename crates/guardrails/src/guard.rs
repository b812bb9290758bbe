//! The engine: a text in, a judgement out.

use std::sync::Arc;

use serde::Serialize;

use crate::analyse::Analyzer;
use crate::bounds::Value;
use crate::catalogue::Catalogue;
use crate::facts::Facts;
use crate::message;
use crate::policy::{Policy, Ruling, Verdict, blocked};
use crate::session::Session;
use crate::tree::Node;

/// Longer texts are not read.
pub const MOST_BYTES: usize = 2 << 20;

/// Which part of the protocol a text came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// A simple query: may hold several statements.
    #[default]
    Simple,
    /// The text of a Parse message: holds one statement.
    Extended,
}

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameter {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    /// Not given.
    Unknown,
}

/// What is judged.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    pub sql: &'a str,
    pub parameters: &'a [Parameter],
    pub mode: Mode,
}

impl<'a> Input<'a> {
    pub fn simple(sql: &'a str) -> Input<'a> {
        Input { sql, parameters: &[], mode: Mode::Simple }
    }
}

/// The answer for one text.
#[derive(Debug, Clone, Serialize)]
pub struct Judgement {
    pub verdict: Verdict,
    pub rules: Vec<String>,
    pub facts: Facts,
    pub message: String,
    /// With `limit`: how many rows may come back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// The session after the text, when it changes; to be kept once the text has been sent.
    #[serde(skip)]
    pub next: Option<Arc<Session>>,
}

/// Policies and a catalogue, ready to judge.
#[derive(Debug)]
pub struct Guard {
    policy: Policy,
    catalogue: Option<Arc<Catalogue>>,
}

impl Guard {
    pub fn new(policy: Policy, catalogue: Option<Arc<Catalogue>>) -> Guard {
        Guard { policy, catalogue }
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The version of the catalogue; 0 without one.
    pub fn catalogue_version(&self) -> u64 {
        self.catalogue.as_ref().map_or(0, |catalogue| catalogue.version)
    }

    /// Judges a text in the state that the session is in.
    pub fn judge(&self, session: &Session, input: Input<'_>) -> Judgement {
        let facts = match self.facts(session, input) {
            Ok((facts, next)) => {
                let ruling = self.policy.decide(&facts);
                let message = message::of(&ruling, &facts, input.sql);
                return Judgement {
                    verdict: ruling.verdict,
                    rules: ruling.rules,
                    message,
                    rows: ruling.rows,
                    next: (next.version() != session.version()).then(|| Arc::new(next)),
                    facts,
                };
            }
            Err(refusal) => refusal,
        };
        let ruling: Ruling = blocked(facts.rule, &facts.reason);
        Judgement {
            verdict: Verdict::Block,
            message: message::of_refusal(&facts),
            rules: ruling.rules,
            facts: Facts { catalogue: self.catalogue.is_some(), ..Facts::default() },
            rows: None,
            next: None,
        }
    }

    /// The facts of a text, and the session after it.
    ///
    /// # Errors
    /// When the text is too long, cannot be parsed, or breaks the protocol.
    pub fn facts(&self, session: &Session, input: Input<'_>) -> Result<(Facts, Session), Refusal> {
        if input.sql.len() > MOST_BYTES {
            return Err(Refusal::new(
                "too-large",
                format!("the text has {} bytes; at most {MOST_BYTES} are read", input.sql.len()),
                "send it in parts",
            ));
        }
        let parsed = pg_query::parse(input.sql, 0).map_err(|error| match error {
            pg_query::Error::Parse(reason) => Refusal::new(
                "parse-error",
                format!(
                    "PostgreSQL's grammar does not accept this: {reason}{}",
                    message::place_of_error(input.sql, &reason)
                ),
                "correct the statement",
            ),
            pg_query::Error::Decode(_) => Refusal::new(
                "too-deep",
                "the statement is nested too deeply to be read".to_owned(),
                "write it with fewer levels, for example with a WITH query or a VALUES list",
            ),
            _ => Refusal::new(
                "parse-error",
                "the text cannot be read as SQL".to_owned(),
                "correct the statement",
            ),
        })?;
        if input.mode == Mode::Extended && parsed.protobuf.stmts.len() > 1 {
            return Err(Refusal::new(
                "protocol",
                "a prepared text may hold one statement only".to_owned(),
                "send the statements one by one",
            ));
        }
        let parameters = input.parameters.iter().map(value_of).collect();
        let mut analyzer = Analyzer::new(self.catalogue.as_deref(), session.clone(), input.sql, parameters);
        for raw in &parsed.protobuf.stmts {
            let node = raw.stmt.as_ref().and_then(|stmt| Node::of(stmt.as_ref())).ok_or_else(|| {
                Refusal::new("parse-error", "a statement came out empty".to_owned(), "correct the statement")
            })?;
            let start = usize::try_from(raw.stmt_location).unwrap_or(0);
            let length = match usize::try_from(raw.stmt_len) {
                Ok(length) if length > 0 => length,
                _ => input.sql.len().saturating_sub(start),
            };
            analyzer.top(&node, start, length);
        }
        Ok((analyzer.facts, analyzer.session))
    }
}

/// Why a text has no facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub rule: &'static str,
    pub reason: String,
    pub instead: &'static str,
}

impl Refusal {
    fn new(rule: &'static str, reason: String, instead: &'static str) -> Refusal {
        Refusal { rule, reason, instead }
    }
}

fn value_of(parameter: &Parameter) -> Value {
    match parameter {
        Parameter::Null => Value::Null,
        Parameter::Bool(truth) => Value::Bool(*truth),
        Parameter::Number(number) => Value::Number(*number),
        Parameter::Text(text) => Value::Text(text.clone()),
        Parameter::Unknown => Value::Unknown,
    }
}
