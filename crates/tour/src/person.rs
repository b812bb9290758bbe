//! A person at a desk, with the application in front of them.

use std::path::{Path, PathBuf};

use anyhow::Result;
use daypass_testkit::{Desk, KeychainState, Window, built_program};

use crate::PASSWORD;
use crate::browser::Browser;

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
        self.window.click("[data-test=sign-in]")?;
        self.browser.sign_in(&self.user, PASSWORD)?;
        self.window.wait_for("[data-test=nav-access]")?;
        Ok(())
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

    /// Ends the application as a crash would, and starts it again at the same desk.
    pub fn crash_and_return(self) -> Result<Self> {
        let Self { user, window, desk, browser, address } = self;
        window.kill9();
        let window = open(&desk, &browser, &address)?;
        Ok(Self { user, window, desk, browser, address })
    }

    pub fn screenshot(&self, file: &Path) -> Result<()> {
        self.window.screenshot(file)
    }
}

fn open(desk: &Desk, browser: &Browser, address: &str) -> Result<Window> {
    let program = built_program("daypass")?;
    let browser = browser.program();
    let browser = browser.to_string_lossy();
    let env = [("BROWSER", browser.as_ref()), ("DAYPASS_SERVER", address), ("RUST_LOG", "info")];
    Window::open(desk, &program, &[] as &[&str], &env)
}
