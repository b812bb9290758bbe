//! `INSERT`, `UPDATE`, `DELETE`, `MERGE`: what they write, and whether anything bounds it.

use super::Analyzer;
use crate::bounds::{Common, Expr, Lower, Outcome, Query};
use crate::catalogue::Event;
use crate::facts::{Hazard, Kind};
use crate::tree::Node;

impl Analyzer<'_> {
    pub(super) fn write(&mut self, node: &Node, common: &[(String, Common)]) {
        let Some(at) = node.node("relation") else { return };
        let temporary = self.target_facts(at);
        self.kind(if temporary { Kind::Temporary } else { Kind::Write });
        match node.kind {
            "UpdateStmt" => {
                self.verb("UPDATE");
                if !temporary {
                    self.bounded_by_where(node, at, common, "UPDATE");
                }
                self.fired(at, Event::Update);
            }
            "DeleteStmt" => {
                self.verb("DELETE");
                if !temporary {
                    self.bounded_by_where(node, at, common, "DELETE");
                }
                self.fired(at, Event::Delete);
            }
            "MergeStmt" => {
                self.verb("MERGE");
                if !temporary {
                    self.merge(node, at, common);
                }
                for event in [Event::Insert, Event::Update, Event::Delete] {
                    let happens = node.nodes("merge_when_clauses").any(|when| {
                        matches!(
                            (when.int("command_type"), event),
                            (3, Event::Update) | (4, Event::Insert) | (5, Event::Delete)
                        )
                    });
                    if happens {
                        self.fired(at, event);
                    }
                }
            }
            _ => {
                self.verb("INSERT");
                if !temporary {
                    self.upsert(node, at, common);
                }
                self.fired(at, Event::Insert);
            }
        }
        // The subject is written, not read; the WITH queries were read before.
        self.scan_except(node, node.node("with_clause"), &[at]);
    }

    /// Notes the target; tells whether it is a temporary table.
    pub(super) fn target_facts(&mut self, at: &Node) -> bool {
        let (name, info) = self.world().table(at.text("schemaname"), at.text("relname"));
        let spelled = name.to_string();
        let given = at.text("schemaname");
        let of_system = matches!(given, "pg_catalog" | "information_schema")
            || (given.is_empty() && info.is_none() && at.text("relname").starts_with("pg_"));
        if of_system {
            self.find(
                Hazard::CatalogWrite,
                Some(at),
                &spelled,
                format!("{spelled} belongs to PostgreSQL itself"),
                "use the DDL or SET statement that changes what you mean",
            );
        }
        self.facts.tables_written.insert(spelled);
        name.schema == "pg_temp" && info.is_none_or(|info| info.view.is_none())
    }

    fn lower<'w>(&'w self, common: &[(String, Common)]) -> (Lower<'w>, Vec<usize>) {
        let mut lower = Lower::new(self.world(), common.to_vec());
        let mut sources = Vec::new();
        for each in &self.loops {
            let query = lower.nested(&each.query);
            let names: Vec<&str> = each.names.iter().map(String::as_str).collect();
            let source = lower.derived(each.record.clone(), &query, &names);
            lower.enter(source);
            sources.push(source);
        }
        lower.open();
        (lower, sources)
    }

    fn bounded_by_where(&mut self, node: &Node, at: &Node, common: &[(String, Common)], verb: &str) {
        if let Some(cursor) = node.node("where_clause").filter(|condition| condition.kind == "CurrentOfExpr")
        {
            self.bounded_by_cursor(cursor, at, verb);
            return;
        }
        let (mut lower, loops) = self.lower(common);
        let target = lower.target(at);
        let mut query = Query { sources: loops, ..Query::default() };
        query.sources.push(target);
        let from: Vec<&Node> = node.nodes("using_clause").chain(node.nodes("from_clause")).collect();
        lower.from(&from, &mut query);
        let condition = node.node("where_clause");
        if let Some(condition) = condition {
            let condition = lower.expr(condition);
            query.conjuncts.push(condition);
        }
        let outcome = lower.scene.judge(target, &query);
        if outcome.reaches_all() {
            self.unbounded(verb, at, condition, outcome, !from.is_empty());
        }
    }

    /// Row by row over a cursor, in a loop: as many rows as the cursor has.
    fn bounded_by_cursor(&mut self, condition: &Node, at: &Node, verb: &str) {
        let Some(select) = self.cursors.get(condition.text("cursor_name")).filter(|_| self.in_loop).cloned()
        else {
            return;
        };
        let (mut lower, _) = self.lower(&[]);
        let (table, _) = self.world().table(at.text("schemaname"), at.text("relname"));
        let query = lower.nested(&select);
        let of_table =
            query.sources.iter().copied().find(|source| {
                lower.scene.source(*source).and_then(|held| held.table.as_ref()) == Some(&table)
            });
        let Some(source) = of_table else { return };
        let id = lower.column_of(source, "ctid");
        let whole = lower.scene.origin(&query, &Expr::Column(id)).is_some_and(|origin| origin.complete);
        if whole {
            self.unbounded(verb, at, Some(condition), Outcome::Every, true);
        }
    }

    fn unbounded(&mut self, verb: &str, at: &Node, condition: Option<&Node>, outcome: Outcome, joined: bool) {
        let (name, info) = self.world().table(at.text("schemaname"), at.text("relname"));
        let table = name.to_string();
        let rows = match info.as_ref().and_then(|info| info.rows) {
            Some(rows) => format!("every row of {table} (about {rows})"),
            None => format!("every row of {table}"),
        };
        let why = match (condition, outcome) {
            (None, _) if joined => format!("the join matches {rows}, and nothing else bounds this {verb}"),
            (None, _) => format!("this {verb} has no WHERE, so it reaches {rows}"),
            (Some(_), Outcome::Same) => {
                format!("the condition is not tied to the row, so this {verb} reaches {rows} or none")
            }
            (Some(_), _) => format!("the condition holds for every row, so this {verb} reaches {rows}"),
        };
        let why = if self.facts.catalogue || condition.is_none() {
            why
        } else {
            format!("{why} (judged more carefully, without a catalogue)")
        };
        let instead = if self.in_loop {
            "bound the rows that the loop goes over by a test on a column"
        } else {
            "test a column of the table that leaves rows out, such as WHERE id = 42, or WHERE id IN (SELECT id .. WHERE status = 'old' LIMIT 1000)"
        };
        self.find(Hazard::UnboundedWrite, condition.or(Some(at)), &table, why, instead);
    }

    fn merge(&mut self, node: &Node, at: &Node, common: &[(String, Common)]) {
        let Some(source) = node.node("source_relation") else { return };
        let condition = node.node("join_condition");
        for when in node.nodes("merge_when_clauses") {
            let verb = match when.int("command_type") {
                3 => "MERGE .. UPDATE",
                5 => "MERGE .. DELETE",
                _ => continue,
            };
            let (mut lower, loops) = self.lower(common);
            let target = lower.target(at);
            let mut query = Query { sources: loops, ..Query::default() };
            query.sources.push(target);
            lower.from(&[source], &mut query);
            let join = condition.map(|condition| lower.expr(condition));
            let extra = when.node("condition").map(|condition| lower.expr(condition));
            let by_source = when.int("match_kind") == 2;
            if let Some(join) = join.filter(|_| !by_source) {
                query.conjuncts.push(join);
            } else if let (Some(condition), true) = (condition, by_source) {
                // Rows without a partner: all of them when nothing can match.
                let matched = lower.expr(condition);
                let only = Query { conjuncts: vec![matched], ..query.clone() };
                if lower.scene.judge(target, &only) == Outcome::Bounded {
                    continue;
                }
            }
            query.conjuncts.extend(extra);
            let outcome = lower.scene.judge(target, &query);
            if outcome.reaches_all() {
                self.unbounded(verb, at, when.node("condition").or(condition), outcome, true);
            }
        }
    }

    /// `ON CONFLICT DO UPDATE` reaches all rows when all rows are what is inserted.
    fn upsert(&mut self, node: &Node, at: &Node, common: &[(String, Common)]) {
        let Some(conflict) = node.node("on_conflict_clause").filter(|conflict| conflict.int("action") == 3)
        else {
            return;
        };
        let Some(select) = node.node("select_stmt") else { return };
        let (mut lower, _) = self.lower(common);
        let (table, _) = self.world().table(at.text("schemaname"), at.text("relname"));
        let query = lower.nested(select);
        let fed = lower.summarize(&query, &[]);
        let whole = fed.outputs.iter().any(|output| {
            output.origin.as_ref().is_some_and(|origin| origin.complete && origin.table == table)
        }) || fed.stars.iter().any(|(name, complete)| *complete && *name == table);
        if !whole {
            return;
        }
        let target = lower.target(at);
        let excluded = lower.derived("excluded".to_owned(), &query, &[]);
        lower.enter(excluded);
        let mut bounded = Query { sources: vec![target, excluded], ..Query::default() };
        if let Some(condition) = conflict.node("where_clause") {
            let condition: Expr = lower.expr(condition);
            bounded.conjuncts.push(condition);
        }
        let outcome = lower.scene.judge(target, &bounded);
        if outcome.reaches_all() {
            self.unbounded(
                "INSERT .. ON CONFLICT DO UPDATE",
                at,
                conflict.node("where_clause").or(Some(select)),
                Outcome::Every,
                true,
            );
        }
    }

    /// What rules and triggers of the table do on top.
    pub(super) fn fired(&mut self, at: &Node, event: Event) {
        let (name, info) = self.world().table(at.text("schemaname"), at.text("relname"));
        let Some(info) = info else { return };
        for rule in info.rules.iter().filter(|rule| rule.event == event) {
            let mark = format!("rule {} of {name}", rule.name);
            if self.within.contains(&mark) || self.within.len() > 6 {
                continue;
            }
            for action in &rule.actions {
                self.inside(mark.clone(), |this| this.statement(action, &[]));
            }
        }
        for trigger in &info.triggers {
            let fires = match event {
                Event::Insert => trigger.insert,
                Event::Update => trigger.update,
                Event::Delete => trigger.delete,
                Event::Select => false,
            };
            if fires && self.within.len() <= 6 {
                let functions = self.functions_named(None, &trigger.function);
                let mark = format!("trigger {} of {name}", trigger.name);
                let kept = self.facts.findings.len();
                self.inside(mark, |this| {
                    this.read_functions(&trigger.function, &functions, None, None);
                });
                // A trigger that puts SQL together is the table's own business.
                let mut seen = 0;
                self.facts.findings.retain(|finding| {
                    seen += 1;
                    seen <= kept
                        || !matches!(
                            finding.hazard,
                            Hazard::DynamicSql | Hazard::UnknownFunction | Hazard::UnknownStatement
                        )
                });
            }
        }
    }
}
