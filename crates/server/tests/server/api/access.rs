//! Who may do what: every endpoint without a sign-in, and as somebody whom it does not concern.

use daypass_server::api::openapi_json;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::house::{House, answer, ask, client, new_id, text};

/// Endpoints that answer without a sign-in, on purpose.
const OPEN: [&str; 1] = ["/v1/info"];

#[tokio::test]
async fn every_endpoint_wants_a_sign_in() {
    let house = House::start();
    let document: Value = serde_json::from_str(&openapi_json().unwrap()).unwrap();
    let mut tried = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let url = house.at(&path.replace("{id}", "018f0000-0000-7000-8000-000000000000"));
            let answer = answer(client().request(method.clone(), url).json(&json!({}))).await;
            let expected =
                if OPEN.contains(&path.as_str()) { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
            assert_eq!(answer.status, expected, "{method} {path}");
            tried += 1;
        }
    }
    assert!(tried >= 15, "only {tried} endpoints are described");
    let stream = answer(client().get(house.at("/v1/events"))).await;
    assert_eq!(stream.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_does_not_concern_a_person_does_not_exist_for_them() {
    let house = House::start();
    let (maya, sam, ravi) =
        (house.person("maya").await, house.person("sam").await, house.person("ravi").await);
    let request = maya.ask(600).await;
    let path = format!("/requests/{}", text(&request["id"]));
    assert_eq!(ravi.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(ravi.decide(&request, "approve").await.status, StatusCode::NOT_FOUND);
    let edit = json!({"revision": 1, "ask": ask(60)});
    assert_eq!(sam.put(&path, edit).await.status, StatusCode::NOT_FOUND, "an approver cannot edit");
    assert_eq!(sam.post(&format!("{path}/withdraw"), json!({})).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        maya.decide(&request, "approve").await.status,
        StatusCode::FORBIDDEN,
        "nobody decides on their own"
    );

    sam.decide(&request, "approve").await;
    let grant = maya.grant("live").await;
    let path = format!("/grants/{}", text(&grant["id"]));
    for person in [&sam, &ravi] {
        assert_eq!(person.credential(&grant).await.status, StatusCode::NOT_FOUND);
        assert_eq!(person.post(&format!("{path}/release"), json!({})).await.status, StatusCode::NOT_FOUND);
    }
    let note = json!({"note": "why not"});
    assert_eq!(ravi.post(&format!("{path}/revoke"), note.clone()).await.status, StatusCode::NOT_FOUND);
    assert_eq!(sam.post(&format!("{path}/revoke"), note.clone()).await.status, StatusCode::FORBIDDEN);
    assert_eq!(maya.post(&format!("{path}/revoke"), note.clone()).await.status, StatusCode::FORBIDDEN);
    let other_device = json!({"device": sam.device});
    assert_eq!(maya.post(&format!("{path}/credential"), other_device).await.status, StatusCode::FORBIDDEN);
    let history = ravi.get("/entries").await.body;
    assert!(!history.to_string().contains("shop-db"), "{history:#}");

    let lena = house.person("lena").await;
    assert_eq!(
        lena.post(&format!("{path}/revoke"), json!({"note": " "})).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(
        lena.post(&format!("{path}/revoke"), json!({"note": "laptop stolen"})).await.status,
        StatusCode::OK
    );
    house.wait_for_accounts(0);
    assert_eq!(maya.credential(&grant).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn two_approvers_at_once_lose_nothing_and_open_one_grant() {
    let house = House::start();
    let (maya, sam, priya) =
        (house.person("maya").await, house.person("sam").await, house.person("priya").await);
    let request = maya.ask(600).await;
    let (one, two) = tokio::join!(sam.decide(&request, "approve"), priya.decide(&request, "approve"));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{one:?} {two:?}");
    maya.grant("live").await;
    assert_eq!(maya.get("/grants").await.body.as_array().unwrap().len(), 1);
    assert_eq!(house.accounts().len(), 1);
}

#[tokio::test]
async fn the_same_approval_sent_twice_prolongs_nothing() {
    let house = House::start();
    let (maya, sam) = (house.person("maya").await, house.person("sam").await);
    let request = maya.ask(600).await;
    assert_eq!(sam.decide(&request, "approve").await.status, StatusCode::OK);
    let live = maya.grant("live").await;
    let again = sam.decide(&request, "approve").await;
    assert_eq!((again.status, &again.body["code"]), (StatusCode::CONFLICT, &json!("over")));
    assert_eq!(maya.grant("live").await["expires_at"], live["expires_at"]);
}

#[tokio::test]
async fn sent_again_it_is_the_same_request_and_with_other_content_it_is_refused() {
    let house = House::start();
    let maya = house.person("maya").await;
    let body = json!({"id": new_id(), "ask": ask(600)});
    let (one, two) = tokio::join!(maya.post("/requests", body.clone()), maya.post("/requests", body.clone()));
    assert_eq!((one.status, two.status), (StatusCode::CREATED, StatusCode::CREATED), "{one:?} {two:?}");
    assert_eq!(one.body["id"], two.body["id"]);
    assert_eq!(maya.get("/requests").await.body.as_array().unwrap().len(), 1);
    let other = json!({"id": body["id"], "ask": ask(601)});
    assert_eq!(maya.post("/requests", other.clone()).await.status, StatusCode::CONFLICT);
    let jonas = house.person("jonas").await;
    assert_eq!(jonas.post("/requests", body).await.status, StatusCode::CONFLICT, "somebody else's id");
}
