//! The main job: ask, decide, open, end. Each step reads a state, decides purely, and records what follows.

pub mod catalogue;
pub mod decide;
pub mod grants;
pub mod learned;
pub mod risk;
pub mod submit;

use std::collections::BTreeSet;

use daypass_domain::{
    Grant, GrantCommand, GrantError, GrantEvent, GrantId, Request, RequestError, RequestEvent, RequestId,
    Timestamp, UserId,
};
use daypass_policy::{Policy, RequestFacts};
use uuid::Uuid;

use crate::app::App;
use crate::connector::ConnectorError;
use crate::store::{Body, Circumstances, NewEvent, StoreError, Stream};

/// Why a step of the flow fails.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Grant(#[from] GrantError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Connector(#[from] ConnectorError),
    /// Policy says no; the sentences say why.
    #[error("{}", .0.join(" "))]
    Refused(Vec<String>),
    /// There is nothing that this person may see under that id.
    #[error("there is no such {0}, or it is not yours to see")]
    NotFound(&'static str),
    #[error("a request with this id exists with other content")]
    IdTaken,
}

/// How often a step reads again and decides again when somebody else wrote first.
const ATTEMPTS: u32 = 8;

/// Whether to try the step again: only when somebody else wrote between reading and recording.
fn lost_race(error: &FlowError) -> bool {
    matches!(error, FlowError::Store(StoreError::Conflict))
}

/// Runs a step until it does not lose a race.
pub(crate) async fn retrying<T, F>(mut step: impl FnMut() -> F) -> Result<T, FlowError>
where
    F: Future<Output = Result<T, FlowError>>,
{
    let mut attempt = 1;
    loop {
        match step().await {
            Err(e) if lost_race(&e) && attempt < ATTEMPTS => attempt += 1,
            other => return other,
        }
    }
}

/// Everyone who may read what happens to a request: its requester, whoever decided, whoever could decide.
fn audience(policy: &Policy, request: &Request, facts: &RequestFacts) -> BTreeSet<UserId> {
    let could =
        (0..request.obligations.stages.len()).flat_map(|stage| policy.approvers(request, stage, facts));
    let decided = request.decisions.iter().map(|d| d.by.clone());
    could.chain(decided).chain([request.requester.clone()]).collect()
}

/// Whose decision a request waits for.
pub(crate) fn waits_for(policy: &Policy, request: &Request, facts: &RequestFacts) -> BTreeSet<UserId> {
    let current = request.is_open().then(|| request.current_stage()).flatten();
    current.map(|stage| policy.approvers(request, stage, facts).into_iter().collect()).unwrap_or_default()
}

/// What policy looks at when it says who may decide on a request: the risk is the one that was recorded with it.
pub(crate) async fn facts_of(app: &App, id: RequestId) -> Result<RequestFacts, StoreError> {
    let risk_points = app.store().risk_of(id).await?.map_or(100, |score| score.points);
    Ok(RequestFacts { risk_points, ..RequestFacts::at(app.now()) })
}

/// Turns a request's events into rows, and opens its grants when it is approved.
fn request_rows(
    policy: &Policy,
    before: Option<(&Request, u64)>,
    events: Vec<RequestEvent>,
    actor: Option<&UserId>,
    facts: &RequestFacts,
    risk: Option<risk::Assessed>,
) -> Result<(Request, Vec<NewEvent>), FlowError> {
    let now = facts.now;
    let mut state = before.map(|(request, _)| request.clone());
    let mut rows = Vec::with_capacity(events.len());
    let mut grants = Vec::new();
    let first = before.map_or(0, |(_, version)| version);
    for (version, event) in (first..).zip(events) {
        let after = Request::apply(state, &event, now)?;
        let asks = matches!(event, RequestEvent::Submitted { .. } | RequestEvent::Edited { .. });
        let circumstances = Circumstances {
            audience: audience(policy, &after, facts),
            waits_for: waits_for(policy, &after, facts),
            risk: risk.as_ref().filter(|_| asks).map(|r| r.score.clone()),
            risk_inputs: risk.as_ref().filter(|_| asks).map(|r| r.inputs.clone()),
            policy: Some(policy.digest()),
        };
        if let RequestEvent::Approved { duration_s } = event {
            grants = open_grants(&after, duration_s, &circumstances, now)?;
        }
        // An approval that follows from the rules is nobody's own act.
        let actor = actor.filter(|_| !matches!(event, RequestEvent::Approved { .. } | RequestEvent::Lapsed));
        rows.push(NewEvent {
            stream: Stream::Request(after.id),
            after: Some(version),
            actor: actor.cloned(),
            body: Body::Request(event),
            circumstances,
        });
        state = Some(after);
    }
    rows.extend(grants);
    let state = state.ok_or(RequestError::Unknown)?;
    Ok((state, rows))
}

/// One grant for each entitlement, so that each has its own account and ends by itself.
fn open_grants(
    request: &Request,
    duration_s: u32,
    circumstances: &Circumstances,
    now: Timestamp,
) -> Result<Vec<NewEvent>, FlowError> {
    let mut rows = Vec::new();
    for entitlement in &request.ask.entitlements {
        let id = GrantId(Uuid::new_v4());
        let command = GrantCommand::Open {
            id,
            request: request.id,
            holder: request.requester.clone(),
            entitlement: entitlement.clone(),
            duration_s,
            not_before: request.ask.start.filter(|start| *start > now),
        };
        for event in Grant::decide(None, command, now)? {
            rows.push(NewEvent {
                stream: Stream::Grant(id),
                after: Some(0),
                actor: None,
                body: Body::Grant(event),
                circumstances: Circumstances {
                    audience: circumstances.audience.clone(),
                    ..Default::default()
                },
            });
        }
    }
    Ok(rows)
}

/// Turns a grant's events into rows that the same people may read as its request's.
fn grant_rows(
    grant: &Grant,
    version: u64,
    events: Vec<GrantEvent>,
    actor: Option<&UserId>,
    audience: &BTreeSet<UserId>,
) -> Vec<NewEvent> {
    let row = |(event, after)| NewEvent {
        stream: Stream::Grant(grant.id),
        after: Some(after),
        actor: actor.cloned(),
        body: Body::Grant(event),
        circumstances: Circumstances { audience: audience.clone(), ..Default::default() },
    };
    events.into_iter().zip(version..).map(row).collect()
}

/// Whether `who` may read a request: it is theirs, they decided on it, or could.
pub(crate) async fn may_read(app: &App, request: &Request, who: &UserId) -> Result<bool, StoreError> {
    let facts = facts_of(app, request.id).await?;
    Ok(audience(&app.policy(), request, &facts).contains(who))
}
