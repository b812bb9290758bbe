//! What a person is told, and what not.

use std::time::Duration;

use chrono::TimeDelta;
use daypass_client::TrayIcon;
use daypass_domain::{RequestId, UserId};
use daypass_protocol::api::{EntryKind, RiskBand, RiskBrief};
use daypass_protocol::bridge::{Intent, Page, Settings};

use crate::stage::{Device, World, eventually, person, request_view};

fn wait_notified(device: &Device, words: &str, times: usize) {
    eventually(words, || match device.seen.notified(words) {
        n if n == times => Ok(()),
        n => Err(format!("{n} times; {:?}", device.seen.0.lock().unwrap().notifications)),
    });
}

fn submitted_by_maya(world: &World, kind: EntryKind) -> RequestId {
    let id = RequestId(uuid::Uuid::new_v4());
    tell_of(world, id, kind);
    id
}

fn tell_of(world: &World, id: RequestId, kind: EntryKind) {
    world.server.tell(|e| {
        e.kind = kind;
        e.subject = person("maya");
        e.request = Some(id);
        e.risk = Some(RiskBrief { points: 42, band: RiskBand::Moderate });
        e.waits_for = vec![UserId::new("sam").unwrap()];
    });
}

#[test]
fn an_approver_is_told_once_per_request_and_led_to_its_page() {
    let world = World::new();
    let device = world.signed_in();
    let review = request_view("maya", world.clock.now());
    let id = review.id;
    world.server.add_review(review);
    tell_of(&world, id, EntryKind::RequestSubmitted);
    wait_notified(&device, "Maya Olsen asks for write on shop-db · risk 42", 1);
    let page = device.seen.0.lock().unwrap().notifications[0].page.clone();
    assert_eq!(page, Page::Review(Some(id)));
    // Another approver of the same stage decides: it still waits, and that is no news.
    device.wait("the queue", |s| s.reviews.len() == 1);
    tell_of(&world, id, EntryKind::RequestDecided);
    eventually("the entry", || match device.history(Default::default()) {
        Ok(page) if page.total == 2 => Ok(()),
        other => Err(format!("{other:?}")),
    });
    assert_eq!(device.seen.notified("Maya Olsen"), 1);
    // A change of what is asked is.
    tell_of(&world, id, EntryKind::RequestEdited);
    wait_notified(&device, "Maya Olsen changed their request", 1);
    // A later stage that now waits for this person is, too.
    submitted_by_maya(&world, EntryKind::RequestDecided);
    wait_notified(&device, "Maya Olsen asks for write", 2);
    let tray = device.seen.0.lock().unwrap().tray.clone().unwrap();
    assert_eq!(tray.reviews, 1);
}

#[test]
fn nobody_is_asked_to_review_their_own_request() {
    let world = World::new();
    let device = world.signed_in();
    world.server.tell(|e| {
        e.request = Some(RequestId(uuid::Uuid::new_v4()));
        e.waits_for = vec![UserId::new("sam").unwrap()];
    });
    eventually("the entry", || match device.history(Default::default()) {
        Ok(page) if page.total == 1 => Ok(()),
        other => Err(format!("{other:?}")),
    });
    assert_eq!(device.seen.notified("waits for you"), 0);
}

#[test]
fn a_requester_is_told_what_was_decided_by_whom_and_why() {
    let world = World::new();
    let device = world.signed_in();
    let cases = [
        (EntryKind::RequestApproved, "Maya Olsen approved write on shop-db: go ahead"),
        (EntryKind::RequestDenied, "Maya Olsen denied write on shop-db: go ahead"),
        (EntryKind::RequestQuestioned, "Maya Olsen asks about write on shop-db: go ahead"),
    ];
    for (kind, words) in cases {
        world.server.tell(|e| {
            e.kind = kind;
            e.request = Some(RequestId(uuid::Uuid::new_v4()));
            e.actor = Some(person("maya"));
            e.note = Some("go ahead".into());
        });
        wait_notified(&device, words, 1);
    }
}

#[test]
fn five_minutes_before_the_end_there_is_a_reminder_and_half_way_for_a_short_grant() {
    let world = World::new();
    let device = world.signed_in();
    let grant = world.server.activate(1800);
    device.wait_here(grant);
    world.pass(Duration::from_secs(1499));
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(device.seen.notified("left"), 0);
    world.pass(Duration::from_secs(1));
    wait_notified(&device, "5 minutes left", 1);
    world.pass(Duration::from_secs(60));
    let short = world.server.activate(120);
    device.wait_here(short);
    world.pass(Duration::from_secs(60));
    wait_notified(&device, "1 minute left", 1);
    assert_eq!(device.seen.notified("left"), 2);
}

#[test]
fn who_wants_no_notifications_gets_none() {
    let world = World::new();
    let device = world.signed_in();
    let settings = Settings { notifications: false, ..Settings::default() };
    device.intent(Intent::SetSettings { settings: settings.clone() }).unwrap();
    let grant = world.server.activate(600);
    device.wait_here(grant);
    submitted_by_maya(&world, EntryKind::RequestSubmitted);
    eventually("the entries", || match device.history(Default::default()) {
        Ok(page) if page.total >= 2 => Ok(()),
        other => Err(format!("{other:?}")),
    });
    assert_eq!(device.seen.0.lock().unwrap().notifications, []);
    device.quit();
    let device = world.again();
    assert_eq!(device.snapshot().settings, settings, "the setting is kept");
}

#[test]
fn what_happened_long_ago_is_read_without_a_word() {
    let world = World::new();
    let device = world.signed_in();
    device.quit();
    submitted_by_maya(&world, EntryKind::RequestSubmitted);
    world.pass(Duration::from_secs(3600));
    let device = world.again();
    eventually("the entry", || match device.history(Default::default()) {
        Ok(page) if page.total == 1 => Ok(()),
        other => Err(format!("{other:?}")),
    });
    assert_eq!(device.seen.notified("waits for you"), 0);
}

#[test]
fn the_tray_counts_the_minutes_of_what_is_live() {
    let world = World::new();
    let device = world.signed_in();
    let grant = world.server.activate(600);
    device.wait_here(grant);
    let tray = || device.seen.0.lock().unwrap().tray.clone().unwrap();
    let label = |words: &'static str| {
        eventually(words, || {
            let tray = tray();
            match tray.grants.first() {
                Some(g) if g.label == words && g.here => Ok(()),
                other => Err(format!("{other:?}")),
            }
        });
    };
    label("shop-db · write · 10 minutes left");
    assert_eq!(tray().icon, TrayIcon::Live);
    world.pass(Duration::from_secs(61));
    label("shop-db · write · 9 minutes left");
    world.pass(Duration::from_secs(539));
    eventually("the end", || if tray().grants.is_empty() { Ok(()) } else { Err(format!("{:?}", tray())) });
}

#[test]
fn a_clock_that_is_far_off_is_said() {
    let world = World::new();
    world.set_wall_clock(TimeDelta::minutes(7));
    let device = world.signed_in();
    let snapshot = device.wait("the difference", |s| s.clock_off_s.is_some());
    assert_eq!(snapshot.clock_off_s, Some(420));
    assert!((snapshot.now - world.server.clock().now()).abs() < TimeDelta::seconds(1));
}
