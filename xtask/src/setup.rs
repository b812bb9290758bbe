//! Installs what is missing, after saying what and why.

use std::{
    env,
    fs::{self, File},
    io::{self, BufRead, BufReader, IsTerminal, Write},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    needs::{self, Need},
    step, workspace,
};

/// Everything that the other commands need. A machine that has it all is only looked at, in some milliseconds.
pub fn ensure_ready() -> Result<()> {
    let missing = needs::missing();
    if !missing.is_empty() {
        install_packages(&missing)?;
    }
    add_rust_parts()?;
    workspace::claim()
}

pub fn run() -> Result<()> {
    ensure_ready()?;
    println!("✓ everything needed is installed");
    Ok(())
}

fn install_packages(missing: &[&Need]) -> Result<()> {
    println!("Missing on this machine:");
    for need in missing {
        println!("  {:30} {}", need.package, need.why);
    }
    if !needs::is_debian() {
        bail!(
            "this is no Debian or Ubuntu, so nothing is installed for you; \
             install the above (the names are Debian's) and try again"
        );
    }
    let root = is_root();
    if !root && !ci() {
        agree()?;
    }
    let log = workspace::target()?.join("setup.log");
    fs::create_dir_all(workspace::target()?)?;
    let names: Vec<_> = missing.iter().map(|need| need.package).collect();
    let title = format!("install {} packages with apt-get (its output: {})", names.len(), log.display());
    step::step(&title, || {
        apt(root, &["update"], &log)?;
        apt(root, &[&["install", "--yes", "--no-install-recommends"], names.as_slice()].concat(), &log)
    })?;
    let left = needs::missing();
    ensure!(
        left.is_empty(),
        "apt-get did not install {}",
        left.iter().map(|need| need.package).collect::<Vec<_>>().join(", ")
    );
    Ok(())
}

fn agree() -> Result<()> {
    ensure!(
        io::stdin().is_terminal(),
        "run `cargo xtask setup` in a terminal, where it can ask before it uses sudo"
    );
    print!("Install them now with sudo apt-get? [Y/n] ");
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    match answer.trim() {
        "" | "y" | "Y" | "yes" => Ok(()),
        _ => bail!("nothing was installed"),
    }
}

fn apt(root: bool, args: &[&str], log: &Path) -> Result<()> {
    let mut command = if root { Command::new("apt-get") } else { Command::new("sudo") };
    if !root {
        if ci() {
            command.arg("--non-interactive");
        }
        command.args(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    }
    let mut log_file = File::options().create(true).append(true).open(log)?;
    let mut child = command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"])
        .args(args)
        .stdout(Stdio::piped())
        .stderr(log_file.try_clone()?)
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let output = child.stdout.take().context("apt-get has no output")?;
    let (mut unpacked, mut set_up) = (0, 0);
    for line in BufReader::new(output).lines() {
        let line = line?;
        writeln!(log_file, "{line}")?;
        unpacked += usize::from(line.starts_with("Unpacking "));
        set_up += usize::from(line.starts_with("Setting up "));
        if io::stdout().is_terminal() && unpacked + set_up > 0 {
            print!("\r  unpacked {unpacked}, set up {set_up}");
            io::stdout().flush()?;
        }
    }
    if unpacked + set_up > 0 {
        println!("\r  unpacked {unpacked}, set up {set_up}");
    }
    let status = child.wait()?;
    ensure!(
        status.success(),
        "apt-get {} failed ({status}); see {}",
        args.first().unwrap_or(&""),
        log.display()
    );
    Ok(())
}

/// The target for the front end, and the tools for formatting and lints.
fn add_rust_parts() -> Result<()> {
    let sysroot =
        Command::new("rustc").current_dir(workspace::root()).args(["--print", "sysroot"]).output()?;
    let sysroot = String::from_utf8_lossy(&sysroot.stdout).trim().to_owned();
    let sysroot = Path::new(&sysroot);
    if !sysroot.join("lib/rustlib/wasm32-unknown-unknown/lib").exists() {
        step::command(
            "add the Rust target wasm32-unknown-unknown, for the front end",
            Command::new("rustup").current_dir(workspace::root()).args([
                "target",
                "add",
                "wasm32-unknown-unknown",
            ]),
        )?;
    }
    let tools = [("cargo-clippy", "clippy"), ("rustfmt", "rustfmt")];
    for (_, component) in tools.iter().filter(|(program, _)| !sysroot.join("bin").join(program).exists()) {
        step::command(
            &format!("add {component}"),
            Command::new("rustup").current_dir(workspace::root()).args(["component", "add", component]),
        )?;
    }
    Ok(())
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn ci() -> bool {
    env::var("CI").is_ok_and(|value| value == "true")
}
