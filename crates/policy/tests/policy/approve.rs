//! Who may decide, and who is left to.

use daypass_domain::{ApprovePermit, Request, RequestCommand, UserId, Verdict};
use daypass_policy::{Policy, Refusal, RequestFacts, Sources};

use crate::ask::{after, ask, facts, parse, sample, submitted, told, who};

fn names(of: Vec<UserId>) -> String {
    of.iter().map(UserId::as_str).collect::<Vec<_>>().join(" ")
}

fn approved(policy: &Policy, request: Request, by: &str) -> Request {
    let stage = request.current_stage().unwrap();
    let permit = policy.approve(&who(by), &request, stage, &facts()).unwrap();
    let digest = request.digest();
    after(
        Some(request),
        RequestCommand::Decide { permit, digest, verdict: Verdict::Approve, note: String::new() },
    )
}

#[test]
fn a_senior_engineer_decides_on_mayas_request_and_nobody_else() {
    let policy = sample();
    let request = submitted(&policy, "maya", ask(&["shop-db:write"], 30));
    let approve = |by: &str, stage| policy.approve(&who(by), &request, stage, &facts());
    assert_eq!(approve("sam", 0), Ok(ApprovePermit::new(who("sam"), 0)));
    assert_eq!(approve("priya", 0), Ok(ApprovePermit::new(who("priya"), 0)));
    assert_eq!(approve("maya", 0), Err(Refusal::OwnRequest));
    for by in ["jonas", "tomas", "lena", "ravi", "eve"] {
        assert_eq!(approve(by, 0), Err(Refusal::NotMember("Senior engineers".into())), "{by}");
    }
    assert_eq!(approve("sam", 1), Err(Refusal::NoStage));
    assert_eq!(names(policy.approvers(&request, 0, &facts())), "priya sam");
    assert_eq!(names(policy.approvers(&request, 1, &facts())), "");
}

#[test]
fn nobody_approves_their_own_request_whatever_the_policy_says() {
    let mut sources = Sources::sample();
    sources.approve = "@id(\"all\") permit (principal, action == Action::\"approve\", resource);".into();
    let policy = parse(&sources);
    let request = submitted(&policy, "priya", ask(&["shop-db:write"], 30));
    let approve = |by: &str| policy.approve(&who(by), &request, 0, &facts());
    assert_eq!(approve("priya"), Err(Refusal::OwnRequest));
    assert_eq!(names(policy.approvers(&request, 0, &facts())), "sam");
    // Nor does a policy let someone in from outside the group.
    assert_eq!(approve("lena"), Err(Refusal::NotMember("Senior engineers".into())));
}

#[test]
fn the_policy_can_refuse_a_member() {
    let policy = sample();
    let request = submitted(&policy, "maya", ask(&["shop-db-staging:write"], 30));
    assert_eq!(names(policy.approvers(&request, 0, &facts())), "jonas priya");
    let approve = |by: &str, facts: &RequestFacts| policy.approve(&who(by), &request, 0, facts);
    assert_eq!(approve("ravi", &facts()), Err(Refusal::Forbidden("Contractors do not approve.".into())));
    let flagged = RequestFacts { flagged: true, ..facts() };
    assert!(matches!(approve("jonas", &flagged), Err(Refusal::Forbidden(why)) if why.contains("flag")));

    let mut sources = Sources::sample();
    sources.approve = String::new();
    let request = submitted(&policy, "maya", ask(&["shop-db:write"], 30));
    assert_eq!(parse(&sources).approve(&who("sam"), &request, 0, &facts()), Err(Refusal::NotPermitted));
}

#[test]
fn an_error_in_any_policy_refuses() {
    let policy = sample();
    let request = submitted(&policy, "maya", ask(&["shop-db:write"], 30));
    let mut sources = Sources::sample();
    sources.approve.push_str(
        "@id(\"broken\") @reason(\"never\") forbid (principal, action == Action::\"approve\", resource) \
         when { 9223372036854775807 + context.risk > 0 && context.risk < 0 };",
    );
    let policy = parse(&sources);
    let approve =
        |risk_points| policy.approve(&who("sam"), &request, 0, &RequestFacts { risk_points, ..facts() });
    assert!(approve(0).is_ok());
    assert_eq!(approve(1), Err(Refusal::Failed));
    // And so nobody could approve a new one of this risk.
    let new = policy.request(
        &who("maya"),
        &ask(&["shop-db:write"], 30),
        &RequestFacts { risk_points: 1, ..facts() },
    );
    assert!(told(&new).starts_with("no: This needs 1 of Senior engineers to approve"), "{new:?}");
}

#[test]
fn a_person_counts_in_one_stage_only() {
    let policy = sample();
    let request = submitted(&policy, "maya", ask(&["shop-db:admin"], 30));
    let left = |r: &Request, stage| names(policy.approvers(r, stage, &facts()));
    assert_eq!([left(&request, 0), left(&request, 1)], ["priya sam", "jonas priya"]);
    let by_sam = approved(&policy, request.clone(), "sam");
    assert_eq!([left(&by_sam, 0), left(&by_sam, 1)], ["priya", "jonas priya"]);
    let by_priya = approved(&policy, request, "priya");
    assert_eq!([left(&by_priya, 0), left(&by_priya, 1)], ["sam", "jonas"]);
    assert!(approved(&policy, by_priya, "jonas").current_stage().is_none());
}

#[test]
fn someone_who_is_needed_later_is_kept_for_it() {
    let policy = sample();
    // Besides Tomás only Sam owns what the platform team owns, and Sam is a senior engineer too.
    let request = submitted(&policy, "tomas", ask(&["k8s-shop:admin"], 30));
    assert_eq!(names(policy.approvers(&request, 0, &facts())), "priya");
    let refused = policy.approve(&who("sam"), &request, 0, &facts());
    assert_eq!(refused, Err(Refusal::NeededLater("owner".into())));
    let request = approved(&policy, request, "priya");
    assert_eq!(names(policy.approvers(&request, 1, &facts())), "sam");
    assert!(approved(&policy, request, "sam").current_stage().is_none());
}

#[test]
fn a_request_that_nobody_could_ever_approve_is_refused() {
    let two_seniors = r#"@id("two") @stage("senior") @needed("2")
        permit (principal, action == Action::"write", resource in Tag::"orders");"#;
    let mut sources = Sources::sample();
    sources.obligations.push_str(two_seniors);
    let policy = parse(&sources);
    let answer = |by: &str| told(&policy.request(&who(by), &ask(&["shop-db:write"], 30), &facts()));
    assert_eq!(answer("maya"), "senior 2 of senior-engineers, 4h");
    assert_eq!(
        answer("priya"),
        "no: This needs 2 of Senior engineers to approve, and besides you only 1 can."
    );
    // Asked by a senior engineer, the catalogue says the same instead of leaving it out.
    let offers = policy.entitlements(&who("priya"), &facts());
    let offer = offers.iter().find(|o| o.what.to_string() == "shop-db:write").unwrap();
    assert_eq!(told(&offer.answer), answer("priya"));

    // Each stage has someone, but it is the same person.
    let mut sources = Sources::sample();
    sources.org = sources.org.replace("members = [\"sam\", \"priya\"]", "members = [\"sam\"]");
    let policy = parse(&sources);
    let answer = policy.request(&who("tomas"), &ask(&["k8s-shop:admin"], 30), &facts());
    assert_eq!(
        told(&answer),
        "no: The stages senior and owner need 2 different people besides you, and only 1 can be found."
    );
}

#[test]
fn roles_of_people() {
    let policy = sample();
    for (by, reviews, security) in [
        ("maya", true, false),
        ("sam", true, false),
        ("tomas", true, false),
        ("lena", true, true),
        ("ravi", false, false),
        ("eve", false, false),
    ] {
        assert_eq!(policy.reviews(&who(by)), reviews, "{by}");
        assert_eq!(policy.is_security(&who(by)), security, "{by}");
        assert_eq!(policy.may_revoke(&who(by), &who("maya")), security, "{by}");
    }
    assert!(!policy.may_revoke(&who("lena"), &who("lena")), "giving back one's own is a release");
}
