//! What the learned part says about one request, in a form that can be stored and shown.

use serde::{Deserialize, Serialize};

/// The learned chance of approval, and where it comes from: `base` and the log-odds of the contributions add up to
/// `log_odds`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opinion {
    /// Names the model, so that the opinion can be recomputed.
    pub model: String,
    /// The chance that such a request is approved, calibrated.
    pub probability: f64,
    /// Log-odds of approval of the request.
    pub log_odds: f64,
    /// Log-odds of approval of the usual request.
    pub base: f64,
    pub contributions: Vec<Contribution>,
}

/// What one attribute, or a combination of two or three, adds to the log-odds of approval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    pub attributes: Vec<Attribute>,
    pub log_odds: f64,
    /// Past decisions with exactly these values, and how many of them were approvals.
    pub seen: u32,
    pub approved: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    pub name: String,
    pub value: String,
}

impl Opinion {
    /// How far below the usual request this one stands, 0 to 1. Three units of log-odds is as far as it counts.
    pub(crate) fn doubt(&self) -> f64 {
        let gap = (self.base - self.log_odds) / 3.0;
        if gap.is_finite() { gap.clamp(0.0, 1.0) } else { 0.0 }
    }
}
