//! What the catalogue knows of the rows of a table, as assumptions over its columns.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use super::Lower;
use super::names::{NEVER_NULL, STRICT, STRICT_OPERATORS};
use crate::bounds::Comparison;
use crate::bounds::expr::{Expr, Function};
use crate::bounds::value::Value;
use crate::catalogue::{Check, Kind, Name, PartitionBound, Relation, Side, Size};
use crate::tree::Node;

static NOTHING: LazyLock<HashSet<String>> = LazyLock::new(HashSet::new);

/// A generated column, what it is computed from, and how.
pub(super) struct Generated {
    column: usize,
    expr: Expr,
    from: Vec<usize>,
    /// A number or a moment, and computed by what is understood: its order can be told from the expression.
    ordered: bool,
}

impl Lower<'_> {
    /// Takes in what holds for every row of a table: its checks and, for a partition, its bounds.
    pub(super) fn assume(&mut self, source: usize, is_only: bool) {
        let Some(info) = self.scene.source(source).and_then(|source| source.info.clone()) else { return };
        if info.checks.is_empty() && info.bounds.is_empty() && info.divided_by.is_none() {
            return;
        }
        let name = self.scene.source(source).and_then(|source| source.table.clone());
        let children = |lower: &Self| name.as_ref().map_or_else(Vec::new, |name| lower.world.children(name));
        let mut assumed = Vec::new();
        for check in info.checks.iter().filter(|check| check.valid) {
            if check.inherited || is_only || children(self).is_empty() {
                assumed.push(self.apart(Some(source), None, |lower| lower.expr(&check.test)));
            }
        }
        assumed.extend(info.bounds.iter().map(|bound| self.within_bound(source, bound)));
        if info.divided_by.is_some() {
            let partitions = children(self);
            // A default partition has no bounds of its own.
            if !partitions.is_empty() && partitions.iter().all(|partition| !partition.bounds.is_empty()) {
                assumed.push(self.within_some(source, &partitions));
            }
        }
        if let Some(held) = self.scene.sources.get_mut(source) {
            held.assumed.extend(assumed);
        }
    }

    /// Every row of a partitioned table is in one of its partitions.
    fn within_some(&mut self, source: usize, partitions: &[Arc<Relation>]) -> Expr {
        let within = |lower: &mut Self, partition: &Arc<Relation>| {
            let mut parts = Vec::new();
            for bound in &partition.bounds {
                parts.push(lower.within_bound(source, bound));
                if !bound.takes_null() {
                    parts.push(Expr::IsNotNull(Box::new(Expr::Column(
                        lower.column_of(source, &bound.column),
                    ))));
                }
            }
            Expr::And(parts)
        };
        Expr::Or(partitions.iter().map(|partition| within(self, partition)).collect())
    }

    fn within_bound(&mut self, source: usize, bound: &PartitionBound) -> Expr {
        self.apart(Some(source), None, |lower| {
            let column = Box::new(Expr::Column(lower.column_of(source, &bound.column)));
            match &bound.side {
                Side::From(low) => Expr::Compare(Comparison::GreaterOrEqual, column, lower.boxed(Some(low))),
                Side::To(high) => Expr::Compare(Comparison::Less, column, lower.boxed(Some(high))),
                Side::In(values) => {
                    let values = values.iter().map(|value| lower.expr(value)).collect();
                    Expr::AnyOf(Comparison::Equal, column, Box::new(Expr::Array(values)))
                }
            }
        })
    }

    /// What the type of a new column demands of its values, and how a generated one is computed.
    pub(super) fn assume_column(&mut self, source: usize, column: usize) {
        let Some(info) = self.scene.source(source).and_then(|source| source.info.clone()) else { return };
        let Some(name) = self.scene.column(column).map(|column| column.name.clone()) else { return };
        let Some(known) = info.column(&name) else { return };
        for domain in self.world.domains(&known.type_name) {
            for Check { test, .. } in domain.checks.iter().filter(|check| check.valid) {
                let check = self.apart(None, Some(Expr::Column(column)), |lower| lower.expr(test));
                if let Some(held) = self.scene.sources.get_mut(source) {
                    held.assumed.push(check);
                }
            }
        }
        if let Some(generated) = &known.generated {
            let expr = self.apart(Some(source), None, |lower| lower.expr(generated));
            let (mut from, mut understood) = (Vec::new(), true);
            expr.walk(&mut |part| match part {
                Expr::Column(id) => from.push(*id),
                Expr::Opaque(..) | Expr::Subquery(_) => understood = false,
                _ => {}
            });
            let of_order = matches!(known.kind, Kind::Integer(..) | Kind::Decimal | Kind::Time);
            self.generated.push(Generated { column, expr, from, ordered: understood && of_order });
        }
    }

    /// Reads something that stands on its own: only the columns of `source`, or `VALUE`, are visible.
    pub(super) fn apart<T>(
        &mut self,
        source: Option<usize>,
        value: Option<Expr>,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let frames = std::mem::replace(&mut self.frames, vec![source.into_iter().collect()]);
        let common = std::mem::take(&mut self.common);
        let bindings = self.bindings.take();
        let value = std::mem::replace(&mut self.value, value);
        let variables = std::mem::replace(&mut self.world.variables, &NOTHING);
        // Checks speak of the table's own names, not of a view's.
        let renamed = source
            .and_then(|source| self.scene.sources.get_mut(source))
            .map(|held| std::mem::take(&mut held.renamed));
        let result = read(self);
        if let (Some(source), Some(renamed)) = (source, renamed)
            && let Some(held) = self.scene.sources.get_mut(source)
        {
            held.renamed = renamed;
        }
        self.world.variables = variables;
        self.value = value;
        self.bindings = bindings;
        self.common = common;
        self.frames = frames;
        result
    }

    /// The room that the type of a column leaves, its domains included.
    pub(super) fn size_of(&self, source: usize, name: &str) -> Size {
        let Some(known) = self
            .scene
            .source(source)
            .and_then(|source| source.info.as_ref())
            .and_then(|info| info.column(name).cloned())
        else {
            return Size::default();
        };
        self.world.domains(&known.type_name).iter().fold(known.size, |size, domain| size.or(domain.size))
    }

    /// Assumes the longest text of the columns in `expr`, which are measured.
    pub(super) fn measured(&mut self, expr: &Expr) {
        self.limited(expr, |size, column| {
            let length = Expr::Call(Function::Length, vec![Expr::Column(column)]);
            size.letters.map(|most| within(Comparison::LessOrEqual, length, most))
        });
    }

    /// Assumes the largest numbers of the columns in `expr`, when they are compared with a number beyond them.
    pub(super) fn weighed(&mut self, expr: &Expr, bound: f64) {
        self.limited(expr, |size, column| {
            let below = size.below.filter(|below| bound.abs() >= below - 1.0)?;
            Some(Expr::And(vec![
                within(Comparison::Less, Expr::Column(column), below),
                within(Comparison::Greater, Expr::Column(column), -below),
            ]))
        });
    }

    fn limited(&mut self, expr: &Expr, check: impl Fn(Size, usize) -> Option<Expr>) {
        let mut columns = Vec::new();
        expr.walk(&mut |part| {
            if let Expr::Column(id) = part {
                columns.push(*id);
            }
        });
        for id in columns {
            let Some((source, name)) =
                self.scene.column(id).map(|column| (column.source, column.name.clone()))
            else {
                continue;
            };
            if let Some(check) = check(self.size_of(source, &name), id)
                && let Some(held) = self.scene.sources.get_mut(source)
                && !held.assumed.contains(&check)
            {
                held.assumed.push(check);
            }
        }
    }

    /// Writes out generated columns where they meet what they are computed from, or where only their order counts.
    pub(super) fn spelled_out(&self, mut expr: Expr) -> Expr {
        for generated in &self.generated {
            let (mut meets, mut there) = (false, false);
            expr.walk(&mut |part| {
                if let Expr::Column(id) = part {
                    there |= *id == generated.column;
                    meets |= generated.from.contains(id);
                }
            });
            if there && meets {
                expr.replace_with(generated.column, &generated.expr);
            } else if there && generated.ordered {
                expr.rewrite(&mut |part| {
                    if let Expr::Compare(comparison, ..) = part
                        && !matches!(comparison, Comparison::Equal | Comparison::NotEqual)
                    {
                        part.replace_with(generated.column, &generated.expr);
                    }
                });
            }
        }
        expr
    }

    /// Whether an expression over the columns of a table is never null.
    pub(super) fn is_never_null(&self, node: &Node, info: &Relation) -> bool {
        let all = |field: &str| node.nodes(field).all(|part| self.is_never_null(part, info));
        let one = |field: &str| node.node(field).is_some_and(|part| self.is_never_null(part, info));
        match node.kind {
            "AConst" => node.has("val"),
            "ColumnRef" => node
                .strings("fields")
                .last()
                .and_then(|name| info.column(name))
                .is_some_and(|column| column.not_null || self.world.is_never_null(&column.type_name)),
            "TypeCast" | "CollateClause" => one("arg"),
            "NullTest" | "BooleanTest" | "SqlValueFunction" => true,
            "BoolExpr" | "MinMaxExpr" if node.kind == "BoolExpr" => all("args"),
            "MinMaxExpr" | "CoalesceExpr" => node.nodes("args").any(|part| self.is_never_null(part, info)),
            "CaseExpr" => {
                one("defresult")
                    && node.nodes("args").all(|when| {
                        when.node("result").is_some_and(|result| self.is_never_null(result, info))
                    })
            }
            "AExpr" => {
                let known = node.strings("name").last().is_some_and(|name| STRICT_OPERATORS.contains(name));
                match node.int("kind") {
                    1 => known && one("rexpr") && (!node.has("lexpr") || one("lexpr")),
                    4 | 5 => true,
                    8..=10 => one("lexpr") && one("rexpr"),
                    _ => false,
                }
            }
            "FuncCall" => {
                let name = node.strings("funcname").last().copied().unwrap_or("");
                NEVER_NULL.contains(&name) || (STRICT.contains(&name) && all("args"))
            }
            _ => false,
        }
    }

    /// The value that a column has in every row because it was only just added.
    pub(super) fn just_added(&self, source: usize, name: &str) -> Option<Option<Arc<Node>>> {
        if self.world.session.added.is_empty() {
            return None;
        }
        let table: &Name = self.scene.source(source)?.table.as_ref()?;
        let added = self.world.session.added.get(table)?.iter().find(|added| added.column == name)?;
        Some(added.value.clone())
    }
}

fn within(comparison: Comparison, value: Expr, bound: f64) -> Expr {
    Expr::Compare(comparison, Box::new(value), Box::new(Expr::Const(Value::Number(bound))))
}
