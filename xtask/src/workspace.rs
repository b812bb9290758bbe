//! Where things are: the checkout, the target folder, and the cargo that builds them.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use anyhow::{Context, Result};

use crate::step;

/// The root of the checkout that cargo runs this program for, which may have been built for another one.
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let own = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let own = PathBuf::from(own);
        own.parent().map_or(own.clone(), Path::to_path_buf)
    });
    &ROOT
}

/// Where everything is built: CARGO_TARGET_DIR, or a folder of the user's cache that all checkouts share, so that a
/// fresh clone does not compile its dependencies again.
pub fn target() -> Result<PathBuf> {
    if let Some(chosen) = env::var_os("CARGO_TARGET_DIR") {
        return Ok(root().join(chosen));
    }
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
        .context("neither XDG_CACHE_HOME nor HOME is set, so there is no cache folder to build in")?;
    Ok(cache.join("daypass/target"))
}

/// Makes the target folder this checkout's. Cargo tells sources by their age, not by their place: what another checkout
/// has built there would pass for this one's.
pub fn claim() -> Result<()> {
    let folder = target()?;
    let stamp = folder.join("checkout");
    let own = root().to_string_lossy();
    match fs::read_to_string(&stamp) {
        Ok(last) if last == own => return Ok(()),
        Ok(last) => step::command(
            &format!("put aside what {last} has built here; dependencies stay"),
            cargo()?.args(["clean", "--quiet", "--workspace"]),
        )?,
        Err(_) => {}
    }
    fs::create_dir_all(&folder)?;
    fs::write(&stamp, own.as_bytes()).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Cargo at the root of the checkout, building into [`target`].
pub fn cargo() -> Result<Command> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root()).env("CARGO_TARGET_DIR", target()?);
    // Set by `cargo run` for this program alone; build scripts that watch the environment would start over.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name);
        }
    }
    Ok(cargo)
}
