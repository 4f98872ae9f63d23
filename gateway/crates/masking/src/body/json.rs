//! JSON: one text, or many behind each other.
//!
//! Owns the grammar (RFC 8259, strictly), read chunk by chunk, and where each value stands. What is
//! not to be changed is copied as it is, in spans as long as they come. A token that a chunk ends
//! in is held until the next tells; of a string that is too long to be held, pieces.
//!
//! ```text
//!           .--- {"  ---> Colon --- : ---.            many texts: back to Root
//!           |                            v                        ^
//!  Root --- { [ or a scalar ---------> Value --- scalar, } ] ---> Next --- at the root ---> End
//!                                        ^                         |
//!                                        '----- , (then a name) ---'
//! ```

mod number;
mod scalar;
mod string;
mod token;

use std::sync::Arc;

use super::BodyFault;
use super::scratch::Scratch;
use super::set::FieldSet;
use super::utf8::Utf8Check;
use super::walk::Walk;
use token::{Role, Token};

/// A byte order mark.
const MARK: &[u8] = b"\xEF\xBB\xBF";
/// Goes before each text of a sequence (RFC 7464).
const RECORD_SEPARATOR: u8 = 0x1E;

/// How many texts a body has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Documents {
    One,
    Many,
}

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    /// So many bytes of a byte order mark have come.
    Mark(usize),
    /// A text, or the end.
    Root,
    Value,
    ElementOrEnd,
    MemberOrEnd,
    Member,
    Colon,
    /// What parts values, or ends what they are in.
    Next,
    /// Nothing but blanks.
    End,
}

/// Masks JSON.
#[derive(Debug)]
pub(super) struct JsonMasker {
    set: Arc<FieldSet>,
    documents: Documents,
    expect: Expect,
    walk: Walk,
    token: Token,
    /// What is held of the token.
    held: Vec<u8>,
    /// What is written in place of a token.
    instead: Vec<u8>,
    scratch: Scratch,
    utf8: Utf8Check,
    masked: u64,
}

/// A chunk: how far it is read, and how far it is in the output.
struct Chunk<'a> {
    bytes: &'a [u8],
    at: usize,
    copied: usize,
}

impl Chunk<'_> {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Skips blanks; the byte behind them.
    #[inline]
    fn next_byte(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            if !matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Lets out what stands before `end`.
    fn let_out(&mut self, end: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(self.bytes.get(self.copied..end).unwrap_or_default());
        self.copied = end;
    }

    /// Goes to `to` without letting out what is before.
    const fn leave(&mut self, to: usize) {
        (self.at, self.copied) = (to, to);
    }
}

impl JsonMasker {
    pub(super) fn new(set: Arc<FieldSet>, documents: Documents) -> Self {
        Self {
            documents,
            expect: Expect::Mark(0),
            walk: Walk::new(set.paths()),
            set,
            token: Token::None,
            held: Vec::new(),
            instead: Vec::new(),
            scratch: Scratch::default(),
            utf8: Utf8Check::default(),
            masked: 0,
        }
    }

    /// Begins another body; the count goes on.
    pub(super) fn restart(&mut self) {
        (self.expect, self.token) = (Expect::Mark(0), Token::None);
        self.walk.restart(self.set.paths());
        self.held.clear();
        self.utf8 = Utf8Check::default();
    }

    pub(super) const fn masked(&self) -> u64 {
        self.masked
    }

    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), BodyFault> {
        self.utf8.push(bytes)?;
        let mut chunk = Chunk { bytes, at: 0, copied: 0 };
        while let Expect::Mark(seen) = self.expect {
            self.mark(seen, &mut chunk)?;
            if chunk.rest().is_empty() {
                break;
            }
        }
        let done = self.read(&mut chunk, out);
        if done.is_ok() {
            chunk.let_out(bytes.len(), out);
        }
        done
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BodyFault> {
        if self.token == Token::Number {
            let number = std::mem::take(&mut self.held);
            self.held_number(&number, out)?;
            self.held = number;
        }
        let is_whole = matches!(self.expect, Expect::Mark(0 | 3) | Expect::Root | Expect::End);
        if is_whole && self.token == Token::None && self.utf8.is_complete() {
            Ok(())
        } else {
            Err(BodyFault::Truncated)
        }
    }

    /// The byte order mark, of which some has come.
    fn mark(&mut self, seen: usize, chunk: &mut Chunk<'_>) -> Result<(), BodyFault> {
        let wanted = MARK.get(seen);
        if wanted.is_some() && chunk.rest().first() == wanted {
            chunk.at += 1;
            self.expect = Expect::Mark(seen + 1);
            return Ok(());
        }
        match seen {
            _ if chunk.rest().is_empty() => Ok(()),
            0 | 3 => {
                self.expect = Expect::Root;
                Ok(())
            }
            _ => Err(BodyFault::Syntax),
        }
    }

    fn read(&mut self, chunk: &mut Chunk<'_>, out: &mut Vec<u8>) -> Result<(), BodyFault> {
        loop {
            if self.token != Token::None {
                self.resume(chunk, out)?;
                if self.token != Token::None {
                    return Ok(());
                }
            }
            let Some(byte) = chunk.next_byte() else { return Ok(()) };
            match (self.expect, byte) {
                (Expect::Member | Expect::MemberOrEnd, b'"') => {
                    self.string(Role::Name, chunk, out)?;
                    // What nearly always comes next is not looked up.
                    if self.expect == Expect::Colon && chunk.rest().first() == Some(&b':') {
                        chunk.at += 1;
                        self.expect = Expect::Value;
                    }
                }
                (Expect::Colon, b':') => {
                    chunk.at += 1;
                    self.expect = Expect::Value;
                }
                (Expect::Next, b',') => self.comma(chunk),
                (Expect::Next | Expect::ElementOrEnd, b']') if self.walk.is_in_array() => {
                    self.close(chunk);
                }
                (Expect::Next | Expect::MemberOrEnd, b'}') if !self.walk.is_in_array() => {
                    self.close(chunk);
                }
                (Expect::Root, RECORD_SEPARATOR) if self.documents == Documents::Many => {
                    chunk.at += 1;
                }
                (Expect::Value | Expect::Root | Expect::ElementOrEnd, _) => {
                    self.value(byte, chunk, out)?;
                    if self.expect == Expect::Next
                        && self.token == Token::None
                        && chunk.rest().first() == Some(&b',')
                    {
                        self.comma(chunk);
                    }
                }
                _ => return Err(BodyFault::Syntax),
            }
        }
    }

    #[inline]
    fn comma(&mut self, chunk: &mut Chunk<'_>) {
        chunk.at += 1;
        self.expect = if self.walk.is_in_array() {
            self.walk.element(self.set.paths());
            Expect::Value
        } else {
            Expect::Member
        };
    }

    #[inline]
    fn value(
        &mut self,
        first: u8,
        chunk: &mut Chunk<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), BodyFault> {
        match first {
            b'"' => self.string(Role::Value, chunk, out),
            b'{' => {
                chunk.at += 1;
                self.walk.open_object()?;
                self.expect = Expect::MemberOrEnd;
                Ok(())
            }
            b'[' => {
                chunk.at += 1;
                self.walk.open_array(self.set.paths())?;
                self.expect = Expect::ElementOrEnd;
                Ok(())
            }
            b'-' | b'0'..=b'9' => self.number(chunk, out),
            _ => self.word(first, chunk, out),
        }
    }

    fn close(&mut self, chunk: &mut Chunk<'_>) {
        chunk.at += 1;
        self.walk.close();
        self.after_value();
    }

    fn after_value(&mut self) {
        self.expect = if !self.walk.is_at_root() {
            Expect::Next
        } else if self.documents == Documents::Many {
            self.walk.restart(self.set.paths());
            Expect::Root
        } else {
            Expect::End
        };
    }
}
