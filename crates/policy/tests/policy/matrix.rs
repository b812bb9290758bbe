//! Everyone × every resource × every level, as a file to read: `matrix.txt`.
//!
//! `DAYPASS_UPDATE=1 cargo test -p daypass-policy --test policy matrix` writes it anew after a change of the sample.

use std::collections::BTreeMap;
use std::fmt::Write;

use daypass_domain::{AccessLevel, Entitlement};

use crate::ask::{facts, sample, told};

#[test]
fn the_matrix_of_the_sample_is_the_committed_one() {
    let policy = sample();
    let mut text = "Who gets what in the sample organisation, on a Tuesday noon at no risk.\n".to_owned();
    for person in policy.org().people.values() {
        let groups: Vec<_> = person.groups.iter().map(|g| g.as_str()).collect();
        writeln!(text, "\n{} ({})", person.id, groups.join(", ")).unwrap();
        for level in AccessLevel::ALL {
            let mut by_answer: BTreeMap<String, Vec<&str>> = BTreeMap::new();
            for r in policy.org().resources.values().filter(|r| r.levels.contains(&level)) {
                let what = Entitlement { resource: r.id.clone(), level };
                let answer = told(&policy.offer(&person.id, &what, &facts()));
                let answer = if answer.contains("not eligible") { "not eligible".into() } else { answer };
                by_answer.entry(answer).or_default().push(r.id.as_str());
            }
            writeln!(text, "  {level}").unwrap();
            for (answer, resources) in by_answer {
                writeln!(text, "    {answer}\n      {}", resources.join(" ")).unwrap();
            }
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/policy/matrix.txt");
    if std::env::var_os("DAYPASS_UPDATE").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    let first = text.lines().zip(committed.lines()).find(|(now, was)| now != was);
    assert!(text == committed, "matrix.txt differs from what the sample says now, first at {first:?}");
}
