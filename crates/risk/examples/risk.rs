//! The faces of the crate without the server around them.
//!
//! `risk backtest TRAIN.csv --label COLUMN [--test TEST.csv | --folds K] [--json]`
//! `risk explain [REQUEST.json] [--decisions DECISIONS.csv --label COLUMN] [--json]`
//! `risk bench [ROWS]`

use std::error::Error;
use std::fs::File;
use std::io::Read;

use daypass_risk::Weights;
use daypass_risk::cli::{Against, Backtest, EXAMPLE, backtest, bench, explain};
use daypass_risk::model::Params;

#[expect(clippy::disallowed_methods, reason = "an example measures time by itself; the crate is given it")]
fn main() -> Result<(), Box<dyn Error>> {
    let begin = std::time::Instant::now();
    let time = || begin.elapsed();
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let json =
        arguments.iter().position(|argument| argument == "--json").map(|at| arguments.remove(at)).is_some();
    let mut option = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        let value = arguments.get(at + 1).cloned();
        arguments.drain(at..(at + 2).min(arguments.len()));
        value
    };
    let (label, test, folds, decisions) =
        (option("--label"), option("--test"), option("--folds"), option("--decisions"));
    let label = label.unwrap_or_else(|| "approved".to_owned());
    let mut words = arguments.iter().map(String::as_str);
    let out = &mut std::io::stdout().lock();
    match (words.next(), words.next()) {
        (Some("backtest"), Some(train)) => {
            let folds = folds.map_or(Ok(5), |folds| folds.parse())?;
            let against = match test {
                Some(path) => Against::Test(Box::new(File::open(path)?)),
                None => Against::Folds(folds),
            };
            let what = Backtest { train: Box::new(File::open(train)?), label: &label, against, json };
            backtest(what, &Params::default(), &time, out)?;
        }
        (Some("explain"), request) => {
            let mut request: Box<dyn Read> = match request {
                Some(path) => Box::new(File::open(path)?),
                None => Box::new(EXAMPLE.as_bytes()),
            };
            let mut decisions = decisions.map(File::open).transpose()?;
            let decisions = decisions.as_mut().map(|file| (file as &mut dyn Read, label.as_str()));
            explain(&mut request, &Weights::default(), decisions, json, out)?;
        }
        (Some("bench"), rows) => bench(rows.unwrap_or("26000").parse()?, 1_000_000, 1, &time, out)?,
        _ => return Err("say backtest TRAIN.csv, explain or bench".into()),
    }
    Ok(())
}
