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

/// `daypassd init-policy`.
#[derive(Debug, clap::Args)]
pub struct InitArguments {
    /// The folder to make; the sample organisation's files are written there as a beginning.
    folder: PathBuf,
}

pub fn init(arguments: InitArguments) -> Result<()> {
    let folder = arguments.folder;
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let sample = Sources::sample();
    let texts = [&sample.org, &sample.schema, &sample.request, &sample.approve, &sample.obligations];
    for (name, text) in Sources::FILES.iter().zip(texts) {
        let path = folder.join(name);
        // Somebody's own policy is never written over.
        let mut file =
            std::fs::File::create_new(&path).with_context(|| format!("cannot make {}", path.display()))?;
        file.write_all(text.as_bytes())?;
    }
    writeln!(std::io::stdout(), "The sample policy is in {}. Start with org.toml.", folder.display())?;
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
