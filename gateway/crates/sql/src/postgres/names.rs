//! Relations by name, and what is done to each.
//!
//! Owns the list of touched relations with their actions and columns. Must not know expressions.
//! A name that the catalogue does not know stands for every relation that the search path allows
//! it to be: all of them must then be granted.

use std::sync::Arc;

use model::{Action, ObjectPath};
use pg_raw_parse::nodes;

use super::analyser::Analyser;
use super::rows::{ColumnKey, Origin};
use crate::catalog::Relation;
use crate::lineage::Source;
use crate::statement::TouchedRelation;

/// A relation that the statement touches.
pub(super) struct Touched<'a> {
    pub(super) schema: &'a str,
    pub(super) name: &'a str,
    /// What the catalogue says of it.
    pub(super) relation: Option<&'a Relation>,
    pub(super) uses: Vec<Use>,
}

/// One action on a touched relation.
pub(super) struct Use {
    pub(super) action: Action,
    pub(super) all: bool,
    /// With repetitions.
    pub(super) columns: Vec<ColumnKey>,
}

impl<'a> Analyser<'a> {
    /// The relations a name may mean; one, unless the catalogue does not know it.
    pub(super) fn resolve(&mut self, named: &'a nodes::RangeVar) -> Vec<u32> {
        if named.catalogname().is_some_and(|database| database != self.scope().database) {
            self.unknown = true;
        }
        self.resolve_name(named.schemaname(), named.relname().unwrap_or_default())
    }

    /// The same for a name in parts.
    pub(super) fn resolve_name(&mut self, schema: Option<&'a str>, name: &'a str) -> Vec<u32> {
        let scope = self.scope();
        if let Some(schema) = schema {
            let relation = scope.catalog.relation(schema, name);
            return vec![self.touch(schema, name, relation)];
        }
        self.unknown |= !self.reading.names_certain;
        let mut found = Vec::with_capacity(1);
        if scope.temporary.iter().any(|temporary| **temporary == *name) {
            found.push(self.touch("pg_temp", name, None));
        }
        match scope.catalog.resolve(None, name, scope.search_path, scope.user) {
            Some(relation) => {
                found.push(self.touch(&relation.schema, &relation.name, Some(relation)));
            }
            None if found.is_empty() => {
                for schema in self.possible_schemas() {
                    found.push(self.touch(schema, name, None));
                }
            }
            None => {}
        }
        found
    }

    /// The schemas an unqualified name may be in when the catalogue does not know it.
    pub(super) fn possible_schemas(&self) -> Vec<&'a str> {
        let scope = self.scope();
        let listed = !scope.catalog.schemas.is_empty();
        let mut schemas: Vec<&'a str> = scope
            .search_path
            .iter()
            .map(|entry| if **entry == *"$user" { scope.user } else { entry })
            .filter(|schema| !listed || scope.catalog.has_schema(schema))
            .collect();
        if !scope.catalog.has_schema("pg_catalog") && !schemas.contains(&"pg_catalog") {
            schemas.push("pg_catalog");
        }
        if schemas.is_empty() {
            schemas.push("*");
        }
        schemas
    }

    /// The schema in which an unqualified name is created.
    pub(super) fn creation_schema(&self) -> &'a str {
        let scope = self.scope();
        let listed = !scope.catalog.schemas.is_empty();
        scope
            .search_path
            .iter()
            .map(|entry| if **entry == *"$user" { scope.user } else { entry })
            .find(|schema| !listed || *schema == "pg_temp" || scope.catalog.has_schema(schema))
            .unwrap_or("*")
    }

    pub(super) fn touch(
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
    pub(super) fn use_relation(&mut self, touched: u32, action: Action) -> Option<&mut Use> {
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

    pub(super) fn use_column(&mut self, touched: u32, action: Action, column: ColumnKey) {
        if let Some(used) = self.use_relation(touched, action) {
            if column == ColumnKey::Any {
                used.all = true;
            } else if used.columns.last() != Some(&column) {
                used.columns.push(column);
            }
        }
    }

    pub(super) fn use_all(&mut self, touched: u32, action: Action) {
        self.use_column(touched, action, ColumnKey::Any);
    }

    /// A column of a touched relation by its name.
    pub(super) fn column_key(&mut self, touched: u32, name: &'a str) -> ColumnKey {
        let relation = self.touched.get(touched as usize).and_then(|touched| touched.relation);
        match relation.and_then(|relation| relation.column(name)) {
            Some(column) => ColumnKey::Attribute(column.attribute),
            None => self.name_key(name),
        }
    }

    pub(super) fn name_key(&mut self, name: &'a str) -> ColumnKey {
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let index = *self.name_index.entry(name).or_insert(next);
        if index == next {
            self.names.push(name);
        }
        ColumnKey::Name(index)
    }

    /// `database.schema.name` of a touched relation.
    pub(super) fn path(&self, touched: &Touched<'a>) -> ObjectPath {
        let (schema, name) = match touched.relation {
            Some(relation) => (relation.schema.clone(), relation.name.clone()),
            None => (touched.schema.into(), touched.name.into()),
        };
        ObjectPath(vec![self.reading.database.clone(), schema, name])
    }

    /// The name of a column; `*` for any.
    pub(super) fn column_name(&self, touched: &Touched<'a>, column: ColumnKey) -> Arc<str> {
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
    pub(super) fn source(&self, origin: Origin) -> Source {
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

    pub(super) fn touched_relations(&self) -> Vec<TouchedRelation> {
        self.touched
            .iter()
            .filter(|touched| !touched.uses.is_empty())
            .map(|touched| TouchedRelation {
                path: self.path(touched),
                oid: touched.relation.map(|relation| relation.oid),
                read: touched.uses.iter().any(|one| one.action == Action::Select),
                written: touched.uses.iter().any(|one| one.action != Action::Select),
                holds_others: touched.schema == "pg_catalog"
                    && super::functions::holds_others(touched.name),
            })
            .collect()
    }
}
