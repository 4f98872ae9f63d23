//! The answers that are owed, in the order they will come.
//!
//! Owns the queue's entries. Must not know how a request is judged or an answer shown. An entry is
//! made when a request is forwarded and goes when it has been answered, or when the server skips
//! it after an error.

use std::sync::Arc;

use parking_lot::Mutex;

use super::super::catalog::Collector;
use super::super::copy_out::CopyMask;
use super::super::names::Undo;
use super::super::shape::Shape;
use crate::session::{OwnTables, Receipt, Statements};

/// One request that the upstream has not answered.
#[derive(Debug)]
pub(super) struct Owed {
    /// What is owed.
    pub(super) answer: Answer,
    /// The batch it belongs to (see `names`).
    pub(super) batch: u64,
    /// How to take back what it did to names.
    pub(super) undo: Vec<NameUndo>,
}

/// How to take a change of names back.
#[derive(Debug)]
pub(super) enum NameUndo {
    /// Of prepared statements.
    Statement(Undo<Prepared>),
    /// Of portals.
    Portal(Undo<Portal>),
}

/// What is owed for a request.
#[derive(Debug)]
pub(super) enum Answer {
    /// `ParseComplete`.
    Parse,
    /// `BindComplete`.
    Bind,
    /// `CloseComplete`.
    Close,
    /// `ParameterDescription` and `RowDescription` or `NoData`.
    DescribeStatement {
        /// Whether the first of the two has come.
        types_came: bool,
    },
    /// `RowDescription` or `NoData`.
    DescribePortal {
        /// The portal.
        portal: Arc<Portal>,
        /// Whether the client asked; if not, we did.
        shown: bool,
    },
    /// Rows or COPY data, and an end.
    Execute(Box<Running>),
    /// The answers of a simple query, up to `ReadyForQuery`.
    Query(Box<Running>),
    /// `ReadyForQuery`.
    Sync,
    /// Nothing: marks where the client ended a COPY, so that a `Sync` before it is known to be
    /// one that the server ignores.
    CopyEnd,
    /// An error, which is replaced by these words (extended query).
    Refused(Vec<u8>),
    /// An error, which is replaced by these words, and `ReadyForQuery`.
    RefusedQuery(Vec<u8>),
    /// The answers to our own question about the catalogue.
    Catalog(Box<Collector>),
    /// The answer to our own question about the search path: the schemas so far.
    Path(Vec<Arc<str>>),
    /// The answer to our own question about temporary tables: those so far.
    Temporaries(Box<OwnTables>),
}

/// A prepared statement, of SQL or of the protocol.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The text it was made by: of the statement itself, or the whole `PREPARE`.
    pub(super) text: Arc<str>,
    /// Whether the text is a `PREPARE`, around what is meant.
    pub(super) by_sql: bool,
}

/// A portal, or a cursor of SQL.
#[derive(Debug)]
pub(super) struct Portal {
    /// The text: of the statement, or the whole `DECLARE`.
    pub(super) text: Arc<str>,
    /// Whether the text is a `DECLARE`, around what is meant.
    pub(super) by_sql: bool,
    /// Whether it outlives its transaction.
    pub(super) hold: bool,
    /// The number of the search path that its text is to be read under.
    pub(super) path: u64,
    /// What was bound, and what it was judged as; `None` for cursors of SQL.
    pub(super) bound: Option<Bound>,
    /// Its columns, once they have been described.
    pub(super) description: Mutex<Description>,
}

/// What a portal was bound with.
#[derive(Debug)]
pub(super) struct Bound {
    /// Parameters and formats, as sent.
    pub(super) parameters: Box<[u8]>,
    /// What it was judged as.
    pub(super) statements: Arc<Statements>,
    /// What the judgement left.
    pub(super) receipt: Receipt,
}

/// What is known about a portal's columns.
#[derive(Clone, Debug, Default)]
pub(super) enum Description {
    /// Nobody has asked.
    #[default]
    Unasked,
    /// The answer is owed.
    Asked,
    /// It has none.
    NoData,
    /// The body of its `RowDescription`.
    Rows(Arc<[u8]>),
}

/// An operation whose answer is coming.
#[derive(Debug)]
pub(super) struct Running {
    /// The right to show it.
    pub(super) receipt: Receipt,
    /// What was judged.
    pub(super) statements: Arc<Statements>,
    /// The statement that is being answered.
    pub(super) which: usize,
    /// The portal that is run.
    pub(super) portal: Option<Arc<Portal>>,
    /// Whether it is a call by number, answered with one value and no rows.
    pub(super) is_call: bool,
    /// The columns of the rows that are coming.
    pub(super) shape: Option<Arc<Shape>>,
    /// The COPY under way.
    pub(super) copy: Copying,
    /// Changes of names by statement, taken back if that statement is not reached.
    pub(super) effects: Vec<(usize, NameUndo)>,
    /// Rows shown or affected.
    pub(super) rows: u64,
    /// Bytes of rows shown.
    pub(super) bytes: u64,
    /// Values masked.
    pub(super) masked: u64,
    /// Whether the last row had to be written anew.
    pub(super) rewriting: bool,
    /// Rows and bytes that were shown and that the recording has no room for.
    pub(super) unrecorded: (u64, u64),
    /// The SQLSTATE it failed with.
    pub(super) failed: Option<String>,
    /// The last command tag.
    pub(super) status: String,
}

/// A COPY under way.
#[derive(Debug, Default)]
pub(super) enum Copying {
    /// None.
    #[default]
    No,
    /// To the client, as it is.
    OutAsIs,
    /// To the client, masked.
    Out(Box<CopyMask>),
    /// From the client: the server waits for data.
    In,
}

impl Running {
    pub(super) const fn new(receipt: Receipt, statements: Arc<Statements>) -> Self {
        Self {
            receipt,
            statements,
            which: 0,
            portal: None,
            is_call: false,
            shape: None,
            copy: Copying::No,
            effects: Vec::new(),
            rows: 0,
            bytes: 0,
            masked: 0,
            rewriting: false,
            unrecorded: (0, 0),
            failed: None,
            status: String::new(),
        }
    }
}

impl Owed {
    /// Whether it answers a question of our own: nothing of it is the client's.
    pub(super) const fn is_ours(&self) -> bool {
        matches!(self.answer, Answer::Catalog(_) | Answer::Path(_) | Answer::Temporaries(_))
    }

    /// The operation whose answer this is.
    pub(super) fn running(&self) -> Option<&Running> {
        match &self.answer {
            Answer::Query(running) | Answer::Execute(running) => Some(running),
            _ => None,
        }
    }
}
