//! Typed ids, one kind each, so that a grant's id cannot be passed where a request's is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(s).map(Self)
            }
        }
    };
}

uuid_id!(
    /// One request. The client chooses it, so that sending the same request twice is seen.
    RequestId
);
uuid_id!(
    /// One grant.
    GrantId
);
uuid_id!(
    /// One installation of the desktop application, for one person.
    DeviceId
);

/// A name is not a slug: 1 to 64 of `a-z`, `0-9`, `-`, `_`, `.`, beginning with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a name of 1 to 64 lower-case letters, digits, '-', '_' or '.'")]
pub struct BadSlug(String);

fn check_slug(s: &str) -> Result<(), BadSlug> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    let first = s.chars().next().is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if first && s.len() <= 64 && s.chars().all(good) {
        Ok(())
    } else {
        Err(BadSlug(s.chars().take(80).collect()))
    }
}

macro_rules! slug_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn new(s: impl Into<String>) -> Result<Self, BadSlug> {
                let s = s.into();
                check_slug(&s)?;
                Ok(Self(s))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadSlug;

            fn try_from(s: String) -> Result<Self, BadSlug> {
                Self::new(s)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = BadSlug;

            fn from_str(s: &str) -> Result<Self, BadSlug> {
                Self::new(s)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

slug_id!(
    /// One person, as the organisation's file names them.
    UserId
);
slug_id!(
    /// One resource, as the organisation's file names it.
    ResourceId
);
slug_id!(
    /// One group of people, as the organisation's file names it.
    GroupId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_checked_wherever_they_come_from() {
        for good in ["maya", "billing-db.eu_1", "0a"] {
            assert!(UserId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "Maya", "a b", "-x", "é", "a/b", "a\0"] {
            assert!(UserId::new(bad).is_err(), "{bad}");
            assert!(serde_json::from_value::<ResourceId>(serde_json::json!(bad)).is_err(), "{bad}");
        }
        assert!(GroupId::new("x".repeat(64)).is_ok());
        assert!(GroupId::new("x".repeat(65)).is_err());
    }
}
