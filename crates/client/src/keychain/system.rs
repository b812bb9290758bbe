//! The keychain of the operating system: Secret Service, macOS Keychain, Windows Credential Manager.

use std::collections::HashMap;
use std::sync::Arc;

use keyring_core::{CredentialStore, Entry, Error};
use secrecy::{ExposeSecret, SecretString};

use super::{Keychain, KeychainError};

#[cfg(target_os = "linux")]
const SECRETS: &str = "org.freedesktop.secrets";
#[cfg(target_os = "linux")]
const COLLECTION: &str = "org.freedesktop.Secret.Collection";

/// The keychain of whoever is logged in. The connection is made when it is first needed, and again after a failure:
/// the keychain's daemon may start later than Daypass, or be restarted.
#[derive(Debug)]
pub struct SystemKeychain {
    service: String,
    store: Option<Arc<CredentialStore>>,
}

impl SystemKeychain {
    pub fn new(service: impl Into<String>) -> Self {
        Self { service: service.into(), store: None }
    }

    fn store(&mut self) -> Result<Arc<CredentialStore>, KeychainError> {
        if let Some(store) = &self.store {
            return Ok(store.clone());
        }
        let store = open_store().map_err(|e| told(&e))?;
        self.store = Some(store.clone());
        Ok(store)
    }

    fn with_entry<T>(
        &mut self,
        user: &str,
        call: impl FnOnce(&Entry) -> keyring_core::Result<T>,
    ) -> Result<T, KeychainError> {
        let store = self.store()?;
        let result = store.build(&self.service, user, None).and_then(|entry| call(&entry));
        self.keep_or_reconnect(result)
    }

    fn keep_or_reconnect<T>(&mut self, result: keyring_core::Result<T>) -> Result<T, KeychainError> {
        result.map_err(|error| {
            if !matches!(error, Error::NoEntry) {
                self.store = None;
            }
            told(&error)
        })
    }
}

impl Keychain for SystemKeychain {
    fn get(&mut self, user: &str) -> Result<SecretString, KeychainError> {
        self.with_entry(user, Entry::get_password).map(SecretString::from)
    }

    fn set(&mut self, user: &str, secret: &SecretString) -> Result<(), KeychainError> {
        self.with_entry(user, |entry| entry.set_password(secret.expose_secret()))
    }

    fn delete(&mut self, user: &str) -> Result<(), KeychainError> {
        self.with_entry(user, Entry::delete_credential)
    }

    #[cfg(target_os = "linux")]
    fn is_open(&mut self) -> Result<(), KeychainError> {
        let look = || -> zbus::Result<bool> {
            let bus = zbus::blocking::Connection::session()?;
            let place = "/org/freedesktop/secrets/aliases/default";
            zbus::blocking::Proxy::new(&bus, SECRETS, place, COLLECTION)?.get_property("Locked")
        };
        match look() {
            Ok(false) => Ok(()),
            Ok(true) => Err(KeychainError::Locked),
            // The service is there, but it never got a password: there is no default collection yet.
            Err(zbus::Error::MethodError(name, ..)) if name.as_str().ends_with("UnknownMethod") => {
                Err(KeychainError::Locked)
            }
            Err(zbus::Error::FDO(error))
                if matches!(
                    *error,
                    zbus::fdo::Error::UnknownMethod(_) | zbus::fdo::Error::UnknownObject(_)
                ) =>
            {
                Err(KeychainError::Locked)
            }
            Err(error) => {
                tracing::info!(%error, "no keychain answers");
                Err(KeychainError::Missing)
            }
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn is_open(&mut self) -> Result<(), KeychainError> {
        Ok(())
    }

    fn list(&mut self) -> Result<Vec<String>, KeychainError> {
        let store = self.store()?;
        let service = self.service.clone();
        let found = store.search(&HashMap::from([("service", service.as_str())]));
        let entries = self.keep_or_reconnect(found)?;
        let mut users = Vec::with_capacity(entries.len());
        for entry in entries {
            match entry.get_attributes() {
                Ok(attributes) => users.extend(attributes.get("username").cloned()),
                // Deleted between the search and the look: then there is nothing to list.
                Err(error) if told(&error) == KeychainError::NotFound => {}
                Err(error) => {
                    self.store = None;
                    return Err(told(&error));
                }
            }
        }
        Ok(users)
    }
}

#[cfg(target_os = "linux")]
fn open_store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

#[cfg(target_os = "macos")]
fn open_store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(target_os = "windows")]
fn open_store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(windows_native_keyring_store::Store::new()?)
}

/// Another program removed the item after it was found: its object is no longer on the bus.
fn is_gone(text: &str) -> bool {
    text.contains("/org/freedesktop/secrets/collection/")
        && ["UnknownMethod", "UnknownObject", "NoSuchObject"].iter().any(|name| text.contains(name))
}

fn told(error: &Error) -> KeychainError {
    match error {
        Error::NoEntry => KeychainError::NotFound,
        Error::NoStorageAccess(cause) => {
            tracing::info!(%cause, "the keychain is locked");
            KeychainError::Locked
        }
        Error::PlatformFailure(cause) => {
            let text = cause.to_string();
            if is_gone(&text) {
                return KeychainError::NotFound;
            }
            tracing::warn!(%cause, "the keychain failed");
            // The Secret Service's own words: no daemon has the name, there is no bus, or the daemon went away.
            let gone = [
                "unavailable",
                "ServiceUnknown",
                "not provided by any",
                "Address",
                "No such file",
                "NoReply",
            ];
            if gone.iter().any(|word| text.contains(word)) {
                KeychainError::Missing
            } else if text.contains("IsLocked") || text.contains("locked") {
                KeychainError::Locked
            } else {
                KeychainError::Other(text)
            }
        }
        other => KeychainError::Other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(text: &str) -> KeychainError {
        told(&Error::PlatformFailure(text.into()))
    }

    #[test]
    fn an_item_that_went_away_meanwhile_is_not_a_failure_of_the_keychain() {
        let gone = "zbus fdo error: org.freedesktop.DBus.Error.UnknownMethod: No such interface \
                    \u{201c}org.freedesktop.DBus.Properties\u{201d} on object at path \
                    /org/freedesktop/secrets/collection/login/6";
        assert_eq!(failed(gone), KeychainError::NotFound);
        let missing = "org.freedesktop.DBus.Error.ServiceUnknown: The name org.freedesktop.secrets was not provided by any";
        assert_eq!(failed(missing), KeychainError::Missing);
        assert!(matches!(failed("Crypto error"), KeychainError::Other(_)));
    }
}
