//! Calls of the database's own functions: what their parameters hold.

use std::collections::HashMap;
use std::sync::Arc;

use super::scope::{has_columns, target};
use super::{Analyzer, Loop};
use crate::catalogue::Function;
use crate::tree::{self, Node};

/// What one call puts into the parameters of a function.
#[derive(Default)]
pub(super) struct Arguments {
    pub bound: HashMap<String, Arc<Node>>,
    /// For arguments that change from row to row: the rows, and the parameters that they fill.
    pub rows: Option<Loop>,
    /// A strict function with a null argument does not run.
    pub idle: bool,
}

impl Analyzer<'_> {
    /// `None` when the call does not fit the function. `root` is the statement that the call stands in.
    pub(super) fn arguments(
        &self,
        function: &Function,
        name: &str,
        call: &Node,
        root: Option<&Node>,
    ) -> Option<Arguments> {
        let given: Vec<&Node> = call.nodes("args").collect();
        let variadic = call.flag("func_variadic") || function.inputs.iter().any(|input| input.variadic);
        if given.len() > function.inputs.len() && !variadic {
            return None;
        }
        let mut found = Arguments::default();
        let mut by_row: Vec<(String, Node)> = Vec::new();
        for (at, input) in function.inputs.iter().enumerate() {
            if input.variadic {
                break;
            }
            let named = given
                .iter()
                .find(|argument| argument.kind == "NamedArgExpr" && argument.text("name") == input.name)
                .and_then(|argument| argument.node("arg"));
            let by_position = given.get(at).copied().filter(|argument| argument.kind != "NamedArgExpr");
            let value = match (by_position.or(named), &input.default) {
                (Some(argument), _) => self.closed(argument),
                (None, Some(default)) => default.as_ref().clone(),
                (None, None) => return None,
            };
            let number = format!("${}", at + 1);
            if has_columns(&value) {
                let column = if input.name.is_empty() { number.clone() } else { input.name.clone() };
                found.bound.insert(number, Arc::new(Node::of_name(&[&column])));
                by_row.push((column, value));
                continue;
            }
            found.idle |= function.strict && self.exact_constant(&value) == Some(crate::bounds::Value::Null);
            let value = Arc::new(value);
            found.bound.insert(number, Arc::clone(&value));
            if !input.name.is_empty() {
                found.bound.insert(format!("{name}.{}", input.name), Arc::clone(&value));
                found.bound.insert(input.name.clone(), value);
            }
        }
        if !by_row.is_empty() {
            match self.rows_of(call, root, &by_row) {
                Some(query) => {
                    let names = by_row.into_iter().map(|(name, _)| name).collect();
                    found.rows = Some(Loop { record: String::new(), names, query: Arc::new(query) });
                }
                // Rows of a kind that is not followed: nothing is known of these arguments.
                None => found.bound.retain(|_, value| value.kind != "ColumnRef"),
            }
        }
        Some(found)
    }

    /// The query whose rows a call is made for, putting out the arguments.
    fn rows_of(&self, call: &Node, root: Option<&Node>, arguments: &[(String, Node)]) -> Option<Node> {
        let around = root.and_then(|root| enclosing(root, call));
        let mut query = Node::new("SelectStmt", Vec::new());
        let mut from: Vec<tree::Value> = Vec::new();
        if let Some(around) = around {
            if around.has("larg") {
                return None;
            }
            if around.kind == "SelectStmt" {
                query = around.clone();
                query.set("into_clause", tree::Value::Empty);
            } else {
                from.extend(around.node("relation").map(|at| tree::Value::Node(at.clone())));
                from.extend(around.nodes("using_clause").map(|item| tree::Value::Node(item.clone())));
            }
            from.extend(around.nodes("from_clause").map(|item| tree::Value::Node(item.clone())));
            let mut conjuncts = Vec::new();
            let mut pending: Vec<&Node> = around.node("where_clause").into_iter().collect();
            while let Some(part) = pending.pop() {
                if part.kind == "BoolExpr" && part.int("boolop") == 1 {
                    pending.extend(part.nodes("args"));
                } else if !holds(part, call) {
                    conjuncts.push(tree::Value::Node(part.clone()));
                }
            }
            let condition = match conjuncts.len() {
                0 => tree::Value::Empty,
                _ => tree::Value::Node(Node::new(
                    "BoolExpr",
                    vec![("boolop", tree::Value::Int(1)), ("args", tree::Value::List(conjuncts))],
                )),
            };
            query.set("where_clause", condition);
        }
        for (at, held) in self.loops.iter().enumerate() {
            from.push(held.as_item(&format!("loop {at}")));
        }
        if !self.guards.is_empty() && !self.loops.is_empty() {
            let mut parts: Vec<tree::Value> =
                self.guards.iter().map(|guard| tree::Value::Node(guard.clone())).collect();
            parts.extend(query.node("where_clause").map(|condition| tree::Value::Node(condition.clone())));
            let all = Node::new(
                "BoolExpr",
                vec![("boolop", tree::Value::Int(1)), ("args", tree::Value::List(parts))],
            );
            query.set("where_clause", tree::Value::Node(all));
        }
        if from.is_empty() {
            return None;
        }
        let targets = arguments.iter().map(|(name, value)| target(name, value.clone())).collect();
        query.set("from_clause", tree::Value::List(from));
        query.set("target_list", tree::Value::List(targets));
        Some(query)
    }
}

impl Loop {
    /// Its rows as an item of a `FROM` list.
    pub(super) fn as_item(&self, otherwise: &str) -> tree::Value {
        let alias = if self.record.is_empty() { otherwise } else { self.record.as_str() };
        let mut alias = Node::new("Alias", vec![("aliasname", tree::Value::Text(alias.to_owned()))]);
        let names = Node::of_name(&self.names.iter().map(String::as_str).collect::<Vec<_>>());
        let names: Vec<tree::Value> =
            names.nodes("fields").map(|name| tree::Value::Node(name.clone())).collect();
        if !names.is_empty() {
            alias.set("colnames", tree::Value::List(names));
        }
        tree::Value::Node(Node::new(
            "RangeSubselect",
            vec![
                ("subquery", tree::Value::Node(self.query.as_ref().clone())),
                ("alias", tree::Value::Node(alias)),
            ],
        ))
    }
}

fn holds(node: &Node, wanted: &Node) -> bool {
    let mut found = false;
    node.walk(&mut |part| {
        found |= std::ptr::eq(part, wanted);
        !found
    });
    found
}

/// The innermost query or write that holds a call.
fn enclosing<'a>(root: &'a Node, call: &Node) -> Option<&'a Node> {
    let mut innermost = None;
    root.walk(&mut |part| {
        if !holds(part, call) {
            return false;
        }
        if matches!(part.kind, "SelectStmt" | "UpdateStmt" | "DeleteStmt") {
            innermost = Some(part);
        }
        true
    });
    innermost
}
