//! Masking of text that arrives in chunks.
//!
//! Owns the end of the text seen so far that may be the beginning of something found: it is held
//! back until the next chunk tells. Ends with [`CarryOver::finish`], which lets go of it; what is
//! dropped without it is lost, never shown unmasked. For text whose values are not delimited (log
//! and terminal output, bodies, copied rows taken as text).

use crate::detect::{Hit, ScanSet, may_belong_to_address, may_belong_to_card};
use crate::transform::STARS;

/// Bytes held back at most. Raised, a stream without any boundary (one endless word) makes us
/// hold more; lowered, a match longer than [`TAIL_BYTES`] across the cut may be missed.
const HELD_BYTES_MAX: usize = 16 * 1024;
/// Bytes kept back when that limit forces a cut: more than any card number or address in use.
const TAIL_BYTES: usize = 1024;

/// Digits from which on what is held back is likely a part of a number that is masked.
const LIKELY_DIGITS: usize = 4;

/// Masks a stream of text chunk by chunk. The output, put together, is what
/// [`ScanSet::mask`] makes of the whole.
#[derive(Debug)]
pub struct CarryOver {
    set: ScanSet,
    held: Vec<u8>,
    /// Bytes of `held` that are out already, because somebody waited for them.
    shown: usize,
    hits: Vec<Hit>,
}

impl CarryOver {
    /// Begins a stream.
    #[must_use]
    pub const fn new(set: ScanSet) -> Self {
        Self { set, held: Vec::new(), shown: 0, hits: Vec::new() }
    }

    /// Takes a chunk; appends to `out` what is settled and answers how many values were masked.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> usize {
        if self.set.is_empty() {
            out.extend_from_slice(chunk);
            return 0;
        }
        self.held.extend_from_slice(chunk);
        let mut cut = settled_len(&self.held);
        if self.held.len() - cut > HELD_BYTES_MAX {
            cut = forced_cut(&self.set, &self.held, &mut self.hits);
        }
        self.let_go(cut, out)
    }

    /// Whether the end of what came is held back.
    #[must_use]
    pub const fn is_holding(&self) -> bool {
        self.held.len() > self.shown
    }

    /// Whether what is held back looks like the beginning of something found, and not like an
    /// ordinary word: it has an `@` or several digits.
    #[must_use]
    pub fn is_likely(&self) -> bool {
        let digits = self.held.iter().filter(|byte| byte.is_ascii_digit()).count();
        digits >= LIKELY_DIGITS || self.held.contains(&b'@')
    }

    /// Appends what was held back, because nothing has come for a while and somebody waits to see
    /// it. It is remembered: of a value whose halves are that far apart in time the first is out,
    /// and the second is not shown.
    pub fn flush(&mut self, out: &mut Vec<u8>) -> usize {
        let count = self.show(self.held.len(), out);
        self.shown = self.held.len();
        count
    }

    /// Ends the stream: appends what was held back.
    pub fn finish(mut self, out: &mut Vec<u8>) -> usize {
        self.flush(out)
    }

    fn let_go(&mut self, cut: usize, out: &mut Vec<u8>) -> usize {
        let count = self.show(cut, out);
        self.held.drain(..cut);
        self.shown = self.shown.saturating_sub(cut);
        count
    }

    /// Appends what is held up to `cut` and is not out yet.
    fn show(&mut self, cut: usize, out: &mut Vec<u8>) -> usize {
        let settled = self.held.get(..cut).unwrap_or_default();
        if self.shown == 0 {
            let count = self.set.mask(settled, out);
            if count == 0 {
                out.extend_from_slice(settled);
            }
            return count;
        }
        self.hits.clear();
        self.set.scan(settled, &mut self.hits);
        let (mut count, mut copied) = (0, self.shown);
        for hit in self.hits.iter().filter(|hit| hit.range.end > self.shown) {
            if hit.range.start < self.shown {
                out.extend_from_slice(STARS);
            } else {
                out.extend_from_slice(settled.get(copied..hit.range.start).unwrap_or_default());
                self.set.change(hit, settled.get(hit.range.clone()).unwrap_or_default(), out);
            }
            copied = hit.range.end;
            count += 1;
        }
        out.extend_from_slice(settled.get(copied..).unwrap_or_default());
        count
    }
}

/// A cut near the end that does not go through anything found, for text without any boundary.
pub(crate) fn forced_cut(set: &ScanSet, text: &[u8], hits: &mut Vec<Hit>) -> usize {
    let wanted = text.len().saturating_sub(TAIL_BYTES);
    hits.clear();
    set.scan(text, hits);
    let across = hits.iter().find(|hit| hit.range.contains(&wanted));
    across.map_or(wanted, |hit| hit.range.end)
}

/// Bytes at the beginning of which nothing found can reach beyond them. The end of the text counts
/// as the middle of a number and of an address; the cut moves back to where neither goes on.
pub(crate) fn settled_len(text: &[u8]) -> usize {
    let back = |cut: usize, belongs: fn(u8) -> bool| {
        if text.get(cut).is_some_and(|next| !belongs(*next)) {
            return cut;
        }
        let tail = text.iter().take(cut).rev().take_while(|byte| belongs(**byte)).count();
        cut - tail
    };
    let mut cut = text.len();
    loop {
        let next = back(back(cut, may_belong_to_card), may_belong_to_address);
        if next == cut {
            return cut;
        }
        cut = next;
    }
}
