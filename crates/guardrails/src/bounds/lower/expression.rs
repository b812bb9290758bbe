//! Expressions: operators, casts and what is made of them.

use super::{DEEPEST, Lower, UNKNOWN_TEXT};
use crate::bounds::Comparison;
use crate::bounds::expr::{Expr, Form, Function, Scene, items};
use crate::bounds::value::Value;
use crate::bounds::{evaluate_constant, pattern, time};
use crate::catalogue::Kind;
use crate::tree::Node;

impl Lower<'_> {
    /// Reads an expression in the current scope.
    pub fn expr(&mut self, node: &Node) -> Expr {
        self.depth += 1;
        let expr = if self.depth > DEEPEST {
            Expr::Opaque("too deep".to_owned(), Vec::new())
        } else {
            self.expr_of(node)
        };
        self.depth -= 1;
        // Conjuncts count one by one.
        if self.generated.is_empty() || matches!(expr, Expr::And(_)) && node.kind == "BoolExpr" {
            return expr;
        }
        self.spelled_out(expr)
    }

    pub(super) fn boxed(&mut self, node: Option<&Node>) -> Box<Expr> {
        Box::new(node.map_or(Expr::Const(Value::Null), |node| self.expr(node)))
    }

    pub(super) fn list(&mut self, node: &Node, field: &str) -> Vec<Expr> {
        let nodes: Vec<&Node> = node.nodes(field).collect();
        nodes.into_iter().map(|node| self.expr(node)).collect()
    }

    fn expr_of(&mut self, node: &Node) -> Expr {
        match node.kind {
            "AConst" => match constant(node) {
                Value::Text(text) => match text.strip_prefix(UNKNOWN_TEXT) {
                    Some(key) => self.held(key).unwrap_or_else(|| Expr::Opaque(key.to_owned(), Vec::new())),
                    None => Expr::Const(Value::Text(text)),
                },
                value => Expr::Const(value),
            },
            "ColumnRef" => self.reference(node),
            "ParamRef" => {
                let number = usize::try_from(node.int("number")).unwrap_or(0);
                if let Some(bound) = self.bound_number(number) {
                    return bound;
                }
                match self.world.parameters.get(number.wrapping_sub(1)) {
                    Some(value) if *value != Value::Unknown => Expr::Const(value.clone()),
                    _ => {
                        let name = format!("${number}");
                        self.held(&name).unwrap_or(Expr::Opaque(name, Vec::new()))
                    }
                }
            }
            "BoolExpr" => {
                let parts = self.list(node, "args");
                match node.int("boolop") {
                    1 => Expr::And(parts),
                    2 => Expr::Or(parts),
                    _ => Expr::Not(Box::new(parts.into_iter().next().unwrap_or(Expr::Const(Value::Null)))),
                }
            }
            "AExpr" => self.operator(node),
            "NullTest" => {
                let inner = self.boxed(node.node("arg"));
                if node.int("nulltesttype") == 1 { Expr::IsNull(inner) } else { Expr::IsNotNull(inner) }
            }
            "BooleanTest" => {
                let inner = self.boxed(node.node("arg"));
                let is = |wanted| Expr::Is(wanted, inner);
                match node.int("booltesttype") {
                    1 => is(Some(true)),
                    2 => Expr::Not(Box::new(is(Some(true)))),
                    3 => is(Some(false)),
                    4 => Expr::Not(Box::new(is(Some(false)))),
                    5 => is(None),
                    _ => Expr::Not(Box::new(is(None))),
                }
            }
            "CaseExpr" => {
                let subject = node.node("arg").map(|arg| self.expr(arg));
                let whens: Vec<&Node> = node.nodes("args").collect();
                let mut arms = Vec::new();
                for when in whens {
                    let condition = *self.boxed(when.node("expr"));
                    let condition = match &subject {
                        Some(subject) => {
                            Expr::Compare(Comparison::Equal, Box::new(subject.clone()), Box::new(condition))
                        }
                        None => condition,
                    };
                    arms.push((condition, *self.boxed(when.node("result"))));
                }
                Expr::Case(arms, self.boxed(node.node("defresult")))
            }
            "CoalesceExpr" => Expr::Coalesce(self.list(node, "args")),
            "MinMaxExpr" => {
                let parts = self.list(node, "args");
                self.extreme_of(node.int("op") == 1, parts)
            }
            "RowExpr" => Expr::Row(self.list(node, "args")),
            "AArrayExpr" => Expr::Array(self.list(node, "elements")),
            "TypeCast" => self.cast(node),
            "CollateClause" => *self.boxed(node.node("arg")),
            "SqlValueFunction" => match node.int("op") {
                1 => Expr::Call(Function::Day, vec![Expr::Call(Function::Now, Vec::new())]),
                2..=9 => Expr::Call(Function::Now, Vec::new()),
                other => Expr::Opaque(format!("session value {other}"), Vec::new()),
            },
            "FuncCall" => self.function(node),
            // One row: where a cursor stands.
            "CurrentOfExpr" => match self.frames.last().and_then(|frame| frame.first().copied()) {
                Some(target) => {
                    Expr::Opaque("CURRENT OF".to_owned(), vec![Expr::Column(self.column_of(target, "ctid"))])
                }
                None => Expr::Opaque("CURRENT OF".to_owned(), Vec::new()),
            },
            "SubLink" => self.subquery(node),
            "List" => Expr::Row(self.list(node, "items")),
            "AIndirection" if let Some(attribute) = self.indirection(node) => attribute,
            _ => {
                let parts = node.children();
                let parts = parts.into_iter().map(|part| self.expr(part)).collect();
                Expr::Opaque(node.kind.to_owned(), parts)
            }
        }
    }

    /// What a variable or parameter is known to hold.
    pub(super) fn held(&mut self, name: &str) -> Option<Expr> {
        let node = self.world.bound.get(name)?;
        Some(self.expr(node))
    }

    fn cast(&mut self, node: &Node) -> Expr {
        let inner = self.boxed(node.node("arg"));
        let Some(type_name) = node.node("type_name") else { return *inner };
        let names = type_name.strings("names");
        let last = names.last().copied().unwrap_or("");
        if last == "tid" {
            return *inner;
        }
        if Kind::named(last) == Some(Kind::Range) {
            return Expr::Call(Function::Range, vec![*inner]);
        }
        if last == "interval"
            && let (Expr::Const(Value::Text(text)), Some(mask)) =
                (inner.as_ref(), type_name.nodes("typmods").next())
            && let Ok(count) = text.trim().parse::<f64>()
        {
            let unit = match constant(mask) {
                Value::Number(4.0) => time::YEAR,
                Value::Number(2.0) => 30.0 * time::DAY,
                Value::Number(8.0) => time::DAY,
                Value::Number(1024.0) => 3600.0,
                Value::Number(2048.0) => 60.0,
                _ => 1.0,
            };
            return Expr::Const(Value::Span(count * unit));
        }
        if last == "date" {
            return Expr::Call(Function::Day, vec![*inner]);
        }
        Expr::Cast(inner, self.world.kind_of_type(type_name))
    }

    fn operator(&mut self, node: &Node) -> Expr {
        let path = node.strings("name");
        let name = path.last().map(|name| (*name).to_owned()).unwrap_or_default();
        let schema = if path.len() > 1 { path.first().map(|schema| (*schema).to_owned()) } else { None };
        let (left_node, right_node) = (node.node("lexpr"), node.node("rexpr"));
        match node.int("kind") {
            1 => {
                if left_node.is_none() {
                    let inner = *self.boxed(right_node);
                    return match name.as_str() {
                        "-" => Expr::Call(Function::Negate, vec![inner]),
                        "+" => inner,
                        "@" => Expr::Call(Function::Abs, vec![inner]),
                        _ => self
                            .inlined_operator(schema.as_deref(), &name, vec![inner.clone()])
                            .unwrap_or_else(|| Expr::Opaque(name, vec![inner])),
                    };
                }
                let (left, right) = (self.boxed(left_node), self.boxed(right_node));
                // Whole rows, `t = t`: there null equals null.
                if let (Expr::Row(_), Expr::Row(_), Some(comparison)) =
                    (left.as_ref(), right.as_ref(), Comparison::of(&name))
                    && [left_node, right_node].into_iter().flatten().all(|side| side.kind == "ColumnRef")
                {
                    if comparison == Comparison::NotEqual {
                        return Expr::Distinct(left, right);
                    }
                    if comparison == Comparison::Equal || comparison.is_reflexive() && left == right {
                        return Expr::Not(Box::new(Expr::Distinct(left, right)));
                    }
                }
                let of_user = schema.as_deref().is_some_and(|schema| schema != "pg_catalog");
                if (of_user || !is_built_in(&name))
                    && let Some(inlined) =
                        self.inlined_operator(schema.as_deref(), &name, vec![*left.clone(), *right.clone()])
                {
                    return inlined;
                }
                self.binary(&name, left, right)
            }
            kind @ (2 | 3) => {
                let (left, right) = (self.boxed(left_node), self.boxed(right_node));
                let every = kind == 3;
                match Comparison::of(&name) {
                    Some(comparison) if every => {
                        Expr::Not(Box::new(Expr::AnyOf(comparison.negated(), left, right)))
                    }
                    Some(comparison) => Expr::AnyOf(comparison, left, right),
                    None => match *right {
                        Expr::Array(parts) => {
                            let tests = parts
                                .into_iter()
                                .map(|part| self.binary(&name, left.clone(), Box::new(part)))
                                .collect();
                            if every { Expr::And(tests) } else { Expr::Or(tests) }
                        }
                        other => Expr::Opaque(name, vec![*left, other]),
                    },
                }
            }
            kind @ (4 | 5) => {
                let (left, right) = (self.boxed(left_node), self.boxed(right_node));
                let distinct = Expr::Distinct(left, right);
                if kind == 4 { distinct } else { Expr::Not(Box::new(distinct)) }
            }
            6 => Expr::NullIf(self.boxed(left_node), self.boxed(right_node)),
            7 => {
                let left = self.boxed(left_node);
                let parts = right_node
                    .map(|list| items(list).into_iter().map(|item| self.expr(item)).collect())
                    .unwrap_or_default();
                let any = Expr::AnyOf(Comparison::Equal, left, Box::new(Expr::Array(parts)));
                if name == "<>" { Expr::Not(Box::new(any)) } else { any }
            }
            kind @ (8..=10) => {
                let text = self.boxed(left_node);
                let (pattern, escape) = self.pattern(right_node);
                let tested = if kind == 10 {
                    match pattern.as_ref() {
                        Expr::Const(Value::Text(similar)) => {
                            let pattern = pattern::of_similar(similar, escape);
                            let pattern = Box::new(Expr::Const(Value::Text(pattern)));
                            Expr::Match { text, pattern, fold_case: false }
                        }
                        _ => Expr::Opaque("SIMILAR TO".to_owned(), vec![*text, *pattern]),
                    }
                } else {
                    Expr::Like { text, pattern, escape, fold_case: kind == 9 }
                };
                if name.starts_with('!') { Expr::Not(Box::new(tested)) } else { tested }
            }
            kind @ (11..=14) => {
                let value = self.boxed(left_node);
                let bounds: Vec<Expr> = right_node
                    .map(|list| items(list).into_iter().map(|item| self.expr(item)).collect())
                    .unwrap_or_default();
                let (Some(low), Some(high)) = (bounds.first().cloned(), bounds.get(1).cloned()) else {
                    return Expr::Opaque("BETWEEN".to_owned(), vec![*value]);
                };
                let mut within = |low: Expr, high: Expr| {
                    let (low, high) = (self.tid(Box::new(low), &value), self.tid(Box::new(high), &value));
                    Expr::And(vec![
                        self.compared(Comparison::GreaterOrEqual, value.clone(), low),
                        self.compared(Comparison::LessOrEqual, value.clone(), high),
                    ])
                };
                let test = if kind >= 13 {
                    Expr::Or(vec![within(low.clone(), high.clone()), within(high, low)])
                } else {
                    within(low, high)
                };
                if kind % 2 == 0 { Expr::Not(Box::new(test)) } else { test }
            }
            _ => Expr::Opaque(name, vec![*self.boxed(left_node), *self.boxed(right_node)]),
        }
    }

    fn pattern(&mut self, node: Option<&Node>) -> (Box<Expr>, Option<char>) {
        let Some(node) = node else { return (Box::new(Expr::Const(Value::Null)), None) };
        let name = if node.kind == "FuncCall" {
            node.strings("funcname").last().map(|name| (*name).to_owned())
        } else {
            None
        };
        if matches!(name.as_deref(), Some("like_escape" | "similar_to_escape" | "similar_escape")) {
            let arguments = self.list(node, "args");
            let escape = match arguments.get(1) {
                Some(Expr::Const(Value::Text(text))) => text.chars().next(),
                _ => Some('\\'),
            };
            return (Box::new(arguments.into_iter().next().unwrap_or(Expr::Const(Value::Null))), escape);
        }
        (Box::new(self.expr(node)), Some('\\'))
    }

    fn binary(&mut self, name: &str, left: Box<Expr>, right: Box<Expr>) -> Expr {
        if let Some(comparison) = Comparison::of(name) {
            // `x = (SELECT y ..)`, tied to the row: as strong as `x = ANY (SELECT y ..)`.
            for (side, other, turned) in [(&right, &left, comparison), (&left, &right, comparison.turned())] {
                if let Expr::Subquery(id) = side.as_ref()
                    && let Some(subquery) = self.scene.subqueries.get_mut(*id)
                    && subquery.form == Form::Scalar
                    && (subquery.outer != 0 || self.world.in_loop && !subquery.query.sources.is_empty())
                    && !subquery.query.one_row
                    && subquery.query.set.is_none()
                {
                    subquery.form = Form::Any(turned);
                    subquery.test = Some(other.as_ref().clone());
                    return Expr::Subquery(*id);
                }
            }
            let right = self.tid(right, &left);
            let left = self.tid(left, &right);
            return self.compared(comparison, left, right);
        }
        if matches!((name, right.as_ref()), ("~" | "~*" | "!~" | "!~*", Expr::Const(Value::Text(text))) if text.contains('{'))
        {
            self.measured(&left);
        }
        match name {
            "+" | "-" | "*" | "/" | "%" | "^" | "&" | "#" => {
                Expr::Arithmetic(name.chars().next().unwrap_or('?'), left, right)
            }
            "|" => Expr::Arithmetic('o', left, right),
            "||" => Expr::Arithmetic('|', left, right),
            "<<" => Expr::Arithmetic('l', left, right),
            ">>" => Expr::Arithmetic('r', left, right),
            "~" | "~*" => Expr::Match { text: left, pattern: right, fold_case: name == "~*" },
            "!~" | "!~*" => {
                Expr::Not(Box::new(Expr::Match { text: left, pattern: right, fold_case: name == "!~*" }))
            }
            "~~" | "~~*" => {
                Expr::Like { text: left, pattern: right, escape: Some('\\'), fold_case: name.len() == 3 }
            }
            "!~~" | "!~~*" => Expr::Not(Box::new(Expr::Like {
                text: left,
                pattern: right,
                escape: Some('\\'),
                fold_case: name.len() == 4,
            })),
            "^@" => Expr::Call(Function::StartsWith, vec![*left, *right]),
            "@>" | "<@" => {
                let (whole, part) = if name == "@>" { (left, right) } else { (right, left) };
                match part.as_ref() {
                    Expr::Array(parts) => match (parts.as_slice(), whole.as_ref()) {
                        ([only], Expr::Subquery(_)) => {
                            Expr::AnyOf(Comparison::Equal, Box::new(only.clone()), whole)
                        }
                        _ => Expr::Contains(whole, part),
                    },
                    _ => Expr::Contains(whole, part),
                }
            }
            "&&" => Expr::Call(Function::Overlap, vec![*left, *right]),
            _ => Expr::Opaque(name.to_owned(), vec![*left, *right]),
        }
    }

    fn compared(&mut self, comparison: Comparison, left: Box<Expr>, right: Box<Expr>) -> Expr {
        if let Some(ranked) = self.ranked(comparison, &left, &right) {
            return ranked;
        }
        for (side, other) in [(&left, &right), (&right, &left)] {
            if let Some(Value::Number(bound)) = evaluate_constant(other) {
                self.weighed(side, bound);
            }
        }
        if matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
            return Expr::Compare(comparison, left, right);
        }
        let right = self.in_days(right, &left);
        let left = self.in_days(left, &right);
        Expr::Compare(comparison, left, right)
    }

    /// The difference of two dates is a number of days.
    fn in_days(&self, number: Box<Expr>, other: &Expr) -> Box<Expr> {
        let is_moment = |expr: &Expr| {
            expr.column()
                .and_then(|column| self.scene.column(column))
                .is_some_and(|column| column.kind == Kind::Time)
        };
        match (number.as_ref(), other) {
            (Expr::Const(Value::Number(days)), Expr::Arithmetic('-', left, right))
                if is_moment(left) && is_moment(right) =>
            {
                Box::new(Expr::Const(Value::Span(days * time::DAY)))
            }
            _ => number,
        }
    }

    /// `GREATEST` and `LEAST`, which pass over nulls; labels go by their rank.
    pub(super) fn extreme_of(&self, is_largest: bool, parts: Vec<Expr>) -> Expr {
        let Some(labels) = parts.iter().find_map(|part| labels_of(&self.scene, part)) else {
            return if is_largest { Expr::Greatest(parts) } else { Expr::Least(parts) };
        };
        let comparison = if is_largest { Comparison::GreaterOrEqual } else { Comparison::LessOrEqual };
        let mut parts = parts.into_iter();
        let first = parts.next().unwrap_or(Expr::Const(Value::Null));
        parts.fold(first, |best, part| {
            if best == part {
                return best;
            }
            let wins = Expr::Compare(
                comparison,
                Box::new(rank(&labels, best.clone())),
                Box::new(rank(&labels, part.clone())),
            );
            let arms = vec![
                (Expr::IsNull(Box::new(best.clone())), part.clone()),
                (Expr::Or(vec![Expr::IsNull(Box::new(part.clone())), wins]), best),
            ];
            Expr::Case(arms, Box::new(part))
        })
    }

    /// Labels of an enumeration are in the order of their definition, not of their spelling.
    fn ranked(&self, comparison: Comparison, left: &Expr, right: &Expr) -> Option<Expr> {
        let own = |expr: &Expr| labels_of(&self.scene, expr).filter(|_| evaluate_constant(expr).is_none());
        let of_order = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        let (column, constant, comparison) = match (own(left), own(right)) {
            (Some(_), None) => (left, right, comparison),
            (None, Some(_)) => (right, left, comparison.turned()),
            _ => (left, right, comparison),
        };
        let constant = match (own(column), evaluate_constant(constant)) {
            (Some(labels), Some(Value::Text(text))) => Some((labels, text)),
            _ => None,
        };
        let Some((labels, text)) = constant else {
            // Expressions over labels: their ranks are compared.
            let plain = left.column().is_some() && right.column().is_some();
            if !of_order || plain && left == right {
                return None;
            }
            let labels = labels_of(&self.scene, left).or_else(|| labels_of(&self.scene, right))?;
            if plain && self.mask_differs(left, right) {
                return None;
            }
            return Some(Expr::Compare(
                comparison,
                Box::new(rank(&labels, left.clone())),
                Box::new(rank(&labels, right.clone())),
            ));
        };
        let at = labels.iter().position(|label| *label == text)?;
        let passing = labels.iter().enumerate().filter(|(rank, _)| comparison.holds(rank.cmp(&at)));
        let values = passing.map(|(_, label)| Expr::Const(Value::Text(label.clone()))).collect();
        Some(Expr::AnyOf(Comparison::Equal, Box::new(column.clone()), Box::new(Expr::Array(values))))
    }

    /// Whether two columns belong to different sources, so that comparing them ties the sources.
    fn mask_differs(&self, left: &Expr, right: &Expr) -> bool {
        self.scene.mask(left) != self.scene.mask(right)
    }

    /// `'(0,1)'` compared with `ctid` is a place in the table.
    fn tid(&self, expr: Box<Expr>, other: &Expr) -> Box<Expr> {
        let is_ctid = other
            .column()
            .and_then(|column| self.scene.column(column))
            .is_some_and(|column| column.name == "ctid");
        match expr.as_ref() {
            Expr::Const(Value::Text(text)) if is_ctid => {
                let mut parts = text
                    .trim()
                    .trim_matches(|c| c == '(' || c == ')')
                    .split(',')
                    .map(|part| part.trim().parse::<f64>());
                match (parts.next(), parts.next()) {
                    (Some(Ok(page)), Some(Ok(line))) => {
                        Box::new(Expr::Const(Value::Number(page * 1e6 + line)))
                    }
                    _ => expr,
                }
            }
            _ => expr,
        }
    }
}

/// Operators that PostgreSQL itself defines and whose meaning is known here.
fn is_built_in(name: &str) -> bool {
    Comparison::of(name).is_some()
        || matches!(
            name,
            "+" | "-"
                | "*"
                | "/"
                | "%"
                | "^"
                | "&"
                | "#"
                | "|"
                | "||"
                | "<<"
                | ">>"
                | "~"
                | "~*"
                | "!~"
                | "!~*"
                | "~~"
                | "~~*"
                | "!~~"
                | "!~~*"
                | "^@"
                | "@>"
                | "<@"
        )
}

/// The labels of the enumeration that an expression is of.
pub(super) fn labels_of(scene: &Scene, expr: &Expr) -> Option<Vec<String>> {
    match expr {
        Expr::Column(id) => match &scene.column(*id)?.kind {
            Kind::Labels(labels) => Some(labels.clone()),
            _ => None,
        },
        Expr::Cast(_, Kind::Labels(labels)) => Some(labels.clone()),
        Expr::Coalesce(parts) | Expr::Greatest(parts) | Expr::Least(parts) => {
            parts.iter().find_map(|part| labels_of(scene, part))
        }
        Expr::NullIf(inner, _) => labels_of(scene, inner),
        Expr::Case(arms, default) => arms
            .iter()
            .map(|(_, result)| result)
            .chain([default.as_ref()])
            .find_map(|part| labels_of(scene, part)),
        _ => None,
    }
}

/// The place of a label in its enumeration.
fn rank(labels: &[String], expr: Expr) -> Expr {
    let arms = labels.iter().enumerate().map(|(rank, label)| {
        let label = Box::new(Expr::Const(Value::Text(label.clone())));
        (
            Expr::Compare(Comparison::Equal, Box::new(expr.clone()), label),
            Expr::Const(Value::Number(rank as f64)),
        )
    });
    Expr::Case(arms.collect(), Box::new(Expr::Const(Value::Null)))
}

/// The value of a constant of the parse tree.
pub(crate) fn constant(node: &Node) -> Value {
    let Some(value) = node.node("val") else { return Value::Null };
    match value.kind {
        "Integer" => Value::Number(value.int("ival") as f64),
        "Float" => value.text("fval").replace('_', "").parse().map_or(Value::Unknown, Value::Number),
        "Boolean" => Value::Bool(value.flag("boolval")),
        "String" => Value::Text(value.text("sval").to_owned()),
        _ => Value::Unknown,
    }
}
