//! The risk score and its explanation.

use daypass_protocol::api::{RiskBand, RiskView};
use yew::prelude::*;

use super::{Tag, glyph, icon};
use crate::words;

fn tone(band: RiskBand) -> &'static str {
    match band {
        RiskBand::Low => "good",
        RiskBand::Moderate => "warn",
        RiskBand::High => "high",
        RiskBand::Critical => "bad",
    }
}

#[derive(Properties, PartialEq)]
pub struct BadgeProps {
    pub points: u8,
    pub band: RiskBand,
}

/// The score alone, for lists.
#[component]
pub fn RiskBadge(props: &BadgeProps) -> Html {
    let title = format!("Risk {} of 100: {}", props.points, words::band(props.band).to_lowercase());
    html! {
        <span class={classes!("risk-badge", tone(props.band))} title={title.clone()} role="img" aria-label={title}>
            { props.points }
        </span>
    }
}

#[derive(Properties, PartialEq)]
pub struct PanelProps {
    pub risk: RiskView,
    /// Bars without their sentences, for small windows.
    #[prop_or_default]
    pub compact: bool,
}

/// The score, each factor as a bar with its sentence, and what would lower it.
#[component]
pub fn RiskPanel(props: &PanelProps) -> Html {
    let risk = &props.risk;
    let longest = risk.factors.iter().map(|f| f.max.max(f.points)).max().unwrap_or(1).max(1);
    let bar_tone =
        |points: u8, max: u8| match (u32::from(points) * 100).checked_div(u32::from(max)).unwrap_or(100) {
            0..34 => "good",
            34..67 => "warn",
            _ => "high",
        };
    let most = if props.compact { 2 } else { usize::MAX };
    let counting = risk.factors.iter().filter(|f| f.points > 0);
    let factors = counting.clone().take(most).map(|factor| {
        html! {
            <li key={factor.id.clone()} class={bar_tone(factor.points, factor.max)}>
                <span class="factor-label">{ &factor.label }</span>
                <progress value={factor.points.to_string()} max={longest.to_string()}
                    aria-label={format!("{}: {} points", factor.label, factor.points)} />
                <span class="factor-points num">{ format!("+{}", factor.points) }</span>
                if !props.compact { <span class="factor-sentence sub">{ &factor.sentence }</span> }
            </li>
        }
    });
    let silent: Vec<String> =
        risk.factors.iter().filter(|f| f.points == 0).map(|f| f.label.to_lowercase()).collect();
    let silent: Vec<&str> = silent.iter().map(String::as_str).collect();
    html! {
        <section class={classes!("risk", props.compact.then_some("compact"))} aria-label="Risk">
            <div class="risk-head">
                <span class="risk-points num" data-test="risk-points">{ risk.points }</span>
                <span class="sub">{ "risk of 100" }</span>
                <span class="end"><Tag tone={tone(risk.band)} dot=true>{ words::band(risk.band) }</Tag></span>
            </div>
            <ul class="factors">{ for factors }</ul>
            if !props.compact && !silent.is_empty() {
                <p class="sub">{ format!("Nothing added by {}.", words::listed(&silent, 12)) }</p>
            }
            if !risk.lower.is_empty() {
                <div class="lower">
                    { icon(glyph::LOWER) }
                    <ul>
                        { for risk.lower.iter().take(if props.compact { 1 } else { 3 }).map(|l| html! {
                            <li><span>{ first_upper(&l.change) }</span>
                                <span class="num strong">{ format!("{} → {}", risk.points, l.points_after) }</span></li>
                        }) }
                    </ul>
                </div>
            }
        </section>
    }
}

fn first_upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
