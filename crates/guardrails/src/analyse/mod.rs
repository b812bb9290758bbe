//! From statements to [`Facts`].

mod alter;
mod calls;
mod code;
mod ddl;
mod dynamic;
mod loops;
mod made;
mod places;
mod procedural;
mod scope;
mod set;
mod write;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use self::scope::Scope;
use self::set::named_settings;
use crate::bounds::{Common, Expr, Lower, Value, World, evaluate_constant};
use crate::catalogue::{Catalogue, is_temporary};
use crate::facts::{Called, Facts, Finding, Hazard, Kind, Trust};
use crate::functions::{self, Class};
use crate::session::Session;
use crate::tree::Node;

/// Functions are read this deep; what lies deeper is unknown.
const DEEPEST_CALL: usize = 8;
/// Statements read for one text, bodies included.
const DEEPEST_STATEMENT: usize = 16;
const MOST_STATEMENTS: usize = 20_000;

/// Reads the statements of one text in order.
pub(crate) struct Analyzer<'a> {
    base: Option<&'a Catalogue>,
    pub session: Session,
    pub facts: Facts,
    parameters: Vec<Value>,
    /// The statement that is read: its text, and where it stands in the whole.
    source: &'a str,
    start: usize,
    length: usize,
    /// Whether node positions are positions in the text.
    exact: bool,
    /// What node positions count from.
    origin: usize,
    within: Vec<String>,
    /// The body that is read, when it stands in the text.
    body: Option<Body>,
    body_text: Arc<str>,
    scope: Scope,
    loops: Vec<Loop>,
    /// What holds of the rows of the loops where the statement stands: the conditions of the branches around.
    guards: Vec<Node>,
    /// The loops over constants that are around, by their variables.
    choices: Vec<(String, Vec<Node>)>,
    /// The queries of the declared cursors.
    cursors: HashMap<String, Arc<Node>>,
    in_loop: bool,
    reading: Vec<String>,
    budget: usize,
    /// The text of a statement that stands in another text.
    own_text: Option<String>,
    depth: usize,
}

/// Where a body stands in the text.
struct Body {
    start: usize,
    end: usize,
    /// Where the line that is read begins, and its number.
    line: usize,
    number: u64,
    /// The last part that was found.
    last: usize,
}

/// A `FOR` loop over the rows of a query.
#[derive(Clone)]
struct Loop {
    record: String,
    names: Vec<String>,
    query: Arc<Node>,
}

impl<'a> Analyzer<'a> {
    pub fn new(
        base: Option<&'a Catalogue>,
        session: Session,
        source: &'a str,
        parameters: Vec<Value>,
    ) -> Analyzer<'a> {
        Analyzer {
            base,
            session,
            facts: Facts { catalogue: base.is_some(), ..Facts::default() },
            parameters,
            source,
            start: 0,
            length: source.len(),
            exact: true,
            origin: 0,
            within: Vec::new(),
            body: None,
            body_text: Arc::from(""),
            scope: Scope::default(),
            loops: Vec::new(),
            guards: Vec::new(),
            choices: Vec::new(),
            cursors: HashMap::new(),
            in_loop: false,
            reading: Vec::new(),
            budget: MOST_STATEMENTS,
            own_text: None,
            depth: 0,
        }
    }

    /// Reads one statement that stands at `start` in the text.
    pub fn top(&mut self, node: &Node, start: usize, length: usize) {
        let rest = self.source.get(start..).unwrap_or("");
        let blank = rest.len() - rest.trim_start().len();
        self.start = start + blank.min(length);
        self.length = length - blank.min(length);
        self.facts.statements += 1;
        self.statement(node, &[]);
    }

    fn world(&self) -> World<'_> {
        World {
            base: self.base,
            session: &self.session.made,
            search_path: &self.session.search_path,
            parameters: &self.parameters,
            variables: &self.scope.variables,
            bound: &self.scope.bound,
            variables_first: self.scope.variables_first,
            in_loop: self.in_loop,
        }
    }

    fn statement_text(&self) -> String {
        match &self.own_text {
            Some(text) => text.clone(),
            None => {
                self.source.get(self.start..self.start.saturating_add(self.length)).unwrap_or("").to_owned()
            }
        }
    }

    fn verb(&mut self, verb: &str) {
        self.facts.verbs.insert(verb.to_owned());
    }

    fn kind(&mut self, kind: Kind) {
        self.facts.kinds.insert(kind);
    }

    /// Notes a hazard at a node, or at the whole statement.
    fn find(
        &mut self,
        hazard: Hazard,
        at: Option<&Node>,
        object: &str,
        why: impl Into<String>,
        instead: &str,
    ) {
        let whole = (self.start, self.length);
        let (at, length) = match at.filter(|_| self.exact) {
            Some(node) => self.extent(node).unwrap_or(whole),
            None => whole,
        };
        let finding = Finding {
            hazard,
            statement: self.facts.statements,
            at,
            length,
            object: object.to_owned(),
            within: self.within.iter().rev().map(String::as_str).collect::<Vec<_>>().join(", from "),
            why: why.into(),
            instead: instead.to_owned(),
        };
        self.facts.unbounded |= hazard == Hazard::UnboundedWrite;
        if !self.facts.findings.contains(&finding) && self.facts.findings.len() < 200 {
            self.facts.findings.push(finding);
        }
    }

    /// From the first position in a node to the end of the statement, or to the end of a single name.
    fn extent(&self, node: &Node) -> Option<(usize, usize)> {
        let mut first = usize::MAX;
        node.walk(&mut |part| {
            if let Some(at) = part.location() {
                first = first.min(at.saturating_add(self.origin));
            }
            true
        });
        let end = self.start.saturating_add(self.length);
        if first < self.start || first >= end {
            return None;
        }
        let rest = self.source.get(first..end)?;
        let length = match node.kind {
            "RangeVar" | "FuncCall" => rest
                .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '"' | '&')))
                .unwrap_or(rest.len()),
            _ => rest.trim_end().len(),
        };
        Some((first, length.max(1)))
    }

    /// Reads a statement, unless statements run each other without end.
    fn statement(&mut self, node: &Node, outer: &[(String, Common)]) {
        if self.depth >= DEEPEST_STATEMENT {
            self.kind(Kind::Unknown);
            self.find(
                Hazard::UnknownStatement,
                None,
                "",
                "statements run each other too deeply to be read",
                "run the inner statements directly",
            );
            return;
        }
        self.depth += 1;
        self.read_statement(node, outer);
        self.depth -= 1;
    }

    /// Reads a statement, its `WITH` queries first.
    fn read_statement(&mut self, node: &Node, outer: &[(String, Common)]) {
        self.budget = self.budget.saturating_sub(1);
        if self.budget == 0 {
            self.find(
                Hazard::UnknownStatement,
                None,
                "",
                "the text holds more statements than are read",
                "send fewer statements at once",
            );
            return;
        }
        let mut common = outer.to_vec();
        let with = node.node("with_clause");
        if let Some(with) = with {
            let mut lower = Lower::new(self.world(), common);
            lower.with(with);
            common = lower.common;
            for (at, cte) in with.nodes("ctes").enumerate() {
                if let Some(query) = cte.node("ctequery") {
                    // It sees those before it; with RECURSIVE it sees itself, of which nothing is known.
                    let before = common.get(..outer.len().saturating_add(at)).unwrap_or(outer).to_vec();
                    self.statement(query, &before);
                }
            }
        }
        match node.kind {
            "SelectStmt" => self.select(node),
            "InsertStmt" | "UpdateStmt" | "DeleteStmt" | "MergeStmt" => {
                self.write(node, &common);
                return;
            }
            "ExplainStmt" => {
                self.verb("EXPLAIN");
                self.kind(Kind::Read);
                // Of an option that is given twice, the last counts.
                let runs = node.nodes("options").rfind(|option| option.text("defname") == "analyze");
                let runs = runs.is_some_and(|option| {
                    !matches!(option_text(option).to_ascii_lowercase().as_str(), "false" | "off" | "0" | "no")
                });
                if let Some(query) = node.node("query") {
                    if runs {
                        self.statement(query, &[]);
                    } else {
                        self.reads_only(query);
                    }
                }
                return;
            }
            "PrepareStmt" => {
                self.verb("PREPARE");
                if let Some(query) = node.node("query") {
                    let parameters = std::mem::take(&mut self.parameters);
                    self.statement(query, &[]);
                    self.parameters = parameters;
                    self.session.prepared.insert(node.text("name").to_owned(), Arc::new(query.clone()));
                    self.changed();
                }
                return;
            }
            "ExecuteStmt" => {
                self.execute(node);
                return;
            }
            "DeclareCursorStmt" => {
                self.verb("DECLARE CURSOR");
                if let Some(query) = node.node("query") {
                    self.statement(query, &[]);
                }
                return;
            }
            "CopyStmt" => {
                self.copy(node);
                return;
            }
            "CreateFunctionStmt" => {
                self.create_function(node);
                return;
            }
            "DoStmt" => {
                self.block(node);
                return;
            }
            "CallStmt" => {
                self.verb("CALL");
                self.kind(Kind::Write);
            }
            "VariableSetStmt" => self.set(node),
            "TransactionStmt" => self.transaction(node),
            "ReturnStmt" => {}
            _ => {
                if self.other(node) {
                    return;
                }
            }
        }
        self.scan(node, with);
    }

    fn select(&mut self, node: &Node) {
        self.verb("SELECT");
        self.kind(Kind::Read);
        if node.has("locking_clause") {
            self.kind(Kind::Lock);
        }
        let mut first = node;
        while let Some(left) = first.node("larg") {
            first = left;
        }
        if let Some(into) = first.node("into_clause") {
            self.created(into.node("rel"), "SELECT INTO");
            if let Some(at) = into.node("rel") {
                let name = at.text("relname").to_owned();
                let made = Node::clone(node);
                self.made_by_query(at, &made, &name, into);
            }
        }
    }

    /// Functions called, tables read, and statements nested anywhere below.
    fn scan(&mut self, root: &Node, done: Option<&Node>) {
        self.scan_except(root, done, &[]);
    }

    fn scan_except(&mut self, root: &Node, done: Option<&Node>, targets: &[&Node]) {
        let mut nested: Vec<&Node> = Vec::new();
        let mut calls: Vec<&Node> = Vec::new();
        let mut tables: Vec<&Node> = Vec::new();
        let mut names: HashSet<&str> = HashSet::new();
        root.walk(&mut |part| {
            if done.is_some_and(|done| std::ptr::eq(done, part)) {
                part.walk(&mut |inner| {
                    if inner.kind == "CommonTableExpr" {
                        names.insert(inner.text("ctename"));
                    }
                    true
                });
                return false;
            }
            if targets.iter().any(|target| std::ptr::eq(*target, part)) {
                return false;
            }
            match part.kind {
                "InsertStmt" | "UpdateStmt" | "DeleteStmt" | "MergeStmt" if !std::ptr::eq(part, root) => {
                    nested.push(part);
                    return false;
                }
                "IntoClause" if !std::ptr::eq(part, root) => return false,
                "CommonTableExpr" => {
                    names.insert(part.text("ctename"));
                }
                "FuncCall" => calls.push(part),
                "RangeVar" => tables.push(part),
                "LockingClause" => return false,
                _ => {}
            }
            true
        });
        for table in tables {
            if !(table.text("schemaname").is_empty() && names.contains(table.text("relname"))) {
                self.read(table);
            }
        }
        for call in calls {
            if call.strings("funcname").last() == Some(&"set_config")
                && let Some(names) = named_settings(root, call)
            {
                self.kind(Kind::Setting);
                let value = call.nodes("args").nth(1).and_then(|value| self.constant_text(value));
                for name in names {
                    self.setting(
                        &name.to_ascii_lowercase(),
                        Some(value.as_deref().unwrap_or("?")),
                        Some(call),
                    );
                }
                continue;
            }
            self.call(call, root);
        }
        for statement in nested {
            self.statement(statement, &[]);
        }
    }

    /// The tables of a statement that is only planned.
    fn reads_only(&mut self, node: &Node) {
        let mut tables = Vec::new();
        node.walk(&mut |part| {
            if part.kind == "RangeVar" {
                tables.push(part);
            }
            true
        });
        for table in tables {
            let (name, _) = self.world().table(table.text("schemaname"), table.text("relname"));
            self.facts.tables_read.insert(name.to_string());
        }
    }

    fn read(&mut self, table: &Node) {
        let (name, info) = self.world().table(table.text("schemaname"), table.text("relname"));
        let spelled = name.to_string();
        if let Some(view) = info.as_ref().and_then(|info| info.view.clone()) {
            let mark = format!("view {spelled}");
            if !self.within.contains(&mark) && self.within.len() < DEEPEST_CALL {
                self.inside(mark, |this| this.scan(&view, None));
            }
        }
        // Views over functions that read the server's configuration files.
        if matches!(name.name.as_str(), "pg_file_settings" | "pg_hba_file_rules" | "pg_ident_file_mappings")
            && info.is_none()
        {
            self.kind(Kind::FileOrProgram);
            self.find(
                Hazard::ServerFile,
                Some(table),
                &spelled,
                format!("{spelled} reads configuration files of the server"),
                "read pg_settings, which shows what is in force",
            );
        }
        self.facts.tables_read.insert(spelled);
    }

    /// Reads something that is not written in the text itself.
    fn inside(&mut self, mark: String, read: impl FnOnce(&mut Self)) {
        let exact = std::mem::replace(&mut self.exact, false);
        self.within.push(mark);
        read(self);
        self.within.pop();
        self.exact = exact;
    }

    fn call(&mut self, node: &Node, root: &Node) {
        let path = node.strings("funcname");
        let name = path.last().copied().unwrap_or("");
        let schema = if path.len() > 1 { path.get(path.len() - 2).copied() } else { None };
        let spelled = match schema {
            Some("pg_catalog") | None => name.to_owned(),
            Some(schema) => format!("{schema}.{name}"),
        };
        let own = if schema == Some("pg_catalog") { Vec::new() } else { self.functions_named(schema, name) };
        let arguments = node.nodes("args").count();
        let class = functions::classify(name, arguments);
        if !own.is_empty() {
            let trust = self.read_functions(name, &own, Some(node), Some(root));
            self.facts.functions.insert(Called { name: spelled.clone(), trust });
            if class == Class::Unknown || schema.is_some() {
                return;
            }
        }
        let trust = match class {
            Class::Harmless => Trust::Harmless,
            Class::Writes => {
                self.kind(Kind::Write);
                Trust::Writes
            }
            Class::SetsSetting => {
                self.set_config(node);
                Trust::Writes
            }
            Class::RunsText(at) => {
                let mut given = Vec::new();
                let texts = node.nodes("args").nth(at).map(|argument| self.texts(argument, &mut given));
                match texts {
                    Some(Ok(texts)) => self.inside(format!("text run by {name}"), |this| {
                        let scope = Scope { bound: given.into_iter().collect(), ..Scope::default() };
                        let outer = std::mem::replace(&mut this.scope, scope);
                        texts.iter().for_each(|text| this.read_text(text));
                        this.scope = outer;
                    }),
                    _ => self.find(
                        Hazard::DynamicSql,
                        Some(node),
                        name,
                        format!("{name} runs SQL that is not written out here"),
                        "write the SQL as a constant, or run it directly",
                    ),
                }
                Trust::Writes
            }
            Class::Unlinks => {
                self.kind(Kind::Write);
                let argument = node
                    .nodes("args")
                    .next()
                    .map(|argument| Lower::new(self.world(), Vec::new()).expr(argument));
                let single = argument.is_some_and(|argument| {
                    let mut columns = false;
                    argument.walk(&mut |part| {
                        columns |= matches!(part, Expr::Column(_))
                            || matches!(part, Expr::Opaque(name, _) if !name.starts_with('$'))
                    });
                    !columns
                });
                if !single {
                    self.find(
                        Hazard::UnboundedWrite,
                        Some(node),
                        "large objects",
                        "a large object is deleted for every row that the query yields",
                        "name the large objects: SELECT lo_unlink(12345)",
                    );
                }
                Trust::Writes
            }
            Class::Dangerous(hazard) => {
                self.kind(match hazard {
                    Hazard::ServerFile => Kind::FileOrProgram,
                    Hazard::OtherConnection => Kind::OtherConnections,
                    _ => Kind::Maintenance,
                });
                let (why, instead) = dangerous_words(hazard);
                self.find(hazard, Some(node), &spelled, format!("{name} {why}"), instead);
                Trust::Dangerous
            }
            // A type used as a function: a cast.
            Class::Unknown
                if self.base.is_some_and(|base| base.type_kind(name).is_some())
                    || self.session.made.type_kind(name).is_some() =>
            {
                Trust::Harmless
            }
            Class::Unknown => {
                let why = if self.base.is_some() {
                    format!("{spelled} is not in the catalogue, so it may do anything")
                } else {
                    format!(
                        "{spelled} is not one of PostgreSQL's own functions, and without a catalogue its body cannot be read"
                    )
                };
                self.find(
                    Hazard::UnknownFunction,
                    Some(node),
                    &spelled,
                    why,
                    "use the statements that it stands for, or have the catalogue refreshed",
                );
                Trust::Unknown
            }
        };
        self.facts.functions.insert(Called { name: spelled, trust });
    }

    /// The text of a constant expression.
    fn constant_text(&self, node: &Node) -> Option<String> {
        let mut lower = Lower::new(self.world(), Vec::new());
        let expr = lower.expr(node);
        match evaluate_constant(&expr)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    fn execute(&mut self, node: &Node) {
        self.verb("EXECUTE");
        let name = node.text("name").to_owned();
        let Some(query) = self.session.prepared.get(&name).cloned() else {
            // It was judged when it was prepared, with all parameters unknown; else the server does not know it either.
            self.kind(Kind::Read);
            self.scan(node, None);
            return;
        };
        let mut parameters = Vec::new();
        let mut scope = Scope::default();
        for (at, parameter) in node.nodes("params").enumerate() {
            parameters.push(self.constant_of(parameter).unwrap_or(Value::Unknown));
            scope.bound.insert(format!("${}", at + 1), Arc::new(self.closed(parameter)));
        }
        self.scan(node, None);
        let held = std::mem::replace(&mut self.parameters, parameters);
        let scope = std::mem::replace(&mut self.scope, scope);
        self.inside(format!("prepared statement {name}"), |this| this.statement(&query, &[]));
        self.scope = scope;
        self.parameters = held;
    }

    fn copy(&mut self, node: &Node) {
        let from = node.flag("is_from");
        self.verb(if from { "COPY FROM" } else { "COPY TO" });
        if node.flag("is_program") {
            self.kind(Kind::FileOrProgram);
            self.find(
                Hazard::Program,
                None,
                node.text("filename"),
                "COPY .. PROGRAM runs a program on the server",
                "use psql's \\copy, which runs on your side",
            );
        } else if node.has("filename") {
            self.kind(Kind::FileOrProgram);
            self.find(
                Hazard::ServerFile,
                None,
                node.text("filename"),
                "COPY with a file name reads or writes a file of the server",
                "use psql's \\copy, which uses your own files",
            );
        }
        if let Some(query) = node.node("query") {
            self.statement(query, &[]);
        }
        if let Some(at) = node.node("relation") {
            if from {
                let temporary = self.target_facts(at);
                self.kind(if temporary { Kind::Temporary } else { Kind::Write });
                self.fired(at, crate::catalogue::Event::Insert);
                self.written(node, at);
            } else {
                self.kind(Kind::Read);
                self.read(at);
            }
        }
        if let Some(condition) = node.node("where_clause") {
            self.scan(condition, None);
        }
    }

    fn changed(&mut self) {
        let text = self.statement_text();
        self.session.changed_by(&text);
    }

    /// A new table or view: `temporary` ones are free.
    fn created(&mut self, at: Option<&Node>, verb: &str) {
        self.verb(verb);
        let temporary = at.is_some_and(is_temporary);
        self.kind(if temporary { Kind::Temporary } else { Kind::Ddl });
    }

    fn made_by_query(&mut self, at: &Node, query: &Node, name: &str, into: &Node) {
        let home = self.home();
        self.session.made.create_from(into, query, &home, true);
        if is_temporary(at) && into.int("on_commit") == 4 {
            self.session.until_commit.push(name.to_owned());
        }
        self.changed();
    }

    /// Where new things without a schema go.
    fn home(&self) -> String {
        let mut path = self.session.search_path.iter();
        path.find(|entry| !matches!(entry.as_str(), "$user" | "pg_temp" | "pg_catalog"))
            .cloned()
            .unwrap_or_else(|| "public".to_owned())
    }

    fn functions_named(&self, schema: Option<&str>, name: &str) -> Vec<Arc<crate::catalogue::Function>> {
        let session = self.session.made.functions_named(schema, name);
        let base = self.base.into_iter().flat_map(|base| base.functions_named(schema, name));
        session.chain(base).cloned().collect()
    }
}

/// The text of an option's argument.
fn option_text(option: &Node) -> String {
    option.node("arg").map(literal).unwrap_or_default()
}

/// A literal of a `SET` or of an option, as text.
fn literal(node: &Node) -> String {
    match node.kind {
        "AConst" => node.node("val").map(literal).unwrap_or_default(),
        "String" => node.text("sval").to_owned(),
        "Integer" => node.int("ival").to_string(),
        "Float" => node.text("fval").to_owned(),
        "Boolean" => node.flag("boolval").to_string(),
        "TypeCast" => node.node("arg").map(literal).unwrap_or_default(),
        _ => String::new(),
    }
}

fn dangerous_words(hazard: Hazard) -> (&'static str, &'static str) {
    match hazard {
        Hazard::ServerFile => {
            ("reads or writes files of the server", "use your own files, with psql's \\copy or \\lo_import")
        }
        Hazard::OtherSession => {
            ("acts on the sessions of others", "ask the owner of the session, or the database's team")
        }
        Hazard::OtherConnection => {
            ("opens connections to other servers", "connect to the other server under a grant of its own")
        }
        Hazard::Replication => ("changes replication", "leave replication to the database's team"),
        Hazard::DynamicSql => ("runs SQL that is put together elsewhere", "run the SQL directly"),
        Hazard::CatalogWrite => ("changes stored rows behind PostgreSQL's back", "use UPDATE or DELETE"),
        _ => ("acts on the whole server", "leave this to the database's team"),
    }
}
