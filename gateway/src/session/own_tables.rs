//! The temporary tables of a session, as the server lists them.
//!
//! Owns the list. Must not know when it is asked for. What a session's temporary tables hold was
//! judged when it was written there, as what other tables hold was; only the catalogue's snapshot,
//! which sessions share, cannot list them.

use std::sync::Arc;

use model::{MaskProfile, ObjectPath};
use rustc_hash::{FxHashMap, FxHashSet};
use sql::{Source, TouchedRelation};

use super::classified::{Classification, unlisted};

/// The schema that a statement's reading gives temporary relations.
const SCHEMA: &str = "pg_temp";

/// The temporary tables of one session.
#[derive(Clone, Debug, Default)]
pub struct OwnTables {
    /// Names of relation and column, by the server's numbers.
    columns: FxHashMap<(u32, i16), (Arc<str>, Arc<str>)>,
    names: FxHashMap<Arc<str>, FxHashSet<Arc<str>>>,
}

impl OwnTables {
    /// Adds a column.
    pub fn add(&mut self, relation: u32, attribute: i16, table: &str, column: &str) {
        let (table, column): (Arc<str>, Arc<str>) = (table.into(), column.into());
        self.names.entry(Arc::clone(&table)).or_default().insert(Arc::clone(&column));
        self.columns.insert((relation, attribute), (table, column));
    }

    /// How many columns there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Names mean nothing here: what a name stands for may be another relation.
    pub fn forget_names(&mut self) {
        self.names.clear();
    }

    /// The classification of a column by the server's own identity of it; nothing where it is not
    /// one of these tables'.
    pub(super) fn column(
        &self,
        profile: &MaskProfile,
        database: &str,
        identity: (u32, i16),
    ) -> Option<Classification> {
        let (table, column) = self.columns.get(&identity)?;
        Some(classification(profile, &path(database, table), column))
    }

    /// The same for a source of a statement's lineage.
    pub(super) fn source(&self, profile: &MaskProfile, source: &Source) -> Option<Classification> {
        let Source::Unlisted { path, column } = source else { return None };
        let columns = self.names.get(table(path)?)?;
        columns.contains(column).then(|| classification(profile, path, column))
    }

    /// Whether it is one of these.
    pub(super) fn has(&self, touched: &TouchedRelation) -> bool {
        touched.oid.is_none()
            && table(&touched.path).is_some_and(|table| self.names.contains_key(table))
    }
}

/// A pattern may be about temporary tables, too.
fn classification(profile: &MaskProfile, path: &ObjectPath, column: &str) -> Classification {
    match unlisted(profile, path, column) {
        Classification::Unknown => Classification::Plain,
        found => found,
    }
}

fn path(database: &str, table: &str) -> ObjectPath {
    ObjectPath::new([database, SCHEMA, table])
}

/// The name of a temporary relation.
fn table(path: &ObjectPath) -> Option<&str> {
    match path.0.as_slice() {
        [_, schema, name] if **schema == *SCHEMA => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use model::{ColumnMask, PathPattern, Tag, Transform};

    use super::*;

    fn profile() -> MaskProfile {
        MaskProfile {
            columns: vec![ColumnMask {
                pattern: PathPattern::parse("*.users.email").unwrap(),
                tag: Tag::from("pii.email"),
                transform: Transform::Partial,
            }],
            ..MaskProfile::default()
        }
    }

    fn source(schema: &str, table: &str, column: &str) -> Source {
        Source::Unlisted { path: ObjectPath::new(["shop", schema, table]), column: column.into() }
    }

    #[test]
    fn what_the_server_lists_is_plain_but_for_what_a_pattern_names() {
        let mut own = OwnTables::default();
        own.add(70_000, 1, "totals", "sum");
        own.add(70_001, 1, "users", "email");
        let column = |identity| own.column(&profile(), "shop", identity);
        assert_eq!(column((70_000, 1)), Some(Classification::Plain));
        assert!(matches!(column((70_001, 1)), Some(Classification::Masked(_))));
        assert_eq!(column((70_000, 2)), None);
        assert_eq!(column((70_002, 1)), None);
        let named = |one: &Source| own.source(&profile(), one);
        assert_eq!(named(&source("pg_temp", "totals", "sum")), Some(Classification::Plain));
        assert_eq!(named(&source("pg_temp", "totals", "*")), None);
        assert_eq!(named(&source("pg_temp", "totals", "other")), None);
        assert_eq!(named(&source("public", "totals", "sum")), None);
        assert!(matches!(
            named(&source("pg_temp", "users", "email")),
            Some(Classification::Masked(_))
        ));
    }

    #[test]
    fn without_names_only_the_server_s_numbers_count() {
        let mut own = OwnTables::default();
        own.add(70_000, 1, "totals", "sum");
        own.forget_names();
        assert_eq!(own.source(&profile(), &source("pg_temp", "totals", "sum")), None);
        assert_eq!(own.column(&profile(), "shop", (70_000, 1)), Some(Classification::Plain));
    }
}
