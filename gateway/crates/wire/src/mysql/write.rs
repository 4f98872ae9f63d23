//! Writing packets and their fields.
//!
//! Owns writing of the protocol's primitive types. Must not know a message. Appends to a buffer
//! of the caller's.

use super::frame::{HEADER_BYTES, PAYLOAD_BYTES_MAX};

/// Appends a message: what `body` appends, cut into packets from number `sequence` on.
pub fn packet(out: &mut Vec<u8>, sequence: &mut u8, body: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    body(out);
    let length = out.len() - at - HEADER_BYTES;
    if length < PAYLOAD_BYTES_MAX {
        if let Some(field) = out.get_mut(at..at + HEADER_BYTES) {
            field.copy_from_slice(&packet_head(length, *sequence));
        }
        *sequence = sequence.wrapping_add(1);
        return;
    }
    let payload = out.split_off(at + HEADER_BYTES);
    out.truncate(at);
    put_payload(out, sequence, &payload);
}

/// Appends a message, cut into packets from number `sequence` on.
pub fn put_payload(out: &mut Vec<u8>, sequence: &mut u8, payload: &[u8]) {
    let mut rest = payload;
    loop {
        let (now, later) = rest.split_at(rest.len().min(PAYLOAD_BYTES_MAX));
        put_header(out, sequence, now.len());
        out.extend_from_slice(now);
        // A packet that is full is followed by another, be it empty.
        if now.len() < PAYLOAD_BYTES_MAX {
            return;
        }
        rest = later;
    }
}

/// Appends the header of one packet, whose payload is at most [`PAYLOAD_BYTES_MAX`].
pub fn put_header(out: &mut Vec<u8>, sequence: &mut u8, length: usize) {
    out.extend_from_slice(&packet_head(length, *sequence));
    *sequence = sequence.wrapping_add(1);
}

/// The header of one packet, whose payload is at most [`PAYLOAD_BYTES_MAX`].
#[inline]
#[must_use]
pub fn packet_head(length: usize, sequence: u8) -> [u8; HEADER_BYTES] {
    let [a, b, c, _] = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    [a, b, c, sequence]
}

/// Appends two bytes, little-endian.
pub fn put_u16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends the lower three bytes, little-endian.
pub fn put_u24(out: &mut Vec<u8>, value: u32) {
    let [a, b, c, _] = value.to_le_bytes();
    out.extend_from_slice(&[a, b, c]);
}

/// Appends four bytes, little-endian.
pub fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends an integer in as few bytes as it needs.
pub fn put_lenenc_int(out: &mut Vec<u8>, value: u64) {
    let bytes = value.to_le_bytes();
    let (mark, count) = match value {
        0..=250 => (None, 1),
        251..=0xffff => (Some(0xfc), 2),
        0x1_0000..=0xff_ffff => (Some(0xfd), 3),
        _ => (Some(0xfe), 8),
    };
    out.extend(mark);
    out.extend_from_slice(bytes.get(..count).unwrap_or_default());
}

/// Appends a text with its length before it.
pub fn put_lenenc(out: &mut Vec<u8>, bytes: &[u8]) {
    put_lenenc_int(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends text and a NUL. A NUL inside the text would end it early and let the rest be read as
/// the next field, so everything from it on is left out.
pub fn put_nul(out: &mut Vec<u8>, text: &[u8]) {
    out.extend(text.iter().take_while(|byte| **byte != 0));
    out.push(0);
}
