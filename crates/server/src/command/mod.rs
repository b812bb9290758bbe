//! What daypassd can be told to do.

pub mod account;
pub mod guardrail;
pub mod policy;
pub mod rebuild;
pub mod risk;
pub mod serve;

use std::future::Future;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Prints the OpenAPI document.
pub fn openapi() -> Result<()> {
    std::io::stdout().write_all(crate::api::openapi_json()?.as_bytes())?;
    Ok(())
}

/// Where the ledger is.
#[derive(Debug, clap::Args)]
pub struct Place {
    /// The folder that holds the embedded store, the certificate and the server's key. Made when it is missing.
    #[arg(long, env = "DAYPASS_DATA")]
    data: PathBuf,
    /// Another store than the embedded one: postgres://user@host/database.
    /// The password may come from PGPASSWORD or ~/.pgpass.
    #[arg(long, env = "DAYPASS_STORE")]
    store: Option<String>,
}

impl Place {
    /// The data folder, made for its owner alone.
    fn folder(&self) -> Result<&Path> {
        make_private(&self.data)
            .with_context(|| format!("cannot make the folder {}", self.data.display()))?;
        Ok(&self.data)
    }

    fn store_url(&self) -> Result<String> {
        let folder = self.folder()?;
        Ok(self.store.clone().unwrap_or_else(|| format!("sqlite://{}", folder.join("daypass.db").display())))
    }
}

#[cfg(unix)]
fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)
}

/// Runs one of the commands that wait.
fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(future)
}
