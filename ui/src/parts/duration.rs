//! How long: a slider, steps that people usually want, and the limit.

use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::words;

/// The usual lengths, in seconds.
pub const PRESETS: [u32; 6] = [15 * 60, 30 * 60, 3600, 2 * 3600, 4 * 3600, 8 * 3600];

/// The slider moves by this.
const STEP: u32 = 5 * 60;

#[derive(Properties, PartialEq)]
pub struct DurationProps {
    pub value: u32,
    /// The longest allowed; the slider ends there.
    pub longest: u32,
    pub onchange: Callback<u32>,
    #[prop_or("duration")]
    pub test: &'static str,
    #[prop_or(true)]
    pub slider: bool,
}

#[component]
pub fn DurationPicker(props: &DurationProps) -> Html {
    let longest = props.longest.max(1);
    // A limit under a step still has to be reachable.
    let step = STEP.min(longest);
    let oninput = {
        let onchange = props.onchange.clone();
        Callback::from(move |e: InputEvent| {
            let value = e.target_dyn_into::<HtmlInputElement>().and_then(|i| i.value().parse::<u32>().ok());
            if let Some(value) = value {
                onchange.emit(value.clamp(step, longest));
            }
        })
    };
    let mut presets: Vec<u32> = PRESETS.into_iter().filter(|p| *p <= longest).collect();
    if presets.is_empty() || props.slider && presets.len() < 6 && !presets.contains(&longest) {
        presets.push(longest);
    }
    let preset = |&seconds: &u32| {
        let on = seconds == props.value;
        let onclick = {
            let onchange = props.onchange.clone();
            Callback::from(move |_: MouseEvent| onchange.emit(seconds))
        };
        html! {
            <button type="button" class={classes!("chip", on.then_some("on"))} aria-pressed={on.to_string()} {onclick}
                data-test={format!("{}-{seconds}", props.test)}>{ words::duration(seconds) }</button>
        }
    };
    html! {
        <div class="duration">
            if props.slider && longest > step {
                <input type="range" min={step.to_string()} max={longest.to_string()} step={step.to_string()}
                    value={props.value.to_string()} {oninput} aria-label="Duration"
                    aria-valuetext={words::duration(props.value)} data-test={format!("{}-range", props.test)} />
            }
            <div class="chips">{ for presets.iter().map(preset) }</div>
        </div>
    }
}
