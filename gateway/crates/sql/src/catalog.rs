//! What a database holds: a snapshot of relations, columns, functions and their dependencies.
//!
//! Owns names and what they mean, and the closure of columns that lie beneath views, partitions
//! and generated columns. Must not know how the rows were fetched nor how old it is; what to fetch
//! is said at each method of [`CatalogBuilder`]. A snapshot never changes; a newer one replaces it.

mod builder;
mod closure;

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

pub use builder::CatalogBuilder;

use crate::server::Server;

/// A snapshot of one database.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Rises with each snapshot; part of the key of any cache of analyses.
    pub version: u64,
    /// Which server it is of.
    pub server: Server,
    pub(crate) schemas: FxHashSet<Arc<str>>,
    pub(crate) relations: Vec<Relation>,
    pub(crate) by_oid: FxHashMap<u32, usize>,
    pub(crate) by_name: FxHashMap<Arc<str>, Vec<usize>>,
    pub(crate) functions: FxHashMap<Arc<str>, Vec<Function>>,
    pub(crate) operators: FxHashMap<Arc<str>, Vec<Arc<str>>>,
    pub(crate) edges: Vec<(BaseColumn, BaseColumn)>,
    pub(crate) bases: FxHashMap<(u32, i16), Arc<[BaseColumn]>>,
    pub(crate) unclear: FxHashSet<BaseColumn>,
}

/// A table, view or anything else in the namespace of tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// Its OID.
    pub oid: u32,
    /// Its schema.
    pub schema: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// What it is.
    pub kind: RelationKind,
    /// Its columns by attribute number, dropped ones left out.
    pub columns: Vec<Column>,
}

/// What a relation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RelationKind {
    /// A table, partitioned or not.
    Table,
    /// A view.
    View,
    /// A materialised view.
    MaterializedView,
    /// A foreign table.
    ForeignTable,
    /// A sequence.
    Sequence,
    /// An index.
    Index,
    /// A composite type.
    CompositeType,
    /// Anything else.
    Other,
}

/// A column of a relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its attribute number, from 1.
    pub attribute: i16,
    /// Its name.
    pub name: Arc<str>,
    /// The OID of its type.
    pub type_oid: u32,
    /// Whether its value is generated from others (`COPY t TO` leaves it out).
    pub generated: bool,
    /// Whether `*` leaves it out.
    pub hidden: bool,
}

/// A function, procedure, aggregate or window function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its OID.
    pub oid: u32,
    /// Its schema.
    pub schema: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Whether it is a procedure, for `CALL`.
    pub is_procedure: bool,
    /// Whether it runs with its owner's rights.
    pub security_definer: bool,
    /// Whether it returns a set of rows.
    pub returns_set: bool,
    /// How it may vary: `i`, `s` or `v`, as in `pg_proc.provolatile`.
    pub volatility: char,
    /// Its language: `internal`, `c`, `sql`, `plpgsql`, ...
    pub language: Arc<str>,
    /// Of a procedure: whether calling it may change what the catalogue holds. It may where its text
    /// has a word for that, or is not shown.
    pub defines: bool,
}

/// A stored column, by OID and attribute number.
pub type BaseColumn = (u32, i16);

/// The columns that lie beneath one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BaseColumns {
    /// The column itself and every column it derives from, through any number of views.
    Known(Arc<[BaseColumn]>),
    /// The same, and there may be more beneath: a function of the database's computes it.
    Unclear(Arc<[BaseColumn]>),
    /// The catalogue does not know the relation or the column: anything may lie beneath.
    Unknown,
}

impl Catalog {
    /// The relation with this OID.
    #[must_use]
    pub fn relation_by_oid(&self, oid: u32) -> Option<&Relation> {
        self.by_oid.get(&oid).and_then(|index| self.relations.get(*index))
    }

    /// Every relation.
    #[must_use]
    pub fn relations(&self) -> &[Relation] {
        &self.relations
    }

    /// Whether it knows this schema.
    #[must_use]
    pub fn has_schema(&self, schema: &str) -> bool {
        self.schemas.contains(schema)
    }

    /// The relation of this name in this schema.
    #[must_use]
    pub fn relation(&self, schema: &str, name: &str) -> Option<&Relation> {
        self.named(name).find(|relation| *relation.schema == *schema)
    }

    /// What a name means: in its schema, or else in the first schema of the search path that has
    /// it, `pg_catalog` coming first where the path does not place it. `"$user"` is the user.
    /// Temporary relations are not looked for; see [`Scope::temporary`](crate::Scope).
    #[must_use]
    pub fn resolve(
        &self,
        schema: Option<&str>,
        name: &str,
        search_path: &[Arc<str>],
        user: &str,
    ) -> Option<&Relation> {
        if let Some(schema) = schema {
            return self.relation(schema, name);
        }
        let candidates = self.by_name.get(name)?;
        if !search_path.iter().any(|entry| **entry == *"pg_catalog")
            && let Some(found) = self.relation("pg_catalog", name)
        {
            return Some(found);
        }
        search_path.iter().find_map(|entry| {
            let schema = if **entry == *"$user" { user } else { entry };
            candidates
                .iter()
                .filter_map(|index| self.relations.get(*index))
                .find(|relation| *relation.schema == *schema)
        })
    }

    /// The column itself and all that lie beneath it.
    #[must_use]
    pub fn base_columns(&self, relation: u32, attribute: i16) -> BaseColumns {
        let bases = match self.bases.get(&(relation, attribute)) {
            Some(bases) => bases.clone(),
            None => match self.relation_by_oid(relation) {
                Some(found) if found.column_by_attribute(attribute).is_some() => {
                    [(relation, attribute)].into()
                }
                _ => return BaseColumns::Unknown,
            },
        };
        let unclear =
            !self.unclear.is_empty() && bases.iter().any(|one| self.unclear.contains(one));
        if unclear { BaseColumns::Unclear(bases) } else { BaseColumns::Known(bases) }
    }

    /// The same snapshot with more known of what columns show, such as what a dialect reads from
    /// the definitions of views (`postgres::derivations`).
    #[must_use]
    pub fn with_derivations(mut self, more: &[(BaseColumn, BaseColumn)]) -> Self {
        self.edges.extend_from_slice(more);
        self.bases = closure::close(&self.edges);
        self
    }

    /// Every function of this name, in any schema.
    #[must_use]
    pub fn functions(&self, name: &str) -> &[Function] {
        self.functions.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether calling this procedure may change what the catalogue holds.
    #[must_use]
    pub fn may_define(&self, schema: &str, name: &str) -> bool {
        let mut procedures =
            self.functions(name).iter().filter(|one| one.is_procedure && *one.schema == *schema);
        procedures.next().is_none_or(|first| first.defines || procedures.any(|one| one.defines))
    }

    /// The schemas in which a user defined an operator of this name.
    #[must_use]
    pub fn operator_schemas(&self, name: &str) -> &[Arc<str>] {
        if self.operators.is_empty() {
            return &[];
        }
        self.operators.get(name).map_or(&[], Vec::as_slice)
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &Relation> {
        let found = self.by_name.get(name).map_or(&[] as &[usize], Vec::as_slice);
        found.iter().filter_map(|index| self.relations.get(*index))
    }
}

impl Relation {
    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| *column.name == *name)
    }

    /// The column of this attribute number.
    #[must_use]
    pub fn column_by_attribute(&self, attribute: i16) -> Option<&Column> {
        let index = self.columns.binary_search_by_key(&attribute, |column| column.attribute);
        index.ok().and_then(|index| self.columns.get(index))
    }
}

impl RelationKind {
    /// From the letter of `pg_class.relkind`.
    #[must_use]
    pub const fn from_letter(letter: char) -> Self {
        match letter {
            'r' | 'p' | 't' => Self::Table,
            'v' => Self::View,
            'm' => Self::MaterializedView,
            'f' => Self::ForeignTable,
            'S' => Self::Sequence,
            'i' | 'I' => Self::Index,
            'c' => Self::CompositeType,
            _ => Self::Other,
        }
    }

    /// The word of statements and accesses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::ForeignTable => "foreign table",
            Self::Sequence => "sequence",
            Self::Index => "index",
            Self::CompositeType => "type",
            Self::Other => "relation",
        }
    }
}
