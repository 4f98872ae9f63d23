//! Queries: `SELECT`, `VALUES`, `TABLE`, set operations and `WITH`.
//!
//! Owns the order in which the server looks at the clauses of a query. Must not know
//! expressions' insides, nor what is written (`write`).

use std::rc::Rc;

use model::Action;
use pg_raw_parse::{ConstValue, Node, nodes, raw};

use super::analyser::Analyser;
use super::namespace::{Cte, CteState, Level};
use super::rows::{Expansion, Lineage, OutColumn, Rows};
use crate::Unreadable;
use crate::lineage::{Form, OutputLineage, Outputs};

/// How often a recursive `WITH` query is read before its columns are no longer told apart.
const RECURSIVE_PASSES_MAX: usize = 4;

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
        let rows = Rows { columns: Rc::new(columns), open, bases };
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
        self.predicate(select.limit_offset())?;
        self.predicate(select.limit_count())
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
            right.extend(leftmost.rarg());
            let Some(left) = leftmost.larg() else { break };
            leftmost = left;
        }
        let mut rows = self.descend(|this| this.select(leftmost))?;
        for branch in right.into_iter().rev() {
            let more = self.descend(|this| this.select(branch))?;
            rows = union(rows, more);
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
            open = super::namespace::both(open, maybe);
            for (index, value) in values.into_iter().enumerate() {
                match columns.get_mut(index) {
                    Some(column) => column.lineage.merge(value.lineage),
                    None => columns.push(OutColumn { name: values_name(index), ..value }),
                }
            }
        }
        let mut rows = Rows { columns: Rc::new(columns), open: None, bases: Vec::new() };
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
                        open = super::namespace::both(open, maybe);
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
                open = super::namespace::both(open, maybe);
                continue;
            }
            let lineage = self.expression(target.val())?;
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
                Some(name) if self.has_column(name) => self.predicate(other),
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
                self.note_oracle(column.lineage.clone());
                Ok(())
            }
            None => self.predicate(node),
        }
    }

    pub(super) fn window(&mut self, window: &'a nodes::WindowDef) -> Result<(), Unreadable> {
        for partition in window.partition_clause() {
            self.predicate(partition)?;
        }
        for sort in window.order_clause() {
            self.operator(sort.use_op());
            self.predicate(sort.node())?;
        }
        self.predicate(window.start_offset())?;
        self.predicate(window.end_offset())
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

    /// Puts the queries of a `WITH` clause in sight; the caller takes them away again.
    pub(super) fn with_clause(
        &mut self,
        with: Option<&'a nodes::WithClause>,
    ) -> Result<(), Unreadable> {
        let Some(with) = with else { return Ok(()) };
        let (first, levels) = (self.ctes.len(), self.levels.len());
        let ctes = if with.recursive { first + with.ctes().len() } else { 0 };
        for cte in with.ctes() {
            let name = cte.ctename().unwrap_or_default();
            let index = self.ctes.len();
            let floor = if with.recursive { ctes } else { index };
            let state = CteState::Waiting;
            self.ctes.push(Cte { name, node: Some(cte), state, levels, ctes: floor });
            if !with.recursive {
                self.run_cte(index)?;
            }
        }
        if with.recursive {
            for index in first..ctes {
                self.run_cte(index)?;
            }
        }
        Ok(())
    }

    /// Works out what a `WITH` query gives, seen from where it stands.
    pub(super) fn run_cte(&mut self, index: usize) -> Result<(), Unreadable> {
        let Some(cte) = self.ctes.get_mut(index) else { return Ok(()) };
        let (CteState::Waiting, Some(node)) = (&cte.state, cte.node) else { return Ok(()) };
        let (levels, ctes) = (cte.levels, cte.ctes);
        let recursive = ctes > index;
        if recursive {
            let rows = Rows { open: Some(Lineage::opaque()), ..Rows::default() };
            cte.state = CteState::Running { rows, consulted: false };
        }
        let inner_levels = self.levels.split_off(levels.min(self.levels.len()));
        let inner_ctes = self.ctes.split_off(ctes.min(self.ctes.len()));
        let rows = self.cte_rows(index, node, recursive);
        // Without RECURSIVE the query itself is among those taken away: it does not see itself.
        self.ctes.extend(inner_ctes);
        self.levels.extend(inner_levels);
        if let Some(cte) = self.ctes.get_mut(index) {
            cte.state = CteState::Done(rows?);
        }
        Ok(())
    }

    fn cte_rows(
        &mut self,
        index: usize,
        node: &'a nodes::CommonTableExpr,
        recursive: bool,
    ) -> Result<Rows<'a>, Unreadable> {
        let mut rows = self.query(node.ctequery())?;
        rename(&mut rows, node.aliascolnames());
        if recursive && self.consulted(index) {
            rows = self.recursive_rows(index, node)?;
        }
        self.search_and_cycle(node, &mut rows)?;
        Ok(rows)
    }

    fn consulted(&self, index: usize) -> bool {
        let state = self.ctes.get(index).map(|cte| &cte.state);
        matches!(state, Some(CteState::Running { consulted: true, .. }))
    }

    /// A query that reads its own result: read again with what is known so far until nothing is
    /// added.
    fn recursive_rows(
        &mut self,
        index: usize,
        node: &'a nodes::CommonTableExpr,
    ) -> Result<Rows<'a>, Unreadable> {
        let Node::SelectStmt(select) = node.ctequery() else {
            return Ok(Rows { open: Some(Lineage::opaque()), ..Rows::default() });
        };
        let ctes = self.ctes.len();
        self.with_clause(select.with_clause())?;
        let start = match select.larg() {
            Some(start) => self.descend(|this| this.select(start)),
            None => Ok(Rows { open: Some(Lineage::opaque()), ..Rows::default() }),
        };
        self.ctes.truncate(ctes);
        let mut known = start?;
        rename(&mut known, node.aliascolnames());
        for _ in 0..RECURSIVE_PASSES_MAX {
            self.set_running(index, known.clone());
            let mut next = self.query(node.ctequery())?;
            rename(&mut next, node.aliascolnames());
            if same(&known, &next) {
                return Ok(next);
            }
            known = union(known, next);
        }
        let all = known.union();
        let columns = known
            .columns
            .iter()
            .map(|column| OutColumn { name: column.name, lineage: all.clone() });
        Ok(Rows { columns: Rc::new(columns.collect()), ..known })
    }

    fn set_running(&mut self, index: usize, rows: Rows<'a>) {
        if let Some(cte) = self.ctes.get_mut(index) {
            cte.state = CteState::Running { rows, consulted: false };
        }
    }

    /// The columns that `SEARCH` and `CYCLE` add.
    fn search_and_cycle(
        &mut self,
        node: &'a nodes::CommonTableExpr,
        rows: &mut Rows<'a>,
    ) -> Result<(), Unreadable> {
        let mut added: Vec<OutColumn<'a>> = Vec::new();
        if let Some(search) = node.search_clause() {
            let lineage = columns_named(rows, search.search_col_list());
            added.push(OutColumn { name: search.search_seq_column().unwrap_or_default(), lineage });
        }
        if let Some(cycle) = node.cycle_clause() {
            let mut mark = self.expression(cycle.cycle_mark_value())?;
            mark.merge(self.expression(cycle.cycle_mark_default())?);
            let path = columns_named(rows, cycle.cycle_col_list());
            let names = [cycle.cycle_mark_column(), cycle.cycle_path_column()];
            for (name, lineage) in names.into_iter().zip([mark, path]) {
                added.push(OutColumn { name: name.unwrap_or_default(), lineage });
            }
        }
        Rc::make_mut(&mut rows.columns).extend(added);
        Ok(())
    }

    /// The end of a query at the top of a statement.
    pub(super) fn outputs(&self, rows: &Rows<'a>) -> Outputs {
        if rows.open.is_some() {
            return Outputs::Unknown;
        }
        let columns = rows.columns.iter().map(|column| {
            let mut lineage = column.lineage.clone();
            lineage.settle();
            let mut sources: Vec<_> =
                lineage.sources.iter().map(|origin| self.source(*origin)).collect();
            sources.sort_unstable();
            sources.dedup();
            let form = if sources.len() == 1 { lineage.form } else { Form::Derived };
            OutputLineage { name: column.name.into(), sources, form, opaque: lineage.opaque }
        });
        Outputs::Columns(columns.collect())
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

/// Column by column, the union of two branches; the names are the first's.
fn union<'a>(mut one: Rows<'a>, other: Rows<'a>) -> Rows<'a> {
    if one.open.is_some() || other.open.is_some() {
        // Places cannot be matched: every column may be any.
        let mut all = one.union();
        all.merge(other.union());
        one.open = Some(all);
        return one;
    }
    let columns = Rc::make_mut(&mut one.columns);
    for (column, other) in columns.iter_mut().zip(other.columns.iter()) {
        column.lineage.merge(other.lineage.clone());
        column.lineage.settle();
    }
    one.bases.extend(other.bases);
    one
}

fn same(one: &Rows<'_>, other: &Rows<'_>) -> bool {
    let settled = |lineage: &Lineage| {
        let mut lineage = lineage.clone();
        lineage.settle();
        (lineage.sources, lineage.opaque)
    };
    one.columns.len() == other.columns.len()
        && one.open.as_ref().map(settled) == other.open.as_ref().map(settled)
        && one
            .columns
            .iter()
            .zip(other.columns.iter())
            .all(|(one, other)| settled(&one.lineage) == settled(&other.lineage))
}

/// Gives the first columns these names.
pub(super) fn rename<'a>(rows: &mut Rows<'a>, names: &'a pg_raw_parse::list::NodeList) {
    if names.is_empty() {
        return;
    }
    if rows.open.is_some() {
        let all = rows.union();
        *rows = Rows { open: Some(all), bases: std::mem::take(&mut rows.bases), ..Rows::default() };
        return;
    }
    let columns = Rc::make_mut(&mut rows.columns);
    for (column, name) in columns.iter_mut().zip(names.iter().filter_map(Node::as_str)) {
        column.name = name;
    }
}

fn columns_named(rows: &Rows<'_>, names: &pg_raw_parse::list::NodeList) -> Lineage {
    let mut lineage = rows.open.clone().unwrap_or_default();
    for name in names.iter().filter_map(Node::as_str) {
        for column in rows.columns.iter().filter(|column| column.name == name) {
            lineage.merge(column.lineage.clone());
        }
    }
    lineage.derived()
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
