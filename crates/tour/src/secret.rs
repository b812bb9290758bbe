//! A credential, as a person's keychain keeps it and as it looks from outside.

use std::fmt;

use anyhow::{Context as _, Result};
use daypass_testkit::{Postgres, psql};
use serde_json::Value;

/// What the keychain holds of a live grant.
pub struct Secret {
    pub username: String,
    pub password: String,
    pub database: String,
}

impl Secret {
    pub(crate) fn read(kept: &str) -> Result<Self> {
        let kept: Value = serde_json::from_str(kept)?;
        let part = |name: &str| {
            let value = kept.get(name).and_then(Value::as_str).map(str::to_owned);
            value.with_context(|| format!("the credential has no {name}"))
        };
        Ok(Self { username: part("username")?, password: part("password")?, database: part("database")? })
    }

    /// The connection address with the password in it.
    pub fn url(&self, postgres: &Postgres) -> String {
        postgres.url_as(&self.username, &self.password, &self.database)
    }

    /// Runs `sql` with psql under this credential.
    pub fn psql(&self, postgres: &Postgres, sql: &str) -> Result<String> {
        psql(&self.url(postgres), sql)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("username", &self.username).finish_non_exhaustive()
    }
}
