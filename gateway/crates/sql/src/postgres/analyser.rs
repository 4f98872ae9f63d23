//! The state of one statement's walk, and its end as a [`Statement`].
//!
//! Owns what has been gathered (relations touched, other accesses, columns used, settings
//! changed) and the budget of nodes and depth. Lives for one statement.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

use model::{Access, Action, Object, ObjectPath};
use pg_raw_parse::{Node, StmtList};
use rustc_hash::FxHashMap;

use super::compared::Compared;
use super::names::Touched;
use super::namespace::{Cte, Level};
use super::rows::{Lineage, Origin};
use crate::lineage::{ColumnWrite, Outputs};
use crate::statement::{Analysis, DiscardWhat, Referral, SettingChange, Statement, StatementKind};
use crate::{AnalysisLimits, Scope, Unreadable};

/// Stack left at which a deeper call moves to a new piece of it, and the size of that piece.
const STACK_RED_ZONE: usize = 96 * 1024;
const STACK_PIECE: usize = 1024 * 1024;

/// What every statement of a text shares.
pub(super) struct Reading<'a> {
    pub(super) scope: &'a Scope<'a>,
    pub(super) limits: &'a AnalysisLimits,
    pub(super) database: Arc<str>,
    /// Whether unqualified names still mean what the scope says: not after a statement of the
    /// same text that changes the search path or the role.
    pub(super) names_certain: bool,
    nodes_left: Cell<usize>,
    depth: Cell<usize>,
}

/// The walk over one statement.
pub(super) struct Analyser<'a> {
    pub(super) reading: &'a Reading<'a>,
    pub(super) touched: Vec<Touched<'a>>,
    pub(super) touched_index: FxHashMap<(&'a str, &'a str), u32>,
    pub(super) names: Vec<&'a str>,
    pub(super) name_index: FxHashMap<&'a str, u32>,
    pub(super) others: Vec<Access>,
    pub(super) oracles: Vec<Origin>,
    pub(super) compared: Compared,
    pub(super) levels: Vec<Level<'a>>,
    pub(super) ctes: Vec<Cte<'a>>,
    /// The `WHERE` of each query that the walk is inside.
    pub(super) conditions: Vec<Node<'a>>,
    pub(super) settings: Vec<SettingChange>,
    pub(super) writes: Vec<ColumnWrite>,
    pub(super) creates_temporary: Vec<Arc<str>>,
    pub(super) refers_to: Option<Referral>,
    pub(super) into: Option<&'a pg_raw_parse::nodes::IntoClause>,
    pub(super) unknown: bool,
}

/// Reads every statement of a tree.
pub(super) fn read_all(
    text: &str,
    tree: &StmtList,
    scope: &Scope<'_>,
    limits: &AnalysisLimits,
) -> Result<Analysis, Unreadable> {
    let statements_max = limits.statements_max;
    if tree.len() > statements_max {
        return Err(Unreadable::TooMany { statements_max });
    }
    let database: Arc<str> = scope.database.into();
    let mut temporary = scope.temporary.to_vec();
    let mut names_certain = true;
    let mut nodes_left = limits.nodes_max;
    let mut statements = Vec::with_capacity(tree.len());
    for raw in tree {
        let range = statement_range(text, raw.stmt_location, raw.stmt_len);
        let now = Scope { temporary: &temporary, ..*scope };
        let reading = Reading {
            scope: &now,
            limits,
            database: database.clone(),
            names_certain,
            nodes_left: Cell::new(nodes_left),
            depth: Cell::new(0),
        };
        let mut statement = Analyser::new(&reading).statement(raw.stmt())?;
        nodes_left = reading.nodes_left.get();
        statement.place(&range);
        // The server reads the next statement after it has run this one.
        names_certain &= !moves_names(&statement);
        temporary.extend(statement.creates_temporary.iter().cloned());
        statements.push(statement);
    }
    Ok(Analysis { statements })
}

/// Whether unqualified names may mean something else afterwards.
fn moves_names(statement: &Statement) -> bool {
    let moving = |name: &str| matches!(name, "search_path" | "role" | "session_authorization");
    statement.settings.iter().any(|change| change.name.as_deref().is_none_or(moving))
        || matches!(
            statement.kind,
            StatementKind::Reset { name: None } | StatementKind::Discard { what: DiscardWhat::All }
        )
}

impl Statement {
    fn with_kind(self, kind: StatementKind) -> Self {
        Self { kind, ..self }
    }

    /// Gives the statement, and what it holds, its place in the text.
    fn place(&mut self, range: &Range<usize>) {
        self.range.clone_from(range);
        match &mut self.kind {
            StatementKind::Explain { inner, .. }
            | StatementKind::Prepare { inner, .. }
            | StatementKind::DeclareCursor { inner, .. }
            | StatementKind::CopyOut { inner: Some(inner), .. } => inner.place(range),
            _ => {}
        }
    }
}

impl<'a> Analyser<'a> {
    pub(super) fn new(reading: &'a Reading<'a>) -> Self {
        Self {
            reading,
            touched: Vec::new(),
            touched_index: FxHashMap::default(),
            names: Vec::new(),
            name_index: FxHashMap::default(),
            others: Vec::new(),
            oracles: Vec::new(),
            compared: Compared::default(),
            levels: Vec::new(),
            ctes: Vec::new(),
            conditions: Vec::new(),
            settings: Vec::new(),
            writes: Vec::new(),
            creates_temporary: Vec::new(),
            refers_to: None,
            into: None,
            unknown: false,
        }
    }

    pub(super) fn scope(&self) -> &'a Scope<'a> {
        self.reading.scope
    }

    /// Takes some of the budget: one for a node, more for work that is not a node.
    pub(super) fn spend(&self, nodes: usize) -> Result<(), Unreadable> {
        match self.reading.nodes_left.get().checked_sub(nodes) {
            Some(left) => {
                self.reading.nodes_left.set(left);
                Ok(())
            }
            None => Err(Unreadable::TooComplex { nodes_max: self.reading.limits.nodes_max }),
        }
    }

    /// Goes one level deeper, with stack enough for it.
    pub(super) fn descend<T>(
        &mut self,
        deeper: impl FnOnce(&mut Self) -> Result<T, Unreadable>,
    ) -> Result<T, Unreadable> {
        self.spend(1)?;
        let depth = self.reading.depth.get();
        let depth_max = self.reading.limits.depth_max;
        if depth >= depth_max {
            return Err(Unreadable::TooDeep { depth_max });
        }
        self.reading.depth.set(depth + 1);
        let result = stacker::maybe_grow(STACK_RED_ZONE, STACK_PIECE, || deeper(self));
        self.reading.depth.set(depth);
        result
    }

    /// Something the walk does not know: nothing but a rule for `unknown` grants the statement.
    pub(super) fn not_understood(&mut self, _node: Node<'a>) -> Lineage {
        self.unknown = true;
        Lineage::opaque()
    }

    /// The columns were used without being shown.
    pub(super) fn note_oracle(&mut self, lineage: Lineage) {
        if !lineage.varies.is_empty() {
            self.mention(&lineage.varies);
        }
        self.oracles.extend(lineage.sources);
    }

    /// Needs an action on something that is no relation.
    pub(super) fn need(&mut self, action: Action, object: Object) {
        self.others.push(Access { action, object });
    }

    /// Needs an action on something that is named directly below the database.
    pub(super) fn need_named(&mut self, action: Action, kind: &'static str, parts: &[&str]) {
        let path = ObjectPath::new(
            std::iter::once(self.reading.database.clone())
                .chain(parts.iter().map(|part| Arc::from(*part))),
        );
        self.need(action, Object::Named { kind, path });
    }

    /// Needs an action on something that is named for the whole server: a role, a setting.
    pub(super) fn need_global(&mut self, action: Action, kind: &'static str, name: &str) {
        self.need(action, Object::Named { kind, path: ObjectPath::new([name]) });
    }

    /// The end of the walk.
    pub(super) fn finish(mut self, kind: StatementKind, outputs: Outputs) -> Statement {
        if self.writes_settings() {
            self.change_setting(None, crate::SettingValue::Computed, false);
        }
        if self.unknown {
            self.need_named(Action::Unknown, "statement", &[]);
        }
        let accesses = self.accesses();
        let relations = self.touched_relations();
        let mut read_columns: Vec<_> =
            std::mem::take(&mut self.oracles).into_iter().map(|one| self.source(one)).collect();
        read_columns.sort_unstable();
        read_columns.dedup();
        let comparisons = self.comparisons();
        Statement {
            kind,
            range: 0..0,
            accesses,
            relations,
            outputs,
            read_columns,
            comparisons,
            writes_from: self.writes,
            settings: self.settings,
            refers_to: self.refers_to,
            creates_temporary: self.creates_temporary,
        }
    }
}

/// A statement around another one, which it needs whole.
pub(super) fn around(
    inner: Statement,
    outputs: Outputs,
    kind: impl FnOnce(Box<Statement>) -> StatementKind,
) -> Statement {
    Statement {
        kind: StatementKind::Unknown,
        range: 0..0,
        accesses: inner.accesses.clone(),
        relations: inner.relations.clone(),
        outputs,
        read_columns: inner.read_columns.clone(),
        comparisons: inner.comparisons.clone(),
        writes_from: inner.writes_from.clone(),
        settings: inner.settings.clone(),
        refers_to: inner.refers_to.clone(),
        creates_temporary: inner.creates_temporary.clone(),
    }
    .with_kind(kind(Box::new(inner)))
}

/// The statement's bytes without the space around it. The grammar gives its start, and its
/// length unless it is the last.
fn statement_range(text: &str, location: i32, length: i32) -> Range<usize> {
    let start = usize::try_from(location).unwrap_or(0).min(text.len());
    let length = usize::try_from(length).unwrap_or(0);
    let end = if length == 0 { text.len() } else { (start + length).min(text.len()) };
    let Some(statement) = text.get(start..end) else { return 0..text.len() };
    let leading = statement.len() - statement.trim_start().len();
    let trailing = statement.len() - statement.trim_end().len();
    if leading == statement.len() {
        return start..start;
    }
    start + leading..end - trailing
}
