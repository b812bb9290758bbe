//! What the requester could change, and the score it would lead to.

use super::words::{capitalised, duration};
use super::{Change, Counterfactual, factors, total};
use crate::history::History;
use crate::inputs::{HourOfWeek, Inputs};
use crate::opinion::Opinion;
use crate::reason::{Quality, Reason};
use crate::weights::Weights;

/// More suggestions than this are no help.
const SHOWN: usize = 6;

pub(super) fn all(
    points: u8,
    inputs: &Inputs,
    history: &History,
    weights: &Weights,
    opinion: Option<&Opinion>,
) -> Vec<Counterfactual> {
    let mut lower: Vec<Counterfactual> = candidates(inputs, history)
        .into_iter()
        .filter_map(|(change, what, inputs, history)| {
            let after = total(&factors::all(&inputs, &history, weights, opinion));
            (after < points).then(|| Counterfactual {
                change,
                points_after: after,
                sentence: format!("{}: {points} → {after}", capitalised(&what)),
            })
        })
        .collect();
    lower.sort_by_key(|counterfactual| counterfactual.points_after);
    lower.truncate(SHOWN);
    lower
}

fn candidates(inputs: &Inputs, history: &History) -> Vec<(Change, String, Inputs, History)> {
    let mut candidates = Vec::new();
    let mut offer =
        |change, what: String, change_inputs: &dyn Fn(&mut Inputs), change_history: &dyn Fn(&mut History)| {
            let (mut inputs, mut history) = (inputs.clone(), history.clone());
            change_inputs(&mut inputs);
            change_history(&mut history);
            candidates.push((change, what, inputs, history));
        };
    let same = |_: &mut History| {};

    for &offered in inputs.offered.iter().filter(|&&offered| offered < inputs.level) {
        let what = format!("{} instead of {}", offered, inputs.level);
        offer(Change::Level(offered), what, &|inputs| inputs.level = offered, &same);
    }
    let shorter = history.usual_minutes.unwrap_or(30).max(15);
    if shorter < inputs.minutes {
        let what = format!("{} instead of {}", duration(shorter), duration(inputs.minutes));
        offer(Change::Minutes(shorter), what, &|inputs| inputs.minutes = shorter, &same);
    }
    if inputs.entitlements > 1 {
        let what = format!("one entitlement instead of {}", inputs.entitlements);
        offer(Change::OneEntitlement, what, &|inputs| inputs.entitlements = 1, &same);
    }
    if !inputs.ticket {
        offer(Change::AddTicket, "with a ticket".to_owned(), &|inputs| inputs.ticket = true, &same);
    }
    if inputs.reason.quality > Quality::Telling {
        let better = Reason { quality: Quality::Telling, ..inputs.reason };
        offer(
            Change::BetterReason,
            "with a reason that says what for".to_owned(),
            &|inputs| inputs.reason = better,
            &same,
        );
    }
    // Whether the person is usually at work at that hour too is not in the history at hand; it is left as it is.
    if let Some(hour) = working_hour(inputs) {
        let what = format!("starting on {hour}, in the owner's hours");
        offer(Change::OwnerHours, what, &|inputs| inputs.hour = hour, &same);
    }
    if let Some(&newest) = history.recent.first() {
        let wait = 60u32.saturating_sub(newest).max(1);
        let what = format!("in {}, when the burst has passed", duration(wait));
        offer(Change::Wait(wait), what, &|_| {}, &|history| {
            history.recent.clear();
            history.recent_production = 0;
        });
    }
    if inputs.freeze {
        offer(Change::AfterFreeze, "after the freeze".to_owned(), &|inputs| inputs.freeze = false, &same);
    }
    candidates
}

/// The next hour at which the owner is at work, if it is not now.
fn working_hour(inputs: &Inputs) -> Option<HourOfWeek> {
    let hours = inputs.owner_hours?;
    if hours.distance(inputs.hour) == 0 {
        return None;
    }
    (1..168).map(|later| inputs.hour.later(later)).find(|&hour| hours.distance(hour) == 0)
}
