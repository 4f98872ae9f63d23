//! Packets, written.
//!
//! Owns writing of the protocol's primitive types. Must not know a packet.

use bytes::{BufMut, Bytes, BytesMut};

/// Writes one packet: its type, and what `fields` adds.
pub(super) fn packet(kind: u8, fields: impl FnOnce(&mut BytesMut)) -> Bytes {
    let mut out = BytesMut::with_capacity(64);
    out.put_u32(0);
    out.put_u8(kind);
    fields(&mut out);
    let length = u32::try_from(out.len().saturating_sub(4)).unwrap_or(u32::MAX);
    if let Some(field) = out.first_chunk_mut::<4>() {
        *field = length.to_be_bytes();
    }
    out.freeze()
}

/// Writes a string. Nothing longer than a packet comes here.
pub(super) fn string(out: &mut BytesMut, bytes: &[u8]) {
    out.put_u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    out.put_slice(bytes);
}
