//! Relations and what is done to each.
//!
//! Owns the list of touched relations with their actions and columns. Must not know expressions,
//! nor which relation a name means: that is the dialect's.

use std::sync::Arc;

use model::{Action, ObjectPath};

use super::Walk;
use super::rows::{ColumnKey, Origin};
use crate::catalog::Relation;
use crate::lineage::Source;
use crate::statement::TouchedRelation;

/// A relation that the statement touches.
pub(crate) struct Touched<'a> {
    pub(crate) schema: &'a str,
    pub(crate) name: &'a str,
    /// What the catalogue says of it.
    pub(crate) relation: Option<&'a Relation>,
    pub(crate) uses: Vec<Use>,
}

/// One action on a touched relation.
pub(crate) struct Use {
    pub(crate) action: Action,
    pub(crate) all: bool,
    /// With repetitions.
    pub(crate) columns: Vec<ColumnKey>,
}

impl<'a> Walk<'a> {
    pub(crate) fn touch(
        &mut self,
        schema: &'a str,
        name: &'a str,
        relation: Option<&'a Relation>,
    ) -> u32 {
        let next = u32::try_from(self.touched.len()).unwrap_or(u32::MAX);
        let index = *self.touched_index.entry((schema, name)).or_insert(next);
        if index == next {
            self.touched.push(Touched { schema, name, relation, uses: Vec::with_capacity(1) });
        }
        index
    }

    /// The relation is needed for this action, without a column yet.
    pub(crate) fn use_relation(&mut self, touched: u32, action: Action) -> Option<&mut Use> {
        let uses = &mut self.touched.get_mut(touched as usize)?.uses;
        let index = match uses.iter().position(|one| one.action == action) {
            Some(index) => index,
            None => {
                uses.push(Use { action, all: false, columns: Vec::new() });
                uses.len() - 1
            }
        };
        uses.get_mut(index)
    }

    pub(crate) fn use_column(&mut self, touched: u32, action: Action, column: ColumnKey) {
        if let Some(used) = self.use_relation(touched, action) {
            if column == ColumnKey::Any {
                used.all = true;
            } else if used.columns.last() != Some(&column) {
                used.columns.push(column);
            }
        }
    }

    pub(crate) fn use_all(&mut self, touched: u32, action: Action) {
        self.use_column(touched, action, ColumnKey::Any);
    }

    /// A column of a touched relation by its name.
    pub(crate) fn column_key(&mut self, touched: u32, name: &'a str) -> ColumnKey {
        let relation = self.touched.get(touched as usize).and_then(|touched| touched.relation);
        match relation.and_then(|relation| relation.column(name)) {
            Some(column) => ColumnKey::Attribute(column.attribute),
            None => self.name_key(name),
        }
    }

    pub(crate) fn name_key(&mut self, name: &'a str) -> ColumnKey {
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let index = *self.name_index.entry(name).or_insert(next);
        if index == next {
            self.names.push(name);
        }
        ColumnKey::Name(index)
    }

    /// `database.schema.name` of a touched relation.
    pub(crate) fn path(&self, touched: &Touched<'a>) -> ObjectPath {
        let (schema, name) = match touched.relation {
            Some(relation) => (relation.schema.clone(), relation.name.clone()),
            None => (touched.schema.into(), touched.name.into()),
        };
        ObjectPath(vec![self.reading.database.clone(), schema, name])
    }

    /// The name of a column; `*` for any.
    pub(crate) fn column_name(&self, touched: &Touched<'a>, column: ColumnKey) -> Arc<str> {
        let known = match column {
            ColumnKey::Attribute(attribute) => touched
                .relation
                .and_then(|relation| relation.column_by_attribute(attribute))
                .map(|column| column.name.clone()),
            ColumnKey::Name(index) => self.names.get(index as usize).map(|name| (*name).into()),
            ColumnKey::Any => None,
        };
        known.unwrap_or_else(|| "*".into())
    }

    /// An origin as people outside this walk know it.
    pub(crate) fn source(&self, origin: Origin) -> Source {
        let Some(touched) = self.touched.get(origin.touched as usize) else {
            return Source::Unlisted { path: ObjectPath::new(["*"]), column: "*".into() };
        };
        match (origin.column, touched.relation) {
            (ColumnKey::Attribute(attribute), Some(relation)) => {
                Source::Column { relation: relation.oid, attribute }
            }
            _ => Source::Unlisted {
                path: self.path(touched),
                column: self.column_name(touched, origin.column),
            },
        }
    }

    pub(crate) fn touched_relations(&self) -> Vec<TouchedRelation> {
        self.touched
            .iter()
            .filter(|touched| !touched.uses.is_empty())
            .map(|touched| TouchedRelation {
                path: self.path(touched),
                oid: touched.relation.map(|relation| relation.oid),
                read: touched.uses.iter().any(|one| one.action == Action::Select),
                written: touched.uses.iter().any(|one| one.action != Action::Select),
                holds_others: (self.manner.holds_others)(touched.schema, touched.name),
            })
            .collect()
    }
}
