//! Asking and deciding.

use daypass_domain::{AccessLevel, Ask, Entitlement, RequestId, ResourceId, Verdict};
use daypass_protocol::api::{EntryKind, ProblemCode};
use daypass_protocol::bridge::{Connection, FailureCode, Intent, LocalCredential, Reply};

use crate::stage::{Refusal, World, eventually, person, request_view};

fn entitlement() -> Entitlement {
    Entitlement { resource: ResourceId::new("shop-db").unwrap(), level: AccessLevel::Write }
}

fn ask(reason: &str) -> Ask {
    Ask {
        entitlements: vec![entitlement()],
        duration_s: 600,
        start: None,
        reason: reason.into(),
        ticket: None,
    }
}

fn new_id() -> RequestId {
    RequestId(uuid::Uuid::new_v4())
}

#[test]
fn a_request_is_shown_at_once_and_remembered_as_recent() {
    let world = World::new();
    let device = world.signed_in();
    let id = new_id();
    let reply = device.intent(Intent::Submit { id, ask: ask("Fix order 17") }).unwrap();
    assert!(matches!(reply, Reply::Request(r) if r.id == id));
    let snapshot = device.snapshot();
    assert_eq!(snapshot.requests[0].id, id);
    assert_eq!(snapshot.recent, [entitlement()]);
    device.intent(Intent::SetFavourite { entitlement: entitlement(), on: true }).unwrap();
    device.quit();
    let device = world.again();
    let snapshot = device.wait("what was kept", |s| !s.favourites.is_empty());
    assert_eq!((snapshot.favourites, snapshot.recent), (vec![entitlement()], vec![entitlement()]));
    let tray = device.seen.0.lock().unwrap().tray.clone().unwrap();
    assert_eq!(tray.quick.len(), 1, "a favourite that is also recent is offered once");
}

#[test]
fn a_request_that_was_lost_is_sent_again_with_the_same_id_and_there_is_one() {
    let world = World::new();
    let device = world.signed_in();
    let (id, ask) = (new_id(), ask("Fix order 17"));
    world.server.refuse("POST /v1/requests", [Refusal::AnswerLost]);
    let failure = device.intent(Intent::Submit { id, ask: ask.clone() }).unwrap_err();
    assert_eq!(failure.code, FailureCode::Offline);
    assert!(failure.message.contains("try again"), "{}", failure.message);
    device.intent(Intent::Submit { id, ask: ask.clone() }).unwrap();
    assert_eq!(world.server.requests().len(), 1);

    world.server.down();
    device.wait("to be offline", |s| matches!(s.connection, Connection::Offline { .. }));
    let later = new_id();
    let failure = device.intent(Intent::Submit { id: later, ask: ask.clone() }).unwrap_err();
    assert_eq!(failure.code, FailureCode::Offline);
    world.server.up();
    eventually("to send it", || {
        device.intent(Intent::Submit { id: later, ask: ask.clone() }).map_err(|f| f.message)
    });
    assert_eq!(world.server.requests().len(), 2);
}

#[test]
fn what_the_server_does_not_accept_names_the_field() {
    let world = World::new();
    let device = world.signed_in();
    let failure = device.intent(Intent::Submit { id: new_id(), ask: ask(" ") }).unwrap_err();
    assert_eq!(failure.code, FailureCode::Server(ProblemCode::Invalid));
    assert_eq!(failure.problems[0].field, "reason");
    let edit = Intent::Edit { id: new_id(), revision: 1, ask: ask("x") };
    assert_eq!(device.intent(edit).unwrap_err().code, FailureCode::Server(ProblemCode::Conflict));
}

#[test]
fn the_credential_of_ones_own_request_comes_without_a_list_being_read() {
    let world = World::new();
    let device = world.signed_in();
    let id = new_id();
    device.intent(Intent::Submit { id, ask: ask("Fix order 17") }).unwrap();
    // The list is slow: the entry alone must do.
    world
        .server
        .refuse("GET /v1/grants", std::iter::repeat_n(Refusal::Slow(std::time::Duration::from_secs(3)), 3));
    let grant = world.server.activate_for(id, 600);
    let start = world.server.issued(grant);
    assert_eq!(start, 0);
    world.wait_safe("the credential", |s| s.grants() == [grant.to_string()]);
    device.wait_credential(grant, |c| *c == LocalCredential::Here);
}

#[test]
fn a_decision_names_what_was_read_and_a_stale_one_is_refused() {
    let world = World::new();
    let device = world.signed_in();
    let review = request_view("maya", world.clock.now());
    let (id, digest) = (review.id, review.digest);
    world.server.add_review(review);
    world.server.tell(|e| {
        e.kind = EntryKind::RequestSubmitted;
        e.subject = person("maya");
        e.request = Some(id);
    });
    device.wait("the review", |s| s.reviews.len() == 1);
    let other = "11".repeat(32).parse().unwrap();
    let decide = |digest| Intent::Decide { id, digest, verdict: Verdict::Approve, note: String::new() };
    assert_eq!(device.intent(decide(other)).unwrap_err().code, FailureCode::Server(ProblemCode::Conflict));
    device.intent(decide(digest)).unwrap();
    device.wait("the queue to be empty", |s| s.reviews.is_empty());
}
