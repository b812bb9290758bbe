//! The controller against a scripted server, a keychain with faults and clocks that are turned by hand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod crash;
mod credentials;
mod history;
mod keychain;
mod news;
mod real;
mod requests;
mod signing_in;
mod stage;
mod trouble;
