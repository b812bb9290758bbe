//! A worse input never lowers the score, alone or together with others.

use daypass_risk::{
    AccessLevel, Environment, History, HourOfWeek, Inputs, Quality, Sensitivity, Weights, score,
};
use proptest::prelude::*;

use crate::requests::{any_history, any_inputs, harmless, opinion};

type Worsen = fn(&mut Inputs, &mut History);

/// Every way in which a request can be worse, one step at a time. A step that cannot be taken changes nothing.
const STEPS: &[(&str, Worsen)] = &[
    ("sensitivity", |inputs, _| {
        inputs.sensitivity = match inputs.sensitivity {
            Sensitivity::Low => Sensitivity::Moderate,
            Sensitivity::Moderate => Sensitivity::High,
            Sensitivity::High | Sensitivity::Critical => Sensitivity::Critical,
        }
    }),
    ("level", |inputs, _| {
        inputs.level = match inputs.level {
            AccessLevel::Read => AccessLevel::Write,
            AccessLevel::Write | AccessLevel::Admin => AccessLevel::Admin,
        }
    }),
    ("environment", |inputs, _| {
        inputs.environment = match inputs.environment {
            Environment::Dev => Environment::Staging,
            Environment::Staging | Environment::Prod => Environment::Prod,
        }
    }),
    ("minute more", |inputs, _| inputs.minutes = inputs.minutes.saturating_add(1)),
    ("twice as long", |inputs, _| inputs.minutes = inputs.minutes.saturating_mul(2)),
    ("shorter habit", |_, history| history.usual_minutes = history.usual_minutes.map(|usual| usual / 2)),
    ("further from the owner's hours", |inputs, _| {
        if let Some(hours) = inputs.owner_hours {
            let next = inputs.hour.later(1);
            if hours.distance(next) > hours.distance(inputs.hour) {
                inputs.hour = next;
            }
        }
    }),
    ("hour less usual", |_, history| history.near_this_hour = history.near_this_hour.saturating_sub(1)),
    ("held less often", |_, history| history.approved_here = history.approved_here.saturating_sub(1)),
    ("held longer ago", |_, history| history.days_since_here = history.days_since_here.map(|days| days + 20)),
    ("fewer peers hold it", |_, history| history.peers_here = history.peers_here.saturating_sub(1)),
    ("one more in the burst", |_, history| history.recent.push(60)),
    ("one more entitlement", |inputs, _| inputs.entitlements += 1),
    ("one more live grant", |inputs, _| inputs.live_grants += 1),
    ("one more denial", |_, history| history.denials += 1),
    ("one more guardrail hit", |inputs, _| inputs.guardrail_hits += 1),
    ("one more flag", |inputs, _| inputs.flags += 1),
    ("freeze", |inputs, _| inputs.freeze = true),
    ("incident", |inputs, _| inputs.incident = true),
    ("worse reason", |inputs, _| {
        inputs.reason.quality = match inputs.reason.quality {
            Quality::Telling => Quality::Fair,
            Quality::Fair => Quality::Thin,
            Quality::Thin | Quality::Empty => Quality::Empty,
        }
    }),
    ("no ticket", |inputs, _| inputs.ticket = false),
    ("new device", |inputs, _| inputs.new_device = true),
    ("changed network", |inputs, _| inputs.network_changed = true),
];

proptest! {
    #[test]
    fn a_worse_input_never_lowers_the_score(
        inputs in any_inputs(),
        history in any_history(),
        log_odds in prop::option::of(-6.0f64..6.0),
        path in prop::collection::vec(0..STEPS.len(), 1..12),
    ) {
        let weights = Weights::default();
        let opinion = log_odds.map(opinion);
        let (mut inputs, mut history) = (inputs, history);
        let mut before = score(&inputs, &history, &weights, opinion.as_ref());
        for step in path {
            STEPS[step].1(&mut inputs, &mut history);
            let after = score(&inputs, &history, &weights, opinion.as_ref());
            prop_assert!(after.points >= before.points, "{}: {} → {}", STEPS[step].0, before.points, after.points);
            for (after, before) in after.factors.iter().zip(&before.factors) {
                prop_assert!(after.points >= before.points, "{}: {:?} → {:?}", STEPS[step].0, before, after);
            }
            before = after;
        }
    }

    #[test]
    fn a_worse_opinion_never_lowers_the_score(
        inputs in any_inputs(), history in any_history(), log_odds in -6.0f64..6.0, worse in 0.0f64..3.0,
    ) {
        let weights = Weights::default();
        let points = |log_odds| score(&inputs, &history, &weights, Some(&opinion(log_odds))).points;
        prop_assert!(points(log_odds - worse) >= points(log_odds));
        prop_assert!(points(log_odds) >= score(&inputs, &history, &weights, None).points);
        prop_assert!(points(log_odds - worse) <= score(&inputs, &history, &weights, None).points + weights.learned.max);
    }

    #[test]
    fn points_are_the_factors_added_up(inputs in any_inputs(), history in any_history(), log_odds in prop::option::of(-6.0f64..6.0)) {
        let weights = Weights::default();
        let opinion = log_odds.map(opinion);
        let first = score(&inputs, &history, &weights, opinion.as_ref());
        let sum: u32 = first.factors.iter().map(|factor| u32::from(factor.points)).sum();
        prop_assert_eq!(u32::from(first.points), sum.min(100));
        prop_assert!(first.factors.iter().all(|factor| factor.points <= factor.max));
        prop_assert!(first.lower.iter().all(|change| change.points_after < first.points));
        prop_assert_eq!(&score(&inputs, &history, &weights, opinion.as_ref()), &first);
        let stored = serde_json::to_string(&first).unwrap();
        prop_assert_eq!(&serde_json::from_str::<daypass_risk::Score>(&stored).unwrap(), &first);
    }
}

/// A step that never mattered would pass the properties above; each must matter to a request in production.
#[test]
fn every_step_matters_somewhere() {
    let weights = Weights::default();
    for (name, worsen) in STEPS {
        let (mut inputs, mut history) = harmless();
        inputs.environment = Environment::Staging;
        inputs.hour = HourOfWeek::new(17);
        history.usual_minutes = Some(60);
        history.recent = vec![1, 2];
        let before = score(&inputs, &history, &weights, None).points;
        for _ in 0..12 {
            worsen(&mut inputs, &mut history);
        }
        if *name == "minute more" {
            inputs.minutes += 600;
        }
        let after = score(&inputs, &history, &weights, None).points;
        assert!(after > before, "{name}: {before} → {after}");
    }
}
