//! The text as tokens, exactly as the server cuts it, or not at all.
//!
//! Owns what decides where a token ends: quotes, comments, version comments, numbers, words. The
//! grammar is given these tokens and never sees the text, so it cannot cut it otherwise. Whatever
//! the server may read in another way than we do (a number that runs into a word, a blank beside
//! a dot, a control character) is refused. Must not know statements.
//!
//! Sound while the session keeps `sql_mode` without `ANSI_QUOTES` and `NO_BACKSLASH_ESCAPES`, and
//! `character_set_client` at utf8 or utf8mb4.
//!
//! A token's place is one line whose columns are bytes of the text, counted from 0.

mod comment;
mod escape;
mod number;
mod quoted;
mod sign;
mod word;

use std::ops::Range;

use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan};

use super::height::Height;
use crate::server::Server;
use crate::{AnalysisLimits, Unreadable};

/// The state of the scan.
pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    server: Server,
    /// Inside a version comment whose content counts.
    in_version: bool,
    tokens: Vec<TokenWithSpan>,
    height: Height,
}

/// The tokens of a text. Semicolons are among them, the end is not.
pub(super) fn tokens(
    text: &str,
    server: Server,
    limits: &AnalysisLimits,
) -> Result<(Vec<TokenWithSpan>, Height), Unreadable> {
    let mut lexer = Lexer {
        text,
        at: 0,
        server,
        in_version: false,
        tokens: Vec::with_capacity(text.len() / 5 + 4),
        height: Height::new(limits),
    };
    while lexer.next()? {}
    if lexer.in_version {
        return Err(tangled("a version comment without an end"));
    }
    Ok((lexer.tokens, lexer.height))
}

/// The bytes of the text that a token is.
pub(super) fn place(token: &TokenWithSpan) -> Range<usize> {
    let column = |location: Location| usize::try_from(location.column).unwrap_or_default();
    column(token.span.start)..column(token.span.end)
}

pub(super) const fn tangled(what: &'static str) -> Unreadable {
    Unreadable::Tangled { what }
}

impl Lexer<'_> {
    /// Reads one token or what stands between tokens; `false` at the end.
    fn next(&mut self) -> Result<bool, Unreadable> {
        let Some(byte) = self.peek(0) else { return Ok(false) };
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => self.at += 1,
            b'#' => self.line_comment(),
            b'-' if self.peek(1) == Some(b'-') && self.begins_line_comment() => {
                self.line_comment();
            }
            b'/' if self.peek(1) == Some(b'*') => self.block_comment()?,
            b'*' if self.in_version && self.peek(1) == Some(b'/') => {
                self.in_version = false;
                self.at += 2;
            }
            b'\'' | b'"' => self.string(0)?,
            b'`' => self.quoted_name()?,
            b'@' => self.variable()?,
            b'0'..=b'9' => self.number_or_word()?,
            b'.' => self.dot()?,
            b'{' => self.escape()?,
            b'\\' => self.null()?,
            byte if word::begins(byte) => self.word()?,
            byte => self.sign(byte)?,
        }
        Ok(true)
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    /// Whether the last token ends where the scan is.
    fn touches_last(&self) -> bool {
        self.begins_at_last(self.at)
    }

    /// Whether the last token ends at this place.
    fn begins_at_last(&self, start: usize) -> bool {
        self.tokens.last().is_some_and(|last| place(last).end == start)
    }

    fn last(&self) -> Option<&Token> {
        self.tokens.last().map(|last| &last.token)
    }

    /// Adds the token that began at `start` and ends where the scan is.
    fn push(&mut self, start: usize, token: Token) -> Result<(), Unreadable> {
        self.height.add(&token)?;
        let at = |byte: usize| Location { line: 1, column: byte as u64 };
        let span = Span { start: at(start), end: at(self.at) };
        self.tokens.push(TokenWithSpan { token, span });
        Ok(())
    }
}
