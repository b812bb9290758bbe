//! What the application says by itself: banners, toasts, and what stands where nothing is.

use daypass_protocol::api::FieldProblem;
use daypass_protocol::bridge::{Page, Tone};
use gloo_timers::callback::Timeout;
use icondata_core::Icon;
use yew::prelude::*;

use super::{Button, Weight, glyph, icon};

#[derive(Properties, PartialEq)]
pub struct BannerProps {
    /// `info`, `warn`, `bad`, `good`.
    pub tone: &'static str,
    pub children: Html,
    #[prop_or_default]
    pub action: Html,
    #[prop_or("banner")]
    pub test: &'static str,
}

#[component]
pub fn Banner(props: &BannerProps) -> Html {
    let (glyph, role) = match props.tone {
        "bad" => (glyph::WARNING, "alert"),
        "warn" => (glyph::WARNING, "status"),
        "good" => (glyph::GOOD, "status"),
        _ => (glyph::INFO, "status"),
    };
    html! {
        <div class={classes!("banner", props.tone)} {role} data-test={props.test}>
            { icon(glyph) }
            <div class="banner-text">{ props.children.clone() }</div>
            { props.action.clone() }
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub struct EmptyProps {
    pub icon: Icon,
    pub title: AttrValue,
    pub children: Html,
    #[prop_or_default]
    pub action: Html,
}

/// What stands where nothing is: what it would be, and what to do.
#[component]
pub fn EmptyState(props: &EmptyProps) -> Html {
    html! {
        <div class="empty">
            <span class="empty-mark">{ icon(props.icon) }</span>
            <h2>{ &props.title }</h2>
            <p class="sub">{ props.children.clone() }</p>
            { props.action.clone() }
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub struct SkeletonProps {
    /// `card` or `row`.
    pub of: &'static str,
    #[prop_or(6)]
    pub count: u8,
}

/// The shape of what is being read.
#[component]
pub fn Skeleton(props: &SkeletonProps) -> Html {
    html! {
        <div class={classes!("skeletons", format!("of-{}", props.of))} role="status" aria-label="Loading">
            { for (0..props.count).map(|n| html! { <div key={n} class="skeleton" /> }) }
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub struct KbdProps {
    pub children: Html,
}

#[component]
pub fn Kbd(props: &KbdProps) -> Html {
    html! { <kbd aria-hidden="true">{ props.children.clone() }</kbd> }
}

/// What is wrong with one field of a form.
pub fn problem_text(problems: &[FieldProblem], field: &str) -> Option<AttrValue> {
    let problem = problems.iter().find(|p| p.field == field)?;
    let mut chars = problem.message.chars();
    let text: String = chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default();
    Some(AttrValue::from(text))
}

/// A short message over the page.
#[derive(Clone, PartialEq)]
pub struct Toast {
    pub id: u64,
    pub tone: Tone,
    pub text: String,
    pub page: Option<Page>,
}

#[derive(Properties, PartialEq)]
pub struct ToastsProps {
    pub toasts: Vec<Toast>,
    pub dismiss: Callback<u64>,
    pub go: Callback<Page>,
}

#[component]
pub fn Toasts(props: &ToastsProps) -> Html {
    html! {
        <div class="toasts" role="log" aria-live="polite" aria-label="Messages">
            { for props.toasts.iter().map(|toast| html! {
                <ToastCard key={toast.id} toast={toast.clone()} dismiss={props.dismiss.clone()} go={props.go.clone()} />
            }) }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct ToastProps {
    toast: Toast,
    dismiss: Callback<u64>,
    go: Callback<Page>,
}

#[component]
fn ToastCard(props: &ToastProps) -> Html {
    let Toast { id, tone, .. } = props.toast;
    let onclose = {
        let dismiss = props.dismiss.clone();
        Callback::from(move |_: MouseEvent| dismiss.emit(id))
    };
    {
        let dismiss = props.dismiss.clone();
        use_effect_with(id, move |&id| {
            // A problem stays until someone has seen it.
            let lasts = match tone {
                Tone::Good | Tone::Info => Some(6_000),
                Tone::Warning => Some(12_000),
                Tone::Bad => None,
            };
            let timeout = lasts.map(|ms| Timeout::new(ms, move || dismiss.emit(id)));
            move || drop(timeout)
        });
    }
    let (class, glyph) = match tone {
        Tone::Good => ("good", glyph::GOOD),
        Tone::Info => ("info", glyph::INFO),
        Tone::Warning => ("warn", glyph::WARNING),
        Tone::Bad => ("bad", glyph::BAD),
    };
    let show = props.toast.page.clone().map(|page| {
        let (go, dismiss) = (props.go.clone(), props.dismiss.clone());
        let onclick = Callback::from(move |_: MouseEvent| {
            go.emit(page.clone());
            dismiss.emit(id);
        });
        html! { <Button weight={Weight::Quiet} {onclick}>{ "Show" }</Button> }
    });
    html! {
        <div class={classes!("toast", class)} data-test="toast">
            { icon(glyph) }
            <span class="toast-text">{ &props.toast.text }</span>
            { show.unwrap_or_default() }
            <Button weight={Weight::Quiet} icon={glyph::CLOSE} label="Close this message" onclick={onclose} />
        </div>
    }
}
