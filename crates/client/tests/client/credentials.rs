//! Invariant 1: a credential is in the keychain only while its grant is live.

use std::time::Duration;

use chrono::TimeDelta;
use daypass_domain::DeviceId;
use daypass_protocol::api::EndedWhy;
use daypass_protocol::bridge::{FailureCode, Intent, LocalCredential};

use crate::stage::{Fault, Refusal, World, eventually, person};

#[test]
fn the_intent_is_on_the_disk_before_the_credential_is_fetched() {
    let world = World::new();
    let device = world.signed_in();
    let file = world.folder.path().join("data/state.db");
    let (tell, told) = std::sync::mpsc::channel();
    world.server.on_credential(move || {
        let file = file.clone();
        // In a thread: the server's runtime must not be entered twice.
        let rows = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                use sqlx::Connection as _;
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).read_only(true);
                let mut db = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
                sqlx::query_scalar::<_, String>("select grant_id from intents")
                    .fetch_all(&mut db)
                    .await
                    .unwrap()
            })
        });
        tell.send(rows.join().unwrap()).unwrap();
    });
    let grant = world.server.activate(600);
    assert_eq!(told.recv_timeout(Duration::from_secs(10)).unwrap(), [grant.to_string()]);
    device.wait_here(grant);
}

#[test]
fn it_is_fetched_once_kept_over_a_restart_and_gone_at_the_end() {
    let world = World::new();
    let device = world.signed_in();
    let grant = world.server.activate(600);
    let local = device.wait_here(grant);
    let command = local.command.unwrap();
    assert!(command.starts_with("psql \"host=127.0.0.1 port=5432 dbname=shop user=dp_"), "{command}");
    assert_eq!(device.seen.notified("shop-db is open for 10 minutes"), 1);
    device.quit();
    let device = world.again();
    assert_eq!(device.wait_here(grant).command.unwrap(), command);
    assert_eq!(world.server.issued(grant), 1);
    world.pass(Duration::from_secs(599));
    device.handle.wake();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(world.safe.grants().len(), 1, "it is not wiped early");
    world.pass(Duration::from_secs(1));
    world.wait_safe("the wipe", |s| s.grants().is_empty());
    device.wait_credential(grant, |c| *c == LocalCredential::Wiped);
    eventually("the server to hear of it", || {
        if world.server.wiped() == [grant] { Ok(()) } else { Err(format!("{:?}", world.server.wiped())) }
    });
    assert_eq!(device.seen.notified("The time for shop-db is over"), 1);
}

#[test]
fn it_is_gone_within_a_moment_of_its_end() {
    let world = World::in_real_time();
    let _device = world.signed_in();
    let mut late = Vec::new();
    for _ in 0..3 {
        let end = world.clock.now() + TimeDelta::seconds(5);
        let grant = world.server.activate(5);
        world.wait_safe("the credential", |s| s.grants() == [grant.to_string()]);
        world.wait_safe("the wipe", |s| s.grants().is_empty());
        late.push(world.clock.now() - end);
    }
    late.sort();
    assert!(late[0] >= TimeDelta::milliseconds(-50), "wiped early: {late:?}");
    // Generous, for a busy machine; the benchmark measures it in peace.
    assert!(
        late[0] < TimeDelta::milliseconds(250) && late[2] < TimeDelta::seconds(2),
        "wiped late: {late:?}"
    );
}

#[test]
fn a_release_wipes_at_once_and_tells_the_server() {
    let world = World::new();
    let device = world.signed_in();
    let grant = world.server.activate(600);
    device.wait_here(grant);
    device.intent(Intent::Release { grant }).unwrap();
    world.wait_safe("the wipe", |s| s.grants().is_empty());
    eventually("the release", || if world.server.released() == [grant] { Ok(()) } else { Err("no".into()) });
    assert_eq!(device.seen.notified("Access has ended"), 0, "the person knows");
    let again = device.intent(Intent::Release { grant });
    assert!(again.is_ok() || again.unwrap_err().code == FailureCode::NotHere);
}

#[test]
fn a_revocation_wipes_and_says_who_and_why() {
    let world = World::new();
    let device = world.signed_in();
    let grant = world.server.activate(600);
    device.wait_here(grant);
    world.server.end(grant, EndedWhy::Revoked { by: person("maya"), note: "Incident 9".into() });
    world.wait_safe("the wipe", |s| s.grants().is_empty());
    eventually("the notification", || match device.seen.notified("Maya Olsen revoked") {
        1 => Ok(()),
        n => Err(format!("{n} notifications")),
    });
}

#[test]
fn a_locked_or_missing_keychain_delays_a_store_and_a_wipe_only_until_it_opens() {
    for fault in [Fault::Locked, Fault::Missing] {
        let world = World::new();
        let device = world.signed_in();
        world.safe.fail(Some(fault));
        let grant = world.server.activate(600);
        device.wait_credential(grant, |c| matches!(c, LocalCredential::Failed { .. }));
        assert_eq!(world.safe.grants(), Vec::<String>::new());
        world.safe.fail(None);
        world.pass(Duration::from_secs(2));
        device.wait_here(grant);

        world.safe.fail(Some(fault));
        world.pass(Duration::from_secs(600));
        let wiping = device.wait_credential(
            grant,
            |c| matches!(c, LocalCredential::Wiping { message } if message.contains("eychain")),
        );
        assert!(wiping.command.is_none());
        assert_eq!(world.safe.grants().len(), 1);
        world.safe.fail(None);
        world.pass(Duration::from_secs(2));
        world.wait_safe("the wipe", |s| s.grants().is_empty());
        device.wait_credential(grant, |c| *c == LocalCredential::Wiped);
    }
}

#[test]
fn a_slow_keychain_does_not_leave_what_ended_meanwhile() {
    let world = World::new();
    let device = world.signed_in();
    world.safe.slow(Duration::from_millis(200));
    let grant = world.server.activate(600);
    device.wait_credential(grant, |c| *c == LocalCredential::Fetching);
    eventually("the credential to be issued", || {
        if world.server.issued(grant) == 1 { Ok(()) } else { Err("no".into()) }
    });
    world.pass(Duration::from_secs(600));
    device.wait_credential(grant, |c| *c == LocalCredential::Wiped);
    assert_eq!(world.safe.grants(), Vec::<String>::new());
}

#[test]
fn a_changed_wall_clock_neither_delays_nor_hastens_the_wipe() {
    for hours in [-30, -1, 1, 30] {
        let world = World::new();
        let device = world.signed_in();
        let grant = world.server.activate(600);
        device.wait_here(grant);
        world.set_wall_clock(TimeDelta::hours(hours));
        std::thread::sleep(Duration::from_millis(150));
        world.pass(Duration::from_secs(590));
        std::thread::sleep(Duration::from_millis(150));
        assert_eq!(world.safe.grants().len(), 1, "{hours} h: wiped early");
        world.pass(Duration::from_secs(10));
        world.wait_safe("the wipe", |s| s.grants().is_empty());
    }
}

#[test]
fn a_clock_set_back_before_a_restart_without_the_server_does_not_delay_the_wipe() {
    let world = World::new();
    let device = world.signed_in();
    let grant = world.server.activate(600);
    device.wait_here(grant);
    device.kill();
    world.server.down();
    world.set_wall_clock(TimeDelta::hours(-5));
    world.pass(Duration::from_secs(600));
    let _device = world.start();
    world.wait_safe("the wipe", |s| s.grants().is_empty());
}

#[test]
fn when_the_clocks_part_and_the_server_is_gone_what_may_have_ended_is_wiped() {
    let world = World::new();
    let device = world.signed_in();
    let grant = world.server.activate(600);
    device.wait_here(grant);
    world.server.down();
    // A paused virtual machine: uptime stood still while an hour went by.
    world.set_wall_clock(TimeDelta::hours(1));
    world.server.clock().advance(Duration::from_secs(3600));
    world.wait_safe("the wipe", |s| s.grants().is_empty());
}

#[test]
fn a_machine_that_slept_through_the_end_wipes_when_it_wakes() {
    let world = World::new();
    let device = world.signed_in();
    let grant = world.server.activate(600);
    device.wait_here(grant);
    world.server.down();
    world.pass(Duration::from_secs(8 * 3600));
    world.wait_safe("the wipe", |s| s.grants().is_empty());
    device.wait_credential(grant, |c| *c == LocalCredential::Wiped);
}

#[test]
fn what_has_no_intent_is_swept_at_the_start() {
    let world = World::new();
    world.signed_in().quit();
    world.safe.put("grant:0194d2a0-0000-4000-8000-000000000001", "left behind");
    world.safe.put("grant:not-even-an-id", "left behind");
    world.safe.put("refresh:somewhere.else", "left behind");
    let _device = world.again();
    world.wait_safe("the sweep", |s| s.users().len() == 2 && s.grants().is_empty());
}

#[test]
fn everything_is_dropped_without_the_server_and_given_back_when_it_answers() {
    let world = World::new();
    let device = world.signed_in();
    let grants = [world.server.activate(600), world.server.activate(900)];
    for grant in grants {
        device.wait_here(grant);
    }
    world.server.down();
    device.wait("to be offline", |s| {
        matches!(s.connection, daypass_protocol::bridge::Connection::Offline { .. })
    });
    device.intent(Intent::DropEverything).unwrap();
    world.wait_safe("the wipe", |s| s.grants().is_empty());
    device.kill();
    world.server.up();
    let device = world.again();
    eventually("the releases", || {
        let released = world.server.released();
        if grants.iter().all(|g| released.contains(g)) { Ok(()) } else { Err(format!("{released:?}")) }
    });
    eventually("the reports", || {
        let wiped = world.server.wiped();
        if grants.iter().all(|g| wiped.contains(g)) { Ok(()) } else { Err(format!("{wiped:?}")) }
    });
    assert_eq!(world.server.issued(grants[0]), 1, "what was given back is not fetched again");
    drop(device);
}

#[test]
fn a_credential_that_another_device_took_is_not_kept_here() {
    let world = World::new();
    let device = world.signed_in();
    let grant = world.server.activate(600);
    device.wait_here(grant);
    world.server.give_to_device(grant, DeviceId(uuid::Uuid::new_v4()));
    device.wait_credential(grant, |c| *c == LocalCredential::Elsewhere);
    world.wait_safe("the wipe", |s| s.grants().is_empty());
    assert_eq!(world.server.issued(grant), 1);
    // Until the person asks for it here.
    device.intent(Intent::RetryCredential { grant }).unwrap();
    device.wait_here(grant);
    assert_eq!(world.server.issued(grant), 2);
}

#[test]
fn a_fetch_that_fails_is_tried_again_and_one_that_is_over_is_not() {
    use daypass_protocol::api::ProblemCode as P;
    let world = World::new();
    let device = world.signed_in();
    let call = "POST /v1/grants/{id}/credential";
    world.server.refuse(call, [Refusal::Problem(P::TargetUnavailable), Refusal::AnswerLost]);
    let grant = world.server.activate(600);
    device.wait_credential(grant, |c| matches!(c, LocalCredential::Failed { .. }));
    for _ in 0..4 {
        world.pass(Duration::from_secs(2));
        std::thread::sleep(Duration::from_millis(300));
    }
    device.wait_here(grant);
    assert_eq!(world.safe.grants(), [grant.to_string()]);

    world.server.refuse(call, [Refusal::Problem(P::Over)]);
    let over = world.server.activate(600);
    device.wait_credential(over, |c| *c == LocalCredential::Wiped);
    assert_eq!(world.safe.grants(), [grant.to_string()]);
}

#[test]
fn the_password_is_on_the_clipboard_for_thirty_seconds_and_the_command_has_none() {
    let world = World::new();
    let device = world.signed_in();
    let grant = world.server.activate(600);
    device.wait_here(grant);
    device.intent(Intent::CopyCommand { grant }).unwrap();
    let command = device.seen.clipboard().unwrap();
    assert!(command.starts_with("psql ") && !command.contains("password"), "{command}");

    device.intent(Intent::CopyPassword { grant }).unwrap();
    assert!(device.seen.clipboard().unwrap().starts_with("password-secret"));
    world.pass(Duration::from_secs(29));
    std::thread::sleep(Duration::from_millis(100));
    assert!(device.seen.clipboard().is_some());
    world.pass(Duration::from_secs(1));
    eventually("the clipboard to be cleared", || device.seen.clipboard().map_or(Ok(()), Err));

    // What someone copied since is theirs.
    device.intent(Intent::CopyPassword { grant }).unwrap();
    device.seen.copy_by_hand("a poem");
    world.pass(Duration::from_secs(31));
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(device.seen.clipboard().as_deref(), Some("a poem"));

    // The end of the grant does not wait for the thirty seconds.
    device.intent(Intent::CopyPassword { grant }).unwrap();
    device.intent(Intent::Release { grant }).unwrap();
    eventually("the clipboard to be cleared", || device.seen.clipboard().map_or(Ok(()), Err));
    assert_eq!(device.intent(Intent::CopyPassword { grant }).unwrap_err().code, FailureCode::NotHere);
}
