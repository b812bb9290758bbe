//! The command line: what it prints, and what it says to bad input.

use std::cell::Cell;
use std::time::Duration;

use daypass_risk::Weights;
use daypass_risk::cli::{Against, Backtest, CliError, EXAMPLE, Measured, backtest, bench, explain};
use daypass_risk::model::Params;
use daypass_risk::synthetic;

/// The same decisions as CSV.
fn csv(rows: std::ops::Range<usize>) -> String {
    let made = synthetic::decisions(rows.end, 11);
    let names: Vec<&str> = made.table.columns().collect();
    let mut text = format!("granted,{}\n", names.join(","));
    for row in rows {
        text += &format!("{},{}\n", u8::from(made.table.approved()[row]), made.table.row(row).join(","));
    }
    text
}

fn run(train: &str, label: &str, against: Against<'_>) -> (Result<Measured, CliError>, String) {
    let ticks = Cell::new(0u32);
    let time = || {
        ticks.set(ticks.get() + 1);
        Duration::from_millis(1) * ticks.get()
    };
    let mut out = Vec::new();
    let what = Backtest { train: Box::new(train.as_bytes()), label, against, json: true };
    let params = Params { growths: 1, rounds: 15, ..Params::default() };
    let measured = backtest(what, &params, &time, &mut out);
    (measured, String::from_utf8(out).unwrap())
}

#[test]
fn a_backtest_ends_with_its_measures_as_json() {
    let (train, test) = (csv(0..2000), csv(2000..2600));
    let (measured, text) = run(&train, "granted", Against::Test(Box::new(test.as_bytes())));
    let measured = measured.unwrap();
    let line: serde_json::Value = serde_json::from_str(text.trim_end().lines().last().unwrap()).unwrap();
    assert_eq!(line["auc"].as_f64(), Some(measured.auc));
    assert_eq!(line["log_loss"].as_f64(), Some(measured.log_loss));
    assert_eq!(line["train_seconds"].as_f64(), Some(0.001));
    assert_eq!((measured.rows, measured.folds.len(), measured.calibration.len()), (600, 1, 10));
    assert!(measured.folds[0].rows_with_unknown > 0);
    assert!(measured.auc > 0.55 && measured.log_loss < 0.4, "{text}");
    assert!(text.contains("calibration"), "{text}");
}

#[test]
fn every_fold_is_reported() {
    let (measured, text) = run(&csv(0..1200), "granted", Against::Folds(3));
    let measured = measured.unwrap();
    assert_eq!(
        measured.folds.iter().map(|fold| (fold.trained_on, fold.rows)).collect::<Vec<_>>(),
        [(800, 400); 3]
    );
    let mean = measured.folds.iter().map(|fold| fold.auc).sum::<f64>() / 3.0;
    assert!((measured.auc - mean).abs() < 1e-12);
    assert_eq!(text.lines().filter(|line| line.contains(" s ") && line.contains("µs")).count(), 3, "{text}");
}

#[test]
fn columns_are_found_by_name() {
    let train = csv(0..600);
    let ordered = csv(600..900);
    let turned: String = ordered
        .lines()
        .map(|line| line.split(',').rev().chain(["more"]).collect::<Vec<_>>().join(",") + "\r\n")
        .collect();
    let (a, _) = run(&train, "granted", Against::Test(Box::new(ordered.as_bytes())));
    let (b, _) = run(&train, "granted", Against::Test(Box::new(turned.as_bytes())));
    assert_eq!(a.unwrap().auc.to_bits(), b.unwrap().auc.to_bits());
}

#[test]
fn bad_input_is_named() {
    let good = "granted,who\n1,ada\n0,bob\n1,cyd\n0,dan\n";
    for (train, test, message) in [
        ("", None, "the training file is empty"),
        ("granted,who\n", None, "the training file has no decisions"),
        ("ok,who\n1,ada\n", None, "no column \"granted\"; its columns are ok, who"),
        ("granted,who\n1,ada\n0,bob,eve\n", None, "line 3: 3 values, and there are 2 columns"),
        (
            "granted,who\n1,ada\nyes,bob\n",
            None,
            "line 3: granted is \"yes\", and must be 1 (approved) or 0 (denied)",
        ),
        ("granted,who\n1,ada\n,bob\n", None, "line 3: granted is \"\""),
        ("granted,who\n1,ada\n1,bob\n", None, "all 2 decisions are approvals"),
        ("granted,who\n0,ada\n0,bob\n", None, "all 2 decisions are denials"),
        ("granted\n1\n0\n", None, "no attributes to learn from"),
        ("granted,who,who\n1,ada,ada\n", None, "the column \"who\" twice"),
        (good, Some(""), "the test file is empty"),
        (good, Some("granted,whom\n1,ada\n"), "the test file has no column \"who\""),
        (good, Some("granted,who\n1,ada\n1,eve\n"), "the test file: all decisions are the same"),
        (good, Some("granted,who\n2,ada\n"), "the test file, line 2: granted is \"2\""),
    ] {
        let against = test.map_or(Against::Folds(2), |test| Against::Test(Box::new(test.as_bytes())));
        let error = run(train, "granted", against).0.unwrap_err().to_string();
        assert!(error.contains(message), "{train:?} {test:?}: {error}");
    }
    for folds in [0, 1, 3] {
        let error = run(good, "granted", Against::Folds(folds)).0.unwrap_err().to_string();
        assert!(error.contains("at least 2, and no more than the 2 decisions"), "{error}");
    }
    let bytes: &[u8] = b"granted,who\n1,\xff\n";
    let error = run(good, "granted", Against::Test(Box::new(bytes))).0.unwrap_err().to_string();
    assert!(error.contains("UTF-8") || error.contains("UTF8"), "{error}");
}

#[test]
fn a_table_of_a_few_rows_is_measured_all_the_same() {
    let few = "granted,who\n1,ada\n0,bob\n1,cyd\n0,dan\n";
    let (measured, text) = run(few, "granted", Against::Folds(2));
    assert!((0.0..=1.0).contains(&measured.unwrap().auc));
    assert!(text.contains("too little history"), "{text}");
}

#[test]
fn a_request_is_explained_factor_by_factor() {
    let mut out = Vec::new();
    let explained = explain(&mut EXAMPLE.as_bytes(), &Weights::default(), None, false, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.starts_with(&format!("{} of 100: high", explained.score.points)), "{text}");
    for factor in &explained.score.factors {
        assert!(text.contains(&format!("{}: {}", factor.label, factor.about)), "{text}");
    }
    assert!(text.contains("Read instead of write: "), "{text}");
    let mut broken = EXAMPLE.replace("\"flags\": 0", "\"flags\": -1");
    let error =
        explain(&mut broken.as_bytes(), &Weights::default(), None, false, &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("the request cannot be read"), "{error}");
    broken = EXAMPLE.replace("\"flags\": 0", "\"flag\": 0");
    assert!(explain(&mut broken.as_bytes(), &Weights::default(), None, false, &mut Vec::new()).is_err());
}

#[test]
fn a_request_is_explained_by_past_decisions_too() {
    let decisions = csv(0..3000);
    let mut out = Vec::new();
    let learned = Some((&mut decisions.as_bytes() as &mut dyn std::io::Read, "granted"));
    let explained = explain(&mut EXAMPLE.as_bytes(), &Weights::default(), learned, false, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let opinion = explained.opinion.unwrap();
    assert!(text.contains(&opinion.model) && text.contains("all others"), "{text}");
    assert!(
        opinion
            .contributions
            .iter()
            .any(|part| part.attributes.iter().any(|attribute| attribute.value == "R12"))
    );
}

#[test]
fn the_bench_ends_with_json() {
    let ticks = Cell::new(0u32);
    let time = || {
        ticks.set(ticks.get() + 1);
        Duration::from_secs(1) * ticks.get()
    };
    let mut out = Vec::new();
    bench(1000, 5000, 1, &time, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let line: serde_json::Value = serde_json::from_str(text.trim_end().lines().last().unwrap()).unwrap();
    for key in ["auc", "log_loss", "ceiling_auc", "events", "history_microseconds", "train_seconds"] {
        assert!(line[key].is_number(), "{key} in {line}");
    }
}
