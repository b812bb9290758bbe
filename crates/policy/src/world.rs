//! The organisation in Cedar's terms: entities, actions, and the context of one question.

use std::collections::HashMap;
use std::str::FromStr;

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression, Schema,
};
use chrono::TimeDelta;
use daypass_domain::{AccessLevel, Entitlement, Environment, ResourceId, Sensitivity, Timestamp, UserId};

use daypass_protocol::api::ResourceKind;

use crate::error::PolicyError;
use crate::org::{Freeze, Org, kind_id};
use crate::policy::RequestFacts;
use crate::rules::Question;
use crate::sources::SCHEMA;

/// Everything static that Cedar is asked about.
#[derive(Debug)]
pub(crate) struct World {
    pub schema: Schema,
    pub entities: Entities,
    /// Each person, and after them what they belong to.
    people: HashMap<UserId, Vec<EntityUid>>,
    /// Each resource, and after it what it belongs to.
    resources: HashMap<ResourceId, Vec<EntityUid>>,
    /// read, write, admin, and the group they are in.
    request: [Vec<EntityUid>; 3],
    approve: EntityUid,
}

/// What is asked for, one entitlement at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'a> {
    pub what: &'a Entitlement,
    /// When the access would begin, and how long it would last.
    pub start: Timestamp,
    pub duration_s: u32,
    pub ticket: bool,
}

/// Who asked, and the stage that someone is to decide in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matter<'a> {
    pub requester: &'a UserId,
    pub stage: &'a str,
    pub member: bool,
}

impl World {
    pub(crate) fn new(org: &Org, schema_text: &str) -> Result<Self, Vec<PolicyError>> {
        let (schema, warnings) = Schema::from_cedarschema_str(schema_text).map_err(|e| {
            vec![PolicyError::new(SCHEMA, e.to_string()).within(schema_text, span_of_schema(&e))]
        })?;
        let warnings: Vec<_> = warnings.map(|w| PolicyError::new(SCHEMA, w.to_string())).collect();
        if !warnings.is_empty() {
            return Err(warnings);
        }
        Self::build(org, schema).map_err(|e| {
            vec![PolicyError::new(SCHEMA, format!("does not fit what daypass tells policies: {e}"))]
        })
    }

    fn build(org: &Org, schema: Schema) -> Result<Self, Box<dyn std::error::Error>> {
        let name = |type_name: &str| EntityTypeName::from_str(type_name);
        let (user, group, resource) = (name("User")?, name("Group")?, name("Resource")?);
        let (environment, sensitivity) = (name("Environment")?, name("Sensitivity")?);
        let (kind, tag, action) = (name("Kind")?, name("Tag")?, name("Action")?);
        let id =
            |t: &EntityTypeName, id: &str| EntityUid::from_type_name_and_id(t.clone(), EntityId::new(id));

        let mut all: HashMap<EntityUid, Entity> = HashMap::new();
        let mut plain = |uid: EntityUid| {
            all.entry(uid.clone()).or_insert_with(|| Entity::new_no_attrs(uid.clone(), Default::default()));
            uid
        };
        for g in org.groups.keys() {
            plain(id(&group, g.as_str()));
        }
        // Named by policies even where nothing carries them.
        for e in [Environment::Dev, Environment::Staging, Environment::Prod] {
            plain(id(&environment, e.as_str()));
        }
        for s in SENSITIVITIES {
            plain(id(&sensitivity, s.as_str()));
        }
        for k in KINDS {
            plain(id(&kind, kind_id(k)));
        }
        let mut resources = HashMap::new();
        let mut entities = Vec::new();
        for r in org.resources.values() {
            let uid = id(&resource, r.id.as_str());
            let mut above = vec![
                plain(id(&environment, r.environment.as_str())),
                plain(id(&sensitivity, r.sensitivity.as_str())),
                plain(id(&kind, kind_id(r.kind))),
            ];
            above.extend(r.tags.iter().map(|t| plain(id(&tag, t))));
            above.sort();
            above.dedup();
            let rank = SENSITIVITIES.iter().position(|s| *s == r.sensitivity).unwrap_or(SENSITIVITIES.len());
            let owner = id(&group, r.owner.as_str());
            let owners = org.teams.get(&r.owner).map_or(owner.clone(), |t| id(&group, t.owners.as_str()));
            let attributes = HashMap::from([
                ("owner".to_owned(), RestrictedExpression::new_entity_uid(owner)),
                ("owners".to_owned(), RestrictedExpression::new_entity_uid(owners)),
                ("rank".to_owned(), RestrictedExpression::new_long(i64::try_from(rank)? + 1)),
            ]);
            entities.push(Entity::new(uid.clone(), attributes, above.iter().cloned().collect())?);
            resources.insert(r.id.clone(), std::iter::once(uid).chain(above).collect());
        }
        let mut people = HashMap::new();
        for p in org.people.values() {
            let uid = id(&user, p.id.as_str());
            let above: Vec<_> = p.groups.iter().map(|g| id(&group, g.as_str())).collect();
            let team = RestrictedExpression::new_entity_uid(id(&group, p.team.as_str()));
            let attributes = HashMap::from([("team".to_owned(), team)]);
            entities.push(Entity::new(uid.clone(), attributes, above.iter().cloned().collect())?);
            people.insert(p.id.clone(), std::iter::once(uid).chain(above).collect());
        }
        entities.extend(all.into_values());
        let level = |l: AccessLevel| vec![id(&action, l.as_str()), id(&action, "request")];
        let world = Self {
            entities: Entities::from_entities(entities, Some(&schema))?,
            schema,
            people,
            resources,
            request: [level(AccessLevel::Read), level(AccessLevel::Write), level(AccessLevel::Admin)],
            approve: id(&action, "approve"),
        };
        world.probe(org)?;
        Ok(world)
    }

    /// Asks one question of each kind, so that a schema that does not know the context is refused on load.
    fn probe(&self, org: &Org) -> Result<(), Box<dyn std::error::Error>> {
        let (Some(who), Some(resource)) = (org.people.keys().next(), org.resources.keys().next()) else {
            return Err("an organisation needs at least one person and one resource".into());
        };
        let facts = RequestFacts::at(Timestamp::UNIX_EPOCH);
        for level in AccessLevel::ALL {
            let what = Entitlement { resource: resource.clone(), level };
            let wish = Wish { what: &what, start: facts.now, duration_s: 60, ticket: false };
            self.request(org, who, wish, &facts)?;
            let matter = Matter { requester: who, stage: "peer", member: true };
            self.approve(org, who, wish, matter, &facts)?;
        }
        Ok(())
    }

    /// May `who` have this?
    pub(crate) fn request(
        &self,
        org: &Org,
        who: &UserId,
        wish: Wish<'_>,
        facts: &RequestFacts,
    ) -> Result<Question<'_>, Unanswerable> {
        let action = self.action(wish.what.level).first().ok_or(Unanswerable)?;
        self.question(who, action, wish.what, common(org, wish, facts)?)
    }

    /// May `who` decide about this?
    pub(crate) fn approve(
        &self,
        org: &Org,
        who: &UserId,
        wish: Wish<'_>,
        matter: Matter<'_>,
        facts: &RequestFacts,
    ) -> Result<Question<'_>, Unanswerable> {
        let requester = self.people.get(matter.requester).and_then(|p| p.first()).ok_or(Unanswerable)?;
        let mut pairs = common(org, wish, facts)?;
        pairs.push(("requester".into(), RestrictedExpression::new_entity_uid(requester.clone())));
        pairs.push(("level".into(), RestrictedExpression::new_string(wish.what.level.as_str().into())));
        pairs.push(("stage".into(), RestrictedExpression::new_string(matter.stage.into())));
        pairs.push(("member".into(), RestrictedExpression::new_bool(matter.member)));
        self.question(who, &self.approve, wish.what, pairs)
    }

    fn question(
        &self,
        who: &UserId,
        action: &EntityUid,
        what: &Entitlement,
        pairs: Vec<(String, RestrictedExpression)>,
    ) -> Result<Question<'_>, Unanswerable> {
        let principals = self.people.get(who).ok_or(Unanswerable)?;
        let resources = self.resources.get(&what.resource).ok_or(Unanswerable)?;
        let (Some(principal), Some(resource)) = (principals.first(), resources.first()) else {
            return Err(Unanswerable);
        };
        let context = Context::from_pairs(pairs).map_err(|_| Unanswerable)?;
        // With the schema: a context that does not fit it is an error here, not a policy that is silently skipped.
        let schema = Some(&self.schema);
        let request = Request::new(principal.clone(), action.clone(), resource.clone(), context, schema)
            .map_err(|_| Unanswerable)?;
        Ok(Question { request, principals, resources })
    }

    /// Whether a policy may name this: it exists, or is an action, which the schema checks.
    pub(crate) fn knows(&self, uid: &EntityUid) -> bool {
        uid.type_name() == self.approve.type_name() || self.entities.get(uid).is_some()
    }

    /// The action of a level, and the group that it is in.
    pub(crate) fn action(&self, level: AccessLevel) -> &[EntityUid] {
        let [read, write, admin] = &self.request;
        match level {
            AccessLevel::Read => read,
            AccessLevel::Write => write,
            AccessLevel::Admin => admin,
        }
    }
}

/// The question does not fit the schema, or names something unknown. It denies.
#[derive(Debug, thiserror::Error)]
#[error("the context, the people or the resources do not fit the schema")]
pub(crate) struct Unanswerable;

/// The freeze that a wish would run into.
pub(crate) fn freeze_of<'a>(org: &'a Org, wish: Wish<'_>) -> Option<&'a Freeze> {
    org.freeze(wish.what, wish.start, wish.start + TimeDelta::seconds(i64::from(wish.duration_s)))
}

fn common(
    org: &Org,
    wish: Wish<'_>,
    facts: &RequestFacts,
) -> Result<Vec<(String, RestrictedExpression)>, Unanswerable> {
    let (hour, weekday, working_hours) =
        org.owner(&wish.what.resource).ok_or(Unanswerable)?.clock(wish.start);
    let time =
        |t: Timestamp| RestrictedExpression::new_datetime(t.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string());
    let number = |n: u8| RestrictedExpression::new_long(i64::from(n));
    let flag = RestrictedExpression::new_bool;
    Ok(vec![
        ("now".into(), time(facts.now)),
        ("start".into(), time(wish.start)),
        ("hour".into(), number(hour)),
        ("weekday".into(), number(weekday)),
        ("working_hours".into(), flag(working_hours)),
        ("duration".into(), RestrictedExpression::new_duration(format!("{}s", wish.duration_s))),
        ("ticket".into(), flag(wish.ticket)),
        ("freeze".into(), flag(freeze_of(org, wish).is_some())),
        ("risk".into(), number(facts.risk_points)),
        ("new_device".into(), flag(facts.device_is_new)),
        ("flagged".into(), flag(facts.flagged)),
    ])
}

const KINDS: [ResourceKind; 8] = [
    ResourceKind::Postgres,
    ResourceKind::Mysql,
    ResourceKind::Ssh,
    ResourceKind::Kubernetes,
    ResourceKind::CloudRole,
    ResourceKind::Secrets,
    ResourceKind::WebApp,
    ResourceKind::Queue,
];

const SENSITIVITIES: [Sensitivity; 4] =
    [Sensitivity::Low, Sensitivity::Moderate, Sensitivity::High, Sensitivity::Critical];

fn span_of_schema(e: &cedar_policy::CedarSchemaError) -> Option<std::ops::Range<usize>> {
    let label = miette::Diagnostic::labels(e)?.next()?;
    Some(label.offset()..label.offset())
}
