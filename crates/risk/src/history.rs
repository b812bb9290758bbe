//! What happened before, summed up as it happens.
//!
//! [`HistoryIndex::record`] takes one event at a time, in the order of the ledger, and keeps counts; a question is
//! answered from a few map look-ups, however many events went in. Replaying the ledger gives the same index.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::inputs::HourOfWeek;

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;
/// How long a submission counts towards a burst.
const BURST_WINDOW: i64 = 60 * MINUTE;
/// How long a denial counts.
const DENIAL_WINDOW: i64 = 30 * DAY;
/// More than this many within a window changes no score.
const KEPT: usize = 32;

/// The past of one person with one entitlement, as the score sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Requests this person ever submitted, and on how many days.
    pub submitted: u32,
    pub active_days: u32,
    /// How many of them fell within an hour of the hour asked for, on the same kind of day.
    pub near_this_hour: u32,
    /// How often this person was approved for the entitlement, and how many days ago last.
    pub approved_here: u32,
    pub days_since_here: Option<u32>,
    /// Others in the person's group who ever asked for anything, and those approved for the entitlement.
    pub peers: u32,
    pub peers_here: u32,
    /// How long the entitlement is usually approved for, and out of how many approvals.
    pub usual_minutes: Option<u32>,
    pub approvals: u32,
    /// Minutes since each submission of this person within the last hour, newest first.
    pub recent: Vec<u32>,
    /// How many of those were for production.
    pub recent_production: u32,
    /// Denials of this person in the last 30 days.
    pub denials: u32,
}

/// Something that happened to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    pub step: Step,
    pub person: String,
    /// The group whose members are the person's peers.
    pub peers: String,
    pub entitlement: String,
    /// Seconds since 1970, UTC.
    pub at: i64,
    /// The same moment on the organisation's clock.
    pub hour: HourOfWeek,
    /// How long was asked for, or was approved.
    pub minutes: u32,
    pub production: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Submitted,
    Approved,
    Denied,
}

/// Whose past is wanted, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub person: &'a str,
    pub peers: &'a str,
    pub entitlement: &'a str,
    /// Seconds since 1970, UTC.
    pub now: i64,
    /// The hour at which the access would start.
    pub hour: HourOfWeek,
}

/// The summaries of everybody.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HistoryIndex {
    people: BTreeMap<String, Person>,
    entitlements: BTreeMap<String, Entitlement>,
    groups: BTreeMap<String, Group>,
    events: u64,
}

impl HistoryIndex {
    pub fn record(&mut self, observed: &Observed) {
        self.events = self.events.saturating_add(1);
        let person = self.people.entry(observed.person.clone()).or_default();
        match observed.step {
            Step::Submitted => {
                person.submit(observed);
                self.groups.entry(observed.peers.clone()).or_default().join(&observed.person);
            }
            Step::Approved => {
                person.approve(observed);
                let entitlement = self.entitlements.entry(observed.entitlement.clone()).or_default();
                entitlement.lengths.add(observed.minutes);
                let group = self.groups.entry(observed.peers.clone()).or_default();
                group.join(&observed.person);
                group.hold(&observed.person, &observed.entitlement);
            }
            Step::Denied => keep(&mut person.denials, observed.at, DENIAL_WINDOW),
        }
    }

    /// Answers in microseconds, whatever the number of events.
    pub fn history_for(&self, question: &Question<'_>) -> History {
        let mut history = History::default();
        if let Some(person) = self.people.get(question.person) {
            person.tell(question, &mut history);
        }
        if let Some(group) = self.groups.get(question.peers) {
            let itself = u32::from(group.members.contains(question.person));
            history.peers = count(group.members.len()).saturating_sub(itself);
            if let Some(holders) = group.holders.get(question.entitlement) {
                let itself = u32::from(holders.contains(question.person));
                history.peers_here = count(holders.len()).saturating_sub(itself);
            }
        }
        if let Some(entitlement) = self.entitlements.get(question.entitlement) {
            history.approvals = entitlement.lengths.total;
            history.usual_minutes = entitlement.lengths.median();
        }
        history
    }

    /// How many events went in.
    pub fn events(&self) -> u64 {
        self.events
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Person {
    submitted: u32,
    active_days: u32,
    last_day: Option<i64>,
    /// Submissions by hour of the week.
    hours: BTreeMap<HourOfWeek, u32>,
    held: BTreeMap<String, Held>,
    submissions: VecDeque<Submission>,
    denials: VecDeque<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Held {
    times: u32,
    last: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Submission {
    at: i64,
    production: bool,
}

impl Person {
    fn submit(&mut self, observed: &Observed) {
        self.submitted = self.submitted.saturating_add(1);
        let day = observed.at.div_euclid(DAY);
        if self.last_day.is_none_or(|last| day > last) {
            self.active_days = self.active_days.saturating_add(1);
            self.last_day = Some(day);
        }
        let hour = self.hours.entry(observed.hour).or_default();
        *hour = hour.saturating_add(1);
        self.submissions.push_back(Submission { at: observed.at, production: observed.production });
        while self.submissions.len() > KEPT
            || self
                .submissions
                .front()
                .is_some_and(|first| first.at < observed.at.saturating_sub(BURST_WINDOW))
        {
            self.submissions.pop_front();
        }
    }

    fn approve(&mut self, observed: &Observed) {
        let held =
            self.held.entry(observed.entitlement.clone()).or_insert(Held { times: 0, last: observed.at });
        held.times = held.times.saturating_add(1);
        held.last = held.last.max(observed.at);
    }

    fn tell(&self, question: &Question<'_>, history: &mut History) {
        history.submitted = self.submitted;
        history.active_days = self.active_days;
        history.near_this_hour = self.near(question.hour);
        if let Some(held) = self.held.get(question.entitlement) {
            history.approved_here = held.times;
            let days = question.now.saturating_sub(held.last).max(0) / DAY;
            history.days_since_here = Some(u32::try_from(days).unwrap_or(u32::MAX));
        }
        for submission in self.submissions.iter().rev() {
            let ago = question.now.saturating_sub(submission.at).max(0);
            if ago <= BURST_WINDOW {
                history.recent.push(u32::try_from(ago / MINUTE).unwrap_or(u32::MAX));
                history.recent_production =
                    history.recent_production.saturating_add(u32::from(submission.production));
            }
        }
        let denials =
            self.denials.iter().filter(|&&at| at >= question.now.saturating_sub(DENIAL_WINDOW)).count();
        history.denials = count(denials);
    }

    /// Submissions within an hour of this one, on working days or on weekends, whichever this is.
    fn near(&self, hour: HourOfWeek) -> u32 {
        let days = if hour.is_weekend() { 5..7 } else { 0..5u8 };
        let hours = [hour.of_day() + 23, hour.of_day(), hour.of_day() + 1];
        days.flat_map(|day| hours.map(|hour| HourOfWeek::new(day * 24 + hour % 24)))
            .filter_map(|hour| self.hours.get(&hour))
            .fold(0u32, |sum, &times| sum.saturating_add(times))
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Entitlement {
    lengths: Lengths,
}

/// How often each length of access was approved, in steps that people think in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Lengths {
    total: u32,
    /// By the step's upper end in minutes.
    steps: BTreeMap<u32, u32>,
}

const STEPS: &[u32] =
    &[5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360, 480, 600, 720, 1440, 2880, 4320, 10080];

impl Lengths {
    fn add(&mut self, minutes: u32) {
        let step = STEPS.iter().copied().find(|&step| minutes <= step).unwrap_or(u32::MAX);
        let times = self.steps.entry(step).or_default();
        *times = times.saturating_add(1);
        self.total = self.total.saturating_add(1);
    }

    fn median(&self) -> Option<u32> {
        let middle = self.total.div_ceil(2);
        let mut passed = 0u32;
        self.steps.iter().find_map(|(&step, &times)| {
            passed = passed.saturating_add(times);
            (passed >= middle).then_some(step)
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Group {
    members: BTreeSet<String>,
    /// Who was ever approved, by entitlement.
    holders: BTreeMap<String, BTreeSet<String>>,
}

impl Group {
    fn join(&mut self, person: &str) {
        if !self.members.contains(person) {
            self.members.insert(person.to_owned());
        }
    }

    fn hold(&mut self, person: &str, entitlement: &str) {
        let holders = match self.holders.get_mut(entitlement) {
            Some(holders) => holders,
            None => self.holders.entry(entitlement.to_owned()).or_default(),
        };
        if !holders.contains(person) {
            holders.insert(person.to_owned());
        }
    }
}

fn keep(moments: &mut VecDeque<i64>, at: i64, window: i64) {
    moments.push_back(at);
    while moments.len() > KEPT || moments.front().is_some_and(|&first| first < at.saturating_sub(window)) {
        moments.pop_front();
    }
}

fn count(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_704_067_200 + 12 * 3600;

    fn observed(step: Step, person: &str, at: i64, minutes: u32) -> Observed {
        Observed {
            step,
            person: person.to_owned(),
            peers: "engineering".to_owned(),
            entitlement: "orders-prod:write".to_owned(),
            at,
            hour: HourOfWeek::at(at, 0),
            minutes,
            production: true,
        }
    }

    fn ask(index: &HistoryIndex, person: &str, now: i64) -> History {
        index.history_for(&Question {
            person,
            peers: "engineering",
            entitlement: "orders-prod:write",
            now,
            hour: HourOfWeek::at(now, 0),
        })
    }

    #[test]
    fn nobody_has_no_history() {
        assert_eq!(ask(&HistoryIndex::default(), "ada", NOON), History::default());
    }

    #[test]
    fn counts_follow_the_events() {
        let mut index = HistoryIndex::default();
        for day in 0..4 {
            index.record(&observed(Step::Submitted, "ada", NOON + day * DAY, 30));
        }
        for (person, minutes) in [("ada", 30), ("ada", 30), ("bob", 480)] {
            index.record(&observed(Step::Approved, person, NOON, minutes));
        }
        index.record(&observed(Step::Submitted, "eve", NOON, 30));
        index.record(&observed(Step::Denied, "ada", NOON - 40 * DAY, 30));
        index.record(&observed(Step::Denied, "ada", NOON, 30));
        let now = NOON + 3 * DAY + 20 * MINUTE;
        let history = ask(&index, "ada", now);
        assert_eq!(history.submitted, 4);
        assert_eq!(history.active_days, 4);
        assert_eq!(history.near_this_hour, 4);
        assert_eq!((history.approved_here, history.days_since_here), (2, Some(3)));
        assert_eq!((history.peers, history.peers_here), (2, 1));
        assert_eq!((history.usual_minutes, history.approvals), (Some(30), 3));
        assert_eq!((history.recent, history.recent_production), (vec![20], 1));
        assert_eq!(history.denials, 1);
        assert_eq!(ask(&index, "ada", now + 12 * 3600).near_this_hour, 0);
        assert_eq!(ask(&index, "ada", now + 12 * 3600).recent, Vec::<u32>::new());
    }

    #[test]
    fn replaying_the_stored_summary_changes_nothing() {
        let mut index = HistoryIndex::default();
        for minute in 0..200 {
            index.record(&observed(Step::Submitted, "ada", NOON + minute * MINUTE, 30));
            index.record(&observed(Step::Approved, "ada", NOON + minute * MINUTE, 30));
        }
        let stored = serde_json::to_string(&index).unwrap();
        let mut read: HistoryIndex = serde_json::from_str(&stored).unwrap();
        assert_eq!(read, index);
        let next = observed(Step::Denied, "ada", NOON + DAY, 30);
        read.record(&next);
        index.record(&next);
        assert_eq!(ask(&read, "ada", NOON + DAY), ask(&index, "ada", NOON + DAY));
    }
}
