//! What stands in quotes: strings and names.
//!
//! Owns escapes. Double quotes are strings: `ANSI_QUOTES` is off.

use sqlparser::tokenizer::Token;

use super::{Lexer, tangled};
use crate::Unreadable;

impl Lexer<'_> {
    /// A string, of whose token the first `prefix` bytes have been taken (`N`, `x`, `_utf8mb4 `).
    pub(super) fn string(&mut self, prefix: usize) -> Result<(), Unreadable> {
        let start = self.at - prefix;
        let content = self.string_content()?;
        self.push(start, Token::SingleQuotedString(content))
    }

    /// From the quote where the scan is to the one that closes it.
    pub(super) fn string_content(&mut self) -> Result<String, Unreadable> {
        let quote = self.peek(0).unwrap_or_default();
        self.at += 1;
        let mut content = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(length) = memchr::memchr2(quote, b'\\', rest.as_bytes()) else {
                return Err(tangled("a string without an end"));
            };
            content.push_str(rest.get(..length).unwrap_or_default());
            self.at += length + 1;
            if rest.as_bytes().get(length) == Some(&b'\\') {
                self.escaped(&mut content)?;
            } else if self.peek(0) == Some(quote) {
                content.push(char::from(quote));
                self.at += 1;
            } else {
                return Ok(content);
            }
        }
    }

    fn escaped(&mut self, content: &mut String) -> Result<(), Unreadable> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let Some(escaped) = rest.chars().next() else {
            return Err(tangled("a string without an end"));
        };
        self.at += escaped.len_utf8();
        match escaped {
            '0' => content.push('\0'),
            'b' => content.push('\u{8}'),
            'n' => content.push('\n'),
            'r' => content.push('\r'),
            't' => content.push('\t'),
            'Z' => content.push('\u{1a}'),
            // These stay as they are, for patterns.
            '%' | '_' => {
                content.push('\\');
                content.push(escaped);
            }
            other => content.push(other),
        }
        Ok(())
    }

    /// A name in backticks.
    pub(super) fn quoted_name(&mut self) -> Result<(), Unreadable> {
        let start = self.at;
        let value = self.name_content()?;
        self.push(start, Token::make_word(&value, Some('`')))
    }

    pub(super) fn name_content(&mut self) -> Result<String, Unreadable> {
        self.at += 1;
        let mut content = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(length) = memchr::memchr(b'`', rest.as_bytes()) else {
                return Err(tangled("a name without an end"));
            };
            content.push_str(rest.get(..length).unwrap_or_default());
            self.at += length + 1;
            if self.peek(0) != Some(b'`') {
                break;
            }
            content.push('`');
            self.at += 1;
        }
        if content.is_empty() || content.ends_with(' ') {
            return Err(tangled("a name that is empty or ends in a blank"));
        }
        Ok(content)
    }
}
