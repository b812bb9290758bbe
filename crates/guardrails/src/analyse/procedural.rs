//! PL/pgSQL, statement by statement, with what its variables hold at each of them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value as Json;

use super::Analyzer;
use super::dynamic::{Given, Open};
use super::scope::{Scope, either, has_columns, null, scalar, target};
use crate::bounds::Value;
use crate::facts::{Hazard, Kind};
use crate::tree::{self, Node};

/// `RAISE EXCEPTION`, as PostgreSQL numbers its levels.
const ERROR: i64 = 21;

impl Analyzer<'_> {
    pub(super) fn parsed_plpgsql(&mut self, parsed: Result<Json, pg_query::Error>, text: &str) {
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(error) => {
                let reason = match &error {
                    pg_query::Error::Parse(reason) => format!(": {reason}"),
                    _ => String::new(),
                };
                self.kind(Kind::Unknown);
                self.find(
                    Hazard::UnknownStatement,
                    None,
                    "PL/pgSQL",
                    format!("this PL/pgSQL cannot be parsed{reason}"),
                    "check the block for errors, or run its statements one by one",
                );
                return;
            }
        };
        collect_variables(&parsed, &mut self.scope.variables);
        collect_cursors(&parsed, &mut self.cursors);
        self.scope.variables_first = text.contains("#variable_conflict use_variable");
        self.scope.columns_first = text.contains("#variable_conflict use_column");
        if self.scope.columns_first && self.base.is_none() {
            // Any of these names may be a column.
            self.scope.variables.clear();
        }
        for function in parsed.as_array().into_iter().flatten() {
            let Some(function) = function.get("PLpgSQL_function") else { continue };
            let (datums, action) = (function.get("datums"), function.get("action"));
            self.declare(datums.unwrap_or(&Json::Null), action.unwrap_or(&Json::Null), text);
            if let Some(action) = action {
                self.pl(action);
            }
        }
    }

    /// Takes in the declared variables and what they start with.
    fn declare(&mut self, datums: &Json, action: &Json, text: &str) {
        let datums: Vec<&Json> = datums.as_array().into_iter().flatten().collect();
        let inner = |datum: &&Json| datum.as_object().and_then(|fields| fields.values().next()).cloned();
        let mut seen = HashSet::new();
        for datum in datums.iter().filter_map(inner) {
            let name = datum.get("refname").and_then(Json::as_str).unwrap_or("").to_owned();
            let twice = !name.is_empty() && !seen.insert(name.clone());
            if twice || is_given(&name) {
                self.scope.unsteady.insert(name.clone());
            }
            self.scope.names.push(name);
        }
        let mut assigned = HashSet::new();
        self.assigned(action, &mut assigned);
        let mut counters = HashSet::new();
        collect_counters(action, &mut counters);
        for datum in &datums {
            let Some(datum) = datum.get("PLpgSQL_var") else { continue };
            let name = datum.get("refname").and_then(Json::as_str).unwrap_or("").to_owned();
            if let Some(kind) = datum.pointer("/datatype/PLpgSQL_type/typname").and_then(Json::as_str) {
                let held = self.scope.types.entry(name.clone()).or_insert_with(|| kind.to_owned());
                if held != kind {
                    "of several types".clone_into(held);
                }
            }
            self.pl_line(datum);
            let Some(default) = datum.pointer("/default_val/PLpgSQL_expr") else {
                let plain = datum.get("lineno").is_some()
                    && datum.get("cursor_explicit_expr").is_none()
                    && !counters.contains(&name)
                    && !is_composite(datum, text);
                if plain && !self.scope.bound.contains_key(&name) {
                    self.bind(&name, Some(null()));
                }
                continue;
            };
            let value = self.pl_expr(default).and_then(|node| value_of(&node).cloned());
            // A block inside may declare it after others have changed.
            let moved =
                value.as_ref().is_none_or(|value| names_in(value).iter().any(|name| assigned.contains(name)));
            let value = value.filter(|_| !moved).map(|value| self.closed(&value));
            self.bind(&name, value.filter(|value| !has_columns(value)));
        }
    }

    /// Reads statements in order; `true` when nothing after them is reached.
    pub(super) fn pl_list(&mut self, statements: Option<&Json>) -> bool {
        statements.and_then(Json::as_array).into_iter().flatten().any(|statement| self.pl(statement))
    }

    /// Reads one statement; `true` when nothing after it is reached.
    fn pl(&mut self, json: &Json) -> bool {
        let Some((kind, value)) = json.as_object().and_then(|fields| fields.iter().next()) else {
            return false;
        };
        self.pl_line(value);
        match kind.as_str() {
            "PLpgSQL_stmt_block" => self.pl_block(value),
            "PLpgSQL_stmt_if" => self.pl_if(value),
            "PLpgSQL_stmt_case" => self.pl_case(value),
            "PLpgSQL_stmt_assign" => {
                self.pl_assign(value);
                false
            }
            "PLpgSQL_stmt_execsql" => {
                let query = value.pointer("/sqlstmt/PLpgSQL_expr").and_then(|expr| self.pl_expr(expr));
                self.pl_into(value, query.as_ref());
                false
            }
            "PLpgSQL_stmt_dynexecute" => {
                self.pl_dynamic(value.get("query"), value.get("params"));
                self.pl_into(value, None);
                false
            }
            "PLpgSQL_stmt_fors" => {
                let query = value.pointer("/query/PLpgSQL_expr").and_then(|expr| self.pl_expr(expr));
                self.pl_rows(value, query);
                false
            }
            "PLpgSQL_stmt_dynfors" => {
                let query = self.pl_dynamic(value.get("query"), value.get("params"));
                self.pl_rows(value, query);
                false
            }
            "PLpgSQL_stmt_forc" => {
                self.pl_parts(value, &["body", "var"]);
                let cursor = self.cursor_of(value);
                self.pl_rows(value, cursor.map(|query| query.as_ref().clone()));
                false
            }
            "PLpgSQL_stmt_foreach_a" => {
                self.pl_each(value);
                false
            }
            "PLpgSQL_stmt_fori" => {
                self.pl_count(value);
                false
            }
            "PLpgSQL_stmt_loop" | "PLpgSQL_stmt_while" => {
                self.pl_turns(value);
                false
            }
            "PLpgSQL_stmt_return_query" => {
                self.pl_parts(value, &["dynquery", "params"]);
                if value.get("dynquery").is_some() {
                    self.pl_dynamic(value.get("dynquery"), value.get("params"));
                }
                false
            }
            "PLpgSQL_stmt_open" => {
                self.pl_open(value);
                false
            }
            "PLpgSQL_stmt_fetch" => {
                self.pl_parts(value, &[]);
                let query = self.cursor_of(value);
                self.pl_into(value, query.as_deref());
                false
            }
            "PLpgSQL_stmt_return" => {
                self.pl_parts(value, &[]);
                true
            }
            "PLpgSQL_stmt_raise" => {
                self.pl_parts(value, &[]);
                value.get("elog_level").and_then(Json::as_i64).unwrap_or(0) >= ERROR
            }
            "PLpgSQL_stmt_exit" => {
                let condition = value.pointer("/cond/PLpgSQL_expr").and_then(|expr| self.pl_expr(expr));
                if is_continue(value) {
                    let condition = condition.as_ref().and_then(value_of).map(|node| self.closed(node));
                    self.guard(condition.map(not_true));
                }
                false
            }
            "PLpgSQL_stmt_call" => {
                let call = value.pointer("/expr/PLpgSQL_expr").and_then(|expr| self.pl_expr(expr));
                // Its output parameters change the variables that are given.
                let given = call.iter().flat_map(names_in).collect();
                self.unbind(&given);
                false
            }
            _ => {
                self.pl_parts(json, &[]);
                let mut changed = HashSet::new();
                self.assigned(json, &mut changed);
                self.unbind(&changed);
                false
            }
        }
    }

    /// Every expression below, in the fields that are not left out.
    pub(super) fn pl_parts(&mut self, json: &Json, except: &[&str]) {
        match json {
            Json::Array(parts) => parts.iter().for_each(|part| self.pl_parts(part, except)),
            Json::Object(fields) => {
                for (name, value) in fields {
                    if name == "PLpgSQL_expr" {
                        self.pl_expr(value);
                    } else if !except.contains(&name.as_str()) {
                        self.pl_parts(value, except);
                    }
                }
            }
            _ => {}
        }
    }

    fn pl_block(&mut self, value: &Json) -> bool {
        let Some(caught) = value.get("exceptions") else { return self.pl_list(value.get("body")) };
        let mut changed = HashSet::new();
        self.assigned(value, &mut changed);
        self.pl_list(value.get("body"));
        self.unbind(&changed);
        let before = self.scope.bound.clone();
        let handlers = caught.pointer("/PLpgSQL_exception_block/exc_list").and_then(Json::as_array);
        for handler in handlers.into_iter().flatten() {
            self.pl_list(handler.pointer("/PLpgSQL_exception/action"));
            self.scope.bound.clone_from(&before);
            self.unbind(&changed);
        }
        false
    }

    /// Branches whose condition is known are taken or left; of the others all are read.
    fn pl_if(&mut self, value: &Json) -> bool {
        let mut branches = vec![(value.get("cond"), value.get("then_body"))];
        for part in value.get("elsif_list").and_then(Json::as_array).into_iter().flatten() {
            let part = part.get("PLpgSQL_if_elsif").unwrap_or(&Json::Null);
            branches.push((part.get("cond"), part.get("stmts")));
        }
        let before = self.scope.bound.clone();
        let mut after: Vec<HashMap<String, Arc<Node>>> = Vec::new();
        let mut decided = false;
        let (mut passed, mut skipped) = (Vec::new(), Vec::new());
        for (condition, body) in branches {
            let condition = condition.and_then(|condition| condition.get("PLpgSQL_expr"));
            let node = condition.and_then(|condition| self.pl_expr(condition));
            let truth = node.as_ref().and_then(value_of).and_then(|node| self.exact_constant(node));
            if matches!(truth, Some(Value::Bool(false) | Value::Null)) {
                continue;
            }
            let condition = node.as_ref().and_then(value_of).map(|condition| self.closed(condition));
            let kept = self.guards.len();
            self.guard(condition.clone());
            let ends = self.pl_list(body);
            self.guards.truncate(kept);
            passed.push(condition.clone().map(not_true));
            if turns_back(body) {
                skipped.push(condition.map(not_true));
            }
            let left = std::mem::replace(&mut self.scope.bound, before.clone());
            if !ends {
                after.push(left);
            }
            if truth == Some(Value::Bool(true)) {
                decided = true;
                break;
            }
        }
        if !decided {
            let kept = self.guards.len();
            passed.into_iter().for_each(|guard| self.guard(guard));
            let ends = self.pl_list(value.get("else_body"));
            self.guards.truncate(kept);
            let left = std::mem::replace(&mut self.scope.bound, before);
            if !ends {
                after.push(left);
            }
        }
        skipped.into_iter().for_each(|guard| self.guard(guard));
        self.merge_paths(after)
    }

    /// From here on, a condition holds; it counts when it is about the rows of a loop.
    fn guard(&mut self, condition: Option<Node>) {
        let of_loop = |condition: &Node| {
            names_in(condition)
                .iter()
                .any(|name| self.loops.iter().any(|rows| rows.record == *name || rows.names.contains(name)))
        };
        if let Some(condition) = condition.filter(of_loop) {
            self.guards.push(condition);
        }
    }

    fn pl_case(&mut self, value: &Json) -> bool {
        if let Some(subject) = value.get("t_expr") {
            self.pl_parts(subject, &[]);
        }
        let before = self.scope.bound.clone();
        let mut after = Vec::new();
        let mut bodies = Vec::new();
        for when in value.get("case_when_list").and_then(Json::as_array).into_iter().flatten() {
            let when = when.get("PLpgSQL_case_when").unwrap_or(&Json::Null);
            self.pl_parts(when.get("expr").unwrap_or(&Json::Null), &[]);
            bodies.push(when.get("stmts"));
        }
        bodies.push(value.get("else_stmts"));
        for body in bodies {
            let ends = self.pl_list(body);
            let left = std::mem::replace(&mut self.scope.bound, before.clone());
            if !ends {
                after.push(left);
            }
        }
        self.merge_paths(after)
    }

    /// What is known after any of several paths; `true` when there is none.
    fn merge_paths(&mut self, mut paths: Vec<HashMap<String, Arc<Node>>>) -> bool {
        let Some(mut merged) = paths.pop() else { return true };
        merged.retain(|name, _| paths.iter().all(|path| path.contains_key(name)));
        for (name, value) in &mut merged {
            let mut others: Vec<&Arc<Node>> = Vec::new();
            for path in &paths {
                if let Some(other) = path.get(name)
                    && other != value
                    && !others.contains(&other)
                {
                    others.push(other);
                }
            }
            for other in others {
                *value = Arc::new(either(other.as_ref().clone(), value.as_ref().clone()));
            }
        }
        self.scope.bound = merged;
        false
    }

    fn pl_assign(&mut self, value: &Json) {
        let node = value.pointer("/expr/PLpgSQL_expr").and_then(|expr| self.pl_expr(expr));
        let Some(node) = node.filter(|node| node.kind.eq_ignore_ascii_case("PlAssignStmt")) else {
            let mut changed = HashSet::new();
            self.assigned(value, &mut changed);
            self.unbind(&changed);
            return;
        };
        let path: Vec<&str> = std::iter::once(node.text("name")).chain(node.strings("indirection")).collect();
        let name = path.join(".");
        let indexed = node.nodes("indirection").any(|part| part.kind != "String");
        let assigned = node.node("val");
        let plain = assigned.is_some_and(|select| !select.has("from_clause") && !select.has("larg"));
        let held = assigned
            .filter(|_| !indexed)
            .and_then(|select| if plain { value_of(select).cloned() } else { Some(scalar(select.clone())) })
            .map(|held| self.closed(&held))
            .filter(|held| !has_columns(held) || self.loops_hold(held));
        if path.len() == 1 || indexed {
            self.unbind(&HashSet::from([node.text("name").to_owned()]));
        } else if let Some(of_block) = self.numbered(value.get("varno")).filter(|name| !name.is_empty()) {
            // `outer.v := ..`, by the label of its block.
            self.bind(&of_block, held);
            return;
        }
        self.bind(&name, held);
    }

    /// Whether all columns are those of the loops around.
    fn loops_hold(&self, node: &Node) -> bool {
        let mut all = true;
        node.walk(&mut |part| {
            if part.kind == "ColumnRef" {
                let path = part.strings("fields");
                all &= self.loops.iter().any(|held| match path.as_slice() {
                    [record, _] => held.record == *record,
                    [name] => held.names.iter().any(|held| held == name),
                    _ => false,
                });
            }
            part.kind != "SubLink"
        });
        all
    }

    /// `INTO`: the variables hold what the query puts out.
    fn pl_into(&mut self, value: &Json, query: Option<&Node>) {
        let Some(into) = value.get("target").or_else(|| value.get("rec")).or_else(|| value.get("row")) else {
            return;
        };
        let mut changed = HashSet::new();
        self.assigned(value, &mut changed);
        let query = query.filter(|query| query.kind == "SelectStmt").map(|query| self.closed(query));
        self.unbind(&changed);
        let Some(query) = query else { return };
        let targets: Vec<&Node> = query.nodes("target_list").collect();
        let single = |at: usize| -> Option<Node> {
            let target = targets.get(at)?;
            if query.has("larg") || query.has("values_lists") {
                return (targets.len() <= 1).then(|| scalar(query.clone()));
            }
            if !query.has("from_clause") && !query.has("where_clause") && !query.has("with_clause") {
                return target.node("val").cloned();
            }
            let mut only = query.clone();
            only.set("target_list", tree::Value::List(vec![tree::Value::Node((*target).clone())]));
            Some(scalar(only))
        };
        if let Some(record) = into.pointer("/PLpgSQL_rec/refname").and_then(Json::as_str) {
            let fields: Vec<(String, Option<Node>)> = targets
                .iter()
                .enumerate()
                .map(|(at, target)| (crate::catalogue::output_name(target), single(at)))
                .collect();
            for (field, held) in fields {
                if field != "*" && !field.is_empty() {
                    self.bind(&format!("{record}.{field}"), held);
                }
            }
            // Of `SELECT *`, each field that the body asks for.
            let all = targets.iter().any(|target| {
                target
                    .node("val")
                    .is_some_and(|value| value.nodes("fields").any(|field| field.kind == "AStar"))
            });
            if all && !query.has("larg") {
                for field in self.fields_of(record) {
                    let mut only = query.clone();
                    only.set(
                        "target_list",
                        tree::Value::List(vec![target(&field, Node::of_name(&[&field]))]),
                    );
                    self.bind(&format!("{record}.{field}"), Some(scalar(only)));
                }
            }
            return;
        }
        let names: Vec<String> = match into.pointer("/PLpgSQL_row/fields").and_then(Json::as_array) {
            Some(fields) => fields
                .iter()
                .map(|field| field.get("name").and_then(Json::as_str).unwrap_or("").to_owned())
                .collect(),
            None => into
                .pointer("/PLpgSQL_var/refname")
                .and_then(Json::as_str)
                .map(str::to_owned)
                .into_iter()
                .collect(),
        };
        if names.len() != targets.len() && !query.has("larg") {
            return;
        }
        for (at, name) in names.iter().enumerate() {
            self.bind(name, single(at));
        }
    }

    /// The fields of a record that the body names.
    fn fields_of(&self, record: &str) -> Vec<String> {
        let mut fields = Vec::new();
        let wanted = format!("{record}.");
        for (at, _) in self.body_text.match_indices(&wanted) {
            let starts = self
                .body_text
                .get(..at)
                .and_then(|before| before.chars().next_back())
                .is_none_or(|before| !before.is_alphanumeric() && before != '_' && before != '.');
            let rest = self.body_text.get(at + wanted.len()..).unwrap_or("");
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let field = rest.get(..end).unwrap_or("").to_ascii_lowercase();
            if starts && !field.is_empty() && !fields.contains(&field) && fields.len() < 16 {
                fields.push(field);
            }
        }
        fields
    }

    /// Reads SQL that is put together; gives the query when it is one that is known.
    fn pl_dynamic(&mut self, query: Option<&Json>, parameters: Option<&Json>) -> Option<Node> {
        let mut given: Given = Vec::new();
        let mut using: Vec<(String, Arc<Node>)> = Vec::new();
        for (at, parameter) in parameters.and_then(Json::as_array).into_iter().flatten().enumerate() {
            let node = parameter.get("PLpgSQL_expr").and_then(|expr| self.pl_expr(expr));
            if let Some(value) = node.as_ref().and_then(value_of) {
                using.push((format!("${}", at + 1), Arc::new(self.closed(value))));
            }
        }
        let expr = query?.get("PLpgSQL_expr")?;
        let text = expr.get("query").and_then(Json::as_str).unwrap_or("").to_owned();
        let node = self.pl_expr(expr)?;
        let found = value_of(&node).ok_or(Open::Elsewhere).and_then(|value| self.texts(value, &mut given));
        let texts = match found {
            Ok(texts) => texts,
            Err(open) => {
                self.kind(Kind::Unknown);
                let (why, instead) = match open {
                    Open::Unquoted => (
                        "EXECUTE runs SQL put together from a value that is not quoted; use %I or %L",
                        "put names in by format's %I, and values by %L or by USING",
                    ),
                    Open::Elsewhere => (
                        "EXECUTE runs SQL that is put together while it runs, so what it does is not known before",
                        "write the statement out instead of putting it together",
                    ),
                };
                self.at_part(&text, |this| this.find(Hazard::DynamicSql, None, &text, why, instead));
                return None;
            }
        };
        given.extend(using);
        let scope = Scope { bound: given.iter().cloned().collect(), ..Scope::default() };
        self.at_part(&text, |this| {
            let outer = std::mem::replace(&mut this.scope, scope);
            let parameters = std::mem::take(&mut this.parameters);
            let exact = std::mem::replace(&mut this.exact, false);
            for text in &texts {
                this.read_text(text);
            }
            this.exact = exact;
            this.parameters = parameters;
            this.scope = outer;
        });
        let [text] = texts.as_slice() else { return None };
        let parsed = pg_query::parse(text, 0).ok()?;
        let node = Node::of(parsed.protobuf.stmts.first()?.stmt.as_ref()?.as_ref())?;
        Some(node.replaced(&mut |part| {
            (part.kind == "ParamRef")
                .then(|| format!("${}", part.int("number")))
                .and_then(|key| given.iter().find(|(held, _)| *held == key))
                .map(|(_, value)| value.as_ref().clone())
        }))
    }

    fn pl_open(&mut self, value: &Json) {
        self.pl_parts(value, &["dynquery", "params"]);
        let name = self.numbered(value.get("curvar"));
        let query = if value.get("dynquery").is_some() {
            self.pl_dynamic(value.get("dynquery"), value.get("params"))
        } else {
            let text = value.pointer("/query/PLpgSQL_expr/query").and_then(Json::as_str);
            text.and_then(|text| parsed(text, 0)).map(|query| self.closed(&query))
        };
        if let Some((name, query)) = name.zip(query) {
            self.cursors.insert(name, Arc::new(query));
        }
    }

    fn numbered(&self, number: Option<&Json>) -> Option<String> {
        let number = number?.as_u64().and_then(|number| usize::try_from(number).ok())?;
        self.scope.names.get(number).cloned()
    }

    fn cursor_of(&self, value: &Json) -> Option<Arc<Node>> {
        if let Some(query) = self.numbered(value.get("curvar")).and_then(|name| self.cursors.get(&name)) {
            return Some(Arc::clone(query));
        }
        // With one cursor declared it is that one.
        if self.cursors.len() == 1 { self.cursors.values().next().cloned() } else { None }
    }

    /// The variables that a statement changes.
    pub(super) fn assigned(&self, json: &Json, into: &mut HashSet<String>) {
        match json {
            Json::Array(parts) => parts.iter().for_each(|part| self.assigned(part, into)),
            Json::Object(fields) => {
                for (name, value) in fields {
                    match name.as_str() {
                        "varno" => into.extend(self.numbered(Some(value))),
                        "PLpgSQL_diag_item" => into.extend(self.numbered(value.get("target"))),
                        "PLpgSQL_rec" | "PLpgSQL_var" => {
                            into.extend(value.get("refname").and_then(Json::as_str).map(str::to_owned));
                        }
                        "PLpgSQL_row" => {
                            let fields = value.get("fields").and_then(Json::as_array);
                            for field in fields.into_iter().flatten() {
                                let name = field.get("name").and_then(Json::as_str).unwrap_or("");
                                into.insert(name.split('.').next().unwrap_or("").to_owned());
                            }
                            self.assigned(value, into);
                        }
                        "PLpgSQL_stmt_assign" => {
                            let text = value.pointer("/expr/PLpgSQL_expr/query").and_then(Json::as_str);
                            let name: String = text
                                .unwrap_or("")
                                .chars()
                                .take_while(|c| c.is_alphanumeric() || *c == '_')
                                .collect();
                            into.insert(name.to_lowercase());
                            into.extend(self.numbered(value.get("varno")));
                        }
                        "PLpgSQL_stmt_call" => {
                            let text = value.pointer("/expr/PLpgSQL_expr/query").and_then(Json::as_str);
                            into.extend(text.and_then(|text| parsed(text, 0)).iter().flat_map(names_in));
                        }
                        _ => self.assigned(value, into),
                    }
                }
            }
            _ => {}
        }
    }

    /// Reads an expression or statement of the body.
    pub(super) fn pl_expr(&mut self, value: &Json) -> Option<Node> {
        let text = value.get("query").and_then(Json::as_str).unwrap_or("");
        let mode = value.get("parseMode").and_then(Json::as_i64).unwrap_or(0);
        let Some(node) = parsed(text, mode) else {
            self.kind(Kind::Unknown);
            self.at_part(text, |this| {
                this.find(
                    Hazard::UnknownStatement,
                    None,
                    text,
                    "this part of the PL/pgSQL cannot be parsed",
                    "check it for errors",
                );
            });
            return None;
        };
        self.at_part(text, |this| match node.kind {
            "PlassignStmt" | "PlAssignStmt" | "PLAssignStmt" => this.scan(&node, None),
            "SelectStmt" if mode == 2 => this.scan(&node, None),
            _ => {
                let outer = this.own_text.replace(text.to_owned());
                this.statement(&node, &[]);
                this.own_text = outer;
            }
        });
        Some(node)
    }
}

/// Parses a part of a body by the rule that PL/pgSQL says.
pub(super) fn parsed(text: &str, mode: i64) -> Option<Node> {
    let options = match mode {
        0 => pg_query::ParserOptions::DEFAULT,
        2 => pg_query::ParserOptions::PLPGSQL_EXPR,
        3 => pg_query::ParserOptions::PLPGSQL_ASSIGN1,
        4 => pg_query::ParserOptions::PLPGSQL_ASSIGN2,
        _ => pg_query::ParserOptions::PLPGSQL_ASSIGN3,
    };
    let parsed = pg_query::parse(text, options).ok()?;
    Node::of(parsed.protobuf.stmts.first()?.stmt.as_ref()?.as_ref())
}

/// The expression that `SELECT expression` holds, when that is all.
pub(super) fn value_of(select: &Node) -> Option<&Node> {
    if select.has("from_clause") {
        return None;
    }
    select.nodes("target_list").next()?.node("val")
}

/// `CONTINUE` of the loop around, not of one further out.
fn is_continue(exit: &Json) -> bool {
    exit.get("is_exit").and_then(Json::as_bool) != Some(true) && exit.get("label").is_none()
}

/// Whether a branch ends in `CONTINUE`, so that its rows do not come to what follows.
fn turns_back(body: Option<&Json>) -> bool {
    body.and_then(Json::as_array)
        .and_then(|statements| statements.last())
        .and_then(|last| last.get("PLpgSQL_stmt_exit"))
        .is_some_and(|exit| is_continue(exit) && exit.get("cond").is_none())
}

fn not_true(condition: Node) -> Node {
    Node::new(
        "BooleanTest",
        vec![("arg", tree::Value::Node(condition)), ("booltesttype", tree::Value::Int(2))],
    )
}

/// The first parts of the names in an expression.
pub(super) fn names_in(node: &Node) -> HashSet<String> {
    let mut names = HashSet::new();
    node.walk(&mut |part| {
        if part.kind == "ColumnRef" {
            names.extend(part.strings("fields").first().map(|name| (*name).to_owned()));
        }
        true
    });
    names
}

/// Whether a variable is a row: its type is written with `%ROWTYPE`, or is the name of a table.
fn is_composite(datum: &Json, text: &str) -> bool {
    let kind = datum.pointer("/datatype/PLpgSQL_type/typname").and_then(Json::as_str).unwrap_or("");
    kind.to_ascii_lowercase().ends_with("%rowtype")
        || text.to_ascii_lowercase().contains(&format!("{}%rowtype", kind.to_ascii_lowercase()))
}

/// Variables that PostgreSQL sets by itself.
fn is_given(name: &str) -> bool {
    matches!(name, "found" | "sqlstate" | "sqlerrm" | "new" | "old")
        || name.starts_with("tg_")
        || name.starts_with("__Case")
        || name.starts_with('(')
}

/// The variables that `FOR i IN 1..10` brings with it.
fn collect_counters(json: &Json, into: &mut HashSet<String>) {
    match json {
        Json::Array(parts) => parts.iter().for_each(|part| collect_counters(part, into)),
        Json::Object(fields) => {
            for (name, value) in fields {
                if name == "PLpgSQL_stmt_fori"
                    && let Some(name) = value.pointer("/var/PLpgSQL_var/refname").and_then(Json::as_str)
                {
                    into.insert(name.to_owned());
                }
                collect_counters(value, into);
            }
        }
        _ => {}
    }
}

/// The cursors that PL/pgSQL declares with their queries.
fn collect_cursors(json: &Json, into: &mut HashMap<String, Arc<Node>>) {
    match json {
        Json::Array(parts) => parts.iter().for_each(|part| collect_cursors(part, into)),
        Json::Object(fields) => {
            let name = fields.get("refname").and_then(Json::as_str);
            let text = fields
                .get("cursor_explicit_expr")
                .and_then(|expr| expr.pointer("/PLpgSQL_expr/query"))
                .and_then(Json::as_str);
            if let (Some(name), Some(text)) = (name, text)
                && let Some(node) = parsed(text, 0)
            {
                into.insert(name.to_owned(), Arc::new(node));
            }
            fields.values().for_each(|value| collect_cursors(value, into));
        }
        _ => {}
    }
}

/// The names that PL/pgSQL declares.
fn collect_variables(json: &Json, into: &mut HashSet<String>) {
    match json {
        Json::Array(parts) => parts.iter().for_each(|part| collect_variables(part, into)),
        Json::Object(fields) => {
            for (name, value) in fields {
                if matches!(name.as_str(), "PLpgSQL_var" | "PLpgSQL_rec" | "PLpgSQL_row")
                    && let Some(name) = value.get("refname").and_then(Json::as_str)
                {
                    into.insert(name.to_owned());
                }
                collect_variables(value, into);
            }
        }
        _ => {}
    }
}
