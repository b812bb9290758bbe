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
        function.value = value_of(&function).map(Arc::new);
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

/// The expression that is all of a function's body: `SELECT x`, `RETURN x`, `BEGIN ATOMIC SELECT x; END`, or in PL/pgSQL
/// `BEGIN RETURN x; END`.
pub(super) fn value_of(function: &Function) -> Option<Node> {
    if let Some(body) = &function.parsed {
        return only_value(body);
    }
    let body = function.body.trim().trim_end_matches(';').trim_end();
    let text = match function.language.as_str() {
        "sql" if starts_with_word(body, "select") => body.to_owned(),
        "plpgsql" => {
            let inner = after_word(body, "begin")?;
            let inner = inner.get(..inner.len().checked_sub(3)?).filter(|_| {
                inner.get(inner.len() - 3..).is_some_and(|last| last.eq_ignore_ascii_case("end"))
            })?;
            let inner = inner.trim().strip_suffix(';')?;
            format!("SELECT {}", after_word(inner, "return")?)
        }
        _ => return None,
    };
    let parsed = pg_query::parse(&text, 0).ok()?;
    let [only] = parsed.protobuf.stmts.as_slice() else { return None };
    only_value(&Node::of(only.stmt.as_ref()?.as_ref())?)
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

fn starts_with_word(text: &str, word: &str) -> bool {
    after_word(text, word).is_some()
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
