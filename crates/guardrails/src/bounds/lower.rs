//! From parse tree to [`Scene`]: names are resolved the way PostgreSQL resolves them, innermost scope first.

use std::collections::HashSet;
use std::sync::Arc;

use super::Comparison;
use super::expr::{Column, Expr, Form, Function, Limit, Origin, OuterJoin, Output, Query, Scene, Set, Source, Subquery, bit, items};
use super::value::Value;
use super::{evaluate_constant, time};
use crate::catalogue::{Catalogue, Kind, Name, PartitionBound, Relation, Side};
use crate::tree::Node;

/// What is known around a statement.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    pub base: Option<&'a Catalogue>,
    /// What the session itself has made.
    pub session: &'a Catalogue,
    pub search_path: &'a [String],
    pub parameters: &'a [Value],
    /// Names that are variables of a procedure, not columns.
    pub variables: &'a HashSet<String>,
    /// Inside a loop a `LIMIT` bounds nothing: the next turn takes the next rows.
    pub in_loop: bool,
}

impl World<'_> {
    /// The table that a name stands for, and whether it is temporary.
    pub fn table(&self, schema: &str, name: &str) -> (Name, Option<Arc<Relation>>) {
        if schema.is_empty() || schema.starts_with("pg_temp") {
            let temporary = Name::new("pg_temp", name);
            let last = self.search_path.iter().any(|entry| entry == "pg_temp") && self.search_path.first().is_some_and(|entry| entry != "pg_temp");
            if let Some(relation) = self.session.relation(&temporary)
                && !(last && schema.is_empty() && self.permanent(name).is_some())
            {
                return (temporary, Some(Arc::clone(relation)));
            }
            if !schema.is_empty() {
                return (temporary, None);
            }
        } else {
            let name = Name::new(schema, name);
            let found = self.find(&name);
            return (name, found);
        }
        self.permanent(name).map_or_else(
            || {
                let home = self.search_path.iter().find(|entry| *entry != "pg_temp" && *entry != "pg_catalog" && *entry != "$user");
                (Name::new(home.map_or("public", String::as_str), name), None)
            },
            |(name, relation)| (name, Some(relation)),
        )
    }

    fn permanent(&self, name: &str) -> Option<(Name, Arc<Relation>)> {
        let path = self.search_path.iter().map(String::as_str).filter(|entry| *entry != "$user" && *entry != "pg_temp");
        path.chain(["public"].into_iter().filter(|_| self.search_path.is_empty())).find_map(|schema| {
            let name = Name::new(schema, name);
            self.find(&name).map(|relation| (name, relation))
        })
    }

    fn find(&self, name: &Name) -> Option<Arc<Relation>> {
        self.session
            .relation(name)
            .or_else(|| self.base.and_then(|base| base.relation(name)))
            .cloned()
    }

    fn kind_of_type(&self, type_name: &Node) -> Kind {
        match Kind::of_type(type_name, self.base) {
            Kind::Other => Kind::of_type(type_name, Some(self.session)),
            kind => kind,
        }
    }
}

/// A `WITH` query, for those who refer to it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Common {
    pub outputs: Vec<Output>,
    pub names: Option<Vec<String>>,
    pub stars: Vec<(Name, bool)>,
}

/// Builds a [`Scene`].
pub(crate) struct Lower<'a> {
    pub scene: Scene,
    pub world: World<'a>,
    frames: Vec<Vec<usize>>,
    pub common: Vec<(String, Common)>,
    /// `SELECT *` over tables whose columns are not known, per source.
    stars: Vec<(usize, Name, bool)>,
    depth: usize,
}

const DEEPEST_VIEW: usize = 6;
const DEEPEST: usize = 60;

impl<'a> Lower<'a> {
    pub fn new(world: World<'a>, common: Vec<(String, Common)>) -> Lower<'a> {
        Lower { scene: Scene::default(), world, frames: vec![Vec::new()], common, stars: Vec::new(), depth: 0 }
    }

    /// The target of a write, as the first source of the current scope.
    pub fn target(&mut self, at: &Node) -> usize {
        let (name, info) = self.world.table(at.text("schemaname"), at.text("relname"));
        let alias = alias_of(at).unwrap_or_else(|| at.text("relname").to_owned());
        let view = info.as_ref().and_then(|info| info.view.clone());
        let source = match view.as_deref().and_then(simple_view) {
            Some(base) => {
                let source = self.view_target(&alias, &base);
                if let Some(held) = self.scene.sources.get_mut(source) {
                    held.view = Some(name);
                }
                source
            }
            None => self.table_source(alias, name, info),
        };
        self.enter(source);
        let checks: Vec<Arc<Node>> = self.scene.source(source).and_then(|source| source.info.as_ref()).map(|info| info.checks.clone()).unwrap_or_default();
        for check in checks {
            let check = self.expr(&check);
            if let Some(source) = self.scene.sources.get_mut(source) {
                source.assumed.push(check);
            }
        }
        let bounds: Vec<PartitionBound> = self.scene.source(source).and_then(|source| source.info.as_ref()).map(|info| info.bounds.clone()).unwrap_or_default();
        for bound in bounds {
            let column = Box::new(Expr::Column(self.column_of(source, &bound.column)));
            let check = match &bound.side {
                Side::From(low) => Expr::Compare(Comparison::GreaterOrEqual, column, self.boxed(Some(low))),
                Side::To(high) => Expr::Compare(Comparison::Less, column, self.boxed(Some(high))),
                Side::In(values) => {
                    let values = values.iter().map(|value| self.expr(value)).collect();
                    Expr::AnyOf(Comparison::Equal, column, Box::new(Expr::Array(values)))
                }
            };
            if let Some(held) = self.scene.sources.get_mut(source) {
                held.assumed.push(check);
            }
        }
        source
    }

    fn view_target(&mut self, alias: &str, view: &SimpleView<'_>) -> usize {
        self.depth += 1;
        let (name, info) = self.world.table(view.table.text("schemaname"), view.table.text("relname"));
        let inner_alias = alias_of(view.table).unwrap_or_else(|| view.table.text("relname").to_owned());
        let deeper = info.as_ref().and_then(|info| info.view.clone());
        let source = match deeper.as_deref().and_then(simple_view).filter(|_| self.depth < DEEPEST_VIEW) {
            Some(base) => self.view_target(&inner_alias, &base),
            None => self.table_source(inner_alias, name, info),
        };
        self.depth -= 1;
        if let Some(condition) = view.condition {
            self.frames.push(vec![source]);
            let condition = self.expr(condition);
            self.frames.pop();
            if let Some(source) = self.scene.sources.get_mut(source) {
                source.assumed.push(condition);
            }
        }
        if let Some(source) = self.scene.sources.get_mut(source) {
            let before = std::mem::take(&mut source.renamed);
            let through = |name: &str| {
                before.iter().find(|(outer, _)| outer == name).map_or(name.to_owned(), |(_, base)| base.clone())
            };
            source.renamed = view.renamed.iter().map(|(outer, inner)| (outer.clone(), through(inner))).collect();
            source.alias = alias.to_owned();
        }
        source
    }

    /// Opens the scope of the statement itself, inside what is visible already.
    pub fn open(&mut self) {
        self.frames.push(Vec::new());
    }

    /// Makes a source visible in the current scope.
    pub fn enter(&mut self, source: usize) {
        if let Some(frame) = self.frames.last_mut() {
            frame.push(source);
        }
    }

    fn add(&mut self, source: Source) -> usize {
        self.scene.sources.push(source);
        self.scene.sources.len() - 1
    }

    fn table_source(&mut self, alias: String, name: Name, info: Option<Arc<Relation>>) -> usize {
        let names = info
            .as_ref()
            .filter(|info| !info.columns.is_empty())
            .map(|info| info.columns.iter().map(|column| column.name.clone()).collect());
        self.add(Source {
            alias,
            table: Some(name),
            info,
            outputs: Vec::new(),
            names,
            assumed: Vec::new(),
            renamed: Vec::new(),
            view: None,
        })
    }

    /// A source that stands for the rows of a query.
    pub fn derived(&mut self, alias: String, query: &Query, columns: &[&str]) -> usize {
        let common = self.summarize(query, columns);
        self.common_source(alias, &common)
    }

    fn common_source(&mut self, alias: String, common: &Common) -> usize {
        let source = self.add(Source {
            alias,
            table: None,
            info: None,
            outputs: common.outputs.clone(),
            names: common.names.clone(),
            assumed: Vec::new(),
            renamed: Vec::new(),
            view: None,
        });
        for (table, complete) in &common.stars {
            self.stars.push((source, table.clone(), *complete));
        }
        for name in common.outputs.iter().map(|output| output.name.clone()).collect::<Vec<_>>() {
            self.column_of(source, &name);
        }
        source
    }

    /// What others can know of the rows of a query.
    pub fn summarize(&mut self, query: &Query, columns: &[&str]) -> Common {
        let mut outputs = self.outputs_of(query);
        for (output, name) in outputs.iter_mut().zip(columns) {
            output.name = (*name).to_owned();
        }
        let mut stars = Vec::new();
        if outputs.iter().any(|output| output.name == "*") {
            for source in &query.sources {
                let complete = query.set.is_none()
                    && query.limit == Limit::None
                    && !query.having
                    && !query.sampled
                    && self.scene.judge(*source, query).reaches_all();
                if let Some(table) = self.scene.source(*source).and_then(|source| source.table.clone()) {
                    stars.push((table, complete));
                }
                let inherited: Vec<(Name, bool)> = self.stars.iter().filter(|(held, ..)| held == source).map(|(_, table, whole)| (table.clone(), *whole && complete)).collect();
                stars.extend(inherited);
            }
            outputs.retain(|output| output.name != "*");
        }
        let open = !stars.is_empty() || query.odd;
        let names = (!open).then(|| outputs.iter().map(|output| output.name.clone()).collect());
        Common { outputs, names, stars }
    }

    fn outputs_of(&mut self, query: &Query) -> Vec<Output> {
        if let Some((set, left, right)) = &query.set {
            let mut outputs = self.outputs_of(left);
            let others = self.outputs_of(right);
            for (position, output) in outputs.iter_mut().enumerate() {
                let other = others.get(position).and_then(|other| other.origin.clone());
                output.extreme = None;
                output.gathered = None;
                output.origin = match (set, output.origin.take(), other) {
                    (Set::Union, Some(left), _) if left.complete => Some(left),
                    (Set::Union, _, Some(right)) if right.complete => Some(right),
                    (Set::Intersect, Some(left), Some(right)) => {
                        let complete = left.complete && left == right;
                        Some(Origin { complete, ..left })
                    }
                    (_, Some(left), _) => Some(Origin { complete: false, ..left }),
                    _ => None,
                };
                if query.limit != Limit::None
                    && let Some(origin) = &mut output.origin
                {
                    origin.complete = false;
                }
            }
            return outputs;
        }
        let mut outputs = query.outputs.clone();
        for output in &mut outputs {
            output.origin = match output.expr.column() {
                Some(_) => self.scene.origin(query, &output.expr),
                None => None,
            };
            if let Some((origin, _)) = &mut output.extreme {
                let column = Some(origin.clone());
                *origin = self.whole(query, column).unwrap_or_else(|| Origin { complete: false, ..origin.clone() });
            }
            if let Some(origin) = output.gathered.take() {
                output.gathered = self.whole(query, Some(origin));
                output.origin.clone_from(&output.gathered);
            }
        }
        outputs
    }

    fn whole(&self, query: &Query, origin: Option<Origin>) -> Option<Origin> {
        let origin = origin?;
        let column = self
            .scene
            .columns
            .iter()
            .position(|column| query.sources.contains(&column.source) && column.origin.as_ref().is_some_and(|held| held.table == origin.table && held.column == origin.column))?;
        self.scene.origin(query, &Expr::Column(column))
    }

    /// The column of that name of a source.
    pub fn column_of(&mut self, source: usize, name: &str) -> usize {
        let asked = name;
        let found = self.scene.source(source).and_then(|held| held.renamed.iter().find(|(outer, _)| outer == name).map(|(_, base)| base.clone()));
        let name = found.as_deref().unwrap_or(name);
        if let Some(known) = self.scene.columns.iter().position(|column| column.source == source && column.name == name) {
            return known;
        }
        let mut column = self.describe(source, name);
        if let Some(view) = self.scene.source(source).and_then(|held| held.view.clone()) {
            column.of_view = Some((view, asked.to_owned()));
        }
        self.scene.columns.push(column);
        self.scene.columns.len() - 1
    }

    fn describe(&self, source: usize, name: &str) -> Column {
        let mut column = Column {
            source,
            name: name.to_owned(),
            kind: Kind::Unknown,
            not_null: None,
            counted: false,
            past: false,
            can_be_empty: None,
            not_negative: false,
            origin: None,
            of_view: None,
        };
        let Some(held) = self.scene.source(source) else { return column };
        if let Some(table) = &held.table {
            column.origin = Some(Origin { table: table.clone(), column: name.to_owned(), complete: true });
        }
        if matches!(name, "ctid" | "xmin") {
            column.kind = Kind::Integer(0.0, 1e12);
            column.not_null = Some(true);
            column.counted = true;
            return column;
        }
        if let Some(output) = held.outputs.iter().find(|output| output.name == name) {
            column.kind = output.kind.clone();
            column.not_null = output.not_null;
            column.origin.clone_from(&output.origin);
        } else if let Some(known) = held.info.as_ref().and_then(|info| info.column(name)) {
            column.kind = known.kind.clone();
            let whole = matches!(known.kind, Kind::Integer(..));
            column.not_null = Some(known.not_null);
            let in_key = held.info.as_ref().is_some_and(|info| info.keys.iter().any(|key| key.iter().any(|column| column == name)));
            let refers = held.info.as_ref().is_some_and(|info| info.foreign.iter().any(|key| key.columns.iter().any(|column| column == name)));
            column.counted = known.serial || (whole && (in_key || refers || name == "id" || name.ends_with("_id")));
            column.past = known.default_now || is_past(name);
            column.can_be_empty = Some(!known.not_null || known.default_empty);
            column.not_negative = is_amount(name);
            return column;
        } else if let Some((_, table, complete)) = self.stars.iter().find(|(of, ..)| *of == source) {
            column.origin = Some(Origin { table: table.clone(), column: name.to_owned(), complete: *complete });
        }
        let own = held.table.as_ref().map(|table| table.name.trim_end_matches('s').to_owned());
        let is_key = matches!(name, "id" | "pk" | "uuid" | "oid" | "guid") || own.is_some_and(|own| name.strip_suffix("_id") == Some(&own));
        column.counted = is_key || name.ends_with("_id") || name.ends_with("_no");
        if column.kind == Kind::Unknown && (name.starts_with("is_") || name.starts_with("has_")) {
            column.kind = Kind::Bool;
        }
        column.past = is_past(name);
        column.not_negative = is_amount(name);
        if column.not_null.is_none() && held.table.is_some() {
            column.not_null = Some(is_key || !may_be_null(name));
        }
        column.can_be_empty = Some(!matches!(name, "id" | "name" | "email" | "title" | "username" | "uuid" | "code" | "sku" | "slug"));
        column
    }

    fn knows(&self, source: usize, name: &str) -> Option<bool> {
        let held = self.scene.source(source)?;
        if !held.renamed.is_empty() {
            return Some(held.renamed.iter().any(|(outer, _)| outer == name));
        }
        held.names.as_ref().map(|names| names.iter().any(|held| held == name))
    }

    /// Resolves a column reference.
    fn reference(&mut self, node: &Node) -> Expr {
        let fields = node.strings("fields");
        let star = node.nodes("fields").any(|field| field.kind == "AStar");
        match fields.as_slice() {
            [name] if !star => self.unqualified(name),
            [source] => self.whole_row(source).unwrap_or_else(|| Expr::Opaque(format!("{source}.*"), Vec::new())),
            [source, name] if !star => self.qualified(source, name),
            [.., source, name] if !star => self.qualified(source, name),
            _ => Expr::Opaque("*".to_owned(), Vec::new()),
        }
    }

    fn qualified(&mut self, alias: &str, name: &str) -> Expr {
        let found = self.frames.iter().rev().find_map(|frame| {
            frame
                .iter()
                .copied()
                .find(|source| self.scene.source(*source).is_some_and(|held| held.alias == alias))
        });
        match found {
            Some(_) if name == "tableoid" || is_bookkeeping(name) => Expr::Opaque(name.to_owned(), Vec::new()),
            Some(source) => Expr::Column(self.column_of(source, name)),
            None => Expr::Opaque(format!("{alias}.{name}"), Vec::new()),
        }
    }

    fn unqualified(&mut self, name: &str) -> Expr {
        if is_bookkeeping(name) {
            return Expr::Opaque(name.to_owned(), Vec::new());
        }
        let system = matches!(name, "ctid" | "xmin");
        let frames = self.frames.clone();
        let mut fallback = None;
        for frame in frames.iter().rev() {
            for source in frame {
                if (system && self.scene.source(*source).is_some_and(|held| held.table.is_some())) || self.knows(*source, name) == Some(true) {
                    return Expr::Column(self.column_of(*source, name));
                }
            }
            // The scalar variable of a loop comes before a column that nobody knows of.
            let of_loop = frames.first().into_iter().flatten().copied().find(|source| {
                self.scene.source(*source).is_some_and(|held| held.alias.is_empty() && held.table.is_none()) && self.knows(*source, name) == Some(true)
            });
            if let Some(source) = of_loop {
                return Expr::Column(self.column_of(source, name));
            }
            if self.world.variables.contains(name) {
                return Expr::Opaque(name.to_owned(), Vec::new());
            }
            // A scope with a table whose columns are not known takes the name.
            if let Some(source) = frame.iter().copied().find(|source| self.knows(*source, name).is_none()) {
                if let Some(whole) = self.whole_row(name) {
                    return whole;
                }
                return Expr::Column(self.column_of(source, name));
            }
            fallback = fallback.or_else(|| frame.first().copied());
        }
        if let Some(whole) = self.whole_row(name) {
            return whole;
        }
        match fallback {
            // The catalogue may be older than the table.
            Some(source) => Expr::Column(self.column_of(source, name)),
            None => Expr::Opaque(name.to_owned(), Vec::new()),
        }
    }

    fn whole_row(&mut self, alias: &str) -> Option<Expr> {
        let source = self.frames.iter().rev().find_map(|frame| {
            frame.iter().copied().find(|source| self.scene.source(*source).is_some_and(|held| held.alias == alias))
        })?;
        let names = self.scene.source(source)?.names.clone().unwrap_or_else(|| vec!["id".to_owned()]);
        Some(Expr::Row(names.iter().map(|name| Expr::Column(self.column_of(source, name))).collect()))
    }

    /// Takes a `FROM` list into `query`.
    pub fn from(&mut self, nodes: &[&Node], query: &mut Query) {
        for node in nodes {
            self.from_item(node, query);
        }
    }

    fn from_item(&mut self, node: &Node, query: &mut Query) -> u128 {
        let before = self.scene.sources.len();
        match node.kind {
            "RangeVar" => {
                let source = self.range(node);
                self.enter(source);
                query.sources.push(source);
            }
            "RangeSubselect" => {
                let inner = node.node("subquery").map(|subquery| self.nested(subquery)).unwrap_or_else(|| Query { odd: true, ..Query::default() });
                let columns = alias_columns(node);
                let source = self.derived(alias_of(node).unwrap_or_default(), &inner, &columns);
                // A lateral subquery is only tied to its siblings by its own conditions.
                query.sources.push(source);
                self.enter(source);
                return bit(source);
            }
            "JoinExpr" => return self.join(node, query),
            "RangeTableSample" => {
                if let Some(relation) = node.node("relation") {
                    let whole = node.nodes("args").next().and_then(|arg| {
                        let arg = self.expr(arg);
                        evaluate_constant(&arg)
                    });
                    query.sampled |= !matches!(whole, Some(Value::Number(percent)) if percent >= 100.0);
                    return self.from_item(relation, query);
                }
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
                });
                let gathered = self.unnested(node);
                if let (Some(origin), Some(name)) = (gathered, self.scene.source(source).and_then(|held| held.names.clone()).and_then(|names| names.first().cloned())) {
                    let column = self.column_of(source, &name);
                    if let Some(column) = self.scene.columns.get_mut(column) {
                        column.origin = Some(origin);
                    }
                }
                query.sources.push(source);
                self.enter(source);
            }
        }
        (before..self.scene.sources.len()).filter(|source| query.sources.contains(source)).fold(0, |mask, source| mask | bit(source))
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

    fn range(&mut self, node: &Node) -> usize {
        let alias = alias_of(node).unwrap_or_else(|| node.text("relname").to_owned());
        if node.text("schemaname").is_empty()
            && let Some((_, common)) = self.common.iter().rev().find(|(name, _)| name == node.text("relname"))
        {
            let common = common.clone();
            let columns = alias_columns(node).into_iter().map(str::to_owned).collect::<Vec<_>>();
            let mut common = common;
            for (output, name) in common.outputs.iter_mut().zip(&columns) {
                output.name.clone_from(name);
            }
            if let Some(names) = &mut common.names {
                for (held, name) in names.iter_mut().zip(columns) {
                    *held = name;
                }
            }
            return self.common_source(alias, &common);
        }
        let (name, info) = self.world.table(node.text("schemaname"), node.text("relname"));
        let view = info.as_ref().and_then(|info| info.view.clone());
        if let Some(view) = view.filter(|_| self.depth < DEEPEST_VIEW) {
            self.depth += 1;
            let frames = std::mem::replace(&mut self.frames, vec![Vec::new()]);
            let common = std::mem::take(&mut self.common);
            let inner = self.select(&view);
            let columns: Vec<String> = info.iter().flat_map(|info| info.columns.iter().map(|column| column.name.clone())).collect();
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
        self.table_source(alias, name, info)
    }

    fn join(&mut self, node: &Node, query: &mut Query) -> u128 {
        let (Some(left_node), Some(right_node)) = (node.node("larg"), node.node("rarg")) else { return 0 };
        let left = self.from_item(left_node, query);
        let right = self.from_item(right_node, query);
        let mut conditions = Vec::new();
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
                conditions.push(Expr::Compare(Comparison::Equal, Box::new(Expr::Column(a)), Box::new(Expr::Column(b))));
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
        let candidates: Vec<usize> = (0..self.scene.sources.len()).filter(|source| mask & bit(*source) != 0).collect();
        let known = candidates.iter().copied().find(|source| self.knows(*source, name) == Some(true));
        let source = known.or_else(|| candidates.iter().copied().find(|source| self.knows(*source, name).is_none()))?;
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
        query.having = node.has("having_clause");
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
        query.one_row = (aggregates && !query.grouped) || (from.is_empty() && query.conjuncts.is_empty());
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
            if !matches!(evaluate_constant(&offset), Some(Value::Number(0.0) | Value::Null)) && limit == Limit::None {
                limit = Limit::Some;
            }
        }
        if self.world.in_loop && limit == Limit::Some { Limit::None } else { limit }
    }

    fn outputs(&mut self, targets: Vec<&Node>, query: &mut Query) {
        for target in targets {
            let Some(value) = target.node("val") else { continue };
            let is_star = value.kind == "ColumnRef" && value.nodes("fields").any(|field| field.kind == "AStar");
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
                                let column = self.column_of(source, &name);
                                let output = self.output(name, Expr::Column(column));
                                query.outputs.push(output);
                            }
                        }
                        None => query.outputs.push(plain_output("*".to_owned(), Expr::Opaque("*".to_owned(), Vec::new()))),
                    }
                }
                continue;
            }
            let mut expr = self.expr(value);
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
                && let Some(inner) = value.nodes("args").next().filter(|inner| inner.kind == "FuncCall" && inner.strings("funcname").last() == Some(&"array_agg"))
                && let Some(argument) = inner.nodes("args").next()
            {
                expr = self.expr(argument);
            }
            let mut output = self.output(crate::catalogue::output_name(target), expr);
            if value.has("over") && value.strings("funcname").last().is_some_and(|name| matches!(*name, "row_number" | "rank" | "dense_rank" | "count")) {
                output.kind = Kind::Integer(1.0, 9e15);
            }
            if value.kind == "FuncCall" && value.strings("funcname").last() == Some(&"array_agg") && !value.has("agg_filter") {
                let argument = value.nodes("args").next().map(|arg| self.expr(arg));
                output.gathered = argument.and_then(|arg| arg.column()).and_then(|column| self.scene.column(column)).and_then(|column| column.origin.clone());
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
        output
    }

    /// Reads an expression in the current scope.
    pub fn expr(&mut self, node: &Node) -> Expr {
        self.depth += 1;
        let expr = if self.depth > DEEPEST { Expr::Opaque("too deep".to_owned(), Vec::new()) } else { self.expr_of(node) };
        self.depth -= 1;
        expr
    }

    fn boxed(&mut self, node: Option<&Node>) -> Box<Expr> {
        Box::new(node.map_or(Expr::Const(Value::Null), |node| self.expr(node)))
    }

    fn list(&mut self, node: &Node, field: &str) -> Vec<Expr> {
        let nodes: Vec<&Node> = node.nodes(field).collect();
        nodes.into_iter().map(|node| self.expr(node)).collect()
    }

    fn expr_of(&mut self, node: &Node) -> Expr {
        match node.kind {
            "AConst" => Expr::Const(constant(node)),
            "ColumnRef" => self.reference(node),
            "ParamRef" => {
                let number = usize::try_from(node.int("number")).unwrap_or(0);
                match self.world.parameters.get(number.wrapping_sub(1)) {
                    Some(value) if *value != Value::Unknown => Expr::Const(value.clone()),
                    _ => Expr::Opaque(format!("${number}"), Vec::new()),
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
                        Some(subject) => Expr::Compare(Comparison::Equal, Box::new(subject.clone()), Box::new(condition)),
                        None => condition,
                    };
                    arms.push((condition, *self.boxed(when.node("result"))));
                }
                Expr::Case(arms, self.boxed(node.node("defresult")))
            }
            "CoalesceExpr" => Expr::Coalesce(self.list(node, "args")),
            "MinMaxExpr" => {
                let parts = self.list(node, "args");
                if node.int("op") == 1 { Expr::Greatest(parts) } else { Expr::Least(parts) }
            }
            "RowExpr" => Expr::Row(self.list(node, "args")),
            "AArrayExpr" => Expr::Array(self.list(node, "elements")),
            "TypeCast" => self.cast(node),
            "CollateClause" => *self.boxed(node.node("arg")),
            "SqlValueFunction" => match node.int("op") {
                1..=9 => Expr::Call(Function::Now, Vec::new()),
                other => Expr::Opaque(format!("session value {other}"), Vec::new()),
            },
            "FuncCall" => self.function(node),
            // One row: where a cursor stands.
            "CurrentOfExpr" => match self.frames.last().and_then(|frame| frame.first().copied()) {
                Some(target) => Expr::Opaque("CURRENT OF".to_owned(), vec![Expr::Column(self.column_of(target, "ctid"))]),
                None => Expr::Opaque("CURRENT OF".to_owned(), Vec::new()),
            },
            "SubLink" => self.subquery(node),
            "List" => Expr::Row(self.list(node, "items")),
            _ => {
                let parts = node.children();
                let parts = parts.into_iter().map(|part| self.expr(part)).collect();
                Expr::Opaque(node.kind.to_owned(), parts)
            }
        }
    }

    fn cast(&mut self, node: &Node) -> Expr {
        let inner = self.boxed(node.node("arg"));
        let Some(type_name) = node.node("type_name") else { return *inner };
        let names = type_name.strings("names");
        let last = names.last().copied().unwrap_or("");
        if last == "tid" {
            return *inner;
        }
        if last.ends_with("range") {
            return Expr::Call(Function::Range, vec![*inner]);
        }
        if last == "interval"
            && let (Expr::Const(Value::Text(text)), Some(mask)) = (inner.as_ref(), type_name.nodes("typmods").next())
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
        Expr::Cast(inner, self.world.kind_of_type(type_name))
    }

    fn operator(&mut self, node: &Node) -> Expr {
        let name = node.strings("name").last().map(|name| (*name).to_owned()).unwrap_or_default();
        let (left_node, right_node) = (node.node("lexpr"), node.node("rexpr"));
        match node.int("kind") {
            1 => {
                if left_node.is_none() {
                    let inner = *self.boxed(right_node);
                    return match name.as_str() {
                        "-" => Expr::Call(Function::Negate, vec![inner]),
                        "+" => inner,
                        "@" => Expr::Call(Function::Abs, vec![inner]),
                        _ => Expr::Opaque(name, vec![inner]),
                    };
                }
                let (left, right) = (self.boxed(left_node), self.boxed(right_node));
                self.binary(&name, left, right)
            }
            kind @ (2 | 3) => {
                let (left, right) = (self.boxed(left_node), self.boxed(right_node));
                let every = kind == 3;
                match Comparison::of(&name) {
                    Some(comparison) if every => Expr::Not(Box::new(Expr::AnyOf(comparison.negated(), left, right))),
                    Some(comparison) => Expr::AnyOf(comparison, left, right),
                    None => match *right {
                        Expr::Array(parts) => {
                            let tests = parts.into_iter().map(|part| self.binary(&name, left.clone(), Box::new(part))).collect();
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
                let parts = right_node.map(|list| items(list).into_iter().map(|item| self.expr(item)).collect()).unwrap_or_default();
                let any = Expr::AnyOf(Comparison::Equal, left, Box::new(Expr::Array(parts)));
                if name == "<>" { Expr::Not(Box::new(any)) } else { any }
            }
            kind @ (8..=10) => {
                let text = self.boxed(left_node);
                let (pattern, escape) = self.pattern(right_node);
                let tested = if kind == 10 {
                    match pattern.as_ref() {
                        Expr::Const(Value::Text(pattern)) if pattern.contains(['|', '*', '+', '?', '{', '(', '[']) => {
                            Expr::Opaque("SIMILAR TO".to_owned(), vec![*text])
                        }
                        _ => Expr::Like { text, pattern, escape, fold_case: false },
                    }
                } else {
                    Expr::Like { text, pattern, escape, fold_case: kind == 9 }
                };
                if name.starts_with('!') { Expr::Not(Box::new(tested)) } else { tested }
            }
            kind @ (11..=14) => {
                let value = self.boxed(left_node);
                let bounds: Vec<Expr> = right_node.map(|list| items(list).into_iter().map(|item| self.expr(item)).collect()).unwrap_or_default();
                let (Some(low), Some(high)) = (bounds.first().cloned(), bounds.get(1).cloned()) else {
                    return Expr::Opaque("BETWEEN".to_owned(), vec![*value]);
                };
                let within = |low: Expr, high: Expr| {
                    let (low, high) = (self.tid(Box::new(low), &value), self.tid(Box::new(high), &value));
                    let test = |comparison, bound: Box<Expr>| {
                        self.ranked(comparison, &value, &bound).unwrap_or_else(|| Expr::Compare(comparison, value.clone(), bound))
                    };
                    Expr::And(vec![test(Comparison::GreaterOrEqual, low), test(Comparison::LessOrEqual, high)])
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
        let name = if node.kind == "FuncCall" { node.strings("funcname").last().map(|name| (*name).to_owned()) } else { None };
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
            if let Some(ranked) = self.ranked(comparison, &left, &right) {
                return ranked;
            }
            return Expr::Compare(comparison, left, right);
        }
        match name {
            "+" | "-" | "*" | "/" | "%" | "^" | "&" | "#" => {
                Expr::Arithmetic(name.chars().next().unwrap_or('?'), left, right)
            }
            "|" => Expr::Arithmetic('o', left, right),
            "||" => Expr::Arithmetic('|', left, right),
            "~" => Expr::Match { text: left, pattern: right },
            "~*" => Expr::Match { text: left, pattern: right },
            "!~" | "!~*" => Expr::Not(Box::new(Expr::Match { text: left, pattern: right })),
            "~~" | "~~*" => Expr::Like { text: left, pattern: right, escape: Some('\\'), fold_case: name.len() == 3 },
            "!~~" | "!~~*" => Expr::Not(Box::new(Expr::Like { text: left, pattern: right, escape: Some('\\'), fold_case: name.len() == 4 })),
            "^@" => Expr::Call(Function::StartsWith, vec![*left, *right]),
            "@>" | "<@" => {
                let (whole, part) = if name == "@>" { (left, right) } else { (right, left) };
                match part.as_ref() {
                    Expr::Array(parts) => match (parts.as_slice(), whole.as_ref()) {
                        ([only], Expr::Subquery(_)) => Expr::AnyOf(Comparison::Equal, Box::new(only.clone()), whole),
                        _ => Expr::Contains(whole, part),
                    },
                    _ => Expr::Contains(whole, part),
                }
            }
            _ => Expr::Opaque(name.to_owned(), vec![*left, *right]),
        }
    }

    /// Labels of an enumeration are in the order of their definition, not of their spelling.
    fn ranked(&self, comparison: Comparison, left: &Expr, right: &Expr) -> Option<Expr> {
        let labels = |expr: &Expr| match &self.scene.column(expr.column()?)?.kind {
            Kind::Labels(labels) => Some(labels.clone()),
            _ => None,
        };
        let (column, constant, comparison) = match (labels(left), labels(right)) {
            (Some(_), None) => (left, right, comparison),
            (None, Some(_)) => (right, left, comparison.turned()),
            _ => return None,
        };
        let labels = labels(column)?;
        let Some(Value::Text(text)) = evaluate_constant(constant) else { return None };
        let at = labels.iter().position(|label| *label == text)?;
        let passing = labels.iter().enumerate().filter(|(rank, _)| comparison.holds(rank.cmp(&at)));
        let values = passing.map(|(_, label)| Expr::Const(Value::Text(label.clone()))).collect();
        Some(Expr::AnyOf(Comparison::Equal, Box::new(column.clone()), Box::new(Expr::Array(values))))
    }

    /// `'(0,1)'` compared with `ctid` is a place in the table.
    fn tid(&self, expr: Box<Expr>, other: &Expr) -> Box<Expr> {
        let is_ctid = other.column().and_then(|column| self.scene.column(column)).is_some_and(|column| column.name == "ctid");
        match expr.as_ref() {
            Expr::Const(Value::Text(text)) if is_ctid => {
                let mut parts = text.trim().trim_matches(|c| c == '(' || c == ')').split(',').map(|part| part.trim().parse::<f64>());
                match (parts.next(), parts.next()) {
                    (Some(Ok(page)), Some(Ok(line))) => Box::new(Expr::Const(Value::Number(page * 1e6 + line))),
                    _ => expr,
                }
            }
            _ => expr,
        }
    }

    fn function(&mut self, node: &Node) -> Expr {
        let path = node.strings("funcname");
        let name = path.last().copied().unwrap_or("");
        let known_schema = path.len() < 2 || path.first() == Some(&"pg_catalog");
        let arguments = self.list(node, "args");
        if node.has("over") || !known_schema {
            return Expr::Opaque(path.join("."), arguments);
        }
        if let ("min" | "max", [argument], false) = (name, arguments.as_slice(), node.has("agg_filter"))
            && let Some(column) = argument.column()
        {
            return Expr::Extreme { column, largest: name == "max" };
        }
        if AGGREGATES.contains(&name) {
            return if name == "count" { Expr::Call(Function::Tally, Vec::new()) } else { Expr::Opaque(name.to_owned(), Vec::new()) };
        }
        if let (Some(comparison), 2) = (Comparison::of_function(name), arguments.len()) {
            let mut arguments = arguments.into_iter();
            if let (Some(left), Some(right)) = (arguments.next(), arguments.next()) {
                return Expr::Compare(comparison, Box::new(left), Box::new(right));
            }
            return Expr::Opaque(name.to_owned(), Vec::new());
        }
        let function = match name {
            "now" | "clock_timestamp" | "statement_timestamp" | "transaction_timestamp" => Function::Now,
            "length" | "char_length" | "character_length" | "octet_length" | "bit_length" | "textlen" => Function::Length,
            "lower" => Function::Lower,
            "upper" => Function::Upper,
            "btrim" | "trim" | "ltrim" | "rtrim" => Function::Trim,
            "abs" => Function::Abs,
            "sign" => Function::Sign,
            "floor" => Function::Floor,
            "ceil" | "ceiling" => Function::Ceil,
            "round" | "trunc" => Function::Round,
            "mod" => Function::Mod,
            "position" | "strpos" => Function::Position,
            "starts_with" => Function::StartsWith,
            "concat" => Function::Concat,
            "date_trunc" | "date" | "timezone" | "date_bin" | "to_date" | "to_timestamp" => Function::Truncate,
            "extract" | "date_part" => Function::Extract,
            "isfinite" => Function::IsFinite,
            "make_date" => Function::MakeDate,
            "num_nonnulls" => Function::NonNulls,
            "num_nulls" => Function::Nulls,
            "array_length" | "cardinality" => Function::ArrayLength,
            "int4range" | "int8range" | "numrange" | "tsrange" | "tstzrange" | "daterange" => Function::Range,
            "md5" | "sha256" | "hashtext" | "to_json" | "to_jsonb" | "row_to_json" | "quote_literal" | "quote_nullable"
            | "encode" | "format" | "jsonb_build_object" | "json_build_object" | "jsonb_build_array" | "json_build_array" | "concat_ws"
            | "array_to_json" | "hashint4" | "hashint8" | "hashtextextended" | "sha224" | "sha384" | "sha512" => Function::Digest,
            // The same for every row.
            "pg_typeof" => return Expr::Opaque(name.to_owned(), Vec::new()),
            "left" => Function::Left,
            "replace" => Function::Replace,
            "pg_column_size" => Function::Tally,
            "age" => {
                let mut parts = arguments.into_iter();
                let first = parts.next().unwrap_or(Expr::Const(Value::Null));
                let (later, earlier) = match parts.next() {
                    Some(second) => (first, second),
                    None => (Expr::Call(Function::Now, Vec::new()), first),
                };
                return Expr::Arithmetic('-', Box::new(later), Box::new(earlier));
            }
            "textlike" | "like" => {
                let mut parts = arguments.into_iter();
                let text = Box::new(parts.next().unwrap_or(Expr::Const(Value::Null)));
                let pattern = Box::new(parts.next().unwrap_or(Expr::Const(Value::Null)));
                return Expr::Like { text, pattern, escape: Some('\\'), fold_case: false };
            }
            "textregexeq" | "regexp_like" => {
                let mut parts = arguments.into_iter();
                let text = Box::new(parts.next().unwrap_or(Expr::Const(Value::Null)));
                let pattern = Box::new(parts.next().unwrap_or(Expr::Const(Value::Null)));
                return Expr::Match { text, pattern };
            }
            _ => return Expr::Opaque(name.to_owned(), arguments),
        };
        Expr::Call(function, arguments)
    }

    fn subquery(&mut self, node: &Node) -> Expr {
        let first_inner = self.scene.sources.len();
        let test = node.node("testexpr").map(|test| self.expr(test));
        let Some(select) = node.node("subselect") else { return Expr::Opaque("subquery".to_owned(), Vec::new()) };
        let query = self.nested(select);
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
                return Expr::Compare(comparison, Box::new(test.unwrap_or(Expr::Const(Value::Null))), Box::new(Expr::Subquery(id)));
            }
            _ => (Form::Scalar, false),
        };
        if let (Form::Any(comparison), Some(test), Some(values)) = (form, &test, query.constants()) {
            let any = Expr::AnyOf(comparison, Box::new(test.clone()), Box::new(Expr::Array(values)));
            return if negated { Expr::Not(Box::new(any)) } else { any };
        }
        if form == Form::Scalar
            && let Some(inlined) = self.inline_scalar(&query)
        {
            return inlined;
        }
        let id = self.register(form, test, query, first_inner, select.fingerprint());
        if negated { Expr::Not(Box::new(Expr::Subquery(id))) } else { Expr::Subquery(id) }
    }

    fn register(&mut self, form: Form, test: Option<Expr>, query: Query, first_inner: usize, fingerprint: u64) -> usize {
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

    fn mask_of(&self, query: &Query) -> u128 {
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
    fn inline_scalar(&mut self, query: &Query) -> Option<Expr> {
        if query.set.is_some() || query.odd || query.outputs.len() != 1 || query.having || query.limit == Limit::Zero {
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
                let origin = self.scene.origin(&whole, &Expr::Column(column)).filter(|origin| origin.complete)?;
                let outer = self.frames.iter().rev().flatten().copied().find(|source| self.scene.source(*source).and_then(|held| held.table.as_ref()) == Some(&origin.table))?;
                return Some(Expr::Extreme { column: self.column_of(outer, &origin.column), largest: *descending });
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
            let outer = self
                .frames
                .iter()
                .rev()
                .flatten()
                .copied()
                .find(|source| self.scene.source(*source).and_then(|held| held.table.as_ref()) == Some(&origin.table))?;
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
        Expr::Coalesce(parts) => Expr::Coalesce(parts.into_iter().map(|part| with_extreme(part, from, to)).collect()),
        Expr::Greatest(parts) => Expr::Greatest(parts.into_iter().map(|part| with_extreme(part, from, to)).collect()),
        Expr::Least(parts) => Expr::Least(parts.into_iter().map(|part| with_extreme(part, from, to)).collect()),
        Expr::Call(function, parts) => Expr::Call(function, parts.into_iter().map(|part| with_extreme(part, from, to)).collect()),
        other => other,
    }
}

fn plain_output(name: String, expr: Expr) -> Output {
    Output { name, expr, origin: None, kind: Kind::Unknown, not_null: None, extreme: None, gathered: None }
}

struct SimpleView<'a> {
    table: &'a Node,
    condition: Option<&'a Node>,
    renamed: Vec<(String, String)>,
}

/// A view that PostgreSQL updates through: plain columns of one table.
fn simple_view(query: &Node) -> Option<SimpleView<'_>> {
    let blocked = ["group_clause", "having_clause", "distinct_clause", "limit_count", "limit_offset", "larg", "values_lists", "with_clause"];
    if blocked.iter().any(|field| query.has(field)) {
        return None;
    }
    let mut from = query.nodes("from_clause");
    let (table, None) = (from.next()?, from.next()) else { return None };
    if table.kind != "RangeVar" {
        return None;
    }
    let mut renamed = Vec::new();
    for target in query.nodes("target_list") {
        let value = target.node("val")?;
        if value.kind == "ColumnRef" && !value.nodes("fields").any(|field| field.kind == "AStar") {
            let base = value.strings("fields").last().map(|name| (*name).to_owned())?;
            renamed.push((crate::catalogue::output_name(target), base));
        }
    }
    if query.nodes("target_list").any(|target| target.node("val").is_some_and(|value| value.nodes("fields").any(|field| field.kind == "AStar"))) {
        renamed.clear();
    }
    Some(SimpleView { table, condition: query.node("where_clause"), renamed })
}

/// The name given to an item of a `FROM` list.
pub(crate) fn alias_of(node: &Node) -> Option<String> {
    node.node("alias").map(|alias| alias.text("aliasname").to_owned()).filter(|alias| !alias.is_empty())
}

fn alias_columns(node: &Node) -> Vec<&str> {
    node.node("alias").map(|alias| alias.strings("colnames")).unwrap_or_default()
}

fn function_name(node: &Node) -> String {
    let mut found = String::new();
    node.walk(&mut |part| {
        if found.is_empty() && part.kind == "FuncCall" {
            found = part.strings("funcname").last().map(|name| (*name).to_owned()).unwrap_or_default();
        }
        found.is_empty()
    });
    found
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

fn is_bookkeeping(name: &str) -> bool {
    matches!(name, "tableoid" | "xmax" | "cmin" | "cmax")
}

fn is_past(name: &str) -> bool {
    let stem = name.trim_end_matches("_at").trim_end_matches("_on").trim_end_matches("_date").trim_end_matches("_time");
    matches!(stem, "created" | "inserted" | "updated" | "modified" | "registered" | "joined" | "logged" | "occurred" | "recorded" | "date_created" | "date_joined" | "signup")
}

fn is_amount(name: &str) -> bool {
    matches!(name, "price" | "quantity" | "qty" | "age" | "count" | "size" | "length" | "total" | "amount" | "stock" | "weight" | "views" | "attempts")
        || ["_count", "_size", "_length", "_price", "_qty", "_cents", "_bytes", "price_cents"].iter().any(|end| name.ends_with(end))
}

/// Without a catalogue: columns that usually have a value in every row.
fn may_be_null(name: &str) -> bool {
    !(matches!(
        name,
        "name" | "email" | "username" | "login" | "title" | "status" | "state" | "type" | "kind" | "code" | "sku" | "slug" | "active" | "enabled"
            | "created_at" | "updated_at" | "inserted_at" | "created_on" | "updated_on" | "created" | "updated" | "version" | "balance" | "amount"
            | "price" | "total" | "quantity" | "qty"
    ) || name.starts_with("is_")
        || name.starts_with("has_"))
}

const AGGREGATES: &[&str] = &[
    "count", "sum", "avg", "min", "max", "array_agg", "string_agg", "bool_and", "bool_or", "every", "json_agg", "jsonb_agg",
    "json_object_agg", "jsonb_object_agg", "xmlagg", "bit_and", "bit_or", "stddev", "variance", "percentile_cont",
    "percentile_disc", "mode", "corr",
];
