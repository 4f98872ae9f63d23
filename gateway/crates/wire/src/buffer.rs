//! One growable buffer of bytes that a connection has sent: filled at its end, cut at its front.
//!
//! Owns the room and three places in it. Must not know what a message is, nor read from a socket:
//! the caller fills [`Buffer::space`] and says how much arrived. Lives as long as its connection.
//!
//! ```text
//!   bytes:   | consumed | handed out | not yet cut | space |
//!            0        start         cut          end     len
//! ```

use std::ops::Range;

/// A buffer of `initial` bytes that doubles up to `max` while reads fill it, and grows beyond only
/// to hold what the caller has asked to be whole.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    cut: usize,
    end: usize,
    initial: usize,
    max: usize,
}

impl Buffer {
    pub(crate) fn new(initial: usize, max: usize) -> Self {
        Self { bytes: vec![0; initial], start: 0, cut: 0, end: 0, initial, max: max.max(initial) }
    }

    /// Room to read into: never empty, and not more than doubles for `missing` bytes, so that
    /// memory follows what was sent and not what a header promises.
    pub(crate) fn space(&mut self, missing: usize) -> &mut [u8] {
        self.make_room(missing.max(1));
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    fn make_room(&mut self, missing: usize) {
        if self.bytes.len() - self.end >= missing {
            return;
        }
        self.bytes.copy_within(self.start..self.end, 0);
        self.cut -= self.start;
        self.end -= self.start;
        self.start = 0;
        let wanted = self.end.saturating_add(missing);
        if wanted > self.bytes.len() {
            self.bytes.resize(wanted.min(self.bytes.len().saturating_mul(2)), 0);
        }
    }

    /// Says that `count` bytes were read into [`Self::space`]. Where they filled it, the buffer
    /// doubles, up to its bound: a peer that fills reads is answered with longer reads.
    pub(crate) fn filled(&mut self, count: usize) {
        self.end = self.end.saturating_add(count).min(self.bytes.len());
        if self.end == self.bytes.len() && self.bytes.len() < self.max {
            let doubled = self.bytes.len().saturating_mul(2).min(self.max);
            self.bytes.resize(doubled, 0);
        }
    }

    /// What has been read and not yet cut.
    #[inline]
    pub(crate) fn uncut(&self) -> &[u8] {
        self.bytes.get(self.cut..self.end).unwrap_or_default()
    }

    /// Cuts `count` bytes off and says where they lie.
    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> Range<usize> {
        let range = self.cut..self.cut.saturating_add(count).min(self.end);
        self.cut = range.end;
        range
    }

    #[inline]
    pub(crate) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn bytes_mut(&mut self, range: Range<usize>) -> &mut [u8] {
        self.bytes.get_mut(range).unwrap_or_default()
    }

    /// Where the next uncut byte lies: the end of everything handed out.
    #[inline]
    pub(crate) const fn cut_at(&self) -> usize {
        self.cut
    }

    /// Where the first byte lies that has not been consumed.
    #[inline]
    pub(crate) const fn start_at(&self) -> usize {
        self.start
    }

    /// Everything handed out so far is done with; its room may be used again.
    #[inline]
    pub(crate) const fn consume(&mut self) {
        self.start = self.cut;
        if self.start == self.end {
            self.start = 0;
            self.cut = 0;
            self.end = 0;
        }
    }

    /// Bytes read but not yet cut.
    pub(crate) const fn pending(&self) -> usize {
        self.end - self.cut
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Takes bytes that have already been read from the connection.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = self.space(rest.len());
            let (now, later) = rest.split_at(room.len().min(rest.len()));
            room.iter_mut().zip(now).for_each(|(to, from)| *to = *from);
            self.end += now.len();
            rest = later;
        }
    }

    /// Gives memory back that a burst made the buffer take, if it is empty now.
    pub(crate) fn shrink(&mut self) {
        if self.is_empty() && self.bytes.len() > self.initial {
            self.consume();
            self.bytes = vec![0; self.initial];
        }
    }

    pub(crate) const fn capacity(&self) -> usize {
        self.bytes.len()
    }
}
