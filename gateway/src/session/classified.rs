//! Which columns of a database are classified, views and inheritance followed.
//!
//! Owns the join of a mask profile with a catalogue snapshot. Must not know a statement. Made once
//! per pair and shared by its sessions; a new snapshot or policy makes a new one.

use std::sync::Arc;

use model::{ColumnMask, MaskProfile, ObjectPath, PathPattern, Tag, Transform};
use rustc_hash::{FxHashMap, FxHashSet};
use sql::catalog::BaseColumns;
use sql::{Catalog, Source};

/// System relations that keep values or statements of other relations. Where anything is
/// classified, these columns are masked whole.
const SYSTEM_COPIES: &[&str] = &[
    "*.pg_catalog.pg_stats.most_common_vals",
    "*.pg_catalog.pg_stats.histogram_bounds",
    "*.pg_catalog.pg_stats.most_common_elems",
    "*.pg_catalog.pg_stats.range_*",
    "*.pg_catalog.pg_stats_ext.most_common_*",
    "*.pg_catalog.pg_stats_ext_exprs.*",
    "*.pg_catalog.pg_statistic.stavalues*",
    "*.pg_catalog.pg_statistic_ext_data.stx*",
    "*.pg_catalog.pg_stat_activity.query",
    "*.pg_catalog.pg_prepared_statements.statement",
    "*.pg_catalog.pg_cursors.statement",
    "*.pg_catalog.pg_largeobject.data",
    "*.pg_stat_statements.query",
    "*.information_schema.PROCESSLIST.INFO*",
    "*.information_schema.COLUMN_STATISTICS.HISTOGRAM",
    "*.performance_schema.*.SQL_TEXT",
    "*.performance_schema.*.PROCESSLIST_INFO",
    "*.performance_schema.processlist.INFO",
    "*.performance_schema.user_variables_by_thread.VARIABLE_VALUE",
    "*.mysql.general_log.argument",
    "*.mysql.slow_log.sql_text",
    "*.mysql.column_stats.*",
];

/// The classified columns of one database under one mask profile.
#[derive(Debug, Default)]
pub struct Classified {
    columns: FxHashMap<(u32, i16), Arc<ColumnMask>>,
    /// Columns of which it cannot be told, because a function computes them.
    unclear: FxHashSet<(u32, i16)>,
    /// Relations with at least one classified or unclear column.
    relations: FxHashSet<u32>,
}

/// What is known about a column's classification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Classification {
    /// It is not classified.
    Plain,
    /// It is, or it derives from one that is.
    Masked(Arc<ColumnMask>),
    /// The snapshot does not know it.
    Unknown,
}

impl Classified {
    /// Joins a profile with a snapshot.
    #[must_use]
    pub fn new(database: &str, catalog: &Catalog, profile: &MaskProfile) -> Self {
        if profile.columns.is_empty() {
            return Self::default();
        }
        let mut direct = FxHashMap::default();
        let masks: Vec<Arc<ColumnMask>> =
            profile.columns.iter().cloned().map(Arc::new).chain(system_copies()).collect();
        for relation in catalog.relations() {
            let whole = [database, &*relation.schema, &*relation.name];
            let near: Vec<_> =
                masks.iter().filter(|mask| mask.pattern.matches_prefix(&whole)).collect();
            for column in relation.columns.iter().filter(|_| !near.is_empty()) {
                let name = [database, &*relation.schema, &*relation.name, &*column.name];
                if let Some(mask) = near.iter().find(|mask| mask.pattern.matches(&name)) {
                    direct.insert((relation.oid, column.attribute), Arc::clone(mask));
                }
            }
        }
        Self::closed(catalog, &direct)
    }

    /// Follows views, inheritance and generated columns.
    fn closed(catalog: &Catalog, direct: &FxHashMap<(u32, i16), Arc<ColumnMask>>) -> Self {
        let mut classified = Self::default();
        for relation in catalog.relations() {
            for column in &relation.columns {
                let key = (relation.oid, column.attribute);
                let bases = catalog.base_columns(key.0, key.1);
                let (beneath, unclear): (&[_], bool) = match &bases {
                    BaseColumns::Known(beneath) => (beneath, false),
                    BaseColumns::Unclear(beneath) => (beneath, !direct.is_empty()),
                    BaseColumns::Unknown => (&[], false),
                };
                let found =
                    direct.get(&key).or_else(|| beneath.iter().find_map(|base| direct.get(base)));
                if let Some(mask) = found {
                    classified.columns.insert(key, Arc::clone(mask));
                } else if unclear {
                    classified.unclear.insert(key);
                }
                if found.is_some() || unclear {
                    classified.relations.insert(relation.oid);
                }
            }
        }
        classified
    }

    /// Whether nothing is classified.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Whether any column of the relation is classified.
    #[must_use]
    pub fn touches(&self, relation: u32) -> bool {
        self.relations.contains(&relation)
    }

    /// The classification of a column by the server's own identity of it.
    #[must_use]
    pub fn column(&self, catalog: &Catalog, relation: u32, attribute: i16) -> Classification {
        if let Some(mask) = self.columns.get(&(relation, attribute)) {
            return Classification::Masked(Arc::clone(mask));
        }
        if self.unclear.contains(&(relation, attribute)) {
            return Classification::Unknown;
        }
        match catalog.relation_by_oid(relation) {
            // System columns (negative numbers) hold no values of the workload's.
            Some(found) if attribute < 0 || found.column_by_attribute(attribute).is_some() => {
                Classification::Plain
            }
            _ => Classification::Unknown,
        }
    }

    /// The classification of a source of a statement's lineage. What the snapshot does not list is
    /// matched by its name, and unknown where its column is.
    #[must_use]
    pub fn source(
        &self,
        catalog: &Catalog,
        profile: &MaskProfile,
        source: &Source,
    ) -> Classification {
        match source {
            Source::Column { relation, attribute } => self.column(catalog, *relation, *attribute),
            Source::Unlisted { path, column } => unlisted(profile, path, column),
        }
    }
}

/// A relation that the snapshot does not know may be a copy of anything. Of one that another session
/// has just made, all columns together (`*`) are masked where one of them could be.
pub(super) fn unlisted(profile: &MaskProfile, path: &ObjectPath, column: &str) -> Classification {
    if profile.columns.is_empty() {
        return Classification::Plain;
    }
    let mut name: Vec<&str> = path.0.iter().map(AsRef::as_ref).collect();
    name.push(column);
    let found = profile.columns.iter().find(|mask| mask.pattern.may_match(&name));
    found.map_or(Classification::Unknown, |mask| Classification::Masked(Arc::new(mask.clone())))
}

fn system_copies() -> impl Iterator<Item = Arc<ColumnMask>> {
    SYSTEM_COPIES.iter().filter_map(|pattern| {
        let pattern = PathPattern::parse(pattern).ok()?;
        let (tag, transform) = (Tag::from("system.copy"), Transform::Redact);
        Some(Arc::new(ColumnMask { pattern, tag, transform }))
    })
}

#[cfg(test)]
mod tests {
    use sql::CatalogBuilder;
    use sql::catalog::RelationKind;

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

    fn shop() -> Catalog {
        let mut builder = CatalogBuilder::new(1);
        builder
            .relation(10, "public", "users", RelationKind::Table)
            .column(10, 1, "id", 23, false)
            .column(10, 2, "email", 25, false)
            .relation(11, "public", "contacts", RelationKind::View)
            .column(11, 1, "mail", 25, false)
            .derives((11, 1), (10, 2))
            .relation(12, "pg_catalog", "pg_stats", RelationKind::View)
            .column(12, 1, "most_common_vals", 2277, false)
            .column(12, 2, "attname", 19, false);
        builder.build()
    }

    #[test]
    fn a_view_of_a_classified_column_is_classified() {
        let catalog = shop();
        let classified = Classified::new("shop", &catalog, &profile());
        assert!(matches!(classified.column(&catalog, 10, 2), Classification::Masked(_)));
        assert!(matches!(classified.column(&catalog, 11, 1), Classification::Masked(_)));
        assert_eq!(classified.column(&catalog, 10, 1), Classification::Plain);
        assert_eq!(classified.column(&catalog, 99, 1), Classification::Unknown);
        assert_eq!(classified.column(&catalog, 10, 9), Classification::Unknown);
        assert!(classified.touches(11));
    }

    #[test]
    fn what_the_snapshot_does_not_list_is_masked_where_its_name_says_so() {
        let (catalog, profile) = (shop(), profile());
        let classified = Classified::new("shop", &catalog, &profile);
        let of = |table: &str, column: &str| {
            let path = ObjectPath::new(["shop", "fresh", table]);
            let source = Source::Unlisted { path, column: column.into() };
            classified.source(&catalog, &profile, &source)
        };
        assert!(matches!(of("users", "email"), Classification::Masked(_)));
        // Under another name its address would not be known again.
        assert!(matches!(of("users", "*"), Classification::Masked(_)));
        assert_eq!(of("users", "id"), Classification::Unknown);
        assert_eq!(of("orders", "*"), Classification::Unknown);
    }

    #[test]
    fn statistics_about_classified_columns_are_classified_too() {
        let catalog = shop();
        let classified = Classified::new("shop", &catalog, &profile());
        assert!(matches!(classified.column(&catalog, 12, 1), Classification::Masked(_)));
        assert_eq!(classified.column(&catalog, 12, 2), Classification::Plain);
        assert!(Classified::new("shop", &catalog, &MaskProfile::default()).is_empty());
    }

    #[test]
    fn every_system_pattern_can_be_read() {
        assert_eq!(system_copies().count(), SYSTEM_COPIES.len());
    }
}
