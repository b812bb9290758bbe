//! Loops: what their variables take in turn, and what is gathered on the way.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value as Json;

use super::procedural::{names_in, parsed, value_of};
use super::scope::{MOST_TURNS, array_of, has_columns, is_unknown, target, written};
use super::{Analyzer, Loop};
use crate::bounds::Value;
use crate::tree::{self, Node};

impl Analyzer<'_> {
    /// A loop over the rows of a query.
    pub(super) fn pl_rows(&mut self, value: &Json, query: Option<Node>) {
        let record =
            value.pointer("/var/PLpgSQL_rec/refname").and_then(Json::as_str).unwrap_or("").to_owned();
        let names: Vec<String> = value
            .pointer("/var/PLpgSQL_row/fields")
            .and_then(Json::as_array)
            .map(|fields| {
                fields
                    .iter()
                    .filter_map(|field| field.get("name").and_then(Json::as_str))
                    .map(str::to_owned)
                    .collect()
            })
            .unwrap_or_default();
        let names = if names.is_empty() {
            value
                .pointer("/var/PLpgSQL_var/refname")
                .and_then(Json::as_str)
                .map(|name| vec![name.to_owned()])
                .unwrap_or_default()
        } else {
            names
        };
        if let Some(choices) = query.as_ref().and_then(|query| listed(query, &names)) {
            self.pl_choices(value, choices);
            return;
        }
        // A variable of a row type takes the whole row.
        let several = query.as_ref().is_some_and(|query| {
            let stars = query.nodes("target_list").any(|target| {
                target
                    .node("val")
                    .is_some_and(|value| value.nodes("fields").any(|field| field.kind == "AStar"))
            });
            stars || query.nodes("target_list").count() > 1
        });
        let (record, names) = match names.as_slice() {
            [only] if several && record.is_empty() => (only.clone(), Vec::new()),
            _ => (record, names),
        };
        let rows = query.filter(|query| query.kind == "SelectStmt").map(|query| Loop {
            record,
            names,
            query: Arc::new(self.closed(&query)),
        });
        let gathered = rows.as_ref().map(|rows| gathered(value, rows)).unwrap_or_default();
        self.pl_over(value, rows, true);
        for (name, array) in gathered {
            self.bind(&name, Some(array));
        }
    }

    /// A loop over the elements of an array.
    pub(super) fn pl_each(&mut self, value: &Json) {
        let array = value.pointer("/expr/PLpgSQL_expr").and_then(|expr| self.pl_expr(expr));
        let array = array.as_ref().and_then(value_of).map(|array| self.closed(array));
        let name = value
            .get("varno")
            .and_then(Json::as_u64)
            .and_then(|number| self.scope.names.get(usize::try_from(number).ok()?).cloned());
        let array = array.filter(|array| !is_unknown(array));
        if let Some((values, name)) = array.as_ref().and_then(elements).zip(name.clone()) {
            self.pl_choices(value, vec![(name, values)]);
            return;
        }
        let rows = array.zip(name).map(|(array, name)| {
            let call = Node::new(
                "FuncCall",
                vec![
                    ("funcname", tree::Value::List(vec![name_part("unnest")])),
                    ("args", tree::Value::List(vec![tree::Value::Node(array)])),
                ],
            );
            let mut query = Node::new("SelectStmt", Vec::new());
            query.set("target_list", tree::Value::List(vec![target(&name, call)]));
            Loop { record: String::new(), names: vec![name], query: Arc::new(query) }
        });
        self.pl_over(value, rows, true);
    }

    /// A loop whose turns are all known.
    pub(super) fn pl_choices(&mut self, value: &Json, choices: Vec<(String, Vec<Node>)>) {
        let kept = self.choices.len();
        self.choices.extend(choices);
        // So few turns do not wear a limit out.
        self.pl_over(value, None, self.in_loop);
        self.choices.truncate(kept);
    }

    /// `FOR i IN 1..10`, and `FOR i IN 1..(SELECT max(id) FROM t)`, which takes every id.
    pub(super) fn pl_count(&mut self, value: &Json) {
        let name = value.pointer("/var/PLpgSQL_var/refname").and_then(Json::as_str).unwrap_or("").to_owned();
        let mut ends: Vec<Option<Node>> = Vec::new();
        for end in ["lower", "upper", "step"] {
            let node =
                value.get(end).and_then(|end| end.get("PLpgSQL_expr")).and_then(|end| self.pl_expr(end));
            ends.push(node.as_ref().and_then(value_of).map(|node| self.closed(node)));
        }
        let number = |end: Option<&Option<Node>>| match end?.as_ref().and_then(|end| self.exact_constant(end))
        {
            Some(Value::Number(number)) => Some(number),
            _ => None,
        };
        let downwards = value.get("reverse").and_then(Json::as_u64).unwrap_or(0) != 0
            || value.get("reverse").and_then(Json::as_bool) == Some(true);
        let (first, last) = if downwards { (1, 0) } else { (0, 1) };
        let (low, high) = (number(ends.get(first)), number(ends.get(last)));
        let step = number(ends.get(2)).unwrap_or(1.0).max(1.0);
        if let (Some(low), Some(high)) = (low, high)
            && ((high - low) / step) < MOST_TURNS as f64
        {
            let mut values = Vec::new();
            let mut at = low;
            while at <= high {
                values.extend(written(&Value::Number(at)));
                at += step;
            }
            self.pl_choices(value, vec![(name, values)]);
            return;
        }
        let all = ends.get(last).and_then(Option::as_ref).and_then(up_to_the_largest);
        let rows = all.filter(|_| low.is_some_and(|low| low <= 1.0)).map(|query| Loop {
            record: String::new(),
            names: vec![name],
            query: Arc::new(query),
        });
        self.pl_over(value, rows, true);
    }

    pub(super) fn pl_over(&mut self, value: &Json, rows: Option<Loop>, repeats: bool) {
        let mut changed = HashSet::new();
        self.assigned(value, &mut changed);
        self.unbind(&changed);
        let outer = std::mem::replace(&mut self.in_loop, repeats);
        let pushed = rows.map(|rows| {
            let hidden: Vec<String> =
                rows.names.iter().filter(|name| self.scope.variables.remove(*name)).cloned().collect();
            self.loops.push(rows);
            hidden
        });
        let kept = self.guards.len();
        self.pl_list(value.get("body"));
        self.guards.truncate(kept);
        if let Some(hidden) = pushed {
            self.loops.pop();
            self.scope.variables.extend(hidden);
        }
        self.in_loop = outer;
        self.unbind(&changed);
    }

    /// `LOOP` and `WHILE`.
    pub(super) fn pl_turns(&mut self, value: &Json) {
        let mut changed = HashSet::new();
        self.assigned(value, &mut changed);
        self.unbind(&changed);
        let outer = std::mem::replace(&mut self.in_loop, true);
        if let Some(condition) = value.get("cond") {
            self.pl_parts(condition, &[]);
        }
        self.pl_list(value.get("body"));
        self.in_loop = outer;
        self.unbind(&changed);
    }
}

/// Arrays that every turn of a loop adds to: `ids := ids || r.id`.
fn gathered(value: &Json, rows: &Loop) -> Vec<(String, Node)> {
    let mut found = Vec::new();
    for statement in value.get("body").and_then(Json::as_array).into_iter().flatten() {
        let text = statement.pointer("/PLpgSQL_stmt_assign/expr/PLpgSQL_expr/query").and_then(Json::as_str);
        let Some(node) = text.and_then(|text| parsed(text, 3)).filter(|node| !node.has("indirection")) else {
            // What leaves the turn early leaves out what follows.
            let whole = statement.to_string();
            if whole.contains("PLpgSQL_stmt_exit") || whole.contains("PLpgSQL_stmt_return") {
                break;
            }
            continue;
        };
        let Some(added) = node.node("val").and_then(value_of) else { continue };
        let parts = if added.strings("funcname").last() == Some(&"array_append") {
            let mut parts = added.nodes("args");
            parts.next().zip(parts.next())
        } else if added.strings("name").last() == Some(&"||") {
            added.node("lexpr").zip(added.node("rexpr"))
        } else {
            None
        };
        let Some((array, element)) = parts else { continue };
        let of_loop = names_in(element).iter().all(|name| *name == rows.record || rows.names.contains(name));
        if array.strings("fields") == [node.text("name")] && has_columns(element) && of_loop {
            let mut query = Node::new("SelectStmt", Vec::new());
            query.set("target_list", tree::Value::List(vec![target("", element.clone())]));
            query.set("from_clause", tree::Value::List(vec![rows.as_item("turns")]));
            found.push((node.text("name").to_owned(), array_of(query)));
        }
    }
    found
}

/// The constants of an array that is written out.
fn elements(array: &Node) -> Option<Vec<Node>> {
    let values: Vec<Node> = match array.kind {
        "AArrayExpr" => array.nodes("elements").cloned().collect(),
        "TypeCast" => return array.node("arg").and_then(elements),
        "AConst" => {
            let text = array.node("val")?.text("sval");
            let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
            if inner.contains(['{', '\\']) {
                return None;
            }
            inner.split(',').map(|part| Node::of_text(part.trim().trim_matches('"'))).collect()
        }
        _ => return None,
    };
    let constant = |value: &Node| {
        let mut constant = true;
        value.walk(&mut |part| {
            constant &=
                !matches!(part.kind, "ColumnRef" | "SubLink" | "FuncCall" | "ParamRef") && !is_unknown(part);
            constant
        });
        constant
    };
    (!values.is_empty() && values.len() <= MOST_TURNS && values.iter().all(constant)).then_some(values)
}

/// `VALUES ('a'), ('b')` and `SELECT unnest(ARRAY['a', 'b'])`, for the variables that take them.
fn listed(query: &Node, names: &[String]) -> Option<Vec<(String, Vec<Node>)>> {
    let [name] = names else { return None };
    if query.has("larg") || query.has("from_clause") || query.has("where_clause") || query.has("limit_count")
    {
        return None;
    }
    if query.has("values_lists") {
        let mut values = Vec::new();
        for row in query.nodes("values_lists") {
            let mut items = row.nodes("items");
            let (Some(only), None) = (items.next(), items.next()) else { return None };
            values.push(tree::Value::Node(only.clone()));
        }
        let array = Node::new("AArrayExpr", vec![("elements", tree::Value::List(values))]);
        return elements(&array).map(|values| vec![(name.clone(), values)]);
    }
    let call = value_of(query)?;
    if call.strings("funcname").last() != Some(&"unnest") {
        return None;
    }
    elements(call.nodes("args").next()?).map(|values| vec![(name.clone(), values)])
}

/// For `(SELECT max(id) FROM t)`: `SELECT id FROM t`.
fn up_to_the_largest(end: &Node) -> Option<Node> {
    let mut found = None;
    end.walk(&mut |part| {
        if part.kind == "SubLink"
            && let Some(select) = part.node("subselect")
            && let Some(largest) =
                value_in(select).filter(|call| call.strings("funcname").last() == Some(&"max"))
            && let Some(column) = largest.nodes("args").next()
        {
            let mut query = select.clone();
            query.set("target_list", tree::Value::List(vec![target("", column.clone())]));
            found = Some(query);
        }
        found.is_none()
    });
    found
}

fn value_in(select: &Node) -> Option<&Node> {
    let mut targets = select.nodes("target_list");
    let (Some(only), None) = (targets.next(), targets.next()) else { return None };
    let value = only.node("val")?;
    if value.kind == "CoalesceExpr" { value.nodes("args").next() } else { Some(value) }
}

fn name_part(name: &str) -> tree::Value {
    tree::Value::Node(Node::new("String", vec![("sval", tree::Value::Text(name.to_owned()))]))
}
