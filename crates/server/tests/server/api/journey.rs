//! The main job, as two people's desktops do it.

use std::time::Duration;

use daypass_testkit::{psql, psql_command, wait_until};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::house::{House, SOON, ask, text};

fn url(house: &House, credential: &serde_json::Value) -> String {
    let part = |name: &str| text(&credential[name]);
    house.postgres.url_as(&part("username"), &part("password"), &part("database"))
}

#[tokio::test]
async fn asked_approved_used_given_back_and_told() {
    let house = House::start();
    let (maya, sam) = (house.person("maya").await, house.person("sam").await);
    let preview = maya.post("/requests/preview", ask(1800)).await.body;
    assert_eq!(preview["outcome"]["outcome"], "needs_approval", "{preview:#}");
    assert!(preview["risk"]["points"].as_u64().unwrap() > 0);
    assert_eq!(preview["problems"], json!([]));

    let request = maya.ask(1800).await;
    let queue = sam.get("/reviews").await.body;
    assert_eq!(queue[0]["id"], request["id"]);
    assert_eq!(queue[0]["may_decide"], true);
    let decided = sam.decide(&queue[0], "approve").await;
    assert_eq!(decided.body["status"]["status"], "approved", "{decided:?}");

    let grant = maya.grant("live").await;
    let credential = maya.credential(&grant).await;
    assert_eq!(credential.status, StatusCode::OK, "{credential:?}");
    let url = url(&house, &credential.body);
    let changed = psql(&url, "UPDATE orders SET status = 'paid' WHERE id <= 12 RETURNING id").unwrap();
    assert_eq!(changed.lines().count(), 12);

    let released = maya.post(&format!("/grants/{}/release", text(&grant["id"])), json!({})).await;
    assert_eq!(released.status, StatusCode::OK);
    house.wait_for_accounts(0);
    assert!(psql(&url, "SELECT 1").is_err(), "psql is refused afterwards");
    maya.grant("ended").await;
    let wiped = json!({"device": maya.device});
    let told = maya.post(&format!("/grants/{}/wiped", text(&grant["id"])), wiped).await;
    assert_eq!(told.status, StatusCode::NO_CONTENT);

    for person in [&maya, &sam] {
        let page = person.get("/entries").await.body;
        let kinds: Vec<String> =
            page["entries"].as_array().unwrap().iter().map(|e| text(&e["kind"])).collect();
        for kind in [
            "request_submitted",
            "request_decided",
            "request_approved",
            "grant_opened",
            "grant_activated",
            "credential_issued",
            "grant_ending",
            "grant_ended",
            "credential_wiped",
        ] {
            assert_eq!(kinds.iter().filter(|k| *k == kind).count(), 1, "{kind} in {kinds:?}");
        }
        assert!(!page.to_string().contains(&text(&credential.body["password"])), "no secret in the history");
    }
    let log = std::fs::read_to_string(house.folder.path().join("daypassd.log")).unwrap();
    assert!(!log.contains(&text(&credential.body["password"])), "no secret in the log");
}

#[tokio::test]
async fn at_its_end_a_connected_session_is_cut_and_the_account_is_gone() {
    let house = House::start();
    let (maya, sam) = (house.person("maya").await, house.person("sam").await);
    let request = maya.ask(3).await;
    sam.decide(&request, "approve").await;
    let grant = maya.grant("live").await;
    let credential = maya.credential(&grant).await.body;
    let mut session = psql_command(&url(&house, &credential)).unwrap();
    let mut session = session.args(["-c", "SELECT pg_sleep(300)"]).spawn().unwrap();
    let ended =
        wait_until("psql to be cut", SOON, || session.try_wait()?.ok_or_else(|| anyhow::anyhow!("it runs")));
    assert!(!ended.unwrap().success());
    house.wait_for_accounts(0);
    let ended = maya.grant("ended").await;
    assert_eq!(ended["status"]["why"]["why"], "expired");
}

#[tokio::test]
async fn a_second_credential_voids_the_first() {
    let house = House::start();
    let (maya, sam) = (house.person("maya").await, house.person("sam").await);
    sam.decide(&maya.ask(600).await, "approve").await;
    let grant = maya.grant("live").await;
    let first = url(&house, &maya.credential(&grant).await.body);
    let second = url(&house, &maya.credential(&grant).await.body);
    assert!(psql(&first, "SELECT 1").is_err());
    psql(&second, "SELECT 1").unwrap();
}

#[tokio::test]
async fn approving_with_less_gives_less() {
    let house = House::start();
    let (maya, sam) = (house.person("maya").await, house.person("sam").await);
    let request = maya.ask(1800).await;
    let body = json!({"digest": request["digest"], "verdict": "approve_with_less", "duration_s": 600});
    let decided = sam.post(&format!("/requests/{}/decisions", text(&request["id"])), body).await;
    assert_eq!(decided.status, StatusCode::OK, "{decided:?}");
    assert_eq!(maya.grant("live").await["duration_s"], 600);
}

#[tokio::test]
async fn a_stream_of_events_resumes_where_it_was_left() {
    let house = House::start();
    let (maya, sam) = (house.person("maya").await, house.person("sam").await);
    let request = maya.ask(600).await;
    let before =
        sam.get("/entries").await.body["entries"].as_array().unwrap().last().unwrap()["position"].clone();
    sam.decide(&request, "approve").await;
    maya.grant("live").await;
    // Everything after the position comes, although it happened before the stream was opened.
    let mut stream =
        sam.request(Method::GET, "/events").header("last-event-id", before.to_string()).send().await.unwrap();
    let mut seen = String::new();
    while !seen.contains("grant_activated") {
        let chunk = tokio::time::timeout(Duration::from_secs(10), stream.chunk()).await.expect("events come");
        seen.push_str(&String::from_utf8_lossy(&chunk.unwrap().expect("the stream goes on")));
    }
    assert!(seen.contains("event: entry") && seen.contains("request_approved"), "{seen}");
    assert!(!seen.contains("request_submitted"), "what was seen before does not come again");
}
