//! `INSERT`, `UPDATE`, `DELETE`, `MERGE`: what they write, and whether anything bounds it.

use std::collections::HashMap;
use std::sync::Arc;

use super::Analyzer;
use crate::bounds::{Common, Expr, Lower, Outcome, Query, Value};
use crate::catalogue::Event;
use crate::facts::{Hazard, Kind};
use crate::tree::Node;

/// What a branch of a `MERGE` does, and to which rows.
const UPDATE: i64 = 3;
const DELETE: i64 = 5;
const BY_SOURCE: i64 = 2;
const BY_TARGET: i64 = 3;

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
        self.written(node, at);
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

    /// With the rows of the loops around in scope, and what holds of them.
    fn lower<'w>(&'w self, common: &[(String, Common)]) -> (Lower<'w>, Query) {
        let mut lower = Lower::new(self.world(), common.to_vec());
        let mut sources = Vec::new();
        for each in &self.loops {
            let query = lower.nested(&each.query);
            let names: Vec<&str> = each.names.iter().map(String::as_str).collect();
            let source = lower.derived(each.record.clone(), &query, &names);
            lower.enter(source);
            sources.push(source);
        }
        let conjuncts = self.guards.iter().map(|guard| lower.expr(guard)).collect();
        lower.open();
        (lower, Query { sources, conjuncts, ..Query::default() })
    }

    fn bounded_by_where(&mut self, node: &Node, at: &Node, common: &[(String, Common)], verb: &str) {
        if let Some(cursor) = node.node("where_clause").filter(|condition| condition.kind == "CurrentOfExpr")
        {
            self.bounded_by_cursor(cursor, at, verb);
            return;
        }
        let condition = node.node("where_clause");
        let worlds = condition.map(|condition| self.choices_for(condition)).unwrap_or_default();
        let outcome = if worlds.is_empty() {
            self.outcome_of(node, at, common, &[])
        } else {
            let outcomes = worlds.iter().map(|turns| self.outcome_of(node, at, common, turns));
            outcomes
                .fold(Outcome::Bounded, |worst, outcome| if worst.reaches_all() { worst } else { outcome })
        };
        if outcome.reaches_all() {
            let joined = node.has("using_clause") || node.has("from_clause");
            self.unbounded(verb, at, condition, outcome, joined);
        }
    }

    /// What the condition of a write does to the rows of its target; over all `turns`, when there are any.
    fn outcome_of(
        &self,
        node: &Node,
        at: &Node,
        common: &[(String, Common)],
        turns: &[HashMap<String, Arc<Node>>],
    ) -> Outcome {
        let (mut lower, mut query) = self.lower(common);
        let target = lower.target(at);
        query.sources.push(target);
        let from: Vec<&Node> = node.nodes("using_clause").chain(node.nodes("from_clause")).collect();
        lower.from(&from, &mut query);
        if let Some(condition) = node.node("where_clause") {
            let condition = if turns.is_empty() {
                lower.expr(condition)
            } else {
                let mut any = Vec::new();
                for turn in turns {
                    lower.world.bound = turn;
                    any.push(lower.expr(condition));
                }
                Expr::Or(any)
            };
            query.conjuncts.push(condition);
        }
        lower.scene.judge(target, &query)
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
        let given = condition.map(|condition| self.known_values(condition)).unwrap_or_default();
        let why = match (condition, outcome) {
            (None, _) if joined => format!("the join matches {rows}, and nothing else bounds this {verb}"),
            (None, _) => format!("this {verb} has no WHERE, so it reaches {rows}"),
            (Some(_), Outcome::Same) => {
                format!("the condition is not tied to the row, so this {verb} reaches {rows} or none")
            }
            (Some(_), _) => {
                format!("{given}the condition holds for every row, so this {verb} reaches {rows}")
            }
        };
        let why = if self.facts.catalogue || condition.is_none() {
            why
        } else {
            format!("{why} (judged more carefully, without a catalogue)")
        };
        let instead = if self.in_loop || !self.loops.is_empty() {
            "bound the rows that the loop goes over by a test on a column"
        } else {
            "test a column of the table that leaves rows out, such as WHERE id = 42, or WHERE id IN (SELECT id .. WHERE status = 'old' LIMIT 1000)"
        };
        let part = match (condition, &self.body) {
            (None, Some(_)) => None,
            _ => condition.or(Some(at)),
        };
        self.find(Hazard::UnboundedWrite, part, &table, why, instead);
    }

    /// The parameters and variables of a condition that are known, in words.
    fn known_values(&self, condition: &Node) -> String {
        let mut known: Vec<String> = Vec::new();
        condition.walk(&mut |part| {
            let (name, value) = match part.kind {
                "ParamRef" => {
                    let number = usize::try_from(part.int("number")).unwrap_or(0);
                    let name = format!("${number}");
                    let given =
                        self.parameters.get(number.wrapping_sub(1)).filter(|value| **value != Value::Unknown);
                    let value = given.cloned().or_else(|| self.exact_constant(self.scope.bound.get(&name)?));
                    (name, value)
                }
                "ColumnRef" => {
                    let name = part.strings("fields").join(".");
                    let held = self.scope.bound.get(&name).and_then(|held| self.exact_constant(held));
                    (name, held)
                }
                _ => return true,
            };
            let spelled = match value {
                Some(Value::Null) => Some("null".to_owned()),
                Some(Value::Text(text)) if text.chars().count() <= 20 => Some(format!("'{text}'")),
                Some(Value::Number(number)) => Some(number.to_string()),
                Some(Value::Bool(truth)) => Some(truth.to_string()),
                _ => None,
            };
            if let Some(spelled) = spelled {
                let words = format!("{name} = {spelled}");
                if !known.contains(&words) && known.len() < 3 {
                    known.push(words);
                }
            }
            true
        });
        if known.is_empty() { String::new() } else { format!("with {} ", known.join(" and ")) }
    }

    fn merge(&mut self, node: &Node, at: &Node, common: &[(String, Common)]) {
        let Some(source) = node.node("source_relation") else { return };
        let branches: Vec<&Node> = node.nodes("merge_when_clauses").collect();
        let writes = |branch: &Node| matches!(branch.int("command_type"), UPDATE | DELETE);
        // The branches that write, together: whatever none of them takes is left alone.
        let (mut matched, mut unmatched) = (Outcome::Never, Outcome::Never);
        for by_source in [false, true] {
            let of_kind: Vec<(usize, &Node)> = branches
                .iter()
                .copied()
                .enumerate()
                .filter(|(_, branch)| branch.int("match_kind") != BY_TARGET)
                .filter(|(_, branch)| (branch.int("match_kind") == BY_SOURCE) == by_source)
                .collect();
            if !of_kind.iter().any(|(_, branch)| writes(branch)) {
                continue;
            }
            let (mut lower, mut query) = self.lower(common);
            let target = lower.target(at);
            query.sources.push(target);
            lower.from(&[source], &mut query);
            let join = node.node("join_condition").map(|condition| lower.expr(condition));
            let mut taken = Vec::new();
            let mut passed: Vec<Expr> = Vec::new();
            for (_, branch) in &of_kind {
                let condition = branch.node("condition").map(|condition| lower.expr(condition));
                if writes(branch) {
                    let mut all = passed.clone();
                    all.extend(condition.clone());
                    taken.push(match all.len() {
                        0 => Expr::Const(Value::Bool(true)),
                        1 => all.swap_remove(0),
                        _ => Expr::And(all),
                    });
                } else {
                    // DO NOTHING keeps its rows from the branches after it.
                    passed.push(match condition {
                        Some(condition) => Expr::Not(Box::new(Expr::Is(Some(true), Box::new(condition)))),
                        None => Expr::Const(Value::Bool(false)),
                    });
                }
            }
            let arms = taken.clone();
            let taken = if taken.len() == 1 { taken.swap_remove(0) } else { Expr::Or(taken) };
            let alone = Query { conjuncts: vec![taken.clone()], ..query.clone() };
            let regardless = lower.scene.judge(target, &alone);
            if by_source {
                unmatched = regardless;
            } else {
                matched = regardless;
            }
            if let Some(join) = join {
                let only = Query { conjuncts: vec![join], ..query.clone() };
                if !by_source {
                    query.conjuncts.extend(only.conjuncts);
                } else if lower.scene.judge(target, &only) == Outcome::Bounded {
                    // Rows without a partner: all of them when nothing can match.
                    continue;
                }
            }
            let of_arm = |arm: &Expr| {
                let mut query = query.clone();
                query.conjuncts.push(arm.clone());
                lower.scene.judge(target, &query)
            };
            let alone = arms.iter().map(of_arm).find(|outcome| outcome.reaches_all());
            query.conjuncts.push(taken);
            // Together they only count when they certainly take every row.
            let outcome = alone.unwrap_or_else(|| lower.scene.judge(target, &query));
            if outcome == Outcome::Every || alone.is_some() {
                self.unbounded_merge(node, at, &of_kind, outcome);
                return;
            }
        }
        // Rows with a partner and rows without one: nothing else is left.
        if matched == Outcome::Every && unmatched == Outcome::Every {
            let of_kind: Vec<(usize, &Node)> = branches.iter().copied().enumerate().collect();
            self.unbounded_merge(node, at, &of_kind, Outcome::Every);
        }
    }

    fn unbounded_merge(&mut self, node: &Node, at: &Node, branches: &[(usize, &Node)], outcome: Outcome) {
        let writing: Vec<(usize, &Node)> = branches
            .iter()
            .copied()
            .filter(|(_, branch)| matches!(branch.int("command_type"), UPDATE | DELETE))
            .collect();
        let Some((first, branch)) = writing.first().copied() else { return };
        let verb = match (writing.len(), branch.int("command_type")) {
            (1, UPDATE) => "MERGE .. UPDATE",
            (1, _) => "MERGE .. DELETE",
            _ => "MERGE",
        };
        let whole = (self.start, self.length);
        let part = self.branches_of_merge(node);
        let last = writing.last().map_or(first, |(last, _)| *last);
        let shown = part.get(first).zip(part.get(last)).map(|(first, last)| (first.0, last.1));
        if let Some((start, end)) = shown.filter(|_| self.exact) {
            (self.start, self.length) = (start, end.saturating_sub(start));
        }
        let exact = std::mem::replace(&mut self.exact, false);
        self.unbounded(verb, at, node.node("join_condition"), outcome, true);
        self.exact = exact;
        (self.start, self.length) = whole;
    }

    /// Where the `WHEN` branches stand, when they can be told apart in the text.
    fn branches_of_merge(&self, node: &Node) -> Vec<(usize, usize)> {
        let (start, end) = (self.start, self.start.saturating_add(self.length));
        let text = self.source.get(start..end).unwrap_or("").to_ascii_lowercase();
        let mut starts: Vec<usize> = Vec::new();
        for (at, _) in text.match_indices("when") {
            let mut words = text.get(at..).unwrap_or("").split_whitespace().skip(1);
            let next = words.next().unwrap_or("");
            let next = if next == "not" { words.next().unwrap_or("") } else { next };
            if next.starts_with("matched") {
                starts.push(at);
            }
        }
        if starts.len() != node.nodes("merge_when_clauses").count() {
            return Vec::new();
        }
        let ends = starts.iter().skip(1).copied().chain([text.trim_end().len()]);
        starts
            .iter()
            .zip(ends)
            .map(|(from, to)| {
                let length = text.get(*from..to).map_or(0, |part| part.trim_end().len());
                (start + from, start + from + length)
            })
            .collect()
    }

    /// `ON CONFLICT DO UPDATE` reaches all rows when all rows are what is inserted.
    fn upsert(&mut self, node: &Node, at: &Node, common: &[(String, Common)]) {
        let Some(conflict) = node.node("on_conflict_clause").filter(|conflict| conflict.int("action") == 3)
        else {
            return;
        };
        let Some(select) = node.node("select_stmt") else { return };
        let (mut lower, _) = self.lower(common);
        let query = lower.nested(select);
        let fed = lower.summarize(&query, &[]);
        let target = lower.target(at);
        // Through a view, the table under it.
        let Some(table) = lower.scene.source(target).and_then(|held| held.table.clone()) else { return };
        let whole = fed.outputs.iter().any(|output| {
            output.origin.as_ref().is_some_and(|origin| origin.complete && origin.table == table)
        }) || fed.stars.iter().any(|(name, complete)| *complete && *name == table);
        if !whole {
            return;
        }
        let excluded = lower.derived("excluded".to_owned(), &query, &[]);
        lower.enter(excluded);
        let mut bounded = Query { sources: vec![target, excluded], ..Query::default() };
        if let Some(condition) = conflict.node("where_clause") {
            let condition: Expr = lower.expr(condition);
            bounded.conjuncts.push(condition);
        }
        let outcome = lower.scene.judge(target, &bounded);
        if outcome.reaches_all() {
            let whole = (self.start, self.length);
            let text = self.source.get(whole.0..whole.0.saturating_add(whole.1)).unwrap_or("");
            let clause = text.to_ascii_lowercase().rfind("on conflict").filter(|_| self.exact);
            if let Some(clause) = clause {
                let rest = text.get(clause..).unwrap_or("").to_ascii_lowercase();
                let end = rest.find("returning").unwrap_or(rest.len());
                (self.start, self.length) =
                    (whole.0 + clause, rest.get(..end).unwrap_or("").trim_end().len());
            }
            let exact = std::mem::replace(&mut self.exact, false);
            self.unbounded(
                "INSERT .. ON CONFLICT DO UPDATE",
                at,
                conflict.node("where_clause").or(Some(select)),
                Outcome::Every,
                true,
            );
            self.exact = exact;
            (self.start, self.length) = whole;
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
