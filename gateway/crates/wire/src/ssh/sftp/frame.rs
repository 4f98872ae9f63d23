//! The framer: what arrived on a direction, cut into packets by their length fields.
//!
//! Owns where one packet ends and the next begins. Must not know what a packet asks, nor read from
//! a channel: the caller pushes what arrived. The framer never holds more than what was pushed, so
//! nothing is allocated by a length that a peer names. Content is not copied: a packet of content
//! stays in the pieces it arrived in, and is sent on in them under another id. Every other packet
//! is in one piece.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use super::{Answer, HANDLE_BYTES_MAX, PACKET_BYTES_MAX, Request, Violation, kind};

/// What stands before the content in a packet, at most: length, type, id, handle, offset, length of
/// the content. A packet whose first piece is shorter is put together.
const HEAD_BYTES_MAX: usize = 4 + 1 + 4 + (4 + HANDLE_BYTES_MAX) + 8 + 4;
/// Pieces that arrive below this size are put together: each costs more than its bytes.
const SMALL_BYTES: usize = 1024;
/// Bytes that small pieces are put together to.
const JOINED_BYTES: usize = 16 * 1024;

/// Cuts a stream of bytes into packets.
#[derive(Debug, Default)]
pub struct Framer {
    /// None of them is empty.
    pieces: VecDeque<BytesMut>,
    buffered: usize,
}

impl Framer {
    /// Takes what arrived. Copied only where others hold it too.
    pub fn push(&mut self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        self.buffered += bytes.len();
        match self.pieces.back_mut() {
            Some(last) if bytes.len() < SMALL_BYTES && last.len() < JOINED_BYTES => {
                last.extend_from_slice(&bytes);
            }
            _ => self.pieces.push_back(BytesMut::from(bytes)),
        }
    }

    /// Bytes that wait for the rest of their packet, or to be asked for.
    #[must_use]
    pub const fn buffered(&self) -> usize {
        self.buffered
    }

    /// The next whole packet: type and fields, without the length. `None` where more is needed.
    ///
    /// # Errors
    /// Where the length field is one that no packet can have. The stream is of no use after it.
    pub fn packet(&mut self) -> Result<Option<Bytes>, Violation> {
        Ok(self.framed()?.map(Packet::into_bytes))
    }

    /// The same, to be sent on.
    ///
    /// # Errors
    /// As for [`Framer::packet`].
    pub fn framed(&mut self) -> Result<Option<Packet>, Violation> {
        let Some(length) = self.length() else { return Ok(None) };
        if length == 0 || length > PACKET_BYTES_MAX {
            return Err(Violation::Length { length, limit: PACKET_BYTES_MAX });
        }
        if self.buffered < length + 4 {
            return Ok(None);
        }
        Ok(Some(self.take(length + 4)))
    }

    /// The length field of the packet that is next.
    fn length(&self) -> Option<usize> {
        let mut bytes = self.pieces.iter().flatten();
        let mut field = [0; 4];
        for byte in &mut field {
            *byte = *bytes.next()?;
        }
        Some(usize::try_from(u32::from_be_bytes(field)).unwrap_or(usize::MAX))
    }

    /// Takes so many bytes, which are there.
    fn take(&mut self, mut bytes: usize) -> Packet {
        self.buffered = self.buffered.saturating_sub(bytes);
        let mut taken = Vec::new();
        while bytes > 0
            && let Some(mut piece) = self.pieces.pop_front()
        {
            if piece.len() > bytes {
                let rest = piece.split_off(bytes);
                self.pieces.push_front(rest);
            }
            bytes = bytes.saturating_sub(piece.len());
            taken.push(piece);
        }
        Packet::new(taken)
    }
}

/// A whole packet, its length first.
#[derive(Debug)]
pub struct Packet {
    /// Everything before the content, and at least some of that; the whole packet where it has no
    /// content.
    first: BytesMut,
    /// The rest of the content, as it arrived.
    rest: Vec<BytesMut>,
}

impl Packet {
    fn new(taken: Vec<BytesMut>) -> Self {
        let mut pieces = taken.into_iter();
        let mut first = pieces.next().unwrap_or_default();
        let is_content = matches!(first.get(4), Some(&(kind::WRITE | kind::DATA)));
        let rest = if is_content && first.len() >= HEAD_BYTES_MAX {
            pieces.collect()
        } else {
            pieces.for_each(|piece| first.extend_from_slice(&piece));
            Vec::new()
        };
        Self { first, rest }
    }

    /// Bytes of its type and fields.
    #[must_use]
    pub fn len(&self) -> usize {
        (self.first.len() + rest_bytes(&self.rest)).saturating_sub(4)
    }

    /// Whether there is none: no packet is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its type and fields, but for content that is in other pieces.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        self.first.get(4..).unwrap_or_default()
    }

    /// Reads it as a client's.
    ///
    /// # Errors
    /// Where it is no whole request of version 3.
    pub fn request(&self) -> Result<Request<'_>, Violation> {
        Request::read_pieces(self.head(), &self.rest)
    }

    /// Reads it as a server's: the id it answers, and the answer.
    ///
    /// # Errors
    /// Where it is no whole answer of version 3.
    pub fn answer(&self) -> Result<(u32, Answer<'_>), Violation> {
        Answer::read_pieces(self.head(), &self.rest)
    }

    /// Its type and fields, in one piece.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        let mut whole = self.first;
        self.rest.iter().for_each(|piece| whole.extend_from_slice(piece));
        whole.advance(4.min(whole.len()));
        whole.freeze()
    }

    /// The pieces of the same packet under another id, its length first. `None` where it has no id.
    #[must_use]
    pub fn under(mut self, id: u32) -> Option<impl Iterator<Item = BytesMut>> {
        // After the length and the type.
        let field = self.first.get_mut(5..9)?;
        field.copy_from_slice(&id.to_be_bytes());
        Some(std::iter::once(self.first).chain(self.rest))
    }
}

pub(super) fn rest_bytes(pieces: &[BytesMut]) -> usize {
    pieces.iter().map(BytesMut::len).sum()
}

/// The content of a packet, in the pieces it arrived in.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    first: &'a [u8],
    rest: &'a [BytesMut],
}

impl<'a> Content<'a> {
    pub(super) const fn new(first: &'a [u8], rest: &'a [BytesMut]) -> Self {
        Self { first, rest }
    }

    /// How many bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.first.len() + rest_bytes(self.rest)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pieces, in order.
    pub fn pieces(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        std::iter::once(self.first).chain(self.rest.iter().map(|piece| &**piece))
    }

    /// A copy in one piece.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        self.pieces().collect::<Vec<_>>().concat()
    }
}

impl<'a> From<&'a [u8]> for Content<'a> {
    fn from(first: &'a [u8]) -> Self {
        Self { first, rest: &[] }
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Content<'a> {
    fn from(first: &'a [u8; N]) -> Self {
        Self { first, rest: &[] }
    }
}

impl PartialEq for Content<'_> {
    /// Where it is cut does not matter.
    fn eq(&self, other: &Self) -> bool {
        self.pieces().flatten().eq(other.pieces().flatten())
    }
}

impl Eq for Content<'_> {}
