//! Text that a terminal cannot be steered by.
//!
//! Owns one function. Must not know where the text came from.

/// Escapes what a terminal or a reader's eye obeys instead of showing: C0 and C1 control characters
/// (ESC, BEL, carriage return, backspace, CSI, ...), Unicode's direction overrides and isolates,
/// line and paragraph separators, zero-width characters and tags. They come out as `\u{1b}`.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            steering if steers(steering) => shown.extend(steering.escape_unicode()),
            other => shown.push(other),
        }
    }
    shown
}

const fn steers(character: char) -> bool {
    matches!(character,
        '\u{0}'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{ad}' // soft hyphen
        | '\u{61c}' // Arabic letter mark
        | '\u{180e}' // Mongolian vowel separator
        | '\u{200b}'..='\u{200f}' // zero width, direction marks
        | '\u{2028}'..='\u{202e}' // separators, direction overrides
        | '\u{2060}'..='\u{206f}' // word joiner, isolates, deprecated formats
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' // interlinear annotation
        | '\u{e0000}'..='\u{e007f}' // tags
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn d5_escape_sequences_are_shown_not_obeyed() {
        assert_eq!(plain("\u{1b}]0;owned\u{7}"), "\\u{1b}]0;owned\\u{7}");
        assert_eq!(plain("\u{9b}31m"), "\\u{9b}31m");
        assert_eq!(plain("good\rbad \u{202e}txt"), "good\\rbad \\u{202e}txt");
        assert_eq!(plain("größe 表 🐘"), "größe 表 🐘");
    }

    proptest! {
        #[test]
        fn d5_no_text_puts_a_control_character_on_the_terminal(text in any::<String>()) {
            prop_assert!(!plain(&text).chars().any(|c| c.is_control() || steers(c)));
        }
    }
}
