//! The application on a throwaway organisation, server and database.

use std::{env, process::Command};

use anyhow::{Result, bail};

use crate::{setup, step, test, ui, workspace};

pub fn run(args: &[String]) -> Result<()> {
    if let Some(unknown) = args.iter().find(|arg| !["--fast", "--tour"].contains(&arg.as_str())) {
        bail!("run does not know {unknown:?}; it takes --fast and --tour");
    }
    let given = |flag: &str| args.iter().any(|arg| arg == flag);
    setup::ensure_ready()?;
    ui::build(false)?;
    // The whole workspace, as for the tests: a part of it alone would build its dependencies with other features anew.
    step::command(
        "build the application, the server and the tour",
        workspace::cargo()?.arg("build").args(test::HOST).arg("--bins"),
    )?;
    let what = if given("--tour") || !has_display() { "tour" } else { "demo" };
    let mut program = Command::new(workspace::target()?.join("debug/daypass-tour"));
    program.current_dir(workspace::root()).arg(what);
    if given("--fast") {
        program.arg("--fast");
    }
    step::succeed(&mut program)
}

fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}
