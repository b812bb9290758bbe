use std::{collections::HashMap, path::Path, time::Duration};

use daypass_testkit::{Bus, Desk, Display, Keychain, KeychainState, Notifications, wait_until};
use futures_util::StreamExt;
use zbus::zvariant::Value;

const SOON: Duration = Duration::from_secs(10);

#[test]
fn the_keychain_is_seen_from_outside_item_by_item() {
    let bus = Bus::start().unwrap();
    let keychain = Keychain::start(&bus).unwrap();
    assert_eq!(keychain.search(&[("service", "probe")]).unwrap(), []);
    for user in ["ada", "bram"] {
        keychain
            .store("A label", &[("service", "probe"), ("username", user)], &format!("of {user}"))
            .unwrap();
    }
    let items = keychain.search(&[("service", "probe")]).unwrap();
    let mut seen: Vec<_> = items
        .iter()
        .map(|item| (item.attributes["username"].as_str(), item.secret.as_deref(), item.label.as_str()))
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, [("ada", Some("of ada"), "A label"), ("bram", Some("of bram"), "A label")]);
    assert_eq!(keychain.lookup(&[("username", "bram")]).unwrap().as_deref(), Some("of bram"));
    keychain.clear(&[("username", "bram")]).unwrap();
    assert_eq!(keychain.lookup(&[("username", "bram")]).unwrap(), None);
}

#[test]
fn a_keychain_can_be_locked_lost_and_opened_again() {
    let bus = Bus::start().unwrap();
    let keychain = Keychain::start(&bus).unwrap();
    keychain.store("A label", &[("service", "probe")], "kept").unwrap();
    keychain.lock().unwrap();
    let locked = keychain.search(&[("service", "probe")]).unwrap();
    assert_eq!(locked.iter().map(|item| item.secret.as_deref()).collect::<Vec<_>>(), [None]);
    assert!(keychain.lookup(&[("service", "probe")]).is_err() || keychain.is_locked().unwrap());
    keychain.restart(KeychainState::Missing).unwrap();
    assert!(!bus.has_owner("org.freedesktop.secrets").unwrap());
    assert!(keychain.lookup(&[("service", "probe")]).is_err());
    keychain.restart(KeychainState::Unlocked).unwrap();
    assert_eq!(keychain.lookup(&[("service", "probe")]).unwrap().as_deref(), Some("kept"));
}

#[test]
fn a_keychain_that_was_never_unlocked_stores_nothing() {
    let bus = Bus::start().unwrap();
    let keychain = Keychain::start_as(&bus, KeychainState::NeverUnlocked).unwrap();
    assert!(bus.has_owner("org.freedesktop.secrets").unwrap());
    assert!(keychain.store("A label", &[("service", "probe")], "lost").is_err());
}

#[test]
fn a_screenshot_shows_what_is_on_the_display() {
    let folder = tempfile::tempdir().unwrap();
    let display = Display::with_size(640, 400).unwrap();
    let file = folder.path().join("screen.png");
    display.screenshot(&file).unwrap();
    let picture = std::fs::read(&file).unwrap();
    assert!(picture.starts_with(b"\x89PNG"));
    let size =
        [&picture[16..20], &picture[20..24]].map(|bytes| u32::from_be_bytes(bytes.try_into().unwrap()));
    assert_eq!(size, [640, 400]);
}

async fn send(service: &zbus::Proxy<'_>, summary: &str, body: &str) {
    let buttons = ["approve", "Open", "later", "Later"];
    let hints = HashMap::from([("urgency", Value::from(2u8))]);
    let message = ("Daypass", 0u32, "", summary, body, &buttons[..], hints, 0i32);
    let _id: u32 = service.call("Notify", &message).await.unwrap();
}

async fn notifications_of(bus: &Bus) -> zbus::Proxy<'static> {
    let name = "org.freedesktop.Notifications";
    let connection =
        zbus::connection::Builder::address(bus.address().as_str()).unwrap().build().await.unwrap();
    zbus::Proxy::new(&connection, name, "/org/freedesktop/Notifications", name).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_are_read_and_their_buttons_pressed() {
    let bus = Bus::start().unwrap();
    let display = Display::start().unwrap();
    let notifications = Notifications::start(&bus, &display).unwrap();
    assert_eq!(notifications.shown().unwrap(), []);
    let service = notifications_of(&bus).await;
    let mut pressed = service.receive_signal("ActionInvoked").await.unwrap();
    let before = daypass_clock::Clock::system().uptime();
    send(&service, "Bram waits", "Write on <b>orders</b>; risk 61").await;
    send(&service, "Chiara waits", "Read on mail\nfor 30 minutes").await;
    let bram = notifications.wait_for("Bram", SOON).unwrap();
    let chiara = notifications.wait_for("for 30 minutes", SOON).unwrap();
    assert_eq!((bram.app.as_str(), bram.urgency.as_str()), ("Daypass", "CRITICAL"));
    assert_eq!(chiara.summary, "Chiara waits");
    assert!(bram.body.contains("risk 61"), "{}", bram.body);
    let after = daypass_clock::Clock::system().uptime();
    let millisecond = Duration::from_millis(1);
    assert!(
        before <= bram.at + millisecond && bram.at <= chiara.at && chiara.at <= after,
        "{bram:?} {chiara:?}"
    );
    assert_eq!(notifications.on_screen().unwrap(), 2);
    notifications.press(&bram, "Later").unwrap();
    let signal = tokio::time::timeout(SOON, pressed.next()).await.unwrap().unwrap();
    assert_eq!(signal.body().deserialize::<(u32, String)>().unwrap(), (bram.id, "later".to_owned()));
    let refusal = notifications.press(&chiara, "Deny").unwrap_err().to_string();
    assert!(refusal.contains("#Later (Chiara waits)"), "{refusal}");
    notifications.close_all().unwrap();
    wait_until("an empty screen", SOON, || {
        anyhow::ensure!(notifications.on_screen()? == 0, "something is there");
        Ok(())
    })
    .unwrap();
    assert_eq!(notifications.shown().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_desks_stand_side_by_side_and_leave_nothing() {
    let desks = [Desk::start().unwrap(), Desk::start().unwrap()];
    let [ada, bram] = &desks;
    assert_ne!(ada.display.name(), bram.display.name());
    send(&notifications_of(&ada.bus).await, "Only for Ada", "body").await;
    ada.notifications.wait_for("Only for Ada", SOON).unwrap();
    ada.keychain.store("A label", &[("service", "probe")], "of Ada").unwrap();
    assert_eq!(bram.notifications.shown().unwrap(), []);
    assert_eq!(bram.keychain.search(&[("service", "probe")]).unwrap(), []);
    let folders = desks.each_ref().map(|desk| desk.bus.folder().to_owned());
    let sockets = desks
        .each_ref()
        .map(|desk| format!("/tmp/.X11-unix/X{}", desk.display.name().trim_start_matches(':')));
    assert!(sockets.iter().all(|socket| Path::new(socket).exists()));
    drop(desks);
    assert!(folders.iter().all(|folder| !folder.exists()));
    assert!(!sockets.iter().any(|socket| Path::new(socket).exists()));
}
