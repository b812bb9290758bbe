//! The frame around every page: where one is, what waits, who one is, and what is wrong with the world.

use daypass_protocol::api::GrantStatus;
use daypass_protocol::bridge::{Connection, Intent, Keychain, Page};
use icondata_core::Icon;
use yew::prelude::*;

use super::{Banner, Button, Weight, glyph, icon};
use crate::desk::use_desk;
use crate::{time, words};

#[derive(Properties, PartialEq)]
pub struct ShellProps {
    pub page: Page,
    pub children: Html,
}

#[component]
pub fn Shell(props: &ShellProps) -> Html {
    let desk = use_desk();
    let snapshot = &desk.snapshot;
    let live =
        snapshot.grants.iter().filter(|g| !matches!(g.grant.status, GrantStatus::Ended { .. })).count();
    let reviews = snapshot.reviews.len();
    let reviewer = reviews > 0 || snapshot.me.as_ref().is_some_and(|me| me.reviews);
    let item = |page: Page,
                text: &'static str,
                test: &'static str,
                glyph: Icon,
                count: usize,
                strong: bool| {
        let here = std::mem::discriminant(&page) == std::mem::discriminant(&props.page)
            || matches!((&page, &props.page), (Page::Access, Page::Ask(_)));
        let onclick = {
            let go = desk.go.clone();
            Callback::from(move |_: MouseEvent| go.emit(page.clone()))
        };
        html! {
            <button type="button" class={classes!("nav", here.then_some("on"))} {onclick} title={text}
                aria-current={here.then_some("page")} data-test={test}>
                { icon(glyph) }<span class="nav-text">{ text }</span>
                if count > 0 {
                    <span class={classes!("count", strong.then_some("strong"))} aria-label={format!("{count} open")}>
                        { count }
                    </span>
                }
            </button>
        }
    };
    html! {
        <div class="app">
            <aside class="side">
                <div class="brand">{ mark() }<span class="nav-text">{ "Daypass" }</span></div>
                <nav aria-label="Pages">
                    { item(Page::Access, "Access", "nav-access", glyph::CATALOGUE, 0, false) }
                    { item(Page::MyAccess, "My access", "nav-my-access", glyph::ACCESS_KEY, live, false) }
                    if reviewer {
                        { item(Page::Review(None), "Review", "nav-review", glyph::REVIEW, reviews, true) }
                    }
                    { item(Page::History, "History", "nav-history", glyph::HISTORY, 0, false) }
                </nav>
                <div class="side-end">
                    { item(Page::Settings, "Settings", "nav-settings", glyph::SETTINGS, 0, false) }
                    if let Some(me) = &snapshot.me {
                        <div class="me" data-test="me" title={format!("{} · {}", me.person.name, me.email)}>
                            <span class="portrait" aria-hidden="true">{ words::initials(&me.person.name) }</span>
                            <span class="person-text nav-text">
                                <span class="strong">{ &me.person.name }</span>
                                <span class="sub">{ &me.person.team }</span>
                            </span>
                        </div>
                    }
                </div>
            </aside>
            <main>
                <Troubles />
                { props.children.clone() }
            </main>
        </div>
    }
}

/// The sign of Daypass.
pub fn mark() -> Html {
    html! {
        <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
            <rect class="mark-fill" x="2" y="2" width="20" height="20" rx="6" />
            <path class="mark-stroke" d="M7.2 12.6l3.3 3.2 6.4-7.2" />
        </svg>
    }
}

/// What keeps the application from working as it should, and what to do.
#[component]
fn Troubles() -> Html {
    let desk = use_desk();
    let snapshot = &desk.snapshot;
    let retry = {
        let desk = desk.clone();
        Callback::from(move |_: MouseEvent| desk.act(Intent::Refresh, None))
    };
    let button = html! {
        <Button weight={Weight::Quiet} icon={glyph::RETRY} onclick={retry} test="reconnect">{ "Try now" }</Button>
    };
    let connection = match &snapshot.connection {
        Connection::Offline { since, message } => html! {
            <Banner tone="warn" action={button}>
                <strong>{ format!("Offline since {}. ", time::when(*since, desk.now())) }</strong>
                { message }{ " What you see is what was last known; you can still release access." }
            </Banner>
        },
        Connection::Connecting => html! {
            <Banner tone="info">{ "Connecting to the server…" }</Banner>
        },
        _ => Html::default(),
    };
    let keychain = match &snapshot.keychain {
        Keychain::Ready => Html::default(),
        Keychain::Locked { message } => html! {
            <Banner tone="warn"><strong>{ "Your keychain is locked. " }</strong>{ message }</Banner>
        },
        Keychain::Missing { message } => html! {
            <Banner tone="bad"><strong>{ "No keychain on this machine. " }</strong>{ message }</Banner>
        },
    };
    let clock = snapshot.clock_off_s.map(|off| {
        let by = words::duration(u32::try_from(off.unsigned_abs()).unwrap_or(u32::MAX));
        let way = if off > 0 { "ahead" } else { "behind" };
        html! {
            <Banner tone="warn">
                { format!("This machine's clock is {by} {way}. Times here follow the server.") }
            </Banner>
        }
    });
    html! { <>{ connection }{ keychain }{ clock.unwrap_or_default() }</> }
}
