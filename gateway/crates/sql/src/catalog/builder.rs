//! Builds a snapshot from plain rows, in any order.
//!
//! Owns the rows until `build`. Rows that refer to what is not there are dropped: a dependency on
//! a relation that is missing is kept as it is, so that it stays a base column.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::closure;
use super::{BaseColumn, Catalog, Column, Function, Relation, RelationKind};
use crate::server::Server;

/// Collects rows and builds a [`Catalog`].
#[derive(Clone, Debug, Default)]
pub struct CatalogBuilder {
    version: u64,
    server: Server,
    hidden: FxHashSet<BaseColumn>,
    names: FxHashSet<Arc<str>>,
    schemas: FxHashSet<Arc<str>>,
    relations: FxHashMap<u32, Relation>,
    columns: FxHashMap<u32, Vec<Column>>,
    functions: FxHashMap<Arc<str>, Vec<Function>>,
    operators: FxHashMap<Arc<str>, Vec<Arc<str>>>,
    edges: Vec<(BaseColumn, BaseColumn)>,
    whole: Vec<(u32, BaseColumn)>,
    unclear: FxHashSet<BaseColumn>,
}

impl CatalogBuilder {
    /// An empty one.
    #[must_use]
    pub fn new(version: u64) -> Self {
        Self { version, ..Self::default() }
    }

    /// A schema, of `pg_namespace`. Schemas of relations and functions need not be named.
    pub fn schema(&mut self, name: &str) -> &mut Self {
        let name = self.intern(name);
        self.schemas.insert(name);
        self
    }

    /// A relation, of `pg_class`: all schemas, `pg_catalog` and `information_schema` with them,
    /// other sessions' `pg_temp_*` and `pg_toast*` without.
    pub fn relation(
        &mut self,
        oid: u32,
        schema: &str,
        name: &str,
        kind: RelationKind,
    ) -> &mut Self {
        let (schema, name) = (self.intern(schema), self.intern(name));
        self.schemas.insert(schema.clone());
        let relation = Relation { oid, schema, name, kind, columns: Vec::new() };
        self.relations.insert(oid, relation);
        self
    }

    /// A column, of `pg_attribute`: `attnum > 0 and not attisdropped`. `generated` is
    /// `attgenerated <> ''`.
    pub fn column(
        &mut self,
        relation: u32,
        attribute: i16,
        name: &str,
        type_oid: u32,
        generated: bool,
    ) -> &mut Self {
        let name = self.intern(name);
        let column = Column { attribute, name, type_oid, generated, hidden: false };
        self.columns.entry(relation).or_default().push(column);
        self
    }

    /// Which server it is of. MySQL's texts mean different things to different servers.
    pub fn server(&mut self, server: Server) -> &mut Self {
        self.server = server;
        self
    }

    /// `*` leaves the column out (`INVISIBLE` in MySQL and MariaDB).
    pub fn hidden(&mut self, column: BaseColumn) -> &mut Self {
        self.hidden.insert(column);
        self
    }

    /// The column `from` shows values of the column `base`: a view's column of its table's, a
    /// generated column of those it is made from. For partitions and inheritance, name both
    /// directions: the parent shows the child's rows, and what is said of the parent holds for
    /// the child.
    pub fn derives(&mut self, from: BaseColumn, base: BaseColumn) -> &mut Self {
        self.edges.push((from, base));
        self
    }

    /// Any column of the relation `from` may show values of the column `base`: for views whose
    /// columns could not be told apart (`pg_depend` of a view's rule gives no more than this).
    pub fn derives_somewhere(&mut self, from: u32, base: BaseColumn) -> &mut Self {
        self.whole.push((from, base));
        self
    }

    /// There may be more to the column than is said of it: a view's column that a function
    /// computes.
    pub fn unclear(&mut self, column: BaseColumn) -> &mut Self {
        self.unclear.insert(column);
        self
    }

    /// A function, of `pg_proc`, in any schema, `pg_catalog` with it. The name of a function that
    /// is not listed counts as a field where the grammar leaves it open, so list them all.
    pub fn function(&mut self, mut function: Function) -> &mut Self {
        function.name = self.intern(&function.name);
        function.schema = self.intern(&function.schema);
        function.language = self.intern(&function.language);
        self.schemas.insert(function.schema.clone());
        self.functions.entry(function.name.clone()).or_default().push(function);
        self
    }

    /// An operator that a user defined (`pg_operator` outside `pg_catalog`, without those that
    /// belong to an extension). Where any is listed, statements that use its name need it.
    pub fn operator(&mut self, schema: &str, name: &str) -> &mut Self {
        let (schema, name) = (self.intern(schema), self.intern(name));
        let schemas = self.operators.entry(name).or_default();
        if !schemas.contains(&schema) {
            schemas.push(schema);
        }
        self
    }

    /// The snapshot.
    #[must_use]
    pub fn build(mut self) -> Catalog {
        let mut catalog = Catalog {
            version: self.version,
            server: self.server,
            schemas: self.schemas,
            functions: self.functions,
            operators: self.operators,
            ..Catalog::default()
        };
        let mut relations: Vec<Relation> = self.relations.into_values().collect();
        relations.sort_by_key(|relation| relation.oid);
        for relation in &mut relations {
            relation.columns = self.columns.remove(&relation.oid).unwrap_or_default();
            relation.columns.sort_by_key(|column| column.attribute);
            relation.columns.dedup_by_key(|column| column.attribute);
            for column in &mut relation.columns {
                column.hidden = self.hidden.contains(&(relation.oid, column.attribute));
            }
        }
        for (index, relation) in relations.iter().enumerate() {
            catalog.by_oid.insert(relation.oid, index);
            catalog.by_name.entry(relation.name.clone()).or_default().push(index);
        }
        catalog.relations = relations;
        for (from, base) in self.whole {
            let Some(relation) = catalog.relation_by_oid(from) else { continue };
            self.edges
                .extend(relation.columns.iter().map(|column| ((from, column.attribute), base)));
        }
        catalog.edges = self.edges;
        catalog.unclear = self.unclear;
        catalog.bases = closure::close(&catalog.edges);
        catalog
    }

    fn intern(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let name: Arc<str> = name.into();
        self.names.insert(name.clone());
        name
    }
}
