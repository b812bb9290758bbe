//! Who is there: OAuth with PKCE in the system browser (RFC 8252), short access tokens, rotating refresh tokens.
//!
//! The desktop opens `/oauth/authorize` in the browser and listens on a loopback port. An [`IdentityProvider`] tells
//! who the person is; what follows is the same for every provider: a code for the desktop, and tokens for the code.
//!
//! A code lives in the memory of the process that made it: replicas behind one name need the browser and the desktop
//! to meet the same one for this minute. Everything else is in the store or proves itself by the server's key.

mod access;
mod authorize;
mod codes;
mod limit;
mod local;
mod page;
mod secret;
mod token;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use daypass_clock::Clock;
use daypass_domain::UserId;
use secrecy::SecretString;

pub use access::{Principal, SignedOut};
pub use local::{LocalAccounts, PasswordError, ensure_passwords, set_password};

use crate::key::ServerKey;
use crate::store::{PersonEvent, Store, StoreError};
use codes::Codes;

/// The only client: the desktop application. It is public, so that PKCE and the loopback redirect carry the proof.
pub const CLIENT_ID: &str = "daypass-desktop";

/// The largest form that is read.
const LARGEST_FORM: usize = 16 * 1024;

/// Who belongs to the organisation, and where it is written down that they came or went.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Whether this person belongs to the organisation now.
    fn knows(&self, user: &UserId) -> bool;
    /// Records an event about this person, by this person.
    async fn record(&self, user: &UserId, event: PersonEvent) -> Result<(), StoreError>;
}

/// Tells who a person is, from what they typed.
///
/// A provider elsewhere (OIDC) will not ask for a password here: it adds a redirect out and a way back, which ends
/// where this ends, in the user that a code is then made for.
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// `from` is the browser's address, where it is known; a provider may limit guesses by it.
    async fn authenticate(&self, typed: Typed, from: Option<IpAddr>) -> Result<UserId, Refused>;
}

/// What a person typed to sign in.
#[derive(Debug)]
pub struct Typed {
    pub account: String,
    pub password: SecretString,
}

/// Why somebody is not let in.
#[derive(Debug)]
pub enum Refused {
    /// The name, the password or both; it is never told which.
    Wrong,
    /// Too many wrong ones before: nothing was looked at.
    Wait(Duration),
    /// It could not be found out; the cause is for the log.
    Unavailable(anyhow::Error),
}

/// What people and programs see of this server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server's own address, such as `https://daypass.example:8443`, without a slash at the end.
    pub issuer: String,
    /// The organisation's name for people.
    pub organisation: String,
}

/// Sign-in and everything that proves it afterwards. Cheap to clone.
#[derive(Clone)]
pub struct SignIn(Arc<Shared>);

struct Shared {
    store: Arc<dyn Store>,
    clock: Clock,
    directory: Arc<dyn Directory>,
    provider: Arc<dyn IdentityProvider>,
    key: ServerKey,
    settings: Settings,
    codes: Mutex<Codes>,
}

impl SignIn {
    pub fn new(
        store: Arc<dyn Store>,
        clock: Clock,
        directory: Arc<dyn Directory>,
        provider: Arc<dyn IdentityProvider>,
        key: ServerKey,
        settings: Settings,
    ) -> Self {
        let codes = Mutex::default();
        Self(Arc::new(Shared { store, clock, directory, provider, key, settings, codes }))
    }

    fn codes(&self) -> MutexGuard<'_, Codes> {
        self.0.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `/oauth/authorize`, `/oauth/token` and `/oauth/revoke`. Serve it with the peers' addresses
/// (`into_make_service_with_connect_info::<SocketAddr>`), since guesses are limited by address too.
pub fn router(sign_in: SignIn) -> Router {
    Router::new()
        .route("/oauth/authorize", get(authorize::show).post(authorize::submit))
        .route("/oauth/token", post(token::token))
        .route("/oauth/revoke", post(token::revoke))
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        .with_state(sign_in)
}
