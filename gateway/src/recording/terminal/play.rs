//! A screen played in the reader's terminal.
//!
//! Owns how long to wait and what to write then. Must not know a clock or a terminal: the caller
//! waits and writes.

use std::time::Duration;

use super::Screen;
use super::tape::{Event, Tape, What};
use crate::recording::record::Entry;
use crate::recording::replay::plain;

/// Puts a terminal back that a replay has left in the middle: modes, margins, colours, character set,
/// wrapping, cursor, the other screen.
pub const RESTORE: &str =
    "\u{1b}[!p\u{1b}[0m\u{1b}(B\u{f}\u{1b}[?5l\u{1b}[?6l\u{1b}[?7h\u{1b}[?25h\u{1b}[?1047l\r\n";

/// How fast a replay goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Times the speed it was recorded at.
    pub speed: f64,
    /// No pause is longer than this, at that speed.
    pub idle_max: Duration,
}

impl Pace {
    /// How long to wait between two events that were `apart`.
    #[must_use]
    pub fn pause(&self, apart: Duration) -> Duration {
        let scaled = Duration::try_from_secs_f64(apart.as_secs_f64() / self.speed);
        scaled.map_or(self.idle_max, |scaled| scaled.min(self.idle_max))
    }
}

/// Plays one screen.
#[derive(Debug)]
pub struct Play {
    tape: Tape,
    pace: Pace,
    last: Duration,
}

impl Play {
    /// Of this screen. `raw` plays the bytes as they are recorded.
    #[must_use]
    pub fn new(screen: Screen, pace: Pace, raw: bool) -> Self {
        Self { tape: Tape::new(screen, raw), pace, last: Duration::ZERO }
    }

    /// What to write, and how long to wait before.
    pub fn entry(&mut self, entry: &Entry) -> Option<(Duration, Vec<u8>)> {
        let Event { at, what } = self.tape.entry(entry)?;
        let bytes = match what {
            What::Output(bytes) => bytes,
            // What was typed is on the screen where it was echoed. The reader's window is its own.
            What::Input(_) | What::Resized(_) | What::Remark(_) => return None,
            What::Gap(text) => format!("\r\n[{}]\r\n", plain(&text)).into_bytes(),
            What::Ended(_) => Vec::new(),
        };
        let pause = self.pace.pause(at.saturating_sub(self.last));
        self.last = at;
        Some((pause, bytes))
    }
}
