use chrono::TimeDelta;
use daypass_domain::{
    ApprovePermit, Ask, AskError, Digest, Request, RequestCommand, RequestError, RequestEvent, RequestPhase,
    Verdict,
};

use crate::{ask, at, obligations, request_id, user};

/// Applies a command at `seconds`, as the server does.
fn run(state: Option<Request>, command: RequestCommand, seconds: i64) -> Result<Request, RequestError> {
    let now = at(seconds);
    let mut state = state.clone();
    for event in Request::decide(state.as_ref(), command, now)? {
        state = Some(Request::apply(state, &event, now)?);
    }
    Ok(state.unwrap())
}

fn submitted(stages: &[(&str, u8)]) -> Request {
    let command = RequestCommand::Submit {
        id: request_id(),
        requester: user("maya"),
        ask: ask(1800),
        obligations: obligations(stages),
        lapses_at: at(3600),
    };
    run(None, command, 0).unwrap()
}

fn verdict(request: &Request, by: &str, stage: usize, verdict: Verdict) -> RequestCommand {
    RequestCommand::Decide {
        permit: ApprovePermit::new(user(by), stage),
        digest: request.digest(),
        verdict,
        note: "seen".into(),
    }
}

fn approve(request: Request, by: &str, stage: usize) -> Result<Request, RequestError> {
    let command = verdict(&request, by, stage, Verdict::Approve);
    run(Some(request), command, 10)
}

#[test]
fn one_approval_of_one_stage_approves() {
    let request = approve(submitted(&[("senior", 1)]), "sam", 0).unwrap();
    assert_eq!(request.phase, RequestPhase::Approved { at: at(10), duration_s: 1800 });
}

#[test]
fn no_stage_approves_at_once() {
    let request = submitted(&[]);
    assert!(matches!(request.phase, RequestPhase::Approved { .. }));
}

#[test]
fn nobody_approves_their_own_request() {
    assert_eq!(approve(submitted(&[("senior", 1)]), "maya", 0), Err(RequestError::OwnRequest));
}

#[test]
fn one_human_counts_once_within_a_stage() {
    let once = approve(submitted(&[("senior", 2)]), "sam", 0).unwrap();
    assert_eq!(once.phase, RequestPhase::Pending);
    assert_eq!(approve(once, "sam", 0), Err(RequestError::DecidedAlready));
}

#[test]
fn one_human_counts_once_across_stages() {
    let first = approve(submitted(&[("senior", 1), ("security", 1)]), "sam", 0).unwrap();
    assert_eq!(approve(first.clone(), "sam", 1), Err(RequestError::DecidedAlready));
    let both = approve(first, "lena", 1).unwrap();
    assert!(matches!(both.phase, RequestPhase::Approved { .. }));
}

#[test]
fn approving_twice_prolongs_nothing() {
    let approved = approve(submitted(&[("senior", 1)]), "sam", 0).unwrap();
    assert_eq!(approve(approved.clone(), "sam", 0), Err(RequestError::DecidedAlready));
    assert_eq!(approve(approved, "priya", 0), Err(RequestError::Closed("approved")));
}

#[test]
fn a_later_stage_waits_for_the_one_before() {
    let request = submitted(&[("senior", 1), ("security", 1)]);
    assert_eq!(approve(request, "lena", 1), Err(RequestError::NotThisStage));
}

#[test]
fn an_edit_voids_what_was_decided_and_what_was_read() {
    let request = submitted(&[("senior", 2)]);
    let read_before = request.digest();
    let request = approve(request, "sam", 0).unwrap();
    let command = RequestCommand::Edit {
        by: user("maya"),
        revision: 1,
        ask: ask(3600),
        obligations: obligations(&[("senior", 2)]),
        lapses_at: at(7200),
    };
    let edited = run(Some(request), command, 20).unwrap();
    assert_eq!((edited.approvals().count(), edited.revision), (0, 2));
    let stale = RequestCommand::Decide {
        permit: ApprovePermit::new(user("priya"), 0),
        digest: read_before,
        verdict: Verdict::Approve,
        note: String::new(),
    };
    assert_eq!(run(Some(edited.clone()), stale, 30), Err(RequestError::Changed));
    assert!(approve(edited, "sam", 0).is_ok(), "who approved the old content may approve the new");
}

#[test]
fn an_approved_request_cannot_be_edited() {
    let approved = approve(submitted(&[("senior", 1)]), "sam", 0).unwrap();
    let command = RequestCommand::Edit {
        by: user("maya"),
        revision: 1,
        ask: ask(3600),
        obligations: obligations(&[]),
        lapses_at: at(7200),
    };
    assert_eq!(run(Some(approved), command, 20), Err(RequestError::Closed("approved")));
}

#[test]
fn less_is_what_the_grant_gets_and_what_later_approvers_decide_on() {
    let request = submitted(&[("senior", 1), ("security", 1)]);
    let before = request.digest();
    let command = verdict(&request, "sam", 0, Verdict::ApproveWithLess { duration_s: 600 });
    let less = run(Some(request), command, 10).unwrap();
    assert_ne!(less.digest(), before, "the later approver decides on the shorter duration");
    let approved = approve(less, "lena", 1).unwrap();
    assert_eq!(approved.phase, RequestPhase::Approved { at: at(10), duration_s: 600 });
}

#[test]
fn less_must_be_less() {
    for duration_s in [0, 1800, 1801] {
        let request = submitted(&[("senior", 1)]);
        let command = verdict(&request, "sam", 0, Verdict::ApproveWithLess { duration_s });
        assert_eq!(run(Some(request), command, 10), Err(RequestError::NotLess), "{duration_s}");
    }
}

#[test]
fn a_denial_and_a_question_need_a_note() {
    for verdict in [Verdict::Deny, Verdict::Ask] {
        let request = submitted(&[("senior", 1)]);
        let command = RequestCommand::Decide {
            permit: ApprovePermit::new(user("sam"), 0),
            digest: request.digest(),
            verdict,
            note: "  ".into(),
        };
        assert_eq!(run(Some(request), command, 10), Err(RequestError::NoteMissing));
    }
}

#[test]
fn a_question_waits_for_the_requester_and_does_not_bar_its_asker() {
    let request = submitted(&[("senior", 1)]);
    let command = verdict(&request, "sam", 0, Verdict::Ask);
    let asked = run(Some(request), command, 10).unwrap();
    assert!(matches!(asked.phase, RequestPhase::Asked { .. }));
    assert!(matches!(approve(asked, "sam", 0).unwrap().phase, RequestPhase::Approved { .. }));
}

#[test]
fn it_lapses_only_in_time_and_then_for_good() {
    let request = submitted(&[("senior", 1)]);
    assert_eq!(run(Some(request.clone()), RequestCommand::Lapse, 3599), Err(RequestError::NotYet));
    let late = verdict(&request, "sam", 0, Verdict::Approve);
    assert_eq!(run(Some(request.clone()), late, 3600), Err(RequestError::Closed("lapsed")));
    let lapsed = run(Some(request), RequestCommand::Lapse, 3600).unwrap();
    assert_eq!(approve(lapsed, "sam", 0), Err(RequestError::Closed("lapsed")));
}

#[test]
fn what_cannot_be_asked_names_its_field() {
    let limits = obligations(&[]);
    let cases: [(&str, fn(&mut Ask), AskError); 8] = [
        ("entitlements", |a| a.entitlements.clear(), AskError::NoEntitlement),
        ("entitlements", |a| a.entitlements.push(crate::entitlement("shop-db")), {
            AskError::Repeated(crate::entitlement("shop-db"))
        }),
        ("duration_s", |a| a.duration_s = 0, AskError::NoDuration),
        ("duration_s", |a| a.duration_s = 14_401, AskError::TooLong { asked: 14_401, limit: 14_400 }),
        ("reason", |a| a.reason = " \n".into(), AskError::EmptyReason),
        ("reason", |a| a.reason = "x".repeat(2001), AskError::LongReason(2001)),
        ("start", |a| a.start = Some(at(-301)), AskError::StartInPast),
        ("start", |a| a.start = Some(at(0) + TimeDelta::days(31)), AskError::StartTooFar),
    ];
    for (field, spoil, error) in cases {
        let mut bad = ask(1800);
        spoil(&mut bad);
        assert_eq!(bad.check(&limits, at(0)), Err(error.clone()));
        assert_eq!(error.field(), field);
    }
    let mut needs_ticket = limits.clone();
    needs_ticket.ticket = true;
    assert_eq!(ask(1800).check(&needs_ticket, at(0)), Err(AskError::NoTicket));
    assert_eq!(ask(1800).check(&limits, at(0)), Ok(()));
}

#[test]
fn events_survive_the_ledger() {
    let request = submitted(&[("senior", 1)]);
    let command = verdict(&request, "sam", 0, Verdict::ApproveWithLess { duration_s: 60 });
    for event in Request::decide(Some(&request), command, at(5)).unwrap() {
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<RequestEvent>(&text).unwrap(), event, "{text}");
    }
    let text = serde_json::to_string(&request).unwrap();
    assert_eq!(serde_json::from_str::<Request>(&text).unwrap(), request);
}

#[test]
fn a_digest_is_64_hexadecimal_digits() {
    let digest = submitted(&[]).digest();
    assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
    assert!("00".parse::<Digest>().is_err());
}
