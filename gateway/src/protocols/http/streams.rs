//! What follows a switch of protocols, where it is more than bytes.
//!
//! Owns the seam to whoever reads it, and what is done to its output: masked as text that comes in
//! chunks, recorded as it was shown, counted. Must not know what is spoken. Ends with the relay.

use std::io;
use std::sync::{Arc, Weak};

use http::HeaderMap;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;

use super::body::{Ending, Tap};
use super::desk::{Desk, Note};
use crate::session::{BoxFuture, CarryOver, OutputStream, Receipt};

/// One side of what follows.
pub(in crate::protocols) type Side = TokioIo<Upgraded>;

/// What follows.
pub(in crate::protocols) trait Streams: Send {
    /// Whether the upstream, by the fields of its answer, agrees to what was offered.
    fn agrees(&self, headers: &HeaderMap) -> bool;

    /// Whether what runs has a terminal: what was done in one is known by its output alone.
    fn are_in_terminal(&self) -> bool;

    /// Relays until both sides are done.
    fn relay<'a>(
        self: Box<Self>,
        client: Side,
        upstream: Side,
        stage: &'a mut Stage,
    ) -> BoxFuture<'a, io::Result<()>>;
}

/// Where output is shown.
pub(in crate::protocols) struct Stage {
    /// The output.
    pub(in crate::protocols) out: Output,
    /// The error output.
    pub(in crate::protocols) error: Output,
    /// The terminal that it is for, where there is one.
    pub(in crate::protocols) terminal: Terminal,
    /// How it ended, and whether well; `None` where that was not said.
    pub(in crate::protocols) ended: Option<(String, bool)>,
    /// Bytes that were passed on and are no output.
    pub(in crate::protocols) others: u64,
}

impl Stage {
    /// For an operation; `None` once its session is over.
    pub(super) async fn new(
        desk: &Arc<Desk>,
        ending: &Ending,
        recorded_bytes_max: usize,
    ) -> Option<Self> {
        let masker = || desk.ask(|session| session.stream_masker());
        let (out, error) = (masker().await?, masker().await?);
        let tap = |stream| ending.tap(stream, recorded_bytes_max);
        Some(Self {
            out: Output::new(out, tap(OutputStream::Output)),
            error: Output::new(error, tap(OutputStream::Error)),
            terminal: Terminal {
                desk: Arc::clone(desk),
                receipt: ending.handle(),
                is_there: false,
            },
            ended: None,
            others: 0,
        })
    }
}

/// One stream of output.
pub(in crate::protocols) struct Output {
    masker: Option<CarryOver>,
    tap: Tap,
    /// Bytes shown.
    pub(super) bytes: u64,
    /// Values masked.
    pub(super) masked_values: u64,
}

impl Output {
    const fn new(masker: Option<CarryOver>, tap: Tap) -> Self {
        Self { masker, tap, bytes: 0, masked_values: 0 }
    }

    /// Takes what came, and gives what may be shown of it now.
    pub(in crate::protocols) fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut shown = Vec::with_capacity(bytes.len());
        match &mut self.masker {
            Some(masker) => self.masked_values += masker.push(bytes, &mut shown) as u64,
            None => shown.extend_from_slice(bytes),
        }
        self.hear(shown)
    }

    /// Gives what was held back.
    pub(in crate::protocols) fn let_go(&mut self) -> Vec<u8> {
        let mut shown = Vec::new();
        if let Some(masker) = &mut self.masker {
            self.masked_values += masker.flush(&mut shown) as u64;
        }
        self.hear(shown)
    }

    fn hear(&mut self, shown: Vec<u8>) -> Vec<u8> {
        self.bytes += shown.len() as u64;
        if self.tap.listens() {
            self.tap.hear(&shown.clone().into());
        }
        shown
    }

    /// Whether something is held back.
    pub(in crate::protocols) fn is_holding(&self) -> bool {
        self.masker.as_ref().is_some_and(CarryOver::is_holding)
    }

    /// Whether what is held back looks like the beginning of what is masked.
    pub(in crate::protocols) fn is_likely(&self) -> bool {
        self.masker.as_ref().is_some_and(CarryOver::is_likely)
    }
}

/// The terminal of what runs.
pub(in crate::protocols) struct Terminal {
    desk: Arc<Desk>,
    receipt: Weak<Receipt>,
    is_there: bool,
}

impl Terminal {
    /// It is there, with this size.
    pub(in crate::protocols) fn opens(&mut self, columns: u32, rows: u32) {
        self.is_there = true;
        self.tell(true, columns, rows);
    }

    /// It has another size. Nothing where there is none.
    pub(in crate::protocols) fn resizes(&self, columns: u32, rows: u32) {
        if self.is_there {
            self.tell(false, columns, rows);
        }
    }

    fn tell(&self, is_new: bool, columns: u32, rows: u32) {
        let receipt = Weak::clone(&self.receipt);
        self.desk.tell(Note::Terminal { receipt, is_new, columns, rows });
    }
}
