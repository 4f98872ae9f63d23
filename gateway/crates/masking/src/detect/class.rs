//! What a character is to a card number: a digit, something between digits, nothing seen, other.
//!
//! Owns the classes, in ASCII and in the places of Unicode where digits, blanks, dashes and
//! invisible characters are. Works on bytes: text need not be UTF-8. No character that counts is
//! part of another that counts, so reading forwards and backwards agree.

/// What a character is to a card number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// A decimal digit of any script listed below, with its value.
    Digit(u8),
    /// White space, dash, dot or underscore.
    Separator,
    /// Takes no room: zero-width and direction marks, soft hyphen, variation selectors.
    Invisible,
    /// None of these; one byte of it.
    Other,
}

/// First look at a byte.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Other,
    Digit,
    Separator,
    Wide,
}

static LOOKS: [Look; 256] = looks();

const fn looks() -> [Look; 256] {
    let mut table = [Look::Other; 256];
    let mut rest: &mut [Look] = &mut table;
    let mut byte = 0_usize;
    while let Some((look, tail)) = rest.split_first_mut() {
        *look = match byte {
            0x30..=0x39 => Look::Digit,
            0x09..=0x0D | 0x20 | 0x2D | 0x2E | 0x5F => Look::Separator,
            0x80..=0xFF => Look::Wide,
            _ => Look::Other,
        };
        rest = tail;
        byte += 1;
    }
    table
}

#[inline]
pub(super) fn look(byte: u8) -> Look {
    LOOKS.get(usize::from(byte)).copied().unwrap_or(Look::Wide)
}

/// Whether a byte may be part of a card number: for cutting streamed text only where it may not.
pub(crate) fn may_belong_to_card(byte: u8) -> bool {
    look(byte) != Look::Other
}

/// The character at `at` and its length; `None` at the end.
#[inline]
pub(crate) fn char_at(text: &[u8], at: usize) -> Option<(Class, usize)> {
    let rest = text.get(at..)?;
    let first = *rest.first()?;
    Some(match look(first) {
        Look::Digit => (Class::Digit(first - b'0'), 1),
        Look::Separator => (Class::Separator, 1),
        Look::Other => (Class::Other, 1),
        Look::Wide => wide(rest),
    })
}

/// The character that ends just before `at`; `None` at the beginning.
#[inline]
pub(super) fn char_before(text: &[u8], at: usize) -> Option<(Class, usize)> {
    let last = *text.get(at.checked_sub(1)?)?;
    if look(last) != Look::Wide {
        return char_at(text, at - 1);
    }
    let found = (2..=4).find_map(|len| {
        char_at(text.get(..at)?, at.checked_sub(len)?)
            .filter(|(class, length)| *class != Class::Other && *length == len)
    });
    Some(found.unwrap_or((Class::Other, 1)))
}

/// The digits of a text.
pub(super) fn digits(text: &[u8]) -> impl Iterator<Item = u8> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (class, len) = char_at(text, at)?;
        at += len;
        Some(class)
    })
    .filter_map(|class| if let Class::Digit(digit) = class { Some(digit) } else { None })
}

/// Characters beyond ASCII, by their UTF-8 bytes.
fn wide(text: &[u8]) -> (Class, usize) {
    match text {
        // Soft hyphen; no-break space; middle dot.
        [0xC2, 0xAD, ..] => (Class::Invisible, 2),
        [0xC2, 0xA0 | 0xB7, ..] => (Class::Separator, 2),
        // Arabic-Indic, extended Arabic-Indic, Devanagari, Bengali, Thai digits.
        [0xD9, digit @ 0xA0..=0xA9, ..] => (Class::Digit(digit - 0xA0), 2),
        [0xDB, digit @ 0xB0..=0xB9, ..] => (Class::Digit(digit - 0xB0), 2),
        [0xE0, 0xA5 | 0xA7, digit @ 0xA6..=0xAF, ..] => (Class::Digit(digit - 0xA6), 3),
        [0xE0, 0xB9, digit @ 0x90..=0x99, ..] => (Class::Digit(digit - 0x90), 3),
        // U+2000: blanks, zero-width marks, dashes, bullet, line ends, narrow no-break space.
        [0xE2, 0x80, 0x80..=0x8A | 0x90..=0x95 | 0xA2 | 0xA8 | 0xA9 | 0xAF, ..] => {
            (Class::Separator, 3)
        }
        [0xE2, 0x80, 0x8B..=0x8F | 0xAA..=0xAE, ..] => (Class::Invisible, 3),
        [0xE2, 0x81, 0x9F, ..] | [0xE2, 0x88, 0x92, ..] => (Class::Separator, 3),
        [0xE2, 0x81, 0xA0..=0xA4, ..] => (Class::Invisible, 3),
        // Combining keycap; ideographic space.
        [0xE2, 0x83, 0xA3, ..] => (Class::Invisible, 3),
        [0xE3, 0x80, 0x80, ..] => (Class::Separator, 3),
        // Variation selectors; byte order mark; fullwidth digits, hyphen and dot.
        [0xEF, 0xB8, 0x80..=0x8F, ..] | [0xEF, 0xBB, 0xBF, ..] => (Class::Invisible, 3),
        [0xEF, 0xBC, digit @ 0x90..=0x99, ..] => (Class::Digit(digit - 0x90), 3),
        [0xEF, 0xBC, 0x8D | 0x8E, ..] => (Class::Separator, 3),
        // Mathematical digits: five alphabets of ten.
        [0xF0, 0x9D, 0x9F, digit @ 0x8E..=0xBF, ..] => (Class::Digit((digit - 0x8E) % 10), 4),
        _ => (Class::Other, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_every_listed_script_have_their_value() {
        for zero in ['0', '\u{660}', '\u{6F0}', '\u{966}', '\u{9E6}', '\u{E50}', '\u{FF10}'] {
            for value in 0..10_u8 {
                let digit = char::from_u32(u32::from(zero) + u32::from(value)).unwrap();
                let text = digit.to_string();
                assert_eq!(
                    char_at(text.as_bytes(), 0),
                    Some((Class::Digit(value), text.len())),
                    "{digit}"
                );
            }
        }
        for (index, code) in (0x1D7CE_u32..=0x1D7FF).enumerate() {
            let text = char::from_u32(code).unwrap().to_string();
            let value = u8::try_from(index % 10).unwrap();
            assert_eq!(char_at(text.as_bytes(), 0), Some((Class::Digit(value), 4)));
        }
    }

    #[test]
    fn backwards_and_forwards_agree_on_every_character() {
        for character in (0..=0x1_FFFF_u32).filter_map(char::from_u32) {
            let text = format!("x{character}");
            let (class, len) = char_at(text.as_bytes(), 1).unwrap();
            if class != Class::Other {
                assert_eq!(char_before(text.as_bytes(), text.len()), Some((class, len)));
                assert_eq!(len, character.len_utf8());
            }
        }
    }
}
