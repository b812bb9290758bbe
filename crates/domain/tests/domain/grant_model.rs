//! Several grants of one person on one resource: whatever happens to one, the others stay as they are (invariant 2).

use daypass_domain::{Grant, GrantCommand, GrantPhase};
use proptest::prelude::*;

use crate::grant::{opened, run};
use crate::{at, user};

#[derive(Clone, Debug)]
enum Step {
    Activate(usize),
    Release(usize),
    Revoke(usize),
    /// Time passes, and everything due expires, as the keeper does it.
    Pass(i64),
    Finish(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3usize).prop_map(Step::Activate),
        (0..3usize).prop_map(Step::Release),
        (0..3usize).prop_map(Step::Revoke),
        (1..2000i64).prop_map(Step::Pass),
        (0..3usize).prop_map(Step::Finish),
    ]
}

fn command(step: &Step) -> Option<(usize, GrantCommand)> {
    match step {
        Step::Activate(i) => Some((*i, GrantCommand::Activate)),
        Step::Release(i) => Some((*i, GrantCommand::Release { by: user("maya") })),
        Step::Revoke(i) => Some((*i, GrantCommand::Revoke { by: user("lena"), note: "x".into() })),
        Step::Finish(i) => Some((*i, GrantCommand::Finish)),
        Step::Pass(_) => None,
    }
}

fn over(grant: &Grant) -> bool {
    matches!(grant.phase, GrantPhase::Ending { .. } | GrantPhase::Ended { .. })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn invariant_2_overlapping_grants_never_end_each_other(steps in prop::collection::vec(step(), 1..40)) {
        let mut grants: Vec<Grant> = (1..=3).map(|id| opened(id, None)).collect();
        let mut now = 0;
        for step in &steps {
            let before = grants.clone();
            match command(step) {
                Some((i, command)) => {
                    if let Ok(after) = run(grants[i].clone(), command, now) {
                        grants[i] = after;
                    }
                    for other in (0..3).filter(|other| *other != i) {
                        prop_assert_eq!(&grants[other], &before[other]);
                    }
                }
                None => {
                    if let Step::Pass(seconds) = step {
                        now += seconds;
                    }
                    for grant in &mut grants {
                        if let Ok(after) = run(grant.clone(), GrantCommand::Expire, now) {
                            *grant = after;
                        }
                    }
                }
            }
            for (grant, before) in grants.iter().zip(&before) {
                prop_assert!(!over(before) || over(grant), "what is over never comes back");
                prop_assert!(before.live.is_none() || grant.live == before.live, "the clock is set once");
                if let Some((starts_at, expires_at)) = grant.live {
                    prop_assert_eq!((expires_at - starts_at).num_seconds(), 1800);
                    // A grant that ended ended because its time was over or because of a step on itself.
                    prop_assert!(!grant.is_live(expires_at));
                }
                prop_assert!(!over(grant) || !grant.is_live(at(now)));
            }
        }
    }
}
