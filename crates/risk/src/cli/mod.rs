//! The faces of this crate on a command line: text in, text out. Files, arguments and clocks are the caller's.

mod backtest;
mod bench;
mod explain;
mod read;

use std::time::Duration;

pub use backtest::{Against, Backtest, Measured, backtest};
pub use bench::bench;
pub use explain::{EXAMPLE, Explained, explain};

use crate::model::TrainError;

/// Tells how much time has passed since some fixed moment.
pub type Stopwatch<'a> = &'a dyn Fn() -> Duration;

/// Why a command could not be carried out, for the person who gave it.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error("{file} is empty: expected a line with the names of the columns, and decisions below it")]
    Empty { file: &'static str },
    #[error("{file} has no decisions below the names of the columns")]
    NoRows { file: &'static str },
    #[error("{file} has no column {label:?}; its columns are {columns}")]
    NoLabel { file: &'static str, label: String, columns: String },
    #[error("{file} has no column {column:?}, which was learned from")]
    NoColumn { file: &'static str, column: String },
    #[error("{file} has the column {column:?} twice")]
    TwiceNamed { file: &'static str, column: String },
    #[error("{file}, line {line}: {label} is {found:?}, and must be 1 (approved) or 0 (denied)")]
    BadLabel { file: &'static str, line: u64, label: String, found: String },
    #[error("{file}, line {line}: {found} values, and there are {expected} columns")]
    Ragged { file: &'static str, line: u64, expected: u64, found: u64 },
    #[error("{file} cannot be read as CSV: {why}")]
    Csv { file: &'static str, why: String },
    #[error("{file}: {why}")]
    Train { file: &'static str, why: TrainError },
    #[error("{file}: all decisions are the same, so that an order of them cannot be judged")]
    OneOutcome { file: &'static str },
    #[error(
        "{folds} folds are not possible: at least 2, and no more than the {rarer} decisions of the rarer outcome"
    )]
    Folds { folds: usize, rarer: usize },
    #[error("the request cannot be read: {0}")]
    Request(String),
    #[error("the answer cannot be written: {0}")]
    Write(#[from] std::io::Error),
}
