//! What a person is eligible to ask for, and what an ask would lead to.

use std::collections::BTreeMap;

use daypass_domain::{Ask, AskError, Obligations, ResourceId, Timestamp, UserId};
use daypass_policy::{Offer, Policy, RequestAnswer, RequestFacts};
use daypass_protocol::api::{FieldProblem, LevelOffer, Outcome, Preview, Resource, ResourceKind};

use super::FlowError;
use super::submit::{Origin, judge};
use crate::app::App;
use crate::view;

/// Says that a kind of resource cannot be opened yet, and what that means.
pub fn no_connector(kind: ResourceKind) -> String {
    let kinds = match kind {
        ResourceKind::Postgres => {
            return "This database has no connection settings, so Daypass cannot open it yet.".into();
        }
        ResourceKind::Mysql => "MySQL databases",
        ResourceKind::Ssh => "SSH hosts",
        ResourceKind::Kubernetes => "Kubernetes namespaces",
        ResourceKind::CloudRole => "cloud roles",
        ResourceKind::Secrets => "secret stores",
        ResourceKind::WebApp => "web applications",
        ResourceKind::Queue => "message queues",
    };
    format!("Daypass cannot open {kinds} yet.")
}

/// Everything that `who` may ever ask for, with what it would take now.
pub fn catalogue(app: &App, who: &UserId, now: Timestamp) -> Vec<Resource> {
    let policy = app.policy();
    let mut levels: BTreeMap<ResourceId, Vec<LevelOffer>> = BTreeMap::new();
    for Offer { what, answer } in policy.entitlements(who, &RequestFacts::at(now)) {
        let outcome = outcome(&policy, who, answer);
        levels.entry(what.resource).or_default().push(LevelOffer { level: what.level, outcome });
    }
    let resource = |(id, levels): (ResourceId, Vec<LevelOffer>)| {
        let known = policy.org().resource(&id)?;
        let unavailable = app.connector(&id).is_none().then(|| no_connector(known.kind));
        Some(Resource {
            brief: view::resource(policy.org(), &id),
            description: known.description.clone(),
            tags: known.tags.clone(),
            levels,
            unavailable,
        })
    };
    levels.into_iter().filter_map(resource).collect()
}

fn outcome(policy: &Policy, who: &UserId, answer: RequestAnswer) -> Outcome {
    match answer {
        RequestAnswer::Allowed(Obligations { stages, max_duration_s, ticket }) if stages.is_empty() => {
            Outcome::Automatic { max_duration_s, ticket }
        }
        RequestAnswer::Allowed(Obligations { stages, max_duration_s, ticket }) => {
            let stages = view::stages_before(policy, who, &stages);
            Outcome::NeedsApproval { max_duration_s, ticket, stages }
        }
        RequestAnswer::Denied { why, until } => Outcome::NotNow { why: why.join(" "), until },
    }
}

/// What would happen to an ask as it stands, without recording anything.
pub async fn preview(app: &App, who: &UserId, ask: &Ask, origin: Origin) -> Result<Preview, FlowError> {
    let now = app.now();
    let policy = app.policy();
    let (answer, assessed) = judge(app, &policy, who, ask, origin, now);
    let problems = match &answer {
        RequestAnswer::Allowed(obligations) => problems(ask, obligations, now),
        RequestAnswer::Denied { .. } => Vec::new(),
    };
    let mut held = None;
    for grant in app.store().grants_of(who, 50).await? {
        let covers = |e: &daypass_domain::Entitlement| {
            grant.state.entitlement.resource == e.resource && grant.state.entitlement.level >= e.level
        };
        if grant.state.is_live(now) && ask.entitlements.iter().all(covers) && !ask.entitlements.is_empty() {
            held = Some(view::grant(policy.org(), &grant.state));
        }
    }
    let outcome = outcome(&policy, who, answer);
    Ok(Preview { outcome, risk: view::risk(&assessed.score, true), held, problems })
}

/// Each part of the form that is wrong, rather than only the first.
fn problems(ask: &Ask, obligations: &Obligations, now: Timestamp) -> Vec<FieldProblem> {
    let mut ask = ask.clone();
    let mut found: Vec<FieldProblem> = Vec::new();
    while let Err(e) = ask.check(obligations, now) {
        if found.iter().any(|p| p.field == e.field()) {
            break;
        }
        found.push(FieldProblem { field: e.field().to_owned(), message: message(&e) });
        mend(&mut ask, &e, obligations);
    }
    found
}

/// Makes one part good, to see what else is wrong.
fn mend(ask: &mut Ask, error: &AskError, obligations: &Obligations) {
    match error.field() {
        "duration_s" => ask.duration_s = obligations.max_duration_s.max(1),
        "reason" => "given".clone_into(&mut ask.reason),
        "ticket" => ask.ticket = Some("given".into()),
        "start" => ask.start = None,
        _ => {}
    }
}

fn message(error: &AskError) -> String {
    match error {
        AskError::TooLong { limit, .. } => format!("At most {} for this access.", view::duration(*limit)),
        other => {
            let text = other.to_string();
            let mut chars = text.chars();
            chars.next().map_or_else(String::new, |c| format!("{}{}.", c.to_uppercase(), chars.as_str()))
        }
    }
}
