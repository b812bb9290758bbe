//! What an administrator of the database cannot do unnoticed.

use daypass_server::store::{SqlStore, Store, StoreError};

use super::history::{noon, seconds, signed_in};
use super::{Database, on_both};

on_both!(
    a_row_cannot_be_changed_deleted_or_replaced,
    a_changed_row_is_found,
    a_history_written_anew_has_another_root,
);

async fn people(database: &Database) -> SqlStore {
    let store = database.open().await;
    for (n, name) in ["maya", "tom", "lea", "maya", "ben"].into_iter().enumerate() {
        store.append(vec![signed_in(name)], noon() + seconds(i64::try_from(n).unwrap())).await.unwrap();
    }
    store
}

async fn a_row_cannot_be_changed_deleted_or_replaced(database: Database) {
    let store = people(&database).await;
    let before = store.read(0, 10).await.unwrap();
    let mut attempts = vec![
        "UPDATE events SET text = '{}' WHERE position = 3",
        "UPDATE events SET at = at",
        "DELETE FROM events WHERE position = 5",
        "DELETE FROM events",
        "INSERT INTO events SELECT position, at, stream, 77, leaf, text FROM events WHERE position = 2",
        "INSERT INTO events SELECT 77, at, stream, version, leaf, text FROM events WHERE position = 2",
    ];
    if database.is_sqlite() {
        attempts.extend([
            "INSERT OR REPLACE INTO events SELECT position, at, stream, 77, leaf, '{}' FROM events WHERE position = 2",
            "REPLACE INTO events SELECT 77, at, stream, version, leaf, '{}' FROM events WHERE position = 2",
        ]);
    } else {
        attempts.push("TRUNCATE events");
        attempts.push(
            "INSERT INTO events SELECT position, at, stream, 77, leaf, '{}' FROM events WHERE position = 2
             ON CONFLICT (position) DO UPDATE SET text = excluded.text",
        );
    }
    for sql in attempts {
        assert!(database.sql(sql).await.is_err(), "{sql}");
    }
    assert_eq!(store.read(0, 10).await.unwrap(), before);
    assert_eq!(store.verify().await.unwrap().events, 5);
}

/// Whoever owns the database can drop the triggers; each change is then found at its row.
async fn a_changed_row_is_found(database: Database) {
    let cases = [
        ("its text", "UPDATE events SET text = REPLACE(text, 'lea', 'eve') WHERE position = 3", 3),
        ("its text, by one space", "UPDATE events SET text = text || ' ' WHERE position = 3", 3),
        (
            "its hash",
            "UPDATE events SET leaf = (SELECT leaf FROM events WHERE position = 2) WHERE position = 3",
            3,
        ),
        ("its time", "UPDATE events SET at = at + 1 WHERE position = 4", 4),
        ("its stream", "UPDATE events SET stream = 'person:eve' WHERE position = 5", 5),
        ("its version", "UPDATE events SET version = 9 WHERE position = 4", 4),
        ("one is gone", "DELETE FROM events WHERE position = 2", 3),
        ("the first is gone", "DELETE FROM events WHERE position = 1", 2),
        ("its place", "UPDATE events SET position = 6 WHERE position = 5", 6),
        (
            "one was put in again",
            "INSERT INTO events SELECT 6, at, stream, 9, leaf, text FROM events WHERE position = 5",
            6,
        ),
    ];
    let store = people(&database).await;
    let honest = store.verify().await.unwrap();
    drop_triggers(&database).await;
    database.sql("CREATE TABLE kept AS SELECT * FROM events").await.unwrap();
    for (what, sql, place) in cases {
        database.sql(sql).await.unwrap();
        for found in [store.verify().await.map(drop), store.rebuild().await.map(drop)] {
            match found {
                Err(StoreError::Corrupt { position, .. }) => assert_eq!(position, place, "{what}"),
                other => panic!("{what}: {other:?}"),
            }
        }
        database.sql("DELETE FROM events; INSERT INTO events SELECT * FROM kept").await.unwrap();
        assert_eq!(store.verify().await.unwrap(), honest, "{what}");
    }
}

/// A row that is hashed anew is in order in itself; only the root shows that the history is another one.
async fn a_history_written_anew_has_another_root(database: Database) {
    let store = people(&database).await;
    let honest = store.verify().await.unwrap();
    drop_triggers(&database).await;
    database.sql("DELETE FROM events WHERE position = 5").await.unwrap();
    let shorter = store.verify().await.unwrap();
    assert_eq!(shorter.events, 4);
    assert_ne!(shorter.root, honest.root);
    store.append(vec![signed_in("eve")], noon() + seconds(4)).await.unwrap();
    let forged = store.verify().await.unwrap();
    assert_eq!(forged.events, honest.events);
    assert_ne!(forged.root, honest.root);
}

async fn drop_triggers(database: &Database) {
    let sql = if database.is_sqlite() {
        "DROP TRIGGER events_are_never_changed; DROP TRIGGER events_are_never_deleted;
         DROP TRIGGER events_are_never_replaced"
    } else {
        "DROP TRIGGER events_are_never_changed ON events"
    };
    database.sql(sql).await.unwrap();
}
