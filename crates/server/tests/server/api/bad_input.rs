//! Bad input ends in a clear problem, and changes nothing.

use daypass_server::api::openapi_json;
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::house::{Answer, House, answer, ask, client, new_id, text};

fn problem(answer: &Answer, status: u16, code: &str) -> String {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    assert_eq!(answer.body["code"], code, "{answer:?}");
    let detail = text(&answer.body["detail"]);
    for internal in ["sqlx", "SELECT", "panicked", ".rs", "anyhow"] {
        assert!(!detail.contains(internal), "{detail}");
    }
    assert!(answer.body["request_id"].is_string(), "the log can be searched for it: {answer:?}");
    detail
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_at_its_field() {
    let house = House::start();
    let maya = house.person("maya").await;
    let cases: [(&str, Value, &str); 5] = [
        ("reason", json!("  "), "reason"),
        ("reason", json!("x".repeat(2001)), "reason"),
        ("duration_s", json!(0), "duration_s"),
        ("duration_s", json!(999_999), "duration_s"),
        ("start", json!("2020-01-01T00:00:00Z"), "start"),
    ];
    for (part, value, field) in cases {
        let mut bad = ask(600);
        bad[part] = value;
        let answer = maya.post("/requests", json!({"id": new_id(), "ask": bad})).await;
        problem(&answer, 422, "invalid");
        assert_eq!(answer.body["field"], field);
    }
    let mut unknown = ask(600);
    unknown["entitlements"][0]["resource"] = json!("no-such-thing");
    problem(&maya.post("/requests", json!({"id": new_id(), "ask": unknown})).await, 403, "forbidden");
    let mut unopenable = ask(600);
    unopenable["entitlements"][0] = json!({"resource": "k8s-staging-shop", "level": "read"});
    let detail =
        problem(&maya.post("/requests", json!({"id": new_id(), "ask": unopenable})).await, 403, "forbidden");
    assert!(detail.contains("cannot open"), "{detail}");
    assert_eq!(maya.get("/requests").await.body, json!([]));
}

#[tokio::test]
async fn a_preview_tells_everything_that_is_wrong_at_once() {
    let house = House::start();
    let maya = house.person("maya").await;
    let mut bad = ask(999_999);
    bad["reason"] = json!("");
    let preview = maya.post("/requests/preview", bad).await.body;
    let fields: Vec<String> =
        preview["problems"].as_array().unwrap().iter().map(|p| text(&p["field"])).collect();
    assert_eq!(fields, ["duration_s", "reason"]);
}

#[tokio::test]
async fn bodies_that_cannot_be_read() {
    let house = House::start();
    let maya = house.person("maya").await;
    let post = |body: String| {
        let json = (header::CONTENT_TYPE, "application/json");
        answer(maya.request(Method::POST, "/requests").header(json.0, json.1).body(body))
    };
    problem(&post("{".into()).await, 400, "malformed");
    problem(&post("{}".into()).await, 422, "malformed");
    problem(
        &post(format!("{{\"id\": \"{}\", \"ask\": {{\"surprise\": 1}}}}", new_id())).await,
        422,
        "malformed",
    );
    problem(&post(format!("\"{}\"", "x".repeat(70_000))).await, 413, "too_large");
    let plain = answer(maya.request(Method::POST, "/requests").body("hello")).await;
    problem(&plain, 400, "malformed");
    problem(&maya.get("/requests/not-an-id").await, 400, "malformed");
    problem(&maya.get("/no-such-page").await, 404, "not_found");
    let wrong_method = answer(maya.request(Method::DELETE, "/requests")).await;
    problem(&wrong_method, 405, "not_found");
    assert_eq!(maya.get("/requests").await.status, StatusCode::OK, "the server goes on");
}

#[tokio::test]
async fn a_decision_names_what_was_read() {
    let house = House::start();
    let (maya, sam) = (house.person("maya").await, house.person("sam").await);
    let request = maya.ask(600).await;
    let path = format!("/requests/{}", text(&request["id"]));
    let edited = maya.put(&path, json!({"revision": 1, "ask": ask(900)})).await;
    assert_eq!(edited.body["revision"], 2, "{edited:?}");
    problem(&sam.decide(&request, "approve").await, 409, "conflict");
    problem(&maya.put(&path, json!({"revision": 1, "ask": ask(60)})).await, 409, "conflict");
    let silent = json!({"digest": edited.body["digest"], "verdict": "deny", "note": ""});
    problem(&sam.post(&format!("{path}/decisions"), silent).await, 422, "invalid");
    assert_eq!(sam.decide(&edited.body, "approve").await.status, StatusCode::OK);
    problem(&maya.put(&path, json!({"revision": 2, "ask": ask(60)})).await, 409, "over");
    problem(&maya.post(&format!("{path}/withdraw"), json!({})).await, 409, "over");
}

#[tokio::test]
async fn a_loop_in_somebodys_script_is_told_to_wait() {
    let house = House::start();
    let maya = house.person("maya").await;
    let mut refused = None;
    for _ in 0..40 {
        let calls = (0..20).map(|_| maya.request(Method::GET, "/me").send());
        for answer in futures_util::future::join_all(calls).await {
            let answer = answer.unwrap();
            if answer.status() == StatusCode::TOO_MANY_REQUESTS {
                refused = Some(answer);
            }
        }
        if refused.is_some() {
            break;
        }
    }
    let refused = refused.expect("the limit was never reached");
    assert!(refused.headers().contains_key(header::RETRY_AFTER));
}

#[tokio::test]
async fn the_service_describes_itself() {
    let house = House::start();
    for (path, expected) in [("/healthz", "ok"), ("/readyz", "ready"), ("/metrics", "daypass_events_total")] {
        house.person("maya").await;
        let said = answer(client().get(house.at(path))).await;
        assert_eq!(said.status, StatusCode::OK, "{path}");
        assert!(said.body.to_string().contains(expected), "{path}: {said:?}");
    }
    let committed = include_str!("../../../../../docs/openapi.json");
    assert_eq!(
        committed,
        openapi_json().unwrap(),
        "docs/openapi.json is old: daypassd openapi > docs/openapi.json"
    );
}
