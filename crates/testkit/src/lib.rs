//! Real servers for tests and for the guided tour: each is a process of its own on a free port or display, with
//! folders of its own, and is gone with everything it made when its handle is dropped.
//!
//! Nothing here is a stand-in: the tests meet the PostgreSQL, the keychain, the notification daemon, the tray protocol
//! and the browser engine that people have. What is not installed is an error that names the package to install.

mod postgres;
mod programs;
mod running;
mod waiting;

pub use postgres::{Postgres, SHOP_SQL, psql, psql_command};
pub use programs::{built_program, free_port};
pub use running::Running;
pub use waiting::wait_until;
