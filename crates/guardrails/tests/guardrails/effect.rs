//! The labels against a real PostgreSQL: an accident touches every row of its target, a harmless write does not.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::cases::{self, Case};

/// A throwaway PostgreSQL on a socket of its own.
pub struct Server {
    child: Child,
    folder: PathBuf,
    bin: PathBuf,
}

impl Server {
    /// `None`, with a message, where PostgreSQL is not installed.
    pub fn start(name: &str) -> Option<Server> {
        let Some(bin) = ["17", "16", "15", "14"]
            .iter()
            .map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")))
            .find(|bin| bin.join("initdb").exists() && bin.join("psql").exists())
        else {
            println!("skipped: no PostgreSQL binaries under /usr/lib/postgresql");
            return None;
        };
        let folder = std::env::temp_dir().join(format!("daypass-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let account = account();
        if let Some((user, group)) = account {
            std::os::unix::fs::chown(&folder, Some(user), Some(group)).unwrap();
        }
        let data = folder.join("data");
        let made = as_account(Command::new(bin.join("initdb")), account)
            .args(["-A", "trust", "-U", "postgres", "--no-sync", "-D"])
            .arg(&data)
            .current_dir(&folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success(), "initdb failed");
        let child = as_account(Command::new(bin.join("postgres")), account)
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-k"])
            .arg(&folder)
            .current_dir(&folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Server { child, folder, bin };
        for _ in 0..100 {
            if server.psql("SELECT 1").0 {
                return Some(server);
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("PostgreSQL did not come up");
    }

    /// Runs a script; whether it went through, what it printed, and what it complained of.
    pub fn psql(&self, script: &str) -> (bool, String, String) {
        let mut child = Command::new(self.bin.join("psql"))
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres", "-h"])
            .arg(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(script.as_bytes());
        let output = child.wait_with_output().unwrap();
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A fast shutdown; the children of the server end with it.
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// PostgreSQL refuses to run as root: then it runs as the account that its package made.
fn account() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    if std::fs::metadata("/proc/self").map(|own| own.uid()).unwrap_or(1) != 0 {
        return None;
    }
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = accounts.lines().find(|line| line.starts_with("postgres:") || line.starts_with("nobody:"))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn as_account(mut command: Command, account: Option<(u32, u32)>) -> Command {
    if let Some((user, group)) = account {
        command.uid(user).gid(group);
    }
    command
}

/// One case as psql runs it, between marks.
fn script(case: &Case, target: &str) -> String {
    let statement = if case.params.is_empty() {
        format!("{}\n;", case.sql)
    } else {
        let values: Vec<String> = case
            .params
            .iter()
            .map(|value| match value {
                serde_json::Value::Null => "NULL".to_owned(),
                serde_json::Value::String(text) => format!("'{text}'"),
                other => other.to_string(),
            })
            .collect();
        format!("PREPARE the_case AS {}; EXECUTE the_case({});", case.sql, values.join(", "))
    };
    format!(
        "BEGIN;\nCREATE TEMP TABLE as_before AS SELECT ctid::text || xmin::text AS k FROM public.{target};\n\\o /dev/null\n{statement}\n\\o\n\
         SELECT 'mark {}', (SELECT count(*) FROM as_before), (SELECT count(*) FROM public.{target} WHERE ctid::text || xmin::text IN (SELECT k FROM as_before));\n\
         ROLLBACK;\nDEALLOCATE ALL;\n",
        case.id
    )
}

/// Checks and keys stay in the way of no case: the labels are about which rows are reached.
const WITHOUT_KEYS: &str = "ALTER TABLE order_items DROP CONSTRAINT order_items_order_id_fkey;
    ALTER TABLE orders DROP CONSTRAINT orders_user_id_fkey;
    ALTER TABLE sessions DROP CONSTRAINT sessions_user_id_fkey;
    ALTER TABLE users DROP CONSTRAINT users_email_key;
    CREATE INDEX ON users (email);";

#[test]
fn labels_agree_with_what_postgresql_does() {
    let Some(server) = Server::start("effect") else { return };
    let rows = std::fs::read_to_string(cases::folder().join("rows.sql")).unwrap();
    let (went, _, complaint) = server.psql(&format!("{}\n{WITHOUT_KEYS}\n{rows}", cases::schema()));
    assert!(went, "{complaint}");
    let files = [
        ("accidents.jsonl", true),
        ("third-accidents.jsonl", true),
        ("code-accidents.jsonl", true),
        ("harmless.jsonl", false),
        ("third-harmless.jsonl", false),
        ("code-harmless.jsonl", false),
    ];
    let counted = effects(&server, &files);
    assert!(counted[0] >= 200 && counted[1] >= 80, "{counted:?}");
}

#[test]
fn what_the_schema_promises_of_rows_is_so() {
    let Some(server) = Server::start("promises") else { return };
    let read = |name: &str| std::fs::read_to_string(cases::folder().join(name)).unwrap();
    let (went, _, complaint) =
        server.psql(&format!("{}\n{}", read("cata-schema.sql"), read("cata-rows.sql")));
    assert!(went, "{complaint}");
    effects(&server, &[("cata-accidents.jsonl", true), ("cata-harmless.jsonl", false)]);
}

/// Runs the cases with a target; how many accidents touch every row, and how many harmless writes do not.
fn effects(server: &Server, files: &[(&str, bool)]) -> [u64; 2] {
    let mut wrong = Vec::new();
    let mut counted = [0, 0];
    for (file, accident) in files.iter().copied() {
        let which = usize::from(!accident);
        let cases = cases::read(file);
        let mut whole =
            "\\set ON_ERROR_STOP off\nSET client_min_messages = error; SET statement_timeout = '20s';\n"
                .to_owned();
        for case in &cases {
            if let Some(target) = case.target.as_deref() {
                whole.push_str(&script(case, target));
            }
        }
        let (_, printed, complaints) = server.psql(&whole);
        for case in cases.iter().filter(|case| case.target.is_some()) {
            let mark = format!("mark {}|", case.id);
            let Some(counts) = printed.lines().find_map(|line| line.strip_prefix(&mark)) else {
                wrong.push(format!("{} does not run: {}", case.id, case.sql));
                continue;
            };
            let (before, left) = counts.split_once('|').unwrap();
            let left: u64 = left.parse().unwrap();
            match (accident, left) {
                (true, 0) => counted[which] += 1,
                (true, _) => wrong.push(format!("{} leaves {left} of {before} rows: {}", case.id, case.sql)),
                (false, 0) => wrong.push(format!("{} touches all {before} rows: {}", case.id, case.sql)),
                (false, _) => counted[which] += 1,
            }
        }
        if !wrong.is_empty() {
            println!("{complaints}");
        }
    }
    println!("{} accidents touch every row, {} harmless writes do not", counted[0], counted[1]);
    assert!(wrong.is_empty(), "{} labels disagree:\n{}", wrong.len(), wrong.join("\n"));
    counted
}
