//! E-mail addresses: a local part, an `@`, and a domain that ends in a top-level domain.
//!
//! Owns what counts as one. The local part is what addresses in use are made of (letters, digits,
//! `. _ % + - ~ & '` and anything beyond ASCII), not all that RFC 5321 permits: with `=` or `/`
//! the key or path before an address would be taken for part of it. Every byte is read at most a
//! few times, however many `@` there are.

use std::ops::Range;

/// The addresses of a text, from left to right.
pub(super) struct Emails<'a> {
    text: &'a [u8],
    /// Nothing before it belongs to a later address.
    from: usize,
    /// The next `@`.
    sign: Option<usize>,
}

impl<'a> Emails<'a> {
    /// Begins with the first `@`, the byte at `sign`.
    pub(super) const fn new(text: &'a [u8], sign: usize) -> Self {
        Self { text, from: 0, sign: Some(sign) }
    }
}

impl Iterator for Emails<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        loop {
            let sign = self.sign?;
            let before = self.text.get(self.from..sign).unwrap_or_default();
            let local = local_len(before);
            let domain = self.text.get(sign + 1..).map_or(0, domain_len);
            self.from = sign + 1 + domain;
            self.sign = find_sign(self.text, self.from);
            if local > 0 && domain > 0 {
                return Some(sign - local..self.from);
            }
        }
    }
}

/// The first `@` at or after `from`.
#[inline]
pub(super) fn find_sign(text: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    if rest.len() < ADDRESS_BYTES_MIN - 1 {
        return None;
    }
    if rest.len() <= SHORT_BYTES_MAX && !has_sign(rest) {
        return None;
    }
    Some(from + memchr::memchr(b'@', rest)?)
}

/// Up to here a look at whole blocks is quicker than the search's set-up.
const SHORT_BYTES_MAX: usize = 128;
const BLOCK_BYTES: usize = 16;
const HALF_BYTES: usize = BLOCK_BYTES / 2;
/// Bytes of the shortest address: `a@b.co`.
const ADDRESS_BYTES_MIN: usize = 6;

/// Whether there is an `@` at all. Blocks of a fixed size become vector instructions.
#[inline]
fn has_sign(text: &[u8]) -> bool {
    let within = |block: &[u8]| block.iter().fold(false, |any, b| any | (*b == b'@'));
    // The last block overlaps the one before instead of leaving a rest.
    if let Some(last) = text.last_chunk::<BLOCK_BYTES>() {
        return text.as_chunks::<BLOCK_BYTES>().0.iter().any(|block| within(block)) || within(last);
    }
    match (text.first_chunk::<HALF_BYTES>(), text.last_chunk::<HALF_BYTES>()) {
        (Some(first), Some(last)) => within(first) | within(last),
        _ => text.contains(&b'@'),
    }
}

/// Whether a byte may be part of an address: for cutting streamed text only where it may not.
pub(crate) const fn may_belong_to_address(byte: u8) -> bool {
    byte == b'@' || is_local(byte)
}

const fn is_local(byte: u8) -> bool {
    matches!(byte,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'%' | b'+' | b'-' | b'~' | b'&'
        | b'\'' | 0x80..)
}

const fn is_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte >= 0x80
}

/// Bytes of the local part that ends the text; it begins with a letter, digit or underscore.
fn local_len(text: &[u8]) -> usize {
    let reach = text.iter().rev().take_while(|byte| is_local(**byte)).count();
    let skipped = text
        .iter()
        .skip(text.len() - reach)
        .take_while(|byte| !(byte.is_ascii_alphanumeric() || **byte == b'_' || **byte >= 0x80))
        .count();
    reach - skipped
}

/// Bytes of the domain that begins the text: the longest row of labels of which there are at
/// least two and the last is a top-level domain; 0 where there is none.
fn domain_len(text: &[u8]) -> usize {
    let (mut at, mut labels, mut best) = (0, 0, 0);
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let len = rest.iter().take_while(|byte| is_domain(**byte)).count();
        if len == 0 {
            return best;
        }
        if labels > 0
            && let Some(top) = top_level_len(rest.get(..len).unwrap_or_default())
        {
            best = at + top;
        }
        labels += 1;
        at += len;
        match text.get(at) {
            Some(b'.') => at += 1,
            _ => return best,
        }
    }
}

/// Bytes of the label that are a top-level domain: two or more letters, or letters beyond ASCII.
/// What directly follows them (`bob@example.com4111`) does not hide the address.
fn top_level_len(label: &[u8]) -> Option<usize> {
    if label.starts_with(b"xn--") {
        return Some(label.len());
    }
    let ascii = label.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let wide = label.iter().take_while(|byte| **byte >= 0x80).count();
    match (ascii, wide) {
        (2.., _) => Some(ascii),
        (_, 1..) => Some(wide),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let Some(sign) = find_sign(text.as_bytes(), 0) else { return Vec::new() };
        Emails::new(text.as_bytes(), sign).map(|range| text.get(range).unwrap()).collect()
    }

    #[test]
    fn an_address_is_found_wherever_it_stands() {
        for address in [
            "bob@example.com",
            "b@e.co",
            "bob.o'brien+tag@mail.example.co.uk",
            "bob_x%y-z@exa-mple.museum",
            "bøb@bücher.de",
            "почта@пример.рф",
            "bob@example.xn--p1ai",
        ] {
            for text in [
                address.to_owned(),
                format!("<{address}>"),
                format!("to={address};"),
                format!("'{address}'"),
                format!("{{\"to\":\"{address}\"}}"),
                format!("write to {address}."),
                format!("a,{address}\n"),
            ] {
                assert_eq!(found(&text), [address], "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_address_is_left_alone() {
        for text in [
            "", "@", "a@", "@b.com", "a@b", "a@b.1", "a@b.c", "a@@b.com", "a @b.com", "a@.com",
            "..@b.de",
        ] {
            assert!(found(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn several_addresses_are_several_hits() {
        assert_eq!(found("a@b.com,c@d.org e@f"), ["a@b.com", "c@d.org"]);
        assert_eq!(found("x@a.com@b.org"), ["x@a.com"]);
        assert_eq!(found("bob@host.com，后"), ["bob@host.com"]);
        assert_eq!(found("bob@host.com4111"), ["bob@host.com"]);
        assert_eq!(found("bob@host.com2.example.org"), ["bob@host.com2.example.org"]);
    }
}
