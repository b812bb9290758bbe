//! The command line, as a person runs it.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use daypass_testkit::Postgres;

fn daypassd(arguments: &[&str], input: &str, password: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_daypassd"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_remove("PGPASSWORD");
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn the_schema_of_a_live_database_is_printed_and_used() {
    let server = Postgres::start().unwrap();
    server.create_database("shop").unwrap();
    let tables = "CREATE TABLE items (id int PRIMARY KEY, price int NOT NULL CHECK (price >= 0));
                  CREATE VIEW dear AS SELECT id FROM items WHERE price > 100";
    server.sql("shop", tables).unwrap();
    let address = format!("postgres://{}@{}:{}/shop", server.superuser(), server.host(), server.port());
    let printed = daypassd(&["guardrail", "schema", &address], "", Some(server.password()));
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let schema = String::from_utf8(printed.stdout).unwrap();
    assert!(schema.contains("CREATE TABLE public.items") && schema.contains("FROM public.items"), "{schema}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("schema.sql");
    std::fs::write(&file, &schema).unwrap();
    let statements = "{\"id\":1,\"sql\":\"DELETE FROM items WHERE price >= 0\"}\n\
                      {\"id\":2,\"sql\":\"DELETE FROM items WHERE price >= 1\"}\n";
    let check = ["guardrail", "check", "--policy", "careful-write", "--json", "--schema"];
    let judged = daypassd(&[&check[..], &[file.to_str().unwrap()]].concat(), statements, None);
    let verdicts: Vec<serde_json::Value> = String::from_utf8(judged.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["verdict"].clone())
        .collect();
    assert_eq!(verdicts, ["block", "allow"], "only the check tells that the first one reaches every row");
}

#[test]
fn a_password_in_the_address_is_refused_before_anything_is_asked() {
    for address in
        ["postgres://maya:secret@127.0.0.1:1/shop", "postgres://maya@127.0.0.1:1/shop?password=secret"]
    {
        let refused = daypassd(&["guardrail", "schema", address], "", None);
        let told = String::from_utf8(refused.stderr).unwrap();
        assert!(!refused.status.success() && told.contains("PGPASSWORD"), "{told}");
        assert!(!told.contains("secret"), "{told}");
    }
}
