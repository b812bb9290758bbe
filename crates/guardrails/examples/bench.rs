//! Measures verdicts over a file of JSON lines with `sql` and `parses`: `bench FILE [--schema FILE]`.
#![expect(clippy::disallowed_methods, reason = "a measuring tool reads the time")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use daypass_guardrails::{Cache, Catalogue, Guard, Input, Policy, Session};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: bench FILE [--schema FILE]")?;
    let catalogue = match arguments.next().as_deref() {
        Some("--schema") => {
            Some(Catalogue::from_sql(&std::fs::read_to_string(arguments.next().unwrap_or_default())?)?.into())
        }
        _ => None,
    };
    let guard = Guard::new(Policy::named("careful-write")?, catalogue);
    let session = Session::default();
    let mut statements = Vec::new();
    for line in BufReader::new(std::fs::File::open(path)?).lines() {
        let line: serde_json::Value = serde_json::from_str(&line?)?;
        statements.push((
            line.get("sql").and_then(|sql| sql.as_str()).unwrap_or("").to_owned(),
            line.get("parses").and_then(serde_json::Value::as_bool),
        ));
    }
    let mut times = Vec::with_capacity(statements.len());
    let mut slowest = (Duration::ZERO, String::new());
    let mut disagree = 0;
    let mut rules: BTreeMap<String, usize> = BTreeMap::new();
    for (sql, parses) in &statements {
        let start = Instant::now();
        let judgement = guard.judge(&session, Input::simple(sql));
        let took = start.elapsed();
        if took > slowest.0 {
            slowest = (took, sql.chars().take(200).collect());
        }
        times.push(took);
        let refused = judgement.rules.iter().any(|rule| rule == "parse-error");
        if parses.is_some_and(|parses| parses == refused) {
            disagree += 1;
        }
        for rule in judgement.rules {
            *rules.entry(rule).or_default() += 1;
        }
    }
    report("without cache", &mut times);
    println!("slowest {:?}: {}", slowest.0, slowest.1);
    println!("{} statements, {disagree} disagree with their label\n{rules:?}", statements.len());

    let mut cache = Cache::new(200_000, 64 << 10);
    for (sql, _) in &statements {
        cache.judge(&guard, &session, Input::simple(sql));
    }
    let mut hits = Vec::with_capacity(statements.len());
    for (sql, _) in &statements {
        let start = Instant::now();
        std::hint::black_box(cache.judge(&guard, &session, Input::simple(sql)));
        hits.push(start.elapsed());
    }
    report("from the cache", &mut hits);
    Ok(())
}

fn report(name: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or_default();
    println!(
        "{name}: p50 {:?} p90 {:?} p99 {:?} p99.9 {:?} max {:?}",
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999),
        times.last()
    );
}
