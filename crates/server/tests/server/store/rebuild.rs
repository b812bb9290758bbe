//! The read tables are what the events add up to, whatever happened.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use daypass_domain::{
    ApprovePermit, DeviceId, Grant, GrantCommand, GrantId, Request, RequestCommand, RequestId, Timestamp,
    Verdict,
};
use daypass_server::store::{Body, Circumstances, NewEvent, SqlStore, Store, Stream, Versioned};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use uuid::Uuid;

use super::Database;
use super::history::{ask, grant_events, noon, obligations, request_events, risk, seen_by, signed_in, user};

#[test]
fn on_sqlite_any_history_gives_the_same_read_tables_again() {
    any_history_gives_the_same_read_tables_again(24, Database::sqlite);
}

#[test]
fn on_postgres_any_history_gives_the_same_read_tables_again() {
    any_history_gives_the_same_read_tables_again(8, Database::postgres);
}

fn any_history_gives_the_same_read_tables_again(cases: u32, database: fn() -> Database) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let histories = proptest::collection::vec((any::<u8>(), any::<u8>(), any::<u8>(), 0..90u8), 1..60);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&histories, |steps| {
        runtime.block_on(play(&database(), steps));
        Ok::<(), TestCaseError>(())
    });
    outcome.unwrap();
}

/// One attempt: what is tried, on which of the things there are, by whom, and how many minutes later.
type Step = (u8, u8, u8, u8);

/// What the events add up to, kept in memory: the store must agree.
#[derive(Default)]
struct Model {
    requests: BTreeMap<RequestId, Versioned<Request>>,
    grants: BTreeMap<GrantId, Versioned<Grant>>,
    events: u64,
}

async fn play(database: &Database, steps: Vec<Step>) {
    let store = database.open().await;
    let mut model = Model::default();
    let mut now = noon();
    for step in steps {
        now += TimeDelta::minutes(step.3.into());
        let events = model.attempt(step, now);
        model.record(&events, now);
        store.append(events, now).await.unwrap();
    }
    model.agrees_with(&store).await;
    let before = database.dump().await;
    assert_eq!(store.rebuild().await.unwrap(), model.events);
    assert_eq!(database.dump().await, before);
    // From nothing, too: what is in the read tables does not matter.
    database.sql("DELETE FROM grants; UPDATE requests SET state = '{}', phase = 'lapsed'").await.unwrap();
    database.sql("INSERT INTO audience (user_id, position) VALUES ('eve', 1)").await.unwrap();
    store.rebuild().await.unwrap();
    assert_eq!(database.dump().await, before);
    assert_eq!(store.verify().await.unwrap().events, model.events);
    store.close().await;
}

const PEOPLE: [&str; 4] = ["maya", "tom", "lea", "ben"];

impl Model {
    /// The events of a step; none when the state machines refuse it.
    fn attempt(&self, (what, which, who, _): Step, now: Timestamp) -> Vec<NewEvent> {
        let by = PEOPLE[usize::from(who) % PEOPLE.len()];
        let circumstances = Circumstances { risk: Some(risk(who)), ..seen_by(&[by, "lea"]) };
        match what % 16 {
            0..=2 => {
                let id = RequestId(Uuid::from_u128(self.events.into()));
                let command = RequestCommand::Submit {
                    id,
                    requester: user(by),
                    ask: ask("stuck"),
                    obligations: obligations(which % 3),
                    lapses_at: now + TimeDelta::hours(8),
                };
                request_events(id, 0, Request::decide(None, command, now).unwrap(), &circumstances)
            }
            3 => vec![signed_in(by)],
            4..=9 => {
                let Some(request) = nth(&self.requests, which) else { return Vec::new() };
                let command = request_command(what % 16, &request.state, by, now);
                let events = Request::decide(Some(&request.state), command, now).unwrap_or_default();
                request_events(request.state.id, request.version, events, &circumstances)
            }
            10 => {
                let Some(request) = nth(&self.requests, which) else { return Vec::new() };
                let id = GrantId(Uuid::from_u128(self.events.into()));
                grant_events(id, 0, super::history::open_grant(id, &request.state, now), &circumstances)
            }
            _ => {
                let Some(grant) = nth(&self.grants, which) else { return Vec::new() };
                let events =
                    Grant::decide(Some(&grant.state), grant_command(what % 16, who, &grant.state), now);
                grant_events(grant.state.id, grant.version, events.unwrap_or_default(), &circumstances)
            }
        }
    }

    fn record(&mut self, events: &[NewEvent], at: Timestamp) {
        for event in events {
            self.events += 1;
            match (&event.stream, &event.body) {
                (Stream::Request(id), Body::Request(body)) => {
                    let (state, version) =
                        self.requests.remove(id).map_or((None, 0), |r| (Some(r.state), r.version));
                    let state = Request::apply(state, body, at).unwrap();
                    self.requests.insert(*id, Versioned { state, version: version + 1 });
                }
                (Stream::Grant(id), Body::Grant(body)) => {
                    let (state, version) =
                        self.grants.remove(id).map_or((None, 0), |g| (Some(g.state), g.version));
                    let state = Grant::apply(state, body, at).unwrap();
                    self.grants.insert(*id, Versioned { state, version: version + 1 });
                }
                _ => {}
            }
        }
    }

    async fn agrees_with(&self, store: &SqlStore) {
        for (id, request) in &self.requests {
            assert_eq!(store.request(*id).await.unwrap().as_ref(), Some(request));
        }
        for (id, grant) in &self.grants {
            assert_eq!(store.grant(*id).await.unwrap().as_ref(), Some(grant));
        }
        let open = self.requests.values().filter(|r| r.state.is_open()).count();
        assert_eq!(store.open_requests().await.unwrap().len(), open);
        for name in PEOPLE {
            let own = self.requests.values().filter(|r| r.state.requester == user(name)).count();
            assert_eq!(store.requests_of(&user(name), 1000).await.unwrap().len(), own, "{name}");
            let held = self.grants.values().filter(|g| g.state.holder == user(name)).count();
            assert_eq!(store.grants_of(&user(name), 1000).await.unwrap().len(), held, "{name}");
        }
        assert_eq!(u64::try_from(store.head().await.unwrap()).unwrap(), self.events);
    }
}

fn nth<K, V>(things: &BTreeMap<K, V>, which: u8) -> Option<&V> {
    things.values().nth(usize::from(which) % things.len().max(1))
}

fn request_command(what: u8, request: &Request, by: &str, now: Timestamp) -> RequestCommand {
    let decide = |verdict, note: &str| RequestCommand::Decide {
        permit: ApprovePermit::new(user(by), 0),
        digest: request.digest(),
        verdict,
        note: note.to_owned(),
    };
    match what {
        4 => decide(Verdict::Approve, ""),
        5 => decide(Verdict::ApproveWithLess { duration_s: request.duration_s() / 2 }, ""),
        6 => decide(if by < "m" { Verdict::Deny } else { Verdict::Ask }, "why?"),
        7 => RequestCommand::Edit {
            by: request.requester.clone(),
            revision: request.revision,
            ask: ask("only the stuck ones"),
            obligations: obligations(2),
            lapses_at: now + TimeDelta::hours(8),
        },
        8 => RequestCommand::Withdraw { by: user(by) },
        _ => RequestCommand::Lapse,
    }
}

fn grant_command(what: u8, who: u8, grant: &Grant) -> GrantCommand {
    let device = DeviceId(Uuid::from_u128(u128::from(who % 2)));
    match (what, who % 2) {
        (11, _) => GrantCommand::Activate,
        (12, 0) => GrantCommand::ReportProblem { message: "the target does not answer".to_owned() },
        (12, _) | (13, 0) => GrantCommand::IssueCredential { by: grant.holder.clone(), device },
        (13, _) => GrantCommand::Revoke { by: user("lea"), note: "not now".to_owned() },
        (14, 0) => GrantCommand::Release { by: grant.holder.clone() },
        (14, _) => GrantCommand::Expire,
        (_, 0) => GrantCommand::Finish,
        _ => GrantCommand::ReportWiped { by: grant.holder.clone(), device },
    }
}
