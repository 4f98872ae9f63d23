//! What was typed at a terminal, as far as its echo tells.
//!
//! Owns a guess, for people who look for a command in a recording. It is made of what was shown
//! alone: what is typed without an echo (a password) is not in it. It is no evidence: programs
//! redraw lines, complete and recall them, and whoever wants to can show anything. Must not know a
//! channel. Ends with the terminal.
//!
//! ```text
//!  $ _                the line when the first key comes: the prompt
//!  $ systemctl st_    what is shown meanwhile
//!  $ systemctl stop app⏎   the line when it ends after Enter: less the prompt, the guess
//! ```

use std::time::{Duration, Instant};

/// Bytes of a line. Longer ones are not followed.
const LINE_BYTES_MAX: usize = 4_096;
/// Bytes of an escape sequence.
const SEQUENCE_BYTES_MAX: usize = 64;

/// Follows the line that the cursor is in.
#[derive(Debug, Default)]
pub(super) struct Typed {
    line: Vec<u8>,
    cursor: usize,
    place: Place,
    /// The line when the first key of it came.
    prompt: Option<Vec<u8>>,
    /// Enter was pressed, and the line has not ended yet.
    entered: bool,
    /// A program has the whole screen.
    full_screen: bool,
    /// When the last key came.
    last_key: Option<Instant>,
}

#[derive(Debug, Default)]
enum Place {
    #[default]
    Text,
    Escape,
    /// In a control sequence: its bytes so far.
    Sequence(Vec<u8>),
    /// In a string for the terminal itself, such as a title.
    String,
}

impl Typed {
    /// Whether a key came just now, whose echo somebody waits for.
    pub(super) fn is_fresh(&self, within: Duration) -> bool {
        self.last_key.is_some_and(|at| at.elapsed() < within)
    }

    /// A key, or several, came from the client.
    pub(super) fn keys(&mut self, keys: &[u8]) {
        self.last_key = Some(Instant::now());
        if keys.is_empty() || self.full_screen {
            return;
        }
        self.prompt.get_or_insert_with(|| self.line.clone());
        self.entered |= keys.iter().any(|key| matches!(key, b'\r' | b'\n'));
    }

    /// Something was shown. Hands every line that seems to have been typed to `found`.
    pub(super) fn shown(&mut self, bytes: &[u8], mut found: impl FnMut(String)) {
        for byte in bytes {
            if let Some(line) = self.byte(*byte) {
                found(line);
            }
        }
    }

    fn byte(&mut self, byte: u8) -> Option<String> {
        match &mut self.place {
            Place::Text => return self.text(byte),
            Place::Escape => {
                self.place = match byte {
                    b'[' => Place::Sequence(Vec::new()),
                    b']' | b'P' | b'_' | b'^' => Place::String,
                    _ => Place::Text,
                }
            }
            Place::Sequence(held) if (b'@'..=b'~').contains(&byte) => {
                let held = std::mem::take(held);
                self.place = Place::Text;
                self.control(&held, byte);
            }
            Place::Sequence(held) if held.len() < SEQUENCE_BYTES_MAX => held.push(byte),
            Place::Sequence(_) => self.place = Place::Text,
            Place::String if matches!(byte, 0x07 | 0x1b) => {
                self.place = if byte == 0x1b { Place::Escape } else { Place::Text };
            }
            Place::String => {}
        }
        None
    }

    fn text(&mut self, byte: u8) -> Option<String> {
        match byte {
            0x1b => self.place = Place::Escape,
            b'\n' => return self.end_of_line(),
            b'\r' => self.cursor = 0,
            0x08 => self.cursor = self.cursor.saturating_sub(1),
            0x20.. if byte != 0x7f && self.cursor < LINE_BYTES_MAX => {
                match self.line.get_mut(self.cursor) {
                    Some(at) => *at = byte,
                    None => self.line.push(byte),
                }
                self.cursor += 1;
            }
            _ => {}
        }
        None
    }

    fn control(&mut self, parameters: &[u8], kind: u8) {
        let text = std::str::from_utf8(parameters).unwrap_or_default();
        let count = text.parse().unwrap_or(1_usize).max(1);
        match (kind, text) {
            (b'C', _) => self.cursor = (self.cursor + count).min(self.line.len()),
            (b'D', _) => self.cursor = self.cursor.saturating_sub(count),
            (b'K', "" | "0") | (b'J', _) => self.line.truncate(self.cursor),
            (b'P', _) => {
                let end = (self.cursor + count).min(self.line.len());
                drop(self.line.drain(self.cursor.min(end)..end));
            }
            (b'@', _) if self.line.len() + count <= LINE_BYTES_MAX => {
                let blanks = std::iter::repeat_n(b' ', count);
                self.line.splice(self.cursor..self.cursor, blanks).for_each(drop);
            }
            (b'h', "?1049" | "?47" | "?1047") => self.full_screen = true,
            (b'l', "?1049" | "?47" | "?1047") => self.full_screen = false,
            _ => {}
        }
        self.cursor = self.cursor.min(self.line.len());
    }

    fn end_of_line(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.line);
        self.cursor = 0;
        if !self.entered || self.full_screen {
            return None;
        }
        self.entered = false;
        let typed = line.strip_prefix(self.prompt.take()?.as_slice())?;
        let typed = String::from_utf8_lossy(typed);
        let typed = typed.trim();
        (!typed.is_empty()).then(|| typed.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `>` before what the client types, anything else is shown.
    fn guessed(session: &[&str]) -> Vec<String> {
        let (mut typed, mut found) = (Typed::default(), Vec::new());
        for step in session {
            match step.strip_prefix('>') {
                Some(keys) => typed.keys(keys.as_bytes()),
                None => typed.shown(step.as_bytes(), |line| found.push(line)),
            }
        }
        found
    }

    #[test]
    fn a_line_that_is_echoed_is_found_without_its_prompt() {
        let session = [
            "\x1b]0;title\x07\x1b[1mroot@box\x1b[0m:~# ",
            ">l",
            "l",
            ">s",
            "s",
            ">\r",
            "\r\n",
            "a b\r\n",
        ];
        assert_eq!(guessed(&session), ["ls"]);
    }

    #[test]
    fn what_is_not_echoed_is_not_found() {
        let session = ["Password: ", ">hunter2\r", "\r\n", "$ ", ">id\r", "id\r\n"];
        assert_eq!(guessed(&session), ["id"]);
    }

    #[test]
    fn corrections_and_completions_are_followed() {
        let session =
            ["$ ", ">lz", "lz", ">\x7f", "\x08 \x08", ">s /et\t", "s /etc/", ">\r", "\r\n"];
        assert_eq!(guessed(&session), ["ls /etc/"]);
        let recalled =
            ["$ ", ">\x1b[A", "make test", ">\x1b[A", "\r\x1b[K$ git push", ">\r", "\r\n"];
        assert_eq!(guessed(&recalled), ["git push"]);
    }

    #[test]
    fn a_program_with_the_whole_screen_is_not_followed() {
        let session = ["\x1b[?1049h~", ">:wq\r", ":wq\r\n", "\x1b[?1049l", "$ ", ">ls\r", "ls\r\n"];
        assert_eq!(guessed(&session), ["ls"]);
    }

    #[test]
    fn what_was_not_entered_is_output() {
        assert_eq!(guessed(&["$ ls\r\n", "a\r\n"]), Vec::<String>::new());
    }

    #[test]
    fn nothing_that_is_shown_makes_it_grow_without_end() {
        let mut typed = Typed::default();
        for _ in 0..10 {
            typed.shown(&[b'x'; 10_000], |_| {});
            typed.shown(b"\x1b[9999999999999@\x1b[", |_| {});
            typed.shown(&[b'1'; 10_000], |_| {});
        }
        assert!(typed.line.len() <= LINE_BYTES_MAX);
    }
}
