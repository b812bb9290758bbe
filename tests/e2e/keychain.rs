//! Credentials are in the keychain only while their grant lives, whatever happens to the machine.

use std::time::Duration;

use anyhow::ensure;
use daypass_testkit::{KeychainState, wait_until};
use daypass_tour::Person;

use crate::{SOON, wait_for_empty_keychain, wait_for_no_account, with_access, world};

#[test]
fn what_ended_while_the_application_was_dead_is_wiped_when_it_starts() {
    let world = world("25s");
    let maya = with_access(&world, 25);
    let maya = maya.crash().unwrap();
    wait_for_no_account(&world);
    assert_eq!(maya.credentials().unwrap().len(), 1, "nobody was there to wipe it");
    let maya = maya.come_back().unwrap();
    wait_for_empty_keychain(&maya);
}

#[test]
fn a_live_credential_survives_a_crash_and_is_not_fetched_again() {
    let world = world("10m");
    let maya = with_access(&world, 600);
    let before = maya.credential().unwrap();
    let maya = maya.crash().unwrap().come_back().unwrap();
    maya.window.click("[data-test=nav-my-access]").unwrap();
    maya.window.wait_for("[data-test=copy-password]").unwrap();
    assert_eq!(maya.credential().unwrap().password, before.password);
    before.psql(&world.postgres, "SELECT 1").unwrap();
}

#[test]
fn a_locked_keychain_delays_the_wipe_until_it_is_unlocked() {
    let world = world("20s");
    let maya = with_access(&world, 20);
    maya.desk.keychain.lock().unwrap();
    wait_for_no_account(&world);
    maya.window.click("[data-test=nav-my-access]").unwrap();
    wait_until("the window to tell of the locked keychain", SOON, || {
        let page = maya.window.page_text()?;
        ensure!(page.to_lowercase().contains("locked"), "it says {page:?}");
        Ok(())
    })
    .unwrap();
    maya.desk.keychain.restart(KeychainState::Unlocked).unwrap();
    wait_for_empty_keychain(&maya);
}

#[test]
fn without_a_keychain_nobody_signs_in_and_the_window_says_why() {
    let world = world("10m");
    let maya = Person::arrive_with("maya", &world.address(), KeychainState::Missing).unwrap();
    maya.find_server().unwrap();
    maya.window.click("[data-test=sign-in]").unwrap();
    wait_until("the window to tell of the missing keychain", SOON, || {
        let page = maya.window.page_text()?;
        ensure!(page.to_lowercase().contains("keychain"), "it says {page:?}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn signing_out_leaves_nothing() {
    let world = world("10m");
    let maya = with_access(&world, 600);
    maya.window.click("[data-test=nav-settings]").unwrap();
    maya.window.click("[data-test=sign-out]").unwrap();
    maya.window.click("[data-test=confirm]").unwrap();
    maya.window.wait_for("[data-test=find-server]").unwrap();
    wait_until("an empty keychain", Duration::from_secs(20), || {
        let left = maya.desk.keychain.search(&[("service", "daypass")])?;
        ensure!(left.is_empty(), "it holds {left:?}");
        Ok(())
    })
    .unwrap();
}
