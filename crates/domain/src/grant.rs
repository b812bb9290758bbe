//! A grant: access that is live from its activation to its end.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{DeviceId, Entitlement, GrantId, RequestId, Timestamp, UserId};

/// An approved grant whose target cannot be reached for this long ends without ever having been live.
pub const MAX_ACTIVATION_WAIT: TimeDelta = TimeDelta::hours(4);

/// Why a grant ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum EndReason {
    Expired,
    /// Its holder gave it back.
    Released,
    Revoked {
        by: UserId,
        note: String,
    },
    /// The target could not be reached in time.
    NeverActivated,
}

/// Where a grant stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "phase")]
pub enum GrantPhase {
    /// Approved; waits for its start and for the target to be ready.
    Opening {
        problem: Option<String>,
    },
    Live {
        starts_at: Timestamp,
        expires_at: Timestamp,
    },
    /// Access is ending: the target may still have to be cleaned.
    Ending {
        since: Timestamp,
        end: EndReason,
        problem: Option<String>,
    },
    /// The target is clean.
    Ended {
        at: Timestamp,
        end: EndReason,
    },
}

/// A grant as its events leave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub id: GrantId,
    pub request: RequestId,
    pub holder: UserId,
    pub entitlement: Entitlement,
    pub duration_s: u32,
    pub not_before: Option<Timestamp>,
    pub opened_at: Timestamp,
    pub phase: GrantPhase,
    /// When it was live, kept after it ended.
    pub live: Option<(Timestamp, Timestamp)>,
    /// The device that holds the current credential, and how many were issued.
    pub credential: Option<(DeviceId, u32)>,
    /// The devices that said that they wiped what they held.
    pub wiped: Vec<DeviceId>,
}

/// What someone wants to do to a grant.
#[derive(Clone, Debug)]
pub enum GrantCommand {
    Open {
        id: GrantId,
        request: RequestId,
        holder: UserId,
        entitlement: Entitlement,
        duration_s: u32,
        not_before: Option<Timestamp>,
    },
    /// The target is ready.
    Activate,
    /// The target could not be prepared or cleaned; tried again later.
    ReportProblem {
        message: String,
    },
    IssueCredential {
        by: UserId,
        device: DeviceId,
    },
    Release {
        by: UserId,
    },
    Revoke {
        by: UserId,
        note: String,
    },
    /// Ends it when its time is over.
    Expire,
    /// The target is clean.
    Finish,
    ReportWiped {
        by: UserId,
        device: DeviceId,
    },
}

/// What happened to a grant; what the ledger keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum GrantEvent {
    Opened {
        id: GrantId,
        request: RequestId,
        holder: UserId,
        entitlement: Entitlement,
        duration_s: u32,
        not_before: Option<Timestamp>,
    },
    Activated {
        starts_at: Timestamp,
        expires_at: Timestamp,
    },
    ProblemReported {
        message: String,
    },
    CredentialIssued {
        device: DeviceId,
        serial: u32,
    },
    Ending {
        end: EndReason,
    },
    Ended,
    Wiped {
        device: DeviceId,
    },
}

/// Why a command on a grant is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    #[error("there is no such grant")]
    Unknown,
    #[error("this grant exists already")]
    Exists,
    #[error("the grant is not live yet")]
    NotLiveYet,
    #[error("the grant has ended")]
    Over,
    #[error("only the holder can do this")]
    NotHolder,
    #[error("it is not time yet")]
    NotYet,
    #[error("say why, so that the holder knows")]
    NoteMissing,
    #[error("the events do not follow from one another")]
    Corrupt,
}

impl Grant {
    /// What follows from `command`, or why it is refused. No event means that nothing changes.
    pub fn decide(
        state: Option<&Self>,
        command: GrantCommand,
        now: Timestamp,
    ) -> Result<Vec<GrantEvent>, GrantError> {
        match (command, state) {
            (GrantCommand::Open { .. }, Some(_)) => Err(GrantError::Exists),
            (GrantCommand::Open { id, request, holder, entitlement, duration_s, not_before }, None) => {
                Ok(vec![GrantEvent::Opened { id, request, holder, entitlement, duration_s, not_before }])
            }
            (_, None) => Err(GrantError::Unknown),
            (command, Some(grant)) => grant.decide_open(command, now),
        }
    }

    fn decide_open(&self, command: GrantCommand, now: Timestamp) -> Result<Vec<GrantEvent>, GrantError> {
        match command {
            GrantCommand::Open { .. } => Err(GrantError::Exists),
            GrantCommand::Activate => self.activate(now),
            GrantCommand::ReportProblem { message } => Ok(self.report_problem(message)),
            GrantCommand::IssueCredential { by, device } => {
                self.check_holder(&by)?;
                match self.phase {
                    GrantPhase::Opening { .. } => Err(GrantError::NotLiveYet),
                    GrantPhase::Live { expires_at, .. } if now < expires_at => {
                        let serial = self.credential.map_or(1, |(_, serial)| serial.saturating_add(1));
                        Ok(vec![GrantEvent::CredentialIssued { device, serial }])
                    }
                    _ => Err(GrantError::Over),
                }
            }
            GrantCommand::Release { by } => {
                self.check_holder(&by)?;
                self.end(EndReason::Released)
            }
            GrantCommand::Revoke { note, .. } if note.trim().is_empty() => Err(GrantError::NoteMissing),
            GrantCommand::Revoke { by, note } => self.end(EndReason::Revoked { by, note }),
            GrantCommand::Expire => match self.phase {
                GrantPhase::Live { expires_at, .. } if now >= expires_at => self.end(EndReason::Expired),
                GrantPhase::Opening { .. } if now >= self.activation_deadline() => {
                    self.end(EndReason::NeverActivated)
                }
                GrantPhase::Live { .. } | GrantPhase::Opening { .. } => Err(GrantError::NotYet),
                _ => Err(GrantError::Over),
            },
            GrantCommand::Finish => match self.phase {
                GrantPhase::Ending { .. } => Ok(vec![GrantEvent::Ended]),
                GrantPhase::Ended { .. } => Ok(Vec::new()),
                _ => Err(GrantError::NotYet),
            },
            GrantCommand::ReportWiped { by, device } => {
                self.check_holder(&by)?;
                Ok(if self.wiped.contains(&device) { Vec::new() } else { vec![GrantEvent::Wiped { device }] })
            }
        }
    }

    fn activate(&self, now: Timestamp) -> Result<Vec<GrantEvent>, GrantError> {
        match self.phase {
            GrantPhase::Opening { .. } if self.not_before.is_some_and(|start| now < start) => {
                Err(GrantError::NotYet)
            }
            GrantPhase::Opening { .. } if now >= self.activation_deadline() => Err(GrantError::Over),
            GrantPhase::Opening { .. } => {
                let expires_at = now + TimeDelta::seconds(i64::from(self.duration_s));
                Ok(vec![GrantEvent::Activated { starts_at: now, expires_at }])
            }
            // Activated by someone else meanwhile: the clock started once and is not started again.
            GrantPhase::Live { .. } => Ok(Vec::new()),
            _ => Err(GrantError::Over),
        }
    }

    fn report_problem(&self, message: String) -> Vec<GrantEvent> {
        match &self.phase {
            GrantPhase::Opening { problem } | GrantPhase::Ending { problem, .. }
                if problem.as_ref() != Some(&message) =>
            {
                vec![GrantEvent::ProblemReported { message }]
            }
            _ => Vec::new(),
        }
    }

    fn end(&self, end: EndReason) -> Result<Vec<GrantEvent>, GrantError> {
        match self.phase {
            GrantPhase::Opening { .. } | GrantPhase::Live { .. } => Ok(vec![GrantEvent::Ending { end }]),
            _ => Err(GrantError::Over),
        }
    }

    fn check_holder(&self, by: &UserId) -> Result<(), GrantError> {
        if *by == self.holder { Ok(()) } else { Err(GrantError::NotHolder) }
    }

    /// When an opening grant gives up.
    pub fn activation_deadline(&self) -> Timestamp {
        self.not_before.map_or(self.opened_at, |start| start.max(self.opened_at)) + MAX_ACTIVATION_WAIT
    }

    /// Whether the target must offer access for this grant at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        matches!(self.phase, GrantPhase::Live { expires_at, .. } if now < expires_at)
    }

    /// The state after `event`, which happened at `at`.
    pub fn apply(state: Option<Self>, event: &GrantEvent, at: Timestamp) -> Result<Self, GrantError> {
        match (state, event) {
            (None, GrantEvent::Opened { id, request, holder, entitlement, duration_s, not_before }) => {
                Ok(Self {
                    id: *id,
                    request: *request,
                    holder: holder.clone(),
                    entitlement: entitlement.clone(),
                    duration_s: *duration_s,
                    not_before: *not_before,
                    opened_at: at,
                    phase: GrantPhase::Opening { problem: None },
                    live: None,
                    credential: None,
                    wiped: Vec::new(),
                })
            }
            (Some(grant), event) => grant.apply_event(event, at),
            (None, _) => Err(GrantError::Corrupt),
        }
    }

    fn apply_event(mut self, event: &GrantEvent, at: Timestamp) -> Result<Self, GrantError> {
        match event {
            GrantEvent::Opened { .. } => return Err(GrantError::Corrupt),
            GrantEvent::Activated { starts_at, expires_at } => {
                self.live = Some((*starts_at, *expires_at));
                self.phase = GrantPhase::Live { starts_at: *starts_at, expires_at: *expires_at };
            }
            GrantEvent::ProblemReported { message } => match &mut self.phase {
                GrantPhase::Opening { problem } | GrantPhase::Ending { problem, .. } => {
                    *problem = Some(message.clone());
                }
                _ => return Err(GrantError::Corrupt),
            },
            GrantEvent::CredentialIssued { device, serial } => {
                self.credential = Some((*device, *serial));
                self.wiped.retain(|d| d != device);
            }
            GrantEvent::Ending { end } => {
                self.phase = GrantPhase::Ending { since: at, end: end.clone(), problem: None };
            }
            GrantEvent::Ended => match self.phase {
                GrantPhase::Ending { end, .. } => self.phase = GrantPhase::Ended { at, end },
                _ => return Err(GrantError::Corrupt),
            },
            GrantEvent::Wiped { device } => self.wiped.push(*device),
        }
        Ok(self)
    }
}
