//! `daypassd guardrail`.

use std::io::{Write as _, stdin, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use daypass_guardrails::catalogue::LIVE_QUERY;
use daypass_guardrails::cli;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use super::block_on;

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
    /// Prints what the guardrails need to know of a live PostgreSQL, as SQL for --schema: tables, columns, keys, views,
    /// functions, rules, triggers, row security and approximate counts. It reads the catalogue only, no rows.
    Schema {
        /// postgres://USER@HOST:PORT/NAME. What is left out comes from PGHOST and its like; a password only from
        /// PGPASSWORD or the password file, so that no other process sees it.
        database: Option<String>,
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
        Action::Schema { database } => stdout().write_all(schema(database.as_deref())?.as_bytes())?,
    }
    Ok(())
}

/// The catalogue of a live database, as SQL.
fn schema(database: Option<&str>) -> Result<String> {
    let options = match database {
        None => PgConnectOptions::new(),
        Some(address) => {
            let address = url::Url::parse(address).context("this is no address of a database")?;
            let secret =
                address.password().is_some() || address.query_pairs().any(|(key, _)| key == "password");
            ensure!(
                !secret,
                "a password in the address is seen by every process here: put it into PGPASSWORD or the password file"
            );
            PgConnectOptions::from_url(&address)?
        }
    };
    // With none of its own schemas in the path, names in views and bodies come back with their schema in front.
    let options = options.application_name("daypassd").options([("search_path", "pg_catalog")]);
    block_on(async {
        let mut connection = options.connect().await.context("cannot connect to the database")?;
        let lines: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(LIVE_QUERY)).fetch_all(&mut connection).await?;
        connection.close().await?;
        Ok(lines.iter().map(|line| format!("{line}\n")).collect())
    })
}
