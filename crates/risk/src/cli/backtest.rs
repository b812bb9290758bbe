//! How well the learned part would have done on decisions that it has not seen.

use std::io::{Read, Write};
use std::time::Duration;

use serde::Serialize;

use super::{CliError, Stopwatch, read};
use crate::metrics::{self, Bucket};
use crate::model::chance::{Dice, folds};
use crate::model::{Model, Params, Table};

/// What to measure.
pub struct Backtest<'a> {
    /// The decisions to learn from, as CSV.
    pub train: Box<dyn Read + 'a>,
    /// The column that holds 1 where a request was approved, and 0 where it was not.
    pub label: &'a str,
    pub against: Against<'a>,
    /// End with a line of JSON.
    pub json: bool,
}

/// The decisions to measure on.
pub enum Against<'a> {
    /// Others, as CSV.
    Test(Box<dyn Read + 'a>),
    /// The same: each of so many parts by what was learned from the other parts.
    Folds(usize),
}

/// What came out, as the last line of the report has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// The mean over the folds where there are several.
    pub auc: f64,
    pub log_loss: f64,
    pub train_seconds: f64,
    /// The mean time of a score, and of a score with its explanation.
    pub score_microseconds: f64,
    pub explain_microseconds: f64,
    pub rows: usize,
    pub folds: Vec<Fold>,
    pub calibration: Vec<Bucket>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fold {
    pub trained_on: usize,
    pub rows: usize,
    /// How many rows held a value that was never learned from.
    pub rows_with_unknown: usize,
    pub auc: f64,
    pub log_loss: f64,
    pub train_seconds: f64,
    pub score_microseconds: f64,
    pub explain_microseconds: f64,
    /// Whether there was enough history to listen to what was learned.
    pub ready: bool,
    pub model: String,
}

/// How many combinations an explanation names.
const NAMED: usize = 8;
/// The folds are always dealt the same way.
const SEED: u64 = 5;

/// Learns, scores, and reports on `out`.
///
/// # Errors
/// The input is no table of decisions of both kinds, or the report cannot be written.
pub fn backtest(
    what: Backtest<'_>,
    params: &Params,
    time: Stopwatch<'_>,
    out: &mut dyn Write,
) -> Result<Measured, CliError> {
    let table = read::decisions(what.train, "the training file", what.label, None)?;
    let mut folded = Vec::new();
    match what.against {
        Against::Test(text) => {
            let test = read::decisions(text, "the test file", what.label, Some(&table))?;
            both_outcomes(&test, "the test file")?;
            folded.push(measure(table, &test, params, time)?);
        }
        Against::Folds(count) => {
            let approved = table.approved().iter().filter(|approved| **approved).count();
            let rarer = approved.min(table.len() - approved);
            if rarer == 0 {
                // Training says it better.
                measure(table.clone(), &table, params, time)?;
            }
            if count < 2 || count > rarer {
                return Err(CliError::Folds { folds: count, rarer });
            }
            let fold = folds(table.approved(), count, &mut Dice::new(SEED));
            let is = |row: usize, number: usize| fold.get(row) == Some(&number);
            for number in 0..count {
                let test = table.filtered(|row| is(row, number));
                folded.push(measure(table.filtered(|row| !is(row, number)), &test, params, time)?);
            }
        }
    }
    report(folded, what.json, out)
}

/// Prints the folds and what they come to.
pub(super) fn report(
    folded: Vec<(Fold, Vec<(f64, bool)>)>,
    json: bool,
    out: &mut dyn Write,
) -> Result<Measured, CliError> {
    let (folds, chances): (Vec<Fold>, Vec<Vec<(f64, bool)>>) = folded.into_iter().unzip();
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let mean = |of: &dyn Fn(&Fold) -> f64| folds.iter().map(of).sum::<f64>() / folds.len().max(1) as f64;
    let measured = Measured {
        auc: mean(&|fold| fold.auc),
        log_loss: mean(&|fold| fold.log_loss),
        train_seconds: mean(&|fold| fold.train_seconds),
        score_microseconds: mean(&|fold| fold.score_microseconds),
        explain_microseconds: mean(&|fold| fold.explain_microseconds),
        rows: folds.iter().map(|fold| fold.rows).sum(),
        calibration: metrics::calibration(&chances.concat(), 10),
        folds,
    };
    writeln!(out, "fold  learned from  scored  unknown     AUC  log loss  training  per score  explained")?;
    for (number, fold) in measured.folds.iter().enumerate() {
        writeln!(
            out,
            "{:>4}  {:>12}  {:>6}  {:>7}  {:.4}    {:.4}  {:>6.2} s  {:>6.1} µs  {:>6.1} µs",
            number + 1,
            fold.trained_on,
            fold.rows,
            fold.rows_with_unknown,
            fold.auc,
            fold.log_loss,
            fold.train_seconds,
            fold.score_microseconds,
            fold.explain_microseconds,
        )?;
    }
    writeln!(out, "\nAUC {:.4}, log loss {:.4}", measured.auc, measured.log_loss)?;
    writeln!(
        out,
        "training {:.2} s, {:.1} µs a score, {:.1} µs with its explanation",
        measured.train_seconds, measured.score_microseconds, measured.explain_microseconds
    )?;
    if measured.folds.iter().any(|fold| !fold.ready) {
        writeln!(
            out,
            "This is too little history, or too little to be learned from it: the score would not use it yet."
        )?;
    }
    writeln!(out, "\ncalibration  rows    said     was")?;
    for bucket in &measured.calibration {
        writeln!(out, "{:>17}  {:>5.1} %  {:>5.1} %", bucket.rows, 100.0 * bucket.said, 100.0 * bucket.was)?;
    }
    if json {
        writeln!(out, "{}", serde_json::to_string(&measured).map_err(std::io::Error::other)?)?;
    }
    Ok(measured)
}

/// Learns from one table and scores the other; also returns the chances with the outcomes.
pub(super) fn measure(
    train: Table,
    test: &Table,
    params: &Params,
    time: Stopwatch<'_>,
) -> Result<(Fold, Vec<(f64, bool)>), CliError> {
    let trained_on = train.len();
    let before = time();
    let model =
        Model::train(train, params).map_err(|why| CliError::Train { file: "the training file", why })?;
    let train_seconds = time().saturating_sub(before).as_secs_f64();

    let rows: Vec<Vec<&str>> = (0..test.len()).map(|row| test.row(row)).collect();
    let before = time();
    let chances: Vec<f64> = rows.iter().map(|row| model.probability(row)).collect();
    let scoring = time().saturating_sub(before);
    let before = time();
    let explained: f64 = rows.iter().map(|row| model.opinion(row, NAMED).probability).sum();
    // Used, so that no optimiser may leave it out.
    let explaining = if explained.is_nan() { Duration::ZERO } else { time().saturating_sub(before) };

    let chances: Vec<(f64, bool)> = chances.into_iter().zip(test.approved().iter().copied()).collect();
    let fold = Fold {
        trained_on,
        rows: test.len(),
        rows_with_unknown: rows.iter().filter(|row| model.has_unknown(row)).count(),
        auc: metrics::auc(&chances),
        log_loss: metrics::log_loss(&chances),
        train_seconds,
        score_microseconds: each(scoring, test.len()),
        explain_microseconds: each(explaining, test.len()),
        ready: model.is_ready(params),
        model: model.version().to_owned(),
    };
    Ok((fold, chances))
}

fn both_outcomes(table: &Table, file: &'static str) -> Result<(), CliError> {
    let approved = table.approved().iter().filter(|approved| **approved).count();
    if approved == 0 || approved == table.len() { Err(CliError::OneOutcome { file }) } else { Ok(()) }
}

#[expect(clippy::cast_precision_loss, reason = "a count of rows in memory")]
fn each(whole: Duration, of: usize) -> f64 {
    whole.as_secs_f64() * 1e6 / of.max(1) as f64
}
