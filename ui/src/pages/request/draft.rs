//! What is typed into the form, and how it becomes an ask.

use daypass_domain::{AccessLevel, Ask, Entitlement, Timestamp};
use daypass_protocol::api::{FieldProblem, Outcome};

use super::Purpose;
use crate::desk::Desk;

/// Half an hour is enough for most errands, and short by default is the point.
const USUAL_DURATION: u32 = 30 * 60;

/// The form as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub level: AccessLevel,
    pub duration_s: u32,
    pub start: Option<Timestamp>,
    pub reason: String,
    pub ticket: String,
    /// What an edited request asks for besides.
    pub others: Vec<Entitlement>,
    /// The reason was written for an earlier request.
    pub from_last_time: bool,
}

impl Draft {
    /// Where the form begins: what was left in it, what is edited, or what was asked the last time.
    pub fn begin(desk: &Desk, entitlement: &Entitlement, purpose: &Purpose, remember: bool) -> Self {
        match purpose {
            Purpose::New => {
                let kept = desk.drafts.borrow().get(&entitlement.resource).cloned();
                if let Some(kept) = kept {
                    return Self { level: entitlement.level, ..kept };
                }
                Self::fresh(desk, entitlement, remember)
            }
            Purpose::Edit(request) => Self {
                level: entitlement.level,
                duration_s: request.duration_s,
                start: request.start,
                reason: request.reason.clone(),
                ticket: request.ticket.clone().unwrap_or_default(),
                others: request.asked().into_iter().filter(|e| e != entitlement).collect(),
                from_last_time: false,
            },
            Purpose::Extend(held) => {
                let before = desk.snapshot.requests.iter().find(|r| r.id == held.grant.request);
                Self {
                    level: entitlement.level,
                    duration_s: held.grant.duration_s,
                    start: None,
                    reason: before.map(|r| r.reason.clone()).unwrap_or_default(),
                    ticket: before.and_then(|r| r.ticket.clone()).unwrap_or_default(),
                    others: Vec::new(),
                    from_last_time: before.is_some(),
                }
            }
        }
    }

    fn fresh(desk: &Desk, entitlement: &Entitlement, remember: bool) -> Self {
        let longest = desk
            .resource(&entitlement.resource)
            .and_then(|r| r.levels.iter().find(|o| o.level == entitlement.level))
            .and_then(|o| o.outcome.max_duration_s());
        let usual = longest.map_or(USUAL_DURATION, |longest| USUAL_DURATION.min(longest));
        let before =
            desk.snapshot.requests.iter().find(|r| r.asked() == [entitlement.clone()]).filter(|_| remember);
        Self {
            level: entitlement.level,
            duration_s: before
                .map_or(usual, |r| longest.map_or(r.duration_s, |longest| r.duration_s.min(longest))),
            start: None,
            reason: before.map(|r| r.reason.clone()).unwrap_or_default(),
            ticket: before.and_then(|r| r.ticket.clone()).unwrap_or_default(),
            others: Vec::new(),
            from_last_time: before.is_some(),
        }
    }

    pub fn ask(&self, entitlement: &Entitlement) -> Ask {
        let first = Entitlement { resource: entitlement.resource.clone(), level: self.level };
        let ticket = self.ticket.trim();
        Ask {
            entitlements: std::iter::once(first).chain(self.others.iter().cloned()).collect(),
            duration_s: self.duration_s,
            start: self.start,
            reason: self.reason.trim().to_string(),
            ticket: (!ticket.is_empty()).then(|| ticket.to_string()),
        }
    }

    /// What this window can already tell is missing.
    pub fn problems(&self, outcome: Option<&Outcome>) -> Vec<FieldProblem> {
        let missing =
            |field: &str, message: &str| FieldProblem { field: field.into(), message: message.into() };
        let mut problems = Vec::new();
        if self.reason.trim().is_empty() {
            problems.push(missing("reason", "Say why you need it."));
        }
        if self.ticket.trim().is_empty() && outcome.is_some_and(Outcome::needs_ticket) {
            problems.push(missing("ticket", "This access needs a ticket."));
        }
        problems
    }
}
