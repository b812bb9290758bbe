//! Everything the score looks at that is not history.

use serde::{Deserialize, Serialize};

use crate::reason::Reason;
use daypass_domain::{AccessLevel, Environment, Sensitivity};

/// The request as the score sees it. A request for several entitlements carries the highest of each ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    pub sensitivity: Sensitivity,
    pub level: AccessLevel,
    /// The levels the resource offers; only these are suggested instead.
    pub offered: Vec<AccessLevel>,
    pub environment: Environment,
    /// How long the access was asked for.
    pub minutes: u32,
    /// When it would start, on the organisation's clock.
    pub hour: HourOfWeek,
    /// When the owner team is at work; `None` where it did not say.
    pub owner_hours: Option<Hours>,
    /// How many entitlements are asked for at once, at least 1.
    pub entitlements: u32,
    /// How many grants of this person are live already.
    pub live_grants: u32,
    pub reason: Reason,
    pub ticket: bool,
    /// A freeze covers the resource at the start of the access.
    pub freeze: bool,
    /// An incident is open on the resource.
    pub incident: bool,
    pub new_device: bool,
    pub network_changed: bool,
    /// Statements of this person that a guardrail stopped in the last 30 days.
    pub guardrail_hits: u32,
    /// Open flags on the person, the device or a session of theirs.
    pub flags: u32,
}

/// One of the 168 hours of a week; 0 is Monday from midnight to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub struct HourOfWeek(u8);

impl HourOfWeek {
    /// Wraps at the end of the week.
    pub fn new(hour: u8) -> Self {
        Self(hour % 168)
    }

    /// The hour of `at` (seconds since 1970, UTC) on a clock that is `offset_minutes` ahead of UTC.
    pub fn at(at: i64, offset_minutes: i32) -> Self {
        let local = at.saturating_add(i64::from(offset_minutes).saturating_mul(60));
        // 1970 began on a Thursday, 72 hours after Monday's first.
        let hour = local.div_euclid(3600).saturating_add(72).rem_euclid(168);
        Self(u8::try_from(hour).unwrap_or(0))
    }

    /// The hour that comes `hours` later, in the same week or the next.
    pub fn later(self, hours: u8) -> Self {
        let hour = (u16::from(self.0) + u16::from(hours)) % 168;
        Self(u8::try_from(hour).unwrap_or(0))
    }

    pub fn index(self) -> u8 {
        self.0
    }

    pub fn of_day(self) -> u8 {
        self.0 % 24
    }

    pub fn is_weekend(self) -> bool {
        self.0 >= 120
    }

    pub fn weekday(self) -> &'static str {
        match self.0 / 24 {
            0 => "Monday",
            1 => "Tuesday",
            2 => "Wednesday",
            3 => "Thursday",
            4 => "Friday",
            5 => "Saturday",
            _ => "Sunday",
        }
    }
}

impl From<u8> for HourOfWeek {
    fn from(hour: u8) -> Self {
        Self::new(hour)
    }
}

impl From<HourOfWeek> for u8 {
    fn from(hour: HourOfWeek) -> Self {
        hour.0
    }
}

impl std::fmt::Display for HourOfWeek {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:02}:00", self.weekday(), self.of_day())
    }
}

/// Working hours: from the start of one hour of the day to the start of another, which may be past midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// 0 to 23.
    pub from: u8,
    /// 0 to 24; equal to `from` means the whole day.
    pub to: u8,
    pub weekend: bool,
}

impl Hours {
    /// Whole hours from `hour` to the nearest working hour, 0 inside them.
    pub fn distance(self, hour: HourOfWeek) -> u8 {
        (0..=84u8)
            .find(|&away| {
                let (forward, back) = (hour.later(away), hour.later(168 - away));
                self.contains(forward) || self.contains(back)
            })
            .unwrap_or(84)
    }

    fn contains(self, hour: HourOfWeek) -> bool {
        let (from, to, hour_of_day) = (self.from % 24, self.to % 24, hour.of_day());
        let in_day = match from.cmp(&to) {
            std::cmp::Ordering::Equal => true,
            std::cmp::Ordering::Less => (from..to).contains(&hour_of_day),
            std::cmp::Ordering::Greater => hour_of_day >= from || hour_of_day < to,
        };
        in_day && (self.weekend || !hour.is_weekend())
    }
}

impl std::fmt::Display for Hours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let days = if self.weekend { "every day" } else { "Monday to Friday" };
        if self.from % 24 == self.to % 24 {
            write!(f, "{days}")
        } else {
            write!(f, "{days}, {:02}:00 to {:02}:00", self.from, self.to)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_of_the_week_is_counted_from_monday_midnight() {
        // 2024-01-01 was a Monday.
        assert_eq!(HourOfWeek::at(1_704_067_200, 0).index(), 0);
        assert_eq!(HourOfWeek::at(1_704_067_200, -60).to_string(), "Sunday 23:00");
        assert_eq!(HourOfWeek::at(1_704_067_200 + 26 * 3600, 120).to_string(), "Tuesday 04:00");
    }

    #[test]
    fn distance_from_the_owners_hours() {
        let office = Hours { from: 9, to: 18, weekend: false };
        assert_eq!(office.distance(HourOfWeek::new(9)), 0);
        assert_eq!(office.distance(HourOfWeek::new(17)), 0);
        assert_eq!(office.distance(HourOfWeek::new(18)), 1);
        assert_eq!(office.distance(HourOfWeek::new(3)), 6);
        assert_eq!(office.distance(HourOfWeek::new(5 * 24 + 12)), 19);
        let night = Hours { from: 22, to: 6, weekend: true };
        assert_eq!(night.distance(HourOfWeek::new(23)), 0);
        assert_eq!(night.distance(HourOfWeek::new(5)), 0);
        assert_eq!(night.distance(HourOfWeek::new(12)), 7);
        let always = Hours { from: 0, to: 24, weekend: true };
        assert_eq!(always.distance(HourOfWeek::new(167)), 0);
    }
}
