//! What this device remembers, in one SQLite file. Nothing in it is a secret: it says which secrets there may be.
//!
//! Each write is on the disk when its call returns: an intent must survive the crash that it is there for.

use std::collections::BTreeMap;
use std::path::Path;

use daypass_clock::Timestamp;
use daypass_domain::GrantId;
use daypass_protocol::api::GrantView;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, Row as _};

/// The file below the data folder.
pub const STATE_FILE: &str = "state.db";

pub(crate) struct Store {
    db: SqliteConnection,
}

/// A credential that may be in the keychain: written before it is fetched, closed after it is wiped.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CredentialIntent {
    pub(crate) grant: GrantId,
    pub(crate) expires_at: Timestamp,
    /// The grant as it was, to show it while the server cannot be asked.
    pub(crate) view: Option<GrantView>,
}

/// What the server has to be told, again and again until it has heard it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Message {
    Release(GrantId),
    Wiped(GrantId),
}

impl Message {
    fn kind(self) -> &'static str {
        match self {
            Self::Release(_) => "release",
            Self::Wiped(_) => "wiped",
        }
    }

    pub(crate) fn grant(self) -> GrantId {
        match self {
            Self::Release(grant) | Self::Wiped(grant) => grant,
        }
    }
}

const TABLES: &str = "
    create table if not exists kept (key text primary key, value text not null) without rowid;
    create table if not exists intents (
        grant_id text primary key, expires_at text not null, view text
    ) without rowid;
    create table if not exists outbox (
        kind text not null, grant_id text not null, primary key (kind, grant_id)
    ) without rowid;
";

impl Store {
    pub(crate) async fn open(folder: &Path) -> Result<Self, sqlx::Error> {
        let mut db = open(&folder.join(STATE_FILE)).await?;
        sqlx::raw_sql(TABLES).execute(&mut db).await?;
        Ok(Self { db })
    }

    pub(crate) async fn get<T: DeserializeOwned>(&mut self, key: &str) -> Result<Option<T>, sqlx::Error> {
        let row = sqlx::query("select value from kept where key = ?")
            .bind(key)
            .fetch_optional(&mut self.db)
            .await?;
        // What an older version wrote and this one cannot read is as good as absent.
        Ok(row.and_then(|row| serde_json::from_str(row.get(0)).ok()))
    }

    pub(crate) async fn put(&mut self, key: &str, value: &impl Serialize) -> Result<(), sqlx::Error> {
        let value = serde_json::to_string(value).map_err(|e| sqlx::Error::Encode(e.into()))?;
        sqlx::query("insert into kept values (?1, ?2) on conflict (key) do update set value = ?2")
            .bind(key)
            .bind(value)
            .execute(&mut self.db)
            .await?;
        Ok(())
    }

    pub(crate) async fn forget(&mut self, key: &str) -> Result<(), sqlx::Error> {
        sqlx::query("delete from kept where key = ?").bind(key).execute(&mut self.db).await?;
        Ok(())
    }

    pub(crate) async fn open_intent(&mut self, intent: &CredentialIntent) -> Result<(), sqlx::Error> {
        let view = intent.view.as_ref().and_then(|view| serde_json::to_string(view).ok());
        sqlx::query(
            "insert into intents values (?1, ?2, ?3)
             on conflict (grant_id) do update set expires_at = ?2, view = coalesce(?3, view)",
        )
        .bind(intent.grant.to_string())
        .bind(intent.expires_at.to_rfc3339())
        .bind(view)
        .execute(&mut self.db)
        .await?;
        Ok(())
    }

    /// The credential is wiped: the intent is closed, and the server is to be told, in one step.
    pub(crate) async fn close_intent(&mut self, grant: GrantId) -> Result<(), sqlx::Error> {
        let id = grant.to_string();
        let mut tx = self.db.begin().await?;
        sqlx::query("delete from intents where grant_id = ?").bind(&id).execute(&mut *tx).await?;
        sqlx::query("insert or ignore into outbox values ('wiped', ?)").bind(&id).execute(&mut *tx).await?;
        tx.commit().await
    }

    pub(crate) async fn intents(&mut self) -> Result<BTreeMap<GrantId, CredentialIntent>, sqlx::Error> {
        let rows =
            sqlx::query("select grant_id, expires_at, view from intents").fetch_all(&mut self.db).await?;
        let mut intents = BTreeMap::new();
        for row in rows {
            let Ok(grant) = row.get::<&str, _>(0).parse::<GrantId>() else { continue };
            // An end that cannot be read is an end that has come.
            let expires_at = row.get::<&str, _>(1).parse().unwrap_or(Timestamp::MIN_UTC);
            let view = row.get::<Option<&str>, _>(2).and_then(|text| serde_json::from_str(text).ok());
            intents.insert(grant, CredentialIntent { grant, expires_at, view });
        }
        Ok(intents)
    }

    pub(crate) async fn send(&mut self, message: Message) -> Result<(), sqlx::Error> {
        sqlx::query("insert or ignore into outbox values (?, ?)")
            .bind(message.kind())
            .bind(message.grant().to_string())
            .execute(&mut self.db)
            .await?;
        Ok(())
    }

    pub(crate) async fn sent(&mut self, message: Message) -> Result<(), sqlx::Error> {
        sqlx::query("delete from outbox where kind = ? and grant_id = ?")
            .bind(message.kind())
            .bind(message.grant().to_string())
            .execute(&mut self.db)
            .await?;
        Ok(())
    }

    pub(crate) async fn outbox(&mut self) -> Result<Vec<Message>, sqlx::Error> {
        let rows =
            sqlx::query("select kind, grant_id from outbox order by kind").fetch_all(&mut self.db).await?;
        let message = |row: &sqlx::sqlite::SqliteRow| {
            let grant = row.get::<&str, _>(1).parse().ok()?;
            match row.get::<&str, _>(0) {
                "release" => Some(Message::Release(grant)),
                "wiped" => Some(Message::Wiped(grant)),
                _ => None,
            }
        };
        Ok(rows.iter().filter_map(message).collect())
    }

    pub(crate) async fn empty_outbox(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query("delete from outbox").execute(&mut self.db).await?;
        Ok(())
    }

    pub(crate) async fn close(self) {
        if let Err(error) = self.db.close().await {
            tracing::info!(%error, "the local database was not closed cleanly");
        }
    }
}

/// Opens a database whose commits are on the disk when they return.
pub(crate) async fn open(file: &Path) -> Result<SqliteConnection, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    SqliteConnection::connect_with(&options).await
}

/// Moves a database that cannot be read out of the way, with the files that belong to it.
pub(crate) fn move_aside(file: &Path, now: Timestamp) -> std::io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut from = file.as_os_str().to_owned();
        from.push(suffix);
        if Path::new(&from).exists() {
            let mut to = file.as_os_str().to_owned();
            to.push(format!(".broken-{}{suffix}", now.timestamp()));
            std::fs::rename(&from, &to)?;
        }
    }
    Ok(())
}

/// Removes a database with the files that belong to it.
pub(crate) fn remove(file: &Path) -> std::io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    Ok(())
}
