//! The approver's desk: the queue, and one request in full. Letters act, a dialog confirms.

mod decide;
mod detail;

use daypass_domain::RequestId;
use daypass_protocol::api::RequestView;
use daypass_protocol::bridge::Page;
use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use yew::prelude::*;

use crate::desk::{use_desk, use_now};
use crate::parts::{EmptyState, Kbd, RiskBadge, Tag, glyph, keys_are_free, move_selection};
use crate::words;
use decide::{Act, DecideDialog};
use detail::Detail;

#[derive(Properties, PartialEq)]
pub struct ReviewProps {
    pub open: Option<RequestId>,
}

#[component]
pub fn Review(props: &ReviewProps) -> Html {
    let desk = use_desk();
    let act = use_state(|| None::<(Act, RequestView)>);
    let queue = desk.snapshot.reviews.clone();
    // On a wide window the most urgent one is open; on a narrow one the list comes first.
    let chosen = props.open.and_then(|id| queue.iter().position(|r| r.id == id));
    let shown = queue.get(chosen.unwrap_or(0)).cloned();
    let gone = props.open.is_some() && chosen.is_none();

    let select = {
        let go = desk.go.clone();
        Callback::from(move |id: RequestId| go.emit(Page::Review(Some(id))))
    };
    let start = {
        let (act, shown) = (act.clone(), shown.clone());
        Callback::from(move |what: Act| {
            if let Some(request) = shown.clone().filter(|r| r.may_decide) {
                act.set(Some((what, request)));
            }
        })
    };
    use_review_keys(&queue, chosen.or((!queue.is_empty()).then_some(0)), select.clone(), start.clone());
    let close = {
        let act = act.clone();
        Callback::from(move |()| act.set(None))
    };

    let content = match shown {
        None => html! {
            <EmptyState icon={glyph::REVIEW} title="Nothing waits for you">
                { "When someone asks for access that you may approve, it appears here and you are told." }
            </EmptyState>
        },
        Some(shown) => html! {
            <div class={classes!("review", chosen.is_some().then_some("open"))}>
                <ul class="queue" aria-label="Waiting for your decision">
                    { for queue.iter().map(|r| html! {
                        <QueueRow key={r.id.to_string()} request={r.clone()} on={r.id == shown.id} select={select.clone()} />
                    }) }
                </ul>
                <Detail key={shown.id.to_string()} request={shown.clone()} act={start} {gone} />
            </div>
        },
    };
    html! {
        <div class="page">
            <header class="top">
                <div>
                    <h1>{ "Review" }</h1>
                    <p class="sub">
                        { if queue.is_empty() { "Requests that wait for your decision.".to_string() } else {
                            format!("{} for your decision, the most urgent first.", words::count(queue.len(), "request waits", "requests wait")) } }
                    </p>
                </div>
                if queue.len() > 1 {
                    <span class="keys sub"><Kbd>{ "J" }</Kbd><Kbd>{ "K" }</Kbd>{ " to move" }</span>
                }
            </header>
            { content }
            if let Some((what, request)) = &*act {
                <DecideDialog act={*what} request={request.clone()} onclose={close} />
            }
        </div>
    }
}

/// J, K and the arrows move; A, L, D and Q start a decision.
#[hook]
fn use_review_keys(
    queue: &[RequestView],
    chosen: Option<usize>,
    select: Callback<RequestId>,
    start: Callback<Act>,
) {
    let ids: Vec<RequestId> = queue.iter().map(|r| r.id).collect();
    let digest = chosen.and_then(|i| queue.get(i)).map(|r| r.digest);
    use_effect_with((ids, chosen, digest), move |(ids, chosen, _)| {
        let (ids, chosen) = (ids.clone(), *chosen);
        let document = web_sys::window().and_then(|w| w.document());
        let listener = document.map(|document| {
            let options = gloo_events::EventListenerOptions::enable_prevent_default();
            EventListener::new_with_options(&document, "keydown", options, move |event| {
                let Some(e) = event.dyn_ref::<KeyboardEvent>().filter(|e| keys_are_free(e)) else { return };
                let key = e.key();
                let act = match key.to_ascii_lowercase().as_str() {
                    "a" => Some(Act::Approve),
                    "l" => Some(Act::Less),
                    "d" => Some(Act::Deny),
                    "q" => Some(Act::Ask),
                    _ => None,
                };
                if let Some(act) = act {
                    e.prevent_default();
                    start.emit(act);
                } else if let Some(id) = move_selection(&key, chosen, ids.len()).and_then(|row| ids.get(row))
                {
                    e.prevent_default();
                    select.emit(*id);
                }
            })
        });
        move || drop(listener)
    });
}

#[derive(Properties, PartialEq)]
struct RowProps {
    request: RequestView,
    on: bool,
    select: Callback<RequestId>,
}

#[component]
fn QueueRow(props: &RowProps) -> Html {
    let now = use_now();
    let r = &props.request;
    let node = use_node_ref();
    use_effect_with((props.on, node.clone()), |(on, node)| {
        if let Some(element) = node.cast::<web_sys::Element>().filter(|_| *on) {
            let options = web_sys::ScrollIntoViewOptions::new();
            options.set_block(web_sys::ScrollLogicalPosition::Nearest);
            element.scroll_into_view_with_scroll_into_view_options(&options);
        }
    });
    let onclick = {
        let (select, id) = (props.select.clone(), r.id);
        Callback::from(move |_: MouseEvent| select.emit(id))
    };
    let first = r.entitlements.first();
    let others = r.entitlements.len().saturating_sub(1);
    html! {
        <li ref={node}>
            <button type="button" class={classes!("queue-row", props.on.then_some("on"))} {onclick}
                aria-current={props.on.then_some("true")} data-test={format!("queue-{}", r.id)}>
                <RiskBadge points={r.risk.points} band={r.risk.band} />
                <span class="queue-text">
                    <span class="strong clip">{ &r.requester.name }</span>
                    <span class="sub num" title="Waiting since then">{ words::ago(r.submitted_at, now) }</span>
                    <span class="clip queue-what">
                        { first.map(|e| format!("{} · {}", e.resource.name, words::level(e.level).to_lowercase())).unwrap_or_default() }
                        if others > 0 { { format!(" + {others}") } }
                    </span>
                    <span class="sub clip">{ &r.reason }</span>
                    <Tag>{ format!("for {}", words::duration(r.cap_s.map_or(r.duration_s, |cap| cap.min(r.duration_s)))) }</Tag>
                </span>
            </button>
        </li>
    }
}
