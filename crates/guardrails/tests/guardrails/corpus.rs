//! PostgreSQL's own regression statements: facts or a refusal for each, in agreement with its label.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use daypass_guardrails::{Input, Session, Verdict};

use crate::cases;

fn file() -> Option<PathBuf> {
    let given = std::env::var_os("DAYPASS_SQL_CORPUS").map(PathBuf::from);
    let beside =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/pg_regress_statements.jsonl.gz");
    let file = given.unwrap_or(beside);
    if file.exists() {
        return Some(file);
    }
    println!(
        "skipped: {} is not there (set DAYPASS_SQL_CORPUS to a file of JSON lines with sql and parses, .gz or not)",
        file.display()
    );
    None
}

#[test]
fn every_statement_gets_facts_or_a_refusal_and_agrees_with_its_label() {
    let Some(file) = file() else { return };
    let mut unzip = None;
    let reader: Box<dyn Read> = if file.extension().is_some_and(|end| end == "gz") {
        let mut child = Command::new("gzip").arg("-dc").arg(&file).stdout(Stdio::piped()).spawn().unwrap();
        let out = child.stdout.take().unwrap();
        unzip = Some(child);
        Box::new(out)
    } else {
        Box::new(std::fs::File::open(&file).unwrap())
    };
    let guard = cases::guard("careful-write", false);
    let admin = cases::guard("admin", true);
    let session = Session::default();
    let (mut total, mut refused, mut disagree, mut stopped) = (0, 0, Vec::new(), 0);
    for line in BufReader::new(reader).lines() {
        let line: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let sql = line["sql"].as_str().unwrap();
        let judgement = guard.judge(&session, Input::simple(sql));
        let unparsed = judgement.rules.iter().any(|rule| rule == "parse-error");
        total += 1;
        refused += usize::from(unparsed);
        stopped += usize::from(judgement.verdict == Verdict::Block);
        if line["parses"].as_bool() == Some(unparsed) {
            disagree.push(sql.to_owned());
        }
        if total % 7 == 0 {
            let recorded = admin.judge(&session, Input::simple(sql));
            assert_eq!(
                recorded.verdict == Verdict::Block,
                recorded.rules.iter().any(|rule| rule == "parse-error" || rule == "too-deep"),
                "{sql}"
            );
        }
    }
    if let Some(mut child) = unzip {
        assert!(child.wait().unwrap().success());
    }
    println!(
        "{total} statements, {refused} refused by the grammar, {stopped} stopped in all, {} disagree",
        disagree.len()
    );
    assert!(total > 10_000);
    assert!(disagree.is_empty(), "{}", disagree.join("\n---\n"));
}
