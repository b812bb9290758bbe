//! The real keychain (GNOME Keyring), looked at from outside with `secret-tool`.
//!
//! The Secret Service is found by the environment, so each look at it is a process of its own: this test program,
//! started again with the one test that does what [`ORDER`] says.

use std::process::Command;

use daypass_client::{Keychain as _, KeychainError, SERVICE, SystemKeychain, grant_user};
use daypass_domain::GrantId;
use daypass_testkit::{Bus, Keychain, KeychainState};
use secrecy::{ExposeSecret as _, SecretString};

const ORDER: &str = "DAYPASS_KEYCHAIN_ORDER";

fn order(bus: &Bus, order: &str) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "keychain::carries_out_an_order", "--nocapture"])
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .envs(bus.env())
        .env(ORDER, order)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let answer = text.lines().find_map(|line| line.split_once("answer: ").map(|(_, a)| a.to_owned()));
    answer.unwrap_or_else(|| panic!("{text}\n{}", String::from_utf8_lossy(&output.stderr)))
}

/// Does nothing unless it is told what.
#[test]
fn carries_out_an_order() {
    let Ok(order) = std::env::var(ORDER) else { return };
    let mut keychain = SystemKeychain::new(SERVICE);
    let words: Vec<&str> = order.split(' ').collect();
    let answer = match words.as_slice() {
        ["set", user, secret] => {
            said(keychain.set(user, &SecretString::from(*secret)).map(|()| "done".into()))
        }
        ["get", user] => said(keychain.get(user).map(|s| s.expose_secret().to_owned())),
        ["delete", user] => said(keychain.delete(user).map(|()| "done".into())),
        ["open"] => said(keychain.is_open().map(|()| "open".into())),
        ["list"] => said(keychain.list().map(|mut users| {
            users.sort();
            users.join(",")
        })),
        other => panic!("{other:?}"),
    };
    println!("answer: {answer}");
}

fn said(result: Result<String, KeychainError>) -> String {
    match result {
        Ok(text) => text,
        Err(KeychainError::Locked) => "locked".into(),
        Err(KeychainError::Missing) => "missing".into(),
        Err(KeychainError::NotFound) => "not found".into(),
        Err(KeychainError::Other(why)) => format!("other: {why}"),
    }
}

#[test]
fn what_is_kept_is_seen_from_outside_and_what_is_deleted_is_not() {
    let bus = Bus::start().unwrap();
    let keychain = Keychain::start(&bus).unwrap();
    let user = grant_user(GrantId(uuid::Uuid::new_v4()));
    assert_eq!(order(&bus, &format!("get {user}")), "not found");
    assert_eq!(order(&bus, &format!("set {user} first")), "done");
    assert_eq!(order(&bus, &format!("set {user} second")), "done");
    assert_eq!(order(&bus, "set history-key third"), "done");
    assert_eq!(order(&bus, "open"), "open");
    assert_eq!(order(&bus, &format!("get {user}")), "second");
    let outside = keychain.lookup(&[("service", "daypass"), ("username", &user)]).unwrap();
    assert_eq!(outside.as_deref(), Some("second"));
    keychain.store("someone else's", &[("service", "other"), ("username", "x")], "theirs").unwrap();
    assert_eq!(order(&bus, "list"), format!("{user},history-key"));
    assert_eq!(order(&bus, &format!("delete {user}")), "done");
    assert_eq!(order(&bus, &format!("delete {user}")), "not found");
    assert_eq!(keychain.search(&[("service", "daypass")]).unwrap().len(), 1);
    assert_eq!(keychain.search(&[("service", "other")]).unwrap().len(), 1);
}

#[test]
fn locked_and_missing_are_told_apart_and_pass() {
    let bus = Bus::start().unwrap();
    let keychain = Keychain::start(&bus).unwrap();
    assert_eq!(order(&bus, "set grant:1 secret"), "done");
    keychain.lock().unwrap();
    for what in ["get grant:1", "set grant:1 other", "delete grant:1", "list", "open"] {
        assert_eq!(order(&bus, what), "locked", "{what}");
    }
    keychain.restart(KeychainState::Missing).unwrap();
    for what in ["get grant:1", "set grant:1 other", "delete grant:1", "list", "open"] {
        assert_eq!(order(&bus, what), "missing", "{what}");
    }
    keychain.restart(KeychainState::Unlocked).unwrap();
    assert_eq!(order(&bus, "get grant:1"), "secret");
    assert_eq!(order(&bus, "delete grant:1"), "done");
}

#[test]
fn a_keychain_that_nobody_ever_opened_counts_as_locked() {
    let bus = Bus::start().unwrap();
    let _keychain = Keychain::start_as(&bus, KeychainState::NeverUnlocked).unwrap();
    assert_eq!(order(&bus, "set grant:1 secret"), "locked");
    assert_eq!(order(&bus, "open"), "locked");
}
