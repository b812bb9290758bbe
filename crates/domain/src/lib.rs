//! Requests, stages, decisions and grants as pure state machines.
//!
//! `decide(state, command, now)` says what happens, as events; `apply(state, event)` makes it so. Nothing here does
//! I/O, reads a clock or waits: the same events always give the same state, so the ledger can rebuild everything.

mod digest;
mod grant;
mod ids;
mod request;
mod words;

pub use digest::Digest;
pub use grant::{EndReason, Grant, GrantCommand, GrantError, GrantEvent, GrantPhase, MAX_ACTIVATION_WAIT};
pub use ids::{BadSlug, DeviceId, GrantId, GroupId, RequestId, ResourceId, UserId};
pub use request::{
    ApprovePermit, Ask, AskError, Decision, Obligations, Request, RequestCommand, RequestError, RequestEvent,
    RequestPhase, Stage, Verdict,
};
pub use words::{AccessLevel, Entitlement, Environment, Sensitivity};

/// A point in civil time; always passed in.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
