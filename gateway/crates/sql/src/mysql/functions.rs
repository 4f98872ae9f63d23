//! Which functions of the server are harmless, and what some of them do with their arguments.
//!
//! Owns the lists. Must not know which function a call means (`call`). Extra words of the server's
//! grammar that look like calls are listed with the functions.

use std::sync::LazyLock;

use rustc_hash::FxHashSet;

use super::words::{is_in, listed};

static HARMLESS: LazyLock<FxHashSet<&'static str>> =
    LazyLock::new(|| listed(include_str!("functions/harmless.txt")));

static RULED: LazyLock<FxHashSet<&'static str>> =
    LazyLock::new(|| listed(include_str!("functions/ruled.txt")));

/// A function of the server's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    name: &'static str,
    harmless: bool,
}

/// The function of this name, where it is the server's own.
pub(super) fn of_server(name: &str) -> Option<Known> {
    let lower = name.to_ascii_lowercase();
    if let Some(name) = HARMLESS.get(lower.as_str()) {
        return Some(Known { name, harmless: true });
    }
    let name = RULED.get(lower.as_str())?;
    Some(Known { name, harmless: false })
}

/// Whether the function takes the name of a sequence.
pub(super) fn of_sequence(name: &str) -> bool {
    ["nextval", "lastval", "setval"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether the argument is the name of a column whose stored value is not read: `VALUES(a)`,
/// `DEFAULT(a)`.
pub(super) fn names_column(name: &str) -> bool {
    ["values", "value", "default"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether a word that looks like a column is one of the server's own values.
pub(super) fn is_value(word: &str) -> bool {
    static VALUES: LazyLock<FxHashSet<&'static str>> = LazyLock::new(|| {
        listed(
            "current_date current_time current_timestamp current_user current_role localtime \
             localtimestamp utc_date utc_time utc_timestamp default",
        )
    });
    is_in(&VALUES, word)
}

/// Relations that hold values, texts or secrets of others: running statements, digests with
/// literals, samples of columns, accounts, the text of routines' calls.
pub(super) fn holds_others(database: &str, table: &str) -> bool {
    match database {
        "information_schema" => {
            let table = table.to_ascii_lowercase();
            matches!(
                table.as_str(),
                "processlist"
                    | "column_statistics"
                    | "user_variables"
                    | "innodb_trx"
                    | "query_cache_info"
            ) || table.starts_with("innodb_ft_")
                || table.starts_with("innodb_buffer_page")
                || table.starts_with("innodb_lock")
        }
        "performance_schema" | "mysql" | "sys" => true,
        _ => false,
    }
}

impl Known {
    pub(super) const fn name(self) -> &'static str {
        self.name
    }

    pub(super) const fn is_harmless(self) -> bool {
        self.harmless
    }

    /// Whether its result is a count of rows or values, which shows none of them.
    pub(super) fn counts(self) -> bool {
        self.name == "count"
    }

    /// Whether it gives rows numbers.
    pub(super) fn numbers_rows(self) -> bool {
        matches!(
            self.name,
            "row_number" | "rank" | "dense_rank" | "percent_rank" | "cume_dist" | "ntile"
        )
    }

    /// Whether the session keeps what it is given.
    pub(super) fn keeps_argument(self) -> bool {
        self.name == "last_insert_id"
    }

    /// Whether it puts its arguments side by side, or counts them, and never fails nor gives NULL
    /// for what they are to each other.
    pub(super) fn puts_together(self) -> bool {
        matches!(
            self.name,
            "concat"
                | "concat_ws"
                | "count"
                | "group_concat"
                | "json_array"
                | "json_arrayagg"
                | "json_object"
                | "json_objectagg"
                | "coalesce"
                | "ifnull"
                | "row"
        )
    }

    /// Whether it writes its first argument in another form.
    pub(super) fn changes_form(self) -> bool {
        matches!(
            self.name,
            "date_format" | "extract" | "left" | "right" | "round" | "truncate" | "format" | "char"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_reads_files_or_runs_elsewhere_is_not_harmless() {
        for name in [
            "LOAD_FILE",
            "sleep",
            "BENCHMARK",
            "get_lock",
            "release_lock",
            "master_pos_wait",
            "release_all_locks",
        ] {
            assert!(of_server(name).is_some_and(|known| !known.is_harmless()), "{name}");
        }
        for name in
            ["sys_exec", "sys_eval", "lib_mysqludf_sys_info", "nextval", "spider_direct_sql"]
        {
            assert_eq!(of_server(name), None, "{name}");
        }
        for name in ["LOWER", "count", "Now", "json_extract", "uuid"] {
            assert!(of_server(name).is_some_and(Known::is_harmless), "{name}");
        }
    }

    #[test]
    fn no_function_is_both_harmless_and_not() {
        assert_eq!(HARMLESS.intersection(&RULED).count(), 0);
    }
}
