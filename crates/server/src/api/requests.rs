//! Requests and decisions on them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::TimeDelta;
use daypass_domain::{Ask, Request, RequestId, RequestPhase, UserId};
use daypass_protocol::api::{DecideBody, EditBody, Past, Preview, Problem, RequestView, SubmitBody};
use daypass_risk::{Band, Score};

use super::error::{ApiError, Body};
use crate::app::App;
use crate::flow::submit::Origin;
use crate::flow::{self, FlowError};
use crate::signin::Principal;
use crate::view;

/// How many of one's own requests are listed.
const LISTED: u32 = 100;

async fn origin(app: &App, caller: &Principal) -> Result<Origin, ApiError> {
    let now = app.now();
    let (user, device) = (&caller.user, caller.device);
    let device_is_new = app.history().device_is_new(user, device, now);
    let network_changed = app.history().network_changed(user, device, caller.network.as_ref());
    let grants = app.store().grants_of(&caller.user, LISTED).await?;
    let live = grants.iter().filter(|grant| grant.state.is_live(now)).count();
    let live_grants = u32::try_from(live).unwrap_or(u32::MAX);
    Ok(Origin { device_is_new, network_changed, live_grants })
}

async fn show(app: &App, request: &Request, viewer: &UserId) -> Result<RequestView, ApiError> {
    // A score is recorded with every request; without one it counts as the worst.
    let unknown = || Score { points: 100, band: Band::Critical, factors: Vec::new(), lower: Vec::new() };
    let score = app.store().risk_of(request.id).await?.unwrap_or_else(unknown);
    let past = if *viewer == request.requester { None } else { Some(past(app, request).await?) };
    Ok(view::request(&app.policy(), request, &score, viewer, past, app.now()))
}

/// What the requester did in the last 90 days with the same resources.
async fn past(app: &App, request: &Request) -> Result<Past, ApiError> {
    let since = app.now() - TimeDelta::days(90);
    let mut past = Past { approved: 0, denied: 0, last: None };
    for other in app.store().requests_of(&request.requester, 500).await? {
        let other = other.state;
        let shares = |e: &daypass_domain::Entitlement| {
            request.ask.entitlements.iter().any(|r| r.resource == e.resource)
        };
        if other.id == request.id || other.submitted_at < since || !other.ask.entitlements.iter().any(shares)
        {
            continue;
        }
        match other.phase {
            RequestPhase::Approved { at, .. } => {
                past.approved += 1;
                past.last = past.last.max(Some(at));
            }
            RequestPhase::Denied { .. } => past.denied += 1,
            _ => {}
        }
    }
    Ok(past)
}

/// What would happen to an ask. Records nothing.
#[utoipa::path(post, path = "/requests/preview", tag = "requests", request_body = Ask,
    responses((status = 200, body = Preview), (status = 401, body = Problem), (status = 422, body = Problem)))]
pub async fn preview(
    State(app): State<App>,
    caller: Principal,
    Body(ask): Body<Ask>,
) -> Result<Json<Preview>, ApiError> {
    Ok(Json(flow::catalogue::preview(&app, &caller.user, &ask, origin(&app, &caller).await?).await?))
}

/// Asks for access. The same body again answers the same.
#[utoipa::path(post, path = "/requests", tag = "requests", request_body = SubmitBody,
    responses((status = 201, body = RequestView), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn submit(
    State(app): State<App>,
    caller: Principal,
    Body(body): Body<SubmitBody>,
) -> Result<(StatusCode, Json<RequestView>), ApiError> {
    let request =
        flow::submit::submit(&app, &caller.user, body.id, body.ask, origin(&app, &caller).await?).await?;
    Ok((StatusCode::CREATED, Json(show(&app, &request, &caller.user).await?)))
}

/// The caller's own requests, newest first.
#[utoipa::path(get, path = "/requests", tag = "requests",
    responses((status = 200, body = Vec<RequestView>), (status = 401, body = Problem)))]
pub async fn mine(State(app): State<App>, caller: Principal) -> Result<Json<Vec<RequestView>>, ApiError> {
    let mut views = Vec::new();
    for request in app.store().requests_of(&caller.user, LISTED).await? {
        views.push(show(&app, &request.state, &caller.user).await?);
    }
    Ok(Json(views))
}

/// One request that the caller made, decided on or may decide on.
#[utoipa::path(get, path = "/requests/{id}", tag = "requests", params(("id" = RequestId, Path)),
    responses((status = 200, body = RequestView), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn one(
    State(app): State<App>,
    caller: Principal,
    Path(id): Path<RequestId>,
) -> Result<Json<RequestView>, ApiError> {
    let missing = || ApiError::from(FlowError::NotFound("request"));
    let request = app.store().request(id).await?.ok_or_else(missing)?.state;
    if !flow::may_read(&app, &request, &caller.user).await? {
        return Err(missing());
    }
    Ok(Json(show(&app, &request, &caller.user).await?))
}

/// Replaces what a request asks for. What was decided is void.
#[utoipa::path(put, path = "/requests/{id}", tag = "requests", params(("id" = RequestId, Path)), request_body = EditBody,
    responses((status = 200, body = RequestView), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn edit(
    State(app): State<App>,
    caller: Principal,
    Path(id): Path<RequestId>,
    Body(body): Body<EditBody>,
) -> Result<Json<RequestView>, ApiError> {
    let origin = origin(&app, &caller).await?;
    let request = flow::submit::edit(&app, &caller.user, id, body.revision, body.ask, origin).await?;
    Ok(Json(show(&app, &request, &caller.user).await?))
}

/// Takes a request back.
#[utoipa::path(post, path = "/requests/{id}/withdraw", tag = "requests", params(("id" = RequestId, Path)),
    responses((status = 200, body = RequestView), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn withdraw(
    State(app): State<App>,
    caller: Principal,
    Path(id): Path<RequestId>,
) -> Result<Json<RequestView>, ApiError> {
    let request = flow::submit::withdraw(&app, &caller.user, id).await?;
    Ok(Json(show(&app, &request, &caller.user).await?))
}

/// Decides on somebody else's request; the digest names exactly what was read.
#[utoipa::path(post, path = "/requests/{id}/decisions", tag = "requests", params(("id" = RequestId, Path)),
    request_body = DecideBody,
    responses((status = 200, body = RequestView), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn decide(
    State(app): State<App>,
    caller: Principal,
    Path(id): Path<RequestId>,
    Body(body): Body<DecideBody>,
) -> Result<Json<RequestView>, ApiError> {
    let DecideBody { digest, verdict, note } = body;
    let request = flow::decide::decide(&app, &caller.user, id, digest, verdict, note).await?;
    Ok(Json(show(&app, &request, &caller.user).await?))
}

/// The requests that wait for the caller, riskiest first, then the one that waits longest.
#[utoipa::path(get, path = "/reviews", tag = "requests",
    responses((status = 200, body = Vec<RequestView>), (status = 401, body = Problem)))]
pub async fn reviews(State(app): State<App>, caller: Principal) -> Result<Json<Vec<RequestView>>, ApiError> {
    let mut views = Vec::new();
    for request in app.store().open_requests().await? {
        let facts = flow::facts_of(&app, request.state.id).await?;
        if flow::waits_for(&app.policy(), &request.state, &facts).contains(&caller.user) {
            views.push(show(&app, &request.state, &caller.user).await?);
        }
    }
    views.sort_by_key(|v| (std::cmp::Reverse(v.risk.band), v.submitted_at));
    Ok(Json(views))
}
