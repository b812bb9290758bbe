//! Requests against a reference model: whatever people try, in whatever order, invariant 3 holds.

use std::collections::BTreeSet;

use daypass_domain::{ApprovePermit, Digest, Request, RequestCommand, RequestPhase, Verdict};
use proptest::prelude::*;
use proptest::sample::select;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use crate::{ask, at, obligations, request_id, user};

const PEOPLE: [&str; 5] = ["maya", "sam", "priya", "lena", "tomas"];

/// What a person remembers of a request, told as simply as possible.
#[derive(Clone, Debug)]
struct Model {
    needed: Vec<u8>,
    revision: u32,
    duration_s: u32,
    cap_s: Option<u32>,
    /// Who approved in which stage, of this revision.
    approved: Vec<(usize, &'static str)>,
    open: bool,
    granted_s: Option<u32>,
}

#[derive(Clone, Debug)]
enum Step {
    Decide { by: &'static str, stage: usize, stale: bool, verdict: Verdict },
    Edit { by: &'static str, stale: bool, duration_s: u32 },
    Withdraw { by: &'static str },
}

impl Model {
    fn current(&self) -> Option<usize> {
        (0..self.needed.len()).find(|s| self.count(*s) < usize::from(self.needed[*s]))
    }

    fn count(&self, stage: usize) -> usize {
        self.approved.iter().filter(|(s, _)| *s == stage).map(|(_, by)| by).collect::<BTreeSet<_>>().len()
    }

    fn effective(&self) -> u32 {
        self.cap_s.unwrap_or(self.duration_s)
    }

    fn accepts(&self, step: &Step) -> bool {
        self.open
            && match step {
                Step::Decide { by, stage, stale, verdict } => {
                    *by != "maya"
                        && !self.approved.iter().any(|(_, who)| who == by)
                        && self.current() == Some(*stage)
                        && !stale
                        && match verdict {
                            Verdict::ApproveWithLess { duration_s } => {
                                (1..self.effective()).contains(duration_s)
                            }
                            _ => true,
                        }
                }
                Step::Edit { by, stale, .. } => *by == "maya" && !stale,
                Step::Withdraw { by } => *by == "maya",
            }
    }
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        prop::collection::vec(1..3u8, 1..4)
            .prop_map(|needed| Self {
                needed,
                revision: 1,
                duration_s: 1800,
                cap_s: None,
                approved: Vec::new(),
                open: true,
                granted_s: None,
            })
            .boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Step> {
        let person = select(&PEOPLE[..]);
        let verdict = prop_oneof![
            6 => Just(Verdict::Approve),
            2 => (0..2000u32).prop_map(|duration_s| Verdict::ApproveWithLess { duration_s }),
            1 => Just(Verdict::Deny),
            1 => Just(Verdict::Ask),
        ];
        // Mostly the stage whose turn it is, so that long paths are walked too.
        let stage = prop_oneof![5 => Just(state.current().unwrap_or(0)), 1 => 0..state.needed.len()];
        let stale = prop::bool::weighted(0.1);
        prop_oneof![
            12 => (person.clone(), stage, stale, verdict)
                .prop_map(|(by, stage, stale, verdict)| Step::Decide { by, stage, stale, verdict }),
            2 => (person.clone(), stale, 60..4000u32)
                .prop_map(|(by, stale, duration_s)| Step::Edit { by, stale, duration_s }),
            1 => person.prop_map(|by| Step::Withdraw { by }),
        ]
        .boxed()
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        if !state.accepts(step) {
            return state;
        }
        match step {
            Step::Decide { by, stage, verdict, .. } => match verdict {
                Verdict::Approve => state.approved.push((*stage, by)),
                Verdict::ApproveWithLess { duration_s } => {
                    state.approved.push((*stage, by));
                    state.cap_s = Some(*duration_s);
                }
                Verdict::Deny => state.open = false,
                Verdict::Ask => {}
            },
            Step::Edit { duration_s, .. } => {
                state.revision += 1;
                state.duration_s = *duration_s;
                state.cap_s = None;
                state.approved.clear();
            }
            Step::Withdraw { .. } => state.open = false,
        }
        if state.open && state.current().is_none() {
            state.open = false;
            state.granted_s = Some(state.effective());
        }
        state
    }
}

struct Real {
    request: Request,
    /// A digest that was true before the last edit or the last "less".
    old: Digest,
}

impl StateMachineTest for Real {
    type SystemUnderTest = Self;
    type Reference = Model;

    fn init_test(model: &Model) -> Self {
        let names = ["senior", "owner", "security"];
        let stages: Vec<_> = names.iter().copied().zip(model.needed.iter().copied()).collect();
        let command = RequestCommand::Submit {
            id: request_id(),
            requester: user("maya"),
            ask: ask(model.duration_s),
            obligations: obligations(&stages),
            lapses_at: at(1_000_000),
        };
        let mut state = None;
        for event in Request::decide(None, command, at(0)).unwrap() {
            state = Some(Request::apply(state, &event, at(0)).unwrap());
        }
        Self { request: state.unwrap(), old: Digest::of_bytes(b"never") }
    }

    fn apply(mut real: Self, model: &Model, step: Step) -> Self {
        let before = real.request.clone();
        let command = match step {
            Step::Decide { by, stage, stale, verdict } => RequestCommand::Decide {
                permit: ApprovePermit::new(user(by), stage),
                digest: if stale { real.old } else { before.digest() },
                verdict,
                note: "because".into(),
            },
            Step::Edit { by, stale, duration_s } => RequestCommand::Edit {
                by: user(by),
                revision: if stale { before.revision.wrapping_sub(1) } else { before.revision },
                ask: ask(duration_s),
                obligations: before.obligations.clone(),
                lapses_at: at(1_000_000),
            },
            Step::Withdraw { by } => RequestCommand::Withdraw { by: user(by) },
        };
        if let Ok(events) = Request::decide(Some(&before), command, at(1)) {
            for event in &events {
                real.request = Request::apply(Some(real.request), event, at(1)).unwrap();
            }
            if real.request.digest() != before.digest() {
                real.old = before.digest();
            }
        }
        assert_eq!(real.request.is_open(), model.open, "open or closed as the model says");
        assert_eq!(real.request.revision, model.revision);
        let approved: Vec<_> = real.request.approvals().map(|d| (d.stage, d.by.to_string())).collect();
        let expected: Vec<_> = model.approved.iter().map(|(s, by)| (*s, (*by).to_owned())).collect();
        assert_eq!(approved, expected, "exactly the approvals that the model counts");
        let granted = match real.request.phase {
            RequestPhase::Approved { duration_s, .. } => Some(duration_s),
            _ => None,
        };
        assert_eq!(granted, model.granted_s);
        real
    }

    fn check_invariants(real: &Self, model: &Model) {
        let request = &real.request;
        let humans: Vec<_> = request.approvals().map(|d| &d.by).collect();
        let distinct: BTreeSet<_> = humans.iter().collect();
        assert_eq!(humans.len(), distinct.len(), "a human counts once, across all stages");
        assert!(!humans.contains(&&request.requester), "nobody approves their own request");
        if let RequestPhase::Approved { duration_s, .. } = request.phase {
            for (stage, needed) in model.needed.iter().enumerate() {
                assert!(request.approved_in(stage) >= usize::from(*needed), "stage {stage} has its people");
            }
            assert!(duration_s <= request.ask.duration_s, "never more than was asked");
        }
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn invariant_3_distinct_humans_decide_on_what_they_read(sequential 1..40 => Real);
}
