//! Forms of text that keep a little of it: the first character, the last four, the digits' shape.
//!
//! Owns those forms. Short values are starred whole, since the little would be most of them.

use super::STARS;
use crate::detect::{Class, char_at};

/// Characters a text must have before the first of them may be shown.
const PARTIAL_CHARS_MIN: usize = 4;
/// Characters or digits a value must have before the last four may be shown.
const LAST_FOUR_CHARS_MIN: usize = 8;
/// Stars written at most: a long text does not tell its length.
const STARS_MAX: usize = 16;
/// Letters a top-level domain may have to be shown.
const TOP_LEVEL_CHARS_MAX: usize = 12;

/// `a***@***.com` for an address, `a***` for other text, `***` for what is short.
pub(super) fn partial(value: &[u8], out: &mut Vec<u8>) {
    if !value.is_ascii() && std::str::from_utf8(value).is_err() {
        out.extend_from_slice(STARS);
        return;
    }
    // No character of several bytes has one of these within it.
    let at = memchr::memrchr(b'@', value);
    let (local, domain) = match at.and_then(|at| value.split_at_checked(at)) {
        Some((local, domain)) => (local, Some(domain)),
        None => (value, None),
    };
    let chars_min = if domain.is_some() { 2 } else { PARTIAL_CHARS_MIN };
    let mut starts = local.iter().enumerate().filter(|(_, byte)| !is_within(**byte));
    // Where the second character begins, if there are enough of them.
    let second = starts.nth(1).filter(|_| chars_min < 3 || starts.nth(chars_min - 3).is_some());
    if let Some((second, _)) = second {
        out.extend_from_slice(local.get(..second).unwrap_or_default());
    }
    out.extend_from_slice(STARS);
    let Some(domain) = domain else { return };
    out.extend_from_slice(b"@***");
    let dot = memchr::memrchr(b'.', domain);
    let top = dot.and_then(|dot| domain.get(dot..)).filter(|top| {
        let letters = top.get(1..).unwrap_or_default();
        (2..=TOP_LEVEL_CHARS_MAX).contains(&letters.len())
            && letters.iter().all(u8::is_ascii_alphabetic)
    });
    out.extend_from_slice(top.unwrap_or_default());
}

/// Whether a character of several bytes goes on with this one (RFC 3629 3).
const fn is_within(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

/// All but the last four characters starred; for digits with separators, all but the last four
/// digits, the separators staying.
pub(super) fn last_four(value: &[u8], out: &mut Vec<u8>) {
    if is_digits_with_separators(value) {
        last_four_digits(value, out);
        return;
    }
    let Ok(text) = std::str::from_utf8(value) else {
        out.extend_from_slice(STARS);
        return;
    };
    let count = text.chars().take(LAST_FOUR_CHARS_MIN + STARS_MAX).count();
    if count < LAST_FOUR_CHARS_MIN {
        out.extend_from_slice(STARS);
        return;
    }
    let Some((tail, _)) = text.char_indices().rev().nth(3) else { return };
    out.resize(out.len() + (count - 4).min(STARS_MAX), b'*');
    out.extend_from_slice(value.get(tail..).unwrap_or_default());
}

/// Whether the value is a number as people group it, of a length that is not unusual.
fn is_digits_with_separators(value: &[u8]) -> bool {
    let (mut at, mut digits) = (0, 0);
    while let Some((class, len)) = char_at(value, at) {
        match class {
            Class::Digit(_) => digits += 1,
            Class::Separator | Class::Invisible => {}
            Class::Other => return false,
        }
        at += len;
    }
    (LAST_FOUR_CHARS_MIN..=40).contains(&digits)
}

/// Stars every digit but the last four, keeping what is between them.
pub(crate) fn last_four_digits(value: &[u8], out: &mut Vec<u8>) {
    let mut digits = 0_usize;
    let mut at = 0;
    while let Some((class, len)) = char_at(value, at) {
        digits += usize::from(matches!(class, Class::Digit(_)));
        at += len;
    }
    let shown = if digits < LAST_FOUR_CHARS_MIN { 0 } else { 4 };
    star_digits(value, 0, digits.saturating_sub(shown), out);
}

/// Stars every digit but the first, keeping what is between them.
pub(crate) fn stars_over_digits(value: &[u8], out: &mut Vec<u8>) {
    star_digits(value, 1, usize::MAX, out);
}

/// Stars the digits from the `from`th up to before the `to`th.
fn star_digits(value: &[u8], from: usize, to: usize, out: &mut Vec<u8>) {
    let (mut at, mut digit) = (0, 0);
    while let Some((class, len)) = char_at(value, at) {
        let is_digit = matches!(class, Class::Digit(_));
        if is_digit && (from..to).contains(&digit) {
            out.push(b'*');
        } else {
            out.extend_from_slice(value.get(at..at + len).unwrap_or_default());
        }
        digit += usize::from(is_digit);
        at += len;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(form: fn(&[u8], &mut Vec<u8>), value: &str) -> String {
        let mut out = Vec::new();
        form(value.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn partial_shows_the_first_character_and_no_length() {
        for (value, want) in [
            ("alice@example.com", "a***@***.com"),
            ("a@example.com", "***@***.com"),
            ("élodie@exämple.fr", "é***@***.fr"),
            ("bob@localhost", "b***@***"),
            ("bob@mail.x1", "b***@***"),
            ("a@b@example.org", "a***@***.org"),
            ("Alice", "A***"),
            ("Alice Archer of Atlantis", "A***"),
            ("Bob", "***"),
            ("", "***"),
            ("日本語文", "日***"),
            ("日本語", "***"),
            ("é@x.com", "***@***.com"),
            ("éa@x.com", "é***@***.com"),
            ("@x.com", "***@***.com"),
            ("a.b", "***"),
            ("ab@x.c", "a***@***"),
            ("ab@.", "a***@***"),
            ("ab@x.averyverylong", "a***@***"),
        ] {
            assert_eq!(run(partial, value), want, "{value}");
        }
    }

    #[test]
    fn partial_shows_nothing_of_what_is_no_text() {
        let mut out = Vec::new();
        partial(b"alice\xff@example.com", &mut out);
        partial(b"\x80\x80\x80\x80\x80", &mut out);
        assert_eq!(out, b"******");
    }

    #[test]
    fn last_four_shows_four_characters_of_a_long_value_only() {
        for (value, want) in [
            ("4111111111111111", "************1111"),
            ("4111 1111 1111 1234", "**** **** **** 1234"),
            ("3782-822463-10005", "****-******-*0005"),
            (
                "4111\u{200b}1111\u{200b}1111\u{200b}1234",
                "****\u{200b}****\u{200b}****\u{200b}1234",
            ),
            ("４１１１１１１１１１１１１２３４", "************１２３４"),
            ("DE89370400440532013000", "****************3000"),
            ("1234567", "***"),
            ("abcdefgh", "****efgh"),
            ("", "***"),
        ] {
            assert_eq!(run(last_four, value), want, "{value}");
        }
        assert_eq!(run(last_four, &"x".repeat(1000)), format!("{}xxxx", "*".repeat(16)));
    }
}
