//! Functions and operators that a schema defines.

use std::sync::Arc;

use super::{Catalogue, Function, Input, Operator};
use crate::tree::Node;

const OUT: i64 = 2;
const VARIADIC: i64 = 4;
const TABLE: i64 = 5;

impl Catalogue {
    pub(super) fn create_function(&mut self, node: &Node, text: &str, schema: &str) {
        let path = node.strings("funcname");
        let Some(name) = path.last() else { return };
        let home = if path.len() > 1 { path.first().copied().unwrap_or(schema) } else { schema };
        // A call names every parameter of a procedure.
        let procedure = node.flag("is_procedure");
        let inputs: Vec<Input> = node
            .nodes("parameters")
            .filter(|parameter| procedure || !matches!(parameter.int("mode"), OUT | TABLE))
            .map(|parameter| Input {
                name: parameter.text("name").to_owned(),
                type_name: parameter.node("arg_type").map(spelled_type).unwrap_or_default(),
                default: parameter.node("defexpr").map(|default| Arc::new(default.clone())),
                variadic: parameter.int("mode") == VARIADIC,
            })
            .collect();
        let mut function = Function {
            schema: home.to_owned(),
            language: "sql".to_owned(),
            volatile: true,
            aggregate: false,
            arguments: node.nodes("parameters").map(|parameter| parameter.text("name").to_owned()).collect(),
            inputs,
            strict: false,
            value: None,
            query: None,
            returns_set: node.node("return_type").is_some_and(|returned| returned.flag("setof")),
            columns: node
                .nodes("parameters")
                .filter(|parameter| parameter.int("mode") == TABLE)
                .map(|parameter| parameter.text("name").to_owned())
                .collect(),
            text: Arc::from(text),
            body: Arc::from(""),
            parsed: node.node("sql_body").map(|body| Arc::new(body.clone())),
        };
        for option in node.nodes("options") {
            match option.text("defname") {
                "language" => function.language = argument_text(option).to_ascii_lowercase(),
                "volatility" => function.volatile = argument_text(option) == "volatile",
                "strict" => function.strict = option.node("arg").is_some_and(|arg| arg.flag("boolval")),
                "as" => {
                    if let Some(body) = option.node("arg").and_then(|list| list.nodes("items").next()) {
                        function.body = Arc::from(body.text("sval"));
                    }
                }
                _ => {}
            }
        }
        if let Some(body) = body_of(&function) {
            function.value = only_value(&body).map(Arc::new);
            function.query = only_query(&body).filter(|_| function.value.is_none()).map(Arc::new);
        }
        let held = self.functions.entry((*name).to_owned()).or_default();
        if node.flag("replace") {
            held.retain(|other| {
                other.schema != function.schema
                    || !other
                        .inputs
                        .iter()
                        .map(|input| &input.type_name)
                        .eq(function.inputs.iter().map(|input| &input.type_name))
            });
        }
        held.push(Arc::new(function));
    }

    pub(super) fn create_aggregate(&mut self, node: &Node, schema: &str) {
        // An aggregate only calls functions that are judged where they are defined.
        let path = node.strings("defnames");
        let Some(name) = path.last() else { return };
        let function = Function {
            schema: if path.len() > 1 {
                path.first().copied().unwrap_or(schema).to_owned()
            } else {
                schema.to_owned()
            },
            language: "internal".to_owned(),
            volatile: false,
            aggregate: true,
            arguments: Vec::new(),
            inputs: Vec::new(),
            strict: false,
            value: None,
            query: None,
            returns_set: false,
            columns: Vec::new(),
            text: Arc::from(""),
            body: Arc::from(""),
            parsed: None,
        };
        self.functions.entry((*name).to_owned()).or_default().push(Arc::new(function));
    }

    pub(super) fn create_operator(&mut self, node: &Node, schema: &str) {
        let path = node.strings("defnames");
        let Some(name) = path.last() else { return };
        let option = |names: [&str; 2]| {
            node.nodes("definition")
                .find(|option| names.contains(&option.text("defname")))
                .and_then(|option| option.node("arg"))
        };
        let Some(function) = option(["function", "procedure"]) else { return };
        let function_path = function.strings("names");
        let Some(last) = function_path.last() else { return };
        let operator = Operator {
            schema: if path.len() > 1 { path.first().copied().unwrap_or(schema) } else { schema }.to_owned(),
            function_schema: (function_path.len() > 1)
                .then(|| function_path.first().map(|schema| (*schema).to_owned()))
                .flatten(),
            function: (*last).to_owned(),
            binary: option(["leftarg", "leftarg"]).is_some(),
        };
        self.operators.entry((*name).to_owned()).or_default().push(operator);
    }
}

/// The one statement that a function's body is; in PL/pgSQL that of `BEGIN RETURN x; END` and of
/// `BEGIN RETURN QUERY x; END`.
fn body_of(function: &Function) -> Option<Node> {
    if let Some(body) = &function.parsed {
        return Some(body.as_ref().clone());
    }
    let body = function.body.trim().trim_end_matches(';').trim_end();
    let text = match function.language.as_str() {
        "sql" if after_word(body, "select").is_some() => body.to_owned(),
        "plpgsql" => {
            let inner = after_word(body, "begin")?;
            let (inner, end) = inner.split_at_checked(inner.len().checked_sub(3)?)?;
            if !end.eq_ignore_ascii_case("end") {
                return None;
            }
            let inner = after_word(inner.trim().strip_suffix(';')?, "return")?;
            match after_word(inner, "query") {
                Some(query) if after_word(query, "execute").is_none() => query.to_owned(),
                _ => format!("SELECT {inner}"),
            }
        }
        _ => return None,
    };
    let parsed = pg_query::parse(&text, 0).ok()?;
    let [only] = parsed.protobuf.stmts.as_slice() else { return None };
    Node::of(only.stmt.as_ref()?.as_ref())
}

fn only_query(body: &Node) -> Option<Node> {
    match body.kind {
        "List" => {
            let mut items = body.nodes("items");
            let (only, None) = (items.next()?, items.next()) else { return None };
            only_query(only)
        }
        "SelectStmt" if !body.has("into_clause") => Some(body.clone()),
        _ => None,
    }
}

fn only_value(body: &Node) -> Option<Node> {
    match body.kind {
        "ReturnStmt" => body.node("returnval").cloned(),
        "List" => {
            let mut items = body.nodes("items");
            let (only, None) = (items.next()?, items.next()) else { return None };
            only_value(only)
        }
        "SelectStmt" => {
            let more = ["from_clause", "where_clause", "with_clause", "larg", "values_lists", "limit_count"]
                .into_iter()
                .chain(["limit_offset", "having_clause", "group_clause", "into_clause"]);
            if more.into_iter().any(|field| body.has(field)) {
                return None;
            }
            let mut targets = body.nodes("target_list");
            let (only, None) = (targets.next()?, targets.next()) else { return None };
            only.node("val").cloned()
        }
        _ => None,
    }
}

/// What follows a word that the text begins with.
fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let text = text.trim_start();
    let head = text.get(..word.len())?;
    let rest = text.get(word.len()..)?;
    (head.eq_ignore_ascii_case(word) && rest.starts_with(|c: char| c.is_whitespace() || c == '('))
        .then(|| rest.trim())
}

fn spelled_type(type_name: &Node) -> String {
    let array = if type_name.has("array_bounds") { "[]" } else { "" };
    format!("{}{array}", type_name.strings("names").last().copied().unwrap_or(""))
}

fn argument_text(option: &Node) -> String {
    option.node("arg").map(|arg| arg.text("sval").to_owned()).unwrap_or_default()
}
