//! States and rows as people see them: names for ids, sentences for events.

mod entries;

pub use entries::{Entries, kind_name};

use daypass_domain::{
    EndReason, Entitlement, Environment, Grant, GrantPhase, Request, RequestPhase, ResourceId, Sensitivity,
    Stage, Timestamp, UserId,
};
use daypass_policy::{Org, Policy, RequestFacts};
use daypass_protocol::api::{
    DecisionView, EndedWhy, EntitlementView, GrantStatus, GrantView, Past, Person, RequestStatus,
    RequestView, ResourceBrief, ResourceKind, RiskBand, RiskFactor, RiskLower, RiskView, StageState,
    StageView,
};
use daypass_risk::{Band, Change, Score};

/// A person by name; someone who has left the organisation goes by their id.
pub fn person(org: &Org, id: &UserId) -> Person {
    org.person_brief(id)
}

/// A resource by name. One that has left the organisation's file goes by its id, and is shown as the worst it can be.
pub fn resource(org: &Org, id: &ResourceId) -> ResourceBrief {
    org.resource_brief(id).unwrap_or_else(|| ResourceBrief {
        id: id.clone(),
        name: id.to_string(),
        kind: ResourceKind::WebApp,
        environment: Environment::Prod,
        sensitivity: Sensitivity::Critical,
        owner: String::new(),
    })
}

pub fn entitlement(org: &Org, e: &Entitlement) -> EntitlementView {
    EntitlementView { resource: resource(org, &e.resource), level: e.level }
}

/// "30 minutes", "4 hours", "1 hour 30 minutes", "45 seconds".
pub fn duration(seconds: u32) -> String {
    let part = |n: u32, unit: &str| format!("{n} {unit}{}", if n == 1 { "" } else { "s" });
    let parts = [(seconds / 86_400, "day"), (seconds / 3600 % 24, "hour"), (seconds / 60 % 60, "minute")];
    let mut words: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| part(*n, unit)).collect();
    if !seconds.is_multiple_of(60) || words.is_empty() {
        words.push(part(seconds % 60, "second"));
    }
    words.join(" ")
}

/// A score as the requester (`own`) or somebody else reads it.
pub fn risk(score: &Score, own: bool) -> RiskView {
    let factor = |f: &daypass_risk::Factor| RiskFactor {
        id: serde_json::to_value(f.id).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default(),
        label: f.label.clone(),
        points: f.points,
        max: f.max,
        sentence: if own { f.sentence.clone() } else { f.about.clone() },
    };
    let lower =
        score.lower.iter().map(|l| RiskLower { change: change(l.change), points_after: l.points_after });
    RiskView {
        points: score.points,
        band: band(score.band),
        factors: score.telling().into_iter().map(factor).collect(),
        lower: lower.collect(),
    }
}

fn change(change: Change) -> String {
    match change {
        Change::Level(level) => format!("{level} instead"),
        Change::Minutes(minutes) => format!("{} instead", duration(minutes.saturating_mul(60))),
        Change::OneEntitlement => "one resource at a time".into(),
        Change::AddTicket => "with a ticket".into(),
        Change::BetterReason => "with a fuller reason".into(),
        Change::OwnerHours => "in the owner's hours".into(),
        Change::Wait(minutes) => format!("in {}", duration(minutes.saturating_mul(60))),
        Change::AfterFreeze => "after the freeze".into(),
    }
}

pub(crate) fn band(band: Band) -> RiskBand {
    match band {
        Band::Low => RiskBand::Low,
        Band::Moderate => RiskBand::Moderate,
        Band::High => RiskBand::High,
        Band::Critical => RiskBand::Critical,
    }
}

/// The stages of a request that has not been sent.
pub fn stages_before(policy: &Policy, who: &UserId, stages: &[Stage]) -> Vec<StageView> {
    let org = policy.org();
    let view = |(i, stage): (usize, &Stage)| StageView {
        name: stage.name.clone(),
        group: org.group_name(&stage.group),
        needed: stage.needed,
        approved: Vec::new(),
        can_approve: org.members(&stage.group).filter(|m| *m != who).map(|m| person(org, m)).collect(),
        state: if i == 0 { StageState::Current } else { StageState::Later },
    };
    stages.iter().enumerate().map(view).collect()
}

fn stages(policy: &Policy, request: &Request, facts: &RequestFacts) -> Vec<StageView> {
    let org = policy.org();
    let current = request.current_stage();
    let view = |(i, stage): (usize, &Stage)| StageView {
        name: stage.name.clone(),
        group: org.group_name(&stage.group),
        needed: stage.needed,
        approved: request.approvals().filter(|d| d.stage == i).map(|d| person(org, &d.by)).collect(),
        can_approve: policy.approvers(request, i, facts).iter().map(|who| person(org, who)).collect(),
        state: match current {
            Some(current) if i == current => StageState::Current,
            Some(current) if i > current => StageState::Later,
            _ => StageState::Done,
        },
    };
    request.obligations.stages.iter().enumerate().map(view).collect()
}

/// A request as `viewer` may see it.
pub fn request(
    policy: &Policy,
    request: &Request,
    score: &Score,
    viewer: &UserId,
    past: Option<Past>,
    now: Timestamp,
) -> RequestView {
    let org = policy.org();
    let facts = RequestFacts { risk_points: score.points, ..RequestFacts::at(now) };
    let may_decide = crate::flow::waits_for(policy, request, &facts).contains(viewer);
    let decision = |d: &daypass_domain::Decision| DecisionView {
        by: person(org, &d.by),
        stage: request.obligations.stages.get(d.stage).map(|s| s.name.clone()).unwrap_or_default(),
        verdict: d.verdict.clone(),
        note: d.note.clone(),
        at: d.at,
    };
    let status = match &request.phase {
        RequestPhase::Pending => RequestStatus::Pending,
        RequestPhase::Asked { by, note } => RequestStatus::Asked { by: person(org, by), note: note.clone() },
        RequestPhase::Approved { at, duration_s } => {
            RequestStatus::Approved { at: *at, duration_s: *duration_s }
        }
        RequestPhase::Denied { by, note } => {
            RequestStatus::Denied { by: person(org, by), note: note.clone() }
        }
        RequestPhase::Withdrawn => RequestStatus::Withdrawn,
        RequestPhase::Lapsed => RequestStatus::Lapsed,
    };
    RequestView {
        id: request.id,
        revision: request.revision,
        digest: request.digest(),
        requester: person(org, &request.requester),
        entitlements: request.ask.entitlements.iter().map(|e| entitlement(org, e)).collect(),
        duration_s: request.ask.duration_s,
        cap_s: request.cap_s,
        start: request.ask.start,
        reason: request.ask.reason.clone(),
        ticket: request.ask.ticket.clone(),
        submitted_at: request.submitted_at,
        lapses_at: request.lapses_at,
        status,
        stages: stages(policy, request, &facts),
        decisions: request.decisions.iter().map(decision).collect(),
        risk: risk(score, *viewer == request.requester),
        may_decide,
        past,
    }
}

pub fn grant(org: &Org, grant: &Grant) -> GrantView {
    let why = |end: &EndReason| match end {
        EndReason::Expired => EndedWhy::Expired,
        EndReason::Released => EndedWhy::Released,
        EndReason::Revoked { by, note } => EndedWhy::Revoked { by: person(org, by), note: note.clone() },
        EndReason::NeverActivated => EndedWhy::NeverActivated,
    };
    let status = match &grant.phase {
        GrantPhase::Opening { problem } => GrantStatus::Opening { problem: problem.clone() },
        GrantPhase::Live { .. } => GrantStatus::Live,
        GrantPhase::Ending { end, problem, .. } => {
            GrantStatus::Ending { why: why(end), problem: problem.clone() }
        }
        GrantPhase::Ended { at, end } => GrantStatus::Ended { at: *at, why: why(end) },
    };
    GrantView {
        id: grant.id,
        request: grant.request,
        holder: person(org, &grant.holder),
        resource: resource(org, &grant.entitlement.resource),
        level: grant.entitlement.level,
        duration_s: grant.duration_s,
        opened_at: grant.opened_at,
        not_before: grant.not_before,
        starts_at: grant.live.map(|(starts_at, _)| starts_at),
        expires_at: grant.live.map(|(_, expires_at)| expires_at),
        status,
        device: grant.credential.map(|(device, _)| device),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        let said = [1800, 3600, 5400, 45, 0, 120, 90_000, 61].map(duration);
        let expected = [
            "30 minutes",
            "1 hour",
            "1 hour 30 minutes",
            "45 seconds",
            "0 seconds",
            "2 minutes",
            "1 day 1 hour",
            "1 minute 1 second",
        ];
        assert_eq!(said, expected);
    }
}
