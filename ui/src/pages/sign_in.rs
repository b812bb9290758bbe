//! Which server, and who: the server is looked at before anyone is sent to its sign-in page.

use daypass_protocol::bridge::{Connection, Failure, FoundServer, Intent, Reply, Trust};
use yew::prelude::*;

use crate::desk::{Desk, use_desk};
use crate::parts::{Banner, Button, Field, TextInput, Weight, focus, glyph, icon, mark};

#[derive(Clone, PartialEq)]
enum Step {
    Address,
    Looking,
    Found(FoundServer),
    Failed(Failure),
}

#[component]
pub fn SignIn() -> Html {
    let desk = use_desk();
    let snapshot = desk.snapshot.clone();
    let address = use_state(|| {
        let known = snapshot.server.as_ref().map(|s| s.address.clone());
        known.or_else(|| snapshot.suggested_server.clone()).unwrap_or_default()
    });
    let step = use_state(|| Step::Address);
    let opening = use_state(|| false);
    let refused = use_state(|| None::<Failure>);

    let find = {
        let (address, step) = (address.clone(), step.clone());
        Callback::from(move |()| {
            let wanted = address.trim().to_string();
            if wanted.is_empty() {
                return;
            }
            let wanted = if wanted.contains("://") { wanted } else { format!("https://{wanted}") };
            step.set(Step::Looking);
            let step = step.clone();
            Desk::ask(Intent::FindServer { address: wanted }, move |answer| {
                step.set(match answer {
                    Ok(Reply::Server(found)) => Step::Found(found),
                    Ok(_) => Step::Address,
                    Err(failure) => Step::Failed(failure),
                });
            });
        })
    };
    let start = {
        let (opening, refused) = (opening.clone(), refused.clone());
        Callback::from(move |server: FoundServer| {
            opening.set(true);
            refused.set(None);
            let (opening, refused) = (opening.clone(), refused.clone());
            Desk::ask(
                Intent::SignIn { address: server.address, fingerprint: server.fingerprint },
                move |answer| {
                    opening.set(false);
                    refused.set(answer.err());
                },
            );
        })
    };
    let restart = {
        let step = step.clone();
        Callback::from(move |_: MouseEvent| step.set(Step::Address))
    };

    use_effect_with((), |()| focus("#server-address"));

    // Why an attempt came to nothing, such as a missing keychain; told wherever the person is led back to.
    let message = match &snapshot.connection {
        Connection::SignedOut { message } => message.clone(),
        _ => None,
    };
    let content = match (&snapshot.connection, &*step) {
        (Connection::SigningIn { address }, _) => waiting(&desk, address),
        (_, Step::Found(server)) => {
            let problem = refused.as_ref().map(|failure| failure.message.clone()).or(message);
            found(server, *opening, problem, &start, &restart)
        }
        (_, step) => ask(&address, step, message, &find),
    };
    html! {
        <div class="sign-in">
            <div class="sign-in-card">
                <div class="brand large">{ mark() }<span>{ "Daypass" }</span></div>
                { content }
            </div>
            <p class="sign-in-foot sub">{ "Access for as long as you need it, and not a minute longer." }</p>
        </div>
    }
}

fn ask(address: &UseStateHandle<String>, step: &Step, message: Option<String>, find: &Callback<()>) -> Html {
    let oninput = {
        let address = address.clone();
        Callback::from(move |value| address.set(value))
    };
    let onkeydown = {
        let find = find.clone();
        Callback::from(move |e: KeyboardEvent| {
            if e.key() == "Enter" {
                find.emit(());
            }
        })
    };
    let problem = match step {
        Step::Failed(failure) => Some(AttrValue::from(failure.message.clone())),
        _ => None,
    };
    let busy = *step == Step::Looking;
    html! {
        <>
            <div>
                <h1>{ "Sign in" }</h1>
                <p class="sub">{ "Your organisation runs a Daypass server. Its address is all that this needs." }</p>
            </div>
            if let Some(message) = message { <Banner tone="info" test="signed-out">{ message }</Banner> }
            <Field label="Server" id="server-address" {problem} name="server">
                <TextInput id="server-address" value={(**address).clone()} {oninput} {onkeydown} longest=300
                    placeholder="https://daypass.example.com" test="server-address" />
            </Field>
            <Button weight={Weight::Primary} class="wide" {busy} disabled={address.trim().is_empty()}
                onclick={find.reform(|_: MouseEvent| ())} test="find-server">
                { if busy { "Looking for it…" } else { "Continue" } }
            </Button>
        </>
    }
}

fn found(
    server: &FoundServer,
    opening: bool,
    problem: Option<String>,
    start: &Callback<FoundServer>,
    restart: &Callback<MouseEvent>,
) -> Html {
    let trust = match server.trust {
        Trust::Known => Html::default(),
        Trust::New => html! {
            <Banner tone="info" test="trust-new">
                <strong>{ "This is the first time this machine meets this server. " }</strong>
                { "Compare the fingerprint with the one that your administrator gave you. Continue only when they are \
                   the same." }
            </Banner>
        },
        Trust::Changed => html! {
            <Banner tone="bad" test="trust-changed">
                <strong>{ "This server's certificate has changed. " }</strong>
                { "Somebody may be between you and the server. Do not sign in: ask your administrator whether the \
                   certificate was renewed, and let them help you to accept it." }
            </Banner>
        },
    };
    let onclick = {
        let (start, server) = (start.clone(), server.clone());
        Callback::from(move |_: MouseEvent| start.emit(server.clone()))
    };
    html! {
        <>
            <div>
                <h1>{ &server.organisation }</h1>
                <p class="sub">{ format!("{} · version {}", server.address, server.version) }</p>
            </div>
            { trust }
            <div class="fingerprint">
                <span class="label">{ icon(glyph::FINGERPRINT) }{ "Certificate fingerprint (SHA-256)" }</span>
                <code data-test="fingerprint">{ &server.fingerprint }</code>
            </div>
            if let Some(problem) = problem { <Banner tone="bad" test="sign-in-failure">{ problem }</Banner> }
            if server.trust != Trust::Changed {
                <Button weight={Weight::Primary} class="wide" busy={opening} {onclick} test="sign-in">
                    { "Continue in browser" }
                </Button>
            }
            <Button weight={Weight::Quiet} class="wide" icon={glyph::BACK} onclick={restart.clone()} test="other-server">
                { "Another server" }
            </Button>
        </>
    }
}

fn waiting(desk: &Desk, address: &str) -> Html {
    let cancel = {
        let desk = desk.clone();
        Callback::from(move |_: MouseEvent| desk.act(Intent::CancelSignIn, None))
    };
    html! {
        <>
            <div class="waiting" role="status">
                <span class="spinner large" aria-hidden="true" />
                <div>
                    <h1>{ "Continue in your browser" }</h1>
                    <p class="sub">{ format!("A page of {address} has opened there. This window goes on by itself when you have \
                                             signed in.") }</p>
                </div>
            </div>
            <Button class="wide" onclick={cancel} test="cancel-sign-in">{ "Cancel" }</Button>
        </>
    }
}
