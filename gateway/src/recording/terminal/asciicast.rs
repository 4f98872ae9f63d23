//! A screen as an asciicast file, version 2: <https://docs.asciinema.org/manual/asciicast/v2/>.
//!
//! Owns the form: a line of JSON as header, then a line for each event. Times are the recorder's, in
//! seconds since the screen began. Standard output and standard error are both output; what was typed
//! is there only where it was recorded. Remarks and gaps are markers, so a player can stop at them.

use std::time::Duration;

use serde_json::json;

use super::Screen;
use super::tape::{Event, Tape, What};
use super::text::Decoder;
use crate::recording::header::SessionHeader;
use crate::recording::record::Entry;
use crate::recording::replay::plain;

/// Tells one screen as an asciicast.
#[derive(Debug)]
pub struct Asciicast {
    tape: Tape,
    output: Decoder,
    input: Decoder,
}

impl Asciicast {
    /// Of this screen. `raw` keeps sequences that steer the terminal of whoever plays the file.
    #[must_use]
    pub fn new(screen: Screen, raw: bool) -> Self {
        Self { tape: Tape::new(screen, raw), output: Decoder::default(), input: Decoder::default() }
    }

    /// The first line.
    #[must_use]
    pub fn header(&self, session: &SessionHeader) -> String {
        let screen = self.tape.screen();
        let started = session.started_us.after(screen.from);
        let what = if screen.text.is_empty() || screen.text == screen.kind {
            screen.kind.clone()
        } else {
            format!("{}: {}", screen.kind, screen.text)
        };
        let title = format!("{} at {}, {what}", session.principal, session.target);
        let mut header = json!({
            "version": 2,
            "width": screen.size.columns,
            "height": screen.size.rows,
            "timestamp": started.0 / 1_000_000,
            "title": plain(&title),
        });
        if let (Some(term), Some(fields)) = (&screen.term, header.as_object_mut()) {
            fields.insert("env".to_owned(), json!({ "TERM": plain(term) }));
        }
        format!("{header}\n")
    }

    /// The lines of one entry: none, or one.
    pub fn entry(&mut self, entry: &Entry) -> String {
        let Some(Event { at, what }) = self.tape.entry(entry) else { return String::new() };
        let (code, data) = match what {
            What::Output(bytes) => ("o", self.output.piece(&bytes)),
            What::Input(bytes) => ("i", self.input.piece(&bytes)),
            What::Resized(size) => ("r", format!("{}x{}", size.columns, size.rows)),
            What::Gap(text) | What::Remark(text) => ("m", plain(&text)),
            What::Ended(status) => {
                let rest = self.output.end();
                let last = if rest.is_empty() { String::new() } else { line(at, "o", rest) };
                return last + &line(at, "m", &plain(&status));
            }
        };
        if data.is_empty() { String::new() } else { line(at, code, &data) }
    }
}

fn line(at: Duration, code: &str, data: &str) -> String {
    format!("[{}.{:06},{},{}]\n", at.as_secs(), at.subsec_micros(), json!(code), json!(data))
}
