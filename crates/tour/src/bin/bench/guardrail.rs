//! Verdicts on a corpus of statements: without the cache, and from it.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use daypass_clock::uptime;
use daypass_guardrails::{Cache, Guard, Input, Policy, Session};
use serde_json::{Value, json};

/// The labelled cases of the engine itself, for when there is no larger corpus.
const OWN_CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../guardrails/cases");

struct Statement {
    sql: String,
    parses: Option<bool>,
}

/// `guardrail [CORPUS]`: JSON lines with `sql` and perhaps `parses`, plain or gzipped.
pub fn run(arguments: &[String]) -> Result<()> {
    let statements = match arguments {
        [] => match std::env::var_os("DAYPASS_SQL_CORPUS") {
            Some(file) => read(&PathBuf::from(file))?,
            None => own_cases()?,
        },
        [file] => read(&PathBuf::from(file))?,
        _ => bail!("guardrail takes a file of JSON lines, or nothing"),
    };
    let guard = Guard::new(Policy::named("careful-write")?, None);
    let session = Session::default();
    let (mut disagree, mut labelled) = (0, 0);
    let mut fresh = Vec::with_capacity(statements.len());
    for statement in &statements {
        let begun = uptime();
        let judgement = black_box(guard.judge(&session, Input::simple(&statement.sql)));
        fresh.push(uptime().saturating_sub(begun));
        if let Some(parses) = statement.parses {
            labelled += 1;
            let refused = judgement.rules.iter().any(|rule| rule == "parse-error");
            disagree += usize::from(parses == refused);
        }
    }
    let mut cache = Cache::new(statements.len().saturating_mul(2), 64 << 10);
    for statement in &statements {
        cache.judge(&guard, &session, Input::simple(&statement.sql));
    }
    let mut cached = Vec::with_capacity(statements.len());
    for statement in &statements {
        let begun = uptime();
        black_box(cache.judge(&guard, &session, Input::simple(&statement.sql)));
        cached.push(uptime().saturating_sub(begun));
    }
    report(statements.len(), labelled, disagree, &mut fresh, &mut cached)
}

fn report(
    count: usize,
    labelled: usize,
    disagree: usize,
    fresh: &mut [Duration],
    cached: &mut [Duration],
) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{count} statements; {disagree} of {labelled} disagree with their label \"parses\"")?;
    writeln!(out, "{:<16} {:>10} {:>10} {:>10}", "", "p50 µs", "p99 µs", "worst µs")?;
    let mut metrics = serde_json::Map::new();
    for (key, label, times) in [("verdict", "without cache", fresh), ("cached", "from the cache", cached)] {
        times.sort_unstable();
        let (p50, p99, worst) = (at(times, 50), at(times, 99), at(times, 100));
        writeln!(out, "{label:<16} {p50:>10.2} {p99:>10.2} {worst:>10.2}")?;
        metrics.insert(format!("{key}_p50_us"), json!(p50));
        metrics.insert(format!("{key}_p99_us"), json!(p99));
    }
    metrics.insert("statements".into(), json!(count));
    metrics.insert("disagree".into(), json!(disagree));
    writeln!(out, "{}", json!({ "bench": "guardrail", "metrics": metrics }))?;
    Ok(())
}

/// The smallest time that so many of a hundred do not exceed, in microseconds.
fn at(sorted: &[Duration], percent: usize) -> f64 {
    let rank = sorted.len().saturating_mul(percent).div_ceil(100).max(1);
    sorted.get(rank - 1).map_or(f64::NAN, |t| (t.as_secs_f64() * 1e8).round() / 100.0)
}

fn read(file: &PathBuf) -> Result<Vec<Statement>> {
    let lines: Vec<String> = if file.extension().is_some_and(|e| e == "gz") {
        let unpacked = Command::new("gzip").args(["-dc"]).arg(file).output()?;
        ensure!(unpacked.status.success(), "gzip cannot read {}", file.display());
        String::from_utf8(unpacked.stdout)?.lines().map(str::to_owned).collect()
    } else {
        let file = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
        BufReader::new(file).lines().collect::<Result<_, _>>()?
    };
    lines.iter().map(|line| statement(line)).collect()
}

fn statement(line: &str) -> Result<Statement> {
    let line: Value = serde_json::from_str(line)?;
    let sql = line.get("sql").and_then(Value::as_str).context("a line has no sql")?;
    Ok(Statement { sql: sql.to_owned(), parses: line.get("parses").and_then(Value::as_bool) })
}

fn own_cases() -> Result<Vec<Statement>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(OWN_CASES).context("cannot find the engine's own cases")? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "jsonl") {
            all.extend(read(&path)?);
        }
    }
    ensure!(!all.is_empty(), "there are no cases");
    Ok(all)
}
