//! What would happen if it were sent now: asked of the server while the form is filled in.

use daypass_domain::{Ask, Timestamp};
use daypass_protocol::api::{Outcome, Preview};
use daypass_protocol::bridge::{Failure, Intent, Reply};
use gloo_timers::callback::Timeout;
use yew::prelude::*;

use crate::desk::Desk;
use crate::parts::{RiskPanel, Skeleton, Stages, glyph, icon};
use crate::{time, words};

/// So long after the last key the server is asked.
const PAUSE_MS: u32 = 250;

/// The last answer, kept while the next is on its way.
#[derive(Clone, Default, PartialEq)]
pub struct Previewed {
    pub preview: Option<Preview>,
    pub failure: Option<Failure>,
    pub stale: bool,
}

/// Previews `ask`, a moment after it stopped changing.
#[hook]
pub fn use_preview(ask: &Ask, online: bool) -> Previewed {
    let state = use_state(Previewed::default);
    // Answers of overtaken questions come to nothing.
    let turn = use_mut_ref(|| 0_u32);
    {
        let state = state.clone();
        use_effect_with((ask.clone(), online), move |(ask, online)| {
            let mine = {
                let mut turn = turn.borrow_mut();
                *turn = turn.wrapping_add(1);
                *turn
            };
            let known = state.preview.clone();
            let timeout = online.then(|| {
                state.set(Previewed { stale: true, ..(*state).clone() });
                let first = known.is_none();
                let ask = ask.clone();
                Timeout::new(if first { 0 } else { PAUSE_MS }, move || {
                    Desk::ask(Intent::Preview { ask }, move |answer| {
                        if *turn.borrow() != mine {
                            return;
                        }
                        state.set(match answer {
                            Ok(Reply::Preview(preview)) => {
                                Previewed { preview: Some(*preview), failure: None, stale: false }
                            }
                            Ok(_) => Previewed { preview: known, failure: None, stale: false },
                            Err(failure) => {
                                Previewed { preview: known, failure: Some(failure), stale: false }
                            }
                        });
                    });
                })
            });
            move || drop(timeout)
        });
    }
    (*state).clone()
}

#[derive(Properties, PartialEq)]
pub struct PreviewProps {
    pub of: Previewed,
    pub compact: bool,
    pub now: Timestamp,
    pub online: bool,
}

/// The outcome in a sentence, who decides, and the risk.
#[component]
pub fn PreviewPanel(props: &PreviewProps) -> Html {
    let Previewed { preview, failure, stale } = &props.of;
    let Some(preview) = preview else {
        return match failure {
            Some(failure) => html! {
                <p class="preview-missing sub" role="status">
                    { icon(glyph::INFO) }{ format!("What would happen cannot be told now: {}", failure.message) }
                </p>
            },
            None if !props.online => html! {
                <p class="preview-missing sub">{ icon(glyph::OFFLINE) }{ "What would happen is told when you are online again." }</p>
            },
            None => html! { <Skeleton of="row" count=3 /> },
        };
    };
    let (tone, glyph, title) = match &preview.outcome {
        Outcome::Automatic { .. } => ("good", glyph::INSTANT, "Approved at once".to_string()),
        Outcome::NeedsApproval { stages, .. } => {
            let people: u32 = stages.iter().map(|s| u32::from(s.needed)).sum();
            (
                "accent",
                glyph::USERS,
                format!("Needs {}", words::count(people as usize, "approval", "approvals")),
            )
        }
        Outcome::NotNow { .. } => ("bad", glyph::DENIED, "Not possible now".to_string()),
    };
    let more = match &preview.outcome {
        Outcome::Automatic { .. } if props.compact => Html::default(),
        Outcome::Automatic { .. } => html! {
            <span class="sub">{ "Policy allows this without anyone's approval. It is recorded like any other." }</span>
        },
        Outcome::NeedsApproval { stages, .. } if props.compact => html! {
            <span class="sub">{ compact_stages(stages) }</span>
        },
        Outcome::NeedsApproval { stages, .. } => html! { <Stages stages={stages.clone()} /> },
        Outcome::NotNow { why, until } => {
            let until = until.map(|u| format!(" Possible again {}.", time::when(u, props.now)));
            html! { <span class="sub">{ why }{ until.unwrap_or_default() }</span> }
        }
    };
    html! {
        <div class={classes!("preview", stale.then_some("stale"))} aria-live="polite" aria-busy={stale.to_string()}>
            <div class={classes!("outcome", tone)} data-test="preview-outcome">
                <span class="outcome-mark">{ icon(glyph) }</span>
                <div class="outcome-text"><span class="strong">{ title }</span>{ more }</div>
            </div>
            <RiskPanel risk={preview.risk.clone()} compact={props.compact} />
        </div>
    }
}

fn compact_stages(stages: &[daypass_protocol::api::StageView]) -> String {
    let each =
        stages.iter().map(|s| format!("{} ({})", words::stage_needs(s), words::people(&s.can_approve, 2)));
    each.collect::<Vec<_>>().join(", then ")
}
