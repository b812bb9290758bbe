//! Local accounts: a name and a password, which the store keeps as an argon2id hash.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use async_trait::async_trait;
use daypass_clock::Clock;
use daypass_domain::{Digest, UserId};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

use super::limit::Limit;
use super::{IdentityProvider, Refused, Typed};
use crate::store::Store;

const SHORTEST_PASSWORD: usize = 10;
const LONGEST_PASSWORD: usize = 200;
/// Wrong passwords for one account before the waits begin.
const FREE_PER_ACCOUNT: u32 = 5;
/// Wrong passwords from one address, where several people may sit.
const FREE_PER_ADDRESS: u32 = 20;
/// Each hash takes 19 MiB; more at once would let anyone fill the memory.
const HASHES_AT_ONCE: usize = 4;
/// Verified in place of an account that is not there, so that both take as long: a hash of chance bytes, which no
/// known password has.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$ZiOBWzOnUjkCbgRLxsfYQw$VMbw9IvF3u5ueGB2kr9/ezZrUsV+wmscdCIcSB6OiuI";

/// The embedded default for who is who.
pub struct LocalAccounts {
    store: Arc<dyn Store>,
    clock: Clock,
    hashes: Arc<Semaphore>,
    limits: Mutex<Limits>,
}

struct Limits {
    account: Limit<Digest>,
    address: Limit<Option<IpAddr>>,
}

impl LocalAccounts {
    pub fn new(store: Arc<dyn Store>, clock: Clock) -> Self {
        let limits = Limits { account: Limit::new(FREE_PER_ACCOUNT), address: Limit::new(FREE_PER_ADDRESS) };
        let hashes = Arc::new(Semaphore::new(HASHES_AT_ONCE));
        Self { store, clock, hashes, limits: Mutex::new(limits) }
    }

    fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, account: Digest, address: Option<IpAddr>) -> Result<(), Duration> {
        let uptime = self.clock.uptime();
        let mut limits = self.limits();
        let wait = limits.account.wait(&account, uptime).max(limits.address.wait(&address, uptime));
        if let Some(wait) = wait {
            return Err(wait);
        }
        limits.account.count(account, uptime);
        limits.address.count(address, uptime);
        Ok(())
    }
}

#[async_trait]
impl IdentityProvider for LocalAccounts {
    async fn authenticate(&self, typed: Typed, from: Option<IpAddr>) -> Result<UserId, Refused> {
        let account = typed.account.trim().to_lowercase();
        let (key, address) = (Digest::of_bytes(account.as_bytes()), from.map(network));
        self.begin(key, address).map_err(Refused::Wait)?;
        let user = UserId::new(account).ok();
        let kept = match &user {
            Some(user) => self.store.password_hash(user).await.map_err(|e| Refused::Unavailable(e.into()))?,
            None => None,
        };
        let there = kept.is_some();
        let phc = kept.unwrap_or_else(|| NOBODY.to_owned());
        let permit = self.hashes.clone().acquire_owned().await.map_err(|e| Refused::Unavailable(e.into()))?;
        let matches = tokio::task::spawn_blocking(move || {
            let matches = verify(&typed.password, &phc);
            drop(permit);
            matches
        });
        let matches =
            matches.await.map_err(|e| Refused::Unavailable(e.into()))?.map_err(Refused::Unavailable)?;
        match user {
            Some(user) if matches && there => {
                let mut limits = self.limits();
                limits.account.clear(&key);
                limits.address.take_back(&address);
                Ok(user)
            }
            _ => Err(Refused::Wrong),
        }
    }
}

/// Why a password cannot be set.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")]
    Length,
    #[error("the password could not be kept")]
    Unavailable(#[source] anyhow::Error),
}

/// Gives a local account its password; the one before no longer works.
pub async fn set_password(
    store: &dyn Store,
    user: &UserId,
    password: &SecretString,
) -> Result<(), PasswordError> {
    let length = password.expose_secret().chars().count();
    if !(SHORTEST_PASSWORD..=LONGEST_PASSWORD).contains(&length) {
        return Err(PasswordError::Length);
    }
    let password = password.clone();
    let phc = tokio::task::spawn_blocking(move || hash(&password));
    let phc =
        phc.await.map_err(anyhow::Error::from).and_then(|phc| phc).map_err(PasswordError::Unavailable)?;
    store.set_password_hash(user, &phc).await.map_err(|e| PasswordError::Unavailable(e.into()))
}

/// Gives each of `users` who has no password yet this one: how the sample organisation starts.
pub async fn ensure_passwords(
    store: &dyn Store,
    users: &[UserId],
    password: &SecretString,
) -> Result<(), PasswordError> {
    for user in users {
        let kept = store.password_hash(user).await.map_err(|e| PasswordError::Unavailable(e.into()))?;
        if kept.is_none() {
            set_password(store, user, password).await?;
        }
    }
    Ok(())
}

fn hash(password: &SecretString) -> anyhow::Result<String> {
    let phc = Argon2::default().hash_password(password.expose_secret().as_bytes());
    Ok(phc.map_err(anyhow::Error::msg).context("cannot hash a password")?.to_string())
}

fn verify(password: &SecretString, phc: &str) -> anyhow::Result<bool> {
    let phc =
        PasswordHash::new(phc).map_err(anyhow::Error::msg).context("a kept password hash is damaged")?;
    // The comparison inside takes the same time wherever the hashes differ.
    Ok(Argon2::default().verify_password(password.expose_secret().as_bytes(), &phc).is_ok())
}

/// One household or machine owns a whole /64 of IPv6 addresses.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_neighbours_count_as_one() {
        let of = |s: &str| network(s.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }

    #[test]
    fn nobodys_hash_costs_what_a_new_one_costs() {
        let parameters = |phc: &str| phc.rsplitn(3, '$').nth(2).map(str::to_owned);
        let new = hash(&"correct horse".into()).unwrap();
        assert_eq!(parameters(NOBODY), parameters(&new));
        assert_eq!(NOBODY.len(), new.len());
        assert!(!verify(&"correct horse".into(), NOBODY).unwrap());
    }

    #[test]
    fn a_hash_is_argon2id_and_verifies_its_own_password_only() {
        let (right, wrong) = (SecretString::from("correct horse"), SecretString::from("correct house"));
        let phc = hash(&right).unwrap();
        assert!(phc.starts_with("$argon2id$v=19$"), "{phc}");
        assert!(verify(&right, &phc).unwrap());
        assert!(!verify(&wrong, &phc).unwrap());
        assert!(verify(&right, "not a hash").is_err());
    }
}
