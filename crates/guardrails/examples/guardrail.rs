//! The engine on the command line: `guardrail check --policy NAME [--schema FILE] --json`, `guardrail explain SQL`.

use std::io::{stdin, stdout};

use daypass_guardrails::cli;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let (mut policy, mut schema, mut sql) = ("careful-write".to_owned(), None, String::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--policy" => policy = arguments.next().unwrap_or_default(),
            "--schema" => schema = Some(std::fs::read_to_string(arguments.next().unwrap_or_default())?),
            "--json" => {}
            other => sql = other.to_owned(),
        }
    }
    match command.as_str() {
        "check" => cli::check(stdin().lock(), &policy, schema.as_deref(), stdout().lock())?,
        "explain" => {
            cli::explain(&sql, &policy, schema.as_deref(), stdout().lock())?;
        }
        _ => {
            return Err(
                "usage: guardrail check --policy NAME [--schema FILE] --json | guardrail explain SQL".into(),
            );
        }
    }
    Ok(())
}
