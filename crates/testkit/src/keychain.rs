//! The keychain: a real gnome-keyring, looked into from outside with `secret-tool`.

use std::{
    collections::BTreeMap,
    io::{Read, Seek, Write},
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    Bus,
    programs::output_of,
    running::{Plan, Running},
    wait_until,
};

const SERVICE: &str = "org.freedesktop.secrets";
const LOGIN: &str = "/org/freedesktop/secrets/collection/login";
const PASSWORD: &str = "login-password";
const READY: Duration = Duration::from_secs(10);

/// How a keychain starts out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeychainState {
    Unlocked,
    /// The daemon runs, but nobody ever gave it a password: there is no collection to store in.
    NeverUnlocked,
    /// No daemon at all.
    Missing,
}

/// The keychain of one [`Bus`].
#[derive(Debug)]
pub struct Keychain {
    daemon: Mutex<Option<Running>>,
    bus: Bus,
}

/// One item, as it looks from outside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeychainItem {
    pub label: String,
    pub attributes: BTreeMap<String, String>,
    /// `None` while the keychain is locked.
    pub secret: Option<String>,
}

impl Keychain {
    /// A keychain that is unlocked and empty.
    ///
    /// # Errors
    /// When gnome-keyring is not installed, or does not come up.
    pub fn start(bus: &Bus) -> Result<Self> {
        Self::start_as(bus, KeychainState::Unlocked)
    }

    /// # Errors
    /// As [`Keychain::start`].
    pub fn start_as(bus: &Bus, state: KeychainState) -> Result<Self> {
        let keychain = Self { daemon: Mutex::new(None), bus: bus.clone() };
        keychain.restart(state)?;
        Ok(keychain)
    }

    /// Ends the daemon and starts another over the same files: the way to unlock again after [`Keychain::lock`], to lose
    /// the keychain in the middle of a test, and to get it back.
    ///
    /// # Errors
    /// When the daemon does not come up.
    pub fn restart(&self, state: KeychainState) -> Result<()> {
        let mut slot = self.slot();
        if let Some(mut old) = slot.take() {
            old.stop();
        }
        if state == KeychainState::Missing {
            return Ok(());
        }
        let unlocks = state == KeychainState::Unlocked;
        let mut command = self.bus.command("gnome-keyring-daemon", "gnome-keyring")?;
        command.args(["--foreground", "--components=secrets"]);
        if unlocks {
            command.arg("--unlock");
        }
        let plan = Plan { listens: true, ..Plan::default() };
        let mut daemon = Running::launch("gnome-keyring", &mut command, self.bus.folder(), plan)?;
        if let Some(mut input) = daemon.child().stdin.take() {
            input.write_all(PASSWORD.as_bytes())?;
        }
        self.bus.wait_for_owner(SERVICE, &mut daemon)?;
        if unlocks {
            wait_until("the keychain to be unlocked", READY, || {
                ensure!(!self.is_locked()?, "it is locked");
                Ok(())
            })?;
        }
        *slot = Some(daemon);
        Ok(())
    }

    /// Locks the login collection, as the lock of a screen may.
    ///
    /// # Errors
    /// When the daemon does not do it.
    pub fn lock(&self) -> Result<()> {
        let target = format!("array:objpath:{LOGIN}");
        self.bus.call(
            SERVICE,
            "/org/freedesktop/secrets",
            "org.freedesktop.Secret.Service.Lock",
            &[&target],
        )?;
        ensure!(self.is_locked()?, "the keychain stayed open");
        Ok(())
    }

    /// # Errors
    /// When there is no daemon, or it has no login collection.
    pub fn is_locked(&self) -> Result<bool> {
        let question = ["string:org.freedesktop.Secret.Collection", "string:Locked"];
        let answer = self.bus.call(SERVICE, LOGIN, "org.freedesktop.DBus.Properties.Get", &question)?;
        match (answer.contains("boolean true"), answer.contains("boolean false")) {
            (true, false) => Ok(true),
            (false, true) => Ok(false),
            _ => bail!("unclear answer: {answer}"),
        }
    }

    /// The secret of the one item with these attributes.
    ///
    /// # Errors
    /// When `secret-tool` cannot be run or the keychain does not answer; an item that is not there is `None`.
    pub fn lookup(&self, attributes: &[(&str, &str)]) -> Result<Option<String>> {
        let output = self.tool("lookup")?.args(flat(attributes)).output()?;
        match (output.status.success(), output.stderr.is_empty()) {
            (true, _) => Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned())),
            (false, true) => Ok(None),
            (false, false) => bail!("secret-tool: {}", String::from_utf8_lossy(&output.stderr).trim()),
        }
    }

    /// All items with these attributes, which must be at least one.
    ///
    /// # Errors
    /// When `secret-tool` cannot be run or the keychain does not answer.
    pub fn search(&self, attributes: &[(&str, &str)]) -> Result<Vec<KeychainItem>> {
        // It prints what is free to read on one stream and the rest on the other; in one file they come in order.
        let mut file = tempfile::tempfile()?;
        let mut command = self.tool("search")?;
        command.arg("--all").args(flat(attributes)).stdout(file.try_clone()?).stderr(file.try_clone()?);
        let status = command.status()?;
        let mut text = String::new();
        file.rewind()?;
        file.read_to_string(&mut text)?;
        ensure!(status.success(), "secret-tool: {}", text.trim());
        Ok(read_items(&text))
    }

    /// Puts an item in, as another program of the person would.
    ///
    /// # Errors
    /// When the keychain refuses.
    pub fn store(&self, label: &str, attributes: &[(&str, &str)], secret: &str) -> Result<()> {
        let mut command = self.tool("store")?;
        command.arg(format!("--label={label}")).args(flat(attributes));
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        child.stdin.take().context("secret-tool has no input")?.write_all(secret.as_bytes())?;
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "secret-tool: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(())
    }

    /// Removes the items with these attributes, as the person may in the system's own dialog.
    ///
    /// # Errors
    /// When there is none.
    pub fn clear(&self, attributes: &[(&str, &str)]) -> Result<()> {
        output_of(self.tool("clear")?.args(flat(attributes))).map(drop)
    }

    fn tool(&self, verb: &str) -> Result<Command> {
        let mut command = self.bus.command("secret-tool", "libsecret-tools")?;
        command.arg(verb);
        Ok(command)
    }

    fn slot(&self) -> MutexGuard<'_, Option<Running>> {
        self.daemon.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn flat<'text>(attributes: &[(&'text str, &'text str)]) -> Vec<&'text str> {
    attributes.iter().flat_map(|(name, value)| [*name, *value]).collect()
}

/// Reads the blocks that `secret-tool search` prints: `[path]`, then `name = value` lines.
fn read_items(text: &str) -> Vec<KeychainItem> {
    let mut items: Vec<KeychainItem> = Vec::new();
    for line in text.lines() {
        if line.starts_with('[') && line.ends_with(']') {
            items.push(KeychainItem::default());
        }
        let (Some(item), Some((name, value))) = (items.last_mut(), line.split_once(" = ")) else { continue };
        match name {
            "label" => value.clone_into(&mut item.label),
            "secret" => item.secret = Some(value.to_owned()),
            _ => {
                if let Some(attribute) = name.strip_prefix("attribute.") {
                    item.attributes.insert(attribute.to_owned(), value.to_owned());
                }
            }
        }
    }
    items
}
