//! A row of the ledger as it is kept: its text exactly as it was hashed, and columns to look it up by.

use std::fmt;
use std::str::FromStr;

use daypass_domain::{Timestamp, UserId};
use daypass_ledger::leaf_hash;
use serde::{Deserialize, Serialize};

use super::{Body, Circumstances, NewEvent, Recorded, StoreError, Stream};

/// The columns of the table `events`.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Row {
    pub position: i64,
    /// Microseconds since 1970.
    pub at: i64,
    pub stream: String,
    pub version: i64,
    /// RFC 6962 leaf hash of `text`, in hexadecimal digits.
    pub leaf: String,
    pub text: String,
}

/// What `text` says. The order of the fields is the order in the text.
#[derive(Serialize, Deserialize)]
struct Text {
    position: i64,
    at: Timestamp,
    stream: String,
    version: u64,
    actor: Option<UserId>,
    body: Body,
    circumstances: Circumstances,
}

impl Row {
    /// The row of an event, and what a reader makes of it.
    pub fn new(
        position: i64,
        at: Timestamp,
        version: u64,
        event: NewEvent,
    ) -> Result<(Self, Recorded), StoreError> {
        let NewEvent { stream, after: _, actor, body, circumstances } = event;
        let text = Text { position, at, stream: stream.to_string(), version, actor, body, circumstances };
        let row = Self {
            position,
            at: microseconds(at),
            version: version.try_into().map_err(|_| corrupt(position, "its version is out of range"))?,
            leaf: String::new(),
            text: serde_json::to_string(&text).map_err(|e| corrupt(position, e))?,
            stream: text.stream.clone(),
        };
        let row = Self { leaf: row.leaf_of_text(), ..row };
        let recorded = text.recorded(stream, &row.leaf)?;
        Ok((row, recorded))
    }

    /// What the row says.
    pub fn recorded(&self) -> Result<Recorded, StoreError> {
        let text: Text = serde_json::from_str(&self.text).map_err(|e| corrupt(self.position, e))?;
        let stream = text.stream.parse().map_err(|e| corrupt(self.position, e))?;
        // A row that was put where it does not belong must not be taken for the one that did.
        let columns = (self.position, self.at, self.stream.as_str(), self.version.unsigned_abs());
        if columns != (text.position, microseconds(text.at), text.stream.as_str(), text.version) {
            return Err(corrupt(self.position, "its columns are not what its text says"));
        }
        text.recorded(stream, &self.leaf)
    }

    /// That it follows the row at `before` and that its text is the one that was hashed; answers its position.
    pub fn check_after(&self, before: i64) -> Result<i64, StoreError> {
        if before.checked_add(1) != Some(self.position) {
            return Err(corrupt(self.position, format!("it follows the row at {before}")));
        }
        if self.leaf != self.leaf_of_text() {
            return Err(corrupt(self.position, "its text is not the one that was hashed"));
        }
        Ok(self.position)
    }

    fn leaf_of_text(&self) -> String {
        hex::encode(leaf_hash(self.text.as_bytes()))
    }
}

impl Text {
    fn recorded(self, stream: Stream, leaf: &str) -> Result<Recorded, StoreError> {
        let Self { position, at, stream: _, version, actor, body, circumstances } = self;
        let leaf = leaf.parse().map_err(|e| corrupt(position, e))?;
        Ok(Recorded { position, at, stream, version, actor, body, circumstances, leaf })
    }
}

pub(super) fn corrupt(position: i64, reason: impl fmt::Display) -> StoreError {
    StoreError::Corrupt { position, reason: reason.to_string() }
}

/// As columns keep a moment.
pub(super) fn microseconds(at: Timestamp) -> i64 {
    at.timestamp_micros()
}

pub(super) fn moment(microseconds: i64, position: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_timestamp_micros(microseconds)
        .ok_or_else(|| corrupt(position, "its time is out of range"))
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(id) => write!(f, "request:{id}"),
            Self::Grant(id) => write!(f, "grant:{id}"),
            Self::Person(id) => write!(f, "person:{id}"),
        }
    }
}

/// The text names no stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" names no stream")]
pub struct BadStream(String);

impl FromStr for Stream {
    type Err = BadStream;

    fn from_str(s: &str) -> Result<Self, BadStream> {
        let bad = || BadStream(s.chars().take(80).collect());
        let (kind, id) = s.split_once(':').ok_or_else(bad)?;
        match kind {
            "request" => id.parse().map(Self::Request).map_err(|_| bad()),
            "grant" => id.parse().map(Self::Grant).map_err(|_| bad()),
            "person" => id.parse().map(Self::Person).map_err(|_| bad()),
            _ => Err(bad()),
        }
    }
}
