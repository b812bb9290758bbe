//! Each part of the kit is started for real and looked at from outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod daypassd;
mod desk;
mod postgres;
mod running;
mod tray;
mod window;
