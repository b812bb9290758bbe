//! The policy in force.

use daypass_domain::{Digest, Timestamp};

use crate::error::PolicyError;
use crate::obligations::ObligationRules;
use crate::org::Org;
use crate::rules::Rules;
use crate::sources::{APPROVE, REQUEST, Sources};
use crate::world::World;

/// An organisation and its rules, checked. Never changes; a new one replaces it.
#[derive(Debug)]
pub struct Policy {
    pub(crate) org: Org,
    pub(crate) world: World,
    pub(crate) request_rules: Rules,
    pub(crate) approve_rules: Rules,
    pub(crate) obligation_rules: ObligationRules,
    digest: Digest,
}

/// What a question is decided on beside the organisation: about the person who asks, or who wants to decide.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestFacts {
    pub now: Timestamp,
    /// The risk of the request, 0 to 100.
    pub risk_points: u8,
    /// The device of the person has not been used before.
    pub device_is_new: bool,
    /// Security has not cleared this person, the device or the session.
    pub flagged: bool,
}

impl RequestFacts {
    /// Nothing known but the time: no risk, a known device, no flag.
    pub fn at(now: Timestamp) -> Self {
        Self { now, risk_points: 0, device_is_new: false, flagged: false }
    }
}

impl Policy {
    /// Reads and checks the sources; says everything that is wrong with them, so that all can be mended at once.
    pub fn parse(sources: &Sources) -> Result<Self, Vec<PolicyError>> {
        let org = Org::parse(sources)?;
        let world = World::new(&org, &sources.schema)?;
        let request = Rules::parse(REQUEST, &sources.request, &world, &["reason", "until", "otherwise"]);
        let approve = Rules::parse(APPROVE, &sources.approve, &world, &["reason"]);
        let obligations = ObligationRules::parse(&sources.obligations, &world);
        let digest = sources.digest();
        match (request, approve, obligations) {
            (Ok(request_rules), Ok(approve_rules), Ok(obligation_rules)) => {
                let policy = Self { org, world, request_rules, approve_rules, obligation_rules, digest };
                policy.check_annotations(&sources.request)?;
                Ok(policy)
            }
            (request, approve, obligations) => {
                let all = [request.err(), approve.err(), obligations.err()];
                Err(all.into_iter().flatten().flatten().collect())
            }
        }
    }

    /// `@until` and `@otherwise` mean something on one kind of policy each.
    fn check_annotations(&self, text: &str) -> Result<(), Vec<PolicyError>> {
        let mut errors = Vec::new();
        for policy in self.request_rules.policies() {
            let permit = policy.effect() == cedar_policy::Effect::Permit;
            let mut fail = |message: &str| {
                let error = PolicyError::new(REQUEST, message).named(policy.id().to_string());
                let at = text.find(&format!("@id(\"{}\")", policy.id()));
                errors.push(error.within(text, at.map(|at| at..at)));
            };
            match policy.annotation("until") {
                Some(_) if permit => fail("@until goes with a forbid"),
                Some("freeze") | None => {}
                Some(_) => fail("@until can only be \"freeze\""),
            }
            if !permit && policy.annotation("otherwise").is_some() {
                fail("@otherwise goes with a permit");
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    pub fn org(&self) -> &Org {
        &self.org
    }

    /// Names exactly the sources that this policy was read from.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// A policy is shared by every task of the server.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Policy>();
};
