//! Forms: `name=value` pairs divided by `&` (WHATWG URL standard, section 5).
//!
//! Owns where names and values begin and end. A name is a path of one part. Readers that take `;`
//! for `&` are still about: a pair that no mask is about is looked through for names behind `;`,
//! and one that is masked is masked up to `&`. Escapes that mean nothing are a fault, since readers
//! do not agree on them.

mod percent;

use std::sync::Arc;

use super::scratch::Scratch;
use super::set::FieldSet;
use super::walk::Walk;
use super::{BodyFault, NAME_BYTES_MAX, VALUE_HELD_BYTES_MAX};
use crate::transform::{Masked, STARS};
use percent::Percent;

/// Masks a form.
#[derive(Debug)]
pub(super) struct FormMasker {
    set: Arc<FieldSet>,
    walk: Walk,
    place: Place,
    /// What is held of the name or value.
    held: Vec<u8>,
    scratch: Scratch,
    masked: u64,
}

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Name,
    /// A value, and the mask that is about it.
    Value(Option<usize>),
    /// A value of which the beginning is let out.
    LongKept,
    /// A value that is redacted already.
    LongMasked,
}

impl FormMasker {
    pub(super) fn new(set: Arc<FieldSet>) -> Self {
        let mut walk = Walk::new(set.paths());
        // The first frame of all: there is room for it.
        let _ = walk.open_object();
        Self {
            walk,
            set,
            place: Place::Name,
            held: Vec::new(),
            scratch: Scratch::default(),
            masked: 0,
        }
    }

    pub(super) const fn masked(&self) -> u64 {
        self.masked
    }

    pub(super) fn push(&mut self, mut rest: &[u8], out: &mut Vec<u8>) -> Result<(), BodyFault> {
        while !rest.is_empty() {
            let most =
                if self.place == Place::Name { NAME_BYTES_MAX } else { VALUE_HELD_BYTES_MAX };
            let window = rest.get(..most - self.held.len()).unwrap_or(rest);
            let end = match self.place {
                Place::Name => memchr::memchr3(b'=', b'&', b';', window),
                Place::Value(None) | Place::LongKept => memchr::memchr2(b'&', b';', window),
                Place::Value(Some(_)) | Place::LongMasked => memchr::memchr(b'&', window),
            };
            let (taken, behind) =
                rest.split_at_checked(end.unwrap_or(window.len())).unwrap_or((rest, b""));
            self.held.extend_from_slice(taken);
            rest = behind;
            if end.is_some()
                && let Some((mark, behind)) = rest.split_first()
            {
                self.end_of_part(Some(*mark), out)?;
                out.push(*mark);
                rest = behind;
            } else if self.held.len() == most {
                self.overflow(out)?;
            }
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BodyFault> {
        self.end_of_part(None, out)
    }

    /// A name or value is whole: what ended it is `mark`, which stays.
    fn end_of_part(&mut self, mark: Option<u8>, out: &mut Vec<u8>) -> Result<(), BodyFault> {
        let raw = std::mem::take(&mut self.held);
        match self.place {
            Place::Name => {
                let name = self.scratch.decode::<Percent>(&raw, false)?;
                self.walk.member(self.set.paths(), name);
                self.keep(&raw, out)?;
            }
            Place::Value(None) | Place::LongKept => self.keep(&raw, out)?,
            Place::Value(Some(mask)) => self.mask(mask, &raw, out)?,
            Place::LongMasked => {
                self.scratch.decode::<Percent>(&raw, false)?;
            }
        }
        self.place = match mark {
            Some(b'=') => Place::Value(self.walk.mask()),
            _ => Place::Name,
        };
        self.held = raw;
        self.held.clear();
        Ok(())
    }

    /// Appends what no mask is about, scanned.
    fn keep(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<(), BodyFault> {
        let found = self.scratch.scan::<Percent>(self.set.scan_set(), raw, false, out)?;
        if found == 0 {
            out.extend_from_slice(raw);
        }
        self.masked += found;
        Ok(())
    }

    /// Appends the masked form of a value; an empty value is what a form has for NULL.
    fn mask(&mut self, mask: usize, raw: &[u8], out: &mut Vec<u8>) -> Result<(), BodyFault> {
        let begin = out.len();
        if self.scratch.mask::<Percent>(&self.set, mask, (raw, false), out)? == Masked::Null {
            out.truncate(begin);
        }
        self.masked += 1;
        Ok(())
    }

    /// What is held is as much as may be, and the end has not come.
    fn overflow(&mut self, out: &mut Vec<u8>) -> Result<(), BodyFault> {
        match self.place {
            Place::Name => return Err(BodyFault::Name),
            Place::Value(Some(_)) => {
                out.extend_from_slice(STARS);
                self.masked += 1;
                self.place = Place::LongMasked;
            }
            Place::Value(None) => self.place = Place::LongKept,
            Place::LongKept | Place::LongMasked => {}
        }
        if self.place == Place::LongMasked {
            self.scratch.drop_piece::<Percent>(&mut self.held, false)?;
        } else {
            let set = self.set.scan_set();
            self.masked += self.scratch.scan_piece::<Percent>(set, &mut self.held, out)?;
        }
        Ok(())
    }
}
