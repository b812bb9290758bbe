//! Which run-time settings harm nobody.

/// Whether setting `name` to `value` (`None`: to its default, or not known) protects less than before.
pub(crate) fn is_protective(name: &str, value: Option<&str>) -> bool {
    let name = name.to_ascii_lowercase();
    if let Some((extension, _)) = name.split_once('.') {
        return matches!(
            extension,
            "pgaudit"
                | "safeupdate"
                | "sepgsql"
                | "plperl"
                | "plpython"
                | "pltcl"
                | "set_user"
                | "anon"
                | "supautils"
                | "plugin"
                | "session_preload"
                | "pg_stat_statements"
                | "auto_explain"
                | "dblink"
                | "credcheck"
                | "pgextwlist"
        );
    }
    let value = value.map(|value| value.trim().to_ascii_lowercase());
    match name.as_str() {
        // These change how the text of the next statement is read.
        "standard_conforming_strings" => {
            !matches!(value.as_deref(), Some("on" | "true" | "1" | "yes") | None)
        }
        "backslash_quote" => {
            !matches!(value.as_deref(), Some("off" | "false" | "no" | "0" | "safe_encoding") | None)
        }
        "client_encoding" | "names" => value.is_some_and(|value| {
            let bare: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
            ["sjis", "big5", "gbk", "uhc", "gb18030", "johab", "shift", "mskanji", "win9", "windows9"]
                .iter()
                .any(|name| bare.starts_with(name))
        }),
        _ => {
            !HARMLESS.contains(&name.as_str())
                && !HARMLESS_FAMILIES.iter().any(|family| name.starts_with(family))
        }
    }
}

const HARMLESS_FAMILIES: &[&str] = &[
    "enable_",
    "geqo",
    "jit",
    "cpu_",
    "parallel_",
    "max_parallel_",
    "min_parallel_",
    "tcp_",
    "vacuum_",
    "debug_print",
    "debug_pretty",
    "trace_",
    "effective_",
    "lc_",
    "cursor_",
    "seq_page",
    "random_page",
    "idle_",
];

const HARMLESS: &[&str] = &[
    "application_name",
    "array_nulls",
    "backend_flush_after",
    "bytea_output",
    "check_function_bodies",
    "client_connection_check_interval",
    "client_min_messages",
    "commit_delay",
    "commit_siblings",
    "constraint_exclusion",
    "datestyle",
    "deadlock_timeout",
    "default_statistics_target",
    "default_table_access_method",
    "default_tablespace",
    "default_text_search_config",
    "default_toast_compression",
    "default_transaction_deferrable",
    "default_transaction_isolation",
    "default_transaction_read_only",
    "default_with_oids",
    "escape_string_warning",
    "exit_on_error",
    "extra_float_digits",
    "force_parallel_mode",
    "debug_parallel_query",
    "from_collapse_limit",
    "gin_fuzzy_search_limit",
    "gin_pending_list_limit",
    "hash_mem_multiplier",
    "intervalstyle",
    "io_combine_limit",
    "join_collapse_limit",
    "lock_timeout",
    "log_parameter_max_length_on_error",
    "logical_decoding_work_mem",
    "maintenance_io_concurrency",
    "maintenance_work_mem",
    "password_encryption",
    "plan_cache_mode",
    "quote_all_identifiers",
    "recursive_worktable_factor",
    "restrict_nonsystem_relation_kind",
    "row_security",
    "search_path",
    "seed",
    "statement_timeout",
    "stats_fetch_consistency",
    "synchronize_seqscans",
    "temp_buffers",
    "temp_tablespaces",
    "timezone",
    "time zone",
    "timezone_abbreviations",
    "transaction_deferrable",
    "transaction_isolation",
    "transaction_read_only",
    "transaction_timeout",
    "wal_sender_timeout",
    "wal_skip_threshold",
    "work_mem",
    "xmlbinary",
    "xmloption",
    "session characteristics",
    "transaction",
    "transaction snapshot",
    "server_version",
    "ssl_renegotiation_limit",
    "server_encoding",
    "createrole_self_grant",
];

#[cfg(test)]
mod tests {
    use super::is_protective;

    #[test]
    fn what_tools_set_by_themselves_is_harmless() {
        for (name, value) in [
            ("DateStyle", "ISO"),
            ("extra_float_digits", "3"),
            ("search_path", "public"),
            ("row_security", "off"),
            ("standard_conforming_strings", "on"),
            ("client_encoding", "UTF8"),
            ("app.user_id", "5"),
        ] {
            assert!(!is_protective(name, Some(value)), "{name}");
        }
        for (name, value) in [
            ("session_replication_role", "replica"),
            ("standard_conforming_strings", "off"),
            ("client_encoding", "SJIS"),
            ("zero_damaged_pages", "on"),
            ("synchronous_commit", "off"),
            ("pgaudit.log", "none"),
            ("local_preload_libraries", "x"),
            ("log_statement", "none"),
        ] {
            assert!(is_protective(name, Some(value)), "{name}");
        }
    }
}
