//! May this person decide on this request, and are there enough who may?

use std::collections::BTreeSet;

use daypass_domain::{ApprovePermit, Entitlement, Obligations, Request, Stage, Timestamp, UserId};

use crate::feasible::{Places, feasible, fillable};
use crate::obligations::Tier;
use crate::org::Org;
use crate::policy::{Policy, RequestFacts};
use crate::rules::Ruling;
use crate::world::{Contexts, Matter, Wish};

/// Why someone may not decide.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("Nobody approves their own request.")]
    OwnRequest,
    #[error("This request has no such stage.")]
    NoStage,
    #[error("Only {0} can decide in this stage.")]
    NotMember(String),
    /// In the policy's own words.
    #[error("{0}")]
    Forbidden(String),
    #[error("No policy lets you decide on this.")]
    NotPermitted,
    /// Their approval here would leave a later stage without anyone.
    #[error("You are needed for the stage \"{0}\" of this request; someone else has to approve in this one.")]
    NeededLater(String),
    #[error("The policy could not be evaluated, so this is denied; tell your security team.")]
    Failed,
}

/// A request, or one that may become one, as approvers see it.
struct Case<'a> {
    requester: &'a UserId,
    wishes: &'a [Wish<'a>],
    contexts: &'a Contexts,
}

impl Policy {
    /// Lets `who` decide in a stage, or says why not. `facts` are about `who`, beside the risk of the request.
    pub fn approve(
        &self,
        who: &UserId,
        request: &Request,
        stage: usize,
        facts: &RequestFacts,
    ) -> Result<ApprovePermit, Refusal> {
        let of = request.obligations.stages.get(stage).ok_or(Refusal::NoStage)?;
        let wishes = wishes_of(request, facts.now);
        let contexts = Contexts::default();
        let case = Case { requester: &request.requester, wishes: &wishes, contexts: &contexts };
        self.may_approve(who, &case, of, facts)?;
        let open = self.open_places(request, &case, facts);
        match needed_later(who, stage, &open).and_then(|later| request.obligations.stages.get(later)) {
            Some(later) => Err(Refusal::NeededLater(later.name.clone())),
            None => Ok(ApprovePermit::new(who.clone(), stage)),
        }
    }

    /// Everyone who could decide in a stage now and has not approved in any.
    pub fn approvers(&self, request: &Request, stage: usize, facts: &RequestFacts) -> Vec<UserId> {
        let Some(of) = request.obligations.stages.get(stage) else { return Vec::new() };
        let wishes = wishes_of(request, facts.now);
        let contexts = Contexts::default();
        let case = Case { requester: &request.requester, wishes: &wishes, contexts: &contexts };
        let open = self.open_places(request, &case, facts);
        let approved: BTreeSet<_> = request.approvals().map(|d| &d.by).collect();
        let members = self.org.members(&of.group).filter(|who| !approved.contains(who));
        let may = |who: &UserId| {
            self.may_approve(who, &case, of, facts).is_ok() && needed_later(who, stage, &open).is_none()
        };
        members.filter(|who| may(who)).cloned().collect()
    }

    /// Whether this person may end other people's grants and clear flags.
    pub fn is_security(&self, who: &UserId) -> bool {
        self.org.is_member(who, &self.org.security)
    }

    /// Whether `who` may end a grant of `holder` against their will.
    pub fn may_revoke(&self, who: &UserId, holder: &UserId) -> bool {
        who != holder && self.is_security(who)
    }

    /// Whether any stage could ever wait for this person.
    pub fn reviews(&self, who: &UserId) -> bool {
        let tiers = self.obligation_rules.tiers().filter(|tier| in_tier(&self.org, who, *tier));
        self.could_approve(who, &tiers.collect::<Vec<_>>())
    }

    /// Whether `who` is let to approve something of someone in these tiers, at no risk and within working hours.
    fn could_approve(&self, who: &UserId, tiers: &[Tier]) -> bool {
        // A Wednesday noon, UTC: what depends on the hour is most likely let through then.
        let facts = RequestFacts::at(Timestamp::UNIX_EPOCH + chrono::TimeDelta::hours(6 * 24 + 12));
        let contexts = Contexts::default();
        let Some(requester) = self.org.people.keys().find(|p| *p != who) else { return false };
        let may = |what: &Entitlement, tier: Tier| {
            let wish = Wish { what, start: facts.now, duration_s: 60, ticket: true };
            let matter = Matter { requester, stage: tier.as_str(), member: true };
            let question = self.world.approve(&self.org, who, wish, matter, &facts, &contexts);
            let ruling = question.map(|q| self.approve_rules.decide(&q, &self.world.entities));
            matches!(ruling, Ok(Ruling::Permitted(_)))
        };
        self.org.resources.values().any(|r| {
            r.levels.iter().any(|level| {
                let what = Entitlement { resource: r.id.clone(), level: *level };
                tiers.iter().any(|tier| may(&what, *tier))
            })
        })
    }

    /// Membership, then the rules, for everything that is asked.
    fn may_approve(
        &self,
        who: &UserId,
        case: &Case<'_>,
        stage: &Stage,
        facts: &RequestFacts,
    ) -> Result<(), Refusal> {
        if who == case.requester {
            return Err(Refusal::OwnRequest);
        }
        if !self.org.is_member(who, &stage.group) {
            return Err(Refusal::NotMember(self.org.group_name(&stage.group)));
        }
        for wish in case.wishes {
            let matter = Matter { requester: case.requester, stage: &stage.name, member: true };
            let question = self
                .world
                .approve(&self.org, who, *wish, matter, facts, case.contexts)
                .map_err(|_| Refusal::Failed)?;
            match self.approve_rules.decide(&question, &self.world.entities) {
                Ruling::Permitted(_) => {}
                Ruling::NotPermitted => return Err(Refusal::NotPermitted),
                Ruling::Failed(_) => return Err(Refusal::Failed),
                Ruling::Forbidden(by) => {
                    let reason = by.iter().find_map(|id| self.approve_rules.annotation(id, "reason"));
                    return Err(reason.map_or(Refusal::NotPermitted, |r| Refusal::Forbidden(r.to_owned())));
                }
            }
        }
        // A request for nothing has nothing to decide on.
        if case.wishes.is_empty() { Err(Refusal::NotPermitted) } else { Ok(()) }
    }

    /// Why a request with these obligations could never be approved; none when it can.
    pub(crate) fn short_of_people(
        &self,
        who: &UserId,
        obligations: &Obligations,
        wishes: &[Wish<'_>],
        facts: &RequestFacts,
        contexts: &Contexts,
    ) -> Option<String> {
        // What is known is about the requester; an approver's own flags and device are looked at when they decide.
        let facts = RequestFacts { device_is_new: false, flagged: false, ..facts.clone() };
        let case = Case { requester: who, wishes, contexts };
        // No stage can use more people than there are places in all, so whoever comes after those is not asked about.
        let enough = obligations.stages.iter().map(|s| usize::from(s.needed)).sum();
        let mut places: Vec<Places<&UserId>> = Vec::new();
        for stage in &obligations.stages {
            let here = self.places(stage, &case, &facts, enough);
            let (needed, can) = (here.needed, here.people.len());
            if can < needed {
                let group = self.org.group_name(&stage.group);
                return Some(format!(
                    "This needs {needed} of {group} to approve, and besides you {}",
                    match can {
                        0 => "nobody can.".to_owned(),
                        can => format!("only {can} can."),
                    }
                ));
            }
            places.push(here);
            if !feasible(&places) {
                let needed: usize = places.iter().map(|p| p.needed).sum();
                let stages: Vec<_> =
                    obligations.stages.iter().take(places.len()).map(|s| s.name.as_str()).collect();
                let stages = stages.join(" and ");
                let found = fillable(&places);
                return Some(format!(
                    "The stages {stages} need {needed} different people besides you, and only {found} can be found."
                ));
            }
        }
        None
    }

    fn places<'s>(
        &'s self,
        stage: &Stage,
        case: &Case<'_>,
        facts: &RequestFacts,
        most: usize,
    ) -> Places<&'s UserId> {
        let members = self.org.members(&stage.group);
        let people = members.filter(|p| self.may_approve(p, case, stage, facts).is_ok()).take(most).collect();
        Places { needed: usize::from(stage.needed), people }
    }

    /// The stages that still need people, with who could still approve in them.
    fn open_places<'s>(&'s self, request: &Request, case: &Case<'_>, facts: &RequestFacts) -> Vec<Open<'s>> {
        // With a single stage there is nothing that an approval could spoil.
        if request.obligations.stages.len() < 2 {
            return Vec::new();
        }
        let facts = RequestFacts { device_is_new: false, flagged: false, ..facts.clone() };
        let spent: BTreeSet<_> = request.approvals().map(|d| &d.by).collect();
        let stages = request.obligations.stages.iter().enumerate();
        let open = stages.map(|(index, stage)| {
            let mut places = self.places(stage, case, &facts, usize::MAX);
            places.needed = places.needed.saturating_sub(request.approved_in(index));
            places.people.retain(|p| !spent.contains(p));
            Open { index, places }
        });
        open.filter(|o| o.places.needed > 0).collect()
    }
}

/// A stage that is not done.
struct Open<'a> {
    index: usize,
    places: Places<&'a UserId>,
}

/// The index of the stage that `who` has to be kept for, when approving in `stage` would leave it without anyone.
fn needed_later(who: &UserId, stage: usize, open: &[Open<'_>]) -> Option<usize> {
    let before: Vec<_> = open.iter().map(|o| o.places.clone()).collect();
    // When it cannot be completed anyhow, because people have left, refusing mends nothing.
    if !feasible(&before) {
        return None;
    }
    let after: Vec<_> = open
        .iter()
        .map(|o| {
            let mut places = o.places.clone();
            places.people.retain(|p| *p != who);
            places.needed = places.needed.saturating_sub(usize::from(o.index == stage));
            places
        })
        .collect();
    if feasible(&after) {
        return None;
    }
    // Every way to complete it has this person in another stage, or their place here would have been free to give.
    open.iter().find(|o| o.index != stage && o.places.people.iter().any(|p| *p == who)).map(|o| o.index)
}

/// Whether someone could be in the group of a tier for some request of someone else.
fn in_tier(org: &Org, who: &UserId, tier: Tier) -> bool {
    match tier {
        Tier::Senior => org.is_member(who, &org.senior),
        Tier::Security => org.is_member(who, &org.security),
        Tier::Peer => org.person(who).is_some_and(|p| org.members(&p.team).any(|other| other != who)),
        Tier::Owner => {
            let mut owners = org.resources.keys().filter_map(|r| org.owner(r)).map(|t| &t.owners);
            owners.any(|g| org.is_member(who, g))
        }
    }
}

fn wishes_of(request: &Request, now: Timestamp) -> Vec<Wish<'_>> {
    let ask = &request.ask;
    let start = ask.start.map_or(now, |s| s.max(now));
    let ticket = ask.ticket.as_deref().is_some_and(|t| !t.trim().is_empty());
    let wish = |what| Wish { what, start, duration_s: request.duration_s(), ticket };
    ask.entitlements.iter().map(wish).collect()
}
