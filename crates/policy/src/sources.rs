//! The texts that a policy is made of.

use std::collections::BTreeMap;

use daypass_domain::Digest;

/// The files of a policy folder, and the variables that its connectors may name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// People, groups, teams, resources, freezes.
    pub org: String,
    /// The Cedar schema that everything is checked against.
    pub schema: String,
    /// Who may ask for what.
    pub request: String,
    /// Who may decide.
    pub approve: String,
    /// What an allowed ask needs.
    pub obligations: String,
    /// Values for `${NAME}` in the connector settings of `org.toml`, and nowhere else: no decision depends on them.
    pub variables: BTreeMap<String, String>,
}

impl Sources {
    /// The files that a policy folder holds.
    pub const FILES: [&str; 5] = [ORG, SCHEMA, REQUEST, APPROVE, OBLIGATIONS];

    /// Reads every file of [`Self::FILES`] with `read`, which gets the file's name.
    pub fn read<E>(mut read: impl FnMut(&str) -> Result<String, E>) -> Result<Self, E> {
        Ok(Self {
            org: read(ORG)?,
            schema: read(SCHEMA)?,
            request: read(REQUEST)?,
            approve: read(APPROVE)?,
            obligations: read(OBLIGATIONS)?,
            variables: BTreeMap::new(),
        })
    }

    /// The sample organisation: a web shop.
    ///
    /// Its databases name the variables `SHOP_HOST` and `SHOP_PORT`; without them they cannot be opened, and
    /// everything else works.
    pub fn sample() -> Self {
        Self {
            org: include_str!("../sample/org.toml").to_owned(),
            schema: include_str!("../sample/schema.cedarschema").to_owned(),
            request: include_str!("../sample/request.cedar").to_owned(),
            approve: include_str!("../sample/approve.cedar").to_owned(),
            obligations: include_str!("../sample/obligations.cedar").to_owned(),
            variables: BTreeMap::new(),
        }
    }

    /// Adds a value for `${NAME}`.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// Names exactly this policy; the variables do not count, as no decision depends on them.
    pub fn digest(&self) -> Digest {
        let mut all = Vec::new();
        for (name, text) in
            Self::FILES.iter().zip([&self.org, &self.schema, &self.request, &self.approve, &self.obligations])
        {
            // The length in front keeps text from moving between files unseen.
            all.extend_from_slice(format!("{name} {}\n", text.len()).as_bytes());
            all.extend_from_slice(text.as_bytes());
        }
        Digest::of_bytes(&all)
    }
}

pub(crate) const ORG: &str = "org.toml";
pub(crate) const SCHEMA: &str = "schema.cedarschema";
pub(crate) const REQUEST: &str = "request.cedar";
pub(crate) const APPROVE: &str = "approve.cedar";
pub(crate) const OBLIGATIONS: &str = "obligations.cedar";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_sees_every_file_and_no_variable() {
        let sample = Sources::sample();
        assert_eq!(sample.digest(), sample.clone().with("SHOP_HOST", "127.0.0.1").digest());
        let changes: [fn(&mut Sources) -> &mut String; 5] = [
            |s| &mut s.org,
            |s| &mut s.schema,
            |s| &mut s.request,
            |s| &mut s.approve,
            |s| &mut s.obligations,
        ];
        let mut seen = std::collections::BTreeSet::from([sample.digest()]);
        for change in changes {
            let mut other = sample.clone();
            change(&mut other).push('\n');
            assert!(seen.insert(other.digest()));
        }
    }
}
