//! The store in SQL, the same statements for SQLite and PostgreSQL.
//!
//! Ids, digests and JSON are text and moments are whole microseconds, so that both databases keep and order them alike.
//! The few places where the two differ ask [`Backend`].

use std::fs::OpenOptions;
use std::time::Duration;

use anyhow::{Context as _, bail};
use async_trait::async_trait;
use daypass_domain::{Digest, Grant, GrantId, Request, RequestId, Timestamp, UserId};
use daypass_risk::Score;
use sqlx::any::{Any, AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AnyConnection, AnyPool, Transaction};
use uuid::Uuid;

use super::row::{Row, microseconds, moment};
use super::{
    Body, NewEvent, Recorded, RefreshRow, RefreshUse, Store, StoreError, Stream, Versioned, project, tokens,
};

static SQLITE: Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("./migrations/postgres");

/// How long an operation waits for a connection before the store counts as unavailable.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many rows are in memory at a time while the whole ledger is read.
const PAGE: i64 = 1000;
/// Whoever writes to a PostgreSQL holds this advisory lock, whichever replica it is.
const WRITERS: i64 = 0x0064_6179_7061_7373;

/// The store in a SQLite file of its own, or in a PostgreSQL that replicas share.
#[derive(Clone, Debug)]
pub struct SqlStore {
    pub(super) backend: Backend,
    /// One connection for SQLite, which has one writer at a time: the others wait here, in order, and not inside SQLite,
    /// which polls.
    write: AnyPool,
    read: AnyPool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backend {
    Sqlite,
    Postgres,
}

impl SqlStore {
    /// Opens `sqlite:///path/of/the.db`, which is made when it is missing, or `postgres://user:password@host/database`,
    /// and brings its tables up to date.
    ///
    /// # Errors
    /// When the address is of neither kind, the database cannot be reached, or it was written by a newer version. No
    /// error repeats the address, which may hold a password.
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        install_default_drivers();
        let store = if url.starts_with("sqlite:") {
            Self::open_sqlite(url).await?
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Self::open_postgres(url).await?
        } else {
            bail!("the store's address must begin with sqlite: or postgres:");
        };
        let migrator = match store.backend {
            Backend::Sqlite => &SQLITE,
            Backend::Postgres => &POSTGRES,
        };
        migrator.run(&store.write).await.map_err(explain)?;
        Ok(store)
    }

    async fn open_sqlite(url: &str) -> anyhow::Result<Self> {
        if url.contains('?') {
            bail!("the address of a SQLite store takes no options");
        }
        make_private_file(url)?;
        let options = |mode: &str| format!("{url}?mode={mode}").parse::<AnyConnectOptions>();
        let write = AnyPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    // In this order: until there is a write-ahead log, "full" means something weaker. With it, every
                    // commit is on the disk before it is answered.
                    run(connection, "PRAGMA journal_mode = WAL").await?;
                    run(connection, "PRAGMA synchronous = FULL").await
                })
            })
            .connect_with(options("rw")?)
            .await
            .context("cannot open the SQLite file of the store")?;
        let read = AnyPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(PATIENCE)
            .after_connect(|connection, _| Box::pin(run(connection, "PRAGMA query_only = ON")))
            .connect_lazy_with(options("rw")?);
        Ok(Self { backend: Backend::Sqlite, write, read })
    }

    async fn open_postgres(url: &str) -> anyhow::Result<Self> {
        let pool = AnyPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(PATIENCE)
            .connect(url)
            .await
            .context("cannot reach the PostgreSQL of the store")?;
        Ok(Self { backend: Backend::Postgres, write: pool.clone(), read: pool })
    }

    /// Closes all connections, once the operations under way have ended.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }

    /// Begins a transaction that no other writer runs beside, so that positions have no gaps and become visible in
    /// their order.
    async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        match self.backend {
            // A deferred transaction would fail when it first writes, if another process had written meanwhile.
            Backend::Sqlite => Ok(self.write.begin_with("BEGIN IMMEDIATE").await?),
            // Each statement must see what was committed while this one waited for the lock.
            Backend::Postgres => {
                let mut tx = self.write.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
                sqlx::query("SELECT 1 FROM pg_advisory_xact_lock($1)")
                    .bind(WRITERS)
                    .execute(&mut *tx)
                    .await?;
                Ok(tx)
            }
        }
    }

    /// Rows after `after` as they are kept, unread.
    pub(super) async fn rows(&self, after: i64, limit: i64) -> Result<Vec<Row>, StoreError> {
        let sql = "SELECT position, at, stream, version, leaf, text FROM events
                   WHERE position > $1 ORDER BY position LIMIT $2";
        Ok(sqlx::query_as(sql).bind(after).bind(limit).fetch_all(&self.read).await?)
    }

    /// The next page of all rows after `after`.
    pub(super) async fn page(&self, after: i64) -> Result<Vec<Row>, StoreError> {
        self.rows(after, PAGE).await
    }
}

#[async_trait]
impl Store for SqlStore {
    async fn append(&self, events: Vec<NewEvent>, at: Timestamp) -> Result<Vec<Recorded>, StoreError> {
        let mut recorded = Vec::with_capacity(events.len());
        if events.is_empty() {
            return Ok(recorded);
        }
        let mut tx = self.begin().await?;
        let last = sqlx::query_as("SELECT position, at FROM events ORDER BY position DESC LIMIT 1");
        let (mut position, last_at): (i64, i64) =
            last.fetch_optional(&mut *tx).await?.unwrap_or((0, i64::MIN));
        let at = moment(microseconds(at).max(last_at), position)?;
        for event in events {
            position += 1;
            let version = next_version(&mut tx, &event).await?;
            let (row, event) = Row::new(position, at, version, event)?;
            insert(&mut tx, &row).await?;
            project::project(&mut tx, self.backend, &event).await?;
            recorded.push(event);
        }
        tx.commit().await?;
        Ok(recorded)
    }

    async fn head(&self) -> Result<i64, StoreError> {
        let last = sqlx::query_scalar("SELECT COALESCE(MAX(position), 0) FROM events");
        Ok(last.fetch_one(&self.read).await?)
    }

    async fn read(&self, after: i64, limit: u32) -> Result<Vec<Recorded>, StoreError> {
        read_rows(self.rows(after, limit.into()).await?)
    }

    async fn read_for(&self, user: &UserId, after: i64, limit: u32) -> Result<Vec<Recorded>, StoreError> {
        let sql = "SELECT e.position, e.at, e.stream, e.version, e.leaf, e.text
                   FROM audience a JOIN events e ON e.position = a.position
                   WHERE a.user_id = $1 AND a.position > $2 ORDER BY a.position LIMIT $3";
        let rows = sqlx::query_as(sql).bind(user.as_str()).bind(after).bind(i64::from(limit));
        read_rows(rows.fetch_all(&self.read).await?)
    }

    async fn stream(&self, stream: &Stream) -> Result<Vec<Recorded>, StoreError> {
        let sql = "SELECT position, at, stream, version, leaf, text FROM events
                   WHERE stream = $1 ORDER BY version";
        read_rows(sqlx::query_as(sql).bind(stream.to_string()).fetch_all(&self.read).await?)
    }

    async fn request(&self, id: RequestId) -> Result<Option<Versioned<Request>>, StoreError> {
        let mut connection = self.read.acquire().await?;
        project::request(&mut connection, id).await
    }

    async fn open_requests(&self) -> Result<Vec<Versioned<Request>>, StoreError> {
        let sql = "SELECT position, version, state FROM requests
                   WHERE phase IN ('pending', 'asked') ORDER BY position";
        project::states(sqlx::query_as(sql).fetch_all(&self.read).await?)
    }

    async fn requests_of(&self, user: &UserId, limit: u32) -> Result<Vec<Versioned<Request>>, StoreError> {
        let sql = "SELECT position, version, state FROM requests
                   WHERE requester = $1 ORDER BY position DESC LIMIT $2";
        let rows = sqlx::query_as(sql).bind(user.as_str()).bind(i64::from(limit));
        project::states(rows.fetch_all(&self.read).await?)
    }

    async fn risk_of(&self, id: RequestId) -> Result<Option<Score>, StoreError> {
        let sql = "SELECT position, version, risk FROM requests WHERE id = $1 AND risk IS NOT NULL";
        let row = sqlx::query_as(sql).bind(id.to_string()).fetch_optional(&self.read).await?;
        Ok(project::one(row)?.map(|risk| risk.state))
    }

    async fn grant(&self, id: GrantId) -> Result<Option<Versioned<Grant>>, StoreError> {
        let mut connection = self.read.acquire().await?;
        project::grant(&mut connection, id).await
    }

    async fn unfinished_grants(&self) -> Result<Vec<Versioned<Grant>>, StoreError> {
        let sql = "SELECT position, version, state FROM grants
                   WHERE phase IN ('opening', 'live', 'ending') ORDER BY position";
        project::states(sqlx::query_as(sql).fetch_all(&self.read).await?)
    }

    async fn grants_of(&self, user: &UserId, limit: u32) -> Result<Vec<Versioned<Grant>>, StoreError> {
        let sql = "SELECT position, version, state FROM grants
                   WHERE holder = $1 ORDER BY position DESC LIMIT $2";
        let rows = sqlx::query_as(sql).bind(user.as_str()).bind(i64::from(limit));
        project::states(rows.fetch_all(&self.read).await?)
    }

    async fn rebuild(&self) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        for table in ["DELETE FROM requests", "DELETE FROM grants", "DELETE FROM audience"] {
            run(&mut tx, table).await?;
        }
        let (mut position, mut events) = (0, 0);
        loop {
            // No one else writes meanwhile, so another connection reads the same ledger.
            let rows = self.page(position).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                position = row.check_after(position)?;
                project::project(&mut tx, self.backend, &row.recorded()?).await?;
                events += 1;
            }
        }
        tx.commit().await?;
        Ok(events)
    }

    async fn password_hash(&self, user: &UserId) -> Result<Option<String>, StoreError> {
        let sql = "SELECT phc FROM accounts WHERE user_id = $1";
        Ok(sqlx::query_scalar(sql).bind(user.as_str()).fetch_optional(&self.read).await?)
    }

    async fn set_password_hash(&self, user: &UserId, phc: &str) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let sql = "INSERT INTO accounts (user_id, phc) VALUES ($1, $2)
                   ON CONFLICT (user_id) DO UPDATE SET phc = excluded.phc";
        sqlx::query(sql).bind(user.as_str()).bind(phc).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    async fn insert_refresh(&self, row: &RefreshRow) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        tokens::insert(&mut tx, row).await?;
        Ok(tx.commit().await?)
    }

    async fn use_refresh(&self, hash: &Digest, now: Timestamp) -> Result<RefreshUse, StoreError> {
        let mut tx = self.begin().await?;
        tokens::forget_long_expired(&mut tx, now).await?;
        let found = tokens::spend(&mut tx, hash, now).await?;
        tx.commit().await?;
        Ok(found)
    }

    async fn end_family(&self, family: Uuid) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let sql = "UPDATE refresh_families SET ended = 1 WHERE family = $1";
        sqlx::query(sql).bind(family.to_string()).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    async fn family_is_live(&self, family: Uuid) -> Result<bool, StoreError> {
        let sql = "SELECT COUNT(*) FROM refresh_families WHERE family = $1 AND ended = 0";
        let live: i64 = sqlx::query_scalar(sql).bind(family.to_string()).fetch_one(&self.read).await?;
        Ok(live == 1)
    }
}

/// The version that `event` gets in its stream, unless its writer has not seen all that the stream has.
async fn next_version(tx: &mut AnyConnection, event: &NewEvent) -> Result<u64, StoreError> {
    let sql = "SELECT COALESCE(MAX(version), 0) FROM events WHERE stream = $1";
    let version: i64 = sqlx::query_scalar(sql).bind(event.stream.to_string()).fetch_one(tx).await?;
    let version = version.unsigned_abs();
    match event.after {
        Some(after) if after != version => Err(StoreError::Conflict),
        None if !matches!(event.body, Body::Person(_)) => Err(StoreError::Unavailable(anyhow::anyhow!(
            "an event of {} does not say what it follows",
            event.stream
        ))),
        _ => Ok(version + 1),
    }
}

async fn insert(tx: &mut AnyConnection, row: &Row) -> Result<(), StoreError> {
    let sql =
        "INSERT INTO events (position, at, stream, version, leaf, text) VALUES ($1, $2, $3, $4, $5, $6)";
    let insert = sqlx::query(sql).bind(row.position).bind(row.at).bind(&row.stream);
    insert.bind(row.version).bind(&row.leaf).bind(&row.text).execute(tx).await?;
    Ok(())
}

async fn run(connection: &mut AnyConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(sql).execute(connection).await.map(drop)
}

/// Makes the file, when it is missing, so that only its owner reads it; SQLite gives its log the same permissions.
fn make_private_file(url: &str) -> anyhow::Result<()> {
    let options: SqliteConnectOptions = url.parse()?;
    let mut file = OpenOptions::new();
    file.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    file.open(options.get_filename())
        .context("cannot make the SQLite file of the store; does its folder exist?")?;
    Ok(())
}

fn read_rows(rows: Vec<Row>) -> Result<Vec<Recorded>, StoreError> {
    rows.into_iter().map(|row| row.recorded()).collect()
}

fn explain(error: MigrateError) -> anyhow::Error {
    match error {
        MigrateError::VersionMissing(version) => anyhow::anyhow!(
            "the store was written by a newer version of daypassd (migration {version}): start that one, or restore a \
             backup from before the update"
        ),
        error => anyhow::Error::new(error).context("cannot bring the store's tables up to date"),
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error.into())
    }
}
