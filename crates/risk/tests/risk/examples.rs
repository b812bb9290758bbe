//! Requests as people make them, with the sentences they read.

use daypass_risk::{
    AccessLevel, Band, Change, Environment, FactorId, HourOfWeek, Hours, Reason, Score, Sensitivity, Weights,
    score,
};

use crate::requests::{harmless, opinion};

fn sentence(score: &Score, id: FactorId) -> (&str, &str) {
    let factor = score.factors.iter().find(|factor| factor.id == id).unwrap();
    (&factor.sentence, &factor.about)
}

#[test]
fn an_everyday_request_is_low() {
    let (inputs, history) = harmless();
    let score = score(&inputs, &history, &Weights::default(), None);
    assert_eq!((score.points, score.band), (0, Band::Low));
    assert_eq!(score.lower, []);
    assert_eq!(sentence(&score, FactorId::Peers).0, "6 of your 8 peers have held this.");
}

#[test]
fn an_alarming_request_is_high_and_says_why() {
    let (mut inputs, mut history) = harmless();
    inputs.sensitivity = Sensitivity::High;
    inputs.level = AccessLevel::Write;
    inputs.environment = Environment::Prod;
    inputs.minutes = 480;
    inputs.hour = HourOfWeek::new(24 + 3);
    inputs.owner_hours = Some(Hours { from: 9, to: 18, weekend: false });
    inputs.reason = Reason::of("need access");
    inputs.ticket = false;
    history.near_this_hour = 0;
    history.approved_here = 0;
    history.days_since_here = None;
    history.recent = vec![5, 20];
    history.recent_production = 2;
    let score = score(&inputs, &history, &Weights::default(), None);
    assert_eq!(score.band, Band::High, "{}", score.points);
    assert_eq!(
        sentence(&score, FactorId::Burst),
        (
            "Third production request in 20 minutes; you usually make one a day.",
            "Third production request in 20 minutes; they usually make one a day."
        )
    );
    assert_eq!(
        sentence(&score, FactorId::Duration).0,
        "8 hours asked for; 30 minutes is usual here (60 approvals)."
    );
    assert_eq!(
        sentence(&score, FactorId::HabitHours).1,
        "Tuesday 03:00; 0 of their 40 requests came near that hour."
    );
    assert_eq!(
        sentence(&score, FactorId::OwnerHours).0,
        "6 hours outside the owner's hours (Monday to Friday, 09:00 to 18:00)."
    );
    assert_eq!(sentence(&score, FactorId::Reason).0, "The reason has 2 words and says little.");
    let read = score.lower.iter().find(|lower| lower.change == Change::Level(AccessLevel::Read)).unwrap();
    assert_eq!(read.sentence, format!("Read instead of write: {} → {}", score.points, read.points_after));
    let shorter = score.lower.iter().find(|lower| lower.change == Change::Minutes(30)).unwrap();
    assert!(shorter.sentence.starts_with("30 minutes instead of 8 hours: "));
    assert!(score.lower.is_sorted_by_key(|lower| lower.points_after));
}

#[test]
fn past_decisions_are_factors_of_their_own() {
    let (inputs, history) = harmless();
    let weights = Weights::default();
    let score = score(&inputs, &history, &weights, Some(&opinion(-2.0)));
    let learned: Vec<_> = score.factors.iter().filter(|factor| factor.id == FactorId::Learned).collect();
    assert_eq!(learned[0].label, "Past decisions: department × resource");
    assert_eq!(
        learned[0].sentence,
        "For department sales and resource orders-prod, 1 of 12 past requests were approved."
    );
    assert_eq!(learned.iter().map(|factor| factor.points).sum::<u8>(), weights.learned.max);
}
