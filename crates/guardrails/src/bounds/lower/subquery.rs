//! Subqueries inside expressions.

use super::Lower;
use crate::bounds::Comparison;
use crate::bounds::expr::{Expr, Form, Function, Limit, Query, Subquery, bit};
use crate::bounds::value::Value;
use crate::tree::Node;

impl Lower<'_> {
    pub(super) fn subquery(&mut self, node: &Node) -> Expr {
        let first_inner = self.scene.sources.len();
        let test = node.node("testexpr").map(|test| self.expr(test));
        let Some(select) = node.node("subselect") else {
            return Expr::Opaque("subquery".to_owned(), Vec::new());
        };
        let query = self.nested(select);
        if query.yields_nothing() && test.is_none() {
            let exists = node.int("sub_link_type") == 1;
            return Expr::Const(if exists { Value::Bool(false) } else { Value::Null });
        }
        let operator = node.strings("oper_name").last().map(|name| (*name).to_owned());
        let kind = node.int("sub_link_type");
        let comparison = match operator.as_deref() {
            None => Some(Comparison::Equal),
            Some(operator) => Comparison::of(operator),
        };
        let (form, negated) = match (kind, comparison) {
            (1, _) => (Form::Exists, false),
            (2, Some(comparison)) => (Form::Any(comparison.negated()), true),
            (3, Some(comparison)) => (Form::Any(comparison), false),
            (2 | 3, None) => (Form::AnyOther, false),
            (7, _) => (Form::Array, false),
            (4, Some(comparison)) => {
                let id = self.register(Form::Scalar, None, query, first_inner, select.fingerprint());
                return Expr::Compare(
                    comparison,
                    Box::new(test.unwrap_or(Expr::Const(Value::Null))),
                    Box::new(Expr::Subquery(id)),
                );
            }
            _ => (Form::Scalar, false),
        };
        if let (Form::Any(comparison), Some(test), Some(values)) = (form, &test, query.constants()) {
            let any = Expr::AnyOf(comparison, Box::new(test.clone()), Box::new(Expr::Array(values)));
            return if negated { Expr::Not(Box::new(any)) } else { any };
        }
        // `x >= ALL (SELECT min(y) ..)`: one row, one comparison.
        if let (Form::Any(comparison), Some(test), true) = (form, &test, query.one_row)
            && let Some(inlined) = self.inline_scalar(&query)
        {
            let any = Expr::Compare(comparison, Box::new(test.clone()), Box::new(inlined));
            return if negated { Expr::Not(Box::new(any)) } else { any };
        }
        if let (Form::Array, Some(values)) = (form, query.constants()) {
            return Expr::Array(values);
        }
        if form == Form::Scalar
            && let Some(inlined) = self.inline_scalar(&query)
        {
            return inlined;
        }
        let id = self.register(form, test, query, first_inner, select.fingerprint());
        if negated { Expr::Not(Box::new(Expr::Subquery(id))) } else { Expr::Subquery(id) }
    }

    pub(super) fn register(
        &mut self,
        form: Form,
        test: Option<Expr>,
        query: Query,
        first_inner: usize,
        fingerprint: u64,
    ) -> usize {
        let outside = (0..first_inner).fold(0, |mask, source| mask | bit(source));
        let outer = self.mask_of(&query) & outside;
        let twin = self.scene.subqueries.iter().position(|held| {
            held.fingerprint == fingerprint && held.form == form && held.outer == outer && held.test == test
        });
        if let Some(twin) = twin {
            return twin;
        }
        let source = self.derived(String::new(), &query, &[]);
        self.scene.subqueries.push(Subquery { form, test, query, outer, source, fingerprint });
        self.scene.subqueries.len() - 1
    }

    pub(super) fn mask_of(&self, query: &Query) -> u128 {
        let mut mask = 0;
        for expr in &query.conjuncts {
            mask |= self.scene.mask(expr);
        }
        for join in &query.outer_joins {
            for expr in &join.conditions {
                mask |= self.scene.mask(expr);
            }
        }
        for output in &query.outputs {
            mask |= self.scene.mask(&output.expr);
        }
        if let Some((_, left, right)) = &query.set {
            mask |= self.mask_of(left) | self.mask_of(right);
        }
        mask
    }

    /// A scalar subquery that is only an expression, or only the extreme of a column of a whole table.
    pub(super) fn inline_scalar(&mut self, query: &Query) -> Option<Expr> {
        if query.set.is_some()
            || query.odd
            || query.outputs.len() != 1
            || query.having
            || query.limit == Limit::Zero
        {
            return None;
        }
        let expr = query.outputs.first()?.expr.clone();
        if query.sources.is_empty() && query.conjuncts.is_empty() {
            return Some(expr);
        }
        // `SELECT id FROM t ORDER BY id LIMIT 1` is an extreme too.
        let expr = match (&query.first_of, expr.column()) {
            (Some((key, descending)), Some(column)) if !query.one_row && key.column() == Some(column) => {
                let whole = Query { limit: Limit::None, ..query.clone() };
                let origin =
                    self.scene.origin(&whole, &Expr::Column(column)).filter(|origin| origin.complete)?;
                let outer = self.frames.iter().rev().flatten().copied().find(|source| {
                    self.scene.source(*source).and_then(|held| held.table.as_ref()) == Some(&origin.table)
                })?;
                return Some(Expr::Extreme {
                    column: self.column_of(outer, &origin.column),
                    largest: *descending,
                });
            }
            _ => expr,
        };
        if !query.one_row || query.sampled {
            return None;
        }
        let mut extremes = Vec::new();
        let mut others = false;
        expr.walk(&mut |part| match part {
            Expr::Extreme { column, .. } => extremes.push(*column),
            Expr::Column(_) | Expr::Opaque(..) | Expr::Subquery(_) => others = true,
            Expr::Call(Function::Tally, _) => others = true,
            _ => {}
        });
        if extremes.is_empty() || others {
            return None;
        }
        let mut replaced = expr;
        for column in extremes {
            let origin = self.scene.origin(query, &Expr::Column(column)).filter(|origin| origin.complete)?;
            let outer = self.frames.iter().rev().flatten().copied().find(|source| {
                self.scene.source(*source).and_then(|held| held.table.as_ref()) == Some(&origin.table)
            })?;
            let outer = self.column_of(outer, &origin.column);
            replaced = with_extreme(replaced, column, outer);
        }
        Some(replaced)
    }
}

fn with_extreme(expr: Expr, from: usize, to: usize) -> Expr {
    let swap = |part: Box<Expr>| Box::new(with_extreme(*part, from, to));
    match expr {
        Expr::Extreme { column, largest } if column == from => Expr::Extreme { column: to, largest },
        Expr::Arithmetic(operator, left, right) => Expr::Arithmetic(operator, swap(left), swap(right)),
        Expr::Cast(inner, kind) => Expr::Cast(swap(inner), kind),
        Expr::Coalesce(parts) => {
            Expr::Coalesce(parts.into_iter().map(|part| with_extreme(part, from, to)).collect())
        }
        Expr::Greatest(parts) => {
            Expr::Greatest(parts.into_iter().map(|part| with_extreme(part, from, to)).collect())
        }
        Expr::Least(parts) => {
            Expr::Least(parts.into_iter().map(|part| with_extreme(part, from, to)).collect())
        }
        Expr::Call(function, parts) => {
            Expr::Call(function, parts.into_iter().map(|part| with_extreme(part, from, to)).collect())
        }
        other => other,
    }
}
