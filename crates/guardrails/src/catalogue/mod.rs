//! What is known of a database without asking it: tables, keys, views, functions, rules, triggers.
//!
//! Everything enters as DDL, parsed by PostgreSQL's own grammar: a schema file as `pg_dump --schema-only` writes it, the
//! lines that [`LIVE_QUERY`] yields on a live database, and the statements of a session themselves. One reader for all
//! three means that they cannot disagree.

mod ddl;
mod functions;
mod kinds;

use std::collections::HashMap;
use std::sync::Arc;

pub use ddl::{CatalogueError, LIVE_QUERY};
pub(crate) use ddl::{is_temporary, output_name};
pub(crate) use kinds::Kind;

use crate::tree::Node;

/// A snapshot of a database, or what a session has added to it.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// Changes whenever the content does; part of the key of cached verdicts.
    pub version: u64,
    pub(crate) relations: HashMap<Name, Arc<Relation>>,
    pub(crate) functions: HashMap<String, Vec<Arc<Function>>>,
    pub(crate) types: HashMap<String, Kind>,
    pub(crate) domains: HashMap<String, Arc<Domain>>,
    pub(crate) operators: HashMap<String, Vec<Operator>>,
    /// Columns that a session has added to a table, as long as they hold the same value in every row.
    pub(crate) added: HashMap<Name, Vec<Added>>,
    /// Statements of a schema file that were not understood.
    pub skipped: usize,
}

/// A schema and a name in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Name {
    pub schema: String,
    pub name: String,
}

impl Name {
    pub fn new(schema: &str, name: &str) -> Name {
        Name {
            schema: if schema.is_empty() { "public".to_owned() } else { schema.to_owned() },
            name: name.to_owned(),
        }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.schema == "public" {
            f.write_str(&self.name)
        } else {
            write!(f, "{}.{}", self.schema, self.name)
        }
    }
}

/// A table, view or the like.
#[derive(Debug, Clone, Default)]
pub(crate) struct Relation {
    pub temporary: bool,
    pub columns: Vec<Column>,
    /// Primary and unique keys.
    pub keys: Vec<Vec<String>>,
    pub foreign: Vec<ForeignKey>,
    /// `NOT VALID`: old rows may refer to nothing.
    pub unproven: Vec<ForeignKey>,
    pub checks: Vec<Check>,
    /// The column that a partitioned table is divided by.
    pub divided_by: Option<String>,
    /// What rows of a partition have in common.
    pub bounds: Vec<PartitionBound>,
    /// The query of a view.
    pub view: Option<Arc<Node>>,
    pub is_foreign: bool,
    pub rules: Vec<Rule>,
    pub triggers: Vec<Trigger>,
    pub row_security: bool,
    /// How many rows it has, roughly.
    pub rows: Option<u64>,
    /// The table that this one is a partition or child of.
    pub parent: Option<Name>,
    /// The queries whose rows it holds, when it was made empty or by a query and lost nothing since.
    pub filled: Option<Vec<Filling>>,
    /// Made in this session, and nothing was put in since.
    pub empty: bool,
}

/// A condition that every row meets.
#[derive(Debug, Clone)]
pub(crate) struct Check {
    pub name: String,
    pub test: Arc<Node>,
    /// `false` for `NOT VALID`: old rows may break it.
    pub valid: bool,
    /// `false` for `NO INHERIT`: rows of children may break it.
    pub inherited: bool,
}

/// A domain, over a type or over another domain.
#[derive(Debug, Clone, Default)]
pub(crate) struct Domain {
    pub base: String,
    pub not_null: bool,
    /// Over `VALUE`.
    pub checks: Vec<Check>,
    pub size: Size,
}

/// What a type with a modifier leaves room for.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Size {
    /// `varchar(n)`, `char(n)`: the most characters.
    pub letters: Option<f64>,
    /// `numeric(p, s)`: every value is smaller than this, whatever its sign.
    pub below: Option<f64>,
    /// `numeric(p, s)`: the digits behind the point.
    pub scale: Option<f64>,
}

/// An operator and the function that it stands for.
#[derive(Debug, Clone)]
pub(crate) struct Operator {
    pub schema: String,
    pub function_schema: Option<String>,
    pub function: String,
    /// With an operand on the left, too.
    pub binary: bool,
}

/// A column that was added with one value for every row.
#[derive(Debug, Clone)]
pub(crate) struct Added {
    pub column: String,
    /// `None`: null.
    pub value: Option<Arc<Node>>,
}

/// A query that gave a table rows.
#[derive(Debug, Clone)]
pub(crate) struct Filling {
    /// The column of the table for each column of the query.
    pub columns: Vec<String>,
    pub query: Arc<Node>,
}

/// A column and what its values can be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Column {
    pub name: String,
    pub kind: Kind,
    /// The name of its type, for what a domain demands.
    pub type_name: String,
    pub size: Size,
    /// `GENERATED ALWAYS AS (..)`.
    pub generated: Option<Arc<Node>>,
    pub not_null: bool,
    /// Fed by a sequence: values start at 1.
    pub serial: bool,
    /// `DEFAULT now()`: holds a moment of the past.
    pub default_now: bool,
    pub default_empty: bool,
}

/// A reference to another table.
#[derive(Debug, Clone)]
pub(crate) struct ForeignKey {
    pub name: String,
    pub columns: Vec<String>,
    pub to: Name,
    /// Empty: its primary key.
    pub to_columns: Vec<String>,
}

/// A condition that holds for every row of a partition.
#[derive(Debug, Clone)]
pub(crate) struct PartitionBound {
    pub column: String,
    pub side: Side,
}

impl PartitionBound {
    /// Only a list that names it takes null.
    pub fn takes_null(&self) -> bool {
        match &self.side {
            Side::In(values) => values.iter().any(|value| value.node("val").is_none()),
            Side::From(_) | Side::To(_) => false,
        }
    }
}

/// Which values a partition takes.
#[derive(Debug, Clone)]
pub(crate) enum Side {
    From(Arc<Node>),
    To(Arc<Node>),
    In(Vec<Arc<Node>>),
}

/// A rewrite rule.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub name: String,
    pub event: Event,
    pub actions: Vec<Arc<Node>>,
}

/// A trigger.
#[derive(Debug, Clone)]
pub(crate) struct Trigger {
    pub name: String,
    pub function: String,
    pub insert: bool,
    pub delete: bool,
    pub update: bool,
}

/// What happens to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Select,
    Update,
    Insert,
    Delete,
}

/// A function or procedure.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub schema: String,
    pub language: String,
    /// Immutable and stable functions cannot write.
    pub volatile: bool,
    pub aggregate: bool,
    pub arguments: Vec<String>,
    /// What a call gives, without the parameters that only come out.
    pub inputs: Vec<Input>,
    /// Null for a null argument.
    pub strict: bool,
    /// The one expression that its whole body is.
    pub value: Option<Arc<Node>>,
    /// The one query that its whole body is, when that is more than an expression.
    pub query: Option<Arc<Node>>,
    pub returns_set: bool,
    /// The names of `RETURNS TABLE (..)`.
    pub columns: Vec<String>,
    /// The `CREATE FUNCTION` statement as text, for the parser of PL/pgSQL, which takes nothing less.
    pub text: Arc<str>,
    /// The body of a function in SQL, as text.
    pub body: Arc<str>,
    /// A body written as `RETURN ..` or `BEGIN ATOMIC`.
    pub parsed: Option<Arc<Node>>,
}

/// A parameter of a function.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Input {
    /// Empty when it has none.
    pub name: String,
    pub type_name: String,
    pub default: Option<Arc<Node>>,
    /// Takes what is left of the arguments.
    pub variadic: bool,
}

impl Relation {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl Catalogue {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.relations.is_empty() && self.functions.is_empty()
    }

    pub(crate) fn relation(&self, name: &Name) -> Option<&Arc<Relation>> {
        self.relations.get(name)
    }

    /// The user functions of that name, in any schema or in the one given.
    pub(crate) fn functions_named<'a>(
        &'a self,
        schema: Option<&'a str>,
        name: &str,
    ) -> impl Iterator<Item = &'a Arc<Function>> {
        self.functions
            .get(name)
            .into_iter()
            .flatten()
            .filter(move |function| schema.is_none_or(|schema| function.schema == schema))
    }

    pub(crate) fn type_kind(&self, name: &str) -> Option<&Kind> {
        self.types.get(name)
    }

    pub(crate) fn domain(&self, name: &str) -> Option<&Arc<Domain>> {
        self.domains.get(name)
    }

    /// The tables whose rows belong to this one, too.
    pub(crate) fn children<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a Arc<Relation>> {
        self.relations.values().filter(move |relation| relation.parent.as_ref() == Some(name))
    }

    /// A temporary table of unknown columns.
    pub(crate) fn add_temporary(&mut self, name: &str) {
        let relation = Relation { temporary: true, ..Relation::default() };
        self.relations.insert(Name::new("pg_temp", name), Arc::new(relation));
    }

    pub(crate) fn drop_temporary(&mut self) {
        self.relations.retain(|name, _| name.schema != "pg_temp");
    }
}
