//! After it was sent: what became of it, and where to go from there.

use daypass_protocol::api::{RequestStatus, RequestView};
use daypass_protocol::bridge::Page;
use web_sys::HtmlElement;
use yew::prelude::*;

use crate::desk::use_desk;
use crate::parts::{Button, Stages, Weight, glyph, icon};
use crate::words;

#[derive(Properties, PartialEq)]
pub struct SentProps {
    pub request: RequestView,
    pub compact: bool,
    pub onclose: Callback<()>,
}

#[component]
pub fn Sent(props: &SentProps) -> Html {
    let desk = use_desk();
    // The snapshot may know more by now than the answer did.
    let request = desk.snapshot.requests.iter().find(|r| r.id == props.request.id).unwrap_or(&props.request);
    let primary = use_node_ref();
    use_effect_with(primary.clone(), |primary| {
        if let Some(button) = primary.cast::<HtmlElement>() {
            let _ = button.focus();
        }
    });
    let what: Vec<String> = request
        .entitlements
        .iter()
        .map(|e| format!("{} on {}", words::level(e.level).to_lowercase(), e.resource.name))
        .collect();
    let what = what.iter().map(String::as_str).collect::<Vec<_>>();
    let what = words::listed(&what, 3);
    let (glyph, tone, title, text) = match &request.status {
        RequestStatus::Approved { duration_s, .. } => (
            glyph::GOOD,
            "good",
            "Approved",
            format!(
                "{} for {}. The time starts when access is open; you find it under My access.",
                upper(&what),
                words::duration(*duration_s)
            ),
        ),
        RequestStatus::Denied { by, note } => {
            (glyph::DENIED, "bad", "Denied", format!("{} said: {note}", by.name))
        }
        RequestStatus::Asked { by, note } => {
            (glyph::QUESTION, "warn", "There is a question", format!("{} asks: {note}", by.name))
        }
        RequestStatus::Pending => (
            glyph::SEND,
            "accent",
            "Sent",
            format!(
                "You asked for {what}. You will be told as soon as it is decided; nothing more to do here."
            ),
        ),
        RequestStatus::Withdrawn => (glyph::WITHDRAW, "quiet", "Withdrawn", format!("You took back {what}.")),
        RequestStatus::Lapsed => {
            (glyph::ENDED, "quiet", "Lapsed", "Nobody decided in time. Nothing was granted.".to_string())
        }
    };
    let go = {
        let (go, onclose) = (desk.go.clone(), props.onclose.clone());
        Callback::from(move |_: MouseEvent| {
            onclose.emit(());
            go.emit(Page::MyAccess);
        })
    };
    let close = props.onclose.reform(|_: MouseEvent| ());
    html! {
        <div class="sent">
            <div class="sent-body" data-test="submitted" role="status">
                <span class={classes!("empty-mark", tone)}>{ icon(glyph) }</span>
                <h2>{ title }</h2>
                <p class="sub">{ text }</p>
                if request.is_open() && !request.stages.is_empty() { <Stages stages={request.stages.clone()} /> }
            </div>
            <footer class="form-foot">
                if props.compact {
                    <Button weight={Weight::Primary} node={primary} onclick={close} test="close-quick">{ "Done" }</Button>
                } else {
                    <Button weight={Weight::Primary} node={primary} onclick={go} test="to-my-access">{ "See it in My access" }</Button>
                    <Button weight={Weight::Quiet} onclick={close}>{ "Close" }</Button>
                }
            </footer>
        </div>
    }
}

fn upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
