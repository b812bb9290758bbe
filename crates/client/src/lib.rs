//! The desktop's controller: one loop that owns all state, over one closed event enum, generic over what it does to
//! the world outside ([`Integration`], [`Keychain`]). It runs headless in tests.

mod api;
mod controller;
mod failure;
mod history;
mod integration;
mod keychain;
mod seal;
mod session;
mod signin;
mod store;
mod time;
mod tls;
mod tray;
mod words;

pub use controller::{Handle, Options, StartError, start};
pub use history::HISTORY_FILE;
pub use integration::{Integration, Notification};
pub use keychain::{
    HISTORY_KEY_USER, Keychain, KeychainError, KeychainThread, SERVICE, SystemKeychain, grant_user,
    refresh_user,
};
pub use store::STATE_FILE;
pub use tray::{TrayGrant, TrayIcon, TrayModel, TrayQuick};
