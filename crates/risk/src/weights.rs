//! The weights of the factors, read from a file.

use serde::{Deserialize, Serialize};

use crate::score::Band;
use daypass_domain::{AccessLevel, Environment, Sensitivity};

/// How many points each factor can give. [`Weights::default`] is the file `weights.toml` beside this crate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    pub bands: Bands,
    pub sensitivity: SensitivityPoints,
    pub level: LevelPoints,
    pub environment: EnvironmentPoints,
    pub unusual: Unusual,
    pub learned: Learned,
}

/// The points at which a band begins; below `moderate` is low.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bands {
    pub moderate: u8,
    pub high: u8,
    pub critical: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SensitivityPoints {
    pub low: u8,
    pub moderate: u8,
    pub high: u8,
    pub critical: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelPoints {
    pub read: u8,
    pub write: u8,
    pub admin: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentPoints {
    pub dev: u8,
    pub staging: u8,
    pub prod: u8,
}

/// The most points of each factor that measures how unusual a request is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unusual {
    /// The share of these points that counts where nothing is at stake, 0 to 1.
    pub floor: f64,
    pub duration: u8,
    pub habit_hours: u8,
    pub owner_hours: u8,
    pub first_time: u8,
    pub peers: u8,
    pub burst: u8,
    pub breadth: u8,
    pub denials: u8,
    pub guardrails: u8,
    pub flags: u8,
    pub freeze: u8,
    pub incident: u8,
    pub reason: u8,
    pub ticket: u8,
    pub device: u8,
    pub network: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learned {
    pub max: u8,
}

/// Why a weights file was refused.
#[derive(Debug, thiserror::Error)]
pub enum WeightError {
    #[error("the weights cannot be read: {0}")]
    Syntax(#[from] Box<toml::de::Error>),
    #[error("{0} must be between 0 and 100")]
    TooLarge(&'static str),
    #[error("the points of {0} must not fall from one step to the next")]
    Falling(&'static str),
    #[error("unusual.floor must be between 0 and 1")]
    Floor,
}

impl Weights {
    /// Reads and checks a weights file.
    ///
    /// # Errors
    /// The text is no TOML, misses or misnames a weight, or holds a weight that would break the score.
    pub fn from_toml(text: &str) -> Result<Self, WeightError> {
        let weights: Self = toml::from_str(text).map_err(Box::new)?;
        weights.validate()?;
        Ok(weights)
    }

    /// Checks that a worse request cannot score lower under these weights.
    ///
    /// # Errors
    /// A weight is out of range, or a ladder falls.
    pub fn validate(&self) -> Result<(), WeightError> {
        let (bands, sensitivity, level) = (&self.bands, &self.sensitivity, &self.level);
        let ladders = [
            ("bands", vec![bands.moderate, bands.high, bands.critical]),
            (
                "sensitivity",
                vec![sensitivity.low, sensitivity.moderate, sensitivity.high, sensitivity.critical],
            ),
            ("level", vec![level.read, level.write, level.admin]),
            ("environment", vec![self.environment.dev, self.environment.staging, self.environment.prod]),
        ];
        for (name, ladder) in ladders {
            if !ladder.is_sorted() {
                return Err(WeightError::Falling(name));
            }
            if ladder.iter().any(|&points| points > 100) {
                return Err(WeightError::TooLarge(name));
            }
        }
        let unusual = &self.unusual;
        for (name, points) in [
            ("unusual.duration", unusual.duration),
            ("unusual.habit_hours", unusual.habit_hours),
            ("unusual.owner_hours", unusual.owner_hours),
            ("unusual.first_time", unusual.first_time),
            ("unusual.peers", unusual.peers),
            ("unusual.burst", unusual.burst),
            ("unusual.breadth", unusual.breadth),
            ("unusual.denials", unusual.denials),
            ("unusual.guardrails", unusual.guardrails),
            ("unusual.flags", unusual.flags),
            ("unusual.freeze", unusual.freeze),
            ("unusual.incident", unusual.incident),
            ("unusual.reason", unusual.reason),
            ("unusual.ticket", unusual.ticket),
            ("unusual.device", unusual.device),
            ("unusual.network", unusual.network),
            ("learned.max", self.learned.max),
        ] {
            if points > 100 {
                return Err(WeightError::TooLarge(name));
            }
        }
        if !(0.0..=1.0).contains(&unusual.floor) {
            return Err(WeightError::Floor);
        }
        Ok(())
    }

    pub fn band(&self, points: u8) -> Band {
        match points {
            points if points >= self.bands.critical => Band::Critical,
            points if points >= self.bands.high => Band::High,
            points if points >= self.bands.moderate => Band::Moderate,
            _ => Band::Low,
        }
    }

    pub(crate) fn sensitivity(&self, sensitivity: Sensitivity) -> u8 {
        match sensitivity {
            Sensitivity::Low => self.sensitivity.low,
            Sensitivity::Moderate => self.sensitivity.moderate,
            Sensitivity::High => self.sensitivity.high,
            Sensitivity::Critical => self.sensitivity.critical,
        }
    }

    pub(crate) fn level(&self, level: AccessLevel) -> u8 {
        match level {
            AccessLevel::Read => self.level.read,
            AccessLevel::Write => self.level.write,
            AccessLevel::Admin => self.level.admin,
        }
    }

    pub(crate) fn environment(&self, environment: Environment) -> u8 {
        match environment {
            Environment::Dev => self.environment.dev,
            Environment::Staging => self.environment.staging,
            Environment::Prod => self.environment.prod,
        }
    }
}

impl Default for Weights {
    #[expect(clippy::expect_used, reason = "the file is part of the program; a test reads it")]
    fn default() -> Self {
        Self::from_toml(include_str!("../weights.toml")).expect("the embedded weights are valid")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_weights_are_valid() {
        assert_eq!(Weights::default().band(24), Band::Low);
        assert_eq!(Weights::default().band(75), Band::Critical);
    }

    #[test]
    fn weights_that_would_break_the_score_are_refused() {
        let text = include_str!("../weights.toml");
        for (from, to, message) in [
            ("duration = 14", "duration = -1", "cannot be read"),
            ("duration = 14", "duration = 101", "unusual.duration must be between 0 and 100"),
            ("duration = 14", "", "missing field `duration`"),
            ("duration = 14", "duration = 14\nluck = 1", "unknown field `luck`"),
            ("write = 8", "write = 30", "the points of level must not fall"),
            ("floor = 0.35", "floor = 1.5", "unusual.floor"),
            ("floor = 0.35", "floor = nan", "unusual.floor"),
            ("moderate = 25", "moderate = 80", "the points of bands must not fall"),
        ] {
            let error = Weights::from_toml(&text.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(message), "{to}: {error}");
        }
    }
}
