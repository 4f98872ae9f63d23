//! Words: names, keywords, and the prefixes of strings.
//!
//! Owns which bytes make a word, and which words the server takes for a name where it stands:
//! after a dot, and before a parenthesis that a blank divides from it. Those are marked as if
//! they stood in backticks.

use sqlparser::tokenizer::Token;

use super::{Lexer, tangled};
use crate::Unreadable;
use crate::mysql::words;

/// Whether a word may begin with this byte. `$` may not: newer servers quote strings with it.
pub(super) const fn begins(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

/// Whether a word may go on with this byte.
pub(super) const fn continues(byte: u8) -> bool {
    begins(byte) || byte.is_ascii_digit() || byte == b'$'
}

impl Lexer<'_> {
    pub(super) fn word(&mut self) -> Result<(), Unreadable> {
        let start = self.at;
        match (self.peek(0), self.peek(1)) {
            (Some(b'x' | b'X' | b'b' | b'B'), Some(b'\'')) => {
                self.at += 1;
                let content = self.string_content()?;
                return self.push(start, Token::HexStringLiteral(content));
            }
            (Some(b'n' | b'N'), Some(b'\'')) => {
                self.at += 1;
                return self.string(1);
            }
            _ => {}
        }
        self.rest_of_word(start)
    }

    pub(super) fn rest_of_word(&mut self, start: usize) -> Result<(), Unreadable> {
        self.take_while(continues);
        let word = self.text.get(start..self.at).unwrap_or_default();
        if self.peek(0) == Some(b'.') && self.peek(1).is_none() {
            return Err(tangled("a dot that stands between no two names"));
        }
        if word.starts_with('_') && words::is_charset(word) && self.introduces()? {
            return Ok(());
        }
        let named = (self.last() == Some(&Token::Period) && self.begins_at_last(start))
            || self.is_called_with_a_blank(word);
        let quote = if named { Some('`') } else { None };
        self.push(start, Token::make_word(word, quote))
    }

    /// `_utf8mb4'..'`: the introducer is dropped, it changes no token.
    fn introduces(&mut self) -> Result<bool, Unreadable> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
        let after = rest.as_bytes().get(blanks..).unwrap_or_default();
        let literal = match after {
            [b'\'' | b'"', ..] => true,
            [b'x' | b'X' | b'b' | b'B' | b'n' | b'N', b'\'', ..] => true,
            [b'0', b'x' | b'b', ..] => true,
            [b'/' | b'#' | b'-', ..] => return Err(tangled("a comment after a character set")),
            _ => false,
        };
        if literal {
            self.at += blanks;
        }
        Ok(literal)
    }

    /// `count (x)`: with the blank it is no longer the server's own function.
    fn is_called_with_a_blank(&self, word: &str) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let divided = rest.starts_with([' ', '\t', '\n', '\r', '/', '#', '-', '\u{b}', '\u{c}']);
        divided && words::needs_no_blank(word)
    }

    /// `@name`, `@'name'`, `@@name`, and the host of an account.
    pub(super) fn variable(&mut self) -> Result<(), Unreadable> {
        let start = self.at;
        let system = self.peek(1) == Some(b'@');
        self.at += if system { 2 } else { 1 };
        let in_name = |byte: u8| continues(byte) || byte == b'.';
        let name = match self.peek(0) {
            Some(b'\'' | b'"') if !system => self.string_content()?,
            Some(b'`') if !system => self.name_content()?,
            Some(byte) if in_name(byte) => {
                let from = self.at;
                self.take_while(in_name);
                self.text.get(from..self.at).unwrap_or_default().to_owned()
            }
            _ => return Err(tangled("an @ without a name")),
        };
        if self.peek(0).is_some_and(|byte| matches!(byte, b'`' | b'@' | b'\'' | b'"')) {
            return Err(tangled("a variable that runs into something else"));
        }
        let sign = if system { "@@" } else { "@" };
        self.push(start, Token::Placeholder(format!("{sign}{}", name.to_ascii_lowercase())))
    }
}
