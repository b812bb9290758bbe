//! Grants on a real PostgreSQL, seen from outside with psql.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::time::Duration;

use chrono::TimeDelta;
use daypass_clock::Clock;
use daypass_domain::{AccessLevel, GrantId};
use daypass_policy::{Postgres as Settings, SecretRef};
use daypass_protocol::api::Credential;
use daypass_server::connector::{Connector as _, ConnectorError, PostgresConnector, Wanted};
use daypass_server::key::ServerKey;
use daypass_testkit::{Postgres, psql, psql_command, wait_until};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_grant_is_a_role_that_comes_and_goes_with_it() {
    let t = Target::start();
    let wanted = wanted(AccessLevel::Write);
    t.connector.open(&wanted).await.unwrap();
    let role = t.connector.role(wanted.grant);
    assert!(t.roles().contains(&role));
    let without = t.server.url_as(&role, "anything", "shop");
    assert!(refusal(&without).contains("authentication failed"), "no password was issued yet");

    let credential = t.connector.issue(&wanted).await.unwrap();
    assert_eq!(credential.username, role);
    assert_eq!((credential.port, credential.database.as_str()), (t.server.port(), "shop"));
    let url = t.url(&credential);
    assert_eq!(psql(&url, "SELECT current_user, count(*) FROM items").unwrap(), format!("{role}|3"));
    psql(&url, "INSERT INTO items (name) VALUES ('new')").unwrap();

    let mut session = Session::begin(&t, &credential, "SELECT 1;");
    t.connector.close(wanted.grant).await.unwrap();
    session.is_cut();
    assert!(!t.roles().contains(&role));
    assert!(refusal(&url).contains("authentication failed"));
    assert_eq!(t.sql("SELECT count(*) FROM items"), "4", "what was done stays done");
    t.connector.close(wanted.grant).await.expect("what is closed is closed");
    assert!(matches!(t.connector.issue(&wanted).await, Err(ConnectorError::NoAccount)));
}

#[tokio::test]
async fn a_level_reaches_as_far_as_it_says() {
    let t = Target::start();
    let read = t.grant(AccessLevel::Read).await;
    let write = t.grant(AccessLevel::Write).await;
    let admin = t.grant(AccessLevel::Admin).await;
    for (level, url, may, may_not) in [
        (
            "read",
            t.url(&read),
            vec![
                "SELECT * FROM items",
                "SELECT * FROM some_items",
                "SELECT * FROM \"Odd schema\".\"Odd table\"",
            ],
            vec![
                "INSERT INTO items (name) VALUES ('x')",
                "UPDATE items SET name = 'x'",
                "DELETE FROM items",
                "SELECT nextval('items_id_seq')",
                "SELECT * FROM items FOR UPDATE",
                "TRUNCATE items",
                "DROP TABLE items",
                "CREATE TABLE mine (id int)",
                "SELECT passwd FROM pg_shadow",
                "COPY items TO PROGRAM 'true'",
                "CREATE ROLE friend",
                "ALTER ROLE CURRENT_USER VALID UNTIL 'infinity'",
            ],
        ),
        (
            "write",
            t.url(&write),
            vec![
                "INSERT INTO items (name) VALUES ('x')",
                "UPDATE items SET name = 'y' WHERE name = 'x'",
                "DELETE FROM items WHERE name = 'y'",
                "SELECT * FROM items FOR UPDATE",
            ],
            vec![
                "TRUNCATE items",
                "DROP TABLE items",
                "ALTER TABLE items ADD COLUMN more int",
                "CREATE INDEX ON items (name)",
                "CREATE TABLE mine (id int)",
                "SELECT setval('items_id_seq', 1)",
                "CREATE TRIGGER t BEFORE INSERT ON items EXECUTE FUNCTION suppress_redundant_updates_trigger()",
                "SET ROLE shop_owner",
            ],
        ),
        (
            "admin",
            t.url(&admin),
            vec![
                "ALTER TABLE items ADD COLUMN more int",
                "CREATE INDEX items_by_name ON items (name)",
                "CREATE TABLE mine (id int)",
                "CREATE SCHEMA ours",
                "DROP VIEW some_items",
                "TRUNCATE mine",
            ],
            vec![
                "CREATE ROLE friend",
                "ALTER ROLE CURRENT_USER VALID UNTIL 'infinity'",
                "SET ROLE keeper",
                "CREATE DATABASE another",
                "SELECT pg_read_file('/etc/passwd')",
                "COPY items TO PROGRAM 'true'",
            ],
        ),
    ] {
        for sql in may {
            psql(&url, sql).unwrap_or_else(|e| panic!("{level} may {sql}: {e}"));
        }
        for sql in may_not {
            let refused = psql(&url, sql).expect_err(&format!("{level} may not {sql}")).to_string();
            assert!(
                refused.contains("permission denied") || refused.contains("must be"),
                "{level}, {sql}: {refused}"
            );
        }
    }
    // What an admin made outlives the grant, under the owner, and the next reader sees it.
    t.connector.close(admin.grant).await.unwrap();
    let owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'mine'";
    assert_eq!(t.sql(owner), "shop_owner");
    let later = t.grant(AccessLevel::Read).await;
    psql(&t.url(&later), "SELECT * FROM mine").unwrap();
}

#[tokio::test]
async fn an_admin_of_a_superusers_database_does_not_become_one() {
    let t = Target::start();
    t.server.create_database("kept").unwrap();
    t.server.sql("kept", "CREATE TABLE secrets AS SELECT 1 AS id").unwrap();
    let connector = t.connector_for("kept-db", "kept");
    let wanted = wanted(AccessLevel::Admin);
    connector.open(&wanted).await.unwrap();
    let url = t.url(&connector.issue(&wanted).await.unwrap());
    psql(&url, "CREATE TABLE mine (id int); INSERT INTO secrets VALUES (2)").unwrap();
    for sql in ["SET ROLE keeper", "ALTER TABLE secrets ADD COLUMN more int", "DROP TABLE secrets"] {
        let refused = psql(&url, sql).unwrap_err().to_string();
        assert!(
            refused.contains("permission denied") || refused.contains("must be owner"),
            "{sql}: {refused}"
        );
    }
    connector.close(wanted.grant).await.unwrap();
    assert_eq!(
        t.server.sql("kept", "SELECT tableowner FROM pg_tables WHERE tablename = 'mine'").unwrap(),
        "keeper"
    );
}

#[tokio::test]
async fn a_grant_on_one_database_reads_nothing_of_another() {
    let t = Target::start();
    t.database("other", "shop_owner");
    let connector = t.connector_for("other-db", "other");
    let levels = [AccessLevel::Read, AccessLevel::Write, AccessLevel::Admin];
    for level in levels {
        // A grant on the other one exists, so that its groups do too.
        connector.open(&wanted(level)).await.unwrap();
    }
    for level in levels {
        let mut credential = t.grant(level).await;
        credential.database = "other".into();
        for sql in ["SELECT * FROM items", "INSERT INTO items (name) VALUES ('x')", "DROP TABLE items"] {
            let refused = psql(&t.url(&credential), sql).unwrap_err().to_string();
            assert!(refused.contains("permission denied") || refused.contains("must be owner"), "{refused}");
        }
        credential.database = "shop".into();
        // The owner of both databases is nobody whose place could be given away with one of them.
        let refused = psql(&t.url(&credential), "ALTER TABLE items ADD COLUMN more int").unwrap_err();
        assert!(refused.to_string().contains("must be owner"), "{refused}");
    }
}

#[tokio::test]
async fn a_new_password_ends_the_one_before() {
    let t = Target::start();
    let wanted = wanted(AccessLevel::Read);
    t.connector.open(&wanted).await.unwrap();
    let first = t.connector.issue(&wanted).await.unwrap();
    // Opening again is no reason to lose the password.
    t.connector.open(&wanted).await.unwrap();
    psql(&t.url(&first), "SELECT 1").unwrap();
    let second = t.connector.issue(&wanted).await.unwrap();
    assert_ne!(first.password.expose_secret(), second.password.expose_secret());
    assert!(first.password.expose_secret().len() >= 43);
    assert!(refusal(&t.url(&first)).contains("authentication failed"));
    psql(&t.url(&second), "SELECT 1").unwrap();
}

#[tokio::test]
async fn overlapping_grants_never_end_each_other() {
    let t = Target::start();
    let (one, other) = (t.grant(AccessLevel::Write).await, t.grant(AccessLevel::Write).await);
    let mut stays = Session::begin(&t, &other, "BEGIN; INSERT INTO items (name) VALUES ('kept');");
    t.connector.close(one.grant).await.unwrap();
    assert!(refusal(&t.url(&one)).contains("authentication failed"));
    psql(&t.url(&other), "SELECT * FROM items").unwrap();
    stays.finishes("COMMIT;");
    assert_eq!(t.sql("SELECT count(*) FROM items WHERE name = 'kept'"), "1");
    t.connector.close(other.grant).await.unwrap();
}

#[tokio::test]
async fn a_session_that_holds_locks_is_cut_and_its_work_undone() {
    let t = Target::start();
    let credential = t.grant(AccessLevel::Admin).await;
    let mut session = Session::begin(
        &t,
        &credential,
        "BEGIN; LOCK TABLE items; UPDATE items SET name = 'lost'; CREATE TABLE half (id int);",
    );
    let mut busy = Session::begin(&t, &credential, "SELECT pg_sleep(600);");
    t.connector.close(credential.grant).await.unwrap();
    session.is_cut();
    busy.is_cut();
    assert_eq!(t.sql("SELECT count(*) FROM items WHERE name = 'lost'"), "0");
    assert!(!t.roles().contains(&credential.username));
}

#[tokio::test]
async fn nothing_is_left_in_other_databases_or_half_committed() {
    let t = Target::start();
    t.server.sql("postgres", "ALTER SYSTEM SET max_prepared_transactions = 5").unwrap();
    t.server.stop();
    t.server.start_again().unwrap();
    t.database("other", "other_owner");
    // As every database had it before PostgreSQL 15.
    t.server.sql("other", "GRANT CREATE ON SCHEMA public TO PUBLIC").unwrap();
    let mut credential = t.grant(AccessLevel::Write).await;
    let url = t.url(&credential);
    psql(&url, "SELECT lo_create(4711)").unwrap();
    psql(&url, "BEGIN; UPDATE items SET name = 'lost'; PREPARE TRANSACTION 'it''s half done'").unwrap();
    let group = t.sql(&format!(
        "SELECT m.roleid::regrole FROM pg_auth_members m WHERE m.member = '{}'::regrole
         AND m.roleid <> 'daypass_grants'::regrole",
        credential.username
    ));
    credential.database = "other".into();
    psql(&t.url(&credential), "CREATE TABLE left_here (id int); SELECT lo_create(4712)").unwrap();
    psql(&t.url(&credential), &format!("SET ROLE {group}; CREATE TABLE left_by_group (id int)")).unwrap();
    t.connector.close(credential.grant).await.unwrap();
    assert!(!t.roles().contains(&credential.username));
    assert_eq!(t.sql("SELECT count(*) FROM pg_prepared_xacts"), "0");
    assert_eq!(t.sql("SELECT count(*) FROM items WHERE name = 'lost'"), "0");
    let owner = |sql: &str, database: &str| t.server.sql(database, sql).unwrap();
    assert_eq!(
        owner("SELECT tableowner FROM pg_tables WHERE tablename = 'left_here'", "other"),
        "other_owner"
    );
    assert_eq!(
        owner("SELECT tableowner FROM pg_tables WHERE tablename = 'left_by_group'", "other"),
        "other_owner"
    );
    let large = "SELECT lomowner::regrole FROM pg_largeobject_metadata";
    assert_eq!((owner(large, "shop"), owner(large, "other")), ("shop_owner".into(), "other_owner".into()));
}

#[tokio::test]
async fn reconciling_removes_what_no_grant_explains_and_nothing_else() {
    let t = Target::start();
    t.database("other", "other_owner");
    let others = t.connector_for("other-db", "other");
    let foreign = wanted(AccessLevel::Read);
    others.open(&foreign).await.unwrap();
    // Somebody else's role, however it is called.
    t.server.sql("postgres", "CREATE ROLE dp_not_ours LOGIN; CREATE ROLE visitor LOGIN").unwrap();
    let (kept, stray) = (t.grant(AccessLevel::Read).await, t.grant(AccessLevel::Write).await);
    let unmarked = t.grant(AccessLevel::Read).await;
    t.server.sql("postgres", &format!("COMMENT ON ROLE {} IS NULL", unmarked.username)).unwrap();
    let mut session = Session::begin(&t, &stray, "SELECT 1;");
    let mut stays = Session::begin(&t, &kept, "SELECT 1;");

    // Another process, after a crash: it knows the key and the grants.
    let again = t.connector_for("shop-db", "shop");
    let missing = wanted(AccessLevel::Write);
    let longer = Wanted { expires_at: kept.expires_at + TimeDelta::hours(1), ..of(&kept, AccessLevel::Read) };
    let done = again.reconcile(&[longer.clone(), missing.clone()]).await.unwrap();
    assert_eq!(done.opened, [missing.grant]);
    let mut expected = vec![stray.username.clone(), unmarked.username];
    expected.sort();
    assert_eq!(done.removed, expected);
    session.is_cut();
    stays.finishes("SELECT 2;");

    let mut roles: Vec<_> = t.roles().into_iter().filter(|role| !role.starts_with("daypass_")).collect();
    roles.sort();
    let mut left = vec![again.role(missing.grant), kept.username.clone(), others.role(foreign.grant)];
    left.extend(["dp_not_ours", "other_owner", "shop_owner", "visitor"].map(String::from));
    left.sort();
    assert_eq!(roles, left);
    let until = format!(
        "SELECT rolvaliduntil = '{}' FROM pg_roles WHERE rolname = '{}'",
        longer.expires_at.to_rfc3339(),
        kept.username
    );
    assert_eq!(t.sql(&until), "t");
    psql(&t.url(&kept), "SELECT 1").unwrap();
    let nothing = again.reconcile(&[longer, missing]).await.unwrap();
    assert_eq!((nothing.opened, nothing.removed), (vec![], vec![]));
}

#[tokio::test]
async fn a_table_made_later_is_readable_once_the_target_is_looked_at() {
    let t = Target::start();
    let credential = t.grant(AccessLevel::Read).await;
    t.sql("CREATE TABLE later (id int)");
    assert!(psql(&t.url(&credential), "SELECT * FROM later").is_err());
    t.connector.reconcile(&[of(&credential, AccessLevel::Read)]).await.unwrap();
    psql(&t.url(&credential), "SELECT * FROM later").unwrap();
}

#[tokio::test]
async fn a_target_that_is_down_is_told_plainly_and_caught_up_with() {
    let t = Target::start();
    let (ended, live) = (t.grant(AccessLevel::Read).await, wanted(AccessLevel::Read));
    t.server.stop();
    let clock = Clock::system();
    let before = clock.uptime();
    for result in [
        t.connector.open(&live).await,
        t.connector.close(ended.grant).await,
        t.connector.reconcile(&[]).await.map(|_| ()),
    ] {
        let Err(ConnectorError::Unavailable(told)) = result else { panic!("{result:?}") };
        assert_eq!(told, format!("PostgreSQL at 127.0.0.1:{} does not answer.", t.server.port()));
    }
    assert!(clock.uptime() - before < Duration::from_secs(12));
    t.server.start_again().unwrap();
    let done = t.connector.reconcile(std::slice::from_ref(&live)).await.unwrap();
    assert_eq!((done.opened, done.removed), (vec![live.grant], vec![ended.username]));
}

#[tokio::test]
async fn a_target_that_hangs_does_not_hang_us() {
    // Accepts connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let settings = settings(port, "shop");
    let admin = SecretString::from(format!("postgresql://keeper:hunter2@127.0.0.1:{port}/postgres"));
    let key = ServerKey::random().unwrap();
    let connector = PostgresConnector::new("x".parse().unwrap(), &settings, &admin, &key).unwrap();
    let clock = Clock::system();
    let before = clock.uptime();
    let error = connector.open(&wanted(AccessLevel::Read)).await.unwrap_err().to_string();
    assert!(clock.uptime() - before < Duration::from_secs(8));
    assert!(error.contains("does not answer") && !error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn wrong_settings_are_told_without_secrets() {
    let t = Target::start();
    let key = ServerKey::random().unwrap();
    for (user, password, database, told) in [
        ("keeper", "wrong-password", "shop", "does not accept the account"),
        ("keeper", t.server.password(), "absent", "does not have this database"),
        ("shop_owner", "owner", "shop", "does not let the account"),
    ] {
        let admin = SecretString::from(t.server.url_as(user, password, "postgres"));
        let settings = settings(t.server.port(), database);
        let connector = PostgresConnector::new("x".parse().unwrap(), &settings, &admin, &key).unwrap();
        let error = connector.open(&wanted(AccessLevel::Read)).await.unwrap_err().to_string();
        assert!(error.contains(told) && !error.contains(password), "{error}");
    }
}

#[tokio::test]
async fn postgresql_itself_refuses_a_password_after_the_end() {
    let t = Target::start();
    let short = Wanted {
        expires_at: Clock::system().now() + TimeDelta::milliseconds(2500),
        ..wanted(AccessLevel::Read)
    };
    t.connector.open(&short).await.unwrap();
    let credential = t.connector.issue(&short).await.unwrap();
    psql(&t.url(&credential), "SELECT 1").unwrap();
    wait_until("the end", SOON, || {
        psql(&t.url(&credential), "SELECT 1").err().ok_or(anyhow::anyhow!("it still works"))
    })
    .unwrap();
    assert!(Clock::system().now() >= short.expires_at);
    assert!(t.roles().contains(&credential.username), "nobody removed it");
}

#[tokio::test]
async fn a_password_is_in_no_statement_that_the_server_logs() {
    let t = Target::start();
    t.server.sql("postgres", "ALTER SYSTEM SET log_statement = 'all'").unwrap();
    t.server.sql("postgres", "SELECT pg_reload_conf()").unwrap();
    wait_until("the setting", SOON, || {
        let set = t.server.sql("postgres", "SHOW log_statement")?;
        if set == "all" { Ok(()) } else { Err(anyhow::anyhow!("{set}")) }
    })
    .unwrap();
    let credential = t.grant(AccessLevel::Read).await;
    psql(&t.url(&credential), "SELECT 1").unwrap();
    let log = t.server.log();
    assert!(log.contains("ALTER ROLE"), "the log holds the statements: {log}");
    assert!(!log.contains(credential.password.expose_secret()));
}

#[tokio::test]
async fn many_at_once_on_one_cluster_all_succeed() {
    let t = Target::start();
    t.database("other", "other_owner");
    let connectors = [
        t.connector_for("shop-db", "shop"),
        t.connector_for("shop-db", "shop"),
        t.connector_for("other-db", "other"),
    ];
    let wanted: Vec<Wanted> = (0..9).map(|_| wanted(AccessLevel::Write)).collect();
    let on = |n: usize| &connectors[n % connectors.len()];
    let all = wanted.iter().enumerate();
    let opened = futures_util::future::join_all(all.clone().map(|(n, wanted)| on(n).open(wanted))).await;
    opened.into_iter().for_each(|done| done.unwrap());
    let issued = futures_util::future::join_all(all.clone().map(|(n, wanted)| on(n).issue(wanted))).await;
    for credential in issued {
        psql(&t.url(&credential.unwrap()), "SELECT * FROM items").unwrap();
    }
    let closed = futures_util::future::join_all(all.map(|(n, wanted)| on(n).close(wanted.grant))).await;
    closed.into_iter().for_each(|done| done.unwrap());
    assert!(t.roles().iter().all(|role| !role.starts_with("dp_")));
}

/// A cluster with the database `shop`, which an ordinary role owns, and a connector for it.
struct Target {
    server: Postgres,
    key: ServerKey,
    connector: PostgresConnector,
}

impl Target {
    fn start() -> Self {
        let server = Postgres::start().unwrap();
        let key = ServerKey::random().unwrap();
        let connector = connector(&server, &key, "shop-db", "shop");
        let target = Self { server, key, connector };
        target.database("shop", "shop_owner");
        target
    }

    fn database(&self, name: &str, owner: &str) {
        let there = format!("SELECT count(*) FROM pg_roles WHERE rolname = '{owner}'");
        if self.server.sql("postgres", &there).unwrap() == "0" {
            self.server.sql("postgres", &format!("CREATE ROLE {owner} LOGIN PASSWORD 'owner'")).unwrap();
        }
        self.server.sql("postgres", &format!("CREATE DATABASE {name} OWNER {owner}")).unwrap();
        let content = format!(
            r#"SET ROLE {owner};
               CREATE TABLE items (id serial PRIMARY KEY, name text NOT NULL);
               INSERT INTO items (name) VALUES ('a'), ('b'), ('c');
               CREATE VIEW some_items AS SELECT * FROM items WHERE id < 3;
               CREATE SCHEMA "Odd schema";
               CREATE TABLE "Odd schema"."Odd table" AS SELECT 1 AS id"#
        );
        self.server.sql(name, &content).unwrap();
    }

    fn connector_for(&self, resource: &str, database: &str) -> PostgresConnector {
        connector(&self.server, &self.key, resource, database)
    }

    async fn grant(&self, level: AccessLevel) -> Credential {
        let wanted = wanted(level);
        self.connector.open(&wanted).await.unwrap();
        self.connector.issue(&wanted).await.unwrap()
    }

    fn url(&self, c: &Credential) -> String {
        self.server.url_as(&c.username, c.password.expose_secret(), &c.database)
    }

    fn sql(&self, sql: &str) -> String {
        self.server.sql("shop", sql).unwrap()
    }

    fn roles(&self) -> Vec<String> {
        self.server.roles().unwrap()
    }
}

fn connector(server: &Postgres, key: &ServerKey, resource: &str, database: &str) -> PostgresConnector {
    let admin = SecretString::from(server.admin_url());
    let settings = settings(server.port(), database);
    PostgresConnector::new(resource.parse().unwrap(), &settings, &admin, key).unwrap()
}

fn settings(port: u16, database: &str) -> Settings {
    let admin = SecretRef::Env("ADMIN".into());
    Settings { host: "127.0.0.1".into(), port, database: database.into(), admin }
}

fn wanted(level: AccessLevel) -> Wanted {
    let expires_at = Clock::system().now() + TimeDelta::minutes(30);
    Wanted { grant: GrantId(Uuid::now_v7()), level, expires_at }
}

fn of(credential: &Credential, level: AccessLevel) -> Wanted {
    Wanted { grant: credential.grant, level, expires_at: credential.expires_at }
}

fn refusal(url: &str) -> String {
    psql(url, "SELECT 1").unwrap_err().to_string()
}

/// A psql that stays connected.
struct Session(Child);

impl Session {
    /// Connects, says `sql`, and waits until the server is at it or done with it.
    fn begin(t: &Target, credential: &Credential, sql: &str) -> Self {
        let count = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = '{}' AND query LIKE '%{}%'",
            credential.username, // The last statement is what pg_stat_activity shows.
            sql.trim_end_matches(';').rsplit(';').next().unwrap().trim().replace('\'', "''")
        );
        let before = t.sql(&count);
        let mut command = psql_command(&t.url(credential)).unwrap();
        let child = command
            .args(["-v", "ON_ERROR_STOP=1"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut session = Self(child);
        session.say(sql);
        wait_until("the session's statement", SOON, || {
            if t.sql(&count) == before { Err(anyhow::anyhow!("not there")) } else { Ok(()) }
        })
        .unwrap();
        session
    }

    fn say(&mut self, sql: &str) {
        let stdin = self.0.stdin.as_mut().unwrap();
        writeln!(stdin, "{sql}").unwrap();
        stdin.flush().unwrap();
    }

    /// The server has cut it, without it having asked to end.
    fn is_cut(&mut self) {
        // An idle psql notices when it says something next; a busy one is gone already.
        let _ = writeln!(self.0.stdin.as_mut().unwrap(), "SELECT 1;");
        assert_eq!(self.exit_code(), Some(2), "psql says 2 when its connection is lost");
    }

    /// It can still do this, and then ends by itself.
    fn finishes(&mut self, sql: &str) {
        self.say(&format!("{sql}\n\\q"));
        assert_eq!(self.exit_code(), Some(0));
    }

    fn exit_code(&mut self) -> Option<i32> {
        let status =
            wait_until("the session to end", SOON, || self.0.try_wait()?.ok_or(anyhow::anyhow!("it runs")));
        status.unwrap().code()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
