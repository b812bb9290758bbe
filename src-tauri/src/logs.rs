//! The log: on standard error and in a file of the data folder. Nothing that is logged is a secret: secrets are in
//! types that do not print.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::Mutex;

use anyhow::Context as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};

/// A file larger than this becomes the old one at the next start.
const LARGEST: u64 = 4 << 20;

pub(crate) fn start(folder: &Path) -> anyhow::Result<()> {
    let file = open(folder).with_context(|| format!("the log cannot be written in {}", folder.display()))?;
    let filter = EnvFilter::try_from_env("DAYPASS_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,daypass=info,daypass_client=info"));
    tracing_subscriber::registry()
        .with(filter)
        .with(fmt::layer().with_writer(std::io::stderr).with_target(false))
        .with(fmt::layer().with_writer(Mutex::new(file)).with_ansi(false))
        .try_init()
        .context("the log cannot be started")
}

fn open(folder: &Path) -> std::io::Result<File> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let path = folder.join("daypass.log");
    if path.metadata().is_ok_and(|meta| meta.len() > LARGEST) {
        std::fs::rename(&path, folder.join("daypass.log.1"))?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}
