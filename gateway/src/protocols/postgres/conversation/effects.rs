//! What statements do to names, and what names stand for.
//!
//! Owns the resolution of `EXECUTE`, `FETCH` and `Bind` to the text that was prepared or declared,
//! read anew each time under what names mean now. Must not know a message. Effects are made when a
//! request is forwarded and come with the way to take them back.

use std::sync::Arc;

use super::Conversation;
use super::expected::{Description, NameUndo, Portal, Prepared};
use crate::protocols::postgres::names::Found;
use crate::protocols::postgres::words::{Complaint, state};
use crate::session::sql::{DiscardWhat, Referral, Statement, StatementKind};
use crate::session::{Refusal, Statements};

/// Bytes of a name that the server tells apart (`NAMEDATALEN` less its NUL).
const NAME_BYTES_MAX: usize = 63;
/// How deep a name may stand for something that runs another name.
const REFERRALS_MAX: usize = 4;

/// A name as the server compares it.
pub(super) fn key(name: &[u8]) -> &[u8] {
    name.get(..NAME_BYTES_MAX).unwrap_or(name)
}

/// A text, with everything it runs by name.
#[derive(Debug)]
pub(super) enum Resolved {
    /// Read whole.
    Ready(Arc<Statements>, Vec<(usize, NameUndo)>),
    /// It depends on answers that have not come.
    Wait,
    /// A name stands for nothing.
    Missing(Complaint),
    /// It cannot be read.
    Refused(Refusal),
}

/// Why a name could not be resolved.
enum Unresolved {
    Wait,
    Missing(Complaint),
    Refused(Refusal),
}

impl From<Unresolved> for Resolved {
    fn from(unresolved: Unresolved) -> Self {
        match unresolved {
            Unresolved::Wait => Self::Wait,
            Unresolved::Missing(complaint) => Self::Missing(complaint),
            Unresolved::Refused(refusal) => Self::Refused(refusal),
        }
    }
}

impl Conversation {
    /// Joins statements with what they run by name and makes their effects on names, statement by
    /// statement, since a later one may run what an earlier one has named. Where this fails, no
    /// effect is left.
    pub(super) fn resolve(&mut self, text: &str, statements: &Arc<Statements>) -> Resolved {
        let plain = statements.statements().iter().all(|one| {
            one.refers_to.is_none() && !names_something(one) && one.creates_temporary.is_empty()
        });
        if plain {
            return Resolved::Ready(Arc::clone(statements), Vec::new());
        }
        let mut inner = Vec::new();
        let mut effects: Vec<(usize, NameUndo)> = Vec::new();
        for (which, statement) in statements.statements().iter().enumerate() {
            if let Some(referral) = &statement.refers_to {
                match self.referred(referral, REFERRALS_MAX, statements) {
                    Ok(reading) => inner.push((which, reading)),
                    Err(unresolved) => {
                        self.take_back_effects(effects);
                        return unresolved.into();
                    }
                }
            }
            self.apply(statement, statement_text(text, statement), which, &mut effects);
            if !statement.creates_temporary.is_empty() {
                self.session.add_temporary(&statement.creates_temporary);
            }
        }
        Resolved::Ready(statements.joined(&inner), effects)
    }

    /// Takes effects back, the last first.
    pub(super) fn take_back_effects(&mut self, effects: Vec<(usize, NameUndo)>) {
        for (_, undo) in effects.into_iter().rev() {
            self.undo(undo);
        }
    }

    /// What a name stands for, in a text of these statements.
    fn referred(
        &self,
        referral: &Referral,
        depth: usize,
        within: &Statements,
    ) -> Result<Arc<Statements>, Unresolved> {
        let (text, by_sql) = match referral {
            Referral::Prepared(name) => {
                let prepared = self.prepared(name.as_bytes())?;
                (Arc::clone(&prepared.text), prepared.by_sql)
            }
            Referral::Cursor(name) => match self.portals.get(key(name.as_bytes()), self.batch) {
                Found::Known(portal) if self.is_lost(&portal) => {
                    return Err(Unresolved::Missing(no_cursor(name)));
                }
                Found::Known(portal) => (Arc::clone(&portal.text), portal.by_sql),
                Found::Unsettled => return Err(Unresolved::Wait),
                // What the session has called may have opened it.
                Found::Missing => {
                    let opened = self.calls.opened(within);
                    return opened.ok_or_else(|| Unresolved::Missing(no_cursor(name)));
                }
            },
        };
        self.reading(&text, by_sql, depth)
    }

    /// Reads what a name stands for, and what that runs by name.
    fn reading(
        &self,
        text: &str,
        by_sql: bool,
        depth: usize,
    ) -> Result<Arc<Statements>, Unresolved> {
        let outer = self.session.read(text).map_err(Unresolved::Refused)?;
        let reading = if by_sql { outer.inner().unwrap_or(outer) } else { outer };
        let mut inner = Vec::new();
        for (which, statement) in reading.statements().iter().enumerate() {
            let Some(referral) = &statement.refers_to else { continue };
            let Some(depth) = depth.checked_sub(1) else {
                return Err(Unresolved::Missing(Complaint::new(
                    state::PROGRAM_LIMIT_EXCEEDED,
                    "portcullis: names stand for names too deep",
                )));
            };
            inner.push((which, self.referred(referral, depth, &reading)?));
        }
        Ok(reading.joined(&inner))
    }

    /// The reading of a prepared statement.
    pub(super) fn read_prepared(&self, prepared: &Prepared) -> Resolved {
        self.reading(&prepared.text, prepared.by_sql, REFERRALS_MAX)
            .map_or_else(Into::into, |reading| Resolved::Ready(reading, Vec::new()))
    }

    /// The reading of a cursor.
    pub(super) fn read_cursor(&self, portal: &Portal, name: &[u8]) -> Resolved {
        if self.is_lost(portal) {
            return Resolved::Missing(no_portal(name));
        }
        self.reading(&portal.text, portal.by_sql, REFERRALS_MAX)
            .map_or_else(Into::into, |reading| Resolved::Ready(reading, Vec::new()))
    }

    fn prepared(&self, name: &[u8]) -> Result<Arc<Prepared>, Unresolved> {
        match self.statements.get(key(name), self.batch) {
            Found::Known(prepared) => Ok(prepared),
            Found::Unsettled => Err(Unresolved::Wait),
            Found::Missing => Err(Unresolved::Missing(no_statement(name))),
        }
    }

    /// Whether a cursor cannot be read again: it means what its names meant when it was declared.
    const fn is_lost(&self, portal: &Portal) -> bool {
        portal.by_sql && portal.path != self.path.number
    }

    fn apply(
        &mut self,
        statement: &Statement,
        text: &str,
        which: usize,
        effects: &mut Vec<(usize, NameUndo)>,
    ) {
        let batch = self.batch;
        let mut made: Vec<NameUndo> = Vec::new();
        match &statement.kind {
            StatementKind::Prepare { name, .. } => {
                let prepared = Prepared { text: text.into(), by_sql: true };
                let undo = self.statements.set(key(name.as_bytes()), Arc::new(prepared), batch);
                made.push(NameUndo::Statement(undo));
            }
            StatementKind::Deallocate { name: Some(name) } => {
                let undo = self.statements.remove(key(name.as_bytes()), batch);
                made.extend(undo.map(NameUndo::Statement));
            }
            StatementKind::Deallocate { name: None } => {
                made.extend(self.statements.clear(batch).into_iter().map(NameUndo::Statement));
            }
            StatementKind::DeclareCursor { name, hold, .. } => {
                let portal = Portal {
                    text: text.into(),
                    by_sql: true,
                    hold: *hold,
                    path: self.path.number,
                    bound: None,
                    description: Description::default().into(),
                };
                let undo = self.portals.set(key(name.as_bytes()), Arc::new(portal), batch);
                made.push(NameUndo::Portal(undo));
            }
            StatementKind::Close { name: Some(name) } => {
                let undo = self.portals.remove(key(name.as_bytes()), batch);
                made.extend(undo.map(NameUndo::Portal));
            }
            StatementKind::Close { name: None } => {
                made.extend(self.portals.clear(batch).into_iter().map(NameUndo::Portal));
            }
            StatementKind::Discard { what: DiscardWhat::All } => {
                made.extend(self.portals.clear(batch).into_iter().map(NameUndo::Portal));
                made.extend(self.statements.clear(batch).into_iter().map(NameUndo::Statement));
            }
            _ => {}
        }
        effects.extend(made.into_iter().map(|undo| (which, undo)));
    }
}

/// Whether a statement gives a name a meaning or takes it away.
const fn names_something(statement: &Statement) -> bool {
    matches!(
        statement.kind,
        StatementKind::Prepare { .. }
            | StatementKind::Deallocate { .. }
            | StatementKind::DeclareCursor { .. }
            | StatementKind::Close { .. }
            | StatementKind::Discard { .. }
    )
}

/// The words for a prepared statement that is not there, which are the server's.
pub(super) fn no_statement(name: &[u8]) -> Complaint {
    let message = if name.is_empty() {
        String::from("unnamed prepared statement does not exist")
    } else {
        format!("prepared statement \"{}\" does not exist", String::from_utf8_lossy(name))
    };
    Complaint::new(state::INVALID_STATEMENT_NAME, message)
}

/// The words for a portal that is not there, which are the server's.
pub(super) fn no_portal(name: &[u8]) -> Complaint {
    Complaint::new(
        state::INVALID_CURSOR_NAME,
        format!("portal \"{}\" does not exist", String::from_utf8_lossy(name)),
    )
}

/// The words for a cursor that is not there, which are the server's.
fn no_cursor(name: &str) -> Complaint {
    Complaint::new(state::INVALID_CURSOR_NAME, format!("cursor \"{name}\" does not exist"))
}

/// The text of one statement.
fn statement_text<'a>(text: &'a str, statement: &Statement) -> &'a str {
    text.get(statement.range.clone()).unwrap_or(text)
}
