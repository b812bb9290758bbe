//! Requests to score: the one that nobody would look at twice, and any that can be.

use daypass_risk::{
    AccessLevel, Attribute, Contribution, Environment, History, HourOfWeek, Hours, Inputs, Opinion, Quality,
    Reason, Sensitivity,
};
use proptest::prelude::*;

pub fn harmless() -> (Inputs, History) {
    let inputs = Inputs {
        sensitivity: Sensitivity::Low,
        level: AccessLevel::Read,
        offered: vec![AccessLevel::Read, AccessLevel::Write, AccessLevel::Admin],
        environment: Environment::Dev,
        minutes: 15,
        hour: HourOfWeek::new(10),
        owner_hours: Some(Hours { from: 9, to: 18, weekend: false }),
        entitlements: 1,
        live_grants: 0,
        reason: Reason::of("Customer reports duplicate invoices, checking order 4711"),
        ticket: true,
        freeze: false,
        incident: false,
        new_device: false,
        network_changed: false,
        guardrail_hits: 0,
        flags: 0,
    };
    let history = History {
        submitted: 40,
        active_days: 40,
        near_this_hour: 20,
        approved_here: 12,
        days_since_here: Some(2),
        peers: 8,
        peers_here: 6,
        usual_minutes: Some(30),
        approvals: 60,
        recent: vec![],
        recent_production: 0,
        denials: 0,
    };
    (inputs, history)
}

pub fn opinion(log_odds: f64) -> Opinion {
    let attributes = vec![
        Attribute { name: "department".to_owned(), value: "sales".to_owned() },
        Attribute { name: "resource".to_owned(), value: "orders-prod".to_owned() },
    ];
    Opinion {
        model: "test".to_owned(),
        probability: 1.0 / (1.0 + (-log_odds).exp()),
        log_odds,
        base: 2.0,
        contributions: vec![
            Contribution { attributes, log_odds: (log_odds - 2.0) * 1.5, seen: 12, approved: 1 },
            Contribution { attributes: vec![], log_odds: (2.0 - log_odds) * 0.5, seen: 900, approved: 870 },
        ],
    }
}

prop_compose! {
    pub fn any_inputs()(
        (sensitivity, level, environment) in (
            prop::sample::select(vec![Sensitivity::Low, Sensitivity::Moderate, Sensitivity::High, Sensitivity::Critical]),
            prop::sample::select(vec![AccessLevel::Read, AccessLevel::Write, AccessLevel::Admin]),
            prop::sample::select(vec![Environment::Dev, Environment::Staging, Environment::Prod]),
        ),
        minutes in prop_oneof![1u32..2000, any::<u32>()],
        hour in 0u8..168,
        owner_hours in prop::option::of((0u8..24, 0u8..=24, any::<bool>())),
        (entitlements, live_grants) in (1u32..8, 0u32..8),
        quality in prop::sample::select(vec![Quality::Telling, Quality::Fair, Quality::Thin, Quality::Empty]),
        (ticket, freeze, incident, new_device, network_changed) in any::<(bool, bool, bool, bool, bool)>(),
        (guardrail_hits, flags) in (0u32..5, 0u32..5),
    ) -> Inputs {
        Inputs {
            sensitivity, level, environment, minutes, entitlements, live_grants, ticket, freeze, incident, new_device,
            network_changed, guardrail_hits, flags,
            offered: vec![AccessLevel::Read, AccessLevel::Write, AccessLevel::Admin],
            hour: HourOfWeek::new(hour),
            owner_hours: owner_hours.map(|(from, to, weekend)| Hours { from, to, weekend }),
            reason: Reason { quality, words: 3 },
        }
    }
}

prop_compose! {
    pub fn any_history()(
        (submitted, active_days, near_this_hour) in (0u32..100, 0u32..100, 0u32..100),
        (approved_here, days_since_here) in (0u32..6, prop::option::of(0u32..400)),
        (peers, peers_here) in (0u32..20, 0u32..20),
        (usual_minutes, approvals) in (prop::option::of(0u32..2000), 0u32..100),
        recent in prop::collection::vec(0u32..=60, 0..6),
        recent_production in 0u32..6,
        denials in 0u32..6,
    ) -> History {
        History {
            submitted, active_days, near_this_hour, approved_here, days_since_here, peers, peers_here, usual_minutes,
            approvals, recent, recent_production, denials,
        }
    }
}
