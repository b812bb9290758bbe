//! A keychain that fails when told to, and that outlives the application.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use daypass_client::{Keychain, KeychainError};
use secrecy::{ExposeSecret as _, SecretString};

/// What the machine keeps, over all runs of the application.
#[derive(Clone, Default)]
pub struct Safe(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    items: BTreeMap<String, String>,
    fault: Option<Fault>,
    slow: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Locked,
    Missing,
}

impl Safe {
    pub fn users(&self) -> Vec<String> {
        self.0.lock().unwrap().items.keys().cloned().collect()
    }

    pub fn grants(&self) -> Vec<String> {
        self.users().iter().filter_map(|u| u.strip_prefix("grant:").map(str::to_owned)).collect()
    }

    pub fn secret(&self, user: &str) -> Option<String> {
        self.0.lock().unwrap().items.get(user).cloned()
    }

    pub fn put(&self, user: &str, secret: &str) {
        self.0.lock().unwrap().items.insert(user.into(), secret.into());
    }

    pub fn fail(&self, fault: Option<Fault>) {
        self.0.lock().unwrap().fault = fault;
    }

    pub fn slow(&self, by: Duration) {
        self.0.lock().unwrap().slow = by;
    }

    fn with<T>(
        &self,
        call: impl FnOnce(&mut BTreeMap<String, String>) -> Result<T, KeychainError>,
    ) -> Result<T, KeychainError> {
        let slow = self.0.lock().unwrap().slow;
        std::thread::sleep(slow);
        let mut inner = self.0.lock().unwrap();
        match inner.fault {
            Some(Fault::Locked) => Err(KeychainError::Locked),
            Some(Fault::Missing) => Err(KeychainError::Missing),
            None => call(&mut inner.items),
        }
    }
}

/// The way of one run of the application to the safe; closed when that run is killed.
pub struct FakeKeychain {
    pub safe: Safe,
    pub alive: Arc<AtomicBool>,
    /// Asked before each call changes anything, and after: whether the application dies here.
    pub dies: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

impl FakeKeychain {
    fn step<T>(
        &mut self,
        what: &str,
        call: impl FnOnce(&mut BTreeMap<String, String>) -> Result<T, KeychainError>,
    ) -> Result<T, KeychainError> {
        let dead = || Err(KeychainError::Other("the application is dead".into()));
        if !self.alive.load(Ordering::SeqCst) || (self.dies)(&format!("before {what}")) {
            self.alive.store(false, Ordering::SeqCst);
            return dead();
        }
        let result = self.safe.with(call);
        if (self.dies)(&format!("after {what}")) {
            self.alive.store(false, Ordering::SeqCst);
            return dead();
        }
        result
    }
}

impl Keychain for FakeKeychain {
    fn get(&mut self, user: &str) -> Result<SecretString, KeychainError> {
        let user = user.to_owned();
        self.step("get", move |items| {
            items.get(&user).cloned().map(Into::into).ok_or(KeychainError::NotFound)
        })
    }

    fn set(&mut self, user: &str, secret: &SecretString) -> Result<(), KeychainError> {
        let (what, user, secret) = (name("set", user), user.to_owned(), secret.expose_secret().to_owned());
        self.step(&what, move |items| {
            items.insert(user, secret);
            Ok(())
        })
    }

    fn delete(&mut self, user: &str) -> Result<(), KeychainError> {
        let (what, user) = (name("delete", user), user.to_owned());
        self.step(&what, move |items| items.remove(&user).map(|_| ()).ok_or(KeychainError::NotFound))
    }

    fn is_open(&mut self) -> Result<(), KeychainError> {
        self.step("look", |_| Ok(()))
    }

    fn list(&mut self) -> Result<Vec<String>, KeychainError> {
        self.step("list", |items| Ok(items.keys().cloned().collect()))
    }
}

fn name(what: &str, user: &str) -> String {
    format!("{what} {}", user.split(':').next().unwrap_or_default())
}
