//! The answer that is owed.
//!
//! Owns its state, and what is remembered of prepared statements between requests. Must not know
//! how a request is judged or an answer shown. It is made when a request is forwarded and goes when
//! it has been answered.

use std::sync::Arc;

use aws_lc_rs::digest::Context;
use rustc_hash::FxHashMap;
use wire::mysql::value::Type;

use super::super::catalog::Collector;
use super::super::reply::Reply;
use super::super::shape::{Shape, WireColumn};
use super::variables::Variables;
use crate::session::{Receipt, Refusal, Statements};

/// What the upstream owes.
#[derive(Debug, Default)]
pub(super) enum Owed {
    /// Nothing.
    #[default]
    Nothing,
    /// The results of an operation.
    Running(Box<Running>),
    /// The description of a statement that is being prepared.
    Preparing(Box<Preparing>),
    /// One message: an OK, an EOF or an error.
    Word(Word),
    /// The answer to a question of our own.
    Own(Box<Own>),
}

/// For what one message is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The server is asked whether it is there, or its options were changed.
    Plain,
    /// Everything is as after login; then the session is pinned anew.
    Reset,
    /// Something of our own, which the client does not see.
    Silent,
}

/// Questions of our own, asked one after the other.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) about: About,
    pub(super) reply: Reply,
}

/// What our own questions are about.
#[derive(Debug)]
pub(super) enum About {
    /// What the server holds.
    Catalog(Box<Collector>),
    /// Pinning the session: how many statements have been carried out.
    Pins(usize),
    /// What variables hold.
    Variables(Box<Variables>),
}

/// An operation whose answer is coming.
#[derive(Debug)]
pub(super) struct Running {
    /// The right to show it.
    pub(super) receipt: Receipt,
    /// What was judged.
    pub(super) statements: Arc<Statements>,
    /// The text that was judged, for what it does to names.
    pub(super) text: Arc<str>,
    /// The statement that is being answered.
    pub(super) which: usize,
    /// The prepared statement that is run.
    pub(super) prepared: Option<u32>,
    /// Whether it asks for rows of a cursor.
    pub(super) fetches: bool,
    /// Where its result is.
    pub(super) phase: Phase,
    /// The columns described so far.
    pub(super) columns: Vec<WireColumn>,
    /// What becomes of the rows that are coming.
    pub(super) shape: Option<Arc<Shape>>,
    /// Rows shown or affected.
    pub(super) rows: u64,
    /// Bytes of rows shown.
    pub(super) bytes: u64,
    /// Values masked.
    pub(super) masked: u64,
    /// Rows and bytes that were shown and that the recording has no room for.
    pub(super) unrecorded: (u64, u64),
    /// The SQLSTATE it failed with.
    pub(super) failed: Option<String>,
    /// What the server said of it at its end.
    pub(super) status: String,
    /// Why its rows cannot be shown, where they cannot.
    pub(super) withheld: Option<Refusal>,
    /// Whether its rows are warnings, which quote anything.
    pub(super) quotes: bool,
}

/// Where a result is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing of it has come.
    #[default]
    Begin,
    /// So many columns are still to be described.
    Columns(usize),
    /// The end of the columns is due.
    ColumnsEnd,
    /// Rows.
    Rows,
}

impl Running {
    pub(super) fn new(receipt: Receipt, statements: Arc<Statements>, text: Arc<str>) -> Self {
        Self {
            receipt,
            statements,
            text,
            which: 0,
            prepared: None,
            fetches: false,
            phase: Phase::Begin,
            columns: Vec::new(),
            shape: None,
            rows: 0,
            bytes: 0,
            masked: 0,
            unrecorded: (0, 0),
            failed: None,
            status: String::new(),
            withheld: None,
            quotes: false,
        }
    }

    /// Whether rows come in binary.
    pub(super) const fn is_binary(&self) -> bool {
        self.prepared.is_some()
    }
}

/// A statement that is being prepared.
#[derive(Debug)]
pub(super) struct Preparing {
    pub(super) receipt: Receipt,
    pub(super) statements: Arc<Statements>,
    pub(super) text: Arc<str>,
    /// The default database it is prepared in.
    pub(super) path: Arc<[Arc<str>]>,
    /// The server's number for it, once that has come.
    pub(super) statement: Option<u32>,
    /// How many parameters it has.
    pub(super) parameters: usize,
    /// Messages that are still to come.
    pub(super) left: usize,
    /// At how many left the parameters end.
    pub(super) parameters_end: usize,
}

/// A prepared statement.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The right to send what belongs to it.
    pub(super) receipt: Receipt,
    pub(super) text: Arc<str>,
    /// The default database it was prepared in: its names mean what they meant there.
    pub(super) path: Arc<[Arc<str>]>,
    /// How many parameters it has.
    pub(super) parameters: usize,
    /// Their types, as they were told last.
    pub(super) types: Option<Vec<Type>>,
    /// Whether the server has been told them.
    pub(super) server_knows_types: bool,
    /// Values that are sent in parts, before it is run.
    pub(super) long: FxHashMap<u16, LongValue>,
    /// The cursor that its last run left open.
    pub(super) cursor: Option<Cursor>,
}

/// The digest of a value that is sent in parts: what an approval holds for.
pub(super) struct LongValue(pub(super) Context);

impl std::fmt::Debug for LongValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LongValue")
    }
}

/// An open cursor.
#[derive(Debug)]
pub(super) struct Cursor {
    /// The right to what it shows.
    pub(super) receipt: Receipt,
    pub(super) statements: Arc<Statements>,
    pub(super) columns: Vec<WireColumn>,
    /// Whether rows of it have been shown under a receipt of their own.
    pub(super) fetched: bool,
}
