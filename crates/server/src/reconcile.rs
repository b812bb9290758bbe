//! Background reconcilers: idempotent, told nothing, woken by news and by period.
//!
//! The keeper moves what time moves: requests lapse, grants expire. One reconciler for each target makes the target
//! match the grants, whatever crashed before.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use daypass_domain::{GrantCommand, GrantId, GrantPhase, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::App;
use crate::connector::{Connector, ConnectorError, Wanted};
use crate::flow::learned::keep_learning;
use crate::flow::{FlowError, grants, submit};

/// The longest that a reconciler sleeps: the civil clock may be set, and another replica may write.
const PERIOD: Duration = Duration::from_secs(1);
/// How often a target is compared as a whole, for accounts that should not be there.
const SWEEP: Duration = Duration::from_secs(30);
/// How long a grant that its target failed is left alone after the first failure, and at most.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(16);

/// Starts them all; they end when the set is dropped.
pub fn start(app: &App) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(keep(app.clone()));
    tasks.spawn(keep_learning(app.clone()));
    for connector in app.connectors() {
        tasks.spawn(serve_target(app.clone(), connector.clone()));
    }
    tasks
}

async fn pause(news: &mut watch::Receiver<i64>, for_at_most: Duration) {
    // The sender lives as long as the app that the task holds.
    let _ = tokio::time::timeout(for_at_most, news.changed()).await;
}

fn until(due: Option<Timestamp>, now: Timestamp) -> Duration {
    due.map_or(PERIOD, |due| (due - now).to_std().unwrap_or_default()).min(PERIOD)
}

async fn keep(app: App) {
    let mut news = app.news();
    loop {
        news.borrow_and_update();
        if let Err(e) = app.notice_other_writers().await {
            tracing::warn!(error = ?e, "the store does not answer");
        }
        let next = match keep_once(&app).await {
            Ok(next) => next,
            Err(e) => {
                tracing::error!(error = ?e, "could not move what is due");
                None
            }
        };
        pause(&mut news, until(next, app.now())).await;
    }
}

/// Lapses and expires what is due; answers when the next thing is.
async fn keep_once(app: &App) -> Result<Option<Timestamp>, FlowError> {
    let mut next: Option<Timestamp> = None;
    let mut wait_for = |due: Timestamp| next = Some(next.map_or(due, |n| n.min(due)));
    let now = app.now();
    for request in app.store().open_requests().await? {
        if request.state.lapses_at > now {
            wait_for(request.state.lapses_at);
        } else {
            tolerate(submit::lapse(app, request.state.id).await.map(|_| ()))?;
        }
    }
    for grant in app.store().unfinished_grants().await? {
        let due = match grant.state.phase {
            GrantPhase::Live { expires_at, .. } => expires_at,
            GrantPhase::Opening { .. } => grant.state.activation_deadline(),
            GrantPhase::Ending { .. } | GrantPhase::Ended { .. } => continue,
        };
        if due > now {
            wait_for(due);
        } else {
            tolerate(grants::command(app, grant.state.id, None, GrantCommand::Expire).await.map(|_| ()))?;
        }
    }
    Ok(next)
}

/// A state that has moved on meanwhile is no failure: whoever moved it did the job.
fn tolerate(result: Result<(), FlowError>) -> Result<(), FlowError> {
    match result {
        Err(FlowError::Request(_) | FlowError::Grant(_)) => Ok(()),
        other => other,
    }
}

async fn serve_target(app: App, connector: Arc<dyn Connector>) {
    let mut news = app.news();
    let mut rests: HashMap<GrantId, Rest> = HashMap::new();
    let mut sweep = Rest::default();
    loop {
        news.borrow_and_update();
        let sleep = match serve_once(&app, connector.as_ref(), &mut rests, &mut sweep).await {
            Ok(next) => until(next, app.now()),
            Err(e) => {
                tracing::warn!(resource = %connector.resource(), error = ?e, "could not serve the target");
                PERIOD
            }
        };
        pause(&mut news, sleep).await;
    }
}

/// Opens, closes and, when due, sweeps one target; answers when the next grant wants to start.
///
/// A grant that fails rests for a while; the others of the target go on meanwhile.
async fn serve_once(
    app: &App,
    connector: &dyn Connector,
    rests: &mut HashMap<GrantId, Rest>,
    sweep: &mut Rest,
) -> Result<Option<Timestamp>, FlowError> {
    let mut next: Option<Timestamp> = None;
    let mut live = Vec::new();
    let unfinished = app.store().unfinished_grants().await?;
    rests.retain(|id, _| unfinished.iter().any(|grant| grant.state.id == *id));
    for grant in
        unfinished.iter().map(|g| &g.state).filter(|g| g.entitlement.resource == *connector.resource())
    {
        let now = app.now();
        let (uptime, resting) = (app.clock().uptime(), rests.get(&grant.id).copied().unwrap_or_default());
        let outcome = match (&grant.phase, grant.not_before) {
            (GrantPhase::Opening { .. }, Some(start)) if start > now => {
                next = Some(next.map_or(start, |n| n.min(start)));
                continue;
            }
            (GrantPhase::Opening { .. }, _) => {
                let expires_at = now + TimeDelta::seconds(i64::from(grant.duration_s));
                let wanted = Wanted { grant: grant.id, level: grant.entitlement.level, expires_at };
                live.push(wanted.clone());
                if resting.holds(uptime) {
                    continue;
                }
                finish(app, grant.id, connector.open(&wanted).await, GrantCommand::Activate).await
            }
            (GrantPhase::Ending { .. }, _) if resting.holds(uptime) => continue,
            (GrantPhase::Ending { .. }, _) => {
                finish(app, grant.id, connector.close(grant.id).await, GrantCommand::Finish).await
            }
            (GrantPhase::Live { .. } | GrantPhase::Ended { .. }, _) => {
                live.extend(grants::wanted(grant).filter(|wanted| wanted.expires_at > now));
                continue;
            }
        };
        if let Err(e) = outcome {
            tracing::warn!(resource = %connector.resource(), grant = %grant.id, error = ?e, "the target did not do it");
            rests.insert(grant.id, resting.after_failure(app.clock().uptime()));
        }
    }
    if !sweep.holds(app.clock().uptime()) {
        let swept = connector.reconcile(&live).await;
        let uptime = app.clock().uptime();
        *sweep = if swept.is_ok() { Rest::until(uptime + SWEEP) } else { sweep.after_failure(uptime) };
        for account in &swept?.removed {
            tracing::warn!(resource = %connector.resource(), %account, "removed an account that no grant explains");
        }
    }
    Ok(next)
}

/// How long something is left alone: twice as long after each failure in a row.
#[derive(Debug, Clone, Copy, Default)]
struct Rest {
    /// By the clock of [`daypass_clock::Clock::uptime`].
    until: Duration,
    failures: u32,
}

impl Rest {
    const fn until(until: Duration) -> Self {
        Self { until, failures: 0 }
    }

    fn after_failure(self, uptime: Duration) -> Self {
        let rest = FIRST_REST.saturating_mul(1 << self.failures.min(8)).min(LONGEST_REST);
        Self { until: uptime + rest, failures: self.failures.saturating_add(1) }
    }

    fn holds(self, uptime: Duration) -> bool {
        uptime < self.until
    }
}

/// Records that the target did what it was asked, or what kept it from doing so.
async fn finish(
    app: &App,
    id: GrantId,
    outcome: Result<(), ConnectorError>,
    done: GrantCommand,
) -> Result<(), FlowError> {
    match outcome {
        Ok(()) => tolerate(grants::command(app, id, None, done).await.map(|_| ())),
        Err(e) => {
            let report = GrantCommand::ReportProblem { message: e.to_string() };
            tolerate(grants::command(app, id, None, report).await.map(|_| ()))?;
            Err(e.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_in_a_row_doubles_the_rest_up_to_a_longest_one() {
        let mut rest = Rest::default();
        assert!(!rest.holds(Duration::ZERO), "what never failed does not rest");
        let mut lasted = Vec::new();
        for _ in 0..40 {
            let begun = rest.until;
            rest = rest.after_failure(begun);
            assert!(rest.holds(begun) && !rest.holds(rest.until));
            lasted.push((rest.until - begun).as_secs());
        }
        assert_eq!(lasted.get(..6), Some([1, 2, 4, 8, 16, 16].as_slice()));
        assert_eq!(lasted.last(), Some(&16));
        assert_eq!(Rest::until(rest.until).after_failure(rest.until).until - rest.until, FIRST_REST);
    }
}
