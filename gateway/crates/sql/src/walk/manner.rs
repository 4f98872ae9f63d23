//! How a server looks for names, in the few points in which servers differ.
//!
//! Owns the shape; each dialect has its own. Must not know where a name stands.

/// How a server looks for names.
pub(crate) struct Manner {
    /// Columns that every relation has and no catalogue lists.
    pub(crate) system_columns: &'static [&'static str],
    /// Whether a name that is no column may stand for a whole row.
    pub(crate) whole_rows: bool,
    /// Whether two column names are the same to the server.
    pub(crate) same_column: fn(&str, &str) -> Sameness,
    /// Whether two names of relations or schemas are.
    pub(crate) same_relation: fn(&str, &str) -> bool,
    /// Whether the relation of this schema and name holds what other relations hold.
    pub(crate) holds_others: fn(&str, &str) -> bool,
}

/// Whether two names are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sameness {
    No,
    /// Perhaps, by rules that we do not know exactly.
    Maybe,
    Yes,
}

/// The name of a column that has one which we do not know: any name may mean it.
pub(crate) const UNNAMED: &str = "\0";
