//! Signing in, staying signed in, and signing out.

use std::time::Duration;

use daypass_protocol::bridge::{Connection, FailureCode, Intent, Keychain, LocalCredential, Trust};

use crate::stage::{Fault, Refusal, World, eventually, secret_words};

fn message(connection: &Connection) -> String {
    match connection {
        Connection::SignedOut { message } => message.clone().unwrap_or_default(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_refresh_token_is_in_the_keychain_and_nothing_secret_is_told_to_the_front_end() {
    let world = World::new();
    let device = world.signed_in();
    let kept = world.safe.secret(&format!("refresh:{}", world.server.address())).unwrap();
    assert!(world.server.refresh_is_valid(&kept));
    assert!(world.safe.secret("history-key").is_some());
    let grant = world.server.activate(600);
    device.wait_here(grant);
    device.intent(Intent::CopyPassword { grant }).unwrap();
    let told = device.seen.0.lock().unwrap().told.join("\n");
    assert!(told.contains("shop-db"));
    for word in secret_words() {
        assert!(!told.contains(word), "{word} was told to the front end");
    }
    let secrets = world.server.secrets();
    assert!(secrets.len() >= 3);
    device.quit();
    // Nor is any of it on the disk in the clear.
    for file in std::fs::read_dir(world.folder.path().join("data")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for secret in &secrets {
            let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!found, "{secret} is on the disk");
        }
    }
}

#[test]
fn a_return_with_another_state_is_ignored_and_the_right_one_still_counts() {
    let world = World::new();
    let device = world.start();
    let url = device.begin_sign_in(&world.server);
    let back = world.server.approve_sign_in(&url);
    let forged = format!("{}x", back);
    assert!(device.visit(&forged).contains("not a page"));
    assert!(device.visit(&back.replace("/callback", "/other")).contains("not a page"));
    assert!(device.visit(&format!("{back}&state=second")).contains("not a page"));
    assert!(device.visit(&back).contains("Daypass goes on"));
    device.wait("to be online", |s| s.connection == Connection::Online);
}

#[test]
fn a_refusal_in_the_browser_is_told() {
    let world = World::new();
    let device = world.start();
    let url = device.begin_sign_in(&world.server);
    let back = world.server.approve_sign_in(&url);
    let (base, query) = back.split_once('?').unwrap();
    let state = query.split('&').find(|p| p.starts_with("state=")).unwrap();
    device.visit(&format!("{base}?error=access_denied&{state}"));
    let snapshot = device.wait("to be signed out", |s| matches!(s.connection, Connection::SignedOut { .. }));
    assert!(message(&snapshot.connection).contains("cancelled"));
}

#[test]
fn a_cancelled_sign_in_takes_no_code_any_more() {
    let world = World::new();
    let device = world.start();
    let url = device.begin_sign_in(&world.server);
    let back = world.server.approve_sign_in(&url);
    device.intent(Intent::CancelSignIn).unwrap();
    device.wait("to be signed out", |s| matches!(s.connection, Connection::SignedOut { .. }));
    let port = reqwest::Url::parse(&back).unwrap().port().unwrap();
    eventually("the listener to be gone", || match std::net::TcpListener::bind(("127.0.0.1", port)) {
        Ok(_) => Ok(()),
        Err(e) => Err(e.to_string()),
    });
}

#[test]
fn a_self_made_certificate_is_new_then_known_then_changed() {
    let world = World::new();
    let device = world.start();
    assert_eq!(device.find(&world.server).trust, Trust::New);
    device.sign_in(&world.server);
    device.wait("to be online", |s| s.connection == Connection::Online);
    assert_eq!(device.find(&world.server).trust, Trust::Known);
    world.server.change_certificate();
    assert_eq!(device.find(&world.server).trust, Trust::Changed);
    // A connection from before may break first.
    let failure = eventually("the refusal", || match device.intent(Intent::Catalogue) {
        Err(f) if f.code == FailureCode::Certificate => Ok(f),
        other => Err(format!("{other:?}")),
    });
    assert!(failure.message.contains("Somebody may be in between"), "{}", failure.message);
    device.wait("to say so", |s| s.notices.iter().any(|n| n.text.contains("another certificate")));
}

#[test]
fn a_certificate_that_changes_between_the_look_and_the_sign_in_is_refused() {
    let world = World::new();
    let device = world.start();
    let found = device.find(&world.server);
    world.server.change_certificate();
    let sign_in = Intent::SignIn { address: found.address, fingerprint: found.fingerprint };
    assert_eq!(device.intent(sign_in).unwrap_err().code, FailureCode::Certificate);
    assert!(device.seen.0.lock().unwrap().urls.is_empty());
}

#[test]
fn without_a_keychain_there_is_no_sign_in() {
    let world = World::new();
    let device = world.start();
    world.safe.fail(Some(Fault::Missing));
    let found = device.find(&world.server);
    let sign_in = Intent::SignIn { address: found.address, fingerprint: found.fingerprint };
    assert_eq!(device.intent(sign_in).unwrap_err().code, FailureCode::KeychainMissing);
    assert!(device.seen.0.lock().unwrap().urls.is_empty(), "the browser would be in vain");
    let snapshot = device.wait("to be signed out", |s| matches!(s.connection, Connection::SignedOut { .. }));
    assert!(message(&snapshot.connection).contains("No keychain"), "{:?}", snapshot.connection);
    world.safe.fail(None);
    device.sign_in(&world.server);
    device.wait("to be online", |s| s.connection == Connection::Online);
}

#[test]
fn a_keychain_that_stays_locked_ends_the_sign_in() {
    let world = World::new();
    let device = world.start();
    world.safe.fail(Some(Fault::Locked));
    device.sign_in(&world.server);
    let snapshot = device.wait("to be signed out", |s| matches!(s.connection, Connection::SignedOut { .. }));
    assert!(message(&snapshot.connection).contains("locked"), "{:?}", snapshot.connection);
    world.safe.fail(None);
    device.sign_in(&world.server);
    device.wait("to be online", |s| s.connection == Connection::Online);
}

#[test]
fn an_expired_access_token_is_renewed_and_the_rotated_one_is_kept() {
    let world = World::new();
    let device = world.signed_in();
    let user = format!("refresh:{}", world.server.address());
    let first = world.safe.secret(&user).unwrap();
    world.pass(Duration::from_secs(3600));
    device.intent(Intent::Catalogue).unwrap();
    let second = world.safe.secret(&user).unwrap();
    assert_ne!(first, second);
    assert!(world.server.refresh_is_valid(&second));
    assert!(!world.server.refresh_is_valid(&first));
}

#[test]
fn a_lost_answer_while_renewing_ends_in_a_clean_sign_in() {
    let world = World::new();
    let device = world.signed_in();
    let grant = world.server.activate(7200);
    device.wait_here(grant);
    world.server.refuse("POST /oauth/token", [Refusal::AnswerLost]);
    world.pass(Duration::from_secs(3600));
    let failure = device.intent(Intent::Catalogue).unwrap_err();
    // The stream, which noticed the long pause, may have lost the answer before this call did.
    assert!(matches!(failure.code, FailureCode::Offline | FailureCode::SignedOut), "{failure:?}");
    // The old token is tried once more, is refused as used, and the person is told.
    let snapshot = device.wait("to be signed out", |s| matches!(s.connection, Connection::SignedOut { .. }));
    assert!(message(&snapshot.connection).contains("Sign in again"));
    world.wait_safe("the credential to be wiped", |s| s.grants().is_empty());
    device.sign_in(&world.server);
    device.wait("to be online", |s| s.connection == Connection::Online);
}

#[test]
fn a_rotated_token_is_not_used_before_the_keychain_has_it() {
    let world = World::new();
    let device = world.signed_in();
    let user = format!("refresh:{}", world.server.address());
    // The keychain gives the old token, and is locked when the new one comes.
    world.server.refuse("POST /oauth/token", [Refusal::Slow(Duration::from_millis(300))]);
    let safe = world.safe.clone();
    world.pass(Duration::from_secs(3600));
    let locker = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(150));
        safe.fail(Some(Fault::Locked));
    });
    let failure = device.intent(Intent::Catalogue).unwrap_err();
    locker.join().unwrap();
    assert_eq!(failure.code, FailureCode::KeychainLocked);
    world.safe.fail(None);
    eventually("the catalogue", || device.intent(Intent::Catalogue).map_err(|f| f.message));
    assert!(world.server.refresh_is_valid(&world.safe.secret(&user).unwrap()));
}

#[test]
fn a_session_that_the_server_ended_leaves_no_credential() {
    let world = World::new();
    let device = world.signed_in();
    let grant = world.server.activate(7200);
    device.wait_here(grant);
    world.server.forget_sign_ins();
    let failure = device.intent(Intent::Catalogue).unwrap_err();
    assert_eq!(failure.code, FailureCode::SignedOut);
    world.wait_safe("the credential to be wiped", |s| s.grants().is_empty());
    device.wait_credential(grant, |c| *c == LocalCredential::Wiped);
}

#[test]
fn signing_out_leaves_nothing() {
    let world = World::new();
    let device = world.signed_in();
    let refresh = world.safe.secret(&format!("refresh:{}", world.server.address())).unwrap();
    let grant = world.server.activate(7200);
    device.wait_here(grant);
    device.intent(Intent::CopyPassword { grant }).unwrap();
    device.intent(Intent::SignOut).unwrap();
    assert_eq!(world.safe.users(), Vec::<String>::new());
    assert!(!world.server.refresh_is_valid(&refresh), "the server was told");
    assert_eq!(world.server.wiped(), [grant]);
    assert_eq!(device.seen.clipboard(), None);
    assert!(!world.folder.path().join("data/history.db").exists());
    let snapshot = device.snapshot();
    assert!(snapshot.me.is_none() && snapshot.grants.is_empty() && snapshot.recent.is_empty());
    assert_eq!(snapshot.connection, Connection::SignedOut { message: None });
    // The next start does not know anyone either.
    device.quit();
    let device = world.start();
    device.wait("to be signed out", |s| {
        s.connection == Connection::SignedOut { message: None } && s.server.is_none()
    });
}

#[test]
fn signing_out_with_a_locked_keychain_is_finished_when_it_opens() {
    let world = World::new();
    let device = world.signed_in();
    let grant = world.server.activate(7200);
    device.wait_here(grant);
    world.safe.fail(Some(Fault::Locked));
    device.intent(Intent::SignOut).unwrap();
    let snapshot = device.snapshot();
    assert!(snapshot.notices.iter().any(|n| n.text.contains("Not everything could be removed")));
    assert!(matches!(snapshot.keychain, Keychain::Locked { .. }));
    world.safe.fail(None);
    world.pass(Duration::from_secs(2));
    world.wait_safe("nothing to be left", |s| s.users().is_empty());
}

#[test]
fn a_start_goes_on_where_the_last_run_ended() {
    let world = World::new();
    let device = world.signed_in();
    device.quit();
    let device = world.again();
    assert_eq!(device.snapshot().me.unwrap().person.name, "Sam Okafor");
    assert_eq!(world.server.calls("POST /oauth/token"), 2);
}

#[test]
fn a_keychain_that_is_locked_at_the_start_is_waited_for() {
    let world = World::new();
    world.signed_in().quit();
    world.safe.fail(Some(Fault::Locked));
    let device = world.start();
    device.wait("to say so", |s| matches!(s.keychain, Keychain::Locked { .. }));
    let failure = device.history(Default::default()).unwrap_err();
    assert_eq!(failure.code, FailureCode::KeychainLocked);
    world.safe.fail(None);
    world.pass(Duration::from_secs(2));
    device.wait("to be online", |s| s.connection == Connection::Online && s.keychain == Keychain::Ready);
    eventually("the history", || device.history(Default::default()).map_err(|f| f.message));
}
