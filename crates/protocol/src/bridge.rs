//! What the shell and the front end say to each other.
//!
//! The front end sends an [`Intent`] by the command `intent` and gets a [`Reply`] or a [`Failure`]. The shell sends
//! the event `snapshot` with a [`Snapshot`] whenever something changed; the front end renders it. No type here can
//! carry a token, key or credential: a credential is a handle (its grant's id) that the shell acts on.

use daypass_domain::{Ask, Digest, Entitlement, GrantId, RequestId, Timestamp, Verdict};
use serde::{Deserialize, Serialize};

use crate::api::{Entry, FieldProblem, GrantView, Me, Preview, ProblemCode, RequestView, Resource};

/// The event that carries a [`Snapshot`].
pub const SNAPSHOT_EVENT: &str = "snapshot";
/// The event that asks the front end to show a [`Page`].
pub const NAVIGATE_EVENT: &str = "navigate";

macro_rules! bridge_type {
    ($($item:item)*) => {$(
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        $item
    )*};
}

bridge_type! {
    /// What a person wants. Each is answered by the [`Reply`] that its comment names.
    #[serde(tag = "intent", content = "with")]
    pub enum Intent {
        /// The state as it is now. → `Snapshot`
        Hello,
        /// The first frame is on the screen. → `Done`
        Painted,
        /// Looks at a server: who is it, and is its certificate known? → `Server`
        FindServer { address: String },
        /// Opens the browser at the server's sign-in page; `fingerprint` is the certificate that the person accepted.
        /// Answers when the browser is open; the snapshot tells the rest. → `Done`
        SignIn { address: String, fingerprint: String },
        CancelSignIn,
        /// Drops everything of this person from this device: tokens, credentials, local history. → `Done`
        SignOut,
        /// Reads everything again from the server. → `Done`
        Refresh,
        /// → `Catalogue`
        Catalogue,
        /// → `Preview`
        Preview { ask: Ask },
        /// The id is new for a new request and the same when a failed one is sent again. → `Request`
        Submit { id: RequestId, ask: Ask },
        /// → `Request`
        Edit { id: RequestId, revision: u32, ask: Ask },
        Withdraw { id: RequestId },
        /// Reads one request anew. → `Request`
        Request { id: RequestId },
        /// → `Request`
        Decide { id: RequestId, digest: Digest, verdict: Verdict, note: String },
        /// Puts the connection command (without the password) on the clipboard. → `Done`
        CopyCommand { grant: GrantId },
        /// Puts the password on the clipboard for 30 seconds. → `Done`
        CopyPassword { grant: GrantId },
        /// Tries again to fetch a credential or to store it, after a keychain was unlocked. → `Done`
        RetryCredential { grant: GrantId },
        Release { grant: GrantId },
        /// Wipes every credential here and gives every live grant back; works offline. → `Done`
        DropEverything,
        /// Searches one's own history on this device. → `History`
        History { filter: HistoryFilter },
        /// Writes one's own history as a JSON Lines file to the downloads folder. → `Exported`
        ExportHistory { filter: HistoryFilter },
        /// → `Done`
        SetFavourite { entitlement: Entitlement, on: bool },
        /// → `Done`
        SetSettings { settings: Settings },
        /// Closes a toast. → `Done`
        DismissNotice { id: u64 },
        /// Closes the window that sends it. → `Done`
        CloseWindow,
    }

    #[serde(tag = "reply", content = "with")]
    pub enum Reply {
        Done,
        Snapshot(Box<Snapshot>),
        Server(FoundServer),
        Catalogue(Vec<Resource>),
        Preview(Box<Preview>),
        Request(Box<RequestView>),
        History(HistoryPage),
        /// The file's path.
        Exported { path: String, entries: u32 },
    }

    /// Why an intent failed: what programs act on, and what a person reads.
    pub struct Failure {
        pub code: FailureCode,
        /// Names the thing and the next step.
        pub message: String,
        /// Where in the form, when it is about a form.
        pub problems: Vec<FieldProblem>,
    }

    #[derive(Copy, Eq)]
    pub enum FailureCode {
        /// The server said no; its code.
        Server(ProblemCode),
        /// The server does not answer. Nothing was lost: the same can be sent again.
        Offline,
        /// The server's certificate is not the one that was accepted.
        Certificate,
        KeychainLocked,
        KeychainMissing,
        SignedOut,
        /// There is nothing here for what was asked.
        NotHere,
        Local,
    }

    /// Everything that the pages show, but the catalogue and the history, which are asked for.
    pub struct Snapshot {
        /// Grows with each change.
        pub revision: u64,
        /// The server's time as well as it is known here.
        pub now: Timestamp,
        /// This machine's clock is this many seconds ahead of the server's, when that is worth saying.
        pub clock_off_s: Option<i64>,
        pub connection: Connection,
        pub server: Option<KnownServer>,
        /// The address to offer on the sign-in page when there is no server yet.
        #[serde(default)]
        pub suggested_server: Option<String>,
        pub me: Option<Me>,
        pub keychain: Keychain,
        /// Changes when the catalogue should be read again.
        pub catalogue_revision: u64,
        /// One's own, newest first: the open ones and those closed lately.
        pub requests: Vec<RequestView>,
        /// Waiting for one's decision, most urgent first.
        pub reviews: Vec<RequestView>,
        /// One's own, live ones first, then those ended lately.
        pub grants: Vec<LocalGrant>,
        pub favourites: Vec<Entitlement>,
        /// Asked for lately, newest first.
        pub recent: Vec<Entitlement>,
        pub notices: Vec<Notice>,
        pub settings: Settings,
    }

    #[derive(Eq)]
    #[serde(tag = "state")]
    pub enum Connection {
        SignedOut { message: Option<String> },
        /// The browser is open; waits for the person.
        SigningIn { address: String },
        Connecting,
        Online,
        /// What is shown is what was last known.
        Offline { since: Timestamp, message: String },
    }

    #[derive(Eq)]
    pub struct KnownServer {
        pub address: String,
        pub organisation: String,
        pub fingerprint: String,
    }

    /// A server that answered, before anyone signs in to it.
    #[derive(Eq)]
    pub struct FoundServer {
        pub address: String,
        pub organisation: String,
        pub version: String,
        /// SHA-256 of its certificate, in groups of hexadecimal digits.
        pub fingerprint: String,
        pub trust: Trust,
    }

    #[derive(Copy, Eq)]
    pub enum Trust {
        /// A public authority vouches for it, or it was accepted before.
        Known,
        /// Self-made, and never seen here: the person has to accept it.
        New,
        /// It differs from the one that was accepted: somebody may be in between.
        Changed,
    }

    #[derive(Eq)]
    #[serde(tag = "state")]
    pub enum Keychain {
        Ready,
        Locked { message: String },
        Missing { message: String },
    }

    /// A grant and what this device holds of it.
    pub struct LocalGrant {
        pub grant: GrantView,
        pub credential: LocalCredential,
        /// The connection command, without the password; present while a credential is here.
        pub command: Option<String>,
    }

    #[derive(Eq)]
    #[serde(tag = "state")]
    pub enum LocalCredential {
        /// Nothing here, and nothing to come.
        None,
        Fetching,
        /// In this machine's keychain.
        Here,
        /// On another device of the same person.
        Elsewhere,
        /// It could not be fetched or stored; `message` says what to do.
        Failed { message: String },
        /// To be removed as soon as the keychain lets us.
        Wiping { message: String },
        Wiped,
    }

    /// A short message over the page.
    #[derive(Eq)]
    pub struct Notice {
        pub id: u64,
        pub tone: Tone,
        pub text: String,
        pub page: Option<Page>,
    }

    #[derive(Copy, Eq)]
    pub enum Tone {
        Good,
        Info,
        Warning,
        Bad,
    }

    #[derive(Eq)]
    #[serde(tag = "page", content = "at")]
    pub enum Page {
        Access,
        /// The request form for one entitlement.
        Ask(Entitlement),
        MyAccess,
        /// The queue, with one request open.
        Review(Option<RequestId>),
        History,
        Settings,
    }

    #[derive(Eq)]
    pub struct Settings {
        pub theme: Theme,
        pub notifications: bool,
        pub start_at_login: bool,
    }

    #[derive(Copy, Eq)]
    pub enum Theme {
        System,
        Light,
        Dark,
    }

    #[derive(Eq, Default)]
    pub struct HistoryFilter {
        /// Words that all have to occur.
        pub text: String,
        pub kinds: HistoryKinds,
        /// Older than this position: the next page.
        pub before: Option<i64>,
    }

    #[derive(Copy, Eq, Default)]
    pub enum HistoryKinds {
        #[default]
        All,
        Requests,
        Decisions,
        Access,
    }

    /// Newest first.
    pub struct HistoryPage {
        pub entries: Vec<Entry>,
        pub more: bool,
        /// Entries on this device in all.
        pub total: u32,
        /// When it was last brought up to date with the server.
        pub synced_at: Option<Timestamp>,
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self { theme: Theme::System, notifications: true, start_at_login: false }
    }
}
