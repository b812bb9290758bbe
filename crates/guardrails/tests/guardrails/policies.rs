//! The policy sets, the command line, and what people are told.

use daypass_guardrails::{Catalogue, Guard, Hazard, Input, Mode, Parameter, Policy, Session, Verdict, cli};

use crate::cases;

fn verdict(policy: &str, sql: &str) -> Verdict {
    cases::guard(policy, true).judge(&Session::default(), Input::simple(sql)).verdict
}

#[test]
fn each_set_draws_its_own_line() {
    use Verdict::{Allow, Block};
    for (sql, read_only, careful_write, freeze, admin) in [
        ("SELECT * FROM users", Allow, Allow, Allow, Allow),
        ("SELECT * FROM users FOR UPDATE", Block, Allow, Allow, Allow),
        ("SET search_path = public", Allow, Allow, Allow, Allow),
        ("UPDATE users SET name = 'x' WHERE id = 1", Block, Allow, Allow, Allow),
        (
            "WITH d AS (DELETE FROM users WHERE id = 1 RETURNING 1) SELECT * FROM d",
            Block,
            Allow,
            Allow,
            Allow,
        ),
        ("SELECT nextval('users_id_seq')", Block, Allow, Allow, Allow),
        ("CREATE TEMP TABLE t (id int); INSERT INTO t VALUES (1)", Allow, Allow, Allow, Allow),
        ("CREATE TABLE t (id int)", Block, Allow, Block, Allow),
        ("ALTER TABLE users ADD COLUMN x int", Block, Allow, Block, Allow),
        ("VACUUM users", Block, Allow, Allow, Allow),
        ("DELETE FROM users", Block, Block, Block, Allow),
        ("DROP TABLE users", Block, Block, Block, Allow),
        ("SELECT pg_terminate_backend(1)", Block, Block, Block, Allow),
        ("DELETE FROM users WHERE", Block, Block, Block, Block),
    ] {
        for (policy, wanted) in
            [("read-only", read_only), ("careful-write", careful_write), ("freeze", freeze), ("admin", admin)]
        {
            assert_eq!(verdict(policy, sql), wanted, "{policy}: {sql}");
        }
    }
}

#[test]
fn hold_and_limit_come_from_annotations_and_a_block_outranks_them() {
    let sample = include_str!("../../policies/sample-hold.cedar");
    let guards = include_str!("../../policies/guards.cedar");
    let guard = Guard::new(Policy::parse(&[guards, sample]).unwrap(), None);
    let judge = |sql: &str| guard.judge(&Session::default(), Input::simple(sql));

    let held = judge("UPDATE payments SET amount = 5 WHERE id = 1");
    assert_eq!((held.verdict, held.rules), (Verdict::Hold, vec!["hold-payments".to_owned()]));
    let limited = judge("SELECT * FROM customers");
    assert_eq!((limited.verdict, limited.rows), (Verdict::Limit, Some(1000)));
    let blocked = judge("UPDATE payments SET amount = 5");
    assert_eq!(blocked.verdict, Verdict::Block);
    assert!(blocked.rules.contains(&"unbounded-write".to_owned()));
}

#[test]
fn a_finding_points_at_the_offending_part() {
    let sql = "SELECT 1;\nDELETE FROM users WHERE 1 = 1";
    let judgement = cases::guard("careful-write", true).judge(&Session::default(), Input::simple(sql));
    let finding = &judgement.facts.findings[0];
    assert_eq!(finding.hazard, Hazard::UnboundedWrite);
    assert_eq!(finding.statement, 2);
    assert_eq!(sql.get(finding.at..finding.at + finding.length), Some("1 = 1"));
    assert_eq!(
        judgement.message,
        "Stopped: the condition holds for every row, so this DELETE reaches every row of users. At line 2, character 25: `1 = 1`. \
         Instead: test a column of the table that leaves rows out, such as WHERE id = 42, or WHERE id IN (SELECT id .. WHERE status = 'old' LIMIT 1000)."
    );
}

#[test]
fn a_session_remembers_what_it_was_sent() {
    let guard = cases::guard("careful-write", true);
    let mut session = Session::default();
    let mut send = |sql: &str| {
        let judgement = guard.judge(&session, Input::simple(sql));
        if let Some(next) = judgement.next {
            session = next.as_ref().clone();
        }
        judgement.verdict
    };
    assert_eq!(send("CREATE TEMP TABLE users (id int)"), Verdict::Allow);
    assert_eq!(send("DELETE FROM users"), Verdict::Allow);
    assert_eq!(send("DELETE FROM public.users"), Verdict::Block);
    assert_eq!(send("DISCARD TEMP"), Verdict::Allow);
    assert_eq!(send("DELETE FROM users"), Verdict::Block);
    assert_eq!(send("PREPARE p (int) AS DELETE FROM users WHERE id = $1"), Verdict::Allow);
    assert_eq!(send("EXECUTE p (3)"), Verdict::Allow);
    assert_eq!(send("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"), Verdict::Allow);
    assert_eq!(send("SELECT f()"), Verdict::Allow);
    assert_eq!(send("SELECT g()"), Verdict::Block);
}

#[test]
fn parameters_are_folded_in() {
    let guard = cases::guard("careful-write", true);
    let judge = |sql: &str, parameters: &[Parameter]| {
        guard.judge(&Session::default(), Input { sql, parameters, mode: Mode::Extended }).verdict
    };
    let optional = "DELETE FROM users WHERE ($1::text IS NULL OR status = $1)";
    assert_eq!(judge(optional, &[]), Verdict::Block);
    assert_eq!(judge(optional, &[Parameter::Null]), Verdict::Block);
    assert_eq!(judge(optional, &[Parameter::Text("gone".to_owned())]), Verdict::Allow);
    assert_eq!(judge("DELETE FROM users WHERE id = $1", &[]), Verdict::Allow);
    assert_eq!(judge("DELETE FROM users WHERE $1 = $1", &[]), Verdict::Block);
    assert_eq!(judge("SELECT 1; SELECT 2", &[]), Verdict::Block);
}

#[test]
fn rules_and_triggers_of_the_catalogue_count() {
    let catalogue = Catalogue::from_sql(
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, at timestamptz);
         CREATE RULE r AS ON INSERT TO a DO ALSO DELETE FROM b;
         CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM a; RETURN NEW; END $$;
         CREATE TRIGGER t BEFORE UPDATE ON b FOR EACH ROW EXECUTE FUNCTION t();
         CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := now(); RETURN NEW; END $$;
         CREATE TRIGGER touch BEFORE UPDATE ON c FOR EACH ROW EXECUTE FUNCTION touch();",
    )
    .unwrap();
    let guard = Guard::new(Policy::named("careful-write").unwrap(), Some(catalogue.into()));
    let judge = |sql: &str| guard.judge(&Session::default(), Input::simple(sql)).verdict;
    assert_eq!(judge("INSERT INTO a VALUES (1)"), Verdict::Block);
    assert_eq!(judge("INSERT INTO b VALUES (1)"), Verdict::Allow);
    assert_eq!(judge("UPDATE b SET id = 2 WHERE id = 1"), Verdict::Block);
    assert_eq!(judge("UPDATE c SET id = 2 WHERE id = 1"), Verdict::Allow);
}

#[test]
fn the_command_line_answers_every_line() {
    let input = concat!(
        "{\"id\": 1, \"sql\": \"SELECT 1\"}\n",
        "{\"id\": \"two\", \"sql\": \"DELETE FROM users WHERE id = $1\", \"params\": [7], \"mode\": \"extended\"}\n",
        "\n",
        "no json\n",
        "{\"id\": 4, \"sql\": \"DELETE FROM users\"}",
    );
    let mut out = Vec::new();
    cli::check(input.as_bytes(), "careful-write", None, &mut out).unwrap();
    let lines: Vec<serde_json::Value> =
        String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let verdicts: Vec<&str> = lines.iter().map(|line| line["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["allow", "allow", "block", "block"]);
    assert_eq!(lines[1]["id"], "two");
    assert_eq!(lines[3]["rules"], serde_json::json!(["unbounded-write"]));
    assert_eq!(lines[3]["facts"]["tables_written"], serde_json::json!(["users"]));
    assert_eq!(lines[3]["facts"]["unbounded"], true);
    assert!(cli::check("".as_bytes(), "no-such", None, Vec::new()).is_err());
}

#[test]
fn an_explanation_marks_the_part_and_keeps_the_terminal_safe() {
    let mut out = Vec::new();
    let sql = "DELETE FROM users WHERE \u{1b}[2J1 = 1";
    cli::explain(sql, "careful-write", None, &mut out).unwrap();
    let refused = String::from_utf8(out).unwrap();
    assert!(!refused.contains("\u{1b}[2J"), "{refused}");

    let mut out = Vec::new();
    cli::explain("DELETE FROM users WHERE 1 = 1", "careful-write", None, &mut out).unwrap();
    let told = String::from_utf8(out).unwrap();
    assert!(told.contains("BLOCK") && told.contains("\u{1b}[4;31m1 = 1\u{1b}[0m"), "{told}");
}
