//! `INSERT`, `UPDATE`, `DELETE` and `MERGE`, at the top or inside `WITH`.
//!
//! Owns what is written and from what. The target of a write is always a stored relation: the
//! server never takes a `WITH` query for it, whatever its name.

use std::rc::Rc;

use model::Action;
use pg_raw_parse::{Node, nodes, raw};

use super::analyser::Analyser;
use crate::Unreadable;
use crate::walk::namespace::{Entry, EntryKind, Item, Level};
use crate::walk::rows::{ColumnKey, Lineage, OutColumn, Rows};

impl<'a> Analyser<'a> {
    pub(super) fn insert(&mut self, insert: &'a nodes::InsertStmt) -> Result<Rows<'a>, Unreadable> {
        self.writing(insert.with_clause(), |this| {
            let source = match insert.select_stmt() {
                Node::None => Rows::default(),
                query => {
                    let level = this.levels.pop();
                    let rows = this.query(query);
                    this.levels.extend(level);
                    rows?
                }
            };
            let (target, touched) = this.target(insert.relation());
            let names = this.insert_columns(insert.cols(), &touched)?;
            this.note_insert(&touched, &names, &source);
            if let Some(conflict) = insert.on_conflict_clause() {
                this.on_conflict(conflict, target, &touched, &names, &source)?;
            }
            this.restore_sight(vec![Item { entry: target, relation: true, columns: true }]);
            this.returning(insert.returning_clause(), target)
        })
    }

    pub(super) fn update(&mut self, update: &'a nodes::UpdateStmt) -> Result<Rows<'a>, Unreadable> {
        self.writing(update.with_clause(), |this| {
            let (target, touched) = this.target(update.relation());
            for one in &touched {
                this.use_relation(*one, Action::Update);
            }
            this.add_items(update.from_clause())?;
            this.target_in_sight(target);
            this.assignments(update.target_list().iter(), &touched)?;
            this.predicate(update.where_clause())?;
            this.returning(update.returning_clause(), target)
        })
    }

    pub(super) fn delete(&mut self, delete: &'a nodes::DeleteStmt) -> Result<Rows<'a>, Unreadable> {
        self.writing(delete.with_clause(), |this| {
            let (target, touched) = this.target(delete.relation());
            for one in &touched {
                this.use_relation(*one, Action::Delete);
            }
            this.add_items(delete.using_clause())?;
            this.target_in_sight(target);
            this.predicate(delete.where_clause())?;
            this.returning(delete.returning_clause(), target)
        })
    }

    pub(super) fn merge(&mut self, merge: &'a nodes::MergeStmt) -> Result<Rows<'a>, Unreadable> {
        self.writing(merge.with_clause(), |this| {
            let (target, touched) = this.target(merge.relation());
            for one in &touched {
                this.use_relation(*one, Action::Merge);
            }
            this.add_items([merge.source_relation()])?;
            this.target_in_sight(target);
            this.predicate(merge.join_condition())?;
            for when in merge.merge_when_clauses() {
                this.merge_when(when, &touched)?;
            }
            this.returning(merge.returning_clause(), target)
        })
    }

    /// A level of its own, with the statement's `WITH` queries in sight.
    fn writing(
        &mut self,
        with: Option<&'a nodes::WithClause>,
        inside: impl FnOnce(&mut Self) -> Result<Rows<'a>, Unreadable>,
    ) -> Result<Rows<'a>, Unreadable> {
        let ctes = self.ctes.len();
        self.with_clause(with)?;
        self.levels.push(Level::default());
        let rows = inside(self);
        self.levels.pop();
        self.ctes.truncate(ctes);
        rows
    }

    /// The entry of what is written, not yet in sight, and the relations it may be.
    fn target(&mut self, named: Option<&'a nodes::RangeVar>) -> (usize, Vec<u32>) {
        let Some(named) = named else {
            self.unknown = true;
            return (0, Vec::new());
        };
        let entry = self.relation_entry(named);
        let touched = entry.bases.clone();
        (self.add_entry(entry), touched)
    }

    /// The target comes into sight before the other items, as `RETURNING *` shows it first.
    fn target_in_sight(&mut self, target: usize) {
        let others = self.take_sight();
        let mut items = vec![Item { entry: target, relation: true, columns: true }];
        items.extend(others);
        self.restore_sight(items);
    }

    fn insert_columns(
        &mut self,
        columns: &'a pg_raw_parse::list::NodeList,
        touched: &[u32],
    ) -> Result<Vec<&'a str>, Unreadable> {
        let mut names = Vec::with_capacity(columns.len());
        for column in columns {
            let Node::ResTarget(column) = column else {
                self.not_understood(column);
                continue;
            };
            names.push(column.name().unwrap_or_default());
            for index in column.indirection() {
                self.subscript(index)?;
            }
        }
        for one in touched {
            self.use_relation(*one, Action::Insert);
            if names.is_empty() {
                self.use_all(*one, Action::Insert);
            }
            for name in &names {
                let key = self.column_key(*one, name);
                self.use_column(*one, Action::Insert, key);
            }
        }
        Ok(names)
    }

    /// `[..]` and `.field` of an assigned column.
    fn subscript(&mut self, node: Node<'a>) -> Result<(), Unreadable> {
        match node {
            Node::String(_) | Node::A_Star(_) => Ok(()),
            other => self.predicate(other),
        }
    }

    fn note_insert(&mut self, touched: &[u32], names: &[&'a str], source: &Rows<'a>) {
        if source.open.is_some() {
            self.note_write(touched, None, &source.union());
            return;
        }
        for (index, column) in source.columns.iter().enumerate() {
            let name = names.get(index).copied().or_else(|| {
                let relation = touched.first().and_then(|one| self.touched.get(*one as usize));
                let columns = &relation.and_then(|one| one.relation)?.columns;
                columns.get(index).map(|column| &*column.name)
            });
            self.note_write(touched, name, &column.lineage);
        }
    }

    fn on_conflict(
        &mut self,
        conflict: &'a nodes::OnConflictClause,
        target: usize,
        touched: &[u32],
        names: &[&'a str],
        source: &Rows<'a>,
    ) -> Result<(), Unreadable> {
        self.restore_sight(vec![Item { entry: target, relation: true, columns: true }]);
        if let Some(infer) = conflict.infer() {
            for element in infer.index_elems() {
                match element {
                    Node::IndexElem(element) => {
                        if let Some(name) = element.name() {
                            let lineage = self.column(name)?;
                            self.note_oracle(lineage);
                        }
                        self.predicate(element.expr())?;
                    }
                    other => self.predicate(other)?,
                }
            }
            self.predicate(infer.where_clause())?;
        }
        let row = self.entry(self.levels.len().saturating_sub(1), target).map(Entry::row);
        let source = self.beside(source.clone(), row.unwrap_or_default());
        let excluded = self.excluded(touched, names, &source);
        let excluded = self.add_entry(excluded);
        self.in_sight(vec![Item { entry: excluded, relation: true, columns: false }]);
        if conflict.action == raw::OnConflictAction::ONCONFLICT_UPDATE {
            for one in touched {
                self.use_relation(*one, Action::Update);
            }
            self.assignments(conflict.target_list().iter(), touched)?;
        }
        self.predicate(conflict.where_clause())
    }

    /// The row that could not be inserted: what it was to hold.
    fn excluded(&self, touched: &[u32], names: &[&'a str], source: &Rows<'a>) -> Entry<'a> {
        let known = match touched {
            [one] => self.touched.get(*one as usize).and_then(|touched| touched.relation),
            _ => None,
        };
        let (columns, open) = match (known, &source.open) {
            (Some(relation), None) => {
                let columns = relation.columns.iter().enumerate().map(|(index, column)| {
                    let position = if names.is_empty() {
                        Some(index)
                    } else {
                        names.iter().position(|name| **name == *column.name)
                    };
                    let lineage = position
                        .and_then(|position| source.columns.get(position))
                        .map(|column| column.lineage.clone())
                        .unwrap_or_default();
                    OutColumn { name: &column.name, lineage }
                });
                (columns.collect(), None)
            }
            _ => (Vec::new(), Some(source.union())),
        };
        Entry {
            name: "excluded",
            plain: false,
            kind: EntryKind::Rows { columns: Rc::new(columns), open, reads: false },
            renamed: Vec::new(),
            bases: Vec::new(),
        }
    }

    /// `SET a = x, (b, c) = (SELECT ..)`.
    fn assignments<I: IntoIterator<Item = &'a nodes::ResTarget>>(
        &mut self,
        list: I,
        touched: &[u32],
    ) -> Result<(), Unreadable> {
        let mut several: Vec<Lineage> = Vec::new();
        for target in list {
            let name = target.name().unwrap_or_default();
            for index in target.indirection() {
                self.subscript(index)?;
            }
            let lineage = match target.val() {
                Node::MultiAssignRef(assign) => {
                    if assign.colno <= 1 {
                        several = self.several(assign.source())?;
                    }
                    let index = usize::try_from(assign.colno - 1).unwrap_or(0);
                    several.get(index).cloned().unwrap_or_else(Lineage::opaque)
                }
                value => self.expression(value)?,
            };
            for one in touched {
                let key = self.column_key(*one, name);
                self.use_column(*one, Action::Update, key);
            }
            self.note_write(touched, Some(name), &lineage);
        }
        Ok(())
    }

    /// The values of a row that is assigned to several columns.
    fn several(&mut self, source: Node<'a>) -> Result<Vec<Lineage>, Unreadable> {
        match source {
            Node::RowExpr(row) => {
                let (columns, open) = self.expression_list(row.args())?;
                // Beyond what is listed, and where places are unknown, a value is opaque.
                Ok(match open {
                    Some(_) => Vec::new(),
                    None => columns.into_iter().map(|column| column.lineage).collect(),
                })
            }
            Node::SubLink(link) => {
                let rows = self.query(link.subselect())?;
                if rows.open.is_some() {
                    let all = rows.union();
                    return Ok(vec![all; rows.columns.len().max(1)]);
                }
                Ok(rows.columns.iter().map(|column| column.lineage.clone()).collect())
            }
            other => Ok(vec![self.expression(other)?]),
        }
    }

    fn merge_when(
        &mut self,
        when: &'a nodes::MergeWhenClause,
        touched: &[u32],
    ) -> Result<(), Unreadable> {
        self.predicate(when.condition())?;
        match when.command_type {
            raw::CmdType::CMD_UPDATE => {
                for one in touched {
                    self.use_relation(*one, Action::Update);
                }
                let targets = when.target_list().iter().filter_map(|node| match node {
                    Node::ResTarget(target) => Some(target),
                    _ => None,
                });
                self.assignments(targets, touched)
            }
            raw::CmdType::CMD_DELETE => {
                for one in touched {
                    self.use_relation(*one, Action::Delete);
                }
                Ok(())
            }
            raw::CmdType::CMD_INSERT => {
                let names = self.insert_columns(when.target_list(), touched)?;
                let (columns, open) = self.expression_list(when.values())?;
                let source = Rows { columns: Rc::new(columns), open, ..Rows::default() };
                self.note_insert(touched, &names, &source);
                Ok(())
            }
            raw::CmdType::CMD_NOTHING => Ok(()),
            _ => {
                self.unknown = true;
                Ok(())
            }
        }
    }

    /// `RETURNING`, in which the row may be named before and after (`old`, `new`).
    fn returning(
        &mut self,
        clause: Option<&'a nodes::ReturningClause>,
        target: usize,
    ) -> Result<Rows<'a>, Unreadable> {
        let Some(clause) = clause else { return Ok(Rows::default()) };
        let mut names = ["old", "new"];
        for option in clause.options() {
            let old = option.option == raw::ReturningOptionKind::RETURNING_OPTION_OLD;
            let slot = if old { names.first_mut() } else { names.last_mut() };
            if let (Some(slot), Some(name)) = (slot, option.value()) {
                *slot = name;
            }
        }
        let level = self.levels.len().saturating_sub(1);
        for name in names {
            let Some(entry) = self.entry(level, target) else { continue };
            let again = Entry {
                name,
                plain: false,
                kind: match &entry.kind {
                    EntryKind::Relation { touched, relation, row } => {
                        EntryKind::Relation { touched: *touched, relation, row: *row }
                    }
                    EntryKind::Unlisted { touched, row } => {
                        EntryKind::Unlisted { touched: touched.clone(), row: *row }
                    }
                    EntryKind::Rows { .. } => continue,
                },
                renamed: entry.renamed.clone(),
                bases: entry.bases.clone(),
            };
            let entry = self.add_entry(again);
            self.in_sight(vec![Item { entry, relation: true, columns: false }]);
        }
        let targets = clause.exprs().iter().filter_map(|node| match node {
            Node::ResTarget(target) => Some(target),
            _ => None,
        });
        let (columns, open) = self.targets(targets)?;
        Ok(Rows { columns: Rc::new(columns), open, ..Rows::default() })
    }

    /// Columns that a statement names on a relation, outside any query.
    pub(super) fn use_named(
        &mut self,
        touched: &[u32],
        action: Action,
        names: &'a pg_raw_parse::list::NodeList,
    ) {
        for one in touched {
            self.use_relation(*one, action);
            for name in names.iter().filter_map(Node::as_str) {
                let key = self.column_key(*one, name);
                self.use_column(*one, action, key);
            }
            if names.is_empty() {
                self.use_column(*one, action, ColumnKey::Any);
            }
        }
    }
}
