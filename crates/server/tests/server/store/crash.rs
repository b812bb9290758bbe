//! Appends that are cut short.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use daypass_domain::{GrantId, RequestId};
use daypass_server::store::{NewEvent, SqlStore, Store, Stream};
use uuid::Uuid;

use super::history::{grant_events, noon, open_grant, request_events, seen_by, signed_in, submit, user};
use super::{Database, on_both};

on_both!(
    an_append_whose_caller_goes_away_leaves_nothing_open,
    what_was_acknowledged_survives_kill_9_and_nothing_is_half_there,
);

const URL: &str = "DAYPASS_TEST_STORE_TO_APPEND_TO";
/// Submitted, approved, and a grant opened.
const BATCH: i64 = 3;

async fn an_append_whose_caller_goes_away_leaves_nothing_open(database: Database) {
    let store = database.open().await;
    let mut cut = 0;
    for n in 0..150 {
        let append = store.append(vec![signed_in("maya"), signed_in("tom")], noon());
        // From before the transaction begins to after it has ended.
        if tokio::time::timeout(Duration::from_micros(n * 25), append).await.is_err() {
            cut += 1;
        }
    }
    assert!(cut > 0, "none was cut short, so this showed nothing");
    let next = tokio::time::timeout(Duration::from_secs(5), store.append(vec![signed_in("lea")], noon()));
    let position = next.await.expect("a transaction was left open").unwrap()[0].position;
    assert_eq!(position % 2, 1, "half a batch was recorded");
    for name in ["maya", "tom"] {
        let rows = store.stream(&Stream::Person(user(name))).await.unwrap();
        assert_eq!(i64::try_from(rows.len()).unwrap(), (position - 1) / 2, "{name}");
    }
    assert_eq!(i64::try_from(store.verify().await.unwrap().events).unwrap(), position);
}

async fn what_was_acknowledged_survives_kill_9_and_nothing_is_half_there(database: Database) {
    database.open().await.close().await;
    let mut acknowledged = 0;
    for round in 1..=3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::crash::append_until_killed", "--ignored", "--nocapture"])
            .env(URL, database.url())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        // What was printed before the child was gone was acknowledged, also if it is read only later.
        let mut positions = lines.filter_map(|line| line.strip_prefix("recorded ")?.parse::<i64>().ok());
        for position in positions.by_ref().take(40) {
            acknowledged = position;
        }
        child.kill().unwrap();
        acknowledged = positions.last().unwrap_or(acknowledged);
        child.wait().unwrap();
        assert!(acknowledged >= 40 * BATCH * round, "{acknowledged} in round {round}");

        let store = database.open().await;
        let head = store.head().await.unwrap();
        assert!(head >= acknowledged, "{head} < {acknowledged}");
        assert_eq!(head % BATCH, 0, "half a batch was recorded");
        assert_eq!(i64::try_from(store.verify().await.unwrap().events).unwrap(), head);
        let before = database.dump().await;
        store.rebuild().await.unwrap();
        assert_eq!(database.dump().await, before);
        store.close().await;
    }
}

#[test]
#[ignore = "another test runs this one in a process of its own, and kills it"]
fn append_until_killed() {
    let url = std::env::var(URL).expect("only another test runs this");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqlStore::open(&url).await.unwrap();
        loop {
            let recorded = store.append(batch(), noon()).await.unwrap();
            println!("recorded {}", recorded.last().unwrap().position);
        }
    });
}

fn batch() -> Vec<NewEvent> {
    let (request, grant) = (RequestId(Uuid::new_v4()), GrantId(Uuid::new_v4()));
    let bodies = submit(request, "maya", 0, noon());
    let state = bodies
        .iter()
        .fold(None, |state, body| Some(daypass_domain::Request::apply(state, body, noon()).unwrap()));
    let opened = open_grant(grant, &state.unwrap(), noon());
    let audience = seen_by(&["maya", "lea"]);
    let mut events = request_events(request, 0, bodies, &audience);
    events.extend(grant_events(grant, 0, opened, &audience));
    events
}
