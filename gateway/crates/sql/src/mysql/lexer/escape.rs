//! What stands for a constant and is written as nothing else is: `{d '2024-01-31'}` and `\N`.
//!
//! Owns the two forms. A literal of date or time is given as the string inside it, which is
//! checked to be made of digits and what divides them; `\N` is given as `NULL`. The other escapes
//! in braces (`{fn ..}`, `{oj ..}`) are not read.

use sqlparser::tokenizer::Token;

use super::{Lexer, tangled};
use crate::Unreadable;

const NO_LITERAL: Unreadable = tangled("braces around something else than a date or a time");

impl Lexer<'_> {
    /// `{d '..'}`, `{t '..'}`, `{ts '..'}`.
    pub(super) fn escape(&mut self) -> Result<(), Unreadable> {
        let start = self.at;
        self.at += 1;
        self.blanks();
        let from = self.at;
        self.take_while(|byte| byte.is_ascii_alphanumeric());
        let word = self.text.get(from..self.at).unwrap_or_default();
        if !["d", "t", "ts"].iter().any(|known| word.eq_ignore_ascii_case(known)) {
            return Err(NO_LITERAL);
        }
        self.blanks();
        if !matches!(self.peek(0), Some(b'\'' | b'"')) {
            return Err(NO_LITERAL);
        }
        let content = self.string_content()?;
        self.blanks();
        let divides = |byte: u8| matches!(byte, b'-' | b':' | b'.' | b' ' | b'T');
        if self.peek(0) != Some(b'}')
            || !content.bytes().all(|byte| byte.is_ascii_digit() || divides(byte))
        {
            return Err(NO_LITERAL);
        }
        self.at += 1;
        self.push(start, Token::SingleQuotedString(content))
    }

    /// `\N`, alone: with a word before or behind it, servers differ.
    pub(super) fn null(&mut self) -> Result<(), Unreadable> {
        let start = self.at;
        let divided = match self.last() {
            Some(Token::Word(_) | Token::Number(..) | Token::Placeholder(_)) => {
                !self.touches_last()
            }
            _ => true,
        };
        self.at += 2;
        if self.peek_back() != Some(b'N') || !divided || self.runs_on() {
            return Err(tangled("a backslash outside a string"));
        }
        self.push(start, Token::make_word("NULL", None))
    }

    fn blanks(&mut self) {
        self.take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    fn peek_back(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at.checked_sub(1)?).copied()
    }
}
