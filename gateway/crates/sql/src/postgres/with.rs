//! `WITH`: named queries, read when they are first used, recursive ones more than once.
//!
//! Owns the state of each named query while it is read. Must not know the clauses of a query
//! (`query`).

use std::rc::Rc;

use pg_raw_parse::{Node, nodes};

use super::analyser::Analyser;

use super::query::rename;
use crate::Unreadable;
use crate::walk::rows::{Lineage, OutColumn, Rows, settled_rows, union};

/// How often a recursive `WITH` query is read before its columns are no longer told apart.
const RECURSIVE_PASSES_MAX: usize = 4;

/// A `WITH` query in sight.
pub(super) struct Cte<'a> {
    pub(super) name: &'a str,
    pub(super) node: Option<&'a nodes::CommonTableExpr>,
    pub(super) state: CteState<'a>,
    /// Levels in sight from inside it.
    pub(super) levels: usize,
    /// `WITH` queries in sight from inside it.
    pub(super) ctes: usize,
}

/// How far a `WITH` query is.
pub(super) enum CteState<'a> {
    /// Not looked at yet.
    Waiting,
    /// Being looked at: what it is known to give so far.
    Running { rows: Rows<'a>, consulted: bool },
    /// Known.
    Done(Rows<'a>),
}

impl<'a> Analyser<'a> {
    /// What a `WITH` query of this name gives, if one is in sight.
    pub(super) fn cte(&mut self, name: &str) -> Result<Option<Rows<'a>>, Unreadable> {
        let Some(index) = self.ctes.iter().rposition(|cte| cte.name == name) else {
            return Ok(None);
        };
        if matches!(self.ctes.get(index).map(|cte| &cte.state), Some(CteState::Waiting)) {
            self.run_cte(index)?;
        }
        let rows = self.ctes.get_mut(index).map(|cte| match &mut cte.state {
            CteState::Waiting => Rows { open: Some(Lineage::opaque()), ..Rows::default() },
            CteState::Running { rows, consulted } => {
                *consulted = true;
                rows.clone()
            }
            CteState::Done(rows) => rows.clone(),
        });
        let Some(rows) = rows else { return Ok(None) };
        let rows = self.read_again(rows)?;
        let state = self.ctes.get(index).map(|cte| &cte.state);
        let running = matches!(state, Some(CteState::Running { .. }));
        Ok(Some(if running { self.recursing(rows) } else { rows }))
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
        let levels = levels.min(self.levels.len());
        let inner_levels = self.levels.split_off(levels);
        let inner_ctes = self.ctes.split_off(ctes.min(self.ctes.len()));
        let hidden = self.step_aside(None);
        let rows = self.cte_rows(index, node, recursive);
        self.step_aside(hidden);
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
            let before = self.recursion();
            rows = self.recursive_rows(index, node)?;
            self.recursion_ends(before);
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
            known = self.each_its_own(known);
            self.set_running(index, known.clone());
            let mut next = self.query(node.ctequery())?;
            rename(&mut next, node.aliascolnames());
            if settled_rows(&known) == settled_rows(&next) {
                return Ok(self.each_its_own(next));
            }
            known = union(known, next);
        }
        let all = known.union();
        let columns = known
            .columns
            .iter()
            .map(|column| OutColumn { name: column.name, lineage: all.clone() });
        let columns = Rc::new(columns.collect());
        Ok(self.each_its_own(Rows { columns, ..known }))
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
