//! How fast one person, or one address before sign-in, may ask.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::{Api, ApiError};

/// A person at a desk stays far below this; a loop in somebody's script does not.
const PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(49);
const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(199);

#[derive(Clone)]
pub struct Limits(Arc<DefaultKeyedRateLimiter<String>>);

impl Default for Limits {
    fn default() -> Self {
        Self(Arc::new(RateLimiter::keyed(Quota::per_second(PER_SECOND).allow_burst(BURST))))
    }
}

impl Limits {
    /// Counts one call; tells how many seconds to wait when there were too many.
    fn check(&self, who: &str) -> Result<(), u64> {
        self.0.check_key(&who.to_owned()).map_err(|until| {
            // Keys of callers that have gone quiet are not kept for ever.
            self.0.retain_recent();
            until.wait_time_from(DefaultClock::default().now()).as_secs().saturating_add(1)
        })
    }
}

/// Counts a call against its principal.
pub async fn limit(State(api): State<Api>, request: Request, next: Next) -> Response {
    let who = match api.signin.claimed_by(request.headers()) {
        Some(user) => user.to_string(),
        None => request
            .extensions()
            .get::<ConnectInfo<SocketAddr>>()
            .map_or_else(String::new, |c| c.0.ip().to_string()),
    };
    match api.limits.check(&who) {
        Ok(()) => next.run(request).await,
        Err(wait_s) => ApiError::rate_limited(wait_s).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_at_full_speed_is_refused_and_others_are_not() {
        let limits = Limits::default();
        let refused = (0..1000).filter(|_| limits.check("script").is_err()).count();
        assert!(refused > 500, "{refused}");
        assert_eq!(limits.check("person"), Ok(()));
    }
}
