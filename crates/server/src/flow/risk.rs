//! The risk score of an ask: gathers what the score looks at, and keeps the summaries that it compares with.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use daypass_domain::{
    Ask, DeviceId, Entitlement, Environment, RequestEvent, RequestId, Timestamp, UserId, Verdict,
};
use daypass_policy::{Org, Policy, Resource};
use daypass_risk::{
    History, HistoryIndex, HourOfWeek, Hours, Inputs, Observed, Opinion, Question, Reason, Score, Step, score,
};
use serde::Serialize;

use super::learned::{self, Lesson};
use super::submit::Origin;
use crate::app::App;
use crate::network::Network;
use crate::store::{Body, PersonEvent, Recorded, Stream};

/// A score, and what it was computed from.
#[derive(Clone, Debug)]
pub struct Assessed {
    pub score: Score,
    /// [`Inputs`], [`History`] and the learned opinion of the entitlement that decided, for recomputing the score from the ledger.
    pub inputs: serde_json::Value,
}

#[derive(Serialize)]
struct Computed<'a> {
    inputs: &'a Inputs,
    history: &'a History,
    opinion: Option<&'a Opinion>,
}

/// What happened before, summarised row by row.
#[derive(Default)]
pub struct RiskHistory {
    index: HistoryIndex,
    /// What each request asked for last; its decisions name only the request.
    asked: BTreeMap<RequestId, (UserId, Ask)>,
    /// When each person first signed in on each device, and from which network last.
    devices: BTreeMap<UserId, BTreeMap<DeviceId, (Timestamp, Option<Network>)>>,
    /// Requests that a person has approved in some stage.
    decided: BTreeSet<RequestId>,
    lessons: Vec<Lesson>,
}

impl RiskHistory {
    /// Takes one row of the ledger into account. Rows come in their order.
    pub fn record(&mut self, org: &Org, recorded: &Recorded) {
        match (&recorded.stream, &recorded.body) {
            (Stream::Request(id), Body::Request(event)) => self.record_request(org, *id, event, recorded.at),
            (Stream::Person(who), Body::Person(PersonEvent::SignedIn { device, network })) => {
                self.signed_in(who, *device, network.clone(), recorded.at);
            }
            _ => {}
        }
    }

    fn signed_in(&mut self, who: &UserId, device: DeviceId, network: Option<Network>, at: Timestamp) {
        let devices = self.devices.entry(who.clone()).or_default();
        devices.entry(device).or_insert((at, None)).1 = network;
    }

    /// Whether `who` first used this device less than a day ago, having used others before.
    pub fn device_is_new(&self, who: &UserId, device: DeviceId, now: Timestamp) -> bool {
        let Some(devices) = self.devices.get(who) else { return false };
        let Some((first, _)) = devices.get(&device) else { return true };
        now - *first < TimeDelta::days(1) && devices.values().any(|(other, _)| other < first)
    }

    /// Whether `network` is another than the one that `who` last signed in from on this device.
    pub fn network_changed(&self, who: &UserId, device: DeviceId, network: Option<&Network>) -> bool {
        let last =
            self.devices.get(who).and_then(|devices| devices.get(&device)).and_then(|(_, n)| n.as_ref());
        last.zip(network).is_some_and(|(last, network)| last != network)
    }

    fn record_request(&mut self, org: &Org, id: RequestId, event: &RequestEvent, at: Timestamp) {
        let (step, minutes) = match event {
            RequestEvent::Submitted { requester, ask, .. } => {
                self.asked.insert(id, (requester.clone(), ask.clone()));
                (Step::Submitted, ask.duration_s)
            }
            RequestEvent::Edited { ask, .. } => {
                if let Some((_, asked)) = self.asked.get_mut(&id) {
                    *asked = ask.clone();
                }
                return;
            }
            RequestEvent::Approved { duration_s } => (Step::Approved, *duration_s),
            RequestEvent::Decided(d) if d.verdict == Verdict::Deny => (Step::Denied, 0),
            RequestEvent::Decided(_) => {
                self.decided.insert(id);
                return;
            }
            RequestEvent::Withdrawn { .. } | RequestEvent::Lapsed => return,
        };
        let Some((who, ask)) = self.asked.get(&id) else { return };
        let taught = match step {
            Step::Submitted => None,
            // What policy approves by itself teaches nothing.
            Step::Approved => self.decided.remove(&id).then_some(true),
            Step::Denied => Some(false),
        };
        for entitlement in &ask.entitlements {
            if let Some(approved) = taught {
                self.lessons.push(Lesson { row: learned::row(org, who, ask, entitlement), approved });
            }
            self.index.record(&Observed {
                step,
                person: who.to_string(),
                peers: peers(org, who).to_owned(),
                entitlement: entitlement.to_string(),
                at: at.timestamp(),
                hour: hour_of(org, who, at),
                minutes: minutes.div_ceil(60),
                production: is_production(org, entitlement),
            });
        }
    }

    /// Every decision of people, oldest first.
    pub fn lessons(&self) -> &[Lesson] {
        &self.lessons
    }

    fn of(
        &self,
        org: &Org,
        who: &UserId,
        entitlement: &Entitlement,
        now: Timestamp,
        hour: HourOfWeek,
    ) -> History {
        self.index.history_for(&Question {
            person: who.as_str(),
            peers: peers(org, who),
            entitlement: &entitlement.to_string(),
            now: now.timestamp(),
            hour,
        })
    }
}

fn peers<'a>(org: &'a Org, who: &UserId) -> &'a str {
    org.person(who).map_or("", |p| p.team.as_str())
}

/// How far the clock of this person's team is ahead of UTC.
fn offset(org: &Org, who: &UserId, at: Timestamp) -> i32 {
    let team = org.person(who).and_then(|p| org.team(&p.team));
    team.map_or(0, |team| team.utc_offset_minutes(at))
}

fn hour_of(org: &Org, who: &UserId, at: Timestamp) -> HourOfWeek {
    HourOfWeek::at(at.timestamp(), offset(org, who, at))
}

/// The owner team's working hours, as the requester's clock shows them.
fn owner_hours(org: &Org, who: &UserId, resource: &Resource, at: Timestamp) -> Option<Hours> {
    let team = org.team(&resource.owner)?;
    let hours = team.hours?;
    let shift = (offset(org, who, at) - team.utc_offset_minutes(at)) / 60;
    let shifted = |hour: u8| u8::try_from((i32::from(hour) + shift).rem_euclid(24)).unwrap_or(hour);
    Some(Hours { from: shifted(hours.from), to: shifted(hours.to), weekend: hours.weekend })
}

fn is_production(org: &Org, entitlement: &Entitlement) -> bool {
    org.resource(&entitlement.resource).is_some_and(|r| r.environment == Environment::Prod)
}

/// Scores an ask: each entitlement by itself, in the company of the others; the highest counts.
pub fn assess(
    app: &App,
    policy: &Policy,
    who: &UserId,
    ask: &Ask,
    origin: Origin,
    now: Timestamp,
) -> Assessed {
    let org = policy.org();
    let start = ask.start.map_or(now, |start| start.max(now));
    let hour = hour_of(org, who, start);
    let end = start + chrono::TimeDelta::seconds(i64::from(ask.duration_s));
    let breadth = u32::try_from(ask.entitlements.len()).unwrap_or(u32::MAX);
    let history = app.history();
    let scored = ask.entitlements.iter().filter_map(|entitlement| {
        let resource = org.resource(&entitlement.resource)?;
        let inputs = Inputs {
            sensitivity: resource.sensitivity,
            level: entitlement.level,
            offered: resource.levels.clone(),
            environment: resource.environment,
            minutes: ask.duration_s.div_ceil(60),
            hour,
            owner_hours: owner_hours(org, who, resource, start),
            entitlements: breadth,
            live_grants: origin.live_grants,
            reason: Reason::of(&ask.reason),
            ticket: ask.ticket.as_deref().is_some_and(|t| !t.trim().is_empty()),
            freeze: org.freeze(entitlement, start, end).is_some(),
            incident: org.incident(resource, now).is_some(),
            new_device: origin.device_is_new,
            network_changed: origin.network_changed,
            guardrail_hits: 0,
            flags: 0,
        };
        let history = history.of(org, who, entitlement, now, hour);
        let opinion = app.learned().opinion(&learned::row(org, who, ask, entitlement));
        let score = score(&inputs, &history, app.weights(), opinion.as_ref());
        Some((score, inputs, history, opinion))
    });
    let worst = scored.max_by_key(|(score, ..)| score.points);
    match worst {
        Some((score, inputs, history, opinion)) => {
            let computed = Computed { inputs: &inputs, history: &history, opinion: opinion.as_ref() };
            Assessed { score, inputs: serde_json::to_value(computed).unwrap_or_default() }
        }
        // Nothing known is asked for: policy refuses it, and what is unknown is not harmless.
        None => Assessed {
            score: Score {
                points: 100,
                band: app.weights().band(100),
                factors: Vec::new(),
                lower: Vec::new(),
            },
            inputs: serde_json::Value::Null,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn another_network_than_at_the_last_sign_in_is_a_change() {
        let network = |last: u8| Network::of([203, 0, last, 7].into());
        let (maya, laptop) = ("maya".parse::<UserId>().unwrap(), DeviceId(Uuid::from_u128(1)));
        let mut history = RiskHistory::default();
        assert!(
            !history.network_changed(&maya, laptop, Some(&network(1))),
            "there is nothing to compare with"
        );
        history.signed_in(&maya, laptop, Some(network(1)), Timestamp::UNIX_EPOCH);
        assert!(!history.network_changed(&maya, laptop, Some(&network(1))));
        assert!(history.network_changed(&maya, laptop, Some(&network(2))));
        assert!(!history.network_changed(&maya, laptop, None), "what is not known is no change");
        assert!(!history.network_changed(&maya, DeviceId(Uuid::from_u128(2)), Some(&network(2))));
        history.signed_in(&maya, laptop, Some(network(2)), Timestamp::UNIX_EPOCH);
        assert!(!history.network_changed(&maya, laptop, Some(&network(2))), "signing in anew settles it");
    }
}
