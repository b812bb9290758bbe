//! People, and the stages in which they approve.

use daypass_protocol::api::{Person as PersonView, StageState, StageView};
use yew::prelude::*;

use super::{glyph, icon};
use crate::words;

#[derive(Properties, PartialEq)]
pub struct PersonProps {
    pub of: PersonView,
    #[prop_or_default]
    pub large: bool,
}

/// A portrait of letters, a name and a team.
#[component]
pub fn Person(props: &PersonProps) -> Html {
    html! {
        <span class={classes!("person", props.large.then_some("large"))}>
            <span class="portrait" aria-hidden="true">{ words::initials(&props.of.name) }</span>
            <span class="person-text">
                <span class="strong">{ &props.of.name }</span>
                <span class="sub">{ &props.of.team }</span>
            </span>
        </span>
    }
}

#[derive(Properties, PartialEq)]
pub struct StagesProps {
    pub stages: Vec<StageView>,
}

/// Who has approved and who can, stage by stage.
#[component]
pub fn Stages(props: &StagesProps) -> Html {
    let row = |stage: &StageView| {
        let (class, glyph, word) = match stage.state {
            StageState::Done => ("done", glyph::CHECK, "approved"),
            StageState::Current => ("now", glyph::WAITING, "waiting"),
            StageState::Later => ("later", glyph::CLOCK, "later"),
        };
        html! {
            <li class={class}>
                <span class="stage-mark" title={word}>{ icon(glyph) }</span>
                <span class="stage-text">
                    <span class="strong">{ words::stage_needs(stage) }</span>
                    if !stage.approved.is_empty() {
                        <span class="sub good-text">{ format!("Approved by {}", words::people(&stage.approved, 3)) }</span>
                    }
                    if stage.state != StageState::Done {
                        if stage.can_approve.is_empty() {
                            <span class="sub bad-text">{ "Nobody can approve this now" }</span>
                        } else {
                            <span class="sub" title={words::people(&stage.can_approve, usize::MAX)}>
                                { format!("Can approve: {}", words::people(&stage.can_approve, 3)) }
                            </span>
                        }
                    }
                </span>
            </li>
        }
    };
    html! { <ol class="stages">{ for props.stages.iter().map(row) }</ol> }
}
