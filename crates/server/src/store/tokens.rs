//! Refresh tokens: each can be spent once, and a family ends as a whole.

use chrono::TimeDelta;
use daypass_domain::{Digest, Timestamp, UserId};
use sqlx::AnyConnection;

use super::row::microseconds;
use super::{RefreshRow, RefreshUse, StoreError};

/// Expired tokens are kept a while, so that nothing that is still on its way refers to what is gone.
const KEPT_AFTER_EXPIRY: TimeDelta = TimeDelta::days(1);

/// The columns of a token, and whether it was used.
#[derive(sqlx::FromRow)]
struct Token {
    family: String,
    user_id: String,
    device: String,
    expires_at: i64,
    used_at: Option<i64>,
}

pub(super) async fn insert(tx: &mut AnyConnection, row: &RefreshRow) -> Result<(), StoreError> {
    let expires_at = microseconds(row.expires_at);
    let family = "INSERT INTO refresh_families (family, ended, expires_at) VALUES ($1, 0, $2)
                  ON CONFLICT (family) DO UPDATE SET expires_at = excluded.expires_at
                  WHERE excluded.expires_at > refresh_families.expires_at";
    sqlx::query(family).bind(row.family.to_string()).bind(expires_at).execute(&mut *tx).await?;
    let token =
        "INSERT INTO refresh_tokens (hash, family, user_id, device, expires_at) VALUES ($1, $2, $3, $4, $5)";
    sqlx::query(token)
        .bind(row.hash.to_string())
        .bind(row.family.to_string())
        .bind(row.user.as_str())
        .bind(row.device.to_string())
        .bind(expires_at)
        .execute(tx)
        .await?;
    Ok(())
}

/// Marks the token as used, if it can be, and tells what it was.
pub(super) async fn spend(
    tx: &mut AnyConnection,
    hash: &Digest,
    now: Timestamp,
) -> Result<RefreshUse, StoreError> {
    let sql = "SELECT t.family, t.user_id, t.device, t.expires_at, t.used_at
               FROM refresh_tokens t JOIN refresh_families f ON f.family = t.family
               WHERE t.hash = $1 AND t.expires_at > $2 AND f.ended = 0";
    let token = sqlx::query_as(sql).bind(hash.to_string()).bind(microseconds(now));
    let Some(token): Option<Token> = token.fetch_optional(&mut *tx).await? else {
        return Ok(RefreshUse::Unknown);
    };
    let used = token.used_at.is_some();
    let row = token.row(*hash)?;
    if used {
        return Ok(RefreshUse::Reused(row));
    }
    let sql = "UPDATE refresh_tokens SET used_at = $2 WHERE hash = $1";
    sqlx::query(sql).bind(hash.to_string()).bind(microseconds(now)).execute(tx).await?;
    Ok(RefreshUse::Good(row))
}

pub(super) async fn forget_long_expired(tx: &mut AnyConnection, now: Timestamp) -> Result<(), StoreError> {
    let before = microseconds(now - KEPT_AFTER_EXPIRY);
    for sql in [
        "DELETE FROM refresh_tokens WHERE expires_at < $1",
        "DELETE FROM refresh_families WHERE expires_at < $1",
    ] {
        sqlx::query(sql).bind(before).execute(&mut *tx).await?;
    }
    Ok(())
}

impl Token {
    fn row(self, hash: Digest) -> Result<RefreshRow, StoreError> {
        let damaged =
            |what: &str| StoreError::Unavailable(anyhow::anyhow!("a refresh token's {what} is damaged"));
        Ok(RefreshRow {
            hash,
            family: self.family.parse().map_err(|_| damaged("family"))?,
            user: UserId::new(self.user_id).map_err(|_| damaged("user"))?,
            device: self.device.parse().map_err(|_| damaged("device"))?,
            expires_at: Timestamp::from_timestamp_micros(self.expires_at).ok_or_else(|| damaged("expiry"))?,
        })
    }
}
