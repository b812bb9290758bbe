//! The windows: the main one, which hides in the tray when it is closed, and the small one for a quick request.

use std::path::PathBuf;
use std::time::Duration;

use daypass_client::Notification;
use daypass_domain::Entitlement;
use daypass_protocol::bridge::{NAVIGATE_EVENT, Page};
use tauri::{AppHandle, Emitter as _, Manager as _, WebviewUrl, WebviewWindowBuilder, Window, WindowEvent};

use crate::notifications::Notifications;

pub(crate) const MAIN: &str = "main";
pub(crate) const QUICK: &str = "quick";

/// Where this device's data is.
pub(crate) struct DataFolder(pub(crate) PathBuf);

pub(crate) fn make_main(app: &AppHandle, visible: bool) -> tauri::Result<()> {
    WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App("index.html".into()))
        .title("Daypass")
        .inner_size(1120.0, 760.0)
        .min_inner_size(860.0, 560.0)
        .center()
        .visible(visible)
        .build()?;
    Ok(())
}

/// Brings the main window to the front.
pub(crate) fn show_main(app: &AppHandle) {
    let Some(window) = app.get_webview_window(MAIN) else { return };
    let shown = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::warn!(%error, "the window is not shown");
    }
}

pub(crate) fn show_page(app: &AppHandle, page: Page) {
    show_main(app);
    if let Err(error) = app.emit_to(MAIN, NAVIGATE_EVENT, page) {
        tracing::warn!(%error, "the page is not shown");
    }
}

/// Opens the small window at the form for one entitlement, in place of one that is open.
pub(crate) fn show_quick(app: &AppHandle, entitlement: Entitlement) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if let Some(window) = app.get_webview_window(QUICK) {
            if let Err(error) = window.destroy() {
                tracing::warn!(%error, "the quick window does not close");
            }
            // The label is free when the loop has taken the window away.
            for _ in 0..50 {
                if app.get_webview_window(QUICK).is_none() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        let path = format!("index.html#/quick/{}/{}", entitlement.resource, entitlement.level);
        let built = WebviewWindowBuilder::new(&app, QUICK, WebviewUrl::App(path.into()))
            .title("Request access · Daypass")
            .inner_size(480.0, 560.0)
            .min_inner_size(420.0, 420.0)
            .center()
            .focused(true)
            .build();
        if let Err(error) = built {
            tracing::warn!(%error, "the quick window does not open");
        }
    });
}

pub(crate) fn on_event(window: &Window, event: &WindowEvent) {
    if let WindowEvent::CloseRequested { api, .. } = event
        && window.label() == MAIN
    {
        api.prevent_close();
        if let Err(error) = window.hide() {
            tracing::warn!(%error, "the window does not hide");
        }
        tell_of_the_tray(window.app_handle());
    }
}

/// Once per device: closing is not quitting.
fn tell_of_the_tray(app: &AppHandle) {
    let (Some(folder), Some(notifications)) =
        (app.try_state::<DataFolder>(), app.try_state::<Notifications>())
    else {
        return;
    };
    let told = folder.0.join("told-of-the-tray");
    match std::fs::File::create_new(&told) {
        Ok(_) => notifications.show(
            app,
            Notification {
                tag: "tray".into(),
                title: "Daypass goes on in the tray".into(),
                body: "It wipes credentials when their time is over. Quit it from its menu there.".into(),
                page: Page::MyAccess,
                urgent: false,
            },
        ),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => tracing::info!(%error, "the hint about the tray is not kept"),
    }
}
