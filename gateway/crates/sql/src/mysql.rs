//! MySQL and MariaDB: our own lexer and grammar of statements, `sqlparser` for queries and
//! expressions, and our walk over its tree.
//!
//! Owns what each node means. There is no server's own grammar to be had, so nothing of the text
//! reaches `sqlparser` that we have not cut ourselves (`lexer`), every word that it takes for a
//! name is looked up among the reserved ones, and every node that is not MySQL's makes the
//! statement [`Action::Unknown`](model::Action::Unknown). What the grammar does not read is
//! refused, whether the server would read it or not.
//!
//! The result is sound only while the session keeps `sql_mode` without `ANSI_QUOTES` and
//! `NO_BACKSLASH_ESCAPES`, and `character_set_client` at utf8 or utf8mb4; changes of these are
//! reported as pinned.
//!
//! Names have three parts as everywhere: [`CATALOG`], the database, the table. The scope's
//! `database` is [`CATALOG`], and its search path holds the session's database alone, or nothing.
//! The server's own functions are in `def.mysql`. Of the [`Server`](crate::Server) that is read
//! for, the catalogue knows what matters.

mod analyser;
mod binary;
mod call;
mod command;
mod definition;
mod expression;
mod from;
mod functions;
mod height;
mod lexer;
mod query;
mod reader;
mod rewrite;
mod select_list;
mod settings;
mod statement;
mod variables;
mod view;
mod with;
mod words;
mod write;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use binary::{BytesIn, text_around_bytes};
pub use settings::keeps_reading;
pub use variables::{ANY_VARIABLE, fills_variables};
pub use view::derivations;

use crate::{Analysis, AnalysisLimits, Dialect, Scope, Unreadable};

/// How MySQL's and MariaDB's statements are read.
pub const DIALECT: Dialect = Dialect { analyse, quotes: b"'\"`" };

/// The first part of every name: what `information_schema` calls the catalogue.
pub const CATALOG: &str = "def";

/// Stack left below which a text moves to a new piece of it.
const STACK_RED_ZONE: usize = 128 * 1024;

/// Reads a text, which may hold several statements.
///
/// # Errors
/// Where the text is beyond a limit, or it is not a text that we read exactly as the server does.
pub fn analyse(
    text: &str,
    scope: &Scope<'_>,
    limits: &AnalysisLimits,
) -> Result<Analysis, Unreadable> {
    let (bytes, bytes_max) = (text.len(), limits.text_bytes_max);
    if bytes > bytes_max {
        return Err(Unreadable::TooLong { bytes, bytes_max });
    }
    let (tokens, height) = lexer::tokens(text, scope.catalog.server, limits)?;
    let stack = STACK_RED_ZONE + height.stack();
    // A panic of the library must cost one statement, not the session's task. What it built is
    // dropped inside, on a stack that is high enough for it.
    catch_unwind(AssertUnwindSafe(|| {
        stacker::maybe_grow(stack, stack, || analyser::read_all(text, tokens, scope, limits))
    }))
    .unwrap_or(Err(Unreadable::Internal))
}
