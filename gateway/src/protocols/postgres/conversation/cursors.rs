//! Cursors that code of the server's opens: functions that answer with a `refcursor`, blocks of
//! `DO`.
//!
//! Owns what the session has called, since one of these calls has opened whatever cursor the
//! session has not declared itself. Must not know a message. No text tells what such a cursor
//! reads: to fetch from it needs what all the calls needed, and its rows are those of a function.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Access, Action};

use crate::session::Statements;

/// Different calls that are remembered. Raised, a session that calls many functions needs more
/// memory; one that has called more fetches from no cursor that it has not declared.
const CALLS_MAX: usize = 256;

/// What the session has called.
#[derive(Debug, Default)]
pub(super) struct Calls {
    needed: BTreeSet<Access>,
}

impl Calls {
    /// Something is run.
    pub(super) fn note(&mut self, statements: &Statements) {
        for call in calls(statements) {
            // One more than can be counted on stands for all that are not remembered.
            if self.needed.len() <= CALLS_MAX && !self.needed.contains(call) {
                self.needed.insert(call.clone());
            }
        }
    }

    /// Whether anything was called.
    pub(super) fn any(&self) -> bool {
        !self.needed.is_empty()
    }

    /// The reading of a cursor that something called has opened, perhaps in the very text that
    /// fetches from it; nothing where nothing can have.
    pub(super) fn opened(&self, within: &Statements) -> Option<Arc<Statements>> {
        let mut needed = self.needed.clone();
        needed.extend(calls(within).cloned());
        let known = !needed.is_empty() && needed.len() <= CALLS_MAX;
        known.then(|| Statements::opened_by(needed.into_iter().collect()))
    }
}

fn calls(statements: &Statements) -> impl Iterator<Item = &Access> {
    let accesses = statements.operation.accesses.iter();
    accesses.filter(|one| matches!(one.action, Action::Execute | Action::Code | Action::Unknown))
}
