//! Bodies: functions, procedures, `DO` blocks, and SQL that is run as text.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use regex::{Captures, Regex};
use serde_json::Value as Json;

use super::calls::Arguments;
use super::scope::Scope;
use super::{Analyzer, Body, DEEPEST_CALL};
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
        self.read_functions(&last, &functions, None, None);
        self.session.made.apply(node, &text, &home);
        self.changed();
    }

    /// Reads the bodies of functions that are called, or will be.
    pub(super) fn read_functions(
        &mut self,
        name: &str,
        functions: &[Arc<Function>],
        at: Option<&Node>,
        root: Option<&Node>,
    ) -> Trust {
        let whole = (self.start, self.length);
        if let Some(part) = at.filter(|_| self.exact).and_then(|call| self.extent(call)) {
            (self.start, self.length) = part;
        }
        let trust = self.read_overloads(name, functions, at, root);
        (self.start, self.length) = whole;
        trust
    }

    fn read_overloads(
        &mut self,
        name: &str,
        functions: &[Arc<Function>],
        at: Option<&Node>,
        root: Option<&Node>,
    ) -> Trust {
        let mut trust = Trust::Read;
        let given: Vec<Option<Arguments>> = functions
            .iter()
            .map(|function| at.and_then(|call| self.arguments(function, name, call, root)))
            .collect();
        let fits = given.iter().any(Option::is_some);
        for (function, given) in functions.iter().zip(given) {
            if function.aggregate || (fits && given.is_none()) {
                continue;
            }
            let given = given.unwrap_or_default();
            if given.idle {
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
                "sql" => self.body_in_sql(function, mark, given, at.is_none()),
                "plpgsql" => self.body_in_plpgsql(function, mark, given, at.is_none()),
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

    fn body_in_sql(&mut self, function: &Function, mark: String, given: Arguments, here: bool) {
        self.in_body(mark, function, given, here, |this| match &function.parsed {
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
            None => {
                let text = Arc::clone(&function.body);
                this.at_part(&text, |this| this.read_text(&text));
            }
        });
    }

    fn body_in_plpgsql(&mut self, function: &Function, mark: String, given: Arguments, here: bool) {
        self.in_body(mark, function, given, here, |this| {
            let parsed = pg_query::parse_plpgsql(&function.text)
                .or_else(|error| parse_changed(error, &function.text, &without_foreign_types(&function.text)))
                .or_else(|_| pg_query::parse_plpgsql(&stand_in(function, "record")))
                .or_else(|_| pg_query::parse_plpgsql(&stand_in(function, "SETOF record")))
                .or_else(|_| pg_query::parse_plpgsql(&stand_in(function, "void")));
            this.parsed_plpgsql(parsed, &function.body);
        });
    }

    fn in_body(
        &mut self,
        mark: String,
        function: &Function,
        given: Arguments,
        here: bool,
        read: impl FnOnce(&mut Self),
    ) {
        let scope = Scope {
            variables: function.arguments.iter().filter(|name| !name.is_empty()).cloned().collect(),
            bound: given.bound,
            ..Scope::default()
        };
        let loops = given.rows.into_iter().collect();
        self.in_scope(mark, scope, loops, &function.body, here, read);
    }

    /// Reads a body with names of its own; `here` when its text stands in the statement that is read.
    fn in_scope(
        &mut self,
        mark: String,
        scope: Scope,
        loops: Vec<super::Loop>,
        text: &str,
        here: bool,
        read: impl FnOnce(&mut Self),
    ) {
        let body =
            if here && self.exact { Body::find(self.source, self.start, self.length, text) } else { None };
        let body = std::mem::replace(&mut self.body, body);
        let body_text = std::mem::replace(&mut self.body_text, Arc::from(text));
        let scope = std::mem::replace(&mut self.scope, scope);
        let parameters = std::mem::take(&mut self.parameters);
        let loops = std::mem::replace(&mut self.loops, loops);
        let in_loop = std::mem::replace(&mut self.in_loop, false);
        let cursors = std::mem::take(&mut self.cursors);
        let choices = std::mem::take(&mut self.choices);
        let guards = std::mem::take(&mut self.guards);
        let session = self.session.clone();
        self.inside(mark, read);
        self.session = session;
        self.cursors = cursors;
        self.choices = choices;
        self.guards = guards;
        self.in_loop = in_loop;
        self.loops = loops;
        self.parameters = parameters;
        self.scope = scope;
        self.body_text = body_text;
        self.body = body;
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
        let code = node.nodes("args").find(|option| option.text("defname") == "as").map(super::option_text);
        let code = code.unwrap_or_default();
        self.in_scope("this DO block".to_owned(), Scope::default(), Vec::new(), &code, true, |this| {
            let parsed = pg_query::parse_plpgsql(&text)
                .or_else(|error| parse_changed(error, &text, &without_row_types(&text)))
                .or_else(|error| parse_changed(error, &text, &without_foreign_types(&text)));
            this.parsed_plpgsql(parsed, &code);
        });
    }

    /// Parses and reads SQL given as text.
    pub(super) fn read_text(&mut self, text: &str) {
        let parsed = match pg_query::parse(text, 0) {
            Ok(parsed) => parsed,
            Err(error) => {
                let reason = match error {
                    pg_query::Error::Parse(reason) => format!(": {reason}"),
                    _ => String::new(),
                };
                self.kind(Kind::Unknown);
                self.find(
                    Hazard::DynamicSql,
                    None,
                    "",
                    format!("the SQL in it cannot be parsed{reason}"),
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

/// Parses again when there is something else to parse.
fn parse_changed(error: pg_query::Error, before: &str, text: &str) -> Result<Json, pg_query::Error> {
    if text == before { Err(error) } else { pg_query::parse_plpgsql(text) }
}

/// Variables of a type in another schema, which the parser does not look up, become records.
fn without_foreign_types(text: &str) -> Cow<'_, str> {
    static DECLARED: LazyLock<Option<(Regex, Regex)>> = LazyLock::new(|| {
        let name = r#"(?:"[^"]+"|\w+)"#;
        let section = Regex::new(r"(?is)\bdeclare\b.*?\bbegin\b").ok()?;
        let variable = format!(
            r"(?is)((?:;|\bdeclare\b)\s*{name}\s+(?:constant\s+)?){name}\s*\.\s*{name}(\s*\[\s*\])?(\s*(?:not\s+null\s*)?(?::=|=|default\b|;))"
        );
        Some((section, Regex::new(&variable).ok()?))
    });
    let Some((section, variable)) = DECLARED.as_ref() else { return Cow::Borrowed(text) };
    section.replace_all(text, |found: &Captures<'_>| {
        let mut section = found.get(0).map_or("", |held| held.as_str()).to_owned();
        // What ends one declaration begins the next.
        while let Cow::Owned(changed) = variable.replace(&section, |of: &Captures<'_>| {
            let part = |at: usize| of.get(at).map_or("", |held| held.as_str());
            let kind = if part(2).is_empty() { "record" } else { "text[]" };
            format!("{}{kind}{}", part(1), part(3))
        }) {
            section = changed;
        }
        section
    })
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
