//! Shorthand for people, asks and requests.

use daypass_domain::{
    AccessLevel, Ask, Entitlement, Obligations, Request, RequestCommand, RequestId, ResourceId, Timestamp,
    UserId,
};
use daypass_policy::{Policy, PolicyError, RequestAnswer, RequestFacts, Sources};

pub fn sample() -> Policy {
    parse(&Sources::sample())
}

pub fn parse(sources: &Sources) -> Policy {
    Policy::parse(sources).unwrap_or_else(|e| panic!("{}", lines(&e)))
}

pub fn lines(errors: &[PolicyError]) -> String {
    errors.iter().map(|e| format!("{e}\n")).collect()
}

pub fn who(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

pub fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A Tuesday noon in Berlin, outside every freeze of the sample.
pub fn facts() -> RequestFacts {
    RequestFacts::at(time("2026-11-24T11:00:00Z"))
}

/// `"shop-db:write"`.
pub fn what(text: &str) -> Entitlement {
    let (resource, level) = text.split_once(':').unwrap();
    let level = AccessLevel::ALL.into_iter().find(|l| l.as_str() == level).unwrap();
    Entitlement { resource: ResourceId::new(resource).unwrap(), level }
}

pub fn ask(entitlements: &[&str], minutes: u32) -> Ask {
    Ask {
        entitlements: entitlements.iter().map(|e| what(e)).collect(),
        duration_s: minutes * 60,
        start: None,
        reason: "refund order 1042".into(),
        ticket: Some("SHOP-7".into()),
    }
}

/// `"senior 1, owner 1 | 1h | ticket"`, or the sentences of a denial.
pub fn told(answer: &RequestAnswer) -> String {
    match answer {
        RequestAnswer::Allowed(o) => obligations(o),
        RequestAnswer::Denied { why, until } => {
            let until =
                until.map_or_else(String::new, |u| format!(" [until {}]", u.format("%Y-%m-%dT%H:%MZ")));
            format!("no: {}{until}", why.join(" "))
        }
    }
}

pub fn obligations(o: &Obligations) -> String {
    let stages: Vec<_> = o.stages.iter().map(|s| format!("{} {} of {}", s.name, s.needed, s.group)).collect();
    let stages = if stages.is_empty() { "automatic".to_owned() } else { stages.join(", ") };
    let time = match o.max_duration_s {
        s if s % 3600 == 0 => format!("{}h", s / 3600),
        s => format!("{s}s"),
    };
    format!("{stages}, {time}{}", if o.ticket { ", ticket" } else { "" })
}

/// The request that this ask becomes.
pub fn submitted(policy: &Policy, by: &str, ask: Ask) -> Request {
    let now = facts().now;
    let answer = policy.request(&who(by), &ask, &facts());
    let obligations = answer.allowed().unwrap_or_else(|| panic!("{}", told(&answer))).clone();
    let submit = RequestCommand::Submit {
        id: RequestId(uuid::Uuid::from_u128(7)),
        requester: who(by),
        ask,
        obligations,
        lapses_at: now + chrono::TimeDelta::days(1),
    };
    after(None, submit)
}

pub fn after(state: Option<Request>, command: RequestCommand) -> Request {
    let now = facts().now;
    let events = Request::decide(state.as_ref(), command, now).unwrap();
    events.iter().fold(state, |s, e| Some(Request::apply(s, e, now).unwrap())).unwrap()
}
