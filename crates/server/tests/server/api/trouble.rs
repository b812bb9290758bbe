//! Crashes, restarts and targets that are away: nothing is lost, and nothing is left behind.

use std::fs;

use anyhow::ensure;
use daypass_testkit::wait_until;
use reqwest::StatusCode;
use serde_json::json;

use crate::house::{House, SOON, text};

#[tokio::test]
async fn a_crash_between_asking_and_approving_loses_nothing() {
    let mut house = House::start();
    let (maya, sam) = (house.person("maya").await, house.person("sam").await);
    let request = maya.ask(600).await;
    house.server.kill9();
    house.server.start_again().unwrap();
    let queue = sam.get("/reviews").await.body;
    assert_eq!((&queue[0]["id"], &queue[0]["digest"]), (&request["id"], &request["digest"]));
    assert_eq!(sam.decide(&request, "approve").await.status, StatusCode::OK);
    maya.grant("live").await;
}

#[tokio::test]
async fn what_ends_while_the_server_is_away_is_closed_when_it_is_back() {
    let mut house = House::start();
    let (maya, sam) = (house.person("maya").await, house.person("sam").await);
    sam.decide(&maya.ask(4).await, "approve").await;
    maya.grant("live").await;
    house.server.kill9();
    assert_eq!(house.accounts().len(), 1);
    std::thread::sleep(std::time::Duration::from_secs(4));
    house.server.start_again().unwrap();
    house.wait_for_accounts(0);
    maya.grant("ended").await;
}

#[tokio::test]
async fn an_account_that_no_grant_explains_is_removed() {
    let mut house = House::start();
    house.server.stop();
    let sql = "CREATE ROLE daypass_grants NOLOGIN";
    // The server has made the group role already when it swept for the first time.
    let _ = house.postgres.sql("postgres", sql);
    let stray = "CREATE ROLE dp_left_behind LOGIN; GRANT daypass_grants TO dp_left_behind; \
                 COMMENT ON ROLE dp_left_behind IS 'daypass grant 018f0000-0000-7000-8000-000000000000 of shop-db'";
    house.postgres.sql("postgres", stray).unwrap();
    house.server.start_again().unwrap();
    house.wait_for_accounts(0);
    assert_eq!(
        house.postgres.sql("postgres", "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'dp%'").unwrap(),
        "0"
    );
}

#[tokio::test]
async fn a_target_that_is_down_at_activation_is_told_and_waited_for() {
    let house = House::start();
    let (maya, sam) = (house.person("maya").await, house.person("sam").await);
    let request = maya.ask(600).await;
    house.postgres.stop();
    sam.decide(&request, "approve").await;
    let mut opening = maya.grant("opening").await;
    for _ in 0..200 {
        if opening["status"]["problem"].is_string() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        opening = maya.grant("opening").await;
    }
    assert!(opening["status"]["problem"].is_string(), "{opening:#}");
    assert!(opening["starts_at"].is_null(), "the clock has not started");
    assert_eq!(maya.credential(&opening).await.status, StatusCode::CONFLICT);
    house.postgres.start_again().unwrap();
    let live = maya.grant("live").await;
    assert_eq!(maya.credential(&live).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_target_that_is_down_at_the_end_is_cleaned_when_it_is_back() {
    let house = House::start();
    let (maya, sam) = (house.person("maya").await, house.person("sam").await);
    sam.decide(&maya.ask(3).await, "approve").await;
    maya.grant("live").await;
    house.postgres.stop();
    maya.grant("ending").await;
    house.postgres.start_again().unwrap();
    house.wait_for_accounts(0);
    maya.grant("ended").await;
}

#[tokio::test]
async fn a_grant_that_cannot_be_closed_holds_up_no_other() {
    let house = House::start();
    let (maya, sam) = (house.person("maya").await, house.person("sam").await);
    sam.decide(&maya.ask(3).await, "approve").await;
    maya.grant("live").await;
    let role = house.accounts().remove(0);
    // What the account owns where nobody can go keeps it from being dropped.
    house.postgres.sql("postgres", "CREATE DATABASE shut").unwrap();
    house
        .postgres
        .sql("shut", &format!("CREATE TABLE kept (); ALTER TABLE kept OWNER TO \"{role}\""))
        .unwrap();
    house.postgres.sql("postgres", "ALTER DATABASE shut ALLOW_CONNECTIONS false").unwrap();
    let stuck = maya.grant("ending").await;
    wait_until("the failure in the log", SOON, || {
        ensure!(house.server.log().contains("the target did not do it"), "nothing is told");
        Ok(())
    })
    .unwrap();
    sam.decide(&maya.ask(600).await, "approve").await;
    let second = maya.grant("live").await;
    assert_ne!(stuck["id"], second["id"]);
    assert!(house.accounts().contains(&role), "the first one is still there");
    house.postgres.sql("postgres", "ALTER DATABASE shut ALLOW_CONNECTIONS true").unwrap();
    house.wait_for_accounts(1);
    assert!(!house.accounts().contains(&role), "the one that ended is gone, the live one stays");
}

#[tokio::test]
async fn a_changed_policy_is_in_force_when_it_is_good_and_changes_nothing_when_it_is_not() {
    let house = House::start();
    let maya = house.person("maya").await;
    let file = house.policy_file("obligations.cedar");
    let good = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{good}\nthis is not cedar")).unwrap();
    wait_until("the refusal in the log", SOON, || {
        ensure!(house.server.log().contains("the changed policy is not good"), "nothing is told");
        Ok(())
    })
    .unwrap();
    assert_eq!(max_duration(&maya).await, 4 * 3600);
    fs::write(&file, good.replace("@max_duration(\"4h\")", "@max_duration(\"3h\")")).unwrap();
    wait_until("the new policy", SOON, || {
        ensure!(house.server.log().contains("a new policy is in force"), "nothing is told");
        Ok(())
    })
    .unwrap();
    assert_eq!(max_duration(&maya).await, 3 * 3600);
}

async fn max_duration(person: &crate::house::Person) -> u64 {
    let preview = person.post("/requests/preview", crate::house::ask(60)).await.body;
    preview["outcome"]["max_duration_s"].as_u64().unwrap()
}

#[tokio::test]
async fn stopping_takes_no_longer_than_its_grace_even_with_listeners() {
    let mut house = House::start();
    let maya = house.person("maya").await;
    let _listening = maya.request(reqwest::Method::GET, "/events").send().await.unwrap();
    let begun = daypass_clock::uptime();
    house.server.stop();
    let took = daypass_clock::uptime().saturating_sub(begun);
    assert!(took < std::time::Duration::from_secs(15), "it was killed rather than ended: {took:?}");
}

#[tokio::test]
async fn the_read_tables_can_be_made_again_from_the_ledger() {
    let mut house = House::start();
    let (maya, sam) = (house.person("maya").await, house.person("sam").await);
    let request = maya.ask(600).await;
    sam.decide(&request, "approve").await;
    maya.grant("live").await;
    let before = (maya.get("/requests").await.body, maya.get("/grants").await.body);
    house.server.stop();
    let rebuilt = std::process::Command::new(env!("CARGO_BIN_EXE_daypassd"))
        .args(["rebuild", "--data"])
        .arg(house.folder.path().join("data"))
        .output()
        .unwrap();
    assert!(rebuilt.status.success(), "{rebuilt:?}");
    assert!(String::from_utf8_lossy(&rebuilt.stdout).contains("match their hashes"), "{rebuilt:?}");
    house.server.start_again().unwrap();
    let after = (maya.get("/requests").await.body, maya.get("/grants").await.body);
    assert_eq!(before, after);
    let released = maya.post(&format!("/grants/{}/release", text(&before.1[0]["id"])), json!({})).await;
    assert_eq!(released.status, StatusCode::OK);
    house.wait_for_accounts(0);
}
