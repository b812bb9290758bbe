//! Everything around the controller, in the hands of a test.

mod keychain;
mod outside;
mod server;
mod world;

pub use keychain::{FakeKeychain, Fault, Safe};
pub use outside::Seen;
pub use server::{FakeServer, Refusal, person, request_view, secret_words};
pub use world::{Device, World, eventually};
