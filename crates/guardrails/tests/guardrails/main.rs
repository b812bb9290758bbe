//! The engine against labelled cases, a real PostgreSQL, PostgreSQL's own regression statements, and chance.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod cases;
mod corpus;
mod effect;
mod fuzz;
mod live;
mod policies;
mod properties;
