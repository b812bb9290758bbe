//! Rows of the ledger as sentences.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use daypass_domain::{
    Ask, EndReason, Entitlement, Grant, GrantEvent, GrantId, Request, RequestEvent, RequestId, UserId,
    Verdict,
};
use daypass_policy::Org;
use daypass_protocol::api::{Entry, EntryKind, RiskBrief};

use super::{band, duration, entitlement, person};
use crate::store::{Body, PersonEvent, Recorded, Store, StoreError, Stream};

/// Turns rows into entries. A row says only what changed, so its stream is read up to it, once per page.
pub struct Entries<'a> {
    store: &'a dyn Store,
    org: &'a Org,
    requests: HashMap<RequestId, Vec<Recorded>>,
    grants: HashMap<GrantId, Vec<Recorded>>,
}

/// What a row is called in metrics and views.
pub fn kind_name(recorded: &Recorded) -> &'static str {
    match kind(&recorded.body) {
        EntryKind::RequestSubmitted => "request_submitted",
        EntryKind::RequestEdited => "request_edited",
        EntryKind::RequestDecided => "request_decided",
        EntryKind::RequestQuestioned => "request_questioned",
        EntryKind::RequestApproved => "request_approved",
        EntryKind::RequestDenied => "request_denied",
        EntryKind::RequestWithdrawn => "request_withdrawn",
        EntryKind::RequestLapsed => "request_lapsed",
        EntryKind::GrantOpened => "grant_opened",
        EntryKind::GrantActivated => "grant_activated",
        EntryKind::GrantProblem => "grant_problem",
        EntryKind::CredentialIssued => "credential_issued",
        EntryKind::GrantEnding => "grant_ending",
        EntryKind::GrantEnded => "grant_ended",
        EntryKind::CredentialWiped => "credential_wiped",
        EntryKind::SignedIn => "signed_in",
        EntryKind::SignedOut => "signed_out",
    }
}

fn kind(body: &Body) -> EntryKind {
    match body {
        Body::Request(event) => match event {
            RequestEvent::Submitted { .. } => EntryKind::RequestSubmitted,
            RequestEvent::Edited { .. } => EntryKind::RequestEdited,
            RequestEvent::Decided(decision) => match decision.verdict {
                Verdict::Approve | Verdict::ApproveWithLess { .. } => EntryKind::RequestDecided,
                Verdict::Deny => EntryKind::RequestDenied,
                Verdict::Ask => EntryKind::RequestQuestioned,
            },
            RequestEvent::Approved { .. } => EntryKind::RequestApproved,
            RequestEvent::Withdrawn { .. } => EntryKind::RequestWithdrawn,
            RequestEvent::Lapsed => EntryKind::RequestLapsed,
        },
        Body::Grant(event) => match event {
            GrantEvent::Opened { .. } => EntryKind::GrantOpened,
            GrantEvent::Activated { .. } => EntryKind::GrantActivated,
            GrantEvent::ProblemReported { .. } => EntryKind::GrantProblem,
            GrantEvent::CredentialIssued { .. } => EntryKind::CredentialIssued,
            GrantEvent::Ending { .. } => EntryKind::GrantEnding,
            GrantEvent::Ended => EntryKind::GrantEnded,
            GrantEvent::Wiped { .. } => EntryKind::CredentialWiped,
        },
        Body::Person(PersonEvent::SignedIn { .. }) => EntryKind::SignedIn,
        Body::Person(PersonEvent::SignedOut { .. } | PersonEvent::TokenReused { .. }) => EntryKind::SignedOut,
    }
}

/// What a sentence needs besides its event.
struct Told {
    subject: UserId,
    request: Option<RequestId>,
    grant: Option<GrantId>,
    entitlements: Vec<Entitlement>,
    text: String,
    note: Option<String>,
}

impl<'a> Entries<'a> {
    pub fn new(store: &'a dyn Store, org: &'a Org) -> Self {
        Self { store, org, requests: HashMap::new(), grants: HashMap::new() }
    }

    /// The entry of one row.
    pub async fn entry(&mut self, recorded: &Recorded) -> Result<Entry, StoreError> {
        let told = match (&recorded.stream, &recorded.body) {
            (Stream::Request(id), Body::Request(event)) => {
                let request = self.request_at(*id, recorded.version).await?;
                self.tell_request(&request, event)
            }
            (Stream::Grant(id), Body::Grant(event)) => {
                let grant = self.grant_at(*id, recorded.version).await?;
                self.tell_grant(&grant, event)
            }
            (Stream::Person(who), Body::Person(event)) => self.tell_person(who, event),
            _ => {
                let reason = "the row's stream and body do not belong together".to_owned();
                return Err(StoreError::Corrupt { position: recorded.position, reason });
            }
        };
        let expires_at = match &recorded.body {
            Body::Grant(GrantEvent::Activated { expires_at, .. }) => Some(*expires_at),
            _ => None,
        };
        let risk = recorded.circumstances.risk.as_ref();
        Ok(Entry {
            position: recorded.position,
            at: recorded.at,
            kind: kind(&recorded.body),
            actor: recorded.actor.as_ref().map(|who| person(self.org, who)),
            subject: person(self.org, &told.subject),
            request: told.request,
            grant: told.grant,
            resources: told.entitlements.iter().map(|e| entitlement(self.org, e)).collect(),
            text: told.text,
            note: told.note.filter(|note| !note.is_empty()),
            risk: risk.map(|score| RiskBrief { points: score.points, band: band(score.band) }),
            waits_for: recorded.circumstances.waits_for.iter().cloned().collect(),
            expires_at,
            leaf: recorded.leaf,
        })
    }

    async fn request_at(&mut self, id: RequestId, version: u64) -> Result<Request, StoreError> {
        let rows = match self.requests.entry(id) {
            Slot::Occupied(slot) if long_enough(slot.get(), version) => slot.into_mut(),
            Slot::Occupied(slot) => {
                let rows = slot.into_mut();
                *rows = self.store.stream(&Stream::Request(id)).await?;
                rows
            }
            Slot::Vacant(slot) => slot.insert(self.store.stream(&Stream::Request(id)).await?),
        };
        let mut state = None;
        for row in rows.iter().take_while(|r| r.version <= version) {
            if let Body::Request(event) = &row.body {
                state = Some(Request::apply(state, event, row.at)?);
            }
        }
        state.ok_or_else(|| StoreError::Corrupt {
            position: 0,
            reason: format!("request {id} has no beginning"),
        })
    }

    async fn grant_at(&mut self, id: GrantId, version: u64) -> Result<Grant, StoreError> {
        let rows = match self.grants.entry(id) {
            Slot::Occupied(slot) if long_enough(slot.get(), version) => slot.into_mut(),
            Slot::Occupied(slot) => {
                let rows = slot.into_mut();
                *rows = self.store.stream(&Stream::Grant(id)).await?;
                rows
            }
            Slot::Vacant(slot) => slot.insert(self.store.stream(&Stream::Grant(id)).await?),
        };
        let mut state = None;
        for row in rows.iter().take_while(|r| r.version <= version) {
            if let Body::Grant(event) = &row.body {
                state = Some(Grant::apply(state, event, row.at)?);
            }
        }
        state.ok_or_else(|| StoreError::Corrupt {
            position: 0,
            reason: format!("grant {id} has no beginning"),
        })
    }

    fn name(&self, who: &UserId) -> String {
        person(self.org, who).name
    }

    /// "write on shop-db", "read on orders-api and write on shop-db".
    fn things(&self, entitlements: &[Entitlement]) -> String {
        let thing =
            |e: &Entitlement| format!("{} on {}", e.level, super::resource(self.org, &e.resource).name);
        let mut things: Vec<String> = entitlements.iter().map(thing).collect();
        match things.pop() {
            Some(last) if things.is_empty() => last,
            Some(last) => format!("{} and {last}", things.join(", ")),
            None => "nothing".into(),
        }
    }

    fn tell_request(&self, request: &Request, event: &RequestEvent) -> Told {
        let name = self.name(&request.requester);
        let asked =
            |ask: &Ask| format!("{} for {}", self.things(&ask.entitlements), duration(ask.duration_s));
        let (text, note) = match event {
            RequestEvent::Submitted { ask, .. } => {
                (format!("{name} asked for {}", asked(ask)), Some(ask.reason.clone()))
            }
            RequestEvent::Edited { ask, .. } => {
                (format!("{name} changed the request to {}", asked(ask)), Some(ask.reason.clone()))
            }
            RequestEvent::Decided(decision) => {
                let by = self.name(&decision.by);
                let stage = request.obligations.stages.get(decision.stage).map_or("", |s| s.name.as_str());
                let things = self.things(&request.ask.entitlements);
                let text = match &decision.verdict {
                    Verdict::Approve => format!("{by} approved {things} ({stage})"),
                    Verdict::ApproveWithLess { duration_s } => {
                        let (less, asked) = (duration(*duration_s), duration(request.ask.duration_s));
                        format!("{by} approved {things} for {less} instead of {asked} ({stage})")
                    }
                    Verdict::Deny => format!("{by} denied {things} to {name}"),
                    Verdict::Ask => format!("{by} asked {name} about {things}"),
                };
                (text, Some(decision.note.clone()))
            }
            RequestEvent::Approved { duration_s } => {
                let things = self.things(&request.ask.entitlements);
                (format!("{name} may have {things} for {}", duration(*duration_s)), None)
            }
            RequestEvent::Withdrawn { .. } => {
                (format!("{name} withdrew the request for {}", asked(&request.ask)), None)
            }
            RequestEvent::Lapsed => (format!("Nobody decided in time on {}", asked(&request.ask)), None),
        };
        Told {
            subject: request.requester.clone(),
            request: Some(request.id),
            grant: None,
            entitlements: request.ask.entitlements.clone(),
            text,
            note,
        }
    }

    fn tell_grant(&self, grant: &Grant, event: &GrantEvent) -> Told {
        let name = self.name(&grant.holder);
        let things = self.things(std::slice::from_ref(&grant.entitlement));
        let resource = super::resource(self.org, &grant.entitlement.resource).name;
        let (text, note) = match event {
            GrantEvent::Opened { not_before: Some(_), .. } => {
                (format!("{things} for {name} waits for its start"), None)
            }
            GrantEvent::Opened { .. } => (format!("Preparing {things} for {name}"), None),
            GrantEvent::Activated { .. } => {
                (format!("{name} has {things} for {}", duration(grant.duration_s)), None)
            }
            GrantEvent::ProblemReported { message } => {
                (format!("{resource} cannot be reached; trying again"), Some(message.clone()))
            }
            GrantEvent::CredentialIssued { serial: 1, .. } => {
                (format!("The credential for {resource} went to a device of {name}"), None)
            }
            GrantEvent::CredentialIssued { .. } => (
                format!("A new credential for {resource} went to a device of {name}; the one before is void"),
                None,
            ),
            GrantEvent::Ending { end } => match end {
                EndReason::Expired => (format!("The time of {name} on {resource} is over"), None),
                EndReason::Released => (format!("{name} gave back {things}"), None),
                EndReason::Revoked { by, note } => (
                    format!("{} ended the access of {name} to {resource}", self.name(by)),
                    Some(note.clone()),
                ),
                EndReason::NeverActivated => (
                    format!("{resource} could not be reached in time; the access of {name} never began"),
                    None,
                ),
            },
            GrantEvent::Ended => (format!("{resource} is clean: the account of {name} is gone"), None),
            GrantEvent::Wiped { .. } => {
                (format!("A device of {name} wiped the credential for {resource}"), None)
            }
        };
        Told {
            subject: grant.holder.clone(),
            request: Some(grant.request),
            grant: Some(grant.id),
            entitlements: vec![grant.entitlement.clone()],
            text: capital(&text),
            note,
        }
    }

    fn tell_person(&self, who: &UserId, event: &PersonEvent) -> Told {
        let name = self.name(who);
        let text = match event {
            PersonEvent::SignedIn { .. } => format!("{name} signed in on a device"),
            PersonEvent::SignedOut { .. } => format!("{name} signed out on a device"),
            PersonEvent::TokenReused { .. } => {
                format!("A used sign-in token of {name} was shown again; that device was signed out")
            }
        };
        Told { subject: who.clone(), request: None, grant: None, entitlements: Vec::new(), text, note: None }
    }
}

fn long_enough(rows: &[Recorded], version: u64) -> bool {
    rows.last().is_some_and(|last| last.version >= version)
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}
