//! Status bits: what a server says of the session with each answer.
//!
//! Owns their numbers. Must not know what follows from them.

/// A transaction is open.
pub const IN_TRANSACTION: u16 = 0x0001;
/// Every statement is a transaction of its own.
pub const AUTOCOMMIT: u16 = 0x0002;
/// Another result follows.
pub const MORE_RESULTS: u16 = 0x0008;
/// A cursor is open: the rows are fetched.
pub const CURSOR_EXISTS: u16 = 0x0040;
/// The cursor's last row has been sent.
pub const LAST_ROW_SENT: u16 = 0x0080;
/// Backslashes in literals are plain letters.
pub const NO_BACKSLASH_ESCAPES: u16 = 0x0200;
/// Double quotes are around names.
pub const ANSI_QUOTES: u16 = 0x8000;
/// The values of `OUT` parameters follow.
pub const OUT_PARAMETERS: u16 = 0x1000;
/// Changes of the session's state are told in this answer.
pub const STATE_CHANGED: u16 = 0x4000;
