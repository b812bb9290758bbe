//! From parse tree to [`Scene`]: names are resolved the way PostgreSQL resolves them, innermost scope first.

mod calls;
mod expression;
mod function;
mod known;
mod names;
mod select;
mod subquery;
mod world;

use std::sync::Arc;

pub(crate) use world::World;

use self::calls::Binding;
use self::known::Generated;
use self::names::{is_amount, is_bookkeeping, is_past, may_be_null};
use super::expr::{Column, Expr, Limit, Origin, Output, Query, Scene, Set, Source, bit};
use super::value::Value;
use super::{Comparison, Outcome};
use crate::catalogue::{Kind, Name, Relation};
use crate::tree::Node;

/// A `WITH` query, for those who refer to it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Common {
    pub outputs: Vec<Output>,
    pub names: Option<Vec<String>>,
    pub stars: Vec<(Name, bool)>,
    /// What holds for every row, over the columns that `outputs` are.
    pub assumed: Vec<Expr>,
    /// Exactly one row, of constants.
    pub fixed: bool,
    /// Its rows, when they are constants in one column.
    pub values: Option<Vec<Expr>>,
    /// The columns that hold one constant in every row.
    pub constants: Vec<(String, Expr)>,
}

/// Begins a text constant that stands for a value that is not known; what follows names the value.
pub(crate) const UNKNOWN_TEXT: &str = "\u{1}unknown:";

/// Builds a [`Scene`].
pub(crate) struct Lower<'a> {
    pub scene: Scene,
    pub world: World<'a>,
    frames: Vec<Vec<usize>>,
    pub common: Vec<(String, Common)>,
    /// `SELECT *` over tables whose columns are not known, per source.
    stars: Vec<(usize, Name, bool)>,
    /// What a column of a lateral subquery is, in terms of what stands outside it; or the constant that it is.
    passed: Vec<(usize, String, Expr)>,
    /// Sources of exactly one row of constants.
    fixed: Vec<usize>,
    depth: usize,
    generated: Vec<Generated>,
    /// The arguments of the function whose body is read.
    bindings: Option<Vec<Binding>>,
    /// What `VALUE` stands for in the check of a domain.
    value: Option<Expr>,
    /// Functions whose bodies are being read, and how many were.
    inlining: Vec<String>,
    inlined: usize,
    /// The rows of sources that are lists of values.
    lists: Vec<(usize, Vec<Expr>)>,
}

const DEEPEST_VIEW: usize = 6;
const DEEPEST: usize = 60;

impl<'a> Lower<'a> {
    pub fn new(world: World<'a>, common: Vec<(String, Common)>) -> Lower<'a> {
        Lower {
            scene: Scene::new(world.in_loop),
            world,
            frames: vec![Vec::new()],
            common,
            stars: Vec::new(),
            passed: Vec::new(),
            fixed: Vec::new(),
            depth: 0,
            generated: Vec::new(),
            bindings: None,
            value: None,
            inlining: Vec::new(),
            inlined: 0,
            lists: Vec::new(),
        }
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
            // Written through its `INSTEAD OF` triggers, by what it shows.
            None if view.is_some() => self.range(at),
            None => self.table_source(alias, name, info),
        };
        self.enter(source);
        self.assume(source, is_only(at));
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
                before
                    .iter()
                    .find(|(outer, _)| outer == name)
                    .map_or(name.to_owned(), |(_, base)| base.clone())
            };
            source.renamed =
                view.renamed.iter().map(|(outer, inner)| (outer.clone(), through(inner))).collect();
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
        let above = self.world.above(info.as_deref());
        self.add(Source {
            alias,
            table: Some(name),
            info,
            outputs: Vec::new(),
            names,
            assumed: Vec::new(),
            renamed: Vec::new(),
            view: None,
            partial: false,
            above,
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
            partial: false,
            above: Vec::new(),
        });
        for (table, complete) in &common.stars {
            self.stars.push((source, table.clone(), *complete));
        }
        if common.fixed {
            self.fixed.push(source);
        } else if let Some(values) = &common.values {
            self.lists.push((source, values.clone()));
        }
        let constants = common.constants.iter().map(|(name, expr)| (source, name.clone(), expr.clone()));
        self.passed.extend(constants);
        let mut through = Vec::new();
        for output in &common.outputs {
            let column = self.column_of(source, &output.name);
            if let Some(inner) = output.expr.column() {
                through.push((inner, column));
            }
        }
        let assumed = common.assumed.iter().filter_map(|check| renamed(check, &through)).collect();
        if let Some(held) = self.scene.sources.get_mut(source) {
            held.assumed = assumed;
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
                let inherited: Vec<(Name, bool)> = self
                    .stars
                    .iter()
                    .filter(|(held, ..)| held == source)
                    .map(|(_, table, whole)| (table.clone(), *whole && complete))
                    .collect();
                stars.extend(inherited);
            }
            outputs.retain(|output| output.name != "*");
        }
        let open = !stars.is_empty() || query.odd;
        let names = (!open).then(|| outputs.iter().map(|output| output.name.clone()).collect());
        let values = query.constants().filter(|_| outputs.len() == 1);
        let constants = outputs.iter().filter(|output| query.is_of_rows() && output.expr.is_constant());
        let constants = constants.map(|output| (output.name.clone(), output.expr.clone())).collect();
        let assumed = self.handed_on(query);
        Common { outputs, names, stars, assumed, fixed: query.is_fixed(), values, constants }
    }

    /// What holds for the rows of the sources holds for the rows of the query, unless an outer join made them up.
    fn handed_on(&self, query: &Query) -> Vec<Expr> {
        if query.set.is_some() || query.odd {
            return Vec::new();
        }
        let made_up = query.outer_joins.iter().fold(0, |mask, outer| mask | outer.optional);
        let sources = query.sources.iter().filter(|source| bit(**source) & made_up == 0);
        sources
            .filter_map(|source| self.scene.source(*source))
            .flat_map(|held| held.assumed.iter().cloned())
            .collect()
    }

    fn outputs_of(&mut self, query: &Query) -> Vec<Output> {
        if let Some((set, left, right)) = &query.set {
            let mut outputs = self.outputs_of(left);
            let others = self.outputs_of(right);
            let halves = *set == Set::Union && self.are_halves(query);
            let nothing = right.yields_nothing();
            for (position, output) in outputs.iter_mut().enumerate() {
                let other = others.get(position).and_then(|other| other.origin.clone());
                let taken_away = nothing || *set == Set::Except && self.is_never(left, position, right);
                output.extreme = None;
                output.gathered = None;
                output.origin = match (set, output.origin.take(), other) {
                    (Set::Union, Some(left), _) if left.complete => Some(left),
                    (Set::Union, _, Some(right)) if right.complete => Some(right),
                    (Set::Union, Some(left), Some(right))
                        if halves && left.table == right.table && left.column == right.column =>
                    {
                        Some(Origin { complete: true, ..left })
                    }
                    (Set::Except, Some(left), _) if taken_away => Some(left),
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
            if let Expr::Extreme { column, largest } = output.expr {
                let origin = self.scene.origin(query, &Expr::Column(column)).filter(|origin| origin.complete);
                output.extreme = origin.map(|origin| (origin, largest));
            }
            if let Some(origin) = output.gathered.take() {
                output.gathered = self.whole(query, Some(origin));
                output.origin.clone_from(&output.gathered);
            }
        }
        outputs
    }

    /// Whether the parts of a union, all of one table, let every row of it through together.
    fn are_halves(&mut self, query: &Query) -> bool {
        let mut parts = Vec::new();
        let mut pending = vec![query];
        while let Some(part) = pending.pop() {
            match &part.set {
                Some((Set::Union, left, right)) if part.limit == Limit::None => {
                    pending.extend([left.as_ref(), right])
                }
                Some(_) => return false,
                None => parts.push(part),
            }
        }
        let source = |part: &Query| match part.sources.as_slice() {
            [only] => Some(*only),
            _ => None,
        };
        let Some(first) = parts.first().and_then(|part| source(part)) else { return false };
        let table = self.scene.source(first).and_then(|held| held.table.clone());
        let mut arms = Vec::new();
        for part in parts {
            let Some(own) = source(part) else { return false };
            let of_table = self.scene.source(own).and_then(|held| held.table.clone());
            let plain =
                part.limit == Limit::None && !part.one_row && !part.having && !part.sampled && !part.odd;
            if table.is_none() || of_table != table || !plain || !part.outer_joins.is_empty() {
                return false;
            }
            let mut arm = Expr::And(part.conjuncts.clone());
            let columns: Vec<(usize, String)> = self
                .scene
                .columns
                .iter()
                .enumerate()
                .filter(|(_, column)| column.source == own && own != first)
                .map(|(id, column)| (id, column.name.clone()))
                .collect();
            for (id, name) in columns {
                let twin = self.column_of(first, &name);
                arm.replace_column(id, twin);
            }
            arms.push(arm);
        }
        let together = Query { sources: vec![first], conjuncts: vec![Expr::Or(arms)], ..Query::default() };
        self.scene.judge(first, &together) == Outcome::Every
    }

    /// Whether an output of `left` is never one of the constants of `right`: `EXCEPT SELECT -1`.
    fn is_never(&self, left: &Query, position: usize, right: &Query) -> bool {
        let (Some(values), Some(output)) = (right.constants(), left.outputs.get(position)) else {
            return false;
        };
        let Some(source) = output.expr.column().and_then(|id| self.scene.column(id)).map(|held| held.source)
        else {
            return false;
        };
        let any =
            Expr::AnyOf(Comparison::Equal, Box::new(output.expr.clone()), Box::new(Expr::Array(values)));
        let none =
            Query { sources: vec![source], conjuncts: vec![Expr::Not(Box::new(any))], ..Query::default() };
        self.scene.judge(source, &none) == Outcome::Every
    }

    fn whole(&self, query: &Query, origin: Option<Origin>) -> Option<Origin> {
        let origin = origin?;
        let column = self.scene.columns.iter().position(|column| {
            query.sources.contains(&column.source)
                && column
                    .origin
                    .as_ref()
                    .is_some_and(|held| held.table == origin.table && held.column == origin.column)
        })?;
        self.scene.origin(query, &Expr::Column(column))
    }

    /// The column of that name of a source.
    pub fn column_of(&mut self, source: usize, name: &str) -> usize {
        let asked = name;
        let found = self.scene.source(source).and_then(|held| {
            held.renamed.iter().find(|(outer, _)| outer == name).map(|(_, base)| base.clone())
        });
        let name = found.as_deref().unwrap_or(name);
        if let Some(known) =
            self.scene.columns.iter().position(|column| column.source == source && column.name == name)
        {
            return known;
        }
        let mut column = self.describe(source, name);
        if let Some(view) = self.scene.source(source).and_then(|held| held.view.clone()) {
            column.of_view = Some((view, asked.to_owned()));
        }
        self.scene.columns.push(column);
        let id = self.scene.columns.len() - 1;
        self.assume_column(source, id);
        id
    }

    /// A column, or the value that it is known to have in every row.
    fn column_expr(&mut self, source: usize, name: &str) -> Expr {
        let passed = self.passed.iter().find(|(of, known, _)| *of == source && known == name);
        if let Some((_, _, expr)) = passed {
            return expr.clone();
        }
        match self.just_added(source, name) {
            Some(None) => Expr::Const(Value::Null),
            Some(Some(value)) => self.apart(None, None, |lower| lower.expr(&value)),
            None => Expr::Column(self.column_of(source, name)),
        }
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
            whole_days: false,
            origin: None,
            extreme: None,
            of_view: None,
        };
        let Some(held) = self.scene.source(source) else { return column };
        if let Some(table) = &held.table {
            column.origin =
                Some(Origin { table: table.clone(), column: name.to_owned(), complete: !held.partial });
        }
        if matches!(name, "ctid" | "xmin") && held.table.is_some() {
            column.kind = Kind::Integer(0.0, 1e12);
            column.not_null = Some(true);
            column.counted = true;
            return column;
        }
        if let Some(output) = held.outputs.iter().find(|output| output.name == name) {
            column.kind = output.kind.clone();
            column.not_null = output.not_null;
            column.origin.clone_from(&output.origin);
            column.extreme.clone_from(&output.extreme);
        } else if let Some(known) = held.info.as_ref().and_then(|info| info.column(name)) {
            column.kind = known.kind.clone();
            column.whole_days = known.type_name == "date";
            let whole = matches!(known.kind, Kind::Integer(..));
            let computed =
                |info: &Relation| known.generated.as_ref().is_some_and(|expr| self.is_never_null(expr, info));
            column.not_null = Some(
                known.not_null
                    || self.world.is_never_null(&known.type_name)
                    || held.info.as_deref().is_some_and(computed),
            );
            let in_key = held
                .info
                .as_ref()
                .is_some_and(|info| info.keys.iter().any(|key| key.iter().any(|column| column == name)));
            let refers = held.info.as_ref().is_some_and(|info| {
                info.foreign.iter().any(|key| key.columns.iter().any(|column| column == name))
            });
            column.counted =
                known.serial || (whole && (in_key || refers || name == "id" || name.ends_with("_id")));
            column.past = known.default_now || is_past(name);
            column.can_be_empty = Some(!known.not_null || known.default_empty);
            column.not_negative = is_amount(name);
            return column;
        } else if let Some((_, table, complete)) = self.stars.iter().find(|(of, ..)| *of == source) {
            column.origin =
                Some(Origin { table: table.clone(), column: name.to_owned(), complete: *complete });
        }
        let own = held.table.as_ref().map(|table| table.name.trim_end_matches('s').to_owned());
        let is_key = matches!(name, "id" | "pk" | "uuid" | "oid" | "guid")
            || own.is_some_and(|own| name.strip_suffix("_id") == Some(&own));
        column.counted = is_key || name.ends_with("_id") || name.ends_with("_no");
        if column.kind == Kind::Unknown && (name.starts_with("is_") || name.starts_with("has_")) {
            column.kind = Kind::Bool;
        }
        column.past = is_past(name);
        column.not_negative = is_amount(name);
        if column.not_null.is_none() && held.table.is_some() {
            column.not_null = Some(is_key || !may_be_null(name));
        }
        column.can_be_empty = Some(!matches!(
            name,
            "id" | "name" | "email" | "title" | "username" | "uuid" | "code" | "sku" | "slug"
        ));
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
        if let (["value"], Some(value)) = (fields.as_slice(), &self.value) {
            return value.clone();
        }
        if let Some(bound) = self.bound(&fields, star) {
            return bound;
        }
        match fields.as_slice() {
            [name] if !star => self.unqualified(name),
            [source] => {
                self.whole_row(source).unwrap_or_else(|| Expr::Opaque(format!("{source}.*"), Vec::new()))
            }
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
            Some(_) if name == "tableoid" || is_bookkeeping(name) => {
                Expr::Opaque(name.to_owned(), Vec::new())
            }
            Some(source) => self.attribute(source, name),
            None => {
                let name = format!("{alias}.{name}");
                self.held(&name).unwrap_or(Expr::Opaque(name, Vec::new()))
            }
        }
    }

    fn unqualified(&mut self, name: &str) -> Expr {
        if is_bookkeeping(name) {
            return Expr::Opaque(name.to_owned(), Vec::new());
        }
        if self.world.variables_first && self.world.variables.contains(name) {
            return self.held(name).unwrap_or_else(|| Expr::Opaque(name.to_owned(), Vec::new()));
        }
        let system = matches!(name, "ctid" | "xmin");
        let frames = self.frames.clone();
        let mut fallback = None;
        for frame in frames.iter().rev() {
            for source in frame {
                if (system && self.scene.source(*source).is_some_and(|held| held.table.is_some()))
                    || self.knows(*source, name) == Some(true)
                {
                    return self.column_expr(*source, name);
                }
            }
            // The scalar variable of a loop comes before a column that nobody knows of.
            let of_loop = frames.first().into_iter().flatten().copied().find(|source| {
                self.scene.source(*source).is_some_and(|held| held.alias.is_empty() && held.table.is_none())
                    && self.knows(*source, name) == Some(true)
            });
            if let Some(source) = of_loop {
                return self.column_expr(source, name);
            }
            if self.world.variables.contains(name) {
                return self.held(name).unwrap_or_else(|| Expr::Opaque(name.to_owned(), Vec::new()));
            }
            // A scope with a table whose columns are not known takes the name.
            if let Some(source) = frame.iter().copied().find(|source| self.knows(*source, name).is_none()) {
                if let Some(whole) = self.whole_row(name) {
                    return whole;
                }
                return self.column_expr(source, name);
            }
            fallback = fallback.or_else(|| frame.first().copied());
        }
        if let Some(whole) = self.whole_row(name) {
            return whole;
        }
        match fallback {
            // The catalogue may be older than the table.
            Some(source) => self.column_expr(source, name),
            None => Expr::Opaque(name.to_owned(), Vec::new()),
        }
    }

    fn whole_row(&mut self, alias: &str) -> Option<Expr> {
        let source = self.frames.iter().rev().find_map(|frame| {
            frame
                .iter()
                .copied()
                .find(|source| self.scene.source(*source).is_some_and(|held| held.alias == alias))
        })?;
        let names = self.scene.source(source)?.names.clone().unwrap_or_else(|| vec!["id".to_owned()]);
        Some(Expr::Row(names.iter().map(|name| Expr::Column(self.column_of(source, name))).collect()))
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
    let blocked = [
        "group_clause",
        "having_clause",
        "distinct_clause",
        "limit_count",
        "limit_offset",
        "larg",
        "values_lists",
        "with_clause",
    ];
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
    if query.nodes("target_list").any(|target| {
        target.node("val").is_some_and(|value| value.nodes("fields").any(|field| field.kind == "AStar"))
    }) {
        renamed.clear();
    }
    Some(SimpleView { table, condition: query.node("where_clause"), renamed })
}

/// The condition over other columns; `None` when it speaks of a column that has no counterpart.
fn renamed(check: &Expr, through: &[(usize, usize)]) -> Option<Expr> {
    let mut whole = true;
    check.walk(&mut |part| match part {
        Expr::Column(id) => whole &= through.iter().any(|(inner, _)| inner == id),
        Expr::Subquery(_) | Expr::Extreme { .. } => whole = false,
        _ => {}
    });
    if !whole {
        return None;
    }
    let mut check = check.clone();
    for (inner, outer) in through {
        check.replace_column(*inner, *outer);
    }
    Some(check)
}

/// `ONLY t`: without the rows of its children.
fn is_only(at: &Node) -> bool {
    !at.flag("inh")
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
