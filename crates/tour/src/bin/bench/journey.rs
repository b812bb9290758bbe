//! The main job, again and again, with real parts: server, PostgreSQL, keychain, notification daemon, psql.
//!
//! Two controllers, as two people's applications run them, meet at one desk; what they do is seen from outside: the
//! keychain is read over its own connection, the notification counts when the daemon has taken it, and psql when its
//! process has ended.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use daypass_client::{
    Handle, Integration, Keychain as _, KeychainError, Notification, Options, SystemKeychain, TrayModel,
    grant_user, start,
};
use daypass_clock::{Clock, uptime};
use daypass_protocol::api::{GrantView, RequestView};
use daypass_protocol::bridge::{Connection, Intent, Page, Reply, Settings, Snapshot};
use daypass_protocol::domain::{
    AccessLevel, Ask, Entitlement, GrantId, RequestId, ResourceId, Timestamp, Verdict,
};
use daypass_testkit::{Desk, psql_command};
use daypass_tour::{PASSWORD, World, sign_in};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::sync::watch;
use uuid::Uuid;

use crate::statistics::{Series, report};

/// What this program is told when it runs again at the desk.
pub const AT_DESK: &str = "journey-at-desk";

const SOON: Duration = Duration::from_secs(20);
const RUNS: usize = 50;
/// How long each grant lives, in seconds.
const LIVES_S: u32 = 3;
const LOOK: Duration = Duration::from_millis(1);

/// Starts the world, and the measurement at a desk in it.
pub fn run(arguments: &[String]) -> Result<()> {
    let runs = match arguments {
        [] => RUNS,
        [runs] => runs.parse().context("the number of runs is no number")?,
        _ => bail!("journey takes a number of runs, or nothing"),
    };
    let world = World::start()?;
    let desk = Desk::start()?;
    let folder = tempfile::Builder::new().prefix("daypass-bench-").tempdir()?;
    let mut command = desk.command(&env::current_exe()?);
    command.args([AT_DESK, &world.address(), &world.postgres.port().to_string(), &runs.to_string()]);
    let status = command.arg(folder.path()).status()?;
    ensure!(status.success(), "the measurement ended with {status}");
    Ok(())
}

/// Measures.
pub fn at_desk(arguments: &[String]) -> Result<()> {
    let [address, port, runs, folder] = arguments else { bail!("this is for journey alone") };
    let (port, runs) = (port.parse()?, runs.parse()?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let series = runtime.block_on(measure(address, port, runs, Path::new(folder)))?;
    report("journey", &series)
}

async fn measure(address: &str, port: u16, runs: usize, folder: &Path) -> Result<Vec<Series>> {
    let mut maya = Person::sign_in("maya", address, folder).await?;
    let mut sam = Person::sign_in("sam", address, folder).await?;
    let mut notified = Series::new("submit_to_notification", "submit → approver's notification");
    let mut stored = Series::new("approve_to_keychain", "approve → credential in keychain");
    let mut gone = Series::new("expiry_to_keychain_gone", "expiry → keychain item gone");
    let mut cut = Series::new("expiry_to_psql_cut", "expiry → connected psql cut");
    for run in 1..=runs {
        let one = journey(&mut maya, &mut sam, port).await.with_context(|| format!("run {run} of {runs}"))?;
        notified.runs.push(one.notified);
        stored.runs.push(one.stored);
        gone.runs.push(one.gone);
        cut.runs.push(one.cut);
    }
    maya.handle.stop().await;
    sam.handle.stop().await;
    Ok(vec![notified, stored, gone, cut])
}

struct Journey {
    notified: Duration,
    stored: Duration,
    gone: Duration,
    cut: Duration,
}

async fn journey(maya: &mut Person, sam: &mut Person, port: u16) -> Result<Journey> {
    let id = RequestId(Uuid::new_v4());
    let ask = Ask {
        entitlements: vec![Entitlement { resource: ResourceId::new("shop-db")?, level: AccessLevel::Write }],
        duration_s: LIVES_S,
        start: None,
        reason: "INC-2041: orders stuck in payment, measured again and again".into(),
        ticket: None,
    };
    let before = sam.notifications();
    let sent = uptime();
    maya.intent(Intent::Submit { id, ask }).await?;
    let notified = sam.notified_after(before).await?.saturating_sub(sent);

    let request = sam.review(id).await?;
    let sent = uptime();
    let decide =
        Intent::Decide { id, digest: request.digest, verdict: Verdict::Approve, note: String::new() };
    let decided = tokio::spawn({
        let handle = sam.handle.clone();
        async move { handle.intent(decide).await }
    });
    let grant = maya.grant_of(id).await?;
    let user = grant_user(grant);
    let (seen, secret) = in_keychain(&maya.service, &user).await?;
    let stored = seen.saturating_sub(sent);
    decided.await?.map_err(|e| anyhow!("{}", e.message))?;

    let mut psql = connect(&secret, port)?;
    let expires_at = maya.live_until(grant).await?;
    let ended = tokio::spawn(async move {
        let status = psql.wait().await;
        (Clock::system().now(), status)
    });
    let gone = absent_from_keychain(&maya.service, &user).await?;
    let (cut, status) = tokio::time::timeout(SOON, ended).await.context("psql goes on")??;
    ensure!(!status?.success(), "psql ended by itself");
    Ok(Journey { notified, stored, gone: since(expires_at, gone), cut: since(expires_at, cut) })
}

fn since(from: Timestamp, to: Timestamp) -> Duration {
    (to - from).to_std().unwrap_or_default()
}

/// A session that would stay for ten minutes.
fn connect(secret: &SecretString, port: u16) -> Result<tokio::process::Child> {
    let kept: Value = serde_json::from_str(secret.expose_secret())?;
    let part = |name: &str| kept.get(name).and_then(Value::as_str).with_context(|| format!("no {name}"));
    let address =
        format!("host=127.0.0.1 port={port} dbname={} user={}", part("database")?, part("username")?);
    let mut command = tokio::process::Command::from(psql_command(&address)?);
    command.env("PGPASSWORD", part("password")?).args(["-c", "SELECT pg_sleep(600)"]);
    Ok(command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn()?)
}

/// Looks from outside until the item is there.
async fn in_keychain(service: &str, user: &str) -> Result<(Duration, SecretString)> {
    let (service, user) = (service.to_owned(), user.to_owned());
    tokio::task::spawn_blocking(move || {
        let mut keychain = SystemKeychain::new(service);
        let begun = uptime();
        while uptime().saturating_sub(begun) < SOON {
            if let Ok(secret) = keychain.get(&user) {
                return Ok((uptime(), secret));
            }
            std::thread::sleep(LOOK);
        }
        bail!("no credential came")
    })
    .await?
}

async fn absent_from_keychain(service: &str, user: &str) -> Result<Timestamp> {
    let (service, user) = (service.to_owned(), user.to_owned());
    tokio::task::spawn_blocking(move || {
        let mut keychain = SystemKeychain::new(service);
        let begun = uptime();
        while uptime().saturating_sub(begun) < SOON {
            // The item is read by itself: a list that is made while an item goes away fails.
            if matches!(keychain.get(&user), Err(KeychainError::NotFound)) {
                return Ok(Clock::system().now());
            }
            std::thread::sleep(LOOK);
        }
        bail!("the credential stays")
    })
    .await?
}

/// A person's controller, and what it last said.
struct Person {
    service: String,
    handle: Handle,
    snapshot: watch::Receiver<Option<Snapshot>>,
    notified: Arc<Mutex<Vec<Duration>>>,
}

impl Person {
    async fn sign_in(user: &str, address: &str, folder: &Path) -> Result<Self> {
        let (snapshots, snapshot) = watch::channel(None);
        let notified = Arc::new(Mutex::new(Vec::new()));
        let (pages, mut opened) = watch::channel(None);
        let out = Outside { snapshots, pages, notified: notified.clone() };
        let service = format!("daypass-{user}");
        let handle = start(Options::new(folder.join(user)), out, SystemKeychain::new(&service)).await?;
        let mut person = Self { service, handle, snapshot, notified };
        let found = person.intent(Intent::FindServer { address: address.to_owned() }).await?;
        let Reply::Server(server) = found else { bail!("no server was found") };
        person.intent(Intent::SignIn { address: server.address, fingerprint: server.fingerprint }).await?;
        let page = opened.wait_for(Option::is_some).await?.clone().context("no page")?;
        sign_in(&page, user, PASSWORD).await?;
        person.wait("to be online", |s| (s.connection == Connection::Online).then_some(())).await?;
        Ok(person)
    }

    async fn intent(&self, intent: Intent) -> Result<Reply> {
        self.handle.intent(intent).await.map_err(|e| anyhow!("{:?}: {}", e.code, e.message))
    }

    /// Waits until the snapshot tells what `look` looks for.
    async fn wait<T>(&mut self, what: &str, look: impl Fn(&Snapshot) -> Option<T>) -> Result<T> {
        let told = self.snapshot.wait_for(|s| s.as_ref().is_some_and(|s| look(s).is_some()));
        let told = tokio::time::timeout(SOON, told).await.with_context(|| format!("waited {what}"))??;
        told.as_ref().and_then(look).with_context(|| format!("waited {what}"))
    }

    async fn review(&mut self, id: RequestId) -> Result<RequestView> {
        self.wait("for the request in the queue", |s| s.reviews.iter().find(|r| r.id == id).cloned()).await
    }

    fn grant(s: &Snapshot, fits: impl Fn(&GrantView) -> bool) -> Option<&GrantView> {
        s.grants.iter().map(|g| &g.grant).find(|g| fits(g))
    }

    async fn grant_of(&mut self, request: RequestId) -> Result<GrantId> {
        self.wait("for the grant", |s| Self::grant(s, |g| g.request == request).map(|g| g.id)).await
    }

    async fn live_until(&mut self, id: GrantId) -> Result<Timestamp> {
        self.wait("for the end", |s| Self::grant(s, |g| g.id == id).and_then(|g| g.expires_at)).await
    }

    fn notifications(&self) -> usize {
        self.notified.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    async fn notified_after(&self, before: usize) -> Result<Duration> {
        let begun = uptime();
        while uptime().saturating_sub(begun) < SOON {
            let next = self.notified.lock().unwrap_or_else(PoisonError::into_inner).get(before).copied();
            if let Some(at) = next {
                return Ok(at);
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("no notification came")
    }
}

/// What the shell does, as far as it is measured.
struct Outside {
    snapshots: watch::Sender<Option<Snapshot>>,
    pages: watch::Sender<Option<String>>,
    notified: Arc<Mutex<Vec<Duration>>>,
}

impl Integration for Outside {
    fn snapshot(&mut self, snapshot: &Snapshot) {
        self.snapshots.send_replace(Some(snapshot.clone()));
    }

    fn tray(&mut self, _tray: &TrayModel) {}

    fn notify(&mut self, notification: Notification) {
        let notified = self.notified.clone();
        std::thread::spawn(move || {
            let shown = notify_rust::Notification::new()
                .appname("Daypass")
                .summary(&notification.title)
                .body(&notification.body)
                .action("default", "Open")
                .show();
            if shown.is_ok() {
                notified.lock().unwrap_or_else(PoisonError::into_inner).push(uptime());
            }
        });
    }

    fn open_browser(&mut self, url: &str) {
        self.pages.send_replace(Some(url.to_owned()));
    }

    fn copy(&mut self, _text: SecretString) {}

    fn clear_copied(&mut self) {}

    fn navigate(&mut self, _page: Page) {}

    fn settings(&mut self, _settings: &Settings) {}

    fn downloads(&self) -> PathBuf {
        env::temp_dir()
    }
}
