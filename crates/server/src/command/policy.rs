//! `daypassd check-policy`, and how a policy folder is read.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use daypass_policy::{Policy, Sources};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The folder with org.toml, schema.cedarschema, request.cedar, approve.cedar and obligations.cedar.
    folder: PathBuf,
    /// Values for ${NAME} in org.toml, as NAME=value.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
}

pub fn run(arguments: Arguments) -> Result<()> {
    let policy = parse(&read(&arguments.folder, &arguments.set)?)?;
    let org = policy.org();
    writeln!(
        std::io::stdout(),
        "{}: {} people, {} resources, {} freezes. The policy is good; its digest is {}.",
        org.name,
        org.people.len(),
        org.resources.len(),
        org.freezes.len(),
        policy.digest()
    )?;
    Ok(())
}

/// Reads a policy folder.
pub fn read(folder: &Path, set: &[String]) -> Result<Sources> {
    let file = |name: &str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    with_variables(Sources::read(file)?, set)
}

/// Adds the values that were given on the command line.
pub fn with_variables(mut sources: Sources, set: &[String]) -> Result<Sources> {
    for pair in set {
        let Some((name, value)) = pair.split_once('=') else { bail!("--set wants NAME=value, not {pair:?}") };
        sources = sources.with(name, value);
    }
    Ok(sources)
}

/// Checks sources as a whole; all that is wrong comes in one error.
pub fn parse(sources: &Sources) -> Result<Policy> {
    Policy::parse(sources).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(|e| format!("  {e}")).collect();
        anyhow::anyhow!("the policy is not good:\n{}", lines.join("\n"))
    })
}
