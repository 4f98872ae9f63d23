//! Where values come from and where they go.
//!
//! Owns the shapes of lineage. Must not know a grammar, nor which column is classified. Sound
//! rather than exact: a source too many masks a value too many, a source too few would leak one.

use std::sync::Arc;

use model::ObjectPath;

/// A stored column that a value derives from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A column that the catalogue knows. For a view it is the view's own column; what lies
    /// beneath is [`Catalog::base_columns`](crate::Catalog::base_columns).
    Column {
        /// The relation's OID.
        relation: u32,
        /// The attribute number, from 1.
        attribute: i16,
    },
    /// A column that the catalogue does not know (created since, or by this very session).
    Unlisted {
        /// `database.schema.name`.
        path: ObjectPath,
        /// The column, or `*` where any of its columns may be meant.
        column: Arc<str>,
    },
}

/// What happened to the value on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// Nothing: it is the stored value of its one source.
    Direct,
    /// It was computed, or may come from several sources.
    #[default]
    Derived,
}

/// One result column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputLineage {
    /// The name the server will give it; for information only.
    pub name: Arc<str>,
    /// The columns it derives from, sorted, without repetition. Empty for constants, parameters
    /// and counts.
    pub sources: Vec<Source>,
    /// What happened on the way.
    pub form: Form,
    /// Whether there may be more to it than `sources` shows: the result of a function that is
    /// not known to be harmless, dynamic text, a name that could not be resolved.
    pub opaque: bool,
}

/// The result columns of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// The statement answers without rows.
    NoRows,
    /// These, in the order of the answer.
    Columns(Vec<OutputLineage>),
    /// There are rows, but how many columns and from where cannot be told from the text.
    /// For `EXECUTE` and `FETCH`: those of what [`Statement::refers_to`](crate::Statement) names.
    Unknown,
}

/// A stored column that the statement writes, and what the written value derives from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnWrite {
    /// `database.schema.name` of what is written.
    pub relation: ObjectPath,
    /// The column, where it can be told.
    pub column: Option<Arc<str>>,
    /// What the value derives from.
    pub sources: Vec<Source>,
    /// Whether there may be more to it than `sources` shows.
    pub opaque: bool,
}
