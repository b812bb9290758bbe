//! `daypassd guardrail`.

use std::io::{stdin, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use daypass_guardrails::cli;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Judges statements: JSON lines {"id","sql"} come in (with "params" and "mode":"extended" for the extended
    /// protocol), a JSON line with a verdict goes out for each.
    Check {
        #[command(flatten)]
        rules: Rules,
        /// JSON lines out; the only form there is.
        #[arg(long)]
        json: bool,
    },
    /// Explains to a person what a text would do, and why it would be stopped.
    Explain {
        #[command(flatten)]
        rules: Rules,
        sql: String,
    },
}

#[derive(Debug, clap::Args)]
struct Rules {
    /// read-only, careful-write, freeze or admin.
    #[arg(long, default_value = "careful-write")]
    policy: String,
    /// The tables, views and functions that the statements meet, as SQL; without it the verdict is more careful.
    #[arg(long)]
    schema: Option<PathBuf>,
}

impl Rules {
    fn schema(&self) -> Result<Option<String>> {
        let read = |path: &Path| {
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
        };
        self.schema.as_deref().map(read).transpose()
    }
}

pub fn run(arguments: Arguments) -> Result<()> {
    match arguments.action {
        Action::Check { rules, json: _ } => {
            let schema = rules.schema()?;
            cli::check(stdin().lock(), &rules.policy, schema.as_deref(), stdout().lock())?;
        }
        Action::Explain { rules, sql } => {
            cli::explain(&sql, &rules.policy, rules.schema()?.as_deref(), stdout().lock())?;
        }
    }
    Ok(())
}
