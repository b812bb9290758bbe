use chrono::TimeDelta;
use daypass_domain::{
    DeviceId, EndReason, Grant, GrantCommand, GrantError, GrantEvent, GrantId, GrantPhase,
    MAX_ACTIVATION_WAIT,
};
use uuid::Uuid;

use crate::{at, entitlement, request_id, user};

pub fn opened(id: u128, start: Option<i64>) -> Grant {
    let command = GrantCommand::Open {
        id: GrantId(Uuid::from_u128(id)),
        request: request_id(),
        holder: user("maya"),
        entitlement: entitlement("shop-db"),
        duration_s: 1800,
        not_before: start.map(at),
    };
    let events = Grant::decide(None, command, at(0)).unwrap();
    Grant::apply(None, &events[0], at(0)).unwrap()
}

pub fn run(grant: Grant, command: GrantCommand, seconds: i64) -> Result<Grant, GrantError> {
    let mut grant = grant;
    for event in Grant::decide(Some(&grant), command, at(seconds))? {
        grant = Grant::apply(Some(grant), &event, at(seconds))?;
    }
    Ok(grant)
}

fn device(n: u128) -> DeviceId {
    DeviceId(Uuid::from_u128(n))
}

#[test]
fn the_clock_starts_at_activation_and_only_once() {
    let live = run(opened(1, None), GrantCommand::Activate, 100).unwrap();
    assert_eq!(live.phase, GrantPhase::Live { starts_at: at(100), expires_at: at(1900) });
    let again = run(live.clone(), GrantCommand::Activate, 500).unwrap();
    assert_eq!(again, live, "a second activation prolongs nothing");
}

#[test]
fn it_waits_for_its_start() {
    let grant = opened(1, Some(600));
    assert_eq!(run(grant.clone(), GrantCommand::Activate, 599), Err(GrantError::NotYet));
    assert!(run(grant, GrantCommand::Activate, 600).unwrap().is_live(at(600)));
}

#[test]
fn it_is_over_at_its_end_and_not_before() {
    let live = run(opened(1, None), GrantCommand::Activate, 0).unwrap();
    assert!(live.is_live(at(1799)) && !live.is_live(at(1800)));
    assert_eq!(run(live.clone(), GrantCommand::Expire, 1799), Err(GrantError::NotYet));
    let issue = GrantCommand::IssueCredential { by: user("maya"), device: device(1) };
    assert_eq!(run(live.clone(), issue, 1800), Err(GrantError::Over), "no credential after the end");
    let ending = run(live, GrantCommand::Expire, 1800).unwrap();
    let ended = run(ending, GrantCommand::Finish, 1801).unwrap();
    assert_eq!(ended.phase, GrantPhase::Ended { at: at(1801), end: EndReason::Expired });
}

#[test]
fn a_target_that_never_answers_ends_it_without_a_clock() {
    let grant = run(opened(1, None), GrantCommand::ReportProblem { message: "no route".into() }, 5).unwrap();
    assert_eq!(grant.phase, GrantPhase::Opening { problem: Some("no route".into()) });
    let same = Grant::decide(Some(&grant), GrantCommand::ReportProblem { message: "no route".into() }, at(6))
        .unwrap();
    assert!(same.is_empty(), "the same problem is recorded once");
    let late = MAX_ACTIVATION_WAIT.num_seconds();
    assert_eq!(run(grant.clone(), GrantCommand::Expire, late - 1), Err(GrantError::NotYet));
    assert_eq!(run(grant.clone(), GrantCommand::Activate, late), Err(GrantError::Over));
    let ended = run(grant, GrantCommand::Expire, late).unwrap();
    assert!(matches!(ended.phase, GrantPhase::Ending { end: EndReason::NeverActivated, .. }));
}

#[test]
fn only_its_holder_gets_its_credential_and_gives_it_back() {
    let live = run(opened(1, None), GrantCommand::Activate, 0).unwrap();
    let foreign = GrantCommand::IssueCredential { by: user("sam"), device: device(1) };
    assert_eq!(run(live.clone(), foreign, 1), Err(GrantError::NotHolder));
    assert_eq!(run(live.clone(), GrantCommand::Release { by: user("sam") }, 1), Err(GrantError::NotHolder));
    let wiped = GrantCommand::ReportWiped { by: user("sam"), device: device(1) };
    assert_eq!(run(live, wiped, 1), Err(GrantError::NotHolder));
}

#[test]
fn a_new_credential_is_counted_and_belongs_to_the_device_that_asked_last() {
    let live = run(opened(1, None), GrantCommand::Activate, 0).unwrap();
    let issue = |n| GrantCommand::IssueCredential { by: user("maya"), device: device(n) };
    let first = run(live, issue(1), 1).unwrap();
    let second = run(first, issue(2), 2).unwrap();
    assert_eq!(second.credential, Some((device(2), 2)));
}

#[test]
fn a_wipe_is_recorded_once_for_each_device_and_credential() {
    let live = run(opened(1, None), GrantCommand::Activate, 0).unwrap();
    let wipe = || GrantCommand::ReportWiped { by: user("maya"), device: device(1) };
    let wiped = run(live, wipe(), 1).unwrap();
    assert!(Grant::decide(Some(&wiped), wipe(), at(2)).unwrap().is_empty());
    let issue = GrantCommand::IssueCredential { by: user("maya"), device: device(1) };
    let reissued = run(wiped, issue, 3).unwrap();
    assert!(reissued.wiped.is_empty(), "a device that fetched again has something to wipe again");
}

#[test]
fn security_says_why_it_ends_access() {
    let live = run(opened(1, None), GrantCommand::Activate, 0).unwrap();
    let silent = GrantCommand::Revoke { by: user("lena"), note: " ".into() };
    assert_eq!(run(live.clone(), silent, 1), Err(GrantError::NoteMissing));
    let revoke = GrantCommand::Revoke { by: user("lena"), note: "laptop stolen".into() };
    assert!(matches!(run(live, revoke, 1).unwrap().phase, GrantPhase::Ending { .. }));
}

#[test]
fn events_survive_the_ledger() {
    let events = [
        GrantEvent::Activated { starts_at: at(0), expires_at: at(0) + TimeDelta::seconds(5) },
        GrantEvent::Ending { end: EndReason::Revoked { by: user("lena"), note: "n".into() } },
        GrantEvent::CredentialIssued { device: device(3), serial: 2 },
        GrantEvent::Ended,
    ];
    for event in events {
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<GrantEvent>(&text).unwrap(), event, "{text}");
    }
}
