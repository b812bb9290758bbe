//! The developer's commands. `cargo xtask test` is also all that CI does.

mod bench;
mod needs;
mod run;
mod setup;
mod step;
mod test;
mod ui;
mod workspace;

use std::{env, process::ExitCode};

use anyhow::{Result, bail};

const USAGE: &str = "\
Usage: cargo xtask <command>

  run [--fast] [--tour]   build everything and open the application on a throwaway organisation and database;
                          without a display, or with --tour, drive it through the main job and keep screenshots
                          (--fast: a grant of two minutes)
  test [filter]           formatting, lints, unit, property and end-to-end tests;
                          with a filter, only the tests whose name contains it
  bench <name> [..]       measure: journey, guardrail or risk
  ui [--release]          build the front end into dist/
  setup                   install what the commands above need, and nothing else

Each command first looks for what it needs, and says what it installs before it does.
";

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    let command = args.next().unwrap_or_default();
    match dispatch(&command, &args.collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask {command}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: &str, args: &[String]) -> Result<()> {
    match command {
        "run" => run::run(args),
        "test" => test::run(args),
        "bench" => bench::run(args),
        "ui" => ui::run(args),
        "setup" => setup::run(),
        "" | "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        unknown => bail!("there is no command {unknown:?}\n\n{USAGE}"),
    }
}
