//! The ledger and what is read from it.
//!
//! The append-only `events` table is the ledger and the only source of truth; the read tables are projections written
//! in the same transaction, and [`Store::rebuild`] makes them again. What sign-in keeps (password hashes and refresh
//! tokens' hashes) is not part of the ledger: an append-only record is no place for what has to be forgotten.

mod project;
mod row;
mod sql;
mod tokens;
mod verify;

pub use row::BadStream;
pub use sql::SqlStore;
pub use verify::Verified;

use std::collections::BTreeSet;

use async_trait::async_trait;
use daypass_domain::{
    DeviceId, Digest, Grant, GrantError, GrantEvent, GrantId, Request, RequestError, RequestEvent, RequestId,
    Timestamp, UserId,
};
use daypass_risk::Score;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::network::Network;

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    Request(RequestId),
    Grant(GrantId),
    /// Sign-ins and sign-outs of one person.
    Person(UserId),
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "about", content = "event")]
pub enum Body {
    Request(RequestEvent),
    Grant(GrantEvent),
    Person(PersonEvent),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum PersonEvent {
    SignedIn {
        device: DeviceId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        network: Option<Network>,
    },
    SignedOut {
        device: DeviceId,
    },
    /// A refresh token was used twice: somebody may have copied it, so its whole family is void.
    TokenReused {
        device: DeviceId,
    },
}

/// What was known when it happened, kept so that it can be explained and recomputed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Circumstances {
    /// Everyone who may read this event.
    pub audience: BTreeSet<UserId>,
    /// Everyone whose decision the request waits for afterwards.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub waits_for: BTreeSet<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Score>,
    /// What the score was computed from, for recomputing it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_inputs: Option<serde_json::Value>,
    /// The policy in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Digest>,
}

/// An event about to be recorded.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub stream: Stream,
    /// How many events the stream has before this one, when the writer must have seen them all. `None` appends
    /// whatever is there; only [`Stream::Person`] may do that.
    pub after: Option<u64>,
    pub actor: Option<UserId>,
    pub body: Body,
    pub circumstances: Circumstances,
}

/// A row of the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// From 1, without gaps.
    pub position: i64,
    pub at: Timestamp,
    pub stream: Stream,
    /// From 1 in its stream.
    pub version: u64,
    pub actor: Option<UserId>,
    pub body: Body,
    pub circumstances: Circumstances,
    /// RFC 6962 leaf hash of the row's canonical text.
    pub leaf: Digest,
}

/// A state and how many events led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned<T> {
    pub state: T,
    pub version: u64,
}

/// A refresh token as it is kept: by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshRow {
    /// SHA-256 of the token.
    pub hash: Digest,
    /// All tokens that came from one sign-in.
    pub family: Uuid,
    pub user: UserId,
    pub device: DeviceId,
    pub expires_at: Timestamp,
}

/// What using a refresh token found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefreshUse {
    /// It was good, and is used now.
    Good(RefreshRow),
    /// It had been used before; the caller ends the family.
    Reused(RefreshRow),
    /// Unknown, expired, or of an ended family.
    Unknown,
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else wrote first: read again and decide again.
    #[error("the stream has moved on")]
    Conflict,
    /// The database cannot be reached or is not in order; the cause is for the log.
    #[error("the store is unavailable")]
    Unavailable(#[source] anyhow::Error),
    /// A row cannot be read back: a bug or a damaged ledger.
    #[error("the ledger cannot be read at position {position}")]
    Corrupt { position: i64, reason: String },
}

impl From<RequestError> for StoreError {
    fn from(e: RequestError) -> Self {
        Self::Corrupt { position: 0, reason: e.to_string() }
    }
}

impl From<GrantError> for StoreError {
    fn from(e: GrantError) -> Self {
        Self::Corrupt { position: 0, reason: e.to_string() }
    }
}

/// One store, two backends; the same suite of behaviour runs on both.
#[async_trait]
pub trait Store: Send + Sync {
    /// Records all or none, in order, in one transaction with the read tables. `at` is never earlier than the row
    /// before: an earlier one is raised to it.
    async fn append(&self, events: Vec<NewEvent>, at: Timestamp) -> Result<Vec<Recorded>, StoreError>;

    /// The position of the last row; 0 when there is none.
    async fn head(&self) -> Result<i64, StoreError>;
    /// Rows after `after`, oldest first, whoever may read them.
    async fn read(&self, after: i64, limit: u32) -> Result<Vec<Recorded>, StoreError>;
    /// Rows after `after` that `user` may read, oldest first.
    async fn read_for(&self, user: &UserId, after: i64, limit: u32) -> Result<Vec<Recorded>, StoreError>;
    /// All rows of one stream, oldest first.
    async fn stream(&self, stream: &Stream) -> Result<Vec<Recorded>, StoreError>;

    async fn request(&self, id: RequestId) -> Result<Option<Versioned<Request>>, StoreError>;
    /// Pending and asked ones, oldest first.
    async fn open_requests(&self) -> Result<Vec<Versioned<Request>>, StoreError>;
    /// One person's, newest first.
    async fn requests_of(&self, user: &UserId, limit: u32) -> Result<Vec<Versioned<Request>>, StoreError>;
    /// The risk recorded with the newest submission or edit of each.
    async fn risk_of(&self, id: RequestId) -> Result<Option<Score>, StoreError>;

    async fn grant(&self, id: GrantId) -> Result<Option<Versioned<Grant>>, StoreError>;
    /// Everyone's, except those that have ended.
    async fn unfinished_grants(&self) -> Result<Vec<Versioned<Grant>>, StoreError>;
    /// One person's, newest first, ended ones too.
    async fn grants_of(&self, user: &UserId, limit: u32) -> Result<Vec<Versioned<Grant>>, StoreError>;

    /// Makes the read tables again from the events; answers how many events it read.
    async fn rebuild(&self) -> Result<u64, StoreError>;

    /// The password hash (PHC string) of a local account.
    async fn password_hash(&self, user: &UserId) -> Result<Option<String>, StoreError>;
    async fn set_password_hash(&self, user: &UserId, phc: &str) -> Result<(), StoreError>;
    async fn insert_refresh(&self, row: &RefreshRow) -> Result<(), StoreError>;
    /// Marks the token as used and tells what it was, in one step.
    async fn use_refresh(&self, hash: &Digest, now: Timestamp) -> Result<RefreshUse, StoreError>;
    /// Voids every token of a family.
    async fn end_family(&self, family: Uuid) -> Result<(), StoreError>;
    /// Whether the family can still be used; an access token of an ended family is refused at once.
    async fn family_is_live(&self, family: Uuid) -> Result<bool, StoreError>;
}
