use yew::prelude::*;
#[component]
pub fn History() -> Html { html!{} }
