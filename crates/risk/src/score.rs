//! The score: factors added up, and what would lower it.

mod factors;
mod lower;
mod words;

use serde::{Deserialize, Serialize};

use crate::history::History;
use crate::inputs::Inputs;
use crate::opinion::Opinion;
use crate::weights::Weights;
use daypass_domain::AccessLevel;

/// How risky a request is, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// 0 to 100: the points of the factors, capped.
    pub points: u8,
    pub band: Band,
    /// Every factor, also those without points, in a fixed order.
    pub factors: Vec<Factor>,
    /// What the requester could change, the most effective first.
    pub lower: Vec<Counterfactual>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    Low,
    Moderate,
    High,
    Critical,
}

/// One named part of the score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    pub id: FactorId,
    pub label: String,
    pub points: u8,
    /// The most this factor can give; for a part of what was learned, the most that all of it can give.
    pub max: u8,
    /// For the requester: "you usually make one a day".
    pub sentence: String,
    /// For everybody else: "they usually make one a day".
    pub about: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorId {
    Sensitivity,
    Level,
    Environment,
    Duration,
    HabitHours,
    OwnerHours,
    FirstTime,
    Peers,
    Burst,
    Breadth,
    Denials,
    Guardrails,
    Flags,
    Freeze,
    Incident,
    Reason,
    Ticket,
    Device,
    Network,
    Learned,
}

/// A change of the request that lowers its score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counterfactual {
    pub change: Change,
    pub points_after: u8,
    /// "Read instead of write: 61 → 34".
    pub sentence: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Level(AccessLevel),
    /// Ask for this many minutes.
    Minutes(u32),
    /// Ask for one entitlement at a time.
    OneEntitlement,
    AddTicket,
    BetterReason,
    /// Start within the owner's hours.
    OwnerHours,
    /// Wait until the burst has passed, this many minutes.
    Wait(u32),
    AfterFreeze,
}

/// Scores a request. The same arguments always give the same score.
pub fn score(inputs: &Inputs, history: &History, weights: &Weights, opinion: Option<&Opinion>) -> Score {
    let factors = factors::all(inputs, history, weights, opinion);
    let points = total(&factors);
    let lower = lower::all(points, inputs, history, weights, opinion);
    Score { points, band: weights.band(points), factors, lower }
}

impl Score {
    /// The factors that gave points, the largest first.
    pub fn telling(&self) -> Vec<&Factor> {
        let mut telling: Vec<&Factor> = self.factors.iter().filter(|factor| factor.points > 0).collect();
        telling.sort_by_key(|factor| std::cmp::Reverse(factor.points));
        telling
    }
}

fn total(factors: &[Factor]) -> u8 {
    factors.iter().fold(0u8, |sum, factor| sum.saturating_add(factor.points)).min(100)
}

impl std::fmt::Display for Band {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Low => "low",
            Self::Moderate => "moderate",
            Self::High => "high",
            Self::Critical => "critical",
        })
    }
}
