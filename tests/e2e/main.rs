//! The real application, the real server, real keychains and desktops, a real database.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod desk;
mod keychain;
mod main_job;

use std::time::Duration;

use anyhow::{Result, ensure};
use daypass_testkit::wait_until;
use daypass_tour::{Person, World, shop};

const SOON: Duration = Duration::from_secs(30);

/// A world in which write access to production lasts at most this long, and so every preset is just that.
fn world(longest: &str) -> World {
    let change = |obligations: String| {
        let (before, after) = obligations.split_once("@id(\"prod-write-senior\")").unwrap();
        let after = after.replacen("@max_duration(\"4h\")", &format!("@max_duration(\"{longest}\")"), 1);
        Ok(format!("{before}@id(\"prod-write-senior\"){after}"))
    };
    World::serve(shop().unwrap(), change).unwrap()
}

fn signed_in(world: &World, user: &str) -> Person {
    let person = world.person(user).unwrap();
    person.sign_in().unwrap();
    person
}

/// Asks for write access to the shop's production database in the window.
fn ask(person: &Person, seconds: u32) {
    person.window.click("[data-test=nav-access]").unwrap();
    person.window.click("[data-test=ask-shop-db-write]").unwrap();
    person.window.click(&format!("[data-test=duration-{seconds}]")).unwrap();
    person.window.fill("[data-test=reason]", "INC-2041: orders stuck in payment since 03:10").unwrap();
    person.window.wait_for("[data-test=risk-points]").unwrap();
    person.window.click("[data-test=submit]:not([disabled])").unwrap();
    person.window.wait_for("[data-test=submitted]").unwrap();
}

/// Approves the request that waits, in the window.
fn approve(person: &Person) {
    person.window.click("[data-test=nav-review]").unwrap();
    person.window.wait_for("[data-test=detail]").unwrap();
    person.window.click("[data-test=approve]").unwrap();
    person.window.click("[data-test=confirm]").unwrap();
}

/// Maya at her desk with a live grant, and its credential in her keychain.
fn with_access(world: &World, seconds: u32) -> Person {
    let (maya, sam) = (signed_in(world, "maya"), signed_in(world, "sam"));
    ask(&maya, seconds);
    approve(&sam);
    maya.credential().unwrap();
    maya
}

fn wait_for_empty_keychain(person: &Person) {
    wait_until("no credential in the keychain", SOON, || {
        let left = person.credentials()?;
        ensure!(left.is_empty(), "it holds {left:?}");
        Ok(())
    })
    .unwrap();
}

fn wait_for_no_account(world: &World) {
    wait_until("no account in the target", SOON, || {
        let left = world.accounts()?;
        ensure!(left.is_empty(), "there are {left:?}");
        Ok(())
    })
    .unwrap();
}

/// Waits until a command's output contains a text.
fn wait_for_output(what: &str, text: &str, mut run: impl FnMut() -> Result<String>) {
    wait_until(what, SOON, || {
        let said = run()?;
        ensure!(said.contains(text), "it says {said:?}");
        Ok(())
    })
    .unwrap();
}
