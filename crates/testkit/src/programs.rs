//! Finding programs: those of the system, by their package, and those that this workspace builds.

use std::{
    env,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{self, Command},
    sync::atomic::{AtomicU16, Ordering},
};

use anyhow::{Context, Result, anyhow, bail};

/// Below the range that the kernel gives to outgoing connections, so that a server which is stopped and started again
/// finds its port still free.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A port on 127.0.0.1 that nothing listens on.
///
/// # Errors
/// When no port of the range is free.
pub fn free_port() -> Result<u16> {
    // Each process starts elsewhere in the range: tests of several processes run side by side.
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let size = PORTS.end - PORTS.start;
    let home = u16::try_from(process::id().wrapping_mul(61) % u32::from(size)).unwrap_or(0);
    for _ in 0..size {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % size;
        let port = PORTS.start + (home + step) % size;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port between {} and {}", PORTS.start, PORTS.end)
}

/// The program `name` from PATH.
///
/// # Errors
/// When it is not there; names the Debian `package` that brings it.
pub(crate) fn system_program(name: &str, package: &str) -> Result<PathBuf> {
    find(name).ok_or_else(|| anyhow!("{name} is not installed; it comes with the Debian package {package} (cargo xtask setup installs it)"))
}

pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| is_program(file))
}

pub(crate) fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Runs `command` to its end; gives what it prints.
pub(crate) fn output_of(command: &mut Command) -> Result<String> {
    let output =
        command.output().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    if !output.status.success() {
        bail!(
            "{} failed: {}",
            command.get_program().display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A program that this workspace builds, found beside the running test or program in the target folder.
///
/// # Errors
/// When it was not built; names the command that builds it.
pub fn built_program(name: &str) -> Result<PathBuf> {
    let own = env::current_exe().context("cannot tell which program is running")?;
    own.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|file| is_program(file)).ok_or_else(
        || {
            anyhow!(
                "{name} was not built beside {}; run: cargo build --workspace --exclude daypass-ui",
                own.display()
            )
        },
    )
}
