//! The learned part: how likely a request like this one is approved, from the organisation's own decisions.
//!
//! The model is a sum. Each term looks at one attribute or at a combination of two or three, never more, and sees it
//! through counts: how often these values were decided on, how often they were approved, which share of the decisions
//! on a part of the combination they are, and with how many other values they came. The terms are the leaves of small
//! regression trees over these counts, grown one after another against what the earlier ones left unexplained
//! (gradient boosting, Friedman 2001; terms bound to few attributes as in Lou et al. 2013). As what is known of a row
//! must not contain its own outcome, the counts are taken out of fold while trees grow.
//!
//! Several such sums, over different folds, are averaged. A rehearsal with a part of the decisions put aside measures
//! how well that does, and calibrates it (Platt 1999).

mod boost;
mod calibrate;
pub(crate) mod chance;
mod counts;
mod features;
mod forest;
mod sheet;
mod table;
mod train;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::opinion::{Attribute, Contribution, Opinion};
use counts::Counts;
use features::Spread;
use forest::Forest;

pub use table::{Table, TableError};
pub use train::{Params, TrainError};

/// A trained model. It is stored with the decisions it learned from; the counts are rebuilt from them.
#[derive(Clone, Debug)]
pub struct Model {
    learned: Learned,
    counts: Counts,
    spreads: Vec<Spread>,
    numeric: Vec<usize>,
}

/// What is stored of a model.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Learned {
    version: String,
    table: Table,
    /// The combinations that are counted, as sets of columns (bit `n` for column `n`).
    combinations: Vec<u32>,
    forest: Forest,
    standing: Standing,
}

/// How well a model does on decisions that its parts had not seen, before any is made on its word.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    pub decisions: u32,
    pub approved: u32,
    pub auc: f64,
    pub log_loss: f64,
    /// The log loss of always saying the overall rate.
    pub log_loss_of_rate: f64,
}

impl Model {
    /// Learns from decided requests. The same table and parameters give the same model.
    ///
    /// # Errors
    /// The table is empty, or all decisions are the same.
    pub fn train(table: Table, params: &Params) -> Result<Self, TrainError> {
        train::train(table, params).map(Self::from)
    }

    /// Whether there is enough history, and the model knows more than the overall rate, so that it may be listened
    /// to.
    pub fn is_ready(&self, params: &Params) -> bool {
        let standing = &self.learned.standing;
        let denied = standing.decisions.saturating_sub(standing.approved);
        standing.decisions >= params.enough
            && standing.approved.min(denied) >= params.enough_of_each
            && standing.auc > 0.55
            && standing.log_loss < standing.log_loss_of_rate
    }

    /// Names the model by what it learned from and how; equal names mean equal opinions.
    pub fn version(&self) -> &str {
        &self.learned.version
    }

    /// The names of the attributes, in the order in which a row gives their values.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.learned.table.columns()
    }

    pub fn standing(&self) -> Standing {
        self.learned.standing
    }

    /// Whether a row holds a value that was never learned from.
    pub fn has_unknown(&self, row: &[&str]) -> bool {
        self.learned.table.codes(row).contains(&table::UNKNOWN)
    }

    /// The chance that a request with these attributes is approved. Values never seen, and missing ones, count as
    /// unknown.
    pub fn probability(&self, row: &[&str]) -> f64 {
        let values = self.values(row);
        chance::sigmoid(self.learned.forest.log_odds(&values.features))
    }

    /// The chance with its parts: the strongest `named` combinations, and one without attributes for all the others.
    pub fn opinion(&self, row: &[&str], named: usize) -> Opinion {
        let values = self.values(row);
        let forest = &self.learned.forest;
        let parts = forest.parts(&values.features);
        let log_odds = forest.base() + parts.iter().map(|part| part.1).sum::<f64>();
        let mut order: Vec<&(u32, f64)> = parts.iter().filter(|part| part.1 != 0.0).collect();
        order.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
        let mut contributions: Vec<Contribution> = order
            .iter()
            .take(named)
            .map(|&&(columns, part)| self.contribution(row, &values, columns, part))
            .collect();
        let others: f64 = order.iter().skip(named).map(|part| part.1).sum();
        if order.len() > named {
            contributions.push(Contribution {
                attributes: Vec::new(),
                log_odds: others,
                seen: 0,
                approved: 0,
            });
        }
        Opinion {
            model: self.learned.version.clone(),
            probability: chance::sigmoid(log_odds),
            log_odds,
            base: forest.base(),
            contributions,
        }
    }

    fn contribution(&self, row: &[&str], values: &Values, columns: u32, log_odds: f64) -> Contribution {
        let attributes = self
            .columns()
            .zip(row)
            .enumerate()
            .filter(|(column, _)| columns & (1 << column) != 0)
            .map(|(_, (name, value))| Attribute { name: name.to_owned(), value: (*value).to_owned() })
            .collect();
        let (seen, approved) = self.counts.of(columns, &values.seen);
        Contribution { attributes, log_odds, seen, approved }
    }

    fn values(&self, row: &[&str]) -> Values {
        let mut facts = self.counts.look_up(&self.learned.table.codes(row));
        facts.numbers = row.iter().map(|value| table::number(value).unwrap_or_default()).collect();
        let rate = self.counts.rate();
        let features = features::of_row(&facts, &self.spreads, &self.numeric, rate);
        Values { seen: facts.seen, features }
    }
}

/// What the model knows of one row: by combination how often it was seen and approved, and the features of that.
struct Values {
    seen: Vec<(u32, u32)>,
    features: Vec<f32>,
}

impl From<Learned> for Model {
    fn from(learned: Learned) -> Self {
        let counts = Counts::of_table(&learned.table, &learned.combinations);
        let spreads = features::spreads(&counts.sets());
        let numeric = features::counted(&counts.sets(), &learned.table.numeric());
        Self { learned, counts, spreads, numeric }
    }
}

impl Serialize for Model {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.learned.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Model {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Learned::deserialize(deserializer).map(Self::from)
    }
}
