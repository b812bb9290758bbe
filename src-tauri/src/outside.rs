//! The controller's effects, done for real.

use std::path::PathBuf;

use daypass_client::{Handle, Integration, Notification, TrayModel};
use daypass_protocol::bridge::{NAVIGATE_EVENT, Page, SNAPSHOT_EVENT, Settings, Snapshot, Theme};
use secrecy::SecretString;
use tauri::{AppHandle, Emitter as _, Manager as _};
use tauri_plugin_autostart::ManagerExt as _;

use crate::clipboard::Clipboard;
use crate::notifications::Notifications;
use crate::{tray, windows};

pub(crate) struct Outside {
    app: AppHandle,
    clipboard: Clipboard,
    notifications: Notifications,
}

impl Outside {
    pub(crate) fn new(app: AppHandle, clipboard: Clipboard) -> Self {
        let notifications = Notifications::default();
        app.manage(notifications.clone());
        Self { app, clipboard, notifications }
    }

    fn emit(&self, event: &str, payload: &impl serde::Serialize) {
        if let Err(error) = self.app.emit(event, payload) {
            tracing::warn!(event, %error, "the windows are not told");
        }
    }
}

impl Integration for Outside {
    fn snapshot(&mut self, snapshot: &Snapshot) {
        self.emit(SNAPSHOT_EVENT, snapshot);
    }

    fn tray(&mut self, model: &TrayModel) {
        tray::show(&self.app, model.clone());
    }

    fn notify(&mut self, notification: Notification) {
        self.notifications.show(&self.app, notification);
    }

    fn open_browser(&mut self, url: &str) {
        let (app, url) = (self.app.clone(), url.to_owned());
        // Some browsers answer only when they are closed.
        std::thread::spawn(move || {
            if let Err(error) = webbrowser::open(&url)
                && let Some(handle) = app.try_state::<Handle>()
            {
                handle.browser_failed(error.to_string());
            }
        });
    }

    fn copy(&mut self, text: SecretString) {
        self.clipboard.copy(text);
    }

    fn clear_copied(&mut self) {
        self.clipboard.clear_copied();
    }

    fn navigate(&mut self, page: Page) {
        windows::show_main(&self.app);
        self.emit(NAVIGATE_EVENT, &page);
    }

    fn settings(&mut self, settings: &Settings) {
        self.app.set_theme(match settings.theme {
            Theme::System => None,
            Theme::Light => Some(tauri::Theme::Light),
            Theme::Dark => Some(tauri::Theme::Dark),
        });
        let launch = self.app.autolaunch();
        let on = launch.is_enabled().unwrap_or(false);
        let result = match (settings.start_at_login, on) {
            (true, false) => launch.enable(),
            (false, true) => launch.disable(),
            _ => Ok(()),
        };
        if let Err(error) = result {
            tracing::warn!(%error, "starting at login cannot be changed");
        }
    }

    fn downloads(&self) -> PathBuf {
        let path = self.app.path();
        let home = || path.home_dir().map(|home| home.join("Downloads"));
        path.download_dir().or_else(|_| home()).unwrap_or_else(|_| std::env::temp_dir())
    }
}
