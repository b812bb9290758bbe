//! Things that happen, for tests: built by the state machines themselves, so that only what can happen does.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use daypass_domain::{
    AccessLevel, ApprovePermit, Ask, DeviceId, Entitlement, Grant, GrantCommand, GrantEvent, GrantId,
    Obligations, Request, RequestCommand, RequestEvent, RequestId, ResourceId, Stage, Timestamp, UserId,
    Verdict,
};
use daypass_risk::{Band, Score};
use daypass_server::store::{Body, Circumstances, NewEvent, PersonEvent, Store, Stream};
use uuid::Uuid;

pub fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

pub fn noon() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

pub fn seconds(n: i64) -> TimeDelta {
    TimeDelta::seconds(n)
}

pub fn ask(reason: &str) -> Ask {
    let resource = ResourceId::new("billing-db").unwrap();
    Ask {
        entitlements: vec![Entitlement { resource, level: AccessLevel::Write }],
        duration_s: 3600,
        start: None,
        reason: reason.to_owned(),
        ticket: Some("OPS-1".to_owned()),
    }
}

/// One stage that needs `needed` people.
pub fn obligations(needed: u8) -> Obligations {
    let group = "payments-leads".parse().unwrap();
    let stages = vec![Stage { name: "owner".to_owned(), group, needed }];
    Obligations { stages, max_duration_s: 8 * 3600, ticket: false }
}

pub fn submit(id: RequestId, requester: &str, needed: u8, now: Timestamp) -> Vec<RequestEvent> {
    let command = RequestCommand::Submit {
        id,
        requester: user(requester),
        ask: ask("invoices are stuck"),
        obligations: obligations(needed),
        lapses_at: now + TimeDelta::hours(24),
    };
    Request::decide(None, command, now).unwrap()
}

pub fn approve(request: &Request, by: &str, now: Timestamp) -> Vec<RequestEvent> {
    let permit = ApprovePermit::new(user(by), 0);
    let command = RequestCommand::Decide {
        permit,
        digest: request.digest(),
        verdict: Verdict::Approve,
        note: String::new(),
    };
    Request::decide(Some(request), command, now).unwrap()
}

pub fn open_grant(id: GrantId, request: &Request, now: Timestamp) -> Vec<GrantEvent> {
    let command = GrantCommand::Open {
        id,
        request: request.id,
        holder: request.requester.clone(),
        entitlement: request.ask.entitlements[0].clone(),
        duration_s: request.duration_s(),
        not_before: None,
    };
    Grant::decide(None, command, now).unwrap()
}

pub fn risk(points: u8) -> Score {
    Score { points, band: Band::Low, factors: Vec::new(), lower: Vec::new() }
}

pub fn seen_by(names: &[&str]) -> Circumstances {
    Circumstances { audience: names.iter().map(|n| user(n)).collect(), ..Circumstances::default() }
}

/// `bodies` as the next events of a request that has `after` already.
pub fn request_events(
    id: RequestId,
    after: u64,
    bodies: Vec<RequestEvent>,
    circumstances: &Circumstances,
) -> Vec<NewEvent> {
    (after..)
        .zip(bodies)
        .map(|(after, body)| NewEvent {
            stream: Stream::Request(id),
            after: Some(after),
            actor: Some(user("maya")),
            body: Body::Request(body),
            circumstances: circumstances.clone(),
        })
        .collect()
}

pub fn grant_events(
    id: GrantId,
    after: u64,
    bodies: Vec<GrantEvent>,
    circumstances: &Circumstances,
) -> Vec<NewEvent> {
    (after..)
        .zip(bodies)
        .map(|(after, body)| NewEvent {
            stream: Stream::Grant(id),
            after: Some(after),
            actor: None,
            body: Body::Grant(body),
            circumstances: circumstances.clone(),
        })
        .collect()
}

pub fn signed_in(name: &str) -> NewEvent {
    NewEvent {
        stream: Stream::Person(user(name)),
        after: None,
        actor: Some(user(name)),
        body: Body::Person(PersonEvent::SignedIn { device: DeviceId(Uuid::from_u128(7)), network: None }),
        circumstances: Circumstances { audience: BTreeSet::from([user(name)]), ..Circumstances::default() },
    }
}

/// Records a new request that waits for `needed` people.
pub async fn submitted(store: &dyn Store, requester: &str, needed: u8, now: Timestamp) -> RequestId {
    let id = RequestId(Uuid::new_v4());
    let events = request_events(id, 0, submit(id, requester, needed, now), &seen_by(&[requester, "lea"]));
    store.append(events, now).await.unwrap();
    id
}
