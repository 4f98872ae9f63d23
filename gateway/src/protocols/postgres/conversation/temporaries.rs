//! The temporary tables of a session that makes some, asked of the server itself.
//!
//! Owns when to ask. Must not know what is masked. Temporary tables are in no snapshot of the
//! catalogue, so what is not known of them is masked whole; where something is classified, the
//! server is asked for them before the next text is read. From the moment that something is sent
//! which may change them, nothing is known until the server has been asked again.

use wire::postgres::TransactionStatus;
use wire::postgres::backend::{DataRow, Kind};
use wire::postgres::frontend::put_query;

use super::answers::{Show, unexpected};
use super::expected::Answer;
use super::{Conversation, Ended};
use crate::protocols::postgres::lines::Lines;
use crate::session::sql::{Statement, StatementKind};
use crate::session::{OwnTables, Statements};

/// Their columns. Views are left out: what they show is not theirs. Operators are qualified, since
/// the search path may be the workload's.
const QUESTION: &[u8] = b"SELECT c.oid, a.attnum, c.relname, a.attname FROM pg_catalog.pg_class c \
    JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid \
    WHERE c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema() \
    AND (c.relkind OPERATOR(pg_catalog.=) 'r' OR c.relkind OPERATOR(pg_catalog.=) 'p') \
    AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped";

/// Columns that are remembered. Raised, a session of many temporary tables needs more memory;
/// beyond, nothing is known of any.
const COLUMNS_MAX: usize = 10_000;

/// What is known of the temporary tables.
#[derive(Debug, Default)]
pub(super) struct Temporaries {
    /// Whether the session has made any.
    made: bool,
    /// Whether the server is to be asked.
    stale: bool,
    /// Whether relations were made or changed that the snapshot cannot list yet: a name may mean
    /// one of these.
    unlisted: bool,
}

impl Conversation {
    /// Something is run that may make, change or drop temporary tables.
    pub(super) fn note_temporaries(&mut self, statements: &Statements) {
        let state = &mut self.temporaries;
        for statement in statements.statements() {
            state.made |= !statement.creates_temporary.is_empty();
            state.unlisted |= makes_others(statement);
            state.stale |= state.made && may_change(statement);
        }
        if state.stale || self.calls.any() {
            self.session.set_own_tables(None);
        }
    }

    /// Something has failed, and what was done before it in the same transaction is undone.
    pub(super) fn temporaries_may_be_gone(&mut self) {
        self.temporaries.stale |= self.temporaries.made;
        if self.temporaries.stale {
            self.session.set_own_tables(None);
        }
    }

    /// The snapshot lists what there is now.
    pub(super) const fn everything_is_listed(&mut self) {
        self.temporaries.stale |= self.temporaries.unlisted && self.temporaries.made;
        self.temporaries.unlisted = false;
    }

    /// Asks the server for the temporary tables where what is known of them may be old. Says
    /// whether the request at hand must wait for that. Where they cannot be asked for, it goes on
    /// without.
    pub(super) fn learn_temporaries(&mut self, lines: &mut Lines) -> bool {
        // A function, also one that a default calls, may have put anything into them.
        let trusted = !self.calls.any() && !self.session.masks().columns.is_empty();
        let asks = self.temporaries.stale && trusted;
        if !asks || self.batch_open || self.status == TransactionStatus::Failed {
            return false;
        }
        if self.owed.is_empty() {
            let mut out = Vec::new();
            put_query(&mut out, QUESTION);
            lines.gate.protocol(&out);
            self.owe(Answer::Temporaries(Box::default()), Vec::new());
            self.end_batch();
        }
        true
    }

    /// The server has listed them.
    pub(super) fn temporaries_came(&mut self, mut tables: OwnTables) {
        self.temporaries.stale = false;
        if self.temporaries.unlisted {
            tables.forget_names();
        }
        self.session.set_own_tables((tables.len() < COLUMNS_MAX).then_some(tables));
    }
}

/// Takes a message of the answer.
pub(super) fn collect(tables: &mut OwnTables, kind: Kind, body: &[u8]) -> Result<Show, Ended> {
    match kind {
        Kind::DataRow => {
            if tables.len() < COLUMNS_MAX {
                take(tables, body).ok_or_else(|| unexpected(kind))?;
            }
        }
        Kind::RowDescription | Kind::CommandComplete => {}
        other => return Err(unexpected(other)),
    }
    Ok(Show::No)
}

fn take(tables: &mut OwnTables, body: &[u8]) -> Option<()> {
    let row = DataRow::read(body).ok()?;
    let mut values = row.values().map(|value| str::from_utf8(value.ok()??).ok());
    let (relation, attribute) = (values.next()??, values.next()??);
    let (table, column) = (values.next()??, values.next()??);
    tables.add(relation.parse().ok()?, attribute.parse().ok()?, table, column);
    Some(())
}

/// Whether a relation that is not temporary may be new, or hold others' rows, without the snapshot
/// listing it.
fn makes_others(statement: &Statement) -> bool {
    match statement.kind {
        StatementKind::Create { object: "index" } | StatementKind::Drop { .. } => false,
        _ => statement.kind.changes_catalog() && statement.creates_temporary.is_empty(),
    }
}

/// Whether temporary tables may be others afterwards.
const fn may_change(statement: &Statement) -> bool {
    statement.kind.changes_catalog()
        || matches!(
            statement.kind,
            StatementKind::Commit { .. }
                | StatementKind::Rollback { .. }
                | StatementKind::RollbackTo { .. }
                | StatementKind::PrepareTransaction { .. }
                | StatementKind::Discard { .. }
                | StatementKind::Unknown
        )
}
