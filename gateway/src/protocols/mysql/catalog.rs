//! What a server holds, asked of the server itself.
//!
//! Owns the questions and the reading of their answers into a [`Catalog`]. Must not know when one
//! is due, nor what is decided by it. Every name in the questions is qualified, so that nothing in
//! a database can put itself in their place.
//!
//! One catalogue is of all databases of the server, for a statement may name any. The server has no
//! numbers for relations; those here are made up, and mean something within one snapshot.

use std::sync::Arc;

use model::Action;
use rustc_hash::FxHashMap;

use super::DIALECT;
use super::reply::values;
use crate::session::sql::catalog::{Function, RelationKind};
use crate::session::sql::{AnalysisLimits, Family, Outputs, Scope, Server, Source, Statement};
use crate::session::{Catalog, CatalogBuilder};

pub(super) use crate::session::sql::mysql::CATALOG;

/// What each question asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Server,
    Databases,
    Relations,
    Columns,
    Views,
    Routines,
}

const QUESTIONS: &[(Section, &str)] = &[
    (Section::Server, "SELECT VERSION(), @@lower_case_table_names"),
    (Section::Databases, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA"),
    (
        Section::Relations,
        "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES",
    ),
    (
        Section::Columns,
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, GENERATION_EXPRESSION, \
         EXTRA FROM information_schema.COLUMNS",
    ),
    (
        Section::Views,
        "SELECT TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION FROM information_schema.VIEWS",
    ),
    (
        Section::Routines,
        // Whether one may define something, temporary tables aside: no text without one of these words
        // does, and one that is not shown may.
        // Not by a regular expression: MySQL 8 gives them a limit, and fails over a long text.
        "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE, SECURITY_TYPE, \
         COALESCE(ROUTINE_DEFINITION = '' OR UPPER(ROUTINE_DEFINITION) LIKE '%ALTER%' \
         OR UPPER(ROUTINE_DEFINITION) LIKE '%CALL%' \
         OR REPLACE(UPPER(ROUTINE_DEFINITION), 'CREATE TEMPORARY', '') LIKE '%CREATE%' \
         OR REPLACE(UPPER(ROUTINE_DEFINITION), 'DROP TEMPORARY', '') LIKE '%DROP%' \
         OR UPPER(ROUTINE_DEFINITION) LIKE '%EXECUTE%' \
         OR UPPER(ROUTINE_DEFINITION) LIKE '%IMPORT%' \
         OR UPPER(ROUTINE_DEFINITION) LIKE '%INSTALL%' \
         OR UPPER(ROUTINE_DEFINITION) LIKE '%PREPARE%' \
         OR UPPER(ROUTINE_DEFINITION) LIKE '%RENAME%', 1) \
         FROM information_schema.ROUTINES",
    ),
];

/// Why the answers are of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CatalogError {
    /// The server refused a question.
    #[error("the upstream does not show its catalogue (error {code})")]
    Refused {
        /// Its number.
        code: u16,
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
    numbers: FxHashMap<(String, String), u32>,
    /// Attribute and name by relation.
    columns: FxHashMap<u32, Vec<(i16, Arc<str>)>>,
    /// Columns that are computed from others of their relation, and by what.
    generated: Vec<(u32, i16, String)>,
    views: Vec<(u32, String, String)>,
    failed: Option<CatalogError>,
}

impl Collector {
    /// For a snapshot of that version.
    pub(super) fn new(version: u64) -> Self {
        Self {
            builder: CatalogBuilder::new(version),
            at: 0,
            numbers: FxHashMap::default(),
            columns: FxHashMap::default(),
            generated: Vec::new(),
            views: Vec::new(),
            failed: None,
        }
    }

    /// What is to be asked next; nothing once all has been.
    pub(super) fn question(&self) -> Option<&'static str> {
        if self.failed.is_some() {
            return None;
        }
        QUESTIONS.get(self.at).map(|(_, text)| *text)
    }

    /// Takes a row of the answer.
    pub(super) fn row(&mut self, payload: &[u8]) {
        if self.failed.is_none() && self.take(payload).is_none() {
            self.failed = Some(CatalogError::Row);
        }
    }

    /// The answer has ended.
    pub(super) const fn answered(&mut self) {
        self.at += 1;
    }

    /// The server refused the question.
    pub(super) fn refused(&mut self, code: u16) {
        self.failed.get_or_insert(CatalogError::Refused { code });
    }

    fn take(&mut self, payload: &[u8]) -> Option<()> {
        let section = QUESTIONS.get(self.at).map(|(section, _)| *section)?;
        let row = values(payload)?;
        match (section, row.as_slice()) {
            (Section::Server, [Some(version), Some(folds)]) => {
                let family = Family::from_version(version);
                self.builder.server(Server { family, folds_table_names: *folds != "0" });
            }
            (Section::Databases, [Some(name)]) => {
                self.builder.schema(name);
            }
            (Section::Relations, [Some(database), Some(name), Some(kind)]) => {
                let number = self.number(database, name)?;
                self.builder.relation(number, database, name, relation_kind(kind));
            }
            (
                Section::Columns,
                [Some(database), Some(table), Some(name), Some(position), expression, extra],
            ) => {
                let key = ((*database).to_owned(), (*table).to_owned());
                // Made since the relations were told: it is not known this time.
                let Some(number) = self.numbers.get(&key).copied() else { return Some(()) };
                let attribute: i16 = position.parse().ok()?;
                let expression = expression.filter(|text| !text.is_empty());
                self.builder.column(number, attribute, name, 0, expression.is_some());
                if extra.is_some_and(|extra| extra.contains("INVISIBLE")) {
                    self.builder.hidden((number, attribute));
                }
                self.columns.entry(number).or_default().push((attribute, (*name).into()));
                if let Some(expression) = expression {
                    self.generated.push((number, attribute, expression.to_owned()));
                }
            }
            (Section::Views, [Some(database), Some(name), definition]) => {
                let key = ((*database).to_owned(), (*name).to_owned());
                let Some(number) = self.numbers.get(&key).copied() else { return Some(()) };
                // A user who may not see it is told nothing, or an empty text.
                let text = definition.unwrap_or_default().to_owned();
                self.views.push((number, (*database).to_owned(), text));
            }
            (
                Section::Routines,
                [Some(database), Some(name), Some(kind), Some(security), Some(defines)],
            ) => {
                self.builder.function(Function {
                    oid: 0,
                    schema: (*database).into(),
                    name: (*name).into(),
                    is_procedure: *kind == "PROCEDURE",
                    security_definer: *security == "DEFINER",
                    returns_set: *kind == "PROCEDURE",
                    volatility: 'v',
                    language: "sql".into(),
                    defines: *defines != "0",
                });
            }
            _ => return None,
        }
        Some(())
    }

    fn number(&mut self, database: &str, name: &str) -> Option<u32> {
        let next = u32::try_from(self.numbers.len()).ok()?.checked_add(1)?;
        Some(*self.numbers.entry((database.to_owned(), name.to_owned())).or_insert(next))
    }

    /// The snapshot, once all has come.
    ///
    /// # Errors
    /// Where something was refused, unreadable or missing.
    pub(super) fn finish(mut self) -> Result<Catalog, CatalogError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.at != QUESTIONS.len() {
            return Err(CatalogError::Row);
        }
        self.follow_generated();
        if !self.views.is_empty() {
            // Views are read against what is known without them; a view over a view is followed
            // by the closure, column by column.
            let known = self.builder.clone().build();
            let mut builder = std::mem::take(&mut self.builder);
            for (view, database, text) in &self.views {
                if self.follow_view(*view, database, text, &known, &mut builder).is_none() {
                    self.follow_nothing(*view, &mut builder);
                }
            }
            self.builder = builder;
        }
        Ok(self.builder.build())
    }

    /// A generated column shows what it is computed from: any column whose name stands in its
    /// expression.
    fn follow_generated(&mut self) {
        for (relation, attribute, expression) in &self.generated {
            let expression = expression.to_lowercase();
            for (base, name) in self.columns.get(relation).into_iter().flatten() {
                if base != attribute && expression.contains(&name.to_lowercase()) {
                    self.builder.derives((*relation, *attribute), (*relation, *base));
                }
            }
        }
    }

    /// Follows a view by its text; nothing where that cannot be read.
    fn follow_view(
        &self,
        view: u32,
        database: &str,
        text: &str,
        catalog: &Catalog,
        builder: &mut CatalogBuilder,
    ) -> Option<()> {
        let path: [Arc<str>; 1] = [database.into()];
        let scope = Scope::new(CATALOG, &path, catalog, "");
        let analysis = (DIALECT.analyse)(text, &scope, &AnalysisLimits::default()).ok()?;
        let [statement] = analysis.statements.as_slice() else { return None };
        let Outputs::Columns(outputs) = &statement.outputs else { return None };
        let columns = self.columns.get(&view).filter(|columns| columns.len() == outputs.len())?;
        let mut sorted: Vec<i16> = columns.iter().map(|(attribute, _)| *attribute).collect();
        sorted.sort_unstable();
        // What a function gives that is not known to be harmless, nobody can tell from the text.
        let calls = statement
            .accesses
            .iter()
            .any(|one| matches!(one.action, Action::Execute | Action::Unknown | Action::Code));
        let beneath = self.everything_beneath(statement);
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
            match &beneath {
                _ if certain => {}
                Some(beneath) if !calls => {
                    for base in beneath {
                        builder.derives((view, attribute), *base);
                    }
                }
                _ => {
                    builder.unclear((view, attribute));
                }
            }
        }
        Some(())
    }

    /// Every column of every relation that a statement reads; nothing where one is not known.
    fn everything_beneath(&self, statement: &Statement) -> Option<Vec<(u32, i16)>> {
        let mut all = Vec::new();
        for touched in &statement.relations {
            let oid = touched.oid?;
            all.extend(self.columns.get(&oid)?.iter().map(|(attribute, _)| (oid, *attribute)));
        }
        Some(all)
    }

    /// What a view shows, nobody can tell.
    fn follow_nothing(&self, view: u32, builder: &mut CatalogBuilder) {
        for (attribute, _) in self.columns.get(&view).into_iter().flatten() {
            builder.unclear((view, *attribute));
        }
    }
}

fn relation_kind(word: &str) -> RelationKind {
    match word {
        "BASE TABLE" | "SYSTEM VERSIONED" | "SYSTEM VIEW" | "TEMPORARY" => RelationKind::Table,
        "VIEW" => RelationKind::View,
        "SEQUENCE" => RelationKind::Sequence,
        _ => RelationKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::sql::catalog::BaseColumns;
    use wire::mysql::put_lenenc;

    fn row(values: &[Option<&str>]) -> Vec<u8> {
        let mut out = Vec::new();
        for value in values {
            match value {
                Some(text) => put_lenenc(&mut out, text.as_bytes()),
                None => out.push(0xfb),
            }
        }
        out
    }

    fn collected(answers: &[&[&[Option<&str>]]]) -> Result<Catalog, CatalogError> {
        let mut collector = Collector::new(7);
        for rows in answers {
            assert!(collector.question().is_some());
            rows.iter().for_each(|values| collector.row(&row(values)));
            collector.answered();
        }
        collector.finish()
    }

    #[test]
    fn a_catalogue_is_read_with_generated_columns_and_views_nobody_may_see() {
        let catalog = collected(&[
            &[&[Some("10.11.19-MariaDB"), Some("0")]],
            &[&[Some("shop")]],
            &[
                &[Some("shop"), Some("users"), Some("BASE TABLE")],
                &[Some("shop"), Some("hidden"), Some("VIEW")],
            ],
            &[
                &[Some("shop"), Some("users"), Some("email"), Some("1"), Some(""), Some("")],
                &[
                    Some("shop"),
                    Some("users"),
                    Some("low"),
                    Some("2"),
                    Some("lcase(`email`)"),
                    None,
                ],
                &[Some("shop"), Some("hidden"), Some("x"), Some("1"), None, None],
                &[Some("shop"), Some("made since"), Some("x"), Some("1"), None, None],
            ],
            &[&[Some("shop"), Some("hidden"), Some("")]],
            &[&[Some("shop"), Some("report"), Some("PROCEDURE"), Some("DEFINER"), Some("0")]],
        ])
        .unwrap();
        let users = catalog.relation("shop", "users").unwrap();
        let hidden = catalog.relation("shop", "hidden").unwrap();
        let BaseColumns::Known(beneath) = catalog.base_columns(users.oid, 2) else {
            panic!("{:?}", catalog.base_columns(users.oid, 2))
        };
        assert!(beneath.contains(&(users.oid, 1)));
        assert!(matches!(catalog.base_columns(hidden.oid, 1), BaseColumns::Unclear(_)));
        assert_eq!(catalog.functions("report").len(), 1);
        assert!(!catalog.may_define("shop", "report") && catalog.may_define("shop", "other"));
        assert!(catalog.relation("shop", "made since").is_none());
    }

    #[test]
    fn an_answer_that_is_refused_missing_or_broken_gives_no_catalogue() {
        assert!(matches!(collected(&[&[]]), Err(CatalogError::Row)), "the rest is missing");
        let mut collector = Collector::new(1);
        collector.refused(1044);
        assert_eq!(collector.question(), None);
        assert!(matches!(collector.finish(), Err(CatalogError::Refused { code: 1044 })));
        let mut collector = Collector::new(1);
        collector.row(&[0xff]);
        assert!(matches!(collector.finish(), Err(CatalogError::Row)));
    }
}
