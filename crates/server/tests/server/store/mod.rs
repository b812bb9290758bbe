//! The store: one suite of behaviour, run on SQLite and on a real PostgreSQL.

mod appending;
mod crash;
mod database;
mod history;
mod opening;
mod reading;
mod rebuild;
mod sign_in;
mod tampering;

pub use database::Database;

/// Makes a test of each function for each database.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::store::Database::sqlite()).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::store::Database::postgres()).await;
            })+
        }
    };
}
use on_both;
