//! The organisation in Cedar's terms: entities, actions, and the context of one question.

use std::cell::RefCell;
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
        let name = |type_name: &str| EntityTypeName::from_str(type_name).map_err(Box::new);
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
        let contexts = Contexts::default();
        for level in AccessLevel::ALL {
            let what = Entitlement { resource: resource.clone(), level };
            let wish = Wish { what: &what, start: facts.now, duration_s: 60, ticket: false };
            self.request(org, who, wish, &facts, &contexts)?;
            let matter = Matter { requester: who, stage: "peer", member: true };
            self.approve(org, who, wish, matter, &facts, &contexts)?;
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
        contexts: &Contexts,
    ) -> Result<Question<'_>, Unanswerable> {
        let action = self.action(wish.what.level).first().ok_or(Unanswerable)?;
        self.question(who, action, wish.what, contexts.get(self, org, wish, facts, (action, None))?)
    }

    /// May `who` decide about this?
    pub(crate) fn approve(
        &self,
        org: &Org,
        who: &UserId,
        wish: Wish<'_>,
        matter: Matter<'_>,
        facts: &RequestFacts,
        contexts: &Contexts,
    ) -> Result<Question<'_>, Unanswerable> {
        let requester = self.people.get(matter.requester).and_then(|p| p.first()).ok_or(Unanswerable)?;
        let matter = (requester.clone(), wish.what.level, matter.stage.to_owned(), matter.member);
        let context = contexts.get(self, org, wish, facts, (&self.approve, Some(matter)))?;
        self.question(who, &self.approve, wish.what, context)
    }

    fn question(
        &self,
        who: &UserId,
        action: &EntityUid,
        what: &Entitlement,
        context: Context,
    ) -> Result<Question<'_>, Unanswerable> {
        let principals = self.people.get(who).ok_or(Unanswerable)?;
        let resources = self.resources.get(&what.resource).ok_or(Unanswerable)?;
        let (Some(principal), Some(resource)) = (principals.first(), resources.first()) else {
            return Err(Unanswerable);
        };
        // The context was checked against the schema when it was built, and so were the kinds of people and
        // resources on load; checking them with every question costs more than deciding.
        let request = Request::new(principal.clone(), action.clone(), resource.clone(), context, None)
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

/// Contexts that were built before. Cedar parses every date and duration anew, which costs more than a decision, and
/// a whole catalogue is asked about in a handful of contexts.
#[derive(Default)]
pub(crate) struct Contexts(RefCell<HashMap<Circumstances, Context>>);

/// Everything that goes into a context.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Circumstances {
    facts: RequestFacts,
    start: Timestamp,
    duration_s: u32,
    ticket: bool,
    /// Hour, weekday, whether the owner is at work.
    clock: (u8, u8, bool),
    freeze: bool,
    action: EntityUid,
    /// When someone is to decide: the requester, the level, the stage, and whether they are in its group.
    matter: Option<(EntityUid, AccessLevel, String, bool)>,
}

impl Contexts {
    fn get(
        &self,
        world: &World,
        org: &Org,
        wish: Wish<'_>,
        facts: &RequestFacts,
        (action, matter): (&EntityUid, Option<(EntityUid, AccessLevel, String, bool)>),
    ) -> Result<Context, Unanswerable> {
        let circumstances = Circumstances {
            facts: facts.clone(),
            start: wish.start,
            duration_s: wish.duration_s,
            ticket: wish.ticket,
            clock: org.owner(&wish.what.resource).ok_or(Unanswerable)?.clock(wish.start),
            freeze: freeze_of(org, wish).is_some(),
            action: action.clone(),
            matter,
        };
        if let Some(context) = self.0.borrow().get(&circumstances) {
            return Ok(context.clone());
        }
        let context = circumstances.context()?;
        // A context that does not fit the schema is an error here, not a policy that is silently skipped.
        context.validate(&world.schema, action).map_err(|_| Unanswerable)?;
        self.0.borrow_mut().insert(circumstances, context.clone());
        Ok(context)
    }
}

impl Circumstances {
    fn context(&self) -> Result<Context, Unanswerable> {
        let time =
            |t: Timestamp| RestrictedExpression::new_datetime(t.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string());
        let number = |n: u8| RestrictedExpression::new_long(i64::from(n));
        let flag = RestrictedExpression::new_bool;
        let (hour, weekday, working_hours) = self.clock;
        let mut pairs = vec![
            ("now", time(self.facts.now)),
            ("start", time(self.start)),
            ("hour", number(hour)),
            ("weekday", number(weekday)),
            ("working_hours", flag(working_hours)),
            ("duration", RestrictedExpression::new_duration(format!("{}s", self.duration_s))),
            ("ticket", flag(self.ticket)),
            ("freeze", flag(self.freeze)),
            ("risk", number(self.facts.risk_points)),
            ("new_device", flag(self.facts.device_is_new)),
            ("flagged", flag(self.facts.flagged)),
        ];
        if let Some((requester, level, stage, member)) = &self.matter {
            pairs.extend([
                ("requester", RestrictedExpression::new_entity_uid(requester.clone())),
                ("level", RestrictedExpression::new_string(level.as_str().into())),
                ("stage", RestrictedExpression::new_string(stage.clone())),
                ("member", flag(*member)),
            ]);
        }
        Context::from_pairs(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)))
            .map_err(|_| Unanswerable)
    }
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
