//! The one clock: the only place that reads the system's time.
//!
//! Everything else takes the time as a parameter, or a [`Clock`] that a test can turn by hand.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// A point in civil time, in whole microseconds: what PostgreSQL keeps, so that nothing changes when it is stored.
pub type Timestamp = DateTime<Utc>;

/// Where the time comes from: the system, or a test's hand.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<Mutex<Manual>>),
}

#[derive(Clone, Copy, Debug)]
struct Manual {
    now: Timestamp,
    uptime: Duration,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `now` until [`Clock::advance`] or [`Clock::set`] moves it.
    pub fn manual(now: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(Mutex::new(Manual { now: micros(now), uptime: Duration::ZERO }))))
    }

    /// Civil time now. It can jump, since people and time servers set it.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => system_now(),
            Source::Manual(m) => lock(m).now,
        }
    }

    /// Time since some fixed moment, which never jumps and which goes on while the machine sleeps.
    pub fn uptime(&self) -> Duration {
        match &self.0 {
            Source::System => uptime(),
            Source::Manual(m) => lock(m).uptime,
        }
    }

    /// Moves a manual clock forward, civil time and uptime alike; does nothing to the system's.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(m) = &self.0 {
            let mut m = lock(m);
            m.now = micros(m.now + TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX));
            m.uptime += by;
        }
    }

    /// Sets a manual clock's civil time alone, as a person who changes the clock does.
    pub fn set(&self, now: Timestamp) {
        if let Source::Manual(m) = &self.0 {
            lock(m).now = micros(now);
        }
    }
}

fn lock(m: &Mutex<Manual>) -> MutexGuard<'_, Manual> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

fn micros(t: Timestamp) -> Timestamp {
    t.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(t)
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's civil time")]
fn system_now() -> Timestamp {
    micros(Utc::now())
}

/// Time since boot, sleep included (`CLOCK_BOOTTIME`).
#[cfg(target_os = "linux")]
pub fn uptime() -> Duration {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(t.tv_sec.unsigned_abs(), u32::try_from(t.tv_nsec).unwrap_or(0))
}

/// Time since the first call. On macOS and Windows the standard clock counts sleep differently per version;
/// callers also look at civil time when the machine wakes.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's monotonic time")]
pub fn uptime() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_stands_still_until_moved() {
        let start = system_now();
        let clock = Clock::manual(start);
        let copy = clock.clone();
        assert_eq!(clock.now(), start);
        copy.advance(Duration::from_secs(90));
        assert_eq!(clock.now() - start, TimeDelta::seconds(90));
        assert_eq!(clock.uptime(), Duration::from_secs(90));
        copy.set(start);
        assert_eq!((clock.now(), clock.uptime()), (start, Duration::from_secs(90)));
    }

    #[test]
    fn the_system_clock_has_whole_microseconds() {
        assert_eq!(Clock::system().now().timestamp_subsec_nanos() % 1000, 0);
    }

    #[test]
    fn uptime_never_goes_back() {
        let first = uptime();
        assert!(uptime() >= first);
    }
}
