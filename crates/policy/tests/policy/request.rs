//! Who may ask for what, and what it needs.

use daypass_domain::{Ask, AskError, ResourceId};
use daypass_policy::{Policy, RequestAnswer, RequestFacts, Sources};

use crate::ask::{ask, facts, lines, parse, sample, time, told, what, who};

#[test]
fn maya_needs_one_senior_engineer_for_write_on_the_shop() {
    let policy = sample();
    let answer = policy.request(&who("maya"), &ask(&["shop-db:write"], 30), &facts());
    assert_eq!(told(&answer), "senior 1 of senior-engineers, 4h");
}

#[test]
fn answers_to_single_asks() {
    let policy = sample();
    let cases = [
        ("maya", "shop-db-dev:write", "automatic, 8h"),
        ("maya", "shop-db-staging:read", "automatic, 8h"),
        ("maya", "shop-db-staging:write", "peer 1 of payments, 4h"),
        ("maya", "shop-db:read", "senior 1 of senior-engineers, 4h"),
        ("tomas", "shop-db:read", "automatic, 2h"),
        ("maya", "shop-db:admin", "senior 1 of senior-engineers, owner 1 of payments, 1h, ticket"),
        ("maya", "cloud-logs:read", "automatic, 8h"),
        ("maya", "warehouse:read", "senior 1 of senior-engineers, 2h"),
        ("maya", "billing-db:write", "senior 1 of senior-engineers, security 1 of security, 1h, ticket"),
        ("tomas", "bastion:read", "senior 1 of senior-engineers, security 1 of security, 1h, ticket"),
        ("maya", "cloud-prod:read", "no: You are not eligible for read on cloud-prod."),
        ("maya", "secrets-prod:write", "no: You are not eligible for write on secrets-prod."),
        ("maya", "bastion:write", "no: bastion does not offer write."),
        ("maya", "moon:read", "no: There is no resource \"moon\"."),
        ("eve", "shop-db:read", "no: eve is not a person of Fjord Shop."),
        ("ravi", "shop-db-dev:read", "automatic, 8h"),
        ("ravi", "shop-db-dev:write", "no: Contractors get read access only, not write."),
        ("ravi", "shop-db:read", "no: You are not eligible for read on shop-db."),
        // Lena is all of security.
        ("lena", "cloud-prod:read", "no: This needs 1 of Security to approve, and besides you nobody can."),
        // Only Sam and Tomás own what the platform team owns, and contractors do not approve.
        ("jonas", "k8s-shop:admin", "no: You are not eligible for admin on k8s-shop."),
        ("tomas", "k8s-shop:admin", "senior 1 of senior-engineers, owner 1 of platform, 1h, ticket"),
        ("sam", "k8s-shop:admin", "senior 1 of senior-engineers, owner 1 of platform, 1h, ticket"),
    ];
    for (by, entitlement, expected) in cases {
        let answer = policy.request(&who(by), &ask(&[entitlement], 30), &facts());
        assert_eq!(told(&answer), expected, "{by} {entitlement}");
    }
}

#[test]
fn an_ask_for_several_needs_what_each_of_them_needs() {
    let policy = sample();
    let answer = |of: &[&str]| told(&policy.request(&who("maya"), &ask(of, 30), &facts()));
    assert_eq!(answer(&["shop-db-dev:write", "cloud-logs:read"]), "automatic, 8h");
    // One senior engineer for both, not two; the shorter of both times.
    assert_eq!(answer(&["shop-db:write", "warehouse:read"]), "senior 1 of senior-engineers, 2h");
    assert_eq!(
        answer(&["billing-db:read", "shop-db-staging:write", "shop-db:admin"]),
        "peer 1 of payments, senior 1 of senior-engineers, security 1 of security, 1h, ticket"
    );
    // One that is denied denies all, and each reason is said once.
    assert_eq!(
        answer(&["shop-db:write", "cloud-prod:read", "moon:read"]),
        "no: You are not eligible for read on cloud-prod. There is no resource \"moon\"."
    );
    assert_eq!(answer(&[]), "no: Choose at least one resource.");
}

#[test]
fn the_same_group_takes_the_highest_number() {
    let mut sources = Sources::sample();
    sources.obligations.push_str(
        r#"@id("two-seniors-for-orders") @stage("senior") @needed("2")
           permit (principal, action in Action::"request", resource in Tag::"orders") when { resource.rank >= 3 };"#,
    );
    let policy = parse(&sources);
    let answer = policy.request(&who("maya"), &ask(&["warehouse:read", "shop-db:write"], 30), &facts());
    assert_eq!(told(&answer), "senior 2 of senior-engineers, 2h");
}

#[test]
fn two_tiers_of_one_group_want_different_people() {
    // The platform team's owners are the senior engineers now, so senior and owner are the same two people.
    let mut sources = Sources::sample();
    let platform = "id = \"platform\"\nname = \"Platform\"\n";
    assert!(sources.org.contains(platform));
    sources.org = sources.org.replacen(platform, &format!("{platform}owners = \"senior-engineers\"\n"), 1);
    let policy = parse(&sources);
    let answer = |by: &str| told(&policy.request(&who(by), &ask(&["k8s-shop:admin"], 30), &facts()));
    assert_eq!(answer("tomas"), "senior 2 of senior-engineers, 1h, ticket");
    assert_eq!(answer("sam"), "no: This needs 2 of Senior engineers to approve, and besides you only 1 can.");
}

#[test]
fn a_high_risk_adds_security() {
    let policy = sample();
    let at = |risk_points| RequestFacts { risk_points, ..facts() };
    let answer = |risk| told(&policy.request(&who("maya"), &ask(&["shop-db:write"], 30), &at(risk)));
    assert_eq!(answer(59), "senior 1 of senior-engineers, 4h");
    assert_eq!(answer(60), "senior 1 of senior-engineers, security 1 of security, 4h");
    assert_eq!(
        answer(95),
        "no: The risk of this request is too high; ask for less, for a shorter time, or at another hour."
    );
}

#[test]
fn a_flag_and_a_new_device_are_said_as_such() {
    let policy = sample();
    let flagged = RequestFacts { flagged: true, ..facts() };
    let answer = policy.offer(&who("maya"), &what("shop-db-dev:read"), &flagged);
    assert!(told(&answer).starts_with("no: You cannot ask for access until security"), "{answer:?}");
    let new = RequestFacts { device_is_new: true, ..facts() };
    let answer = policy.offer(&who("maya"), &what("shop-db:admin"), &new);
    assert!(told(&answer).starts_with("no: This device is new"), "{answer:?}");
    assert!(policy.offer(&who("maya"), &what("shop-db:write"), &new).allowed().is_some());
}

#[test]
fn a_freeze_denies_until_its_end() {
    let policy = sample();
    let at = |now: &str| RequestFacts::at(time(now));
    let answer = |a: &Ask, now: &str| told(&policy.request(&who("maya"), a, &at(now)));
    let half_hour = ask(&["shop-db:write"], 30);
    let frozen = "no: Christmas and New Year (23 Dec 2026 18:00 CET to 4 Jan 2027 08:00 CET): few people are there \
                  to help when something breaks. [until 2027-01-04T07:00Z]";
    assert_eq!(answer(&half_hour, "2026-12-24T10:00:00Z"), frozen);
    // Access that would run into it is denied too; access that ends as it begins is not.
    assert_eq!(answer(&half_hour, "2026-12-23T16:30:01Z"), frozen);
    assert_eq!(answer(&half_hour, "2026-12-23T16:30:00Z"), "senior 1 of senior-engineers, 4h");
    assert_eq!(answer(&half_hour, "2027-01-04T07:00:00Z"), "senior 1 of senior-engineers, 4h");
    // It is about changes to production.
    assert!(answer(&ask(&["shop-db:read"], 30), "2026-12-24T10:00:00Z").starts_with("senior"));
    assert!(answer(&ask(&["shop-db-staging:write"], 30), "2026-12-24T10:00:00Z").starts_with("peer"));
    // A start inside the freeze counts, not the moment of asking.
    let later = Ask { start: Some(time("2026-12-24T10:00:00Z")), ..half_hour.clone() };
    assert_eq!(answer(&later, "2026-12-20T10:00:00Z"), frozen);
    // Of two freezes the one that ends last.
    let billing = answer(&ask(&["billing-db:write"], 30), "2027-01-02T10:00:00Z");
    assert!(billing.ends_with("[until 2027-01-08T07:00Z]"), "{billing}");
    // When something else is in the way as well, its end alone is no promise.
    let both = answer(&ask(&["shop-db:write", "cloud-prod:read"], 30), "2026-12-24T10:00:00Z");
    assert!(both.contains("Christmas") && both.contains("not eligible") && !both.contains("until"), "{both}");
}

#[test]
fn the_catalogue_leaves_out_what_one_is_not_eligible_for_and_keeps_what_is_frozen() {
    let policy = sample();
    let of = |by: &str, now: &str| policy.entitlements(&who(by), &RequestFacts::at(time(now)));
    let maya = of("maya", "2026-12-24T10:00:00Z");
    let find = |text: &str| maya.iter().find(|o| o.what == what(text)).map(|o| told(&o.answer));
    assert!(find("shop-db:write").unwrap().contains("[until 2027-01-04T07:00Z]"));
    assert_eq!(find("shop-db-dev:admin").unwrap(), "automatic, 8h");
    assert_eq!(find("cloud-prod:read"), None);
    // Ravi may read what is not production, and would not be eligible for more without the forbid either.
    let ravi = of("ravi", "2026-11-24T11:00:00Z");
    assert!(!ravi.is_empty() && ravi.iter().all(|o| o.what.level.as_str() == "read"), "{ravi:?}");
    assert!(of("eve", "2026-11-24T11:00:00Z").is_empty());
}

#[test]
fn a_permit_whose_condition_does_not_hold_now_says_so() {
    let policy = sample();
    // Sam reads everything as a platform engineer; Priya reads the keys as a senior engineer, at working hours.
    let at = |now: &str| {
        told(&policy.offer(&who("priya"), &what("secrets-prod:read"), &RequestFacts::at(time(now))))
    };
    assert!(at("2026-11-24T11:00:00Z").starts_with("senior"), "{}", at("2026-11-24T11:00:00Z"));
    let night = "no: Critical resources can be read at working hours of the team that owns them.";
    assert_eq!(at("2026-11-24T21:00:00Z"), night);
    // 17:30 UTC is 18:30 in Berlin.
    assert_eq!(at("2026-11-24T17:30:00Z"), night);
    assert_eq!(at("2026-11-22T11:00:00Z"), night, "a Sunday");
}

#[test]
fn the_duration_is_left_to_the_ask() {
    let policy = sample();
    let long = ask(&["shop-db:write"], 24 * 60);
    let answer = policy.request(&who("maya"), &long, &facts());
    let obligations = answer.allowed().expect("policy has nothing against it").clone();
    let refused = long.check(&obligations, facts().now);
    assert_eq!(refused, Err(AskError::TooLong { asked: 86_400, limit: 14_400 }));
    // There is no shortest duration.
    let mut short = ask(&["shop-db:write"], 0);
    short.duration_s = 2;
    assert_eq!(policy.request(&who("maya"), &short, &facts()), answer);
    assert_eq!(short.check(&obligations, facts().now), Ok(()));
}

/// An integer overflow is the error that a strictly validated policy can still have.
const OVERFLOW: &str = "9223372036854775807 + context.risk > 0";

#[test]
fn an_error_in_any_policy_denies() {
    let at = |risk_points| RequestFacts { risk_points, ..facts() };
    let broken = [
        format!(
            "@id(\"broken\") @reason(\"never\") forbid (principal, action, resource) when {{ {OVERFLOW} && context.risk < 0 }};"
        ),
        format!("@id(\"broken\") permit (principal, action, resource) when {{ {OVERFLOW} }};"),
    ];
    for policy in broken {
        let mut sources = Sources::sample();
        sources.request.push_str(&policy.replace("action,", "action in Action::\"request\","));
        let policy = parse(&sources);
        let answer = |risk| policy.request(&who("maya"), &ask(&["shop-db:write"], 30), &at(risk));
        assert!(answer(0).allowed().is_some());
        assert_eq!(
            told(&answer(1)),
            "no: The policy broken could not be evaluated, so this is denied; tell your security team."
        );
    }
    let mut sources = Sources::sample();
    sources.obligations.push_str(&format!(
        "@id(\"broken\") @stage(\"security\") permit (principal, action in Action::\"request\", resource) \
         when {{ {OVERFLOW} }};"
    ));
    let policy = parse(&sources);
    let answer = policy.request(&who("maya"), &ask(&["shop-db:write"], 30), &at(1));
    assert!(matches!(&answer, RequestAnswer::Denied { why, .. } if why[0].contains("broken")), "{answer:?}");
}

#[test]
fn what_no_obligation_covers_is_denied() {
    let mut sources = Sources::sample();
    sources.obligations =
        "@id(\"time\") @max_duration(\"1h\") permit (principal, action in Action::\"request\", resource);"
            .into();
    let answer = |s: &Sources| told(&parse(s).request(&who("maya"), &ask(&["shop-db:write"], 30), &facts()));
    assert!(
        answer(&sources).starts_with("no: write on shop-db is denied: no obligation says who approves it")
    );
    sources.obligations = sources.obligations.replace("@max_duration(\"1h\")", "@stage(\"automatic\")");
    assert!(answer(&sources).starts_with("no: write on shop-db is denied: no obligation says how long"));
    sources.obligations = String::new();
    assert!(
        answer(&sources).starts_with("no: write on shop-db is denied: no obligation says who approves it")
    );
}

#[test]
fn an_incident_is_open_on_what_it_names_until_its_end() {
    let mut sources = Sources::sample();
    sources.org.push_str(
        r#"
[[incident]]
name = "INC-2041"
from = 2026-11-24T03:10:00Z
to = 2026-11-24T05:00:00Z
resources = ["shop-db"]

[[incident]]
name = "INC-2042: the region is down"
from = 2026-11-24T04:00:00+01:00
environments = ["prod"]
"#,
    );
    let policy = parse(&sources);
    let open = |resource: &str, now: &str| {
        let org = policy.org();
        let resource = org.resource(&ResourceId::new(resource).unwrap()).unwrap();
        org.incident(resource, time(now)).map(|incident| incident.name.clone())
    };
    assert_eq!(open("shop-db", "2026-11-24T02:59:59Z"), None);
    assert_eq!(open("shop-db", "2026-11-24T03:00:00Z").as_deref(), Some("INC-2042: the region is down"));
    assert_eq!(open("shop-db", "2026-11-24T03:10:00Z").as_deref(), Some("INC-2041"), "the latest counts");
    assert_eq!(open("shop-db", "2026-11-24T05:00:00Z").as_deref(), Some("INC-2042: the region is down"));
    assert_eq!(open("shop-db-dev", "2026-11-24T04:00:00Z"), None);
    sources.org.push_str("resources = [\"nothing-here\"]\n");
    let errors = lines(&Policy::parse(&sources).unwrap_err());
    assert!(errors.contains("INC-2042: the region is down: \"nothing-here\" is not a resource"), "{errors}");
}
