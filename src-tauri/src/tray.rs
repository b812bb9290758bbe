//! The tray. Every action is a menu item: clicks on the icon itself do not arrive everywhere.

use std::sync::{Mutex, PoisonError};

use daypass_client::{Handle, Notification, TrayIcon, TrayModel};
use daypass_domain::{Entitlement, GrantId, ResourceId};
use daypass_protocol::bridge::{Intent, Page};
use tauri::image::Image;
use tauri::menu::{IsMenuItem, Menu, MenuBuilder, MenuItem, Submenu, SubmenuBuilder};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Manager as _, Wry};

use crate::notifications::Notifications;
use crate::{links, windows};

const ID: &str = "daypass";

pub(crate) fn set_up(app: &AppHandle) -> tauri::Result<()> {
    app.manage(Last::default());
    let menu = MenuBuilder::new(app).text("open", "Open Daypass").text("quit", "Quit").build()?;
    TrayIconBuilder::with_id(ID)
        .icon(icon(TrayIcon::Idle)?)
        .tooltip("Daypass")
        .menu(&menu)
        .on_menu_event(|app, event| on_menu(app, event.id().as_ref()))
        .build(app)?;
    Ok(())
}

/// Shows a new state. Menus belong to the main thread; nobody waits for it.
pub(crate) fn show(app: &AppHandle, model: TrayModel) {
    let on_main = app.clone();
    let asked = app.run_on_main_thread(move || {
        if let Err(error) = draw(&on_main, &model) {
            tracing::warn!(%error, "the tray is not drawn");
        }
    });
    if let Err(error) = asked {
        tracing::warn!(%error, "the tray is not drawn");
    }
}

/// What the tray shows now, and the parts of it whose words change.
struct Drawn {
    model: TrayModel,
    state: MenuItem<Wry>,
    grants: Vec<Submenu<Wry>>,
    reviews: Option<MenuItem<Wry>>,
}

/// Only the main thread draws; the lock is for the type system.
#[derive(Default)]
struct Last(Mutex<Option<Drawn>>);

fn draw(app: &AppHandle, model: &TrayModel) -> tauri::Result<()> {
    let Some(tray) = app.tray_by_id(ID) else { return Ok(()) };
    let held = app.state::<Last>();
    let mut last = held.0.lock().unwrap_or_else(PoisonError::into_inner);
    if last.as_ref().is_none_or(|drawn| drawn.model.icon != model.icon) {
        tray.set_icon(Some(icon(model.icon)?))?;
    }
    let drawn = match last.take() {
        // A new menu closes the one that a person has open: words alone are changed in place.
        Some(mut drawn) if drawn.model.has_shape_of(model) => {
            drawn.say(model)?;
            drawn
        }
        _ => {
            let (menu, drawn) = menu(app, model)?;
            tray.set_menu(Some(menu))?;
            drawn
        }
    };
    tray.set_tooltip(Some(format!("Daypass · {}", model.state)))?;
    *last = Some(drawn);
    Ok(())
}

impl Drawn {
    fn say(&mut self, model: &TrayModel) -> tauri::Result<()> {
        if self.model.state != model.state {
            self.state.set_text(&model.state)?;
        }
        for ((item, before), now) in self.grants.iter().zip(&self.model.grants).zip(&model.grants) {
            if before.label != now.label {
                item.set_text(&now.label)?;
            }
        }
        if let Some(item) = self.reviews.as_ref().filter(|_| self.model.reviews != model.reviews) {
            item.set_text(waiting(model.reviews))?;
        }
        self.model = model.clone();
        Ok(())
    }
}

fn waiting(reviews: usize) -> String {
    match reviews {
        1 => "1 request waits for you".to_owned(),
        n => format!("{n} requests wait for you"),
    }
}

fn menu(app: &AppHandle, model: &TrayModel) -> tauri::Result<(Menu<Wry>, Drawn)> {
    let state = MenuItem::with_id(app, "state", &model.state, false, None::<&str>)?;
    let mut drawn = Drawn { model: model.clone(), state: state.clone(), grants: Vec::new(), reviews: None };
    let mut menu = MenuBuilder::new(app).item(&state).separator();
    if model.signed_in {
        menu = menu.item(&quick(app, model)?);
        for grant in &model.grants {
            let id = grant.grant;
            let item = |what: &str, label: &str, on: bool| {
                MenuItem::with_id(app, format!("{what}:{id}"), label, on, None::<&str>)
            };
            let command = item("command", "Copy connection command", grant.here)?;
            let password = item("password", "Copy password", grant.here)?;
            let release = item("release", "Release", true)?;
            let items: [&dyn IsMenuItem<Wry>; 3] = [&command, &password, &release];
            let submenu = SubmenuBuilder::new(app, &grant.label).items(&items).build()?;
            menu = menu.item(&submenu);
            drawn.grants.push(submenu);
        }
        if model.reviews > 0 {
            let item = MenuItem::with_id(app, "review", waiting(model.reviews), true, None::<&str>)?;
            menu = menu.item(&item);
            drawn.reviews = Some(item);
        }
        // Two steps, so that a slip of the hand drops nothing.
        let drop =
            SubmenuBuilder::new(app, "Drop everything now").text("drop", "Really drop everything").build()?;
        menu = menu.separator().item(&drop);
    }
    let menu = menu.separator().text("open", "Open Daypass").text("quit", "Quit").build()?;
    Ok((menu, drawn))
}

fn quick(app: &AppHandle, model: &TrayModel) -> tauri::Result<Submenu<Wry>> {
    let mut submenu = SubmenuBuilder::new(app, "Request access");
    for quick in &model.quick {
        let Entitlement { resource, level } = &quick.entitlement;
        submenu = submenu.text(format!("quick:{level}:{resource}"), &quick.label);
    }
    if !model.quick.is_empty() {
        submenu = submenu.separator();
    }
    submenu.text("browse", "Browse the catalogue…").build()
}

fn on_menu(app: &AppHandle, id: &str) {
    match id.split_once(':') {
        None => match id {
            "open" => windows::show_main(app),
            "browse" => windows::show_page(app, Page::Access),
            "review" => windows::show_page(app, Page::Review(None)),
            "drop" => send(app, Intent::DropEverything),
            "quit" => app.exit(0),
            _ => {}
        },
        Some(("quick", entitlement)) => {
            let parts = entitlement.split_once(':');
            let parsed = parts.and_then(|(level, resource)| {
                Some(Entitlement { level: links::level(level)?, resource: ResourceId::new(resource).ok()? })
            });
            if let Some(entitlement) = parsed {
                windows::show_quick(app, entitlement);
            }
        }
        Some((what, grant)) => {
            let Ok(grant) = grant.parse::<GrantId>() else { return };
            match what {
                "command" => send(app, Intent::CopyCommand { grant }),
                "password" => send(app, Intent::CopyPassword { grant }),
                "release" => send(app, Intent::Release { grant }),
                _ => {}
            }
        }
    }
}

/// What fails in the tray is told by a notification: there may be no window to tell it in.
fn send(app: &AppHandle, intent: Intent) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let Some(handle) = app.try_state::<Handle>().map(|h| h.inner().clone()) else { return };
        if let Err(failure) = handle.intent(intent).await
            && let Some(notifications) = app.try_state::<Notifications>()
        {
            let notification = Notification {
                tag: "tray".into(),
                title: "That did not work".into(),
                body: failure.message,
                page: Page::MyAccess,
                urgent: false,
            };
            notifications.show(&app, notification);
        }
    });
}

fn icon(icon: TrayIcon) -> tauri::Result<Image<'static>> {
    let bytes: &[u8] = match icon {
        TrayIcon::Idle => include_bytes!("../../icons/tray.png"),
        TrayIcon::Live => include_bytes!("../../icons/tray-live.png"),
        TrayIcon::Offline => include_bytes!("../../icons/tray-offline.png"),
    };
    Image::from_bytes(bytes)
}
