//! The tray as a panel sees it: this end watches for icons (org.kde.StatusNotifierWatcher), reads the menu of the one
//! that registers (com.canonical.dbusmenu), and clicks in it.

use std::{
    collections::HashMap,
    fmt::Write,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, ensure};
use tokio::runtime::{Builder, Runtime};
use zbus::{
    Connection, Proxy, connection, interface,
    message::Header,
    object_server::SignalEmitter,
    zvariant::{OwnedObjectPath, OwnedValue, Value},
};

use crate::{Bus, wait_until};

const PATIENCE: Duration = Duration::from_secs(10);

/// A place in the panel, waiting for an icon.
#[derive(Debug)]
pub struct Tray {
    runtime: Option<Runtime>,
    connection: Connection,
    icons: Icons,
    _bus: Bus,
}

/// The icons that registered, latest last: who, and under which path.
type Icons = Arc<Mutex<Vec<(String, String)>>>;

/// An entry of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuItem {
    pub id: i32,
    /// Without the mark of the access key; empty for a separator.
    pub label: String,
    pub enabled: bool,
    /// For an entry that can be ticked.
    pub ticked: Option<bool>,
    pub separator: bool,
    pub children: Vec<MenuItem>,
}

impl Tray {
    /// Takes the watcher's place on the bus.
    ///
    /// # Errors
    /// When another panel has it.
    pub fn watch(bus: &Bus) -> Result<Self> {
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("tray").enable_all().build()?;
        let icons = Icons::default();
        let watcher = Watcher { icons: icons.clone() };
        let address = bus.address();
        let connection = complete(&runtime, async {
            connection::Builder::address(address.as_str())?
                .serve_at("/StatusNotifierWatcher", watcher)?
                .name("org.kde.StatusNotifierWatcher")?
                .build()
                .await
        })??;
        Ok(Self { runtime: Some(runtime), connection, icons, _bus: bus.clone() })
    }

    /// How many icons ever registered; a program that was started again counts twice.
    #[must_use]
    pub fn registrations(&self) -> usize {
        self.icons.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Waits for a first icon.
    ///
    /// # Errors
    /// When none registers in time.
    pub fn wait_for_icon(&self, limit: Duration) -> Result<()> {
        wait_until("an icon in the tray", limit, || {
            ensure!(self.registrations() > 0, "none registered");
            Ok(())
        })
    }

    /// The text beside the icon, which tells the state at a glance.
    ///
    /// # Errors
    /// When there is no icon, or it tells nothing.
    pub fn text(&self) -> Result<String> {
        self.run(|connection, (name, path)| async move {
            let item = Proxy::new(&connection, name, path, "org.kde.StatusNotifierItem").await?;
            Ok(item.get_property::<String>("XAyatanaLabel").await?)
        })
    }

    /// The entries of the menu, hidden ones left out.
    ///
    /// # Errors
    /// When there is no icon, or its program does not answer.
    pub fn menu(&self) -> Result<Vec<MenuItem>> {
        self.run(|connection, icon| async move {
            let menu = menu_of(&connection, icon).await?;
            let all = Vec::<String>::new();
            let (_revision, root): (u32, Layout) = menu.call("GetLayout", &(0i32, -1i32, all)).await?;
            Ok(read_entry(root).map_or_else(Vec::new, |root| root.children))
        })
    }

    /// The menu as indented lines: `·` before what cannot be chosen, `✓` before what is ticked, `---` for a separator.
    ///
    /// # Errors
    /// As [`Tray::menu`].
    pub fn menu_text(&self) -> Result<String> {
        let mut text = String::new();
        describe(&self.menu()?, 0, &mut text);
        Ok(text)
    }

    /// Chooses an entry: the labels of the submenus that lead to it, then its own. Each may be the start of the label.
    /// Waits until the entry is there and can be chosen.
    ///
    /// # Errors
    /// When it does not show up; the error holds the menu as it was.
    pub fn click(&self, path: &[&str]) -> Result<()> {
        wait_until(&format!("the tray's entry {path:?}"), PATIENCE, || {
            let menu = self.menu()?;
            let entry = find(&menu, path).filter(|entry| entry.enabled);
            let entry = entry.map(|entry| entry.id).ok_or_else(|| {
                let mut text = String::new();
                describe(&menu, 0, &mut text);
                anyhow!("the menu\n{text}")
            })?;
            match self.press(entry) {
                // The program drew its menu anew between the look and the click; a panel looks again too.
                Err(gone) if gone.to_string().contains("does not refer to a menu item") => Err(gone),
                pressed => Ok(pressed),
            }
        })?
    }

    fn press(&self, entry: i32) -> Result<()> {
        self.run(|connection, icon| async move {
            let menu = menu_of(&connection, icon).await?;
            Ok(menu.call::<_, _, ()>("Event", &(entry, "clicked", Value::from(0i32), 0u32)).await?)
        })
    }

    /// Waits until the menu, as [`Tray::menu_text`] gives it, contains `text`.
    ///
    /// # Errors
    /// When it does not in time; the error holds the menu as it was.
    pub fn wait_for(&self, text: &str, limit: Duration) -> Result<String> {
        wait_until(&format!("{text:?} in the tray's menu"), limit, || {
            let menu = self.menu_text()?;
            ensure!(menu.contains(text), "the menu\n{menu}");
            Ok(menu)
        })
    }

    fn run<T, F>(&self, question: impl FnOnce(Connection, (String, String)) -> F) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T>> + Send,
    {
        let icon = self.icons.lock().unwrap_or_else(PoisonError::into_inner).last().cloned();
        let icon = icon.context("no icon has registered in the tray")?;
        let runtime = self.runtime.as_ref().context("the tray is gone")?;
        let answer = question(self.connection.clone(), icon);
        complete(runtime, async { tokio::time::timeout(PATIENCE, answer).await })?
            .context("the tray's program does not answer")?
    }
}

impl Drop for Tray {
    fn drop(&mut self) {
        // A runtime may not wait for its threads inside another runtime, where a test may drop this.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Waits for `future` on a thread of its own, so that callers inside another runtime may wait as well.
fn complete<T: Send>(runtime: &Runtime, future: impl Future<Output = T> + Send) -> Result<T> {
    thread::scope(|scope| {
        scope.spawn(|| runtime.block_on(future)).join().map_err(|_| anyhow!("the tray's thread panicked"))
    })
}

struct Watcher {
    icons: Icons,
}

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    async fn register_status_notifier_item(
        &self,
        service: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> zbus::fdo::Result<()> {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        // Some give their path, some their name on the bus; the path is then the usual one.
        let (name, path) = if service.starts_with('/') {
            (sender, service)
        } else {
            (service, "/StatusNotifierItem".to_owned())
        };
        let full = format!("{name}{path}");
        self.icons.lock().unwrap_or_else(PoisonError::into_inner).push((name, path));
        Ok(Self::status_notifier_item_registered(&emitter, &full).await?)
    }

    async fn register_status_notifier_host(&self, _service: String) {}

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        let icons = self.icons.lock().unwrap_or_else(PoisonError::into_inner);
        icons.iter().map(|(name, path)| format!("{name}{path}")).collect()
    }

    #[zbus(signal)]
    async fn status_notifier_item_registered(emitter: &SignalEmitter<'_>, service: &str) -> zbus::Result<()>;
}

type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

async fn menu_of<'bus>(connection: &Connection, (name, path): (String, String)) -> Result<Proxy<'bus>> {
    let item = Proxy::new(connection, name.clone(), path, "org.kde.StatusNotifierItem").await?;
    let menu: OwnedObjectPath = item.get_property("Menu").await?;
    Ok(Proxy::new(connection, name, menu, "com.canonical.dbusmenu").await?)
}

/// `None` for a hidden entry.
fn read_entry((id, properties, children): Layout) -> Option<MenuItem> {
    let text = |name: &str| properties.get(name).and_then(|value| <&str>::try_from(value).ok());
    let flag = |name: &str| properties.get(name).and_then(|value| bool::try_from(value).ok()).unwrap_or(true);
    let number = |name: &str| properties.get(name).and_then(|value| i32::try_from(value).ok());
    flag("visible").then(|| MenuItem {
        id,
        label: without_access_key(text("label").unwrap_or_default()),
        enabled: flag("enabled"),
        ticked: text("toggle-type")
            .filter(|kind| !kind.is_empty())
            .map(|_| number("toggle-state") == Some(1)),
        separator: text("type") == Some("separator"),
        children: children
            .into_iter()
            .filter_map(|child| Layout::try_from(child).ok())
            .filter_map(read_entry)
            .collect(),
    })
}

/// `_Open` is shown as "Open" with its first letter underlined; `a__b` as "a_b".
fn without_access_key(label: &str) -> String {
    label.split("__").map(|part| part.replace('_', "")).collect::<Vec<_>>().join("_")
}

fn find<'menu>(menu: &'menu [MenuItem], path: &[&str]) -> Option<&'menu MenuItem> {
    let (first, rest) = path.split_first()?;
    let mut fitting = menu.iter().filter(|entry| entry.label.starts_with(first));
    if rest.is_empty() { fitting.next() } else { fitting.find_map(|entry| find(&entry.children, rest)) }
}

fn describe(menu: &[MenuItem], depth: usize, text: &mut String) {
    for entry in menu {
        let mark = match (entry.enabled, entry.ticked) {
            (false, _) => "· ",
            (true, Some(true)) => "✓ ",
            _ => "",
        };
        let label = if entry.separator { "---" } else { &entry.label };
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:indent$}{mark}{label}", "", indent = 2 * depth);
        describe(&entry.children, depth + 1, text);
    }
}
