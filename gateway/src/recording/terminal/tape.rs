//! The events of one screen.
//!
//! Owns the choice of the entries that belong to it, and what becomes of their bytes. Must not know
//! the form they are told in.

use std::time::Duration;

use super::neutral::Neutral;
use super::text::Decoder;
use super::{Screen, Size};
use crate::recording::record::{Entry, Record, Stream};

/// Something that happened, and when.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// Time since the screen began.
    pub(super) at: Duration,
    pub(super) what: What,
}

/// What happened.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The screen was sent this.
    Output(Vec<u8>),
    /// This was typed.
    Input(Vec<u8>),
    /// It changed its size.
    Resized(Size),
    /// Something that should be here is not.
    Gap(String),
    /// A fact beside the screen, for people.
    Remark(String),
    /// The operation ended; the upstream's word for it.
    Ended(String),
}

/// Tells the events of one screen, entry by entry.
#[derive(Debug)]
pub(super) struct Tape {
    screen: Screen,
    filter: Option<Filter>,
    /// Whether the last byte was a carriage return, where there was no terminal to add them.
    after_return: bool,
    ended: bool,
}

/// Makes bytes neutral. A character is cut by its own stream's pieces only; a sequence may be
/// continued by the other stream, as it is on a screen.
#[derive(Debug, Default)]
struct Filter {
    output: Decoder,
    error: Decoder,
    neutral: Neutral,
}

impl Tape {
    /// Of this screen; `raw` gives the bytes as they are recorded.
    pub(super) fn new(screen: Screen, raw: bool) -> Self {
        let filter = (!raw).then(Filter::default);
        Self { screen, filter, after_return: false, ended: false }
    }

    pub(super) const fn screen(&self) -> &Screen {
        &self.screen
    }

    /// What the entry means for the screen.
    pub(super) fn entry(&mut self, entry: &Entry) -> Option<Event> {
        if self.ended {
            return None;
        }
        let mine = entry.record.operation() == Some(self.screen.operation);
        let what = match &entry.record {
            Record::Gap { records } if entry.at >= self.screen.from => {
                What::Gap(format!("{records} records could not be kept here"))
            }
            Record::Note { text } if entry.at >= self.screen.from => What::Remark(text.to_string()),
            _ if !mine => return None,
            Record::Output { stream: Stream::Input, bytes, .. } => What::Input(bytes.to_vec()),
            Record::Output { stream, bytes, .. } => self.output(*stream, bytes)?,
            Record::Resized { columns, rows, .. } => {
                What::Resized(Size { columns: *columns, rows: *rows })
            }
            Record::Notice { severity, text, .. } => What::Remark(format!("{severity}: {text}")),
            Record::ResultOmitted { bytes, .. } => {
                What::Gap(format!("{bytes} more bytes were shown, not kept"))
            }
            Record::OperationEnded { status, .. } => {
                self.ended = true;
                What::Ended(status.to_string())
            }
            _ => return None,
        };
        Some(Event { at: entry.at.saturating_sub(self.screen.from), what })
    }

    fn output(&mut self, stream: Stream, bytes: &[u8]) -> Option<What> {
        let bytes = if self.screen.term.is_some() { bytes.to_vec() } else { self.lines(bytes) };
        let Some(filter) = &mut self.filter else { return Some(What::Output(bytes)) };
        let decoder = if stream == Stream::Error { &mut filter.error } else { &mut filter.output };
        let text = filter.neutral.piece(&decoder.piece(&bytes));
        (!text.is_empty()).then(|| What::Output(text.into_bytes()))
    }

    /// A terminal's line discipline returns the carriage with each line feed; without a terminal
    /// nobody did.
    fn lines(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut lines = Vec::with_capacity(bytes.len());
        for byte in bytes {
            if *byte == b'\n' && !self.after_return {
                lines.push(b'\r');
            }
            lines.push(*byte);
            self.after_return = *byte == b'\r';
        }
        lines
    }
}
