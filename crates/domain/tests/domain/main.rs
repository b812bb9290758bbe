//! The state machines against reference models, and their rules one by one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod grant;
mod grant_model;
mod request;
mod request_model;

use chrono::{TimeDelta, TimeZone, Utc};
use daypass_domain::{
    AccessLevel, Ask, Entitlement, GroupId, Obligations, RequestId, ResourceId, Stage, Timestamp, UserId,
};
use uuid::Uuid;

fn at(seconds: i64) -> Timestamp {
    Utc.with_ymd_and_hms(2026, 11, 24, 3, 0, 0).unwrap() + TimeDelta::seconds(seconds)
}

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

fn entitlement(resource: &str) -> Entitlement {
    Entitlement { resource: ResourceId::new(resource).unwrap(), level: AccessLevel::Write }
}

fn ask(duration_s: u32) -> Ask {
    Ask {
        entitlements: vec![entitlement("shop-db")],
        duration_s,
        start: None,
        reason: "INC-2041: orders stuck in payment".into(),
        ticket: None,
    }
}

fn stage(name: &str, needed: u8) -> Stage {
    Stage { name: name.into(), group: GroupId::new(name).unwrap(), needed }
}

fn obligations(stages: &[(&str, u8)]) -> Obligations {
    let stages = stages.iter().map(|(name, needed)| stage(name, *needed)).collect();
    Obligations { stages, max_duration_s: 4 * 3600, ticket: false }
}

fn request_id() -> RequestId {
    RequestId(Uuid::from_u128(7))
}
