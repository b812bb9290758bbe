//! What the names of a statement can stand for.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::bounds::value::Value;
use crate::catalogue::{Catalogue, Kind, Name, Relation};
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

    pub(super) fn kind_of_type(&self, type_name: &Node) -> Kind {
        match Kind::of_type(type_name, self.base) {
            Kind::Other => Kind::of_type(type_name, Some(self.session)),
            kind => kind,
        }
    }
}
