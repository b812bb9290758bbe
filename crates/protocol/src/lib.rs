//! The types of the API and of the bridge between the shell and the front end.
//!
//! [`api`] is what daypassd and the desktop say to each other over HTTPS; [`bridge`] is what the shell and the
//! front end say to each other inside the application. No type of the bridge can carry a secret.

pub mod api;
pub mod bridge;

pub use daypass_domain as domain;
