//! Output that came in pieces, as lines.
//!
//! Owns the line of each stream that is not ended, and how many lines were printed. Must not know a
//! terminal: everything is printed as it is written, a control character as its code, so that nothing
//! that was shown for a moment only is hidden. Operations that run at once are told apart by number.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use model::OperationNumber;

use super::{INDENT, offset, plain};
use crate::recording::record::Stream;

/// Bytes of a line after which it is printed though it has not ended.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// The lines of all operations that run.
#[derive(Debug)]
pub(super) struct Streams {
    output_lines_max: u64,
    terminal_lines_max: u64,
    running: BTreeMap<Option<OperationNumber>, Running>,
}

/// The lines of one operation.
#[derive(Debug, Default)]
struct Running {
    terminal: bool,
    begun: [Line; 3],
    lines: u64,
    unprinted: u64,
}

/// A line that has begun.
#[derive(Debug, Default)]
struct Line {
    at: Duration,
    bytes: Vec<u8>,
}

impl Streams {
    pub(super) const fn new(output_lines_max: u64, terminal_lines_max: u64) -> Self {
        Self { output_lines_max, terminal_lines_max, running: BTreeMap::new() }
    }

    pub(super) fn opens_terminal(&mut self, operation: OperationNumber) {
        self.running.entry(Some(operation)).or_default().terminal = true;
    }

    /// Prints the lines that end in this piece.
    pub(super) fn push(
        &mut self,
        at: Duration,
        operation: Option<OperationNumber>,
        stream: Stream,
        bytes: &[u8],
        text: &mut String,
    ) {
        let running = self.running.entry(operation).or_default();
        let lines_max =
            if running.terminal { self.terminal_lines_max } else { self.output_lines_max };
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let line = running.line(stream);
            if line.bytes.is_empty() {
                line.at = at;
            }
            line.bytes.extend_from_slice(piece);
            if piece.ends_with(b"\n") || line.bytes.len() >= LINE_BYTES_MAX {
                running.print(operation, stream, lines_max, text);
            }
        }
    }

    /// Prints what the operation has begun, and what was left out.
    pub(super) fn end(&mut self, operation: OperationNumber, text: &mut String) {
        if let Some(running) = self.running.remove(&Some(operation)) {
            self.close(Some(operation), running, text);
        }
    }

    /// Prints what all of them have begun.
    pub(super) fn finish(&mut self, text: &mut String) {
        for (operation, running) in std::mem::take(&mut self.running) {
            self.close(operation, running, text);
        }
    }

    fn close(&self, operation: Option<OperationNumber>, mut running: Running, text: &mut String) {
        let lines_max =
            if running.terminal { self.terminal_lines_max } else { self.output_lines_max };
        for stream in [Stream::Input, Stream::Output, Stream::Error] {
            if !running.line(stream).bytes.is_empty() {
                running.print(operation, stream, lines_max, text);
            }
        }
        if running.unprinted > 0 {
            let of_all = if running.lines == 0 { "" } else { "more " };
            let lines = if running.unprinted == 1 { "line" } else { "lines" };
            _ = writeln!(
                text,
                "{INDENT}... {} {of_all}{lines} in the recording",
                running.unprinted
            );
        }
    }
}

impl Running {
    fn line(&mut self, stream: Stream) -> &mut Line {
        let [input, output, error] = &mut self.begun;
        match stream {
            Stream::Input => input,
            Stream::Output => output,
            Stream::Error => error,
        }
    }

    fn print(
        &mut self,
        operation: Option<OperationNumber>,
        stream: Stream,
        lines_max: u64,
        text: &mut String,
    ) {
        let terminal = self.terminal;
        let Line { at, mut bytes } = std::mem::take(self.line(stream));
        if self.lines >= lines_max {
            self.unprinted += 1;
            return;
        }
        self.lines += 1;
        if bytes.ends_with(b"\n") {
            bytes.pop();
        }
        // A terminal's lines end in both.
        if terminal && bytes.ends_with(b"\r") {
            bytes.pop();
        }
        let name = match stream {
            Stream::Input => "in",
            Stream::Output => "out",
            Stream::Error => "err",
        };
        let number = operation.map_or_else(String::new, |number| format!("#{number} "));
        let line = plain(&String::from_utf8_lossy(&bytes));
        _ = writeln!(text, "{} {number}{name}| {line}", offset(at));
    }
}
