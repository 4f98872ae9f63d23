//! Strings of JSON (RFC 8259 section 7): where one ends, what one says, how one is written.
//!
//! Owns the escapes. Half a surrogate pair stands for no character; in a value it is taken for
//! U+FFFD, as readers do that do not refuse it.

use crate::body::BodyFault;
use crate::body::scratch::{Escape, Escaping};

/// Looks for the end of a string that may come in chunks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct EndOfString {
    /// The last byte was a backslash that begins an escape.
    in_escape: bool,
    /// There was a backslash.
    pub(super) has_escapes: bool,
}

impl EndOfString {
    /// The place of the quote that ends the string, at or after `at`; without one, goes on with the
    /// next chunk.
    #[inline]
    pub(super) fn find(&mut self, bytes: &[u8], mut at: usize) -> Result<Option<usize>, BodyFault> {
        loop {
            if self.in_escape && at < bytes.len() {
                // Whatever it is: what the escape says is read once the string is whole.
                self.in_escape = false;
                at += 1;
            }
            let Some((place, byte)) = find_special(bytes, at) else { return Ok(None) };
            match byte {
                b'"' => return Ok(Some(place)),
                b'\\' => (self.in_escape, self.has_escapes) = (true, true),
                _ => return Err(BodyFault::Syntax),
            }
            at = place + 1;
        }
    }
}

const BLOCK_BYTES: usize = 8;

/// The first quote, backslash or control character at or after `at`.
#[inline]
fn find_special(bytes: &[u8], mut at: usize) -> Option<(usize, u8)> {
    let mut rest = bytes.get(at..)?;
    while let Some((block, behind)) = rest.split_first_chunk::<BLOCK_BYTES>() {
        let specials = specials(u64::from_le_bytes(*block));
        if specials != 0 {
            let within = usize::try_from(specials.trailing_zeros() / 8).unwrap_or(0);
            return block.get(within).map(|byte| (at + within, *byte));
        }
        at += BLOCK_BYTES;
        rest = behind;
    }
    let within = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
    rest.get(within).map(|byte| (at + within, *byte))
}

/// Marks the bytes of a block that are special in their top bits; of the marks only the lowest is
/// sure, since a borrow may mark bytes above it.
#[inline]
const fn specials(block: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let quotes = block ^ (ONES * b'"' as u64);
    let backslashes = block ^ (ONES * b'\\' as u64);
    let is_quote = quotes.wrapping_sub(ONES) & !quotes;
    let is_backslash = backslashes.wrapping_sub(ONES) & !backslashes;
    let is_control = block.wrapping_sub(ONES * 0x20) & !block;
    (is_quote | is_backslash | is_control) & TOPS
}

/// How the strings of JSON are written.
#[derive(Debug)]
pub(super) struct JsonString;

impl Escaping for JsonString {
    const MARK: u8 = b'\\';

    #[inline]
    fn escape(text: &[u8], last: bool) -> Result<Option<Escape>, BodyFault> {
        let says = match text {
            [_] => return Ok(None),
            [_, b'u', ..] => return unicode(text, last),
            [_, quoted @ (b'"' | b'\\' | b'/'), ..] => *quoted,
            [_, b'b', ..] => 0x08,
            [_, b'f', ..] => 0x0C,
            [_, b'n', ..] => b'\n',
            [_, b'r', ..] => b'\r',
            [_, b't', ..] => b'\t',
            _ => return Err(BodyFault::Escape),
        };
        Ok(Some(Escape { written: 2, says: [says, 0, 0, 0], said: 1 }))
    }

    fn write(text: &[u8], out: &mut Vec<u8>) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let Some((special, _)) = find_special(text, 0) else {
            out.extend_from_slice(text);
            return;
        };
        let (plain, rest) = text.split_at_checked(special).unwrap_or((text, b""));
        out.extend_from_slice(plain);
        for byte in rest {
            match byte {
                b'"' | b'\\' => out.extend([b'\\', *byte]),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                b'\t' => out.extend_from_slice(b"\\t"),
                0..0x20 => {
                    out.extend_from_slice(b"\\u00");
                    out.extend(HEX.get(usize::from(byte >> 4)));
                    out.extend(HEX.get(usize::from(byte & 15)));
                }
                _ => out.push(*byte),
            }
        }
    }
}

/// Whether every escape of a string says something.
pub(super) fn check_escapes(raw: &[u8]) -> Result<(), BodyFault> {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(JsonString::MARK, rest) {
        let marked = rest.get(at..).unwrap_or_default();
        let escape = JsonString::escape(marked, true)?.ok_or(BodyFault::Escape)?;
        rest = marked.get(escape.written..).unwrap_or_default();
    }
    Ok(())
}

/// Whether an escape of a string stands for half a surrogate pair. `raw` is known to be sound.
pub(super) fn has_lone_surrogate(raw: &[u8]) -> bool {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(JsonString::MARK, rest) {
        let marked = rest.get(at..).unwrap_or_default();
        match JsonString::escape(marked, true) {
            Ok(Some(Escape { written: 6, said: 3, says: [0xEF, 0xBF, 0xBD, _] }))
                if !marked.get(2..6).is_some_and(|hex| hex.eq_ignore_ascii_case(b"fffd")) =>
            {
                return true;
            }
            Ok(Some(escape)) => rest = marked.get(escape.written..).unwrap_or_default(),
            _ => return true,
        }
    }
    false
}

/// `\uXXXX`, or two of them that are a surrogate pair.
fn unicode(text: &[u8], last: bool) -> Result<Option<Escape>, BodyFault> {
    let Some(first) = unit(text)? else { return Ok(None) };
    let (code, written) = match first {
        0xD800..0xDC00 => {
            let behind = text.get(6..).unwrap_or_default();
            let second = match behind {
                [] | [b'\\'] if !last => return Ok(None),
                [b'\\', b'u', ..] => match unit(behind)? {
                    None if !last => return Ok(None),
                    second => second,
                },
                _ => None,
            };
            match second {
                Some(second @ 0xDC00..0xE000) => {
                    (0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00), 12)
                }
                _ => (first, 6),
            }
        }
        other => (other, 6),
    };
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    let mut says = [0; 4];
    let said = character.encode_utf8(&mut says).len();
    Ok(Some(Escape { written, says, said }))
}

/// The number of the `\uXXXX` that begins the text; `None` where not all of it is there.
fn unit(text: &[u8]) -> Result<Option<u32>, BodyFault> {
    let digits = text.get(2..text.len().min(6)).unwrap_or_default();
    let mut number = 0;
    for digit in digits {
        let value = char::from(*digit).to_digit(16).ok_or(BodyFault::Escape)?;
        number = number << 4 | value;
    }
    Ok((digits.len() == 4).then_some(number))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::body::scratch::Scratch;

    fn decode(raw: &str) -> Result<String, BodyFault> {
        let mut scratch = Scratch::default();
        let text = scratch.decode::<JsonString>(raw.as_bytes(), false)?;
        Ok(String::from_utf8(text.to_vec()).unwrap())
    }

    #[test]
    fn every_escape_says_what_the_grammar_gives_it() {
        assert_eq!(
            decode(r#"a\"\\\/\b\f\n\r\t\u00e9\u00E9\ud83d\ude00\u0000"#).unwrap(),
            "a\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{e9}\u{1f600}\0"
        );
        assert_eq!(decode(r"\ud800x\udc00\ud83d\u0041").unwrap(), "\u{fffd}x\u{fffd}\u{fffd}A");
        for raw in [r"\", r"\x", r"\u", r"\u00", r"\u00g0", r"\U0041", r"\ud83d\ude0", r"\ud800\x"]
        {
            assert_eq!(decode(raw), Err(BodyFault::Escape), "{raw}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_known() {
        for raw in [r"\ud800", r"a\udc00b", r"\ud800\u0041", r"\ud83d\ude00\ud83d"] {
            assert!(has_lone_surrogate(raw.as_bytes()), "{raw}");
        }
        for raw in [r"\ud83d\ude00", r"\uFFFD", "\u{fffd}", r"\\ud800", ""] {
            assert!(!has_lone_surrogate(raw.as_bytes()), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_as_the_same(text in any::<String>()) {
            let mut raw = Vec::new();
            JsonString::write(text.as_bytes(), &mut raw);
            let raw = String::from_utf8(raw).unwrap();
            prop_assert_eq!(serde_json::from_str::<String>(&format!("\"{raw}\"")).unwrap(), &*text);
            prop_assert_eq!(decode(&raw).unwrap(), text);
        }

        #[test]
        fn the_first_special_byte_is_found(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let want = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            prop_assert_eq!(find_special(&bytes, 0).map(|(place, _)| place), want);
        }
    }
}
