//! DDL, privileges and utility statements.

use super::{Analyzer, literal};
use crate::catalogue::is_temporary;
use crate::facts::{Hazard, Kind};
use crate::tree::Node;

impl Analyzer<'_> {
    /// Reads any statement that is not a query or a write; `true` when nothing is left to look at in it.
    pub(super) fn other(&mut self, node: &Node) -> bool {
        match node.kind {
            "CreateStmt" => {
                self.created(node.node("relation"), "CREATE TABLE");
                self.make(node, node.node("relation"));
            }
            "CreateTableAsStmt" => {
                let at = node.node("into").and_then(|into| into.node("rel"));
                self.created(
                    at,
                    if node.int("objtype") == 24 { "CREATE MATERIALIZED VIEW" } else { "CREATE TABLE AS" },
                );
                if let Some(query) = node.node("query") {
                    self.statement(query, &[]);
                }
                self.make(node, at);
                if let (Some(at), Some(into)) = (at, node.node("into"))
                    && is_temporary(at)
                    && into.int("on_commit") == 4
                {
                    self.session.until_commit.push(at.text("relname").to_owned());
                }
                return true;
            }
            "ViewStmt" => {
                self.created(node.node("view"), "CREATE VIEW");
                if let Some(query) = node.node("query") {
                    self.statement(query, &[]);
                }
                self.make(node, node.node("view"));
                return true;
            }
            "AlterTableStmt" => self.alter_table(node),
            "IndexStmt" => {
                self.verb("CREATE INDEX");
                let temporary = node.node("relation").is_some_and(|at| self.is_temporary_table(at));
                self.kind(if temporary { Kind::Temporary } else { Kind::Ddl });
            }
            "DropStmt" => self.drop(node),
            "TruncateStmt" => self.truncate(node),
            "RenameStmt" => self.rename(node),
            "CommentStmt" => self.plain_ddl("COMMENT"),
            "CreateSchemaStmt" => {
                self.plain_ddl("CREATE SCHEMA");
                if node.has("authrole") {
                    self.find(
                        Hazard::Ownership,
                        None,
                        node.text("schemaname"),
                        "the schema is given to another role",
                        "leave out AUTHORIZATION",
                    );
                }
                for element in node.nodes("schema_elts") {
                    self.statement(element, &[]);
                }
                return true;
            }
            "CreateSeqStmt" => {
                let temporary = node.node("sequence").is_some_and(is_temporary);
                self.verb("CREATE SEQUENCE");
                self.kind(if temporary { Kind::Temporary } else { Kind::Ddl });
                if let Some(at) = node.node("sequence").filter(|_| temporary) {
                    self.session.made.add_temporary(at.text("relname"));
                    self.changed();
                }
            }
            "AlterSeqStmt" => self.plain_ddl("ALTER SEQUENCE"),
            "CreateEnumStmt" | "CompositeTypeStmt" | "CreateRangeStmt" | "CreateDomainStmt"
            | "AlterEnumStmt" | "AlterTypeStmt" => {
                self.plain_ddl("CREATE TYPE");
                self.make(node, None);
            }
            "AlterDomainStmt" => {
                self.plain_ddl("ALTER DOMAIN");
                self.make(node, None);
                if node.text("subtype") == "X" {
                    self.find(
                        Hazard::Drop,
                        None,
                        "constraint",
                        "a constraint of the domain is dropped",
                        "keep the constraint, or ask its owner",
                    );
                }
            }
            "DefineStmt" => {
                self.plain_ddl("CREATE");
                // A base type or an operator names functions in C.
                if node.int("kind") == 50 && node.has("definition") {
                    self.find(
                        Hazard::LoadCode,
                        None,
                        "type",
                        "a base type is made of functions in C",
                        "use a domain, an enumeration or a composite type",
                    );
                }
                self.make(node, None);
            }
            "CreateStatsStmt"
            | "AlterStatsStmt"
            | "CreateCastStmt"
            | "CreateConversionStmt"
            | "CreateOpClassStmt"
            | "CreateOpFamilyStmt"
            | "AlterOpFamilyStmt"
            | "AlterOperatorStmt"
            | "AlterCollationStmt"
            | "AlterTsdictionaryStmt"
            | "AlterTsDictionaryStmt"
            | "AlterTsconfigurationStmt"
            | "AlterTsConfigurationStmt"
            | "AlterObjectDependsStmt"
            | "CreateTransformStmt" => {
                self.plain_ddl("DDL");
            }
            "AlterObjectSchemaStmt" => self.plain_ddl("ALTER .. SET SCHEMA"),
            "AlterFunctionStmt" => self.alter_function(node),
            "RefreshMatViewStmt" => {
                self.verb("REFRESH MATERIALIZED VIEW");
                self.kind(Kind::Maintenance);
                if node.flag("skip_data") {
                    self.find(
                        Hazard::Rewrite,
                        None,
                        "materialized view",
                        "WITH NO DATA empties the view",
                        "leave out WITH NO DATA",
                    );
                }
            }
            "RuleStmt" => {
                self.plain_ddl("CREATE RULE");
                self.find(
                    Hazard::Rule,
                    node.node("relation"),
                    node.text("rulename"),
                    "a rule changes what later statements on the table do",
                    "ask the owner of the table for a migration",
                );
                for action in node.nodes("actions") {
                    self.inside(format!("rule {}", node.text("rulename")), |this| {
                        this.statement(action, &[])
                    });
                }
                return true;
            }
            "CreateTrigStmt" => {
                self.plain_ddl("CREATE TRIGGER");
                let temporary = node.node("relation").is_some_and(|at| self.is_temporary_table(at));
                if !temporary {
                    self.find(
                        Hazard::Trigger,
                        node.node("relation"),
                        node.text("trigname"),
                        "a trigger changes what later writes to the table do",
                        "ask the owner of the table for a migration",
                    );
                }
                let name = node.strings("funcname").last().map(|name| (*name).to_owned()).unwrap_or_default();
                let functions = self.functions_named(None, &name);
                self.inside(format!("trigger {}", node.text("trigname")), |this| {
                    this.read_functions(&name, &functions, None, None);
                });
            }
            "CreateEventTrigStmt" | "AlterEventTrigStmt" => {
                self.plain_ddl("EVENT TRIGGER");
                self.find(
                    Hazard::Trigger,
                    None,
                    node.text("trigname"),
                    "an event trigger acts on everybody's DDL",
                    "leave this to the database's team",
                );
            }
            "VariableShowStmt" => {
                self.verb("SHOW");
                self.kind(Kind::Read);
            }
            "ConstraintsSetStmt" => {
                self.verb("SET CONSTRAINTS");
                self.kind(Kind::Setting);
            }
            "DeallocateStmt" => {
                self.verb("DEALLOCATE");
                self.kind(Kind::Setting);
                if node.text("name").is_empty() {
                    self.session.prepared.clear();
                } else {
                    self.session.prepared.remove(node.text("name"));
                }
                self.changed();
            }
            "DiscardStmt" => {
                self.verb("DISCARD");
                self.kind(Kind::Setting);
                self.discard(node.int("target"));
            }
            "FetchStmt" | "ClosePortalStmt" => {
                self.verb("FETCH");
                self.kind(Kind::Read);
            }
            "ListenStmt" | "UnlistenStmt" | "NotifyStmt" => {
                self.verb("NOTIFY");
                self.kind(Kind::Setting);
            }
            "LockStmt" => self.lock(node),
            "VacuumStmt" => self.vacuum(node),
            "ClusterStmt" => {
                self.maintenance("CLUSTER");
                self.find(
                    Hazard::Rewrite,
                    node.node("relation"),
                    "table",
                    "CLUSTER rewrites the table and locks everybody out meanwhile",
                    "use a tool that reorganises online, or ask for a maintenance window",
                );
            }
            "ReindexStmt" => {
                self.maintenance("REINDEX");
                if node.int("kind") >= 4 {
                    self.find(
                        Hazard::ServerControl,
                        None,
                        "database",
                        "this rebuilds every index of the database",
                        "name one index or table, with CONCURRENTLY",
                    );
                }
            }
            "CheckPointStmt" => {
                self.maintenance("CHECKPOINT");
                self.find(
                    Hazard::ServerControl,
                    None,
                    "server",
                    "a checkpoint stresses the whole server",
                    "leave this to the server",
                );
            }
            _ => self.guarded(node),
        }
        false
    }

    /// Statements that careful people do not send.
    fn guarded(&mut self, node: &Node) {
        use Hazard as H;
        let (hazard, kind, verb, why, instead) = match node.kind {
            "GrantStmt" | "GrantRoleStmt" | "AlterDefaultPrivilegesStmt" => (
                H::Privilege,
                Kind::Privilege,
                "GRANT",
                "this changes who may do what",
                "ask for a grant in Daypass; it ends by itself",
            ),
            "CreateRoleStmt" | "AlterRoleStmt" | "AlterRoleSetStmt" | "DropRoleStmt" => (
                H::Role,
                Kind::Privilege,
                "ROLE",
                "this changes roles or what they start with",
                "leave roles to the database's team",
            ),
            "AlterOwnerStmt" | "ReassignOwnedStmt" => (
                H::Ownership,
                Kind::Privilege,
                "OWNER",
                "this changes who owns things",
                "leave ownership to the database's team",
            ),
            "DropOwnedStmt" => (
                H::Drop,
                Kind::Privilege,
                "DROP OWNED",
                "this drops everything that a role owns",
                "name what is to go",
            ),
            "SecLabelStmt" => (
                H::Privilege,
                Kind::Privilege,
                "SECURITY LABEL",
                "this changes a security label",
                "leave this to the database's team",
            ),
            "CreatePolicyStmt" | "AlterPolicyStmt" => (
                H::RowSecurity,
                Kind::Privilege,
                "POLICY",
                "this changes which rows people see",
                "ask the owner of the table for a migration",
            ),
            "AlterSystemStmt"
            | "AlterDatabaseSetStmt"
            | "AlterDatabaseStmt"
            | "AlterDatabaseRefreshCollStmt" => (
                H::ProtectiveSetting,
                Kind::Setting,
                "ALTER SYSTEM",
                "this changes settings for everybody",
                "use SET, which changes them for your session only",
            ),
            "LoadStmt" | "CreatePlangStmt" | "CreatePLangStmt" | "CreateAmStmt" => (
                H::LoadCode,
                Kind::FileOrProgram,
                "LOAD",
                "this loads code into the server",
                "ask the database's team",
            ),
            "CreateExtensionStmt" | "AlterExtensionStmt" | "AlterExtensionContentsStmt" => (
                H::LoadCode,
                Kind::Ddl,
                "EXTENSION",
                "an extension brings code into the server",
                "ask the database's team",
            ),
            "CreateFdwStmt"
            | "AlterFdwStmt"
            | "CreateForeignServerStmt"
            | "AlterForeignServerStmt"
            | "CreateUserMappingStmt"
            | "AlterUserMappingStmt"
            | "DropUserMappingStmt"
            | "ImportForeignSchemaStmt"
            | "CreateForeignTableStmt" => (
                H::OtherConnection,
                Kind::OtherConnections,
                "FOREIGN",
                "this lets the server connect elsewhere",
                "connect to the other server under a grant of its own",
            ),
            "CreateSubscriptionStmt" | "AlterSubscriptionStmt" | "DropSubscriptionStmt" => (
                H::OtherConnection,
                Kind::OtherConnections,
                "SUBSCRIPTION",
                "a subscription connects to another server",
                "leave replication to the database's team",
            ),
            "CreatePublicationStmt" | "AlterPublicationStmt" | "ReplicaIdentityStmt" => (
                H::Replication,
                Kind::Ddl,
                "PUBLICATION",
                "this changes what is replicated",
                "leave replication to the database's team",
            ),
            "CreateTableSpaceStmt" | "AlterTableSpaceOptionsStmt" => (
                H::ServerFile,
                Kind::FileOrProgram,
                "TABLESPACE",
                "a tablespace is a folder of the server",
                "leave this to the database's team",
            ),
            "DropTableSpaceStmt" => (
                H::Drop,
                Kind::FileOrProgram,
                "DROP TABLESPACE",
                "this drops a tablespace",
                "leave this to the database's team",
            ),
            "AlterTableMoveAllStmt" => (
                H::Rewrite,
                Kind::Ddl,
                "ALTER ALL IN TABLESPACE",
                "this moves every table of a tablespace",
                "move one table in a maintenance window",
            ),
            "DropdbStmt" => (
                H::Drop,
                Kind::Ddl,
                "DROP DATABASE",
                "this drops a whole database",
                "nothing; ask the owner of the database",
            ),
            "CreatedbStmt" => (
                H::ServerControl,
                Kind::Ddl,
                "CREATE DATABASE",
                "a new database may copy another and escapes its rules",
                "ask the database's team",
            ),
            _ => (
                H::UnknownStatement,
                Kind::Unknown,
                node.kind,
                "this kind of statement is not known here",
                "use another statement, or ask the database's team",
            ),
        };
        self.verb(verb);
        self.kind(kind);
        self.find(hazard, None, "", why, instead);
    }

    fn plain_ddl(&mut self, verb: &str) {
        self.verb(verb);
        self.kind(Kind::Ddl);
    }

    fn maintenance(&mut self, verb: &str) {
        self.verb(verb);
        self.kind(Kind::Maintenance);
    }

    /// What the session makes changes what later statements mean.
    pub(super) fn make(&mut self, node: &Node, at: Option<&Node>) {
        // IF NOT EXISTS leaves what is there alone.
        let exists = at.is_some_and(|at| {
            node.flag("if_not_exists")
                && !is_temporary(at)
                && self.world().table(at.text("schemaname"), at.text("relname")).1.is_some()
        });
        if exists {
            return;
        }
        let text = self.statement_text();
        let home = self.copied(node).unwrap_or_else(|| self.home());
        self.session.made.apply(node, &text, &home);
        if let Some(at) = at.filter(|at| is_temporary(at) && node.int("oncommit") == 4) {
            self.session.until_commit.push(at.text("relname").to_owned());
        }
        self.changed();
    }

    pub(super) fn is_temporary_table(&self, at: &Node) -> bool {
        let (name, _) = self.world().table(at.text("schemaname"), at.text("relname"));
        name.schema == "pg_temp"
    }

    fn drop(&mut self, node: &Node) {
        self.verb("DROP");
        let mut all_temporary = true;
        let mut names = Vec::new();
        for object in node.nodes("objects") {
            let path: Vec<&str> = match object.kind {
                "List" => object.strings("items"),
                "TypeName" => object.strings("names"),
                "ObjectWithArgs" => object.strings("objname"),
                "String" => vec![object.text("sval")],
                _ => Vec::new(),
            };
            let name = path.last().copied().unwrap_or("").to_owned();
            let schema = if path.len() > 1 { path.get(path.len() - 2).copied().unwrap_or("") } else { "" };
            let relation = matches!(node.int("remove_type"), 42 | 52 | 24 | 38);
            let in_temporary = schema.starts_with("pg_temp");
            let (known, _) = self.world().table(schema, &name);
            let temporary = in_temporary || (relation && known.schema == "pg_temp");
            all_temporary &= temporary;
            if temporary {
                self.session.forget(&name);
            }
            names.push(path.join("."));
        }
        let what = match node.int("remove_type") {
            42 => "table",
            52 => "view",
            24 => "materialized view",
            21 => "index",
            38 => "sequence",
            37 => "schema",
            20 | 30 | 35 => "function",
            45 => "trigger",
            29 => "policy",
            36 => "rule",
            16 => "extension",
            50 | 13 => "type",
            _ => "object",
        };
        if all_temporary && !names.is_empty() {
            self.kind(Kind::Temporary);
            self.changed();
            return;
        }
        self.kind(Kind::Ddl);
        if node.int("remove_type") == 42 && is_benchmark(&names) {
            return;
        }
        let hazard = match node.int("remove_type") {
            45 | 15 => Hazard::Trigger,
            29 => Hazard::RowSecurity,
            36 => Hazard::Rule,
            _ => Hazard::Drop,
        };
        let cascade = if node.int("behavior") == 2 { ", and everything that depends on it" } else { "" };
        let instead = match node.int("remove_type") {
            42 | 52 | 24 | 37 => {
                "rename it first and drop it in a reviewed migration; temporary tables may be dropped freely"
            }
            _ => "drop it in a reviewed migration",
        };
        self.find(
            hazard,
            None,
            &names.join(", "),
            format!("this drops {what} {}{cascade}", names.join(", ")),
            instead,
        );
    }

    fn truncate(&mut self, node: &Node) {
        self.verb("TRUNCATE");
        let tables: Vec<&Node> = node.nodes("relations").collect();
        let mut lasting = Vec::new();
        for at in &tables {
            self.written(node, at);
            if self.target_facts(at) {
                continue;
            }
            let (name, _) = self.world().table(at.text("schemaname"), at.text("relname"));
            lasting.push((*at, name.to_string()));
        }
        self.kind(if lasting.is_empty() { Kind::Temporary } else { Kind::Write });
        let names: Vec<String> = lasting.iter().map(|(_, name)| name.clone()).collect();
        if is_benchmark(&names) || names == ["pgbench_history"] {
            return;
        }
        for (at, name) in lasting {
            self.find(
                Hazard::Truncate,
                Some(at),
                &name,
                format!("TRUNCATE removes every row of {name}"),
                "DELETE .. WHERE with a test on a column, in batches",
            );
        }
    }

    fn rename(&mut self, node: &Node) {
        self.verb("RENAME");
        let temporary = node.node("relation").is_some_and(|at| self.is_temporary_table(at));
        self.kind(if temporary { Kind::Temporary } else { Kind::Ddl });
        match node.int("rename_type") {
            34 => self.find(
                Hazard::Role,
                None,
                node.text("subname"),
                "a role is renamed",
                "leave roles to the database's team",
            ),
            10 => self.find(
                Hazard::ServerControl,
                None,
                node.text("subname"),
                "a database is renamed",
                "leave this to the database's team",
            ),
            45 => self.find(
                Hazard::Trigger,
                None,
                node.text("subname"),
                "a trigger is renamed",
                "ask the owner of the table",
            ),
            29 => self.find(
                Hazard::RowSecurity,
                None,
                node.text("subname"),
                "a row security policy is renamed",
                "ask the owner of the table",
            ),
            36 => self.find(
                Hazard::Rule,
                None,
                node.text("subname"),
                "a rule is renamed",
                "ask the owner of the table",
            ),
            _ => {}
        }
        let renamed = node.node("relation").filter(|_| temporary && node.int("rename_type") == 42);
        if let Some(at) = renamed {
            self.session.forget(at.text("relname"));
            self.session.made.add_temporary(node.text("newname"));
            self.changed();
        }
    }

    fn alter_function(&mut self, node: &Node) {
        self.plain_ddl("ALTER FUNCTION");
        for option in node.nodes("actions") {
            match option.text("defname") {
                "security" => self.find(
                    Hazard::Privilege,
                    None,
                    "function",
                    "this changes whose privileges the function runs with",
                    "leave this to the database's team",
                ),
                "set" => {
                    if let Some(setting) = option.node("arg") {
                        let name = setting.text("name").to_ascii_lowercase();
                        let value = setting.nodes("args").map(literal).next();
                        if crate::settings::is_protective(&name, value.as_deref()) {
                            self.find(
                                Hazard::ProtectiveSetting,
                                None,
                                &name,
                                "the function would run with a guard switched off",
                                "leave this setting alone",
                            );
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn discard(&mut self, target: i64) {
        if target == 1 || target == 4 {
            self.session.made.drop_temporary();
        }
        if target == 1 {
            self.session.prepared.clear();
            self.session.search_path = vec!["public".to_owned()];
        }
        self.changed();
    }

    fn lock(&mut self, node: &Node) {
        self.verb("LOCK TABLE");
        self.kind(Kind::Lock);
        for table in node.nodes("relations") {
            self.read(table);
        }
        if node.int("mode") >= 8 {
            let temporary = node.nodes("relations").all(|at| self.is_temporary_table(at));
            if !temporary {
                self.find(
                    Hazard::ExclusiveLock,
                    node.nodes("relations").next(),
                    "table",
                    "ACCESS EXCLUSIVE keeps everybody out, readers too, until the transaction ends",
                    "LOCK TABLE .. IN SHARE ROW EXCLUSIVE MODE, or SELECT .. FOR UPDATE on the rows you need",
                );
            }
        }
    }

    fn vacuum(&mut self, node: &Node) {
        let vacuum = node.flag("is_vacuumcmd");
        self.maintenance(if vacuum { "VACUUM" } else { "ANALYZE" });
        let full = node.nodes("options").any(|option| {
            option.text("defname") == "full"
                && !matches!(super::option_text(option).as_str(), "false" | "off" | "0")
        });
        if full {
            self.find(
                Hazard::Rewrite,
                None,
                "table",
                "VACUUM FULL rewrites the table and locks everybody out meanwhile",
                "VACUUM without FULL",
            );
        }
    }
}

/// The tables that pgbench makes for itself, all four at once, as it drops and empties them by itself.
fn is_benchmark(names: &[String]) -> bool {
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    names == ["pgbench_accounts", "pgbench_branches", "pgbench_history", "pgbench_tellers"]
}
