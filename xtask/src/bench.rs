//! Measurements, in release mode; the last line is one JSON object, kept as a file too.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{setup, step, workspace};

pub fn run(args: &[String]) -> Result<()> {
    let Some((name, rest)) = args.split_first() else {
        bail!("name one of: journey, guardrail, risk");
    };
    setup::ensure_ready()?;
    let mut build = workspace::cargo()?;
    build.args(["build", "--release", "--package", "daypass-tour", "--bin", "daypass-bench"]);
    match name.as_str() {
        // The applications' controllers run without their windows.
        "journey" => {
            build.args(["--package", "daypass-server", "--bin", "daypassd"]);
        }
        "guardrail" | "risk" => {}
        unknown => bail!("there is no bench {unknown:?}; name one of: journey, guardrail, risk"),
    }
    step::command("build in release mode", &mut build)?;
    let last = step::step(&format!("measure {name}"), || measure(name, rest))?;
    let folder = workspace::target()?.join("bench");
    fs::create_dir_all(&folder)?;
    let file = folder.join(format!("{name}.json"));
    fs::write(&file, format!("{last}\n")).with_context(|| format!("cannot write {}", file.display()))?;
    println!("kept as {}", file.display());
    // Once more, so that it is the last line for whoever reads this output.
    println!("{last}");
    Ok(())
}

fn measure(name: &str, args: &[String]) -> Result<String> {
    let mut child = Command::new(workspace::target()?.join("release/daypass-bench"))
        .current_dir(workspace::root())
        .arg(name)
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start daypass-bench")?;
    let output = child.stdout.take().context("daypass-bench has no output")?;
    let mut last = String::new();
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        if !line.trim().is_empty() {
            last = line;
        }
    }
    let status = child.wait()?;
    ensure!(status.success(), "daypass-bench {name} failed ({status})");
    let report: Value =
        serde_json::from_str(&last).with_context(|| format!("its last line is no JSON: {last:?}"))?;
    ensure!(
        report.get("bench").and_then(Value::as_str) == Some(name)
            && report.get("metrics").is_some_and(Value::is_object),
        "its last line has not the shape {{\"bench\":{name:?},\"metrics\":{{..}}}}: {last}"
    );
    Ok(last)
}
