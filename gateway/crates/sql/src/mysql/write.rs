//! `INSERT`, `REPLACE`, `UPDATE`, `DELETE`, `LOAD DATA`.
//!
//! Owns what is written and from what. The target of a write is always a stored relation.

use std::rc::Rc;

use model::{Action, Object, ObjectPath};
use sqlparser::ast::{Expr, ObjectName, SelectItem, TableFactor, TableWithJoins};

use super::analyser::Analyser;
use super::command::{Delete, Insert, InsertSource, LoadFile, Tail, Update};
use crate::Unreadable;
use crate::lineage::Outputs;
use crate::walk::namespace::{EntryKind, Item, Level, Sameness};
use crate::walk::rows::{ColumnKey, Lineage, Origin, OutColumn, Rows};

impl<'a> Analyser<'a> {
    pub(super) fn insert(&mut self, insert: &'a Insert) -> Result<Outputs, Unreadable> {
        let Insert { replace, table, columns, source, row_alias, on_duplicate, returning } = insert;
        self.levels.push(Level::default());
        let bases = self.use_named(table, Action::Insert);
        if *replace {
            self.use_named(table, Action::Delete);
        }
        let mut names = self.target_columns(columns);
        // Values may name columns of the row that is being made.
        let own = self.written_item(table, &bases);
        let rows = match source {
            InsertSource::Query(query) => {
                let level = self.levels.pop();
                let rows = self.query(query);
                self.levels.extend(level);
                rows?
            }
            InsertSource::Rows(rows) => {
                self.restore_sight(own.clone());
                self.rows_of_values(rows)?
            }
            InsertSource::Set(assignments) => {
                self.restore_sight(own.clone());
                let mut columns = Vec::with_capacity(assignments.len());
                for (name, value) in assignments {
                    names.push(self.last_name(name));
                    let lineage = self.expression(value)?;
                    columns.push(OutColumn { name: "", lineage });
                }
                Rows { columns: Rc::new(columns), single: true, ..Rows::default() }
            }
        };
        for one in &bases {
            if names.is_empty() {
                self.use_all(*one, Action::Insert);
            }
            for name in &names {
                let key = self.column_key_of(*one, name);
                self.use_column(*one, Action::Insert, key);
            }
        }
        self.note_insert(&bases, &names, &rows);
        self.restore_sight(own.clone());
        if !on_duplicate.is_empty() {
            self.on_duplicate(insert, &bases, &names, &rows)?;
        } else if let Some((alias, columns)) = row_alias {
            self.ident(alias);
            columns.iter().for_each(|column| {
                self.ident(column);
            });
        }
        self.restore_sight(own);
        let outputs = self.returned(returning.as_deref());
        self.levels.pop();
        outputs
    }

    /// The row that is written, as an entry that is not read by being there.
    fn written_item(&mut self, table: &'a ObjectName, bases: &[u32]) -> Vec<Item> {
        let parts = self.parts(table);
        let name = parts.last().map_or("", |name| self.table_name(name));
        self.stored_item(bases.to_vec(), name)
    }

    fn target_columns(&mut self, columns: &'a [ObjectName]) -> Vec<&'a str> {
        columns.iter().map(|name| self.last_name(name)).collect()
    }

    fn last_name(&mut self, name: &'a ObjectName) -> &'a str {
        let parts = self.parts(name);
        parts.last().map_or("", |name| self.column_name(name))
    }

    /// A column of a touched relation by its name, whatever its case.
    pub(super) fn column_key_of(&mut self, touched: u32, name: &'a str) -> ColumnKey {
        let relation = self.touched.get(touched as usize).and_then(|touched| touched.relation);
        let same = self.manner.same_column;
        let found = relation.and_then(|relation| {
            relation.columns.iter().find(|column| same(&column.name, name) > Sameness::No)
        });
        match found {
            Some(column) => ColumnKey::Attribute(column.attribute),
            None => self.name_key(name),
        }
    }

    fn rows_of_values(&mut self, lists: &'a [Vec<Expr>]) -> Result<Rows<'a>, Unreadable> {
        let mut columns: Vec<OutColumn<'a>> = Vec::new();
        for row in lists {
            for (index, value) in row.iter().enumerate() {
                let lineage = match value {
                    // Most values of most statements, and nothing to know about them.
                    Expr::Value(value) if is_constant(&value.value) => {
                        self.spend(1)?;
                        Lineage::constant()
                    }
                    other => self.expression(other)?,
                };
                match columns.get_mut(index) {
                    Some(column) => column.lineage.merge(lineage),
                    None => columns.push(OutColumn { name: "", lineage }),
                }
            }
        }
        let single = lists.len() == 1;
        Ok(Rows { columns: Rc::new(columns), single, ..Rows::default() })
    }

    fn note_insert(&mut self, bases: &[u32], names: &[&'a str], source: &Rows<'a>) {
        if source.open.is_some() {
            self.note_write(bases, None, &source.union());
            return;
        }
        for (index, column) in source.columns.iter().enumerate() {
            let name = names.get(index).copied().or_else(|| {
                let relation = bases.first().and_then(|one| self.touched.get(*one as usize));
                let columns = &relation.and_then(|one| one.relation)?.columns;
                columns.get(index).map(|column| &*column.name)
            });
            self.note_write(bases, name, &column.lineage);
        }
    }

    /// `ON DUPLICATE KEY UPDATE`, in which `VALUES(a)` or the row's alias is what was to be put in
    /// `a`.
    fn on_duplicate(
        &mut self,
        insert: &'a Insert,
        bases: &[u32],
        names: &[&'a str],
        source: &Rows<'a>,
    ) -> Result<(), Unreadable> {
        for one in bases {
            self.use_relation(*one, Action::Update);
        }
        if let Some((alias, renamed)) = &insert.row_alias {
            let mut rows = source.clone();
            if renamed.is_empty() {
                rows.rename(names);
            }
            self.rename_to(&mut rows, renamed);
            let name = self.table_name(alias);
            let items = self.rows_entry(name, rows);
            self.in_sight(items);
        }
        let mut incoming = source.union();
        // The columns of a query's tables may be named too, whatever the query shows of them.
        if let InsertSource::Query(_) = &insert.source {
            incoming.merge(self.everything_read());
            let open = Some(incoming.clone());
            let items = self.rows_entry("", Rows { open, ..Rows::default() });
            self.in_sight(items);
        }
        for (name, value) in &insert.on_duplicate {
            let name = self.last_name(name);
            let mut lineage = self.expression(value)?;
            if mentions_values(value) {
                lineage.merge(incoming.clone());
            }
            self.assigned_to(bases, name, &lineage);
        }
        Ok(())
    }

    /// Every column of every relation that is read so far: from here on all of them are.
    fn everything_read(&mut self) -> Lineage {
        let mut all = Lineage::constant();
        for touched in 0..u32::try_from(self.touched.len()).unwrap_or(u32::MAX) {
            let uses = self.touched.get(touched as usize).map(|touched| &touched.uses);
            if uses.is_some_and(|uses| uses.iter().any(|one| one.action == Action::Select)) {
                self.use_all(touched, Action::Select);
                let row = self.fresh_row();
                let column = ColumnKey::Any;
                all.merge(Lineage::direct(Origin { touched, column, row }));
            }
        }
        all
    }

    /// A column of these relations gets a value.
    fn assigned_to(&mut self, bases: &[u32], name: &'a str, lineage: &Lineage) {
        for one in bases {
            let key = self.column_key_of(*one, name);
            self.use_column(*one, Action::Update, key);
        }
        self.note_write(bases, Some(name), lineage);
    }

    pub(super) fn update(&mut self, update: &'a Update) -> Result<Outputs, Unreadable> {
        let Update { tables, assignments, tail } = update;
        self.levels.push(Level::default());
        self.written_tables(tables, Action::Update)?;
        for (name, value) in assignments {
            let lineage = self.expression(value)?;
            let bases = self.bases_of_target(name);
            for one in &bases {
                self.use_relation(*one, Action::Update);
            }
            let column = self.last_name(name);
            self.assigned_to(&bases, column, &lineage);
        }
        let outputs = self.tail(tail);
        self.levels.pop();
        outputs
    }

    /// The tables of an `UPDATE` or `DELETE`. A single one is not read by being there.
    fn written_tables(
        &mut self,
        tables: &'a [TableWithJoins],
        action: Action,
    ) -> Result<(), Unreadable> {
        if let [TableWithJoins { relation: TableFactor::Table { name, alias, .. }, joins }] = tables
            && joins.is_empty()
        {
            // Walked for what it may hold beside a name; the read is the write's.
            let parts = self.parts(name);
            if let [table] = parts.as_slice() {
                let table = self.table_name(table);
                self.unknown |= self.cte(table)?.is_some();
            }
            let bases = self.use_named(name, action);
            let own = parts.last().map_or("", |table| self.table_name(table));
            let name = self.alias_name(alias.as_ref()).unwrap_or(own);
            let items = self.stored_item(bases, name);
            self.in_sight(items);
            return Ok(());
        }
        tables.iter().try_for_each(|table| self.add_table_with_joins(table))
    }

    /// The relations that an assigned column may be of: that of its table, or all that have it.
    fn bases_of_target(&mut self, name: &'a ObjectName) -> Vec<u32> {
        let parts = self.parts(name);
        let level = self.levels.len().saturating_sub(1);
        let found = match parts.as_slice() {
            [table, _] => {
                let table = self.table_name(table);
                self.relation_in_sight(None, table)
            }
            [database, table, _] => {
                let (database, table) = (self.table_name(database), self.table_name(table));
                self.relation_in_sight(Some(database), table)
            }
            _ => None,
        };
        if let Some((level, entry)) = found {
            return self.entry(level, entry).map(|entry| entry.bases.clone()).unwrap_or_default();
        }
        let Some(column) = parts.last() else { return Vec::new() };
        let column = self.column_name(column);
        let same = self.manner.same_column;
        let entries = self.levels.get(level).map_or(&[][..], |level| &level.entries);
        let mut bases = Vec::new();
        let mut all = Vec::new();
        for entry in entries {
            all.extend_from_slice(&entry.bases);
            let has = match &entry.kind {
                EntryKind::Relation { relation, .. } => {
                    relation.columns.iter().any(|one| same(&one.name, column) > Sameness::No)
                }
                EntryKind::Unlisted { .. } => true,
                EntryKind::Rows { .. } => false,
            };
            if has {
                bases.extend_from_slice(&entry.bases);
            }
        }
        if bases.is_empty() { all } else { bases }
    }

    pub(super) fn delete(&mut self, delete: &'a Delete) -> Result<Outputs, Unreadable> {
        let Delete { targets, tables, tail } = delete;
        self.levels.push(Level::default());
        self.written_tables(tables, Action::Delete)?;
        let level = self.levels.len().saturating_sub(1);
        let mut bases = Vec::new();
        for target in targets {
            let parts = self.parts(target);
            let found = match parts.as_slice() {
                [table] => {
                    let table = self.table_name(table);
                    self.relation_in_sight(None, table)
                }
                [database, table] => {
                    let (database, table) = (self.table_name(database), self.table_name(table));
                    self.relation_in_sight(Some(database), table)
                }
                _ => None,
            };
            match found.and_then(|(level, entry)| self.entry(level, entry)) {
                Some(entry) => bases.extend_from_slice(&entry.bases),
                None => bases.extend(self.use_named(target, Action::Delete)),
            }
        }
        if targets.is_empty() {
            let entries = self.levels.get(level).map_or(&[][..], |level| &level.entries);
            bases.extend(entries.iter().flat_map(|entry| entry.bases.iter().copied()));
        }
        for one in bases {
            self.use_relation(one, Action::Delete);
        }
        let outputs = self.tail(tail);
        self.levels.pop();
        outputs
    }

    fn tail(&mut self, tail: &'a Tail) -> Result<Outputs, Unreadable> {
        let Tail { condition, order, limit, returning } = tail;
        self.predicate(condition.as_ref())?;
        for sort in order {
            self.order_by_one(sort, &Rows::default())?;
        }
        for limit in limit {
            self.count_of_rows(limit)?;
        }
        self.returned(returning.as_deref())
    }

    fn returned(&mut self, items: Option<&'a [SelectItem]>) -> Result<Outputs, Unreadable> {
        let Some(items) = items else { return Ok(Outputs::NoRows) };
        let (columns, open) = self.select_items(items)?;
        let rows = Rows { columns: Rc::new(columns), open, ..Rows::default() };
        Ok(self.outputs(&rows))
    }

    /// A file of the server fills a table.
    pub(super) fn load_file(&mut self, load: &'a LoadFile) -> Result<(), Unreadable> {
        let LoadFile { file, table, columns, assignments } = load;
        let path = ObjectPath::new([file.as_str()]);
        self.need(Action::ServerFile, Object::Named { kind: "file", path });
        let bases = self.use_named(table, Action::Insert);
        for one in &bases {
            self.use_all(*one, Action::Insert);
        }
        self.levels.push(Level::default());
        let own = self.written_item(table, &bases);
        self.restore_sight(own);
        for column in columns {
            // A column that is filled, or a variable that keeps what the file has.
            if !matches!(column, Expr::Identifier(_) | Expr::Value(_)) {
                self.not_understood();
            }
        }
        for (name, value) in assignments {
            let lineage = self.expression(value)?;
            let name = self.last_name(name);
            self.note_write(&bases, Some(name), &lineage);
        }
        self.levels.pop();
        Ok(())
    }
}

fn is_constant(value: &sqlparser::ast::Value) -> bool {
    use sqlparser::ast::Value;
    match value {
        Value::Number(..)
        | Value::SingleQuotedString(_)
        | Value::HexStringLiteral(_)
        | Value::Boolean(_)
        | Value::Null => true,
        Value::Placeholder(name) => name == "?",
        _ => false,
    }
}

/// Whether `VALUES(a)` may stand in an expression. Its text is the shortest sure witness.
fn mentions_values(expr: &Expr) -> bool {
    !matches!(expr, Expr::Value(_) | Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}
