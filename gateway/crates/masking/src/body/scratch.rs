//! One text of a body, as it is written there: decoded, masked or scanned, and written again.
//!
//! Owns the way between what a text says and how it is written, so that a hit of the detectors
//! changes just the bytes that it is written with. Must not know where the text stands. A text that
//! is too long to be held is scanned in pieces, cut where nothing found can go on.

use crate::carry::settled_len;
use crate::detect::{Hit, ScanSet};
use crate::kind::ValueKind;
use crate::transform::Masked;

use super::set::FieldSet;
use super::{BodyFault, VALUE_HELD_BYTES_MAX};

/// How texts of one format are written.
pub(super) trait Escaping {
    /// The byte that begins what is not written as it is.
    const MARK: u8;
    /// The byte that is written for a blank, where that is another.
    const BLANK: Option<u8> = None;

    /// Reads what begins with [`MARK`](Self::MARK): its bytes and what they say. `None` where it is
    /// not complete; with `last`, nothing comes after it.
    ///
    /// # Errors
    /// Where it says nothing.
    fn escape(text: &[u8], last: bool) -> Result<Option<Escape>, BodyFault>;

    /// Writes a text.
    fn write(text: &[u8], out: &mut Vec<u8>);
}

/// What is not written as it is.
pub(super) struct Escape {
    /// Bytes that it is written with.
    pub(super) written: usize,
    /// What it says.
    pub(super) says: [u8; 4],
    /// Bytes of that.
    pub(super) said: usize,
}

/// Buffers that texts are changed in; kept, so that none is made for a text.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    decoded: Vec<u8>,
    changed: Vec<u8>,
    hits: Vec<Hit>,
}

impl Scratch {
    /// What a text says. `plain` tells that it has no mark.
    pub(super) fn decode<'a, E: Escaping>(
        &'a mut self,
        raw: &'a [u8],
        plain: bool,
    ) -> Result<&'a [u8], BodyFault> {
        if plain {
            return Ok(raw);
        }
        self.decoded.clear();
        decode::<E>(raw, true, &mut self.decoded)?;
        Ok(&self.decoded)
    }

    /// Appends the masked form of a text as it is to be written.
    pub(super) fn mask<E: Escaping>(
        &mut self,
        set: &FieldSet,
        mask: usize,
        (raw, plain): (&[u8], bool),
        out: &mut Vec<u8>,
    ) -> Result<Masked, BodyFault> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.clear();
        let text = self.decode::<E>(raw, plain)?;
        let (transform, all) = (set.change(mask), set.transforms());
        let masked = if set.is_coded(mask) {
            all.apply_coded(transform, text, &mut changed)
        } else {
            all.apply(transform, ValueKind::Text, text, &mut changed)
        };
        E::write(&changed, out);
        self.changed = changed;
        Ok(masked)
    }

    /// Appends a text with everything found in it changed, and answers how much was found. With
    /// nothing found, nothing is written: the text can stay as it is.
    pub(super) fn scan<E: Escaping>(
        &mut self,
        set: &ScanSet,
        raw: &[u8],
        plain: bool,
        out: &mut Vec<u8>,
    ) -> Result<u64, BodyFault> {
        let Self { decoded, hits, changed } = self;
        let text = if plain {
            raw
        } else {
            decoded.clear();
            decode::<E>(raw, true, decoded)?;
            decoded.as_slice()
        };
        hits.clear();
        set.scan(text, hits);
        if hits.is_empty() {
            return Ok(0);
        }
        let mut place = Place::<E>::new(raw, plain);
        let mut copied = 0;
        for hit in hits.iter() {
            let (from, to) = (place.seek(hit.range.start), place.seek(hit.range.end));
            out.extend_from_slice(raw.get(copied..from).unwrap_or_default());
            changed.clear();
            set.change(hit, text.get(hit.range.clone()).unwrap_or_default(), changed);
            E::write(changed, out);
            copied = to;
        }
        out.extend_from_slice(raw.get(copied..).unwrap_or_default());
        Ok(super::count(hits.len()))
    }

    /// Takes what is settled off the beginning of a text whose rest is still to come, and appends
    /// it, scanned.
    pub(super) fn scan_piece<E: Escaping>(
        &mut self,
        set: &ScanSet,
        raw: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<u64, BodyFault> {
        self.decoded.clear();
        let read = decode::<E>(raw, false, &mut self.decoded)?;
        let mut place = Place::<E>::new(raw, false);
        let mut cut = place.seek(settled_len(&self.decoded));
        if set.is_empty() {
            cut = read;
        } else if raw.len() - cut > VALUE_HELD_BYTES_MAX / 4 {
            let wanted = crate::carry::forced_cut(set, &self.decoded, &mut self.hits);
            cut = Place::<E>::new(raw, false).seek(wanted);
        }
        let settled = raw.get(..cut).unwrap_or_default();
        let begin = out.len();
        let found = self.scan::<E>(set, settled, false, out)?;
        if out.len() == begin {
            out.extend_from_slice(settled);
        }
        raw.drain(..cut);
        Ok(found)
    }

    /// Takes what is complete off the beginning of a text that is not let out: it is only read.
    pub(super) fn drop_piece<E: Escaping>(
        &mut self,
        raw: &mut Vec<u8>,
        last: bool,
    ) -> Result<(), BodyFault> {
        self.decoded.clear();
        let read = decode::<E>(raw, last, &mut self.decoded)?;
        raw.drain(..read);
        Ok(())
    }
}

/// Bytes that are looked at one by one before a search begins.
const NEAR_BYTES: usize = 8;

/// Appends what a text says; answers how many bytes of it were read, which is all but an escape
/// at its end whose rest is still to come.
fn decode<E: Escaping>(raw: &[u8], last: bool, out: &mut Vec<u8>) -> Result<usize, BodyFault> {
    let mut rest = raw;
    loop {
        let (plain, marked) = split_at_mark::<E>(rest);
        let begin = out.len();
        out.extend_from_slice(plain);
        if let Some(blank) = E::BLANK {
            let said = out.iter_mut().skip(begin);
            said.filter(|byte| **byte == blank).for_each(|byte| *byte = b' ');
        }
        if marked.is_empty() {
            return Ok(raw.len());
        }
        match E::escape(marked, last)? {
            Some(escape) => {
                out.extend_from_slice(escape.says.get(..escape.said).unwrap_or_default());
                rest = marked.get(escape.written..).unwrap_or_default();
            }
            None if last => return Err(BodyFault::Escape),
            None => return Ok(raw.len() - marked.len()),
        }
    }
}

/// The text before the next mark, and from there on. Where marks are dense the first bytes tell,
/// and the search's set-up is spared.
#[inline]
fn split_at_mark<E: Escaping>(text: &[u8]) -> (&[u8], &[u8]) {
    let near = text.iter().take(NEAR_BYTES).position(|byte| *byte == E::MARK);
    let run = near.or_else(|| memchr::memchr(E::MARK, text)).unwrap_or(text.len());
    text.split_at_checked(run).unwrap_or((text, b""))
}

/// Finds the bytes that a part of a decoded text is written with.
struct Place<'a, E> {
    raw: &'a [u8],
    plain: bool,
    written: usize,
    said: usize,
    escaping: std::marker::PhantomData<E>,
}

impl<'a, E: Escaping> Place<'a, E> {
    const fn new(raw: &'a [u8], plain: bool) -> Self {
        Self { raw, plain, written: 0, said: 0, escaping: std::marker::PhantomData }
    }

    /// Where what the text says from `said` on is written; not before an earlier answer. An escape
    /// of which `said` is the middle begins there.
    fn seek(&mut self, said: usize) -> usize {
        while self.said < said {
            let rest = self.raw.get(self.written..).unwrap_or_default();
            let wanted = said - self.said;
            let window = rest.get(..wanted).unwrap_or(rest);
            let run = if self.plain { None } else { memchr::memchr(E::MARK, window) };
            let run = run.unwrap_or(window.len());
            self.written += run;
            self.said += run;
            if run == wanted {
                break;
            }
            let marked = rest.get(run..).unwrap_or_default();
            match E::escape(marked, true) {
                Ok(Some(escape)) if self.said + escape.said <= said => {
                    self.written += escape.written;
                    self.said += escape.said;
                }
                _ => break,
            }
        }
        self.written
    }
}
