//! What sign-in keeps: password hashes, and refresh tokens that can be spent once.

use std::sync::Arc;

use chrono::TimeDelta;
use daypass_domain::{DeviceId, Digest};
use daypass_server::store::{RefreshRow, RefreshUse, Store};
use uuid::Uuid;

use super::history::{noon, seconds, user};
use super::{Database, on_both};

on_both!(
    a_password_hash_is_kept_and_replaced,
    a_token_is_good_once_and_then_tells_of_its_reuse,
    of_many_who_use_a_token_at_once_one_succeeds,
    an_expired_or_unknown_token_is_unknown,
    an_ended_family_stays_ended,
    long_expired_tokens_are_forgotten,
);

fn token(name: &str, family: u128) -> RefreshRow {
    RefreshRow {
        hash: Digest::of_bytes(name.as_bytes()),
        family: Uuid::from_u128(family),
        user: user("maya"),
        device: DeviceId(Uuid::from_u128(7)),
        expires_at: noon() + TimeDelta::days(30),
    }
}

async fn a_password_hash_is_kept_and_replaced(database: Database) {
    let store = database.open().await;
    assert_eq!(store.password_hash(&user("maya")).await.unwrap(), None);
    for phc in ["$argon2id$v=19$one", "$argon2id$v=19$two"] {
        store.set_password_hash(&user("maya"), phc).await.unwrap();
        assert_eq!(store.password_hash(&user("maya")).await.unwrap().as_deref(), Some(phc));
    }
    assert_eq!(store.password_hash(&user("tom")).await.unwrap(), None);
}

async fn a_token_is_good_once_and_then_tells_of_its_reuse(database: Database) {
    let store = database.open().await;
    let (first, second) = (token("first", 1), token("second", 1));
    store.insert_refresh(&first).await.unwrap();
    assert_eq!(store.use_refresh(&first.hash, noon()).await.unwrap(), RefreshUse::Good(first.clone()));
    store.insert_refresh(&second).await.unwrap();
    for _ in 0..2 {
        assert_eq!(store.use_refresh(&first.hash, noon()).await.unwrap(), RefreshUse::Reused(first.clone()));
    }
    // Finding the reuse is the store's; ending the family is its caller's.
    assert_eq!(store.use_refresh(&second.hash, noon()).await.unwrap(), RefreshUse::Good(second));
}

async fn of_many_who_use_a_token_at_once_one_succeeds(database: Database) {
    let store = Arc::new(database.open().await);
    let row = token("copied", 1);
    store.insert_refresh(&row).await.unwrap();
    let users: Vec<_> = (0..16)
        .map(|_| {
            let (store, hash) = (Arc::clone(&store), row.hash);
            tokio::spawn(async move { store.use_refresh(&hash, noon()).await.unwrap() })
        })
        .collect();
    let (mut good, mut reused) = (0, 0);
    for user in users {
        match user.await.unwrap() {
            RefreshUse::Good(found) => {
                assert_eq!(found, row);
                good += 1;
            }
            RefreshUse::Reused(_) => reused += 1,
            RefreshUse::Unknown => panic!("it is there"),
        }
    }
    assert_eq!((good, reused), (1, 15));
}

async fn an_expired_or_unknown_token_is_unknown(database: Database) {
    let store = database.open().await;
    let row = token("short", 1);
    store.insert_refresh(&row).await.unwrap();
    assert_eq!(store.use_refresh(&Digest::of_bytes(b"never"), noon()).await.unwrap(), RefreshUse::Unknown);
    assert_eq!(store.use_refresh(&row.hash, row.expires_at).await.unwrap(), RefreshUse::Unknown);
    assert_eq!(
        store.use_refresh(&row.hash, row.expires_at - seconds(1)).await.unwrap(),
        RefreshUse::Good(row)
    );
}

async fn an_ended_family_stays_ended(database: Database) {
    let store = database.open().await;
    let (ended, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    assert!(!store.family_is_live(ended).await.unwrap());
    for row in [token("a", 1), token("b", 1), token("c", 2)] {
        store.insert_refresh(&row).await.unwrap();
    }
    store.use_refresh(&token("a", 1).hash, noon()).await.unwrap();
    assert!(store.family_is_live(ended).await.unwrap());
    store.end_family(ended).await.unwrap();
    store.end_family(Uuid::nil()).await.unwrap();

    // Also for a token that someone was just being given, and for the one that was used before.
    store.insert_refresh(&token("late", 1)).await.unwrap();
    assert!(!store.family_is_live(ended).await.unwrap());
    for name in ["a", "b", "late"] {
        let found = store.use_refresh(&token(name, 1).hash, noon()).await.unwrap();
        assert_eq!(found, RefreshUse::Unknown, "{name}");
    }
    assert!(store.family_is_live(other).await.unwrap());
    assert!(matches!(store.use_refresh(&token("c", 2).hash, noon()).await.unwrap(), RefreshUse::Good(_)));
}

async fn long_expired_tokens_are_forgotten(database: Database) {
    let store = database.open().await;
    let (old, live) = (token("old", 1), token("live", 2));
    let live = RefreshRow { expires_at: noon() + TimeDelta::days(60), ..live };
    store.insert_refresh(&old).await.unwrap();
    store.insert_refresh(&live).await.unwrap();
    let later = old.expires_at + TimeDelta::days(2);
    assert_eq!(store.use_refresh(&live.hash, later).await.unwrap(), RefreshUse::Good(live));
    assert!(!store.family_is_live(old.family).await.unwrap());
    // Its hash is free again: the row is gone.
    store.insert_refresh(&old).await.unwrap();
}
