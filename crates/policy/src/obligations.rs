//! What an allowed ask needs: read from the annotations of the policies that hold, and merged.

use std::collections::{BTreeMap, HashMap};

use cedar_policy::{Effect, Policy, PolicyId};
use daypass_domain::{GroupId, Obligations, ResourceId, Stage, UserId};

use crate::error::PolicyError;
use crate::org::Org;
use crate::rules::Rules;
use crate::sources::OBLIGATIONS;
use crate::world::World;

/// Who approves in a stage, before it is known who asks for what. The order is the order of approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// The requester's own team.
    Peer,
    Senior,
    /// The owners of the resource.
    Owner,
    Security,
}

/// What one policy of the file adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Obligation {
    /// `Some(None)` says that nobody has to approve, as far as this policy is concerned.
    stage: Option<Option<(Tier, u8)>>,
    max_duration_s: Option<u32>,
    ticket: bool,
}

/// `obligations.cedar`.
#[derive(Debug)]
pub(crate) struct ObligationRules {
    pub rules: Rules,
    by_policy: HashMap<PolicyId, Obligation>,
}

/// The obligations of several entitlements, as they come together.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    stages: Vec<(Tier, GroupId, u8)>,
    max_duration_s: Option<u32>,
    ticket: bool,
}

/// Why an entitlement cannot be given although it may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Uncovered {
    #[error("no obligation says who approves it")]
    Stage,
    #[error("no obligation says how long it may last")]
    Duration,
}

impl Tier {
    pub(crate) const ALL: [Self; 4] = [Self::Peer, Self::Senior, Self::Owner, Self::Security];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Senior => "senior",
            Self::Owner => "owner",
            Self::Security => "security",
        }
    }
}

impl ObligationRules {
    pub(crate) fn parse(text: &str, world: &World) -> Result<Self, Vec<PolicyError>> {
        let known = ["reason", "stage", "needed", "max_duration", "ticket"];
        let rules = Rules::parse(OBLIGATIONS, text, world, &known)?;
        let mut by_policy = HashMap::new();
        let mut errors = Vec::new();
        for policy in rules.policies() {
            match Obligation::of(policy) {
                Ok(o) => {
                    by_policy.insert(policy.id().clone(), o);
                }
                Err(message) => {
                    let error = PolicyError::new(OBLIGATIONS, message).named(policy.id().to_string());
                    let id = format!("@id(\"{}\")", policy.id());
                    errors.push(match text.find(&id) {
                        Some(at) => error.at(text, at),
                        None => error,
                    });
                }
            }
        }
        if errors.is_empty() { Ok(Self { rules, by_policy }) } else { Err(errors) }
    }

    /// Adds what the policies `held` say about one entitlement.
    pub(crate) fn add(
        &self,
        held: &[PolicyId],
        org: &Org,
        who: &UserId,
        resource: &ResourceId,
        to: &mut Merged,
    ) -> Result<(), Uncovered> {
        let held: Vec<_> = held.iter().filter_map(|id| self.by_policy.get(id)).collect();
        if !held.iter().any(|o| o.stage.is_some()) {
            return Err(Uncovered::Stage);
        }
        let longest = held.iter().filter_map(|o| o.max_duration_s).min().ok_or(Uncovered::Duration)?;
        to.max_duration_s = Some(to.max_duration_s.map_or(longest, |d| d.min(longest)));
        to.ticket |= held.iter().any(|o| o.ticket);
        // In one entitlement the same tier is asked once, for the most that any policy wants.
        let mut tiers: BTreeMap<Tier, u8> = BTreeMap::new();
        for (tier, needed) in held.iter().filter_map(|o| o.stage.flatten()) {
            let most = tiers.entry(tier).or_default();
            *most = needed.max(*most);
        }
        // Two tiers that come down to the same group still want as many different people as both together.
        let mut stages: Vec<(Tier, GroupId, u8)> = Vec::new();
        for (tier, needed) in tiers {
            let group = group_of(tier, org, who, resource).ok_or(Uncovered::Stage)?;
            match stages.iter_mut().find(|(_, g, _)| *g == group) {
                Some((_, _, n)) => *n = n.saturating_add(needed),
                None => stages.push((tier, group, needed)),
            }
        }
        // Several entitlements are decided in one go: a group is asked once, for the most that any of them wants.
        for (tier, group, needed) in stages {
            match to.stages.iter_mut().find(|(_, g, _)| *g == group) {
                Some((first, _, n)) => (*first, *n) = (tier.min(*first), needed.max(*n)),
                None => to.stages.push((tier, group, needed)),
            }
        }
        Ok(())
    }

    /// The tiers that some policy names.
    pub(crate) fn tiers(&self) -> impl Iterator<Item = Tier> {
        Tier::ALL
            .into_iter()
            .filter(|t| self.by_policy.values().any(|o| o.stage.flatten().is_some_and(|s| s.0 == *t)))
    }
}

impl Merged {
    /// None when no entitlement was added.
    pub(crate) fn finish(mut self) -> Option<Obligations> {
        self.stages.sort();
        let stage = |(tier, group, needed): (Tier, GroupId, u8)| Stage {
            name: tier.as_str().to_owned(),
            group,
            needed,
        };
        let stages = self.stages.into_iter().map(stage).collect();
        Some(Obligations { stages, max_duration_s: self.max_duration_s?, ticket: self.ticket })
    }
}

fn group_of(tier: Tier, org: &Org, who: &UserId, resource: &ResourceId) -> Option<GroupId> {
    match tier {
        Tier::Peer => Some(org.person(who)?.team.clone()),
        Tier::Senior => Some(org.senior.clone()),
        Tier::Owner => Some(org.owner(resource)?.owners.clone()),
        Tier::Security => Some(org.security.clone()),
    }
}

impl Obligation {
    fn of(policy: &Policy) -> Result<Self, String> {
        if policy.effect() == Effect::Forbid {
            return Err("obligations are permits; a forbid belongs into request.cedar".to_owned());
        }
        let needed = match policy.annotation("needed") {
            None => 1,
            Some(text) => text
                .parse()
                .ok()
                .filter(|n| (1..=9).contains(n))
                .ok_or_else(|| format!("@needed(\"{text}\") is not a number from 1 to 9"))?,
        };
        let stage = match policy.annotation("stage") {
            None if policy.annotation("needed").is_some() => {
                return Err("@needed goes with a @stage".to_owned());
            }
            None => None,
            Some("automatic") if policy.annotation("needed").is_some() => {
                return Err("@needed does not go with @stage(\"automatic\")".to_owned());
            }
            Some("automatic") => Some(None),
            Some(name) => {
                let tier = Tier::ALL.into_iter().find(|t| t.as_str() == name).ok_or_else(|| {
                    format!("@stage(\"{name}\") is not automatic, peer, senior, owner or security")
                })?;
                Some(Some((tier, needed)))
            }
        };
        let max_duration_s =
            match policy.annotation("max_duration") {
                None => None,
                Some(text) => Some(parse_duration(text).ok_or_else(|| {
                    format!("@max_duration(\"{text}\") is not a time as 90s, 30m, 8h or 7d")
                })?),
            };
        let ticket = match policy.annotation("ticket") {
            None => false,
            Some("required") => true,
            Some(text) => return Err(format!("@ticket(\"{text}\") can only be \"required\"")),
        };
        if stage.is_none() && max_duration_s.is_none() && !ticket {
            return Err("says nothing: it needs @stage, @max_duration or @ticket".to_owned());
        }
        Ok(Self { stage, max_duration_s, ticket })
    }
}

/// Seconds of `90s`, `30m`, `8h` or `7d`; at least one.
fn parse_duration(text: &str) -> Option<u32> {
    let unit = text.chars().last()?;
    let number: u32 = text.strip_suffix(unit)?.parse().ok()?;
    let unit = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    number.checked_mul(unit).filter(|s| *s > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let cases = [("90s", Some(90)), ("30m", Some(1800)), ("8h", Some(28_800)), ("7d", Some(604_800))];
        let wrong = ["", "0s", "h", "8", "8 h", "-1h", "1.5h", "99999d", "8ü"].map(|t| (t, None));
        for (text, expected) in cases.into_iter().chain(wrong) {
            assert_eq!(parse_duration(text), expected, "{text}");
        }
    }
}
