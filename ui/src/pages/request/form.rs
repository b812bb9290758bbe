//! The form itself.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use daypass_domain::{AccessLevel, Ask, Entitlement, RequestId, Timestamp};
use daypass_protocol::api::{FieldProblem, Outcome, RequestView};
use daypass_protocol::bridge::{Failure, Intent, Page, Reply};
use web_sys::HtmlElement;
use yew::prelude::*;

use super::preview::{PreviewPanel, Previewed, use_preview};
use super::sent::Sent;
use super::{Draft, Purpose};
use crate::desk::{Desk, use_desk};
use crate::parts::{
    Banner, Button, DurationPicker, Field, Kbd, RiskBadge, Segmented, Select, TextArea, TextInput, Weight,
    glyph, icon, option, problem_text,
};
use crate::time::Civil;
use crate::{time, words};

#[derive(Properties, PartialEq)]
pub struct FormProps {
    pub entitlement: Entitlement,
    pub purpose: Purpose,
    /// One narrow column with everything prefilled.
    pub compact: bool,
    pub onclose: Callback<()>,
}

#[component]
pub fn RequestForm(props: &FormProps) -> Html {
    let desk = use_desk();
    let draft = use_state(|| Draft::begin(&desk, &props.entitlement, &props.purpose, props.compact));
    let touched = use_state(BTreeSet::<&'static str>::new);
    let sending = use_state(|| false);
    let failure = use_state(|| None::<Failure>);
    let sent = use_state(|| None::<RequestView>);
    // Sending the same again has to be seen as the same; anything else is a new request.
    let last = use_mut_ref(|| None::<(RequestId, Ask)>);

    let ask = draft.ask(&props.entitlement);
    let previewed = use_preview(&ask, desk.online());
    let outcome = outcome_of(&desk, &previewed, &props.entitlement, draft.level);
    let longest = outcome.as_ref().and_then(Outcome::max_duration_s);
    use_limit(&draft, longest);
    let (reason, submit) = (use_node_ref(), use_node_ref());
    use_first_focus(&draft, props.compact, reason.clone(), submit.clone());

    let change = use_change(&desk, &draft, &failure, props);
    let touch = {
        let touched = touched.clone();
        Callback::from(move |field: &'static str| {
            let mut all = (*touched).clone();
            if all.insert(field) {
                touched.set(all);
            }
        })
    };
    let problems = all_problems(&draft, outcome.as_ref(), &previewed, (*failure).as_ref());
    let seen =
        |field: &'static str| touched.contains(field).then(|| problem_text(&problems, field)).flatten();

    let send = {
        let (desk, touched, sending) = (desk.clone(), touched.clone(), sending.clone());
        let (failure, sent, ask, problems) = (failure.clone(), sent.clone(), ask.clone(), problems.clone());
        let (purpose, resource) = (props.purpose.clone(), props.entitlement.resource.clone());
        let impossible = matches!(outcome, Some(Outcome::NotNow { .. }));
        Callback::from(move |()| {
            if *sending || impossible {
                return;
            }
            touched.set(FIELDS.into_iter().collect());
            if let Some(first) = problems.first() {
                crate::parts::focus(&format!("#{}", first.field));
                return;
            }
            sending.set(true);
            failure.set(None);
            let intent = match &purpose {
                Purpose::Edit(request) => {
                    Intent::Edit { id: request.id, revision: request.revision, ask: ask.clone() }
                }
                _ => {
                    let mut last = last.borrow_mut();
                    let id = match &*last {
                        Some((id, same)) if *same == ask => *id,
                        _ => RequestId(uuid::Uuid::new_v4()),
                    };
                    *last = Some((id, ask.clone()));
                    Intent::Submit { id, ask: ask.clone() }
                }
            };
            let (sending, failure, sent) = (sending.clone(), failure.clone(), sent.clone());
            let (drafts, resource) = (desk.drafts.clone(), resource.clone());
            Desk::ask(intent, move |answer| {
                sending.set(false);
                match answer {
                    Ok(Reply::Request(request)) => {
                        drafts.borrow_mut().remove(&resource);
                        sent.set(Some(*request));
                    }
                    Ok(_) => failure.set(None),
                    Err(why) => failure.set(Some(why)),
                }
            });
        })
    };

    if let Some(request) = &*sent {
        let close = props.onclose.clone();
        return html! { <Sent request={request.clone()} compact={props.compact} onclose={close} /> };
    }
    let onkeydown = {
        let send = send.clone();
        Callback::from(move |e: KeyboardEvent| {
            if e.key() == "Enter" && (e.ctrl_key() || e.meta_key()) {
                e.prevent_default();
                send.emit(());
            }
        })
    };
    let set_reason = change.reform(|text: String| Change::Reason(text));
    let set_ticket = change.reform(|text: String| Change::Ticket(text));
    let leave = |field: &'static str| touch.reform(move |_: FocusEvent| field);
    let needs_ticket = outcome.as_ref().is_some_and(Outcome::needs_ticket);
    let impossible = matches!(outcome, Some(Outcome::NotNow { .. }));
    let hint = draft
        .from_last_time
        .then_some(AttrValue::from("From your last request; change it if it is another errand."));

    html! {
        <div class="form" {onkeydown} data-test="request-form">
            <div class="form-body">
                { already(&desk, &previewed, draft.level, props) }
                { levels(&desk, &props.entitlement, &draft, &change, seen("entitlements")) }
                <Field label="How long" problem={seen("duration_s")} name="duration_s" aside={html! {
                    <span class="strong num">{ words::duration(draft.duration_s) }</span>
                }}>
                    <DurationPicker value={draft.duration_s} longest={longest.unwrap_or(8 * 3600).max(1)}
                        onchange={change.reform(Change::Duration)} slider={!props.compact} />
                </Field>
                <Field label="Reason" id="reason" required=true problem={seen("reason")} {hint} name="reason">
                    <TextArea id="reason" node={reason} value={draft.reason.clone()} oninput={set_reason}
                        onblur={leave("reason")} wrong={seen("reason").is_some()} rows={if props.compact { 2 } else { 3 }}
                        placeholder="What you are going to do, and why" test="reason" />
                </Field>
                if !props.compact || needs_ticket || !draft.ticket.is_empty() {
                    <Field label="Ticket" id="ticket" inline=true required={needs_ticket} problem={seen("ticket")} name="ticket">
                        <TextInput id="ticket" value={draft.ticket.clone()} oninput={set_ticket} longest=64
                            onblur={leave("ticket")} wrong={seen("ticket").is_some()} test="ticket"
                            placeholder={if needs_ticket { "SHOP-1234" } else { "SHOP-1234, if there is one" }} />
                    </Field>
                }
                <StartField value={draft.start} now={desk.now()} onchange={change.reform(Change::Start)}
                    problem={seen("start")} compact={props.compact} />
                <PreviewPanel of={previewed.clone()} compact={props.compact} now={desk.now()} online={desk.online()} />
            </div>
            if let Some(failure) = &*failure {
                <Banner tone="bad" test="form-failure">
                    { &failure.message }
                    { " What you wrote is still here." }
                </Banner>
            }
            { gist(&previewed, outcome.as_ref(), props.compact) }
            <footer class="form-foot">
                <Button weight={Weight::Primary} node={submit} busy={*sending} disabled={impossible || !desk.online()}
                    onclick={send.reform(|_: MouseEvent| ())} test="submit"
                    title={if desk.online() { "Ctrl+Enter" } else { "You are offline" }}>
                    { verb(&props.purpose, outcome.as_ref(), (*failure).is_some()) }
                </Button>
                <Button weight={Weight::Quiet} onclick={props.onclose.reform(|_: MouseEvent| ())} test="cancel">
                    { "Cancel" }
                </Button>
                <span class="end keys"><Kbd>{ "Ctrl" }</Kbd><Kbd>{ "↵" }</Kbd></span>
            </footer>
        </div>
    }
}

/// The outcome and the risk in one line that stays in sight while the form scrolls.
fn gist(previewed: &Previewed, outcome: Option<&Outcome>, compact: bool) -> Html {
    let (Some(preview), Some(outcome), false) = (&previewed.preview, outcome, compact) else {
        return Html::default();
    };
    let (tone, glyph) = match outcome {
        Outcome::Automatic { .. } => ("good", glyph::INSTANT),
        Outcome::NeedsApproval { .. } => ("accent", glyph::USERS),
        Outcome::NotNow { .. } => ("bad", glyph::DENIED),
    };
    let text = match outcome {
        Outcome::Automatic { .. } => "Approved at once".to_string(),
        Outcome::NeedsApproval { .. } => format!("Needs {}", words::takes(outcome)),
        Outcome::NotNow { .. } => "Not possible now".to_string(),
    };
    html! {
        <div class={classes!("gist", tone)}>
            { icon(glyph) }<span class="clip">{ text }</span>
            <span class="end sub">{ "Risk" }</span>
            <RiskBadge points={preview.risk.points} band={preview.risk.band} />
        </div>
    }
}

const FIELDS: [&str; 5] = ["entitlements", "duration_s", "start", "reason", "ticket"];

fn verb(purpose: &Purpose, outcome: Option<&Outcome>, again: bool) -> &'static str {
    match (purpose, outcome) {
        (_, Some(Outcome::NotNow { .. })) => "Not possible now",
        _ if again => "Try again",
        (Purpose::Edit(_), _) => "Save and ask again",
        (Purpose::Extend(_), _) => "Ask for more time",
        (Purpose::New, Some(Outcome::Automatic { .. })) => "Get access",
        (Purpose::New, _) => "Request access",
    }
}

/// What the preview says, and before it came, what the catalogue says.
fn outcome_of(desk: &Desk, previewed: &Previewed, e: &Entitlement, level: AccessLevel) -> Option<Outcome> {
    let offered = || {
        let resource = desk.resource(&e.resource)?;
        Some(resource.levels.iter().find(|o| o.level == level)?.outcome.clone())
    };
    match &previewed.preview {
        Some(preview) if !previewed.stale => Some(preview.outcome.clone()),
        _ => offered(),
    }
}

/// What this window, the preview and the last attempt say is wrong; the first word on a field counts.
fn all_problems(
    draft: &Draft,
    outcome: Option<&Outcome>,
    previewed: &Previewed,
    failure: Option<&Failure>,
) -> Vec<FieldProblem> {
    let own = draft.problems(outcome);
    let theirs = previewed.preview.iter().filter(|_| !previewed.stale).flat_map(|p| p.problems.iter());
    let refused = failure.iter().flat_map(|f| f.problems.iter());
    let mut fields = BTreeSet::new();
    let all = own.iter().chain(refused).chain(theirs).cloned();
    all.filter(|p| fields.insert(p.field.clone())).collect()
}

/// A shorter limit shortens what was chosen under a longer one.
#[hook]
fn use_limit(draft: &UseStateHandle<Draft>, longest: Option<u32>) {
    let draft = draft.clone();
    use_effect_with((draft.duration_s, longest), move |(duration_s, longest)| {
        if let Some(longest) = longest
            && duration_s > longest
        {
            draft.set(Draft { duration_s: *longest, ..(*draft).clone() });
        }
    });
}

/// The first thing that is still missing has the focus: the reason, or when it is there, the button.
#[hook]
fn use_first_focus(draft: &Draft, compact: bool, reason: NodeRef, submit: NodeRef) {
    let ready = compact && !draft.reason.trim().is_empty();
    use_effect_with((), move |()| {
        let node = if ready { submit } else { reason };
        if let Some(element) = node.cast::<HtmlElement>() {
            let _ = element.focus();
        }
    });
}

enum Change {
    Level(AccessLevel),
    Duration(u32),
    Start(Option<Timestamp>),
    Reason(String),
    Ticket(String),
}

/// Changes the draft, keeps it for later, and forgets what the last attempt said.
#[hook]
fn use_change(
    desk: &Desk,
    draft: &UseStateHandle<Draft>,
    failure: &UseStateHandle<Option<Failure>>,
    props: &FormProps,
) -> Callback<Change> {
    let (drafts, draft, failure) = (desk.drafts.clone(), draft.clone(), failure.clone());
    let keep = (props.purpose == Purpose::New).then(|| props.entitlement.resource.clone());
    Callback::from(move |change| {
        let mut new = (*draft).clone();
        match change {
            Change::Level(level) => new.level = level,
            Change::Duration(seconds) => new.duration_s = seconds,
            Change::Start(start) => new.start = start,
            Change::Reason(text) => {
                new.reason = text;
                new.from_last_time = false;
            }
            Change::Ticket(text) => new.ticket = text,
        }
        if let Some(resource) = &keep {
            drafts.borrow_mut().insert(resource.clone(), new.clone());
        }
        draft.set(new);
        failure.set(None);
    })
}

/// What one has or waits for already, before asking for it again.
fn already(desk: &Desk, previewed: &Previewed, level: AccessLevel, props: &FormProps) -> Html {
    if let Purpose::Extend(held) = &props.purpose {
        let until = held.grant.expires_at.map(|until| time::when(until, desk.now()));
        let text = format!(
            "What you have ends at {}. More time is a new request with its own decision; both count side by side.",
            until.unwrap_or_else(|| "a time still to come".into())
        );
        return html! { <Banner tone="info" test="extending">{ text }</Banner> };
    }
    if let Purpose::Edit(request) = &props.purpose {
        let approved: usize = request.stages.iter().map(|s| s.approved.len()).sum();
        let asked = match &request.status {
            daypass_protocol::api::RequestStatus::Asked { by, note } => html! {
                <Banner tone="warn" test="question"><strong>{ format!("{} asks: ", by.name) }</strong>{ note }</Banner>
            },
            _ => Html::default(),
        };
        return html! {
            <>
                { asked }
                if approved > 0 {
                    <Banner tone="info" test="voids">{ "Saving a change starts the approvals anew." }</Banner>
                }
            </>
        };
    }
    let held = previewed.preview.as_ref().and_then(|p| p.held.as_ref());
    if let Some(grant) = held {
        let left = grant
            .expires_at
            .map_or_else(String::new, |until| format!(" for {} more", words::span(until - desk.now())));
        let level = words::level(grant.level).to_lowercase();
        let id = grant.id;
        let open = if props.compact {
            let desk = desk.clone();
            let copy = Callback::from(move |_: MouseEvent| {
                desk.act(Intent::CopyCommand { grant: id }, Some("Connection command copied"));
            });
            html! { <Button icon={glyph::COPY} onclick={copy}>{ "Copy command" }</Button> }
        } else {
            let go = desk.go.clone();
            html! { <Button onclick={Callback::from(move |_: MouseEvent| go.emit(Page::MyAccess))}>{ "Open it" }</Button> }
        };
        return html! {
            <Banner tone="good" test="held" action={open}>{ format!("You already have {level} here{left}.") }</Banner>
        };
    }
    let wanted = Entitlement { resource: props.entitlement.resource.clone(), level };
    if desk.pending(&wanted).is_some() {
        let go = desk.go.clone();
        let see = Callback::from(move |_: MouseEvent| go.emit(Page::MyAccess));
        let action = if props.compact {
            Html::default()
        } else {
            html! { <Button onclick={see}>{ "See it" }</Button> }
        };
        return html! {
            <Banner tone="info" test="pending" {action}>{ "You have asked for this; it waits for a decision." }</Banner>
        };
    }
    Html::default()
}

fn levels(
    desk: &Desk,
    e: &Entitlement,
    draft: &Draft,
    change: &Callback<Change>,
    problem: Option<AttrValue>,
) -> Html {
    let offers = desk.resource(&e.resource).map(|r| r.levels.clone()).unwrap_or_default();
    let offered: Vec<AccessLevel> =
        if offers.is_empty() { vec![draft.level] } else { offers.iter().map(|o| o.level).collect() };
    let options = offered
        .into_iter()
        .map(|l| (l.as_str().into(), words::level(l).into(), format!("level-{l}").into()))
        .collect::<Vec<(AttrValue, AttrValue, AttrValue)>>();
    let onchange = {
        let change = change.clone();
        Callback::from(move |value: AttrValue| {
            if let Some(level) = AccessLevel::ALL.into_iter().find(|l| l.as_str() == value.as_str()) {
                change.emit(Change::Level(level));
            }
        })
    };
    let others: Vec<String> = draft.others.iter().map(|o| format!("{} on {}", o.level, o.resource)).collect();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    html! {
        <Field label="Level" {problem} name="entitlements" aside={html! { <span class="sub">{ words::level_means(draft.level) }</span> }}
            hint={(!others.is_empty()).then(|| AttrValue::from(format!("Together with {}.", words::listed(&others, 8))))}>
            <Segmented label="Level" {options} value={draft.level.as_str()} {onchange} />
        </Field>
    }
}

#[derive(Properties, PartialEq)]
struct StartProps {
    value: Option<Timestamp>,
    now: Timestamp,
    onchange: Callback<Option<Timestamp>>,
    problem: Option<AttrValue>,
    compact: bool,
}

/// At once, or from a day and a time on.
#[component]
fn StartField(props: &StartProps) -> Html {
    let choose = {
        let (onchange, now) = (props.onchange.clone(), props.now);
        Callback::from(move |value: AttrValue| {
            onchange.emit((value == "later").then(|| next_hour(now)).flatten())
        })
    };
    let today = Civil::of(props.now);
    let value = props.value.map(Civil::of);
    // Days are counted at noon, so that no change of the clocks moves one.
    let noon = |c: Civil| Civil { hour: 12, minute: 0, ..c }.moment();
    let day_of = |c: Civil| Some((noon(c)? - noon(today)?).num_hours().div_euclid(24));
    let pick = move |day: i64, minutes: u32| {
        let days = u32::try_from(day.clamp(0, 40)).unwrap_or(0);
        Civil { day: today.day + days, hour: minutes / 60, minute: minutes % 60, ..today }.moment()
    };
    let fields = value.map(|value| {
        let (day, minutes) = (day_of(value).unwrap_or(0).max(0), value.hour * 60 + value.minute);
        let set_day = {
            let onchange = props.onchange.clone();
            Callback::from(move |text: String| onchange.emit(text.parse().ok().and_then(|day| pick(day, minutes))))
        };
        let set_time = {
            let onchange = props.onchange.clone();
            Callback::from(move |text: String| onchange.emit(text.parse().ok().and_then(|minutes| pick(day, minutes))))
        };
        let day = day.to_string();
        let minutes_text = minutes.to_string();
        let mut times: Vec<u32> = (0..96).map(|n| n * 15).collect();
        if !times.contains(&minutes) {
            times.push(minutes);
            times.sort_unstable();
        }
        html! {
            <div class="start">
                <Select label="Day" value={day.clone()} onchange={set_day} test="start-day">
                    { for (0..30_i64).map(|n| option(&n.to_string(), &day, time::day(props.now + TimeDelta::days(n), props.now))) }
                </Select>
                <Select label="Time" value={minutes_text.clone()} onchange={set_time} test="start-time">
                    { for times.into_iter().map(|m| option(&m.to_string(), &minutes_text, format!("{:02}:{:02}", m / 60, m % 60))) }
                </Select>
            </div>
        }
    });
    let options: Vec<(AttrValue, AttrValue, AttrValue)> = vec![
        ("now".into(), "When approved".into(), "start-now".into()),
        ("later".into(), "Later".into(), "start-later".into()),
    ];
    if props.compact && props.value.is_none() {
        return Html::default();
    }
    html! {
        <Field label="Start" inline=true problem={props.problem.clone()} name="start">
            <Segmented label="Start" {options} value={if props.value.is_some() { "later" } else { "now" }} onchange={choose} />
            { fields.unwrap_or_default() }
        </Field>
    }
}

/// The hour after the next full one.
fn next_hour(now: Timestamp) -> Option<Timestamp> {
    let civil = Civil::of(now + TimeDelta::hours(1));
    Civil { minute: 0, ..civil }.moment().map(|at| if at <= now { at + TimeDelta::hours(1) } else { at })
}
