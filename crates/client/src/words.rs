//! The sentences of notifications, and the connection command.

use chrono::TimeDelta;
use daypass_domain::{GrantId, RequestId};
use daypass_protocol::api::{EndedWhy, Entry, EntryKind, GrantView};
use daypass_protocol::bridge::Page;

use crate::integration::Notification;

/// How `psql` is called for a credential; it asks for the password.
pub(crate) fn command(host: &str, port: u16, database: &str, username: &str) -> String {
    let (host, database, username) = (conninfo(host), conninfo(database), conninfo(username));
    format!("psql \"host={host} port={port} dbname={database} user={username} sslmode=prefer\"")
}

/// A value of a libpq connection string, in a double-quoted word of a shell.
fn conninfo(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '/');
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    let mut quoted = String::from("'");
    for c in value.chars() {
        match c {
            // Once for the connection string, once more for the shell.
            '\'' => quoted.push_str("\\\\'"),
            '\\' => quoted.push_str("\\\\\\\\"),
            '"' | '$' | '`' => quoted.extend(['\\', c]),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

pub(crate) fn waits_for_you(request: RequestId, entry: &Entry) -> Notification {
    let risk = entry.risk.map_or(String::new(), |risk| format!(" · risk {}", risk.points));
    let verb = if entry.kind == EntryKind::RequestEdited { "changed their request:" } else { "asks for" };
    Notification {
        tag: format!("request-{request}"),
        title: "A request waits for you".into(),
        body: format!("{} {verb} {}{risk}", entry.subject.name, asked(entry)),
        page: Page::Review(Some(request)),
        urgent: false,
    }
}

/// What the requester is told of a decision; nothing for what is told elsewhere.
pub(crate) fn decided(entry: &Entry) -> Option<Notification> {
    let request = entry.request?;
    let by = entry.actor.as_ref().map_or("Daypass", |a| a.name.as_str());
    let note = entry.note.as_ref().filter(|n| !n.trim().is_empty());
    let note = note.map_or(String::new(), |n| format!(": {n}"));
    let asked = asked(entry);
    let (title, body) = match entry.kind {
        EntryKind::RequestApproved if entry.actor.is_none() => {
            ("Approved", format!("Your request for {asked} was approved automatically"))
        }
        EntryKind::RequestApproved => ("Approved", format!("{by} approved {asked}{note}")),
        EntryKind::RequestDenied => ("Denied", format!("{by} denied {asked}{note}")),
        EntryKind::RequestQuestioned => {
            ("A question about your request", format!("{by} asks about {asked}{note}"))
        }
        EntryKind::RequestLapsed => ("Your request has lapsed", format!("Nobody decided on {asked} in time")),
        EntryKind::GrantProblem => (
            "Your access is not ready yet",
            format!("{} cannot be reached; it is tried again", resources(entry)),
        ),
        _ => return None,
    };
    Some(Notification {
        tag: format!("request-{request}"),
        title: title.into(),
        body,
        page: Page::MyAccess,
        urgent: false,
    })
}

pub(crate) fn active(grant: GrantId, name: &str, left: TimeDelta) -> Notification {
    Notification {
        tag: format!("grant-{grant}"),
        title: "Access is active".into(),
        body: format!("{name} is open for {}; the credential is in your keychain", span(left)),
        page: Page::MyAccess,
        urgent: false,
    }
}

/// How long before its end a grant's holder is reminded: five minutes, or half of a short grant.
pub(crate) fn remind_before(duration_s: u32) -> TimeDelta {
    let duration = TimeDelta::seconds(i64::from(duration_s));
    if duration < TimeDelta::minutes(6) { duration / 2 } else { TimeDelta::minutes(5) }
}

pub(crate) fn ends_soon(grant: &GrantView, left: TimeDelta) -> Notification {
    Notification {
        tag: format!("grant-{}", grant.id),
        title: format!("{} left", capital(&span(left))),
        body: format!(
            "Your {} access to {} ends soon. Finish up, or ask for more time",
            grant.level, grant.resource.name
        ),
        page: Page::MyAccess,
        urgent: true,
    }
}

pub(crate) fn ended(grant: GrantId, text: String) -> Notification {
    Notification {
        tag: format!("grant-{grant}"),
        title: "Access has ended".into(),
        body: text,
        page: Page::MyAccess,
        urgent: false,
    }
}

pub(crate) fn ended_on_time(name: &str) -> String {
    format!("The time for {name} is over; its credential is wiped")
}

pub(crate) fn ended_by_wall_clock(name: &str) -> String {
    format!(
        "This machine's clock was changed, so the credential for {name} is wiped. It can be fetched again"
    )
}

pub(crate) fn ended_why(name: &str, why: &EndedWhy) -> String {
    match why {
        EndedWhy::Expired => ended_on_time(name),
        EndedWhy::Released => format!("{name} was given back; its credential is wiped"),
        EndedWhy::Revoked { by, note } => {
            format!("{} revoked {name}: {note}. Its credential is wiped", by.name)
        }
        EndedWhy::NeverActivated => format!("{name} could not be opened in time"),
    }
}

pub(crate) fn ended_by_entry(entry: &Entry) -> String {
    let note = entry.note.as_ref().filter(|n| !n.trim().is_empty());
    let note = note.map_or(String::new(), |n| format!(": {n}"));
    format!("{}{note}", entry.text.trim_end_matches('.'))
}

/// "write on shop-db and 2 more"
fn asked(entry: &Entry) -> String {
    match entry.resources.as_slice() {
        [] => "access".into(),
        [one] => format!("{} on {}", one.level, one.resource.name),
        [first, rest @ ..] => format!("{} on {} and {} more", first.level, first.resource.name, rest.len()),
    }
}

fn resources(entry: &Entry) -> String {
    let names: Vec<&str> = entry.resources.iter().map(|e| e.resource.name.as_str()).collect();
    if names.is_empty() { "the target".into() } else { names.join(", ") }
}

/// "30 minutes", "1 h 5 min", "45 seconds"; never more than there is.
pub(crate) fn span(left: TimeDelta) -> String {
    // What is shown a moment later than it was true would otherwise read one less.
    let s = (left + TimeDelta::milliseconds(999)).num_seconds().max(0);
    let (h, min) = (s / 3600, s % 3600 / 60);
    match (h, min) {
        (0, 0) => format!("{s} {}", if s == 1 { "second" } else { "seconds" }),
        (0, 1) if s < 120 && s % 60 != 0 => format!("1 min {} s", s % 60),
        (0, 1) => "1 minute".into(),
        (0, min) => format!("{min} minutes"),
        (1, 0) => "1 hour".into(),
        (h, 0) => format!("{h} hours"),
        (h, min) => format!("{h} h {min} min"),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_survives_names_with_quotes_and_spaces() {
        assert_eq!(
            command("db.example.com", 5432, "shop", "dp_1"),
            "psql \"host=db.example.com port=5432 dbname=shop user=dp_1 sslmode=prefer\""
        );
        // Read by a shell and then by libpq, this is the database: it's $x
        assert_eq!(
            command("::1", 1, "it's $x", "u"),
            "psql \"host=::1 port=1 dbname='it\\\\'s \\$x' user=u sslmode=prefer\""
        );
    }

    #[test]
    fn spans_read_well() {
        let cases = [
            (0, "0 seconds"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (61, "1 min 1 s"),
            (300, "5 minutes"),
            (3600, "1 hour"),
            (3900, "1 h 5 min"),
            (7200, "2 hours"),
        ];
        for (s, expected) in cases {
            assert_eq!(span(TimeDelta::seconds(s)), expected);
        }
        assert_eq!(span(TimeDelta::milliseconds(299_400)), "5 minutes");
    }

    #[test]
    fn short_grants_are_reminded_half_way() {
        assert_eq!(remind_before(120), TimeDelta::seconds(60));
        assert_eq!(remind_before(359), TimeDelta::seconds(359) / 2);
        assert_eq!(remind_before(3600), TimeDelta::minutes(5));
    }
}
