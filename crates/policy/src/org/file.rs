//! `org.toml` as written, and the checks that turn it into an [`Org`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::hash::Hash;
use std::ops::Range;

use chrono_tz::Tz;
use daypass_domain::{AccessLevel, Environment, GroupId, ResourceId, Sensitivity, Timestamp, UserId};
use daypass_protocol::api::ResourceKind;
use serde::Deserialize;
use toml::Spanned;

use super::connector::{Filled, PostgresFile};
use super::{Connector, Freeze, Group, Incident, Org, Person, Resource, Team, WorkingHours};
use crate::error::PolicyError;
use crate::sources::{ORG, Sources};

impl Org {
    /// Reads `org.toml`; every mistake that can be seen is reported, not only the first.
    pub(crate) fn parse(sources: &Sources) -> Result<Self, Vec<PolicyError>> {
        let file: OrgFile = toml::from_str(&sources.org)
            .map_err(|e| vec![PolicyError::new(ORG, e.message()).within(&sources.org, e.span())])?;
        let mut check = Check { text: &sources.org, errors: Vec::new() };
        let org = check.org(file, &sources.variables);
        if check.errors.is_empty() { Ok(org) } else { Err(check.errors) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrgFile {
    name: String,
    time_zone: Spanned<String>,
    roles: RolesFile,
    #[serde(default, rename = "team")]
    teams: Vec<TeamFile>,
    #[serde(default, rename = "group")]
    groups: Vec<GroupFile>,
    #[serde(default, rename = "person")]
    people: Vec<PersonFile>,
    #[serde(default, rename = "resource")]
    resources: Vec<ResourceFile>,
    #[serde(default, rename = "freeze")]
    freezes: Vec<FreezeFile>,
    #[serde(default, rename = "incident")]
    incidents: Vec<IncidentFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RolesFile {
    senior: Spanned<GroupId>,
    security: Spanned<GroupId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TeamFile {
    id: Spanned<GroupId>,
    name: String,
    owners: Option<Spanned<GroupId>>,
    hours: Option<Spanned<HoursFile>>,
    time_zone: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HoursFile {
    from: u8,
    to: u8,
    #[serde(default)]
    weekend: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupFile {
    id: Spanned<GroupId>,
    name: String,
    members: Vec<Spanned<UserId>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonFile {
    id: Spanned<UserId>,
    name: String,
    email: String,
    title: Option<String>,
    team: Spanned<GroupId>,
    time_zone: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceFile {
    id: Spanned<ResourceId>,
    name: String,
    kind: ResourceKind,
    environment: Environment,
    sensitivity: Sensitivity,
    owner: Spanned<GroupId>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    tags: Vec<String>,
    levels: Vec<AccessLevel>,
    postgres: Option<Spanned<PostgresFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FreezeFile {
    name: Spanned<String>,
    from: Spanned<toml::value::Datetime>,
    to: Spanned<toml::value::Datetime>,
    #[serde(default)]
    environments: Vec<Environment>,
    #[serde(default)]
    resources: Vec<Spanned<ResourceId>>,
    #[serde(default = "changes")]
    levels: Vec<AccessLevel>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IncidentFile {
    name: Spanned<String>,
    from: Spanned<toml::value::Datetime>,
    to: Option<Spanned<toml::value::Datetime>>,
    #[serde(default)]
    environments: Vec<Environment>,
    #[serde(default)]
    resources: Vec<Spanned<ResourceId>>,
}

/// A freeze that names no level stops changes.
fn changes() -> Vec<AccessLevel> {
    vec![AccessLevel::Write, AccessLevel::Admin]
}

struct Check<'a> {
    text: &'a str,
    errors: Vec<PolicyError>,
}

impl Check<'_> {
    fn org(&mut self, file: OrgFile, variables: &BTreeMap<String, String>) -> Org {
        let time_zone = self.zone(Some(&file.time_zone), Tz::UTC);
        let mut groups = self.groups(&file);
        let people = self.people(&file, &mut groups, time_zone);
        let mut org = Org {
            name: file.name,
            time_zone,
            senior: self.known_group(&file.roles.senior, &groups),
            security: self.known_group(&file.roles.security, &groups),
            teams: self.teams(&file.teams, &groups, time_zone),
            people,
            groups,
            resources: BTreeMap::new(),
            freezes: Vec::new(),
            incidents: Vec::new(),
        };
        org.resources = self.resources(file.resources, &org.teams, variables);
        org.freezes = file.freezes.into_iter().filter_map(|f| self.freeze(f, &org.resources)).collect();
        org.incidents = file.incidents.into_iter().filter_map(|i| self.incident(i, &org.resources)).collect();
        org
    }

    /// The groups, and one for each team, still empty.
    fn groups(&mut self, file: &OrgFile) -> BTreeMap<GroupId, Group> {
        let teams = file.teams.iter().map(|t| (&t.id, &t.name));
        self.once(teams.clone().map(|(id, _)| id).chain(file.groups.iter().map(|g| &g.id)));
        let mut groups: BTreeMap<_, _> = teams
            .map(|(id, name)| {
                let id = id.get_ref().clone();
                (id.clone(), Group { id, name: name.clone(), members: BTreeSet::new() })
            })
            .collect();
        let people: BTreeSet<_> = file.people.iter().map(|p| p.id.get_ref()).collect();
        for g in &file.groups {
            self.once(&g.members);
            for m in g.members.iter().filter(|m| !people.contains(m.get_ref())) {
                self.fail(m.span(), g.id.get_ref(), format!("\"{}\" is not a person", m.get_ref()));
            }
            let id = g.id.get_ref().clone();
            let members = g.members.iter().map(|m| m.get_ref().clone()).collect();
            groups.insert(id.clone(), Group { id, name: g.name.clone(), members });
        }
        groups
    }

    fn people(
        &mut self,
        file: &OrgFile,
        groups: &mut BTreeMap<GroupId, Group>,
        zone: Tz,
    ) -> BTreeMap<UserId, Person> {
        self.once(file.people.iter().map(|p| &p.id));
        let teams: BTreeSet<_> = file.teams.iter().map(|t| t.id.get_ref()).collect();
        let mut people = BTreeMap::new();
        for p in &file.people {
            let id = p.id.get_ref().clone();
            let team = p.team.get_ref().clone();
            if !teams.contains(&team) {
                self.fail(p.team.span(), &id, format!("\"{team}\" is not a team"));
            }
            if p.name.trim().is_empty() {
                self.fail(p.id.span(), &id, "has no name");
            }
            if let Some(group) = groups.get_mut(&team) {
                group.members.insert(id.clone());
            }
            let time_zone = self.zone(p.time_zone.as_ref(), zone);
            people.insert(
                id.clone(),
                Person {
                    id,
                    name: p.name.clone(),
                    email: p.email.clone(),
                    title: p.title.clone(),
                    team,
                    groups: BTreeSet::new(),
                    time_zone,
                },
            );
        }
        for group in groups.values() {
            for member in &group.members {
                if let Some(person) = people.get_mut(member) {
                    person.groups.insert(group.id.clone());
                }
            }
        }
        people
    }

    fn teams(
        &mut self,
        teams: &[TeamFile],
        groups: &BTreeMap<GroupId, Group>,
        zone: Tz,
    ) -> BTreeMap<GroupId, Team> {
        let mut out = BTreeMap::new();
        for t in teams {
            let id = t.id.get_ref().clone();
            let owners = t.owners.as_ref().map_or_else(|| id.clone(), |g| self.known_group(g, groups));
            let hours = t.hours.as_ref().map(|h| {
                let HoursFile { from, to, weekend } = *h.get_ref();
                if from > 23 || to > 24 {
                    self.fail(h.span(), &id, "hours go from 0 to 23 and to 24");
                }
                WorkingHours { from: from % 24, to, weekend }
            });
            let time_zone = self.zone(t.time_zone.as_ref(), zone);
            out.insert(id.clone(), Team { id, name: t.name.clone(), owners, hours, time_zone });
        }
        out
    }

    fn resources(
        &mut self,
        resources: Vec<ResourceFile>,
        teams: &BTreeMap<GroupId, Team>,
        variables: &BTreeMap<String, String>,
    ) -> BTreeMap<ResourceId, Resource> {
        self.once(resources.iter().map(|r| &r.id));
        let mut out = BTreeMap::new();
        for r in resources {
            let span = r.id.span();
            let id = r.id.into_inner();
            if !teams.contains_key(r.owner.get_ref()) {
                self.fail(r.owner.span(), &id, format!("its owner \"{}\" is not a team", r.owner.get_ref()));
            }
            let mut levels = r.levels.clone();
            levels.sort();
            levels.dedup();
            if levels.is_empty() || levels.len() != r.levels.len() {
                self.fail(span, &id, "must offer at least one level, each once");
            }
            let connector = match r.postgres {
                None => Connector::None,
                Some(p) if r.kind != ResourceKind::Postgres => {
                    self.fail(p.span(), &id, "has PostgreSQL settings but is of another kind");
                    Connector::None
                }
                Some(p) => match p.get_ref().fill(variables) {
                    Ok(Filled::Postgres(p)) => Connector::Postgres(p),
                    Ok(Filled::Unset(names)) => Connector::Unset(names),
                    Err(message) => {
                        self.fail(p.span(), &id, message);
                        Connector::None
                    }
                },
            };
            let resource = Resource {
                id: id.clone(),
                name: r.name,
                kind: r.kind,
                environment: r.environment,
                sensitivity: r.sensitivity,
                owner: r.owner.into_inner(),
                description: r.description,
                tags: r.tags,
                levels,
                connector,
            };
            out.insert(id, resource);
        }
        out
    }

    fn freeze(&mut self, f: FreezeFile, resources: &BTreeMap<ResourceId, Resource>) -> Option<Freeze> {
        let span = f.name.span();
        let name = f.name.into_inner();
        self.known_resources(&name, &f.resources, resources);
        let from = self.moment(&f.from, &name)?;
        let to = self.moment(&f.to, &name)?;
        if to <= from {
            self.fail(span, &name, "ends before it begins");
        }
        Some(Freeze {
            name,
            from,
            to,
            environments: f.environments,
            resources: f.resources.into_iter().map(Spanned::into_inner).collect(),
            levels: f.levels,
            reason: f.reason,
        })
    }

    fn incident(&mut self, i: IncidentFile, resources: &BTreeMap<ResourceId, Resource>) -> Option<Incident> {
        let span = i.name.span();
        let name = i.name.into_inner();
        self.known_resources(&name, &i.resources, resources);
        let from = self.moment(&i.from, &name)?;
        let to = i.to.map(|to| self.moment(&to, &name).ok_or(())).transpose().ok()?;
        if to.is_some_and(|to| to <= from) {
            self.fail(span, &name, "ends before it begins");
        }
        Some(Incident {
            name,
            from,
            to,
            environments: i.environments,
            resources: i.resources.into_iter().map(Spanned::into_inner).collect(),
        })
    }

    fn known_resources(
        &mut self,
        name: &str,
        named: &[Spanned<ResourceId>],
        resources: &BTreeMap<ResourceId, Resource>,
    ) {
        for r in named.iter().filter(|r| !resources.contains_key(r.get_ref())) {
            self.fail(r.span(), name, format!("\"{}\" is not a resource", r.get_ref()));
        }
    }

    fn moment(&mut self, at: &Spanned<toml::value::Datetime>, name: &str) -> Option<Timestamp> {
        match at.get_ref().to_string().parse::<chrono::DateTime<chrono::FixedOffset>>() {
            Ok(at) => Some(at.to_utc()),
            Err(_) => {
                self.fail(at.span(), name, "needs date, time and offset, as 2026-12-20T18:00:00Z");
                None
            }
        }
    }

    fn known_group(&mut self, id: &Spanned<GroupId>, groups: &BTreeMap<GroupId, Group>) -> GroupId {
        if !groups.contains_key(id.get_ref()) {
            self.fail(id.span(), id.get_ref(), "is not a group");
        }
        id.get_ref().clone()
    }

    fn zone(&mut self, name: Option<&Spanned<String>>, otherwise: Tz) -> Tz {
        let Some(name) = name else { return otherwise };
        name.get_ref().parse().unwrap_or_else(|_| {
            self.fail(name.span(), name.get_ref(), "is not a time zone, as Europe/Berlin");
            otherwise
        })
    }

    /// Every id once.
    fn once<'b, T: Eq + Hash + Ord + Display + 'b>(&mut self, ids: impl IntoIterator<Item = &'b Spanned<T>>) {
        let mut seen = BTreeSet::new();
        for id in ids {
            if !seen.insert(id.get_ref()) {
                self.fail(id.span(), id.get_ref(), "is named twice");
            }
        }
    }

    fn fail(&mut self, span: Range<usize>, name: impl Display, message: impl Into<String>) {
        let error = PolicyError::new(ORG, message).at(self.text, span.start);
        self.errors.push(error.named(name.to_string()));
    }
}
