//! Groups of digits: where in a run a card number may begin at all.
//!
//! Owns the first look at a run, by the lengths of its groups alone. Must not know issuers' ranges
//! nor the check. What it passes by can be no number; what it points at may be one. A run of ten
//! groups of eleven digits is passed by in one pass: no groups of it add up to a number's length.
//! Characters beyond ASCII may be digits or nothing at all, so it points at whatever touches one.

use super::card::{DIGITS_MAX, DIGITS_MIN, SEPARATORS_MAX};
use super::class::{Class, Look, char_at, look};

/// What a look at a run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A number may begin at this byte, and at none before it.
    Candidate(usize),
    /// None can; the run ends at this byte.
    Nothing(usize),
}

/// The groups that a number might be made of: those read last, of at most [`DIGITS_MAX`] digits.
struct Window {
    /// Where each begins, and its digits; a ring.
    groups: [(usize, usize); WINDOW],
    /// How many were ever added, and dropped.
    added: usize,
    dropped: usize,
    /// Digits of those between.
    digits: usize,
}

/// Places of the ring: more than groups of one digit fit into a number. A power of two.
const WINDOW: usize = 32;

impl Window {
    const fn new() -> Self {
        Self { groups: [(0, 0); WINDOW], added: 0, dropped: 0, digits: 0 }
    }

    /// What came before belongs to no number that goes on.
    const fn clear(&mut self) {
        self.dropped = self.added;
        self.digits = 0;
    }

    fn group(&self, index: usize) -> (usize, usize) {
        self.groups.get(index % WINDOW).copied().unwrap_or_default()
    }

    /// Adds a group, and drops those with which a number would be too long.
    fn add(&mut self, start: usize, len: usize) {
        if len > DIGITS_MAX {
            return self.clear();
        }
        if let Some(slot) = self.groups.get_mut(self.added % WINDOW) {
            *slot = (start, len);
        }
        self.added += 1;
        self.digits += len;
        while self.digits > DIGITS_MAX {
            self.digits -= self.group(self.dropped).1;
            self.dropped += 1;
        }
    }

    /// Where the first of the groups begins that a number which goes on may begin with.
    fn first(&self) -> Option<usize> {
        (self.dropped < self.added).then(|| self.group(self.dropped).0)
    }

    /// Where the first number of these groups, up to the last one, may begin.
    fn candidate(&self, text: &[u8]) -> Option<usize> {
        let mut digits = self.digits;
        let mut index = self.dropped;
        while digits >= DIGITS_MIN {
            let (start, len) = self.group(index);
            if text.get(start).is_some_and(|digit| begins_number(*digit)) {
                return Some(start);
            }
            digits -= len;
            index += 1;
        }
        None
    }
}

/// Whether any issuer's numbers begin with this digit.
const fn begins_number(digit: u8) -> bool {
    matches!(digit, b'2'..=b'6' | b'8')
}

/// Looks at the run that goes on at `at`, where a group or what separates two begins.
pub(super) fn look_through(text: &[u8], mut at: usize) -> Found {
    if let Some(end) = ends_soon(text, at) {
        return Found::Nothing(end);
    }
    let mut window = Window::new();
    let mut separators = 0;
    loop {
        let digits = digits_at(text, at);
        if digits > 0 {
            if separators > SEPARATORS_MAX {
                window.clear();
            }
            separators = 0;
            let start = at;
            at += digits;
            if goes_on_wide(text, at) {
                // The group may go on behind it.
                return Found::Candidate(window.first().unwrap_or(start));
            }
            window.add(start, digits);
            if window.digits >= DIGITS_MIN
                && let Some(candidate) = window.candidate(text)
            {
                return Found::Candidate(candidate);
            }
        }
        match text.get(at).map(|byte| look(*byte)) {
            Some(Look::Separator) => {
                separators += 1;
                at += 1;
            }
            Some(Look::Wide) if goes_on_wide(text, at) => {
                return Found::Candidate(window.first().unwrap_or(at));
            }
            Some(Look::Digit) => {}
            Some(Look::Wide | Look::Other) | None => return Found::Nothing(at),
        }
    }
}

/// Where the run that goes on at `at` is over, if that is too soon for a number: most runs are
/// dates, prices and the like.
#[inline]
fn ends_soon(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..).unwrap_or_default();
    let near = rest.get(..DIGITS_MIN).unwrap_or(rest);
    match near.iter().position(|byte| look(*byte) == Look::Other) {
        Some(length) => Some(at + length),
        None => (near.len() < DIGITS_MIN).then_some(text.len()),
    }
}

/// Whether the run goes on at `at` with a character beyond ASCII.
#[inline]
fn goes_on_wide(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(|byte| look(*byte) == Look::Wide)
        && char_at(text, at).is_some_and(|(class, _)| class != Class::Other)
}

/// How many ASCII digits stand at `at`. Eight bytes are looked at in one step.
#[inline]
fn digits_at(text: &[u8], at: usize) -> usize {
    let mut rest = text.get(at..).unwrap_or_default();
    let mut count = 0;
    while let Some((block, behind)) = rest.split_first_chunk::<8>() {
        let others = other_than_digits(u64::from_le_bytes(*block));
        if others != 0 {
            return count + others.trailing_zeros() as usize / 8;
        }
        count += 8;
        rest = behind;
    }
    count + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// The highest bit of each of eight bytes that is no ASCII digit.
#[inline]
const fn other_than_digits(block: u64) -> u64 {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    // Of a digit 0 to 9 is left, which goes on below 0x80 with what is added; no byte carries over.
    let values = block ^ (EACH * 0x30);
    (((values & (EACH * 0x7f)) + EACH * 0x76) | values) & (EACH * 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bytes_at_once_are_what_one_by_one_are() {
        for byte in 0..=255_u8 {
            for place in 0..8 {
                for around in [b'0', b'9', 0, 0xff, b'/', b':'] {
                    let mut block = [around; 8];
                    block[place] = byte;
                    let want: Vec<bool> = block.iter().map(|b| !b.is_ascii_digit()).collect();
                    let got = other_than_digits(u64::from_le_bytes(block)).to_le_bytes();
                    assert_eq!(got.map(|b| b == 0x80).to_vec(), want, "{block:?}");
                    assert!(got.iter().all(|b| matches!(b, 0 | 0x80)));
                }
            }
        }
    }

    #[test]
    fn groups_that_add_up_to_no_number_are_passed_by() {
        for text in [
            "68487932199-96439406143-93774651418-41631865787-96406072701",
            "2024-11-21 10.11",
            "41111111111111110000000",
            "4111   1111   1111   1111",
            "1111111111111111",
            "411111111111",
            "0049 170 1234567",
        ] {
            assert_eq!(look_through(text.as_bytes(), 0), Found::Nothing(text.len()), "{text}");
        }
        assert_eq!(look_through(b"12-34, 4111111111111111", 0), Found::Nothing(5));
        assert_eq!(look_through("12-34é".as_bytes(), 0), Found::Nothing(7));
        assert_eq!(look_through("12-34-56-78-90é".as_bytes(), 0), Found::Nothing(14));
        assert_eq!(look_through("   \u{ff14}".as_bytes(), 0), Found::Nothing(6));
    }

    #[test]
    fn what_may_be_a_number_is_pointed_at() {
        for (text, want) in [
            ("4111111111111111", 0),
            ("1234567890123 4111111111111111", 14),
            ("1 9 4111-1111-1111-1111", 4),
            ("12345678901234567890 4222222222222", 21),
            ("4111 1111 1111 1111", 0),
            ("123456  \u{a0}4444", 0),
            ("1234567890123\u{a0}1234567\u{200b}", 0),
            ("   \u{ff14}\u{ff14}\u{ff14}\u{ff14}", 3),
        ] {
            assert_eq!(look_through(text.as_bytes(), 0), Found::Candidate(want), "{text}");
        }
    }
}
