//! Real servers for tests and for the guided tour: each is a process of its own on a free port or display, with
//! folders of its own, and is gone with everything it made when its handle is dropped.
//!
//! Nothing here is a stand-in: the tests meet the PostgreSQL, the keychain, the notification daemon, the tray protocol
//! and the browser engine that people have. What is not installed is an error that names the package to install.

mod bus;
mod daypassd;
mod desk;
mod display;
mod keychain;
mod notifications;
mod postgres;
mod programs;
mod running;
mod tray;
mod waiting;
mod window;

pub use bus::Bus;
pub use daypassd::Daypassd;
pub use desk::Desk;
pub use display::Display;
pub use keychain::{Keychain, KeychainItem, KeychainState};
pub use notifications::{Notification, Notifications};
pub use postgres::{Postgres, SHOP_SQL, psql, psql_command};
pub use programs::{built_program, free_port};
pub use running::Running;
pub use tray::{MenuItem, Tray};
pub use waiting::wait_until;
pub use window::{Element, Window};
