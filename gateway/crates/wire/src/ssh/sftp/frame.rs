//! The framer: one growable buffer a direction, cut into packets by their length fields.
//!
//! Owns where one packet ends and the next begins. Must not know what a packet means, nor read from
//! a channel: the caller pushes what arrived. The buffer never holds more than what was pushed, so
//! nothing is allocated by a length that a peer names. Packets share the buffer's memory, and may be
//! sent on in it, under another id.

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
        Ok(self.framed()?.map(Packet::into_bytes))
    }

    /// The same, to be sent on.
    ///
    /// # Errors
    /// As for [`Framer::packet`].
    pub fn framed(&mut self) -> Result<Option<Packet>, Violation> {
        let Some(length) = self.buffer.first_chunk::<4>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length == 0 || length > PACKET_BYTES_MAX {
            return Err(Violation::Length { length, limit: PACKET_BYTES_MAX });
        }
        if self.buffer.len() < length + 4 {
            return Ok(None);
        }
        Ok(Some(Packet { framed: self.buffer.split_to(4 + length) }))
    }
}

/// A whole packet. What it derefs to is its type and fields, without the length.
#[derive(Debug)]
pub struct Packet {
    framed: BytesMut,
}

impl Packet {
    /// Its type and fields.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        let mut bytes = self.framed.freeze();
        bytes.advance(4);
        bytes
    }

    /// The same packet under another id, its length first. `None` where it has no id.
    #[must_use]
    pub fn under(mut self, id: u32) -> Option<Bytes> {
        // After the length and the type.
        let field = self.framed.get_mut(5..9)?;
        field.copy_from_slice(&id.to_be_bytes());
        Some(self.framed.freeze())
    }
}

impl std::ops::Deref for Packet {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.framed.get(4..).unwrap_or_default()
    }
}
