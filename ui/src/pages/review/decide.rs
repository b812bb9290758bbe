//! The second, deliberate step of a decision: it repeats what is decided, and over which words.

use daypass_domain::Verdict;
use daypass_protocol::api::{RequestStatus, RequestView};
use daypass_protocol::bridge::{Failure, Intent, Page, Reply, Tone};
use web_sys::HtmlElement;
use yew::prelude::*;

use crate::desk::{Desk, use_desk, use_now};
use crate::parts::{Banner, Button, Dialog, DurationPicker, Field, Kbd, TextArea, Weight, focus};
use crate::{time, words};

/// What an approver is about to say.
#[derive(Clone, Copy, PartialEq)]
pub enum Act {
    Approve,
    Less,
    Deny,
    Ask,
}

#[derive(Properties, PartialEq)]
pub struct DecideProps {
    pub act: Act,
    /// As it was read; the decision names its digest.
    pub request: RequestView,
    pub onclose: Callback<()>,
}

#[component]
pub fn DecideDialog(props: &DecideProps) -> Html {
    let desk = use_desk();
    let now = use_now();
    let (r, act) = (&props.request, props.act);
    let asked_s = r.cap_s.map_or(r.duration_s, |cap| cap.min(r.duration_s));
    let note = use_state(String::new);
    let less = use_state(|| shorter(asked_s));
    let missing = use_state(|| false);
    let busy = use_state(|| false);
    let failure = use_state(|| None::<Failure>);
    let confirm_node = use_node_ref();
    let note_node = use_node_ref();

    let must_say = matches!(act, Act::Deny | Act::Ask);
    let current = desk.snapshot.reviews.iter().find(|new| new.id == r.id);
    let changed = current.is_none_or(|new| new.digest != r.digest);
    let first = if must_say { note_node.clone() } else { confirm_node.clone() };
    // After the dialog has opened, which puts the focus on its first control.
    use_effect_with((), move |()| {
        if let Some(element) = first.cast::<HtmlElement>() {
            let _ = element.focus();
        }
    });

    let confirm = {
        let (note, missing, busy, failure, less) =
            (note.clone(), missing.clone(), busy.clone(), failure.clone(), less.clone());
        let (onclose, say, id, digest) = (props.onclose.clone(), desk.say.clone(), r.id, r.digest);
        let (name, go) = (r.requester.name.clone(), desk.go.clone());
        Callback::from(move |()| {
            if *busy || changed {
                return;
            }
            if must_say && note.trim().is_empty() {
                missing.set(true);
                focus("#note");
                return;
            }
            busy.set(true);
            failure.set(None);
            let verdict = match act {
                Act::Approve => Verdict::Approve,
                Act::Less => Verdict::ApproveWithLess { duration_s: *less },
                Act::Deny => Verdict::Deny,
                Act::Ask => Verdict::Ask,
            };
            let (busy, failure, onclose, say, name, go) =
                (busy.clone(), failure.clone(), onclose.clone(), say.clone(), name.clone(), go.clone());
            let intent = Intent::Decide { id, digest, verdict, note: note.trim().to_string() };
            Desk::ask(intent, move |answer| match answer {
                Ok(reply) => {
                    say.emit((Tone::Good, afterwards(act, &name, &reply)));
                    onclose.emit(());
                    go.emit(Page::Review(None));
                }
                Err(why) => {
                    busy.set(false);
                    failure.set(Some(why));
                }
            });
        })
    };
    let onkeydown = {
        let confirm = confirm.clone();
        Callback::from(move |e: KeyboardEvent| {
            if e.key() == "Enter" && (e.ctrl_key() || e.meta_key()) {
                e.prevent_default();
                confirm.emit(());
            }
        })
    };
    let what: Vec<String> = r
        .entitlements
        .iter()
        .map(|e| format!("{} on {}", words::level(e.level).to_lowercase(), e.resource.name))
        .collect();
    let what = words::listed(&what.iter().map(String::as_str).collect::<Vec<_>>(), 8);
    let lasts = words::duration(if act == Act::Less { *less } else { asked_s });
    let start = r.start.filter(|s| *s > now).map_or_else(
        || "starting as soon as it is open".to_string(),
        |s| format!("starting {}", time::when(s, now)),
    );
    let name = &r.requester.name;
    let first_name = name.split_whitespace().next().unwrap_or(name);
    let (title, sentence, verb, label) = match act {
        Act::Approve | Act::Less => (
            if act == Act::Less { "Approve with less time" } else { "Approve this request" },
            format!("{name} gets {what} for {lasts}, {start}."),
            format!("Approve {lasts}"),
            "Note",
        ),
        Act::Deny => (
            "Deny this request",
            format!("{name} does not get {what}. They read your note."),
            "Deny".to_string(),
            "Why not",
        ),
        Act::Ask => (
            "Ask before you decide",
            format!("The request of {name} for {what} waits until they have answered."),
            format!("Ask {first_name}"),
            "Your question",
        ),
    };
    let problem = (*missing && note.trim().is_empty()).then(|| {
        AttrValue::from(if act == Act::Deny { "Say why, so that they know." } else { "Write your question." })
    });
    let oninput = {
        let note = note.clone();
        Callback::from(move |text| note.set(text))
    };
    let footer = html! {
        <>
            <span class="keys"><Kbd>{ "Ctrl" }</Kbd><Kbd>{ "↵" }</Kbd></span>
            <Button onclick={props.onclose.reform(|_: MouseEvent| ())} test="dialog-cancel">{ "Cancel" }</Button>
            <Button weight={if act == Act::Deny { Weight::Danger } else { Weight::Primary }} class="solid" node={confirm_node}
                busy={*busy} disabled={changed} onclick={confirm.reform(|_: MouseEvent| ())} test="confirm">{ verb }</Button>
        </>
    };
    html! {
        <Dialog {title} onclose={props.onclose.clone()} {footer} {onkeydown}>
            <p>{ sentence }</p>
            if matches!(act, Act::Approve | Act::Less) { <blockquote class="reason">{ &r.reason }</blockquote> }
            if act == Act::Less {
                <Field label="How long" aside={html! { <span class="strong num">{ words::duration(*less) }</span> }}>
                    <DurationPicker value={*less} longest={most(asked_s)} test="less"
                        onchange={let less = less.clone(); move |seconds| less.set(seconds)} />
                </Field>
            }
            <Field {label} id="note" required={must_say} {problem} name="note">
                <TextArea id="note" node={note_node} value={(*note).clone()} {oninput} rows=2 longest=1000 test="note"
                    placeholder={if must_say { "" } else { "For the record, if there is something to say" }} />
            </Field>
            if changed {
                <Banner tone="warn" test="changed">
                    { "This request has changed or is decided since you opened it. Close this and read it again." }
                </Banner>
            }
            if let Some(failure) = &*failure { <Banner tone="bad" test="dialog-failure">{ &failure.message }</Banner> }
        </Dialog>
    }
}

/// About half of what is asked, in five-minute steps.
fn shorter(asked_s: u32) -> u32 {
    let half = asked_s / 2;
    if half < 300 { half.max(1) } else { half / 300 * 300 }
}

/// The most that is still less than what is asked.
fn most(asked_s: u32) -> u32 {
    if asked_s > 600 { asked_s - 300 } else { (asked_s / 2).max(1) }
}

fn afterwards(act: Act, name: &str, reply: &Reply) -> String {
    let status = match reply {
        Reply::Request(request) => Some(&request.status),
        _ => None,
    };
    match (act, status) {
        (Act::Deny, _) => format!("Denied. {name} is told."),
        (Act::Ask, _) => format!("Asked. {name} is told."),
        (_, Some(RequestStatus::Pending)) => "Approved by you. Others still have to.".into(),
        _ => format!("Approved. {name} gets access."),
    }
}
