//! Functions and operators that a schema defines, read in the place where they are called; functions over enumerations.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::expression::labels_of;
use super::{Common, Lower};
use crate::bounds::evaluate_constant;
use crate::bounds::expr::{Expr, Form, Limit};
use crate::bounds::value::Value;
use crate::catalogue::{Function, Kind};
use crate::functions::{Class, classify};
use crate::tree::Node;

/// Bodies in bodies, and bodies in one statement: what lies beyond is not read.
const DEEPEST_INLINING: usize = 5;
const MOST_INLINED: usize = 60;

/// An argument of the function whose body is read.
#[derive(Debug, Clone)]
pub(super) struct Binding {
    name: String,
    expr: Expr,
    /// The table whose row it is.
    source: Option<usize>,
}

impl Lower<'_> {
    /// What a call amounts to, when the function's body is one expression or one query.
    pub(super) fn inlined_call(&mut self, node: &Node, schema: Option<&str>, name: &str) -> Option<Expr> {
        let (candidates, arguments) = self.user_call(node, schema, name)?;
        self.inlined(&candidates, arguments)
    }

    /// The functions of the schema that a call may mean, and what they are given.
    fn user_call(
        &mut self,
        node: &Node,
        schema: Option<&str>,
        name: &str,
    ) -> Option<(Vec<Arc<Function>>, Vec<Binding>)> {
        if schema == Some("pg_catalog") {
            return None;
        }
        let candidates = self.world.functions(schema, name);
        if candidates.is_empty() {
            return None;
        }
        // PostgreSQL's own comes first when the schema is not named.
        if schema.is_none() && classify(name, node.nodes("args").count()) != Class::Unknown {
            return None;
        }
        let mut arguments = Vec::new();
        for argument in node.nodes("args") {
            let (given, inner) = match argument.kind {
                "NamedArgExpr" => (argument.text("name"), argument.node("arg")?),
                _ => ("", argument),
            };
            let source = self.row_source(inner);
            arguments.push(Binding { name: given.to_owned(), expr: self.expr(inner), source });
        }
        Some((candidates, arguments))
    }

    /// The rows of a function whose body is one query, with the names of its columns.
    pub(super) fn rows_of(&mut self, node: &Node, alias: &str) -> Option<Common> {
        let path = node.strings("funcname");
        let name = path.last().copied()?;
        let schema = if path.len() > 1 { path.get(path.len() - 2).copied() } else { None };
        let (candidates, arguments) = self.user_call(node, schema, name)?;
        let (function, bindings, mark) = self.bindings_of(&candidates, arguments)?;
        let query = function.query.clone()?;
        let names: Vec<&str> = function.columns.iter().map(String::as_str).collect();
        let mut common = self.in_body(mark, bindings, |lower| {
            let mut query = lower.select(&query);
            if !function.returns_set && !query.one_row && names.is_empty() {
                query.limit = Limit::Some;
            }
            lower.summarize(&query, &names)
        });
        // A function of plain values has one column, under the name that it is called by.
        if let ([only], true) = (common.outputs.as_mut_slice(), names.is_empty()) {
            let called = if alias.is_empty() { name } else { alias };
            let before = std::mem::replace(&mut only.name, called.to_owned());
            let held = common.names.iter_mut().flatten().find(|held| **held == before);
            if let Some(held) = held {
                called.clone_into(held);
            }
        }
        Some(common)
    }

    /// Reads in the body of a function.
    fn in_body<T>(&mut self, mark: String, bindings: Vec<Binding>, read: impl FnOnce(&mut Self) -> T) -> T {
        self.inlined += 1;
        self.inlining.push(mark);
        let body = self.apart(None, None, |lower| {
            lower.bindings = Some(bindings);
            read(lower)
        });
        self.inlining.pop();
        body
    }

    /// What an operator amounts to, when its function's body is one expression.
    pub(super) fn inlined_operator(
        &mut self,
        schema: Option<&str>,
        name: &str,
        operands: Vec<Expr>,
    ) -> Option<Expr> {
        let operator = self.world.operator(schema, name, operands.len() > 1)?;
        let candidates = self.world.functions(operator.function_schema.as_deref(), &operator.function);
        let arguments =
            operands.into_iter().map(|expr| Binding { name: String::new(), expr, source: None }).collect();
        self.inlined(&candidates, arguments)
    }

    /// The one function that takes these arguments, and what its parameters stand for; `None` when its body is being
    /// read already.
    fn bindings_of(
        &mut self,
        candidates: &[Arc<Function>],
        arguments: Vec<Binding>,
    ) -> Option<(Arc<Function>, Vec<Binding>, String)> {
        let count = arguments.len();
        let mut fitting = candidates.iter().filter(|function| {
            let needed = function.inputs.iter().filter(|input| input.default.is_none()).count();
            (needed..=function.inputs.len()).contains(&count)
        });
        let (function, None) = (fitting.next()?, fitting.next()) else { return None };
        let mark = format!("{}.{}", function.schema, Arc::as_ptr(function) as usize);
        if self.inlining.len() >= DEEPEST_INLINING
            || self.inlined >= MOST_INLINED
            || self.inlining.contains(&mark)
        {
            return None;
        }
        let mut given: Vec<Option<Binding>> = vec![None; function.inputs.len()];
        for (position, argument) in arguments.into_iter().enumerate() {
            let at = match argument.name.as_str() {
                "" => position,
                name => function.inputs.iter().position(|input| input.name == name)?,
            };
            *given.get_mut(at)? = Some(argument);
        }
        let mut bindings = Vec::new();
        for (input, binding) in function.inputs.iter().zip(given) {
            let binding = match binding {
                Some(binding) => binding,
                None => {
                    let default = input.default.clone()?;
                    let expr = self.apart(None, None, |lower| lower.expr(&default));
                    Binding { name: String::new(), expr, source: None }
                }
            };
            bindings.push(Binding { name: input.name.clone(), ..binding });
        }
        Some((Arc::clone(function), bindings, mark))
    }

    fn inlined(&mut self, candidates: &[Arc<Function>], arguments: Vec<Binding>) -> Option<Expr> {
        let (function, bindings, mark) = self.bindings_of(candidates, arguments)?;
        if function.returns_set || !function.columns.is_empty() {
            return None;
        }
        let given: Vec<Expr> = bindings.iter().map(|binding| binding.expr.clone()).collect();
        let body = match (&function.value, &function.query) {
            (Some(value), _) => self.in_body(mark, bindings, |lower| lower.expr(value)),
            (None, Some(select)) => {
                let first_inner = self.scene.sources.len();
                let mut query = self.in_body(mark, bindings, |lower| lower.select(select));
                if !query.one_row {
                    query.limit = Limit::Some;
                }
                match self.inline_scalar(&query) {
                    Some(expr) => expr,
                    None => {
                        let mut hasher = DefaultHasher::new();
                        format!("{given:?}").hash(&mut hasher);
                        let fingerprint = select.fingerprint() ^ hasher.finish();
                        Expr::Subquery(self.register(Form::Scalar, None, query, first_inner, fingerprint))
                    }
                }
            }
            _ => return None,
        };
        if function.strict && !given.is_empty() {
            let null = Expr::Or(given.into_iter().map(|part| Expr::IsNull(Box::new(part))).collect());
            return Some(Expr::Case(vec![(null, Expr::Const(Value::Null))], Box::new(body)));
        }
        Some(body)
    }

    /// The table whose whole row an argument is.
    fn row_source(&self, node: &Node) -> Option<usize> {
        if let Some(bindings) = &self.bindings {
            return match node.kind {
                "ColumnRef" => {
                    let fields = node.strings("fields");
                    let [name] = fields.as_slice() else { return None };
                    bindings.iter().find(|binding| binding.name == *name)?.source
                }
                "ParamRef" => bindings.get(usize::try_from(node.int("number")).ok()?.checked_sub(1)?)?.source,
                _ => None,
            };
        }
        if node.kind != "ColumnRef" {
            return None;
        }
        let fields = node.strings("fields");
        let [name] = fields.as_slice() else { return None };
        self.source_named(name)
    }

    fn source_named(&self, alias: &str) -> Option<usize> {
        self.frames.iter().rev().find_map(|frame| {
            frame
                .iter()
                .copied()
                .find(|source| self.scene.source(*source).is_some_and(|held| held.alias == alias))
        })
    }

    /// An argument of the function whose body is read, or a field of one.
    pub(super) fn bound(&mut self, fields: &[&str], is_star: bool) -> Option<Expr> {
        let bindings = self.bindings.as_ref()?;
        let binding = |name: &str| bindings.iter().find(|held| !name.is_empty() && held.name == name);
        match fields {
            [name] => {
                // A column of a table in the body comes first.
                let hidden = self
                    .frames
                    .iter()
                    .flatten()
                    .any(|source| !is_star && self.knows(*source, name) == Some(true));
                binding(name).filter(|_| !hidden).map(|held| held.expr.clone())
            }
            [name, field] if !is_star && self.source_named(name).is_none() => {
                let held = binding(name).cloned();
                match held {
                    Some(Binding { source: Some(source), .. }) => Some(self.attribute(source, field)),
                    Some(other) => Some(Expr::Opaque((*field).to_owned(), vec![other.expr])),
                    // The function's own name before that of its argument.
                    None => binding(field).map(|held| held.expr.clone()),
                }
            }
            _ => None,
        }
    }

    /// `$1` in the body that is read.
    pub(super) fn bound_number(&self, number: usize) -> Option<Expr> {
        let bindings = self.bindings.as_ref()?;
        bindings.get(number.checked_sub(1)?).map(|held| held.expr.clone())
    }

    /// `s.name`: a column, or a function of the whole row.
    pub(super) fn attribute(&mut self, source: usize, name: &str) -> Expr {
        if self.knows(source, name) == Some(false) {
            let candidates = self.world.functions(None, name);
            let alias = self.scene.source(source).map(|held| held.alias.clone());
            if !candidates.is_empty()
                && let Some(expr) = alias.and_then(|alias| self.whole_row(&alias))
                && let Some(called) = self
                    .inlined(&candidates, vec![Binding { name: String::new(), expr, source: Some(source) }])
            {
                return called;
            }
        }
        self.column_expr(source, name)
    }

    /// `(s).name` is `s.name`.
    pub(super) fn indirection(&mut self, node: &Node) -> Option<Expr> {
        let source = self.row_source(node.node("arg")?)?;
        let mut fields = node.nodes("indirection");
        let (Some(field), None) = (fields.next(), fields.next()) else { return None };
        (field.kind == "String").then(|| self.attribute(source, field.text("sval")))
    }

    /// `array_position(ARRAY['a', 'b'], x)`: the place of a value in a list that is written out.
    pub(super) fn position_in(&self, arguments: &[Expr]) -> Option<Expr> {
        let [list, value] = arguments else { return None };
        let list = match list {
            Expr::Cast(inner, _) => inner,
            other => other,
        };
        let Expr::Array(parts) = list else { return None };
        let arms = parts.iter().enumerate().map(|(at, part)| {
            let same = Expr::Not(Box::new(Expr::Distinct(Box::new(value.clone()), Box::new(part.clone()))));
            (same, Expr::Const(Value::Number(at as f64 + 1.0)))
        });
        (parts.len() <= MOST_INLINED).then(|| Expr::Case(arms.collect(), Box::new(Expr::Const(Value::Null))))
    }

    /// `round(price, 2)` of a column with two digits behind the point is the column.
    pub(super) fn rounded(&self, arguments: &[Expr]) -> Option<Expr> {
        let (value, digits) = match arguments {
            [value] => (value, 0.0),
            [value, Expr::Const(Value::Number(digits))] => (value, *digits),
            _ => return None,
        };
        let column = self.scene.column(value.column()?)?;
        let scale = self.size_of(column.source, &column.name).scale?;
        (scale <= digits).then(|| value.clone())
    }

    /// `enum_range`, `enum_first`, `enum_last` over a known enumeration.
    pub(super) fn labels_called(&self, name: &str, arguments: &[Expr]) -> Option<Expr> {
        let labels = arguments.iter().find_map(|argument| labels_of(&self.scene, argument))?;
        let text = |label: &String| Expr::Const(Value::Text(label.clone()));
        let kind = Kind::Labels(labels.clone());
        let one = |label: Option<&String>| label.map(|label| Expr::Cast(Box::new(text(label)), kind.clone()));
        match (name, arguments) {
            ("enum_first", [_]) => one(labels.first()),
            ("enum_last", [_]) => one(labels.last()),
            ("enum_range", [_]) => Some(Expr::Array(labels.iter().map(text).collect())),
            ("enum_range", [low, high]) => {
                let place = |expr: &Expr, open: usize| match evaluate_constant(expr)? {
                    Value::Null => Some(open),
                    Value::Text(label) => labels.iter().position(|held| *held == label),
                    _ => None,
                };
                let (low, high) = (place(low, 0)?, place(high, labels.len().saturating_sub(1))?);
                let chosen = labels.iter().enumerate().filter(|(rank, _)| (low..=high).contains(rank));
                Some(Expr::Array(chosen.map(|(_, label)| text(label)).collect()))
            }
            _ => None,
        }
    }
}
