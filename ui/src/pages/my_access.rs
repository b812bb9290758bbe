//! What one has, what one waits for, and what ended lately.

use daypass_domain::{Entitlement, GrantId, RequestId};
use daypass_protocol::api::{EndedWhy, GrantStatus, GrantView, RequestStatus, RequestView};
use daypass_protocol::bridge::{Intent, LocalCredential, LocalGrant, Page};
use yew::prelude::*;

use crate::desk::{Desk, use_desk, use_now};
use crate::pages::request::{Purpose, RequestDrawer};
use crate::parts::{
    Banner, Button, Confirm, Countdown, EmptyState, EnvironmentTag, Stages, Tag, Weight, glyph, icon,
    kind_icon,
};
use crate::{time, words};

/// What is open over the page.
#[derive(Clone, PartialEq)]
enum Over {
    Nothing,
    Release(GrantId),
    Withdraw(RequestId),
    Form(Box<(Entitlement, Purpose)>),
}

#[component]
pub fn MyAccess() -> Html {
    let desk = use_desk();
    let over = use_state(|| Over::Nothing);
    let snapshot = desk.snapshot.clone();
    let close = {
        let over = over.clone();
        Callback::from(move |()| over.set(Over::Nothing))
    };
    let open = {
        let over = over.clone();
        Callback::from(move |what| over.set(what))
    };

    let ended = |g: &&LocalGrant| matches!(g.grant.status, GrantStatus::Ended { .. });
    let live: Vec<&LocalGrant> = snapshot.grants.iter().filter(|g| !ended(g)).collect();
    let over_now: Vec<&LocalGrant> = snapshot.grants.iter().filter(ended).take(8).collect();
    let waiting: Vec<&RequestView> = snapshot.requests.iter().filter(|r| r.is_open()).collect();
    let closed: Vec<&RequestView> = snapshot
        .requests
        .iter()
        .filter(|r| {
            matches!(
                r.status,
                RequestStatus::Denied { .. } | RequestStatus::Withdrawn | RequestStatus::Lapsed
            )
        })
        .take(8)
        .collect();
    let nothing = live.is_empty() && waiting.is_empty();
    let browse = desk.go.reform(|_: MouseEvent| Page::Access);
    let with_drawer = matches!(*over, Over::Form(_));

    html! {
        <div class={classes!("page", with_drawer.then_some("with-drawer"))}>
            <header class="top">
                <div>
                    <h1>{ "My access" }</h1>
                    <p class="sub">{ summary(live.len(), waiting.len()) }</p>
                </div>
                if !nothing {
                    <Button icon={glyph::MORE} onclick={browse.clone()} test="browse">{ "Request access" }</Button>
                }
            </header>
            <div class="columns">
                <div class="scroll narrow">
                    if nothing {
                        <EmptyState icon={glyph::ACCESS_KEY} title="You have no access now"
                            action={html! { <Button weight={Weight::Primary} onclick={browse}>{ "Browse what you may ask for" }</Button> }}>
                            { "When a request of yours is approved, it opens here, with the time that is left." }
                        </EmptyState>
                    }
                    if !live.is_empty() {
                        <section class="rows" aria-label="Live access">
                            { for live.iter().map(|g| html! {
                                <GrantRow key={g.grant.id.to_string()} held={(*g).clone()} open={open.clone()} />
                            }) }
                        </section>
                    }
                    if !waiting.is_empty() {
                        <h2 class="group">{ "Waiting for a decision" }</h2>
                        <section class="rows" aria-label="Waiting for a decision">
                            { for waiting.iter().map(|r| html! {
                                <WaitingRow key={r.id.to_string()} request={(*r).clone()} open={open.clone()} />
                            }) }
                        </section>
                    }
                    if !over_now.is_empty() || !closed.is_empty() {
                        <h2 class="group">{ "Ended lately" }</h2>
                        <section class="rows thin" aria-label="Ended lately">
                            { for over_now.iter().map(|g| ended_row(&desk, g)) }
                            { for closed.iter().map(|r| closed_row(&desk, r)) }
                        </section>
                    }
                </div>
                if let Over::Form(form) = &*over {
                    <RequestDrawer key={form_key(&form.1)} entitlement={form.0.clone()} purpose={form.1.clone()} onclose={close.clone()} />
                }
            </div>
            { dialogs(&desk, &over, &close) }
        </div>
    }
}

/// A form for another thing begins anew.
fn form_key(purpose: &Purpose) -> String {
    match purpose {
        Purpose::New => String::new(),
        Purpose::Edit(request) => format!("{}-{}", request.id, request.revision),
        Purpose::Extend(held) => held.grant.id.to_string(),
    }
}

fn summary(live: usize, waiting: usize) -> String {
    match (live, waiting) {
        (0, 0) => "What you have and what you wait for.".into(),
        (n, 0) => format!("{n} open now."),
        (0, m) => format!("{m} waiting for a decision."),
        (n, m) => format!("{n} open now, {m} waiting for a decision."),
    }
}

fn dialogs(desk: &Desk, over: &Over, close: &Callback<()>) -> Html {
    match over {
        Over::Release(id) => {
            let Some(held) = desk.snapshot.grants.iter().find(|g| g.grant.id == *id) else {
                return Html::default();
            };
            let g = &held.grant;
            html! {
                <Confirm title={format!("Release {} on {}?", words::level(g.level).to_lowercase(), g.resource.name)}
                    verb="Release" danger=true intent={Intent::Release { grant: *id }} onclose={close.clone()}
                    done="Released">
                    <p>{ "Open connections are cut, and the password is wiped from this machine. To get in again you \
                          ask again." }</p>
                </Confirm>
            }
        }
        Over::Withdraw(id) => html! {
            <Confirm title="Withdraw this request?" verb="Withdraw" danger=true intent={Intent::Withdraw { id: *id }}
                onclose={close.clone()} done="Withdrawn">
                <p>{ "It leaves the approvers' queues. Approvals that it has so far are void." }</p>
            </Confirm>
        },
        Over::Nothing | Over::Form(_) => Html::default(),
    }
}

#[derive(Properties, PartialEq)]
struct GrantProps {
    held: LocalGrant,
    open: Callback<Over>,
}

#[component]
fn GrantRow(props: &GrantProps) -> Html {
    let desk = use_desk();
    let now = use_now();
    let g = &props.held.grant;
    let live = matches!(g.status, GrantStatus::Live) && g.expires_at.is_none_or(|until| now < until);
    let here = props.held.credential == LocalCredential::Here;
    let id = g.id;
    let act = |intent: fn(GrantId) -> Intent, done: Option<&'static str>| {
        let desk = desk.clone();
        Callback::from(move |_: MouseEvent| desk.act(intent(id), done))
    };
    let over = |what: Over| {
        let open = props.open.clone();
        Callback::from(move |_: MouseEvent| open.emit(what.clone()))
    };
    let entitlement = Entitlement { resource: g.resource.id.clone(), level: g.level };
    let (tone, text, failed) = credential(&props.held.credential);
    html! {
        <article class={classes!("grant", live.then_some("live"))} data-test={format!("grant-{id}")}>
            <div class="grant-head">
                <span class="kind">{ kind_icon(g.resource.kind) }</span>
                <div class="card-name">
                    <h3>{ &g.resource.name }<Tag tone="accent">{ words::level(g.level) }</Tag>
                        <EnvironmentTag of={g.resource.environment} /></h3>
                    <span class="sub">{ format!("{} · {}", words::kind(g.resource.kind), g.resource.owner) }</span>
                </div>
                <div class="grant-time">{ grant_time(g, live, now) }</div>
            </div>
            { trouble(g) }
            if let Some(command) = &props.held.command {
                <div class="connect">
                    <code class="command" title={command.clone()} data-test="command">{ command }</code>
                    if here {
                        <Button weight={Weight::Primary} icon={glyph::COPY} test="copy-command"
                            onclick={act(|grant| Intent::CopyCommand { grant }, Some("Connection command copied"))}>
                            { "Copy command" }
                        </Button>
                        <Button icon={glyph::PASSWORD} test="copy-password" title="The clipboard is cleared after 30 seconds"
                            onclick={act(|grant| Intent::CopyPassword { grant }, Some("Password copied. The clipboard is cleared in 30 s."))}>
                            { "Copy password" }
                        </Button>
                    }
                </div>
            }
            <div class="grant-foot">
                <span class={classes!("credential", tone)} data-test="credential">
                    { icon(if tone == "bad" { glyph::WARNING } else { glyph::PASSWORD }) }<span>{ text }</span>
                    if failed {
                        <Button weight={Weight::Quiet} icon={glyph::RETRY} test="retry"
                            onclick={act(|grant| Intent::RetryCredential { grant }, None)}>
                            { if tone == "bad" { "Retry" } else { "Fetch it here" } }
                        </Button>
                    }
                </span>
                if live {
                    <Button weight={Weight::Quiet} icon={glyph::TIMER} test="extend"
                        onclick={over(Over::Form(Box::new((entitlement, Purpose::Extend(props.held.clone())))))}>{ "Extend" }</Button>
                }
                if matches!(g.status, GrantStatus::Live | GrantStatus::Opening { .. }) {
                    <Button weight={Weight::Danger} icon={glyph::WITHDRAW} test="release"
                        onclick={over(Over::Release(id))}>{ "Release" }</Button>
                }
            </div>
        </article>
    }
}

fn grant_time(g: &GrantView, live: bool, now: daypass_domain::Timestamp) -> Html {
    match (&g.status, g.expires_at) {
        (GrantStatus::Live, Some(until)) if live => html! {
            <>
                <Countdown {until} since={g.starts_at} test="countdown" />
                <span class="sub">{ format!("left, until {}", time::when(until, now)) }</span>
            </>
        },
        (GrantStatus::Opening { .. }, _) => match g.not_before {
            Some(start) if start > now => html! {
                <>
                    <span class="strong">{ format!("From {}", time::when(start, now)) }</span>
                    <span class="sub">{ format!("for {}", words::duration(g.duration_s)) }</span>
                </>
            },
            _ => html! {
                <>
                    <span class="strong"><span class="spinner" aria-hidden="true" />{ " Opening" }</span>
                    <span class="sub">{ format!("{} from when it is open", words::duration(g.duration_s)) }</span>
                </>
            },
        },
        _ => html! { <span class="strong"><span class="spinner" aria-hidden="true" />{ " Ending" }</span> },
    }
}

fn trouble(g: &GrantView) -> Html {
    let (problem, what) = match &g.status {
        GrantStatus::Opening { problem: Some(problem) } => {
            (problem, "It cannot be opened yet and is tried again: ")
        }
        GrantStatus::Ending { problem: Some(problem), .. } => {
            (problem, "The end is not finished on the target and is tried again: ")
        }
        _ => return Html::default(),
    };
    html! { <Banner tone="warn" test="grant-problem">{ what }{ problem }</Banner> }
}

/// What this device holds, in words; and whether trying again may help.
fn credential(credential: &LocalCredential) -> (&'static str, String, bool) {
    match credential {
        LocalCredential::None => ("quiet", "No password here yet".into(), false),
        LocalCredential::Fetching => ("quiet", "Fetching the password…".into(), false),
        LocalCredential::Here => ("good", "Password is in your keychain".into(), false),
        LocalCredential::Elsewhere => ("quiet", "Password is on another device of yours".into(), true),
        LocalCredential::Failed { message } => ("bad", message.clone(), true),
        LocalCredential::Wiping { message } => ("warn", format!("Wiping the password: {message}"), false),
        LocalCredential::Wiped => ("quiet", "Password wiped".into(), false),
    }
}

#[derive(Properties, PartialEq)]
struct WaitingProps {
    request: RequestView,
    open: Callback<Over>,
}

#[component]
fn WaitingRow(props: &WaitingProps) -> Html {
    let now = use_now();
    let r = &props.request;
    let over = |what: Over| {
        let open = props.open.clone();
        Callback::from(move |_: MouseEvent| open.emit(what.clone()))
    };
    let edit = r.asked().first().map(|e| over(Over::Form(Box::new((e.clone(), Purpose::Edit(r.clone()))))));
    let first = r.entitlements.first();
    html! {
        <article class="grant" data-test={format!("request-{}", r.id)}>
            <div class="grant-head">
                <span class="kind">{ first.map(|e| kind_icon(e.resource.kind)).unwrap_or_default() }</span>
                <div class="card-name">
                    <h3>
                        { for r.entitlements.iter().map(|e| html! {
                            <>{ &e.resource.name }<Tag tone="accent">{ words::level(e.level) }</Tag></>
                        }) }
                        if let Some(e) = first { <EnvironmentTag of={e.resource.environment} /> }
                    </h3>
                    <span class="sub clip" title={r.reason.clone()}>{ format!("“{}”", r.reason) }</span>
                </div>
                <div class="grant-time">
                    <span class="strong">{ words::duration(r.cap_s.unwrap_or(r.duration_s)) }</span>
                    <span class="sub">{ format!("asked {}", words::ago(r.submitted_at, now)) }</span>
                </div>
            </div>
            if let RequestStatus::Asked { by, note } = &r.status {
                <Banner tone="warn" test="question" action={edit.clone().map(|onclick| html! {
                    <Button {onclick}>{ "Answer" }</Button>
                }).unwrap_or_default()}>
                    <strong>{ format!("{} asks: ", by.name) }</strong>{ note }
                </Banner>
            }
            <Stages stages={r.stages.clone()} />
            <div class="grant-foot">
                <span class="credential quiet">{ icon(glyph::CLOCK) }{ format!("Lapses {} if nobody decides", time::when(r.lapses_at, now)) }</span>
                if let Some(onclick) = edit {
                    <Button weight={Weight::Quiet} icon={glyph::EDIT} {onclick} test="edit">{ "Edit" }</Button>
                }
                <Button weight={Weight::Danger} icon={glyph::WITHDRAW} test="withdraw"
                    onclick={over(Over::Withdraw(r.id))}>{ "Withdraw" }</Button>
            </div>
        </article>
    }
}

fn ended_row(desk: &Desk, held: &LocalGrant) -> Html {
    let g = &held.grant;
    let GrantStatus::Ended { at, why } = &g.status else { return Html::default() };
    let why = match why {
        EndedWhy::Expired => "Time was over".to_string(),
        EndedWhy::Released => "You released it".into(),
        EndedWhy::Revoked { by, note } => format!("{} ended it: {note}", by.name),
        EndedWhy::NeverActivated => "The target was never reached".into(),
    };
    let wiped = match &held.credential {
        LocalCredential::Wiped | LocalCredential::None => html! { <Tag tone="good">{ "Wiped" }</Tag> },
        LocalCredential::Wiping { message } => {
            html! { <Tag tone="warn" title={message.clone()}>{ "Wiping" }</Tag> }
        }
        _ => Html::default(),
    };
    let again = {
        let (go, e) = (desk.go.clone(), Entitlement { resource: g.resource.id.clone(), level: g.level });
        Callback::from(move |_: MouseEvent| go.emit(Page::Ask(e.clone())))
    };
    html! {
        <div class="thin-row" key={g.id.to_string()} data-test={format!("grant-{}", g.id)}>
            <span class="thin-what">{ kind_icon(g.resource.kind) }<span class="strong">{ &g.resource.name }</span>
                <Tag>{ words::level(g.level) }</Tag></span>
            <span class="sub clip" title={why.clone()}>{ why }</span>
            { wiped }
            <span class="sub num thin-when">{ time::when(*at, desk.now()) }</span>
            <Button weight={Weight::Quiet} onclick={again}>{ "Ask again" }</Button>
        </div>
    }
}

fn closed_row(desk: &Desk, r: &RequestView) -> Html {
    let (tone, word, why) = match &r.status {
        RequestStatus::Denied { by, note } => ("bad", "Denied", format!("{}: {note}", by.name)),
        RequestStatus::Withdrawn => ("quiet", "Withdrawn", "You withdrew it".into()),
        _ => ("quiet", "Lapsed", "Nobody decided in time".into()),
    };
    let Some(first) = r.entitlements.first() else { return Html::default() };
    let again = {
        let (go, e) =
            (desk.go.clone(), Entitlement { resource: first.resource.id.clone(), level: first.level });
        Callback::from(move |_: MouseEvent| go.emit(Page::Ask(e.clone())))
    };
    html! {
        <div class="thin-row" key={r.id.to_string()} data-test={format!("request-{}", r.id)}>
            <span class="thin-what">{ kind_icon(first.resource.kind) }<span class="strong">{ &first.resource.name }</span>
                <Tag>{ words::level(first.level) }</Tag></span>
            <span class="sub clip" title={why.clone()}>{ why }</span>
            <Tag {tone}>{ word }</Tag>
            <span class="sub num thin-when">{ time::when(r.submitted_at, desk.now()) }</span>
            <Button weight={Weight::Quiet} onclick={again}>{ "Ask again" }</Button>
        </div>
    }
}
