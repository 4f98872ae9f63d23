//! Which statement it is: one arm for every command of our grammar.
//!
//! Owns the dispatch, settings and what plain statements need.

use std::sync::Arc;

use model::{Access, Action, Columns, Object, ObjectPath};

use super::analyser::Analyser;
use super::command::{Answer, Assignment, Command, Into, Need, On, Plain};
use super::{call, settings};
use crate::lineage::Outputs;
use crate::statement::{Referral, SettingValue, Statement, StatementKind, TouchedRelation};
use crate::walk::around;
use crate::walk::namespace::Level;
use crate::walk::rows::Rows;
use crate::{Scope, Unreadable};

impl<'a> Analyser<'a> {
    /// Reads one statement.
    pub(super) fn statement(mut self, command: &'a Command) -> Result<Statement, Unreadable> {
        let (kind, outputs) = match command {
            Command::Query { query, into } => {
                let rows = self.query(query)?;
                return Ok(self.select(&rows, into.as_ref()));
            }
            Command::Insert(insert) => (StatementKind::Insert, self.insert(insert)?),
            Command::Update(update) => (StatementKind::Update, self.update(update)?),
            Command::Delete(delete) => (StatementKind::Delete, self.delete(delete)?),
            Command::Explain { analyze, inner } => {
                let inner = self.statement(inner)?;
                let analyze = *analyze;
                // A plan quotes literals, and values of tables that have but one row.
                let explain = |inner| StatementKind::Explain { analyze, inner };
                return Ok(around(inner, Outputs::Unknown, explain));
            }
            Command::Set(assignments) => (self.set(assignments)?, Outputs::NoRows),
            Command::SetFor { assignments, inner } => {
                self.set(assignments)?;
                return self.statement(inner);
            }
            Command::CreateTable(table) => (self.create_table(table)?, Outputs::NoRows),
            Command::CreateView { name, columns, query, replace } => {
                self.create_view(name, columns, query, *replace)?;
                (StatementKind::Create { object: "view" }, Outputs::NoRows)
            }
            Command::AlterTable { name, changes } => {
                self.alter_table(name, changes);
                (StatementKind::Alter { object: "table" }, Outputs::NoRows)
            }
            Command::Rename(renamed) => {
                for (from, to) in renamed {
                    self.rename_table(from, to);
                }
                (StatementKind::Alter { object: "table" }, Outputs::NoRows)
            }
            Command::Prepare { name, text } => return self.prepare(name, text.as_deref()),
            Command::Immediately(text) => return self.immediately(text.as_deref()),
            Command::Execute { name, values } => {
                for value in values {
                    self.predicate(Some(value))?;
                }
                let name: Arc<str> = name.as_str().into();
                self.refers_to = Some(Referral::Prepared(Arc::clone(&name)));
                (StatementKind::Execute { name }, Outputs::Unknown)
            }
            Command::Call { name, arguments } => {
                for argument in arguments {
                    let lineage = self.expression(argument)?;
                    self.note_oracle(lineage);
                }
                let parts = self.parts(name);
                self.stored_function(&parts);
                (StatementKind::Call, Outputs::Unknown)
            }
            Command::Do(values) => {
                for value in values {
                    let lineage = self.expression(value)?;
                    self.note_oracle(lineage);
                }
                (StatementKind::Do, Outputs::NoRows)
            }
            Command::Filtered { plain, filter } => {
                self.levels.push(Level::default());
                // Its columns are the answer's, of which nothing is masked.
                let open = Some(crate::walk::rows::Lineage::constant());
                let items = self.rows_entry("", Rows { open, ..Rows::default() });
                self.in_sight(items);
                self.predicate(Some(filter))?;
                self.levels.pop();
                return Ok(self.plain(plain));
            }
            Command::LoadFile(load) => {
                self.load_file(load)?;
                (StatementKind::CopyServerFile { program: false }, Outputs::NoRows)
            }
            Command::Plain(plain) => return Ok(self.plain(plain)),
        };
        Ok(self.finish(kind, outputs))
    }

    fn select(mut self, rows: &Rows<'a>, into: Option<&'a Into>) -> Statement {
        let database = self.scope().database;
        match into {
            None => {
                let outputs = self.outputs(rows);
                self.finish(StatementKind::Select, outputs)
            }
            Some(Into::Variables(names)) => {
                for (index, name) in names.iter().enumerate() {
                    let lineage = match rows.columns.get(index) {
                        Some(column) if rows.open.is_none() => column.lineage.clone(),
                        _ => rows.union(),
                    };
                    self.note_variable(name, &lineage);
                }
                self.finish(StatementKind::Select, Outputs::NoRows)
            }
            Some(Into::File(file)) => {
                let path = ObjectPath::new([file.as_str()]);
                self.need(Action::ServerFile, Object::Named { kind: "file", path });
                let path = ObjectPath::new([database, "file", file.as_str()]);
                self.note_kept(path, &rows.union());
                self.finish(StatementKind::CopyServerFile { program: false }, Outputs::NoRows)
            }
        }
    }

    fn set(&mut self, assignments: &'a [Assignment]) -> Result<StatementKind, Unreadable> {
        for assignment in assignments {
            match assignment {
                Assignment::Variable { name, value } => {
                    let lineage = self.expression(value)?;
                    self.note_variable(name, &lineage);
                }
                Assignment::Setting { name, wide, value } => {
                    let new = settings::constant(value.as_ref());
                    if !matches!(new, SettingValue::Text(_) | SettingValue::Default)
                        && let Some(value) = value
                    {
                        let lineage = self.expression(value)?;
                        let database = self.scope().database;
                        let path = ObjectPath::new([database, call::SERVER, name.as_str()]);
                        self.note_kept(path, &lineage);
                    }
                    self.change_setting(name, *wide, new, value.as_ref());
                }
            }
        }
        let change = self.settings.iter().find(|change| change.pinned).or(self.settings.first());
        let kind = change.and_then(|change| {
            let name = change.name.clone()?;
            let (value, pinned) = (change.value.clone(), change.pinned);
            Some(StatementKind::Set { name, value, local: false, pinned })
        });
        Ok(kind.unwrap_or_else(|| StatementKind::Set {
            name: "@".into(),
            value: SettingValue::Computed,
            local: false,
            pinned: false,
        }))
    }

    /// A statement in a string is read like any other.
    fn text_inside(&self, text: &str) -> Result<Option<Statement>, Unreadable> {
        let scope: Scope<'_> = *self.scope();
        let analysis = super::analyse(text, &scope, self.reading.limits)?;
        let mut statements = analysis.statements.into_iter();
        match (statements.next(), statements.next()) {
            (Some(only), None) if self.reading.names_certain => Ok(Some(only)),
            _ => Ok(None),
        }
    }

    fn prepare(self, name: &str, text: Option<&str>) -> Result<Statement, Unreadable> {
        let inner = match text {
            Some(text) => self.text_inside(text)?,
            None => None,
        };
        let Some(inner) = inner else { return Ok(self.plain(&Plain::unknown())) };
        if holds_text(&inner) {
            return Ok(self.plain(&Plain::unknown()));
        }
        let name = name.into();
        let prepare = |inner| StatementKind::Prepare { name, inner };
        Ok(around(inner, Outputs::NoRows, prepare))
    }

    fn immediately(self, text: Option<&str>) -> Result<Statement, Unreadable> {
        let inner = match text {
            Some(text) => self.text_inside(text)?,
            None => None,
        };
        match inner {
            Some(inner) if !holds_text(&inner) => Ok(inner),
            _ => Ok(self.plain(&Plain::unknown())),
        }
    }

    pub(super) fn plain(mut self, plain: &'a Plain) -> Statement {
        let Plain { kind, needs, answer } = plain;
        let shows = matches!(kind, StatementKind::Show { .. });
        for need in needs {
            self.plain_need(need, shows);
        }
        if let StatementKind::Set { name, value, .. } = kind {
            // `USE` is no setting of the server's, yet names mean something else after it.
            let name = Some(Arc::clone(name));
            let (value, local, pinned) = (value.clone(), false, false);
            self.settings.push(crate::SettingChange { name, value, local, pinned });
        }
        let database: Arc<str> = self.scope().database.into();
        let mut statement = self.finish(kind.clone(), plain_outputs(*answer));
        if *answer == Answer::Opaque && !matches!(kind, StatementKind::Unknown) {
            // Whoever reads these texts reads what others have written.
            statement.relations.push(TouchedRelation {
                path: ObjectPath::new([&*database, "performance_schema", "messages"]),
                oid: None,
                read: true,
                written: false,
                holds_others: true,
            });
        }
        statement
    }

    fn plain_need(&mut self, need: &'a Need, shows: bool) {
        let Need { action, on } = need;
        match on {
            // What it is made of is shown, and nothing of what is in it.
            On::Relation(name) if shows => {
                let (database, table) = self.table_parts(name);
                let path = ObjectPath::new([self.scope().database, database, table]);
                self.need_relation(*action, path);
            }
            On::Relation(name) => {
                self.use_named(name, *action);
            }
            On::Information(table) => {
                for touched in self.resolve_parts("information_schema", table) {
                    self.use_relation(touched, *action);
                }
            }
            On::InDatabase(kind, name) => {
                let (database, own) = self.table_parts(name);
                self.need_named(*action, kind, &[database, own]);
            }
            On::Global(kind, name) => {
                // One of the many that only a rule for `unknown` grants.
                if *action == Action::Unknown {
                    self.unknown = true;
                } else {
                    self.need_global(*action, kind, name);
                }
            }
            On::Builtin(name) => {
                let path = ObjectPath::new([self.scope().database, call::SERVER, name]);
                self.need(*action, Object::Function { path });
            }
        }
    }

    /// A table that is made or goes away, which nobody reads by it.
    pub(super) fn need_relation(&mut self, action: Action, path: ObjectPath) {
        self.others
            .push(Access { action, object: Object::Relation { path, columns: Columns::None } });
    }
}

/// Whether a statement runs or keeps another text: the server lets no such statement be prepared.
fn holds_text(statement: &Statement) -> bool {
    matches!(
        statement.kind,
        StatementKind::Prepare { .. }
            | StatementKind::Execute { .. }
            | StatementKind::Deallocate { .. }
    )
}

fn plain_outputs(answer: Answer) -> Outputs {
    match answer {
        Answer::Nothing => Outputs::NoRows,
        // How many columns there are is the server's to say; they are those of no relation.
        Answer::Opaque | Answer::Harmless => Outputs::Unknown,
    }
}
