//! Queries: `FROM`, joins, `WITH`, set operations, and what comes out of them.

use super::names::AGGREGATES;
use super::{
    Common, DEEPEST, DEEPEST_VIEW, Lower, alias_columns, alias_of, function_name, is_only, plain_output,
};
use crate::bounds::Comparison;
use crate::bounds::evaluate_constant;
use crate::bounds::expr::{Expr, Function, Limit, Origin, OuterJoin, Output, Query, Set, Source, bit, items};
use crate::bounds::value::{self, Value};
use crate::catalogue::{Kind, Name};
use crate::tree::Node;

impl Common {
    /// Gives the columns other names.
    fn rename(&mut self, columns: &[&str]) {
        for (output, name) in self.outputs.iter_mut().zip(columns) {
            (*name).clone_into(&mut output.name);
        }
        for (held, name) in self.names.iter_mut().flatten().zip(columns) {
            (*name).clone_into(held);
        }
    }

    /// Takes in the rows of another query.
    fn join(&mut self, other: Common) {
        for output in other.outputs {
            match self.outputs.iter_mut().find(|held| held.name == output.name) {
                Some(held) => {
                    if !held.origin.as_ref().is_some_and(|origin| origin.complete) {
                        held.origin = output.origin;
                    }
                    if held.not_null != output.not_null {
                        held.not_null = None;
                    }
                    held.extreme = None;
                    held.gathered = None;
                }
                None => self.outputs.push(output),
            }
        }
        self.assumed.clear();
        self.stars.clear();
        self.fixed = false;
        self.values = None;
        self.constants.clear();
    }
}

impl Lower<'_> {
    /// Takes a `FROM` list into `query`.
    pub fn from(&mut self, nodes: &[&Node], query: &mut Query) {
        for node in nodes {
            self.item(node, query);
        }
    }

    fn item(&mut self, node: &Node, query: &mut Query) -> u128 {
        let before = self.scene.sources.len();
        match node.kind {
            "RangeVar" => {
                let source = self.range(node);
                self.enter(source);
                if self.fixed.contains(&source) {
                    return bit(source);
                }
                query.sources.push(source);
            }
            "RangeSubselect" => {
                let inner = node
                    .node("subquery")
                    .map(|subquery| self.nested(subquery))
                    .unwrap_or_else(|| Query { odd: true, ..Query::default() });
                let columns = alias_columns(node);
                let source = self.derived(alias_of(node).unwrap_or_default(), &inner, &columns);
                self.enter(source);
                if self.fixed.contains(&source) {
                    return bit(source);
                }
                query.sources.push(source);
                let outside = (0..before).fold(0, |mask, source| mask | bit(source));
                if self.mask_of(&inner) & outside == 0 || !is_plain(&inner) {
                    return bit(source);
                }
                // It reads what stands outside it: as good as written there.
                let names = self.scene.source(source).and_then(|held| held.names.clone()).unwrap_or_default();
                for (name, output) in names.into_iter().zip(&inner.outputs) {
                    self.passed.push((source, name, output.expr.clone()));
                }
                let mask = inner.sources.iter().fold(bit(source), |mask, source| mask | bit(*source));
                query.sources.extend(inner.sources);
                query.conjuncts.extend(inner.conjuncts);
                query.outer_joins.extend(inner.outer_joins);
                return mask;
            }
            "JoinExpr" => return self.join(node, query),
            "RangeTableSample" => {
                if let Some(relation) = node.node("relation") {
                    let whole = node.nodes("args").next().and_then(|arg| {
                        let arg = self.expr(arg);
                        evaluate_constant(&arg)
                    });
                    query.sampled |= !matches!(whole, Some(Value::Number(percent)) if percent >= 100.0);
                    return self.item(relation, query);
                }
            }
            "RangeFunction" if let Some(source) = self.function_rows(node) => {
                query.sources.push(source);
                self.enter(source);
                return bit(source);
            }
            _ => {
                // Functions and the like: rows of unknown content.
                let alias = alias_of(node).unwrap_or_else(|| function_name(node));
                let mut names: Vec<String> = alias_columns(node).into_iter().map(str::to_owned).collect();
                names.extend(node.nodes("coldeflist").map(|column| column.text("colname").to_owned()));
                let open = names.is_empty();
                names.push(alias.clone());
                let source = self.add(Source {
                    alias,
                    table: None,
                    info: None,
                    outputs: Vec::new(),
                    names: (!open).then_some(names),
                    assumed: Vec::new(),
                    renamed: Vec::new(),
                    view: None,
                    partial: false,
                    above: Vec::new(),
                });
                if let Some(values) = self.listed(node) {
                    self.lists.push((source, values));
                }
                let gathered = self.unnested(node);
                if let (Some(origin), Some(name)) = (
                    gathered,
                    self.scene
                        .source(source)
                        .and_then(|held| held.names.clone())
                        .and_then(|names| names.first().cloned()),
                ) {
                    let column = self.column_of(source, &name);
                    if let Some(column) = self.scene.columns.get_mut(column) {
                        column.origin = Some(origin);
                    }
                }
                query.sources.push(source);
                self.enter(source);
            }
        }
        (before..self.scene.sources.len())
            .filter(|source| query.sources.contains(source))
            .fold(0, |mask, source| mask | bit(source))
    }

    /// `FROM f(..)`, where the body of `f` is a query.
    fn function_rows(&mut self, node: &Node) -> Option<usize> {
        let mut functions = node.nodes("functions");
        let (function, None) = (functions.next()?, functions.next()) else { return None };
        let call = items(function).into_iter().next().filter(|call| call.kind == "FuncCall")?;
        if node.flag("ordinality") {
            return None;
        }
        let alias = alias_of(node).unwrap_or_default();
        let mut common = self.rows_of(call, &alias)?;
        common.rename(&alias_columns(node));
        let alias = if alias.is_empty() { function_name(node) } else { alias };
        Some(self.common_source(alias, &common))
    }

    /// `unnest(ARRAY(SELECT id FROM t))` has the rows of the subquery.
    fn unnested(&mut self, node: &Node) -> Option<Origin> {
        let function = node.nodes("functions").next()?;
        let call = items(function).into_iter().next()?;
        if call.strings("funcname").last() != Some(&"unnest") {
            return None;
        }
        let argument = call.nodes("args").next().map(|arg| self.expr(arg))?;
        let Expr::Subquery(id) = argument else { return None };
        let source = self.scene.subqueries.get(id)?.source;
        self.scene.columns.iter().find(|column| column.source == source)?.origin.clone()
    }

    pub(super) fn range(&mut self, node: &Node) -> usize {
        let alias = alias_of(node).unwrap_or_else(|| node.text("relname").to_owned());
        if node.text("schemaname").is_empty()
            && let Some((_, common)) = self.common.iter().rev().find(|(name, _)| name == node.text("relname"))
        {
            let mut common = common.clone();
            common.rename(&alias_columns(node));
            return self.common_source(alias, &common);
        }
        let (name, info) = self.world.table(node.text("schemaname"), node.text("relname"));
        let view = info.as_ref().and_then(|info| info.view.clone());
        if let Some(view) = view.filter(|_| self.depth < DEEPEST_VIEW) {
            self.depth += 1;
            let frames = std::mem::replace(&mut self.frames, vec![Vec::new()]);
            let common = std::mem::take(&mut self.common);
            let inner = self.select(&view);
            let columns: Vec<String> =
                info.iter().flat_map(|info| info.columns.iter().map(|column| column.name.clone())).collect();
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            let source = self.derived(alias, &inner, &columns);
            if let Some(held) = self.scene.sources.get_mut(source) {
                held.view = Some(name.clone());
            }
            for column in self.scene.columns.iter_mut().filter(|column| column.source == source) {
                column.of_view = Some((name.clone(), column.name.clone()));
            }
            self.common = common;
            self.frames = frames;
            self.depth -= 1;
            return source;
        }
        if let Some(source) = self.filled(&alias, &name) {
            return source;
        }
        let is_only = is_only(node);
        let hides = is_only && !self.world.children(&name).is_empty();
        let source = self.table_source(alias, name, info);
        if let Some(held) = self.scene.sources.get_mut(source) {
            held.partial = hides;
        }
        self.assume(source, is_only);
        source
    }

    /// Whether an item of a `FROM` list is a table that the session has made and put nothing in.
    fn is_empty(&self, node: &Node) -> bool {
        if node.kind != "RangeVar" || self.common.iter().any(|(name, _)| name == node.text("relname")) {
            return false;
        }
        let (name, _) = self.world.table(node.text("schemaname"), node.text("relname"));
        self.world.session.relation(&name).is_some_and(|relation| relation.empty)
    }

    /// A table that the session has made and filled by queries is read as those queries.
    fn filled(&mut self, alias: &str, name: &Name) -> Option<usize> {
        let relation = self.world.session.relation(name)?;
        let fillings = relation.filled.clone().filter(|fillings| !fillings.is_empty())?;
        if self.depth >= DEEPEST_VIEW {
            return None;
        }
        let known: Vec<String> = relation.columns.iter().map(|column| column.name.clone()).collect();
        self.depth += 1;
        let mut whole: Option<Common> = None;
        for filling in &fillings {
            let columns: Vec<&str> = filling.columns.iter().map(String::as_str).collect();
            let inner = self.apart(None, None, |lower| {
                let query = lower.select(&filling.query);
                lower.summarize(&query, &columns)
            });
            match &mut whole {
                None => whole = Some(inner),
                Some(whole) => whole.join(inner),
            }
        }
        self.depth -= 1;
        let mut whole = whole?;
        if fillings.len() > 1 || !known.iter().any(String::is_empty) {
            whole.names = (!known.is_empty() && !known.iter().any(String::is_empty)).then_some(known);
        }
        Some(self.common_source(alias.to_owned(), &whole))
    }

    fn join(&mut self, node: &Node, query: &mut Query) -> u128 {
        let (Some(left_node), Some(right_node)) = (node.node("larg"), node.node("rarg")) else { return 0 };
        let before = query.conjuncts.len();
        let left = self.item(left_node, query);
        let of_left = query.conjuncts.len();
        let right = self.item(right_node, query);
        let mut conditions = Vec::new();
        // What the optional side requires for itself takes no row of the other side away.
        match node.int("jointype") {
            2 => conditions.extend(query.conjuncts.drain(of_left..)),
            4 => conditions.extend(query.conjuncts.drain(before..of_left)),
            3 => conditions.extend(query.conjuncts.drain(before..)),
            _ => {}
        }
        let optional = match node.int("jointype") {
            2 => right,
            4 => left,
            3 => left | right,
            _ => 0,
        };
        // Its constants may come out as nulls.
        self.passed.retain(|(of, _, expr)| bit(*of) & optional == 0 || !expr.is_constant());
        query.sources.extend(self.fixed.extract_if(.., |source| bit(*source) & optional != 0));
        if let Some(quals) = node.node("quals") {
            conditions.push(self.expr(quals));
        }
        let mut using: Vec<String> = node.strings("using_clause").into_iter().map(str::to_owned).collect();
        if node.flag("is_natural") {
            using = self.shared_names(left, right);
        }
        for name in using {
            let (a, b) = (self.column_in(left, &name), self.column_in(right, &name));
            if let (Some(a), Some(b)) = (a, b) {
                conditions.push(Expr::Compare(
                    Comparison::Equal,
                    Box::new(Expr::Column(a)),
                    Box::new(Expr::Column(b)),
                ));
            }
        }
        match node.int("jointype") {
            2 => query.outer_joins.push(OuterJoin { kept: left, optional: right, conditions }),
            4 => query.outer_joins.push(OuterJoin { kept: right, optional: left, conditions }),
            3 => {
                query.outer_joins.push(OuterJoin { kept: left | right, optional: left | right, conditions });
            }
            _ => query.conjuncts.extend(conditions),
        }
        left | right
    }

    fn shared_names(&self, left: u128, right: u128) -> Vec<String> {
        let names = |mask: u128| -> Vec<String> {
            (0..self.scene.sources.len())
                .filter(|source| mask & bit(*source) != 0)
                .filter_map(|source| self.scene.source(source).and_then(|held| held.names.clone()))
                .flatten()
                .collect()
        };
        let others = names(right);
        let mut shared: Vec<String> = names(left).into_iter().filter(|name| others.contains(name)).collect();
        if shared.is_empty() {
            shared.push("id".to_owned());
        }
        shared
    }

    fn column_in(&mut self, mask: u128, name: &str) -> Option<usize> {
        let candidates: Vec<usize> =
            (0..self.scene.sources.len()).filter(|source| mask & bit(*source) != 0).collect();
        let known = candidates.iter().copied().find(|source| self.knows(*source, name) == Some(true));
        let source = known
            .or_else(|| candidates.iter().copied().find(|source| self.knows(*source, name).is_none()))?;
        Some(self.column_of(source, name))
    }

    /// Reads the `WITH` clause of a statement; its queries stay visible until the caller cuts `common` back.
    pub fn with(&mut self, clause: &Node) {
        let recursive = clause.flag("recursive");
        for cte in clause.nodes("ctes") {
            let columns = cte.strings("aliascolnames");
            let common = match cte.node("ctequery") {
                Some(query) if query.kind == "SelectStmt" => {
                    if recursive {
                        self.common.push((cte.text("ctename").to_owned(), Common::default()));
                    }
                    let frames = std::mem::replace(&mut self.frames, vec![Vec::new()]);
                    let inner = self.select(query);
                    self.frames = frames;
                    if recursive {
                        self.common.pop();
                    }
                    self.summarize(&inner, &columns)
                }
                // What a write returns: rows of its own choosing.
                Some(write) => self.returned(write),
                None => Common::default(),
            };
            self.common.push((cte.text("ctename").to_owned(), common));
        }
    }

    fn returned(&mut self, write: &Node) -> Common {
        let Some(at) = write.node("relation") else { return Common::default() };
        let mut query = Query { odd: true, ..Query::default() };
        let frames = std::mem::replace(&mut self.frames, vec![Vec::new()]);
        let target = self.target(at);
        query.sources.push(target);
        let from: Vec<&Node> = write.nodes("using_clause").chain(write.nodes("from_clause")).collect();
        self.from(&from, &mut query);
        if let Some(condition) = write.node("where_clause") {
            let condition = self.expr(condition);
            query.conjuncts.push(condition);
        }
        query.odd = write.kind == "InsertStmt" || write.kind == "MergeStmt";
        if let Some(returning) = write.node("returning_clause") {
            self.outputs(returning.nodes("exprs").collect(), &mut query);
        }
        self.frames = frames;
        self.summarize(&query, &[])
    }

    /// A query in a scope of its own inside the current one.
    pub fn nested(&mut self, node: &Node) -> Query {
        self.frames.push(Vec::new());
        let query = self.select(node);
        self.frames.pop();
        query
    }

    /// Reads a `SELECT` whose sources go to the current scope.
    pub fn select(&mut self, node: &Node) -> Query {
        self.depth += 1;
        let kept = self.common.len();
        let mut query = Query::default();
        if node.kind != "SelectStmt" || self.depth > DEEPEST {
            query.odd = true;
        } else {
            if let Some(with) = node.node("with_clause") {
                self.with(with);
            }
            self.select_body(node, &mut query);
        }
        self.common.truncate(kept);
        self.depth -= 1;
        query
    }

    fn select_body(&mut self, node: &Node, query: &mut Query) {
        query.limit = self.limit(node);
        if let (Some(left), Some(right)) = (node.node("larg"), node.node("rarg")) {
            let set = match node.int("op") {
                2 => Set::Union,
                3 => Set::Intersect,
                _ => Set::Except,
            };
            let left = self.nested(left);
            let right = self.nested(right);
            query.sources = left.sources.iter().chain(&right.sources).copied().collect();
            query.set = Some((set, Box::new(left), Box::new(right)));
            return;
        }
        if node.has("values_lists") {
            query.is_values = true;
            let rows: Vec<&Node> = node.nodes("values_lists").take(64).collect();
            for row in rows {
                if let Some(first) = items(row).first() {
                    let first = self.expr(first);
                    query.rows.push(first);
                }
            }
            if node.nodes("values_lists").count() > 64 {
                query.odd = true;
            }
            if let Some(first) = node.nodes("values_lists").next() {
                for (position, value) in items(first).into_iter().enumerate() {
                    let expr = self.expr(value);
                    query.outputs.push(plain_output(format!("column{}", position + 1), expr));
                }
            }
            return;
        }
        let from: Vec<&Node> = node.nodes("from_clause").collect();
        self.from(&from, query);
        if let Some(condition) = node.node("where_clause") {
            let condition = self.expr(condition);
            query.conjuncts.push(condition);
        }
        query.grouped = node.has("group_clause");
        query.having = node.node("having_clause").is_some_and(|having| {
            let having = self.expr(having);
            !holds_for_any_count(&having)
        });
        self.outputs(node.nodes("target_list").collect(), query);
        let mut order = node.nodes("sort_clause");
        if let (Some(first), None) = (order.next(), order.next())
            && let Some(key) = first.node("node")
            && node.has("limit_count")
            && query.limit == Limit::Some
        {
            let key = self.expr(key);
            query.first_of = Some((key, first.int("sortby_dir") == 3));
        }
        let mut aggregates = false;
        for target in node.nodes("target_list") {
            target.walk(&mut |part| {
                aggregates |= part.kind == "FuncCall"
                    && !part.has("over")
                    && part.strings("funcname").last().is_some_and(|name| AGGREGATES.contains(name));
                part.kind != "SubLink"
            });
        }
        query.one_row =
            (aggregates && !query.grouped) || (query.conjuncts.is_empty() && query.sources.is_empty());
        if query.grouped && self.groups_by_key(node, query) {
            self.ungroup(node, query);
        }
        if !aggregates && from.iter().any(|item| self.is_empty(item)) {
            query.limit = Limit::Zero;
        }
        self.as_values(query);
    }

    /// Whether every group is one row: the only table is grouped by a key of its own.
    fn groups_by_key(&mut self, node: &Node, query: &Query) -> bool {
        let [source] = query.sources.as_slice() else { return false };
        let Some(info) = self.scene.source(*source).and_then(|held| held.info.clone()) else { return false };
        if info.keys.is_empty() {
            return false;
        }
        let by: Vec<Expr> = node.nodes("group_clause").map(|column| self.expr(column)).collect();
        // Rows whose key is null are of one group.
        let names: Vec<&str> = by
            .iter()
            .filter_map(|expr| self.scene.column(expr.column()?))
            .filter(|held| held.source == *source && held.not_null == Some(true))
            .map(|held| held.name.as_str())
            .collect();
        info.keys.iter().any(|key| key.iter().all(|column| names.contains(&column.as_str())))
    }

    /// Groups of one row each are the rows themselves.
    fn ungroup(&mut self, node: &Node, query: &mut Query) {
        query.grouped = false;
        for output in &mut query.outputs {
            if let Expr::Extreme { column, .. } = output.expr {
                *output = self.output(std::mem::take(&mut output.name), Expr::Column(column));
            }
        }
        if let Some(having) = node.node("having_clause").filter(|_| query.having) {
            let counted = self.expr(having).with_tally(&Expr::Const(Value::Number(1.0)));
            query.having = evaluate_constant(&counted) != Some(Value::Bool(true));
        }
    }

    /// `SELECT unnest(ARRAY[..])` and `SELECT x FROM (VALUES ..) v(x)` are lists of values.
    fn as_values(&mut self, query: &mut Query) {
        let [only] = query.outputs.as_slice() else { return };
        if !query.conjuncts.is_empty() || query.limit != Limit::None || query.having || query.sampled {
            return;
        }
        let values = match (&only.expr, query.sources.as_slice()) {
            (Expr::Opaque(name, parts), []) if name == "unnest" => match parts.as_slice() {
                [only] => elements(only),
                _ => None,
            },
            (Expr::Opaque(name, parts), []) if name == "generate_series" => counted(parts),
            (expr, [source]) => {
                let held = self.scene.source(*source);
                let first = held.and_then(|held| held.names.as_ref()).and_then(|names| names.first());
                let column = expr.column().and_then(|id| self.scene.column(id));
                let of_source = column.is_some_and(|column| {
                    column.source == *source && first.is_none_or(|first| *first == column.name)
                });
                let list = self.lists.iter().find(|(held, _)| held == source).filter(|_| of_source);
                list.map(|(_, values)| values.clone())
            }
            _ => None,
        };
        if let Some(values) = values {
            query.sources.clear();
            query.is_values = true;
            query.one_row = false;
            query.rows = values;
        }
    }

    /// `FROM unnest(ARRAY['a', 'b'])`: the values that it lists.
    fn listed(&mut self, node: &Node) -> Option<Vec<Expr>> {
        let function = node.nodes("functions").next()?;
        let call = items(function).into_iter().next()?;
        if call.strings("funcname").last() != Some(&"unnest") || call.nodes("args").count() != 1 {
            return None;
        }
        let mut argument = call.nodes("args").next().map(|arg| self.expr(arg))?;
        while let Expr::Cast(inner, _) = argument {
            argument = *inner;
        }
        match argument {
            Expr::Array(parts) => Some(parts),
            _ => None,
        }
    }

    fn limit(&mut self, node: &Node) -> Limit {
        let mut limit = Limit::None;
        if let Some(count) = node.node("limit_count") {
            let count = self.expr(count);
            limit = match evaluate_constant(&count) {
                Some(Value::Number(0.0)) => Limit::Zero,
                Some(Value::Number(count)) if count >= 1e6 => Limit::None,
                Some(Value::Null) => Limit::None,
                Some(_) => Limit::Some,
                None if matches!(count, Expr::Opaque(..) | Expr::Cast(..)) => Limit::Some,
                // A limit that is itself counted from a table.
                None => Limit::None,
            };
        }
        if let Some(offset) = node.node("limit_offset") {
            let offset = self.expr(offset);
            if !matches!(evaluate_constant(&offset), Some(Value::Number(0.0) | Value::Null))
                && limit == Limit::None
            {
                limit = Limit::Some;
            }
        }
        if self.world.in_loop && limit == Limit::Some { Limit::None } else { limit }
    }

    fn outputs(&mut self, targets: Vec<&Node>, query: &mut Query) {
        for target in targets {
            let Some(value) = target.node("val") else { continue };
            let is_star =
                value.kind == "ColumnRef" && value.nodes("fields").any(|field| field.kind == "AStar");
            if is_star {
                let of = value.strings("fields").first().map(|name| (*name).to_owned());
                for source in query.sources.clone() {
                    let Some(held) = self.scene.source(source) else { continue };
                    if of.as_ref().is_some_and(|of| held.alias != *of) {
                        continue;
                    }
                    match held.names.clone() {
                        Some(names) => {
                            for name in names {
                                let column = self.column_expr(source, &name);
                                let output = self.output(name, column);
                                query.outputs.push(output);
                            }
                        }
                        None => query
                            .outputs
                            .push(plain_output("*".to_owned(), Expr::Opaque("*".to_owned(), Vec::new()))),
                    }
                }
                continue;
            }
            let mut expr = self.expr(value);
            if value.kind == "FuncCall"
                && matches!(expr, Expr::Opaque(..))
                && let Some(common) = self.rows_of(value, "")
                && let [only] = common.outputs.as_slice()
            {
                let name = only.name.clone();
                let source = self.common_source(String::new(), &common);
                query.sources.push(source);
                expr = Expr::Column(self.column_of(source, &name));
            }
            if value.kind == "FuncCall"
                && value.strings("funcname").last() == Some(&"unnest")
                && let Expr::Opaque(_, parts) = &expr
                && let Some(Expr::Subquery(id)) = parts.first()
                && let Some(rows) = self.scene.subqueries.get(*id).map(|subquery| subquery.source)
                && let Some(column) = self.scene.columns.iter().position(|column| column.source == rows)
            {
                query.sources.push(rows);
                expr = Expr::Column(column);
            }
            if value.kind == "FuncCall"
                && value.strings("funcname").last() == Some(&"unnest")
                && let Some(inner) = value.nodes("args").next().filter(|inner| {
                    inner.kind == "FuncCall" && inner.strings("funcname").last() == Some(&"array_agg")
                })
                && let Some(argument) = inner.nodes("args").next()
            {
                expr = self.expr(argument);
            }
            let mut output = self.output(crate::catalogue::output_name(target), expr);
            if value.has("over")
                && value
                    .strings("funcname")
                    .last()
                    .is_some_and(|name| matches!(*name, "row_number" | "rank" | "dense_rank" | "count"))
            {
                output.kind = Kind::Integer(1.0, 9e15);
            }
            if value.kind == "FuncCall"
                && value.strings("funcname").last() == Some(&"array_agg")
                && !value.has("agg_filter")
            {
                let argument = value.nodes("args").next().map(|arg| self.expr(arg));
                output.gathered = argument
                    .and_then(|arg| arg.column())
                    .and_then(|column| self.scene.column(column))
                    .and_then(|column| column.origin.clone());
            }
            query.outputs.push(output);
        }
    }

    fn output(&self, name: String, expr: Expr) -> Output {
        let mut output = plain_output(name, expr);
        if let Some(column) = output.expr.column().and_then(|column| self.scene.column(column)) {
            output.kind = column.kind.clone();
            output.not_null = column.not_null;
            output.origin.clone_from(&column.origin);
        }
        if let Expr::Call(Function::Tally, _) = output.expr {
            output.kind = Kind::Integer(0.0, 9e15);
            output.not_null = Some(true);
        }
        output
    }
}

/// The elements of an array that is written out.
fn elements(array: &Expr) -> Option<Vec<Expr>> {
    match array {
        Expr::Array(parts) => Some(parts.clone()),
        Expr::Cast(inner, _) => elements(inner),
        Expr::Const(Value::Text(text)) => {
            let parts = value::elements(text)?.into_iter();
            Some(parts.map(|part| Expr::Const(Value::Text(part.to_owned()))).collect())
        }
        _ => None,
    }
}

/// `generate_series(1, 5)`, when it is short.
fn counted(bounds: &[Expr]) -> Option<Vec<Expr>> {
    let [first, last] = bounds else { return None };
    let (Some(Value::Number(first)), Some(Value::Number(last))) =
        (evaluate_constant(first), evaluate_constant(last))
    else {
        return None;
    };
    if last - first > 64.0 {
        return None;
    }
    let values = (0..=64).map(|step| first + f64::from(step)).take_while(|value| *value <= last);
    Some(values.map(|value| Expr::Const(Value::Number(value))).collect())
}

/// A query whose rows are just those that its conditions let through.
fn is_plain(query: &Query) -> bool {
    query.set.is_none()
        && query.limit == Limit::None
        && !query.one_row_of_many()
        && !query.grouped
        && !query.having
        && !query.is_values
        && !query.sampled
        && !query.odd
}

/// `HAVING count(*) >= 1`: a group has at least one row.
fn holds_for_any_count(having: &Expr) -> bool {
    [1.0, 2.0, 7.0, 5_000.0].into_iter().all(|count| {
        let counted = having.with_tally(&Expr::Const(Value::Number(count)));
        evaluate_constant(&counted) == Some(Value::Bool(true))
    })
}
