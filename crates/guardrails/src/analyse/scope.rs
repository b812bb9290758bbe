//! What the names of a procedure hold, as far as that is known before it runs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Analyzer;
use crate::bounds::{Lower, UNKNOWN_TEXT, Value, evaluate_constant};
use crate::tree::{self, Node};

/// Expressions larger than this are not carried along.
const LARGEST: usize = 2_000;
/// Turns of a loop over constants, and paths to a statement, that are told apart.
pub(super) const MOST_TURNS: usize = 64;
const MOST_WORLDS: usize = 8;

/// Functions that are folded as PostgreSQL computes them.
const EXACT: &[&str] =
    &["lower", "upper", "concat", "replace", "left", "abs", "now", "clock_timestamp", "statement_timestamp"];

/// The variables and parameters of a body.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    pub variables: HashSet<String>,
    /// Variables, parameters (`$1`) and fields (`r.id`) whose value is known: closed expressions, which mean the same
    /// wherever they stand.
    pub bound: HashMap<String, Arc<Node>>,
    /// The declared types.
    pub types: HashMap<String, String>,
    /// Declared more than once, or set by PostgreSQL itself: never known.
    pub unsteady: HashSet<String>,
    /// By the number that PL/pgSQL gives them.
    pub names: Vec<String>,
    pub variables_first: bool,
    pub columns_first: bool,
}

impl Analyzer<'_> {
    pub(super) fn bind(&mut self, name: &str, node: Option<Node>) {
        match node.filter(|_| !self.scope.unsteady.contains(name)) {
            Some(node) => self.scope.bound.insert(name.to_owned(), Arc::new(node)),
            None => self.scope.bound.remove(name),
        };
    }

    /// Nothing is known any more of these variables, nor of their fields.
    pub(super) fn unbind(&mut self, names: &HashSet<String>) {
        self.scope.bound.retain(|held, _| {
            !names.contains(held) && !held.split_once('.').is_some_and(|(record, _)| names.contains(record))
        });
    }

    /// The expression with what its variables hold in their place, so that it can stand anywhere.
    pub(super) fn closed(&self, node: &Node) -> Node {
        let columns = if self.scope.columns_first { self.columns_in(node) } else { HashSet::new() };
        let closed = node.replaced(&mut |part| match part.kind {
            "ColumnRef" => {
                let path = part.strings("fields");
                let first = path.first()?;
                if path.len() == 1 && columns.contains(*first) {
                    return None;
                }
                let key = path.join(".");
                if let Some(held) = self.scope.bound.get(&key) {
                    return Some(held.as_ref().clone());
                }
                let of_loop = path.len() > 1 && self.loops.iter().any(|held| held.record == *first);
                (self.scope.variables.contains(*first) && !of_loop).then(|| unknown(&format!("?{key}")))
            }
            "AConst" => {
                let key = part.node("val")?.text("sval").strip_prefix(UNKNOWN_TEXT)?;
                self.scope.bound.get(key).map(|held| held.as_ref().clone())
            }
            "ParamRef" => {
                let number = part.int("number");
                let given = usize::try_from(number - 1).ok().and_then(|at| self.parameters.get(at));
                match (self.scope.bound.get(&format!("${number}")), given.and_then(written)) {
                    (Some(held), _) => Some(held.as_ref().clone()),
                    (None, Some(value)) => Some(value),
                    (None, None) => Some(unknown(&format!("?${number}"))),
                }
            }
            _ => None,
        });
        let mut size = 0;
        closed.walk(&mut |_| {
            size += 1;
            size <= LARGEST
        });
        if size > LARGEST { unknown("?too large") } else { closed }
    }

    /// What the names of a condition may hold: several possible worlds, and in each the values of the turns of a loop
    /// that are all taken. Empty when there is nothing to choose.
    pub(super) fn choices_for(&self, condition: &Node) -> Vec<Vec<HashMap<String, Arc<Node>>>> {
        let mut turns = vec![self.scope.bound.clone()];
        let mut found = false;
        if !self.choices.is_empty() {
            let closed = self.closed(condition);
            for (name, values) in &self.choices {
                let key = format!("?{name}");
                let mark = format!("{UNKNOWN_TEXT}{key}");
                let mut named = false;
                closed.walk(&mut |part| {
                    named |= part.kind == "String" && part.text("sval") == mark;
                    !named
                });
                if !named || turns.len().saturating_mul(values.len()) > MOST_TURNS {
                    continue;
                }
                found = true;
                turns = turns
                    .iter()
                    .flat_map(|turn| {
                        values.iter().map(|value| {
                            let mut turn = turn.clone();
                            let value = Arc::new(value.clone());
                            turn.insert(name.clone(), Arc::clone(&value));
                            turn.insert(key.clone(), value);
                            turn
                        })
                    })
                    .collect();
            }
        }
        let mut worlds = vec![turns];
        for (name, value) in &self.scope.bound {
            let mut paths = Vec::new();
            paths_of(value, &mut paths);
            if paths.len() < 2
                || worlds.len().saturating_mul(paths.len()) > MOST_WORLDS
                || !names(condition, name)
            {
                continue;
            }
            found = true;
            worlds = worlds
                .iter()
                .flat_map(|turns| {
                    paths.iter().map(|path| {
                        let mut turns = turns.clone();
                        for turn in &mut turns {
                            turn.insert(name.clone(), Arc::new((*path).clone()));
                        }
                        turns
                    })
                })
                .collect();
        }
        if found { worlds } else { Vec::new() }
    }

    /// The columns of the tables that are named in an expression.
    fn columns_in(&self, node: &Node) -> HashSet<String> {
        let mut columns = HashSet::new();
        node.walk(&mut |part| {
            if part.kind == "RangeVar"
                && let (_, Some(info)) = self.world().table(part.text("schemaname"), part.text("relname"))
            {
                columns.extend(info.columns.iter().map(|column| column.name.clone()));
            }
            true
        });
        columns
    }

    /// The constant that an expression comes to for certain: nothing in it is only modelled.
    pub(super) fn exact_constant(&self, node: &Node) -> Option<Value> {
        let closed = self.closed(node);
        let mut exact = true;
        closed.walk(&mut |part| {
            exact &= match part.kind {
                "FuncCall" => part.strings("funcname").last().is_some_and(|name| EXACT.contains(name)),
                "SubLink" => false,
                _ => true,
            };
            exact
        });
        if exact { self.constant_of(&closed) } else { None }
    }

    /// The constant that an expression comes to.
    pub(super) fn constant_of(&self, node: &Node) -> Option<Value> {
        let mut lower = Lower::new(self.world(), Vec::new());
        let expr = lower.expr(node);
        evaluate_constant(&expr)
    }
}

/// Stands for a value that is not known; the same key is the same value.
pub(super) fn unknown(key: &str) -> Node {
    Node::of_text(&format!("{UNKNOWN_TEXT}{key}"))
}

/// Whether a variable, parameter or open text of that name stands in an expression.
fn names(node: &Node, name: &str) -> bool {
    let mut found = false;
    node.walk(&mut |part| {
        found |= match part.kind {
            "ColumnRef" => part.strings("fields").join(".") == name,
            "ParamRef" => format!("${}", part.int("number")) == name,
            "String" => part.text("sval").strip_prefix(UNKNOWN_TEXT) == Some(name),
            _ => false,
        };
        !found
    });
    found
}

/// The value of a variable after paths that part and meet again.
pub(super) fn either(one: Node, other: Node) -> Node {
    let arm = Node::new(
        "CaseWhen",
        vec![("expr", tree::Value::Node(unknown(PATH))), ("result", tree::Value::Node(one))],
    );
    Node::new(
        "CaseExpr",
        vec![
            ("args", tree::Value::List(vec![tree::Value::Node(arm)])),
            ("defresult", tree::Value::Node(other)),
        ],
    )
}

const PATH: &str = "?path";

fn paths_of<'a>(node: &'a Node, into: &mut Vec<&'a Node>) {
    let arm = node.nodes("args").next().filter(|arm| {
        node.kind == "CaseExpr"
            && arm
                .node("expr")
                .and_then(|expr| expr.node("val"))
                .is_some_and(|value| value.text("sval").strip_prefix(UNKNOWN_TEXT) == Some(PATH))
    });
    match arm {
        Some(arm) => {
            for path in arm.node("result").into_iter().chain(node.node("defresult")) {
                paths_of(path, into);
            }
        }
        None => into.push(node),
    }
}

/// Whether an expression is only a value that is not known.
pub(super) fn is_unknown(node: &Node) -> bool {
    node.kind == "AConst"
        && node.node("val").is_some_and(|value| value.text("sval").starts_with(UNKNOWN_TEXT))
}

/// Whether columns stand in the expression itself, outside of its subqueries.
pub(super) fn has_columns(node: &Node) -> bool {
    let mut found = false;
    node.walk(&mut |part| {
        found |= part.kind == "ColumnRef";
        part.kind != "SubLink"
    });
    found
}

/// `(SELECT ..)` as an expression.
pub(super) fn scalar(query: Node) -> Node {
    Node::new(
        "SubLink",
        vec![("sub_link_type", tree::Value::Int(5)), ("subselect", tree::Value::Node(query))],
    )
}

/// `ARRAY(SELECT ..)` as an expression.
pub(super) fn array_of(query: Node) -> Node {
    Node::new(
        "SubLink",
        vec![("sub_link_type", tree::Value::Int(7)), ("subselect", tree::Value::Node(query))],
    )
}

/// An item of a target list.
pub(super) fn target(name: &str, value: Node) -> tree::Value {
    let mut target = Node::new("ResTarget", vec![("val", tree::Value::Node(value))]);
    if !name.is_empty() {
        target.set("name", tree::Value::Text(name.to_owned()));
    }
    tree::Value::Node(target)
}

pub(super) fn null() -> Node {
    Node::new("AConst", vec![("isnull", tree::Value::Bool(true))])
}

/// A constant as it is written.
pub(super) fn written(value: &Value) -> Option<Node> {
    let inner = match value {
        Value::Null => return Some(null()),
        Value::Text(text) => return Some(Node::of_text(text)),
        Value::Bool(truth) => Node::new("Boolean", vec![("boolval", tree::Value::Bool(*truth))]),
        Value::Number(number) => Node::new("Float", vec![("fval", tree::Value::Text(number.to_string()))]),
        _ => return None,
    };
    Some(Node::new("AConst", vec![("val", tree::Value::Node(inner))]))
}
