//! Packets that wait to be written, one queue a direction.
//!
//! Owns the order and the count of bytes. Must not know a packet's meaning, but for one thing: the
//! way upstream takes the workload's packets only under a receipt. Ends with the relay.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::authority::Authority;

/// Bytes of one write, made of small packets. Raised, the first of them waits for more.
const WRITE_BYTES: usize = 32 * 1024;

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Queue {
    packets: VecDeque<Bytes>,
    bytes: usize,
}

impl Queue {
    pub(super) fn push(&mut self, packet: Bytes) {
        self.bytes += packet.len();
        self.packets.push_back(packet);
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// What is written next.
    pub(super) fn pop(&mut self) -> Option<Bytes> {
        let first = self.packets.pop_front()?;
        let mut room = WRITE_BYTES.saturating_sub(first.len());
        let more = self.packets.iter().take_while(|packet| {
            let fits = packet.len() <= room;
            room = room.saturating_sub(packet.len());
            fits
        });
        let more = more.count();
        let mut written = first;
        if more > 0 {
            let mut joined = BytesMut::with_capacity(WRITE_BYTES);
            joined.extend_from_slice(&written);
            self.packets.drain(..more).for_each(|packet| joined.extend_from_slice(&packet));
            written = joined.freeze();
        }
        self.bytes = self.bytes.saturating_sub(written.len());
        Some(written)
    }
}

/// The way upstream.
#[derive(Debug, Default)]
pub(super) struct Upstream(Queue);

impl Upstream {
    /// Sends a packet of the workload's, under what permits it.
    pub(super) fn forward<A: Authority>(&mut self, _under: &A::Receipt, packet: Bytes) {
        self.0.push(packet);
    }

    /// Sends a packet of our own: questions whose paths are not sent on, greetings. Never a
    /// request of the workload's.
    pub(super) fn protocol(&mut self, packet: Bytes) {
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
