//! Bodies: functions, procedures, `DO` blocks, and SQL that is run as text.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value as Json;

use super::{Analyzer, DEEPEST_CALL, Loop};
use crate::bounds::{Lower, Value, evaluate_constant};
use crate::catalogue::Function;
use crate::facts::{Hazard, Kind, Trust};
use crate::tree::Node;

impl Analyzer<'_> {
    pub(super) fn create_function(&mut self, node: &Node) {
        self.verb(if node.flag("is_procedure") { "CREATE PROCEDURE" } else { "CREATE FUNCTION" });
        let name = node.strings("funcname").join(".");
        let temporary = node.strings("funcname").first().is_some_and(|schema| schema.starts_with("pg_temp"));
        self.kind(if temporary { Kind::Temporary } else { Kind::Ddl });
        for option in node.nodes("options") {
            match option.text("defname") {
                "security"
                    if option.node("arg").is_some_and(|arg| arg.flag("boolval") || arg.int("ival") != 0) =>
                {
                    self.find(
                        Hazard::Privilege,
                        None,
                        &name,
                        "a SECURITY DEFINER function lends its owner's privileges to whoever may call it",
                        "leave out SECURITY DEFINER, or have the database's team create the function",
                    )
                }
                "set" => {
                    if let Some(setting) = option.node("arg") {
                        self.set(setting);
                    }
                }
                _ => {}
            }
        }
        let text = self.statement_text();
        let mut made = crate::catalogue::Catalogue::default();
        let home = self.session.search_path.first().cloned().unwrap_or_else(|| "public".to_owned());
        made.apply(node, &text, &home);
        let last = node.strings("funcname").last().map(|name| (*name).to_owned()).unwrap_or_default();
        let functions: Vec<Arc<Function>> = made.functions_named(None, &last).cloned().collect();
        for function in &functions {
            match function.language.as_str() {
                "sql" | "plpgsql" | "plv8" => {}
                "c" | "internal" => self.find(
                    Hazard::LoadCode,
                    None,
                    &name,
                    "a function in C loads code into the server",
                    "write it in SQL or PL/pgSQL",
                ),
                other => self.find(
                    Hazard::Program,
                    None,
                    &name,
                    format!("a function in {other} can reach files, programs and the network of the server"),
                    "write it in SQL or PL/pgSQL",
                ),
            }
        }
        // Only parameters' defaults run at once.
        for parameter in node.nodes("parameters") {
            self.scan(parameter, None);
        }
        self.read_functions(&last, &functions, None);
        self.session.made.apply(node, &text, &home);
        self.changed();
    }

    /// Reads the bodies of functions that are called, or will be.
    pub(super) fn read_functions(
        &mut self,
        name: &str,
        functions: &[Arc<Function>],
        at: Option<&Node>,
    ) -> Trust {
        let mut trust = Trust::Read;
        for function in functions {
            if function.aggregate {
                continue;
            }
            let mark = format!("function {name}");
            if self.reading.contains(&mark) {
                continue;
            }
            if self.reading.len() >= DEEPEST_CALL {
                self.find(
                    Hazard::UnknownFunction,
                    at,
                    name,
                    "functions call each other too deeply to be read",
                    "call the inner functions directly",
                );
                return Trust::Unknown;
            }
            self.reading.push(mark.clone());
            let kept = self.facts.findings.len();
            match function.language.as_str() {
                "sql" => self.body_in_sql(function, mark),
                "plpgsql" => self.body_in_plpgsql(function, mark),
                _ if !function.volatile => {}
                _ => {
                    let known = crate::functions::classify(name, 0);
                    if known == crate::functions::Class::Unknown && at.is_some() {
                        self.find(
                            Hazard::UnknownFunction,
                            at,
                            name,
                            format!("{name} is written in {}, which cannot be read here", function.language),
                            "run the statements that it stands for",
                        );
                        trust = Trust::Unknown;
                    }
                }
            }
            if !function.volatile {
                // PostgreSQL itself refuses writes there; text put together only reads.
                let mut seen = 0;
                self.facts.findings.retain(|finding| {
                    seen += 1;
                    seen <= kept || finding.hazard != Hazard::DynamicSql
                });
            }
            self.reading.pop();
        }
        trust
    }

    fn body_in_sql(&mut self, function: &Function, mark: String) {
        let variables = function.arguments.iter().filter(|name| !name.is_empty()).cloned().collect();
        self.in_body(mark, variables, |this| match &function.parsed {
            Some(body) => {
                let mut statements = Vec::new();
                body.walk(&mut |part| {
                    if part.kind.ends_with("Stmt") {
                        statements.push(part);
                        return false;
                    }
                    true
                });
                for statement in statements {
                    this.statement(statement, &[]);
                }
            }
            None => this.read_text(&function.body),
        });
    }

    fn body_in_plpgsql(&mut self, function: &Function, mark: String) {
        self.in_body(mark, HashSet::new(), |this| {
            let parsed = pg_query::parse_plpgsql(&function.text)
                .or_else(|_| pg_query::parse_plpgsql(&stand_in(function, "record")))
                .or_else(|_| pg_query::parse_plpgsql(&stand_in(function, "SETOF record")))
                .or_else(|_| pg_query::parse_plpgsql(&stand_in(function, "void")));
            this.parsed_plpgsql(parsed);
        });
    }

    fn in_body(&mut self, mark: String, variables: HashSet<String>, read: impl FnOnce(&mut Self)) {
        let variables = std::mem::replace(&mut self.variables, variables);
        let parameters = std::mem::take(&mut self.parameters);
        let loops = std::mem::take(&mut self.loops);
        let in_loop = std::mem::replace(&mut self.in_loop, false);
        let cursors = std::mem::take(&mut self.cursors);
        let session = self.session.clone();
        self.inside(mark, read);
        self.session = session;
        self.cursors = cursors;
        self.in_loop = in_loop;
        self.loops = loops;
        self.parameters = parameters;
        self.variables = variables;
    }

    pub(super) fn block(&mut self, node: &Node) {
        self.verb("DO");
        let language = node
            .nodes("args")
            .find(|option| option.text("defname") == "language")
            .map(super::option_text)
            .unwrap_or_else(|| "plpgsql".to_owned());
        if language != "plpgsql" {
            self.kind(Kind::Unknown);
            self.find(
                Hazard::Program,
                None,
                "DO",
                format!("a block in {language} can do anything"),
                "write the block in PL/pgSQL",
            );
            return;
        }
        let text = self.statement_text();
        self.in_body("DO block".to_owned(), HashSet::new(), |this| {
            let parsed = pg_query::parse_plpgsql(&text)
                .or_else(|_| pg_query::parse_plpgsql(&without_row_types(&text)));
            this.parsed_plpgsql(parsed);
        });
    }

    /// Parses and reads SQL given as text.
    pub(super) fn read_text(&mut self, text: &str) {
        let parsed = match pg_query::parse(text, 0) {
            Ok(parsed) => parsed,
            Err(_) => {
                self.kind(Kind::Unknown);
                self.find(
                    Hazard::DynamicSql,
                    None,
                    "",
                    "the SQL in it cannot be parsed",
                    "run the SQL directly",
                );
                return;
            }
        };
        for raw in &parsed.protobuf.stmts {
            if let Some(node) = raw.stmt.as_ref().and_then(|stmt| Node::of(stmt.as_ref())) {
                let start = usize::try_from(raw.stmt_location).unwrap_or(0);
                let length = usize::try_from(raw.stmt_len).unwrap_or(0);
                let end = if length == 0 { text.len() } else { start.saturating_add(length) };
                let outer = self.own_text.replace(text.get(start..end).unwrap_or("").to_owned());
                self.statement(&node, &[]);
                self.own_text = outer;
            }
        }
    }

    fn parsed_plpgsql(&mut self, parsed: Result<Json, pg_query::Error>) {
        match parsed {
            Ok(parsed) => {
                collect_variables(&parsed, &mut self.variables);
                collect_cursors(&parsed, &mut self.cursors);
                self.pl(&parsed);
            }
            Err(_) => {
                self.kind(Kind::Unknown);
                self.find(
                    Hazard::UnknownStatement,
                    None,
                    "PL/pgSQL",
                    "this PL/pgSQL cannot be parsed",
                    "check the block for errors, or run its statements one by one",
                );
            }
        }
    }

    /// Walks PL/pgSQL's tree; every expression in it is SQL.
    fn pl(&mut self, json: &Json) {
        match json {
            Json::Array(parts) => parts.iter().for_each(|part| self.pl(part)),
            Json::Object(fields) => {
                for (name, value) in fields {
                    match name.as_str() {
                        "PLpgSQL_expr" => self.pl_expr(value),
                        "PLpgSQL_stmt_dynexecute"
                        | "PLpgSQL_stmt_dynfors"
                        | "PLpgSQL_stmt_return_query"
                        | "PLpgSQL_stmt_open"
                        | "PLpgSQL_stmt_forc" => {
                            self.pl_dynamic(name, value);
                        }
                        "PLpgSQL_stmt_fors" => self.pl_loop(value),
                        "PLpgSQL_stmt_loop"
                        | "PLpgSQL_stmt_while"
                        | "PLpgSQL_stmt_fori"
                        | "PLpgSQL_stmt_foreach_a" => {
                            let outer = std::mem::replace(&mut self.in_loop, true);
                            self.pl(value);
                            self.in_loop = outer;
                        }
                        _ => self.pl(value),
                    }
                }
            }
            _ => {}
        }
    }

    fn pl_dynamic(&mut self, statement: &str, value: &Json) {
        let key = match statement {
            "PLpgSQL_stmt_return_query" | "PLpgSQL_stmt_open" => "dynquery",
            _ => "query",
        };
        let Some(fields) = value.as_object() else { return };
        if statement == "PLpgSQL_stmt_forc" {
            // The tree names the cursor by number only: with one cursor declared it is that one.
            let query = if self.cursors.len() == 1 { self.cursors.values().next().cloned() } else { None };
            let record = value.pointer("/var/PLpgSQL_rec/refname").and_then(Json::as_str);
            let pushed = query.zip(record).map(|(query, record)| {
                self.loops.push(Loop { record: record.to_owned(), names: Vec::new(), query });
            });
            let outer = std::mem::replace(&mut self.in_loop, true);
            self.pl(value);
            self.in_loop = outer;
            if pushed.is_some() {
                self.loops.pop();
            }
            return;
        }
        for (name, part) in fields {
            if name != key {
                self.pl(part);
                continue;
            }
            let text = part.pointer("/PLpgSQL_expr/query").and_then(Json::as_str).unwrap_or("");
            match self.folded(text) {
                Some(sql) => {
                    let parameters = std::mem::take(&mut self.parameters);
                    self.read_text(&sql);
                    self.parameters = parameters;
                }
                None => {
                    self.kind(Kind::Unknown);
                    self.find(
                        Hazard::DynamicSql,
                        None,
                        text,
                        "EXECUTE runs SQL that is put together while it runs, so what it does is not known before",
                        "write the statement out instead of putting it together",
                    );
                    // Functions in the text are called all the same.
                    self.pl_expr(&serde_json::json!({ "query": text, "parseMode": 2 }));
                }
            }
        }
    }

    /// The text that a constant PL/pgSQL expression yields.
    fn folded(&self, text: &str) -> Option<String> {
        let parsed = pg_query::parse(text, pg_query::ParserOptions::PLPGSQL_EXPR).ok()?;
        let node = Node::of(parsed.protobuf.stmts.first()?.stmt.as_ref()?.as_ref())?;
        let value = node.nodes("target_list").next()?.node("val")?;
        if let Some(text) = self.formatted(value) {
            return Some(text);
        }
        let mut lower = Lower::new(self.world(), Vec::new());
        let expr = lower.expr(value);
        match evaluate_constant(&expr)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// `format('.. %I ..', 'name')` with constants only.
    fn formatted(&self, value: &Node) -> Option<String> {
        if value.kind != "FuncCall" || value.strings("funcname").last() != Some(&"format") {
            return None;
        }
        let mut arguments = value.nodes("args").map(|argument| self.constant_text(argument));
        let template = arguments.next()??;
        let mut text = String::new();
        let mut letters = template.chars();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                text.push(letter);
                continue;
            }
            match letters.next()? {
                '%' => text.push('%'),
                's' => text.push_str(&arguments.next()??),
                'I' => text.push_str(&format!("\"{}\"", arguments.next()??.replace('"', "\"\""))),
                'L' => text.push_str(&format!("'{}'", arguments.next()??.replace('\'', "''"))),
                _ => return None,
            }
        }
        Some(text)
    }

    fn pl_loop(&mut self, value: &Json) {
        let text = value.pointer("/query/PLpgSQL_expr/query").and_then(Json::as_str).unwrap_or("");
        let query = pg_query::parse(text, 0).ok().and_then(|parsed| {
            let raw = parsed.protobuf.stmts.first()?;
            Node::of(raw.stmt.as_ref()?.as_ref())
        });
        if let Some(expr) = value.pointer("/query/PLpgSQL_expr") {
            self.pl_expr(expr);
        }
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
        let outer = std::mem::replace(&mut self.in_loop, true);
        let hidden: Vec<String> = names.iter().filter(|name| self.variables.remove(*name)).cloned().collect();
        let pushed = query.filter(|query| query.kind == "SelectStmt").map(|query| {
            self.loops.push(Loop { record, names, query: Arc::new(query) });
        });
        if let Some(body) = value.get("body") {
            self.pl(body);
        }
        if pushed.is_some() {
            self.loops.pop();
        }
        self.variables.extend(hidden);
        self.in_loop = outer;
    }

    fn pl_expr(&mut self, value: &Json) {
        let text = value.get("query").and_then(Json::as_str).unwrap_or("");
        let mode = value.get("parseMode").and_then(Json::as_i64).unwrap_or(0);
        let options = match mode {
            0 => pg_query::ParserOptions::DEFAULT,
            2 => pg_query::ParserOptions::PLPGSQL_EXPR,
            3 => pg_query::ParserOptions::PLPGSQL_ASSIGN1,
            4 => pg_query::ParserOptions::PLPGSQL_ASSIGN2,
            _ => pg_query::ParserOptions::PLPGSQL_ASSIGN3,
        };
        let Ok(parsed) = pg_query::parse(text, options) else {
            self.kind(Kind::Unknown);
            self.find(
                Hazard::UnknownStatement,
                None,
                text,
                "this part of the PL/pgSQL cannot be parsed",
                "check it for errors",
            );
            return;
        };
        for raw in &parsed.protobuf.stmts {
            if let Some(node) = raw.stmt.as_ref().and_then(|stmt| Node::of(stmt.as_ref())) {
                match node.kind {
                    "PlassignStmt" | "PlAssignStmt" | "PLAssignStmt" => self.scan(&node, None),
                    "SelectStmt" if mode == 2 => self.scan(&node, None),
                    _ => {
                        let outer = self.own_text.replace(text.to_owned());
                        self.statement(&node, &[]);
                        self.own_text = outer;
                    }
                }
            }
        }
    }
}

/// The same body under a header that the parser takes: it writes broken JSON for trigger functions, and does not know the
/// fields of a `%ROWTYPE`.
fn stand_in(function: &Function, returns: &str) -> String {
    let mut delimiter = "$body$".to_owned();
    while function.body.contains(&delimiter) {
        delimiter.insert(1, 'x');
    }
    let mut parameters: Vec<String> = function
        .arguments
        .iter()
        .filter(|name| !name.is_empty())
        .map(|name| format!("\"{}\" record", name.replace('"', "\"\"")))
        .collect();
    for given in [
        "new",
        "old",
        "tg_op",
        "tg_name",
        "tg_when",
        "tg_level",
        "tg_relid",
        "tg_relname",
        "tg_table_name",
        "tg_table_schema",
        "tg_nargs",
        "tg_argv",
        "tg_event",
        "tg_tag",
    ] {
        if !function.arguments.iter().any(|name| name == given) {
            parameters.push(format!("{given} record"));
        }
    }
    format!(
        "CREATE FUNCTION f({}) RETURNS {returns} LANGUAGE plpgsql AS {delimiter}{}{delimiter}",
        parameters.join(", "),
        without_row_types(&function.body)
    )
}

fn without_row_types(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = lower.get(at..).and_then(|rest| rest.find("%rowtype")) {
        out.push_str(text.get(at..at + found).unwrap_or(""));
        at += found + "%rowtype".len();
    }
    out.push_str(text.get(at..).unwrap_or(""));
    out
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
                && let Ok(parsed) = pg_query::parse(text, 0)
                && let Some(node) =
                    parsed.protobuf.stmts.first().and_then(|raw| Node::of(raw.stmt.as_ref()?.as_ref()))
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
