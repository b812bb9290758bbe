//! Refusals and failures: a code for programs, a sentence for people, the cause for the log. The three never mix.

use axum::Json;
use axum::body::to_bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use daypass_domain::{GrantError, RequestError};
use daypass_protocol::api::{Problem, ProblemCode};
use serde::de::DeserializeOwned;

use crate::flow::FlowError;
use crate::store::StoreError;

const PROBLEM: &str = "application/problem+json";

/// A refusal, or a failure whose cause is in the log.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: ProblemCode,
    detail: String,
    field: Option<&'static str>,
    retry_after_s: Option<u64>,
}

impl ApiError {
    pub fn new(status: StatusCode, code: ProblemCode, detail: impl Into<String>) -> Self {
        Self { status, code, detail: sentence(&detail.into()), field: None, retry_after_s: None }
    }

    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, ProblemCode::NotFound, format!("there is no such {what}"))
    }

    pub fn internal() -> Self {
        let detail = "something went wrong on the server; nothing was changed. Try again, and tell your administrator \
                      if it happens again";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, ProblemCode::Internal, detail)
    }

    pub fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, ProblemCode::TooLarge, "the body is larger than 64 kB")
    }

    pub fn signed_out() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, ProblemCode::SignedOut, "sign in first")
    }

    pub fn rate_limited(wait_s: u64) -> Self {
        let detail = format!("too many requests; wait {wait_s} seconds");
        let refused = Self::new(StatusCode::TOO_MANY_REQUESTS, ProblemCode::RateLimited, detail);
        Self { retry_after_s: Some(wait_s), ..refused }
    }

    /// The problem for an answer that a layer made without one.
    pub fn for_plain(status: StatusCode, headers: &HeaderMap) -> Option<Self> {
        let described = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        if described.is_some_and(|t| t.starts_with(PROBLEM) || t.contains("json") || t.contains("html")) {
            return None;
        }
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => Some(Self::too_large()),
            StatusCode::GATEWAY_TIMEOUT => {
                Some(Self::new(status, ProblemCode::Unavailable, "the server took too long; try again"))
            }
            StatusCode::METHOD_NOT_ALLOWED => {
                Some(Self::new(status, ProblemCode::NotFound, "this address does not take that method"))
            }
            StatusCode::NOT_FOUND => Some(Self::not_found("page")),
            s if s.is_client_error() => {
                Some(Self::new(status, ProblemCode::Malformed, "the request cannot be read"))
            }
            s if s.is_server_error() => Some(Self::internal()),
            _ => None,
        }
    }
}

/// Puts the exchange's id into a problem, so that a person can name it to whoever reads the log.
pub async fn name_exchange(response: Response, id: Option<&HeaderValue>) -> Response {
    let is_problem = response.headers().get(header::CONTENT_TYPE).is_some_and(|v| v == PROBLEM);
    let Some(id) = id.and_then(|v| v.to_str().ok()).filter(|_| is_problem) else { return response };
    let (mut parts, body) = response.into_parts();
    let named = to_bytes(body, 64 * 1024).await.ok().and_then(|bytes| {
        let mut problem: Problem = serde_json::from_slice(&bytes).ok()?;
        problem.request_id = Some(id.to_owned());
        serde_json::to_vec(&problem).ok()
    });
    parts.headers.remove(header::CONTENT_LENGTH);
    (parts, named.unwrap_or_default()).into_response()
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let problem = Problem {
            code: self.code,
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            field: self.field.map(str::to_owned),
            request_id: None,
        };
        let mut response = (self.status, Json(problem)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
        if let Some(wait) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::Conflict => Self::new(
                StatusCode::CONFLICT,
                ProblemCode::Conflict,
                "others are changing the same thing right now; read it again",
            ),
            StoreError::Unavailable(cause) => {
                tracing::error!(error = format!("{cause:#}"), "the store is unavailable");
                let detail =
                    "the server cannot reach its store right now; nothing was changed. Try again soon";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, ProblemCode::Unavailable, detail)
            }
            StoreError::Corrupt { position, reason } => {
                tracing::error!(position, reason, "the ledger cannot be read");
                Self::internal()
            }
        }
    }
}

impl From<RequestError> for ApiError {
    fn from(e: RequestError) -> Self {
        use ProblemCode as C;
        let (status, code) = match &e {
            RequestError::Unknown => (StatusCode::NOT_FOUND, C::NotFound),
            RequestError::Exists | RequestError::Changed => (StatusCode::CONFLICT, C::Conflict),
            RequestError::Closed(_) | RequestError::DecidedAlready => (StatusCode::CONFLICT, C::Over),
            RequestError::NotYet => (StatusCode::CONFLICT, C::NotYet),
            RequestError::OwnRequest | RequestError::NotRequester | RequestError::NotThisStage => {
                (StatusCode::FORBIDDEN, C::Forbidden)
            }
            RequestError::Ask(_)
            | RequestError::NoteMissing
            | RequestError::LongNote
            | RequestError::NotLess => (StatusCode::UNPROCESSABLE_ENTITY, C::Invalid),
            RequestError::Corrupt => return Self::internal(),
        };
        let field = match &e {
            RequestError::Ask(ask) => Some(ask.field()),
            RequestError::NoteMissing | RequestError::LongNote => Some("note"),
            RequestError::NotLess => Some("duration_s"),
            _ => None,
        };
        Self { field, ..Self::new(status, code, e.to_string()) }
    }
}

impl From<GrantError> for ApiError {
    fn from(e: GrantError) -> Self {
        use ProblemCode as C;
        let (status, code) = match &e {
            GrantError::Unknown => (StatusCode::NOT_FOUND, C::NotFound),
            GrantError::Exists => (StatusCode::CONFLICT, C::Conflict),
            GrantError::NotLiveYet | GrantError::NotYet => (StatusCode::CONFLICT, C::NotYet),
            GrantError::Over => (StatusCode::CONFLICT, C::Over),
            GrantError::NotHolder => (StatusCode::FORBIDDEN, C::Forbidden),
            GrantError::NoteMissing => (StatusCode::UNPROCESSABLE_ENTITY, C::Invalid),
            GrantError::Corrupt => return Self::internal(),
        };
        let field = (e == GrantError::NoteMissing).then_some("note");
        Self { field, ..Self::new(status, code, e.to_string()) }
    }
}

impl From<FlowError> for ApiError {
    fn from(e: FlowError) -> Self {
        match e {
            FlowError::Request(e) => e.into(),
            FlowError::Grant(e) => e.into(),
            FlowError::Store(e) => e.into(),
            FlowError::Connector(e) => {
                tracing::warn!(error = ?e, "a target failed");
                Self::new(StatusCode::BAD_GATEWAY, ProblemCode::TargetUnavailable, e.to_string())
            }
            FlowError::Refused(_) => Self::new(StatusCode::FORBIDDEN, ProblemCode::Forbidden, e.to_string()),
            FlowError::NotFound(_) => Self::new(StatusCode::NOT_FOUND, ProblemCode::NotFound, e.to_string()),
            FlowError::IdTaken => Self::new(StatusCode::CONFLICT, ProblemCode::Conflict, e.to_string()),
        }
    }
}

/// A JSON body whose refusal is a problem that says where it went wrong.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(ApiError::too_large())
            }
            Err(JsonRejection::JsonDataError(e)) => {
                Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, ProblemCode::Malformed, e.body_text()))
            }
            Err(rejection) => {
                Err(ApiError::new(StatusCode::BAD_REQUEST, ProblemCode::Malformed, rejection.body_text()))
            }
        }
    }
}
