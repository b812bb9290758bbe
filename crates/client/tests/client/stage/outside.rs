//! The outside world of one device: it writes everything down, and its browser does what the person would.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use daypass_client::{Integration, Notification, TrayModel};
use daypass_protocol::bridge::{Page, Settings, Snapshot};
use secrecy::{ExposeSecret as _, SecretString};

#[derive(Clone)]
pub struct Seen(pub Arc<Mutex<SeenInner>>);

pub struct SeenInner {
    pub snapshot: Option<Snapshot>,
    /// Every snapshot as the front end gets it.
    pub told: Vec<String>,
    pub tray: Option<TrayModel>,
    pub notifications: Vec<Notification>,
    pub urls: Vec<String>,
    pub clipboard: Option<String>,
    pub pages: Vec<Page>,
    copied: Option<String>,
    downloads: PathBuf,
}

impl Seen {
    pub fn new(downloads: PathBuf) -> Self {
        Self(Arc::new(Mutex::new(SeenInner {
            snapshot: None,
            told: Vec::new(),
            tray: None,
            notifications: Vec::new(),
            urls: Vec::new(),
            clipboard: None,
            pages: Vec::new(),
            copied: None,
            downloads,
        })))
    }

    pub fn clipboard(&self) -> Option<String> {
        self.0.lock().unwrap().clipboard.clone()
    }

    /// Someone copies something else.
    pub fn copy_by_hand(&self, text: &str) {
        self.0.lock().unwrap().clipboard = Some(text.into());
    }

    pub fn notified(&self, words: &str) -> usize {
        let seen = self.0.lock().unwrap();
        seen.notifications.iter().filter(|n| format!("{}\n{}", n.title, n.body).contains(words)).count()
    }
}

impl Integration for Seen {
    fn snapshot(&mut self, snapshot: &Snapshot) {
        let mut seen = self.0.lock().unwrap();
        seen.told.push(serde_json::to_string(snapshot).unwrap());
        seen.snapshot = Some(snapshot.clone());
    }

    fn tray(&mut self, tray: &TrayModel) {
        self.0.lock().unwrap().tray = Some(tray.clone());
    }

    fn notify(&mut self, notification: Notification) {
        self.0.lock().unwrap().notifications.push(notification);
    }

    fn open_browser(&mut self, url: &str) {
        self.0.lock().unwrap().urls.push(url.into());
    }

    fn copy(&mut self, text: SecretString) {
        let mut seen = self.0.lock().unwrap();
        seen.clipboard = Some(text.expose_secret().into());
        seen.copied = seen.clipboard.clone();
    }

    fn clear_copied(&mut self) {
        let mut seen = self.0.lock().unwrap();
        if seen.copied.take() == seen.clipboard {
            seen.clipboard = None;
        }
    }

    fn navigate(&mut self, page: Page) {
        self.0.lock().unwrap().pages.push(page);
    }

    fn settings(&mut self, _settings: &Settings) {}

    fn downloads(&self) -> PathBuf {
        self.0.lock().unwrap().downloads.clone()
    }
}
