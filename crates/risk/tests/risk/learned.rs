//! What is learned from decisions: right, explained to the last part, and the same every time.

use daypass_risk::metrics::{auc, log_loss};
use daypass_risk::model::{Model, Params, Table, TrainError};
use daypass_risk::synthetic;

/// Quick to train where nothing is optimised.
fn params() -> Params {
    Params { growths: 1, rounds: 25, ..Params::default() }
}

fn made_up(rows: usize) -> (Table, Table, Vec<f64>) {
    let made = synthetic::decisions(rows, 11);
    let split = rows - rows / 3;
    let test = made.table.filtered(|row| row >= split);
    (made.table.filtered(|row| row < split), test, made.truth[split..].to_vec())
}

#[test]
fn what_is_learned_holds_for_others() {
    let (train, test, truth) = made_up(9000);
    let model = Model::train(train, &Params { rounds: 60, ..params() }).unwrap();
    let outcomes = test.approved().iter().copied();
    let said: Vec<(f64, bool)> = outcomes
        .clone()
        .enumerate()
        .map(|(row, approved)| (model.probability(&test.row(row)), approved))
        .collect();
    let truth: Vec<(f64, bool)> = truth.into_iter().zip(outcomes).collect();
    let rate = said.iter().filter(|row| row.1).count() as f64 / said.len() as f64;
    let of_rate: Vec<(f64, bool)> = said.iter().map(|row| (rate, row.1)).collect();
    assert!(auc(&said) > 0.68, "{} of {}", auc(&said), auc(&truth));
    assert!(log_loss(&said) < 0.96 * log_loss(&of_rate), "{} of {}", log_loss(&said), log_loss(&of_rate));
    assert!(model.is_ready(&params()));
    // Measured before any of these rows was scored, and on a part put aside: near, not equal.
    assert!((model.standing().auc - auc(&said)).abs() < 0.1, "{:?} {}", model.standing(), auc(&said));
    let mean = said.iter().map(|row| row.0).sum::<f64>() / said.len() as f64;
    assert!((mean - rate).abs() < 0.015, "said {mean}, was {rate}");
}

#[test]
fn an_opinion_is_the_sum_of_its_parts() {
    let (train, test, _) = made_up(3000);
    let model = Model::train(train, &params()).unwrap();
    for row in (0..test.len()).step_by(50) {
        let row = test.row(row);
        for named in [0, 3, 1000] {
            let opinion = model.opinion(&row, named);
            let parts: f64 = opinion.contributions.iter().map(|part| part.log_odds).sum();
            assert!((opinion.base + parts - opinion.log_odds).abs() < 1e-9);
            assert!((opinion.probability - model.probability(&row)).abs() < 1e-9);
            assert!(opinion.contributions.len() <= named + 1);
            assert!(opinion.contributions.iter().all(|part| part.attributes.len() <= 3));
            assert!(opinion.contributions.iter().take(named).all(|part| part.approved <= part.seen));
        }
        let named = model.opinion(&row, 3);
        let strongest: Vec<f64> =
            named.contributions.iter().take(3).map(|part| part.log_odds.abs()).collect();
        assert!(strongest.is_sorted_by(|a, b| a >= b), "{strongest:?}");
    }
}

#[test]
fn the_same_decisions_give_the_same_model() {
    let (train, test, _) = made_up(1500);
    let first = Model::train(train.clone(), &params()).unwrap();
    let second = Model::train(train.clone(), &params()).unwrap();
    let stored = serde_json::to_string(&first).unwrap();
    assert_eq!(stored, serde_json::to_string(&second).unwrap());
    let read: Model = serde_json::from_str(&stored).unwrap();
    for row in 0..test.len() {
        assert_eq!(read.opinion(&test.row(row), 5), first.opinion(&test.row(row), 5));
    }
    let fewer = train.filtered(|row| row > 0);
    assert_ne!(Model::train(fewer, &params()).unwrap().version(), first.version());
}

#[test]
fn values_never_seen_are_no_trouble() {
    let (train, test, _) = made_up(1500);
    let model = Model::train(train, &params()).unwrap();
    let strangers = vec!["never seen"; test.columns().count()];
    assert!(model.has_unknown(&strangers));
    for row in [strangers, vec![], vec![""; 3], vec!["R1"; 40]] {
        let opinion = model.opinion(&row, 8);
        assert!((0.0..=1.0).contains(&opinion.probability) && opinion.log_odds.is_finite());
    }
}

#[test]
fn little_history_is_not_listened_to() {
    let (train, ..) = made_up(9000);
    let few = train.filtered(|row| row < 200);
    assert!(!Model::train(few, &params()).unwrap().is_ready(&params()));
    // Enough of it, but without anything to learn.
    let mut noise = Table::new(["coin"]);
    for row in 0..2000u32 {
        noise.push(&[if row % 2 == 0 { "heads" } else { "tails" }], (row / 2) % 10 != 0).unwrap();
    }
    assert!(!Model::train(noise, &params()).unwrap().is_ready(&params()));
}

#[test]
fn tables_that_teach_nothing_are_refused() {
    let train = |rows: &[(&str, bool)]| {
        let mut table = Table::new(["who"]);
        rows.iter().for_each(|(who, approved)| table.push(&[who], *approved).unwrap());
        Model::train(table, &params())
    };
    assert_eq!(train(&[]).unwrap_err(), TrainError::Empty);
    assert_eq!(train(&[("ada", true), ("bob", true)]).unwrap_err(), TrainError::OnlyApproved(2));
    assert_eq!(train(&[("ada", false)]).unwrap_err(), TrainError::OnlyDenied(1));
    let tiny = train(&[("ada", true), ("bob", false)]).unwrap();
    assert!((0.0..=1.0).contains(&tiny.probability(&["ada"])));
    let names: Vec<String> = (0..33).map(|name| name.to_string()).collect();
    let mut wide = Table::new(names.iter().map(String::as_str));
    for approved in [true, false] {
        wide.push(&vec!["x"; 33], approved).unwrap();
    }
    assert_eq!(Model::train(wide, &params()).unwrap_err(), TrainError::TooManyColumns(33));
}

#[test]
fn columns_that_say_the_same_are_learned_from_once() {
    let (train, ..) = made_up(1500);
    let names: Vec<String> = train.columns().map(str::to_owned).collect();
    let mut twice = Table::new(names.iter().map(String::as_str).chain(["code of title"]));
    for row in 0..train.len() {
        let values = train.row(row);
        let code = values[5].replace("title", "code");
        twice.push(&[values, vec![&code]].concat(), train.approved()[row]).unwrap();
    }
    let model = Model::train(twice.clone(), &params()).unwrap();
    let opinion = model.opinion(&twice.row(0), 1000);
    let named: Vec<&str> = opinion
        .contributions
        .iter()
        .flat_map(|part| &part.attributes)
        .map(|attribute| attribute.name.as_str())
        .collect();
    assert!(named.contains(&"title") && !named.contains(&"code of title"), "{named:?}");
}
