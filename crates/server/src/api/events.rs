//! What happened, as pages and as a stream that resumes by ledger position.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use daypass_protocol::api::{Entry, EntryPage, Problem};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde::Deserialize;
use tokio::sync::watch;
use utoipa::IntoParams;

use super::ApiError;
use crate::app::App;
use crate::signin::{Principal, SignIn};
use crate::store::StoreError;
use crate::view::Entries;

const LONGEST_PAGE: u32 = 500;
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a stream waits before it looks again, for rows that another replica wrote and for an ended sign-in.
const PERIOD: Duration = Duration::from_secs(5);

#[derive(Debug, Deserialize, IntoParams)]
pub struct After {
    /// The last position that is known; 0 for the beginning.
    #[serde(default)]
    after: i64,
    /// At most 500.
    #[serde(default)]
    limit: Option<u32>,
}

/// The caller's own history: every row of the ledger that concerns them, oldest first.
#[utoipa::path(get, path = "/entries", tag = "ledger", params(After),
    responses((status = 200, body = EntryPage), (status = 401, body = Problem)))]
pub async fn entries(
    State(app): State<App>,
    caller: Principal,
    Query(query): Query<After>,
) -> Result<Json<EntryPage>, ApiError> {
    let limit = query.limit.unwrap_or(LONGEST_PAGE).clamp(1, LONGEST_PAGE);
    let entries = page(&app, &caller, query.after, limit).await?;
    let full = u32::try_from(entries.len()).is_ok_and(|n| n == limit);
    let next = entries.last().filter(|_| full).map(|last| last.position);
    Ok(Json(EntryPage { entries, next }))
}

async fn page(app: &App, caller: &Principal, after: i64, limit: u32) -> Result<Vec<Entry>, StoreError> {
    let rows = app.store().read_for(&caller.user, after, limit).await?;
    let policy = app.policy();
    let mut told = Entries::new(app.store(), policy.org());
    let mut entries = Vec::with_capacity(rows.len());
    for row in &rows {
        entries.push(told.entry(row).await?);
    }
    Ok(entries)
}

/// One listener: what it has seen, and what it is about to be sent.
struct Listener {
    app: App,
    signin: SignIn,
    caller: Principal,
    news: watch::Receiver<i64>,
    after: i64,
    ready: VecDeque<Entry>,
}

/// Rows as they are written, as server-sent events named `entry` whose ids are positions. Begins after `Last-Event-ID`,
/// or after `?after=`, or with the next one; ends with the sign-in.
#[utoipa::path(get, path = "/v1/events", tag = "ledger",
    params(Start, ("Last-Event-ID" = Option<i64>, Header, description = "The last position that is known.")),
    responses((status = 200, body = Entry, content_type = "text/event-stream"), (status = 401, body = Problem)))]
pub async fn stream(
    State(app): State<App>,
    State(signin): State<SignIn>,
    caller: Principal,
    Query(query): Query<Start>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let last = headers.get("last-event-id").and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    let after = match last.or(query.after) {
        Some(after) => after,
        None => app.store().head().await?,
    };
    let news = app.news();
    let listener = Listener { app, signin, caller, news, after, ready: VecDeque::new() };
    Ok(Sse::new(unfold(listener, next)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

#[derive(Debug, Deserialize, IntoParams)]
pub struct Start {
    /// The last position that is known; 0 for the beginning.
    after: Option<i64>,
}

async fn next(mut listener: Listener) -> Option<(Result<Event, Infallible>, Listener)> {
    loop {
        if let Some(entry) = listener.ready.pop_front() {
            let event = Event::default().id(entry.position.to_string()).event("entry");
            return match event.json_data(&entry) {
                Ok(event) => Some((Ok(event), listener)),
                Err(e) => {
                    tracing::error!(error = %e, position = entry.position, "an entry cannot be written");
                    None
                }
            };
        }
        // Marked as seen before reading, so that a row written meanwhile wakes the next turn.
        listener.news.borrow_and_update();
        match page(&listener.app, &listener.caller, listener.after, 100).await {
            Ok(entries) if !entries.is_empty() => {
                listener.after = entries.last().map_or(listener.after, |e| e.position);
                listener.ready.extend(entries);
                continue;
            }
            Ok(_) => {}
            Err(e) => {
                // The client comes back with the last position that it has.
                tracing::warn!(error = ?e, "a stream of events ends: the ledger cannot be read");
                return None;
            }
        }
        let _ = tokio::time::timeout(PERIOD, listener.news.changed()).await;
        if !listener.signin.still_holds(&listener.caller).await {
            return None;
        }
    }
}
