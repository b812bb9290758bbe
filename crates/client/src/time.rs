//! The server's time as well as it is known here: grants end by the server's clock, not by this machine's.
//!
//! A moment of the server is remembered together with the uptime at which it was heard. Uptime never jumps and goes
//! on while the machine sleeps, so a changed wall clock neither delays nor hastens a wipe.

use std::time::Duration;

use chrono::TimeDelta;
use daypass_clock::{Clock, Timestamp};
use serde::{Deserialize, Serialize};

/// A better sample must be this much quicker; an old one is replaced anyway, since quartz drifts.
const SAMPLE_LIFE: Duration = Duration::from_secs(300);
/// No exchange that is awake all the time lasts longer.
const LONGEST_EXCHANGE: Duration = Duration::from_secs(20);
/// Wall clock and uptime that part by more than this since the last word of the server: one of them was changed.
const JUMP: TimeDelta = TimeDelta::seconds(2);

/// The server's clock, heard once and carried on by uptime.
#[derive(Clone, Debug, Default)]
pub struct ServerTime {
    anchor: Option<Anchor>,
}

/// What is kept over a restart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anchor {
    /// The server's time at `uptime`.
    server: Timestamp,
    uptime: Duration,
    /// This machine's civil time at `uptime`.
    civil: Timestamp,
    round_trip: Duration,
    /// Names the run of the machine that `uptime` counts in.
    boot: String,
}

/// A time that the server said, with the uptimes around the exchange.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    pub server: Timestamp,
    pub sent: Duration,
    pub received: Duration,
}

impl ServerTime {
    /// Goes on with what was known before a restart. After a reboot only the civil clock is left, and the anchor
    /// still says that it cannot be earlier than it was.
    pub fn resume(anchor: Option<Anchor>, clock: &Clock, boot: &str) -> Self {
        let anchor = anchor.map(|a| {
            if a.boot == boot {
                return a;
            }
            let civil = clock.now();
            Anchor {
                server: (civil + (a.server - a.civil)).max(a.server),
                uptime: clock.uptime(),
                civil,
                round_trip: Duration::MAX,
                boot: boot.into(),
            }
        });
        Self { anchor }
    }

    /// Takes in what the server said; true when it is now the better knowledge.
    pub fn hear(&mut self, heard: Heard, clock: &Clock, boot: &str) -> bool {
        let round_trip = heard.received.saturating_sub(heard.sent);
        // The machine slept during the exchange: half of that says nothing.
        if round_trip > LONGEST_EXCHANGE {
            return false;
        }
        let better = self.anchor.as_ref().is_none_or(|a| {
            let age = heard.received.saturating_sub(a.uptime);
            round_trip <= a.round_trip || age > SAMPLE_LIFE || self.doubtful(clock)
        });
        if better {
            let uptime = heard.received.saturating_sub(round_trip / 2);
            let since =
                TimeDelta::from_std(clock.uptime().saturating_sub(uptime)).unwrap_or(TimeDelta::zero());
            self.anchor = Some(Anchor {
                server: heard.server,
                uptime,
                civil: clock.now() - since,
                round_trip,
                boot: boot.into(),
            });
        }
        better
    }

    /// The server's time now; this machine's while no server was ever heard.
    pub fn now(&self, clock: &Clock) -> Timestamp {
        match &self.anchor {
            None => clock.now(),
            Some(a) => a.server + since(a, clock),
        }
    }

    /// How long until the server's clock shows `moment`; zero when it is past.
    pub fn until(&self, moment: Timestamp, clock: &Clock) -> Duration {
        (moment - self.now(clock)).to_std().unwrap_or(Duration::ZERO)
    }

    /// Seconds that this machine's clock is ahead of the server's, when that is worth saying.
    pub fn clock_off_s(&self, clock: &Clock) -> Option<i64> {
        self.anchor.as_ref()?;
        let off = (clock.now() - self.now(clock)).num_seconds();
        (off.abs() >= 30).then_some(off)
    }

    /// Whether wall clock and uptime have parted since the server was heard: the clock was set, or a paused virtual
    /// machine went on. Which of the two only the server can tell.
    pub fn doubtful(&self, clock: &Clock) -> bool {
        self.anchor.as_ref().is_some_and(|a| {
            let parted = (clock.now() - a.civil) - since(a, clock);
            parted.abs() > JUMP
        })
    }

    /// The server's time if the wall clock is the one that is right.
    pub fn now_by_civil(&self, clock: &Clock) -> Timestamp {
        match &self.anchor {
            None => clock.now(),
            Some(a) => clock.now() + (a.server - a.civil),
        }
    }

    pub fn anchor(&self) -> Option<&Anchor> {
        self.anchor.as_ref()
    }
}

fn since(anchor: &Anchor, clock: &Clock) -> TimeDelta {
    TimeDelta::from_std(clock.uptime().saturating_sub(anchor.uptime)).unwrap_or(TimeDelta::MAX)
}

/// Names this run of the machine; empty where the system does not say.
pub(crate) fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|s| s.trim().to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Timestamp {
        Timestamp::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn heard_at(clock: &Clock, ahead_s: i64) -> ServerTime {
        let mut time = ServerTime::default();
        let server = clock.now() + TimeDelta::seconds(ahead_s);
        let heard = Heard { server, sent: clock.uptime(), received: clock.uptime() };
        assert!(time.hear(heard, clock, "boot"));
        time
    }

    #[test]
    fn a_changed_wall_clock_changes_nothing() {
        let clock = Clock::manual(start());
        let time = heard_at(&clock, 90);
        clock.advance(Duration::from_secs(10));
        clock.set(start() - TimeDelta::days(400));
        assert_eq!(time.now(&clock), start() + TimeDelta::seconds(100));
        assert!(time.doubtful(&clock));
        assert_eq!(time.clock_off_s(&clock), Some(-400 * 86_400 - 100));
    }

    #[test]
    fn half_of_the_round_trip_is_added() {
        let clock = Clock::manual(start());
        let sent = clock.uptime();
        clock.advance(Duration::from_millis(400));
        let mut time = ServerTime::default();
        time.hear(Heard { server: start(), sent, received: clock.uptime() }, &clock, "boot");
        assert_eq!(time.now(&clock), start() + TimeDelta::milliseconds(200));
    }

    #[test]
    fn a_slow_answer_does_not_spoil_a_quick_one() {
        let clock = Clock::manual(start());
        let mut time = heard_at(&clock, 0);
        let sent = clock.uptime();
        clock.advance(Duration::from_secs(8));
        let slow = Heard { server: start(), sent, received: clock.uptime() };
        assert!(!time.hear(slow, &clock, "boot"));
        assert_eq!(time.now(&clock), start() + TimeDelta::seconds(8));
    }

    #[test]
    fn a_reboot_with_a_clock_set_back_never_goes_before_what_was_known() {
        let clock = Clock::manual(start());
        let anchor = heard_at(&clock, 0).anchor().cloned();
        clock.set(start() - TimeDelta::hours(5));
        let time = ServerTime::resume(anchor, &clock, "another boot");
        assert_eq!(time.now(&clock), start());
    }

    #[test]
    fn a_restart_in_the_same_run_goes_on_by_uptime() {
        let clock = Clock::manual(start());
        let anchor = heard_at(&clock, 0).anchor().cloned();
        clock.advance(Duration::from_secs(60));
        clock.set(start() - TimeDelta::hours(5));
        let time = ServerTime::resume(anchor, &clock, "boot");
        assert_eq!(time.now(&clock), start() + TimeDelta::seconds(60));
    }
}
