//! What the policy answers, on the sample organisation and on broken ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod approve;
mod ask;
mod load;
mod matrix;
mod request;
