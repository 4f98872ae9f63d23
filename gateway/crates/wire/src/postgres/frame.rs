//! The framer: one growable buffer a direction, cut into messages by their five-byte headers.
//!
//! Owns where one message ends and the next begins. Must not know what a message means, nor read
//! from a socket: the caller fills [`Framer::space`] and says how much arrived. Lives as long as
//! its connection. Bodies are never copied: a [`Frame`] is a range of the buffer, valid until
//! [`Framer::consume`] or [`Framer::space`] is called next.
//!
//! A message longer than the caller wants to hold is reported as [`Step::Large`] from its header
//! alone. The caller refuses it, asks again with a higher bound, or streams it: then its bytes
//! come as [`Step::Chunk`]s, and the buffer need not grow.

use std::ops::Range;

use super::Violation;
use crate::buffer::Buffer;

/// Bytes of a header: the tag, and a length that counts itself.
pub const HEADER_BYTES: usize = 5;

/// Bytes of the longest message that PostgreSQL itself sends or takes, header included.
pub const MESSAGE_BYTES_MAX: usize = 0x3fff_ffff + 1;

/// Cuts a stream of bytes into messages.
#[derive(Debug)]
pub struct Framer {
    buffer: Buffer,
    /// Bytes of a streamed message that are still to come.
    streaming: usize,
}

/// A whole message in the buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its tag.
    pub tag: u8,
    /// Where it lies in the buffer, header included.
    pub range: Range<usize>,
}

/// What the buffer holds next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A whole message.
    Frame(Frame),
    /// A message longer than was asked for; nothing has been taken yet.
    Large {
        /// Its tag.
        tag: u8,
        /// Bytes, header included.
        length: usize,
    },
    /// A part of a message that is being streamed.
    Chunk {
        /// Where it lies in the buffer.
        range: Range<usize>,
        /// Whether the message ends with it.
        last: bool,
    },
    /// Nothing whole: read on. The buffer must be able to hold this many bytes more.
    NeedMore {
        /// How many bytes are missing at least.
        missing: usize,
    },
}

impl Framer {
    /// A buffer of `initial` bytes that doubles up to `max` while reads fill it, and grows beyond
    /// only to hold one message that the caller has asked to be whole.
    #[must_use]
    pub fn new(initial: usize, max: usize) -> Self {
        Self { buffer: Buffer::new(initial.max(HEADER_BYTES), max), streaming: 0 }
    }

    /// Room to read into: never empty, and not more than doubles for `missing` bytes (see
    /// [`Step::NeedMore`]), so that memory follows what was sent and not what a header promises.
    pub fn space(&mut self, missing: usize) -> &mut [u8] {
        self.buffer.space(missing)
    }

    /// Says that `count` bytes were read into [`Framer::space`]. Where they filled it, the buffer
    /// doubles, up to its bound: a peer that fills reads is answered with longer reads.
    pub fn filled(&mut self, count: usize) {
        self.buffer.filled(count);
    }

    /// Cuts the next message off, if it is whole and at most `whole_max` bytes with its header.
    ///
    /// # Errors
    /// Where the length field is one that no message can have.
    #[inline]
    pub fn step(&mut self, whole_max: usize) -> Result<Step, Violation> {
        if self.streaming > 0 {
            return Ok(self.next_chunk());
        }
        let available = self.buffer.pending();
        let Some((header, _)) = self.buffer.uncut().split_first_chunk::<HEADER_BYTES>() else {
            return Ok(Step::NeedMore { missing: HEADER_BYTES - available });
        };
        let [tag, a, b, c, d] = *header;
        let total = total_bytes(i32::from_be_bytes([a, b, c, d]))?;
        if total > whole_max {
            return Ok(Step::Large { tag, length: total });
        }
        if available < total {
            return Ok(Step::NeedMore { missing: total - available });
        }
        Ok(Step::Frame(Frame { tag, range: self.buffer.take(total) }))
    }

    /// The tag of the message that is not whole yet, if so much of it is there.
    #[must_use]
    pub fn next_tag(&self) -> Option<u8> {
        if self.streaming > 0 { None } else { self.buffer.uncut().first().copied() }
    }

    /// Streams the message that [`Step::Large`] reported: its bytes, header first, come as
    /// chunks.
    pub const fn stream(&mut self, length: usize) {
        self.streaming = length;
    }

    fn next_chunk(&mut self) -> Step {
        let taken = self.streaming.min(self.buffer.pending());
        if taken == 0 {
            return Step::NeedMore { missing: 1 };
        }
        self.streaming -= taken;
        Step::Chunk { range: self.buffer.take(taken), last: self.streaming == 0 }
    }

    /// The bytes of a range that a step gave.
    #[inline]
    #[must_use]
    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.buffer.bytes(range)
    }

    /// The bytes of a range that a step gave, to be changed in place.
    #[inline]
    pub fn bytes_mut(&mut self, range: Range<usize>) -> &mut [u8] {
        self.buffer.bytes_mut(range)
    }

    /// The body of a message: what follows its header.
    #[inline]
    #[must_use]
    pub fn body(&self, frame: &Frame) -> &[u8] {
        self.buffer.bytes(frame.range.start + HEADER_BYTES..frame.range.end)
    }

    /// Where the next uncut byte lies: the end of everything handed out.
    #[inline]
    #[must_use]
    pub const fn cut_at(&self) -> usize {
        self.buffer.cut_at()
    }

    /// Where the first byte lies that has not been consumed.
    #[inline]
    #[must_use]
    pub const fn start_at(&self) -> usize {
        self.buffer.start_at()
    }

    /// Everything handed out so far is done with; its room may be used again.
    #[inline]
    pub const fn consume(&mut self) {
        self.buffer.consume();
    }

    /// Bytes read but not yet cut into messages.
    #[must_use]
    pub const fn pending(&self) -> usize {
        self.buffer.pending()
    }

    /// Whether nothing at all is left in the buffer.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Takes bytes that have already been read from the connection.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.push(bytes);
    }

    /// Gives memory back that a burst made the buffer take, if it is empty now.
    pub fn shrink(&mut self) {
        self.buffer.shrink();
    }

    /// Bytes of memory held.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.buffer.capacity()
    }
}

/// Bytes of a message with its header, from its length field.
///
/// # Errors
/// Where no message can have that length.
#[inline]
pub fn total_bytes(length: i32) -> Result<usize, Violation> {
    match usize::try_from(length) {
        Ok(counted) if (4..MESSAGE_BYTES_MAX).contains(&counted) => Ok(counted + 1),
        _ => Err(Violation::Length { length }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::message;
    use proptest::prelude::*;

    /// Feeds `stream` in pieces cut at `cuts` and collects every message.
    fn cut_all(stream: &[u8], piece: impl Fn(usize) -> usize, whole_max: usize) -> Vec<Vec<u8>> {
        let mut framer = Framer::new(8, 64);
        let mut messages = Vec::new();
        let mut streamed = Vec::new();
        let mut at = 0;
        let mut round = 0;
        loop {
            let missing = loop {
                match framer.step(whole_max).unwrap() {
                    Step::Frame(frame) => messages.push(framer.bytes(frame.range).to_vec()),
                    Step::Large { length, .. } => framer.stream(length),
                    Step::Chunk { range, last } => {
                        streamed.extend_from_slice(framer.bytes(range));
                        if last {
                            messages.push(std::mem::take(&mut streamed));
                        }
                    }
                    Step::NeedMore { missing } => break missing,
                }
            };
            framer.consume();
            if at == stream.len() {
                assert!(framer.is_empty());
                return messages;
            }
            let space = framer.space(missing);
            let count = piece(round).clamp(1, space.len()).min(stream.len() - at);
            space[..count].copy_from_slice(&stream[at..at + count]);
            framer.filled(count);
            at += count;
            round += 1;
        }
    }

    fn stream_of(bodies: &[Vec<u8>]) -> (Vec<u8>, Vec<Vec<u8>>) {
        let mut stream = Vec::new();
        let mut messages = Vec::new();
        for body in bodies {
            let mut one = Vec::new();
            message(&mut one, b'D', |out| out.extend_from_slice(body));
            stream.extend_from_slice(&one);
            messages.push(one);
        }
        (stream, messages)
    }

    #[test]
    fn a_stream_split_at_every_byte_gives_the_same_messages() {
        let (stream, messages) = stream_of(&[b"one".to_vec(), vec![], vec![7; 40]]);
        for split in 1..stream.len() {
            let got =
                cut_all(&stream, |round| if round == 0 { split } else { usize::MAX }, 1 << 20);
            assert_eq!(got, messages, "split at {split}");
        }
        assert_eq!(cut_all(&stream, |_| 1, 1 << 20), messages);
    }

    #[test]
    fn a_length_that_lies_is_refused_before_anything_is_held() {
        for length in [-1, 0, 3, i32::MIN, i32::MAX, 0x4000_0000] {
            let mut framer = Framer::new(8, 64);
            framer.push(b"D");
            framer.push(&length.to_be_bytes());
            assert_eq!(framer.step(usize::MAX), Err(Violation::Length { length }));
            assert!(framer.capacity() <= 64);
        }
    }

    #[test]
    fn a_large_message_is_reported_from_its_header_alone() {
        let mut framer = Framer::new(8, 64);
        framer.push(&[b'Q', 0, 1, 0, 0]);
        assert_eq!(framer.step(1_000), Ok(Step::Large { tag: b'Q', length: 65_537 }));
        assert_eq!(framer.step(1_000), Ok(Step::Large { tag: b'Q', length: 65_537 }));
        assert!(framer.capacity() <= 64);
    }

    #[test]
    fn the_tag_of_an_unfinished_message_is_known_from_its_first_byte() {
        let mut framer = Framer::new(8, 64);
        assert_eq!(framer.next_tag(), None);
        framer.push(b"Q");
        assert_eq!(framer.next_tag(), Some(b'Q'));
        framer.push(&[0, 0, 0, 4]);
        assert!(matches!(framer.step(64), Ok(Step::Frame(_))));
        assert_eq!(framer.next_tag(), None);
    }

    #[test]
    fn memory_taken_by_a_burst_is_given_back() {
        let mut framer = Framer::new(16, 1 << 16);
        for _ in 0..12 {
            let room = framer.space(1).len();
            framer.filled(room);
        }
        assert_eq!(framer.capacity(), 1 << 16);
        framer.shrink();
        assert_eq!(framer.capacity(), 1 << 16, "not while bytes are unread");
        let mut framer = Framer::new(16, 1 << 16);
        framer.push(&[b'S', 0, 0, 0, 4]);
        framer.push(&[b'X'; 100]);
        framer.stream(105);
        assert!(matches!(framer.step(0), Ok(Step::Chunk { last: true, .. })));
        framer.consume();
        framer.shrink();
        assert_eq!(framer.capacity(), 16);
    }

    proptest! {
        #[test]
        fn any_stream_in_any_pieces_gives_the_same_messages(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..8),
            pieces in prop::collection::vec(1usize..300, 1..20),
            whole_max in 5usize..300,
        ) {
            let (stream, messages) = stream_of(&bodies);
            let got = cut_all(&stream, |round| pieces[round % pieces.len()], whole_max);
            prop_assert_eq!(got, messages);
        }
    }
}
