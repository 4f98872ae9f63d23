//! What is open.
//!
//! Owns the handles of one channel, what each was granted, and what went through it. Must not know
//! a packet. A handle ends with the answer to its close, or with the channel.

use std::collections::HashMap;
use std::sync::Arc;

use super::authority::{Ended, File};
use super::content::Content;
use crate::session::{Direction, OperationOutcome};

/// The server's name for something open.
pub(super) type Name = Arc<[u8]>;

/// Everything that is open, by the server's name for it.
pub(super) type Handles<R> = HashMap<Name, Handle<R>>;

/// How something is opened.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    /// The path that was judged.
    pub(super) path: Vec<u8>,
    /// Whether content may be read, or names.
    pub(super) reads: bool,
    /// Whether content may be written.
    pub(super) writes: bool,
    /// Whether writes go to the end.
    pub(super) appends: bool,
    /// Whether it is a directory.
    pub(super) is_directory: bool,
}

/// Something open.
pub(super) struct Handle<R> {
    pub(super) receipt: R,
    pub(super) opening: Opening,
    pub(super) read: Content,
    pub(super) written: Content,
    /// A write failed: what was written is not what was sent.
    pub(super) failed: bool,
    /// The policy has changed, and does not grant it any more.
    pub(super) revoked: bool,
    /// Its close is under way.
    pub(super) closing: bool,
}

impl<R> Handle<R> {
    pub(super) fn new(receipt: R, opening: Opening) -> Self {
        Self {
            receipt,
            opening,
            read: Content::default(),
            written: Content::default(),
            failed: false,
            revoked: false,
            closing: false,
        }
    }

    /// What is recorded at its end.
    pub(super) fn ended(self, closed: bool) -> (R, Ended) {
        let bytes = self.read.bytes() + self.written.bytes();
        let (read, written) = (self.read.moved(), self.written.moved());
        let mut told = Vec::new();
        told.extend(read.iter().map(|content| format!("read {}", content.told())));
        told.extend(written.iter().map(|content| format!("wrote {}", content.told())));
        let outcome = match (closed, self.failed, self.revoked) {
            (_, _, true) => OperationOutcome::Refused,
            (_, true, _) => OperationOutcome::Failed,
            (true, ..) => OperationOutcome::Completed,
            (false, ..) => OperationOutcome::Abandoned,
        };
        if self.failed {
            told.push(String::from("a write failed"));
        }
        let status = if told.is_empty() { String::from("ok") } else { told.join("; ") };
        let whole = closed && !self.failed && !self.revoked;
        let file = |(moved, direction)| File {
            path: String::from_utf8_lossy(&self.opening.path).into_owned(),
            direction,
            whole,
            moved,
        };
        let ways = [(read, Direction::Download), (written, Direction::Upload)];
        let files =
            ways.into_iter().filter_map(|(moved, way)| Some((moved?, way))).map(file).collect();
        (self.receipt, Ended { outcome, status, bytes, files })
    }
}
