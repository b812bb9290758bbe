//! One's own history, without the server and in the face of damage.

use daypass_protocol::api::EntryKind;
use daypass_protocol::bridge::{Connection, FailureCode, HistoryFilter, HistoryKinds, Intent, Reply};

use crate::stage::{Device, World, eventually};

fn with_entries(world: &World, n: usize) {
    for i in 0..n {
        world.server.tell(|e| {
            e.text = format!("Entry number {i}");
            e.kind = if i % 2 == 0 { EntryKind::RequestSubmitted } else { EntryKind::GrantEnded };
            e.note = (i == 3).then(|| "the broken invoice".into());
        });
    }
}

fn wait_total(device: &Device, total: u32) {
    eventually("the history", || match device.history(HistoryFilter::default()) {
        Ok(page) if page.total == total => Ok(()),
        other => Err(format!("{:?}", other.map(|p| p.total))),
    });
}

#[test]
fn it_is_read_in_full_and_then_as_it_happens() {
    let world = World::new();
    with_entries(&world, 8);
    let device = world.signed_in();
    wait_total(&device, 8);
    world.server.tell(|e| e.text = "The newest".into());
    wait_total(&device, 9);
    let page = device.history(HistoryFilter::default()).unwrap();
    assert_eq!(page.entries[0].text, "The newest");
    assert!(page.synced_at.is_some());
    assert!(page.entries.windows(2).all(|w| w[0].position > w[1].position));
}

#[test]
fn nothing_is_missed_when_the_server_goes_and_comes_back() {
    let world = World::new();
    let device = world.signed_in();
    with_entries(&world, 2);
    wait_total(&device, 2);
    world.server.down();
    device.wait("to be offline", |s| matches!(s.connection, Connection::Offline { .. }));
    with_entries(&world, 3);
    world.server.up();
    device.wait("to be online", |s| s.connection == Connection::Online);
    wait_total(&device, 5);
}

#[test]
fn it_is_readable_searchable_and_exported_without_the_server() {
    let world = World::new();
    with_entries(&world, 7);
    let device = world.signed_in();
    wait_total(&device, 7);
    let grant = world.server.activate(3600);
    device.wait_here(grant);
    wait_total(&device, 8);
    device.quit();
    world.server.down();
    let device = world.start();
    wait_total(&device, 8);
    let snapshot = device.wait("to be offline", |s| matches!(s.connection, Connection::Offline { .. }));
    assert_eq!(snapshot.grants.len(), 1, "what is live is seen without the server");
    let filter = |text: &str, kinds| HistoryFilter { text: text.into(), kinds, before: None };
    let found = device.history(filter("BROKEN number", HistoryKinds::All)).unwrap();
    assert_eq!(found.entries.len(), 1);
    assert_eq!(device.history(filter("broken nowhere", HistoryKinds::All)).unwrap().entries.len(), 0);
    assert_eq!(device.history(filter("Entry", HistoryKinds::Requests)).unwrap().entries.len(), 4);
    let older = HistoryFilter { before: Some(found.entries[0].position), ..HistoryFilter::default() };
    assert_eq!(device.history(older).unwrap().entries.len(), 3);

    let export = Intent::ExportHistory { filter: filter("Entry", HistoryKinds::All) };
    let Reply::Exported { path, entries } = device.intent(export.clone()).unwrap() else { panic!() };
    assert_eq!(entries, 7);
    let text = std::fs::read_to_string(&path).unwrap();
    let first: daypass_protocol::api::Entry = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!((text.lines().count(), first.text.as_str()), (7, "Entry number 0"));
    let Reply::Exported { path: second, .. } = device.intent(export).unwrap() else { panic!() };
    assert_ne!(path, second, "an export never replaces another");
}

#[test]
fn it_lies_sealed_on_the_disk() {
    let world = World::new();
    with_entries(&world, 5);
    let device = world.signed_in();
    wait_total(&device, 5);
    device.quit();
    let bytes = std::fs::read(world.folder.path().join("data/history.db")).unwrap();
    assert!(bytes.len() > 4096);
    for words in [&b"broken invoice"[..], b"Sam Okafor", b"shop-db"] {
        assert!(!bytes.windows(words.len()).any(|w| w == words), "{}", String::from_utf8_lossy(words));
    }
}

#[test]
fn a_damaged_file_a_damaged_row_and_a_lost_key_end_in_a_new_copy_and_a_word() {
    let damage: [(&str, fn(&World)); 3] = [
        ("file", |world| {
            let file = world.folder.path().join("data/history.db");
            std::fs::write(file, "this is not a database, however long one looks at it".repeat(200)).unwrap();
        }),
        ("row", |world| {
            let file = world.folder.path().join("data/history.db");
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                use sqlx::Connection as _;
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
                let mut db = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
                sqlx::query("update entries set sealed = zeroblob(100) where position = 5")
                    .execute(&mut db)
                    .await
                    .unwrap();
                db.close().await.unwrap();
            });
        }),
        ("key", |world| world.safe.put("history-key", "00")),
    ];
    for (what, damage) in damage {
        let world = World::new();
        with_entries(&world, 4);
        let device = world.signed_in();
        wait_total(&device, 4);
        device.quit();
        damage(&world);
        let device = world.again();
        wait_total(&device, 4);
        let notices = device.snapshot().notices;
        assert!(notices.iter().any(|n| n.text.contains("set aside")), "{what}: {notices:?}");
        let aside = std::fs::read_dir(world.folder.path().join("data")).unwrap();
        let aside =
            aside.filter(|f| f.as_ref().unwrap().file_name().to_string_lossy().contains("history.db.broken"));
        assert!(aside.count() >= 1, "{what}");
    }
}

#[test]
fn a_damaged_state_file_is_set_aside_and_no_credential_is_left_over() {
    let world = World::new();
    let device = world.signed_in();
    let grant = world.server.activate(3600);
    device.wait_here(grant);
    device.quit();
    let file = world.folder.path().join("data/state.db");
    std::fs::write(file, "not a database at all ".repeat(500)).unwrap();
    let device = world.start();
    device.wait("to say so", |s| s.notices.iter().any(|n| n.text.contains("set aside")));
    world.wait_safe("the sweep", |s| s.grants().is_empty());
    assert_eq!(device.history(HistoryFilter::default()).unwrap_err().code, FailureCode::SignedOut);
}
