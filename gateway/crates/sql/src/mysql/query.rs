//! Queries: `SELECT`, `VALUES`, `TABLE` and set operations.
//!
//! Owns the order in which the server looks at the clauses of a query, and the clauses that are
//! not MySQL's: each makes the statement unknown. Must not know expressions' insides.

use std::rc::Rc;

use sqlparser::ast::{
    Distinct, Expr, Fetch, GroupByExpr, GroupByWithModifier, LimitClause, Offset, OrderBy,
    OrderByExpr, OrderByKind, OrderByOptions, OrderBySort, Query, Select, SelectFlavor, SetExpr,
    SetOperator, SetQuantifier, Table, Values, WindowSpec,
};

use model::Action;

use super::analyser::Analyser;
use crate::Unreadable;
use crate::walk::namespace::Level;
use crate::walk::rows::{OutColumn, Rows, union};

impl<'a> Analyser<'a> {
    pub(super) fn query(&mut self, query: &'a Query) -> Result<Rows<'a>, Unreadable> {
        self.descend(|this| this.inner_query(query))
    }

    fn inner_query(&mut self, query: &'a Query) -> Result<Rows<'a>, Unreadable> {
        let Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        self.unknown |= for_clause.is_some()
            || settings.is_some()
            || format_clause.is_some()
            || !pipe_operators.is_empty();
        let ctes = self.ctes.len();
        self.with_clause(with.as_ref())?;
        self.levels.push(Level::default());
        let rows = self.sorted_body(body, order_by.as_ref(), limit_clause.as_ref());
        self.levels.pop();
        self.ctes.truncate(ctes);
        let rows = rows?;
        if let Some(Fetch { with_ties: _, percent: _, quantity: Some(quantity) }) = fetch {
            self.count_of_rows(quantity)?;
        }
        // Sharing a lock keeps writers away, which reading does not.
        if !locks.is_empty() {
            for touched in rows.bases.clone() {
                self.use_relation(touched, Action::Update);
            }
        }
        Ok(rows)
    }

    /// A query's body, and its tail with the body's names in sight where it is a single `SELECT`.
    fn sorted_body(
        &mut self,
        body: &'a SetExpr,
        order_by: Option<&'a OrderBy>,
        limit: Option<&'a LimitClause>,
    ) -> Result<Rows<'a>, Unreadable> {
        let rows = if let SetExpr::Select(select) = body {
            self.simple_select(select)?
        } else {
            let rows = self.body(body)?;
            let items = self.rows_entry("", rows.clone());
            self.in_sight(items);
            rows
        };
        self.order_by(order_by, &rows)?;
        self.limit(limit)?;
        Ok(rows)
    }

    /// Set operations lean to the left: the left spine is walked in a loop, since thousands of
    /// `UNION ALL` are honest.
    pub(super) fn body(&mut self, top: &'a SetExpr) -> Result<Rows<'a>, Unreadable> {
        let mut branches = Vec::new();
        let mut leftmost = top;
        while let SetExpr::SetOperation { left, op, set_quantifier, right } = leftmost {
            self.spend(1)?;
            match set_quantifier {
                SetQuantifier::All | SetQuantifier::Distinct | SetQuantifier::None => {}
                SetQuantifier::ByName
                | SetQuantifier::AllByName
                | SetQuantifier::DistinctByName => self.unknown = true,
            }
            branches.push((*op, right));
            leftmost = left;
        }
        let mut rows = self.branch(leftmost)?;
        for (op, branch) in branches.into_iter().rev() {
            let more = self.branch(branch)?;
            self.note_branch(&more)?;
            rows = match op {
                SetOperator::Union => union(rows, more),
                SetOperator::Except | SetOperator::Intersect => self.matched(rows, more)?,
                SetOperator::Minus => {
                    self.unknown = true;
                    self.matched(rows, more)?
                }
            };
        }
        Ok(rows)
    }

    fn branch(&mut self, body: &'a SetExpr) -> Result<Rows<'a>, Unreadable> {
        self.descend(|this| match body {
            SetExpr::Select(select) => {
                this.levels.push(Level::default());
                let rows = this.simple_select(select);
                this.levels.pop();
                rows
            }
            SetExpr::Query(query) => this.query(query),
            SetExpr::SetOperation { .. } => this.body(body),
            SetExpr::Values(values) => this.values(values),
            SetExpr::Table(table) => this.table(table),
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                let open = Some(this.not_understood());
                Ok(Rows { open, ..Rows::default() })
            }
        })
    }

    fn simple_select(&mut self, select: &'a Select) -> Result<Rows<'a>, Unreadable> {
        let Select {
            select_token: _,
            optimizer_hints: _,
            distinct,
            select_modifiers: _,
            top,
            top_before_distinct: _,
            projection,
            exclude,
            into,
            from,
            lateral_views,
            prewhere,
            selection,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having,
            named_window,
            qualify,
            window_before_qualify: _,
            value_table_mode,
            flavor,
        } = select;
        self.unknown |= top.is_some()
            || exclude.is_some()
            || into.is_some()
            || !lateral_views.is_empty()
            || prewhere.is_some()
            || !connect_by.is_empty()
            || !cluster_by.is_empty()
            || !distribute_by.is_empty()
            || !sort_by.is_empty()
            || qualify.is_some()
            || value_table_mode.is_some()
            || *flavor != SelectFlavor::Standard;
        for item in from {
            self.add_table_with_joins(item)?;
        }
        let (columns, open) = self.select_items(projection)?;
        let bases = self
            .levels
            .last()
            .map(|level| level.entries.iter().flat_map(|entry| &entry.bases).copied().collect())
            .unwrap_or_default();
        let single = from.is_empty();
        let rows = Rows { columns: Rc::new(columns), open, bases, single };
        self.predicate(selection.as_ref())?;
        if let Some(level) = self.levels.last_mut() {
            level.results_in_sight = true;
        }
        self.group_by(group_by, &rows)?;
        self.predicate(having.as_ref())?;
        for window in named_window {
            let sqlparser::ast::NamedWindowDefinition(name, window) = window;
            self.ident(name);
            match window {
                sqlparser::ast::NamedWindowExpr::NamedWindow(name) => {
                    self.ident(name);
                }
                sqlparser::ast::NamedWindowExpr::WindowSpec(window) => self.window(window)?,
            }
        }
        match distinct {
            None | Some(Distinct::All) => {}
            Some(Distinct::Distinct) => {}
            Some(Distinct::On(_)) => self.unknown = true,
        }
        Ok(rows)
    }

    fn group_by(&mut self, group_by: &'a GroupByExpr, rows: &Rows<'a>) -> Result<(), Unreadable> {
        let (expressions, modifiers) = match group_by {
            GroupByExpr::Expressions(expressions, modifiers) => (expressions.as_slice(), modifiers),
            GroupByExpr::All(modifiers) => {
                self.unknown = true;
                (&[] as &[Expr], modifiers)
            }
        };
        for modifier in modifiers {
            match modifier {
                GroupByWithModifier::Rollup => {}
                GroupByWithModifier::Cube
                | GroupByWithModifier::Totals
                | GroupByWithModifier::GroupingSets(_) => self.unknown = true,
            }
        }
        expressions.iter().try_for_each(|expression| self.sorted_by(expression, rows))
    }

    pub(super) fn order_by(
        &mut self,
        order_by: Option<&'a OrderBy>,
        rows: &Rows<'a>,
    ) -> Result<(), Unreadable> {
        let Some(OrderBy { kind, interpolate }) = order_by else { return Ok(()) };
        self.unknown |= interpolate.is_some();
        match kind {
            OrderByKind::Expressions(list) => {
                list.iter().try_for_each(|sort| self.order_by_one(sort, rows))
            }
            OrderByKind::All(_) => {
                self.unknown = true;
                Ok(())
            }
        }
    }

    pub(super) fn order_by_one(
        &mut self,
        sort: &'a OrderByExpr,
        rows: &Rows<'a>,
    ) -> Result<(), Unreadable> {
        let OrderByExpr { expr, options: OrderByOptions { sort, nulls_first }, with_fill } = sort;
        self.unknown |= with_fill.is_some()
            || nulls_first.is_some()
            || matches!(sort, Some(OrderBySort::Using(_)));
        self.sorted_by(expr, rows)
    }

    /// An expression to sort or group by: an output's number, or an expression in which names may
    /// mean outputs.
    fn sorted_by(&mut self, expr: &'a Expr, rows: &Rows<'a>) -> Result<(), Unreadable> {
        if let Some(number) = position(expr) {
            let column = number.checked_sub(1).and_then(|index| rows.columns.get(index));
            let lineage = match column {
                Some(column) if rows.open.is_none() => column.lineage.clone(),
                _ => rows.union(),
            };
            self.spend(lineage.sources.len() + 1)?;
            return self.note_sorted(lineage);
        }
        let lineage = self.expression(expr)?;
        self.note_sorted(lineage)
    }

    fn limit(&mut self, limit: Option<&'a LimitClause>) -> Result<(), Unreadable> {
        match limit {
            None => Ok(()),
            Some(LimitClause::LimitOffset { limit, offset, limit_by }) => {
                self.unknown |= !limit_by.is_empty();
                if let Some(limit) = limit {
                    self.count_of_rows(limit)?;
                }
                match offset {
                    Some(Offset { value, rows: _ }) => self.count_of_rows(value),
                    None => Ok(()),
                }
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => {
                self.count_of_rows(offset)?;
                self.count_of_rows(limit)
            }
        }
    }

    /// An expression that decides how many rows there are.
    pub(super) fn count_of_rows(&mut self, expr: &'a Expr) -> Result<(), Unreadable> {
        let lineage = self.expression(expr)?;
        self.note_meeting(crate::comparison::Meeting::Counted, &lineage)?;
        self.note_oracle(lineage);
        Ok(())
    }

    pub(super) fn window(&mut self, window: &'a WindowSpec) -> Result<(), Unreadable> {
        let WindowSpec { window_name, partition_by, order_by, window_frame } = window;
        if let Some(name) = window_name {
            self.ident(name);
        }
        let none = Rows::default();
        for partition in partition_by {
            let lineage = self.expression(partition)?;
            self.note_sorted(lineage)?;
        }
        for sort in order_by {
            self.order_by_one(sort, &none)?;
        }
        let Some(frame) = window_frame else { return Ok(()) };
        for bound in std::iter::once(&frame.start_bound).chain(&frame.end_bound) {
            use sqlparser::ast::WindowFrameBound as Bound;
            match bound {
                Bound::CurrentRow | Bound::Preceding(None) | Bound::Following(None) => {}
                Bound::Preceding(Some(offset)) | Bound::Following(Some(offset)) => {
                    self.count_of_rows(offset)?;
                }
            }
        }
        Ok(())
    }

    fn values(&mut self, values: &'a Values) -> Result<Rows<'a>, Unreadable> {
        let Values { explicit_row: _, value_keyword: _, rows: lists } = values;
        let mut columns: Vec<OutColumn<'a>> = Vec::new();
        for row in lists {
            for (index, value) in row.content.iter().enumerate() {
                let lineage = self.expression(value)?;
                match columns.get_mut(index) {
                    Some(column) => column.lineage.merge(lineage),
                    // `column_0` in MySQL, the text of the first value in MariaDB.
                    None => {
                        columns.push(OutColumn { name: crate::walk::namespace::UNNAMED, lineage })
                    }
                }
            }
        }
        let single = lists.len() == 1;
        Ok(Rows { columns: Rc::new(columns), single, ..Rows::default() })
    }

    /// `TABLE t`: all of its columns.
    fn table(&mut self, table: &'a Table) -> Result<Rows<'a>, Unreadable> {
        let Table { table_name, schema_name } = table;
        let Some(name) = table_name else {
            let open = Some(self.not_understood());
            return Ok(Rows { open, ..Rows::default() });
        };
        self.levels.push(Level::default());
        let item = self.table_by_name(schema_name.as_deref(), name);
        let rows = item.and_then(|items| {
            self.in_sight(items);
            let (columns, open) = self.everything()?;
            Ok(Rows { columns: Rc::new(columns), open, ..Rows::default() })
        });
        self.levels.pop();
        rows
    }
}

/// The number of an output.
fn position(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Value(value) => match &value.value {
            sqlparser::ast::Value::Number(number, _) => number.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}
