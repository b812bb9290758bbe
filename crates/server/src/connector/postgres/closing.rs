//! Ending an account: first nobody gets in, then nobody is in, then nothing of it is left.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::levels::GRANTS;
use super::quote::ident;
use super::trouble::Trouble;

/// How long a session may take to die; a backend that waits for its disk dies when it comes back.
const SESSIONS_END_WITHIN: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(15);

/// Ends the account `role`, a role of a grant. Each step can be done again; one that is not there is done.
pub(super) async fn close(
    conn: &mut PgConnection,
    elsewhere: &PgConnectOptions,
    role: &str,
) -> Result<(), Trouble> {
    let Some(oid) = ours(conn, role).await? else { return Ok(()) };
    let name = ident(role)?;
    run(conn, format!("ALTER ROLE {name} NOLOGIN PASSWORD NULL CONNECTION LIMIT 0 VALID UNTIL '-infinity'"))
        .await?;
    cut_sessions(conn, oid).await?;
    for database in databases_with_something(conn, oid).await? {
        let here: bool = sqlx::query_scalar("SELECT current_database() = $1")
            .bind(&database)
            .fetch_one(&mut *conn)
            .await?;
        if here {
            leave_nothing(conn, oid, role).await?;
        } else {
            let mut other = PgConnection::connect_with(&elsewhere.clone().database(&database)).await?;
            leave_nothing(&mut other, oid, role).await?;
            // Nothing depends on a polite goodbye.
            let _ = other.close().await;
        }
    }
    run(conn, format!("DROP ROLE IF EXISTS {name}")).await
}

/// The role's number, when it exists and belongs to a grant. Whatever else has its name is not touched.
async fn ours(conn: &mut PgConnection, role: &str) -> Result<Option<i64>, Trouble> {
    let sql = "SELECT r.oid::int8 FROM pg_roles r JOIN pg_auth_members m ON m.member = r.oid
               WHERE r.rolname = $1 AND m.roleid = to_regrole($2)";
    Ok(sqlx::query_scalar(sql).bind(role).bind(GRANTS).fetch_optional(conn).await?)
}

async fn cut_sessions(conn: &mut PgConnection, oid: i64) -> Result<(), Trouble> {
    let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usesysid = $1::int8::oid";
    let gone = async {
        loop {
            // Told again each time: a session can come in that was let through just before.
            let left: i64 = sqlx::query_scalar(sql).bind(oid).fetch_one(&mut *conn).await?;
            if left == 0 {
                return Ok(());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::time::timeout(SESSIONS_END_WITHIN, gone).await.unwrap_or(Err(Trouble::SessionsStay))
}

/// The databases that hold something of the role: owned, granted, or prepared in two phases.
async fn databases_with_something(conn: &mut PgConnection, oid: i64) -> Result<Vec<String>, Trouble> {
    let sql = "SELECT datname::text FROM pg_database d
               WHERE datallowconn AND (
                   EXISTS (SELECT FROM pg_shdepend s
                           WHERE s.dbid = d.oid AND s.refclassid = 'pg_authid'::regclass
                             AND s.refobjid = $1::int8::oid)
                   OR EXISTS (SELECT FROM pg_prepared_xacts p
                              WHERE p.database = d.datname AND p.owner = (SELECT rolname FROM pg_roles WHERE oid = $1::int8::oid))
                   OR d.datname = current_database())
               ORDER BY d.datname <> current_database()";
    Ok(sqlx::query_scalar(sql).bind(oid).fetch_all(conn).await?)
}

/// In one database: undoes what the role prepared, hands what it owns to the database's owner, and takes back what
/// it was granted and what it granted to others.
async fn leave_nothing(conn: &mut PgConnection, oid: i64, role: &str) -> Result<(), Trouble> {
    let prepared = "SELECT format('ROLLBACK PREPARED %L', gid) FROM pg_prepared_xacts
                    WHERE database = current_database() AND owner = $1";
    let prepared: Vec<String> = sqlx::query_scalar(prepared).bind(role).fetch_all(&mut *conn).await?;
    for statement in prepared {
        run(conn, statement).await?;
    }
    let owner = "SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = current_database()";
    let owner: String = sqlx::query_scalar(owner).fetch_one(&mut *conn).await?;
    // A member can act as its groups, so that what it made may be theirs by name.
    let makers = "SELECT roleid::regrole::text FROM pg_auth_members
                  WHERE member = $1::int8::oid AND roleid::regrole::text ~ '^daypass_'
                  UNION ALL SELECT $2";
    let makers: Vec<String> =
        sqlx::query_scalar(makers).bind(oid).bind(ident(role)?).fetch_all(&mut *conn).await?;
    let (name, owner) = (ident(role)?, ident(&owner)?);
    // One message of several statements is one transaction.
    run(conn, format!("REASSIGN OWNED BY {} TO {owner}; DROP OWNED BY {name} CASCADE", makers.join(", ")))
        .await
}

async fn run(conn: &mut PgConnection, sql: String) -> Result<(), Trouble> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await?;
    Ok(())
}
