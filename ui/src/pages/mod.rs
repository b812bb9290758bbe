//! One module for each page.

pub mod access;
pub mod history;
pub mod my_access;
pub mod request;
pub mod review;
pub mod settings;
pub mod sign_in;
