//! What the controller does to the world outside: the shell does it for real, a test writes it down.

use std::path::PathBuf;

use daypass_protocol::bridge::{Page, Settings, Snapshot};
use secrecy::SecretString;

use crate::tray::TrayModel;

/// The effects of the controller. None of them may block: the wipe of a credential waits for them.
pub trait Integration: Send + 'static {
    /// The state changed.
    fn snapshot(&mut self, snapshot: &Snapshot);

    /// The tray's icon or menu changed.
    fn tray(&mut self, tray: &TrayModel);

    fn notify(&mut self, notification: Notification);

    /// Opens the system browser. A failure found later is told by [`crate::Handle::browser_failed`].
    fn open_browser(&mut self, url: &str);

    /// Puts a text on the clipboard.
    fn copy(&mut self, text: SecretString);

    /// Empties the clipboard if it still holds what [`Integration::copy`] put there last.
    fn clear_copied(&mut self);

    /// Shows the main window at this page.
    fn navigate(&mut self, page: Page);

    /// Settings were changed or loaded.
    fn settings(&mut self, settings: &Settings);

    /// Where a person expects files that they asked for.
    fn downloads(&self) -> PathBuf;
}

/// A message on the desktop, outside the window. Its only action is to open a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// The same tag replaces the message before.
    pub tag: String,
    pub title: String,
    pub body: String,
    pub page: Page,
    /// Stays until it is closed.
    pub urgent: bool,
}
