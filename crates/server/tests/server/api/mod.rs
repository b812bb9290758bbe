//! The API of the running program, by HTTPS.

mod access;
mod bad_input;
mod journey;
mod trouble;
