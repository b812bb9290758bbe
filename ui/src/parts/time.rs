//! Time that runs, and things in the order in which they happened.

use daypass_domain::Timestamp;
use icondata_core::Icon;
use yew::prelude::*;

use super::icon;
use crate::desk::use_now;
use crate::words;

#[derive(Properties, PartialEq)]
pub struct CountdownProps {
    pub until: Timestamp,
    /// Shows how much of it is over when given.
    #[prop_or_default]
    pub since: Option<Timestamp>,
    #[prop_or_default]
    pub test: Option<AttrValue>,
}

/// The time left, running down.
#[component]
pub fn Countdown(props: &CountdownProps) -> Html {
    let now = use_now();
    let left = (props.until - now).max(chrono::TimeDelta::zero());
    let urgency = match left.num_minutes() {
        0..2 => "bad",
        2..6 => "warn",
        _ => "good",
    };
    let text = words::clock(left);
    let bar = props.since.map(|since| {
        let all = (props.until - since).num_seconds().max(1);
        html! {
            <progress value={left.num_seconds().min(all).to_string()} max={all.to_string()}
                aria-label="Time left" />
        }
    });
    html! {
        <span class={classes!("countdown", urgency)}>
            <span class="num" role="timer" data-test={props.test.clone()}>{ text }</span>
            { bar.unwrap_or_default() }
        </span>
    }
}

/// One thing that happened.
#[derive(Clone, PartialEq)]
pub struct TimelineItem {
    pub key: String,
    pub glyph: Icon,
    /// `good`, `bad`, `accent`, `quiet`.
    pub tone: &'static str,
    pub clock: String,
    pub text: String,
    pub note: Option<String>,
    pub aside: Html,
}

#[derive(Properties, PartialEq)]
pub struct TimelineProps {
    pub items: Vec<TimelineItem>,
    #[prop_or("history-row")]
    pub test: &'static str,
}

#[component]
pub fn Timeline(props: &TimelineProps) -> Html {
    let row = |item: &TimelineItem| {
        html! {
            <li key={item.key.clone()} data-test={props.test}>
                <time class="num sub">{ &item.clock }</time>
                <span class={classes!("timeline-mark", item.tone)}>{ icon(item.glyph) }</span>
                <div class="timeline-text">
                    <span>{ &item.text }</span>
                    if let Some(note) = &item.note { <q class="sub">{ note }</q> }
                </div>
                <span class="timeline-aside">{ item.aside.clone() }</span>
            </li>
        }
    };
    html! { <ol class="timeline">{ for props.items.iter().map(row) }</ol> }
}
