//! SQL that a procedure puts together: `format`, `quote_ident`, `quote_literal` and `||`.
//!
//! What is quoted cannot change what the text says, so a value that is not known is left open in it: a name that no table
//! has in the place of an identifier, and a marked text, which counts as an unknown value, in the place of a literal.

use std::sync::Arc;

use super::Analyzer;
use super::scope::is_unknown;
use crate::bounds::{UNKNOWN_TEXT, Value};
use crate::tree::Node;

/// Texts that one expression may come to; more are not followed.
const MOST_TEXTS: usize = 64;
const LONGEST: usize = 1 << 16;
const DEEPEST: usize = 24;

/// Why it is not known what a text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    /// It is put together from a value that is not quoted.
    Unquoted,
    /// It comes from elsewhere.
    Elsewhere,
}

/// Values that stand in a text under a key.
pub(super) type Given = Vec<(String, Arc<Node>)>;

impl Analyzer<'_> {
    /// What the text of an expression may be.
    pub(super) fn texts(&self, node: &Node, given: &mut Given) -> Result<Vec<String>, Open> {
        self.texts_at(node, given, 0).map_err(|open| {
            let composed = node.kind == "AExpr"
                || node.strings("funcname").last().is_some_and(|name| matches!(*name, "format" | "concat"));
            let held = self.scope.bound.get(&node.strings("fields").join("."));
            if composed || held.is_some_and(|held| !is_unknown(held)) { open } else { Open::Elsewhere }
        })
    }

    fn texts_at(&self, node: &Node, given: &mut Given, depth: usize) -> Result<Vec<String>, Open> {
        if depth > DEEPEST {
            return Err(Open::Elsewhere);
        }
        let composed = node.kind == "CaseExpr" || node.strings("name").last() == Some(&"||");
        if !composed && let Some(text) = self.exact_constant(node).and_then(|value| spelled(&value)) {
            return Ok(vec![text]);
        }
        let deeper = |this: &Self, node: &Node, given: &mut Given| this.texts_at(node, given, depth + 1);
        match node.kind {
            "AExpr" => {
                let (Some(left), Some(right)) = (node.node("lexpr"), node.node("rexpr")) else {
                    return Err(Open::Unquoted);
                };
                match node.strings("name").last().copied() {
                    Some("||") => {
                        let left = deeper(self, left, given)?;
                        let right = deeper(self, right, given)?;
                        joined(&left, &right)
                    }
                    Some("+" | "-" | "*" | "/" | "%") => Ok(vec![self.word(node, given)]),
                    _ => Err(Open::Unquoted),
                }
            }
            "TypeCast" => {
                let kind = node.node("type_name").map(|name| name.strings("names")).unwrap_or_default();
                let last = kind.last().copied().unwrap_or("");
                let inner = node.node("arg").ok_or(Open::Unquoted)?;
                if is_object_type(last) {
                    Ok(vec![self.identifier(inner, given)])
                } else if is_plain_type(last) {
                    Ok(vec![self.word(node, given)])
                } else if matches!(last, "text" | "varchar" | "bpchar" | "name") {
                    deeper(self, inner, given)
                } else {
                    Err(Open::Unquoted)
                }
            }
            "FuncCall" => self.texts_of_call(node, given, depth),
            "CoalesceExpr" => {
                let mut texts = Vec::new();
                for part in node.nodes("args") {
                    texts.extend(deeper(self, part, given)?);
                }
                capped(texts)
            }
            "CaseExpr" => {
                let mut texts = Vec::new();
                for arm in
                    node.nodes("args").filter_map(|arm| arm.node("result")).chain(node.node("defresult"))
                {
                    texts.extend(deeper(self, arm, given)?);
                }
                capped(texts)
            }
            "SubLink" => {
                let select = node.node("subselect").ok_or(Open::Unquoted)?;
                let only = select.nodes("target_list").next().and_then(|target| target.node("val"));
                deeper(self, only.ok_or(Open::Unquoted)?, given)
            }
            "SqlValueFunction" if node.int("op") <= 9 => Ok(vec![self.word(node, given)]),
            "ColumnRef" | "ParamRef" | "AConst" => {
                let key = match node.kind {
                    "ParamRef" => format!("${}", node.int("number")),
                    "AConst" => variable_of(node).ok_or(Open::Unquoted)?,
                    _ => node.strings("fields").join("."),
                };
                if let Some(held) = self.scope.bound.get(&key).filter(|held| !is_unknown(held)) {
                    return deeper(self, held, given);
                }
                if let Some(kind) = self.scope.types.get(&key) {
                    if is_object_type(kind) {
                        return Ok(vec![self.identifier(node, given)]);
                    }
                    if is_plain_type(kind) {
                        return Ok(vec![self.word(node, given)]);
                    }
                }
                match self.looped(&node.strings("fields")) {
                    Some(value) if depth < 8 => deeper(self, &value, given),
                    _ => Err(Open::Unquoted),
                }
            }
            _ => Err(Open::Unquoted),
        }
    }

    fn texts_of_call(&self, node: &Node, given: &mut Given, depth: usize) -> Result<Vec<String>, Open> {
        let arguments: Vec<&Node> = node.nodes("args").collect();
        let first = arguments.first().copied();
        let name = node.strings("funcname").last().map(|name| (*name).to_owned()).unwrap_or_default();
        match (name.as_str(), first) {
            ("format", Some(template)) => {
                let mut texts = Vec::new();
                for template in self.texts_at(template, given, depth + 1)? {
                    texts.extend(self.formatted(
                        &template,
                        arguments.get(1..).unwrap_or(&[]),
                        given,
                        depth,
                    )?);
                }
                capped(texts)
            }
            ("quote_ident", Some(value)) => Ok(vec![self.identifier(value, given)]),
            ("quote_literal" | "quote_nullable", Some(value)) => Ok(vec![self.literal(value, given)]),
            ("concat", _) => {
                let mut texts = vec![String::new()];
                for argument in arguments {
                    texts = joined(&texts, &self.texts_at(argument, given, depth + 1)?)?;
                }
                Ok(texts)
            }
            // Several pieces: as good as two of them.
            ("string_agg" | "array_to_string", Some(value)) => {
                let value = match (value.kind, value.nodes("args").next()) {
                    ("FuncCall", Some(inner)) if value.strings("funcname").last() == Some(&"array_agg") => {
                        inner
                    }
                    _ => value,
                };
                let pieces = self.texts_at(value, given, depth + 1)?;
                let between = match arguments.get(1) {
                    Some(between) => self.texts_at(between, given, depth + 1)?,
                    None => vec![String::new()],
                };
                joined(&joined(&pieces, &between)?, &pieces)
            }
            ("to_char", Some(_)) => {
                let harmless = |text: &String| {
                    text.chars()
                        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':' | ' ' | '.'))
                };
                match arguments.get(1).map(|pattern| self.texts_at(pattern, given, depth + 1)) {
                    Some(Ok(patterns)) if patterns.iter().all(harmless) => Ok(vec![self.word(node, given)]),
                    _ => Err(Open::Unquoted),
                }
            }
            (
                "count" | "sum" | "length" | "extract" | "date_part" | "date_trunc" | "now" | "nextval"
                | "currval" | "random" | "floor" | "ceil" | "round" | "abs" | "clock_timestamp" | "to_date"
                | "to_timestamp" | "make_date" | "pg_backend_pid" | "txid_current" | "cardinality"
                | "array_length" | "gen_random_uuid",
                _,
            ) => Ok(vec![self.word(node, given)]),
            _ => Err(Open::Unquoted),
        }
    }

    /// `format('.. %I .. %L .. %s ..', ..)`.
    fn formatted(
        &self,
        template: &str,
        arguments: &[&Node],
        given: &mut Given,
        depth: usize,
    ) -> Result<Vec<String>, Open> {
        let mut texts = vec![String::new()];
        let mut rest = template;
        let mut at = 0usize;
        while let Some((before, after)) = rest.split_once('%') {
            texts = joined(&texts, &[before.to_owned()])?;
            let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let mut spec = after;
            if digits > 0
                && let (Some(number), Some(tail)) = (after.get(..digits), after.get(digits..))
            {
                // `%2$I` names the argument; `%10s` gives a width.
                spec = match tail.strip_prefix('$') {
                    Some(tail) => {
                        at = number.parse::<usize>().unwrap_or(0).saturating_sub(1);
                        tail
                    }
                    None => tail,
                };
            }
            let spec = spec.strip_prefix('-').unwrap_or(spec);
            let mut letters = spec.chars();
            let letter = letters.next().ok_or(Open::Elsewhere)?;
            rest = letters.as_str();
            if letter == '%' {
                texts = joined(&texts, &["%".to_owned()])?;
                continue;
            }
            let argument = arguments.get(at).copied().ok_or(Open::Elsewhere)?;
            at += 1;
            let pieces = match letter {
                'I' => vec![self.identifier(argument, given)],
                'L' => vec![self.literal(argument, given)],
                's' if self.exact_constant(argument) == Some(Value::Null) => vec![String::new()],
                's' => self.texts_at(argument, given, depth + 1)?,
                _ => return Err(Open::Elsewhere),
            };
            texts = joined(&texts, &pieces)?;
        }
        joined(&texts, &[rest.to_owned()])
    }

    /// A quoted name; one that is not known is called by what it is computed from.
    fn identifier(&self, node: &Node, given: &mut Given) -> String {
        let name = match self.exact_constant(node).and_then(|value| spelled(&value)) {
            Some(name) => name,
            None => {
                let value = self.closed(node);
                match node.kind {
                    "ColumnRef" => format!("{{{}}}", node.strings("fields").join(".")),
                    "AConst" => format!("{{{}}}", variable_of(node).unwrap_or_default()),
                    _ => format!("{{name {}}}", self.key(value, given)),
                }
            }
        };
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    fn literal(&self, node: &Node, given: &mut Given) -> String {
        match self.exact_constant(node) {
            Some(Value::Null) => "NULL".to_owned(),
            Some(value) if spelled(&value).is_some() => {
                format!("'{}'", spelled(&value).unwrap_or_default().replace('\'', "''"))
            }
            _ => {
                let value = self.closed(node);
                format!("'{UNKNOWN_TEXT}{}'", self.key(value, given))
            }
        }
    }

    /// A number, moment or the like that is not known: it cannot end what it stands in.
    fn word(&self, node: &Node, given: &mut Given) -> String {
        let value = self.closed(node);
        self.key(value, given)
    }

    /// A parameter of its own for a value; the same value has the same.
    fn key(&self, value: Node, given: &mut Given) -> String {
        let print = value.fingerprint();
        if let Some((key, _)) = given.iter().find(|(_, held)| held.fingerprint() == print) {
            return key.clone();
        }
        let key = format!("${}", 90_000 + given.len());
        given.push((key.clone(), Arc::new(value)));
        key
    }

    /// What the query of a loop puts into a field of its record.
    fn looped(&self, path: &[&str]) -> Option<Node> {
        for held in self.loops.iter().rev() {
            let targets: Vec<&Node> = held.query.nodes("target_list").collect();
            let found = match path {
                [record, field] if held.record == **record => {
                    targets.iter().find(|target| crate::catalogue::output_name(target) == *field)
                }
                [name] => held.names.iter().position(|held| held == name).and_then(|at| targets.get(at)),
                _ => None,
            };
            if let Some(found) = found {
                return found.node("val").cloned();
            }
        }
        None
    }
}

/// The variable that a value which is not known came from.
fn variable_of(node: &Node) -> Option<String> {
    let key = node.node("val")?.text("sval").strip_prefix(UNKNOWN_TEXT)?;
    key.strip_prefix('?').map(str::to_owned)
}

fn spelled(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) if !text.starts_with(UNKNOWN_TEXT) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// Types whose text is a name that is quoted where it must be.
fn is_object_type(name: &str) -> bool {
    matches!(
        name,
        "regclass" | "regproc" | "regprocedure" | "regtype" | "regrole" | "regnamespace" | "regoper"
    )
}

/// Types whose text holds nothing that ends a literal or a name.
fn is_plain_type(name: &str) -> bool {
    matches!(
        name,
        "int2"
            | "int4"
            | "int8"
            | "integer"
            | "int"
            | "bigint"
            | "smallint"
            | "numeric"
            | "decimal"
            | "float4"
            | "float8"
            | "real"
            | "bool"
            | "boolean"
            | "date"
            | "timestamp"
            | "timestamptz"
            | "time"
            | "interval"
            | "uuid"
            | "oid"
    )
}

fn joined(left: &[String], right: &[String]) -> Result<Vec<String>, Open> {
    if left.len().saturating_mul(right.len()) > MOST_TEXTS {
        return Err(Open::Elsewhere);
    }
    let mut texts = Vec::with_capacity(left.len() * right.len());
    for left in left {
        for right in right {
            if left.len() + right.len() > LONGEST {
                return Err(Open::Elsewhere);
            }
            texts.push(format!("{left}{right}"));
        }
    }
    Ok(texts)
}

fn capped(mut texts: Vec<String>) -> Result<Vec<String>, Open> {
    texts.sort_unstable();
    texts.dedup();
    if texts.len() > MOST_TEXTS { Err(Open::Elsewhere) } else { Ok(texts) }
}
