//! The first line of a request (RFC 9112 3).
//!
//! Owns what is sound in one, and writing a target as addresses have it. Must not know what a target
//! means.

use super::{Fault, is_token};

/// Bytes of a method's name.
const METHOD_BYTES_MAX: usize = 32;

/// Says whether the request is of HTTP/1.0.
pub(super) fn read(line: &[u8]) -> Result<bool, Fault> {
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Fault::RequestLine);
    };
    // What begins with a star is ours: no client can send it.
    let is_method = !method.is_empty()
        && method.len() <= METHOD_BYTES_MAX
        && method.iter().all(|byte| is_token(*byte))
        && !method.starts_with(b"*");
    if !is_method {
        return Err(Fault::Method);
    }
    // A fragment is never sent, and readers drop it or do not.
    let is_visible = target.iter().all(|byte| *byte > b' ' && !matches!(byte, b'#' | 0x7f));
    let is_path = target.starts_with(b"/") || (target == b"*" && method == b"OPTIONS");
    if !is_visible || !is_path {
        return Err(Fault::Target);
    }
    let is_old = match version {
        b"HTTP/1.1" => false,
        b"HTTP/1.0" => true,
        _ => return Err(Fault::Version),
    };
    if unencoded(target).any(|found| found) { Err(Fault::Unencoded) } else { Ok(is_old) }
}

/// Of each byte of a request target, whether it is one that servers take as it is, clients (curl) send
/// as it is, and addresses have encoded all the same (RFC 3986 2).
fn unencoded(target: &[u8]) -> impl Iterator<Item = bool> {
    let mut in_query = false;
    target.iter().enumerate().map(move |(at, byte)| {
        in_query |= *byte == b'?';
        match byte {
            b'<' | b'>' | 0x80.. => true,
            b'"' => in_query,
            b'`' => !in_query,
            // In a path, servers do not agree on what it is.
            b'%' => in_query && !is_triplet(target.get(at..).unwrap_or_default()),
            _ => false,
        }
    })
}

/// Whether a percent sign stands here with its two digits.
fn is_triplet(bytes: &[u8]) -> bool {
    matches!(bytes, [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

/// A request's target, or the line it stands in, written as addresses have it: what
/// [`Fault::Unencoded`] is about becomes `%` and two digits, and nothing else changes.
#[must_use]
pub fn encode(line: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or_default();
    let mut encoded = Vec::with_capacity(line.len() * 2);
    // Neither the method nor the version has any of it.
    for (byte, found) in line.iter().zip(unencoded(line)) {
        if found {
            encoded.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        } else {
            encoded.push(*byte);
        }
    }
    encoded
}
