//! The privileges of each access level, held by one group role per level and database.
//!
//! PostgreSQL's own pg_read_all_data would reach every database of the cluster, and privileges given to each grant's
//! role would have to be written into every table's row each time. A group per database does neither: opening a grant
//! is one membership, and what a new table lacks is added when the target is looked at next.
//!
//! - read: CONNECT, USAGE of every schema that is not PostgreSQL's own, SELECT on its tables, views and sequences.
//! - write: also INSERT, UPDATE, DELETE and USAGE of sequences. Not TRUNCATE, and no change of any definition.
//! - admin: also TRUNCATE, REFERENCES, setting sequences, CREATE in schemas and in the database. To alter and drop
//!   what is there it takes the place of the database's owner, but only when that is an ordinary role that has nothing
//!   in any other database: membership of a superuser would give away the whole cluster. TRIGGER is not given apart
//!   from that, since a trigger runs as whoever writes to the table next.

use daypass_domain::AccessLevel;
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, PgConnection, Row as _};

use super::quote::{ident, literal};
use super::trouble::Trouble;

/// Every role that belongs to a grant is a member of this one, and only members of it are ever dropped.
pub(super) const GRANTS: &str = "daypass_grants";

/// The group role that holds a level's privileges in a database.
pub(super) fn group(level: AccessLevel, database: &str) -> String {
    // The whole name would not fit into 63 bytes with ours before it.
    let tag: String = hex::encode(Sha256::digest(database)).chars().take(12).collect();
    format!("daypass_{}_{tag}", word(level))
}

fn word(level: AccessLevel) -> &'static str {
    match level {
        AccessLevel::Read => "read",
        AccessLevel::Write => "write",
        AccessLevel::Admin => "admin",
    }
}

/// Makes the groups exist and hold what their level means, for everything that is in the database now.
pub(super) async fn refresh(conn: &mut PgConnection, database: &str) -> Result<(), Trouble> {
    let group = |level| group(level, database);
    let (read, write, admin) =
        (group(AccessLevel::Read), group(AccessLevel::Write), group(AccessLevel::Admin));
    make_role(conn, GRANTS, "Daypass: every role of a live grant is a member of this one").await?;
    for level in [AccessLevel::Read, AccessLevel::Write, AccessLevel::Admin] {
        let what = format!("Daypass: what {} access to the database {database} may do", word(level));
        make_role(conn, &group(level), &what).await?;
    }
    let lacking: Vec<String> =
        sqlx::query_scalar(LACKING).bind(&read).bind(&write).bind(&admin).fetch_all(&mut *conn).await?;
    if !lacking.is_empty() {
        sqlx::raw_sql(AssertSqlSafe(lacking.join(";\n"))).execute(&mut *conn).await?;
    }
    take_owners_place(conn, &admin).await
}

async fn make_role(conn: &mut PgConnection, name: &str, what: &str) -> Result<(), Trouble> {
    let there: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1)")
            .bind(name)
            .fetch_one(&mut *conn)
            .await?;
    if !there {
        let sql =
            format!("CREATE ROLE {0} NOLOGIN; COMMENT ON ROLE {0} IS {1}", ident(name)?, literal(what)?);
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await?;
    }
    Ok(())
}

/// Statements that give $1 (read), $2 (write) and $3 (admin) the privileges that they lack. Nothing is written when
/// nothing is lacking, so that looking often costs no dead rows in the catalogue.
const LACKING: &str = "
WITH place AS (
    SELECT oid, nspname FROM pg_namespace
    WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
), thing AS (
    SELECT c.oid, place.nspname, c.relname, c.relkind = 'S' AS is_sequence
    FROM pg_class c JOIN place ON place.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
)
SELECT format('GRANT %I TO %I', lower_level, upper_level)
FROM (VALUES ($1::name, $2::name), ($2, $3)) AS level (lower_level, upper_level)
WHERE NOT EXISTS (
    SELECT FROM pg_auth_members m
    WHERE m.roleid = lower_level::text::regrole AND m.member = upper_level::text::regrole)
UNION ALL
SELECT format('GRANT %s ON DATABASE %I TO %I', privilege, current_database(), role)
FROM (VALUES ($1::name, 'CONNECT'), ($3, 'CREATE'), ($3, 'TEMPORARY')) AS wanted (role, privilege)
WHERE NOT has_database_privilege(role, current_database(), privilege)
UNION ALL
SELECT format('GRANT %s ON SCHEMA %I TO %I', privilege, nspname, role)
FROM place, (VALUES ($1::name, 'USAGE'), ($3, 'CREATE')) AS wanted (role, privilege)
WHERE NOT has_schema_privilege(role, place.oid, privilege)
UNION ALL
SELECT format('GRANT %s ON TABLE %I.%I TO %I', privilege, nspname, relname, role)
FROM thing, (VALUES ($1::name, 'SELECT'), ($2, 'INSERT'), ($2, 'UPDATE'), ($2, 'DELETE'),
                    ($3, 'TRUNCATE'), ($3, 'REFERENCES')) AS wanted (role, privilege)
WHERE NOT is_sequence AND NOT has_table_privilege(role, thing.oid, privilege)
UNION ALL
SELECT format('GRANT %s ON SEQUENCE %I.%I TO %I', privilege, nspname, relname, role)
FROM thing, (VALUES ($1::name, 'SELECT'), ($2, 'USAGE'), ($3, 'UPDATE')) AS wanted (role, privilege)
-- One row of sequences and one of tables look alike to the planner, and asking about the wrong kind is an error.
WHERE CASE WHEN is_sequence THEN NOT has_sequence_privilege(role, thing.oid, privilege) ELSE false END";

/// Makes the admin group a member of the database's owner when that gives away nothing else, and no member when it
/// would.
async fn take_owners_place(conn: &mut PgConnection, admin: &str) -> Result<(), Trouble> {
    let row = sqlx::query(OWNER).bind(admin).fetch_one(&mut *conn).await?;
    let (owner, harmless, member): (String, bool, bool) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let statement = match (harmless, member) {
        (true, false) => format!("GRANT {} TO {}", ident(&owner)?, ident(admin)?),
        (false, true) => format!("REVOKE {} FROM {}", ident(&owner)?, ident(admin)?),
        _ => return Ok(()),
    };
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(conn).await?;
    Ok(())
}

/// The owner; whether it is an ordinary role with nothing elsewhere; whether $1 is a member of it.
const OWNER: &str = "
SELECT owner.rolname::text,
    NOT EXISTS (
        SELECT FROM pg_roles r
        WHERE pg_has_role(owner.oid, r.oid, 'MEMBER') AND NOT owner.rolsuper
          AND (r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls
               OR r.rolname ~ '^(pg_|daypass_|dp_)' AND r.rolname <> 'pg_database_owner'
               OR EXISTS (SELECT FROM pg_database other WHERE other.datdba = r.oid AND other.oid <> d.oid)
               OR EXISTS (SELECT FROM pg_shdepend s
                          WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid
                            AND s.dbid NOT IN (0, d.oid))))
    AND NOT owner.rolsuper AND owner.rolname !~ '^pg_',
    EXISTS (SELECT FROM pg_auth_members m WHERE m.roleid = owner.oid AND m.member = $1::text::regrole)
FROM pg_database d JOIN pg_roles owner ON owner.oid = d.datdba
WHERE d.datname = current_database()";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_differ_by_level_and_database_and_fit_a_name() {
        let long = "x".repeat(63);
        let names = [
            group(AccessLevel::Read, "shop"),
            group(AccessLevel::Write, "shop"),
            group(AccessLevel::Admin, &long),
            group(AccessLevel::Admin, "shop"),
        ];
        assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), names.len());
        assert!(names.iter().all(|name| name.len() < 64));
    }
}
