//! One request's score, factor by factor.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use serde::Deserialize;

use super::{CliError, read};
use crate::history::History;
use crate::inputs::Inputs;
use crate::model::{Model, Params};
use crate::opinion::Opinion;
use crate::score::{Score, score};
use crate::weights::Weights;

/// A request as `explain` reads it.
pub const EXAMPLE: &str = include_str!("example.json");

/// The score, and what was learned from past decisions where there were any.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    pub score: Score,
    pub opinion: Option<Opinion>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    inputs: Inputs,
    #[serde(default)]
    history: History,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

/// Scores the request in `request` (JSON, like [`EXAMPLE`]) and prints how the score comes about, or the score as
/// JSON. With `decisions`, CSV and the name of its label, what they teach about the request's attributes is a part
/// of it.
///
/// # Errors
/// The request or the decisions cannot be read, or the answer cannot be written.
pub fn explain(
    request: &mut dyn Read,
    weights: &Weights,
    decisions: Option<(&mut dyn Read, &str)>,
    json: bool,
    out: &mut dyn Write,
) -> Result<Explained, CliError> {
    let mut text = String::new();
    request.read_to_string(&mut text).map_err(|error| CliError::Request(error.to_string()))?;
    let request: Request =
        serde_json::from_str(&text).map_err(|error| CliError::Request(error.to_string()))?;
    let opinion = match decisions {
        Some((text, label)) => learned(text, label, &request.attributes, out, json)?,
        None => None,
    };
    let score = score(&request.inputs, &request.history, weights, opinion.as_ref());
    if json {
        writeln!(out, "{}", serde_json::to_string(&score).map_err(std::io::Error::other)?)?;
    } else {
        print(&score, opinion.as_ref(), out)?;
    }
    Ok(Explained { score, opinion })
}

fn learned(
    text: &mut dyn Read,
    label: &str,
    attributes: &BTreeMap<String, String>,
    out: &mut dyn Write,
    json: bool,
) -> Result<Option<Opinion>, CliError> {
    const FILE: &str = "the file of decisions";
    let params = Params::default();
    let table = read::decisions(text, FILE, label, None)?;
    let model = Model::train(table, &params).map_err(|why| CliError::Train { file: FILE, why })?;
    if !model.is_ready(&params) {
        if !json {
            writeln!(out, "There is too little history to learn from.\n")?;
        }
        return Ok(None);
    }
    let row: Vec<&str> =
        model.columns().map(|name| attributes.get(name).map_or("", String::as_str)).collect();
    Ok(Some(model.opinion(&row, 8)))
}

fn print(score: &Score, opinion: Option<&Opinion>, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{} of 100: {}\n", score.points, score.band)?;
    for factor in &score.factors {
        let bar = "█".repeat(usize::from(factor.points));
        writeln!(
            out,
            "{:>3} of {:>2}  {bar:<16}  {}: {}",
            factor.points, factor.max, factor.label, factor.about
        )?;
    }
    if !score.lower.is_empty() {
        writeln!(out, "\nWhat would lower it")?;
    }
    for lower in &score.lower {
        writeln!(out, "  {}", lower.sentence)?;
    }
    if let Some(opinion) = opinion {
        writeln!(out, "\nPast decisions, in log-odds of approval (model {})", opinion.model)?;
        writeln!(out, "  {:+.2}  the usual request", opinion.base)?;
        for part in &opinion.contributions {
            let values: Vec<String> = part
                .attributes
                .iter()
                .map(|attribute| format!("{} {}", attribute.name, attribute.value))
                .collect();
            if values.is_empty() {
                writeln!(out, "  {:+.2}  all others", part.log_odds)?;
            } else {
                let (approved, seen) = (part.approved, part.seen);
                writeln!(
                    out,
                    "  {:+.2}  {} ({approved} of {seen} approved)",
                    part.log_odds,
                    values.join(", ")
                )?;
            }
        }
        writeln!(
            out,
            "  {:+.2}  in all: approved in {:.1} % of cases",
            opinion.log_odds,
            100.0 * opinion.probability
        )?;
    }
    Ok(())
}
