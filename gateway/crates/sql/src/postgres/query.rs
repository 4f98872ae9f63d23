//! Queries: `SELECT`, `VALUES`, `TABLE` and set operations.
//!
//! Owns the order in which the server looks at the clauses of a query. Must not know
//! expressions' insides, nor what is written (`write`); `WITH` is in `with`.

use std::rc::Rc;

use model::Action;
use pg_raw_parse::{ConstValue, Node, nodes, raw};

use super::analyser::Analyser;
use crate::Unreadable;
use crate::walk::namespace::Level;
use crate::walk::rows::{Expansion, Lineage, OutColumn, Rows, union};

impl<'a> Analyser<'a> {
    /// A query, or a writing statement where one may stand: in `WITH`, `COPY`, `EXPLAIN`.
    pub(super) fn query(&mut self, node: Node<'a>) -> Result<Rows<'a>, Unreadable> {
        self.descend(|this| match node {
            Node::SelectStmt(select) => this.select(select),
            Node::InsertStmt(insert) => this.insert(insert),
            Node::UpdateStmt(update) => this.update(update),
            Node::DeleteStmt(delete) => this.delete(delete),
            Node::MergeStmt(merge) => this.merge(merge),
            other => {
                let open = Some(this.not_understood(other));
                Ok(Rows { open, ..Rows::default() })
            }
        })
    }

    pub(super) fn select(&mut self, select: &'a nodes::SelectStmt) -> Result<Rows<'a>, Unreadable> {
        let ctes = self.ctes.len();
        self.with_clause(select.with_clause())?;
        let rows = if select.op == raw::SetOperation::SETOP_NONE {
            self.levels.push(Level::default());
            self.conditions.push(select.where_clause());
            let rows = self.simple_select(select);
            self.conditions.pop();
            self.levels.pop();
            rows
        } else {
            self.set_operation(select)
        };
        self.ctes.truncate(ctes);
        rows
    }

    fn simple_select(&mut self, select: &'a nodes::SelectStmt) -> Result<Rows<'a>, Unreadable> {
        if let Some(into) = select.into_clause() {
            self.into = Some(into);
        }
        if !select.values_lists().is_empty() {
            let rows = self.values(select.values_lists())?;
            self.tail(select, &rows)?;
            return Ok(rows);
        }
        self.add_items(select.from_clause())?;
        let (columns, open) = self.targets(select.target_list().iter())?;
        let bases = self
            .levels
            .last()
            .map(|level| level.entries.iter().flat_map(|entry| &entry.bases).copied().collect())
            .unwrap_or_default();
        let single = select.from_clause().is_empty();
        let rows = Rows { columns: Rc::new(columns), open, bases, single };
        self.predicate(select.where_clause())?;
        for group in select.group_clause() {
            self.group_by(group, &rows)?;
        }
        self.predicate(select.having_clause())?;
        for window in select.window_clause() {
            match window {
                Node::WindowDef(window) => self.window(window)?,
                other => self.predicate(other)?,
            }
        }
        for distinct in select.distinct_clause() {
            self.order_by(distinct, &rows)?;
        }
        self.tail(select, &rows)?;
        self.locking(select, &rows);
        Ok(rows)
    }

    /// `ORDER BY`, `LIMIT` and `OFFSET`.
    fn tail(&mut self, select: &'a nodes::SelectStmt, rows: &Rows<'a>) -> Result<(), Unreadable> {
        for sort in select.sort_clause() {
            self.operator(sort.use_op());
            self.order_by(sort.node(), rows)?;
        }
        self.count_of_rows(select.limit_offset())?;
        self.count_of_rows(select.limit_count())
    }

    /// Set operations lean to the left: the left spine is walked in a loop, since thousands of
    /// `UNION ALL` are honest.
    fn set_operation(&mut self, top: &'a nodes::SelectStmt) -> Result<Rows<'a>, Unreadable> {
        let mut right = Vec::new();
        let mut leftmost = top;
        while leftmost.op != raw::SetOperation::SETOP_NONE
            && (std::ptr::eq(leftmost, top) || is_bare(leftmost))
        {
            self.spend(1)?;
            right.extend(leftmost.rarg().map(|branch| (leftmost.op, branch)));
            let Some(left) = leftmost.larg() else { break };
            leftmost = left;
        }
        let mut rows = self.descend(|this| this.select(leftmost))?;
        for (op, branch) in right.into_iter().rev() {
            let more = self.descend(|this| this.select(branch))?;
            self.note_branch(&more)?;
            rows = if op == raw::SetOperation::SETOP_UNION {
                union(rows, more)
            } else {
                self.matched(rows, more)?
            };
        }
        self.levels.push(Level::default());
        let items = self.rows_entry("", rows.clone(), None);
        self.in_sight(items);
        let tail = self.tail(top, &rows);
        self.locking(top, &rows);
        self.levels.pop();
        tail?;
        Ok(rows)
    }

    fn values(&mut self, lists: &'a pg_raw_parse::list::NodeList) -> Result<Rows<'a>, Unreadable> {
        let mut columns: Vec<OutColumn<'a>> = Vec::new();
        let mut open: Option<Lineage> = None;
        for row in lists {
            let Some(row) = row.as_node_list() else {
                self.not_understood(row);
                continue;
            };
            let (values, maybe) = self.expression_list(row)?;
            open = crate::walk::namespace::both(open, maybe);
            for (index, value) in values.into_iter().enumerate() {
                match columns.get_mut(index) {
                    Some(column) => column.lineage.merge(value.lineage),
                    None => columns.push(OutColumn { name: values_name(index), ..value }),
                }
            }
        }
        let single = lists.len() == 1;
        let mut rows = Rows { columns: Rc::new(columns), single, ..Rows::default() };
        if let Some(open) = open {
            // Columns of unknown number stand somewhere among these: any may be any.
            let mut all = rows.union();
            all.merge(open);
            rows = Rows { open: Some(all), ..Rows::default() };
        }
        Ok(rows)
    }

    /// Values side by side, in which `t.*` stands for several.
    pub(super) fn expression_list(
        &mut self,
        list: &'a pg_raw_parse::list::NodeList,
    ) -> Result<Expansion<'a>, Unreadable> {
        let mut columns = Vec::with_capacity(list.len());
        let mut open: Option<Lineage> = None;
        for value in list {
            let lineage = match value {
                // Most values of most statements, and nothing to know about them.
                Node::A_Const(_) | Node::ParamRef(_) | Node::SetToDefault(_) => {
                    self.spend(1)?;
                    Lineage::constant()
                }
                other => match self.star(other)? {
                    Some((more, maybe)) => {
                        columns.extend(more);
                        open = crate::walk::namespace::both(open, maybe);
                        continue;
                    }
                    None => self.expression(other)?,
                },
            };
            columns.push(OutColumn { name: "", lineage });
        }
        Ok((columns, open))
    }

    /// A target list, with `*` replaced by what it stands for.
    pub(super) fn targets<I: IntoIterator<Item = &'a nodes::ResTarget>>(
        &mut self,
        list: I,
    ) -> Result<Expansion<'a>, Unreadable> {
        let mut columns = Vec::new();
        let mut open: Option<Lineage> = None;
        for target in list {
            if let Some((more, maybe)) = self.star(target.val())? {
                columns.extend(more);
                open = crate::walk::namespace::both(open, maybe);
                continue;
            }
            let mut lineage = self.expression(target.val())?;
            lineage.fixed |= is_constant(target.val());
            let name = target.name().unwrap_or_else(|| super::label::default_name(target.val()));
            columns.push(OutColumn { name, lineage });
        }
        Ok((columns, open))
    }

    fn group_by(&mut self, node: Node<'a>, rows: &Rows<'a>) -> Result<(), Unreadable> {
        match node {
            Node::GroupingSet(set) => self.descend(|this| {
                set.content().iter().try_for_each(|node| this.group_by(node, rows))
            }),
            // The server prefers a column of FROM to an output's name here.
            other => match bare_name(other) {
                Some(name) if self.has_column(name) => self.sorted(other),
                _ => self.order_by(other, rows),
            },
        }
    }

    /// An expression of `ORDER BY` or `DISTINCT ON`: an output's name or number, or else an
    /// expression.
    fn order_by(&mut self, node: Node<'a>, rows: &Rows<'a>) -> Result<(), Unreadable> {
        let output = match node {
            Node::None => return Ok(()),
            Node::A_Const(constant) => match constant.val() {
                Some(ConstValue::Integer(number)) => usize::try_from(number)
                    .ok()
                    .and_then(|number| rows.columns.get(number.checked_sub(1)?)),
                _ => None,
            },
            other => bare_name(other)
                .and_then(|name| rows.columns.iter().find(|column| column.name == name)),
        };
        match output {
            Some(column) => {
                self.spend(column.lineage.sources.len() + 1)?;
                self.note_sorted(column.lineage.clone())
            }
            None => self.sorted(node),
        }
    }

    pub(super) fn window(&mut self, window: &'a nodes::WindowDef) -> Result<(), Unreadable> {
        for partition in window.partition_clause() {
            self.sorted(partition)?;
        }
        for sort in window.order_clause() {
            self.operator(sort.use_op());
            self.sorted(sort.node())?;
        }
        self.count_of_rows(window.start_offset())?;
        self.count_of_rows(window.end_offset())
    }

    /// Row locks need what an update needs.
    fn locking(&mut self, select: &'a nodes::SelectStmt, rows: &Rows<'a>) {
        for clause in select.locking_clause() {
            let named: Vec<&str> = clause
                .locked_rels()
                .iter()
                .filter_map(|node| match node {
                    Node::RangeVar(named) => named.relname(),
                    _ => None,
                })
                .collect();
            let chosen: Vec<u32> = self
                .levels
                .last()
                .map(|level| {
                    let entries = level.entries.iter();
                    let chosen = entries.filter(|entry| named.contains(&entry.name));
                    chosen.flat_map(|entry| entry.bases.iter().copied()).collect()
                })
                .unwrap_or_default();
            let locked = if chosen.is_empty() { rows.bases.clone() } else { chosen };
            for touched in locked {
                self.use_relation(touched, Action::Update);
            }
        }
    }
}

/// Whether a set operation has nothing of its own beside its two sides.
fn is_bare(select: &nodes::SelectStmt) -> bool {
    select.with_clause().is_none()
        && select.sort_clause().is_empty()
        && select.locking_clause().is_empty()
        && matches!(select.limit_offset(), Node::None)
        && matches!(select.limit_count(), Node::None)
}

/// Whether an expression is a constant or a parameter as it is.
fn is_constant(node: Node<'_>) -> bool {
    match node {
        Node::A_Const(_) | Node::ParamRef(_) => true,
        Node::TypeCast(cast) => matches!(cast.arg(), Node::A_Const(_) | Node::ParamRef(_)),
        _ => false,
    }
}

/// Gives the first columns these names.
pub(super) fn rename<'a>(rows: &mut Rows<'a>, names: &'a pg_raw_parse::list::NodeList) {
    let names: Vec<&'a str> = names.iter().filter_map(Node::as_str).collect();
    rows.rename(&names);
}

/// The name of an unqualified column reference.
pub(super) fn bare_name(node: Node<'_>) -> Option<&str> {
    match node {
        Node::ColumnRef(column) if column.fields().len() == 1 => {
            column.fields().first().and_then(Node::as_str)
        }
        _ => None,
    }
}

/// `column1` and so on, as the server names the columns of `VALUES`.
pub(super) fn values_name(index: usize) -> &'static str {
    const NAMES: [&str; 16] = [
        "column1", "column2", "column3", "column4", "column5", "column6", "column7", "column8",
        "column9", "column10", "column11", "column12", "column13", "column14", "column15",
        "column16",
    ];
    NAMES.get(index).copied().unwrap_or("?column?")
}
