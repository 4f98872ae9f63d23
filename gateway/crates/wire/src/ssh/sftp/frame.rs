//! The framer: one growable buffer a direction, cut into packets by their length fields.
//!
//! Owns where one packet ends and the next begins. Must not know what a packet means, nor read from
//! a channel: the caller pushes what arrived. The buffer never holds more than what was pushed, so
//! nothing is allocated by a length that a peer names. Packets share the buffer's memory.

use bytes::{Buf, Bytes, BytesMut};

use super::{PACKET_BYTES_MAX, Violation};

/// Cuts a stream of bytes into packets.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
}

impl Framer {
    /// Takes what arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes that wait for the rest of their packet, or to be asked for.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// The next whole packet: type and fields, without the length. `None` where more is needed.
    ///
    /// # Errors
    /// Where the length field is one that no packet can have. The stream is of no use after it.
    pub fn packet(&mut self) -> Result<Option<Bytes>, Violation> {
        let Some(length) = self.buffer.first_chunk::<4>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length == 0 || length > PACKET_BYTES_MAX {
            return Err(Violation::Length { length, limit: PACKET_BYTES_MAX });
        }
        if self.buffer.len() < length + 4 {
            return Ok(None);
        }
        self.buffer.advance(4);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }
}
