//! The two connections of a session, and the bytes on their way.
//!
//! Owns the buffers of both directions. Must not know what the bytes mean, nor when they are read and
//! written: `pump` does. Ends with the session.
//!
//! ```text
//!  client ── read ──▶ requests (Framer) ── judged ──▶ Gate ── write ──▶ upstream
//!  client ◀── write ── out + run ◀── shown ── answers (Framer) ◀── read ── upstream
//! ```
//!
//! What passes untouched is never copied: it is a run of the upstream's own buffer, written from
//! where it was read to.

use std::io::{self, IoSlice};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;
use wire::postgres::frame::Framer;

use crate::protocols::pump;
use crate::session::{Card, Gate, Stream};

/// Bytes of a connection's buffer to begin with: idle sessions hold two of them.
pub(super) const BUFFER_BYTES: usize = 8 * 1024;
/// Bytes a buffer grows to while reads fill it. Raised, bulk answers need fewer system calls and
/// each busy session more memory.
pub(super) const BUFFER_BYTES_MAX: usize = 256 * 1024;

/// The two connections.
#[derive(Debug)]
pub(super) struct Lines {
    client: Stream,
    /// What the client said.
    pub(super) requests: Framer,
    /// The way to the upstream.
    pub(super) gate: Gate,
    /// What the upstream said, and what the client is shown of it.
    pub(super) shown: Shown,
    card: Arc<Card>,
    /// Bytes that the framer of the client's side misses for its next step.
    pub(super) request_missing: usize,
}

impl Lines {
    pub(super) fn new(client: Stream, gate: Gate, answers: Framer, card: Arc<Card>) -> Self {
        Self {
            client,
            requests: Framer::new(BUFFER_BYTES, BUFFER_BYTES_MAX),
            gate,
            shown: Shown::new(answers),
            card,
            request_missing: 0,
        }
    }
}

impl pump::Lines for Lines {
    fn client(&mut self) -> &mut Stream {
        &mut self.client
    }

    fn gate(&mut self) -> &mut Gate {
        &mut self.gate
    }

    fn request_space(&mut self) -> (&mut Stream, &mut [u8]) {
        (&mut self.client, self.requests.space(self.request_missing))
    }

    fn requests_came(&mut self, count: usize) {
        self.requests.filled(count);
        self.card.bytes_from_client.fetch_add(count as u64, Ordering::Relaxed);
    }

    fn answer_space(&mut self) -> (&mut Gate, &mut [u8]) {
        (&mut self.gate, self.shown.answers.space(self.shown.missing))
    }

    fn answers_came(&mut self, count: usize) {
        self.shown.answers.filled(count);
    }

    fn client_waits(&self) -> bool {
        self.shown.waits()
    }

    fn poll_flush_client(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shown.poll_flush(cx, &mut self.client, &self.card)
    }
}

/// What the client is shown: messages of our own, and runs of the upstream's.
#[derive(Debug)]
pub(super) struct Shown {
    /// What the upstream said.
    pub(super) answers: Framer,
    /// Bytes that its framer misses for its next step.
    pub(super) missing: usize,
    /// Goes first.
    out: Vec<u8>,
    sent: usize,
    /// Where the last rewritten message begins.
    put_at: usize,
    /// Goes after it: a range of the upstream's buffer.
    run: Range<usize>,
    /// Whether a message is passing in pieces, so that nothing may come in between.
    streaming: bool,
    /// What waits for its end.
    after_stream: Vec<u8>,
    unflushed: bool,
}

impl Shown {
    fn new(answers: Framer) -> Self {
        Self {
            answers,
            missing: 0,
            out: Vec::new(),
            sent: 0,
            put_at: 0,
            run: 0..0,
            streaming: false,
            after_stream: Vec::new(),
            unflushed: false,
        }
    }

    /// Passes a range of the upstream's buffer.
    #[inline]
    pub(super) fn pass(&mut self, range: Range<usize>) {
        if self.run.is_empty() {
            self.run = range;
        } else if self.run.end == range.start {
            self.run.end = range.end;
        } else {
            self.settle_run();
            self.run = range;
        }
    }

    /// Passes a piece of a long message.
    pub(super) fn pass_chunk(&mut self, range: Range<usize>, last: bool) {
        self.pass(range);
        self.streaming = !last;
        if last && !self.after_stream.is_empty() {
            self.settle_run();
            let after = std::mem::take(&mut self.after_stream);
            self.out.extend_from_slice(&after);
        }
    }

    /// Appends messages of our own.
    pub(super) fn put(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.streaming {
            write(&mut self.after_stream);
        } else {
            self.settle_run();
            write(&mut self.out);
        }
    }

    /// The upstream's buffer and the one that messages in the place of its own are written to, so
    /// that a message can be rewritten from one to the other.
    pub(super) fn rewrite(&mut self) -> (&mut Framer, &mut Vec<u8>) {
        self.settle_run();
        self.put_at = self.out.len();
        (&mut self.answers, &mut self.out)
    }

    /// What was written by the last [`Self::rewrite`].
    pub(super) fn last_put(&self) -> &[u8] {
        self.out.get(self.put_at..).unwrap_or_default()
    }

    fn settle_run(&mut self) {
        if !self.run.is_empty() {
            let run = std::mem::replace(&mut self.run, 0..0);
            self.out.extend_from_slice(self.answers.bytes(run));
        }
    }

    /// Whether something waits to be written.
    pub(super) const fn waits(&self) -> bool {
        self.unflushed || self.sent < self.out.len() || self.run.start < self.run.end
    }

    /// Whether a message is passing in pieces.
    pub(super) const fn is_streaming(&self) -> bool {
        self.streaming
    }

    fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut Stream,
        card: &Card,
    ) -> Poll<io::Result<()>> {
        loop {
            let out = self.out.get(self.sent..).unwrap_or_default();
            let run = self.answers.bytes(self.run.clone());
            let count = match (out.is_empty(), run.is_empty()) {
                (true, true) => break,
                (false, true) => ready!(Pin::new(&mut *client).poll_write(cx, out))?,
                (true, false) => ready!(Pin::new(&mut *client).poll_write(cx, run))?,
                (false, false) => {
                    let both = [IoSlice::new(out), IoSlice::new(run)];
                    ready!(Pin::new(&mut *client).poll_write_vectored(cx, &both))?
                }
            };
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            card.bytes_to_client.fetch_add(count as u64, Ordering::Relaxed);
            let of_out = count.min(out.len());
            self.sent += of_out;
            self.run.start += count - of_out;
            self.unflushed = true;
        }
        self.out.clear();
        self.sent = 0;
        self.run = 0..0;
        // Everything handed out is gone: the buffer's room may be used again.
        self.answers.consume();
        if self.out.capacity() > BUFFER_BYTES_MAX {
            self.out = Vec::new();
        }
        if self.unflushed {
            ready!(Pin::new(&mut *client).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}
