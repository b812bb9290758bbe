//! A catalogue read from a live database says what the schema file says.

use std::sync::Arc;

use daypass_guardrails::catalogue::LIVE_QUERY;
use daypass_guardrails::{Catalogue, Guard, Input, Policy, Session, Verdict};

use crate::cases;
use crate::effect::Server;

#[test]
fn a_live_database_and_its_schema_file_give_the_same_verdicts() {
    let Some(server) = Server::start("live") else { return };
    for (schema, accidents, harmless) in [
        ("schema.sql", "accidents.jsonl", "harmless.jsonl"),
        ("cata-schema.sql", "cata-accidents.jsonl", "cata-harmless.jsonl"),
    ] {
        let schema = std::fs::read_to_string(cases::folder().join(schema)).unwrap();
        let (went, _, complaint) = server.psql(&format!("{EMPTY}{schema}"));
        assert!(went, "{complaint}");
        let (went, ddl, complaint) = server.psql(LIVE_QUERY);
        assert!(went, "{complaint}");
        let catalogue = Catalogue::from_sql(&ddl).unwrap();
        assert_eq!(catalogue.skipped, 0, "{ddl}");
        let live = Guard::new(Policy::named("careful-write").unwrap(), Some(Arc::new(catalogue)));
        for (file, wanted) in [(accidents, Verdict::Block), (harmless, Verdict::Allow)] {
            for case in cases::read(file).iter().filter(|case| case.mode.is_none()) {
                let judgement = live.judge(&Session::default(), Input::simple(&case.sql));
                assert_eq!(judgement.verdict, wanted, "{} {}: {}", case.id, case.sql, judgement.message);
            }
        }
    }
}

const EMPTY: &str = "DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n";
