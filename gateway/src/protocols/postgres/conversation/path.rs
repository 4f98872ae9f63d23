//! The search path of a session that changes it, asked of the server itself.
//!
//! Owns when to ask and what an answer changes. Must not know who may change it. What unqualified
//! names mean depends on the path, and on who the session is; once either has been changed, the
//! server is asked before each further text is read, until it is back at what it began with. While
//! it cannot be asked, nothing is read whose meaning could have moved.

use std::sync::Arc;

use wire::postgres::TransactionStatus;
use wire::postgres::backend::{DataRow, Kind};
use wire::postgres::frontend::put_query;

use super::answers::{Show, unexpected};
use super::expected::Answer;
use super::{Conversation, Ended};
use crate::protocols::postgres::lines::Lines;
use crate::protocols::postgres::words::{Complaint, state};
use crate::session::Statements;
use crate::session::sql::{DiscardWhat, SettingValue, Statement, StatementKind};

/// The schemas that are really looked in, one a row, in order.
const QUESTION: &[u8] = b"SELECT schema FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) \
    WITH ORDINALITY AS path(schema, place) ORDER BY place";

/// What is known of the path.
#[derive(Debug)]
pub(super) struct Path {
    /// What the session began with.
    began: Arc<[Arc<str>]>,
    /// Whether something has changed it.
    moved: bool,
    /// Whether it may have changed since the server was asked.
    stale: bool,
    /// How often it has changed.
    pub(super) number: u64,
}

/// What becomes of a request, as far as names go.
pub(super) enum Names {
    /// They mean what is known, or nothing that has any will run.
    Known,
    /// Wait for the answer.
    Wait,
    /// They cannot be known at this place.
    Lost,
}

impl Path {
    pub(super) const fn new(began: Arc<[Arc<str>]>) -> Self {
        Self { began, moved: false, stale: false, number: 0 }
    }
}

impl Conversation {
    /// Something is run that may change what names mean.
    pub(super) fn note_moves(&mut self, statements: &Statements) {
        let path = &mut self.path;
        path.moved |= statements.statements().iter().any(moves);
        path.stale |= path.moved && statements.statements().iter().any(may_move_back);
    }

    /// Something has failed, and what was done before it in the same transaction is undone.
    pub(super) const fn note_failure(&mut self) {
        self.path.stale |= self.path.moved;
    }

    /// Whether what unqualified names mean may have changed since the server was asked.
    pub(super) const fn path_is_unknown(&self) -> bool {
        self.path.stale
    }

    /// Asks the server for its path where what is known may be old.
    pub(super) fn know_names(&mut self, lines: &mut Lines) -> Names {
        if !self.path.stale {
            return Names::Known;
        }
        if self.batch_open {
            return Names::Lost;
        }
        if self.owed.is_empty() && self.status == TransactionStatus::Failed {
            // All that runs now is the end of the transaction.
            return Names::Known;
        }
        if self.owed.is_empty() {
            let mut out = Vec::new();
            put_query(&mut out, QUESTION);
            lines.gate.protocol(&out);
            self.owe(Answer::Path(Vec::new()), Vec::new());
            self.end_batch();
        }
        Names::Wait
    }

    /// Whether what a text's names mean depends on what is known only while it runs.
    pub(super) fn path_is_lost_in(&self, statements: &Statements) -> bool {
        // What is run by name is read under the path of now, not under one that the text sets.
        let mut all = statements.statements().iter().skip_while(|one| !moves(one));
        let runs = all.any(|one| one.refers_to.is_some());
        runs || (self.path.moved && !self.keeps_path(statements) && goes_on_after_end(statements))
    }

    /// Whether the path is the same before and after every transaction that a text ends: each
    /// begins in it, and none changes a setting.
    fn keeps_path(&self, statements: &Statements) -> bool {
        let begins = self.status == TransactionStatus::Idle
            && self.owed.is_empty()
            && !self.batch_open
            && !self.path.stale;
        begins && !statements.statements().iter().any(changes_settings)
    }

    /// The server has told its path.
    pub(super) fn path_came(&mut self, schemas: Vec<Arc<str>>, status: TransactionStatus) {
        let schemas: Arc<[Arc<str>]> = schemas.into();
        self.path.stale = false;
        if status == TransactionStatus::Idle && schemas == self.path.began {
            self.path.moved = false;
        }
        if schemas == self.place.search_path {
            return;
        }
        self.place.search_path = Arc::clone(&schemas);
        self.session.set_search_path(super::super::DIALECT, schemas);
        self.path.number += 1;
    }
}

/// Takes a message of the answer.
pub(super) fn collect(schemas: &mut Vec<Arc<str>>, kind: Kind, body: &[u8]) -> Result<Show, Ended> {
    match kind {
        Kind::DataRow => {
            let row = DataRow::read(body).ok();
            let name = row.as_ref().and_then(|row| row.values().next()?.ok()?);
            let name = name.and_then(|name| str::from_utf8(name).ok());
            schemas.push(name.ok_or_else(|| unexpected(kind))?.into());
        }
        Kind::RowDescription | Kind::CommandComplete => {}
        other => return Err(unexpected(other)),
    }
    Ok(Show::No)
}

/// Whether a text ends a transaction, in which the path may have been changed, and goes on: then
/// what names mean is known only while it runs.
fn goes_on_after_end(statements: &Statements) -> bool {
    let mut rest = statements.statements().iter().skip_while(|one| !ends_transaction(one)).skip(1);
    rest.any(|one| !one.kind.controls_transaction())
}

const fn ends_transaction(statement: &Statement) -> bool {
    matches!(
        statement.kind,
        StatementKind::Commit { .. }
            | StatementKind::Rollback { .. }
            | StatementKind::RollbackTo { .. }
            | StatementKind::EndBranch { .. }
            | StatementKind::PrepareTransaction { .. }
    )
}

/// The words for a text that cannot be read now.
pub(super) fn lost() -> Complaint {
    Complaint::new(
        state::FEATURE_NOT_SUPPORTED,
        "portcullis: what names mean cannot be known here, because the search path was changed",
    )
    .with_hint("End the batch or transaction in a message of its own before going on.")
}

/// Whether it may end a change of the path, or make another.
fn may_move_back(statement: &Statement) -> bool {
    ends_transaction(statement) || changes_settings(statement)
}

fn changes_settings(statement: &Statement) -> bool {
    !statement.settings.is_empty()
        || matches!(statement.kind, StatementKind::Reset { .. } | StatementKind::Discard { .. })
}

fn moves(statement: &Statement) -> bool {
    let named = |name: &str| matches!(name, "search_path" | "role" | "session_authorization");
    let resets = matches!(
        statement.kind,
        StatementKind::Reset { name: None } | StatementKind::Discard { what: DiscardWhat::All }
    );
    !resets
        && statement.settings.iter().any(|change| {
            change.name.as_deref().is_none_or(named) && change.value != SettingValue::Default
        })
}
