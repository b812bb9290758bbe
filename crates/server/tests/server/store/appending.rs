//! What an append keeps, and how it fares beside others.

use std::sync::Arc;

use daypass_domain::{GrantId, RequestId, RequestPhase};
use daypass_server::store::{Body, Circumstances, NewEvent, Store, StoreError, Stream};
use uuid::Uuid;

use super::history::{
    approve, grant_events, noon, open_grant, request_events, risk, seconds, seen_by, signed_in, submit,
    submitted, user,
};
use super::{Database, on_both};

on_both!(
    what_is_appended_is_what_is_read,
    positions_and_versions_count_from_one_without_gaps,
    time_never_goes_back,
    a_batch_is_recorded_whole_or_not_at_all,
    an_approval_opens_its_grants_in_the_same_batch,
    of_two_writers_who_saw_the_same_one_is_told,
    of_many_approvers_at_once_none_is_lost,
    many_writers_of_many_streams_leave_no_gap,
    two_stores_on_one_database_are_one_ledger,
    an_event_that_does_not_follow_is_refused,
);

async fn what_is_appended_is_what_is_read(database: Database) {
    let store = database.open().await;
    let id = RequestId(Uuid::new_v4());
    let circumstances = Circumstances {
        waits_for: seen_by(&["lea", "tom"]).audience,
        risk: Some(risk(41)),
        risk_inputs: Some(
            serde_json::json!({"night": true, "rows": 12, "text": "naïve \u{0}\"'; DROP TABLE events"}),
        ),
        policy: Some(daypass_domain::Digest::of_bytes(b"policy")),
        ..seen_by(&["maya", "lea"])
    };
    let mut events = request_events(id, 0, submit(id, "maya", 1, noon()), &circumstances);
    events.push(signed_in("tom"));
    let recorded = store.append(events.clone(), noon()).await.unwrap();
    for (before, after) in events.iter().zip(&recorded) {
        assert_eq!(
            (&before.stream, &before.actor, &before.body, &before.circumstances),
            (&after.stream, &after.actor, &after.body, &after.circumstances),
        );
        assert_eq!(after.at, noon());
    }
    assert_eq!(store.read(0, 10).await.unwrap(), recorded);
    assert_eq!(store.stream(&Stream::Request(id)).await.unwrap(), recorded[..1]);
    assert_eq!(store.stream(&Stream::Person(user("tom"))).await.unwrap(), recorded[1..]);
    assert_eq!(store.stream(&Stream::Person(user("maya"))).await.unwrap(), []);

    // Nothing was cached: another store reads the same from the same database.
    assert_eq!(database.open().await.read(0, 10).await.unwrap(), recorded);
}

async fn positions_and_versions_count_from_one_without_gaps(database: Database) {
    let store = database.open().await;
    assert_eq!(store.head().await.unwrap(), 0);
    assert_eq!(store.append(Vec::new(), noon()).await.unwrap(), []);
    for _ in 0..3 {
        store.append(vec![signed_in("maya"), signed_in("tom"), signed_in("maya")], noon()).await.unwrap();
    }
    let rows = store.read(0, 100).await.unwrap();
    assert_eq!(rows.iter().map(|r| r.position).collect::<Vec<_>>(), (1..=9).collect::<Vec<_>>());
    for (name, count) in [("maya", 6), ("tom", 3)] {
        let versions: Vec<u64> =
            rows.iter().filter(|r| r.stream == Stream::Person(user(name))).map(|r| r.version).collect();
        assert_eq!(versions, (1..=count).collect::<Vec<_>>(), "{name}");
    }
    assert_eq!(store.head().await.unwrap(), 9);
}

async fn time_never_goes_back(database: Database) {
    let store = database.open().await;
    for (given, kept) in [(10, 10), (4, 10), (10, 10), (11, 11), (-500, 11)] {
        let recorded = store.append(vec![signed_in("maya")], noon() + seconds(given)).await.unwrap();
        assert_eq!(recorded[0].at, noon() + seconds(kept), "{given}");
    }
    // What a clock gives below a microsecond is not kept, so it must not be hashed either.
    let fine = noon() + seconds(20) + chrono::TimeDelta::nanoseconds(1_999);
    let recorded = store.append(vec![signed_in("maya")], fine).await.unwrap();
    assert_eq!(recorded[0].at, noon() + seconds(20) + chrono::TimeDelta::microseconds(1));
    assert_eq!(store.read(5, 1).await.unwrap(), recorded);
}

async fn a_batch_is_recorded_whole_or_not_at_all(database: Database) {
    let store = database.open().await;
    let old = submitted(&store, "maya", 2, noon()).await;
    let before = database.dump().await;

    let new = RequestId(Uuid::new_v4());
    let mut events = request_events(new, 0, submit(new, "tom", 1, noon()), &seen_by(&["tom"]));
    let request = store.request(old).await.unwrap().unwrap().state;
    // The first event is good; the second claims not to have seen what is there.
    events.extend(request_events(old, 0, approve(&request, "lea", noon()), &seen_by(&["lea"])));
    let refused = store.append(events, noon()).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    assert_eq!(store.head().await.unwrap(), 1);
    assert_eq!(store.request(new).await.unwrap(), None);
    assert_eq!(database.dump().await, before);
}

async fn an_approval_opens_its_grants_in_the_same_batch(database: Database) {
    let store = database.open().await;
    let id = submitted(&store, "maya", 1, noon()).await;
    let request = store.request(id).await.unwrap().unwrap();
    let approved = approve(&request.state, "lea", noon());
    assert_eq!(approved.len(), 2, "decided and approved");
    let audience = seen_by(&["maya", "lea"]);
    let mut events = request_events(id, request.version, approved, &audience);
    let grants = [GrantId(Uuid::new_v4()), GrantId(Uuid::new_v4())];
    for grant in grants {
        events.extend(grant_events(grant, 0, open_grant(grant, &request.state, noon()), &audience));
    }
    store.append(events, noon() + seconds(5)).await.unwrap();

    let request = store.request(id).await.unwrap().unwrap();
    assert_eq!(request.version, 3);
    assert!(matches!(request.state.phase, RequestPhase::Approved { at, .. } if at == noon() + seconds(5)));
    let open: Vec<GrantId> =
        store.unfinished_grants().await.unwrap().into_iter().map(|g| g.state.id).collect();
    assert_eq!(open, grants);
}

async fn of_two_writers_who_saw_the_same_one_is_told(database: Database) {
    let store = Arc::new(database.open().await);
    let id = submitted(&*store, "maya", 2, noon()).await;
    let seen = store.request(id).await.unwrap().unwrap();
    let writers: Vec<_> = ["lea", "tom"]
        .map(|by| {
            let events =
                request_events(id, seen.version, approve(&seen.state, by, noon()), &Circumstances::default());
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.append(events, noon()).await })
        })
        .into();
    let mut conflicts = 0;
    for writer in writers {
        match writer.await.unwrap() {
            Ok(_) => {}
            Err(StoreError::Conflict) => conflicts += 1,
            Err(e) => panic!("{e:?}"),
        }
    }
    assert_eq!(conflicts, 1);
    assert_eq!(store.request(id).await.unwrap().unwrap().state.decisions.len(), 1);
}

/// Each approver reads, decides and appends, and does so again when told of a conflict.
async fn of_many_approvers_at_once_none_is_lost(database: Database) {
    const APPROVERS: u8 = 24;
    let store = Arc::new(database.open().await);
    let id = submitted(&*store, "maya", APPROVERS, noon()).await;
    let approvers: Vec<_> = (0..APPROVERS)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut conflicts = 0;
                loop {
                    let seen = store.request(id).await.unwrap().unwrap();
                    let approved = approve(&seen.state, &format!("approver-{n}"), noon());
                    let events = request_events(id, seen.version, approved, &seen_by(&["maya"]));
                    match store.append(events, noon()).await {
                        Ok(_) => return conflicts,
                        Err(StoreError::Conflict) => conflicts += 1,
                        Err(e) => panic!("{e:?}"),
                    }
                }
            })
        })
        .collect();
    let mut conflicts = 0;
    for approver in approvers {
        conflicts += approver.await.unwrap();
    }
    assert!(conflicts > 0, "nobody met anybody, so this showed nothing");
    let request = store.request(id).await.unwrap().unwrap();
    assert_eq!(request.state.decisions.len(), usize::from(APPROVERS));
    assert!(matches!(request.state.phase, RequestPhase::Approved { .. }));
    assert_eq!(request.version, u64::from(APPROVERS) + 2);
}

async fn many_writers_of_many_streams_leave_no_gap(database: Database) {
    let store = Arc::new(database.open().await);
    // A reader that resumes by position, as a client does, must meet every row once and in order.
    let reader = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            let mut seen = Vec::new();
            while seen.len() < 320 {
                let after = seen.last().copied().unwrap_or(0);
                seen.extend(store.read(after, 50).await.unwrap().iter().map(|r| r.position));
            }
            seen
        }
    });
    let writers: Vec<_> = (0..16)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for _ in 0..10 {
                    let name = format!("person-{n}");
                    store.append(vec![signed_in(&name), signed_in("everyone")], noon()).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(reader.await.unwrap(), (1..=320).collect::<Vec<i64>>());
    assert_eq!(store.stream(&Stream::Person(user("everyone"))).await.unwrap().len(), 160);
}

/// Replicas share a PostgreSQL; a second process may open the SQLite file.
async fn two_stores_on_one_database_are_one_ledger(database: Database) {
    let stores = [Arc::new(database.open().await), Arc::new(database.open().await)];
    let writers: Vec<_> = (0..8)
        .map(|n| {
            let store = Arc::clone(&stores[n % 2]);
            tokio::spawn(async move {
                for _ in 0..20 {
                    store.append(vec![signed_in("maya")], noon()).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(stores[0].head().await.unwrap(), 160);
    assert_eq!(stores[0].verify().await.unwrap(), stores[1].verify().await.unwrap());
}

async fn an_event_that_does_not_follow_is_refused(database: Database) {
    let store = database.open().await;
    let id = submitted(&store, "maya", 1, noon()).await;
    let good = || NewEvent {
        stream: Stream::Request(id),
        after: Some(1),
        actor: None,
        body: Body::Request(daypass_domain::RequestEvent::Lapsed),
        circumstances: Circumstances::default(),
    };
    let bad = [
        ("the version is missing", NewEvent { after: None, ..good() }),
        ("the version is ahead", NewEvent { after: Some(2), ..good() }),
        (
            "another kind of stream",
            NewEvent { stream: Stream::Grant(GrantId(id.0)), after: Some(0), ..good() },
        ),
        (
            "nothing to follow",
            NewEvent { stream: Stream::Request(RequestId(Uuid::nil())), after: Some(0), ..good() },
        ),
        (
            "submitted under another id",
            request_events(
                RequestId(Uuid::nil()),
                0,
                submit(id, "maya", 1, noon()),
                &Circumstances::default(),
            )
            .remove(0),
        ),
        (
            "submitted twice",
            request_events(id, 1, submit(id, "maya", 1, noon()), &Circumstances::default()).remove(0),
        ),
    ];
    for (what, event) in bad {
        assert!(store.append(vec![event], noon()).await.is_err(), "{what}");
        assert_eq!(store.head().await.unwrap(), 1, "{what}");
    }
    store.append(vec![good()], noon()).await.unwrap();
}
