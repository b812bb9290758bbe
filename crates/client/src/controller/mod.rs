//! The loop. Everything that changes state comes through [`Event`]; what takes time runs in tasks that report back.

mod account;
mod credentials;
mod entries;
mod intents;
mod online;
mod outbox;
mod view;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use daypass_clock::{Clock, Timestamp};
use daypass_domain::{DeviceId, Entitlement, GrantId, RequestId, ResourceId};
use daypass_protocol::api::{Credential, Entry, GrantView, Me, Preview, RequestView, Resource};
use daypass_protocol::bridge::{
    Connection, Failure, FoundServer, Intent, Keychain as KeychainView, Notice, Page, Reply, Settings, Tone,
};
use secrecy::SecretString;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use crate::failure::local;
use crate::history::History;
use crate::integration::Integration;
use crate::keychain::{Keychain, KeychainError, KeychainThread};
use crate::session::Session;
use crate::signin::SignIn;
use crate::store::{Message, STATE_FILE, Store, move_aside};
use crate::time::{Heard, ServerTime, boot_id};
use crate::tray::{TrayModel, tray};

use account::Account;
use credentials::Held;

/// How the controller is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where this device keeps its databases.
    pub folder: PathBuf,
    pub clock: Clock,
    /// How often time is looked at even when nothing happens: timers do not run while the machine sleeps.
    pub tick: Duration,
    /// The address to offer on the sign-in page.
    pub suggested_server: Option<String>,
}

impl Options {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, clock: Clock::system(), tick: Duration::from_secs(1), suggested_server: None }
    }
}

/// Why the controller cannot start at all.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the data folder {folder} cannot be used: {cause}")]
    Folder { folder: PathBuf, cause: std::io::Error },
    #[error("the local database cannot be opened: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the keychain's thread cannot be started: {0}")]
    Thread(std::io::Error),
    #[error("the system gives no random numbers")]
    Random,
}

/// Starts the controller on the current tokio runtime.
pub async fn start(
    options: Options,
    out: impl Integration,
    keychain: impl Keychain,
) -> Result<Handle, StartError> {
    let (events, queue) = mpsc::unbounded_channel();
    let handle = Handle { events: events.clone() };
    let controller = Controller::open(options, out, keychain, events).await?;
    tokio::spawn(controller.run(queue));
    Ok(handle)
}

/// The way to talk to a running controller.
#[derive(Clone, Debug)]
pub struct Handle {
    events: mpsc::UnboundedSender<Event>,
}

impl Handle {
    pub async fn intent(&self, intent: Intent) -> Result<Reply, Failure> {
        let (reply, answer) = oneshot::channel();
        let ended = || local("Daypass is ending.");
        self.events.send(Event::Intent(intent, reply)).map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    /// Looks at the clock and tries again what waits: the machine woke, or the keychain was unlocked.
    pub fn wake(&self) {
        // A controller that has ended has nothing to wake.
        let _ = self.events.send(Event::Woke);
    }

    /// The browser could not be opened.
    pub fn browser_failed(&self, why: String) {
        let _ = self.events.send(Event::BrowserFailed(why));
    }

    /// Ends the controller: what is on the clipboard is cleared and the databases are closed.
    pub async fn stop(&self) {
        let (done, end) = oneshot::channel();
        if self.events.send(Event::Stop(done)).is_ok() {
            // An error means that it is gone, which is what was asked.
            let _ = end.await;
        }
    }
}

type ReplyTo = oneshot::Sender<Result<Reply, Failure>>;

/// Everything that can happen to the controller.
#[derive(Debug)]
pub(crate) enum Event {
    Intent(Intent, ReplyTo),
    Woke,
    BrowserFailed(String),
    Stop(oneshot::Sender<()>),

    /// The server said what time it is.
    Heard(Heard),
    /// A look at the server, made because the clocks parted, has ended.
    Probed(Result<(), Failure>),

    SignInPrepared {
        attempt: u64,
        result: Result<Box<Prepared>, Failure>,
        reply: ReplyTo,
    },
    SignInEnded {
        attempt: u64,
        result: Result<Box<SignedIn>, Failure>,
    },
    SignedOut {
        left: Result<(), KeychainError>,
        reply: ReplyTo,
    },

    /// The lists were read; on a new connection all of them.
    Lists(Box<Lists>),
    ListsFailed(Failure),
    Entries(Vec<Entry>),
    /// Everything up to now was received.
    CaughtUp,
    Resync,
    Lost(Failure),

    Answered {
        reply: ReplyTo,
        answer: Answer,
    },
    Fetched(GrantId, Result<Box<Credential>, Failure>),
    Stored(GrantId, Result<(), KeychainError>),
    /// What the keychain holds of a grant that was there when the application started.
    Looked(GrantId, Result<Option<String>, KeychainError>),
    Deleted(GrantId, Result<(), KeychainError>),
    Listed(Result<Vec<String>, KeychainError>),
    PasswordRead {
        grant: GrantId,
        result: Result<SecretString, KeychainError>,
        reply: ReplyTo,
    },
    HistoryKey(Result<Option<SecretString>, KeychainError>),
    Delivered(Message, Result<(), Failure>),
}

/// A sign-in that is ready for the browser.
#[derive(Debug)]
pub(crate) struct Prepared {
    account: Account,
    sign_in: SignIn,
}

#[derive(Debug)]
pub(crate) struct SignedIn {
    account: Account,
    session: Session,
    me: Me,
}

/// What was read from the server; what is absent was not asked for.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    me: Option<Me>,
    requests: Option<Vec<RequestView>>,
    reviews: Option<Vec<RequestView>>,
    grants: Option<Vec<GrantView>>,
    /// The turn in which it was asked for.
    asked: u64,
    /// The first on a new connection.
    fresh: bool,
}

/// The end of a call that a person waits for.
#[derive(Debug)]
pub(crate) enum Answer {
    Server(Result<FoundServer, Failure>),
    Catalogue(Result<Vec<Resource>, Failure>),
    Preview(Result<Box<Preview>, Failure>),
    Submitted(Result<Box<RequestView>, Failure>),
    Request(Result<Box<RequestView>, Failure>),
}

/// Counts what happens, so that of two things it is known which was first, whatever the clocks say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turns(Arc<AtomicU64>);

impl Turns {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// Which lists are to be read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Dirty {
    me: bool,
    requests: bool,
    reviews: bool,
    grants: bool,
}

impl Dirty {
    const ALL: Self = Self { me: true, requests: true, reviews: true, grants: true };

    fn any(self) -> bool {
        self != Self::default()
    }
}

pub(crate) struct Controller<I> {
    out: I,
    options: Options,
    clock: Clock,
    boot: String,
    events: mpsc::UnboundedSender<Event>,
    turns: Turns,
    keychain: KeychainThread,
    store: Store,
    history: Option<History>,
    device: DeviceId,
    time: ServerTime,
    probing: bool,
    probe_after: Duration,
    last_tick: Duration,

    account: Option<Account>,
    session: Option<Session>,
    online: Option<AbortHandle>,
    signing_in: Option<(u64, Option<AbortHandle>)>,
    attempts: u64,

    connection: Connection,
    keychain_view: KeychainView,
    keychain_probing: bool,
    keychain_probe_after: Duration,
    history_opening: bool,
    me: Option<Me>,
    requests: Vec<RequestView>,
    reviews: Vec<RequestView>,
    grants: Vec<GrantView>,
    dirty: Dirty,
    refetching: bool,
    refetch_after: Duration,
    catalogue_revision: u64,
    synced_at: Option<Timestamp>,

    held: BTreeMap<GrantId, Held>,
    /// Grants that this person gave back, until the server has heard it.
    releasing: BTreeSet<GrantId>,
    outbox: Vec<Message>,
    delivering: Option<Message>,
    deliver_after: Duration,
    /// Requests sent from this device: their credentials are meant for it.
    submitted: VecDeque<RequestId>,
    asked_for_review: BTreeSet<RequestId>,
    reminded: BTreeSet<GrantId>,
    copied: Option<(GrantId, Duration)>,

    favourites: Vec<Entitlement>,
    /// What resources are called, as far as they were seen.
    names: BTreeMap<ResourceId, String>,
    recent: Vec<Entitlement>,
    settings: Settings,
    notices: VecDeque<Notice>,
    next_notice: u64,
    revision: u64,
    changed: bool,
    tray: Option<TrayModel>,
}

impl<I: Integration> Controller<I> {
    async fn open(
        options: Options,
        mut out: I,
        keychain: impl Keychain,
        events: mpsc::UnboundedSender<Event>,
    ) -> Result<Self, StartError> {
        make_folder(&options.folder)
            .map_err(|cause| StartError::Folder { folder: options.folder.clone(), cause })?;
        let clock = options.clock.clone();
        let mut notices = VecDeque::new();
        let mut store = match Store::open(&options.folder).await {
            Ok(store) => store,
            Err(error) => {
                // Without its intents the start-up sweep removes every credential, and live ones are fetched anew.
                tracing::warn!(%error, "the local database is begun anew");
                move_aside(&options.folder.join(STATE_FILE), clock.now())
                    .map_err(|cause| StartError::Folder { folder: options.folder.clone(), cause })?;
                let text = "The settings on this device could not be read and were set aside.".into();
                notices.push_back(Notice { id: 0, tone: Tone::Warning, text, page: None });
                Store::open(&options.folder).await?
            }
        };
        let device = match store.get("device").await? {
            Some(device) => device,
            None => {
                let device = DeviceId(new_uuid().ok_or(StartError::Random)?);
                store.put("device", &device).await?;
                device
            }
        };
        let boot = boot_id();
        let time = ServerTime::resume(store.get("anchor").await?, &clock, &boot);
        let settings: Settings = store.get("settings").await?.unwrap_or_default();
        out.settings(&settings);
        let intents = store.intents().await?;
        let outbox = store.outbox().await?;
        let account: Option<Account> = store.get("account").await?;
        let controller = Self {
            keychain: KeychainThread::start(keychain).map_err(StartError::Thread)?,
            turns: Turns::default(),
            history: None,
            device,
            time,
            probing: false,
            probe_after: Duration::ZERO,
            last_tick: clock.uptime(),
            connection: match &account {
                Some(_) => Connection::Connecting,
                None => Connection::SignedOut { message: None },
            },
            session: None,
            online: None,
            signing_in: None,
            attempts: 0,
            keychain_view: KeychainView::Ready,
            keychain_probing: false,
            keychain_probe_after: Duration::ZERO,
            history_opening: false,
            me: if account.is_some() { store.get("me").await? } else { None },
            requests: Vec::new(),
            reviews: Vec::new(),
            grants: Vec::new(),
            dirty: Dirty::default(),
            refetching: false,
            refetch_after: Duration::ZERO,
            catalogue_revision: 1,
            synced_at: store.get("synced_at").await?,
            held: intents.into_iter().map(|(id, intent)| (id, Held::found(intent))).collect(),
            releasing: outbox
                .iter()
                .filter_map(|m| if let Message::Release(grant) = m { Some(*grant) } else { None })
                .collect(),
            outbox,
            delivering: None,
            deliver_after: Duration::ZERO,
            submitted: store.get("submitted").await?.unwrap_or_default(),
            asked_for_review: BTreeSet::new(),
            reminded: BTreeSet::new(),
            copied: None,
            favourites: store.get("favourites").await?.unwrap_or_default(),
            names: store.get("names").await?.unwrap_or_default(),
            recent: store.get("recent").await?.unwrap_or_default(),
            settings,
            next_notice: 1,
            notices,
            revision: 0,
            changed: true,
            tray: None,
            account,
            store,
            out,
            clock,
            boot,
            events,
            options,
        };
        Ok(controller)
    }

    async fn run(mut self, mut queue: mpsc::UnboundedReceiver<Event>) {
        self.begin();
        self.tick().await;
        self.publish();
        loop {
            let pause = self.pause();
            tokio::select! {
                biased;
                event = queue.recv() => match event {
                    Some(Event::Stop(done)) => {
                        self.end().await;
                        // Whoever asked may have gone already.
                        let _ = done.send(());
                        return;
                    }
                    Some(event) => self.on(event).await,
                    None => return self.end().await,
                },
                () = tokio::time::sleep(pause) => {}
            }
            self.tick().await;
            self.publish();
        }
    }

    async fn on(&mut self, event: Event) {
        match event {
            Event::Intent(intent, reply) => self.on_intent(intent, reply).await,
            Event::Woke => self.on_woke(),
            Event::BrowserFailed(why) => self.on_browser_failed(&why),
            Event::Stop(_) => {}
            Event::Heard(heard) => self.on_heard(heard).await,
            Event::Probed(result) => self.on_probed(&result),
            Event::SignInPrepared { attempt, result, reply } => {
                self.on_sign_in_prepared(attempt, result, reply)
            }
            Event::SignInEnded { attempt, result } => self.on_sign_in_ended(attempt, result).await,
            Event::SignedOut { left, reply } => self.on_signed_out(left, reply).await,
            Event::Lists(lists) => self.on_lists(*lists).await,
            Event::ListsFailed(failure) => self.on_lists_failed(failure),
            Event::Entries(entries) => self.on_entries(entries).await,
            Event::CaughtUp => self.on_caught_up().await,
            Event::Resync => self.on_resync(),
            Event::Lost(failure) => self.on_lost(failure),
            Event::Answered { reply, answer } => self.on_answered(reply, answer).await,
            Event::Fetched(grant, result) => self.on_fetched(grant, result).await,
            Event::Stored(grant, result) => self.on_stored(grant, result),
            Event::Looked(grant, result) => self.on_looked(grant, result),
            Event::Deleted(grant, result) => self.on_deleted(grant, result).await,
            Event::Listed(result) => self.on_listed(result),
            Event::PasswordRead { grant, result, reply } => self.on_password_read(grant, result, reply),
            Event::HistoryKey(result) => self.on_history_key(result).await,
            Event::Delivered(message, result) => self.on_delivered(message, result).await,
        }
    }

    /// How long nothing is due.
    fn pause(&self) -> Duration {
        let mut pause = self.options.tick;
        for end in self.held.values().filter_map(Held::due) {
            pause = pause.min(self.time.until(end, &self.clock));
        }
        pause
    }

    /// What only time brings about.
    async fn tick(&mut self) {
        let now = self.clock.uptime();
        // Far longer than a tick: the machine slept, and connections that look alive may be dead.
        let slept = now.saturating_sub(self.last_tick) > self.options.tick + Duration::from_secs(10);
        self.last_tick = now;
        if slept {
            self.on_woke();
        }
        self.check_clocks();
        self.tick_credentials().await;
        self.tick_keychain();
        self.tick_reminders();
        self.tick_clipboard();
        self.deliver();
        self.refetch();
    }

    fn on_woke(&mut self) {
        self.keychain_probe_after = Duration::ZERO;
        self.probe_after = Duration::ZERO;
        self.deliver_after = Duration::ZERO;
        self.retry_wipes();
        if !matches!(self.connection, Connection::SignedOut { .. } | Connection::SigningIn { .. }) {
            self.connect();
        }
    }

    async fn on_heard(&mut self, heard: Heard) {
        let off = self.time.clock_off_s(&self.clock);
        if self.time.hear(heard, &self.clock, &self.boot) {
            let anchor = self.time.anchor().cloned();
            let kept = self.store.put("anchor", &anchor).await;
            self.note_store(kept);
        }
        if off.is_some() != self.time.clock_off_s(&self.clock).is_some() {
            self.changed = true;
        }
    }

    /// When wall clock and uptime part, the server is asked; when it does not answer, the wall clock may be right,
    /// and what has ended by it is wiped: a credential that was still good can be fetched again.
    fn check_clocks(&mut self) {
        if self.probing || !self.time.doubtful(&self.clock) || self.clock.uptime() < self.probe_after {
            return;
        }
        self.changed = true;
        self.probe_after = self.clock.uptime() + Duration::from_secs(5);
        match &self.session {
            None => self.wipe_by_civil(),
            Some(session) => {
                self.probing = true;
                let (api, events) = (session.api().clone(), self.events.clone());
                tokio::spawn(async move {
                    let info = api.call(reqwest::Method::GET, "/v1/info", None, None::<&()>).await;
                    let result = info.map(|_: serde_json::Value| ());
                    // Sent to a loop that may have ended; then no clock matters.
                    let _ = events.send(Event::Probed(result));
                });
            }
        }
    }

    fn on_probed(&mut self, result: &Result<(), Failure>) {
        self.probing = false;
        if result.is_err() && self.time.doubtful(&self.clock) {
            self.wipe_by_civil();
        }
    }

    fn tick_clipboard(&mut self) {
        if self.copied.is_some_and(|(_, until)| self.clock.uptime() >= until) {
            self.clear_copied();
        }
    }

    fn clear_copied(&mut self) {
        if self.copied.take().is_some() {
            self.out.clear_copied();
        }
    }

    /// Tells the outside what changed.
    fn publish(&mut self) {
        let snapshot = if std::mem::take(&mut self.changed) {
            self.revision += 1;
            let snapshot = self.snapshot();
            self.out.snapshot(&snapshot);
            snapshot
        } else if self.tray.as_ref().is_some_and(|t| t.stale_at.is_some_and(|at| self.now() >= at)) {
            self.snapshot()
        } else {
            return;
        };
        let tray = tray(&snapshot, &self.names);
        if self.tray.as_ref() != Some(&tray) {
            self.out.tray(&tray);
            self.tray = Some(tray);
        }
    }

    /// The server's time as well as it is known.
    fn now(&self) -> Timestamp {
        self.time.now(&self.clock)
    }

    fn notice(&mut self, tone: Tone, text: impl Into<String>, page: Option<Page>) {
        let text = text.into();
        self.changed = true;
        if self.notices.iter().any(|n| n.text == text) {
            return;
        }
        self.notices.push_back(Notice { id: self.next_notice, tone, text, page });
        self.next_notice += 1;
        while self.notices.len() > 4 {
            self.notices.pop_front();
        }
    }

    /// A local database that cannot be written is told, once, and the work goes on.
    fn note_store(&mut self, result: Result<(), sqlx::Error>) {
        if let Err(error) = result {
            tracing::error!(%error, "the local database cannot be written");
            let text = "This device's database cannot be written. Is the disk full?";
            self.notice(Tone::Bad, text, None);
        }
    }

    async fn end(mut self) {
        self.clear_copied();
        if let Some(online) = self.online.take() {
            online.abort();
        }
        if let Some(history) = self.history.take() {
            history.close().await;
        }
        self.store.close().await;
    }
}

fn make_folder(folder: &std::path::Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn new_uuid() -> Option<uuid::Uuid> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(uuid::Builder::from_random_bytes(bytes).into_uuid())
}
