//! Words that mean something to the server's lexer.
//!
//! Owns the lists. Must not know where a word stands.

use std::sync::LazyLock;

use rustc_hash::FxHashSet;

static RESERVED: LazyLock<FxHashSet<&'static str>> =
    LazyLock::new(|| listed(include_str!("words/reserved.txt")));

static NO_BLANK: LazyLock<FxHashSet<&'static str>> =
    LazyLock::new(|| listed(include_str!("words/no_blank.txt")));

/// Longest word of any list here.
const WORD_BYTES_MAX: usize = 64;

/// The words of a list with comments.
pub(super) fn listed(text: &'static str) -> FxHashSet<&'static str> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_ascii_whitespace)
        .collect()
}

/// Whether a list in lower case has the word, however it is written.
pub(super) fn is_in(list: &FxHashSet<&'static str>, word: &str) -> bool {
    let mut lower = [0; WORD_BYTES_MAX];
    let Some(lower) = lower.get_mut(..word.len()) else { return false };
    lower.copy_from_slice(word.as_bytes());
    lower.make_ascii_lowercase();
    std::str::from_utf8(lower).is_ok_and(|word| list.contains(word))
}

/// Whether the word is no name without backticks.
pub(super) fn is_reserved(word: &str) -> bool {
    is_in(&RESERVED, word)
}

/// Whether the word followed by a blank and a parenthesis is not the server's own function.
pub(super) fn needs_no_blank(word: &str) -> bool {
    is_in(&NO_BLANK, word)
}

/// Whether the word introduces a string as one of a character set, in every server. Another one
/// reads as a column with the string for its alias, which asks for more.
pub(super) fn is_charset(word: &str) -> bool {
    ["_binary", "_utf8", "_utf8mb3", "_utf8mb4", "_latin1", "_ascii", "_ucs2"]
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known))
}

/// Whether two names are written with the same letters, upper or lower case. `None` where only
/// the server's tables of letters could tell.
pub(super) fn same_letters(one: &str, other: &str) -> Option<bool> {
    if one.eq_ignore_ascii_case(other) {
        return Some(true);
    }
    if one.is_ascii() && other.is_ascii() {
        return Some(false);
    }
    let wide = |text: &str| -> String {
        let first = |mut letters: Box<dyn Iterator<Item = char>>| letters.next();
        let letters = text.chars().map(|letter| {
            let upper = first(Box::new(letter.to_uppercase())).unwrap_or(letter);
            first(Box::new(upper.to_lowercase())).unwrap_or(upper)
        });
        letters.collect()
    };
    if wide(one) == wide(other) { None } else { Some(false) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_however_they_are_written() {
        assert!(is_reserved("SELECT") && is_reserved("select") && is_reserved("Straight_Join"));
        assert!(!is_reserved("name") && !is_reserved("") && !is_reserved(&"a".repeat(100)));
        assert!(needs_no_blank("Count") && !needs_no_blank("concat"));
    }

    #[test]
    fn letters_that_a_server_may_fold_are_neither_the_same_nor_different() {
        assert_eq!(same_letters("Email", "eMAIL"), Some(true));
        assert_eq!(same_letters("email", "emails"), Some(false));
        assert_eq!(same_letters("\u{212a}ey", "key"), None);
        assert_eq!(same_letters("straße", "STRASSE"), Some(false));
        assert_eq!(same_letters("\u{c9}t\u{e9}", "\u{e9}t\u{e9}"), None);
    }
}
