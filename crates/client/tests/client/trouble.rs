//! Servers that are down, slow, busy, or not servers at all.

use daypass_protocol::api::ProblemCode;
use daypass_protocol::bridge::{Connection, FailureCode, Intent, LocalCredential};

use crate::stage::{Refusal, World};

#[test]
fn a_server_that_is_down_keeps_what_was_known_and_comes_back_by_itself() {
    let world = World::new();
    let device = world.signed_in();
    let grant = world.server.activate(3600);
    device.wait_here(grant);
    world.server.down();
    let snapshot = device.wait("to be offline", |s| matches!(s.connection, Connection::Offline { .. }));
    let Connection::Offline { message, .. } = &snapshot.connection else { panic!() };
    assert!(message.contains(&world.server.address()), "{message}");
    assert_eq!(snapshot.grants[0].credential, LocalCredential::Here, "a live credential stays usable");
    assert_eq!(device.intent(Intent::Catalogue).unwrap_err().code, FailureCode::Offline);
    device.intent(Intent::CopyCommand { grant }).unwrap();
    world.server.up();
    device.wait("to be online", |s| s.connection == Connection::Online);
    assert_eq!(world.server.issued(grant), 1);
}

#[test]
fn an_address_without_a_server_and_one_that_is_no_address_are_told_apart() {
    let world = World::new();
    let device = world.start();
    let port = daypass_testkit::free_port().unwrap();
    let find = |address: String| device.intent(Intent::FindServer { address }).unwrap_err();
    assert_eq!(find(format!("127.0.0.1:{port}")).code, FailureCode::Offline);
    let failure = find("http://127.0.0.1".into());
    assert_eq!(failure.code, FailureCode::Local);
    assert!(failure.message.contains("https"), "{}", failure.message);
    assert!(find("not an address".into()).message.contains("not an address"));
    world.server.refuse("GET /v1/info", [Refusal::Garbage]);
    assert!(find(world.server.address()).message.contains("not a Daypass server"));
}

#[test]
fn an_answer_that_cannot_be_read_is_a_message_and_nothing_else() {
    let world = World::new();
    let device = world.signed_in();
    world.server.refuse("GET /v1/catalogue", [Refusal::Garbage]);
    let failure = device.intent(Intent::Catalogue).unwrap_err();
    assert_eq!(failure.code, FailureCode::Server(ProblemCode::Internal));
    assert!(failure.message.contains("cannot be read"), "{}", failure.message);
    device.intent(Intent::Catalogue).unwrap();
}

#[test]
fn a_server_that_is_busy_is_left_alone_for_a_moment() {
    let world = World::new();
    let device = world.signed_in();
    world.server.refuse("GET /v1/catalogue", [Refusal::Problem(ProblemCode::RateLimited)]);
    let failure = device.intent(Intent::Catalogue).unwrap_err();
    assert_eq!(failure.code, FailureCode::Server(ProblemCode::RateLimited));
    assert_eq!(device.snapshot().connection, Connection::Online);
}

#[test]
fn signed_out_nothing_is_asked_of_a_server() {
    let world = World::new();
    let device = world.start();
    let failure = device.intent(Intent::Catalogue).unwrap_err();
    assert_eq!(failure.code, FailureCode::SignedOut);
    let grant = daypass_domain::GrantId(uuid::Uuid::new_v4());
    assert_eq!(device.intent(Intent::CopyPassword { grant }).unwrap_err().code, FailureCode::NotHere);
    assert_eq!(device.intent(Intent::Release { grant }).unwrap_err().code, FailureCode::NotHere);
    device.intent(Intent::DropEverything).unwrap();
}
