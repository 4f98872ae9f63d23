//! `FROM`: each item becomes an entry and a piece of the namespace.
//!
//! Owns joins, derived tables and `JSON_TABLE`, and what of them may see what. Every other item
//! that the library can read is not MySQL's and makes the statement unknown.

use std::rc::Rc;

use sqlparser::ast::{
    Expr, Join, JoinConstraint, JoinOperator, JsonTableColumn, JsonTableNestedColumn, ObjectName,
    TableAlias, TableFactor, TableVersion, TableWithJoins,
};

use model::Action;

use super::analyser::Analyser;
use crate::Unreadable;
use crate::walk::namespace::{Entry, EntryKind, Item, Sameness, UNNAMED, both};
use crate::walk::rows::{Expansion, Lineage, OutColumn, Rows};

/// How the sides of a join meet.
enum On<'a> {
    Condition(&'a Expr),
    Shared(Vec<&'a str>),
    Natural,
    Nothing,
}

impl<'a> Analyser<'a> {
    pub(super) fn add_table_with_joins(
        &mut self,
        item: &'a TableWithJoins,
    ) -> Result<(), Unreadable> {
        let items = self.table_with_joins(item)?;
        self.in_sight(items);
        Ok(())
    }

    fn table_with_joins(&mut self, item: &'a TableWithJoins) -> Result<Vec<Item>, Unreadable> {
        let TableWithJoins { relation, joins } = item;
        let mut left = self.factor(relation)?;
        for join in joins {
            self.spend(1)?;
            left = self.join(&left, join)?;
        }
        Ok(left)
    }

    fn factor(&mut self, factor: &'a TableFactor) -> Result<Vec<Item>, Unreadable> {
        self.descend(|this| match factor {
            TableFactor::Table {
                name,
                alias,
                args,
                with_hints,
                version,
                with_ordinality,
                partitions: _,
                json_path,
                sample,
                index_hints: _,
            } => {
                this.unknown |= args.is_some()
                    || !with_hints.is_empty()
                    || *with_ordinality
                    || json_path.is_some()
                    || sample.is_some();
                match version {
                    None => {}
                    Some(TableVersion::ForSystemTimeAsOf(time)) => this.count_of_rows(time)?,
                    Some(
                        TableVersion::TimestampAsOf(_)
                        | TableVersion::VersionAsOf(_)
                        | TableVersion::Function(_)
                        | TableVersion::Changes { .. },
                    ) => this.unknown = true,
                }
                this.table_item(name, alias.as_ref())
            }
            TableFactor::Derived { lateral, subquery, alias, sample } => {
                this.unknown |= sample.is_some();
                // What is beside it is in sight only where it is LATERAL.
                let hidden = if *lateral { None } else { Some(this.take_sight()) };
                let rows = this.query(subquery);
                if let Some(hidden) = hidden {
                    this.restore_sight(hidden);
                }
                this.aliased(rows?, alias.as_ref())
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                if alias.is_some() {
                    this.unknown = true;
                }
                this.table_with_joins(table_with_joins)
            }
            TableFactor::JsonTable { json_expr, json_path: _, columns, alias } => {
                this.json_table(json_expr, columns, alias.as_ref())
            }
            TableFactor::TableFunction { .. }
            | TableFactor::Function { .. }
            | TableFactor::UNNEST { .. }
            | TableFactor::OpenJsonTable { .. }
            | TableFactor::Pivot { .. }
            | TableFactor::Unpivot { .. }
            | TableFactor::UnpivotExpr { .. }
            | TableFactor::MatchRecognize { .. }
            | TableFactor::XmlTable { .. }
            | TableFactor::SemanticView { .. } => {
                let open = Some(this.not_understood());
                Ok(this.rows_entry("", Rows { open, ..Rows::default() }))
            }
        })
    }

    fn table_item(
        &mut self,
        name: &'a ObjectName,
        alias: Option<&'a TableAlias>,
    ) -> Result<Vec<Item>, Unreadable> {
        let parts = self.parts(name);
        if let [table] = parts.as_slice() {
            let table = self.table_name(table);
            if let Some(rows) = self.cte(table)? {
                let name = self.alias_name(alias).unwrap_or(table);
                return Ok(self.rows_entry(name, rows));
            }
        }
        let bases = self.use_named(name, Action::Select);
        let own = parts.last().map_or("", |table| self.table_name(table));
        let name = self.alias_name(alias).unwrap_or(own);
        Ok(self.stored_item(bases, name))
    }

    /// A table of a `TABLE` query, whose name has no quotes to look at.
    pub(super) fn table_by_name(
        &mut self,
        database: Option<&'a str>,
        table: &'a str,
    ) -> Result<Vec<Item>, Unreadable> {
        if database.is_none()
            && let Some(rows) = self.cte(table)?
        {
            return Ok(self.rows_entry(table, rows));
        }
        self.unknown |= database.is_none() && !self.reading.names_certain;
        let database = database.unwrap_or_else(|| self.current_database());
        let bases = self.resolve_parts(database, table);
        for one in &bases {
            self.use_relation(*one, Action::Select);
        }
        Ok(self.stored_item(bases, table))
    }

    /// An entry for a stored relation.
    pub(super) fn stored_item(&mut self, bases: Vec<u32>, name: &'a str) -> Vec<Item> {
        let row = self.fresh_row();
        let only = match bases.as_slice() {
            [one] => self
                .touched
                .get(*one as usize)
                .and_then(|touched| touched.relation)
                .map(|relation| (*one, relation)),
            _ => None,
        };
        let kind = match only {
            Some((touched, relation)) => EntryKind::Relation { touched, relation, row },
            None => EntryKind::Unlisted { touched: bases.clone(), row },
        };
        let entry = self.add_entry(Entry { name, plain: true, kind, renamed: Vec::new(), bases });
        vec![Item { entry, relation: true, columns: true }]
    }

    pub(super) fn alias_name(&mut self, alias: Option<&'a TableAlias>) -> Option<&'a str> {
        let TableAlias { explicit: _, name, columns, at } = alias?;
        // A stored table's columns have the names they have.
        self.unknown |= at.is_some() || !columns.is_empty();
        Some(self.table_name(name))
    }

    /// A derived table and its alias, which may name its columns.
    fn aliased(
        &mut self,
        mut rows: Rows<'a>,
        alias: Option<&'a TableAlias>,
    ) -> Result<Vec<Item>, Unreadable> {
        let Some(alias) = alias else { return Ok(self.rows_entry("", rows)) };
        self.unknown |= alias.at.is_some();
        self.rename(&mut rows, alias);
        let name = self.table_name(&alias.name);
        Ok(self.rows_entry(name, rows))
    }

    /// An entry for computed rows.
    pub(super) fn rows_entry(&mut self, name: &'a str, rows: Rows<'a>) -> Vec<Item> {
        let rows = self.row_source(rows);
        let entry = self.add_entry(Entry {
            name,
            plain: false,
            kind: EntryKind::Rows { columns: rows.columns, open: rows.open, reads: false },
            renamed: Vec::new(),
            bases: rows.bases,
        });
        vec![Item { entry, relation: !name.is_empty(), columns: true }]
    }

    fn json_table(
        &mut self,
        document: &'a Expr,
        columns: &'a [JsonTableColumn],
        alias: Option<&'a TableAlias>,
    ) -> Result<Vec<Item>, Unreadable> {
        let stored = matches!(document, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
        let lineage = self.expression(document)?.derived();
        let lineage = self.rows_made_of(lineage, stored)?;
        let mut given = Vec::new();
        self.json_columns(columns, &lineage, &mut given)?;
        let rows = Rows { columns: Rc::new(given), ..Rows::default() };
        self.aliased(rows, alias)
    }

    fn json_columns(
        &mut self,
        columns: &'a [JsonTableColumn],
        lineage: &Lineage,
        given: &mut Vec<OutColumn<'a>>,
    ) -> Result<(), Unreadable> {
        self.descend(|this| {
            for column in columns {
                let name = match column {
                    JsonTableColumn::Named(column) => this.ident(&column.name),
                    JsonTableColumn::ForOrdinality(name) => this.ident(name),
                    JsonTableColumn::Nested(JsonTableNestedColumn { path: _, columns }) => {
                        this.json_columns(columns, lineage, given)?;
                        continue;
                    }
                };
                given.push(OutColumn { name, lineage: lineage.clone() });
            }
            Ok(())
        })
    }

    fn join(&mut self, left: &[Item], join: &'a Join) -> Result<Vec<Item>, Unreadable> {
        let Join { relation, global, join_operator } = join;
        self.unknown |= *global;
        let before = self.levels.last().map_or(0, |level| level.items.len());
        self.in_sight(left.to_vec());
        let right = self.factor(relation);
        if let Some(level) = self.levels.last_mut() {
            level.items.truncate(before);
        }
        let right = right?;
        let mut both = left.to_vec();
        both.extend(right.iter().copied());
        let (constraint, to_right) = match join_operator {
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint)
            | JoinOperator::CrossJoin(constraint)
            | JoinOperator::StraightJoin(constraint) => (constraint, false),
            JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => {
                (constraint, true)
            }
            JoinOperator::FullOuter(_)
            | JoinOperator::Semi(_)
            | JoinOperator::LeftSemi(_)
            | JoinOperator::RightSemi(_)
            | JoinOperator::Anti(_)
            | JoinOperator::LeftAnti(_)
            | JoinOperator::RightAnti(_)
            | JoinOperator::CrossApply
            | JoinOperator::OuterApply
            | JoinOperator::AsOf { .. }
            | JoinOperator::ArrayJoin
            | JoinOperator::LeftArrayJoin
            | JoinOperator::InnerArrayJoin => {
                self.unknown = true;
                return Ok(both);
            }
        };
        match self.joined_on(constraint) {
            On::Condition(condition) => {
                let outer = self.take_sight();
                self.restore_sight(both.clone());
                let condition = self.predicate(Some(condition));
                self.restore_sight(outer);
                condition?;
                Ok(both)
            }
            On::Nothing => Ok(both),
            On::Natural => self.merged(left, &right, both, None, to_right),
            On::Shared(names) => self.merged(left, &right, both, Some(names), to_right),
        }
    }

    fn joined_on(&mut self, constraint: &'a JoinConstraint) -> On<'a> {
        match constraint {
            JoinConstraint::On(condition) => On::Condition(condition),
            JoinConstraint::Natural => On::Natural,
            JoinConstraint::None => On::Nothing,
            JoinConstraint::Using(names) => {
                let mut shared = Vec::with_capacity(names.len());
                for name in names {
                    match self.parts(name).as_slice() {
                        [name] => shared.push(self.ident(name)),
                        _ => self.unknown = true,
                    }
                }
                On::Shared(shared)
            }
        }
    }

    /// A join that merges columns is an entry of its own for names without a table.
    fn merged(
        &mut self,
        left: &[Item],
        right: &[Item],
        mut sides: Vec<Item>,
        shared: Option<Vec<&'a str>>,
        to_right: bool,
    ) -> Result<Vec<Item>, Unreadable> {
        let (left_columns, left_open) = self.side(left);
        let (right_columns, right_open) = self.side(right);
        self.spend(left_columns.len() + right_columns.len())?;
        let same = self.manner.same_column;
        let has = |columns: &[OutColumn<'a>], name: &str| {
            columns.iter().any(|column| same(column.name, name) > Sameness::No)
        };
        let open = left_open.is_some() || right_open.is_some();
        let unnamed = has(&left_columns, UNNAMED) || has(&right_columns, UNNAMED);
        let shared = shared.unwrap_or_else(|| {
            let common = left_columns.iter().map(|column| column.name);
            common.filter(|name| has(&right_columns, name)).collect()
        });
        let mut merged = Vec::with_capacity(left_columns.len() + right_columns.len());
        for name in &shared {
            let mut lineage = Lineage::constant();
            for columns in [&left_columns, &right_columns] {
                let found = columns
                    .iter()
                    .filter(|one| same(one.name, name) > Sameness::No || one.name == UNNAMED);
                found.for_each(|column| lineage.merge(column.lineage.clone()));
            }
            for open in [&left_open, &right_open].into_iter().flatten() {
                lineage.merge(open.clone());
            }
            self.read(&lineage);
            self.note_sorted(lineage.clone())?;
            merged.push(OutColumn { name, lineage });
        }
        let is_shared = |name: &str| shared.iter().any(|one| same(one, name) > Sameness::No);
        let rest = left_columns.into_iter().chain(right_columns);
        merged.extend(rest.filter(|column| !is_shared(column.name)));
        let mut more = both(left_open, right_open);
        if to_right || open || unnamed {
            // The order is another one, or not known: each column may be any.
            let rows = Rows { columns: Rc::new(merged.clone()), open: more, ..Rows::default() };
            let all = rows.union();
            more = open.then(|| all.clone());
            merged.iter_mut().for_each(|column| column.lineage = all.clone());
        }
        let bases = self.bases_of(&sides);
        sides.iter_mut().for_each(|item| item.columns = false);
        let entry = self.add_entry(Entry {
            name: "",
            plain: false,
            kind: EntryKind::Rows { columns: Rc::new(merged), open: more, reads: true },
            renamed: Vec::new(),
            bases,
        });
        sides.push(Item { entry, relation: false, columns: true });
        Ok(sides)
    }

    /// Every column in sight at the innermost level, read: what `*` stands for.
    pub(super) fn everything(&mut self) -> Result<Expansion<'a>, Unreadable> {
        let level = self.levels.len().saturating_sub(1);
        let chosen: Vec<usize> = self.levels.last().map_or_else(Vec::new, |found| {
            found.items.iter().filter(|item| item.columns).map(|item| item.entry).collect()
        });
        if chosen.is_empty() {
            return Ok((Vec::new(), Some(Lineage::opaque())));
        }
        let (mut columns, mut open) = (Vec::new(), None);
        for entry in chosen {
            let (more, maybe) = self.whole_entry(level, entry)?;
            columns.extend(more);
            open = both(open, maybe);
        }
        Ok((columns, open))
    }

    /// The columns of one entry, read.
    pub(super) fn whole_entry(
        &mut self,
        level: usize,
        entry: usize,
    ) -> Result<Expansion<'a>, Unreadable> {
        let (columns, open) = self.expand(level, entry);
        self.spend(columns.len())?;
        let mut all = open.clone().unwrap_or_default();
        for column in &columns {
            all.merge(column.lineage.clone());
        }
        self.read_whole(level, entry, &all);
        Ok((columns, open))
    }
}
