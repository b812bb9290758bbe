//! The organisation: who is there, what is there, who owns it, when nothing may change.

mod connector;
mod file;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, TimeDelta, Timelike};
use chrono_tz::Tz;
use daypass_domain::{
    AccessLevel, Entitlement, Environment, GroupId, ResourceId, Sensitivity, Timestamp, UserId,
};
use daypass_protocol::api;

pub use connector::{Postgres, SecretRef};

/// An organisation as its `org.toml` describes it; everything in it refers to something that exists.
#[derive(Clone, Debug)]
pub struct Org {
    pub name: String,
    /// The clock of everyone and everything that does not name its own.
    pub time_zone: Tz,
    pub people: BTreeMap<UserId, Person>,
    /// Groups, and one more for each team that holds the team's people.
    pub groups: BTreeMap<GroupId, Group>,
    pub teams: BTreeMap<GroupId, Team>,
    pub resources: BTreeMap<ResourceId, Resource>,
    pub freezes: Vec<Freeze>,
    pub incidents: Vec<Incident>,
    /// The group behind the stage "senior".
    pub senior: GroupId,
    /// The group behind the stage "security"; its members may end any grant.
    pub security: GroupId,
}

#[derive(Clone, Debug)]
pub struct Person {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub title: Option<String>,
    pub team: GroupId,
    /// With the team's group.
    pub groups: BTreeSet<GroupId>,
    pub time_zone: Tz,
}

#[derive(Clone, Debug)]
pub struct Group {
    pub id: GroupId,
    pub name: String,
    pub members: BTreeSet<UserId>,
}

#[derive(Clone, Debug)]
pub struct Team {
    pub id: GroupId,
    pub name: String,
    /// The group that answers for what the team owns; the team's own people when it names none.
    pub owners: GroupId,
    pub hours: Option<WorkingHours>,
    pub time_zone: Tz,
}

/// Working hours on the team's own clock: from one full hour to another, which may be past midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkingHours {
    /// 0 to 23.
    pub from: u8,
    /// 0 to 24; equal to `from` means the whole day.
    pub to: u8,
    pub weekend: bool,
}

#[derive(Clone, Debug)]
pub struct Resource {
    pub id: ResourceId,
    pub name: String,
    pub kind: api::ResourceKind,
    pub environment: Environment,
    pub sensitivity: Sensitivity,
    /// The team that owns it.
    pub owner: GroupId,
    pub description: String,
    pub tags: Vec<String>,
    /// The levels it offers, lowest first.
    pub levels: Vec<AccessLevel>,
    pub connector: Connector,
}

/// How Daypass opens a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connector {
    Postgres(Postgres),
    /// It has settings, but these variables have no value on this server.
    Unset(Vec<String>),
    /// It is in the catalogue only.
    None,
}

/// A window in which some levels are not given out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freeze {
    pub name: String,
    pub from: Timestamp,
    pub to: Timestamp,
    /// Empty means all.
    pub environments: Vec<Environment>,
    /// Empty means all.
    pub resources: Vec<ResourceId>,
    pub levels: Vec<AccessLevel>,
    pub reason: String,
}

/// Something is wrong with some resources, and people look into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    pub name: String,
    pub from: Timestamp,
    /// `None` while it is open.
    pub to: Option<Timestamp>,
    /// Empty means all.
    pub environments: Vec<Environment>,
    /// Empty means all.
    pub resources: Vec<ResourceId>,
}

impl Org {
    pub fn person(&self, id: &UserId) -> Option<&Person> {
        self.people.get(id)
    }

    pub fn group(&self, id: &GroupId) -> Option<&Group> {
        self.groups.get(id)
    }

    pub fn team(&self, id: &GroupId) -> Option<&Team> {
        self.teams.get(id)
    }

    pub fn resource(&self, id: &ResourceId) -> Option<&Resource> {
        self.resources.get(id)
    }

    /// The people of a group, in order; nobody for a group that does not exist.
    pub fn members(&self, id: &GroupId) -> impl Iterator<Item = &UserId> {
        self.groups.get(id).into_iter().flat_map(|g| &g.members)
    }

    pub fn is_member(&self, who: &UserId, group: &GroupId) -> bool {
        self.groups.get(group).is_some_and(|g| g.members.contains(who))
    }

    /// A group's name for people; its id when it does not exist any more.
    pub fn group_name(&self, id: &GroupId) -> String {
        self.groups.get(id).map_or_else(|| id.to_string(), |g| g.name.clone())
    }

    /// A person as others see them; someone who has left keeps their id.
    pub fn person_brief(&self, id: &UserId) -> api::Person {
        let person = self.people.get(id);
        let name = person.map_or_else(|| id.to_string(), |p| p.name.clone());
        let team = person.and_then(|p| self.teams.get(&p.team)).map(|t| t.name.clone()).unwrap_or_default();
        api::Person { id: id.clone(), name, team }
    }

    pub fn resource_brief(&self, id: &ResourceId) -> Option<api::ResourceBrief> {
        let r = self.resources.get(id)?;
        Some(api::ResourceBrief {
            id: r.id.clone(),
            name: r.name.clone(),
            kind: r.kind,
            environment: r.environment,
            sensitivity: r.sensitivity,
            owner: self.teams.get(&r.owner).map_or_else(|| r.owner.to_string(), |t| t.name.clone()),
        })
    }

    /// The team that owns a resource.
    pub fn owner(&self, id: &ResourceId) -> Option<&Team> {
        self.teams.get(&self.resources.get(id)?.owner)
    }

    /// The incident that is open on a resource; of several the latest.
    pub fn incident(&self, resource: &Resource, at: Timestamp) -> Option<&Incident> {
        self.incidents.iter().filter(|i| i.is_open_on(resource, at)).max_by_key(|i| i.from)
    }

    /// The freeze that access to `what` between `from` and `to` would run into; of several the one that ends last.
    pub fn freeze(&self, what: &Entitlement, from: Timestamp, to: Timestamp) -> Option<&Freeze> {
        let resource = self.resources.get(&what.resource)?;
        self.freezes.iter().filter(|f| f.covers(resource, what.level, from, to)).max_by_key(|f| f.to)
    }
}

impl Team {
    /// The hour (0 to 23), the weekday (1 is Monday) and whether the team is at work.
    pub fn clock(&self, at: Timestamp) -> (u8, u8, bool) {
        let local = at.with_timezone(&self.time_zone);
        let hour = u8::try_from(local.hour()).unwrap_or(0);
        let weekday = u8::try_from(local.weekday().number_from_monday()).unwrap_or(1);
        (hour, weekday, self.hours.is_none_or(|h| h.contains(hour, weekday)))
    }

    /// How far this team's clock is ahead of UTC, in minutes.
    pub fn utc_offset_minutes(&self, at: Timestamp) -> i32 {
        use chrono::Offset;
        at.with_timezone(&self.time_zone).offset().fix().local_minus_utc() / 60
    }
}

impl WorkingHours {
    fn contains(self, hour: u8, weekday: u8) -> bool {
        let in_day = match self.from.cmp(&(self.to % 24)) {
            std::cmp::Ordering::Equal => true,
            std::cmp::Ordering::Less => (self.from..self.to % 24).contains(&hour),
            std::cmp::Ordering::Greater => hour >= self.from || hour < self.to % 24,
        };
        in_day && (self.weekend || weekday < 6)
    }
}

impl Resource {
    /// Why Daypass cannot open it; none when it can.
    pub fn unavailable(&self) -> Option<String> {
        match &self.connector {
            Connector::Postgres(_) => None,
            Connector::Unset(names) => Some(format!("this server does not know {}", names.join(", "))),
            Connector::None => Some(format!("no connector is set up for this {}", kind_word(self.kind))),
        }
    }

    pub fn postgres(&self) -> Option<&Postgres> {
        match &self.connector {
            Connector::Postgres(p) => Some(p),
            _ => None,
        }
    }
}

impl Incident {
    /// Whether it is open on the resource. The end is not part of it.
    pub fn is_open_on(&self, resource: &Resource, at: Timestamp) -> bool {
        self.from <= at
            && self.to.is_none_or(|to| at < to)
            && (self.environments.is_empty() || self.environments.contains(&resource.environment))
            && (self.resources.is_empty() || self.resources.contains(&resource.id))
    }
}

impl Freeze {
    /// Whether access between `from` and `to` would run into it. The end is not part of either window.
    pub fn covers(&self, resource: &Resource, level: AccessLevel, from: Timestamp, to: Timestamp) -> bool {
        // Access of no length still needs a moment.
        let to = to.max(from + TimeDelta::microseconds(1));
        self.from < to
            && from < self.to
            && self.levels.contains(&level)
            && (self.environments.is_empty() || self.environments.contains(&resource.environment))
            && (self.resources.is_empty() || self.resources.contains(&resource.id))
    }
}

/// The kind in a policy and in a sentence.
pub(crate) fn kind_id(kind: api::ResourceKind) -> &'static str {
    use api::ResourceKind as K;
    match kind {
        K::Postgres => "postgres",
        K::Mysql => "mysql",
        K::Ssh => "ssh",
        K::Kubernetes => "kubernetes",
        K::CloudRole => "cloud_role",
        K::Secrets => "secrets",
        K::WebApp => "web_app",
        K::Queue => "queue",
    }
}

fn kind_word(kind: api::ResourceKind) -> &'static str {
    use api::ResourceKind as K;
    match kind {
        K::Postgres => "PostgreSQL database",
        K::Mysql => "MySQL database",
        K::Ssh => "SSH host",
        K::Kubernetes => "Kubernetes namespace",
        K::CloudRole => "cloud role",
        K::Secrets => "secret store",
        K::WebApp => "web application",
        K::Queue => "queue",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn working_hours_may_span_midnight_and_leave_out_the_weekend() {
        let office = WorkingHours { from: 9, to: 18, weekend: false };
        assert!(office.contains(9, 1) && office.contains(17, 5));
        assert!(!office.contains(18, 1) && !office.contains(12, 6));
        let night = WorkingHours { from: 22, to: 6, weekend: true };
        assert!(night.contains(23, 7) && night.contains(5, 1) && !night.contains(6, 1));
        let late = WorkingHours { from: 12, to: 24, weekend: true };
        assert!(late.contains(23, 1) && !late.contains(0, 1));
        assert!(WorkingHours { from: 0, to: 24, weekend: true }.contains(3, 7));
    }
}
