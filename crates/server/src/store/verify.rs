//! Whether the ledger is what was written.

use daypass_domain::{Digest, Timestamp};
use daypass_ledger::{Frontier, leaf_hash};

use super::row::corrupt;
use super::{SqlStore, StoreError};

/// A ledger whose rows are all in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    pub events: u64,
    /// RFC 6962 root over all rows. Whoever holds an older root can check that this ledger continues it; a ledger that
    /// was written anew from some row on can be told in no other way.
    pub root: Digest,
}

impl SqlStore {
    /// Reads the whole ledger: each row's text is the one that was hashed and says what the row's columns say, the
    /// positions have no gaps, and time never goes back.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] with the position of the first row that is not in order.
    pub async fn verify(&self) -> Result<Verified, StoreError> {
        let mut frontier = Frontier::new();
        let (mut position, mut last_at) = (0, Timestamp::MIN_UTC);
        loop {
            let rows = self.page(position).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                position = row.check_after(position)?;
                let event = row.recorded()?;
                if event.at < last_at {
                    return Err(corrupt(position, "it is earlier than the row before"));
                }
                last_at = event.at;
                frontier.push(leaf_hash(row.text.as_bytes()));
            }
        }
        let root = hex::encode(frontier.root()).parse().map_err(|e| corrupt(position, e))?;
        Ok(Verified { events: frontier.size(), root })
    }
}
