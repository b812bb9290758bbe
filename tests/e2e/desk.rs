//! The tray, the notifications and the clipboard.

use std::path::Path;

use daypass_testkit::wait_until;

use crate::{SOON, signed_in, wait_for_empty_keychain, wait_for_no_account, wait_for_output, world};

#[test]
fn asked_decided_used_and_given_back_from_the_tray() {
    let world = world("10m");
    let (maya, sam) = (signed_in(&world, "maya"), signed_in(&world, "sam"));
    // What was asked for once is offered in the tray, prefilled: two keystrokes ask for it again.
    crate::ask(&maya, 600);
    sam.desk.tray.click(&["1 request waits for you"]).unwrap();
    sam.window.wait_for("[data-test=detail]").unwrap();
    sam.window.click("[data-test=deny]").unwrap();
    sam.window.fill("[data-test=note]", "Wait for the nightly job to finish").unwrap();
    sam.window.click("[data-test=confirm]").unwrap();
    let denied = maya.desk.notifications.wait_for("denied", SOON).unwrap();
    assert!(format!("{} {}", denied.summary, denied.body).contains("nightly job"), "why is told: {denied:?}");

    maya.desk.tray.click(&["Request access", "Shop database"]).unwrap();
    maya.window.switch_to("quick").unwrap();
    maya.window.wait_for("[data-test=submit]:not([disabled])").unwrap();
    maya.window.press("Control+Enter").unwrap();
    wait_for_output("a request in Sam's tray", "1 request waits", || sam.desk.tray.menu_text());
    sam.window.click("[data-test=nav-review]").unwrap();
    crate::approve(&sam);

    maya.credential().unwrap();
    maya.desk.tray.click(&["Shop database", "Copy connection command"]).unwrap();
    let clipboard = || {
        let mut xclip = maya.desk.command(Path::new("xclip"));
        let said = xclip.args(["-selection", "clipboard", "-o"]).output()?;
        Ok(String::from_utf8_lossy(&said.stdout).into_owned())
    };
    wait_for_output("the command on the clipboard", "psql ", clipboard);
    let secret = maya.credential().unwrap();
    assert!(!clipboard().unwrap().contains(&secret.password));
    maya.desk.tray.click(&["Shop database", "Copy password"]).unwrap();
    wait_for_output("the password on the clipboard", &secret.password, clipboard);

    maya.desk.tray.click(&["Shop database", "Release"]).unwrap();
    wait_for_empty_keychain(&maya);
    wait_for_no_account(&world);
    wait_until("the clipboard to be cleared", std::time::Duration::from_secs(45), || {
        anyhow::ensure!(!clipboard()?.contains(&secret.password), "it still holds the password");
        Ok(())
    })
    .unwrap();
}

#[test]
fn closing_the_window_keeps_the_application_in_the_tray() {
    let world = world("10m");
    let maya = signed_in(&world, "maya");
    maya.desk.display.close_window("Daypass").unwrap();
    maya.window.pid().expect("the application goes on");
    maya.desk.tray.click(&["Open Daypass"]).unwrap();
    wait_until("the window to come back", SOON, || {
        anyhow::ensure!(maya.desk.display.shows("Daypass")?, "it is hidden");
        Ok(())
    })
    .unwrap();
}
