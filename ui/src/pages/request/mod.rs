//! The request form: in a drawer over the catalogue, in a dialog to edit or extend, and alone in a small window.

mod draft;
mod form;
mod preview;
mod sent;

use daypass_domain::Entitlement;
use daypass_protocol::api::RequestView;
use daypass_protocol::bridge::{Intent, LocalGrant};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use yew::prelude::*;

pub use draft::Draft;
use form::RequestForm;

use crate::desk::{Desk, use_desk};
use crate::parts::{Button, EnvironmentTag, SensitivityTag, Weight, glyph, kind_icon, use_escape};
use crate::words;

/// What the form is for.
#[derive(Clone, PartialEq)]
pub enum Purpose {
    New,
    /// Changes a request that is open.
    Edit(RequestView),
    /// Asks for more of what is held.
    Extend(LocalGrant),
}

#[derive(Properties, PartialEq)]
pub struct DrawerProps {
    pub entitlement: Entitlement,
    #[prop_or(Purpose::New)]
    pub purpose: Purpose,
    pub onclose: Callback<()>,
}

/// The form beside what it was opened from.
#[component]
pub fn RequestDrawer(props: &DrawerProps) -> Html {
    let desk = use_desk();
    use_focus_given_back();
    use_escape(props.onclose.clone());
    let what = match &props.purpose {
        Purpose::New => "Request access",
        Purpose::Edit(_) => "Change your request",
        Purpose::Extend(_) => "Ask for more time",
    };
    html! {
        <aside class="drawer" aria-label={what}>
            <header class="drawer-head">
                { about(&desk, &props.entitlement) }
                <Button weight={Weight::Quiet} icon={glyph::CLOSE} label="Close (Esc)" class="end"
                    onclick={props.onclose.reform(|_: MouseEvent| ())} test="close-drawer" />
            </header>
            <RequestForm entitlement={props.entitlement.clone()} purpose={props.purpose.clone()} compact=false
                onclose={props.onclose.clone()} />
        </aside>
    }
}

/// When this goes, what had the focus before it came has it again.
#[hook]
fn use_focus_given_back() {
    let before =
        use_memo((), |()| web_sys::window()?.document()?.active_element()?.dyn_into::<HtmlElement>().ok());
    use_effect_with((), move |()| {
        move || {
            if let Some(element) = &*before {
                let _ = element.focus();
            }
        }
    });
}

#[derive(Properties, PartialEq)]
pub struct QuickProps {
    pub entitlement: Entitlement,
}

/// The form alone, in a window of its own that closes when it is done.
#[component]
pub fn Quick(props: &QuickProps) -> Html {
    let desk = use_desk();
    let onclose = Callback::from(|()| Desk::ask(Intent::CloseWindow, |_| ()));
    use_escape(onclose.clone());
    html! {
        <main class="quick">
            <header class="drawer-head">{ about(&desk, &props.entitlement) }</header>
            <RequestForm entitlement={props.entitlement.clone()} purpose={Purpose::New} compact=true {onclose} />
        </main>
    }
}

/// What is asked for, in a heading.
fn about(desk: &Desk, entitlement: &Entitlement) -> Html {
    let Some(resource) = desk.resource(&entitlement.resource) else {
        return html! { <h2>{ entitlement.resource.to_string() }</h2> };
    };
    let b = &resource.brief;
    html! {
        <>
            <span class="kind">{ kind_icon(b.kind) }</span>
            <div class="card-name">
                <h2 title={b.name.clone()}>{ &b.name }</h2>
                <div class="about-line">
                    <span class="sub" title={words::kind(b.kind)}>{ &b.owner }</span>
                    <EnvironmentTag of={b.environment} /><SensitivityTag of={b.sensitivity} />
                </div>
            </div>
        </>
    }
}
