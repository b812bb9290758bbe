//! One request in full, as much as a decision needs.

use daypass_domain::Verdict;
use daypass_protocol::api::{DecisionView, Past, RequestView};
use daypass_protocol::bridge::Page;
use yew::prelude::*;

use super::decide::Act;
use crate::desk::{use_desk, use_now};
use crate::parts::{
    Banner, Button, EnvironmentTag, Kbd, Person, RiskPanel, SensitivityTag, Stages, Tag, Weight, glyph, icon,
    kind_icon,
};
use crate::{time, words};

#[derive(Properties, PartialEq)]
pub struct DetailProps {
    pub request: RequestView,
    pub act: Callback<Act>,
    /// The one that was open before has left the queue.
    pub gone: bool,
}

#[component]
pub fn Detail(props: &DetailProps) -> Html {
    let desk = use_desk();
    let now = use_now();
    let r = &props.request;
    let button = |act: Act, weight: Weight, test: &'static str, text: &'static str, key: &'static str| {
        let go = props.act.clone();
        html! {
            <Button {weight} onclick={Callback::from(move |_: MouseEvent| go.emit(act))} {test}
                disabled={!r.may_decide || !desk.online()}>
                { text }<Kbd>{ key }</Kbd>
            </Button>
        }
    };
    let back = desk.go.reform(|_: MouseEvent| Page::Review(None));
    html! {
        <article class="detail" data-test="detail" aria-label={format!("Request of {}", r.requester.name)}>
            <div class="detail-scroll">
                <Button weight={Weight::Quiet} icon={glyph::BACK} onclick={back} class="back" test="back">{ "All requests" }</Button>
                if props.gone {
                    <Banner tone="info" test="gone">{ "The request that was open here is decided or withdrawn. This is the next one." }</Banner>
                }
                <header class="detail-head">
                    <Person of={r.requester.clone()} large=true />
                    <span class="sub end">{ format!("asked {}", words::ago(r.submitted_at, now)) }</span>
                </header>
                <ul class="asked">
                    { for r.entitlements.iter().map(|e| html! {
                        <li>
                            <span class="kind">{ kind_icon(e.resource.kind) }</span>
                            <span class="card-name">
                                <span class="strong">{ format!("{} on {}", words::level(e.level), e.resource.name) }</span>
                                <span class="sub">{ format!("{} · {} · {}", words::kind(e.resource.kind), e.resource.owner, words::level_means(e.level).to_lowercase()) }</span>
                            </span>
                            <span class="tags end"><EnvironmentTag of={e.resource.environment} /><SensitivityTag of={e.resource.sensitivity} /></span>
                        </li>
                    }) }
                </ul>
                <blockquote class="reason">{ &r.reason }</blockquote>
                <dl class="facts">
                    <div><dt>{ "For" }</dt><dd>
                        { words::duration(r.cap_s.map_or(r.duration_s, |cap| cap.min(r.duration_s))) }
                        if r.cap_s.is_some_and(|cap| cap < r.duration_s) {
                            <span class="sub">{ format!(" cut from {} by an approver", words::duration(r.duration_s)) }</span>
                        }
                    </dd></div>
                    <div><dt>{ "Start" }</dt><dd>{ r.start.map_or_else(|| "As soon as approved".to_string(), |s| time::when(s, now)) }</dd></div>
                    <div><dt>{ "Ticket" }</dt><dd>{ r.ticket.clone().unwrap_or_else(|| "None given".into()) }</dd></div>
                    <div><dt>{ "Their past here" }</dt><dd>{ past(r.past.as_ref(), now) }</dd></div>
                    <div><dt>{ "Lapses" }</dt><dd>{ time::when(r.lapses_at, now) }</dd></div>
                </dl>
                <RiskPanel risk={r.risk.clone()} />
                <section>
                    <h3 class="section">{ "Approvals" }</h3>
                    <Stages stages={r.stages.clone()} />
                </section>
                if !r.decisions.is_empty() {
                    <section>
                        <h3 class="section">{ "Said so far" }</h3>
                        <ul class="said">{ for r.decisions.iter().map(|d| said(d, now)) }</ul>
                    </section>
                }
            </div>
            <footer class="form-foot decide">
                { button(Act::Approve, Weight::Primary, "approve", "Approve", "A") }
                { button(Act::Less, Weight::Plain, "less", "Approve with less", "L") }
                { button(Act::Ask, Weight::Plain, "ask", "Ask", "Q") }
                { button(Act::Deny, Weight::Danger, "deny", "Deny", "D") }
                if !r.may_decide {
                    <span class="sub end">{ "Not yours to decide now" }</span>
                } else if !desk.online() {
                    <span class="sub end">{ "You are offline" }</span>
                }
            </footer>
        </article>
    }
}

fn past(past: Option<&Past>, now: daypass_domain::Timestamp) -> String {
    match past {
        None => "Not known".into(),
        Some(Past { approved: 0, denied: 0, .. }) => "First time in 90 days".into(),
        Some(past) => {
            let last = past.last.map(|at| format!(", last {}", words::ago(at, now)));
            format!(
                "{} approved, {} denied in 90 days{}",
                past.approved,
                past.denied,
                last.unwrap_or_default()
            )
        }
    }
}

fn said(d: &DecisionView, now: daypass_domain::Timestamp) -> Html {
    let (glyph, tone, text) = match &d.verdict {
        Verdict::Approve => (glyph::CHECK, "good", "approved".to_string()),
        Verdict::ApproveWithLess { duration_s } => {
            (glyph::CHECK, "good", format!("approved for {}", words::duration(*duration_s)))
        }
        Verdict::Deny => (glyph::DENIED, "bad", "denied".into()),
        Verdict::Ask => (glyph::QUESTION, "warn", "asked".into()),
    };
    html! {
        <li>
            <span class={classes!("timeline-mark", tone)}>{ icon(glyph) }</span>
            <span class="stage-text">
                <span><span class="strong">{ &d.by.name }</span>{ format!(" {text} ") }<Tag>{ &d.stage }</Tag></span>
                if !d.note.is_empty() { <q class="sub">{ &d.note }</q> }
            </span>
            <span class="sub end">{ words::ago(d.at, now) }</span>
        </li>
    }
}
