//! Names and scalars as they come: whole in a chunk, over several, or too long to be held.
//!
//! Owns what is held of a token. Must not know what becomes of one ([`scalar`](super::scalar)).

use super::number::number_len;
use super::scalar::word_of;
use super::string::{EndOfString, JsonString};
use super::{Chunk, JsonMasker};
use crate::body::{BodyFault, NAME_BYTES_MAX, NUMBER_BYTES_MAX, VALUE_HELD_BYTES_MAX};

/// What the last chunk ended in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    None,
    /// A string, of which all is held.
    String(Role, EndOfString),
    /// A string of which the beginning is let out, or told to be redacted.
    Long {
        is_masked: bool,
        end: EndOfString,
    },
    Number,
    /// `true`, `false` or `null`.
    Word,
}

/// What a string is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Name,
    Value,
}

impl Role {
    /// Bytes of such a string that are held.
    const fn held_bytes_max(self) -> usize {
        match self {
            Self::Name => NAME_BYTES_MAX,
            Self::Value => VALUE_HELD_BYTES_MAX,
        }
    }
}

impl JsonMasker {
    /// Reads the string that begins here.
    #[inline]
    pub(super) fn string(
        &mut self,
        role: Role,
        chunk: &mut Chunk<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), BodyFault> {
        let begin = chunk.at + 1;
        let limit = chunk.bytes.len().min(begin + role.held_bytes_max());
        let window = chunk.bytes.get(..limit).unwrap_or_default();
        let mut end = EndOfString::default();
        if let Some(quote) = end.find(window, begin)? {
            let raw = window.get(begin..quote).unwrap_or_default();
            if self.whole_string(role, raw, end)? {
                chunk.let_out(begin - 1, out);
                out.extend_from_slice(&self.instead);
                chunk.leave(quote + 1);
            }
            chunk.at = quote + 1;
            return Ok(());
        }
        chunk.let_out(begin - 1, out);
        self.held.clear();
        self.held.extend_from_slice(window.get(begin..).unwrap_or_default());
        chunk.leave(limit);
        self.token = Token::String(role, end);
        Ok(())
    }

    /// Reads the number that begins here.
    pub(super) fn number(
        &mut self,
        chunk: &mut Chunk<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), BodyFault> {
        let (begin, len) = (chunk.at, number_len(chunk.rest()));
        let raw = chunk.bytes.get(begin..begin + len).unwrap_or_default();
        if len > NUMBER_BYTES_MAX {
            return Err(BodyFault::Number);
        }
        if begin + len == chunk.bytes.len() {
            self.hold(Token::Number, chunk, out);
            return Ok(());
        }
        if self.whole_number(raw)? {
            chunk.let_out(begin, out);
            out.extend_from_slice(&self.instead);
            chunk.leave(begin + len);
        }
        chunk.at = begin + len;
        Ok(())
    }

    /// Reads the word that begins here.
    pub(super) fn word(
        &mut self,
        first: u8,
        chunk: &mut Chunk<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), BodyFault> {
        let word = word_of(first)?;
        if chunk.rest().len() < word.len() && word.starts_with(chunk.rest()) {
            self.hold(Token::Word, chunk, out);
            return Ok(());
        }
        if !chunk.rest().starts_with(word) {
            return Err(BodyFault::Syntax);
        }
        let (begin, end) = (chunk.at, chunk.at + word.len());
        if self.whole_word(word) {
            chunk.let_out(begin, out);
            out.extend_from_slice(&self.instead);
            chunk.leave(end);
        }
        chunk.at = end;
        Ok(())
    }

    /// Holds what is left of the chunk, where a token begins that does not end in it.
    fn hold(&mut self, token: Token, chunk: &mut Chunk<'_>, out: &mut Vec<u8>) {
        chunk.let_out(chunk.at, out);
        self.held.clear();
        self.held.extend_from_slice(chunk.rest());
        chunk.leave(chunk.bytes.len());
        self.token = token;
    }

    /// Goes on with the token that the last chunk ended in.
    pub(super) fn resume(
        &mut self,
        chunk: &mut Chunk<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), BodyFault> {
        match self.token {
            Token::None => Ok(()),
            Token::String(role, end) => self.resume_string(role, end, chunk, out),
            Token::Long { is_masked, end } => self.resume_long(is_masked, end, chunk, out),
            Token::Number => {
                let len = number_len(chunk.rest());
                self.take(len, chunk);
                if self.held.len() > NUMBER_BYTES_MAX {
                    return Err(BodyFault::Number);
                }
                if chunk.rest().is_empty() {
                    return Ok(());
                }
                let number = std::mem::take(&mut self.held);
                let done = self.held_number(&number, out);
                self.held = number;
                done
            }
            Token::Word => {
                let word = word_of(self.held.first().copied().unwrap_or_default())?;
                self.take(chunk.rest().len().min(word.len() - self.held.len()), chunk);
                if !word.starts_with(&self.held) {
                    return Err(BodyFault::Syntax);
                }
                if self.held.len() == word.len() {
                    self.token = Token::None;
                    let text = if self.whole_word(word) { self.instead.as_slice() } else { word };
                    out.extend_from_slice(text);
                }
                Ok(())
            }
        }
    }

    /// Adds the next bytes of the chunk to what is held.
    fn take(&mut self, len: usize, chunk: &mut Chunk<'_>) {
        self.held.extend_from_slice(chunk.rest().get(..len).unwrap_or_default());
        chunk.leave(chunk.at + len);
    }

    /// A number that is held and whole.
    pub(super) fn held_number(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<(), BodyFault> {
        self.token = Token::None;
        let text = if self.whole_number(raw)? { self.instead.as_slice() } else { raw };
        out.extend_from_slice(text);
        Ok(())
    }

    fn resume_string(
        &mut self,
        role: Role,
        mut end: EndOfString,
        chunk: &mut Chunk<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), BodyFault> {
        let found = self.take_string(role.held_bytes_max(), &mut end, chunk)?;
        if found {
            self.token = Token::None;
            let raw = std::mem::take(&mut self.held);
            if self.whole_string(role, &raw, end)? {
                out.extend_from_slice(&self.instead);
            } else {
                out.push(b'"');
                out.extend_from_slice(&raw);
                out.push(b'"');
            }
            self.held = raw;
            return Ok(());
        }
        self.token = Token::String(role, end);
        if self.held.len() < role.held_bytes_max() {
            return Ok(());
        }
        if role == Role::Name {
            return Err(BodyFault::Name);
        }
        // Too long to be held: what is masked is redacted whole, now; what is not begins.
        let is_masked = self.walk.mask().is_some();
        if let Some(mask) = self.walk.mask() {
            self.redacted_string(mask, out);
        } else {
            out.push(b'"');
        }
        self.resume_long(is_masked, end, chunk, out)
    }

    /// Goes on with a string of which what is held is full or one piece.
    fn resume_long(
        &mut self,
        is_masked: bool,
        mut end: EndOfString,
        chunk: &mut Chunk<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), BodyFault> {
        loop {
            if self.held.len() >= VALUE_HELD_BYTES_MAX {
                if is_masked {
                    self.scratch.drop_piece::<JsonString>(&mut self.held, false)?;
                } else {
                    let set = self.set.scan_set();
                    self.masked +=
                        self.scratch.scan_piece::<JsonString>(set, &mut self.held, out)?;
                }
            }
            let found = self.take_string(VALUE_HELD_BYTES_MAX, &mut end, chunk)?;
            if found {
                self.token = Token::None;
                if is_masked {
                    self.scratch.drop_piece::<JsonString>(&mut self.held, true)?;
                } else {
                    let (set, begin) = (self.set.scan_set(), out.len());
                    self.masked += self.scratch.scan::<JsonString>(set, &self.held, false, out)?;
                    if out.len() == begin {
                        out.extend_from_slice(&self.held);
                    }
                    out.push(b'"');
                }
                self.after_value();
                return Ok(());
            }
            self.token = Token::Long { is_masked, end };
            if self.held.len() < VALUE_HELD_BYTES_MAX {
                return Ok(());
            }
        }
    }

    /// Holds more of a string, up to `held_bytes_max`; whether its end came. The quote is not held.
    fn take_string(
        &mut self,
        held_bytes_max: usize,
        end: &mut EndOfString,
        chunk: &mut Chunk<'_>,
    ) -> Result<bool, BodyFault> {
        let room = held_bytes_max.saturating_sub(self.held.len());
        let window = chunk.rest().get(..room).unwrap_or(chunk.rest());
        let quote = end.find(window, 0)?;
        let len = quote.unwrap_or(window.len());
        self.take(len, chunk);
        if quote.is_some() {
            chunk.leave(chunk.at + 1);
        }
        Ok(quote.is_some())
    }
}
