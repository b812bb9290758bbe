//! The read tables: what the events add up to.

use daypass_domain::{
    Grant, GrantEvent, GrantId, GrantPhase, Request, RequestEvent, RequestId, RequestPhase,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::AnyConnection;

use super::row::corrupt;
use super::sql::Backend;
use super::{Body, Recorded, StoreError, Stream, Versioned};

/// A state as it is kept: the position of its first event, its version, and its JSON.
pub(super) type StateRow = (i64, i64, String);

/// Brings the read tables up to `event`.
pub(super) async fn project(
    tx: &mut AnyConnection,
    backend: Backend,
    event: &Recorded,
) -> Result<(), StoreError> {
    admit(tx, backend, event).await?;
    match (&event.stream, &event.body) {
        (Stream::Request(id), Body::Request(body)) => project_request(tx, *id, event, body).await,
        (Stream::Grant(id), Body::Grant(body)) => project_grant(tx, *id, event, body).await,
        (Stream::Person(_), Body::Person(_)) => Ok(()),
        _ => Err(corrupt(event.position, "it is about something else than its stream")),
    }
}

pub(super) async fn request(
    connection: &mut AnyConnection,
    id: RequestId,
) -> Result<Option<Versioned<Request>>, StoreError> {
    let sql = "SELECT position, version, state FROM requests WHERE id = $1";
    one(sqlx::query_as(sql).bind(id.to_string()).fetch_optional(connection).await?)
}

pub(super) async fn grant(
    connection: &mut AnyConnection,
    id: GrantId,
) -> Result<Option<Versioned<Grant>>, StoreError> {
    let sql = "SELECT position, version, state FROM grants WHERE id = $1";
    one(sqlx::query_as(sql).bind(id.to_string()).fetch_optional(connection).await?)
}

pub(super) fn one<T: DeserializeOwned>(row: Option<StateRow>) -> Result<Option<Versioned<T>>, StoreError> {
    row.map(|(position, version, state)| {
        let state = serde_json::from_str(&state).map_err(|e| corrupt(position, e))?;
        Ok(Versioned { state, version: version.unsigned_abs() })
    })
    .transpose()
}

pub(super) fn states<T: DeserializeOwned>(rows: Vec<StateRow>) -> Result<Vec<Versioned<T>>, StoreError> {
    rows.into_iter().filter_map(|row| one(Some(row)).transpose()).collect()
}

/// Lets the event's audience read it.
async fn admit(tx: &mut AnyConnection, backend: Backend, event: &Recorded) -> Result<(), StoreError> {
    let audience = &event.circumstances.audience;
    if audience.is_empty() {
        return Ok(());
    }
    let sql = match backend {
        Backend::Sqlite => "INSERT INTO audience (user_id, position) SELECT value, $2 FROM json_each($1)",
        Backend::Postgres => {
            "INSERT INTO audience (user_id, position) SELECT value, $2 FROM json_array_elements_text($1::json)"
        }
    };
    sqlx::query(sql).bind(json(event, audience)?).bind(event.position).execute(tx).await?;
    Ok(())
}

async fn project_request(
    tx: &mut AnyConnection,
    id: RequestId,
    event: &Recorded,
    body: &RequestEvent,
) -> Result<(), StoreError> {
    let before = request(tx, id).await?;
    check_next(before.as_ref(), event)?;
    let state =
        Request::apply(before.map(|b| b.state), body, event.at).map_err(|e| corrupt(event.position, e))?;
    if state.id != id {
        return Err(corrupt(event.position, "it is about another request than its stream"));
    }
    let sql = "INSERT INTO requests (id, requester, phase, position, version, state) VALUES ($1, $2, $3, $4, $5, $6)
               ON CONFLICT (id) DO UPDATE
               SET phase = excluded.phase, version = excluded.version, state = excluded.state";
    sqlx::query(sql)
        .bind(id.to_string())
        .bind(state.requester.as_str())
        .bind(request_phase(&state.phase))
        .bind(event.position)
        .bind(version(event)?)
        .bind(json(event, &state)?)
        .execute(&mut *tx)
        .await?;
    if let RequestEvent::Submitted { .. } | RequestEvent::Edited { .. } = body {
        let risk = event.circumstances.risk.as_ref().map(|risk| json(event, risk)).transpose()?;
        let sql = "UPDATE requests SET risk = $2 WHERE id = $1";
        sqlx::query(sql).bind(id.to_string()).bind(risk).execute(tx).await?;
    }
    Ok(())
}

async fn project_grant(
    tx: &mut AnyConnection,
    id: GrantId,
    event: &Recorded,
    body: &GrantEvent,
) -> Result<(), StoreError> {
    let before = grant(tx, id).await?;
    check_next(before.as_ref(), event)?;
    let state =
        Grant::apply(before.map(|b| b.state), body, event.at).map_err(|e| corrupt(event.position, e))?;
    if state.id != id {
        return Err(corrupt(event.position, "it is about another grant than its stream"));
    }
    let sql =
        "INSERT INTO grants (id, holder, phase, position, version, state) VALUES ($1, $2, $3, $4, $5, $6)
               ON CONFLICT (id) DO UPDATE
               SET phase = excluded.phase, version = excluded.version, state = excluded.state";
    sqlx::query(sql)
        .bind(id.to_string())
        .bind(state.holder.as_str())
        .bind(grant_phase(&state.phase))
        .bind(event.position)
        .bind(version(event)?)
        .bind(json(event, &state)?)
        .execute(tx)
        .await?;
    Ok(())
}

fn check_next<T>(before: Option<&Versioned<T>>, event: &Recorded) -> Result<(), StoreError> {
    let next = before.map_or(0, |b| b.version) + 1;
    if event.version == next {
        Ok(())
    } else {
        Err(corrupt(event.position, format!("version {next} of its stream is missing")))
    }
}

fn version(event: &Recorded) -> Result<i64, StoreError> {
    event.version.try_into().map_err(|_| corrupt(event.position, "its version is out of range"))
}

fn json<T: Serialize>(event: &Recorded, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| corrupt(event.position, e))
}

fn request_phase(phase: &RequestPhase) -> &'static str {
    match phase {
        RequestPhase::Pending => "pending",
        RequestPhase::Asked { .. } => "asked",
        RequestPhase::Approved { .. } => "approved",
        RequestPhase::Denied { .. } => "denied",
        RequestPhase::Withdrawn => "withdrawn",
        RequestPhase::Lapsed => "lapsed",
    }
}

fn grant_phase(phase: &GrantPhase) -> &'static str {
    match phase {
        GrantPhase::Opening { .. } => "opening",
        GrantPhase::Live { .. } => "live",
        GrantPhase::Ending { .. } => "ending",
        GrantPhase::Ended { .. } => "ended",
    }
}
