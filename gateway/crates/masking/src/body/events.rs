//! Server-sent events (WHATWG HTML, section 9.2): lines, and a blank line at an event's end.
//!
//! Owns the lines. An event is held until its end, its `data` lines joined as a reader joins them
//! and masked as one text, which goes back into the same lines. Every other line (`id`, `event`,
//! comments, what no reader knows) is text for the detectors. What the body ends in without a
//! blank line is an event too: readers drop it, but somebody may look.

use std::sync::Arc;

use super::document::DocumentMasker;
use super::set::FieldSet;
use super::{BodyFault, EVENT_BYTES_MAX};

/// Masks a stream of events.
#[derive(Debug)]
pub(super) struct EventMasker {
    document: DocumentMasker,
    /// The event that is being read.
    held: Vec<u8>,
    /// Where in it the line that is being read begins.
    line: usize,
    /// The last line ended in CR: an LF that follows belongs to it.
    after_return: bool,
    /// Whether no event is complete yet: the first line may begin with a byte order mark.
    is_first: bool,
    joined: Vec<u8>,
    shown: Vec<u8>,
    masked: u64,
}

impl EventMasker {
    pub(super) fn new(set: Arc<FieldSet>) -> Self {
        Self {
            document: DocumentMasker::new(set),
            held: Vec::new(),
            line: 0,
            after_return: false,
            is_first: true,
            joined: Vec::new(),
            shown: Vec::new(),
            masked: 0,
        }
    }

    pub(super) const fn masked(&self) -> u64 {
        self.masked
    }

    pub(super) fn push(&mut self, mut rest: &[u8], out: &mut Vec<u8>) -> Result<(), BodyFault> {
        while !rest.is_empty() {
            if std::mem::take(&mut self.after_return)
                && let Some(behind) = rest.strip_prefix(b"\n")
            {
                // Of an event that is out already, its end goes after it.
                if self.held.is_empty() { &mut *out } else { &mut self.held }.push(b'\n');
                self.line = self.held.len();
                rest = behind;
                continue;
            }
            let end = memchr::memchr2(b'\r', b'\n', rest).map(|at| at + 1);
            let (taken, behind) =
                rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, b""));
            rest = behind;
            if self.held.len() + taken.len() > EVENT_BYTES_MAX {
                return Err(BodyFault::Event);
            }
            self.held.extend_from_slice(taken);
            if end.is_some() {
                self.after_return = taken.ends_with(b"\r");
                let is_blank = self.line + 1 == self.held.len();
                self.line = self.held.len();
                if is_blank {
                    self.event(out);
                }
            }
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BodyFault> {
        self.event(out);
        Ok(())
    }

    /// Lets out the event that is held.
    fn event(&mut self, out: &mut Vec<u8>) {
        let held = std::mem::take(&mut self.held);
        let mark = if self.is_first { mark_len(&held) } else { 0 };
        let (mark, event) = held.split_at_checked(mark).unwrap_or((&held, b""));
        out.extend_from_slice(mark);
        self.joined.clear();
        for (index, data) in lines(event).filter_map(|line| line.data()).enumerate() {
            if index > 0 {
                self.joined.push(b'\n');
            }
            self.joined.extend_from_slice(data);
        }
        self.shown.clear();
        let masked = self.document.mask(&self.joined, &mut self.shown);
        // A value that was masked may have gone over several lines: then there are fewer.
        let mut shown = self.shown.split(|byte| *byte == b'\n');
        for line in lines(event) {
            if let Some(data) = line.data() {
                let Some(data_shown) = shown.next() else { continue };
                let name = line.text.len() - data.len();
                out.extend_from_slice(line.text.get(..name).unwrap_or_default());
                out.extend_from_slice(data_shown);
            } else {
                self.masked += self.document.scan(line.text, out);
            }
            out.extend_from_slice(line.end);
        }
        self.masked += masked;
        self.is_first = false;
        self.held = held;
        self.held.clear();
        self.line = 0;
    }
}

/// Bytes of a byte order mark at the beginning.
fn mark_len(event: &[u8]) -> usize {
    if event.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 }
}

/// A line, and what ended it.
struct Line<'a> {
    text: &'a [u8],
    end: &'a [u8],
}

impl<'a> Line<'a> {
    /// What a `data` line has behind its colon and one blank.
    fn data(&self) -> Option<&'a [u8]> {
        let rest = self.text.strip_prefix(b"data")?;
        match rest {
            [] => Some(rest),
            [b':', b' ', data @ ..] | [b':', data @ ..] => Some(data),
            _ => None,
        }
    }
}

/// The lines of an event.
fn lines(mut rest: &[u8]) -> impl Iterator<Item = Line<'_>> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let len = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        let (text, behind) = rest.split_at_checked(len)?;
        let end = match behind {
            [b'\r', b'\n', ..] => 2,
            [_, ..] => 1,
            [] => 0,
        };
        let (end, behind) = behind.split_at_checked(end)?;
        rest = behind;
        Some(Line { text, end })
    })
}
