//! What makes a target offer access while a grant lives, and nothing afterwards.

mod postgres;

use async_trait::async_trait;
use daypass_domain::{AccessLevel, GrantId, ResourceId, Timestamp};
use daypass_protocol::api::Credential;

pub use postgres::{BadSettings, PostgresConnector};

/// A live grant, as a target needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub grant: GrantId,
    pub level: AccessLevel,
    pub expires_at: Timestamp,
}

#[derive(Debug, thiserror::Error)]
pub enum ConnectorError {
    /// The target does not answer or refuses us; tried again later. The message is for people.
    #[error("{0}")]
    Unavailable(String),
    /// The target has no account of this grant (it ended, or was never made).
    #[error("the target has no account for this grant")]
    NoAccount,
}

/// One target. Every method is idempotent; a grant's account has a name that only its id gives.
#[async_trait]
pub trait Connector: Send + Sync {
    fn resource(&self) -> &ResourceId;

    /// Makes the grant's account exist with the privileges of its level, valid until it expires, without a password:
    /// nobody can log in before [`Connector::issue`].
    async fn open(&self, wanted: &Wanted) -> Result<(), ConnectorError>;

    /// Gives the grant's account a new unguessable password and answers it. The one before no longer works.
    async fn issue(&self, wanted: &Wanted) -> Result<Credential, ConnectorError>;

    /// Cuts the account's sessions, removes what it owns or hands it to the resource's owner, and drops it.
    /// Done when it answers `Ok`; an account that is not there is done.
    async fn close(&self, grant: GrantId) -> Result<(), ConnectorError>;

    /// Makes the target match exactly `wanted`: opens what is missing, closes every other Daypass account,
    /// whoever left it there.
    async fn reconcile(&self, wanted: &[Wanted]) -> Result<Reconciled, ConnectorError>;
}

/// What a reconciliation changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    pub opened: Vec<GrantId>,
    /// The target's names of the accounts that were removed.
    pub removed: Vec<String>,
}
