//! The walk over one statement, as far as it is the same for every grammar.
//!
//! Owns what has been gathered (relations touched, other accesses, columns used, settings
//! changed), which names are in sight, where values come from, and the budget of nodes and depth.
//! Must not know a grammar: a dialect's analyser stands around a walk and feeds it. Lives for one
//! statement, whose [`Statement`] it ends as.

pub(crate) mod accesses;
pub(crate) mod compared;
pub(crate) mod manner;
pub(crate) mod names;
pub(crate) mod namespace;
pub(crate) mod rows;
pub(crate) mod shown;
pub(crate) mod sight;

use std::cell::Cell;
use std::sync::Arc;

use model::{Access, Action, Object, ObjectPath};
use rustc_hash::FxHashMap;

use self::compared::Compared;
use self::manner::Manner;
use self::names::Touched;
use self::namespace::Level;
use self::rows::{Lineage, Origin};
use crate::lineage::{ColumnWrite, Outputs};
use crate::statement::{Referral, SettingChange, Statement, StatementKind};
use crate::{AnalysisLimits, Scope, Unreadable};

/// Stack left at which a deeper call moves to a new piece of it, and the size of that piece.
const STACK_RED_ZONE: usize = 96 * 1024;
const STACK_PIECE: usize = 1024 * 1024;

/// What every statement of a text shares.
pub(crate) struct Reading<'a> {
    pub(crate) scope: &'a Scope<'a>,
    pub(crate) limits: &'a AnalysisLimits,
    pub(crate) database: Arc<str>,
    /// Whether unqualified names still mean what the scope says: not after a statement of the
    /// same text that changes the search path or the role.
    pub(crate) names_certain: bool,
    nodes_left: Cell<usize>,
    depth: Cell<usize>,
}

impl<'a> Reading<'a> {
    /// A reading with this much of the budget left.
    pub(crate) fn new(
        scope: &'a Scope<'a>,
        limits: &'a AnalysisLimits,
        names_certain: bool,
        nodes_left: usize,
    ) -> Self {
        let database = scope.database.into();
        let (nodes_left, depth) = (Cell::new(nodes_left), Cell::new(0));
        Self { scope, limits, database, names_certain, nodes_left, depth }
    }

    /// What is left of the budget.
    pub(crate) const fn nodes_left(&self) -> usize {
        self.nodes_left.get()
    }
}

/// What has been gathered of one statement so far.
pub(crate) struct Walk<'a> {
    pub(crate) reading: &'a Reading<'a>,
    pub(crate) manner: &'static Manner,
    pub(crate) touched: Vec<Touched<'a>>,
    pub(crate) touched_index: FxHashMap<(&'a str, &'a str), u32>,
    pub(crate) names: Vec<&'a str>,
    pub(crate) name_index: FxHashMap<&'a str, u32>,
    pub(crate) others: Vec<Access>,
    pub(crate) oracles: Vec<Origin>,
    pub(crate) compared: Compared,
    pub(crate) levels: Vec<Level<'a>>,
    pub(crate) settings: Vec<SettingChange>,
    pub(crate) writes: Vec<ColumnWrite>,
    pub(crate) creates_temporary: Vec<Arc<str>>,
    pub(crate) refers_to: Option<Referral>,
    pub(crate) unknown: bool,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(reading: &'a Reading<'a>, manner: &'static Manner) -> Self {
        Self {
            reading,
            manner,
            touched: Vec::new(),
            touched_index: FxHashMap::default(),
            names: Vec::new(),
            name_index: FxHashMap::default(),
            others: Vec::new(),
            oracles: Vec::new(),
            compared: Compared::default(),
            levels: Vec::new(),
            settings: Vec::new(),
            writes: Vec::new(),
            creates_temporary: Vec::new(),
            refers_to: None,
            unknown: false,
        }
    }

    pub(crate) fn scope(&self) -> &'a Scope<'a> {
        self.reading.scope
    }

    /// Takes some of the budget: one for a node, more for work that is not a node.
    pub(crate) fn spend(&self, nodes: usize) -> Result<(), Unreadable> {
        match self.reading.nodes_left.get().checked_sub(nodes) {
            Some(left) => {
                self.reading.nodes_left.set(left);
                Ok(())
            }
            None => Err(Unreadable::TooComplex { nodes_max: self.reading.limits.nodes_max }),
        }
    }

    /// The columns were used without being shown.
    pub(crate) fn note_oracle(&mut self, lineage: Lineage) {
        if !lineage.varies.is_empty() {
            self.mention(&lineage.varies);
        }
        self.oracles.extend(lineage.sources);
    }

    /// Needs an action on something that is no relation.
    pub(crate) fn need(&mut self, action: Action, object: Object) {
        self.others.push(Access { action, object });
    }

    /// Needs an action on something that is named directly below the database.
    pub(crate) fn need_named(&mut self, action: Action, kind: &'static str, parts: &[&str]) {
        let path = ObjectPath::new(
            std::iter::once(self.reading.database.clone())
                .chain(parts.iter().map(|part| Arc::from(*part))),
        );
        self.need(action, Object::Named { kind, path });
    }

    /// Needs an action on something that is named for the whole server: a role, a setting.
    pub(crate) fn need_global(&mut self, action: Action, kind: &'static str, name: &str) {
        self.need(action, Object::Named { kind, path: ObjectPath::new([name]) });
    }

    /// The end of the walk.
    pub(crate) fn finish(mut self, kind: StatementKind, outputs: Outputs) -> Statement {
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

/// Goes one level deeper in the walk of `analyser`, with stack enough for it.
pub(crate) fn descend<A, T>(
    analyser: &mut A,
    reading: &Reading<'_>,
    deeper: impl FnOnce(&mut A) -> Result<T, Unreadable>,
) -> Result<T, Unreadable> {
    let limits = reading.limits;
    let left = reading.nodes_left.get().checked_sub(1);
    reading.nodes_left.set(left.ok_or(Unreadable::TooComplex { nodes_max: limits.nodes_max })?);
    let depth = reading.depth.get();
    let depth_max = limits.depth_max;
    if depth >= depth_max {
        return Err(Unreadable::TooDeep { depth_max });
    }
    reading.depth.set(depth + 1);
    let result = stacker::maybe_grow(STACK_RED_ZONE, STACK_PIECE, || deeper(analyser));
    reading.depth.set(depth);
    result
}

impl Statement {
    pub(crate) fn with_kind(self, kind: StatementKind) -> Self {
        Self { kind, ..self }
    }

    /// Gives the statement, and what it holds, its place in the text.
    pub(crate) fn place(&mut self, range: &std::ops::Range<usize>) {
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

/// A statement around another one, which it needs whole.
pub(crate) fn around(
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
