//! Who reads what, and in which order.

use daypass_domain::{EndReason, GrantEvent, GrantId, Request, RequestCommand, RequestEvent, RequestId};
use daypass_server::store::{Circumstances, Store, Stream};
use uuid::Uuid;

use super::history::{
    ask, grant_events, noon, obligations, open_grant, request_events, risk, seconds, seen_by, signed_in,
    submit, submitted, user,
};
use super::{Database, on_both};

on_both!(
    everyone_reads_what_they_may_and_nothing_else,
    a_long_history_is_read_page_by_page,
    requests_are_listed_open_ones_first_come_and_own_ones_newest_first,
    the_risk_is_that_of_the_newest_submission_or_edit,
    a_grant_is_unfinished_until_its_target_is_clean,
);

async fn everyone_reads_what_they_may_and_nothing_else(database: Database) {
    let store = database.open().await;
    let id = RequestId(Uuid::new_v4());
    let mut events = request_events(id, 0, submit(id, "maya", 1, noon()), &seen_by(&["maya", "lea"]));
    events.extend(request_events(
        id,
        1,
        vec![RequestEvent::Withdrawn { by: user("maya") }],
        &seen_by(&["maya", "lea", "tom"]),
    ));
    events.push(signed_in("tom"));
    // Nobody is the audience of this one.
    events.push(daypass_server::store::NewEvent {
        circumstances: Circumstances::default(),
        ..signed_in("maya")
    });
    store.append(events, noon()).await.unwrap();

    for (name, positions) in [("maya", vec![1, 2]), ("lea", vec![1, 2]), ("tom", vec![2, 3]), ("eve", vec![])]
    {
        let read = store.read_for(&user(name), 0, 10).await.unwrap();
        assert_eq!(read.iter().map(|r| r.position).collect::<Vec<_>>(), positions, "{name}");
        for row in read {
            assert!(row.circumstances.audience.contains(&user(name)), "{name} at {}", row.position);
        }
    }
    assert_eq!(store.read_for(&user("tom"), 2, 10).await.unwrap().len(), 1);
    assert_eq!(store.read_for(&user("tom"), 0, 1).await.unwrap()[0].position, 2);
    assert_eq!(store.read_for(&user("tom"), 3, 10).await.unwrap(), []);
}

async fn a_long_history_is_read_page_by_page(database: Database) {
    const EVENTS: i64 = 10_000;
    let store = database.open().await;
    for batch in 0..EVENTS / 250 {
        let names = ["maya", "tom", "lea", "ben", "ida"];
        let events = (0..250).map(|n| signed_in(names[n % names.len()])).collect();
        store.append(events, noon() + seconds(batch)).await.unwrap();
    }
    assert_eq!(store.head().await.unwrap(), EVENTS);

    let (mut all, mut own, mut after) = (Vec::new(), Vec::new(), 0);
    loop {
        let page = store.read(after, 777).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.position;
        all.extend(page.iter().map(|r| r.position));
    }
    assert_eq!(all, (1..=EVENTS).collect::<Vec<_>>());
    after = 0;
    loop {
        let page = store.read_for(&user("ida"), after, 300).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.position;
        own.extend(page.into_iter().map(|r| r.position));
    }
    assert_eq!(own, (1..=EVENTS / 5).map(|n| n * 5).collect::<Vec<_>>());
    assert_eq!(store.verify().await.unwrap().events, 10_000);
    assert_eq!(store.rebuild().await.unwrap(), 10_000);
}

async fn requests_are_listed_open_ones_first_come_and_own_ones_newest_first(database: Database) {
    let store = database.open().await;
    // All at one instant: the ledger's order decides, not the ids.
    let mut ids = Vec::new();
    for requester in ["maya", "tom", "maya", "maya", "tom"] {
        ids.push(submitted(&store, requester, 1, noon()).await);
    }
    let withdrawn = vec![RequestEvent::Withdrawn { by: user("maya") }];
    store.append(request_events(ids[2], 1, withdrawn, &seen_by(&[])), noon()).await.unwrap();

    let open: Vec<_> = store.open_requests().await.unwrap().into_iter().map(|r| r.state.id).collect();
    assert_eq!(open, [ids[0], ids[1], ids[3], ids[4]]);
    let own = async |name, limit| -> Vec<RequestId> {
        store.requests_of(&user(name), limit).await.unwrap().into_iter().map(|r| r.state.id).collect()
    };
    assert_eq!(own("maya", 10).await, [ids[3], ids[2], ids[0]]);
    assert_eq!(own("maya", 2).await, [ids[3], ids[2]]);
    assert_eq!(own("lea", 10).await, []);
    assert_eq!(store.request(RequestId(Uuid::nil())).await.unwrap(), None);
}

async fn the_risk_is_that_of_the_newest_submission_or_edit(database: Database) {
    let store = database.open().await;
    let id = RequestId(Uuid::new_v4());
    let scored = |points| Circumstances { risk: Some(risk(points)), ..Circumstances::default() };
    assert_eq!(store.risk_of(id).await.unwrap(), None);
    store.append(request_events(id, 0, submit(id, "maya", 2, noon()), &scored(30)), noon()).await.unwrap();
    assert_eq!(store.risk_of(id).await.unwrap(), Some(risk(30)));

    let seen = store.request(id).await.unwrap().unwrap();
    let edit = RequestCommand::Edit {
        by: user("maya"),
        revision: 1,
        ask: ask("only the stuck ones"),
        obligations: obligations(2),
        lapses_at: seen.state.lapses_at,
    };
    let edited = Request::decide(Some(&seen.state), edit, noon()).unwrap();
    store.append(request_events(id, 1, edited, &scored(20)), noon()).await.unwrap();
    assert_eq!(store.risk_of(id).await.unwrap(), Some(risk(20)));

    // What others do later does not change what it was scored at.
    let withdrawn = vec![RequestEvent::Withdrawn { by: user("maya") }];
    store.append(request_events(id, 2, withdrawn, &scored(90)), noon()).await.unwrap();
    assert_eq!(store.risk_of(id).await.unwrap(), Some(risk(20)));
}

async fn a_grant_is_unfinished_until_its_target_is_clean(database: Database) {
    let store = database.open().await;
    let request = submitted(&store, "maya", 1, noon()).await;
    let request = store.request(request).await.unwrap().unwrap().state;
    let first = GrantId(Uuid::new_v4());
    let second = GrantId(Uuid::new_v4());
    for id in [first, second] {
        let opened = open_grant(id, &request, noon());
        store.append(grant_events(id, 0, opened, &seen_by(&["maya"])), noon()).await.unwrap();
    }
    let unfinished = async || -> Vec<GrantId> {
        store.unfinished_grants().await.unwrap().into_iter().map(|g| g.state.id).collect()
    };
    let steps = [
        GrantEvent::Activated { starts_at: noon(), expires_at: noon() + seconds(3600) },
        GrantEvent::Ending { end: EndReason::Released },
    ];
    for (after, step) in (1..).zip(steps) {
        store.append(grant_events(first, after, vec![step], &seen_by(&["maya"])), noon()).await.unwrap();
        assert_eq!(unfinished().await, [first, second]);
    }
    store.append(grant_events(first, 3, vec![GrantEvent::Ended], &seen_by(&["maya"])), noon()).await.unwrap();
    assert_eq!(unfinished().await, [second]);

    let own: Vec<_> =
        store.grants_of(&user("maya"), 10).await.unwrap().into_iter().map(|g| g.state.id).collect();
    assert_eq!(own, [second, first]);
    assert_eq!(store.grants_of(&user("maya"), 1).await.unwrap()[0].state.id, second);
    assert_eq!(store.grants_of(&user("lea"), 10).await.unwrap(), []);
    assert_eq!(store.grant(first).await.unwrap().unwrap().version, 4);
    assert_eq!(store.stream(&Stream::Grant(first)).await.unwrap().len(), 4);
}
