//! May this person have this, and what would it take?

use std::collections::BTreeSet;

use cedar_policy::PolicyId;
use daypass_domain::{Ask, Entitlement, Obligations, Timestamp, UserId};

use crate::obligations::Merged;
use crate::org::Resource;
use crate::policy::{Policy, RequestFacts};
use crate::rules::{Question, Ruling};
use crate::world::{Contexts, Wish, freeze_of};

/// What policy says to an ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestAnswer {
    /// It may be asked for, and needs this.
    Allowed(Obligations),
    Denied {
        /// Sentences for the person, at least one.
        why: Vec<String>,
        /// When it is known to be possible again.
        until: Option<Timestamp>,
    },
}

/// One line of a person's catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub what: Entitlement,
    pub answer: RequestAnswer,
}

impl RequestAnswer {
    pub fn allowed(&self) -> Option<&Obligations> {
        match self {
            Self::Allowed(o) => Some(o),
            Self::Denied { .. } => None,
        }
    }
}

/// Why one entitlement is denied.
#[derive(Debug)]
struct Denial {
    why: Vec<String>,
    until: Option<Timestamp>,
    /// The person is one who can have this at other times.
    eligible: bool,
}

impl Denial {
    fn never(why: impl Into<String>) -> Self {
        Self { why: vec![why.into()], until: None, eligible: false }
    }

    fn now(why: impl Into<String>) -> Self {
        Self { eligible: true, ..Self::never(why) }
    }
}

/// The shortest access that the catalogue asks about.
const SHORTEST_S: u32 = 1;

impl Policy {
    /// May `who` ask for this, and what would it need?
    ///
    /// The duration is compared with the longest one by [`Ask::check`], not here.
    pub fn request(&self, who: &UserId, ask: &Ask, facts: &RequestFacts) -> RequestAnswer {
        let ticket = ask.ticket.as_deref().is_some_and(|t| !t.trim().is_empty());
        // A start that has passed means now.
        let start = ask.start.map_or(facts.now, |s| s.max(facts.now));
        let wishes: Vec<_> = ask
            .entitlements
            .iter()
            .map(|what| Wish { what, start, duration_s: ask.duration_s, ticket })
            .collect();
        self.answer(who, &wishes, facts, &Contexts::default()).unwrap_or_else(denied)
    }

    /// What it would take to get this now, with the shortest ask and a ticket.
    pub fn offer(&self, who: &UserId, what: &Entitlement, facts: &RequestFacts) -> RequestAnswer {
        self.offered(who, what, facts, &Contexts::default()).unwrap_or_else(denied)
    }

    /// Everything that `who` may ask for, now or at other times, in order.
    pub fn entitlements(&self, who: &UserId, facts: &RequestFacts) -> Vec<Offer> {
        let contexts = Contexts::default();
        let all = self.org.resources.values().flat_map(|r| r.levels.iter().map(move |level| (r, *level)));
        all.filter_map(|(r, level)| {
            let what = Entitlement { resource: r.id.clone(), level };
            let answer = match self.offered(who, &what, facts, &contexts) {
                Ok(answer) => answer,
                Err(denial) if denial.eligible => denied(denial),
                Err(_) => return None,
            };
            Some(Offer { what, answer })
        })
        .collect()
    }

    fn offered(
        &self,
        who: &UserId,
        what: &Entitlement,
        facts: &RequestFacts,
        contexts: &Contexts,
    ) -> Result<RequestAnswer, Denial> {
        let wish = Wish { what, start: facts.now, duration_s: SHORTEST_S, ticket: true };
        self.answer(who, &[wish], facts, contexts)
    }

    fn answer(
        &self,
        who: &UserId,
        wishes: &[Wish<'_>],
        facts: &RequestFacts,
        contexts: &Contexts,
    ) -> Result<RequestAnswer, Denial> {
        if self.org.person(who).is_none() {
            return Err(Denial::never(format!("{who} is not a person of {}.", self.org.name)));
        }
        let mut merged = Merged::default();
        let mut denials = Vec::new();
        for wish in wishes {
            if let Err(denial) = self.add(who, *wish, facts, contexts, &mut merged) {
                denials.push(denial);
            }
        }
        if let Some(denial) = together(denials) {
            return Err(denial);
        }
        let obligations = merged.finish().ok_or_else(|| Denial::never("Choose at least one resource."))?;
        if let Some(why) = self.short_of_people(who, &obligations, wishes, facts, contexts) {
            return Err(Denial::now(why));
        }
        Ok(RequestAnswer::Allowed(obligations))
    }

    fn add(
        &self,
        who: &UserId,
        wish: Wish<'_>,
        facts: &RequestFacts,
        contexts: &Contexts,
        to: &mut Merged,
    ) -> Result<(), Denial> {
        let Entitlement { resource: id, level } = wish.what;
        let resource =
            self.org.resource(id).ok_or_else(|| Denial::never(format!("There is no resource \"{id}\".")))?;
        if !resource.levels.contains(level) {
            return Err(Denial::never(format!("{id} does not offer {level}.")));
        }
        let question = self.world.request(&self.org, who, wish, facts, contexts).map_err(|_| {
            Denial::now("The policy could not be evaluated, so this is denied; tell your security team.")
        })?;
        match self.request_rules.decide(&question, &self.world.entities) {
            Ruling::Permitted(_) => {}
            Ruling::Forbidden(by) => return Err(self.forbidden(&by, &question, wish, resource)),
            Ruling::NotPermitted => return Err(self.not_permitted(&question, wish, resource)),
            Ruling::Failed(by) => return Err(Denial::now(failed(&by))),
        }
        let obligations = &self.obligation_rules;
        let held = match obligations.rules.decide(&question, &self.world.entities) {
            Ruling::Permitted(held) => held,
            Ruling::Failed(by) => return Err(Denial::now(failed(&by))),
            Ruling::Forbidden(_) | Ruling::NotPermitted => Vec::new(),
        };
        let uncovered = |e| Denial::now(format!("{level} on {id} is denied: {e}; tell your security team."));
        obligations.add(&held, &self.org, who, id, to).map_err(uncovered)
    }

    fn forbidden(&self, by: &[PolicyId], q: &Question<'_>, wish: Wish<'_>, resource: &Resource) -> Denial {
        let freeze = freeze_of(&self.org, wish);
        let reasons = by.iter().filter_map(|id| self.request_rules.annotation(id, "reason"));
        let why = reasons.map(|r| self.sentence(r, wish, resource)).collect();
        let all_until = by.iter().all(|id| self.request_rules.annotation(id, "until").is_some());
        let until = freeze.filter(|_| all_until).map(|f| f.to);
        let permitted = self.request_rules.decide_permits(q, &self.world.entities);
        Denial { why, until, eligible: matches!(permitted, Ruling::Permitted(_)) }
    }

    fn not_permitted(&self, q: &Question<'_>, wish: Wish<'_>, resource: &Resource) -> Denial {
        let permits = self.request_rules.permits_in_scope(q, self.world.action(wish.what.level));
        // In the order of their names, each sentence once.
        let why: BTreeSet<_> = permits
            .filter_map(|p| p.annotation("otherwise"))
            .map(|text| self.sentence(text, wish, resource))
            .collect();
        if why.is_empty() {
            let Entitlement { resource, level } = wish.what;
            return Denial::never(format!("You are not eligible for {level} on {resource}."));
        }
        Denial { why: why.into_iter().collect(), until: None, eligible: true }
    }

    /// Fills in what a sentence of a policy names in braces.
    fn sentence(&self, text: &str, wish: Wish<'_>, resource: &Resource) -> String {
        let zone = self.org.team(&resource.owner).map_or(self.org.time_zone, |t| t.time_zone);
        let freeze = freeze_of(&self.org, wish).map_or_else(String::new, |f| {
            let moment = |at: Timestamp| at.with_timezone(&zone).format("%-d %b %Y %H:%M %Z");
            format!("{} ({} to {}): {}", f.name, moment(f.from), moment(f.to), f.reason)
        });
        text.replace("{resource}", wish.what.resource.as_str())
            .replace("{level}", wish.what.level.as_str())
            .replace("{environment}", resource.environment.as_str())
            .replace("{freeze}", &freeze)
    }
}

/// All denials as one; none when there is none.
fn together(denials: Vec<Denial>) -> Option<Denial> {
    let mut all = denials.into_iter();
    let mut one = all.next()?;
    for next in all {
        for why in next.why {
            if !one.why.contains(&why) {
                one.why.push(why);
            }
        }
        // Possible again only when the last of them is, and only if that is known of each.
        one.until = one.until.zip(next.until).map(|(a, b)| a.max(b));
        one.eligible &= next.eligible;
    }
    Some(one)
}

fn denied(Denial { why, until, .. }: Denial) -> RequestAnswer {
    RequestAnswer::Denied { why, until }
}

fn failed(by: &[PolicyId]) -> String {
    let names: Vec<_> = by.iter().map(ToString::to_string).collect();
    format!(
        "The policy {} could not be evaluated, so this is denied; tell your security team.",
        names.join(", ")
    )
}
