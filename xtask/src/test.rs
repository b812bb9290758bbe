//! Everything that is checked before a change goes in.

use anyhow::{Result, bail};

use crate::{needs, setup, step, ui, workspace};

/// All but the front end, which is only ever built for WebAssembly.
pub const HOST: [&str; 3] = ["--workspace", "--exclude", "daypass-ui"];

pub fn run(args: &[String]) -> Result<()> {
    let filter = match args {
        [] => None,
        [filter] if !filter.starts_with('-') => Some(filter.as_str()),
        _ => bail!("test takes part of a test's name, or nothing"),
    };
    step::step("all checks", || {
        setup::ensure_ready()?;
        if filter.is_none() {
            lint()?;
        }
        ui::build(false)?;
        // Programs along with tests: end-to-end tests start the application and the server of other packages.
        step::command(
            "build the programs and the tests",
            workspace::cargo()?.arg("build").args(HOST).args(["--all-targets"]),
        )?;
        run_tests(filter)
    })
}

fn lint() -> Result<()> {
    step::command("formatting", workspace::cargo()?.args(["fmt", "--all", "--check"]))?;
    // The application's build script and macros read dist, so it has to be there, even empty.
    std::fs::create_dir_all(workspace::root().join("dist"))?;
    let deny = ["--", "--deny", "warnings"];
    step::command("lints", workspace::cargo()?.arg("clippy").args(HOST).arg("--all-targets").args(deny))?;
    step::command(
        "lints of the front end",
        workspace::cargo()?
            .args(["clippy", "--package", "daypass-ui", "--target", "wasm32-unknown-unknown"])
            .args(["--profile", "wasm-dev"])
            .args(deny),
    )?;
    if needs::on_path("cargo-deny") {
        step::command(
            "licences and sources of dependencies",
            workspace::cargo()?.args([
                "deny",
                "check",
                "--hide-inclusion-graph",
                "bans",
                "licenses",
                "sources",
            ]),
        )?;
    }
    Ok(())
}

fn run_tests(filter: Option<&str>) -> Result<()> {
    let mut cargo = workspace::cargo()?;
    let name = if needs::on_path("cargo-nextest") {
        cargo.args(["nextest", "run"]);
        "tests"
    } else {
        cargo.arg("test");
        "tests (with cargo test; cargo-nextest would run them in parallel)"
    };
    step::command(name, cargo.args(HOST).args(filter))?;
    step::command(
        "tests of the front end's words and routes",
        workspace::cargo()?.args(["test", "--package", "daypass-ui"]).args(filter),
    )
}
