//! A whole world for the tour, the benchmark and the end-to-end tests: a target, a server, and people at their desks.
//!
//! Every part is the real one. What people do in their browser is done over HTTP, as the browser would.

mod browser;
mod person;
mod secret;
mod world;

pub use browser::sign_in;
pub use person::{Away, Person};
pub use secret::Secret;
pub use world::{PASSWORD, World, shop};
