//! Which functions of `pg_catalog` are harmless, and what columns some of them give in `FROM`.
//!
//! Owns the lists. Must not know which function a name means (`call`).

use std::sync::LazyLock;

use pg_raw_parse::Node;
use rustc_hash::FxHashSet;

use super::object::name_parts;

static HARMLESS: LazyLock<FxHashSet<&'static str>> =
    LazyLock::new(|| words(include_str!("functions/harmless.txt")));

/// Relations that hold what other relations hold.
static HOLDS_OTHERS: LazyLock<FxHashSet<&'static str>> =
    LazyLock::new(|| words(include_str!("functions/holds_others.txt")));

fn words(text: &'static str) -> FxHashSet<&'static str> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_ascii_whitespace)
        .collect()
}

/// Whether the function of this name in `pg_catalog` needs no rule, with any arguments.
pub(super) fn is_harmless(name: &str) -> bool {
    HARMLESS.contains(name)
}

/// Whether the relation of this name in `pg_catalog` holds what other relations hold.
pub(super) fn holds_others(name: &str) -> bool {
    HOLDS_OTHERS.contains(name)
}

/// Whether the function of this name in `pg_catalog` gives rows, as many as its arguments say.
pub(super) fn gives_rows(name: &str) -> bool {
    takes_apart(name)
        || matches!(
            name,
            "generate_series"
                | "generate_subscripts"
                | "regexp_matches"
                | "regexp_split_to_table"
                | "string_to_table"
                | "jsonb_path_query"
                | "jsonb_path_query_tz"
                | "ts_parse"
                | "ts_debug"
                | "ts_token_type"
                | "ts_stat"
                | "aclexplode"
                | "pg_options_to_table"
                | "_pg_expandarray"
        )
}

/// Whether it gives one row for each part that its argument has.
pub(super) fn takes_apart(name: &str) -> bool {
    matches!(
        name,
        "unnest"
            | "json_array_elements"
            | "json_array_elements_text"
            | "json_each"
            | "json_each_text"
            | "json_object_keys"
            | "json_populate_recordset"
            | "json_to_recordset"
            | "jsonb_array_elements"
            | "jsonb_array_elements_text"
            | "jsonb_each"
            | "jsonb_each_text"
            | "jsonb_object_keys"
            | "jsonb_populate_recordset"
            | "jsonb_to_recordset"
    )
}

/// Whether it puts its arguments side by side, or counts them, and never fails nor gives NULL
/// for what they are to each other.
pub(super) fn puts_together(name: &str) -> bool {
    matches!(
        name,
        "array_agg"
            | "concat"
            | "concat_ws"
            | "count"
            | "format"
            | "json_agg"
            | "json_build_array"
            | "json_build_object"
            | "json_object_agg"
            | "jsonb_agg"
            | "jsonb_build_array"
            | "jsonb_build_object"
            | "jsonb_object_agg"
            | "row_to_json"
            | "string_agg"
            | "to_json"
            | "to_jsonb"
            | "xmlagg"
    )
}

/// Whether it writes its first argument in another form.
pub(super) fn changes_form(name: &str) -> bool {
    matches!(
        name,
        "date_part" | "date_trunc" | "extract" | "left" | "right" | "round" | "to_char" | "trunc"
    )
}

/// The columns a function gives in `FROM`, where they are known; `name` is the name of a single
/// column that has no own.
pub(super) fn row_columns<'a>(call: Node<'a>, name: &'a str) -> Option<Vec<&'a str>> {
    let call = match call {
        Node::FuncCall(call) => call,
        Node::SQLValueFunction(_) => return Some(vec![name]),
        // A cast may be to a composite type, whose fields are then the columns.
        _ => return None,
    };
    let parts = name_parts(call.funcname());
    let own = match parts.as_slice() {
        [own] | ["pg_catalog", own] => *own,
        _ => return None,
    };
    Some(match own {
        "generate_series"
        | "generate_subscripts"
        | "regexp_split_to_table"
        | "regexp_matches"
        | "string_to_table"
        | "json_object_keys"
        | "jsonb_object_keys" => vec![name],
        "json_array_elements"
        | "jsonb_array_elements"
        | "json_array_elements_text"
        | "jsonb_array_elements_text" => vec!["value"],
        "json_each" | "jsonb_each" | "json_each_text" | "jsonb_each_text" => vec!["key", "value"],
        "aclexplode" => vec!["grantor", "grantee", "privilege_type", "is_grantable"],
        "pg_options_to_table" => vec!["option_name", "option_value"],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_text_or_reaches_outside_is_not_harmless() {
        for name in [
            "query_to_xml",
            "query_to_xml_and_xmlschema",
            "table_to_xml",
            "database_to_xml",
            "schema_to_xml",
            "cursor_to_xml",
            "ts_stat",
            "ts_rewrite",
            "set_config",
            "pg_read_file",
            "pg_read_binary_file",
            "pg_ls_dir",
            "pg_stat_file",
            "lo_import",
            "lo_export",
            "lo_get",
            "lo_from_bytea",
            "loread",
            "lowrite",
            "pg_notify",
            "pg_sleep",
            "pg_sleep_for",
            "pg_sleep_until",
            "pg_terminate_backend",
            "pg_cancel_backend",
            "pg_reload_conf",
            "nextval",
            "setval",
            "currval",
            "lastval",
            "pg_logical_slot_get_changes",
            "pg_create_logical_replication_slot",
            "pg_stat_get_activity",
            "pg_advisory_lock",
            "pg_try_advisory_lock",
            "pg_export_snapshot",
            "pg_switch_wal",
            "pg_promote",
            "pg_hba_file_rules",
            "pg_show_all_file_settings",
            "pg_stat_reset",
            "plpgsql_call_handler",
            "dblink",
            "crosstab",
            "pg_logical_emit_message",
            "pg_replication_origin_create",
            "pg_import_system_collations",
            "pg_extension_config_dump",
            "pg_nextoid",
        ] {
            assert!(!is_harmless(name), "{name}");
        }
        for name in ["lower", "count", "now", "row_to_json", "pg_get_viewdef", "uuidv7"] {
            assert!(is_harmless(name), "{name}");
        }
    }
}
