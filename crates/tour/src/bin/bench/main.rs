//! Measurements of what people wait for. The last line is one JSON object.

mod guardrail;
mod journey;
mod risk;
mod statistics;

use std::env;
use std::process::ExitCode;

use anyhow::{Result, bail};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("daypass-bench: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    match arguments {
        [name, rest @ ..] if name == "journey" => journey::run(rest),
        [name, rest @ ..] if name == journey::AT_DESK => journey::at_desk(rest),
        [name, rest @ ..] if name == "guardrail" => guardrail::run(rest),
        [name, rest @ ..] if name == "risk" => risk::run(rest),
        _ => bail!("name one of: journey, guardrail, risk"),
    }
}
