//! A request: asked, decided stage by stage by distinct people, approved or not.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Digest, Entitlement, GroupId, RequestId, Timestamp, UserId};

/// What a person asks for; the approvers decide over the digest of this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// 1 to 8, each once.
    pub entitlements: Vec<Entitlement>,
    /// Seconds from activation to the end.
    pub duration_s: u32,
    /// Not before this moment; at once when absent.
    #[serde(default)]
    pub start: Option<Timestamp>,
    /// Why, in the requester's words; 1 to 2,000 characters.
    pub reason: String,
    /// A ticket's name, at most 64 characters.
    #[serde(default)]
    pub ticket: Option<String>,
}

/// Why an ask cannot stand, whatever policy says. `field` names the part of the form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    #[error("choose at least one resource")]
    NoEntitlement,
    #[error("choose at most 8 resources in one request")]
    TooManyEntitlements,
    #[error("{0} is named twice")]
    Repeated(Entitlement),
    #[error("the duration must be longer than zero")]
    NoDuration,
    #[error("{asked} s is over the limit of {limit} s for this access")]
    TooLong { asked: u32, limit: u32 },
    #[error("say why you need it")]
    EmptyReason,
    #[error("the reason has {0} characters; 2,000 are the most")]
    LongReason(usize),
    #[error("this access needs a ticket")]
    NoTicket,
    #[error("a ticket's name has at most 64 characters")]
    LongTicket,
    #[error("the start has passed")]
    StartInPast,
    #[error("the start is more than 30 days away")]
    StartTooFar,
}

impl AskError {
    /// The part of the form that this is about.
    pub fn field(&self) -> &'static str {
        match self {
            Self::NoEntitlement | Self::TooManyEntitlements | Self::Repeated(_) => "entitlements",
            Self::NoDuration | Self::TooLong { .. } => "duration_s",
            Self::EmptyReason | Self::LongReason(_) => "reason",
            Self::NoTicket | Self::LongTicket => "ticket",
            Self::StartInPast | Self::StartTooFar => "start",
        }
    }
}

/// One tier of approval: `needed` distinct people out of `group`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stage {
    /// What it is called to people: peer, senior, owner, security.
    pub name: String,
    pub group: GroupId,
    pub needed: u8,
}

/// What policy demands of an allowed request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Obligations {
    /// In order; none means that it is approved at once.
    pub stages: Vec<Stage>,
    pub max_duration_s: u32,
    pub ticket: bool,
}

/// What an approver says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    Approve,
    /// Approve, but for no longer than this.
    ApproveWithLess {
        duration_s: u32,
    },
    Deny,
    /// Wants to know more first; the request waits for its requester.
    Ask,
}

/// One approver's word on one revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub by: UserId,
    /// Index into the obligations' stages.
    pub stage: usize,
    #[serde(flatten)]
    pub verdict: Verdict,
    pub note: String,
    pub at: Timestamp,
    pub digest: Digest,
}

/// Proof that policy lets this person decide in this stage. Only the policy's answer should be turned into one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovePermit {
    by: UserId,
    stage: usize,
}

impl ApprovePermit {
    pub fn new(by: UserId, stage: usize) -> Self {
        Self { by, stage }
    }
}

/// Where a request stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "phase")]
pub enum RequestPhase {
    Pending,
    /// An approver asked something; an edit by the requester answers.
    Asked {
        by: UserId,
        note: String,
    },
    Approved {
        at: Timestamp,
        duration_s: u32,
    },
    Denied {
        by: UserId,
        note: String,
    },
    Withdrawn,
    /// Nobody decided in time.
    Lapsed,
}

/// A request as its events leave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub id: RequestId,
    pub requester: UserId,
    /// Counts edits, from 1.
    pub revision: u32,
    pub ask: Ask,
    pub obligations: Obligations,
    pub submitted_at: Timestamp,
    /// When nobody may decide any more.
    pub lapses_at: Timestamp,
    /// The shortest duration that an approver insisted on in this revision.
    pub cap_s: Option<u32>,
    /// Of this revision only; an edit voids them.
    pub decisions: Vec<Decision>,
    pub phase: RequestPhase,
}

/// What someone wants to do to a request.
#[derive(Clone, Debug)]
pub enum RequestCommand {
    Submit { id: RequestId, requester: UserId, ask: Ask, obligations: Obligations, lapses_at: Timestamp },
    Edit { by: UserId, revision: u32, ask: Ask, obligations: Obligations, lapses_at: Timestamp },
    Decide { permit: ApprovePermit, digest: Digest, verdict: Verdict, note: String },
    Withdraw { by: UserId },
    Lapse,
}

/// What happened to a request; what the ledger keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum RequestEvent {
    Submitted {
        id: RequestId,
        requester: UserId,
        ask: Ask,
        obligations: Obligations,
        lapses_at: Timestamp,
        digest: Digest,
    },
    Edited {
        revision: u32,
        ask: Ask,
        obligations: Obligations,
        lapses_at: Timestamp,
        digest: Digest,
    },
    Decided(Decision),
    Approved {
        duration_s: u32,
    },
    Withdrawn {
        by: UserId,
    },
    Lapsed,
}

/// Why a command on a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error("there is no such request")]
    Unknown,
    #[error("this request exists already")]
    Exists,
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error("the request is {0} and can no longer change")]
    Closed(&'static str),
    #[error("nobody decides on their own request")]
    OwnRequest,
    #[error("only the requester can do this")]
    NotRequester,
    #[error("this stage waits for other people")]
    NotThisStage,
    #[error("you have already decided on this request")]
    DecidedAlready,
    #[error("the request has changed since you read it; read it again")]
    Changed,
    #[error("say why, so that the requester knows what to do")]
    NoteMissing,
    #[error("a note has at most 2,000 characters")]
    LongNote,
    #[error("less must be shorter than what is asked, and longer than zero")]
    NotLess,
    #[error("it has not lapsed yet")]
    NotYet,
    #[error("the events do not follow from one another")]
    Corrupt,
}

impl Ask {
    /// Checks what does not depend on policy, and the obligations that do.
    pub fn check(&self, obligations: &Obligations, now: Timestamp) -> Result<(), AskError> {
        if self.entitlements.is_empty() {
            return Err(AskError::NoEntitlement);
        }
        if self.entitlements.len() > 8 {
            return Err(AskError::TooManyEntitlements);
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = self.entitlements.iter().find(|e| !seen.insert(*e)) {
            return Err(AskError::Repeated(twice.clone()));
        }
        if self.duration_s == 0 {
            return Err(AskError::NoDuration);
        }
        if self.duration_s > obligations.max_duration_s {
            return Err(AskError::TooLong { asked: self.duration_s, limit: obligations.max_duration_s });
        }
        if self.reason.trim().is_empty() {
            return Err(AskError::EmptyReason);
        }
        let length = self.reason.chars().count();
        if length > 2000 {
            return Err(AskError::LongReason(length));
        }
        let ticket = self.ticket.as_deref().unwrap_or_default().trim();
        if ticket.chars().count() > 64 {
            return Err(AskError::LongTicket);
        }
        if obligations.ticket && ticket.is_empty() {
            return Err(AskError::NoTicket);
        }
        match self.start {
            // A form takes a moment to fill in, so a start a little in the past means now.
            Some(start) if start < now - chrono::TimeDelta::minutes(5) => Err(AskError::StartInPast),
            Some(start) if start > now + chrono::TimeDelta::days(30) => Err(AskError::StartTooFar),
            _ => Ok(()),
        }
    }
}

impl Request {
    /// What follows from `command`, or why it is refused.
    pub fn decide(
        state: Option<&Self>,
        command: RequestCommand,
        now: Timestamp,
    ) -> Result<Vec<RequestEvent>, RequestError> {
        match (command, state) {
            (RequestCommand::Submit { .. }, Some(_)) => Err(RequestError::Exists),
            (RequestCommand::Submit { id, requester, ask, obligations, lapses_at }, None) => {
                ask.check(&obligations, now)?;
                let digest = digest(id, 1, &requester, &ask, &obligations, None);
                let approved = approved_at_once(&obligations, &ask);
                let submitted =
                    RequestEvent::Submitted { id, requester, ask, obligations, lapses_at, digest };
                Ok(std::iter::once(submitted).chain(approved).collect())
            }
            (_, None) => Err(RequestError::Unknown),
            (RequestCommand::Edit { by, revision, ask, obligations, lapses_at }, Some(request)) => {
                request.edit(&by, revision, ask, obligations, lapses_at, now)
            }
            (RequestCommand::Decide { permit, digest, verdict, note }, Some(request)) => {
                request.decide_verdict(permit, digest, verdict, note, now)
            }
            (RequestCommand::Withdraw { by }, Some(request)) => {
                request.check_open()?;
                if by != request.requester {
                    return Err(RequestError::NotRequester);
                }
                Ok(vec![RequestEvent::Withdrawn { by }])
            }
            (RequestCommand::Lapse, Some(request)) => {
                request.check_open()?;
                if now < request.lapses_at {
                    return Err(RequestError::NotYet);
                }
                Ok(vec![RequestEvent::Lapsed])
            }
        }
    }

    fn edit(
        &self,
        by: &UserId,
        revision: u32,
        ask: Ask,
        obligations: Obligations,
        lapses_at: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<RequestEvent>, RequestError> {
        if *by != self.requester {
            return Err(RequestError::NotRequester);
        }
        self.check_open()?;
        if revision != self.revision {
            return Err(RequestError::Changed);
        }
        ask.check(&obligations, now)?;
        let revision = self.revision.saturating_add(1);
        let digest = digest(self.id, revision, &self.requester, &ask, &obligations, None);
        let approved = approved_at_once(&obligations, &ask);
        let edited = RequestEvent::Edited { revision, ask, obligations, lapses_at, digest };
        Ok(std::iter::once(edited).chain(approved).collect())
    }

    fn decide_verdict(
        &self,
        permit: ApprovePermit,
        digest: Digest,
        verdict: Verdict,
        note: String,
        now: Timestamp,
    ) -> Result<Vec<RequestEvent>, RequestError> {
        let ApprovePermit { by, stage } = permit;
        if by == self.requester {
            return Err(RequestError::OwnRequest);
        }
        // Before "closed", so that a repeated click is told apart from a lost race.
        if self.approvals().any(|d| d.by == by) {
            return Err(RequestError::DecidedAlready);
        }
        self.check_open()?;
        if now >= self.lapses_at {
            return Err(RequestError::Closed("lapsed"));
        }
        if self.current_stage() != Some(stage) {
            return Err(RequestError::NotThisStage);
        }
        if digest != self.digest() {
            return Err(RequestError::Changed);
        }
        if note.chars().count() > 2000 {
            return Err(RequestError::LongNote);
        }
        match &verdict {
            Verdict::Deny | Verdict::Ask if note.trim().is_empty() => return Err(RequestError::NoteMissing),
            Verdict::ApproveWithLess { duration_s }
                if *duration_s == 0 || *duration_s >= self.duration_s() =>
            {
                return Err(RequestError::NotLess);
            }
            _ => {}
        }
        let decided = RequestEvent::Decided(Decision { by, stage, verdict, note, at: now, digest });
        let after = self.clone().apply_event(&decided, now)?;
        let approved = (after.phase == RequestPhase::Pending && after.current_stage().is_none())
            .then(|| RequestEvent::Approved { duration_s: after.duration_s() });
        Ok(std::iter::once(decided).chain(approved).collect())
    }

    /// The state after `event`, which happened at `at`.
    pub fn apply(state: Option<Self>, event: &RequestEvent, at: Timestamp) -> Result<Self, RequestError> {
        match (state, event) {
            (None, RequestEvent::Submitted { id, requester, ask, obligations, lapses_at, .. }) => Ok(Self {
                id: *id,
                requester: requester.clone(),
                revision: 1,
                ask: ask.clone(),
                obligations: obligations.clone(),
                submitted_at: at,
                lapses_at: *lapses_at,
                cap_s: None,
                decisions: Vec::new(),
                phase: RequestPhase::Pending,
            }),
            (Some(request), event) => request.apply_event(event, at),
            (None, _) => Err(RequestError::Corrupt),
        }
    }

    fn apply_event(mut self, event: &RequestEvent, at: Timestamp) -> Result<Self, RequestError> {
        match event {
            RequestEvent::Submitted { .. } => return Err(RequestError::Corrupt),
            RequestEvent::Edited { revision, ask, obligations, lapses_at, .. } => {
                self.revision = *revision;
                self.ask = ask.clone();
                self.obligations = obligations.clone();
                self.lapses_at = *lapses_at;
                self.cap_s = None;
                self.decisions.clear();
                self.phase = RequestPhase::Pending;
            }
            RequestEvent::Decided(decision) => {
                match &decision.verdict {
                    Verdict::Approve => self.phase = RequestPhase::Pending,
                    Verdict::ApproveWithLess { duration_s } => {
                        self.phase = RequestPhase::Pending;
                        self.cap_s = Some(*duration_s);
                    }
                    Verdict::Deny => {
                        self.phase =
                            RequestPhase::Denied { by: decision.by.clone(), note: decision.note.clone() };
                    }
                    Verdict::Ask => {
                        self.phase =
                            RequestPhase::Asked { by: decision.by.clone(), note: decision.note.clone() };
                    }
                }
                self.decisions.push(decision.clone());
            }
            RequestEvent::Approved { duration_s } => {
                self.phase = RequestPhase::Approved { at, duration_s: *duration_s };
            }
            RequestEvent::Withdrawn { .. } => self.phase = RequestPhase::Withdrawn,
            RequestEvent::Lapsed => self.phase = RequestPhase::Lapsed,
        }
        Ok(self)
    }

    /// The digest of what a decision would be about now.
    pub fn digest(&self) -> Digest {
        digest(self.id, self.revision, &self.requester, &self.ask, &self.obligations, self.cap_s)
    }

    /// What a grant of this request would last, in seconds.
    pub fn duration_s(&self) -> u32 {
        self.cap_s.map_or(self.ask.duration_s, |cap| cap.min(self.ask.duration_s))
    }

    /// The decisions of this revision that approve.
    pub fn approvals(&self) -> impl Iterator<Item = &Decision> {
        self.decisions
            .iter()
            .filter(|d| matches!(d.verdict, Verdict::Approve | Verdict::ApproveWithLess { .. }))
    }

    /// How many distinct people have approved in this stage. A person counts in one stage only: a second approval
    /// by the same person is refused.
    pub fn approved_in(&self, stage: usize) -> usize {
        self.approvals().filter(|d| d.stage == stage).map(|d| &d.by).collect::<BTreeSet<_>>().len()
    }

    /// The first stage that still needs someone; none when all are done.
    pub fn current_stage(&self) -> Option<usize> {
        let mut stages = self.obligations.stages.iter().enumerate();
        stages.find(|(i, stage)| self.approved_in(*i) < usize::from(stage.needed)).map(|(i, _)| i)
    }

    /// Whether anyone can still decide, edit or withdraw.
    pub fn is_open(&self) -> bool {
        self.check_open().is_ok()
    }

    /// Open, or in which way it is closed.
    pub fn check_open(&self) -> Result<(), RequestError> {
        match self.phase {
            RequestPhase::Pending | RequestPhase::Asked { .. } => Ok(()),
            RequestPhase::Approved { .. } => Err(RequestError::Closed("approved")),
            RequestPhase::Denied { .. } => Err(RequestError::Closed("denied")),
            RequestPhase::Withdrawn => Err(RequestError::Closed("withdrawn")),
            RequestPhase::Lapsed => Err(RequestError::Closed("lapsed")),
        }
    }
}

fn approved_at_once(obligations: &Obligations, ask: &Ask) -> Option<RequestEvent> {
    let nobody = obligations.stages.iter().all(|stage| stage.needed == 0);
    nobody.then_some(RequestEvent::Approved { duration_s: ask.duration_s })
}

fn digest(
    id: RequestId,
    revision: u32,
    requester: &UserId,
    ask: &Ask,
    obligations: &Obligations,
    cap_s: Option<u32>,
) -> Digest {
    Digest::of("daypass request v1", &(id, revision, requester, ask, obligations, cap_s))
}
