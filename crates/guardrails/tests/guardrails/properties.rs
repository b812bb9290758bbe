//! What must hold whatever the text.

use daypass_guardrails::{Guard, Input, Session, Verdict};
use proptest::prelude::*;

use crate::cases;

fn judge(guard: &Guard, predicate: &str) -> Verdict {
    guard.judge(&Session::default(), Input::simple(&format!("DELETE FROM users WHERE {predicate}"))).verdict
}

/// Predicates that leave rows out.
fn real_test() -> impl Strategy<Value = String> {
    prop_oneof![
        (1..5_000i32).prop_map(|id| format!("id = {id}")),
        (10..5_000i32).prop_map(|id| format!("id < {id}")),
        (2..5_000i32).prop_map(|id| format!("id > {id}")),
        "[a-z]{1,8}".prop_map(|status| format!("status = '{status}'")),
        "[a-z]{1,8}".prop_map(|start| format!("email LIKE '{start}%'")),
        (1..900u32).prop_map(|days| format!("created_at < now() - interval '{days} days'")),
        prop::collection::vec(1..999i32, 1..6).prop_map(|ids| format!(
            "id IN ({})",
            ids.iter().map(i32::to_string).collect::<Vec<_>>().join(", ")
        )),
        Just("deleted_at IS NOT NULL".to_owned()),
        Just("NOT active".to_owned()),
        Just("EXISTS (SELECT 1 FROM orders o WHERE o.user_id = users.id)".to_owned()),
    ]
}

/// Predicates that let every row through.
fn tautology() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("true".to_owned()),
        (0..9i32, 0..9i32).prop_map(|(a, b)| format!("{} > {}", a.max(b) + 1, a.min(b))),
        Just("id = id".to_owned()),
        Just("id IS NOT NULL".to_owned()),
        Just("email LIKE '%'".to_owned()),
        Just("EXISTS (SELECT 1 FROM orders)".to_owned()),
        Just("id IN (SELECT id FROM users)".to_owned()),
        (-9_999..0i32).prop_map(|id| format!("id > {id}")),
        real_test().prop_map(|test| format!("({test}) OR NOT ({test})")),
    ]
}

fn wrapped(predicate: String, how: u8) -> String {
    match how % 6 {
        0 => format!("({predicate})"),
        1 => format!("NOT NOT ({predicate})"),
        2 => format!("({predicate}) IS TRUE"),
        3 => format!("CASE WHEN ({predicate}) THEN true ELSE false END"),
        4 => format!("COALESCE(({predicate}), false)"),
        _ => format!("({predicate}) AND 1 = 1"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_gets_a_verdict(text in "\\PC{0,200}") {
        let guard = cases::guard("careful-write", false);
        let judgement = guard.judge(&Session::default(), Input::simple(&text));
        for finding in &judgement.facts.findings {
            prop_assert!(text.get(finding.at..finding.at + finding.length).is_some());
        }
    }

    #[test]
    fn pieces_of_sql_get_a_verdict(pieces in prop::collection::vec(prop::sample::select(vec![
        "SELECT", "DELETE FROM", "users", "WHERE", "id", "=", "1", "(", ")", "AND", "OR", "NOT", "'x'", ",", "IN", "EXISTS",
        "UPDATE", "SET", "name", "NULL", "IS", "CASE", "WHEN", "THEN", "END", "$1", "$$", ";", "WITH", "AS", "RETURNING", "*",
        "DO", "BEGIN", "LIMIT", "now()", "::int", "interval", "-", "BETWEEN", "LIKE", "'%'", "JOIN", "ON", "USING", "MERGE INTO",
    ]), 1..40)) {
        let text = pieces.join(" ");
        let guard = cases::guard("careful-write", true);
        guard.judge(&Session::default(), Input::simple(&text));
    }

    #[test]
    fn a_real_test_stays_one_however_it_is_wrapped(test in real_test(), how in 0u8..6, again in 0u8..6) {
        let guard = cases::guard("careful-write", true);
        let predicate = wrapped(wrapped(test, how), again);
        prop_assert_eq!(judge(&guard, &predicate), Verdict::Allow, "{}", predicate);
    }

    #[test]
    fn a_tautology_stays_one_however_it_is_wrapped(tautology in tautology(), how in 0u8..6, again in 0u8..6) {
        let guard = cases::guard("careful-write", true);
        let predicate = wrapped(wrapped(tautology, how), again);
        prop_assert_eq!(judge(&guard, &predicate), Verdict::Block, "{}", predicate);
    }

    #[test]
    fn or_true_opens_and_a_further_test_bounds(test in real_test(), tautology in tautology()) {
        let guard = cases::guard("careful-write", true);
        let open = format!("({test}) OR ({tautology})");
        prop_assert_eq!(judge(&guard, &open), Verdict::Block, "{}", open);
        let bounded = format!("({tautology}) AND ({test})");
        prop_assert_eq!(judge(&guard, &bounded), Verdict::Allow, "{}", bounded);
    }
}
