//! Grants, their credentials and their end.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use daypass_domain::{DeviceId, GrantId, Timestamp};
use daypass_protocol::api::{
    Credential, CredentialBody, GrantView, Problem, ProblemCode, RevokeBody, WipedBody,
};
use secrecy::ExposeSecret;
use serde::Serialize;

use super::error::{ApiError, Body};
use crate::app::App;
use crate::flow;
use crate::signin::Principal;
use crate::view;

/// The one place where a credential's secret is written out: the answer to the holder's device.
#[derive(Serialize, utoipa::ToSchema)]
struct CredentialAnswer<'a> {
    grant: GrantId,
    host: &'a str,
    port: u16,
    database: &'a str,
    username: &'a str,
    password: &'a str,
    expires_at: Timestamp,
}

/// The caller's own grants, newest first.
#[utoipa::path(get, path = "/grants", tag = "grants",
    responses((status = 200, body = Vec<GrantView>), (status = 401, body = Problem)))]
pub async fn mine(State(app): State<App>, caller: Principal) -> Result<Json<Vec<GrantView>>, ApiError> {
    let policy = app.policy();
    let grants = app.store().grants_of(&caller.user, 100).await?;
    Ok(Json(grants.iter().map(|grant| view::grant(policy.org(), &grant.state)).collect()))
}

fn own_device(caller: &Principal, device: DeviceId) -> Result<(), ApiError> {
    if caller.device == device {
        return Ok(());
    }
    let detail = "this is not the device that signed in";
    Err(ApiError::new(StatusCode::FORBIDDEN, ProblemCode::Forbidden, detail))
}

/// A new credential of a live grant, for the caller's device. The one before no longer works.
#[utoipa::path(post, path = "/grants/{id}/credential", tag = "grants", params(("id" = GrantId, Path)),
    request_body = CredentialBody,
    responses((status = 200, body = CredentialAnswer), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 502, body = Problem)))]
pub async fn credential(
    State(app): State<App>,
    caller: Principal,
    Path(id): Path<GrantId>,
    Body(body): Body<CredentialBody>,
) -> Result<Response, ApiError> {
    own_device(&caller, body.device)?;
    let credential: Credential = flow::grants::issue(&app, &caller.user, body.device, id).await?;
    let answer = CredentialAnswer {
        grant: credential.grant,
        host: &credential.host,
        port: credential.port,
        database: &credential.database,
        username: &credential.username,
        password: credential.password.expose_secret(),
        expires_at: credential.expires_at,
    };
    Ok(Json(answer).into_response())
}

/// Gives access back before its time.
#[utoipa::path(post, path = "/grants/{id}/release", tag = "grants", params(("id" = GrantId, Path)),
    responses((status = 200, body = GrantView), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn release(
    State(app): State<App>,
    caller: Principal,
    Path(id): Path<GrantId>,
) -> Result<Json<GrantView>, ApiError> {
    let grant = flow::grants::release(&app, &caller.user, id).await?;
    Ok(Json(view::grant(app.policy().org(), &grant)))
}

/// Ends somebody's access. For security.
#[utoipa::path(post, path = "/grants/{id}/revoke", tag = "grants", params(("id" = GrantId, Path)),
    request_body = RevokeBody,
    responses((status = 200, body = GrantView), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn revoke(
    State(app): State<App>,
    caller: Principal,
    Path(id): Path<GrantId>,
    Body(body): Body<RevokeBody>,
) -> Result<Json<GrantView>, ApiError> {
    let grant = flow::grants::revoke(&app, &caller.user, id, body.note).await?;
    Ok(Json(view::grant(app.policy().org(), &grant)))
}

/// The caller's device holds nothing of this grant any more.
#[utoipa::path(post, path = "/grants/{id}/wiped", tag = "grants", params(("id" = GrantId, Path)),
    request_body = WipedBody,
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn wiped(
    State(app): State<App>,
    caller: Principal,
    Path(id): Path<GrantId>,
    Body(body): Body<WipedBody>,
) -> Result<StatusCode, ApiError> {
    own_device(&caller, body.device)?;
    flow::grants::report_wiped(&app, &caller.user, body.device, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
