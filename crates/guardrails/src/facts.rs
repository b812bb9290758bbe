//! What a text does, as data.

use std::collections::BTreeSet;

use serde::Serialize;

/// What a statement is, in broad terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Read,
    /// Takes row locks.
    Lock,
    Write,
    /// Writes only to temporary tables.
    Temporary,
    Ddl,
    Privilege,
    Setting,
    FileOrProgram,
    OtherConnections,
    Maintenance,
    Transaction,
    Unknown,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Kind::Read => "read",
            Kind::Lock => "lock",
            Kind::Write => "write",
            Kind::Temporary => "temporary",
            Kind::Ddl => "ddl",
            Kind::Privilege => "privilege",
            Kind::Setting => "setting",
            Kind::FileOrProgram => "file-or-program",
            Kind::OtherConnections => "other-connections",
            Kind::Maintenance => "maintenance",
            Kind::Transaction => "transaction",
            Kind::Unknown => "unknown",
        }
    }
}

/// Something in a text that a policy may want to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hazard {
    /// A write that no condition bounds.
    UnboundedWrite,
    Drop,
    Truncate,
    /// DDL that rewrites a table, drops a column or takes data out of sight.
    Rewrite,
    Privilege,
    Role,
    Ownership,
    RowSecurity,
    Trigger,
    Rule,
    ProtectiveSetting,
    ServerFile,
    Program,
    LoadCode,
    OtherSession,
    OtherConnection,
    Replication,
    /// Acts on the whole server or database.
    ServerControl,
    CatalogWrite,
    UnknownFunction,
    /// SQL that is put together while it runs.
    DynamicSql,
    UnknownStatement,
    ExclusiveLock,
}

impl Hazard {
    pub fn word(self) -> &'static str {
        match self {
            Hazard::UnboundedWrite => "unbounded-write",
            Hazard::Drop => "drop",
            Hazard::Truncate => "truncate",
            Hazard::Rewrite => "rewrite",
            Hazard::Privilege => "privilege",
            Hazard::Role => "role",
            Hazard::Ownership => "ownership",
            Hazard::RowSecurity => "row-security",
            Hazard::Trigger => "trigger",
            Hazard::Rule => "rule",
            Hazard::ProtectiveSetting => "protective-setting",
            Hazard::ServerFile => "server-file",
            Hazard::Program => "program",
            Hazard::LoadCode => "load-code",
            Hazard::OtherSession => "other-session",
            Hazard::OtherConnection => "other-connection",
            Hazard::Replication => "replication",
            Hazard::ServerControl => "server-control",
            Hazard::CatalogWrite => "catalog-write",
            Hazard::UnknownFunction => "unknown-function",
            Hazard::DynamicSql => "dynamic-sql",
            Hazard::UnknownStatement => "unknown-statement",
            Hazard::ExclusiveLock => "exclusive-lock",
        }
    }
}

/// How well a called function is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    Harmless,
    /// Writes, but nothing that a guard would stop.
    Writes,
    /// A function of the database whose body was read.
    Read,
    Dangerous,
    Unknown,
}

/// A called function.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Called {
    pub name: String,
    pub trust: Trust,
}

/// One hazard, where it stands, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub hazard: Hazard,
    /// Counted from 1 within the text.
    pub statement: usize,
    /// Byte position in the text.
    pub at: usize,
    /// Bytes.
    pub length: usize,
    /// What is at stake, such as a table.
    pub object: String,
    /// The way there, such as "in function purge".
    #[serde(skip_serializing_if = "String::is_empty")]
    pub within: String,
    pub why: String,
    pub instead: String,
}

/// The facts of one text.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Facts {
    pub statements: usize,
    pub kinds: BTreeSet<Kind>,
    pub verbs: BTreeSet<String>,
    pub tables_read: BTreeSet<String>,
    pub tables_written: BTreeSet<String>,
    pub functions: BTreeSet<Called>,
    pub settings: BTreeSet<String>,
    /// Some write reaches every row of its table.
    pub unbounded: bool,
    /// Whether a catalogue was at hand; without one, some facts are careful guesses.
    pub catalogue: bool,
    pub findings: Vec<Finding>,
}

impl Facts {
    pub fn hazards(&self) -> BTreeSet<Hazard> {
        self.findings.iter().map(|finding| finding.hazard).collect()
    }
}
