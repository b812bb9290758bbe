//! The command line's face: JSON lines in and out, and an explanation for a person.

use std::io::{BufRead, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::catalogue::{Catalogue, CatalogueError};
use crate::guard::{Guard, Input, Judgement, Mode, Parameter};
use crate::message;
use crate::policy::{Policy, PolicyError};
use crate::session::Session;

/// Why a command did not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    #[error("cannot read or write: {0}")]
    Io(#[from] std::io::Error),
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    id: serde_json::Value,
    sql: String,
    #[serde(default)]
    params: Vec<serde_json::Value>,
    #[serde(default)]
    mode: Option<String>,
}

#[derive(Serialize)]
struct Answer<'a> {
    id: &'a serde_json::Value,
    #[serde(flatten)]
    judgement: &'a Judgement,
}

/// A guard from the name of a policy set and the text of a schema file.
///
/// # Errors
/// When there is no such set, or nothing of the schema can be read.
pub fn guard(policy: &str, schema: Option<&str>) -> Result<Guard, CliError> {
    let catalogue = schema.map(Catalogue::from_sql).transpose()?.map(Arc::new);
    Ok(Guard::new(Policy::named(policy)?, catalogue))
}

/// Judges JSON lines `{"id","sql","params"?,"mode"?}`, each in a session of its own; one line out for each.
///
/// A line that is no such object is answered with a block.
///
/// # Errors
/// When the policy set or the schema is unusable, or reading or writing fails.
pub fn check(
    input: impl BufRead,
    policy: &str,
    schema: Option<&str>,
    mut out: impl Write,
) -> Result<(), CliError> {
    let guard = guard(policy, schema)?;
    for line in input.split(b'\n') {
        let line = line?;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let read: Line = match serde_json::from_slice(&line) {
            Ok(read) => read,
            Err(error) => {
                let answer = serde_json::json!({
                    "id": null, "verdict": "block", "rules": ["bad-input"], "facts": {},
                    "message": format!("Stopped: this line is not a JSON object with sql: {error}"),
                });
                serde_json::to_writer(&mut out, &answer)?;
                out.write_all(b"\n")?;
                continue;
            }
        };
        let parameters: Vec<Parameter> = read.params.iter().map(parameter).collect();
        let mode = if read.mode.as_deref() == Some("extended") { Mode::Extended } else { Mode::Simple };
        let judgement =
            guard.judge(&Session::default(), Input { sql: &read.sql, parameters: &parameters, mode });
        serde_json::to_writer(&mut out, &Answer { id: &read.id, judgement: &judgement })?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(())
}

/// Explains one text to a person, in colour.
///
/// # Errors
/// When the policy set or the schema is unusable, or writing fails.
pub fn explain(
    sql: &str,
    policy: &str,
    schema: Option<&str>,
    mut out: impl Write,
) -> Result<Judgement, CliError> {
    let guard = guard(policy, schema)?;
    let judgement = guard.judge(&Session::default(), Input::simple(sql));
    out.write_all(message::coloured(&judgement, sql).as_bytes())?;
    out.flush()?;
    Ok(judgement)
}

fn parameter(value: &serde_json::Value) -> Parameter {
    match value {
        serde_json::Value::Null => Parameter::Null,
        serde_json::Value::Bool(truth) => Parameter::Bool(*truth),
        serde_json::Value::Number(number) => number.as_f64().map_or(Parameter::Unknown, Parameter::Number),
        serde_json::Value::String(text) => Parameter::Text(text.clone()),
        _ => Parameter::Unknown,
    }
}
