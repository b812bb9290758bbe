//! `ALTER TABLE`, command by command.

use super::Analyzer;
use crate::facts::{Hazard, Kind};
use crate::tree::Node;

impl Analyzer<'_> {
    pub(super) fn alter_table(&mut self, node: &Node) {
        self.verb("ALTER TABLE");
        let Some(at) = node.node("relation") else { return };
        let temporary = self.is_temporary_table(at);
        self.kind(if temporary { Kind::Temporary } else { Kind::Ddl });
        let (name, _) = self.world().table(at.text("schemaname"), at.text("relname"));
        let table = name.to_string();
        self.facts.tables_written.insert(table.clone());
        if temporary {
            return;
        }
        for command in node.nodes("cmds") {
            self.alter_command(at, &table, command);
        }
        self.make(node, None);
    }

    fn alter_command(&mut self, at: &Node, table: &str, command: &Node) {
        use Hazard as H;
        let column = command.text("name").to_owned();
        let found = match command.int("subtype") {
            1 => {
                if let Some(why) = command.node("def").and_then(|column| self.rewriting_column(column)) {
                    self.find(
                        H::Rewrite,
                        Some(at),
                        table,
                        why,
                        "add the column without the default, then fill it in batches",
                    );
                }
                return;
            }
            8 => (H::Rewrite, "DROP EXPRESSION changes what a generated column holds".to_owned()),
            7 => (
                H::Rewrite,
                format!("SET EXPRESSION computes column {column} of {table} anew and rewrites the table"),
            ),
            14 => (H::Drop, format!("column {column} of {table} and all its data is dropped")),
            23 => {
                (H::Drop, format!("constraint {column} of {table} is dropped, and with it what it protects"))
            }
            25 => (
                H::Rewrite,
                format!(
                    "changing the type of column {column} rewrites {table} and locks everybody out meanwhile"
                ),
            ),
            27 => (H::Ownership, format!("{table} gets another owner")),
            30 | 31 => (H::Rewrite, format!("SET LOGGED or UNLOGGED rewrites {table}")),
            33 => (H::Rewrite, format!("another access method rewrites {table}")),
            34 => (H::Rewrite, format!("another tablespace moves all of {table}")),
            38..=45 => (H::Trigger, format!("triggers of {table} are switched")),
            46..=49 => (H::Rule, format!("rules of {table} are switched")),
            51 | 53 => (H::Rewrite, format!("{table} leaves its parent, and its rows go out of sight there")),
            54 => (H::Replication, format!("what {table} sends to replicas changes")),
            55..=58 => (H::RowSecurity, format!("row security of {table} is switched")),
            59 | 26 => (H::OtherConnection, format!("options of the foreign table {table} change")),
            61 | 62 => {
                (H::Rewrite, format!("a partition leaves {table}, and its rows go out of sight there"))
            }
            63 => (H::Rewrite, format!("an identity column is added to {table}")),
            65 => (H::Drop, format!("the identity of column {column} of {table} is dropped")),
            35..=37 => match command.node("def").and_then(protective_option) {
                Some(option) => (
                    H::ProtectiveSetting,
                    format!("{option} of {table} says what is seen or written through it"),
                ),
                None => return,
            },
            0 => (H::UnknownStatement, "this change is not known here".to_owned()),
            _ => return,
        };
        if found.0 == H::Rewrite && command.int("subtype") == 63 {
            return;
        }
        self.find(
            found.0,
            Some(at),
            table,
            found.1,
            "have it done by a reviewed migration in a maintenance window",
        );
    }

    /// Why adding this column rewrites the table.
    fn rewriting_column(&self, column: &Node) -> Option<String> {
        let name = column.text("colname");
        let type_name = column
            .node("type_name")
            .and_then(|name| name.strings("names").last().map(|name| (*name).to_owned()))
            .unwrap_or_default();
        if crate::catalogue::Kind::is_serial_name(&type_name) {
            return Some(format!("column {name} takes a new value in every row, which rewrites the table"));
        }
        for constraint in column.nodes("constraints") {
            match constraint.int("contype") {
                3 => {
                    let Some(default) = constraint.node("raw_expr") else { continue };
                    let mut volatile = None;
                    default.walk(&mut |part| {
                        if part.kind == "FuncCall" {
                            let called = part
                                .strings("funcname")
                                .last()
                                .map(|name| (*name).to_owned())
                                .unwrap_or_default();
                            if !is_steady(&called) {
                                volatile = Some(called);
                            }
                        }
                        true
                    });
                    if let Some(called) = volatile {
                        return Some(format!(
                            "the default of column {name} calls {called}(), so every row gets its own value and the table is rewritten"
                        ));
                    }
                }
                4 => {
                    return Some(format!(
                        "identity column {name} takes a new value in every row, which rewrites the table"
                    ));
                }
                5 if constraint.text("generated_kind") != "v" => {
                    return Some(format!(
                        "generated column {name} is computed for every row, which rewrites the table"
                    ));
                }
                _ => {}
            }
        }
        None
    }
}

/// The option of a view that protects what lies under it, if one is among those that change.
fn protective_option(options: &Node) -> Option<&str> {
    options
        .nodes("items")
        .map(|option| option.text("defname"))
        .find(|name| matches!(*name, "security_barrier" | "check_option" | "security_invoker"))
}
/// Functions that are not volatile: one value for all rows that exist.
fn is_steady(name: &str) -> bool {
    matches!(
        name,
        "now"
            | "transaction_timestamp"
            | "statement_timestamp"
            | "timezone"
            | "current_setting"
            | "lower"
            | "upper"
            | "concat"
            | "to_json"
            | "to_jsonb"
            | "jsonb_build_object"
            | "json_build_object"
            | "jsonb_build_array"
            | "json_build_array"
            | "make_interval"
            | "make_date"
            | "date_trunc"
            | "date_part"
            | "to_timestamp"
            | "to_char"
            | "to_date"
            | "array_fill"
            | "md5"
            | "length"
            | "abs"
            | "round"
            | "floor"
            | "ceil"
            | "coalesce"
            | "replace"
            | "substr"
            | "substring"
            | "date"
            | "int4range"
            | "int8range"
            | "tstzrange"
            | "daterange"
            | "tsrange"
            | "numrange"
            | "decode"
            | "encode"
            | "to_tsvector"
            | "current_schema"
            | "current_database"
            | "format"
            | "trim"
            | "btrim"
    )
}
