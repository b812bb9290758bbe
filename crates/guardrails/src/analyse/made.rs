//! What the statements of a session make of the tables that later ones read.

use std::sync::Arc;

use super::Analyzer;
use crate::catalogue::{Added, Filling, Kind, Name, Relation};
use crate::tree::Node;

const ADD_COLUMN: i64 = 1;
const DEFAULT: i64 = 3;
const IDENTITY: i64 = 4;
const GENERATED: i64 = 5;

impl Analyzer<'_> {
    /// What the session changes of something of the catalogue is changed in a copy of its own.
    pub(super) fn copied(&mut self, node: &Node) -> Option<String> {
        match node.kind {
            "AlterTableStmt" => {
                let at = node.node("relation")?;
                let (name, info) = self.world().table(at.text("schemaname"), at.text("relname"));
                self.added(node, &name, info.as_deref());
                if let (Some(info), None) = (info, self.session.made.relation(&name)) {
                    // It may hold anything.
                    let own = Relation { filled: None, empty: false, ..info.as_ref().clone() };
                    self.session.made.relations.insert(name.clone(), Arc::new(own));
                }
                return Some(name.schema);
            }
            "AlterDomainStmt" | "AlterEnumStmt" => {
                let path = node.strings("type_name");
                let name = (*path.last()?).to_owned();
                let base = self.base?;
                if let (Some(domain), None) = (base.domain(&name), self.session.made.domain(&name)) {
                    self.session.made.domains.insert(name.clone(), domain.clone());
                }
                if let (Some(kind), None) = (base.type_kind(&name), self.session.made.type_kind(&name)) {
                    self.session.made.types.insert(name, kind.clone());
                }
            }
            _ => {}
        }
        None
    }

    /// A column added without a default is null in every row, with a constant one it is that.
    fn added(&mut self, node: &Node, table: &Name, info: Option<&Relation>) {
        for command in node.nodes("cmds").filter(|command| command.int("subtype") == ADD_COLUMN) {
            let Some(definition) = command.node("def") else { continue };
            let column = definition.text("colname").to_owned();
            let may_exist = match info {
                Some(info) => info.column(&column).is_some(),
                None => command.flag("missing_ok"),
            };
            let type_name =
                definition.node("type_name").and_then(|name| name.strings("names").last().copied());
            let computed = definition
                .nodes("constraints")
                .any(|constraint| matches!(constraint.int("contype"), IDENTITY | GENERATED))
                || type_name.is_some_and(Kind::is_serial_name);
            if may_exist || computed {
                continue;
            }
            let default = definition
                .nodes("constraints")
                .find(|constraint| constraint.int("contype") == DEFAULT)
                .and_then(|constraint| constraint.node("raw_expr"));
            let value = match default {
                None => None,
                Some(default) if is_constant(default) => Some(Arc::new(default.clone())),
                Some(_) => continue,
            };
            let held = self.session.made.added.entry(table.clone()).or_default();
            held.retain(|added| added.column != column);
            held.push(Added { column, value });
        }
    }

    /// After a write: what is no longer true of the table, and what fills it.
    pub(super) fn written(&mut self, node: &Node, at: &Node) {
        let made = &self.session.made;
        if made.added.is_empty() && made.relations.is_empty() {
            return;
        }
        let (name, _) = self.world().table(at.text("schemaname"), at.text("relname"));
        let set: Vec<String> =
            node.nodes("target_list").map(|target| target.text("name").to_owned()).collect();
        let is_update = node.kind == "UpdateStmt";
        let mut changed = false;
        if node.kind != "DeleteStmt"
            && let Some(added) = self.session.made.added.get_mut(&name)
        {
            let before = added.len();
            added.retain(|added| is_update && !set.contains(&added.column));
            changed |= added.len() != before;
        }
        if let Some(relation) = self.session.made.relations.get_mut(&name)
            && relation.filled.is_some()
        {
            let relation = Arc::make_mut(relation);
            let known: Vec<String> = relation.columns.iter().map(|column| column.name.clone()).collect();
            relation.empty &= !matches!(node.kind, "InsertStmt" | "MergeStmt" | "CopyStmt");
            let filled = &mut relation.filled;
            match node.kind {
                "InsertStmt" => {
                    let filling = node.node("select_stmt").filter(|query| !query.has("values_lists"));
                    if let (Some(query), Some(filled), false) = (filling, filled, node.has("with_clause")) {
                        let given: Vec<String> =
                            node.nodes("cols").map(|column| column.text("name").to_owned()).collect();
                        let columns = if given.is_empty() { known } else { given };
                        let reads_itself = reads(query, at.text("relname"));
                        if !reads_itself && filled.len() < MOST_FILLINGS {
                            filled.push(Filling { columns, query: Arc::new(query.clone()) });
                        }
                    }
                }
                "CopyStmt" => {}
                "UpdateStmt" => {
                    for filling in filled.iter_mut().flatten() {
                        for column in filling.columns.iter_mut().filter(|column| set.contains(column)) {
                            // No longer what the query gave.
                            column.clear();
                        }
                    }
                }
                _ => *filled = None,
            }
            changed = true;
        }
        if changed {
            self.changed();
        }
    }
}

/// Queries remembered for one table.
const MOST_FILLINGS: usize = 4;

fn reads(query: &Node, table: &str) -> bool {
    let mut found = false;
    query.walk(&mut |part| {
        found |= part.kind == "RangeVar" && part.text("relname") == table;
        !found
    });
    found
}

fn is_constant(node: &Node) -> bool {
    match node.kind {
        "AConst" => true,
        "TypeCast" => node.node("arg").is_some_and(is_constant),
        "AExpr" => !node.has("lexpr") && node.node("rexpr").is_some_and(is_constant),
        _ => false,
    }
}
