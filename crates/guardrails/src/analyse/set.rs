//! `SET`, `set_config` and transactions.

use std::sync::Arc;

use super::{Analyzer, literal};
use crate::facts::{Hazard, Kind};
use crate::settings;
use crate::tree::Node;

impl Analyzer<'_> {
    pub(super) fn set(&mut self, node: &Node) {
        self.verb("SET");
        self.kind(Kind::Setting);
        let name = node.text("name").to_ascii_lowercase();
        let values: Vec<String> = node.nodes("args").map(literal).collect();
        match node.int("kind") {
            // RESET ALL
            6 => {
                self.facts.settings.insert("all".to_owned());
                self.session.search_path = vec!["public".to_owned()];
                self.changed();
                return;
            }
            2 | 5 => {
                self.setting(&name, None, None);
                return;
            }
            _ => {}
        }
        let value = if name == "search_path" {
            values.join(",")
        } else {
            values.first().cloned().unwrap_or_default()
        };
        self.setting(&name, Some(&value), None);
    }

    /// One setting changes; `None` as value means its default.
    pub(super) fn setting(&mut self, name: &str, value: Option<&str>, at: Option<&Node>) {
        self.facts.settings.insert(name.to_owned());
        match name {
            "role" | "session_authorization" => {
                self.kind(Kind::Privilege);
                self.find(
                    Hazard::Role,
                    at,
                    name,
                    "this changes who the session acts as",
                    "ask for a grant of the access level that you need",
                );
                return;
            }
            "search_path" => {
                self.session.search_path = match value {
                    Some(value) => value
                        .split(',')
                        .map(|entry| entry.trim().trim_matches('"').to_owned())
                        .filter(|entry| !entry.is_empty())
                        .collect(),
                    None => vec!["public".to_owned()],
                };
                self.changed();
            }
            _ => {}
        }
        let protective = match value {
            Some(value) => settings::is_protective(name, Some(value)),
            None => false,
        };
        if protective {
            self.find(
                Hazard::ProtectiveSetting,
                at,
                name,
                format!("{name} guards the data or how statements are read; changing it takes that away"),
                "leave this setting alone; time zone, search_path, timeouts and planner settings are free to change",
            );
        }
    }

    pub(super) fn set_config(&mut self, node: &Node) {
        self.kind(Kind::Setting);
        let arguments: Vec<&Node> = node.nodes("args").collect();
        let name = arguments.first().and_then(|name| self.constant_text(name));
        match name {
            Some(name) => {
                let value = arguments.get(1).and_then(|value| self.constant_text(value));
                let value = value.unwrap_or_else(|| "?".to_owned());
                self.setting(&name.to_ascii_lowercase(), Some(&value), Some(node));
            }
            None => self.find(
                Hazard::ProtectiveSetting,
                Some(node),
                "set_config",
                "the setting that set_config changes is not written out here",
                "write the name of the setting as a constant",
            ),
        }
    }

    pub(super) fn transaction(&mut self, node: &Node) {
        self.kind(Kind::Transaction);
        let verb = match node.int("kind") {
            1 | 2 => {
                self.session.begin();
                "BEGIN"
            }
            3 => {
                self.session.commit();
                "COMMIT"
            }
            4 => {
                self.session.roll_back();
                "ROLLBACK"
            }
            5 => {
                let made = Arc::new(self.session.made.clone());
                self.session.savepoints.push((node.text("savepoint_name").to_owned(), made));
                "SAVEPOINT"
            }
            6 => "RELEASE",
            7 => {
                self.session.roll_back_to(node.text("savepoint_name"));
                "ROLLBACK TO"
            }
            8 => "PREPARE TRANSACTION",
            9 => "COMMIT PREPARED",
            _ => "ROLLBACK PREPARED",
        };
        self.verb(verb);
        self.changed();
    }
}

/// `SELECT set_config(name, ..) FROM pg_settings WHERE name = 'x'`: the settings named by the condition.
pub(super) fn named_settings(root: &Node, call: &Node) -> Option<Vec<String>> {
    let first = call.nodes("args").next().filter(|argument| argument.kind == "ColumnRef")?;
    let column = first.strings("fields").last().map(|name| (*name).to_owned())?;
    let mut conjuncts = vec![root.node("where_clause")?];
    while let Some(part) = conjuncts.pop() {
        if part.kind == "BoolExpr" && part.int("boolop") == 1 {
            conjuncts.extend(part.nodes("args"));
            continue;
        }
        let tests_name = part.kind == "AExpr"
            && matches!(part.int("kind"), 1 | 7)
            && part.strings("name") == ["="]
            && part.node("lexpr").is_some_and(|left| left.strings("fields").last() == Some(&column.as_str()));
        if !tests_name {
            continue;
        }
        let right = part.node("rexpr")?;
        let values: Vec<&Node> =
            if right.kind == "List" { right.nodes("items").collect() } else { vec![right] };
        if values.iter().all(|value| value.kind == "AConst") {
            return Some(values.into_iter().map(literal).collect());
        }
    }
    None
}
