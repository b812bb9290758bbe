//! The HTTP API. Every route below `/v1` but the server's own description needs a signed-in person.

mod error;
mod events;
mod grants;
mod limits;
mod people;
mod requests;

use std::time::Duration;

use axum::Json;
use axum::extract::{FromRef, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::StreamExt as _;
use metrics_exporter_prometheus::PrometheusHandle;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::signin::SignIn;

pub use error::ApiError;

/// No body of this API comes near this.
const LARGEST_BODY: usize = 64 * 1024;
/// A larger one is cut off.
const LARGEST_LET_IN: usize = 8 * 1024 * 1024;
const SLOWEST_ANSWER: Duration = Duration::from_secs(15);

/// What the routes share.
#[derive(Clone)]
pub struct Api {
    pub app: App,
    pub signin: SignIn,
    pub limits: limits::Limits,
    pub metrics: PrometheusHandle,
}

impl FromRef<Api> for App {
    fn from_ref(api: &Api) -> Self {
        api.app.clone()
    }
}

impl FromRef<Api> for SignIn {
    fn from_ref(api: &Api) -> Self {
        api.signin.clone()
    }
}

impl Api {
    pub fn new(app: App, signin: SignIn, metrics: PrometheusHandle) -> Self {
        Self { app, signin, limits: limits::Limits::default(), metrics }
    }
}

#[derive(OpenApi)]
#[openapi(
    info(title = "daypassd", description = "Just-in-time access: requests, decisions, grants."),
    // Apart from the others: it is not under their time limit.
    paths(events::stream),
    tags((name = "people"), (name = "requests"), (name = "grants"), (name = "ledger")),
)]
struct Document;

fn described() -> OpenApiRouter<Api> {
    let v1 = OpenApiRouter::new()
        .routes(routes!(people::info))
        .routes(routes!(people::me))
        .routes(routes!(people::catalogue))
        .routes(routes!(requests::submit, requests::mine))
        .routes(routes!(requests::preview))
        .routes(routes!(requests::one, requests::edit))
        .routes(routes!(requests::withdraw))
        .routes(routes!(requests::decide))
        .routes(routes!(requests::reviews))
        .routes(routes!(grants::mine))
        .routes(routes!(grants::credential))
        .routes(routes!(grants::release))
        .routes(routes!(grants::revoke))
        .routes(routes!(grants::wiped))
        .routes(routes!(events::entries));
    OpenApiRouter::with_openapi(Document::openapi()).nest("/v1", v1)
}

/// The OpenAPI document, as it is committed beside the code.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    let (_, document) = described().split_for_parts();
    document.to_pretty_json().map(|json| json + "\n")
}

/// The whole service.
pub fn router(api: Api) -> axum::Router {
    let (described, document) = described().split_for_parts();
    let limited = described
        .layer(from_fn_with_state(api.clone(), limits::limit))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, SLOWEST_ANSWER));
    let request_id = HeaderName::from_static("x-request-id");
    let service = limited
        // Not under the time limit: it lasts.
        .route("/v1/events", get(events::stream))
        .route("/openapi.json", get(move || async move { Json(document) }))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(|State(api): State<Api>| async move { api.metrics.render() }))
        .with_state(api.clone())
        .merge(crate::signin::router(api.signin.clone()))
        .fallback(|| async { ApiError::not_found("page") })
        .layer(RequestBodyLimitLayer::new(LARGEST_BODY))
        .layer(from_fn(refuse_large))
        .layer(from_fn_with_state(api, describe_answer));
    service
        .layer(CatchPanicLayer::custom(|_| ApiError::internal().into_response()))
        .layer(PropagateRequestIdLayer::new(request_id.clone()))
        .layer(TraceLayer::new_for_http())
        .layer(SetRequestIdLayer::new(request_id, MakeRequestUuid))
        .layer(SetSensitiveRequestHeadersLayer::new([header::AUTHORIZATION]))
}

/// Refuses a body that says it is too large, after letting it come in and go: a connection that is closed on a sender
/// takes the answer with it.
async fn refuse_large(request: Request, next: Next) -> Response {
    let length =
        request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if length.is_none_or(|length| length <= LARGEST_BODY) {
        return next.run(request).await;
    }
    let mut body = request.into_body().into_data_stream();
    let mut left = LARGEST_LET_IN;
    while let Some(Ok(part)) = body.next().await {
        left = left.saturating_sub(part.len());
        if left == 0 {
            break;
        }
    }
    ApiError::too_large().into_response()
}

async fn ready(State(app): State<App>) -> Result<&'static str, ApiError> {
    app.store().head().await?;
    Ok("ready\n")
}

/// Adds what every answer carries: the server's time, and problem+json for refusals made by the layers below.
async fn describe_answer(State(api): State<Api>, request: Request, next: Next) -> Response {
    let id = request.headers().get("x-request-id").cloned();
    let mut response = next.run(request).await;
    if let Some(plain) = ApiError::for_plain(response.status(), response.headers()) {
        response = plain.into_response();
    }
    if response.status().is_client_error() || response.status().is_server_error() {
        response = error::name_exchange(response, id.as_ref()).await;
    }
    let now = api.app.now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    if let Ok(now) = HeaderValue::from_str(&now) {
        response.headers_mut().insert("x-daypass-now", now);
    }
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
