//! Replays the committed corpora of the fuzz targets.

use std::path::Path;

use daypass_guardrails::{Catalogue, Input, Session};

use crate::cases;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut found: Vec<Vec<u8>> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect();
    found.sort();
    assert!(found.len() >= 10, "{target} has {} inputs", found.len());
    found
}

#[test]
fn the_verdict_corpus_is_harmless_to_the_engine() {
    let guards = [cases::guard("careful-write", true), cases::guard("careful-write", false)];
    for input in corpus("verdict") {
        let text = String::from_utf8_lossy(&input);
        for guard in &guards {
            let judgement = guard.judge(&Session::default(), Input::simple(&text));
            assert!(!judgement.message.is_empty());
        }
    }
}

#[test]
fn the_schema_corpus_is_harmless_to_the_reader() {
    for input in corpus("schema") {
        let _ = Catalogue::from_sql(&String::from_utf8_lossy(&input));
    }
}
