//! How this machine behaves, who is signed in where, and the two ways out.

use daypass_protocol::api::GrantStatus;
use daypass_protocol::bridge::{Intent, Keychain, LocalCredential, Settings, Theme};
use yew::prelude::*;

use crate::desk::{Desk, use_desk};
use crate::parts::{Button, Check, Confirm, Person, Segmented, Tag, Weight, glyph};
use crate::words;

#[derive(Clone, Copy, PartialEq)]
enum Over {
    Nothing,
    DropEverything,
    SignOut,
}

const THEMES: [(Theme, &str, &str); 3] = [
    (Theme::System, "system", "As the system"),
    (Theme::Light, "light", "Light"),
    (Theme::Dark, "dark", "Dark"),
];

#[component]
pub fn SettingsPage() -> Html {
    let desk = use_desk();
    let over = use_state(|| Over::Nothing);
    let close = {
        let over = over.clone();
        Callback::from(move |()| over.set(Over::Nothing))
    };
    let open = |what: Over| {
        let over = over.clone();
        Callback::from(move |_: MouseEvent| over.set(what))
    };
    html! {
        <div class="page">
            <header class="top"><div>
                <h1>{ "Settings" }</h1>
                <p class="sub">{ "This machine, your account, and the ways out." }</p>
            </div></header>
            <div class="scroll"><div class="settings">
                { behaviour(&desk) }
                { account(&desk) }
                <section>
                    <h2>{ "Ways out" }</h2>
                    <div class="setting">
                        <span class="check-text">
                            <span class="strong">{ "Drop everything now" }</span>
                            <span class="sub">{ "Releases all access and wipes every password here. Works offline." }</span>
                        </span>
                        <Button weight={Weight::Danger} class="solid" icon={glyph::POWER} onclick={open(Over::DropEverything)}
                            test="drop-everything">{ "Drop everything" }</Button>
                    </div>
                    <div class="setting">
                        <span class="check-text">
                            <span class="strong">{ "Sign out" }</span>
                            <span class="sub">{ "Removes everything of yours from this machine, the local history too." }</span>
                        </span>
                        <Button icon={glyph::SIGN_OUT} onclick={open(Over::SignOut)} test="sign-out">{ "Sign out" }</Button>
                    </div>
                </section>
            </div></div>
            { dialogs(&desk, *over, &close) }
        </div>
    }
}

fn behaviour(desk: &Desk) -> Html {
    let settings = &desk.snapshot.settings;
    let change = |change: fn(&mut Settings, bool)| {
        let (desk, settings) = (desk.clone(), settings.clone());
        Callback::from(move |on: bool| {
            let mut settings = settings.clone();
            change(&mut settings, on);
            desk.act(Intent::SetSettings { settings }, None);
        })
    };
    let set_theme = {
        let (desk, settings) = (desk.clone(), settings.clone());
        Callback::from(move |value: AttrValue| {
            if let Some((theme, ..)) = THEMES.iter().find(|(_, name, _)| *name == value.as_str()) {
                let settings = Settings { theme: *theme, ..settings.clone() };
                desk.act(Intent::SetSettings { settings }, None);
            }
        })
    };
    let themes: Vec<(AttrValue, AttrValue, AttrValue)> = THEMES
        .iter()
        .map(|(_, name, text)| ((*name).into(), (*text).into(), format!("theme-{name}").into()))
        .collect();
    let theme =
        THEMES.iter().find(|(theme, ..)| *theme == settings.theme).map_or("system", |(_, name, _)| name);
    html! {
        <section>
            <h2>{ "This machine" }</h2>
            <div class="setting">
                <span class="strong">{ "Appearance" }</span>
                <Segmented label="Appearance" options={themes} value={theme} onchange={set_theme} />
            </div>
            <Check label="Notifications" hint="When someone waits for you, when you are answered, before access ends."
                on={settings.notifications} onchange={change(|s, on| s.notifications = on)} test="notifications" />
            <Check label="Start when I sign in to this machine" hint="So that access ends and is wiped on time after a restart."
                on={settings.start_at_login} onchange={change(|s, on| s.start_at_login = on)} test="start-at-login" />
        </section>
    }
}

fn account(desk: &Desk) -> Html {
    let snapshot = &desk.snapshot;
    let (tone, state, hint) = match &snapshot.keychain {
        Keychain::Ready => {
            ("good", "Ready", "Passwords are kept in your system's keychain while access lasts.".to_string())
        }
        Keychain::Locked { message } => ("warn", "Locked", message.clone()),
        Keychain::Missing { message } => ("bad", "Missing", message.clone()),
    };
    html! {
        <section>
            <h2>{ "Account" }</h2>
            if let Some(me) = &snapshot.me {
                <div class="setting">
                    <Person of={me.person.clone()} />
                    <span class="sub">{ &me.email }</span>
                </div>
                if !me.groups.is_empty() {
                    <div class="setting">
                        <span class="strong">{ "Groups" }</span>
                        <span class="tags">{ for me.groups.iter().map(|g| html! { <Tag>{ g }</Tag> }) }</span>
                    </div>
                }
            }
            if let Some(server) = &snapshot.server {
                <div class="setting" data-test="server">
                    <span class="check-text">
                        <span class="strong">{ &server.organisation }</span>
                        <span class="sub">{ &server.address }</span>
                        if !server.fingerprint.is_empty() { <code class="sub" title="SHA-256 of its certificate">{ format!("Certificate {}", server.fingerprint) }</code> }
                    </span>
                </div>
            }
            <div class="setting" data-test="keychain">
                <span class="check-text">
                    <span class="strong">{ "Keychain" }</span>
                    <span class="sub">{ hint }</span>
                </span>
                <Tag {tone} dot=true>{ state }</Tag>
            </div>
        </section>
    }
}

fn dialogs(desk: &Desk, over: Over, close: &Callback<()>) -> Html {
    let open = |g: &&daypass_protocol::bridge::LocalGrant| {
        matches!(g.grant.status, GrantStatus::Live | GrantStatus::Opening { .. })
    };
    let live = desk.snapshot.grants.iter().filter(open).count();
    let here = desk.snapshot.grants.iter().filter(|g| g.credential == LocalCredential::Here).count();
    let has = match (live, here) {
        (0, 0) => "You hold nothing now.".to_string(),
        (live, here) => format!(
            "You hold {} with {} on this machine.",
            words::count(live, "grant", "grants"),
            words::count(here, "password", "passwords")
        ),
    };
    match over {
        Over::Nothing => Html::default(),
        Over::DropEverything => html! {
            <Confirm title="Drop everything now?" verb="Drop everything" danger=true intent={Intent::DropEverything}
                onclose={close.clone()} done="Everything is dropped">
                <p>{ has }</p>
                <p>{ "Every password here is wiped at once and all your access is released; open connections are cut. \
                      Offline, the server learns of it as soon as it can be reached. You stay signed in." }</p>
            </Confirm>
        },
        Over::SignOut => html! {
            <Confirm title="Sign out of this machine?" verb="Sign out" danger=true intent={Intent::SignOut}
                onclose={close.clone()} done="Signed out">
                <p>{ has }</p>
                <p>{ "Passwords, the sign-in, your local history and its key are wiped from this machine. The history at \
                      the server stays and comes back when you sign in again." }</p>
            </Confirm>
        },
    }
}
