//! One Cedar file: its policies, checked on load, found by an index, evaluated so that an error denies.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use cedar_policy::{
    ActionConstraint, AuthorizationError, Authorizer, Decision, Effect, Entities, EntityUid, Policy,
    PolicyId, PolicySet, PrincipalConstraint, Request, ResourceConstraint, ValidationMode, Validator,
};
use miette::Diagnostic;

use crate::error::PolicyError;
use crate::world::World;

/// The policies of one file.
#[derive(Debug)]
pub(crate) struct Rules {
    all: PolicySet,
    policies: Vec<Policy>,
    /// Policies by what their scope names, so that a decision looks at few of them. Cedar itself looks at all.
    index: HashMap<Option<EntityUid>, HashMap<Option<EntityUid>, Vec<usize>>>,
    /// Sets made before, by the policies in them: people of one team ask about resources of one kind.
    sets: Mutex<HashMap<Vec<usize>, Arc<PolicySet>>>,
    authorizer: Authorizer,
}

/// What one file says to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// By these policies, in the order of their names.
    Permitted(Vec<PolicyId>),
    /// By these policies, whatever permits.
    Forbidden(Vec<PolicyId>),
    /// No policy permits.
    NotPermitted,
    /// These policies could not be evaluated. An error in a `forbid` would otherwise let someone through.
    Failed(Vec<PolicyId>),
}

/// A question, with what its principal and its resource belong to.
pub(crate) struct Question<'a> {
    pub request: Request,
    pub principals: &'a [EntityUid],
    pub resources: &'a [EntityUid],
}

impl Rules {
    /// Reads a file. `annotations` are the ones that mean something in it; others are mistakes.
    pub(crate) fn parse(
        file: &'static str,
        text: &str,
        world: &World,
        annotations: &[&str],
    ) -> Result<Self, Vec<PolicyError>> {
        let parsed = PolicySet::from_str(text).map_err(|e| {
            e.iter()
                .map(|e| PolicyError::new(file, e.to_string()).within(text, span_of(e)))
                .collect::<Vec<_>>()
        })?;
        let mut errors = Vec::new();
        if parsed.templates().next().is_some() {
            errors.push(PolicyError::new(file, "templates are not used here; write the policy out"));
        }
        // Cedar names them policy0, policy1, ... in the order of the text.
        let mut policies: Vec<&Policy> = parsed.policies().collect();
        policies.sort_by_key(|p| (p.id().to_string().len(), p.id().to_string()));
        let mut named = Vec::new();
        let mut seen = BTreeSet::new();
        for policy in policies {
            let fail = |message: String| {
                let span = policy.to_cedar().and_then(|cedar| text.find(&cedar)).map(|at| at..at);
                let name = policy.annotation("id").map_or_else(|| policy.id().to_string(), str::to_owned);
                PolicyError::new(file, message).within(text, span).named(name)
            };
            match policy.annotation("id").map(str::trim) {
                None | Some("") => errors.push(fail("every policy needs an @id(\"...\")".into())),
                Some(id) if !seen.insert(id.to_owned()) => errors.push(fail("is named twice".into())),
                Some(id) => named.push(policy.new_id(PolicyId::new(id))),
            }
            for (key, value) in policy.annotations() {
                if key != "id" && !annotations.contains(&key) {
                    errors.push(fail(format!("@{key} means nothing here; use {}", annotations.join(", "))));
                } else if value.trim().is_empty() {
                    errors.push(fail(format!("@{key} is empty")));
                }
            }
            // Cedar knows the types alone: a misspelt group would be one that nobody is in.
            let strangers: BTreeSet<_> =
                policy.entity_literals().into_iter().filter(|e| !world.knows(e)).collect();
            errors.extend(strangers.iter().map(|e| fail(format!("names {e}, which does not exist"))));
            let says_why = policy.annotation("reason").is_some_and(|r| !r.trim().is_empty());
            if policy.effect() == Effect::Forbid && !says_why {
                errors.push(fail("a forbid needs a @reason(\"...\") that the person reads".into()));
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let all = PolicySet::from_policies(named.iter().cloned())
            .map_err(|e| vec![PolicyError::new(file, e.to_string())])?;
        let checked = Validator::new(world.schema.clone()).validate(&all, ValidationMode::Strict);
        let wrong = checked.validation_errors().map(|e| (e.policy_id(), e.to_string(), span_of(e)));
        // A warning is a policy that can never hold, or a look-alike name: worth stopping for.
        let odd = checked.validation_warnings().map(|w| (w.policy_id(), w.to_string(), span_of(w)));
        errors.extend(wrong.chain(odd).map(|(id, message, span)| {
            PolicyError::new(file, message).within(text, span).named(id.to_string())
        }));
        if errors.is_empty() { Ok(Self::indexed(all, named)) } else { Err(errors) }
    }

    fn indexed(all: PolicySet, policies: Vec<Policy>) -> Self {
        let mut index: HashMap<_, HashMap<_, Vec<_>>> = HashMap::new();
        for (number, policy) in policies.iter().enumerate() {
            let principal = match policy.principal_constraint() {
                PrincipalConstraint::In(e) | PrincipalConstraint::Eq(e) | PrincipalConstraint::IsIn(_, e) => {
                    Some(e)
                }
                PrincipalConstraint::Any | PrincipalConstraint::Is(_) => None,
            };
            let resource = match policy.resource_constraint() {
                ResourceConstraint::In(e) | ResourceConstraint::Eq(e) | ResourceConstraint::IsIn(_, e) => {
                    Some(e)
                }
                ResourceConstraint::Any | ResourceConstraint::Is(_) => None,
            };
            index.entry(principal).or_default().entry(resource).or_default().push(number);
        }
        Self { all, policies, index, sets: Mutex::default(), authorizer: Authorizer::new() }
    }

    /// The policies whose scope fits who asks and for what; the action is not looked at.
    fn candidates(&self, q: &Question<'_>) -> Vec<usize> {
        let any = [None];
        let principals = any.iter().cloned().chain(q.principals.iter().cloned().map(Some));
        let mut found = Vec::new();
        for by_resource in principals.filter_map(|p| self.index.get(&p)) {
            let resources = any.iter().cloned().chain(q.resources.iter().cloned().map(Some));
            found.extend(resources.filter_map(|r| by_resource.get(&r)).flatten());
        }
        found
    }

    /// Decides.
    pub(crate) fn decide(&self, q: &Question<'_>, entities: &Entities) -> Ruling {
        self.rule(self.candidates(q), q, entities)
    }

    /// Decides as if no policy forbade anything.
    pub(crate) fn decide_permits(&self, q: &Question<'_>, entities: &Entities) -> Ruling {
        let mut permits = self.candidates(q);
        permits.retain(|n| self.policies.get(*n).is_some_and(|p| p.effect() == Effect::Permit));
        self.rule(permits, q, entities)
    }

    fn rule(&self, policies: Vec<usize>, q: &Question<'_>, entities: &Entities) -> Ruling {
        match self.set_of(policies) {
            Some(policies) => self.ask(&policies, &q.request, entities),
            None => Ruling::Failed(Vec::new()),
        }
    }

    /// None when two policies have one name, which loading rules out.
    fn set_of(&self, numbers: Vec<usize>) -> Option<Arc<PolicySet>> {
        let sets = || self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(set) = sets().get(&numbers) {
            return Some(set.clone());
        }
        let policies = numbers.iter().filter_map(|n| self.policies.get(*n)).cloned();
        let set = Arc::new(PolicySet::from_policies(policies).ok()?);
        let mut sets = sets();
        if sets.len() >= MAX_SETS {
            sets.clear();
        }
        sets.insert(numbers, set.clone());
        Some(set)
    }

    /// Decides without the index.
    #[cfg(test)]
    pub(crate) fn decide_in_full(&self, q: &Question<'_>, entities: &Entities) -> Ruling {
        self.ask(&self.all, &q.request, entities)
    }

    fn ask(&self, policies: &PolicySet, request: &Request, entities: &Entities) -> Ruling {
        let response = self.authorizer.is_authorized(request, policies, entities);
        let sorted = |ids: BTreeMap<String, PolicyId>| ids.into_values().collect::<Vec<_>>();
        let failed: BTreeMap<_, _> = response
            .diagnostics()
            .errors()
            .map(|e| {
                let AuthorizationError::PolicyEvaluationError(e) = e;
                (e.policy_id().to_string(), e.policy_id().clone())
            })
            .collect();
        if !failed.is_empty() {
            return Ruling::Failed(sorted(failed));
        }
        let by = sorted(response.diagnostics().reason().map(|id| (id.to_string(), id.clone())).collect());
        match response.decision() {
            Decision::Allow => Ruling::Permitted(by),
            Decision::Deny if by.is_empty() => Ruling::NotPermitted,
            Decision::Deny => Ruling::Forbidden(by),
        }
    }

    /// The permits whose scope fits, whether or not their conditions hold now.
    pub(crate) fn permits_in_scope<'a>(
        &'a self,
        q: &Question<'_>,
        action_and_above: &'a [EntityUid],
    ) -> impl Iterator<Item = &'a Policy> {
        let found = self.candidates(q).into_iter().filter_map(|n| self.policies.get(n));
        found.filter(move |p| p.effect() == Effect::Permit && names_action(p, action_and_above))
    }

    pub(crate) fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.policies.iter()
    }

    pub(crate) fn annotation(&self, id: &PolicyId, key: &str) -> Option<&str> {
        self.all.annotation(id, key)
    }
}

/// Far more than an organisation has combinations of groups and kinds of resources that policies tell apart.
const MAX_SETS: usize = 4096;

fn names_action(policy: &Policy, action_and_above: &[EntityUid]) -> bool {
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(a) => action_and_above.first() == Some(&a),
        ActionConstraint::In(all) => all.iter().any(|a| action_and_above.contains(a)),
    }
}

fn span_of(e: &(impl Diagnostic + ?Sized)) -> Option<std::ops::Range<usize>> {
    let label = e.labels()?.next()?;
    Some(label.offset()..label.offset())
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use daypass_domain::{AccessLevel, Entitlement};
    use proptest::prelude::*;

    use super::*;
    use crate::org::Org;
    use crate::policy::RequestFacts;
    use crate::sources::{OBLIGATIONS, Sources};
    use crate::world::{Contexts, Wish};

    static SAMPLE: LazyLock<(Org, World)> = LazyLock::new(|| {
        let sources = Sources::sample();
        let org = Org::parse(&sources).unwrap();
        let world = World::new(&org, &sources.schema).unwrap();
        (org, world)
    });

    /// Both ways to decide, for everyone and everything that `pick` keeps.
    fn compare(org: &Org, world: &World, rules: &Rules, pick: impl Fn(usize) -> bool) -> [usize; 4] {
        let facts =
            RequestFacts { risk_points: 40, ..RequestFacts::at("2026-11-24T11:00:00Z".parse().unwrap()) };
        let contexts = Contexts::default();
        let mut seen = [0; 4];
        let mut number = 0;
        for who in org.people.keys() {
            for resource in org.resources.keys() {
                for level in AccessLevel::ALL {
                    number += 1;
                    if !pick(number) {
                        continue;
                    }
                    let what = Entitlement { resource: resource.clone(), level };
                    let wish = Wish { what: &what, start: facts.now, duration_s: 600, ticket: false };
                    let question = world.request(org, who, wish, &facts, &contexts).unwrap();
                    let full = rules.decide_in_full(&question, &world.entities);
                    assert_eq!(rules.decide(&question, &world.entities), full, "{who} {what}");
                    seen[match full {
                        Ruling::Permitted(_) => 0,
                        Ruling::Forbidden(_) => 1,
                        Ruling::NotPermitted => 2,
                        Ruling::Failed(_) => 3,
                    }] += 1;
                }
            }
        }
        seen
    }

    #[test]
    fn the_index_decides_as_all_policies_do_on_the_sample() {
        let (org, world) = &*SAMPLE;
        let sources = Sources::sample();
        let request = Rules::parse("r", &sources.request, world, &["reason", "until", "otherwise"]).unwrap();
        let known = ["stage", "needed", "max_duration", "ticket"];
        let obligations = Rules::parse(OBLIGATIONS, &sources.obligations, world, &known).unwrap();
        let [permitted, forbidden, not, failed] = compare(org, world, &request, |n| n % 2 == 0);
        assert!(permitted > 50 && forbidden > 20 && not > 50 && failed == 0);
        let [permitted, ..] = compare(org, world, &obligations, |n| n % 2 == 1);
        assert!(permitted > 300);
    }

    fn scope() -> impl Strategy<Value = (String, String, String)> {
        let principal = prop_oneof![
            Just("principal"),
            Just("principal in Group::\"engineering\""),
            Just("principal in Group::\"platform\""),
            Just("principal in User::\"maya\""),
            Just("principal == User::\"sam\""),
            Just("principal is User"),
            Just("principal is User in Group::\"payments\""),
        ];
        let action = prop_oneof![
            Just("action in Action::\"request\""),
            Just("action == Action::\"write\""),
            Just("action in [Action::\"read\", Action::\"admin\"]"),
        ];
        let resource = prop_oneof![
            Just("resource"),
            Just("resource in Environment::\"prod\""),
            Just("resource in Tag::\"shop\""),
            Just("resource in Kind::\"postgres\""),
            Just("resource == Resource::\"shop-db\""),
            Just("resource in Resource::\"bastion\""),
            Just("resource is Resource"),
            Just("resource is Resource in Sensitivity::\"critical\""),
        ];
        (principal, action, resource).prop_map(|(p, a, r)| (p.to_owned(), a.to_owned(), r.to_owned()))
    }

    fn policy() -> impl Strategy<Value = String> {
        let condition = prop_oneof![
            3 => Just(""),
            1 => Just("when { context.risk > 30 }"),
            1 => Just("when { context.risk > 50 }"),
            1 => Just("unless { principal.team == resource.owner }"),
            // Overflows.
            1 => Just("when { 9223372036854775807 + context.risk > 0 }"),
        ];
        (scope(), condition, prop::bool::weighted(0.7)).prop_map(|((p, a, r), condition, permit)| {
            let effect = if permit { "permit" } else { "@reason(\"no\") forbid" };
            format!("{effect} ({p}, {a}, {r}) {condition};")
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn the_index_decides_as_all_policies_do(
            policies in prop::collection::vec(policy(), 0..12),
            step in 17usize..43,
        ) {
            let (org, world) = &*SAMPLE;
            let numbered = policies.iter().enumerate().map(|(i, p)| format!("@id(\"p{i}\") {p}\n"));
            let rules = Rules::parse("r", &numbered.collect::<String>(), world, &["reason"]).unwrap();
            compare(org, world, &rules, |n| n % step == 0);
        }
    }
}
