//! Where a resource is, and where the secret of its administrator is kept.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

/// A PostgreSQL database that grants are opened on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Postgres {
    pub host: String,
    pub port: u16,
    pub database: String,
    pub admin: SecretRef,
}

/// Where the connector finds what it signs in with itself; never the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// An environment variable of the server: `env:NAME`.
    Env(String),
    /// A file beside the server: `file:PATH`.
    File(String),
}

impl SecretRef {
    fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Some(Self::Env(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Some(Self::File(path.to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{path}"),
        }
    }
}

/// `[resource.postgres]` as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PostgresFile {
    host: String,
    port: PortFile,
    database: String,
    admin: String,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum PortFile {
    Number(u16),
    Text(String),
}

pub(super) enum Filled {
    Postgres(Postgres),
    /// These variables have no value.
    Unset(Vec<String>),
}

impl PostgresFile {
    pub(super) fn fill(&self, variables: &BTreeMap<String, String>) -> Result<Filled, String> {
        let mut unset = Vec::new();
        let host = substitute(&self.host, variables, &mut unset)?;
        let port = match &self.port {
            PortFile::Number(n) => n.to_string(),
            PortFile::Text(text) => substitute(text, variables, &mut unset)?,
        };
        let database = substitute(&self.database, variables, &mut unset)?;
        let admin = substitute(&self.admin, variables, &mut unset)?;
        if !unset.is_empty() {
            unset.sort();
            unset.dedup();
            return Ok(Filled::Unset(unset));
        }
        if host.trim().is_empty() || database.trim().is_empty() {
            return Err("host and database must not be empty".to_owned());
        }
        let port = port.parse().ok().filter(|p| *p > 0);
        let port = port.ok_or("the port is not a number from 1 to 65535")?;
        // The value is not repeated: it may be a secret that someone wrote here by mistake.
        let admin = SecretRef::parse(&admin)
            .ok_or("admin must say where the secret is, as env:NAME or file:PATH, and never be the secret")?;
        Ok(Filled::Postgres(Postgres { host, port, database, admin }))
    }
}

/// Replaces every `${NAME}`; names without a value go to `unset`.
fn substitute(
    text: &str,
    variables: &BTreeMap<String, String>,
    unset: &mut Vec<String>,
) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) =
            after.split_once('}').ok_or_else(|| format!("\"{text}\" opens ${{ and never closes it"))?;
        out.push_str(before);
        match variables.get(name) {
            Some(value) => out.push_str(value),
            None => unset.push(name.to_owned()),
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}
