//! Packets that wait to be written, one queue a direction.
//!
//! Owns the order and the count of bytes. Must not know a packet's meaning, but for one thing: the
//! way upstream takes the workload's packets only under a receipt. Ends with the relay.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::authority::Authority;

/// Bytes of one write, made of small packets. Raised, the first of them waits for more.
const WRITE_BYTES: usize = 32 * 1024;
/// Pieces below this size are copied to be written with what is before them.
const SMALL_BYTES: usize = 4 * 1024;

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pieces: VecDeque<BytesMut>,
    bytes: usize,
}

impl Queue {
    /// Puts a packet, or a piece of one, at the end.
    pub(super) fn push(&mut self, piece: BytesMut) {
        self.bytes += piece.len();
        match self.pieces.back_mut() {
            // What arrived together and is still together goes on together.
            Some(last) if is_behind(last, &piece) => last.unsplit(piece),
            _ => self.pieces.push_back(piece),
        }
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// What is written next.
    pub(super) fn pop(&mut self) -> Option<Bytes> {
        let first = self.pieces.pop_front()?;
        let mut bytes = first.len();
        let more = self.pieces.iter().take_while(|piece| {
            let joins = piece.len() < SMALL_BYTES && bytes + piece.len() <= WRITE_BYTES;
            bytes += if joins { piece.len() } else { 0 };
            joins
        });
        let more = more.count();
        let mut written = first;
        if more > 0 {
            let mut joined = BytesMut::with_capacity(bytes);
            joined.extend_from_slice(&written);
            self.pieces.drain(..more).for_each(|piece| joined.extend_from_slice(&piece));
            written = joined;
        }
        self.bytes = self.bytes.saturating_sub(written.len());
        Some(written.freeze())
    }
}

/// Whether a piece is right behind another in memory.
fn is_behind(one: &BytesMut, other: &BytesMut) -> bool {
    std::ptr::eq(one.as_ptr_range().end, other.as_ptr())
}

/// The way upstream.
#[derive(Debug, Default)]
pub(super) struct Upstream(Queue);

impl Upstream {
    /// Sends a packet of the workload's, or a piece of one, under what permits it.
    pub(super) fn forward<A: Authority>(&mut self, _under: &A::Receipt, piece: BytesMut) {
        self.0.push(piece);
    }

    /// Sends a packet of our own: questions whose paths are not sent on, greetings. Never a
    /// request of the workload's.
    pub(super) fn protocol(&mut self, packet: BytesMut) {
        self.0.push(packet);
    }

    pub(super) const fn bytes(&self) -> usize {
        self.0.bytes()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn pop(&mut self) -> Option<Bytes> {
        self.0.pop()
    }
}
