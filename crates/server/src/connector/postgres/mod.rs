//! Grants on a PostgreSQL database: a login role for each, gone with the grant.
//!
//! The role's name comes from the grant's id and the server's key, so that nobody else can tell it; its password is
//! chance, and reaches PostgreSQL as a SCRAM verifier only. PostgreSQL itself refuses the password after the grant's
//! end (`VALID UNTIL`), should everything else fail. What each level may do is in [`levels`].
//!
//! Several resources may be databases of one cluster; a comment on each role says whose it is. The administrator's
//! account has to be a superuser, or to have CREATEROLE and the rights of the owner of everything that grants are for.
//! What PostgreSQL lets everyone do stays: a role can connect to another database of the cluster when PUBLIC may, and
//! finds there what PUBLIC may see. Lines in pg_hba.conf that ask for no password (`trust`, `peer`) ignore `VALID UNTIL`.

mod closing;
mod levels;
mod quote;
mod scram;
mod trouble;

use std::str::FromStr as _;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::SecondsFormat;
use daypass_domain::{GrantId, ResourceId, Timestamp};
use daypass_policy::Postgres as Settings;
use daypass_protocol::api::Credential;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection, PgPool};
use tokio::sync::Mutex;

use super::{Connector, ConnectorError, Reconciled, Wanted};
use crate::key::ServerKey;
use levels::GRANTS;
use quote::{ident, literal};
use trouble::Trouble;

const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// The longest that one call may take, whatever hangs.
const DONE_WITHIN: Duration = Duration::from_secs(20);
/// How often a race with somebody else on the same rows is run again.
const RACES: u32 = 4;
/// Enough for a tool that opens a connection for each tab, too few to starve the others.
const CONNECTIONS_OF_A_GRANT: u32 = 20;

/// The connection settings cannot be used. Says nothing of what is in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the administrator's address has to look like postgresql://user:password@host:port/")]
pub struct BadSettings;

/// One database of a PostgreSQL cluster.
pub struct PostgresConnector {
    resource: ResourceId,
    settings: Settings,
    key: ServerKey,
    admin: PgConnectOptions,
    pool: PgPool,
    /// Grants that change the same catalogue rows at once make PostgreSQL refuse one of them.
    one_at_a_time: Mutex<()>,
}

impl PostgresConnector {
    /// `admin` is the administrator's address; the database in it does not count.
    pub fn new(
        resource: ResourceId,
        settings: &Settings,
        admin: &SecretString,
        key: &ServerKey,
    ) -> Result<Self, BadSettings> {
        let admin = admin.expose_secret();
        if !admin.starts_with("postgresql://") && !admin.starts_with("postgres://") {
            return Err(BadSettings);
        }
        let admin = PgConnectOptions::from_str(admin).map_err(|_| BadSettings)?;
        let admin = admin
            .database(&settings.database)
            .application_name("daypassd")
            .options([
                // A table or function that someone puts into another schema must not answer to our names.
                ("search_path", "pg_catalog"),
                ("statement_timeout", "15s"),
                ("lock_timeout", "5s"),
                ("idle_in_transaction_session_timeout", "30s"),
                ("standard_conforming_strings", "on"),
            ])
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(2)
            .acquire_timeout(CONNECT_WITHIN)
            .idle_timeout(Duration::from_secs(120))
            .connect_lazy_with(admin.clone());
        let (settings, key) = (settings.clone(), key.clone());
        Ok(Self { resource, settings, key, admin, pool, one_at_a_time: Mutex::new(()) })
    }

    /// The name of a grant's role.
    pub fn role(&self, grant: GrantId) -> String {
        let mac = self.key.mac("daypass postgres role", &[grant.0.as_bytes()]);
        format!("dp_{}", hex::encode(mac).chars().take(24).collect::<String>())
    }

    /// For people.
    fn target(&self) -> String {
        format!("PostgreSQL at {}:{}", self.settings.host, self.settings.port)
    }

    /// Does one job on the target: alone, with a limit, and again when it was a race.
    async fn run(&self, job: Job<'_>) -> Result<Reconciled, ConnectorError> {
        let _alone = self.one_at_a_time.lock().await;
        let done = tokio::time::timeout(DONE_WITHIN, self.run_through_races(job)).await;
        done.unwrap_or(Err(Trouble::TooLong)).map_err(|trouble| trouble.told(&self.target()))
    }

    async fn run_through_races(&self, job: Job<'_>) -> Result<Reconciled, Trouble> {
        let mut raced = 0;
        loop {
            let mut conn = self.pool.acquire().await?;
            match self.run_once(&mut conn, job).await {
                Err(trouble) if trouble.is_race() && raced < RACES => raced += 1,
                done => return done,
            }
            drop(conn);
            tokio::time::sleep(Duration::from_millis(20) * raced).await;
        }
    }

    async fn run_once(&self, conn: &mut PgConnection, job: Job<'_>) -> Result<Reconciled, Trouble> {
        match job {
            Job::Open(wanted) => {
                levels::refresh(conn, &self.settings.database).await?;
                self.open_on(conn, wanted).await?;
            }
            Job::Issue(wanted, password) => self.issue_on(conn, wanted, password).await?,
            Job::Close(role) => closing::close(conn, &self.admin, role).await?,
            Job::Reconcile(wanted) => return self.reconcile_on(conn, wanted).await,
        }
        Ok(Reconciled::default())
    }

    async fn open_on(&self, conn: &mut PgConnection, wanted: &Wanted) -> Result<(), Trouble> {
        let role = self.role(wanted.grant);
        let group = levels::group(wanted.level, &self.settings.database);
        let (name, until) = (ident(&role)?, literal(&time(wanted.expires_at))?);
        let there: Option<bool> = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pg_auth_members m
                            WHERE m.member = r.oid AND m.roleid = to_regrole($2))
             FROM pg_roles r WHERE rolname = $1",
        )
        .bind(&role)
        .bind(GRANTS)
        .fetch_optional(&mut *conn)
        .await?;
        let statements = match there {
            // One message of several statements is one transaction: there is never a role without its mark.
            None => format!(
                "CREATE ROLE {name} NOLOGIN PASSWORD NULL CONNECTION LIMIT {CONNECTIONS_OF_A_GRANT} \
                 VALID UNTIL {until} IN ROLE {}, {};
                 COMMENT ON ROLE {name} IS {}",
                ident(GRANTS)?,
                ident(&group)?,
                literal(&Mark::text(&self.resource, wanted.grant))?
            ),
            Some(_) => format!(
                "ALTER ROLE {name} CONNECTION LIMIT {CONNECTIONS_OF_A_GRANT} VALID UNTIL {until}; \
                 GRANT {}, {} TO {name}",
                ident(GRANTS)?,
                ident(&group)?
            ),
        };
        run(conn, statements).await
    }

    async fn issue_on(
        &self,
        conn: &mut PgConnection,
        wanted: &Wanted,
        password: &SecretString,
    ) -> Result<(), Trouble> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|_| Trouble::NoChance)?;
        let statement = format!(
            "ALTER ROLE {} LOGIN PASSWORD {} VALID UNTIL {}",
            ident(&self.role(wanted.grant))?,
            literal(&scram::verifier(password, salt))?,
            literal(&time(wanted.expires_at))?
        );
        match run(conn, statement).await {
            Err(trouble) if trouble.state().as_deref() == Some("42704") => Err(Trouble::NoAccount),
            done => done,
        }
    }

    async fn reconcile_on(&self, conn: &mut PgConnection, wanted: &[Wanted]) -> Result<Reconciled, Trouble> {
        levels::refresh(conn, &self.settings.database).await?;
        let found = accounts(conn).await?;
        let mut done = Reconciled::default();
        for wanted in wanted {
            let role = self.role(wanted.grant);
            let account = found.iter().find(|account| account.role == role);
            if account.is_none_or(|account| account.until != Some(wanted.expires_at)) {
                self.open_on(conn, wanted).await?;
            }
            if account.is_none() {
                done.opened.push(wanted.grant);
            }
        }
        let mut failed = None;
        for account in found {
            let explained = wanted.iter().any(|wanted| self.role(wanted.grant) == account.role);
            if explained || account.resource.as_ref().is_some_and(|resource| *resource != self.resource) {
                continue;
            }
            match closing::close(conn, &self.admin, &account.role).await {
                Ok(()) => done.removed.push(account.role),
                // One that cannot be removed yet must not protect the others.
                Err(trouble) => failed = Some(trouble),
            }
        }
        failed.map_or(Ok(done), Err)
    }
}

#[async_trait]
impl Connector for PostgresConnector {
    fn resource(&self) -> &ResourceId {
        &self.resource
    }

    async fn open(&self, wanted: &Wanted) -> Result<(), ConnectorError> {
        self.run(Job::Open(wanted)).await.map(|_| ())
    }

    async fn issue(&self, wanted: &Wanted) -> Result<Credential, ConnectorError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| Trouble::NoChance.told(&self.target()))?;
        let password = SecretString::from(URL_SAFE_NO_PAD.encode(bytes));
        self.run(Job::Issue(wanted, &password)).await?;
        Ok(Credential {
            grant: wanted.grant,
            host: self.settings.host.clone(),
            port: self.settings.port,
            database: self.settings.database.clone(),
            username: self.role(wanted.grant),
            password,
            expires_at: wanted.expires_at,
        })
    }

    async fn close(&self, grant: GrantId) -> Result<(), ConnectorError> {
        self.run(Job::Close(&self.role(grant))).await.map(|_| ())
    }

    async fn reconcile(&self, wanted: &[Wanted]) -> Result<Reconciled, ConnectorError> {
        self.run(Job::Reconcile(wanted)).await
    }
}

/// What is to be done on the target.
#[derive(Clone, Copy)]
enum Job<'a> {
    Open(&'a Wanted),
    Issue(&'a Wanted, &'a SecretString),
    /// Ends the account of this name.
    Close(&'a str),
    Reconcile(&'a [Wanted]),
}

/// The role of some grant, as it is found on the target.
struct Account {
    role: String,
    /// Whose it is; unknown when somebody took the mark away.
    resource: Option<ResourceId>,
    until: Option<Timestamp>,
}

async fn accounts(conn: &mut PgConnection) -> Result<Vec<Account>, Trouble> {
    let sql = "SELECT r.rolname::text, shobj_description(r.oid, 'pg_authid'),
                      CASE WHEN isfinite(r.rolvaliduntil)
                           THEN (extract(epoch FROM r.rolvaliduntil) * 1000000)::int8 END
               FROM pg_roles r JOIN pg_auth_members m ON m.member = r.oid
               WHERE m.roleid = to_regrole($1) ORDER BY 1";
    let found: Vec<(String, Option<String>, Option<i64>)> =
        sqlx::query_as(sql).bind(GRANTS).fetch_all(conn).await?;
    let account = |(role, comment, until): (String, Option<String>, Option<i64>)| Account {
        role,
        resource: comment.as_deref().and_then(Mark::resource),
        until: until.and_then(Timestamp::from_timestamp_micros),
    };
    Ok(found.into_iter().map(account).collect())
}

/// The comment on a grant's role.
struct Mark;

impl Mark {
    fn text(resource: &ResourceId, grant: GrantId) -> String {
        format!("Daypass: resource {resource}, grant {grant}")
    }

    fn resource(text: &str) -> Option<ResourceId> {
        text.strip_prefix("Daypass: resource ")?.split_once(", grant ")?.0.parse().ok()
    }
}

/// As PostgreSQL reads it whatever its settings.
fn time(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

async fn run(conn: &mut PgConnection, sql: String) -> Result<(), Trouble> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn connector(key: &ServerKey) -> PostgresConnector {
        let settings = Settings {
            host: "db".into(),
            port: 5432,
            database: "shop".into(),
            admin: daypass_policy::SecretRef::Env("X".into()),
        };
        let admin = SecretString::from("postgresql://keeper:secret@db:5432/postgres");
        PostgresConnector::new("shop-db".parse().unwrap(), &settings, &admin, key).unwrap()
    }

    #[tokio::test]
    async fn a_role_is_named_by_grant_and_key_alone() {
        let key = ServerKey::random().unwrap();
        let (one, other) = (GrantId(Uuid::from_u128(1)), GrantId(Uuid::from_u128(2)));
        let name = connector(&key).role(one);
        assert_eq!(name, connector(&key).role(one));
        assert_ne!(name, connector(&key).role(other));
        assert_ne!(name, connector(&ServerKey::random().unwrap()).role(one));
        assert!(name.starts_with("dp_") && name.len() == 27, "{name}");
    }

    #[tokio::test]
    async fn bad_settings_are_refused_without_repeating_them() {
        let key = ServerKey::random().unwrap();
        let settings = connector(&key).settings;
        let admin = SecretString::from("mysql:hunter2");
        let error = PostgresConnector::new("x".parse().unwrap(), &settings, &admin, &key).err().unwrap();
        assert!(!error.to_string().contains("hunter2"));
    }

    #[test]
    fn a_mark_names_its_resource() {
        let resource: ResourceId = "shop-db.eu_1".parse().unwrap();
        let text = Mark::text(&resource, GrantId(Uuid::from_u128(1)));
        assert_eq!(Mark::resource(&text), Some(resource));
        assert_eq!(Mark::resource("something else"), None);
    }
}
