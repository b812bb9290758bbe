//! The same measures on made-up decisions, and the cost of a score beside a long history.

use std::io::Write;

use serde::Serialize;

use super::backtest::{Measured, measure, report};
use super::{CliError, EXAMPLE, Stopwatch, explain};
use crate::history::{HistoryIndex, Observed, Question, Step};
use crate::inputs::HourOfWeek;
use crate::metrics;
use crate::model::Params;
use crate::model::chance::Dice;
use crate::synthetic;
use crate::weights::Weights;

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    measured: &'a Measured,
    /// The AUC and log loss of one who knows how the decisions were made.
    ceiling_auc: f64,
    ceiling_log_loss: f64,
    events: u64,
    record_microseconds: f64,
    history_microseconds: f64,
    rules_microseconds: f64,
}

/// Learns from `rows` made-up decisions, scores a quarter as many others, and times a score beside `events` past
/// events. The last line is JSON.
///
/// # Errors
/// The report cannot be written.
pub fn bench(
    rows: usize,
    events: u32,
    seed: u64,
    time: Stopwatch<'_>,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let made = synthetic::decisions(rows + rows / 4, seed);
    let test = made.table.filtered(|row| row >= rows);
    let truth: Vec<(f64, bool)> =
        made.truth.iter().copied().zip(made.table.approved().iter().copied()).skip(rows).collect();
    let fold = measure(made.table.filtered(|row| row < rows), &test, &Params::default(), time)?;
    writeln!(out, "{rows} made-up decisions to learn from, {} to score\n", test.len())?;
    let measured = report(vec![fold], false, out)?;
    let (ceiling_auc, ceiling_log_loss) = (metrics::auc(&truth), metrics::log_loss(&truth));
    writeln!(out, "\nwho knows the truth: AUC {ceiling_auc:.4}, log loss {ceiling_log_loss:.4}")?;

    let mut dice = Dice::new(seed);
    let before = time();
    let mut index = HistoryIndex::default();
    for event in 0..events {
        index.record(&made_up(event, &mut dice));
    }
    let record_microseconds = each(time().saturating_sub(before), events);
    let (asked, before) = (100_000, time());
    let mut found = 0u64;
    for event in 0..asked {
        let next = made_up(events.saturating_add(event / 1000), &mut dice);
        found += u64::from(index.history_for(&question(&next)).submitted);
    }
    let history_microseconds = each(time().saturating_sub(before), asked);
    writeln!(
        out,
        "\n{} events: {record_microseconds:.2} µs to record one, {history_microseconds:.2} µs for a history (of {:.0} requests on average)",
        index.events(),
        f64::from(u32::try_from(found / u64::from(asked)).unwrap_or(u32::MAX)),
    )?;

    let weights = Weights::default();
    let (scored, before) = (2_000, time());
    for _ in 0..scored {
        explain(&mut EXAMPLE.as_bytes(), &weights, None, true, &mut std::io::sink())?;
    }
    let rules_microseconds = each(time().saturating_sub(before), scored);
    writeln!(out, "{rules_microseconds:.1} µs to read, score and explain a request by the rules")?;
    let line = Line {
        measured: &measured,
        ceiling_auc,
        ceiling_log_loss,
        events: index.events(),
        record_microseconds,
        history_microseconds,
        rules_microseconds,
    };
    writeln!(out, "{}", serde_json::to_string(&line).map_err(std::io::Error::other)?)?;
    Ok(())
}

fn made_up(event: u32, dice: &mut Dice) -> Observed {
    let at = 1_700_000_000 + i64::from(event) * 30;
    let person = dice.below(5000);
    let step = match dice.below(20) {
        0 => Step::Denied,
        1..=9 => Step::Approved,
        _ => Step::Submitted,
    };
    Observed {
        step,
        person: format!("person-{person}"),
        peers: format!("group-{}", person % 100),
        entitlement: format!("resource-{}:write", dice.below(400)),
        at,
        hour: HourOfWeek::at(at, 0),
        minutes: 30,
        production: person.is_multiple_of(3),
    }
}

fn question(next: &Observed) -> Question<'_> {
    Question {
        person: &next.person,
        peers: &next.peers,
        entitlement: &next.entitlement,
        now: next.at,
        hour: next.hour,
    }
}

fn each(whole: std::time::Duration, of: u32) -> f64 {
    whole.as_secs_f64() * 1e6 / f64::from(of.max(1))
}
