//! `CREATE TABLE`, `CREATE VIEW`, `ALTER TABLE`, `RENAME TABLE`.
//!
//! Owns what is copied by them: a query's rows, and columns that go on under another name, where
//! nobody may know them as classified.

use model::{Action, ObjectPath};
use sqlparser::ast::{Ident, ObjectName, Query};

use super::analyser::{Analyser, TEMPORARY};
use super::command::{Changes, CreateTable};
use crate::Unreadable;
use crate::lineage::ColumnWrite;
use crate::statement::StatementKind;
use crate::walk::rows::{ColumnKey, Origin, Rows};

impl<'a> Analyser<'a> {
    pub(super) fn create_table(
        &mut self,
        table: &'a CreateTable,
    ) -> Result<StatementKind, Unreadable> {
        let CreateTable { temporary, replace, name, like, references, query, reaches_out } = table;
        self.unknown |= *reaches_out || name.is_none();
        let path = name.as_ref().map(|name| self.made(name, *temporary, *replace));
        if let Some(like) = like {
            self.use_named(like, Action::Select);
        }
        for other in references {
            self.use_named(other, Action::Select);
        }
        if let (Some(query), Some(path)) = (query, &path) {
            let rows = self.query(query)?;
            self.note_copy(path, &rows);
        }
        Ok(StatementKind::Create { object: "table" })
    }

    /// What is made, by the path that it will have.
    fn made(&mut self, name: &'a ObjectName, temporary: bool, replace: bool) -> ObjectPath {
        let (database, own) = self.table_parts(name);
        let whole = self.scope().database;
        let path = if temporary {
            self.creates_temporary.push(own.into());
            ObjectPath::new([whole, TEMPORARY, own])
        } else {
            ObjectPath::new([whole, database, own])
        };
        self.need_relation(Action::Create, path.clone());
        if replace {
            self.need_relation(Action::Drop, path.clone());
        }
        path
    }

    fn note_copy(&mut self, path: &ObjectPath, rows: &Rows<'a>) {
        let columns: Vec<_> =
            rows.columns.iter().map(|one| (Some(one.name), &one.lineage)).collect();
        let open = rows.open.iter().map(|open| (None, open));
        for (name, lineage) in columns.into_iter().chain(open) {
            if lineage.sources.is_empty() && !lineage.opaque {
                continue;
            }
            let mut sources: Vec<_> =
                lineage.sources.iter().map(|origin| self.source(*origin)).collect();
            sources.sort_unstable();
            sources.dedup();
            let column = name.filter(|name| *name != crate::walk::namespace::UNNAMED);
            self.writes.push(ColumnWrite {
                relation: path.clone(),
                column: column.map(Into::into),
                sources,
                opaque: lineage.opaque,
            });
        }
    }

    pub(super) fn create_view(
        &mut self,
        name: &'a ObjectName,
        columns: &'a [Ident],
        query: &'a Query,
        replace: bool,
    ) -> Result<(), Unreadable> {
        let path = self.made(name, false, replace);
        let mut rows = self.query(query)?;
        self.rename_to(&mut rows, columns);
        self.note_copy(&path, &rows);
        Ok(())
    }

    pub(super) fn alter_table(&mut self, name: &'a ObjectName, changes: &'a Changes) {
        let Changes { references, renamed_columns, renamed_to, exchanged, computes, reaches_out } =
            changes;
        self.unknown |= *reaches_out;
        let touched = self.use_named(name, Action::Alter);
        for other in references {
            self.use_named(other, Action::Select);
        }
        let (database, own) = self.table_parts(name);
        let path = ObjectPath::new([self.scope().database, database, own]);
        for column in renamed_columns {
            let column = self.column_name(column);
            for one in &touched {
                let key = self.column_key_of(*one, column);
                self.note_column(&path, *one, key);
            }
        }
        if *computes {
            // A new column may be computed from any.
            for one in &touched {
                self.note_column(&path, *one, ColumnKey::Any);
            }
        }
        if let Some(other) = exchanged {
            let other = self.use_named(other, Action::Alter);
            for one in &other {
                self.note_column(&path, *one, ColumnKey::Any);
            }
        }
        if let Some(to) = renamed_to {
            self.moved(&touched, to);
        }
    }

    pub(super) fn rename_table(&mut self, from: &'a ObjectName, to: &'a ObjectName) {
        let touched = self.use_named(from, Action::Alter);
        self.moved(&touched, to);
    }

    /// Tables go on under another name, with everything in them.
    fn moved(&mut self, touched: &[u32], to: &'a ObjectName) {
        for one in touched {
            self.use_relation(*one, Action::Drop);
        }
        let path = self.made(to, false, false);
        for one in touched {
            self.note_column(&path, *one, ColumnKey::Any);
        }
    }

    /// A column, or every column, of a touched relation goes on elsewhere.
    fn note_column(&mut self, path: &ObjectPath, touched: u32, key: ColumnKey) {
        let found = self.touched.get(touched as usize);
        let relation = found.and_then(|touched| touched.relation);
        // What is not in the catalogue yet may hold anything. What is temporary was judged when the
        // session made it.
        let opaque = relation.is_none() && found.is_none_or(|touched| touched.schema != TEMPORARY);
        let keys: Vec<ColumnKey> = match (key, relation) {
            (ColumnKey::Any, Some(relation)) => {
                let columns = relation.columns.iter();
                columns.map(|column| ColumnKey::Attribute(column.attribute)).collect()
            }
            (key, _) => vec![key],
        };
        for column in keys {
            let source = self.source(Origin { touched, column, row: 0 });
            self.writes.push(ColumnWrite {
                relation: path.clone(),
                column: None,
                sources: vec![source],
                opaque,
            });
        }
    }
}
