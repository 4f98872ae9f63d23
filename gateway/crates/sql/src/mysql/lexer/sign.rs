//! Operators and punctuation.
//!
//! Owns how many characters make one. `!` and `~` before a value are given to the grammar as a
//! minus, which stands where they may and changes nothing about where a value comes from; `&&` is
//! given as `AND`.

use sqlparser::tokenizer::Token;

use super::{Lexer, tangled};
use crate::Unreadable;

impl Lexer<'_> {
    pub(super) fn sign(&mut self, byte: u8) -> Result<(), Unreadable> {
        let start = self.at;
        let (length, token) = match (byte, self.peek(1), self.peek(2)) {
            (0, ..) => return Err(Unreadable::Nul),
            (b'<', Some(b'='), Some(b'>')) => (3, Token::Spaceship),
            (b'<', Some(b'='), _) => (2, Token::LtEq),
            (b'<', Some(b'>'), _) | (b'!', Some(b'='), _) => (2, Token::Neq),
            (b'<', Some(b'<'), _) => (2, Token::ShiftLeft),
            (b'<', ..) => (1, Token::Lt),
            (b'>', Some(b'='), _) => (2, Token::GtEq),
            (b'>', Some(b'>'), _) => (2, Token::ShiftRight),
            (b'>', ..) => (1, Token::Gt),
            (b':', Some(b'='), _) => (2, Token::Assignment),
            // After a label, in what holds statements, and nowhere else.
            (b':', ..) => (1, Token::Colon),
            (b'|', Some(b'|'), _) => (2, Token::StringConcat),
            (b'&', Some(b'&'), _) => (2, Token::make_word("AND", None)),
            (b'-', Some(b'>'), Some(b'>')) => (3, Token::LongArrow),
            (b'-', Some(b'>'), _) => (2, Token::Arrow),
            (b'!' | b'~' | b'-', ..) => (1, Token::Minus),
            (b'=', ..) => (1, Token::Eq),
            (b'+', ..) => (1, Token::Plus),
            (b'*', ..) => (1, Token::Mul),
            (b'/', ..) => (1, Token::Div),
            (b'%', ..) => (1, Token::Mod),
            (b'|', ..) => (1, Token::Pipe),
            (b'&', ..) => (1, Token::Ampersand),
            (b'^', ..) => (1, Token::Caret),
            (b',', ..) => (1, Token::Comma),
            (b';', ..) => (1, Token::SemiColon),
            (b'(', ..) => (1, Token::LParen),
            (b')', ..) => (1, Token::RParen),
            (b'?', ..) => (1, Token::Placeholder("?".into())),
            _ => return Err(tangled("a character that stands for nothing")),
        };
        self.at += length;
        self.push(start, token)
    }
}
