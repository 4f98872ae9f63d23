//! Numbers, and words that begin with digits.
//!
//! Owns where a number ends. The server reads `1.0FROM` as a number and a word, `1e5x` otherwise
//! than `1x`; only what nobody can read in two ways passes.

use sqlparser::tokenizer::Token;

use super::{Lexer, tangled, word};
use crate::Unreadable;

/// What may stand around a dot.
const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

const RUNS_INTO_WORD: Unreadable = tangled("a number that runs into a word");

impl Lexer<'_> {
    pub(super) fn number_or_word(&mut self) -> Result<(), Unreadable> {
        let start = self.at;
        let hexadecimal = match (self.peek(0), self.peek(1)) {
            (Some(b'0'), Some(b'x')) => Some(true),
            (Some(b'0'), Some(b'b')) => Some(false),
            _ => None,
        };
        if let Some(hexadecimal) = hexadecimal {
            self.at += 2;
            let digits = self.take_while(|byte| {
                if hexadecimal { byte.is_ascii_hexdigit() } else { matches!(byte, b'0' | b'1') }
            });
            if digits == 0 || self.runs_on() {
                return Err(RUNS_INTO_WORD);
            }
            let content = self.text.get(start + 2..self.at).unwrap_or_default();
            return self.push(start, Token::HexStringLiteral(content.into()));
        }
        self.take_while(|byte| byte.is_ascii_digit());
        match self.peek(0) {
            // `FOR i IN 0..9` in a routine.
            Some(b'.') if self.peek(1) == Some(b'.') => self.range(start),
            Some(b'.') => {
                self.at += 1;
                self.fraction(start)
            }
            Some(b'e' | b'E') => self.exponent(start),
            Some(byte) if word::continues(byte) => self.rest_of_word(start),
            _ => self.end_number(start),
        }
    }

    /// A number, and the two dots after it, which the grammar takes nowhere: they stand in bodies.
    fn range(&mut self, start: usize) -> Result<(), Unreadable> {
        let content = self.text.get(start..self.at).unwrap_or_default();
        self.push(start, Token::Number(content.into(), false))?;
        for _ in 0..2 {
            self.at += 1;
            self.push(self.at - 1, Token::Period)?;
        }
        if self.peek(0) == Some(b'.') { Err(RUNS_INTO_WORD) } else { Ok(()) }
    }

    /// `.5`, the dot between two names, or that of `*.*`.
    pub(super) fn dot(&mut self) -> Result<(), Unreadable> {
        let start = self.at;
        let next = self.peek(1);
        if next.is_some_and(|byte| byte.is_ascii_digit()) {
            if self.touches_last() && matches!(self.last(), Some(Token::Word(_) | Token::Period)) {
                return Err(tangled("a name of digits after a dot"));
            }
            self.at += 1;
            return self.fraction(start);
        }
        // Blanks may stand on both sides. A word that touches the dot before it is a name; one that
        // does not is one only where it is not reserved.
        let rest = self.text.get(self.at + 1..).unwrap_or_default().trim_start_matches(BLANKS);
        let next = rest.bytes().next();
        let (named, names) = match self.last() {
            Some(Token::Word(_)) => {
                (true, next.is_some_and(|byte| word::begins(byte) || matches!(byte, b'`' | b'*')))
            }
            Some(Token::Mul) => (self.touches_last(), rest.starts_with('*')),
            _ => (false, false),
        };
        if !named || !names {
            return Err(tangled("a dot that stands between no two names"));
        }
        self.at += 1;
        self.push(start, Token::Period)
    }

    /// What follows the decimal point.
    fn fraction(&mut self, start: usize) -> Result<(), Unreadable> {
        self.take_while(|byte| byte.is_ascii_digit());
        match self.peek(0) {
            Some(b'e' | b'E') => self.exponent(start),
            Some(b'.') => Err(RUNS_INTO_WORD),
            _ => self.end_number(start),
        }
    }

    fn exponent(&mut self, start: usize) -> Result<(), Unreadable> {
        self.at += 1;
        if matches!(self.peek(0), Some(b'+' | b'-')) {
            self.at += 1;
        }
        if self.take_while(|byte| byte.is_ascii_digit()) == 0 {
            return Err(RUNS_INTO_WORD);
        }
        self.end_number(start)
    }

    fn end_number(&mut self, start: usize) -> Result<(), Unreadable> {
        if self.runs_on() {
            return Err(RUNS_INTO_WORD);
        }
        let content = self.text.get(start..self.at).unwrap_or_default();
        self.push(start, Token::Number(content.into(), false))
    }

    pub(super) fn runs_on(&self) -> bool {
        self.peek(0).is_some_and(|byte| word::continues(byte) || matches!(byte, b'.' | b'`' | b'@'))
    }

    pub(super) fn take_while(&mut self, fits: impl Fn(u8) -> bool) -> usize {
        let start = self.at;
        while self.peek(0).is_some_and(&fits) {
            self.at += 1;
        }
        self.at - start
    }
}
