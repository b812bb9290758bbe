//! What every part of the server shares, and the one place through which events are recorded.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use daypass_clock::Clock;
use daypass_domain::{ResourceId, Timestamp};
use daypass_policy::Policy;
use daypass_risk::Weights;
use tokio::sync::watch;

use crate::connector::Connector;
use crate::flow::learned::Learned;
use crate::flow::risk::RiskHistory;
use crate::store::{NewEvent, Recorded, Store, StoreError};

/// The shared state. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    store: Arc<dyn Store>,
    clock: Clock,
    policy: RwLock<Arc<Policy>>,
    weights: Weights,
    history: Mutex<RiskHistory>,
    learned: Learned,
    connectors: BTreeMap<ResourceId, Arc<dyn Connector>>,
    /// The last position that this process knows to be recorded. Readers wait on it.
    head: watch::Sender<i64>,
}

impl App {
    /// Reads the ledger once, for the summaries that the risk score looks at.
    pub async fn start(
        store: Arc<dyn Store>,
        clock: Clock,
        policy: Policy,
        weights: Weights,
        connectors: Vec<Arc<dyn Connector>>,
    ) -> Result<Self, StoreError> {
        let head = store.head().await?;
        let connectors = connectors.into_iter().map(|c| (c.resource().clone(), c)).collect();
        let app = Self(Arc::new(Shared {
            store,
            clock,
            policy: RwLock::new(Arc::new(policy)),
            weights,
            history: Mutex::new(RiskHistory::default()),
            learned: Learned::default(),
            connectors,
            head: watch::Sender::new(head),
        }));
        app.read_history().await?;
        Ok(app)
    }

    async fn read_history(&self) -> Result<(), StoreError> {
        let policy = self.policy();
        let mut after = 0;
        loop {
            let page = self.store().read(after, 1000).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.position;
            let mut history = self.history();
            page.iter().for_each(|recorded| history.record(policy.org(), recorded));
        }
    }

    pub fn store(&self) -> &dyn Store {
        self.0.store.as_ref()
    }

    pub fn shared_store(&self) -> Arc<dyn Store> {
        self.0.store.clone()
    }

    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// The policy in force; a decision holds on to one from beginning to end.
    pub fn policy(&self) -> Arc<Policy> {
        self.0.policy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts a policy in force that was loaded and validated.
    pub fn replace_policy(&self, policy: Policy) {
        *self.0.policy.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }

    pub fn weights(&self) -> &Weights {
        &self.0.weights
    }

    pub fn history(&self) -> MutexGuard<'_, RiskHistory> {
        self.0.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn learned(&self) -> &Learned {
        &self.0.learned
    }

    pub fn connector(&self, resource: &ResourceId) -> Option<Arc<dyn Connector>> {
        self.0.connectors.get(resource).cloned()
    }

    pub fn connectors(&self) -> impl Iterator<Item = &Arc<dyn Connector>> {
        self.0.connectors.values()
    }

    /// Records events, and wakes whoever waits for news.
    pub async fn record(&self, events: Vec<NewEvent>) -> Result<Vec<Recorded>, StoreError> {
        let recorded = self.store().append(events, self.now()).await?;
        let policy = self.policy();
        {
            let mut history = self.history();
            recorded.iter().for_each(|r| history.record(policy.org(), r));
        }
        if let Some(last) = recorded.last() {
            self.0.head.send_if_modified(|head| {
                let newer = last.position > *head;
                *head = (*head).max(last.position);
                newer
            });
        }
        for r in &recorded {
            metrics::counter!("daypass_events_total", "kind" => crate::view::kind_name(r)).increment(1);
        }
        Ok(recorded)
    }

    /// Wakes those who wait, after another process has written to the same store.
    pub async fn notice_other_writers(&self) -> Result<(), StoreError> {
        let stored = self.store().head().await?;
        self.0.head.send_if_modified(|head| {
            let newer = stored > *head;
            *head = (*head).max(stored);
            newer
        });
        Ok(())
    }

    /// Changes whenever something is recorded.
    pub fn news(&self) -> watch::Receiver<i64> {
        self.0.head.subscribe()
    }
}
