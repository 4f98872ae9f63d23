//! PostgreSQL: the server's own grammar, and our walk over its tree.
//!
//! Owns what each node of the grammar means. The tree of `pg_raw_parse` (libpg_query of
//! PostgreSQL 18) is only read; its own walker is not used, since it is neither bounded nor
//! complete. Every node that this walk does not know makes the statement
//! [`Action::Unknown`](model::Action::Unknown).
//!
//! The result is sound only while the session keeps `standard_conforming_strings` on,
//! `client_encoding` at UTF8 and `backslash_quote` as it was, because the grammar reads the text
//! under just these; changes of them are reported as pinned.

mod analyser;
mod call;
mod compared;
mod copy;
mod definition;
mod expression;
mod from;
mod functions;
mod guard;
mod json;
mod label;
mod names;
mod object;
mod parse;
mod query;
mod session;
mod settings;
mod utility;
mod view;
mod with;
mod write;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use view::derivations;

use crate::{Analysis, AnalysisLimits, Dialect, Scope, Unreadable};

/// How PostgreSQL's statements are read.
pub const DIALECT: Dialect = Dialect { analyse, quotes: b"'\"" };

/// Reads a text, which may hold several statements.
///
/// # Errors
/// Where the text is beyond a limit, or the server's grammar refuses it.
pub fn analyse(
    text: &str,
    scope: &Scope<'_>,
    limits: &AnalysisLimits,
) -> Result<Analysis, Unreadable> {
    parse::check(text, limits)?;
    // The bindings panic where a tree is not shaped as they expect. That must cost one statement,
    // not the session's task.
    catch_unwind(AssertUnwindSafe(|| {
        let tree = parse::parse(text)?;
        analyser::read_all(text, &tree, scope, limits)
    }))
    .unwrap_or(Err(Unreadable::Internal))
}
