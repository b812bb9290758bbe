//! The main job as two people do it.

use std::time::Duration;

use anyhow::ensure;
use daypass_testkit::{psql_command, wait_until};

use crate::{SOON, approve, ask, signed_in, wait_for_empty_keychain, wait_for_no_account, world};

#[test]
fn asked_approved_used_and_over_for_both_also_offline() {
    let mut world = world("25s");
    let (maya, sam) = (signed_in(&world, "maya"), signed_in(&world, "sam"));
    ask(&maya, 25);
    let told = sam.desk.notifications.wait_for("Maya Olsen", SOON).unwrap();
    assert!(format!("{} {}", told.summary, told.body).contains("risk"), "the risk is told: {told:?}");
    approve(&sam);

    let secret = maya.credential().unwrap();
    assert!(sam.credentials().unwrap().is_empty(), "nothing at the approver's desk");
    assert_eq!(world.accounts().unwrap(), std::slice::from_ref(&secret.username));
    let changed = secret
        .psql(&world.postgres, "UPDATE orders SET status = status WHERE id <= 12 RETURNING id")
        .unwrap();
    assert_eq!(changed.lines().count(), 12);
    maya.desk.notifications.wait_for("active", SOON).unwrap();

    // The page and the files on disk never hold the secret.
    maya.window.click("[data-test=nav-my-access]").unwrap();
    maya.window.wait_for("[data-test=copy-command]").unwrap();
    let page = maya.window.eval_js("return document.documentElement.outerHTML", &[]).unwrap().to_string();
    assert!(!page.contains(&secret.password));
    for file in std::fs::read_dir(maya.files()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(secret.password.len()).any(|w| w == secret.password.as_bytes());
            assert!(!found, "{} holds the password", path.display());
        }
    }

    let mut session = psql_command(&secret.url(&world.postgres)).unwrap();
    let mut session = session.args(["-c", "SELECT pg_sleep(600)"]).spawn().unwrap();
    let cut = wait_until("the session to be cut", SOON, || {
        session.try_wait()?.ok_or_else(|| anyhow::anyhow!("psql is still connected"))
    });
    assert!(!cut.unwrap().success());
    wait_for_empty_keychain(&maya);
    wait_for_no_account(&world);
    assert!(secret.psql(&world.postgres, "SELECT 1").is_err(), "psql is refused afterwards");
    maya.desk.notifications.wait_for("ended", SOON).unwrap();

    world.server.kill9();
    for person in [&maya, &sam] {
        person.window.wait_for("[data-test=banner]").unwrap();
        person.window.click("[data-test=nav-history]").unwrap();
        person.window.wait_text("Maya Olsen asked for write").unwrap();
        person.window.wait_text("Sam Okafor approved").unwrap();
    }
    world.server.start_again().unwrap();
    maya.window.wait_gone("[data-test=banner]").unwrap();
}

#[test]
fn a_request_whose_answer_is_lost_is_kept_and_is_there_once_when_it_is_sent_again() {
    let world = world("10m");
    let (maya, sam) = (signed_in(&world, "maya"), signed_in(&world, "sam"));
    maya.window.click("[data-test=ask-shop-db-write]").unwrap();
    maya.window.click("[data-test=duration-600]").unwrap();
    maya.window.fill("[data-test=reason]", "INC-2041: orders stuck in payment").unwrap();
    maya.window.wait_for("[data-test=submit]:not([disabled])").unwrap();
    // The server takes the request, and is too slow to answer.
    world.server.freeze();
    maya.window.click("[data-test=submit]").unwrap();
    wait_until("the form to say so", Duration::from_secs(60), || {
        maya.window.find("[data-test=form-failure]")
    })
    .unwrap();
    assert_eq!(maya.window.value("[data-test=reason]").unwrap(), "INC-2041: orders stuck in payment");
    world.server.thaw();
    maya.window.click("[data-test=submit]:not([disabled])").unwrap();
    maya.window.wait_for("[data-test=submitted]").unwrap();
    sam.window.click("[data-test=nav-review]").unwrap();
    sam.window.wait_for("[data-test=detail]").unwrap();
    assert_eq!(sam.window.count("[data-test^=queue-]").unwrap(), 1, "it is there once");
}

#[test]
fn another_certificate_is_refused_with_a_warning() {
    let mut world = world("10m");
    let maya = signed_in(&world, "maya");
    world.server.stop();
    world.forget_certificate().unwrap();
    world.server.start_again().unwrap();
    wait_until("a warning about the certificate", SOON, || {
        let page = maya.window.page_text()?.to_lowercase();
        ensure!(page.contains("certificate"), "the page says nothing of it");
        Ok(())
    })
    .unwrap();
}
