//! The target, and the server that gives access to it.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use daypass_testkit::{Daypassd, Postgres, built_program, free_port};
use serde_json::Value;
use tempfile::TempDir;

use crate::Person;

/// Everyone's password in the sample organisation.
pub const PASSWORD: &str = "a day at the fjord";

/// A sample shop in a real PostgreSQL, and a server with the sample organisation on its embedded store.
#[derive(Debug)]
pub struct World {
    pub server: Daypassd,
    pub postgres: Postgres,
    port: u16,
    folder: TempDir,
    fingerprint: String,
}

impl World {
    /// Starts everything but people.
    pub fn start() -> Result<Self> {
        Self::serve(shop()?, Ok)
    }

    /// The same, with the files of the sample policy changed before the server starts: `change` gets the text of
    /// `obligations.cedar`.
    pub fn serve(postgres: Postgres, change: impl FnOnce(String) -> Result<String>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("daypass-server-").tempdir()?;
        let program = built_program("daypassd")?;
        let policy = folder.path().join("policy");
        let made = Command::new(&program).arg("init-policy").arg(&policy).output()?;
        ensure!(made.status.success(), "no sample policy: {}", String::from_utf8_lossy(&made.stderr));
        let obligations = policy.join("obligations.cedar");
        fs::write(&obligations, change(fs::read_to_string(&obligations)?)?)?;
        let port = free_port()?;
        let data = folder.path().join("data");
        let mut args: Vec<OsString> = vec!["serve".into(), "--data".into(), data.into()];
        args.extend(["--listen".into(), format!("127.0.0.1:{port}").into()]);
        args.extend(["--set".into(), format!("SHOP_HOST={}", postgres.host()).into()]);
        args.extend(["--set".into(), format!("SHOP_PORT={}", postgres.port()).into()]);
        args.extend(["--sample".into(), "--policy".into(), policy.into()]);
        let admin = postgres.admin_url();
        let env =
            [("SHOP_ADMIN", admin.as_str()), ("DAYPASS_SAMPLE_PASSWORD", PASSWORD), ("RUST_LOG", "info")];
        let server = Daypassd::start(&program, args, &env, folder.path(), |log| listening(log).map(|_| ()))?;
        let fingerprint = listening(&server.log())?;
        Ok(Self { server, postgres, port, folder, fingerprint })
    }

    /// What people type as the server's address.
    pub fn address(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// SHA-256 of the server's certificate, in hexadecimal.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Makes the server, while it is stopped, forget its certificate; it makes another when it starts.
    pub fn forget_certificate(&self) -> Result<()> {
        Ok(fs::remove_file(self.folder.path().join("data").join("tls.pem"))?)
    }

    /// The policy folder, which the server reads again when it changes.
    pub fn policy(&self) -> PathBuf {
        self.folder.path().join("policy")
    }

    /// A person at a desk of their own, with the application open at the sign-in page.
    pub fn person(&self, user: &str) -> Result<Person> {
        Person::arrive(user, &self.address())
    }

    /// The accounts that Daypass keeps in the target now.
    pub fn accounts(&self) -> Result<Vec<String>> {
        let sql = "SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member \
                   JOIN pg_roles g ON g.oid = m.roleid WHERE g.rolname = 'daypass_grants' ORDER BY 1";
        let names = self.postgres.sql("postgres", sql)?;
        Ok(names.lines().map(str::to_owned).filter(|name| !name.is_empty()).collect())
    }
}

/// A PostgreSQL with the sample shop and its siblings.
pub fn shop() -> Result<Postgres> {
    let postgres = Postgres::start()?;
    postgres.shop()?;
    for database in ["shop_dev", "shop_staging"] {
        postgres.create_database(database)?;
    }
    Ok(postgres)
}

/// The certificate's fingerprint, once the server has said that it listens.
fn listening(log: &str) -> Result<String> {
    let Some(line) = log.lines().find(|line| line.contains("\"listening\":\"")) else {
        bail!("the server does not listen yet");
    };
    let said: Value = serde_json::from_str(line)?;
    let fingerprint = said.get("fingerprint").and_then(Value::as_str);
    Ok(fingerprint.context("the server tells no fingerprint")?.to_owned())
}
