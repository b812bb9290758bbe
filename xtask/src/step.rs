//! One step of a command: its name before, its time after.

use std::{process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use daypass_clock::Clock;

/// Does `work` under a heading, and prints how long it took.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("▸ {name}");
    let clock = Clock::system();
    let start = clock.uptime();
    let outcome = work();
    let took = clock.uptime().saturating_sub(start);
    match &outcome {
        Ok(_) => println!("✓ {name} ({})", spoken(took)),
        Err(_) => println!("✗ {name} ({})", spoken(took)),
    }
    outcome.with_context(|| name.to_owned())
}

/// Runs `command` as a step; what it prints goes where ours goes.
pub fn command(name: &str, command: &mut Command) -> Result<()> {
    step(name, || succeed(command))
}

pub fn succeed(command: &mut Command) -> Result<()> {
    let status =
        command.status().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    ensure!(status.success(), "{} failed ({status})", command.get_program().display());
    Ok(())
}

fn spoken(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        long => format!("{} min {:02} s", long / 60, long % 60),
    }
}
