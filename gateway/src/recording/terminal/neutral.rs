//! Terminal output that draws and does nothing else.
//!
//! Owns the list of sequences that draw. Each is read by a parser and written anew from what was
//! read, so that no difference between the parser and a terminal can matter. Dropped is what would
//! make the reader's terminal answer (reports, which arrive as typed input), keep or give away
//! something (clipboard, titles, hyperlinks, files, notifications), print, change its keys or its
//! mouse, or enter a state of its own (DCS, APC, PM, SOS). What is not known is dropped too.

use anstyle_parse::{Params, Parser, Perform};

/// Filters one stream of terminal output.
#[derive(Debug, Default)]
pub(super) struct Neutral {
    parser: Parser,
    drawn: Drawn,
}

impl Neutral {
    /// The part of the text that draws.
    pub(super) fn piece(&mut self, text: &str) -> String {
        for byte in text.bytes() {
            self.parser.advance(&mut self.drawn, byte);
        }
        std::mem::take(&mut self.drawn.text)
    }
}

/// What was drawn since it was last asked for.
#[derive(Debug, Default)]
struct Drawn {
    text: String,
}

/// Modes of `CSI ? n h` that change how text is drawn: cursor keys are not among them, nor mouse,
/// focus and paste reports.
const DRAWING_MODES: [u16; 9] = [5, 6, 7, 12, 25, 47, 1047, 1048, 1049];

impl Drawn {
    fn sequence(&mut self, leader: &str, params: &Params, last: u8) {
        self.text.push_str("\u{1b}[");
        self.text.push_str(leader);
        for (place, group) in params.iter().enumerate() {
            if place > 0 {
                self.text.push(';');
            }
            for (inner, number) in group.iter().enumerate() {
                if inner > 0 {
                    self.text.push(':');
                }
                self.text.push_str(&number.to_string());
            }
        }
        self.text.push(char::from(last));
    }
}

impl Perform for Drawn {
    fn print(&mut self, character: char) {
        match character {
            // C1 controls: some terminals obey them in UTF-8 too.
            '\u{7f}'..='\u{9f}' => {}
            // Direction overrides and isolates make text read as what it is not.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}' => {
                self.text.push(char::REPLACEMENT_CHARACTER);
            }
            other => self.text.push(other),
        }
    }

    fn execute(&mut self, byte: u8) {
        // Bell, backspace, tab, line feeds, carriage return, shifts of the character set. Not ENQ,
        // which a terminal answers.
        if matches!(byte, 0x07..=0x0f) {
            self.text.push(char::from(byte));
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, last: u8) {
        if ignore {
            return;
        }
        match (intermediates, last) {
            // Cursor, erasing, inserting, scrolling, tabs, colours, margins, repetition.
            ([], b'@' | b'A'..=b'M' | b'P' | b'S' | b'T' | b'X' | b'Z') => {}
            ([], b'`' | b'a' | b'b' | b'd'..=b'g' | b'm' | b'r' | b's' | b'u') => {}
            ([b'?'], b'J' | b'K') => return self.sequence("?", params, last),
            // Insert mode and line feed mode.
            ([], b'h' | b'l') if all(params, &[4, 20]) => {}
            ([b'?'], b'h' | b'l') if all(params, &DRAWING_MODES) => {
                return self.sequence("?", params, last);
            }
            // The cursor's shape.
            ([b' '], b'q') => {
                self.text.push_str("\u{1b}[");
                let shape = params.iter().next().and_then(|group| group.first()).unwrap_or(&0);
                self.text.push_str(&shape.to_string());
                return self.text.push_str(" q");
            }
            ([b'!'], b'p') => return self.text.push_str("\u{1b}[!p"),
            _ => return,
        }
        self.sequence("", params, last);
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], ignore: bool, last: u8) {
        if ignore {
            return;
        }
        match (intermediates, last) {
            // Saved cursor, index, next line, tab stop, reverse index, reset, keypad.
            ([], b'7' | b'8' | b'D' | b'E' | b'H' | b'M' | b'c' | b'n' | b'o') => {}
            // Character sets: ASCII, line drawing, British.
            ([b'(' | b')' | b'*' | b'+'], b'0' | b'A' | b'B') | ([b'#'], b'3'..=b'6' | b'8') => {}
            _ => return,
        }
        self.text.push('\u{1b}');
        self.text.extend(intermediates.iter().copied().map(char::from));
        self.text.push(char::from(last));
    }
}

fn all(params: &Params, known: &[u16]) -> bool {
    params.iter().all(|group| matches!(group, [mode] if known.contains(mode)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn neutral(text: &str) -> String {
        Neutral::default().piece(text)
    }

    #[test]
    fn what_draws_stays() {
        for drawing in [
            "plain größe 表 🐘\r\n\ttab\u{8}\u{7}",
            "\u{1b}[1;31mred\u{1b}[0m \u{1b}[38:2:1:2:3mtrue\u{1b}[48;5;17mcolour",
            "\u{1b}[2J\u{1b}[1;1H\u{1b}[5;10r\u{1b}[3A\u{1b}[0K",
            "\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7h\u{1b}[4h",
            "\u{1b}7\u{1b}8\u{1b}M\u{1b}(0lqk\u{1b}(B",
            "\u{1b}[4 q\u{1b}[!p",
        ] {
            assert_eq!(neutral(drawing), drawing);
        }
        assert_eq!(neutral("\u{1b}[m"), "\u{1b}[0m", "the same, written out");
    }

    #[test]
    fn d5_what_asks_sets_or_sends_is_dropped() {
        for (hostile, left) in [
            ("a\u{1b}]52;c;cm0gLXJmIC8K\u{7}b", "ab"), // clipboard
            ("a\u{1b}]0;owned\u{1b}\\b", "ab"),        // title
            ("a\u{1b}]8;;http://evil\u{1b}\\b\u{1b}]8;;\u{1b}\\", "ab"), // hyperlink
            ("a\u{1b}]1337;File=inline=1:AAAA\u{7}b", "ab"), // iTerm2 files
            ("a\u{1b}]10;?\u{7}b", "ab"),              // colour query
            ("a\u{1b}P+q544e\u{1b}\\b", "ab"),         // XTGETTCAP
            ("a\u{1b}P$q\"p\u{1b}\\b", "ab"),          // DECRQSS
            ("a\u{1b}_Gi=1,a=q\u{1b}\\b", "ab"),       // APC, Kitty graphics
            ("a\u{1b}^private\u{1b}\\b", "ab"),        // PM
            ("a\u{1b}Xstring\u{1b}\\b", "ab"),         // SOS
            ("a\u{1b}[6nb\u{1b}[5n\u{1b}[?6n", "ab"),  // status reports
            ("a\u{1b}[c\u{1b}[>c\u{1b}[=c\u{1b}Zb", "ab"), // attributes
            ("a\u{1b}[21t\u{1b}[8;5;5t\u{1b}[22;0tb", "ab"), // title report, window
            ("a\u{1b}[5i\u{1b}[?5i\u{1b}[4ib", "ab"),  // printing
            ("a\u{1b}[?1000h\u{1b}[?1004h\u{1b}[?2004h\u{1b}[?1hb", "ab"), // mouse, focus, paste
            ("a\u{1b}[?25;1000hb", "ab"),              // one of two modes is bad
            ("a\u{1b}[>4;2m\u{1b}[>1ub", "ab"),        // key protocols
            ("a\u{1b}[1;1;1;1;1;1*yb\u{1b}[?1$p", "ab"), // checksums, mode requests
            ("a\u{5}b", "ab"),                         // ENQ
            ("a\u{9b}6nb", "a6nb"),                    // C1 CSI
            ("a\u{9d}0;x\u{9c}b", "a0;xb"),            // C1 OSC
            ("a\u{202e}b", "a\u{fffd}b"),
        ] {
            assert_eq!(neutral(hostile), left, "{hostile:?}");
        }
    }

    #[test]
    fn d5_a_sequence_in_pieces_is_dropped_as_a_whole() {
        let hostile = "a\u{1b}]52;c;cm0gLXJmIC8K\u{1b}\\b\u{1b}[6nc\u{1b}[1mx";
        for cut in 0..hostile.len() {
            let (first, second) = hostile.split_at(cut);
            let mut one = Neutral::default();
            let text = [one.piece(first), one.piece(second)].concat();
            assert_eq!(text, "abc\u{1b}[1mx", "cut at {cut}");
        }
    }

    proptest! {
        #[test]
        fn d5_what_was_made_neutral_stays_as_it_is(text in "[\\x1b\\[\\]PX0-9;:?>a-z\\\\\u{7}\u{9b}]{0,40}") {
            let once = neutral(&text);
            prop_assert_eq!(neutral(&once), once);
        }
    }
}
