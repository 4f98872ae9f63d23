//! The framer: one growable buffer a direction, cut into messages.
//!
//! Owns where one message ends and the next begins, and the joining of a message that comes in
//! several packets. Must not know what a message means, nor read from a socket: the caller fills
//! [`Framer::space`] and says how much arrived. Lives as long as its connection.
//!
//! A packet has three bytes of length, its number, and a payload. A payload of [`PAYLOAD_BYTES_MAX`]
//! goes on in the next packet, whose number is one higher. A message longer than the caller wants
//! to hold is reported as [`Step::Large`] from its headers alone. The caller refuses it, asks again
//! with a higher bound, or streams it: then its bytes come as [`Step::Chunk`]s.

use std::ops::Range;

use super::Violation;
use crate::buffer::Buffer;

/// Bytes of a packet's header.
pub const HEADER_BYTES: usize = 4;

/// Bytes of the longest payload of one packet.
pub const PAYLOAD_BYTES_MAX: usize = 0xff_ffff;

/// Cuts a stream of bytes into messages.
#[derive(Debug)]
pub struct Framer {
    buffer: Buffer,
    streaming: Option<Streaming>,
}

/// A message that comes in chunks.
#[derive(Clone, Copy, Debug)]
struct Streaming {
    /// Bytes of the packet under way that are still to come.
    left: usize,
    /// Whether a further packet belongs to the message.
    more: bool,
    /// The number of the next packet.
    sequence: u8,
}

/// What the buffer holds next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A whole message.
    Message {
        /// Where its payload lies, without headers.
        range: Range<usize>,
        /// The number of its first packet.
        sequence: u8,
        /// The number that the packet after its last has.
        next: u8,
    },
    /// A message longer than was asked for; nothing has been taken yet.
    Large {
        /// Bytes of its payload as far as its headers have come.
        length: usize,
        /// The number of its first packet.
        sequence: u8,
        /// Its first byte, if that has come.
        first: Option<u8>,
    },
    /// A part of a message that is being streamed.
    Chunk {
        /// Where it lies; may be empty.
        range: Range<usize>,
        /// Where a packet begins with it: the length of that packet's payload.
        begins: Option<usize>,
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
        Self { buffer: Buffer::new(initial.max(HEADER_BYTES), max), streaming: None }
    }

    /// Room to read into: never empty, and not more than doubles for `missing` bytes (see
    /// [`Step::NeedMore`]), so that memory follows what was sent and not what a header promises.
    pub fn space(&mut self, missing: usize) -> &mut [u8] {
        self.buffer.space(missing)
    }

    /// Says that `count` bytes were read into [`Framer::space`].
    pub fn filled(&mut self, count: usize) {
        self.buffer.filled(count);
    }

    /// Cuts the next message off, if it is whole and its payload has at most `whole_max` bytes.
    ///
    /// # Errors
    /// Where a packet of the same message has another number than the next.
    #[inline]
    pub fn step(&mut self, whole_max: usize) -> Result<Step, Violation> {
        if let Some(streaming) = self.streaming {
            return self.next_chunk(streaming);
        }
        let bytes = self.buffer.uncut();
        let mut at = 0;
        let mut total = 0_usize;
        let mut numbers: Option<(u8, u8)> = None;
        loop {
            let Some((length, sequence)) = header(bytes, at) else {
                return Ok(Step::NeedMore { missing: at + HEADER_BYTES - bytes.len() });
            };
            let first = match numbers {
                None => sequence,
                Some((first, due)) if due == sequence => first,
                Some((_, expected)) => {
                    return Err(Violation::OutOfOrder { got: sequence, expected });
                }
            };
            let next = sequence.wrapping_add(1);
            numbers = Some((first, next));
            total += length;
            if total > whole_max {
                let first_byte = bytes.get(HEADER_BYTES).copied();
                return Ok(Step::Large { length: total, sequence: first, first: first_byte });
            }
            at += HEADER_BYTES + length;
            if bytes.len() < at {
                return Ok(Step::NeedMore { missing: at - bytes.len() });
            }
            if length < PAYLOAD_BYTES_MAX {
                let whole = self.buffer.take(at);
                let range = self.join(whole, total);
                return Ok(Step::Message { range, sequence: first, next });
            }
        }
    }

    /// Moves the payloads of several packets together, over the headers between them.
    fn join(&mut self, whole: Range<usize>, total: usize) -> Range<usize> {
        let begin = whole.start + HEADER_BYTES;
        let bytes = self.buffer.bytes_mut(whole);
        if total >= PAYLOAD_BYTES_MAX {
            let (mut to, mut from) = (HEADER_BYTES, 0);
            while let Some((length, _)) = header(bytes, from) {
                from += HEADER_BYTES;
                bytes.copy_within(from..from + length, to);
                from += length;
                to += length;
                if length < PAYLOAD_BYTES_MAX {
                    break;
                }
            }
        }
        begin..begin + total
    }

    /// The first byte of the message that is not whole yet, if so much of it is there.
    #[must_use]
    pub fn next_first(&self) -> Option<u8> {
        if self.streaming.is_some() {
            return None;
        }
        self.buffer.uncut().get(HEADER_BYTES).copied()
    }

    /// Streams the message that [`Step::Large`] reported: its bytes come as chunks.
    pub fn stream(&mut self) {
        let sequence = header(self.buffer.uncut(), 0).map_or(0, |(_, sequence)| sequence);
        self.streaming = Some(Streaming { left: 0, more: true, sequence });
    }

    /// Whether a message is being streamed.
    #[must_use]
    pub const fn is_streaming(&self) -> bool {
        self.streaming.is_some()
    }

    fn next_chunk(&mut self, mut streaming: Streaming) -> Result<Step, Violation> {
        let mut begins = None;
        if streaming.left == 0 {
            let bytes = self.buffer.uncut();
            let Some((length, sequence)) = header(bytes, 0) else {
                return Ok(Step::NeedMore { missing: HEADER_BYTES - bytes.len() });
            };
            if sequence != streaming.sequence {
                let expected = streaming.sequence;
                return Err(Violation::OutOfOrder { got: sequence, expected });
            }
            let _ = self.buffer.take(HEADER_BYTES);
            streaming = Streaming {
                left: length,
                more: length == PAYLOAD_BYTES_MAX,
                sequence: sequence.wrapping_add(1),
            };
            begins = Some(length);
        }
        let taken = streaming.left.min(self.buffer.pending());
        if taken == 0 && begins.is_none() {
            return Ok(Step::NeedMore { missing: 1 });
        }
        streaming.left -= taken;
        let last = streaming.left == 0 && !streaming.more;
        self.streaming = (!last).then_some(streaming);
        Ok(Step::Chunk { range: self.buffer.take(taken), begins, last })
    }

    /// The bytes of a range that a step gave.
    #[inline]
    #[must_use]
    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.buffer.bytes(range)
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

    /// Bytes of memory held.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.buffer.capacity()
    }
}

/// Length and number of the packet that begins at `at`.
#[inline]
fn header(bytes: &[u8], at: usize) -> Option<(usize, u8)> {
    let [a, b, c, sequence] = *bytes.get(at..)?.first_chunk::<HEADER_BYTES>()?;
    Some((usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16, sequence))
}

/// Payload bytes and number of a packet, from its header alone.
#[must_use]
pub fn packet_header(header: [u8; HEADER_BYTES]) -> (usize, u8) {
    let [a, b, c, sequence] = header;
    (usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16, sequence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mysql::put_payload;
    use proptest::prelude::*;

    /// Feeds `stream` in pieces and collects every message, streamed ones too.
    fn cut_all(
        stream: &[u8],
        piece: impl Fn(usize) -> usize,
        whole_max: usize,
    ) -> Result<Vec<Vec<u8>>, Violation> {
        let mut framer = Framer::new(8, 64);
        let mut messages = Vec::new();
        let mut streamed = Vec::new();
        let (mut at, mut round) = (0, 0);
        loop {
            let missing = loop {
                match framer.step(whole_max)? {
                    Step::Message { range, .. } => messages.push(framer.bytes(range).to_vec()),
                    Step::Large { .. } => framer.stream(),
                    Step::Chunk { range, last, .. } => {
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
                return Ok(messages);
            }
            let space = framer.space(missing);
            let count = piece(round).clamp(1, space.len()).min(stream.len() - at);
            space[..count].copy_from_slice(&stream[at..at + count]);
            framer.filled(count);
            at += count;
            round += 1;
        }
    }

    #[test]
    fn messages_at_and_above_the_longest_packet_are_joined() {
        for length in
            [PAYLOAD_BYTES_MAX - 1, PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MAX + 1, 2 * PAYLOAD_BYTES_MAX]
        {
            let body: Vec<u8> =
                (0..length).map(|index| u8::try_from(index % 251).unwrap()).collect();
            let (mut stream, mut sequence) = (Vec::new(), 250);
            put_payload(&mut stream, &mut sequence, &body);
            let packets = length / PAYLOAD_BYTES_MAX + 1;
            assert_eq!(stream.len(), length + packets * HEADER_BYTES);
            assert_eq!(sequence, 250_u8.wrapping_add(u8::try_from(packets).unwrap()));
            for whole_max in [usize::MAX, 1_000] {
                let got = cut_all(&stream, |_| 1 << 20, whole_max).unwrap();
                assert!(got == [body.clone()], "{length} whole up to {whole_max}");
            }
        }
    }

    #[test]
    fn a_packet_with_another_number_ends_it() {
        let (mut stream, mut sequence) = (Vec::new(), 0);
        put_payload(&mut stream, &mut sequence, &vec![1; PAYLOAD_BYTES_MAX + 1]);
        let at = HEADER_BYTES + PAYLOAD_BYTES_MAX + 3;
        stream[at] = 7;
        let violation = Violation::OutOfOrder { got: 7, expected: 1 };
        assert_eq!(cut_all(&stream, |_| usize::MAX, usize::MAX), Err(violation));
        assert_eq!(cut_all(&stream, |_| usize::MAX, 100), Err(violation));
    }

    #[test]
    fn a_large_message_is_reported_from_its_header_alone() {
        let mut framer = Framer::new(8, 64);
        framer.push(&[0xff, 0xff, 0xff, 0]);
        let large = Step::Large { length: PAYLOAD_BYTES_MAX, sequence: 0, first: None };
        assert_eq!(framer.step(1_000), Ok(large));
        framer.push(&[3]);
        assert!(matches!(framer.step(1_000), Ok(Step::Large { first: Some(3), .. })));
        assert_eq!(framer.next_first(), Some(3));
        assert!(framer.capacity() <= 64);
    }

    #[test]
    fn memory_follows_what_was_sent_and_not_what_was_promised() {
        let mut framer = Framer::new(8, 64);
        framer.push(&[0xff, 0xff, 0xff, 0]);
        let Ok(Step::NeedMore { missing }) = framer.step(usize::MAX) else { panic!("need more") };
        assert_eq!(missing, PAYLOAD_BYTES_MAX);
        assert!(framer.space(missing).len() <= 64);
    }

    proptest! {
        #[test]
        fn any_stream_in_any_pieces_gives_the_same_messages(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..8),
            pieces in prop::collection::vec(1usize..300, 1..20),
            whole_max in 0usize..300,
        ) {
            let mut stream = Vec::new();
            for body in &bodies {
                put_payload(&mut stream, &mut 0, body);
            }
            let got = cut_all(&stream, |round| pieces[round % pieces.len()], whole_max);
            prop_assert_eq!(got, Ok(bodies));
        }

        #[test]
        fn no_stream_panics(stream in prop::collection::vec(any::<u8>(), 0..400), whole_max in 0usize..64) {
            let _ = cut_all(&stream, |round| round % 7 + 1, whole_max);
        }
    }
}
