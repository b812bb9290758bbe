//! Buttons and form controls: native elements with one look.

use icondata_core::Icon;
use web_sys::{HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};
use yew::prelude::*;

use super::{glyph, icon};

/// How much a button asks to be pressed.
#[derive(Clone, Copy, Default, PartialEq)]
pub enum Weight {
    /// The one thing to do here.
    Primary,
    #[default]
    Plain,
    /// Text alone, until it is pointed at.
    Quiet,
    /// Takes something away.
    Danger,
}

#[derive(Properties, PartialEq)]
pub struct ButtonProps {
    #[prop_or_default]
    pub weight: Weight,
    #[prop_or_default]
    pub icon: Option<Icon>,
    pub onclick: Callback<MouseEvent>,
    #[prop_or_default]
    pub disabled: bool,
    /// Something is under way because of this button.
    #[prop_or_default]
    pub busy: bool,
    #[prop_or_default]
    pub title: Option<AttrValue>,
    /// What it is called, when it shows an icon alone.
    #[prop_or_default]
    pub label: Option<AttrValue>,
    #[prop_or_default]
    pub pressed: Option<bool>,
    #[prop_or_default]
    pub test: Option<AttrValue>,
    #[prop_or_default]
    pub class: Classes,
    #[prop_or_default]
    pub node: NodeRef,
    #[prop_or_default]
    pub children: Html,
}

#[component]
pub fn Button(props: &ButtonProps) -> Html {
    let weight = match props.weight {
        Weight::Primary => "primary",
        Weight::Plain => "plain",
        Weight::Quiet => "quiet",
        Weight::Danger => "danger",
    };
    let bare = (props.children == Html::default()).then_some("bare");
    let title = props.title.clone().or_else(|| props.label.clone());
    html! {
        <button type="button" ref={props.node.clone()} class={classes!("button", weight, bare, props.class.clone())}
            onclick={props.onclick.clone()} disabled={props.disabled || props.busy} {title}
            aria-label={props.label.clone()} aria-busy={props.busy.then_some("true")}
            aria-pressed={props.pressed.map(|on| on.to_string())} data-test={props.test.clone()}>
            if props.busy { <span class="spinner" aria-hidden="true" /> }
            else if let Some(of) = props.icon { { icon(of) } }
            { props.children.clone() }
        </button>
    }
}

#[derive(Properties, PartialEq)]
pub struct FieldProps {
    pub label: AttrValue,
    /// The id of the control inside.
    #[prop_or_default]
    pub id: Option<AttrValue>,
    #[prop_or_default]
    pub required: bool,
    /// The label stands before the control instead of above it.
    #[prop_or_default]
    pub inline: bool,
    /// Beside the label, at the end of the line.
    #[prop_or_default]
    pub aside: Html,
    #[prop_or_default]
    pub hint: Option<AttrValue>,
    #[prop_or_default]
    pub problem: Option<AttrValue>,
    /// The field's name, for the problem's `data-test`.
    #[prop_or_default]
    pub name: AttrValue,
    pub children: Html,
}

/// A label, a control, and what is wrong with it.
#[component]
pub fn Field(props: &FieldProps) -> Html {
    let label = html! {
        <>
            { &props.label }
            if props.required { <span class="required" title="Required">{ " *" }</span> }
        </>
    };
    html! {
        <div class={classes!("field", props.inline.then_some("inline"), props.problem.is_some().then_some("wrong"))}>
            <div class="field-head">
                if let Some(id) = &props.id { <label for={id.clone()}>{ label }</label> }
                else { <span class="label">{ label }</span> }
                <span class="aside">{ props.aside.clone() }</span>
            </div>
            { props.children.clone() }
            if let Some(problem) = &props.problem {
                <p class="problem" role="alert" data-test={format!("problem-{}", props.name)}>
                    { icon(glyph::WARNING) }{ problem }
                </p>
            } else if let Some(hint) = &props.hint {
                <p class="hint">{ hint }</p>
            }
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub struct SelectProps {
    pub value: AttrValue,
    pub onchange: Callback<String>,
    pub label: AttrValue,
    #[prop_or_default]
    pub test: Option<AttrValue>,
    pub children: Html,
}

/// The native select in our clothes.
#[component]
pub fn Select(props: &SelectProps) -> Html {
    let onchange = {
        let onchange = props.onchange.clone();
        Callback::from(move |e: Event| {
            if let Some(select) = e.target_dyn_into::<HtmlSelectElement>() {
                onchange.emit(select.value());
            }
        })
    };
    html! {
        <span class="select">
            <select {onchange} aria-label={props.label.clone()} data-test={props.test.clone()}>
                { props.children.clone() }
            </select>
            { icon(glyph::DOWN) }
        </span>
    }
}

/// One choice of a [`Select`].
pub fn option(value: &str, chosen: &str, text: impl Into<AttrValue>) -> Html {
    html! { <option value={value.to_string()} selected={value == chosen}>{ text.into() }</option> }
}

#[derive(Properties, PartialEq)]
pub struct SegmentedProps {
    pub label: AttrValue,
    /// Value, text, and the `data-test` of each.
    pub options: Vec<(AttrValue, AttrValue, AttrValue)>,
    pub value: AttrValue,
    pub onchange: Callback<AttrValue>,
    #[prop_or_default]
    pub disabled: Vec<AttrValue>,
}

/// Exclusive choices side by side; the arrow keys move, as between radio buttons.
#[component]
pub fn Segmented(props: &SegmentedProps) -> Html {
    let onkeydown = {
        let (options, value) = (props.options.clone(), props.value.clone());
        let (disabled, onchange) = (props.disabled.clone(), props.onchange.clone());
        Callback::from(move |e: KeyboardEvent| {
            let step: isize = match e.key().as_str() {
                "ArrowRight" | "ArrowDown" => 1,
                "ArrowLeft" | "ArrowUp" => -1,
                _ => return,
            };
            e.prevent_default();
            let open: Vec<_> = options.iter().filter(|(v, ..)| !disabled.contains(v)).collect();
            let here = open.iter().position(|(v, ..)| *v == value).unwrap_or(0);
            let there = here.saturating_add_signed(step).min(open.len().saturating_sub(1));
            if let Some((value, _, test)) = open.get(there) {
                onchange.emit(value.clone());
                super::table::focus(&format!("[data-test=\"{test}\"]"));
            }
        })
    };
    let choice = |(value, text, test): &(AttrValue, AttrValue, AttrValue)| {
        let on = *value == props.value;
        let onclick = {
            let (onchange, value) = (props.onchange.clone(), value.clone());
            Callback::from(move |_: MouseEvent| onchange.emit(value.clone()))
        };
        html! {
            <button type="button" role="radio" class={classes!(on.then_some("on"))} aria-checked={on.to_string()}
                tabindex={if on { "0" } else { "-1" }} {onclick} disabled={props.disabled.contains(value)}
                data-test={test.clone()}>{ text }</button>
        }
    };
    html! {
        <div class="segmented" role="radiogroup" aria-label={props.label.clone()} {onkeydown}>
            { for props.options.iter().map(choice) }
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub struct TextProps {
    pub id: AttrValue,
    pub value: AttrValue,
    pub oninput: Callback<String>,
    #[prop_or_default]
    pub onblur: Callback<FocusEvent>,
    #[prop_or_default]
    pub onkeydown: Callback<KeyboardEvent>,
    #[prop_or_default]
    pub placeholder: AttrValue,
    #[prop_or_default]
    pub wrong: bool,
    #[prop_or_default]
    pub test: Option<AttrValue>,
    #[prop_or_default]
    pub node: NodeRef,
    #[prop_or(3)]
    pub rows: u8,
    #[prop_or(2000)]
    pub longest: u16,
}

#[component]
pub fn TextArea(props: &TextProps) -> Html {
    let oninput = {
        let oninput = props.oninput.clone();
        Callback::from(move |e: InputEvent| {
            if let Some(area) = e.target_dyn_into::<HtmlTextAreaElement>() {
                oninput.emit(area.value());
            }
        })
    };
    html! {
        <textarea id={props.id.clone()} ref={props.node.clone()} rows={props.rows.to_string()} {oninput}
            value={props.value.clone()} placeholder={props.placeholder.clone()} maxlength={props.longest.to_string()}
            onblur={props.onblur.clone()} onkeydown={props.onkeydown.clone()}
            aria-invalid={props.wrong.then_some("true")} data-test={props.test.clone()} />
    }
}

#[component]
pub fn TextInput(props: &TextProps) -> Html {
    let oninput = {
        let oninput = props.oninput.clone();
        Callback::from(move |e: InputEvent| {
            if let Some(input) = e.target_dyn_into::<HtmlInputElement>() {
                oninput.emit(input.value());
            }
        })
    };
    html! {
        <input id={props.id.clone()} ref={props.node.clone()} type="text" class="text" {oninput}
            value={props.value.clone()} placeholder={props.placeholder.clone()} autocomplete="off" spellcheck="false"
            maxlength={props.longest.to_string()} onblur={props.onblur.clone()} onkeydown={props.onkeydown.clone()}
            aria-invalid={props.wrong.then_some("true")} data-test={props.test.clone()} />
    }
}

#[derive(Properties, PartialEq)]
pub struct CheckProps {
    pub on: bool,
    pub onchange: Callback<bool>,
    pub label: AttrValue,
    #[prop_or_default]
    pub hint: Option<AttrValue>,
    #[prop_or_default]
    pub test: Option<AttrValue>,
}

/// A switch with its label and a line of explanation.
#[component]
pub fn Check(props: &CheckProps) -> Html {
    let onchange = {
        let onchange = props.onchange.clone();
        Callback::from(move |e: Event| {
            if let Some(input) = e.target_dyn_into::<HtmlInputElement>() {
                onchange.emit(input.checked());
            }
        })
    };
    html! {
        <label class="check">
            <span class="check-text">
                <span class="strong">{ &props.label }</span>
                if let Some(hint) = &props.hint { <span class="sub">{ hint }</span> }
            </span>
            <input type="checkbox" role="switch" checked={props.on} {onchange} data-test={props.test.clone()} />
        </label>
    }
}
