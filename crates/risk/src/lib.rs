//! The risk score of a request and its explanation.
//!
//! [`score`] is a pure function of the request ([`Inputs`]), a summary of what happened before ([`History`], kept
//! by [`HistoryIndex`]), the [`Weights`] of a file, and optionally the [`Opinion`] learned from the organisation's
//! own decisions. The same values give the same [`Score`], today and when an auditor asks again: time, hours and
//! counts are parameters.
//!
//! A worse input never lowers the score; `tests/risk/monotone.rs` holds that for every factor.

pub mod cli;
mod history;
mod inputs;
pub mod metrics;
pub mod model;
mod opinion;
mod reason;
mod score;
pub mod synthetic;
mod weights;

pub use daypass_domain::{AccessLevel, Environment, Sensitivity};
pub use history::{History, HistoryIndex, Observed, Question, Step};
pub use inputs::{HourOfWeek, Hours, Inputs};
pub use opinion::{Attribute, Contribution, Opinion};
pub use reason::{Quality, Reason};
pub use score::{Band, Change, Counterfactual, Factor, FactorId, Score, score};
pub use weights::{WeightError, Weights};
