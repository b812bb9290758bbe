//! Who the server is, who the caller is, and what they may ask for.

use axum::Json;
use axum::extract::State;
use daypass_protocol::api::{Me, Problem, Resource, ServerInfo};

use super::ApiError;
use crate::app::App;
use crate::flow;
use crate::signin::Principal;
use crate::view;

/// Who answers here. Needs no sign-in.
#[utoipa::path(get, path = "/info", tag = "people", responses((status = 200, body = ServerInfo)))]
pub async fn info(State(app): State<App>) -> Json<ServerInfo> {
    Json(ServerInfo {
        organisation: app.policy().org().name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        now: app.now(),
    })
}

/// The person who is signed in.
#[utoipa::path(get, path = "/me", tag = "people",
    responses((status = 200, body = Me), (status = 401, body = Problem)))]
pub async fn me(State(app): State<App>, caller: Principal) -> Result<Json<Me>, ApiError> {
    let policy = app.policy();
    let org = policy.org();
    let known = org.person(&caller.user).ok_or_else(ApiError::signed_out)?;
    Ok(Json(Me {
        person: view::person(org, &caller.user),
        email: known.email.clone(),
        groups: known.groups.iter().map(|group| org.group_name(group)).collect(),
        reviews: policy.reviews(&caller.user),
        security: policy.is_security(&caller.user),
    }))
}

/// Everything that the caller may ask for, with what it would take now.
#[utoipa::path(get, path = "/catalogue", tag = "people",
    responses((status = 200, body = Vec<Resource>), (status = 401, body = Problem)))]
pub async fn catalogue(State(app): State<App>, caller: Principal) -> Json<Vec<Resource>> {
    Json(flow::catalogue::catalogue(&app, &caller.user, app.now()))
}
