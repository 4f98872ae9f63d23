//! `WITH`: named queries, read when they are first used, recursive ones more than once.
//!
//! Owns the state of each named query while it is read. Must not know the clauses of a query
//! (`query`).

use sqlparser::ast::{Cte as CteNode, Ident, SetExpr, With};

use super::analyser::Analyser;
use crate::Unreadable;
use crate::walk::rows::{Lineage, Rows, settled_rows, union};

/// How often a recursive `WITH` query is read before its columns are no longer told apart.
const RECURSIVE_PASSES_MAX: usize = 4;

/// A `WITH` query in sight.
pub(super) struct Cte<'a> {
    pub(super) name: &'a str,
    node: &'a CteNode,
    state: State<'a>,
    /// Levels in sight from inside it.
    levels: usize,
    /// `WITH` queries in sight from inside it.
    ctes: usize,
}

enum State<'a> {
    Waiting,
    /// Being looked at: what it is known to give so far.
    Running {
        rows: Rows<'a>,
        consulted: bool,
    },
    Done(Rows<'a>),
}

fn anything<'a>() -> Rows<'a> {
    Rows { open: Some(Lineage::opaque()), ..Rows::default() }
}

impl<'a> Analyser<'a> {
    /// Puts the queries of a `WITH` clause in sight; the caller takes them away again.
    pub(super) fn with_clause(&mut self, with: Option<&'a With>) -> Result<(), Unreadable> {
        let Some(With { with_token: _, recursive, cte_tables }) = with else { return Ok(()) };
        let (first, levels) = (self.ctes.len(), self.levels.len());
        let end = first + cte_tables.len();
        for node in cte_tables {
            let CteNode { alias, query: _, from, materialized, closing_paren_token: _ } = node;
            self.unknown |= from.is_some() || materialized.is_some() || alias.at.is_some();
            let name = self.table_name(&alias.name);
            let index = self.ctes.len();
            let ctes = if *recursive { end } else { index };
            self.ctes.push(Cte { name, node, state: State::Waiting, levels, ctes });
            if !*recursive {
                self.run_cte(index)?;
            }
        }
        if *recursive {
            for index in first..end {
                self.run_cte(index)?;
            }
        }
        Ok(())
    }

    /// What a `WITH` query of this name gives, if one is in sight.
    pub(super) fn cte(&mut self, name: &str) -> Result<Option<Rows<'a>>, Unreadable> {
        let same = self.manner.same_relation;
        let Some(index) = self.ctes.iter().rposition(|cte| same(cte.name, name)) else {
            return Ok(None);
        };
        if matches!(self.ctes.get(index).map(|cte| &cte.state), Some(State::Waiting)) {
            self.run_cte(index)?;
        }
        let Some(cte) = self.ctes.get_mut(index) else { return Ok(None) };
        let (rows, running) = match &mut cte.state {
            State::Waiting => (anything(), false),
            State::Running { rows, consulted } => {
                *consulted = true;
                (rows.clone(), true)
            }
            State::Done(rows) => (rows.clone(), false),
        };
        let rows = self.read_again(rows)?;
        Ok(Some(if running { self.recursing(rows) } else { rows }))
    }

    /// Works out what a `WITH` query gives, seen from where it stands.
    fn run_cte(&mut self, index: usize) -> Result<(), Unreadable> {
        let Some(cte) = self.ctes.get_mut(index) else { return Ok(()) };
        let State::Waiting = cte.state else { return Ok(()) };
        let (node, levels, ctes) = (cte.node, cte.levels, cte.ctes);
        let recursive = ctes > index;
        if recursive {
            cte.state = State::Running { rows: anything(), consulted: false };
        }
        let levels = levels.min(self.levels.len());
        let inner_levels = self.levels.split_off(levels);
        let ctes = ctes.min(self.ctes.len());
        let inner_ctes = self.ctes.split_off(ctes);
        let hidden = self.step_aside(None);
        let rows = self.cte_rows(index, node, recursive);
        self.step_aside(hidden);
        // Without RECURSIVE the query itself is among those taken away: it does not see itself.
        self.ctes.extend(inner_ctes);
        self.levels.extend(inner_levels);
        if let Some(cte) = self.ctes.get_mut(index) {
            cte.state = State::Done(rows?);
        }
        Ok(())
    }

    fn cte_rows(
        &mut self,
        index: usize,
        node: &'a CteNode,
        recursive: bool,
    ) -> Result<Rows<'a>, Unreadable> {
        let mut rows = self.query(&node.query)?;
        self.rename(&mut rows, &node.alias);
        let state = self.ctes.get(index).map(|cte| &cte.state);
        if recursive && matches!(state, Some(State::Running { consulted: true, .. })) {
            let before = self.recursion();
            rows = self.recursive_rows(index, node)?;
            self.recursion_ends(before);
        }
        Ok(rows)
    }

    /// A query that reads its own result: read again with what is known so far until nothing is
    /// added.
    fn recursive_rows(&mut self, index: usize, node: &'a CteNode) -> Result<Rows<'a>, Unreadable> {
        let SetExpr::SetOperation { left, .. } = node.query.body.as_ref() else {
            return Ok(anything());
        };
        let ctes = self.ctes.len();
        self.with_clause(node.query.with.as_ref())?;
        let start = self.descend(|this| this.body(left));
        self.ctes.truncate(ctes);
        let mut known = start?;
        self.rename(&mut known, &node.alias);
        for _ in 0..RECURSIVE_PASSES_MAX {
            known = self.each_its_own(known);
            self.set_running(index, known.clone());
            let mut next = self.query(&node.query)?;
            self.rename(&mut next, &node.alias);
            if settled_rows(&known) == settled_rows(&next) {
                return Ok(self.each_its_own(next));
            }
            known = union(known, next);
        }
        let all = known.union();
        let columns = std::rc::Rc::make_mut(&mut known.columns);
        columns.iter_mut().for_each(|column| column.lineage = all.clone());
        Ok(self.each_its_own(known))
    }

    fn set_running(&mut self, index: usize, rows: Rows<'a>) {
        if let Some(cte) = self.ctes.get_mut(index) {
            cte.state = State::Running { rows, consulted: false };
        }
    }

    /// Gives the columns the names of an alias.
    pub(super) fn rename(&mut self, rows: &mut Rows<'a>, alias: &'a sqlparser::ast::TableAlias) {
        let mut names = Vec::with_capacity(alias.columns.len());
        for column in &alias.columns {
            self.unknown |= column.data_type.is_some();
            names.push(self.ident(&column.name));
        }
        rows.rename(&names);
    }

    pub(super) fn rename_to(&mut self, rows: &mut Rows<'a>, names: &'a [Ident]) {
        let names: Vec<&'a str> = names.iter().map(|name| self.ident(name)).collect();
        rows.rename(&names);
    }
}
