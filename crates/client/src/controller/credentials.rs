//! The credentials on this device. A credential is in the keychain only while its grant is live:
//!
//! 1. the intent is on the disk before the credential is fetched;
//! 2. the keychain's thread does what it is asked in order, so a wipe runs after the store that it undoes;
//! 3. the intent is closed only after the keychain said that nothing is there;
//! 4. at every start, and whenever the keychain comes back, what has no open intent is removed.

use std::time::Duration;

use chrono::TimeDelta;
use daypass_clock::Timestamp;
use daypass_domain::GrantId;
use daypass_protocol::api::{Credential, CredentialBody, EndedWhy, GrantStatus, GrantView, ProblemCode};
use daypass_protocol::bridge::{
    Connection, Failure, FailureCode, Keychain as KeychainView, LocalCredential, Tone,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{Controller, Event, ReplyTo};
use crate::failure::{from_keychain, not_here};
use crate::integration::Integration;
use crate::keychain::{
    GRANT_PREFIX, HISTORY_KEY_USER, Keychain, KeychainError, answer, grant_user, refresh_user,
};
use crate::store::CredentialIntent;
use crate::words;

/// How long a locked or missing keychain, or a busy server, is left alone between two tries.
const RETRY: Duration = Duration::from_secs(1);
/// How long another device of the same person, which sent the request, has to fetch the credential first.
const COURTESY: TimeDelta = TimeDelta::seconds(3);

/// A credential that is, or may be, in the keychain.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) intent: CredentialIntent,
    pub(super) phase: Phase,
    pub(super) command: Option<String>,
    /// Why it was wiped, for the person; none when the person did it here.
    ended: Option<String>,
    /// On another device by now, so it was wiped here.
    moved: bool,
    /// The turn in which it was wanted, then stored, then wiped: a list asked for before does not speak of it.
    since: u64,
}

#[derive(Debug, PartialEq)]
pub(super) enum Phase {
    /// The application has just started; the keychain was not asked yet.
    Checking,
    /// Wanted, and not here; fetched as soon as the server answers.
    Absent,
    Fetching,
    Storing,
    Here,
    Failed {
        message: String,
        retry: Retry,
    },
    /// `retry_at` while the keychain refuses; none while it works on it.
    Wiping {
        message: Option<String>,
        retry_at: Option<Duration>,
    },
    Wiped,
}

/// Whether the person may be asked to unlock the keychain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    Asking,
    Quietly,
}

impl Manner {
    fn check(self, keychain: &mut dyn Keychain) -> Result<(), KeychainError> {
        match self {
            Self::Asking => Ok(()),
            Self::Quietly => keychain.is_open(),
        }
    }
}

/// When a failed fetch is tried again.
#[derive(Debug, PartialEq)]
pub(super) enum Retry {
    At(Duration),
    WithKeychain,
    WithServer,
    WhenAsked,
}

/// What is in the keychain for one grant.
#[derive(Serialize, Deserialize)]
struct KeptCredential {
    host: String,
    port: u16,
    database: String,
    username: String,
    #[serde(serialize_with = "exposed")]
    password: SecretString,
}

impl Held {
    /// Left over from before a start.
    pub(super) fn found(intent: CredentialIntent) -> Self {
        Self { intent, phase: Phase::Checking, command: None, ended: None, moved: false, since: 0 }
    }

    /// When it has to be wiped, unless it is already.
    pub(super) fn due(&self) -> Option<Timestamp> {
        (!self.over()).then_some(self.intent.expires_at)
    }

    fn over(&self) -> bool {
        matches!(self.phase, Phase::Wiping { .. } | Phase::Wiped)
    }

    pub(super) fn view(&self) -> LocalCredential {
        match &self.phase {
            Phase::Checking | Phase::Absent | Phase::Fetching | Phase::Storing => LocalCredential::Fetching,
            Phase::Here => LocalCredential::Here,
            Phase::Failed { message, .. } => LocalCredential::Failed { message: message.clone() },
            Phase::Wiping { message, .. } => LocalCredential::Wiping {
                message: message.clone().unwrap_or_else(|| "It is being removed.".into()),
            },
            Phase::Wiped if self.moved => LocalCredential::Elsewhere,
            Phase::Wiped => LocalCredential::Wiped,
        }
    }
}

impl<I: Integration> Controller<I> {
    /// A grant is live: its credential belongs here, unless it is on another device.
    fn meet_live(&mut self, view: &GrantView, asked: u64) {
        let Some(expires_at) = view.expires_at else { return };
        let held = self.held.get(&view.id);
        let elsewhere = view.device.is_some_and(|device| device != self.device);
        if elsewhere {
            let idle = |h: &Held| matches!(h.phase, Phase::Here | Phase::Absent | Phase::Checking);
            if held.is_some_and(|h| idle(h) && h.since < asked) {
                self.wipe(view.id, None);
                if let Some(held) = self.held.get_mut(&view.id) {
                    held.moved = true;
                }
            }
            return;
        }
        let courteous = view.device.is_none()
            && !self.submitted.contains(&view.request)
            && view.starts_at.is_some_and(|start| self.now() < start + COURTESY);
        if courteous {
            self.dirty.grants = true;
            self.refetch_after = self.refetch_after.max(self.clock.uptime() + RETRY);
            return;
        }
        let wanted = held.is_none_or(|h| match h.phase {
            Phase::Absent | Phase::Failed { retry: Retry::WithServer, .. } => true,
            // Wiped in doubt, or by a sign-in that ended, and live after all.
            Phase::Wiped => h.since < asked,
            _ => false,
        });
        if wanted && !self.releasing.contains(&view.id) {
            self.want(view.id, expires_at, Some(view.clone()));
        }
    }

    /// Marks a credential as wanted; the next tick writes the intent and fetches it.
    pub(super) fn want(&mut self, grant: GrantId, expires_at: Timestamp, view: Option<GrantView>) {
        if self.now() >= expires_at {
            return;
        }
        let since = self.turns.next();
        let view = view.or_else(|| self.held.get(&grant).and_then(|h| h.intent.view.clone()));
        let held = Held { since, ..Held::found(CredentialIntent { grant, expires_at, view }) };
        self.held.insert(grant, Held { phase: Phase::Absent, ..held });
        self.changed = true;
    }

    /// Whether this device may fetch now.
    fn can_fetch(&self) -> bool {
        self.session.is_some() && matches!(self.connection, Connection::Online)
    }

    pub(super) async fn tick_credentials(&mut self) {
        let now = self.now();
        let uptime = self.clock.uptime();
        let over: Vec<GrantId> = self
            .held
            .iter()
            .filter(|(_, h)| h.due().is_some_and(|due| now >= due))
            .map(|(id, _)| *id)
            .collect();
        for grant in over {
            let name = self.grant_name(grant);
            self.wipe(grant, Some(words::ended_on_time(&name)));
        }
        let again: Vec<GrantId> = self
            .held
            .iter()
            .filter(|(_, h)| matches!(h.phase, Phase::Wiping { retry_at: Some(at), .. } if uptime >= at))
            .map(|(id, _)| *id)
            .collect();
        for grant in again {
            self.delete(grant, Manner::Quietly);
        }
        if !self.can_fetch() {
            return;
        }
        let ready = |h: &Held| match &h.phase {
            Phase::Absent => true,
            Phase::Failed { retry: Retry::At(at), .. } => uptime >= *at,
            _ => false,
        };
        let fetch: Vec<GrantId> = self.held.iter().filter(|(_, h)| ready(h)).map(|(id, _)| *id).collect();
        for grant in fetch {
            self.fetch(grant).await;
        }
    }

    async fn fetch(&mut self, grant: GrantId) {
        let (Some(session), Some(held)) = (self.session.clone(), self.held.get_mut(&grant)) else { return };
        self.changed = true;
        if let KeychainView::Locked { message } | KeychainView::Missing { message } = &self.keychain_view {
            held.phase = Phase::Failed { message: message.clone(), retry: Retry::WithKeychain };
            return;
        }
        // The intent comes first: whatever happens after this line, the next start knows what to look for.
        if let Err(error) = self.store.open_intent(&held.intent).await {
            held.phase = Phase::Failed {
                message: "This device's database cannot be written, so the credential was not fetched."
                    .into(),
                retry: Retry::At(self.clock.uptime() + RETRY * 5),
            };
            self.note_store(Err(error));
            return;
        }
        held.phase = Phase::Fetching;
        let (events, body) = (self.events.clone(), CredentialBody { device: self.device });
        tokio::spawn(async move {
            let result = session.post(&format!("/v1/grants/{grant}/credential"), &body).await.map(Box::new);
            // If the loop has ended, the credential is dropped here and was never stored.
            let _ = events.send(Event::Fetched(grant, result));
        });
    }

    pub(super) async fn on_fetched(&mut self, grant: GrantId, result: Result<Box<Credential>, Failure>) {
        let now = self.now();
        let uptime = self.clock.uptime();
        let Some(held) = self.held.get_mut(&grant) else { return };
        // It ended meanwhile: what came is dropped unread.
        if held.phase != Phase::Fetching {
            return;
        }
        self.changed = true;
        let credential = match result {
            Ok(credential) => credential,
            Err(failure) => return self.on_fetch_failed(grant, failure, uptime),
        };
        if credential.expires_at != held.intent.expires_at {
            held.intent.expires_at = credential.expires_at;
            let intent = held.intent.clone();
            let kept = self.store.open_intent(&intent).await;
            self.note_store(kept);
        }
        if now >= credential.expires_at {
            return;
        }
        let Some(held) = self.held.get_mut(&grant) else { return };
        held.command = Some(words::command(
            &credential.host,
            credential.port,
            &credential.database,
            &credential.username,
        ));
        held.phase = Phase::Storing;
        let kept = KeptCredential {
            host: credential.host,
            port: credential.port,
            database: credential.database,
            username: credential.username,
            password: credential.password,
        };
        let secret = SecretString::from(serde_json::to_string(&kept).unwrap_or_default());
        let told = self.keychain.ask(move |keychain| keychain.set(&grant_user(grant), &secret));
        let events = self.events.clone();
        tokio::spawn(async move {
            let _ = events.send(Event::Stored(grant, answer(told).await));
        });
    }

    fn on_fetch_failed(&mut self, grant: GrantId, failure: Failure, uptime: Duration) {
        let retry = match failure.code {
            FailureCode::Server(ProblemCode::Over | ProblemCode::NotFound | ProblemCode::Forbidden) => {
                self.dirty.grants = true;
                self.wipe(grant, None);
                return;
            }
            FailureCode::SignedOut => {
                self.session_over(failure.message);
                return;
            }
            FailureCode::Offline | FailureCode::Certificate => {
                // The stream finds out by itself, but not as soon.
                self.connect();
                Retry::WithServer
            }
            FailureCode::KeychainLocked | FailureCode::KeychainMissing => Retry::WithKeychain,
            FailureCode::Server(
                ProblemCode::NotYet | ProblemCode::Unavailable | ProblemCode::TargetUnavailable,
            ) => Retry::At(uptime + RETRY),
            FailureCode::Server(ProblemCode::RateLimited | ProblemCode::Conflict) => {
                Retry::At(uptime + RETRY * 5)
            }
            _ => Retry::WhenAsked,
        };
        if let Some(held) = self.held.get_mut(&grant) {
            held.phase = Phase::Failed { message: failure.message, retry };
        }
    }

    pub(super) fn on_stored(&mut self, grant: GrantId, result: Result<(), KeychainError>) {
        self.note_keychain(&result);
        let name = self.grant_name(grant);
        let now = self.now();
        let since = self.turns.next();
        let Some(held) = self.held.get_mut(&grant) else { return };
        if held.phase != Phase::Storing {
            return;
        }
        self.changed = true;
        match result {
            Ok(()) => {
                held.phase = Phase::Here;
                held.since = since;
                let expires_at = held.intent.expires_at;
                self.notify(words::active(grant, &name, expires_at - now));
            }
            Err(error) => {
                held.command = None;
                let retry = match error {
                    KeychainError::Locked | KeychainError::Missing => Retry::WithKeychain,
                    _ => Retry::At(self.clock.uptime() + RETRY * 5),
                };
                held.phase = Phase::Failed { message: error.to_string(), retry };
            }
        }
    }

    /// Removes a credential. `ended` is what the person is told when it is done.
    pub(super) fn wipe(&mut self, grant: GrantId, ended: Option<String>) {
        let Some(held) = self.held.get_mut(&grant) else { return };
        if held.over() {
            if held.ended.is_none() && held.phase != Phase::Wiped {
                held.ended = ended;
            }
            return;
        }
        held.ended = ended;
        if self.copied.is_some_and(|(copied, _)| copied == grant) {
            self.clear_copied();
        }
        self.delete(grant, Manner::Asking);
    }

    fn delete(&mut self, grant: GrantId, manner: Manner) {
        let Some(held) = self.held.get_mut(&grant) else { return };
        let message = match std::mem::replace(&mut held.phase, Phase::Wiped) {
            Phase::Wiping { message, .. } => message,
            _ => None,
        };
        held.phase = Phase::Wiping { message, retry_at: None };
        held.command = None;
        self.changed = true;
        // Asked for here and now, not in the task: the order of the keychain's queue is what makes a wipe final.
        let told = self.keychain.ask(move |keychain| {
            manner.check(keychain)?;
            keychain.delete(&grant_user(grant))
        });
        let events = self.events.clone();
        tokio::spawn(async move {
            let _ = events.send(Event::Deleted(grant, answer(told).await));
        });
    }

    pub(super) async fn on_deleted(&mut self, grant: GrantId, result: Result<(), KeychainError>) {
        self.note_keychain(&result);
        self.changed = true;
        match result {
            Ok(()) | Err(KeychainError::NotFound) => {
                let closed = self.store.close_intent(grant).await;
                self.note_store(closed);
                if let Ok(outbox) = self.store.outbox().await {
                    self.outbox = outbox;
                }
                let since = self.turns.next();
                let Some(held) = self.held.get_mut(&grant) else { return };
                held.phase = Phase::Wiped;
                held.since = since;
                if let Some(text) = held.ended.take() {
                    self.notify(words::ended(grant, text));
                }
                if self.account.is_none() {
                    self.held.remove(&grant);
                }
            }
            Err(error) => {
                tracing::warn!(%grant, %error, "a credential is not wiped yet");
                let retry_at = Some(self.clock.uptime() + RETRY);
                if let Some(held) = self.held.get_mut(&grant) {
                    held.phase = Phase::Wiping { message: Some(error.to_string()), retry_at };
                }
            }
        }
    }

    pub(super) fn retry_wipes(&mut self) {
        for held in self.held.values_mut() {
            if let Phase::Wiping { retry_at: Some(at), .. } = &mut held.phase {
                *at = Duration::ZERO;
            }
        }
    }

    pub(super) fn wipe_all(&mut self) {
        for grant in self.held.keys().copied().collect::<Vec<_>>() {
            self.wipe(grant, None);
        }
    }

    /// Wipes what has ended if the wall clock is right.
    pub(super) fn wipe_by_civil(&mut self) {
        let civil = self.time.now_by_civil(&self.clock);
        let over: Vec<GrantId> = self
            .held
            .iter()
            .filter(|(_, h)| h.due().is_some_and(|due| civil >= due))
            .map(|(id, _)| *id)
            .collect();
        for grant in over {
            let name = self.grant_name(grant);
            self.wipe(grant, Some(words::ended_by_wall_clock(&name)));
        }
    }

    /// Keeps what is said about the keychain true, and goes on with what waited for it.
    pub(super) fn note_keychain<T>(&mut self, result: &Result<T, KeychainError>) {
        let view = match result {
            Err(error @ KeychainError::Locked) => KeychainView::Locked { message: error.to_string() },
            Err(error @ KeychainError::Missing) => KeychainView::Missing { message: error.to_string() },
            Err(KeychainError::Other(_)) => return,
            Ok(_) | Err(KeychainError::NotFound) => KeychainView::Ready,
        };
        if view == self.keychain_view {
            return;
        }
        let back = view == KeychainView::Ready;
        self.keychain_view = view;
        self.changed = true;
        self.keychain_probe_after = self.clock.uptime() + RETRY;
        if back {
            self.retry_wipes();
            for held in self.held.values_mut() {
                if matches!(held.phase, Phase::Failed { retry: Retry::WithKeychain, .. }) {
                    held.phase = Phase::Absent;
                }
            }
            self.look_through_keychain(Manner::Quietly);
            self.open_history();
            if !matches!(self.connection, Connection::Online) {
                self.connect();
            }
        }
    }

    /// While the keychain is away it is asked again and again whether it is back.
    pub(super) fn tick_keychain(&mut self) {
        let away = self.keychain_view != KeychainView::Ready;
        if away && !self.keychain_probing && self.clock.uptime() >= self.keychain_probe_after {
            self.look_through_keychain(Manner::Quietly);
        }
    }

    /// Asks what the keychain holds; the answer is compared with the open intents.
    pub(super) fn look_through_keychain(&mut self, manner: Manner) {
        if self.keychain_probing {
            return;
        }
        self.keychain_probing = true;
        let told = self.keychain.ask(move |keychain| {
            manner.check(keychain)?;
            keychain.list()
        });
        let events = self.events.clone();
        tokio::spawn(async move {
            let _ = events.send(Event::Listed(answer(told).await));
        });
    }

    pub(super) fn on_listed(&mut self, result: Result<Vec<String>, KeychainError>) {
        self.keychain_probing = false;
        self.keychain_probe_after = self.clock.uptime() + RETRY;
        self.note_keychain(&result);
        let users = match result {
            Ok(users) => users,
            Err(error) => {
                tracing::info!(%error, "the keychain could not be looked through");
                if matches!(error, KeychainError::Other(_)) && self.keychain_view == KeychainView::Ready {
                    // Looked through again on the next tick that finds it away.
                    self.keychain_view = KeychainView::Locked { message: error.to_string() };
                    self.changed = true;
                }
                return;
            }
        };
        for user in &users {
            if let Some(grant) = user.strip_prefix(GRANT_PREFIX) {
                let known = grant.parse().ok().and_then(|grant: GrantId| self.held.get(&grant));
                if known.is_none_or(|h| h.phase == Phase::Wiped) {
                    tracing::info!(user, "removes a credential without a live grant");
                    self.forget(user.clone());
                }
            } else {
                let current = self.account.as_ref().is_some_and(|account| {
                    user == HISTORY_KEY_USER || *user == refresh_user(&account.server.address)
                });
                let signing_in = self.signing_in.is_some();
                if !current && !signing_in {
                    self.forget(user.clone());
                }
            }
        }
        let checking: Vec<GrantId> =
            self.held.iter().filter(|(_, h)| h.phase == Phase::Checking).map(|(id, _)| *id).collect();
        for grant in checking {
            if users.contains(&grant_user(grant)) {
                self.look(grant);
            } else if let Some(held) = self.held.get_mut(&grant) {
                held.phase = Phase::Absent;
            }
        }
    }

    fn forget(&self, user: String) {
        // Nobody waits for it: when it fails, the next look finds it again.
        drop(self.keychain.ask(move |keychain| keychain.delete(&user)));
    }

    fn look(&self, grant: GrantId) {
        let told = self.keychain.ask(move |keychain| {
            let secret = keychain.get(&grant_user(grant))?;
            let kept = serde_json::from_str::<KeptCredential>(secret.expose_secret()).ok();
            Ok(kept.map(|k| words::command(&k.host, k.port, &k.database, &k.username)))
        });
        let events = self.events.clone();
        tokio::spawn(async move {
            let _ = events.send(Event::Looked(grant, answer(told).await));
        });
    }

    pub(super) fn on_looked(&mut self, grant: GrantId, result: Result<Option<String>, KeychainError>) {
        self.note_keychain(&result);
        let Some(held) = self.held.get_mut(&grant) else { return };
        if held.phase != Phase::Checking {
            return;
        }
        self.changed = true;
        match result {
            Ok(Some(command)) => {
                held.command = Some(command);
                held.phase = Phase::Here;
            }
            // Half written, or gone meanwhile: a new one replaces it.
            Ok(None) | Err(KeychainError::NotFound) => held.phase = Phase::Absent,
            // Looked at again when the keychain is back.
            Err(_) => {}
        }
    }

    /// Puts the password on the clipboard, straight from the keychain.
    pub(super) fn read_password(&mut self, grant: GrantId, reply: ReplyTo) {
        if !self.held.get(&grant).is_some_and(|h| h.phase == Phase::Here) {
            let _ = reply.send(Err(not_here("The credential of this grant is not on this device.")));
            return;
        }
        let told = self.keychain.ask(move |keychain| {
            let secret = keychain.get(&grant_user(grant))?;
            let kept = serde_json::from_str::<KeptCredential>(secret.expose_secret());
            kept.map(|k| k.password).map_err(|_| KeychainError::NotFound)
        });
        let events = self.events.clone();
        tokio::spawn(async move {
            let _ = events.send(Event::PasswordRead { grant, result: answer(told).await, reply });
        });
    }

    pub(super) fn on_password_read(
        &mut self,
        grant: GrantId,
        result: Result<SecretString, KeychainError>,
        reply: ReplyTo,
    ) {
        self.note_keychain(&result);
        let here = self.held.get(&grant).is_some_and(|h| h.phase == Phase::Here);
        let answer = match result {
            Ok(password) if here => {
                self.out.copy(password);
                self.copied = Some((grant, self.clock.uptime() + Duration::from_secs(30)));
                self.notice(Tone::Info, "The password is on the clipboard for 30 seconds.", None);
                Ok(daypass_protocol::bridge::Reply::Done)
            }
            Ok(_) => Err(not_here("This grant has just ended.")),
            Err(KeychainError::NotFound) => {
                if let Some(held) = self.held.get_mut(&grant).filter(|h| h.phase == Phase::Here) {
                    held.phase = Phase::Absent;
                }
                self.changed = true;
                Err(not_here("The keychain no longer holds this credential. A new one is being fetched."))
            }
            Err(error) => Err(from_keychain(&error)),
        };
        let _ = reply.send(answer);
    }

    /// Compares the server's word on one's grants with what is here.
    pub(super) fn meet_grants(&mut self, asked: u64) {
        let grants = std::mem::take(&mut self.grants);
        for view in &grants {
            if let Some(held) = self.held.get_mut(&view.id) {
                held.intent.view = Some(view.clone());
            }
            match &view.status {
                GrantStatus::Live => self.meet_live(view, asked),
                GrantStatus::Ending { why, .. } | GrantStatus::Ended { why, .. } => {
                    let quiet = matches!(why, EndedWhy::Released) || self.releasing.contains(&view.id);
                    let text = (!quiet).then(|| words::ended_why(&view.resource.name, why));
                    self.wipe(view.id, text);
                }
                GrantStatus::Opening { .. } => {}
            }
        }
        // What the server does not know, or no longer lists, is not live.
        let gone: Vec<GrantId> = self
            .held
            .iter()
            .filter(|(id, h)| h.since < asked && !grants.iter().any(|g| g.id == **id))
            .map(|(id, _)| *id)
            .collect();
        for grant in gone {
            self.wipe(grant, None);
        }
        self.held.retain(|id, h| h.phase != Phase::Wiped || grants.iter().any(|g| g.id == *id));
        self.grants = grants;
    }

    pub(super) fn grant_view(&self, grant: GrantId) -> Option<&GrantView> {
        let listed = self.grants.iter().find(|g| g.id == grant);
        listed.or_else(|| self.held.get(&grant).and_then(|h| h.intent.view.as_ref()))
    }

    pub(super) fn grant_name(&self, grant: GrantId) -> String {
        self.grant_view(grant).map_or_else(|| "a resource".into(), |g| g.resource.name.clone())
    }

    /// Five minutes before the end; half-way for a short grant.
    pub(super) fn tick_reminders(&mut self) {
        let now = self.now();
        let mut due = Vec::new();
        for grant in &self.grants {
            let (GrantStatus::Live, Some(end)) = (&grant.status, grant.expires_at) else { continue };
            let left = end - now;
            let before = words::remind_before(grant.duration_s);
            let quiet = self.reminded.contains(&grant.id) || self.releasing.contains(&grant.id);
            if left > TimeDelta::zero() && left <= before && !quiet {
                due.push((grant.id, words::ends_soon(grant, left)));
            }
        }
        for (id, notification) in due {
            self.reminded.insert(id);
            self.notify(notification);
        }
    }

    pub(super) fn notify(&mut self, notification: crate::Notification) {
        if self.settings.notifications {
            self.out.notify(notification);
        }
    }
}

fn exposed<S: serde::Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}
