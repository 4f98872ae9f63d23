//! What statements do to names, and what names stand for.
//!
//! Owns the statements that SQL prepares (`PREPARE .. FROM`), and the resolution of `EXECUTE` to
//! the text that was prepared, read anew each time under what names mean now. Must not know a
//! message. A name gets its meaning when the server has answered the statement that gives it.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::Conversation;
use crate::protocols::mysql::words::{Complaint, code};
use crate::session::sql::mysql::{ANY_VARIABLE, fills_variables};
use crate::session::sql::{Referral, SettingValue, Statement, StatementKind};
use crate::session::{Refusal, Statements};

/// Bytes of all texts that names stand for. More are not prepared.
const TEXT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What `USE` sets, as if it were a setting.
const DATABASE: &str = "database";

/// The names that SQL has given.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// The whole `PREPARE` by name, in lower case: the server compares them so.
    texts: FxHashMap<String, Arc<str>>,
    bytes: usize,
}

/// Why a text cannot be run.
#[derive(Debug)]
pub(super) enum Unresolved {
    /// A name stands for nothing, or for too much.
    Missing(Complaint),
    /// It cannot be read.
    Refused(Refusal),
}

impl Names {
    /// Takes a statement's effects on names into account.
    fn apply(&mut self, statement: &Statement, text: &str) {
        match &statement.kind {
            StatementKind::Prepare { name, .. } => {
                let text = text.get(statement.range.clone()).unwrap_or(text);
                self.remove(name);
                self.bytes += text.len();
                self.texts.insert(name.to_lowercase(), text.into());
            }
            StatementKind::Deallocate { name: Some(name) } => self.remove(name),
            StatementKind::Deallocate { name: None } => *self = Self::default(),
            _ => {}
        }
    }

    fn remove(&mut self, name: &str) {
        if let Some(gone) = self.texts.remove(&name.to_lowercase()) {
            self.bytes = self.bytes.saturating_sub(gone.len());
        }
    }
}

/// Whether a statement gives a name a meaning, takes it away, or is run by one.
const fn concerns_names(statement: &Statement) -> bool {
    statement.refers_to.is_some()
        || matches!(
            statement.kind,
            StatementKind::Prepare { .. } | StatementKind::Deallocate { .. }
        )
}

impl Conversation {
    /// Reads a text and joins its statements with what they run by name, statement by statement,
    /// since a later one may run what an earlier one has named.
    pub(super) fn resolve(&self, text: &str) -> Result<Arc<Statements>, Unresolved> {
        let statements = self.session.read(text).map_err(Unresolved::Refused)?;
        if !statements.statements().iter().any(concerns_names) {
            return Ok(statements);
        }
        let mut names = self.names.clone();
        let mut inner = Vec::new();
        for (which, statement) in statements.statements().iter().enumerate() {
            if let Some(referral) = &statement.refers_to {
                inner.push((which, self.referred(&names, referral)?));
            }
            names.apply(statement, text);
            if names.bytes > TEXT_BYTES_MAX {
                return Err(Unresolved::Missing(Complaint::new(
                    code::LIMIT,
                    "portcullis: too many statements have been prepared. Deallocate some.",
                )));
            }
        }
        Ok(statements.joined(&inner))
    }

    fn referred(&self, names: &Names, referral: &Referral) -> Result<Arc<Statements>, Unresolved> {
        let missing = |name: &str| {
            let message = format!("Unknown prepared statement handler ({name}) given to EXECUTE");
            Unresolved::Missing(Complaint::new(code::NO_STATEMENT, message))
        };
        let name = match referral {
            Referral::Prepared(name) | Referral::Cursor(name) => name,
        };
        let text = names.texts.get(&name.to_lowercase()).ok_or_else(|| missing(name))?;
        let outer = self.session.read(text).map_err(Unresolved::Refused)?;
        outer.inner().ok_or_else(|| missing(name))
    }

    /// A text goes to the server. What its routines keep in variables is there even if it fails.
    pub(super) fn forwarded(&mut self, statements: &Statements) {
        if statements.unreadable.is_some() || fills_variables(&statements.operation.accesses) {
            self.session.add_temporary(&[ANY_VARIABLE.into()]);
        }
    }

    /// The server has carried out one statement of a text.
    pub(super) fn statement_done(&mut self, statement: &Statement, text: &str) {
        self.names.apply(statement, text);
        if !statement.creates_temporary.is_empty() {
            self.session.add_temporary(&statement.creates_temporary);
        }
        if let StatementKind::Set { name, value: SettingValue::Text(database), .. } =
            &statement.kind
            && **name == *DATABASE
        {
            self.move_to(database);
        }
        // Whichever it names, it is one of UTF-8.
        let names = ["names", "character_set_client"];
        self.place.speaks_utf8 |= statement
            .settings
            .iter()
            .any(|change| change.name.as_deref().is_some_and(|name| names.contains(&name)));
        // What `DO` computes may call functions, which can define nothing.
        let computes = matches!(statement.kind, StatementKind::Do);
        if statement.kind.changes_catalog() && !computes {
            self.catalog_due |= self.session.catalog_changed(statement);
        }
    }
}
