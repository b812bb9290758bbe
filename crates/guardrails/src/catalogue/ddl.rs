//! Reads DDL into a [`Catalogue`].

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::{
    Catalogue, Check, Column, Domain, Event, Filling, ForeignKey, Kind, Name, PartitionBound, Relation, Rule,
    Side, Size, Trigger,
};
use crate::tree::Node;

const AGGREGATE: i64 = 2;
const MATERIALIZED_VIEW: i64 = 24;
const OPERATOR: i64 = 26;
/// `WITH NO DATA` aside, what a table made by a query is emptied by.
const ON_COMMIT_DELETE_ROWS: i64 = 3;

/// Run on a live database, yields one column of text: DDL and `COMMENT`s that carry row counts. Joined by newlines, it is
/// what [`Catalogue::from_sql`] reads.
pub const LIVE_QUERY: &str = include_str!("live.sql");

/// Why a schema text was refused.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    #[error("no statement of the schema could be read")]
    Nothing,
}

const ALTER_ADD_COLUMN: i64 = 1;
const ALTER_DEFAULT: i64 = 3;
const ALTER_DROP_NOT_NULL: i64 = 5;
const ALTER_SET_NOT_NULL: i64 = 6;
const ALTER_SET_EXPRESSION: i64 = 7;
const ALTER_DROP_EXPRESSION: i64 = 8;
const ALTER_DROP_COLUMN: i64 = 14;
const ALTER_ADD_CONSTRAINT: i64 = 17;
const ALTER_VALIDATE_CONSTRAINT: i64 = 21;
const ALTER_DROP_CONSTRAINT: i64 = 23;
const ALTER_COLUMN_TYPE: i64 = 25;
const ALTER_INHERIT: i64 = 50;
const ALTER_NO_INHERIT: i64 = 51;
const ALTER_ENABLE_ROW_SECURITY: i64 = 55;
const ALTER_ATTACH_PARTITION: i64 = 60;
const ALTER_DETACH_PARTITION: i64 = 61;
const ALTER_ADD_IDENTITY: i64 = 63;

const NOT_NULL: i64 = 2;
const DEFAULT: i64 = 3;
const IDENTITY: i64 = 4;
const GENERATED: i64 = 5;
const CHECK: i64 = 6;
const PRIMARY: i64 = 7;
const UNIQUE: i64 = 8;
const FOREIGN: i64 = 10;

impl Catalogue {
    /// Reads a schema file. Statements that are no DDL, or cannot be parsed, are counted and passed over.
    ///
    /// # Errors
    /// When the text holds statements and none of them could be read.
    pub fn from_sql(text: &str) -> Result<Catalogue, CatalogueError> {
        let cleaned = without_psql_lines(text);
        let mut catalogue = Catalogue::default();
        let mut read = 0usize;
        if let Some(count) = catalogue.apply_text(&cleaned) {
            read = count;
        } else {
            let pieces = pg_query::split_with_scanner(&cleaned).unwrap_or_default();
            for piece in pieces {
                match catalogue.apply_text(piece) {
                    Some(count) => read += count,
                    None => catalogue.skipped += 1,
                }
            }
        }
        if read == 0 && !cleaned.trim().is_empty() && catalogue.skipped > 0 {
            return Err(CatalogueError::Nothing);
        }
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        catalogue.version = hasher.finish();
        Ok(catalogue)
    }

    fn apply_text(&mut self, text: &str) -> Option<usize> {
        let parsed = pg_query::parse(text, 0).ok()?;
        let mut count = 0;
        for raw in &parsed.protobuf.stmts {
            let Some(node) = raw.stmt.as_ref().and_then(|stmt| Node::of(stmt.as_ref())) else { continue };
            let start = usize::try_from(raw.stmt_location).unwrap_or(0);
            let length = usize::try_from(raw.stmt_len).unwrap_or(0);
            let end = if length == 0 { text.len() } else { start.saturating_add(length) };
            self.apply(&node, text.get(start..end).unwrap_or(""), "public");
            count += 1;
        }
        Some(count)
    }

    /// Takes one statement in; `schema` is where unqualified names go.
    pub(crate) fn apply(&mut self, node: &Node, text: &str, schema: &str) {
        match node.kind {
            "CreateStmt" => self.create_table(node, schema),
            "CreateForeignTableStmt" => {
                if let Some(base) = node.node("base_stmt") {
                    self.create_table(base, schema);
                    if let Some(relation) = base.node("relation").and_then(|at| self.relation_mut(at, schema))
                    {
                        relation.is_foreign = true;
                    }
                }
            }
            "CreateTableAsStmt" => self.create_as(node, schema),
            "ViewStmt" => self.create_view(node, schema),
            "AlterTableStmt" => self.alter_table(node, schema),
            "IndexStmt" => self.create_index(node, schema),
            "CreateEnumStmt" => {
                if let Some(name) = node.strings("type_name").last() {
                    let labels = node.strings("vals").into_iter().map(str::to_owned).collect();
                    self.types.insert((*name).to_owned(), Kind::Labels(labels));
                }
            }
            "AlterEnumStmt" => self.alter_enum(node),
            "CreateDomainStmt" => self.create_domain(node),
            "AlterDomainStmt" => self.alter_domain(node),
            "CreateFunctionStmt" => self.create_function(node, text, schema),
            "DefineStmt" if node.int("kind") == AGGREGATE => self.create_aggregate(node, schema),
            "DefineStmt" if node.int("kind") == OPERATOR => self.create_operator(node, schema),
            "CreateTrigStmt" => self.create_trigger(node, schema),
            "RuleStmt" => self.create_rule(node, schema),
            "CommentStmt" => self.row_count(node),
            "CreateSchemaStmt" => {
                for element in node.nodes("schema_elts") {
                    self.apply(element, text, node.text("schemaname"));
                }
            }
            _ => {}
        }
        self.version = self.version.wrapping_mul(31).wrapping_add(1);
    }

    fn relation_mut(&mut self, at: &Node, schema: &str) -> Option<&mut Relation> {
        self.relations.get_mut(&named(at, schema)).map(Arc::make_mut)
    }

    fn create_table(&mut self, node: &Node, schema: &str) {
        let Some(at) = node.node("relation") else { return };
        // What is only made when it is not there may hold anything.
        let filled =
            (!node.flag("if_not_exists") && node.int("oncommit") != ON_COMMIT_DELETE_ROWS).then(Vec::new);
        let empty = filled.is_some();
        let mut relation = Relation { temporary: is_temporary(at), filled, empty, ..Relation::default() };
        let divides = node.has("partbound");
        for parent in node.nodes("inh_relations") {
            let parent = named(parent, schema);
            if let Some(above) = self.relations.get(&parent) {
                relation.columns.extend(above.columns.iter().cloned());
                relation.keys.extend(above.keys.iter().cloned());
                relation.checks.extend(above.checks.iter().filter(|check| check.inherited).cloned());
                relation.bounds.extend(above.bounds.iter().cloned());
                // References are handed down to partitions only.
                if divides {
                    relation.foreign.extend(above.foreign.iter().cloned());
                }
            }
            if let (Some(bound), Some(above)) = (node.node("partbound"), self.relations.get(&parent)) {
                relation.take_bounds(bounds_of(bound, above.divided_by.as_deref()));
            }
            relation.parent = Some(parent);
        }
        relation.divided_by = node
            .node("partspec")
            .and_then(|spec| spec.nodes("part_params").next())
            .map(|element| element.text("name").to_owned())
            .filter(|name| !name.is_empty());
        for element in node.nodes("table_elts") {
            match element.kind {
                "ColumnDef" => self.add_column(&mut relation, element, schema),
                "Constraint" => add_constraint(&mut relation, element, None, schema),
                "TableLikeClause" => {
                    if let Some(like) =
                        element.node("relation").and_then(|like| self.relations.get(&named(like, schema)))
                    {
                        relation.take_like(like, element.int("options"));
                    }
                }
                _ => {}
            }
        }
        let name =
            if relation.temporary { Name::new("pg_temp", at.text("relname")) } else { named(at, schema) };
        if node.flag("if_not_exists") && self.relations.contains_key(&name) {
            return;
        }
        self.relations.insert(name, Arc::new(relation));
    }

    fn add_column(&self, relation: &mut Relation, element: &Node, schema: &str) {
        let type_name = element.node("type_name");
        let spelled = type_name.and_then(|name| name.strings("names").last().map(|name| (*name).to_owned()));
        let serial = spelled.as_deref().is_some_and(Kind::is_serial_name);
        let mut column = Column {
            name: element.text("colname").to_owned(),
            kind: type_name.map_or(Kind::Unknown, |name| Kind::of_type(name, Some(self))),
            type_name: type_name.map(bare_type).unwrap_or_default(),
            size: type_name.map(Size::of_type).unwrap_or_default(),
            generated: None,
            not_null: serial || element.flag("is_not_null"),
            serial,
            default_now: false,
            default_empty: false,
        };
        for constraint in element.nodes("constraints") {
            match constraint.int("contype") {
                NOT_NULL => column.not_null = true,
                PRIMARY => column.not_null = true,
                IDENTITY => {
                    column.serial = true;
                    column.not_null = true;
                }
                GENERATED => {
                    column.generated = constraint.node("raw_expr").map(|expr| Arc::new(expr.clone()))
                }
                DEFAULT => {
                    if let Some(default) = constraint.node("raw_expr") {
                        read_default(&mut column, default);
                    }
                }
                _ => {}
            }
        }
        let name = column.name.clone();
        relation.columns.retain(|other| other.name != name);
        relation.columns.push(column);
        for constraint in element.nodes("constraints") {
            add_constraint(relation, constraint, Some(&name), schema);
        }
    }

    fn create_as(&mut self, node: &Node, schema: &str) {
        let (Some(into), Some(query)) = (node.node("into"), node.node("query")) else { return };
        self.create_from(into, query, schema, node.int("objtype") != MATERIALIZED_VIEW);
    }

    /// `CREATE TABLE .. AS` and `SELECT .. INTO`: `into` says which table, `query` what it holds.
    pub(crate) fn create_from(&mut self, into: &Node, query: &Node, schema: &str, is_table: bool) {
        let Some(at) = into.node("rel") else { return };
        // A materialized view is read like a view but holds rows of its own; its columns are what the query says.
        let mut names = output_names(query);
        for (name, given) in names.iter_mut().zip(into.strings("col_names")) {
            given.clone_into(name);
        }
        let is_open = names.iter().any(String::is_empty);
        let mut reads_itself = false;
        query.walk(&mut |part| {
            reads_itself |= part.kind == "RangeVar" && part.text("relname") == at.text("relname");
            part.kind != "IntoClause"
        });
        let is_kept = is_table && into.int("on_commit") != ON_COMMIT_DELETE_ROWS && !reads_itself;
        let filling = Filling {
            columns: if is_open {
                into.strings("col_names").into_iter().map(str::to_owned).collect()
            } else {
                names.clone()
            },
            query: Arc::new(query.clone()),
        };
        let fillings = if into.flag("skip_data") { Vec::new() } else { vec![filling] };
        let relation = Relation {
            temporary: is_temporary(at),
            columns: if is_open {
                Vec::new()
            } else {
                names.into_iter().map(|name| Column { name, ..Column::default() }).collect()
            },
            empty: is_kept && fillings.is_empty(),
            filled: is_kept.then_some(fillings),
            ..Relation::default()
        };
        let name =
            if relation.temporary { Name::new("pg_temp", at.text("relname")) } else { named(at, schema) };
        self.relations.insert(name, Arc::new(relation));
    }

    fn create_view(&mut self, node: &Node, schema: &str) {
        let (Some(at), Some(query)) = (node.node("view"), node.node("query")) else { return };
        let relation = Relation {
            temporary: is_temporary(at),
            view: Some(Arc::new(query.clone())),
            columns: node
                .strings("aliases")
                .into_iter()
                .map(|name| Column { name: name.to_owned(), ..Column::default() })
                .collect(),
            ..Relation::default()
        };
        let name =
            if relation.temporary { Name::new("pg_temp", at.text("relname")) } else { named(at, schema) };
        self.relations.insert(name, Arc::new(relation));
    }

    fn alter_table(&mut self, node: &Node, schema: &str) {
        let Some(at) = node.node("relation") else { return };
        let name = named(at, schema);
        let Some(mut relation) = self.relations.get(&name).map(|relation| relation.as_ref().clone()) else {
            return;
        };
        for command in node.nodes("cmds") {
            let column = command.text("name");
            let definition = command.node("def");
            let held = relation.columns.iter_mut().find(|held| held.name == column);
            match (command.int("subtype"), definition, held) {
                (ALTER_ADD_COLUMN, Some(element), _) => self.add_column(&mut relation, element, schema),
                (ALTER_DEFAULT, Some(default), Some(held)) => read_default(held, default),
                (ALTER_SET_NOT_NULL, _, Some(held)) => held.not_null = true,
                (ALTER_DROP_NOT_NULL, _, Some(held)) => held.not_null = false,
                (ALTER_ADD_IDENTITY, _, Some(held)) => held.serial = true,
                (ALTER_DROP_EXPRESSION, _, Some(held)) => held.generated = None,
                (ALTER_SET_EXPRESSION, Some(expression), Some(held)) => {
                    held.generated = Some(Arc::new(expression.clone()));
                }
                (ALTER_COLUMN_TYPE, Some(element), Some(held)) => {
                    if let Some(type_name) = element.node("type_name") {
                        held.kind = Kind::of_type(type_name, Some(self));
                        held.type_name = bare_type(type_name);
                        held.size = Size::of_type(type_name);
                    }
                }
                (ALTER_DROP_COLUMN, _, _) => relation.columns.retain(|held| held.name != column),
                (ALTER_ADD_CONSTRAINT, Some(constraint), _) => {
                    add_constraint(&mut relation, constraint, None, schema)
                }
                (ALTER_VALIDATE_CONSTRAINT, _, _) => {
                    for check in relation.checks.iter_mut().filter(|check| check.name == column) {
                        check.valid = true;
                    }
                    let proven = relation.unproven.iter().filter(|key| key.name == column).cloned();
                    relation.foreign.extend(proven);
                    relation.unproven.retain(|key| key.name != column);
                }
                (ALTER_DROP_CONSTRAINT, _, _) => {
                    relation.checks.retain(|check| check.name != column);
                    relation.foreign.retain(|key| key.name != column);
                }
                (ALTER_INHERIT, Some(parent), _) => relation.parent = Some(named(parent, schema)),
                (ALTER_NO_INHERIT, _, _) => relation.parent = None,
                (ALTER_DETACH_PARTITION, Some(partition), _) => {
                    if let Some(child) =
                        partition.node("name").and_then(|child| self.relation_mut(child, schema))
                    {
                        child.parent = None;
                        child.bounds.clear();
                    }
                }
                (ALTER_ENABLE_ROW_SECURITY, _, _) => relation.row_security = true,
                (ALTER_ATTACH_PARTITION, Some(partition), _) => {
                    let mut bounds = relation.bounds.clone();
                    bounds.extend(
                        partition
                            .node("bound")
                            .map(|bound| bounds_of(bound, relation.divided_by.as_deref()))
                            .unwrap_or_default(),
                    );
                    if let Some(child) =
                        partition.node("name").and_then(|child| self.relation_mut(child, schema))
                    {
                        child.parent = Some(name.clone());
                        child.bounds.clear();
                        child.take_bounds(bounds);
                    }
                }
                _ => {}
            }
        }
        self.relations.insert(name, Arc::new(relation));
    }

    fn create_index(&mut self, node: &Node, schema: &str) {
        if !node.flag("unique") || node.has("where_clause") {
            return;
        }
        let columns: Vec<String> =
            node.nodes("index_params").map(|element| element.text("name").to_owned()).collect();
        if columns.iter().any(String::is_empty) {
            return;
        }
        if let Some(relation) = node.node("relation").and_then(|at| self.relation_mut(at, schema)) {
            relation.keys.push(columns);
        }
    }

    fn alter_enum(&mut self, node: &Node) {
        let Some(name) = node.strings("type_name").last().map(|name| (*name).to_owned()) else { return };
        let Some(Kind::Labels(mut labels)) = self.types.get(&name).cloned() else { return };
        let (old, new) = (node.text("old_val"), node.text("new_val").to_owned());
        if let Some(held) = labels.iter_mut().find(|label| *label == old) {
            *held = new;
        } else if !labels.contains(&new) {
            let neighbour = labels.iter().position(|label| label == node.text("new_val_neighbor"));
            let at = match neighbour {
                Some(at) if node.flag("new_val_is_after") => at + 1,
                Some(at) => at,
                None => labels.len(),
            };
            labels.insert(at, new);
        }
        let kind = Kind::Labels(labels);
        for relation in self.relations.values_mut() {
            if relation.columns.iter().any(|column| column.type_name == name) {
                for column in &mut Arc::make_mut(relation).columns {
                    if column.type_name == name {
                        column.kind = kind.clone();
                    }
                }
            }
        }
        self.types.insert(name, kind);
    }

    fn create_domain(&mut self, node: &Node) {
        let (Some(name), Some(base)) = (node.strings("domainname").last().copied(), node.node("type_name"))
        else {
            return;
        };
        let mut domain = Domain { base: bare_type(base), size: Size::of_type(base), ..Domain::default() };
        for constraint in node.nodes("constraints") {
            domain.take(constraint);
        }
        self.types.insert(name.to_owned(), Kind::of_type(base, Some(self)));
        self.domains.insert(name.to_owned(), Arc::new(domain));
    }

    fn alter_domain(&mut self, node: &Node) {
        let Some(domain) = node.strings("type_name").last().and_then(|name| self.domains.get_mut(*name))
        else {
            return;
        };
        let domain = Arc::make_mut(domain);
        match node.text("subtype") {
            "N" => domain.not_null = false,
            "O" => domain.not_null = true,
            "C" => {
                if let Some(constraint) = node.node("def") {
                    domain.take(constraint);
                }
            }
            "X" => domain.checks.retain(|check| check.name != node.text("name")),
            "V" => {
                for check in domain.checks.iter_mut().filter(|check| check.name == node.text("name")) {
                    check.valid = true;
                }
            }
            _ => {}
        }
    }

    fn create_trigger(&mut self, node: &Node, schema: &str) {
        let events = node.int("events");
        let trigger = Trigger {
            name: node.text("trigname").to_owned(),
            function: node.strings("funcname").last().map(|name| (*name).to_owned()).unwrap_or_default(),
            insert: events & 4 != 0,
            delete: events & 8 != 0,
            update: events & 16 != 0,
        };
        if let Some(relation) = node.node("relation").and_then(|at| self.relation_mut(at, schema)) {
            relation.triggers.push(trigger);
        }
    }

    fn create_rule(&mut self, node: &Node, schema: &str) {
        let event = match node.int("event") {
            3 => Event::Update,
            4 => Event::Insert,
            5 => Event::Delete,
            _ => Event::Select,
        };
        let rule = Rule {
            name: node.text("rulename").to_owned(),
            event,
            actions: node.nodes("actions").map(|action| Arc::new(action.clone())).collect(),
        };
        if let Some(relation) = node.node("relation").and_then(|at| self.relation_mut(at, schema)) {
            relation.rules.push(rule);
        }
    }

    /// `COMMENT ON TABLE t IS 'daypass:rows=123'`, as the live query writes it.
    fn row_count(&mut self, node: &Node) {
        let Some(rows) =
            node.text("comment").strip_prefix("daypass:rows=").and_then(|rows| rows.parse().ok())
        else {
            return;
        };
        let path: Vec<String> = node
            .node("object")
            .map(|object| object.strings("items").into_iter().map(str::to_owned).collect())
            .unwrap_or_default();
        let name = match path.as_slice() {
            [schema, name] => Name::new(schema, name),
            [name] => Name::new("public", name),
            _ => return,
        };
        if let Some(relation) = self.relations.get_mut(&name) {
            Arc::make_mut(relation).rows = Some(rows);
        }
    }
}

impl Domain {
    fn take(&mut self, constraint: &Node) {
        match constraint.int("contype") {
            NOT_NULL => self.not_null = true,
            CHECK => self.checks.extend(check_of(constraint, "")),
            _ => {}
        }
    }
}

impl Relation {
    fn take_bounds(&mut self, bounds: Vec<PartitionBound>) {
        for bound in &bounds {
            if let Some(column) = self.columns.iter_mut().find(|column| column.name == bound.column) {
                column.not_null |= !bound.takes_null();
            }
        }
        self.bounds.extend(bounds);
    }

    /// `LIKE other INCLUDING ..`.
    fn take_like(&mut self, like: &Relation, options: i64) {
        const CONSTRAINTS: i64 = 4;
        const GENERATED: i64 = 16;
        self.columns.extend(like.columns.iter().cloned().map(|mut column| {
            if options & GENERATED == 0 {
                column.generated = None;
            }
            column
        }));
        self.keys.extend(like.keys.iter().cloned());
        if options & CONSTRAINTS != 0 {
            self.checks.extend(like.checks.iter().cloned());
        }
    }
}

fn check_of(constraint: &Node, fallback: &str) -> Option<Check> {
    let test = constraint.node("raw_expr")?;
    let name = constraint.text("conname");
    Some(Check {
        name: if name.is_empty() { fallback } else { name }.to_owned(),
        test: Arc::new(test.clone()),
        valid: !constraint.flag("skip_validation"),
        inherited: !constraint.flag("is_no_inherit"),
    })
}

/// The last part of a type's name; empty for an array.
fn bare_type(type_name: &Node) -> String {
    if type_name.has("array_bounds") {
        return String::new();
    }
    type_name.strings("names").last().map(|name| (*name).to_owned()).unwrap_or_default()
}

fn bounds_of(bound: &Node, column: Option<&str>) -> Vec<PartitionBound> {
    let Some(column) = column else { return Vec::new() };
    let end = |field: &str| {
        bound
            .nodes(field)
            .next()
            .filter(|value| value.kind == "AConst" || value.kind == "TypeCast")
            .map(|value| Arc::new(value.clone()))
    };
    let mut sides = Vec::new();
    sides.extend(end("lowerdatums").map(Side::From));
    sides.extend(end("upperdatums").map(Side::To));
    if bound.has("listdatums") {
        sides.push(Side::In(bound.nodes("listdatums").map(|value| Arc::new(value.clone())).collect()));
    }
    sides.into_iter().map(|side| PartitionBound { column: column.to_owned(), side }).collect()
}

fn named(at: &Node, schema: &str) -> Name {
    let given = at.text("schemaname");
    Name::new(if given.is_empty() { schema } else { given }, at.text("relname"))
}

/// Whether a `RangeVar` names a temporary table.
pub(crate) fn is_temporary(at: &Node) -> bool {
    at.text("relpersistence") == "t" || at.text("schemaname").starts_with("pg_temp")
}

fn read_default(column: &mut Column, default: &Node) {
    let mut bare = default;
    while bare.kind == "TypeCast" {
        match bare.node("arg") {
            Some(inner) => bare = inner,
            None => return,
        }
    }
    match bare.kind {
        "SqlValueFunction" => column.default_now = matches!(bare.int("op"), 1 | 4 | 5 | 8 | 9),
        "FuncCall" => match bare.strings("funcname").last().copied() {
            Some(
                "now" | "clock_timestamp" | "statement_timestamp" | "transaction_timestamp" | "timezone",
            ) => {
                column.default_now = true;
            }
            Some("nextval") => column.serial = true,
            _ => {}
        },
        "AConst" => {
            column.default_empty =
                bare.node("val").is_some_and(|value| value.kind == "String" && value.text("sval").is_empty());
        }
        _ => {}
    }
}

fn add_constraint(relation: &mut Relation, constraint: &Node, column: Option<&str>, schema: &str) {
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<String>>();
    match constraint.int("contype") {
        kind @ (PRIMARY | UNIQUE) => {
            let columns = match column {
                Some(column) => vec![column.to_owned()],
                None => owned(constraint.strings("keys")),
            };
            if kind == PRIMARY {
                for held in &mut relation.columns {
                    held.not_null |= columns.contains(&held.name);
                }
                relation.keys.insert(0, columns);
            } else {
                relation.keys.push(columns);
            }
        }
        FOREIGN => {
            let Some(to) = constraint.node("pktable") else { return };
            let keys = if constraint.flag("skip_validation") {
                &mut relation.unproven
            } else {
                &mut relation.foreign
            };
            keys.push(ForeignKey {
                name: constraint.text("conname").to_owned(),
                columns: match column {
                    Some(column) => vec![column.to_owned()],
                    None => owned(constraint.strings("fk_attrs")),
                },
                to: named(to, schema),
                to_columns: owned(constraint.strings("pk_attrs")),
            });
        }
        CHECK => {
            let fallback = column.map(|column| format!("{column}_check")).unwrap_or_default();
            relation.checks.extend(check_of(constraint, &fallback));
        }
        NOT_NULL => {
            for name in constraint.strings("keys") {
                if let Some(held) = relation.columns.iter_mut().find(|held| held.name == name) {
                    held.not_null = true;
                }
            }
        }
        _ => {}
    }
}

/// The names of the columns that a query puts out, as far as they are written.
pub(crate) fn output_names(query: &Node) -> Vec<String> {
    let mut first = query;
    while let Some(left) = first.node("larg") {
        first = left;
    }
    first.nodes("target_list").map(output_name).collect()
}

/// The name of one output column; empty for `*`.
pub(crate) fn output_name(target: &Node) -> String {
    if !target.text("name").is_empty() {
        return target.text("name").to_owned();
    }
    let mut value = target.node("val");
    while let Some(cast) = value.filter(|value| value.kind == "TypeCast") {
        value = cast.node("arg");
    }
    match value {
        Some(column) if column.kind == "ColumnRef" => {
            column.strings("fields").last().map(|name| (*name).to_owned()).unwrap_or_default()
        }
        Some(call) if call.kind == "FuncCall" => {
            call.strings("funcname").last().map(|name| (*name).to_owned()).unwrap_or_default()
        }
        _ => "?column?".to_owned(),
    }
}

/// A dump holds lines for psql and data of `COPY`; neither is SQL.
fn without_psql_lines(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut in_data = false;
    for line in text.lines() {
        if in_data {
            in_data = line != "\\.";
        } else if line.starts_with("COPY ") && line.trim_end().ends_with("FROM stdin;") {
            in_data = true;
        } else if !line.starts_with('\\') {
            cleaned.push_str(line);
        }
        cleaned.push('\n');
    }
    cleaned
}
