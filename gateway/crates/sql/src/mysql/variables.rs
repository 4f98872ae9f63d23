//! User variables: whose values were judged when they were set, and when nobody judged them.
//!
//! Owns the question which statements may give variables values that are seen nowhere: routines
//! do, through `OUT` parameters and by themselves. From then on a variable may hold anything in this
//! session. Must not know an expression.

use model::{Access, Action, Object, ObjectPath};

use super::analyser::Analyser;
use super::call::SERVER;
use super::functions;
use crate::statement::TouchedRelation;
use crate::walk::rows::Lineage;

/// Stands among a session's [`temporary`](crate::Scope::temporary) relations once variables may
/// hold what nobody has judged.
pub const ANY_VARIABLE: &str = "@";

/// What the server itself does that is no function of its own.
const NO_FUNCTIONS: [&str; 2] = ["kill", "xa"];

/// Whether what needs these accesses may give any user variable any value.
#[must_use]
pub fn fills_variables(accesses: &[Access]) -> bool {
    accesses.iter().any(|access| match (access.action, &access.object) {
        (Action::Unknown, _) => true,
        (Action::Execute, Object::Function { path }) => !is_of_server(path),
        _ => false,
    })
}

fn is_of_server(path: &ObjectPath) -> bool {
    match path.0.as_slice() {
        [_, database, name] => {
            **database == *SERVER
                && (functions::of_server(name).is_some() || NO_FUNCTIONS.contains(&&**name))
        }
        _ => false,
    }
}

impl<'a> Analyser<'a> {
    /// A user variable. What it holds was judged when it was set, unless a routine set it; where
    /// this very statement sets it, it may differ from row to row.
    pub(super) fn variable(&mut self, name: &'a str) -> Lineage {
        self.reads_variables = true;
        if self.assigned.iter().any(|assigned| assigned == name) {
            let row = self.fresh_row();
            return Lineage { opaque: true, ..Lineage::varying(row) };
        }
        Lineage::opaque()
    }

    /// What is read with a variable that may hold anything: what others have kept there.
    pub(super) fn reads_variables_of_anybody(&self) -> Option<TouchedRelation> {
        let scope = self.scope();
        let open = scope.temporary.iter().any(|one| **one == *ANY_VARIABLE);
        (self.reads_variables && open).then(|| TouchedRelation {
            path: ObjectPath::new([scope.database, "performance_schema", "user_variables"]),
            oid: None,
            read: true,
            written: false,
            holds_others: true,
        })
    }
}
