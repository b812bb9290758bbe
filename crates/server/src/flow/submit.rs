//! Asking: preview, submit, edit, withdraw, lapse.

use chrono::TimeDelta;
use daypass_domain::{Ask, Obligations, Request, RequestCommand, RequestId, Timestamp, UserId};
use daypass_policy::{Policy, RequestAnswer, RequestFacts};

use super::{FlowError, facts_of, request_rows, retrying, risk};
use crate::app::App;

/// How long a request waits for a decision before it lapses.
pub const PENDING_FOR: TimeDelta = TimeDelta::hours(24);

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// This device was first seen less than a day ago.
    pub device_is_new: bool,
    /// It comes from another network than the last sign-in on this device.
    pub network_changed: bool,
    /// Grants of this person that are live now.
    pub live_grants: u32,
}

/// What policy and risk say about an ask. The score is part of what policy decides on.
pub(crate) fn judge(
    app: &App,
    policy: &Policy,
    who: &UserId,
    ask: &Ask,
    origin: Origin,
    now: Timestamp,
) -> (RequestAnswer, risk::Assessed) {
    let assessed = risk::assess(app, policy, who, ask, origin, now);
    let facts = facts(&assessed, origin, now);
    let answer = match unavailable(app, ask) {
        Some(why) => RequestAnswer::Denied { why: vec![why], until: None },
        None => policy.request(who, ask, &facts),
    };
    (answer, assessed)
}

fn facts(assessed: &risk::Assessed, origin: Origin, now: Timestamp) -> RequestFacts {
    let risk_points = assessed.score.points;
    RequestFacts { now, risk_points, device_is_new: origin.device_is_new, flagged: false }
}

/// Access that no connector can open is refused, rather than approved and never given.
fn unavailable(app: &App, ask: &Ask) -> Option<String> {
    let policy = app.policy();
    let missing = ask.entitlements.iter().find(|e| app.connector(&e.resource).is_none())?;
    let resource = policy.org().resource(&missing.resource)?;
    Some(format!("{}: {}", resource.name, super::catalogue::no_connector(resource.kind)))
}

fn obligations(
    app: &App,
    policy: &Policy,
    who: &UserId,
    ask: &Ask,
    origin: Origin,
    now: Timestamp,
) -> Result<(Obligations, risk::Assessed), FlowError> {
    match judge(app, policy, who, ask, origin, now) {
        (RequestAnswer::Allowed(obligations), assessed) => Ok((obligations, assessed)),
        (RequestAnswer::Denied { why, .. }, _) => Err(FlowError::Refused(why)),
    }
}

fn trimmed(mut ask: Ask) -> Ask {
    ask.reason = ask.reason.trim().to_owned();
    ask.ticket = ask.ticket.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
    ask
}

/// Submits a request. The same id with the same content again answers what is there.
pub async fn submit(
    app: &App,
    who: &UserId,
    id: RequestId,
    ask: Ask,
    origin: Origin,
) -> Result<Request, FlowError> {
    let ask = trimmed(ask);
    retrying(|| async {
        if let Some(existing) = app.store().request(id).await? {
            let same = existing.state.requester == *who && existing.state.ask == ask;
            return if same { Ok(existing.state) } else { Err(FlowError::IdTaken) };
        }
        let now = app.now();
        let policy = app.policy();
        let (obligations, assessed) = obligations(app, &policy, who, &ask, origin, now)?;
        let command = RequestCommand::Submit {
            id,
            requester: who.clone(),
            ask: ask.clone(),
            obligations,
            lapses_at: now + PENDING_FOR,
        };
        let events = Request::decide(None, command, now)?;
        let facts = facts(&assessed, origin, now);
        let (request, rows) = request_rows(&policy, None, events, Some(who), &facts, Some(assessed))?;
        app.record(rows).await?;
        Ok(request)
    })
    .await
}

/// Replaces what a request asks for. Whatever was decided is void.
pub async fn edit(
    app: &App,
    who: &UserId,
    id: RequestId,
    revision: u32,
    ask: Ask,
    origin: Origin,
) -> Result<Request, FlowError> {
    let ask = trimmed(ask);
    retrying(|| async {
        let found = app.store().request(id).await?.filter(|r| r.state.requester == *who);
        let found = found.ok_or(FlowError::NotFound("request"))?;
        // Before policy is asked, so that the answer is about the request rather than about the new content.
        found.state.check_open()?;
        let now = app.now();
        let policy = app.policy();
        let (obligations, assessed) = obligations(app, &policy, who, &ask, origin, now)?;
        let command = RequestCommand::Edit {
            by: who.clone(),
            revision,
            ask: ask.clone(),
            obligations,
            lapses_at: now + PENDING_FOR,
        };
        let events = Request::decide(Some(&found.state), command, now)?;
        let before = Some((&found.state, found.version));
        let facts = facts(&assessed, origin, now);
        let (request, rows) = request_rows(&policy, before, events, Some(who), &facts, Some(assessed))?;
        app.record(rows).await?;
        Ok(request)
    })
    .await
}

/// Takes a request back before it is decided.
pub async fn withdraw(app: &App, who: &UserId, id: RequestId) -> Result<Request, FlowError> {
    change(app, id, Some(who), |_| RequestCommand::Withdraw { by: who.clone() }).await
}

/// Closes a request that nobody decided in time.
pub async fn lapse(app: &App, id: RequestId) -> Result<Request, FlowError> {
    change(app, id, None, |_| RequestCommand::Lapse).await
}

async fn change(
    app: &App,
    id: RequestId,
    who: Option<&UserId>,
    command: impl Fn(&Request) -> RequestCommand,
) -> Result<Request, FlowError> {
    retrying(|| async {
        let found = app.store().request(id).await?;
        let found = found.filter(|r| who.is_none_or(|who| r.state.requester == *who));
        let found = found.ok_or(FlowError::NotFound("request"))?;
        let facts = facts_of(app, id).await?;
        let policy = app.policy();
        let events = Request::decide(Some(&found.state), command(&found.state), facts.now)?;
        let before = Some((&found.state, found.version));
        let (request, rows) = request_rows(&policy, before, events, who, &facts, None)?;
        app.record(rows).await?;
        Ok(request)
    })
    .await
}
