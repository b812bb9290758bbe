//! The same controller against the real server and a real PostgreSQL.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use daypass_domain::{AccessLevel, Ask, Entitlement, RequestId, ResourceId, Verdict};
use daypass_protocol::api::{GrantStatus, RequestStatus, RequestView, StageState};
use daypass_protocol::bridge::{Connection, Intent, LocalCredential, LocalGrant, Reply, Trust};
use daypass_tour::{PASSWORD, World as Town, sign_in};

use crate::stage::{Device, World, eventually};

fn arrive(town: &Town, home: &World, user: &str) -> Device {
    let device = home.start();
    let Ok(Reply::Server(found)) = device.intent(Intent::FindServer { address: town.address() }) else {
        panic!()
    };
    assert_eq!(found.trust, Trust::New);
    device.intent(Intent::SignIn { address: found.address, fingerprint: found.fingerprint }).unwrap();
    let url = device.browser_address();
    device.block_on(sign_in(&url, user, PASSWORD)).unwrap();
    device.wait("to be online", |s| s.connection == Connection::Online);
    device
}

fn ask(seconds: u32) -> Ask {
    let entitlement =
        Entitlement { resource: ResourceId::new("shop-db").unwrap(), level: AccessLevel::Write };
    Ask {
        entitlements: vec![entitlement],
        duration_s: seconds,
        start: None,
        reason: "Correct the address of order 4711, which support has confirmed".into(),
        ticket: Some("SHOP-12".into()),
    }
}

fn submit(device: &Device, seconds: u32) -> RequestView {
    match device.intent(Intent::Submit { id: RequestId(uuid::Uuid::new_v4()), ask: ask(seconds) }) {
        Ok(Reply::Request(request)) => *request,
        other => panic!("{other:?}"),
    }
}

/// Whoever it waits for approves, each at a machine of their own, until it waits for nobody.
fn approve(town: &Town, mut request: RequestView) {
    let mut approvers: BTreeMap<String, (World, Device)> = BTreeMap::new();
    while request.status == RequestStatus::Pending {
        let stage = request.stages.iter().find(|s| s.state == StageState::Current).expect("a stage waits");
        let user = stage.can_approve.first().expect("somebody can approve").id.to_string();
        let (_, device) = approvers.entry(user.clone()).or_insert_with(|| {
            let home = World::in_real_time();
            let device = arrive(town, &home, &user);
            (home, device)
        });
        let seen =
            device.wait("the review", |s| s.reviews.iter().any(|r| r.id == request.id && r.may_decide));
        let review = seen.reviews.into_iter().find(|r| r.id == request.id).unwrap();
        let decide = Intent::Decide {
            id: review.id,
            digest: review.digest,
            verdict: Verdict::Approve,
            note: String::new(),
        };
        match device.intent(decide) {
            Ok(Reply::Request(decided)) => request = *decided,
            other => panic!("{other:?}"),
        }
    }
}

fn wait_here(device: &Device) -> LocalGrant {
    let here = |g: &LocalGrant| g.credential == LocalCredential::Here;
    let seen = device.wait("the credential", |s| s.grants.iter().any(here));
    seen.grants.into_iter().find(here).unwrap()
}

/// Runs the command that a person pastes, with the password that they paste.
fn run(command: &str, password: &str, sql: &str) -> Output {
    Command::new("sh")
        .args(["-c", &format!("{command} -X -w -A -t -c '{sql}'")])
        .env("PGPASSWORD", password)
        .env("PGCONNECT_TIMEOUT", "10")
        .output()
        .unwrap()
}

#[test]
fn from_the_request_to_psql_and_back() {
    let town = Town::start().unwrap();
    let home = World::in_real_time();
    let maya = arrive(&town, &home, "maya");
    let Ok(Reply::Catalogue(catalogue)) = maya.intent(Intent::Catalogue) else { panic!() };
    assert!(catalogue.iter().any(|r| r.brief.id.as_str() == "shop-db"));
    let Ok(Reply::Preview(preview)) = maya.intent(Intent::Preview { ask: ask(900) }) else { panic!() };
    assert_eq!(preview.problems, []);

    approve(&town, submit(&maya, 900));
    let local = wait_here(&maya);
    let grant = local.grant.id;
    let command = local.command.unwrap();
    maya.intent(Intent::CopyPassword { grant }).unwrap();
    let password = maya.seen.clipboard().unwrap();
    assert!(!command.contains(&password));
    let output = run(&command, &password, "select count(*) > 0 from orders");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "t",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    maya.intent(Intent::Release { grant }).unwrap();
    home.wait_safe("the wipe", |s| s.grants().is_empty());
    maya.wait("the end", |s| {
        s.grants.iter().any(|g| g.grant.id == grant && matches!(g.grant.status, GrantStatus::Ended { .. }))
    });
    let output = run(&command, &password, "select 1");
    assert!(!output.status.success(), "the role is gone");
    eventually("no account to be left", || match town.accounts() {
        Ok(accounts) if accounts.is_empty() => Ok(()),
        other => Err(format!("{other:?}")),
    });
    let history = maya.history(Default::default()).unwrap();
    assert!(history.entries.iter().any(|e| e.text.contains("approved")), "{:?}", history.entries);
}

#[test]
fn the_session_and_the_grant_outlive_both_ends_and_the_end_is_kept() {
    let mut town = Town::start().unwrap();
    let home = World::in_real_time();
    let maya = arrive(&town, &home, "maya");
    approve(&town, submit(&maya, 120));
    let grant = wait_here(&maya).grant.id;
    maya.kill();
    town.server.kill9();
    town.server.start_again().unwrap();
    let maya = home.again();
    maya.wait_here(grant);
    maya.intent(Intent::SignOut).unwrap();
    assert_eq!(home.safe.users(), Vec::<String>::new());
}
