//! What earlier statements of a session have changed.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::catalogue::Catalogue;
use crate::tree::Node;

/// The state of one session, as far as it changes what later statements mean.
#[derive(Debug, Clone)]
pub struct Session {
    /// Tables, views and functions that the session has made.
    pub(crate) made: Catalogue,
    /// Before the open transaction began, for `ROLLBACK`.
    pub(crate) before: Option<Arc<Catalogue>>,
    pub(crate) savepoints: Vec<(String, Arc<Catalogue>)>,
    pub(crate) prepared: BTreeMap<String, Arc<Node>>,
    pub(crate) search_path: Vec<String>,
    /// Tables of `ON COMMIT DROP`.
    pub(crate) until_commit: Vec<String>,
    version: u64,
}

impl Default for Session {
    fn default() -> Self {
        Session {
            made: Catalogue::default(),
            before: None,
            savepoints: Vec::new(),
            prepared: BTreeMap::new(),
            search_path: vec!["public".to_owned()],
            until_commit: Vec::new(),
            version: 0,
        }
    }
}

impl Session {
    /// Changes whenever the meaning of later statements may have; part of the key of cached verdicts.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Marks that `text` changed something. Two sessions with the same past have the same version.
    pub(crate) fn changed_by(&mut self, text: &str) {
        let mut hasher = DefaultHasher::new();
        self.version.hash(&mut hasher);
        text.hash(&mut hasher);
        self.version = hasher.finish() | 1;
    }

    pub(crate) fn begin(&mut self) {
        if self.before.is_none() {
            self.before = Some(Arc::new(self.made.clone()));
        }
    }

    pub(crate) fn commit(&mut self) {
        self.before = None;
        self.savepoints.clear();
        for name in std::mem::take(&mut self.until_commit) {
            self.forget(&name);
        }
    }

    pub(crate) fn roll_back(&mut self) {
        if let Some(before) = self.before.take() {
            self.made = before.as_ref().clone();
        }
        self.savepoints.clear();
        self.until_commit.clear();
    }

    pub(crate) fn roll_back_to(&mut self, savepoint: &str) {
        if let Some(at) = self.savepoints.iter().rposition(|(name, _)| name == savepoint) {
            if let Some((_, made)) = self.savepoints.get(at) {
                self.made = made.as_ref().clone();
            }
            self.savepoints.truncate(at + 1);
        }
    }

    /// A temporary table is gone.
    pub(crate) fn forget(&mut self, table: &str) {
        self.made.relations.remove(&crate::catalogue::Name::new("pg_temp", table));
    }
}
