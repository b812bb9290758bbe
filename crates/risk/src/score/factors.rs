//! The factors one by one: how many points, and the sentence that says why.
//!
//! Each factor's share (0 to 1) never falls when its input gets worse; points are the share of the factor's weight,
//! scaled by what is at stake, rounded. Products and rounding keep the order, so the sum does too.

use super::words::{self, Reader, capitalised, counted};
use super::{Factor, FactorId};
use crate::history::History;
use crate::inputs::Inputs;
use crate::opinion::{Contribution, Opinion};
use crate::reason::Quality;
use crate::weights::Weights;
use daypass_domain::{AccessLevel, Environment, Sensitivity};

pub(super) fn all(
    inputs: &Inputs,
    history: &History,
    weights: &Weights,
    opinion: Option<&Opinion>,
) -> Vec<Factor> {
    let mut factors = at_stake(inputs, weights);
    factors.extend(unusual(inputs, history, weights));
    if let Some(opinion) = opinion {
        factors.extend(learned(opinion, weights.learned.max));
    }
    factors
}

fn at_stake(inputs: &Inputs, weights: &Weights) -> Vec<Factor> {
    let fixed = |id, label: &str, points, max, sentence: String| Factor {
        id,
        label: label.to_owned(),
        points,
        max,
        about: sentence.clone(),
        sentence,
    };
    let changes = match inputs.level {
        AccessLevel::Read => "Read access changes nothing.",
        AccessLevel::Write => "Write access can change data.",
        AccessLevel::Admin => "Admin access can change data, structure and rights.",
    };
    vec![
        fixed(
            FactorId::Sensitivity,
            "Sensitivity",
            weights.sensitivity(inputs.sensitivity),
            weights.sensitivity(Sensitivity::Critical),
            format!("The resource is of {} sensitivity.", inputs.sensitivity),
        ),
        fixed(
            FactorId::Level,
            "Access level",
            weights.level(inputs.level),
            weights.level(AccessLevel::Admin),
            changes.to_owned(),
        ),
        fixed(
            FactorId::Environment,
            "Environment",
            weights.environment(inputs.environment),
            weights.environment(Environment::Prod),
            format!("It runs in {}.", words::environment(inputs.environment)),
        ),
    ]
}

fn unusual(inputs: &Inputs, history: &History, weights: &Weights) -> Vec<Factor> {
    let max = &weights.unusual;
    let stakes = stakes(inputs, weights);
    let factor = |id, label: &str, max: u8, share: f64, tell: &dyn Fn(Reader) -> String| Factor {
        id,
        label: label.to_owned(),
        points: points(max, share * stakes),
        max,
        sentence: capitalised(&tell(Reader::Requester)),
        about: capitalised(&tell(Reader::Other)),
    };
    vec![
        factor(FactorId::Duration, "Duration", max.duration, duration(inputs, history), &|_| {
            duration_sentence(inputs, history)
        }),
        factor(FactorId::HabitHours, "Usual hours", max.habit_hours, habit_hours(history), &|reader| {
            habit_sentence(inputs, history, reader)
        }),
        factor(FactorId::OwnerHours, "Owner's hours", max.owner_hours, owner_hours(inputs), &|_| {
            owner_sentence(inputs)
        }),
        factor(FactorId::FirstTime, "First time", max.first_time, first_time(history), &|reader| {
            first_time_sentence(history, reader)
        }),
        factor(FactorId::Peers, "Peers", max.peers, peers(history), &|reader| match history.peers {
            0 => format!("{} have no peers to compare with.", reader.they()),
            all => format!(
                "{} of {} {} have held this.",
                history.peers_here,
                reader.their(),
                counted(all, "peer")
            ),
        }),
        factor(FactorId::Burst, "Burst", max.burst, burst(history), &|reader| {
            burst_sentence(inputs, history, reader)
        }),
        factor(FactorId::Breadth, "Breadth", max.breadth, breadth(inputs), &|reader| {
            let asked = inputs.entitlements.max(1);
            let noun = if asked == 1 { "entitlement" } else { "entitlements" };
            format!(
                "{asked} {noun} asked for; {} hold {} now.",
                reader.they(),
                counted(inputs.live_grants, "grant")
            )
        }),
        factor(FactorId::Denials, "Recent denials", max.denials, of(history.denials, 3), &|reader| {
            format!(
                "{} of {} requests denied in the last 30 days.",
                counted_none(history.denials),
                reader.their()
            )
        }),
        factor(
            FactorId::Guardrails,
            "Guardrail hits",
            max.guardrails,
            of(inputs.guardrail_hits, 3),
            &|reader| {
                let hits = inputs.guardrail_hits;
                let noun = if hits == 1 { "statement" } else { "statements" };
                format!(
                    "{} of {} {noun} stopped by a guardrail in the last 30 days.",
                    counted_none(hits),
                    reader.their()
                )
            },
        ),
        factor(FactorId::Flags, "Flags", max.flags, of(inputs.flags.saturating_mul(2), 3), &|reader| {
            match inputs.flags {
                0 => format!("no open flag on {} account or device.", reader.their()),
                open => format!("{} open on {} account or device.", counted(open, "flag"), reader.their()),
            }
        }),
        factor(FactorId::Freeze, "Freeze", max.freeze, yes(inputs.freeze), &|_| {
            either(inputs.freeze, "a freeze is in force at that time.", "no freeze is in force.")
        }),
        factor(FactorId::Incident, "Incident", max.incident, yes(inputs.incident), &|_| {
            either(inputs.incident, "an incident is open on this resource.", "no incident is open.")
        }),
        factor(FactorId::Reason, "Reason", max.reason, reason(inputs), &|_| {
            let said = counted(inputs.reason.words, "word");
            match inputs.reason.quality {
                Quality::Telling => format!("the reason says what for, in {said}."),
                Quality::Fair => format!("the reason is short on detail, with {said}."),
                Quality::Thin => format!("the reason has {said} and says little."),
                Quality::Empty => "there is no reason.".to_owned(),
            }
        }),
        factor(FactorId::Ticket, "Ticket", max.ticket, yes(!inputs.ticket), &|_| {
            either(inputs.ticket, "a ticket is named.", "no ticket is named.")
        }),
        factor(FactorId::Device, "Device", max.device, yes(inputs.new_device), &|reader| {
            let their = reader.their();
            let (new, known) = (
                format!("first request from this device of {}s.", their),
                format!("{their} device is known."),
            );
            either(inputs.new_device, &new, &known)
        }),
        factor(FactorId::Network, "Network", max.network, yes(inputs.network_changed), &|reader| {
            let their = reader.their();
            let (new, known) = (
                format!("{their} network changed since the last sign-in."),
                format!("{their} network is the usual one."),
            );
            either(inputs.network_changed, &new, &known)
        }),
    ]
}

/// Between `floor` and 1: how much of the unusual counts, by what the access could harm.
fn stakes(inputs: &Inputs, weights: &Weights) -> f64 {
    let part = f64::from(weights.sensitivity(inputs.sensitivity))
        + f64::from(weights.level(inputs.level))
        + f64::from(weights.environment(inputs.environment));
    let whole = f64::from(weights.sensitivity(Sensitivity::Critical))
        + f64::from(weights.level(AccessLevel::Admin))
        + f64::from(weights.environment(Environment::Prod));
    let share = if whole > 0.0 { part / whole } else { 1.0 };
    weights.unusual.floor + (1.0 - weights.unusual.floor) * share
}

/// The length against a scale from a quarter of an hour to three days, or against four times the habit, whichever
/// is worse.
fn duration(inputs: &Inputs, history: &History) -> f64 {
    let minutes = f64::from(inputs.minutes.max(1));
    let alone = 0.6 * ((minutes / 15.0).log2() / (4320.0f64 / 15.0).log2()).clamp(0.0, 1.0);
    let against_habit = history
        .usual_minutes
        .map_or(0.0, |usual| ((minutes / f64::from(usual.max(1))).log2() / 4.0).clamp(0.0, 1.0));
    alone.max(against_habit)
}

fn duration_sentence(inputs: &Inputs, history: &History) -> String {
    let asked = words::duration(inputs.minutes);
    match history.usual_minutes {
        Some(usual) => format!(
            "{asked} asked for; {} is usual here ({}).",
            words::duration(usual),
            counted(history.approvals, "approval")
        ),
        None => format!("{asked} asked for; nobody was approved here before."),
    }
}

/// Full where none of the person's requests came near this hour; nothing from a quarter of them on. Little history
/// says little, so that two imagined requests at this hour are added to the real ones.
fn habit_hours(history: &History) -> f64 {
    let near = f64::from(history.near_this_hour.min(history.submitted)) + 2.0 * 0.25;
    let all = f64::from(history.submitted) + 2.0;
    (1.0 - near / all / 0.25).clamp(0.0, 1.0)
}

fn habit_sentence(inputs: &Inputs, history: &History, reader: Reader) -> String {
    match history.submitted {
        0 => format!("{}; {} have no usual hours yet.", inputs.hour, reader.they()),
        all => format!(
            "{}; {} of {} {} came near that hour.",
            inputs.hour,
            history.near_this_hour,
            reader.their(),
            counted(all, "request")
        ),
    }
}

fn owner_hours(inputs: &Inputs) -> f64 {
    match inputs.owner_hours.map_or(0, |hours| hours.distance(inputs.hour)) {
        0 => 0.0,
        away => (0.4 + 0.1 * f64::from(away)).min(1.0),
    }
}

fn owner_sentence(inputs: &Inputs) -> String {
    match inputs.owner_hours {
        None => "the owner names no working hours.".to_owned(),
        Some(hours) => match hours.distance(inputs.hour) {
            0 => format!("within the owner's hours ({hours})."),
            away => format!("{} outside the owner's hours ({hours}).", counted(u32::from(away), "hour")),
        },
    }
}

/// Three approvals make a habit; half a year without one unmakes half of it.
fn first_time(history: &History) -> f64 {
    let seldom = match history.approved_here {
        0 => 1.0,
        1 => 0.5,
        2 => 0.25,
        _ => 0.0,
    };
    let long_ago = f64::from(history.days_since_here.unwrap_or(0)) / 180.0;
    f64::max(seldom, 0.5 * long_ago.clamp(0.0, 1.0))
}

fn first_time_sentence(history: &History, reader: Reader) -> String {
    match (history.approved_here, history.days_since_here) {
        (0, _) => format!("the first time {} would hold this.", reader.they()),
        (times, Some(0)) => {
            format!("{} held this {} before, last today.", reader.they(), counted(times, "time"))
        }
        (times, days) => format!(
            "{} held this {} before, last {} ago.",
            reader.they(),
            counted(times, "time"),
            counted(days.unwrap_or(0), "day")
        ),
    }
}

fn peers(history: &History) -> f64 {
    match history.peers {
        // Nobody to compare with is no reassurance, and no alarm either.
        0 => 0.5,
        all => (1.0 - 2.0 * f64::from(history.peers_here.min(all)) / f64::from(all)).clamp(0.0, 1.0),
    }
}

/// Requests of the last hour beyond what is usual for an hour in eight of this person's days.
fn burst(history: &History) -> f64 {
    let hourly = if history.active_days == 0 {
        0.0
    } else {
        f64::from(history.submitted) / f64::from(history.active_days) / 8.0
    };
    let recent = u32::try_from(history.recent.len()).unwrap_or(u32::MAX);
    ((f64::from(recent) - hourly) / 3.0).clamp(0.0, 1.0)
}

fn burst_sentence(inputs: &Inputs, history: &History, reader: Reader) -> String {
    let recent = u32::try_from(history.recent.len()).unwrap_or(u32::MAX);
    let usually = if history.active_days == 0 {
        "there is no pace to compare with".to_owned()
    } else {
        format!("{} usually make {}", reader.they(), words::pace(history.submitted, history.active_days))
    };
    let all_production = inputs.environment == Environment::Prod && history.recent_production == recent;
    let what = if all_production { "production request" } else { "request" };
    match history.recent.last() {
        None => format!("the only request within an hour; {usually}."),
        Some(&first) => {
            let nth = words::ordinal(recent.saturating_add(1));
            format!("{nth} {what} in {}; {usually}.", words::duration(first.max(1)))
        }
    }
}

fn breadth(inputs: &Inputs) -> f64 {
    of(inputs.entitlements.max(1).saturating_add(inputs.live_grants).saturating_sub(1), 5)
}

fn reason(inputs: &Inputs) -> f64 {
    match inputs.reason.quality {
        Quality::Telling => 0.0,
        Quality::Fair => 0.35,
        Quality::Thin => 0.7,
        Quality::Empty => 1.0,
    }
}

/// What was learned, its largest parts by name and the rest together. Their points add up to the share of `max`
/// that the opinion's doubt stands for; a hopeful opinion gives none.
fn learned(opinion: &Opinion, max: u8) -> Vec<Factor> {
    const NAMED: usize = 3;
    let points = points(max, opinion.doubt());
    let mut against: Vec<&Contribution> =
        opinion.contributions.iter().filter(|contribution| contribution.log_odds < 0.0).collect();
    against.sort_by(|a, b| a.log_odds.total_cmp(&b.log_odds));
    let chance = format!("{:.0} %", (opinion.probability * 100.0).clamp(0.0, 100.0));
    if points == 0 || against.is_empty() {
        let sentence = format!("Requests like this one are approved in {chance} of cases.");
        return vec![learned_factor("Past decisions", points, max, sentence)];
    }
    let named = against.get(..NAMED.min(against.len())).unwrap_or_default();
    let whole: f64 = against.iter().map(|contribution| contribution.log_odds).sum();
    let mut left = points;
    let mut factors = Vec::new();
    for contribution in named {
        let part = self::points(points, contribution.log_odds / whole).min(left);
        left -= part;
        factors.push(learned_factor(&learned_label(contribution), part, max, learned_sentence(contribution)));
    }
    let rest =
        format!("All past decisions together: requests like this one are approved in {chance} of cases.");
    factors.push(learned_factor("Past decisions", left, max, rest));
    factors
}

fn learned_factor(label: &str, points: u8, max: u8, sentence: String) -> Factor {
    Factor { id: FactorId::Learned, label: label.to_owned(), points, max, about: sentence.clone(), sentence }
}

fn learned_label(contribution: &Contribution) -> String {
    let names: Vec<&str> = contribution.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
    format!("Past decisions: {}", names.join(" × "))
}

fn learned_sentence(contribution: &Contribution) -> String {
    let values: Vec<String> = contribution
        .attributes
        .iter()
        .map(|attribute| format!("{} {}", attribute.name, attribute.value))
        .collect();
    let what = values.join(" and ");
    if contribution.seen == 0 {
        return format!("No decision yet for {what}.");
    }
    format!(
        "For {what}, {} of {} were approved.",
        contribution.approved,
        counted(contribution.seen, "past request")
    )
}

fn points(max: u8, share: f64) -> u8 {
    let points = (f64::from(max) * share.clamp(0.0, 1.0)).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and max, a u8")]
    let points = points as u8;
    points
}

fn of(number: u32, full: u32) -> f64 {
    (f64::from(number) / f64::from(full)).min(1.0)
}

fn yes(condition: bool) -> f64 {
    f64::from(u8::from(condition))
}

fn either(condition: bool, then: &str, otherwise: &str) -> String {
    if condition { then } else { otherwise }.to_owned()
}

fn counted_none(number: u32) -> String {
    if number == 0 { "none".to_owned() } else { number.to_string() }
}
