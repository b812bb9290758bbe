//! What the names of a statement can stand for.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::bounds::value::Value;
use crate::catalogue::{Catalogue, Domain, Function, Kind, Name, Operator, Relation};
use crate::tree::Node;

/// What is known around a statement.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    pub base: Option<&'a Catalogue>,
    /// What the session itself has made.
    pub session: &'a Catalogue,
    pub search_path: &'a [String],
    pub parameters: &'a [Value],
    /// Names that are variables of a procedure, not columns.
    pub variables: &'a HashSet<String>,
    /// What variables, parameters (`$1`) and unknown texts are known to hold: expressions that stand for themselves.
    pub bound: &'a HashMap<String, Arc<Node>>,
    /// A name that is both a variable and a column is the variable.
    pub variables_first: bool,
    /// Inside a loop a `LIMIT` bounds nothing: the next turn takes the next rows.
    pub in_loop: bool,
}

/// Domains over domains and partitions of partitions, at most this many.
const MOST_LEVELS: usize = 8;

impl World<'_> {
    /// The table that a name stands for, and whether it is temporary.
    pub fn table(&self, schema: &str, name: &str) -> (Name, Option<Arc<Relation>>) {
        if schema.is_empty() || schema.starts_with("pg_temp") {
            let temporary = Name::new("pg_temp", name);
            let last = self.search_path.iter().any(|entry| entry == "pg_temp")
                && self.search_path.first().is_some_and(|entry| entry != "pg_temp");
            if let Some(relation) = self.session.relation(&temporary)
                && !(last && schema.is_empty() && self.permanent(name).is_some())
            {
                return (temporary, Some(Arc::clone(relation)));
            }
            if !schema.is_empty() {
                return (temporary, None);
            }
        } else {
            let name = Name::new(schema, name);
            let found = self.find(&name);
            return (name, found);
        }
        self.permanent(name).map_or_else(
            || {
                let home = self
                    .search_path
                    .iter()
                    .find(|entry| *entry != "pg_temp" && *entry != "pg_catalog" && *entry != "$user");
                (Name::new(home.map_or("public", String::as_str), name), None)
            },
            |(name, relation)| (name, Some(relation)),
        )
    }

    fn permanent(&self, name: &str) -> Option<(Name, Arc<Relation>)> {
        let path = self
            .search_path
            .iter()
            .map(String::as_str)
            .filter(|entry| *entry != "$user" && *entry != "pg_temp");
        path.chain(["public"].into_iter().filter(|_| self.search_path.is_empty())).find_map(|schema| {
            let name = Name::new(schema, name);
            self.find(&name).map(|relation| (name, relation))
        })
    }

    fn find(&self, name: &Name) -> Option<Arc<Relation>> {
        self.session.relation(name).or_else(|| self.base.and_then(|base| base.relation(name))).cloned()
    }

    /// The tables that hand their rows up to this one.
    pub(super) fn children(&self, name: &Name) -> Vec<Arc<Relation>> {
        let base = self.base.into_iter().flat_map(|base| base.children(name));
        self.session.children(name).chain(base).cloned().collect()
    }

    /// The tables that a partition or child belongs to, and those above them.
    pub(super) fn above(&self, info: Option<&Relation>) -> Vec<Name> {
        let mut found: Vec<Name> = Vec::new();
        let mut parent = info.and_then(|info| info.parent.clone());
        while let Some(name) = parent.filter(|_| found.len() < MOST_LEVELS) {
            parent = self.find(&name).and_then(|info| info.parent.clone());
            found.push(name);
        }
        found
    }

    /// A domain and the domains that it is made over.
    pub(super) fn domains(&self, name: &str) -> Vec<Arc<Domain>> {
        let mut found: Vec<Arc<Domain>> = Vec::new();
        let mut name = name.to_owned();
        while found.len() < MOST_LEVELS
            && let Some(domain) =
                self.session.domain(&name).or_else(|| self.base.and_then(|base| base.domain(&name)))
        {
            name.clone_from(&domain.base);
            found.push(Arc::clone(domain));
        }
        found
    }

    /// Whether the type is a domain that refuses null.
    pub(super) fn is_never_null(&self, type_name: &str) -> bool {
        self.domains(type_name).iter().any(|domain| domain.not_null)
    }

    /// The functions of that name: those of the session hide those of the catalogue.
    pub(super) fn functions(&self, schema: Option<&str>, name: &str) -> Vec<Arc<Function>> {
        let own: Vec<_> = self.session.functions_named(schema, name).cloned().collect();
        if own.is_empty() {
            self.base.into_iter().flat_map(|base| base.functions_named(schema, name)).cloned().collect()
        } else {
            own
        }
    }

    /// The operator of that name which a schema defines.
    pub(super) fn operator(&self, schema: Option<&str>, name: &str, is_binary: bool) -> Option<Operator> {
        let held = |catalogue: &Catalogue| {
            let mut fitting = catalogue.operators.get(name).into_iter().flatten().filter(|operator| {
                operator.binary == is_binary && schema.is_none_or(|schema| operator.schema == schema)
            });
            let first = fitting.next()?;
            // Overloaded operators are not told apart.
            fitting.next().is_none().then(|| first.clone())
        };
        held(self.session).or_else(|| self.base.and_then(held))
    }

    pub(super) fn kind_of_type(&self, type_name: &Node) -> Kind {
        match Kind::of_type(type_name, self.base) {
            Kind::Other => Kind::of_type(type_name, Some(self.session)),
            kind => kind,
        }
    }
}
