//! The two connections of a session, and the bytes on their way.
//!
//! Owns the buffers of both directions and the numbers of packets. Must not know what the bytes mean,
//! nor when they are read and written: `pump` does. Ends with the session.
//!
//! ```text
//!  client ── read ──▶ requests (Framer) ── judged ──▶ Gate ── write ──▶ upstream
//!  client ◀── write ── out ◀──────────── shown ── answers (Framer) ◀── read ── upstream
//! ```
//!
//! Each side counts packets by itself: what is shown has numbers of our own.

use std::borrow::Cow;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;
use wire::mysql::frame::{Framer, HEADER_BYTES, PAYLOAD_BYTES_MAX};
use wire::mysql::{Violation, packet, packet_head, put_header, put_payload};

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
    /// Bytes that its framer misses for its next step.
    pub(super) request_missing: usize,
    /// The way to the upstream.
    pub(super) gate: Gate,
    /// What the upstream said.
    pub(super) answers: Framer,
    /// Bytes that its framer misses for its next step.
    pub(super) answer_missing: usize,
    /// What the client is shown.
    pub(super) shown: Shown,
    /// The number of the upstream's next packet.
    due: u8,
    card: Arc<Card>,
}

/// What the client is shown.
#[derive(Debug, Default)]
pub(super) struct Shown {
    out: Vec<u8>,
    sent: usize,
    /// The number of the next packet.
    sequence: u8,
    /// Bytes that are missing of a packet whose beginning has been written.
    streaming: bool,
    unflushed: bool,
}

impl Shown {
    /// The answer to a request begins: its first packet has this number.
    pub(super) const fn begin(&mut self, sequence: u8) {
        self.sequence = sequence;
    }

    /// Appends a message.
    pub(super) fn put(&mut self, body: impl FnOnce(&mut Vec<u8>)) {
        packet(&mut self.out, &mut self.sequence, body);
    }

    /// Appends a message as it is.
    #[inline]
    pub(super) fn pass(&mut self, payload: &[u8]) {
        put_payload(&mut self.out, &mut self.sequence, payload);
    }

    /// Appends a row as `edit` writes it, which also counts the values it changed; or as it is, where
    /// `edit` says that it has written nothing. Gives the row as it was appended, and the count.
    ///
    /// # Errors
    /// That of `edit`; then nothing is appended.
    #[inline]
    pub(super) fn put_row(
        &mut self,
        payload: &[u8],
        edit: impl FnOnce(&mut Vec<u8>) -> Result<(bool, u64), Violation>,
    ) -> Result<(Cow<'_, [u8]>, u64), Violation> {
        let at = self.out.len();
        let begin = at + HEADER_BYTES;
        self.out.extend_from_slice(&[0; HEADER_BYTES]);
        let (changed, count) = match edit(&mut self.out) {
            Ok(edited) => edited,
            Err(violation) => {
                self.out.truncate(at);
                return Err(violation);
            }
        };
        if !changed {
            self.out.extend_from_slice(payload);
        }
        let length = self.out.len() - begin;
        if length < PAYLOAD_BYTES_MAX
            && let Some(head) = self.out.get_mut(at..begin)
        {
            head.copy_from_slice(&packet_head(length, self.sequence));
            self.sequence = self.sequence.wrapping_add(1);
            return Ok((Cow::Borrowed(self.out.get(begin..).unwrap_or_default()), count));
        }
        let row = self.out.split_off(begin);
        self.out.truncate(at);
        put_payload(&mut self.out, &mut self.sequence, &row);
        Ok((Cow::Owned(row), count))
    }

    /// Appends a part of a long message: where a packet begins with it, that packet's length.
    pub(super) fn pass_chunk(&mut self, begins: Option<usize>, chunk: &[u8], last: bool) {
        if let Some(length) = begins {
            put_header(&mut self.out, &mut self.sequence, length);
        }
        self.out.extend_from_slice(chunk);
        self.streaming = !last;
    }

    /// Whether a message is passing in parts, so that nothing may come in between.
    pub(super) const fn is_streaming(&self) -> bool {
        self.streaming
    }

    /// Whether something waits to be written.
    const fn waits(&self) -> bool {
        self.unflushed || self.sent < self.out.len()
    }

    fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut Stream,
        card: &Card,
    ) -> Poll<io::Result<()>> {
        while self.sent < self.out.len() {
            let rest = self.out.get(self.sent..).unwrap_or_default();
            let count = ready!(Pin::new(&mut *client).poll_write(cx, rest))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            card.bytes_to_client.fetch_add(count as u64, Ordering::Relaxed);
            self.sent += count;
            self.unflushed = true;
        }
        self.out.clear();
        self.sent = 0;
        if self.out.capacity() > 2 * BUFFER_BYTES_MAX {
            self.out = Vec::new();
        }
        if self.unflushed {
            ready!(Pin::new(&mut *client).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

impl Lines {
    pub(super) fn new(client: Stream, gate: Gate, answers: Framer, card: Arc<Card>) -> Self {
        Self {
            client,
            requests: Framer::new(BUFFER_BYTES, BUFFER_BYTES_MAX),
            request_missing: 0,
            gate,
            answers,
            answer_missing: 0,
            shown: Shown::default(),
            due: 0,
            card,
        }
    }

    /// An answer is due whose first packet has this number.
    pub(super) const fn expect(&mut self, due: u8) {
        self.due = due;
    }

    /// Checks the number of a message of the upstream's; `next` is that after it.
    ///
    /// # Errors
    /// Where it is not the one that is due.
    #[inline]
    pub(super) const fn check(&mut self, sequence: u8, next: u8) -> Result<(), Violation> {
        if sequence != self.due {
            return Err(Violation::OutOfOrder { got: sequence, expected: self.due });
        }
        self.due = next;
        Ok(())
    }

    /// Passes a part of a long message of the upstream's.
    pub(super) fn pass_chunk(&mut self, range: Range<usize>, begins: Option<usize>, last: bool) {
        let Self { answers, shown, .. } = self;
        shown.pass_chunk(begins, answers.bytes(range), last);
        if begins.is_some() {
            self.due = self.due.wrapping_add(1);
        }
        self.answers.consume();
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
        (&mut self.gate, self.answers.space(self.answer_missing))
    }

    fn answers_came(&mut self, count: usize) {
        self.answers.filled(count);
    }

    fn client_waits(&self) -> bool {
        self.shown.waits()
    }

    fn poll_flush_client(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shown.poll_flush(cx, &mut self.client, &self.card)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken() -> Violation {
        Violation::Value { field: "value" }
    }

    #[test]
    fn a_row_is_written_as_it_is_edited_or_as_it_is() {
        let mut shown = Shown { sequence: 254, ..Shown::default() };
        let (row, count) = shown.put_row(b"abc", |_| Ok((false, 0))).unwrap();
        assert_eq!((&*row, count), (&b"abc"[..], 0));
        let edit = |out: &mut Vec<u8>| {
            out.extend_from_slice(b"a*");
            Ok((true, 1))
        };
        let (row, count) = shown.put_row(b"abc", edit).unwrap();
        assert_eq!((&*row, count), (&b"a*"[..], 1));
        assert_eq!(shown.out, b"\x03\0\0\xfeabc\x02\0\0\xffa*");
        assert_eq!(shown.sequence, 0);
    }

    #[test]
    fn half_a_row_is_taken_back() {
        let mut shown = Shown { out: b"before".to_vec(), ..Shown::default() };
        let edit = |out: &mut Vec<u8>| {
            out.extend_from_slice(b"secret");
            Err(broken())
        };
        assert_eq!(shown.put_row(b"abc", edit).unwrap_err(), broken());
        assert_eq!((&*shown.out, shown.sequence), (&b"before"[..], 0));
    }

    #[test]
    fn a_row_that_becomes_longer_than_a_packet_is_cut() {
        for length in [PAYLOAD_BYTES_MAX - 1, PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MAX + 1] {
            let mut shown = Shown::default();
            let edit = |out: &mut Vec<u8>| {
                out.resize(out.len() + length, b'x');
                Ok((true, 1))
            };
            let (row, _) = shown.put_row(b"abc", edit).unwrap();
            assert_eq!(row.len(), length);
            let mut framer = Framer::new(BUFFER_BYTES, BUFFER_BYTES_MAX);
            framer.push(&shown.out);
            let step = framer.step(usize::MAX).unwrap();
            let wire::mysql::frame::Step::Message { range, next, .. } = step else {
                panic!("{step:?}");
            };
            assert_eq!((range.len(), next), (length, shown.sequence));
            assert!(framer.bytes(range).iter().all(|byte| *byte == b'x'));
        }
    }
}
