//! A real PostgreSQL server, thrown away at the end.

use std::{
    env, fs,
    fs::File,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, ensure};
use rustix::process::{Signal, geteuid};
use tempfile::TempDir;

use crate::{
    free_port,
    programs::{self, output_of},
    running::{Plan, Running},
    wait_until,
};

/// Makes the sample shop: customers, products, orders, order lines, payments; 180,000 rows, the same every time.
pub const SHOP_SQL: &str = include_str!("shop.sql");

const SUPERUSER: &str = "keeper";
const PASSWORD: &str = "keeper-of-the-throwaway-server";
const READY: Duration = Duration::from_secs(30);
/// Part of the template's name: raise it when the way that it is made changes.
const TEMPLATE_VERSION: u32 = 1;

/// A server on a port of its own on 127.0.0.1 and on a socket in its own folder. Passwords are checked with SCRAM on
/// both ways in, as on a server that people share.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    account: Option<Account>,
    port: u16,
    running: Mutex<Option<Running>>,
}

impl Postgres {
    /// Starts an empty server; under half a second, once the first start on this machine has made the template.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, or does not come up.
    pub fn start() -> Result<Self> {
        let account = Account::to_drop_to()?;
        let template = template(account.as_ref())?;
        let folder = tempfile::Builder::new()
            .prefix("daypass-pg-")
            .tempdir()
            .context("cannot make a folder for PostgreSQL")?;
        copy_folder(&template, &folder.path().join("data"))?;
        if let Some(account) = &account {
            account.own(folder.path())?;
        }
        let mut server = Self { folder, account, port: 0, running: Mutex::new(None) };
        // Another process may take the port between the look and the start.
        let mut failure = anyhow!("not tried");
        for _ in 0..5 {
            server.port = free_port()?;
            match server.start_again() {
                Ok(()) => return Ok(server),
                Err(error) if format!("{error:#}").contains("Address already in use") => failure = error,
                Err(error) => return Err(error),
            }
        }
        Err(failure)
    }

    /// Starts the server again after [`Postgres::stop`] or [`Postgres::kill9`], with its data, on the same port.
    ///
    /// # Errors
    /// When it does not come up; the error holds what the server printed.
    pub fn start_again(&self) -> Result<()> {
        // After a crash the last of the old server's processes have to go first, as the new one finds out.
        wait_until("the crashed server to be gone", READY, || match self.launch() {
            Err(e) if format!("{e:#}").contains("shared memory block") => Err(e),
            other => Ok(other),
        })?
    }

    fn launch(&self) -> Result<()> {
        let mut slot = self.lock();
        ensure!(slot.is_none(), "PostgreSQL is running already");
        let data = self.folder.path().join("data");
        let mut command = Command::new(server_program("postgres")?);
        command
            .arg("-D")
            .arg(&data)
            .current_dir(self.folder.path())
            .env_clear()
            .env("LC_ALL", "C.UTF-8")
            .env("PATH", "/usr/bin:/bin");
        let sockets = self.folder.path().display().to_string();
        for (name, value) in [
            ("listen_addresses", "127.0.0.1"),
            ("port", &self.port.to_string()),
            ("unix_socket_directories", &sockets),
            ("password_encryption", "scram-sha-256"),
            ("fsync", "off"),
            ("synchronous_commit", "off"),
            ("full_page_writes", "off"),
            ("shared_buffers", "64MB"),
            ("max_wal_size", "512MB"),
            ("max_connections", "100"),
            ("log_timezone", "UTC"),
            ("timezone", "UTC"),
        ] {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        if let Some(account) = &self.account {
            account.run_as(&mut command);
        }
        // SIGINT is PostgreSQL's "fast" shutdown: it does not wait for connected clients.
        let plan = Plan { stop_signal: Signal::INT, owns_folder: true, ..Plan::default() };
        let mut running = Running::launch("postgres", &mut command, self.folder.path(), plan)?;
        wait_until("PostgreSQL to accept connections", READY, || {
            if let Err(ended) = running.check_alive() {
                return Ok(Err(ended));
            }
            let status = fs::read_to_string(data.join("postmaster.pid")).context("no postmaster.pid")?;
            ensure!(status.lines().nth(7).map(str::trim) == Some("ready"), "its status is {status:?}");
            Ok(Ok(()))
        })??;
        *slot = Some(running);
        Ok(())
    }

    /// Takes the server down as an administrator would; connections are cut.
    pub fn stop(&self) {
        if let Some(mut running) = self.lock().take() {
            running.stop();
        }
    }

    /// Takes the server down as a crash would.
    pub fn kill9(&self) {
        if let Some(mut running) = self.lock().take() {
            running.kill9();
        }
        // The children notice on their own that the postmaster is gone; a new one refuses to start before that.
        let _ = fs::remove_file(self.folder.path().join("data/postmaster.pid"));
    }

    #[must_use]
    pub fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the socket, for clients that take a folder as host.
    #[must_use]
    pub fn socket_folder(&self) -> &Path {
        self.folder.path()
    }

    #[must_use]
    pub fn superuser(&self) -> &'static str {
        SUPERUSER
    }

    #[must_use]
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// The superuser's connection address for `database`, over TCP.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.url_as(SUPERUSER, PASSWORD, database)
    }

    /// The superuser's connection address for the maintenance database.
    #[must_use]
    pub fn admin_url(&self) -> String {
        self.url("postgres")
    }

    /// A connection address for any role; `user` and `password` must need no percent-encoding.
    #[must_use]
    pub fn url_as(&self, user: &str, password: &str, database: &str) -> String {
        format!("postgresql://{user}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs `sql` as superuser with `psql`; gives what it prints, unaligned and without headings.
    ///
    /// # Errors
    /// When the server refuses; the error is what `psql` printed.
    pub fn sql(&self, database: &str, sql: &str) -> Result<String> {
        psql(&self.url(database), sql)
    }

    /// Makes an empty database.
    ///
    /// # Errors
    /// When there is one of that name.
    pub fn create_database(&self, name: &str) -> Result<String> {
        self.sql("postgres", &format!("CREATE DATABASE \"{}\"", name.replace('"', "\"\"")))?;
        Ok(self.url(name))
    }

    /// Makes the database `shop` from [`SHOP_SQL`]; gives the superuser's address of it.
    ///
    /// # Errors
    /// When there is one already.
    pub fn shop(&self) -> Result<String> {
        let url = self.create_database("shop")?;
        psql(&url, SHOP_SQL)?;
        Ok(url)
    }

    /// The roles beside the superuser and PostgreSQL's own, by name.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub fn roles(&self) -> Result<Vec<String>> {
        let names = self.sql(
            "postgres",
            "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND NOT rolsuper ORDER BY rolname",
        )?;
        Ok(names.lines().map(str::to_owned).collect())
    }

    /// What the server logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("postgres.log")).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Runs `sql` with `psql` at a connection address; gives what it prints, unaligned and without headings.
///
/// # Errors
/// When the connection or the statement is refused; the error is what `psql` printed.
pub fn psql(url: &str, sql: &str) -> Result<String> {
    let mut command = psql_command(url)?;
    command.args(["-q", "-v", "ON_ERROR_STOP=1", "-A", "-t", "-f", "-"]);
    let output = feed(&mut command, sql)?;
    ensure!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// `psql` at a connection address, untouched by the person's own settings.
///
/// # Errors
/// When `psql` is not installed.
pub fn psql_command(url: &str) -> Result<Command> {
    let mut command = Command::new(programs::system_program("psql", "postgresql-client")?);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(&name);
        }
    }
    command.env("PGCONNECT_TIMEOUT", "60").env("PGPASSFILE", "/dev/null").args(["-X", "-w", "-d", url]);
    Ok(command)
}

fn feed(command: &mut Command, input: &str) -> Result<std::process::Output> {
    use std::{
        io::{Seek, SeekFrom, Write},
        process::Stdio,
    };
    let mut file = tempfile::tempfile()?;
    file.write_all(input.as_bytes())?;
    file.seek(SeekFrom::Start(0))?;
    Ok(command.stdin(Stdio::from(file)).output()?)
}

/// PostgreSQL refuses to run as root.
#[derive(Debug, Clone, Copy)]
struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    fn to_drop_to() -> Result<Option<Self>> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        let accounts = fs::read_to_string("/etc/passwd").context("cannot read the list of accounts")?;
        let find = |name: &str| {
            accounts.lines().map(|line| line.split(':').collect::<Vec<_>>()).find_map(|fields| {
                match fields.as_slice() {
                    [account, _, uid, gid, ..] if *account == name => {
                        Some(Self { uid: uid.parse().ok()?, gid: gid.parse().ok()? })
                    }
                    _ => None,
                }
            })
        };
        find("postgres")
            .or_else(|| find("nobody"))
            .map(Some)
            .context("neither the account postgres nor nobody exists to run PostgreSQL as")
    }

    fn run_as(self, command: &mut Command) {
        // The standard library clears the supplementary groups along with this.
        command.uid(self.uid).gid(self.gid);
    }

    fn own(self, folder: &Path) -> Result<()> {
        chown(folder, Some(self.uid), Some(self.gid))
            .with_context(|| format!("cannot give away {}", folder.display()))
    }
}

/// A data folder fresh from initdb, made once per machine, PostgreSQL version and account.
fn template(account: Option<&Account>) -> Result<PathBuf> {
    let version = output_of(Command::new(server_program("postgres")?).arg("--version"))?;
    let version = version.replace(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.', "-");
    let owner = account.map_or_else(|| geteuid().as_raw(), |account| account.uid);
    let cache = cache_folder()?;
    let template = cache.join(format!("{version}-{owner}-v{TEMPLATE_VERSION}"));
    // Tests of other processes may be about to make the same.
    let lock = File::create(cache.join("lock")).context("cannot make the template's lock file")?;
    lock.lock()?;
    if !template.exists() {
        let work = tempfile::Builder::new().prefix("daypass-initdb-").tempdir()?;
        if let Some(account) = account {
            account.own(work.path())?;
        }
        let data = work.path().join("data");
        let password = work.path().join("password");
        fs::write(&password, PASSWORD)?;
        let mut command = Command::new(server_program("initdb")?);
        command
            .args([
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "--wal-segsize=4",
            ])
            .args(["--username", SUPERUSER])
            .arg("--pwfile")
            .arg(&password)
            .arg("-D")
            .arg(&data)
            .current_dir(work.path());
        if let Some(account) = account {
            account.own(&password)?;
            account.run_as(&mut command);
        }
        output_of(&mut command)?;
        let half_made = cache.join("half-made");
        if half_made.exists() {
            fs::remove_dir_all(&half_made)?;
        }
        copy_folder(&data, &half_made)?;
        fs::rename(&half_made, &template)?;
    }
    Ok(template)
}

fn cache_folder() -> Result<PathBuf> {
    let base = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .context("neither XDG_CACHE_HOME nor HOME is set")?;
    let folder = base.join("daypass/testkit");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    output_of(Command::new("cp").args(["-a", "--reflink=auto", "-T"]).arg(from).arg(to)).map(drop)
}

/// Debian keeps the server's programs out of PATH, in a folder per version.
fn server_program(name: &str) -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let number = |path: &Path| {
        path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<u32>().ok())
    };
    let newest = versions
        .map(|entry| entry.path())
        .filter(|path| programs::is_program(&path.join("bin").join(name)))
        .max_by_key(|path| number(path));
    match newest {
        Some(version) => Ok(version.join("bin").join(name)),
        None => programs::system_program(name, "postgresql"),
    }
}
