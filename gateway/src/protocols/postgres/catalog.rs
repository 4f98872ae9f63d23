//! What a database holds, asked of the server itself.
//!
//! Owns the queries and the reading of their answers into a [`Catalog`]. Must not know when one is
//! due, nor what is decided by it. Every name in the queries is qualified or resolved under a
//! search path of our own, so that nothing in the database can put itself in their place.
//!
//! The answers come as text rows of one simple query, statement by statement, in the order of
//! [`Section`].

use std::sync::Arc;

use model::Action;
use rustc_hash::FxHashMap;
use wire::postgres::backend::DataRow;

use crate::session::sql::catalog::{Function, RelationKind};
use crate::session::sql::postgres::analyse;
use crate::session::sql::{AnalysisLimits, Outputs, Scope, Source};
use crate::session::{Catalog, CatalogBuilder};

/// The oldest server whose catalogue has all that is asked for.
const OLDEST_SERVER: &str = "12";

/// What each statement of [`QUERY`] asks for. Those without rows of interest are `Other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Other,
    Schemas,
    Relations,
    Columns,
    Generated,
    Inheritance,
    ViewDependencies,
    ViewTexts,
    Functions,
    Operators,
}

/// The statements and what they answer. `search_path` is set for the transaction alone; with
/// `pg_temp` named last, temporary objects hide nothing.
const STATEMENTS: &[(Section, &str)] = &[
    (Section::Other, "BEGIN READ ONLY"),
    (Section::Other, "SET LOCAL search_path = pg_catalog, pg_temp"),
    (Section::Schemas, "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp)'"),
    (
        Section::Relations,
        "SELECT c.oid, n.nspname, c.relname, c.relkind FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname !~ '^pg_(toast|temp)' AND c.relkind IN ('r','p','v','m','f','S','c','i','I')",
    ),
    (
        Section::Columns,
        "SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.attgenerated <> '' \
         FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
         JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE a.attnum > 0 AND NOT a.attisdropped AND n.nspname !~ '^pg_(toast|temp)' \
         AND c.relkind IN ('r','p','v','m','f','c')",
    ),
    (
        Section::Generated,
        "SELECT d.objid, d.objsubid, d.refobjsubid FROM pg_depend d \
         WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass \
         AND d.objid = d.refobjid AND d.objsubid > 0 AND d.refobjsubid > 0 \
         UNION SELECT f.adrelid, f.adnum, d.refobjsubid FROM pg_attrdef f \
         JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid \
         WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = f.adrelid \
         AND d.refobjsubid > 0 AND d.refobjsubid <> f.adnum",
    ),
    (Section::Inheritance, "SELECT inhrelid, inhparent FROM pg_inherits"),
    (
        Section::ViewDependencies,
        "SELECT DISTINCT r.ev_class, d.refobjid, d.refobjsubid FROM pg_rewrite r \
         JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid \
         WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class \
         AND r.ev_class >= 16384",
    ),
    (
        Section::ViewTexts,
        "SELECT c.oid, pg_get_viewdef(c.oid) FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('v','m') AND c.oid >= 16384 AND n.nspname !~ '^pg_(toast|temp)'",
    ),
    (
        // Of a procedure, whether it may define something: no text of PL/pgSQL without one of these
        // words does. What functions do that it calls is not known, as of any statement.
        Section::Functions,
        "SELECT p.oid, n.nspname, p.proname, p.prokind = 'p', p.prosecdef, p.proretset, \
         p.provolatile, l.lanname, p.prokind = 'p' AND (l.lanname <> 'plpgsql' OR p.prosrc ~* \
         '[[:<:]](alter|call|create|do|drop|execute|import)[[:>:]]') FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
         JOIN pg_language l ON l.oid = p.prolang",
    ),
    (
        Section::Operators,
        "SELECT n.nspname, o.oprname FROM pg_operator o \
         JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE n.nspname <> 'pg_catalog' \
         AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_operator'::regclass \
         AND d.objid = o.oid AND d.deptype = 'e')",
    ),
    (Section::Other, "COMMIT"),
];

/// The text of the query.
pub(super) fn query() -> String {
    let texts: Vec<&str> = STATEMENTS.iter().map(|(_, text)| *text).collect();
    texts.join(";")
}

/// Why the answers are of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CatalogError {
    /// The server refused a statement.
    #[error(
        "the upstream does not show its catalogue (SQLSTATE {sqlstate}); PostgreSQL {OLDEST_SERVER} or newer is needed"
    )]
    Refused {
        /// Its code.
        sqlstate: String,
    },
    /// A row is not what was asked for.
    #[error("the upstream's catalogue has a row that cannot be read")]
    Row,
}

/// Reads the answers.
#[derive(Debug)]
pub(super) struct Collector {
    builder: CatalogBuilder,
    at: usize,
    /// Column names by relation, for inheritance and views.
    columns: FxHashMap<u32, Vec<(i16, Arc<str>)>>,
    inheritance: Vec<(u32, u32)>,
    /// Per view: the columns it depends on somewhere; 0 for a whole relation.
    dependencies: FxHashMap<u32, Vec<(u32, i16)>>,
    views: Vec<(u32, String)>,
    failed: Option<CatalogError>,
}

impl Collector {
    /// For a snapshot of that version.
    pub(super) fn new(version: u64) -> Self {
        Self {
            builder: CatalogBuilder::new(version),
            at: 0,
            columns: FxHashMap::default(),
            inheritance: Vec::new(),
            dependencies: FxHashMap::default(),
            views: Vec::new(),
            failed: None,
        }
    }

    /// Takes the body of a `DataRow`.
    pub(super) fn row(&mut self, body: &[u8]) {
        if self.failed.is_none() && self.take(body).is_none() {
            self.failed = Some(CatalogError::Row);
        }
    }

    /// A statement has ended.
    pub(super) const fn statement_ended(&mut self) {
        self.at += 1;
    }

    /// The server refused a statement.
    pub(super) fn refused(&mut self, sqlstate: Option<&str>) {
        let sqlstate = sqlstate.unwrap_or("XX000").to_owned();
        self.failed.get_or_insert(CatalogError::Refused { sqlstate });
    }

    fn take(&mut self, body: &[u8]) -> Option<()> {
        let section = STATEMENTS.get(self.at).map(|(section, _)| *section)?;
        let mut row = Row::read(body)?;
        match section {
            Section::Other => return None,
            Section::Schemas => {
                self.builder.schema(row.text()?);
            }
            Section::Relations => {
                let (oid, schema, name) = (row.number()?, row.text()?, row.text()?);
                self.builder.relation(oid, schema, name, relation_kind(row.text()?));
            }
            Section::Columns => {
                let (relation, attribute, name) = (row.number()?, row.number()?, row.text()?);
                let (type_oid, generated) = (row.number()?, row.truth()?);
                self.builder.column(relation, attribute, name, type_oid, generated);
                self.columns.entry(relation).or_default().push((attribute, name.into()));
            }
            Section::Generated => {
                let (relation, from) = (row.number::<u32>()?, row.number()?);
                self.builder.derives((relation, from), (relation, row.number()?));
            }
            Section::Inheritance => self.inheritance.push((row.number()?, row.number()?)),
            Section::ViewDependencies => {
                let (view, base) = (row.number()?, (row.number()?, row.number()?));
                self.dependencies.entry(view).or_default().push(base);
            }
            Section::ViewTexts => self.views.push((row.number()?, row.text()?.to_owned())),
            Section::Functions => {
                self.builder.function(Function {
                    oid: row.number()?,
                    schema: row.text()?.into(),
                    name: row.text()?.into(),
                    is_procedure: row.truth()?,
                    security_definer: row.truth()?,
                    returns_set: row.truth()?,
                    volatility: row.text()?.chars().next()?,
                    language: row.text()?.into(),
                    defines: row.truth()?,
                });
            }
            Section::Operators => {
                let schema = row.text()?;
                self.builder.operator(schema, row.text()?);
            }
        }
        Some(())
    }

    /// The snapshot, once all has come.
    ///
    /// # Errors
    /// Where something was refused, unreadable or missing.
    pub(super) fn finish(mut self, database: &str) -> Result<Catalog, CatalogError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.at != STATEMENTS.len() {
            return Err(CatalogError::Row);
        }
        self.follow_inheritance();
        if !self.views.is_empty() {
            // Views are read against what is known without them; a view over a view is followed
            // by the closure, column by column.
            let known = self.builder.clone().build();
            let mut builder = std::mem::take(&mut self.builder);
            self.follow_views(&known, &mut builder, database);
            self.builder = builder;
        }
        Ok(self.builder.build())
    }

    /// A parent shows its children's rows, and what is said of the parent holds for the child:
    /// both directions, column by column of the same name.
    fn follow_inheritance(&mut self) {
        for (child, parent) in &self.inheritance {
            let (Some(below), Some(above)) = (self.columns.get(child), self.columns.get(parent))
            else {
                continue;
            };
            for (attribute, name) in below {
                let Some((same, _)) = above.iter().find(|(_, candidate)| candidate == name) else {
                    continue;
                };
                self.builder.derives((*parent, *same), (*child, *attribute));
                self.builder.derives((*child, *attribute), (*parent, *same));
            }
        }
    }

    /// Which columns lie beneath each column of a view. Where its text does not tell, any of its
    /// columns may show any column it depends on.
    fn follow_views(&self, catalog: &Catalog, builder: &mut CatalogBuilder, database: &str) {
        let path: [Arc<str>; 1] = ["pg_catalog".into()];
        let scope = Scope::new(database, &path, catalog, "");
        for (view, text) in &self.views {
            if self.follow_view(*view, text, &scope, builder).is_none() {
                self.follow_view_coarsely(*view, builder);
                for (attribute, _) in self.columns.get(view).into_iter().flatten() {
                    builder.unclear((*view, *attribute));
                }
            }
        }
    }

    /// Follows a view by its text; nothing where that cannot be read.
    fn follow_view(
        &self,
        view: u32,
        text: &str,
        scope: &Scope<'_>,
        builder: &mut CatalogBuilder,
    ) -> Option<()> {
        let analysis = analyse(text, scope, &AnalysisLimits::default()).ok()?;
        let [statement] = analysis.statements.as_slice() else { return None };
        let Outputs::Columns(outputs) = &statement.outputs else { return None };
        let columns = self.columns.get(&view).filter(|columns| columns.len() == outputs.len())?;
        let mut sorted: Vec<i16> = columns.iter().map(|(attribute, _)| *attribute).collect();
        sorted.sort_unstable();
        // What a function gives that is not known to be harmless, nobody can tell from the text.
        let calls = statement
            .accesses
            .iter()
            .any(|one| matches!(one.action, Action::Execute | Action::Unknown));
        let mut coarse = false;
        for (attribute, output) in sorted.into_iter().zip(outputs) {
            let mut certain = !output.opaque;
            for source in &output.sources {
                match source {
                    Source::Column { relation, attribute: base } => {
                        builder.derives((view, attribute), (*relation, *base));
                    }
                    Source::Unlisted { .. } => certain = false,
                }
            }
            coarse |= !certain;
            if output.opaque && calls {
                builder.unclear((view, attribute));
            }
        }
        if coarse {
            self.follow_view_coarsely(view, builder);
        }
        Some(())
    }

    fn follow_view_coarsely(&self, view: u32, builder: &mut CatalogBuilder) {
        for (relation, attribute) in self.dependencies.get(&view).into_iter().flatten() {
            if *attribute != 0 {
                builder.derives_somewhere(view, (*relation, *attribute));
                continue;
            }
            for (each, _) in self.columns.get(relation).into_iter().flatten() {
                builder.derives_somewhere(view, (*relation, *each));
            }
        }
    }
}

fn relation_kind(code: &str) -> RelationKind {
    match code {
        "r" | "p" => RelationKind::Table,
        "v" => RelationKind::View,
        "m" => RelationKind::MaterializedView,
        "f" => RelationKind::ForeignTable,
        "S" => RelationKind::Sequence,
        "i" | "I" => RelationKind::Index,
        "c" => RelationKind::CompositeType,
        _ => RelationKind::Other,
    }
}

/// The values of a row, taken one after the other.
struct Row<'a>(std::vec::IntoIter<&'a str>);

impl<'a> Row<'a> {
    fn read(body: &'a [u8]) -> Option<Self> {
        let mut values = Vec::with_capacity(8);
        for value in DataRow::read(body).ok()?.values() {
            values.push(str::from_utf8(value.ok()??).ok()?);
        }
        Some(Self(values.into_iter()))
    }

    fn text(&mut self) -> Option<&'a str> {
        self.0.next()
    }

    fn number<T: std::str::FromStr>(&mut self) -> Option<T> {
        self.0.next()?.parse().ok()
    }

    fn truth(&mut self) -> Option<bool> {
        Some(self.0.next()? == "t")
    }
}
