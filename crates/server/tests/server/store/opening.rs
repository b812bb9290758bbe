//! What opens and what is refused, clearly.

use daypass_server::store::{SqlStore, Store};
use tempfile::TempDir;

use super::history::{noon, signed_in};
use super::{Database, on_both};

on_both!(what_was_written_is_there_after_opening_again, a_database_of_a_newer_version_is_refused);

async fn what_was_written_is_there_after_opening_again(database: Database) {
    let store = database.open().await;
    let recorded = store.append(vec![signed_in("maya")], noon()).await.unwrap();
    store.close().await;
    assert_eq!(database.open().await.read(0, 10).await.unwrap(), recorded);
}

async fn a_database_of_a_newer_version_is_refused(database: Database) {
    database.open().await.close().await;
    let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 SELECT 9999, 'later', success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1";
    database.sql(later).await.unwrap();
    let refused = format!("{:#}", SqlStore::open(database.url()).await.unwrap_err());
    assert!(refused.contains("newer version of daypassd (migration 9999)"), "{refused}");
}

#[tokio::test]
async fn an_address_that_is_no_store_is_refused_without_repeating_it() {
    for bad in [
        "",
        "/var/lib/daypass.db",
        "mysql://root:hunter2@db/daypass",
        "postgres",
        "sqlite:///tmp/x.db?mode=memory",
    ] {
        let refused = format!("{:#}", SqlStore::open(bad).await.unwrap_err());
        assert!(refused.contains("address"), "{bad}: {refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}

#[tokio::test]
async fn an_unreachable_store_says_what_cannot_be_reached() {
    let folder = TempDir::new().unwrap();
    let missing = format!("sqlite://{}/missing/store.db", folder.path().display());
    let refused = format!("{:#}", SqlStore::open(&missing).await.unwrap_err());
    assert!(refused.contains("does its folder exist?"), "{refused}");

    let port = daypass_testkit::free_port().unwrap();
    let nobody = format!("postgres://keeper:hunter2@127.0.0.1:{port}/daypass");
    let refused = format!("{:#}", SqlStore::open(&nobody).await.unwrap_err());
    assert!(refused.contains("cannot reach the PostgreSQL"), "{refused}");
    assert!(!refused.contains("hunter2"), "{refused}");
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_reads_the_sqlite_file() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = TempDir::new().unwrap();
    let store = SqlStore::open(&format!("sqlite://{}/store.db", folder.path().display())).await.unwrap();
    store.append(vec![signed_in("maya")], noon()).await.unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
}
