//! The catalogue: everything one may ask for, and what each level would take.

use std::collections::BTreeSet;

use daypass_domain::{Entitlement, Environment, ResourceId, Sensitivity, Timestamp};
use daypass_protocol::api::{GrantStatus, LevelOffer, Outcome, Resource, ResourceKind};
use daypass_protocol::bridge::{Intent, Page};
use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::desk::{Desk, use_desk};
use crate::pages::request::RequestDrawer;
use crate::parts::{
    Banner, Button, Countdown, EmptyState, EnvironmentTag, Kbd, Select, SensitivityTag, Skeleton, Tag,
    Weight, glyph, icon, keys_are_free, kind_icon, option,
};
use crate::{time, words};

/// So many cards are drawn at first, and so many more on demand.
const SCREENFUL: usize = 120;

const ENVIRONMENTS: [Environment; 3] = [Environment::Dev, Environment::Staging, Environment::Prod];
const SENSITIVITIES: [Sensitivity; 4] =
    [Sensitivity::Low, Sensitivity::Moderate, Sensitivity::High, Sensitivity::Critical];
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

#[derive(Clone, Default, PartialEq)]
struct Filter {
    text: String,
    environment: Option<Environment>,
    sensitivity: Option<Sensitivity>,
    kind: Option<ResourceKind>,
}

impl Filter {
    fn is_on(&self) -> bool {
        *self != Self::default()
    }

    /// Every word occurs somewhere in what is known of the resource.
    fn admits(&self, r: &Resource) -> bool {
        let b = &r.brief;
        if self.environment.is_some_and(|e| e != b.environment)
            || self.sensitivity.is_some_and(|s| s != b.sensitivity)
            || self.kind.is_some_and(|k| k != b.kind)
        {
            return false;
        }
        let known = format!(
            "{} {} {} {} {} {} {}",
            b.name,
            b.id,
            words::kind(b.kind),
            words::environment(b.environment),
            b.owner,
            r.description,
            r.tags.join(" ")
        )
        .to_lowercase();
        self.text.to_lowercase().split_whitespace().all(|word| known.contains(word))
    }
}

#[derive(Properties, PartialEq)]
pub struct AccessProps {
    /// The entitlement whose request form is open.
    pub ask: Option<Entitlement>,
}

#[component]
pub fn Access(props: &AccessProps) -> Html {
    let desk = use_desk();
    let filter = use_state(Filter::default);
    let shown = use_state(|| SCREENFUL);
    let search = use_node_ref();
    use_slash(search.clone());

    let resources = desk.catalogue.resources.clone();
    let open = {
        let go = desk.go.clone();
        Callback::from(move |e: Entitlement| go.emit(Page::Ask(e)))
    };
    let close = {
        let go = desk.go.clone();
        Callback::from(move |()| go.emit(Page::Access))
    };
    let found: Vec<&Resource> =
        resources.iter().flat_map(|all| all.iter()).filter(|r| filter.admits(r)).collect();
    let count = resources.as_ref().map(|all| {
        if filter.is_on() {
            format!("{} of {}", found.len(), all.len())
        } else {
            words::count(all.len(), "resource", "resources")
        }
    });

    let content = match (&resources, &desk.catalogue.failure) {
        (None, None) => html! { <div class="scroll"><Skeleton of="card" count=9 /></div> },
        (None, Some(failure)) => html! {
            <EmptyState icon={glyph::OFFLINE} title="The catalogue did not come"
                action={html! { <Button weight={Weight::Primary} icon={glyph::RETRY}
                    onclick={desk.reload_catalogue.reform(|_: MouseEvent| ())}>{ "Try again" }</Button> }}>
                { &failure.message }
            </EmptyState>
        },
        (Some(all), _) if all.is_empty() => html! {
            <EmptyState icon={glyph::CATALOGUE} title="Nothing to ask for yet">
                { "Policy gives you nothing to ask for. Ask the people who look after Daypass in your organisation to \
                   add you to a group." }
            </EmptyState>
        },
        _ if found.is_empty() => html! {
            <EmptyState icon={glyph::SEARCH} title="No resource matches"
                action={html! { <Button onclick={let filter = filter.clone(); move |_: MouseEvent| filter.set(Filter::default())}>
                    { "Clear the search" }</Button> }}>
                { "Try fewer words, or other filters." }
            </EmptyState>
        },
        _ => cards(&desk, &found, *shown, props.ask.as_ref(), &open, &{
            let shown = shown.clone();
            Callback::from(move |_: MouseEvent| shown.set(shown.saturating_add(SCREENFUL)))
        }),
    };

    html! {
        <div class={classes!("page", props.ask.is_some().then_some("with-drawer"))}>
            <header class="top">
                <div>
                    <h1>{ "Access" }</h1>
                    <p class="sub">{ "Everything you may ask for, for as long as you need it." }</p>
                </div>
            </header>
            { bar(&filter, search, count, resources.as_deref().map_or(&[], Vec::as_slice)) }
            if let (Some(_), Some(failure)) = (&resources, &desk.catalogue.failure) {
                if desk.online() {
                    <Banner tone="warn" action={html! { <Button weight={Weight::Quiet} icon={glyph::RETRY}
                        onclick={desk.reload_catalogue.reform(|_: MouseEvent| ())}>{ "Try again" }</Button> }}>
                        { format!("The catalogue could not be brought up to date: {}", failure.message) }
                    </Banner>
                }
            }
            <div class="columns">
                { content }
                if let Some(entitlement) = &props.ask {
                    <RequestDrawer key={entitlement.to_string()} entitlement={entitlement.clone()}
                        onclose={close} />
                }
            </div>
        </div>
    }
}

/// `/` goes to the search field.
#[hook]
fn use_slash(search: NodeRef) {
    use_effect_with((), move |()| {
        let document = web_sys::window().and_then(|w| w.document());
        let listener = document.map(|document| {
            let options = gloo_events::EventListenerOptions::enable_prevent_default();
            EventListener::new_with_options(&document, "keydown", options, move |event| {
                let Some(e) = event.dyn_ref::<KeyboardEvent>() else { return };
                if e.key() == "/"
                    && keys_are_free(e)
                    && let Some(input) = search.cast::<HtmlInputElement>()
                {
                    e.prevent_default();
                    let _ = input.focus();
                    input.select();
                }
            })
        });
        move || drop(listener)
    });
}

fn bar(filter: &UseStateHandle<Filter>, search: NodeRef, count: Option<String>, all: &[Resource]) -> Html {
    let set = |change: fn(&mut Filter, String)| {
        let filter = filter.clone();
        Callback::from(move |value: String| {
            let mut new = (*filter).clone();
            change(&mut new, value);
            filter.set(new);
        })
    };
    let oninput = {
        let set = set(|f, text| f.text = text);
        Callback::from(move |e: InputEvent| {
            if let Some(input) = e.target_dyn_into::<HtmlInputElement>() {
                set.emit(input.value());
            }
        })
    };
    let onkeydown = {
        let filter = filter.clone();
        Callback::from(move |e: KeyboardEvent| {
            if e.key() == "Escape" && !filter.text.is_empty() {
                // Clears the search first; once more closes what is open beside it.
                e.stop_propagation();
                filter.set(Filter { text: String::new(), ..(*filter).clone() });
            }
        })
    };
    let environment = filter.environment.map_or("", Environment::as_str);
    let sensitivity = filter.sensitivity.map_or("", Sensitivity::as_str);
    let kind = filter.kind.map_or("", words::kind);
    let kinds: Vec<ResourceKind> =
        KINDS.into_iter().filter(|k| all.iter().any(|r| r.brief.kind == *k)).collect();
    html! {
        <div class="bar">
            <label class="search">
                { icon(glyph::SEARCH) }
                <input ref={search} type="text" value={filter.text.clone()} {oninput} {onkeydown} spellcheck="false"
                    placeholder="Find a resource" aria-label="Find a resource" data-test="search" />
                <Kbd>{ "/" }</Kbd>
            </label>
            <Select label="Environment" value={environment} test="filter-environment"
                onchange={set(|f, v| f.environment = ENVIRONMENTS.into_iter().find(|e| e.as_str() == v))}>
                { option("", environment, "All environments") }
                { for ENVIRONMENTS.into_iter().map(|e| option(e.as_str(), environment, words::environment(e))) }
            </Select>
            <Select label="Sensitivity" value={sensitivity} test="filter-sensitivity"
                onchange={set(|f, v| f.sensitivity = SENSITIVITIES.into_iter().find(|s| s.as_str() == v))}>
                { option("", sensitivity, "All sensitivities") }
                { for SENSITIVITIES.into_iter().map(|s| option(s.as_str(), sensitivity, words::sensitivity(s))) }
            </Select>
            <Select label="Kind" value={kind} test="filter-kind"
                onchange={set(|f, v| f.kind = KINDS.into_iter().find(|k| words::kind(*k) == v))}>
                { option("", kind, "All kinds") }
                { for kinds.into_iter().map(|k| option(words::kind(k), kind, words::kind(k))) }
            </Select>
            if let Some(count) = count { <span class="sub end num" role="status">{ count }</span> }
        </div>
    }
}

fn cards(
    desk: &Desk,
    found: &[&Resource],
    shown: usize,
    asked: Option<&Entitlement>,
    open: &Callback<Entitlement>,
    more: &Callback<MouseEvent>,
) -> Html {
    let snapshot = &desk.snapshot;
    let mut near: Vec<&ResourceId> = Vec::new();
    let mut seen = BTreeSet::new();
    let live = snapshot.grants.iter().filter(|g| matches!(g.grant.status, GrantStatus::Live));
    let live = live.map(|g| &g.grant.resource.id);
    let others = snapshot.favourites.iter().chain(&snapshot.recent).map(|e| &e.resource);
    for id in live.chain(others) {
        if seen.insert(id) {
            near.push(id);
        }
    }
    let first: Vec<&Resource> =
        near.iter().filter_map(|id| found.iter().find(|r| r.brief.id == **id)).copied().collect();
    let mut rest: Vec<&Resource> = found.iter().filter(|r| !seen.contains(&r.brief.id)).copied().collect();
    // What can be opened comes before what cannot be yet.
    rest.sort_by_key(|r| r.unavailable.is_some());
    let card = |r: &&Resource| {
        let on = asked.is_some_and(|e| e.resource == r.brief.id);
        html! { <ResourceCard key={r.brief.id.to_string()} resource={(*r).clone()} {on} open={open.clone()} /> }
    };
    let both = !first.is_empty() && !rest.is_empty();
    let hidden = rest.len().saturating_sub(shown);
    html! {
        <div class="scroll">
            if both { <h2 class="group">{ "Yours and recent" }</h2> }
            if !first.is_empty() { <div class="cards">{ for first.iter().map(card) }</div> }
            if both { <h2 class="group">{ "Everything else" }</h2> }
            <div class="cards">{ for rest.iter().take(shown).map(card) }</div>
            if hidden > 0 {
                <div class="more">
                    <Button onclick={more.clone()} test="show-more">
                        { format!("Show {} more of {hidden}", hidden.min(SCREENFUL)) }
                    </Button>
                </div>
            }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct CardProps {
    resource: Resource,
    on: bool,
    open: Callback<Entitlement>,
}

#[component]
fn ResourceCard(props: &CardProps) -> Html {
    let node = use_node_ref();
    // The form beside the cards makes them move: the one that it is about stays in sight.
    use_effect_with((props.on, node.clone()), |(on, node)| {
        if let Some(card) = node.cast::<web_sys::Element>().filter(|_| *on) {
            let options = web_sys::ScrollIntoViewOptions::new();
            options.set_block(web_sys::ScrollLogicalPosition::Nearest);
            card.scroll_into_view_with_scroll_into_view_options(&options);
        }
    });
    let r = &props.resource;
    let b = &r.brief;
    let level = |offer: &LevelOffer| {
        let entitlement = Entitlement { resource: b.id.clone(), level: offer.level };
        html! { <LevelRow key={offer.level.as_str()} {entitlement} offer={offer.clone()} open={props.open.clone()} /> }
    };
    html! {
        <article ref={node} class={classes!("card", props.on.then_some("on"), r.unavailable.is_some().then_some("off"))}
            data-test={format!("card-{}", b.id)}>
            <div class="card-head">
                <span class="kind">{ kind_icon(b.kind) }</span>
                <div class="card-name">
                    <h3 title={b.name.clone()}>{ &b.name }</h3>
                    <span class="sub">{ format!("{} · {}", words::kind(b.kind), b.owner) }</span>
                </div>
            </div>
            <p class="sub card-text" title={r.description.clone()}>{ &r.description }</p>
            <div class="tags"><EnvironmentTag of={b.environment} /><SensitivityTag of={b.sensitivity} /></div>
            if let Some(why) = &r.unavailable {
                <p class="card-off sub">{ icon(glyph::UNPLUGGED) }<span>{ why }</span></p>
            } else if r.levels.is_empty() {
                <p class="card-off sub">{ icon(glyph::DENIED) }<span>{ "No level that you may ask for." }</span></p>
            } else {
                <div class="levels">{ for r.levels.iter().map(level) }</div>
            }
        </article>
    }
}

#[derive(Properties, PartialEq)]
struct LevelProps {
    entitlement: Entitlement,
    offer: LevelOffer,
    open: Callback<Entitlement>,
}

/// One level of a resource: a button that says what it would take.
#[component]
fn LevelRow(props: &LevelProps) -> Html {
    let desk = use_desk();
    let e = &props.entitlement;
    let held = desk.held(e).cloned();
    let pending = desk.pending(e);
    let favourite = desk.snapshot.favourites.contains(e);
    let name = words::level(e.level);

    let star = {
        let (desk, entitlement) = (desk.clone(), e.clone());
        Callback::from(move |_: MouseEvent| {
            desk.act(Intent::SetFavourite { entitlement: entitlement.clone(), on: !favourite }, None);
        })
    };
    let onclick = {
        let (go, open, e) = (desk.go.clone(), props.open.clone(), e.clone());
        let mine = held.is_some() || pending.is_some();
        Callback::from(move |_: MouseEvent| if mine { go.emit(Page::MyAccess) } else { open.emit(e.clone()) })
    };
    let (state, title) =
        state_of(&props.offer.outcome, held.as_ref().map(|g| &g.grant), pending.is_some(), desk.now());
    html! {
        <div class="level">
            <button type="button" class="level-ask" {onclick} {title} data-test={format!("ask-{}-{}", e.resource, e.level)}>
                <span class="level-name">{ name }</span>
                { state }
                <span class="level-go">{ icon(glyph::GO) }</span>
            </button>
            <Button weight={Weight::Quiet} icon={glyph::STAR} class={classes!("star", favourite.then_some("on"))}
                onclick={star} pressed={favourite}
                label={if favourite { format!("Remove {name} from favourites") } else { format!("Add {name} to favourites") }}
                test={format!("favourite-{}-{}", e.resource, e.level)} />
        </div>
    }
}

/// What a level says about itself, and the longer version for pointing at it.
fn state_of(
    outcome: &Outcome,
    held: Option<&daypass_protocol::api::GrantView>,
    pending: bool,
    now: Timestamp,
) -> (Html, String) {
    if let Some(grant) = held {
        return match grant.expires_at {
            Some(until) => (
                html! {
                    <span class="level-state live"><Tag tone="good" dot=true>{ "You are in" }</Tag><Countdown {until} /></span>
                },
                format!("Live until {}", time::when(until, now)),
            ),
            None => (
                html! { <span class="level-state"><Tag tone="accent" dot=true>{ "Opening" }</Tag></span> },
                "Approved; it is being opened".into(),
            ),
        };
    }
    if pending {
        return (
            html! { <span class="level-state"><Tag tone="warn" dot=true>{ "Requested" }</Tag></span> },
            "Your request waits for a decision".into(),
        );
    }
    match outcome {
        Outcome::Automatic { max_duration_s, .. } => (
            html! {
                <span class="level-state"><span class="instant">{ icon(glyph::INSTANT) }</span>
                    <span class="clip">{ "Automatic" }</span></span>
            },
            format!("Approved at once, for up to {}", words::duration(*max_duration_s)),
        ),
        Outcome::NeedsApproval { max_duration_s, stages, .. } => {
            let takes = words::takes(outcome);
            let who = stages.iter().flat_map(|s| s.can_approve.iter().cloned()).collect::<Vec<_>>();
            (
                html! { <span class="level-state">{ icon(glyph::USERS) }<span class="clip">{ &takes }</span></span> },
                format!(
                    "Needs {takes} ({}), for up to {}",
                    words::people(&who, 4),
                    words::duration(*max_duration_s)
                ),
            )
        }
        Outcome::NotNow { why, until } => {
            // Days ahead, the hour is for whoever points at it.
            let short = until.map(|until| match time::day(until, now).as_str() {
                "Today" | "Tomorrow" => format!("Not until {}", time::when(until, now)),
                day => format!("Not until {day}"),
            });
            let long = until
                .map_or_else(|| why.clone(), |until| format!("{why} (until {})", time::when(until, now)));
            let text = short.unwrap_or_else(|| why.clone());
            (
                html! { <span class="level-state not">{ icon(glyph::DENIED) }<span class="clip">{ text }</span></span> },
                long,
            )
        }
    }
}
