//! The way into the grammar: bounds before it, the server's words for what it refuses.
//!
//! Owns the checks on the raw text and the place of a syntax error. Must not know what a tree
//! means.

use std::ffi::{CStr, CString};
use std::ptr;

use pg_raw_parse::raw;

use crate::{AnalysisLimits, Unreadable};

/// Refuses what must not reach the grammar.
pub(super) fn check(text: &str, limits: &AnalysisLimits) -> Result<(), Unreadable> {
    let (bytes, bytes_max) = (text.len(), limits.text_bytes_max);
    if bytes > bytes_max {
        return Err(Unreadable::TooLong { bytes, bytes_max });
    }
    if text.as_bytes().contains(&0) {
        return Err(Unreadable::Nul);
    }
    super::guard::check(text)
}

/// Parses a text without NUL characters.
pub(super) fn parse(text: &str) -> Result<pg_raw_parse::ParseResult, Unreadable> {
    pg_raw_parse::parse(text).map_err(|error| match error {
        pg_raw_parse::Error::Parse(reason) => {
            Unreadable::Syntax { message: reason.to_string(), position: error_position(text) }
        }
        pg_raw_parse::Error::PgError(reason) => {
            Unreadable::Syntax { message: reason.to_string(), position: None }
        }
        pg_raw_parse::Error::StatementContainedNul(_) => Unreadable::Nul,
    })
}

/// Where the grammar stopped, in characters from 1. The safe bindings keep the place to
/// themselves, so a text that was refused is parsed once more.
fn error_position(text: &str) -> Option<usize> {
    let text = CString::new(text).ok()?;
    // SAFETY: `pg_query_init` has no conditions and the safe parse has just called it on this
    // thread.
    unsafe { raw::pg_query_init() };
    let name: &'static CStr = c"portcullis_error_position";
    // SAFETY: the name is static, and a context without parent is ours alone to delete.
    let context = unsafe {
        raw::AllocSetContextCreateInternal(
            ptr::null_mut(),
            name.as_ptr(),
            raw::ALLOCSET_DEFAULT_MINSIZE as raw::Size,
            raw::ALLOCSET_DEFAULT_INITSIZE as raw::Size,
            raw::ALLOCSET_DEFAULT_MAXSIZE as raw::Size,
        )
    };
    // SAFETY: the text is a C string that outlives the call; the parse catches the server's own
    // exceptions and calls nothing of ours, so nothing unwinds between the two switches.
    let result = unsafe {
        let previous = raw::MemoryContextSwitchTo(context);
        let mode = raw::PgQueryParseMode::PG_QUERY_PARSE_DEFAULT;
        let result = raw::pg_query_raw_parse(text.as_ptr(), i32::try_from(mode).unwrap_or(0));
        raw::MemoryContextSwitchTo(previous);
        raw::MemoryContextDelete(context);
        result
    };
    let error = ptr::NonNull::new(result.error)?;
    // SAFETY: the error was allocated outside the context with malloc, is valid, and is freed
    // exactly once, here.
    let position = unsafe {
        let position = error.as_ref().cursorpos;
        raw::pg_query_free_error(error.as_ptr());
        position
    };
    usize::try_from(position).ok().filter(|position| *position > 0)
}
