//! An empty database of its own for each test.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use daypass_server::store::SqlStore;
use daypass_testkit::Postgres;
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Row as _};
use tempfile::TempDir;

/// Where the store's data is. Everything is gone when this is dropped.
pub struct Database {
    url: String,
    _place: Place,
}

#[expect(dead_code, reason = "kept so that what they hold is there until the end")]
enum Place {
    Folder(TempDir),
    Server(Arc<Postgres>),
}

impl Database {
    pub fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite://{}", folder.path().join("store.db").display());
        Self { url, _place: Place::Folder(folder) }
    }

    pub fn postgres() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = server();
        let name = format!("store_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let url = server.create_database(&name).unwrap();
        Self { url, _place: Place::Server(server) }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    pub async fn open(&self) -> SqlStore {
        SqlStore::open(&self.url).await.unwrap()
    }

    /// Runs SQL beside the store, as an administrator could.
    pub async fn sql(&self, sql: &str) -> Result<(), sqlx::Error> {
        let mut connection = self.connect().await;
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await;
        connection.close().await.unwrap();
        done.map(drop)
    }

    /// The read tables, as text.
    pub async fn dump(&self) -> Vec<String> {
        let mut connection = self.connect().await;
        let mut lines = Vec::new();
        for sql in [
            "SELECT id || ' ' || requester || ' ' || phase || ' ' || CAST(position AS TEXT) || ' '
                 || CAST(version AS TEXT) || ' ' || state || ' ' || COALESCE(risk, '-') FROM requests ORDER BY id",
            "SELECT id || ' ' || holder || ' ' || phase || ' ' || CAST(position AS TEXT) || ' '
                 || CAST(version AS TEXT) || ' ' || state FROM grants ORDER BY id",
            "SELECT user_id || ' ' || CAST(position AS TEXT) FROM audience ORDER BY user_id, position",
        ] {
            let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
            lines.extend(rows.iter().map(|row| row.get::<String, _>(0)));
        }
        connection.close().await.unwrap();
        lines
    }

    async fn connect(&self) -> AnyConnection {
        install_default_drivers();
        AnyConnection::connect(&self.url).await.unwrap()
    }
}

/// The server that the tests running now share; it ends with the last of them.
fn server() -> Arc<Postgres> {
    static SERVER: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
    let mut shared = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let server = Arc::new(Postgres::start().unwrap());
        *shared = Arc::downgrade(&server);
        server
    })
}
