//! Who is signed in, where, and how that begins and ends.

use daypass_domain::{DeviceId, GrantId};
use daypass_protocol::api::Me;
use daypass_protocol::bridge::{
    Connection, Failure, FailureCode, FoundServer, Keychain as KeychainView, KnownServer, Reply, Tone, Trust,
};
use reqwest::Url;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{Controller, Dirty, Event, Lists, Prepared, ReplyTo, SignedIn, new_uuid};
use crate::api::{self, Api};
use crate::failure::{failure, from_keychain, local, not_here};
use crate::history::History;
use crate::integration::Integration;
use crate::keychain::{HISTORY_KEY_USER, KeychainError, answer, grant_user};
use crate::seal::Seal;
use crate::session::Session;
use crate::signin::SignIn;
use crate::tls::{Accept, Fingerprint};

/// A server that a person signed in to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) server: KnownServer,
    /// Its certificate is self-made: only the accepted one will do.
    pinned: bool,
}

impl Account {
    fn url(&self) -> Result<Url, Failure> {
        api::address(&self.server.address)
    }

    fn accept(&self) -> Result<Accept, Failure> {
        if !self.pinned {
            return Ok(Accept::Public);
        }
        let pin = Fingerprint::parse(&self.server.fingerprint);
        pin.map(Accept::Pinned)
            .ok_or_else(|| local("The fingerprint of the server's certificate is not readable."))
    }
}

impl<I: Integration> Controller<I> {
    /// The first things after a start.
    pub(super) fn begin(&mut self) {
        self.look_through_keychain(super::credentials::Manner::Quietly);
        if self.account.is_some() {
            self.open_history();
            self.resume_session();
            // Given back before the last run ended, whether or not the wipe was done then.
            for grant in self.releasing.clone() {
                self.wipe(grant, None);
            }
        } else {
            self.wipe_all();
        }
    }

    /// Goes on with the account of last time.
    pub(super) fn resume_session(&mut self) {
        let Some(account) = &self.account else { return };
        if self.session.is_some()
            || !matches!(self.connection, Connection::Connecting | Connection::Offline { .. })
        {
            return;
        }
        match self.api(account) {
            Ok(api) => {
                self.session = Some(Session::resume(api, self.keychain.clone(), self.clock.clone()));
                // The stream begins where the history ends, so the history is opened first.
                if !self.history_opening {
                    self.connect();
                }
            }
            Err(failure) => self.connection = Connection::SignedOut { message: Some(failure.message) },
        }
    }

    fn api(&self, account: &Account) -> Result<Api, Failure> {
        Api::new(account.url()?, account.accept()?, self.clock.clone(), self.events.clone())
    }

    // ── finding a server ────────────────────────────────────────────────────────────────────────────────────────

    pub(super) async fn find_server(
        &mut self,
        address: String,
    ) -> impl Future<Output = Result<FoundServer, Failure>> + use<I> {
        let pinned =
            self.store.get::<std::collections::BTreeMap<String, String>>("pins").await.ok().flatten();
        async move {
            let url = api::address(&address)?;
            let name = api::name(&url);
            let (info, seen) = api::look(&url).await?;
            let fingerprint = seen.fingerprint.to_string();
            let trust = match pinned.unwrap_or_default().get(&name) {
                _ if seen.public => Trust::Known,
                Some(pin) if *pin == fingerprint => Trust::Known,
                Some(_) => Trust::Changed,
                None => Trust::New,
            };
            Ok(FoundServer {
                address: name,
                organisation: info.organisation,
                version: info.version,
                fingerprint,
                trust,
            })
        }
    }

    // ── signing in ──────────────────────────────────────────────────────────────────────────────────────────────

    pub(super) fn sign_in(&mut self, address: String, fingerprint: String, reply: ReplyTo) {
        if self.session.is_some() {
            let _ = reply.send(Err(local("Sign out first.")));
            return;
        }
        self.cancel_sign_in();
        self.attempts += 1;
        let attempt = self.attempts;
        self.signing_in = Some((attempt, None));
        self.connection = Connection::SigningIn { address: address.clone() };
        self.changed = true;
        let (clock, events, device) = (self.clock.clone(), self.events.clone(), self.device);
        let keychain = self.keychain.clone();
        tokio::spawn(async move {
            let result = async {
                // Without a keychain the browser would be in vain.
                keychain.is_there().await.map_err(|error| from_keychain(&error))?;
                prepare(&address, &fingerprint, device, clock, events.clone()).await.map(Box::new)
            }
            .await;
            let _ = events.send(Event::SignInPrepared { attempt, result, reply });
        });
    }

    pub(super) fn on_sign_in_prepared(
        &mut self,
        attempt: u64,
        result: Result<Box<Prepared>, Failure>,
        reply: ReplyTo,
    ) {
        let current = self.signing_in.as_ref().is_some_and(|(a, _)| *a == attempt);
        let prepared = match result {
            Ok(prepared) if current => prepared,
            Ok(_) => {
                let _ = reply.send(Err(not_here("This sign-in was cancelled.")));
                return;
            }
            Err(failure) => {
                if current {
                    self.signing_in = None;
                    self.signed_out(Some(failure.message.clone()));
                }
                let _ = reply.send(Err(failure));
                return;
            }
        };
        self.out.open_browser(prepared.sign_in.url.as_str());
        let _ = reply.send(Ok(Reply::Done));
        let (keychain, clock, events) = (self.keychain.clone(), self.clock.clone(), self.events.clone());
        let task = tokio::spawn(async move {
            let Prepared { account, sign_in } = *prepared;
            let api = sign_in.api().clone();
            let result = async {
                let tokens = sign_in.finish().await?;
                let session = Session::begin(api, keychain, clock, tokens).await?;
                let me = session.get::<Me>("/v1/me").await?;
                Ok(Box::new(SignedIn { account, session, me }))
            }
            .await;
            let _ = events.send(Event::SignInEnded { attempt, result });
        });
        self.signing_in = Some((attempt, Some(task.abort_handle())));
    }

    pub(super) fn on_browser_failed(&mut self, why: &str) {
        if self.signing_in.is_some() {
            tracing::warn!(why, "the browser cannot be opened");
            self.cancel_sign_in();
            self.signed_out(Some(
                "The browser could not be opened. Set a default browser and try again.".into(),
            ));
        }
    }

    pub(super) async fn on_sign_in_ended(&mut self, attempt: u64, result: Result<Box<SignedIn>, Failure>) {
        if self.signing_in.as_ref().is_none_or(|(a, _)| *a != attempt) {
            return;
        }
        self.signing_in = None;
        let SignedIn { account, session, me } = match result {
            Ok(signed_in) => *signed_in,
            Err(failure) => return self.signed_out(Some(failure.message)),
        };
        let before = self
            .account
            .as_ref()
            .map(|a| a.server.address.clone())
            .zip(self.me.as_ref().map(|m| &m.person.id));
        if before
            .as_ref()
            .is_some_and(|(address, id)| *address != account.server.address || **id != me.person.id)
        {
            self.forget_person().await;
        }
        let mut pins: std::collections::BTreeMap<String, String> =
            self.store.get("pins").await.ok().flatten().unwrap_or_default();
        pins.insert(account.server.address.clone(), account.server.fingerprint.clone());
        let kept = async {
            self.store.put("pins", &pins).await?;
            self.store.put("account", &account).await?;
            self.store.put("me", &me).await
        }
        .await;
        self.note_store(kept);
        self.account = Some(account);
        self.me = Some(me);
        self.session = Some(session);
        self.connection = Connection::Connecting;
        self.changed = true;
        self.open_history();
        if !self.history_opening {
            self.connect();
        }
        self.out.navigate(daypass_protocol::bridge::Page::Access);
    }

    pub(super) fn cancel_sign_in(&mut self) {
        if let Some((_, task)) = self.signing_in.take() {
            if let Some(task) = task {
                task.abort();
            }
            self.signed_out(None);
        }
    }

    // ── the end of a session ────────────────────────────────────────────────────────────────────────────────────

    fn signed_out(&mut self, message: Option<String>) {
        self.connection = Connection::SignedOut { message };
        self.changed = true;
    }

    /// The server ended the session. Whether the grants are still live cannot be known any more, so their
    /// credentials go; the sealed history stays for when the same person signs in again.
    pub(super) fn session_over(&mut self, message: String) {
        if self.session.is_none() {
            return;
        }
        self.disconnect();
        self.wipe_all();
        self.signed_out(Some(message));
    }

    fn disconnect(&mut self) {
        if let Some(online) = self.online.take() {
            online.abort();
        }
        self.session = None;
        self.refetching = false;
        self.delivering = None;
        self.dirty = Dirty::default();
    }

    /// Drops everything of this person from this device.
    pub(super) async fn sign_out(&mut self, reply: ReplyTo) {
        self.cancel_sign_in();
        self.clear_copied();
        let session = self.session.clone();
        let grants: Vec<GrantId> = self.held.keys().copied().collect();
        let refresh = self.account.as_ref().map(|a| crate::keychain::refresh_user(&a.server.address));
        let device = self.device;
        self.disconnect();
        self.wipe_all();
        self.forget_person().await;
        let forgotten = self.store.forget("account").await;
        self.note_store(forgotten);
        self.account = None;
        self.held.retain(|_, h| h.phase != super::credentials::Phase::Wiped);
        self.signed_out(None);
        self.out.navigate(daypass_protocol::bridge::Page::Access);
        let (keychain, events) = (self.keychain.clone(), self.events.clone());
        tokio::spawn(async move {
            let mut left = Ok(());
            for grant in grants {
                match keychain.delete(grant_user(grant)).await {
                    Ok(()) | Err(KeychainError::NotFound) => {}
                    Err(error) => left = Err(error),
                }
                if let (Some(session), Ok(())) = (&session, &left) {
                    report_wiped(session, grant, device).await;
                }
            }
            let ended = match (&session, refresh) {
                (Some(session), _) => session.end().await,
                (None, Some(user)) => keychain.delete(user).await,
                (None, None) => Ok(()),
            };
            for result in [ended, keychain.delete(HISTORY_KEY_USER.into()).await] {
                match result {
                    Ok(()) | Err(KeychainError::NotFound) => {}
                    Err(error) => left = Err(error),
                }
            }
            let _ = events.send(Event::SignedOut { left, reply });
        });
    }

    pub(super) async fn on_signed_out(&mut self, left: Result<(), KeychainError>, reply: ReplyTo) {
        self.note_keychain(&left);
        if self.account.is_none() {
            let emptied = self.store.empty_outbox().await;
            self.note_store(emptied);
            self.outbox.clear();
        }
        if let Err(error) = left {
            let text = format!("Not everything could be removed yet. {error}");
            self.notice(Tone::Warning, text, None);
        }
        self.publish();
        let _ = reply.send(Ok(Reply::Done));
    }

    /// What is left of a person on this device, but for the keychain: history, lists, habits, the device's name.
    async fn forget_person(&mut self) {
        if let Some(history) = self.history.take() {
            history.close().await;
        }
        if let Err(error) = History::remove(&self.options.folder) {
            tracing::warn!(%error, "the history file is not removed");
            self.notice(Tone::Warning, "The history file on this device could not be removed.", None);
        }
        self.me = None;
        self.requests.clear();
        self.reviews.clear();
        self.grants.clear();
        self.favourites.clear();
        self.names.clear();
        self.recent.clear();
        self.submitted.clear();
        self.asked_for_review.clear();
        self.reminded.clear();
        self.releasing.clear();
        self.synced_at = None;
        let mut result = self.store.empty_outbox().await;
        self.outbox.clear();
        for key in ["me", "names", "favourites", "recent", "submitted", "synced_at"] {
            result = result.and(self.store.forget(key).await);
        }
        if let Some(id) = new_uuid() {
            self.device = DeviceId(id);
            result = result.and(self.store.put("device", &self.device).await);
        }
        self.note_store(result);
        self.changed = true;
    }

    // ── the local history ───────────────────────────────────────────────────────────────────────────────────────

    /// Fetches the history's key; makes one when there is none.
    pub(super) fn open_history(&mut self) {
        if self.history.is_some() || self.history_opening || self.account.is_none() {
            return;
        }
        self.history_opening = true;
        let told = self.keychain.ask(|keychain| match keychain.get(HISTORY_KEY_USER) {
            Ok(key) if Seal::open_with(&key).is_some() => Ok(Some(key)),
            Ok(_) | Err(KeychainError::NotFound) => {
                let key = Seal::new_key().map_err(|e| KeychainError::Other(e.to_string()))?;
                keychain.set(HISTORY_KEY_USER, &key)?;
                Ok(Some(key))
            }
            Err(error) => Err(error),
        });
        let events = self.events.clone();
        tokio::spawn(async move {
            let _ = events.send(Event::HistoryKey(answer(told).await));
        });
    }

    pub(super) async fn on_history_key(&mut self, result: Result<Option<SecretString>, KeychainError>) {
        self.history_opening = false;
        self.note_keychain(&result);
        let seal = match result {
            Ok(Some(key)) if self.account.is_some() => Seal::open_with(&key),
            Ok(_) => None,
            Err(error) => {
                tracing::info!(%error, "the history stays closed");
                None
            }
        };
        if let Some(seal) = seal
            && self.history.is_none()
        {
            self.read_history(seal).await;
        }
        if self.session.is_some() {
            self.connect();
        }
    }

    async fn read_history(&mut self, seal: Seal) {
        match History::open(&self.options.folder, seal, self.clock.now()).await {
            Ok((mut history, anew)) => {
                if let Ok(Some(lists)) = history.kept::<KeptLists>("lists").await
                    && self.requests.is_empty()
                    && self.grants.is_empty()
                {
                    self.requests = lists.requests;
                    self.reviews = lists.reviews;
                    self.grants = lists.grants;
                }
                self.history = Some(history);
                self.changed = true;
                if anew {
                    let text =
                        "The history on this device could not be read. It was set aside and is read anew.";
                    self.notice(Tone::Warning, text, None);
                }
            }
            Err(error) => {
                tracing::error!(%error, "the history cannot be opened");
                self.notice(Tone::Bad, "The history on this device cannot be opened.", None);
            }
        }
    }

    /// Keeps the lists, sealed, for a start without the server.
    pub(super) async fn keep_lists(&mut self) {
        let Some(history) = &mut self.history else { return };
        let lists = KeptLists {
            requests: self.requests.clone(),
            reviews: self.reviews.clone(),
            grants: self.grants.clone(),
        };
        if let Err(error) = history.keep("lists", &lists).await {
            tracing::warn!(%error, "the lists are not kept");
        }
    }

    /// Why nothing can be asked of the server now.
    pub(super) fn no_session(&self) -> Failure {
        match &self.keychain_view {
            KeychainView::Locked { message } => failure(FailureCode::KeychainLocked, message.clone()),
            KeychainView::Missing { message } => failure(FailureCode::KeychainMissing, message.clone()),
            KeychainView::Ready => failure(FailureCode::SignedOut, "Sign in first."),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct KeptLists {
    requests: Vec<daypass_protocol::api::RequestView>,
    reviews: Vec<daypass_protocol::api::RequestView>,
    grants: Vec<daypass_protocol::api::GrantView>,
}

impl Lists {
    pub(super) fn is_empty(&self) -> bool {
        self.me.is_none() && self.requests.is_none() && self.reviews.is_none() && self.grants.is_none()
    }
}

async fn report_wiped(session: &Session, grant: GrantId, device: DeviceId) {
    let body = daypass_protocol::api::WipedBody { device };
    if let Err(f) = session.post::<()>(&format!("/v1/grants/{grant}/wiped"), &body).await {
        tracing::info!(%grant, message = %f.message, "the server was not told of a wipe");
    }
}

/// Looks at the server once more: between the person's look and this, somebody may have stepped in.
async fn prepare(
    address: &str,
    fingerprint: &str,
    device: DeviceId,
    clock: daypass_clock::Clock,
    events: tokio::sync::mpsc::UnboundedSender<Event>,
) -> Result<Prepared, Failure> {
    let url = api::address(address)?;
    let name = api::name(&url);
    let (info, seen) = api::look(&url).await?;
    let changed = || {
        failure(
            FailureCode::Certificate,
            format!(
                "{name} now shows another certificate than the one you accepted. Somebody may be in between."
            ),
        )
    };
    let accept = if seen.public {
        Accept::Public
    } else if Fingerprint::parse(fingerprint) == Some(seen.fingerprint) {
        Accept::Pinned(seen.fingerprint)
    } else {
        return Err(changed());
    };
    let account = Account {
        server: KnownServer {
            address: name,
            organisation: info.organisation,
            fingerprint: seen.fingerprint.to_string(),
        },
        pinned: !seen.public,
    };
    let api = Api::new(url, accept, clock, events)?;
    Ok(Prepared { account, sign_in: SignIn::prepare(api, device).await? })
}
