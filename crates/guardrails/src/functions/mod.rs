//! What is known of functions by their names.
//!
//! `harmless.txt` lists what PostgreSQL 15 and its contrib modules define, less what was found dangerous by reading through
//! the volatile ones; `harmless_more.txt` adds later versions and common extensions.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::facts::Hazard;

/// What calling a function means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Harmless,
    /// Moves a sequence, writes a large object and the like.
    Writes,
    /// `set_config(name, value, ..)`.
    SetsSetting,
    /// Runs the SQL text in the argument at this place.
    RunsText(usize),
    /// `lo_unlink`: deletes what its argument names.
    Unlinks,
    Dangerous(Hazard),
    /// Not one of PostgreSQL's or of a known extension.
    Unknown,
}

static HARMLESS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    include_str!("harmless.txt").lines().chain(include_str!("harmless_more.txt").lines()).collect()
});

/// The class of a function by its unqualified name.
pub(crate) fn classify(name: &str, arguments: usize) -> Class {
    use Hazard as H;
    match name {
        "nextval" | "setval" | "lo_create" | "lo_creat" | "lo_from_bytea" | "lo_put" | "lowrite"
        | "lo_truncate" | "lo_truncate64" => return Class::Writes,
        "set_config" => return Class::SetsSetting,
        "query_to_xml" | "query_to_xmlschema" | "query_to_xml_and_xmlschema" | "ts_stat" => {
            return Class::RunsText(0);
        }
        "ts_rewrite" => return if arguments == 2 { Class::RunsText(1) } else { Class::Harmless },
        "crosstab" | "crosstab2" | "crosstab3" | "crosstab4" => return Class::RunsText(0),
        "connectby" => return Class::Harmless,
        "lo_unlink" => return Class::Unlinks,
        "pg_terminate_backend" | "pg_cancel_backend" | "pg_log_backend_memory_contexts" => {
            return Class::Dangerous(H::OtherSession);
        }
        "lo_import"
        | "lo_export"
        | "pg_read_file"
        | "pg_read_binary_file"
        | "pg_read_file_old"
        | "pg_stat_file"
        | "pg_logdir_ls" => return Class::Dangerous(H::ServerFile),
        "pg_reload_conf"
        | "pg_rotate_logfile"
        | "pg_rotate_logfile_old"
        | "pg_promote"
        | "pg_switch_wal"
        | "pg_switch_xlog"
        | "pg_wal_replay_pause"
        | "pg_wal_replay_resume"
        | "pg_backup_start"
        | "pg_backup_stop"
        | "pg_start_backup"
        | "pg_stop_backup"
        | "pg_create_restore_point"
        | "pg_import_system_collations"
        | "pg_stat_statements_reset"
        | "pg_nextoid"
        | "pg_stop_making_pinned_objects"
        | "pg_extension_config_dump"
        | "pg_truncate_visibility_map"
        | "pg_log_standby_snapshot"
        | "pg_sync_replication_slots" => return Class::Dangerous(H::ServerControl),
        "brin_desummarize_range" => return Class::Harmless,
        "pg_logical_emit_message" => return Class::Dangerous(H::Replication),
        "heap_force_kill" | "heap_force_freeze" => return Class::Dangerous(H::CatalogWrite),
        "xpath_table" => return Class::Dangerous(H::DynamicSql),
        _ => {}
    }
    if name.starts_with("pg_ls_") || name.starts_with("pg_file_") {
        return Class::Dangerous(H::ServerFile);
    }
    if name.starts_with("dblink") || name.starts_with("postgres_fdw_disconnect") {
        return Class::Dangerous(H::OtherConnection);
    }
    let slots = name.ends_with("_replication_slot") && !name.starts_with("pg_stat_get");
    if slots
        || name == "pg_replication_slot_advance"
        || name.starts_with("pg_logical_slot_get")
        || (name.starts_with("pg_replication_origin_") && !HARMLESS.contains(name))
    {
        return Class::Dangerous(H::Replication);
    }
    if name.starts_with("binary_upgrade_") || name.starts_with("pg_stat_reset") {
        return Class::Dangerous(H::ServerControl);
    }
    if HARMLESS.contains(name) || name.starts_with("_pg_") || is_spatial(name) {
        return Class::Harmless;
    }
    Class::Unknown
}

/// PostGIS has over a thousand functions, all of them pure, under a few prefixes.
fn is_spatial(name: &str) -> bool {
    ["st_", "_st_", "geometry_", "geography_", "postgis_", "box2d", "box3d", "raster_", "gidx_", "spheroid_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volatile_functions_were_sorted_by_hand() {
        for name in [
            "random",
            "clock_timestamp",
            "gen_random_uuid",
            "pg_advisory_xact_lock",
            "pg_sleep",
            "pg_notify",
            "st_area",
            "similarity",
            "crypt",
            "uuid_generate_v4",
            "pg_get_viewdef",
        ] {
            assert_eq!(classify(name, 1), Class::Harmless, "{name}");
        }
        for name in [
            "pg_terminate_backend",
            "pg_read_file",
            "lo_import",
            "dblink_exec",
            "pg_create_logical_replication_slot",
            "pg_promote",
            "pg_ls_dir",
        ] {
            assert!(matches!(classify(name, 1), Class::Dangerous(_)), "{name}");
        }
        assert_eq!(classify("purge_everything", 0), Class::Unknown);
    }
}
