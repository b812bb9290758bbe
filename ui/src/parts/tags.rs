//! Short facts in a coloured frame; the colour never says more than the text.

use daypass_domain::{Environment, Sensitivity};
use yew::prelude::*;

use crate::words;

#[derive(Properties, PartialEq)]
pub struct TagProps {
    /// `good`, `warn`, `high`, `bad`, `accent`, `quiet`.
    #[prop_or("quiet")]
    pub tone: &'static str,
    #[prop_or_default]
    pub dot: bool,
    #[prop_or_default]
    pub title: Option<AttrValue>,
    pub children: Html,
}

#[component]
pub fn Tag(props: &TagProps) -> Html {
    html! {
        <span class={classes!("tag", props.tone)} title={props.title.clone()}>
            if props.dot { <span class="dot" aria-hidden="true" /> }
            { props.children.clone() }
        </span>
    }
}

#[derive(Properties, PartialEq)]
pub struct EnvironmentProps {
    pub of: Environment,
}

#[component]
pub fn EnvironmentTag(props: &EnvironmentProps) -> Html {
    let tone = if props.of == Environment::Prod { "accent" } else { "quiet" };
    html! { <Tag {tone} title="Environment">{ words::environment(props.of) }</Tag> }
}

#[derive(Properties, PartialEq)]
pub struct SensitivityProps {
    pub of: Sensitivity,
    /// Says "sensitivity" beside the word, where no column or neighbour does.
    #[prop_or_default]
    pub long: bool,
}

#[component]
pub fn SensitivityTag(props: &SensitivityProps) -> Html {
    let tone = match props.of {
        Sensitivity::Low => "good",
        Sensitivity::Moderate => "warn",
        Sensitivity::High => "high",
        Sensitivity::Critical => "bad",
    };
    html! {
        <Tag {tone} dot=true title="Sensitivity">
            { words::sensitivity(props.of) }
            if props.long { { " sensitivity" } }
        </Tag>
    }
}
