//! `daypassd risk`.

use std::fs::File;
use std::io::{BufReader, Read, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use daypass_clock::uptime;
use daypass_risk::Weights;
use daypass_risk::cli::{self, Against, Backtest, EXAMPLE};
use daypass_risk::model::Params;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// How well the learned part would have done on decisions that it has not seen.
    Backtest {
        /// Decided requests as CSV: the label, and categorical attributes.
        train: PathBuf,
        /// The column that holds 1 where a request was approved, and 0 where it was not.
        #[arg(long)]
        label: String,
        /// Other decisions to measure on.
        #[arg(long, conflicts_with = "folds")]
        test: Option<PathBuf>,
        /// How many parts to deal the decisions into, each measured by what the others teach.
        #[arg(long, default_value_t = 5)]
        folds: usize,
        /// End with a line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Prints the score of one request, factor by factor.
    Explain {
        /// The request as JSON; an example when absent.
        request: Option<PathBuf>,
        /// Decided requests as CSV, for the learned part.
        #[arg(long, requires = "label")]
        decisions: Option<PathBuf>,
        #[arg(long)]
        label: Option<String>,
        /// The weights of the score; a TOML file. Built-in ones when absent.
        #[arg(long)]
        weights: Option<PathBuf>,
        #[arg(long)]
        json: bool,
    },
}

fn open(path: &Path) -> Result<Box<dyn Read>> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Box::new(BufReader::new(file)))
}

/// The weights in a file, or the built-in ones.
pub fn weights(path: Option<&Path>) -> Result<Weights> {
    let Some(path) = path else { return Ok(Weights::default()) };
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Weights::from_toml(&text).with_context(|| format!("{} is not good", path.display()))
}

pub fn run(arguments: Arguments) -> Result<()> {
    let out = &mut stdout().lock();
    match arguments.action {
        Action::Backtest { train, label, test, folds, json } => {
            let against = match test {
                Some(test) => Against::Test(open(&test)?),
                None => Against::Folds(folds),
            };
            let what = Backtest { train: open(&train)?, label: &label, against, json };
            cli::backtest(what, &Params::default(), &uptime, out)?;
        }
        Action::Explain { request, decisions, label, weights: path, json } => {
            let mut request = match request {
                Some(path) => open(&path)?,
                None => Box::new(EXAMPLE.as_bytes()),
            };
            let mut decisions = decisions.as_deref().map(open).transpose()?;
            let decisions =
                decisions.as_mut().zip(label.as_deref()).map(|(file, label)| (file as &mut dyn Read, label));
            cli::explain(&mut request, &weights(path.as_deref())?, decisions, json, out)?;
        }
    }
    Ok(())
}
