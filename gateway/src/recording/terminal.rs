//! What an operation put on a screen, told again in time.
//!
//! Owns the way from a recording's entries to the events of one screen, and the two forms they are
//! told in: an asciicast file and a replay in the reader's own terminal. Must not know files, clocks
//! or terminals: it says what comes after how long. A recording holds what an attacker may have
//! written, and a terminal obeys sequences: unless raw bytes are asked for, everything goes through
//! [`Neutral`](neutral::Neutral), which writes anew what draws and drops what asks, sets or sends.
//!
//! ```text
//! entries ── survey ──▶ screens ── one is chosen ──▶ Tape ──▶ events ──┬─▶ asciicast
//!                                                                     └─▶ play
//! ```

mod asciicast;
mod neutral;
mod play;
mod tape;
mod text;

use std::time::Duration;

use model::OperationNumber;

pub use asciicast::Asciicast;
pub use play::{Pace, Play, RESTORE};

use super::record::{Entry, Record, Stream};

/// Width and height of a screen, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Its width.
    pub columns: u32,
    /// Its height.
    pub rows: u32,
}

/// What an operation that had no terminal is shown on.
const SIZE_WITHOUT_TERMINAL: Size = Size { columns: 80, rows: 24 };

/// One operation and where its output went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    /// The operation.
    pub operation: OperationNumber,
    /// Its kind (`shell`, `exec`).
    pub kind: String,
    /// Its text.
    pub text: String,
    /// The terminal's type; `None` where the output went to no terminal.
    pub term: Option<String>,
    /// The screen at its beginning.
    pub size: Size,
    /// When it began, from the session's start.
    pub from: Duration,
    /// Bytes of output that are in the recording.
    pub output_bytes: u64,
}

/// Finds the screens of a session, entry by entry.
#[derive(Debug, Default)]
pub struct Survey {
    screens: Vec<Screen>,
}

impl Survey {
    /// Takes the next entry.
    pub fn entry(&mut self, entry: &Entry) {
        match &entry.record {
            Record::OperationStarted { operation, kind, text, .. } => self.screens.push(Screen {
                operation: *operation,
                kind: kind.to_string(),
                text: text.to_string(),
                term: None,
                size: SIZE_WITHOUT_TERMINAL,
                from: entry.at,
                output_bytes: 0,
            }),
            Record::Terminal { operation, term, columns, rows } => {
                if let Some(screen) = self.screen(*operation) {
                    screen.term = Some(term.to_string());
                    screen.size = Size { columns: *columns, rows: *rows };
                    screen.from = entry.at;
                }
            }
            Record::Output { operation: Some(operation), stream, bytes } => {
                if *stream != Stream::Input
                    && let Some(screen) = self.screen(*operation)
                {
                    screen.output_bytes += bytes.len() as u64;
                }
            }
            // Of operations that put nothing out there may be millions.
            Record::OperationEnded { operation, .. } => {
                let silent = |one: &Screen| one.output_bytes == 0 && one.term.is_none();
                if let Some(place) = self.place(*operation)
                    && self.screens.get(place).is_some_and(silent)
                {
                    self.screens.remove(place);
                }
            }
            _ => {}
        }
    }

    /// The operations that had a terminal; where none had one, those that put something out.
    #[must_use]
    pub fn screens(self) -> Vec<Screen> {
        let any_terminal = self.screens.iter().any(|one| one.term.is_some());
        let shown =
            |one: &Screen| if any_terminal { one.term.is_some() } else { one.output_bytes > 0 };
        self.screens.into_iter().filter(shown).collect()
    }

    /// The screen of one operation, with a terminal or without.
    #[must_use]
    pub fn of(self, operation: OperationNumber) -> Option<Screen> {
        self.screens.into_iter().find(|one| one.operation == operation)
    }

    /// Operations come in order: the last ones are those that still say something.
    fn place(&self, operation: OperationNumber) -> Option<usize> {
        self.screens.iter().rposition(|one| one.operation == operation)
    }

    fn screen(&mut self, operation: OperationNumber) -> Option<&mut Screen> {
        self.place(operation).and_then(|place| self.screens.get_mut(place))
    }
}

#[cfg(test)]
mod tests;
