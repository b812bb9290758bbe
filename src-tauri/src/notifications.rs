//! Native notifications. Each waits on a thread of its own for its one action: to open its page.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use daypass_client::Notification;
use daypass_protocol::bridge::Page;
use tauri::AppHandle;

use crate::windows;

/// What is on the screen by its tag: the daemon's id, and which of several in a row it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notifications(Arc<Mutex<HashMap<String, Shown>>>);

#[derive(Clone, Copy, Debug, Default)]
struct Shown {
    id: u32,
    turn: u64,
}

impl Notifications {
    pub(crate) fn show(&self, app: &AppHandle, notification: Notification) {
        let (known, app) = (self.clone(), app.clone());
        let spawned = std::thread::Builder::new()
            .name("notification".into())
            .spawn(move || known.show_and_wait(&app, &notification));
        if let Err(error) = spawned {
            tracing::warn!(%error, "a notification is not shown");
        }
    }

    fn show_and_wait(&self, app: &AppHandle, notification: &Notification) {
        let tag = notification.tag.clone();
        let before = {
            let mut known = self.lock();
            let shown = known.entry(tag.clone()).or_default();
            shown.turn += 1;
            *shown
        };
        match display(notification, before.id) {
            Ok(handle) => {
                if let Some(shown) = self.lock().get_mut(&tag) {
                    shown.id = id_of(&handle);
                }
                self.wait(app, &tag, before.turn, notification.page.clone(), handle);
            }
            Err(error) => tracing::warn!(%error, "a notification is not shown"),
        }
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    fn wait(
        &self,
        app: &AppHandle,
        tag: &str,
        turn: u64,
        page: Page,
        handle: notify_rust::NotificationHandle,
    ) {
        handle.wait_for_action(|action| {
            // One that replaced this has its own thread, and hears of the same action.
            let current = self.lock().get(tag).is_some_and(|shown| shown.turn == turn);
            if !current {
                return;
            }
            self.lock().remove(tag);
            if matches!(action, "default" | "open") {
                windows::show_page(app, page);
            }
        });
    }

    #[cfg(not(all(unix, not(target_os = "macos"))))]
    fn wait(
        &self,
        _app: &AppHandle,
        _tag: &str,
        _turn: u64,
        _page: Page,
        _handle: notify_rust::NotificationHandle,
    ) {
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Shown>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn display(
    notification: &Notification,
    replaces: u32,
) -> Result<notify_rust::NotificationHandle, notify_rust::error::Error> {
    let mut native = notify_rust::Notification::new();
    native.appname("Daypass").summary(&notification.title).body(&escaped(&notification.body)).icon("daypass");
    #[cfg(all(unix, not(target_os = "macos")))]
    {
        native.action("default", "Open").hint(notify_rust::Hint::DesktopEntry("Daypass".into()));
        if notification.urgent {
            native.urgency(notify_rust::Urgency::Critical).timeout(notify_rust::Timeout::Never);
        }
        if replaces != 0 {
            native.id(replaces);
        }
    }
    native.show()
}

/// Bodies are markup to most daemons; names and reasons come from people.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(all(unix, not(target_os = "macos")))]
fn id_of(handle: &notify_rust::NotificationHandle) -> u32 {
    handle.id()
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn id_of(_handle: &notify_rust::NotificationHandle) -> u32 {
    0
}
