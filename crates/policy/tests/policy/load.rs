//! What is read, and what is refused with the place of the mistake.

use daypass_policy::{Connector, Policy, SecretRef, Sources};

use crate::ask::{lines, parse, sample, time, what};

/// Parses the sample with one text replaced; the text must be there.
fn refused(change: impl FnOnce(&mut Sources)) -> String {
    let mut sources = Sources::sample();
    change(&mut sources);
    lines(&Policy::parse(&sources).expect_err("it is broken"))
}

fn swap(text: &mut String, from: &str, to: &str) {
    assert!(text.contains(from), "the sample has no {from}");
    *text = text.replacen(from, to, 1);
}

/// The line of `needle` in `text`, from 1.
fn line(text: &str, needle: &str) -> usize {
    1 + text.lines().position(|l| l.contains(needle)).unwrap()
}

#[test]
fn a_broken_organisation_is_refused_with_its_line() {
    let cases = [
        ("security = \"security\"", "security = \"securty\"", "org.toml:{}: securty: is not a group\n"),
        (
            "members = [\"tomas\"]",
            "members = [\"thomas\"]",
            "org.toml:{}: on-call: \"thomas\" is not a person\n",
        ),
        ("members = [\"tomas\"]", "members = [\"tomas\", \"tomas\"]", "org.toml:{}: tomas: is named twice\n"),
        ("id = \"jonas\"", "id = \"maya\"", "org.toml:{}: maya: is named twice\n"),
        ("id = \"shop-db-dev\"", "id = \"shop-db\"", "org.toml:{}: shop-db: is named twice\n"),
        ("id = \"on-call\"", "id = \"payments\"", "org.toml:{}: payments: is named twice\n"),
        ("team = \"payments\"", "team = \"on-call\"", "org.toml:{}: maya: \"on-call\" is not a team\n"),
        (
            "owner = \"data\"",
            "owner = \"dada\"",
            "org.toml:{}: warehouse-dev: its owner \"dada\" is not a team\n",
        ),
        ("owners = \"platform\"", "owners = \"plattform\"", "org.toml:{}: plattform: is not a group\n"),
        (
            "time_zone = \"Asia/Kolkata\"",
            "time_zone = \"Asia/Kolkatta\"",
            "org.toml:{}: Asia/Kolkatta: is not a time zone",
        ),
        (
            "from = 2026-07-01T00:00:00+02:00",
            "from = 2026-07-01",
            "org.toml:{}: Summer sale: needs date, time and offset",
        ),
        (
            "resources = [\"billing-db\",",
            "resources = [\"biling-db\",",
            "org.toml:{}: Year-end closing: \"biling-db\" is not a resource\n",
        ),
        (
            "hours = { from = 9, to = 17 }",
            "hours = { from = 9, to = 25 }",
            "org.toml:{}: data: hours go from 0 to 23 and to 24\n",
        ),
        ("kind = \"mysql\"", "kind = \"oracle\"", "org.toml:{}: unknown variant `oracle`"),
        (
            "email = \"lena@fjord.example\"",
            "mail = \"lena@fjord.example\"",
            "org.toml:{}: unknown field `mail`",
        ),
        ("id = \"lena\"", "id = \"Lena\"", "org.toml:{}: \"Lena\" is not a name of"),
        ("name = \"Lena Fischer\"", "name = Lena", "org.toml:{}: "),
    ];
    for (from, to, expected) in cases {
        let mut at = 0;
        let said = refused(|s| {
            swap(&mut s.org, from, to);
            // The wrong text stands once at its place; what is named twice is complained about the second time.
            at = if to.contains("\"maya\"") || to.contains("\"payments\"") || to.contains("\"shop-db\"") {
                1 + s.org.lines().enumerate().filter(|(_, l)| *l == to).map(|(i, _)| i).nth(1).unwrap()
            } else {
                line(&s.org, to)
            };
        });
        let expected = expected.replace("{}", &at.to_string());
        assert!(said.lines().any(|l| l.starts_with(expected.trim_end())), "{to}: {said}");
    }
}

#[test]
fn a_resource_without_an_owner_or_a_level_is_refused() {
    let said = refused(|s| swap(&mut s.org, "owner = \"payments\"\n", ""));
    assert!(said.starts_with("org.toml:") && said.contains("missing field `owner`"), "{said}");
    let said = refused(|s| swap(&mut s.org, "levels = [\"read\", \"write\", \"admin\"]", "levels = []"));
    assert!(said.contains("shop-db-dev: must offer at least one level, each once"), "{said}");
    let said = refused(|s| {
        swap(&mut s.org, "levels = [\"read\", \"write\", \"admin\"]", "levels = [\"read\", \"read\"]")
    });
    assert!(said.contains("shop-db-dev: must offer at least one level, each once"), "{said}");
}

#[test]
fn every_mistake_of_the_organisation_is_said_at_once() {
    let said = refused(|s| {
        swap(&mut s.org, "members = [\"tomas\"]", "members = [\"thomas\"]");
        swap(&mut s.org, "owner = \"data\"", "owner = \"dada\"");
    });
    assert_eq!(said.lines().count(), 2, "{said}");
}

#[test]
fn a_broken_policy_is_refused_with_its_place() {
    let permit = |rest: &str| format!("\n{rest}\npermit (principal, action == Action::\"read\", resource);");
    let forbid = |rest: &str| format!("\n{rest}\nforbid (principal, action == Action::\"read\", resource);");
    let when = |id: &str, when: &str| {
        format!(
            "\n@id(\"{id}\")\npermit (principal, action == Action::\"read\", resource)\nwhen {{ {when} }};"
        )
    };
    let lines_before = Sources::sample().request.lines().count();
    // The line is counted from the end of the sample: 1 is the empty one, 2 the annotation, 3 the effect, 4 `when`.
    let cases = [
        (when("x", "resource.rnk < 3"), 4, "x: for policy `x`, attribute `rnk` "),
        (when("x", "context.risk < \"a\""), 4, "x: "),
        (when("x", "context.risk << 3"), 4, "unexpected token"),
        (
            when("x", "principal in Group::\"enginering\""),
            2,
            "x: names Group::\"enginering\", which does not exist",
        ),
        (when("x", "resource in Tag::\"shopp\""), 2, "x: names Tag::\"shopp\", which does not exist"),
        (when("freeze", "true"), 2, "freeze: is named twice"),
        (permit("@reason(\"r\")"), 2, "every policy needs an @id"),
        (
            permit("@id(\"x\") @resaon(\"r\")"),
            2,
            "x: @resaon means nothing here; use reason, until, otherwise",
        ),
        (permit("@id(\"x\") @until(\"freeze\")"), 2, "x: @until goes with a forbid"),
        (permit("@id(\"x\") @otherwise(\"\")"), 2, "x: @otherwise is empty"),
        (forbid("@id(\"x\")"), 2, "x: a forbid needs a @reason"),
        (forbid("@id(\"x\") @reason(\"r\") @otherwise(\"o\")"), 2, "x: @otherwise goes with a permit"),
        (forbid("@id(\"x\") @reason(\"r\") @until(\"monday\")"), 2, "x: @until can only be \"freeze\""),
        (
            "\n@id(\"x\")\npermit (principal == ?principal, action, resource);".to_owned(),
            2,
            "templates are not used here",
        ),
    ];
    for (policy, at, expected) in cases {
        let said = refused(|s| s.request.push_str(&policy));
        let place = format!("request.cedar:{}: ", lines_before + at);
        let place = if expected.starts_with("templates") { "request.cedar: ".into() } else { place };
        assert!(said.starts_with(&place) && said.contains(expected), "{policy}: {said}");
    }
}

#[test]
fn a_broken_obligation_is_refused_with_its_place() {
    let cases = [
        ("@stage(\"boss\")", "x: @stage(\"boss\") is not automatic, peer, senior, owner or security"),
        ("@stage(\"peer\") @needed(\"0\")", "x: @needed(\"0\") is not a number from 1 to 9"),
        ("@stage(\"automatic\") @needed(\"1\")", "x: @needed does not go with"),
        ("@needed(\"2\") @max_duration(\"1h\")", "x: @needed goes with a @stage"),
        ("@max_duration(\"soon\")", "x: @max_duration(\"soon\") is not a time"),
        ("@ticket(\"maybe\")", "x: @ticket(\"maybe\") can only be \"required\""),
        ("@max_duraton(\"1h\")", "x: @max_duraton means nothing here"),
        ("@reason(\"r\")", "x: says nothing"),
    ];
    let lines_before = Sources::sample().obligations.lines().count();
    for (annotations, expected) in cases {
        let said = refused(|s| {
            s.obligations.push_str(&format!(
                "@id(\"x\") {annotations} permit (principal, action == Action::\"read\", resource);"
            ));
        });
        let place = format!("obligations.cedar:{}: {expected}", lines_before + 1);
        assert!(said.starts_with(&place), "{annotations}: {said}");
    }
    let said = refused(|s| {
        s.obligations
            .push_str("@id(\"x\") @reason(\"r\") forbid (principal, action == Action::\"read\", resource);");
    });
    assert!(said.contains("x: obligations are permits"), "{said}");
}

#[test]
fn a_schema_that_does_not_fit_is_refused() {
    let said = refused(|s| swap(&mut s.schema, "rank: Long,", "rank: Long, cost: Long,"));
    assert!(said.starts_with("schema.cedarschema: does not fit what daypass tells policies"), "{said}");
    let said = refused(|s| swap(&mut s.schema, "  ticket: Bool,            // a ticket is named\n", ""));
    assert!(said.starts_with("schema.cedarschema: does not fit what daypass tells policies"), "{said}");
    let said = refused(|s| swap(&mut s.schema, "entity Group;", "entity Group"));
    assert!(said.starts_with("schema.cedarschema:"), "{said}");
}

#[test]
fn mistakes_in_several_files_are_said_together() {
    let said = refused(|s| {
        s.request.push_str("permit (principal, action == Action::\"read\", resource);");
        s.approve.push_str("permit (principal, action == Action::\"approve\", resource);");
        s.obligations.push_str("permit (principal, action == Action::\"read\", resource);");
    });
    let files: Vec<_> = said.lines().map(|l| l.split(':').next().unwrap()).collect();
    assert_eq!(files, ["request.cedar", "approve.cedar", "obligations.cedar"]);
}

#[test]
fn a_folder_is_read_file_by_file() {
    let sample = Sources::sample();
    let read = Sources::read(|name| match name {
        "org.toml" => Ok(sample.org.clone()),
        "schema.cedarschema" => Ok(sample.schema.clone()),
        "request.cedar" => Ok(sample.request.clone()),
        "approve.cedar" => Ok(sample.approve.clone()),
        "obligations.cedar" => Ok(sample.obligations.clone()),
        other => Err(other.to_owned()),
    });
    assert_eq!(read.as_ref(), Ok(&sample));
    assert_eq!(parse(&read.unwrap()).digest(), sample.digest());
    assert_eq!(Sources::read(|name| Err::<String, _>(name.to_owned())), Err("org.toml".to_owned()));
}

#[test]
fn connectors_are_filled_in_with_the_variables_of_the_server() {
    let shop = what("shop-db:read").resource;
    let unset = sample();
    let resource = unset.org().resource(&shop).unwrap();
    assert_eq!(resource.connector, Connector::Unset(vec!["SHOP_HOST".into(), "SHOP_PORT".into()]));
    assert_eq!(resource.unavailable().unwrap(), "this server does not know SHOP_HOST, SHOP_PORT");

    let with = |port: &str| Sources::sample().with("SHOP_HOST", "127.0.0.1").with("SHOP_PORT", port);
    let policy = parse(&with("55432"));
    assert_eq!(policy.digest(), unset.digest());
    for (id, database) in
        [("shop-db-dev", "shop_dev"), ("shop-db-staging", "shop_staging"), ("shop-db", "shop")]
    {
        let resource = policy.org().resource(&id.parse().unwrap()).unwrap();
        let target = resource.postgres().unwrap();
        assert_eq!(
            (target.host.as_str(), target.port, target.database.as_str()),
            ("127.0.0.1", 55432, database)
        );
        assert_eq!(target.admin, SecretRef::Env("SHOP_ADMIN".into()));
        assert_eq!(resource.unavailable(), None);
    }
    let others = policy.org().resources.values().filter(|r| r.postgres().is_none());
    assert_eq!(others.filter(|r| r.unavailable().unwrap().starts_with("no connector")).count(), 37);

    for port in ["0", "70000", "x"] {
        let said = lines(&Policy::parse(&with(port)).unwrap_err());
        assert!(said.contains("shop-db: the port is not a number from 1 to 65535"), "{said}");
    }
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_repeated() {
    let mut sources = Sources::sample().with("SHOP_HOST", "127.0.0.1").with("SHOP_PORT", "5432");
    swap(&mut sources.org, "admin = \"env:SHOP_ADMIN\"", "admin = \"hunter2\"");
    let said = lines(&Policy::parse(&sources).unwrap_err());
    assert!(said.contains("shop-db-dev: admin must say where the secret is"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn people_and_resources_as_others_see_them() {
    let policy = sample();
    let org = policy.org();
    assert_eq!(org.name, "Fjord Shop");
    let maya = org.person_brief(&"maya".parse().unwrap());
    assert_eq!((maya.name.as_str(), maya.team.as_str()), ("Maya Olsen", "Payments"));
    let gone = org.person_brief(&"gone".parse().unwrap());
    assert_eq!((gone.name.as_str(), gone.team.as_str()), ("gone", ""));
    let shop = org.resource_brief(&"shop-db".parse().unwrap()).unwrap();
    assert_eq!((shop.name.as_str(), shop.owner.as_str()), ("Shop database", "Payments"));
    assert_eq!(org.resources.len(), 40);
    let members: Vec<_> = org.members(&"payments".parse().unwrap()).map(|m| m.as_str()).collect();
    assert_eq!(members, ["jonas", "maya", "priya", "ravi"]);
    // The owner's clock is Lisbon's for the warehouse and Berlin's for the shop.
    let noon = time("2026-07-01T12:30:00Z");
    let clock = |id: &str| org.owner(&id.parse().unwrap()).unwrap().clock(noon);
    assert_eq!((clock("warehouse"), clock("shop-db")), ((13, 3, true), (14, 3, true)));
}
