//! A question over everything else: the native dialog, which keeps the focus and closes with Esc.

use daypass_protocol::bridge::{Failure, Intent, Tone};
use web_sys::HtmlDialogElement;
use yew::prelude::*;

use super::{Banner, Button, Weight};
use crate::desk::{Desk, use_desk};

#[derive(Properties, PartialEq)]
pub struct DialogProps {
    pub title: AttrValue,
    pub onclose: Callback<()>,
    pub children: Html,
    /// The buttons, the one that does it last.
    pub footer: Html,
    #[prop_or_default]
    pub onkeydown: Callback<KeyboardEvent>,
}

/// Shown as long as it is in the page.
#[component]
pub fn Dialog(props: &DialogProps) -> Html {
    let node = use_node_ref();
    use_effect_with(node.clone(), |node| {
        let dialog = node.cast::<HtmlDialogElement>();
        if let Some(dialog) = &dialog {
            let _ = dialog.show_modal();
        }
        move || {
            if let Some(dialog) = dialog {
                dialog.close();
            }
        }
    });
    let oncancel = {
        let onclose = props.onclose.clone();
        Callback::from(move |e: Event| {
            e.prevent_default();
            onclose.emit(());
        })
    };
    html! {
        <dialog ref={node} class="dialog" {oncancel} onkeydown={props.onkeydown.clone()} aria-labelledby="dialog-title"
            data-test="dialog">
            <h2 id="dialog-title">{ &props.title }</h2>
            <div class="dialog-body">{ props.children.clone() }</div>
            <div class="dialog-foot">{ props.footer.clone() }</div>
        </dialog>
    }
}

#[derive(Properties, PartialEq)]
pub struct ConfirmProps {
    pub title: AttrValue,
    /// What the button says.
    pub verb: AttrValue,
    #[prop_or_default]
    pub danger: bool,
    pub intent: Intent,
    pub onclose: Callback<()>,
    /// What a toast says afterwards.
    pub done: &'static str,
    pub children: Html,
}

/// The second, deliberate step before something that cannot be taken back.
#[component]
pub fn Confirm(props: &ConfirmProps) -> Html {
    let desk = use_desk();
    let busy = use_state(|| false);
    let failure = use_state(|| None::<Failure>);
    let onclick = {
        let (busy, failure) = (busy.clone(), failure.clone());
        let (intent, onclose, say, done) =
            (props.intent.clone(), props.onclose.clone(), desk.say, props.done);
        Callback::from(move |_: MouseEvent| {
            busy.set(true);
            failure.set(None);
            let (busy, failure, onclose, say) = (busy.clone(), failure.clone(), onclose.clone(), say.clone());
            Desk::ask(intent.clone(), move |answer| match answer {
                Ok(_) => {
                    say.emit((Tone::Good, done.into()));
                    onclose.emit(());
                }
                Err(why) => {
                    busy.set(false);
                    failure.set(Some(why));
                }
            });
        })
    };
    let weight = if props.danger { Weight::Danger } else { Weight::Primary };
    let footer = html! {
        <>
            <Button onclick={props.onclose.reform(|_: MouseEvent| ())} test="dialog-cancel">{ "Cancel" }</Button>
            <Button {weight} class="solid" busy={*busy} {onclick} test="confirm">{ &props.verb }</Button>
        </>
    };
    html! {
        <Dialog title={props.title.clone()} onclose={props.onclose.clone()} {footer}>
            { props.children.clone() }
            if let Some(failure) = &*failure { <Banner tone="bad" test="dialog-failure">{ &failure.message }</Banner> }
        </Dialog>
    }
}
