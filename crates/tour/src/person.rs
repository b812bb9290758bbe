//! A person at a desk, with the application in front of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use daypass_testkit::{Desk, KeychainState, Window, built_program, wait_until};

use crate::browser::Browser;
use crate::{PASSWORD, Secret};

const SOON: Duration = Duration::from_secs(30);

/// A desk, a browser and the application's window.
#[derive(Debug)]
pub struct Person {
    pub user: String,
    pub window: Window,
    pub desk: Desk,
    browser: Browser,
    address: String,
}

impl Person {
    pub(crate) fn arrive(user: &str, address: &str) -> Result<Self> {
        Self::arrive_with(user, address, KeychainState::Unlocked)
    }

    /// The same with a keychain in another state.
    pub fn arrive_with(user: &str, address: &str, keychain: KeychainState) -> Result<Self> {
        let desk = Desk::with_keychain(keychain)?;
        let browser = Browser::new()?;
        let window = open(&desk, &browser, address)?;
        Ok(Self { user: user.to_owned(), window, desk, browser, address: address.to_owned() })
    }

    /// Goes through the sign-in page: finds the server, accepts its certificate, signs in by the browser.
    pub fn sign_in(&self) -> Result<()> {
        self.find_server()?;
        self.accept_and_sign_in()
    }

    /// From the fingerprint on.
    pub fn accept_and_sign_in(&self) -> Result<()> {
        self.continue_in_browser()?;
        self.window.wait_for("[data-test=nav-access]")?;
        Ok(())
    }

    /// Signs in by the browser, whatever the application then makes of it.
    pub fn continue_in_browser(&self) -> Result<()> {
        self.window.click("[data-test=sign-in]")?;
        self.browser.sign_in(&self.user, PASSWORD)
    }

    /// As far as the fingerprint.
    pub fn find_server(&self) -> Result<()> {
        self.window.fill("[data-test=server-address]", &self.address)?;
        self.window.click("[data-test=find-server]")?;
        self.window.wait_for("[data-test=fingerprint]")?;
        Ok(())
    }

    /// Where the application keeps its files at this desk.
    pub fn files(&self) -> PathBuf {
        self.desk.bus.home().join(".local/share/daypass")
    }

    /// What the keychain holds of grants: the users of its items.
    pub fn credentials(&self) -> Result<Vec<String>> {
        credentials(&self.desk)
    }

    /// Waits for a credential in the keychain, and reads it from outside.
    pub fn credential(&self) -> Result<Secret> {
        let user = wait_until("a credential in the keychain", SOON, || {
            self.credentials()?.pop().context("it holds none")
        })?;
        let kept = self.desk.keychain.lookup(&[("service", "daypass"), ("username", &user)])?;
        Secret::read(&kept.context("the credential went away")?)
    }

    /// Ends the application as a crash would.
    pub fn crash(self) -> Result<Away> {
        let Self { user, window, desk, browser, address } = self;
        window.kill9();
        Ok(Away { user, desk, browser, address })
    }

    pub fn screenshot(&self, file: &Path) -> Result<()> {
        self.window.screenshot(file)
    }
}

/// A person whose application does not run.
#[derive(Debug)]
pub struct Away {
    user: String,
    desk: Desk,
    browser: Browser,
    address: String,
}

impl Away {
    /// What the keychain holds of grants.
    pub fn credentials(&self) -> Result<Vec<String>> {
        credentials(&self.desk)
    }

    /// Starts the application again at the same desk.
    pub fn come_back(self) -> Result<Person> {
        let Self { user, desk, browser, address } = self;
        let window = open(&desk, &browser, &address)?;
        Ok(Person { user, window, desk, browser, address })
    }
}

fn credentials(desk: &Desk) -> Result<Vec<String>> {
    let items = desk.keychain.search(&[("service", "daypass")])?;
    let users = items.iter().filter_map(|item| item.attributes.get("username").cloned());
    Ok(users.filter(|user| user.starts_with("grant:")).collect())
}

fn open(desk: &Desk, browser: &Browser, address: &str) -> Result<Window> {
    let program = built_program("daypass")?;
    let browser = browser.program();
    let browser = browser.to_string_lossy();
    let env = [("BROWSER", browser.as_ref()), ("DAYPASS_SERVER", address), ("RUST_LOG", "info")];
    Window::open(desk, &program, &[] as &[&str], &env)
}
