//! Statements with bytes in them that are no text.
//!
//! Owns the one place where such bytes may stand: in strings, as client libraries and dumps write
//! what goes into columns of bytes. Must not know what the statement does.
//!
//! Sound for the same reason as the rest: in utf8 and utf8mb4 no character holds a byte below
//! 0x80 beside itself, whether the server takes the bytes for a character or not. So it finds the
//! quotes, escapes and words where we find them, whatever stands in their place for these bytes.

use super::lexer::{place, tokens};
use crate::AnalysisLimits;
use crate::server::Server;
use sqlparser::tokenizer::Token;

/// Stands for bytes that are no text. Nobody has a use for it; a text that does is not read.
const MARK: char = '\u{f8ff}';

/// In which strings bytes may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BytesIn {
    /// Those that `_binary` introduces: whoever speaks another character set may mean text by
    /// others.
    BinaryStrings,
    /// All.
    Strings,
}

/// The text of a statement in which bytes that are no text stand in strings alone; there they are
/// left out. Nothing where they stand elsewhere.
#[must_use]
pub fn text_around_bytes(statement: &[u8], bytes_in: BytesIn) -> Option<String> {
    let mut text = String::with_capacity(statement.len());
    let mut marks = 0_usize;
    for chunk in statement.utf8_chunks() {
        if chunk.valid().contains(MARK) {
            return None;
        }
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(MARK);
            marks += 1;
        }
    }
    // What an unknown server reads is read so by every one.
    let (tokens, _) = tokens(&text, Server::default(), &AnalysisLimits::default()).ok()?;
    let in_strings = tokens.iter().filter(|one| matches!(one.token, Token::SingleQuotedString(_)));
    let found: usize = in_strings
        .filter(|one| {
            bytes_in == BytesIn::Strings
                || is_binary(text.get(..place(one).start).unwrap_or_default())
        })
        .map(|one| text.get(place(one)).unwrap_or_default().matches(MARK).count())
        .sum();
    (found == marks).then_some(text)
}

/// Whether what stands before a string introduces it as bytes.
fn is_binary(before: &str) -> bool {
    const INTRODUCER: &str = "_binary";
    let before = before.trim_end_matches([' ', '\t', '\n', '\r']);
    let Some(start) = before.len().checked_sub(INTRODUCER.len()) else { return false };
    let is = before.get(start..).is_some_and(|word| word.eq_ignore_ascii_case(INTRODUCER));
    let alone = before
        .get(..start)
        .is_some_and(|rest| rest.ends_with([' ', '\t', '\n', '\r', '(', ',', '=', '<', '>', '+']));
    is && alone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_may_stand_in_strings_and_nowhere_else() {
        for text in [&b"SELECT '\xff'"[..], b"SELECT N'a\xff', x_binary \"\xe2\x28\""] {
            assert!(text_around_bytes(text, BytesIn::Strings).is_some());
            assert_eq!(text_around_bytes(text, BytesIn::BinaryStrings), None);
        }
        for text in
            [&b"SELECT '' /* \xff */"[..], b"SELECT 'a' AS `\xff`", b"SELECT \xff, 'a'", b"'\xff"]
        {
            assert_eq!(text_around_bytes(text, BytesIn::Strings), None);
        }
    }

    #[test]
    fn bytes_may_stand_in_binary_strings_whatever_is_spoken() {
        let read = |text: &[u8]| text_around_bytes(text, BytesIn::BinaryStrings);
        let text = b"INSERT INTO t VALUES (1,_binary'\xff\xfe\\'\xe2\x28',_BINARY \"\xc3\")";
        let shown =
            "INSERT INTO t VALUES (1,_binary'\u{f8ff}\u{f8ff}\\'\u{f8ff}(',_BINARY \"\u{f8ff}\")";
        assert_eq!(read(text).as_deref(), Some(shown));
        for text in [
            &b"SELECT '\xff'"[..],
            b"SELECT x_binary '\xff'",
            b"SELECT @_binary'\xff'",
            b"SELECT t._binary '\xff'",
            b"SELECT _binary'a' '\xff'",
            b"SELECT _binary'a' /* \xff */",
            b"SELECT _binary'a' AS `\xff`",
            b"SELECT \xff, _binary'a'",
            b"SELECT _binary'\xff",
            b"SELECT '_binary', '\xff'",
            "SELECT _binary'\u{f8ff}'".as_bytes(),
        ] {
            assert_eq!(read(text), None, "{}", String::from_utf8_lossy(text));
        }
    }
}
