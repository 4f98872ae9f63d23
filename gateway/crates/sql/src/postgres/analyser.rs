//! Every statement of a text in turn, each with a walk of its own.
//!
//! Owns what is known from one statement to the next: names that move, temporary relations. An
//! analyser lives for one statement.

use std::ops::{Deref, DerefMut, Range};

use pg_raw_parse::{Node, StmtList};

use super::with::Cte;
use crate::lineage::Outputs;
use crate::statement::{Analysis, DiscardWhat, Statement, StatementKind};
use crate::walk::namespace::{Manner, Sameness};
use crate::walk::rows::Lineage;
use crate::walk::{self, Reading, Walk};
use crate::{AnalysisLimits, Scope, Unreadable};

/// The walk over one statement, with what only this grammar needs.
pub(super) struct Analyser<'a> {
    walk: Walk<'a>,
    pub(super) ctes: Vec<Cte<'a>>,
    /// The `WHERE` of each query that the walk is inside.
    pub(super) conditions: Vec<Node<'a>>,
    pub(super) into: Option<&'a pg_raw_parse::nodes::IntoClause>,
}

impl<'a> Deref for Analyser<'a> {
    type Target = Walk<'a>;

    fn deref(&self) -> &Self::Target {
        &self.walk
    }
}

impl DerefMut for Analyser<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.walk
    }
}

/// How the server looks for names.
static MANNER: Manner = Manner {
    system_columns: &["ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"],
    whole_rows: true,
    same_column: |one, other| if one == other { Sameness::Yes } else { Sameness::No },
    same_relation: |one, other| one == other,
    holds_others: |schema, name| schema == "pg_catalog" && super::functions::holds_others(name),
};

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
    let mut temporary = scope.temporary.to_vec();
    let mut names_certain = true;
    let mut nodes_left = limits.nodes_max;
    let mut statements = Vec::with_capacity(tree.len());
    for raw in tree {
        let range = statement_range(text, raw.stmt_location, raw.stmt_len);
        let now = Scope { temporary: &temporary, ..*scope };
        let reading = Reading::new(&now, limits, names_certain, nodes_left);
        let mut statement = Analyser::new(&reading).statement(raw.stmt())?;
        nodes_left = reading.nodes_left();
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

impl<'a> Analyser<'a> {
    pub(super) fn new(reading: &'a Reading<'a>) -> Self {
        let walk = Walk::new(reading, &MANNER);
        Self { walk, ctes: Vec::new(), conditions: Vec::new(), into: None }
    }

    /// Goes one level deeper, with stack enough for it.
    pub(super) fn descend<T>(
        &mut self,
        deeper: impl FnOnce(&mut Self) -> Result<T, Unreadable>,
    ) -> Result<T, Unreadable> {
        let reading = self.reading;
        walk::descend(self, reading, deeper)
    }

    /// Something the walk does not know: nothing but a rule for `unknown` grants the statement.
    pub(super) fn not_understood(&mut self, _node: Node<'a>) -> Lineage {
        self.unknown = true;
        Lineage::opaque()
    }

    /// The end of the walk.
    pub(super) fn finish(mut self, kind: StatementKind, outputs: Outputs) -> Statement {
        if self.writes_settings() {
            self.change_setting(None, crate::SettingValue::Computed, false);
        }
        self.walk.finish(kind, outputs)
    }
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
