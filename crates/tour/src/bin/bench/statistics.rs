//! Medians and percentiles of durations, as a table and as JSON.

use std::io::Write as _;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Map, Value, json};

/// What one thing took, run by run.
pub struct Series {
    /// The beginning of its JSON keys.
    pub key: &'static str,
    /// For people.
    pub label: &'static str,
    pub runs: Vec<Duration>,
}

impl Series {
    pub fn new(key: &'static str, label: &'static str) -> Self {
        Self { key, label, runs: Vec::new() }
    }

    /// The smallest run that `share` of all runs do not exceed, in milliseconds (nearest rank).
    fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.runs.clone();
        sorted.sort();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank between 1 and the count"
        )]
        let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
        sorted.get(rank - 1).map_or(f64::NAN, |run| run.as_secs_f64() * 1000.0)
    }
}

/// Prints the table, then the JSON line.
pub fn report(bench: &str, series: &[Series]) -> Result<()> {
    let mut out = std::io::stdout();
    let mut metrics = Map::new();
    writeln!(out, "{:<38} {:>5} {:>10} {:>10} {:>10}", "", "runs", "median ms", "p99 ms", "worst ms")?;
    for s in series {
        let (median, p99, worst) = (s.quantile(0.5), s.quantile(0.99), s.quantile(1.0));
        writeln!(out, "{:<38} {:>5} {median:>10.1} {p99:>10.1} {worst:>10.1}", s.label, s.runs.len())?;
        metrics.insert(format!("{}_runs", s.key), json!(s.runs.len()));
        for (name, value) in [("median_ms", median), ("p99_ms", p99)] {
            metrics.insert(format!("{}_{name}", s.key), json!((value * 10.0).round() / 10.0));
        }
    }
    writeln!(out, "{}", json!({ "bench": bench, "metrics": Value::Object(metrics) }))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_runs_that_happened() {
        let runs = (1..=100).rev().map(Duration::from_millis).collect();
        let series = Series { key: "x", label: "x", runs };
        let of = |share| series.quantile(share).round();
        assert_eq!((of(0.5), of(0.99), of(1.0)), (50.0, 99.0, 100.0));
    }
}
