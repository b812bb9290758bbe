//! One server and one machine, with the application started, killed and started again on it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use daypass_client::{Handle, Options, start};
use daypass_clock::{Clock, Timestamp};
use daypass_protocol::bridge::{
    Connection, Failure, FoundServer, HistoryFilter, HistoryPage, Intent, LocalCredential, LocalGrant, Reply,
    Snapshot,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{FakeKeychain, FakeServer, Safe, Seen};

type Dies = Arc<dyn Fn(&str) -> bool + Send + Sync>;

pub struct World {
    pub server: FakeServer,
    pub safe: Safe,
    pub clock: Clock,
    pub folder: TempDir,
    dies: Arc<Mutex<Dies>>,
}

/// One run of the application.
pub struct Device {
    pub handle: Handle,
    pub seen: Seen,
    pub alive: Arc<AtomicBool>,
    runtime: Option<Runtime>,
}

impl World {
    /// A machine and a server whose clocks agree, until a test changes one.
    pub fn new() -> Self {
        let now = Timestamp::from_timestamp(1_800_000_000, 0).unwrap();
        Self::with_clocks(Clock::manual(now), Clock::manual(now))
    }

    /// A machine and a server by the system's clock.
    pub fn in_real_time() -> Self {
        Self::with_clocks(Clock::system(), Clock::system())
    }

    fn with_clocks(clock: Clock, server: Clock) -> Self {
        Self {
            server: FakeServer::start(server),
            safe: Safe::default(),
            clock,
            folder: TempDir::new().unwrap(),
            dies: Arc::new(Mutex::new(Arc::new(|_| false))),
        }
    }

    /// From now on the application dies at the step for which this is true.
    pub fn die_at(&self, dies: impl Fn(&str) -> bool + Send + Sync + 'static) {
        *self.dies.lock().unwrap() = Arc::new(dies);
    }

    pub fn never_die(&self) {
        self.die_at(|_| false);
    }

    pub fn start(&self) -> Device {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let seen = Seen::new(self.folder.path().join("downloads"));
        let alive = Arc::new(AtomicBool::new(true));
        let dies = self.dies.clone();
        let keychain = FakeKeychain {
            safe: self.safe.clone(),
            alive: alive.clone(),
            dies: Arc::new(move |step| {
                let dies = dies.lock().unwrap().clone();
                dies(step)
            }),
        };
        let mut options = Options::new(self.folder.path().join("data"));
        options.clock = self.clock.clone();
        options.tick = Duration::from_millis(20);
        let handle = runtime.block_on(start(options, seen.clone(), keychain)).unwrap();
        Device { handle, seen, alive, runtime: Some(runtime) }
    }

    /// Started, signed in as Sam and online.
    pub fn signed_in(&self) -> Device {
        let device = self.start();
        device.sign_in(&self.server);
        device.wait("to be online", |s| s.connection == Connection::Online);
        device
    }

    /// Started again, as the person of last time.
    pub fn again(&self) -> Device {
        let device = self.start();
        device.wait("to be online", |s| s.connection == Connection::Online);
        device
    }

    /// Time passes for everyone.
    pub fn pass(&self, by: Duration) {
        self.server.clock().advance(by);
        self.clock.advance(by);
    }

    /// Somebody sets the wall clock of the machine.
    pub fn set_wall_clock(&self, by: TimeDelta) {
        self.clock.set(self.clock.now() + by);
    }

    pub fn wait_safe(&self, what: &str, holds: impl Fn(&Safe) -> bool) {
        eventually(what, || {
            holds(&self.safe).then_some(()).ok_or_else(|| format!("{:?}", self.safe.users()))
        });
    }
}

impl Device {
    pub fn snapshot(&self) -> Snapshot {
        self.wait("a snapshot", |_| true)
    }

    pub fn intent(&self, intent: Intent) -> Result<Reply, Failure> {
        self.runtime.as_ref().unwrap().block_on(self.handle.intent(intent))
    }

    pub fn find(&self, server: &FakeServer) -> FoundServer {
        match self.intent(Intent::FindServer { address: server.address() }) {
            Ok(Reply::Server(found)) => found,
            other => panic!("{other:?}"),
        }
    }

    /// Up to the open browser; gives the address that it was sent to.
    pub fn begin_sign_in(&self, server: &FakeServer) -> String {
        let found = self.find(server);
        self.intent(Intent::SignIn { address: found.address, fingerprint: found.fingerprint }).unwrap();
        self.browser_address()
    }

    /// Where the browser was last sent.
    pub fn browser_address(&self) -> String {
        eventually("the browser", || {
            self.seen.0.lock().unwrap().urls.pop().ok_or_else(|| "not opened".into())
        })
    }

    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.as_ref().unwrap().block_on(work)
    }

    pub fn sign_in(&self, server: &FakeServer) {
        let url = self.begin_sign_in(server);
        let back = server.approve_sign_in(&url);
        let page = self.visit(&back);
        assert!(page.contains("Daypass goes on"), "{page}");
    }

    /// A browser on this machine.
    pub fn visit(&self, url: &str) -> String {
        let runtime = self.runtime.as_ref().unwrap();
        runtime.block_on(async { reqwest::get(url).await.unwrap().text().await.unwrap() })
    }

    pub fn wait(&self, what: &str, holds: impl Fn(&Snapshot) -> bool) -> Snapshot {
        eventually(what, || {
            let snapshot = self.seen.0.lock().unwrap().snapshot.clone().ok_or("no snapshot")?;
            if holds(&snapshot) { Ok(snapshot) } else { Err(format!("{snapshot:#?}")) }
        })
    }

    pub fn wait_credential(
        &self,
        grant: daypass_domain::GrantId,
        holds: impl Fn(&LocalCredential) -> bool,
    ) -> LocalGrant {
        let of = |s: &Snapshot| s.grants.iter().find(|g| g.grant.id == grant).cloned();
        let snapshot = self.wait("the credential's state", |s| of(s).is_some_and(|g| holds(&g.credential)));
        of(&snapshot).unwrap()
    }

    pub fn wait_here(&self, grant: daypass_domain::GrantId) -> LocalGrant {
        self.wait_credential(grant, |c| *c == LocalCredential::Here)
    }

    pub fn history(&self, filter: HistoryFilter) -> Result<HistoryPage, Failure> {
        match self.intent(Intent::History { filter })? {
            Reply::History(page) => Ok(page),
            other => panic!("{other:?}"),
        }
    }

    pub fn is_dead(&self) -> bool {
        !self.alive.load(Ordering::SeqCst)
    }

    /// Ends as a person ends it.
    pub fn quit(mut self) {
        let runtime = self.runtime.take().unwrap();
        runtime.block_on(self.handle.stop());
        runtime.shutdown_timeout(Duration::from_secs(1));
    }

    /// Ends as a crash does: nothing that was queued is done any more.
    pub fn kill(mut self) {
        self.alive.store(false, Ordering::SeqCst);
        self.runtime.take().unwrap().shutdown_timeout(Duration::from_millis(200));
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            self.alive.store(false, Ordering::SeqCst);
            runtime.shutdown_background();
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.down();
    }
}

/// Looks until it is so, for at most ten seconds of real time.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    daypass_testkit::wait_until(what, Duration::from_secs(10), || {
        look().map_err(|last| std::io::Error::other(last).into())
    })
    .unwrap_or_else(|e| panic!("{e:#}"))
}
