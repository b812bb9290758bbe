//! How things are called in front of people.

use chrono::TimeDelta;
use daypass_domain::{AccessLevel, Environment, Sensitivity, Timestamp};
use daypass_protocol::api::{Outcome, Person, ResourceKind, RiskBand, StageView};

/// "30 min", "2 h", "1 h 30 min".
pub fn duration(seconds: u32) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes, rest) {
        (0, 0, s) => format!("{s} s"),
        (0, m, 0) => format!("{m} min"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, 0, _) => format!("{h} h"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// A clock that runs down: "38:12", "1:05:09".
pub fn clock(left: TimeDelta) -> String {
    let s = left.num_seconds().max(0);
    let (h, m, s) = (s / 3600, s / 60 % 60, s % 60);
    if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m}:{s:02}") }
}

/// "less than a minute", "4 min", "3 h", "2 days".
pub fn span(time: TimeDelta) -> String {
    match time.num_minutes().max(0) {
        0 => "less than a minute".into(),
        m @ 1..60 => format!("{m} min"),
        m @ 60..2880 => format!("{} h", m / 60),
        m => format!("{} days", m / 1440),
    }
}

/// "just now", "4 min ago".
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let passed = now - at;
    if passed < TimeDelta::minutes(1) { "just now".into() } else { format!("{} ago", span(passed)) }
}

pub fn level(level: AccessLevel) -> &'static str {
    match level {
        AccessLevel::Read => "Read",
        AccessLevel::Write => "Write",
        AccessLevel::Admin => "Admin",
    }
}

pub fn level_means(level: AccessLevel) -> &'static str {
    match level {
        AccessLevel::Read => "Look, change nothing",
        AccessLevel::Write => "Look and change data",
        AccessLevel::Admin => "Everything, its structure too",
    }
}

pub fn environment(environment: Environment) -> &'static str {
    match environment {
        Environment::Dev => "Development",
        Environment::Staging => "Staging",
        Environment::Prod => "Production",
    }
}

pub fn sensitivity(sensitivity: Sensitivity) -> &'static str {
    match sensitivity {
        Sensitivity::Low => "Low",
        Sensitivity::Moderate => "Moderate",
        Sensitivity::High => "High",
        Sensitivity::Critical => "Critical",
    }
}

pub fn kind(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Postgres => "PostgreSQL",
        ResourceKind::Mysql => "MySQL",
        ResourceKind::Ssh => "SSH host",
        ResourceKind::Kubernetes => "Kubernetes",
        ResourceKind::CloudRole => "Cloud role",
        ResourceKind::Secrets => "Secrets",
        ResourceKind::WebApp => "Web app",
        ResourceKind::Queue => "Queue",
    }
}

pub fn band(band: RiskBand) -> &'static str {
    match band {
        RiskBand::Low => "Low",
        RiskBand::Moderate => "Moderate",
        RiskBand::High => "High",
        RiskBand::Critical => "Critical",
    }
}

/// "1 senior engineer", "2 from security".
pub fn stage_needs(stage: &StageView) -> String {
    let n = stage.needed;
    let plural = if n == 1 { "" } else { "s" };
    match stage.name.as_str() {
        "peer" => format!("{n} peer{plural}"),
        "senior" => format!("{n} senior engineer{plural}"),
        "owner" => format!("{n} owner{plural}"),
        "security" => format!("{n} from security"),
        _ => format!("{n} from {}", stage.group),
    }
}

/// What it takes, in a few words.
pub fn takes(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Automatic { .. } => "Automatic".into(),
        // With every number one, the names alone are shorter.
        Outcome::NeedsApproval { stages, .. } if stages.len() > 2 && stages.iter().all(|s| s.needed == 1) => {
            let names: Vec<&str> = stages.iter().map(|s| s.name.as_str()).collect();
            listed(&names, 4)
        }
        Outcome::NeedsApproval { stages, .. } => {
            stages.iter().map(stage_needs).collect::<Vec<_>>().join(" + ")
        }
        Outcome::NotNow { .. } => "Not now".into(),
    }
}

/// "Priya Nair, Jonas Weber and 2 others".
pub fn people(people: &[Person], most: usize) -> String {
    let names: Vec<&str> = people.iter().map(|p| p.name.as_str()).collect();
    listed(&names, most)
}

/// "read, write and admin".
pub fn listed(words: &[&str], most: usize) -> String {
    let others = words.len().saturating_sub(most);
    // One more name is shorter than "1 other".
    let shown = if others <= 1 { words.len() } else { most };
    let (first, last) = words.split_at(shown.saturating_sub(usize::from(others <= 1)));
    let first = first.join(", ");
    match (first.is_empty(), others, last) {
        (false, 2.., _) => format!("{first} and {others} others"),
        (false, _, [one]) => format!("{first} and {one}"),
        (true, _, [one]) => (*one).to_string(),
        _ => first,
    }
}

/// "1 request", "3 requests".
pub fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// The letters for a portrait: "MO".
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().and_then(|w| w.chars().next());
    let last = words.next_back().and_then(|w| w.chars().next());
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_say_them() {
        let cases = [(45, "45 s"), (900, "15 min"), (3600, "1 h"), (5400, "1 h 30 min"), (150, "2 min 30 s")];
        for (seconds, expected) in cases {
            assert_eq!(duration(seconds), expected);
        }
        assert_eq!(clock(TimeDelta::seconds(2292)), "38:12");
        assert_eq!(clock(TimeDelta::seconds(3909)), "1:05:09");
        assert_eq!(clock(TimeDelta::seconds(-5)), "0:00");
        assert_eq!(span(TimeDelta::minutes(2881)), "2 days");
    }

    #[test]
    fn lists_end_where_they_should() {
        let cases: [(&[&str], &str); 6] = [
            (&[], ""),
            (&["Ann"], "Ann"),
            (&["Ann", "Bo"], "Ann and Bo"),
            (&["Ann", "Bo", "Cy"], "Ann, Bo and Cy"),
            (&["Ann", "Bo", "Cy", "Di"], "Ann, Bo and 2 others"),
            (&["Ann", "Bo", "Cy", "Di", "Ed"], "Ann, Bo and 3 others"),
        ];
        for (words, expected) in cases {
            assert_eq!(listed(words, 2), expected);
        }
    }

    #[test]
    fn initials_take_the_first_and_the_last_name() {
        assert_eq!(initials("Maya Olsen"), "MO");
        assert_eq!(initials("tomás de la rivera"), "TR");
        assert_eq!(initials(""), "");
    }
}
