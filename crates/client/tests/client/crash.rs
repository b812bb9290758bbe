//! Killed anywhere, the next start puts things right.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use daypass_protocol::api::EndedWhy;
use daypass_protocol::bridge::{Connection, Intent, LocalCredential};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::stage::{Device, Fault, World};

/// Kills the application at every step around the store and the wipe in turn: before the keychain acts, and after it
/// acted but before anybody heard of it.
#[test]
fn killed_at_any_step_the_keychain_holds_a_credential_only_if_its_grant_is_live() {
    let steps = ["before set grant", "after set grant", "before delete grant", "after delete grant"];
    for step in steps {
        for ended_while_down in [false, true] {
            let world = World::new();
            let device = world.signed_in();
            world.die_at(move |s| s == step);
            let grant = world.server.activate(600);
            if step.contains("delete") {
                device.wait_here(grant);
                let _ = device.intent(Intent::Release { grant });
            }
            crate::stage::eventually("the application to die", || {
                if device.is_dead() { Ok(()) } else { Err(step.into()) }
            });
            device.kill();
            world.never_die();
            if ended_while_down {
                world.pass(Duration::from_secs(600));
            }
            let device = world.again();
            if ended_while_down || step.contains("delete") {
                world.wait_safe("the wipe", |s| s.grants().is_empty());
            } else {
                device.wait_here(grant);
                assert_eq!(world.safe.grants(), [grant.to_string()], "{step}");
                // What lies there is what the server knows: the newest.
                let kept = world.safe.secret(&format!("grant:{grant}")).unwrap();
                let newest = world.server.secrets().into_iter().rfind(|s| s.starts_with("password")).unwrap();
                assert!(kept.contains(&newest), "{step}");
            }
            std::thread::sleep(Duration::from_millis(60));
            for kept in world.safe.grants() {
                assert!(world.server.is_live(&kept), "{step}: {kept} is not live");
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Activate {
        seconds: i64,
    },
    Pass {
        seconds: u64,
    },
    Revoke,
    Release,
    DropEverything,
    /// The application dies at the n-th step of the keychain from now.
    Die {
        after: usize,
    },
    Kill,
    Lock,
    Unlock,
    ServerDown,
    ServerUp,
    SetWallClock {
        minutes: i64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (20..400_i64).prop_map(|seconds| Step::Activate { seconds }),
        3 => (1..300_u64).prop_map(|seconds| Step::Pass { seconds }),
        1 => Just(Step::Revoke),
        1 => Just(Step::Release),
        1 => Just(Step::DropEverything),
        2 => (0..6_usize).prop_map(|after| Step::Die { after }),
        2 => Just(Step::Kill),
        1 => Just(Step::Lock),
        2 => Just(Step::Unlock),
        1 => Just(Step::ServerDown),
        2 => Just(Step::ServerUp),
        1 => (-90..90_i64).prop_map(|minutes| Step::SetWallClock { minutes }),
    ]
}

/// Whatever happened, once the keychain is open and the application runs, no credential is there whose grant is over
/// by the server's clock; and once the server answers, each live grant of this device has its credential.
#[test]
fn whatever_happens_a_credential_is_there_only_while_its_grant_is_live() {
    let config = Config { cases: 12, failure_persistence: None, max_shrink_iters: 40, ..Config::default() };
    TestRunner::new(config)
        .run(&proptest::collection::vec(step(), 4..14), |steps| {
            run(&steps);
            Ok(())
        })
        .unwrap();
}

fn run(steps: &[Step]) {
    let world = World::new();
    let mut device = Some(world.signed_in());
    let mut grants = Vec::new();
    let mut up = true;
    let mut revoked = false;
    for step in steps {
        match step {
            Step::Activate { seconds } => grants.push(world.server.activate(*seconds)),
            Step::Pass { seconds } => world.pass(Duration::from_secs(*seconds)),
            Step::Revoke => {
                if let Some(grant) = grants.last() {
                    let by = crate::stage::person("maya");
                    world.server.end(*grant, EndedWhy::Revoked { by, note: "test".into() });
                    revoked = true;
                }
            }
            Step::Release => {
                if let (Some(device), Some(grant)) = (&device, grants.first()) {
                    // Refused when it is not known here, or has ended.
                    let _ = device.intent(Intent::Release { grant: *grant });
                }
            }
            Step::DropEverything => {
                if let Some(device) = &device {
                    let _ = device.intent(Intent::DropEverything);
                }
            }
            Step::Die { after } => {
                let left = Arc::new(AtomicUsize::new(*after));
                world.die_at(move |_| {
                    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_err()
                });
            }
            Step::Kill => {
                if let Some(device) = device.take() {
                    device.kill();
                }
            }
            Step::Lock => world.safe.fail(Some(Fault::Locked)),
            Step::Unlock => world.safe.fail(None),
            Step::ServerDown => {
                if std::mem::take(&mut up) {
                    world.server.down();
                }
            }
            Step::ServerUp => {
                if !std::mem::replace(&mut up, true) {
                    world.server.up();
                }
            }
            Step::SetWallClock { minutes } => world.set_wall_clock(TimeDelta::minutes(*minutes)),
        }
        std::thread::sleep(Duration::from_millis(25));
        device = restarted(&world, device);
    }
    world.never_die();
    world.safe.fail(None);
    device = restarted(&world, device);
    world.pass(Duration::from_secs(15));
    // The end of its time is known without the server; that it was revoked is not.
    if revoked && !std::mem::replace(&mut up, true) {
        world.server.up();
    }
    let running = device.unwrap_or_else(|| world.start());
    running.handle.wake();
    world.wait_safe("only live credentials to be left", |safe| {
        safe.grants().iter().all(|grant| world.server.is_live(grant))
    });
    if !up {
        world.server.up();
    }
    running.handle.wake();
    crate::stage::eventually("each live grant to have its credential", || {
        world.clock.advance(Duration::from_millis(200));
        world.server.clock().advance(Duration::from_millis(200));
        let snapshot = running.snapshot();
        let wrong: Vec<_> = snapshot
            .grants
            .iter()
            .filter(|g| {
                let live = world.server.is_live(&g.grant.id.to_string());
                live != (g.credential == LocalCredential::Here)
            })
            .collect();
        let signed_out = matches!(snapshot.connection, Connection::SignedOut { .. });
        if wrong.is_empty() || signed_out {
            Ok(())
        } else {
            Err(format!("{wrong:#?} {:?}", snapshot.connection))
        }
    });
    for grant in world.safe.grants() {
        assert!(world.server.is_live(&grant));
    }
}

/// A dead application is started again, as a person or the session does.
fn restarted(world: &World, device: Option<Device>) -> Option<Device> {
    match device {
        Some(device) if device.is_dead() => {
            device.kill();
            world.never_die();
            Some(world.start())
        }
        other => other,
    }
}
