//! One person's desk: everything that the application meets on a desktop, apart from everyone else's.

use std::{ffi::OsString, path::Path, process::Command};

use anyhow::Result;

use crate::{Bus, Display, Keychain, KeychainState, Notifications, Tray, bus::clean};

/// A session bus, a display, a keychain, a notification daemon and a tray. Several stand side by side.
#[derive(Debug)]
pub struct Desk {
    // Ends in this order: those who live on the bus before the bus.
    pub tray: Tray,
    pub notifications: Notifications,
    pub keychain: Keychain,
    pub display: Display,
    pub bus: Bus,
}

impl Desk {
    /// A desk with an unlocked, empty keychain.
    ///
    /// # Errors
    /// When one of its parts is not installed, or does not come up.
    pub fn start() -> Result<Self> {
        Self::with_keychain(KeychainState::Unlocked)
    }

    /// # Errors
    /// As [`Desk::start`].
    pub fn with_keychain(state: KeychainState) -> Result<Self> {
        let bus = Bus::start()?;
        let display = Display::start()?;
        let keychain = Keychain::start_as(&bus, state)?;
        let notifications = Notifications::start(&bus, &display)?;
        let tray = Tray::watch(&bus)?;
        Ok(Self { tray, notifications, keychain, display, bus })
    }

    /// What a program needs in its environment to be at this desk. The program must not also see the desktop that the
    /// tests are started from: use [`Desk::command`] where possible.
    #[must_use]
    pub fn env(&self) -> Vec<(OsString, OsString)> {
        let mut env = self.bus.env();
        env.extend(self.display.env());
        env
    }

    /// A command that runs at this desk and sees no other.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        clean(&mut command);
        command.envs(self.env());
        command
    }
}
