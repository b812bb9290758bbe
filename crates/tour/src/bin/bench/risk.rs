//! The learned part of the risk score, on made-up decisions or on a file.

use std::fs::File;
use std::io::Write as _;

use anyhow::{Context as _, Result, bail};
use daypass_clock::uptime;
use daypass_risk::cli::{Against, Backtest, backtest, bench};
use daypass_risk::model::Params;
use serde_json::{Value, json};

const ROWS: usize = 26_000;
const EVENTS: u32 = 1_000_000;
const SEED: u64 = 1;

/// `risk`, or `risk FILE LABEL`.
pub fn run(arguments: &[String]) -> Result<()> {
    let mut report = Vec::new();
    match arguments {
        [] => bench(ROWS, EVENTS, SEED, &uptime, &mut report)?,
        [file, label] => {
            let train = File::open(file).with_context(|| format!("cannot read {file}"))?;
            let what = Backtest { train: Box::new(train), label, against: Against::Folds(5), json: true };
            backtest(what, &Params::default(), &uptime, &mut report)?;
        }
        _ => bail!("risk takes nothing, or a CSV file and the name of its label"),
    }
    let report = String::from_utf8(report)?;
    let (table, last) = report.trim_end().rsplit_once('\n').context("the report has no last line")?;
    let metrics: Value = serde_json::from_str(last)?;
    let mut out = std::io::stdout();
    writeln!(out, "{table}\n{}", json!({ "bench": "risk", "metrics": metrics }))?;
    Ok(())
}
