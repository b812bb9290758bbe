//! The time in this window: the shell's, carried on between two snapshots.

use chrono::{Datelike, TimeDelta, TimeZone, Timelike, Utc};
use daypass_domain::Timestamp;
use wasm_bindgen::JsValue;

/// Milliseconds since the window opened. They stand still while the machine sleeps; the shell sends a snapshot when
/// it wakes.
pub fn ticks() -> f64 {
    web_sys::window().and_then(|w| w.performance()).map_or(0.0, |p| p.now())
}

/// `since` carried on by the milliseconds that passed from `at` to now.
pub fn carry_on(since: Timestamp, at: f64) -> Timestamp {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cast saturates, and a window lives less than that"
    )]
    let passed = (ticks() - at).max(0.0) as i64;
    since.checked_add_signed(TimeDelta::milliseconds(passed)).unwrap_or(since)
}

/// A moment in the time zone of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Civil {
    pub year: i32,
    /// 0 to 11.
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    /// 0 is Sunday.
    pub weekday: u32,
}

impl Civil {
    pub fn of(at: Timestamp) -> Self {
        let offset =
            js_sys::Date::new(&JsValue::from_f64(at.timestamp_millis() as f64)).get_timezone_offset();
        #[expect(clippy::cast_possible_truncation, reason = "a zone's offset is some hundred minutes")]
        let local = at - TimeDelta::minutes(offset as i64);
        Self {
            year: local.year(),
            month: local.month0(),
            day: local.day(),
            hour: local.hour(),
            minute: local.minute(),
            weekday: local.weekday().num_days_from_sunday(),
        }
    }

    /// The moment that a clock on this machine's wall shows this.
    pub fn moment(self) -> Option<Timestamp> {
        let year = u32::try_from(self.year).ok()?;
        let date = js_sys::Date::new_with_year_month_day_hr_min(
            year,
            i32::try_from(self.month).ok()?,
            i32::try_from(self.day).ok()?,
            i32::try_from(self.hour).ok()?,
            i32::try_from(self.minute).ok()?,
        );
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds of civil time fit")]
        let ms = date.get_time() as i64;
        Utc.timestamp_millis_opt(ms).single()
    }

    pub fn same_day(self, other: Self) -> bool {
        (self.year, self.month, self.day) == (other.year, other.month, other.day)
    }

    pub fn clock(self) -> String {
        format!("{:02}:{:02}", self.hour, self.minute)
    }
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// "Today", "Tomorrow", "Yesterday" or "Mon 24 Nov", with the year when it is another.
pub fn day(at: Timestamp, now: Timestamp) -> String {
    let (civil, today) = (Civil::of(at), Civil::of(now));
    if civil.same_day(today) {
        return "Today".into();
    }
    if civil.same_day(Civil::of(now + TimeDelta::days(1))) {
        return "Tomorrow".into();
    }
    if civil.same_day(Civil::of(now - TimeDelta::days(1))) {
        return "Yesterday".into();
    }
    let weekday = DAYS.get(civil.weekday as usize).copied().unwrap_or_default();
    let month = MONTHS.get(civil.month as usize).copied().unwrap_or_default();
    let year = if civil.year == today.year { String::new() } else { format!(" {}", civil.year) };
    format!("{weekday} {} {month}{year}", civil.day)
}

/// "14:32" for today, else "tomorrow 14:32" or "Mon 24 Nov 14:32".
pub fn when(at: Timestamp, now: Timestamp) -> String {
    let clock = Civil::of(at).clock();
    match day(at, now).as_str() {
        "Today" => clock,
        "Tomorrow" => format!("tomorrow {clock}"),
        "Yesterday" => format!("yesterday {clock}"),
        day => format!("{day}, {clock}"),
    }
}
