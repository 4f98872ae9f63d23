//! What becomes of names and scalars once they are whole.
//!
//! Owns the choice: a name tells the walk where its value stands; a scalar that a mask is about is
//! changed as one of its kind, any other is scanned or kept. Must not know chunks.

use super::number::is_number;
use super::string::{EndOfString, JsonString, check_escapes, has_lone_surrogate};
use super::token::Role;
use super::{Expect, JsonMasker};
use crate::body::BodyFault;
use crate::kind::ValueKind;
use crate::transform::{CODED_STARS, Masked, STARS};

use model::Transform;

/// Whole numbers that every reader keeps are below 2^53 (RFC 8259 section 6).
const NUMBER: ValueKind = ValueKind::Integer { bits: 54 };
/// Digits of the shortest number that a detector looks for.
const NUMBER_SCANNED_BYTES_MIN: usize = 13;
const NULL: &[u8] = b"null";

impl JsonMasker {
    /// A string is whole. Whether `instead` has what is to be written for it, with its quotes.
    pub(super) fn whole_string(
        &mut self,
        role: Role,
        raw: &[u8],
        end: EndOfString,
    ) -> Result<bool, BodyFault> {
        let plain = !end.has_escapes;
        self.instead.clear();
        if role == Role::Name {
            self.name(raw, plain)?;
            self.expect = Expect::Colon;
        } else if let Some(mask) = self.walk.mask() {
            self.after_value();
            self.instead.push(b'"');
            let text = (raw, plain);
            let masked =
                self.scratch.mask::<JsonString>(&self.set, mask, text, &mut self.instead)?;
            self.replaced(masked, b"\"");
            return Ok(true);
        } else {
            self.after_value();
        }
        let set = self.set.scan_set();
        if plain && set.is_clean(raw) {
            return Ok(false);
        }
        if set.is_empty() {
            check_escapes(raw)?;
            return Ok(false);
        }
        self.instead.push(b'"');
        let found = self.scratch.scan::<JsonString>(set, raw, plain, &mut self.instead)?;
        self.instead.push(b'"');
        self.masked += found;
        Ok(found > 0)
    }

    /// Tells the walk the name of the member that comes.
    fn name(&mut self, raw: &[u8], plain: bool) -> Result<(), BodyFault> {
        if !self.walk.wants_name() {
            self.walk.some_member();
            return Ok(());
        }
        let name = self.scratch.decode::<JsonString>(raw, plain)?;
        // Readers do not agree what such a name is.
        if !plain && has_lone_surrogate(raw) {
            return Err(BodyFault::Escape);
        }
        self.walk.member(self.set.paths(), name);
        Ok(())
    }

    /// A number is whole. Whether `instead` has what is to be written for it.
    pub(super) fn whole_number(&mut self, raw: &[u8]) -> Result<bool, BodyFault> {
        if !is_number(raw) {
            return Err(BodyFault::Syntax);
        }
        let mask = self.walk.mask();
        self.after_value();
        self.instead.clear();
        let masked = match mask {
            Some(mask) => {
                let transform = self.set.change(mask);
                self.set.transforms().apply(transform, NUMBER, raw, &mut self.instead)
            }
            None if raw.len() < NUMBER_SCANNED_BYTES_MIN => return Ok(false),
            None => self.set.scan_set().mask_value(NUMBER, raw, &mut self.instead),
        };
        Ok(self.replaced(masked, b""))
    }

    /// A word is whole. Whether `instead` has what is to be written for it.
    pub(super) fn whole_word(&mut self, word: &[u8]) -> bool {
        let mask = self.walk.mask();
        self.after_value();
        let Some(mask) = mask.filter(|_| word != NULL) else { return false };
        self.instead.clear();
        let transform = self.set.change(mask);
        let kind = ValueKind::Boolean;
        let masked = self.set.transforms().apply(transform, kind, word, &mut self.instead);
        self.replaced(masked, b"")
    }

    /// Appends what stands for a string that a mask is about and that is too long to be held.
    pub(super) fn redacted_string(&mut self, mask: usize, out: &mut Vec<u8>) {
        if self.set.change(mask) == Transform::Null {
            out.extend_from_slice(NULL);
        } else {
            out.push(b'"');
            out.extend_from_slice(if self.set.is_coded(mask) { CODED_STARS } else { STARS });
            out.push(b'"');
        }
        self.masked += 1;
    }

    /// Completes what is written for a scalar: `null` where it has no masked form.
    fn replaced(&mut self, masked: Masked, end: &[u8]) -> bool {
        match masked {
            Masked::Unchanged => return false,
            Masked::Value => self.instead.extend_from_slice(end),
            Masked::Null => {
                self.instead.clear();
                self.instead.extend_from_slice(NULL);
            }
        }
        self.masked += 1;
        true
    }
}

/// The word that begins with this letter.
pub(super) fn word_of(first: u8) -> Result<&'static [u8], BodyFault> {
    match first {
        b't' => Ok(b"true"),
        b'f' => Ok(b"false"),
        b'n' => Ok(NULL),
        _ => Err(BodyFault::Syntax),
    }
}
