use std::{path::Path, process::Command, time::Duration};

use daypass_testkit::{Bus, Desk, Display, Keychain, KeychainState, Notifications, wait_until};

const SOON: Duration = Duration::from_secs(10);

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

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

/// Sends with a program of the desktop's own; gives what its buttons brought back.
fn notify(bus: &Bus, display: &Display) -> std::process::Child {
    Command::new("gdbus")
        .envs(bus.env())
        .envs(display.env())
        .args(["monitor", "--session", "--dest", "org.freedesktop.Notifications"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap()
}

fn send(bus: &Bus, summary: &str, body: &str, actions: &str) {
    let hints = "{'urgency': <byte 2>}";
    run(Command::new("gdbus")
        .envs(bus.env())
        .args(["call", "--session", "--dest", "org.freedesktop.Notifications"])
        .args([
            "--object-path",
            "/org/freedesktop/Notifications",
            "--method",
            "org.freedesktop.Notifications.Notify",
        ])
        .args(["Daypass", "0", "", summary, body, actions, hints, "0"]));
}

#[test]
fn notifications_are_read_and_their_buttons_pressed() {
    let bus = Bus::start().unwrap();
    let display = Display::start().unwrap();
    let notifications = Notifications::start(&bus, &display).unwrap();
    assert_eq!(notifications.shown().unwrap(), []);
    let mut monitor = notify(&bus, &display);
    // The monitor says so when it listens.
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(monitor.stdout.take().unwrap()));
    assert!(lines.next().unwrap().unwrap().contains("Monitoring"));
    lines.next();
    send(&bus, "Bram waits", "Write on <b>orders</b>; risk 61", "['approve', 'Open', 'later', 'Later']");
    send(&bus, "Chiara waits", "Read on mail\nfor 30 minutes", "['approve', 'Open', 'later', 'Later']");
    let bram = notifications.wait_for("Bram", SOON).unwrap();
    let chiara = notifications.wait_for("for 30 minutes", SOON).unwrap();
    assert_eq!((bram.app.as_str(), bram.urgency.as_str()), ("Daypass", "CRITICAL"));
    assert_eq!(chiara.summary, "Chiara waits");
    assert!(bram.body.contains("risk 61"), "{}", bram.body);
    assert!(bram.at <= chiara.at);
    assert_eq!(notifications.on_screen().unwrap(), 2);
    notifications.press(&bram, "Later").unwrap();
    let invoked = lines.map_while(Result::ok).find(|line| line.contains("ActionInvoked")).unwrap();
    assert!(invoked.contains(&format!("(uint32 {}, 'later')", bram.id)), "{invoked}");
    assert!(notifications.press(&chiara, "Deny").unwrap_err().to_string().contains("#Later (Chiara waits)"));
    notifications.close_all().unwrap();
    wait_until("an empty screen", SOON, || {
        anyhow::ensure!(notifications.on_screen()? == 0, "something is there");
        Ok(())
    })
    .unwrap();
    assert_eq!(notifications.shown().unwrap().len(), 2);
    monitor.kill().unwrap();
    monitor.wait().unwrap();
}

#[test]
fn two_desks_stand_side_by_side_and_leave_nothing() {
    let desks = [Desk::start().unwrap(), Desk::start().unwrap()];
    let [ada, bram] = &desks;
    assert_ne!(ada.display.name(), bram.display.name());
    run(ada.command(Path::new("notify-send")).args(["--app-name=probe", "Only for Ada", "body"]));
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
