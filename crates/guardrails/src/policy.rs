//! Facts to verdict, by Cedar.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityUid, PolicyId, PolicySet, Request, RestrictedExpression,
    Schema, ValidationMode, Validator,
};
use serde::Serialize;

use crate::facts::Facts;

/// What to do with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Allow,
    /// Send it, and cut the result.
    Limit,
    /// Wait for a second person.
    Hold,
    Block,
}

impl Verdict {
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Allow => "allow",
            Verdict::Limit => "limit",
            Verdict::Hold => "hold",
            Verdict::Block => "block",
        }
    }
}

/// Why a policy set was refused.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    #[error("no policy set is named {0}; there are read-only, careful-write, freeze and admin")]
    Unknown(String),
    #[error("the policies cannot be parsed: {0}")]
    Parse(String),
    #[error("the policies do not fit the schema: {0}")]
    Invalid(String),
    #[error("policy {0} has an @effect that is none of block, hold and limit")]
    Effect(String),
}

/// A validated set of `execute` policies.
#[derive(Debug)]
pub struct Policy {
    set: PolicySet,
    principal: EntityUid,
    action: EntityUid,
    resource: EntityUid,
    rules: HashMap<PolicyId, Rule>,
    authorizer: Authorizer,
    entities: Entities,
    /// Changes with the text; part of the key of cached verdicts.
    pub digest: u64,
}

#[derive(Debug, Clone)]
struct Rule {
    name: String,
    effect: Verdict,
    rows: Option<u64>,
    reason: String,
}

/// What the policies said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    pub verdict: Verdict,
    /// The rules that decided, by name.
    pub rules: Vec<String>,
    /// Their reasons.
    pub reasons: Vec<String>,
    /// With `limit`: how many rows may come back.
    pub rows: Option<u64>,
}

const SCHEMA: &str = include_str!("../policies/execute.cedarschema");
const GUARDS: &str = include_str!("../policies/guards.cedar");

impl Policy {
    /// One of the sets that come with the product.
    ///
    /// # Errors
    /// When there is no such set.
    pub fn named(name: &str) -> Result<Policy, PolicyError> {
        match name {
            "read-only" => Policy::parse(&[GUARDS, include_str!("../policies/read-only.cedar")]),
            "careful-write" => Policy::parse(&[GUARDS, include_str!("../policies/careful-write.cedar")]),
            "freeze" => Policy::parse(&[GUARDS, include_str!("../policies/freeze.cedar")]),
            "admin" => Policy::parse(&[include_str!("../policies/admin.cedar")]),
            other => Err(PolicyError::Unknown(other.to_owned())),
        }
    }

    /// Parses and validates policies; each is named by its `@id`.
    ///
    /// # Errors
    /// When a text cannot be parsed, does not fit the schema, or has an unknown effect.
    pub fn parse(texts: &[&str]) -> Result<Policy, PolicyError> {
        let parse = |error: &dyn std::fmt::Display| PolicyError::Parse(error.to_string());
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).map_err(|error| parse(&error))?;
        let mut set = PolicySet::new();
        let mut rules = HashMap::new();
        let mut hasher = DefaultHasher::new();
        for text in texts {
            text.hash(&mut hasher);
            let parsed = PolicySet::from_str(text).map_err(|error| parse(&error))?;
            for policy in parsed.policies() {
                let name = policy.annotation("id").unwrap_or_else(|| policy.id().as_ref()).to_owned();
                let effect = match policy.annotation("effect") {
                    None | Some("block") => Verdict::Block,
                    Some("hold") => Verdict::Hold,
                    Some("limit") => Verdict::Limit,
                    Some(_) => return Err(PolicyError::Effect(name)),
                };
                let rule = Rule {
                    name: name.clone(),
                    effect,
                    rows: policy.annotation("rows").and_then(|rows| rows.parse().ok()),
                    reason: policy.annotation("reason").unwrap_or_default().to_owned(),
                };
                let id = PolicyId::new(&name);
                set.add(policy.new_id(id.clone())).map_err(|error| parse(&error))?;
                rules.insert(id, rule);
            }
        }
        let result = Validator::new(schema).validate(&set, ValidationMode::Strict);
        if !result.validation_passed() {
            let errors: Vec<String> = result.validation_errors().map(ToString::to_string).collect();
            return Err(PolicyError::Invalid(errors.join("; ")));
        }
        let uid = |text: &str| EntityUid::from_str(text).map_err(|error| parse(&error));
        Ok(Policy {
            set,
            principal: uid(r#"Session::"session""#)?,
            action: uid(r#"Action::"execute""#)?,
            resource: uid(r#"Database::"database""#)?,
            rules,
            authorizer: Authorizer::new(),
            entities: Entities::empty(),
            digest: hasher.finish(),
        })
    }

    /// Decides. Whatever goes wrong blocks.
    pub fn decide(&self, facts: &Facts) -> Ruling {
        let Some(request) = self.request(facts, None) else {
            return blocked("policy-error", "the facts could not be put to the policies");
        };
        let response = self.authorizer.is_authorized(&request, &self.set, &self.entities);
        if response.diagnostics().errors().next().is_some() {
            return blocked("policy-error", "a policy failed on this statement");
        }
        let mut reasons: Vec<&Rule> =
            response.diagnostics().reason().filter_map(|id| self.rules.get(id)).collect();
        reasons.sort_by(|a, b| b.effect.cmp(&a.effect).then_with(|| a.name.cmp(&b.name)));
        match response.decision() {
            Decision::Allow => Ruling {
                verdict: Verdict::Allow,
                rules: reasons.iter().map(|rule| rule.name.clone()).collect(),
                reasons: Vec::new(),
                rows: None,
            },
            Decision::Deny => {
                let Some(verdict) = reasons.first().map(|rule| rule.effect) else {
                    return blocked("no-permit", "no policy permits this");
                };
                Ruling {
                    verdict,
                    rules: reasons.iter().map(|rule| rule.name.clone()).collect(),
                    reasons: reasons.iter().map(|rule| rule.reason.clone()).collect(),
                    rows: reasons
                        .iter()
                        .filter(|rule| rule.effect == Verdict::Limit)
                        .filter_map(|rule| rule.rows)
                        .min(),
                }
            }
        }
    }

    /// What is put to the policies. Its shape is always the same, so only a test checks it against the schema.
    fn request(&self, facts: &Facts, schema: Option<&Schema>) -> Option<Request> {
        let words = |values: &mut dyn Iterator<Item = &str>| {
            RestrictedExpression::new_set(
                values.map(|value| RestrictedExpression::new_string(value.to_owned())).collect::<Vec<_>>(),
            )
        };
        let hazards = facts.hazards();
        let pairs = [
            ("kinds", words(&mut facts.kinds.iter().map(|kind| kind.word()))),
            ("verbs", words(&mut facts.verbs.iter().map(String::as_str))),
            ("hazards", words(&mut hazards.iter().map(|hazard| hazard.word()))),
            ("tables_read", words(&mut facts.tables_read.iter().map(String::as_str))),
            ("tables_written", words(&mut facts.tables_written.iter().map(String::as_str))),
            ("functions", words(&mut facts.functions.iter().map(|called| called.name.as_str()))),
            ("settings", words(&mut facts.settings.iter().map(String::as_str))),
            (
                "statements",
                RestrictedExpression::new_long(i64::try_from(facts.statements).unwrap_or(i64::MAX)),
            ),
            ("unbounded", RestrictedExpression::new_bool(facts.unbounded)),
            ("catalogue", RestrictedExpression::new_bool(facts.catalogue)),
        ];
        let context = Context::from_pairs(pairs.map(|(name, value)| (name.to_owned(), value))).ok()?;
        Request::new(self.principal.clone(), self.action.clone(), self.resource.clone(), context, schema).ok()
    }
}

/// A block that no policy had to speak for.
pub(crate) fn blocked(rule: &str, reason: &str) -> Ruling {
    Ruling {
        verdict: Verdict::Block,
        rules: vec![rule.to_owned()],
        reasons: vec![reason.to_owned()],
        rows: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Guard, Input, Session};

    #[test]
    fn every_set_is_valid_and_every_guard_bears_the_name_of_its_hazard() {
        for name in ["read-only", "careful-write", "freeze", "admin"] {
            Policy::named(name).unwrap();
        }
        assert!(Policy::named("other").is_err());
    }

    #[test]
    fn a_policy_that_does_not_fit_the_schema_is_refused() {
        let wrong = r#"forbid (principal, action == Action::"execute", resource) when { context.hazard.contains("x") };"#;
        assert!(matches!(Policy::parse(&[wrong]), Err(PolicyError::Invalid(_))));
        let odd = r#"@effect("shrug") forbid (principal, action == Action::"execute", resource);"#;
        assert!(matches!(Policy::parse(&[odd]), Err(PolicyError::Effect(_))));
        assert!(matches!(Policy::parse(&["permit nothing"]), Err(PolicyError::Parse(_))));
    }

    #[test]
    fn what_is_put_to_the_policies_fits_the_schema() {
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).unwrap();
        let guard = Guard::new(Policy::named("careful-write").unwrap(), None);
        for sql in ["", "UPDATE t SET a = f(b)", "SET ROLE x; DROP TABLE y", "COPY t TO PROGRAM 'x'"] {
            let (facts, _) = guard.facts(&Session::default(), Input::simple(sql)).unwrap();
            assert!(guard.policy().request(&facts, Some(&schema)).is_some(), "{sql}");
        }
    }

    #[test]
    fn without_a_permit_nothing_passes() {
        let policy = Policy::parse(&[]).unwrap();
        let ruling = policy.decide(&Facts::default());
        assert_eq!((ruling.verdict, ruling.rules), (Verdict::Block, vec!["no-permit".to_owned()]));
    }
}
