//! Waiting for something to become true, with a failure that tells what was awaited and what was there instead.

use std::{thread, time::Duration};

use anyhow::{Result, bail};

const PAUSE: Duration = Duration::from_millis(10);

/// Calls `look` until it gives `Ok`, for at most `limit`; the error then names `what` and the last answer.
///
/// # Errors
/// When `limit` has passed; `look` is called at least once more after that, so a slow machine does not lose a value.
pub fn wait_until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Result<T>) -> Result<T> {
    let clock = daypass_clock::Clock::system();
    let start = clock.uptime();
    loop {
        let late = clock.uptime().saturating_sub(start) >= limit;
        match look() {
            Ok(value) => return Ok(value),
            Err(last) if late => bail!("waited {limit:?} for {what}; last seen: {last:#}"),
            Err(_) => thread::sleep(PAUSE),
        }
    }
}
