//! Payment card numbers: 13 to 19 digits that begin like an issuer's and pass the Luhn check.
//!
//! Owns what counts as one and how it is found fast. The text is cut into runs of characters that
//! may belong to a number (digits, separators, invisible ones). A number spans at least thirteen
//! bytes of one run, so looking at every thirteenth byte meets every run that can hold one; and the
//! lengths of a run's groups say where one may begin (`groups`). Only there are digits read.
//!
//! Within a run a number is made of whole groups of adjoining digits, with at most
//! [`SEPARATORS_MAX`] separators between two groups, and its grouping is
//! - one group, but not the fraction of a decimal (`0.4539578763621486`); or
//! - groups of three or more digits, the last may be shorter; or
//! - equal groups of one or two digits, the last may be shorter, if they are all of the run.
//!
//! Looser rules find cards in every list of numbers; the checks would pass one in fifty.

use std::ops::Range;

use super::class::{Class, Look, char_at, char_before, look};
use super::groups::{Found, look_through};

/// Digits of the shortest number.
pub(super) const DIGITS_MIN: usize = 13;
/// Bytes from one look to the next: a number of that many digits cannot lie between two.
const STRIDE: usize = DIGITS_MIN;
/// The first byte to look at.
pub(super) const FIRST_PROBE: usize = STRIDE - 1;
/// Digits of the longest number.
pub(super) const DIGITS_MAX: usize = 19;
/// Separators between two groups. Raised, columns of numbers begin to look like cards.
pub(super) const SEPARATORS_MAX: usize = 2;

/// A run in which a number may begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    start: usize,
    /// Where the first number may begin.
    at: usize,
}

/// The first run at or after the byte `probe` that may hold a number, `probe` being at most
/// [`STRIDE`] behind the end of the last run, or the beginning.
#[inline]
pub(super) fn find_run(text: &[u8], mut probe: usize) -> Option<Run> {
    while let Some(byte) = text.get(probe) {
        if look(*byte) == Look::Other || !has_company(text, probe) {
            probe += STRIDE;
            continue;
        }
        let Some(start) = run_start(text, probe) else {
            probe += STRIDE;
            continue;
        };
        match look_through(text, start) {
            Found::Candidate(at) => return Some(Run { start, at }),
            // The byte at the run's end is in no run.
            Found::Nothing(end) => probe = end.max(probe) + STRIDE,
        }
    }
    None
}

/// Whether a run long enough may cover the byte at `probe`: of thirteen adjoining bytes it would
/// have the sixth before it or the sixth behind it, and what is between.
#[inline]
fn has_company(text: &[u8], probe: usize) -> bool {
    let may = |at: Option<usize>| {
        at.and_then(|at| text.get(at)).is_some_and(|byte| look(*byte) != Look::Other)
    };
    may(Some(probe + 6)) && may(Some(probe + 3))
        || may(probe.checked_sub(6)) && may(probe.checked_sub(3))
}

/// Where the run begins that covers the byte at `probe`; `None` where that byte is in none.
#[inline(never)]
fn run_start(text: &[u8], probe: usize) -> Option<usize> {
    let mut start = probe;
    if text.get(probe).is_some_and(|byte| look(*byte) == Look::Wide) {
        // The byte may be any of its character's: find where that begins.
        start = (0..4).filter_map(|back| probe.checked_sub(back)).find(|begin| {
            char_at(text, *begin)
                .is_some_and(|(class, len)| class != Class::Other && begin + len > probe)
        })?;
    }
    loop {
        let before = text.get(..start).unwrap_or_default();
        start -= before.iter().rev().take_while(|byte| is_narrow(**byte)).count();
        match char_before(text, start) {
            Some((class, len)) if class != Class::Other => start -= len,
            _ => return Some(start),
        }
    }
}

/// Where the run that goes on at `end` ends.
fn run_end(text: &[u8], mut end: usize) -> usize {
    loop {
        let behind = text.get(end..).unwrap_or_default();
        end += behind.iter().take_while(|byte| is_narrow(**byte)).count();
        match char_at(text, end) {
            Some((class, len)) if class != Class::Other => end += len,
            _ => return end,
        }
    }
}

#[inline]
fn is_narrow(byte: u8) -> bool {
    matches!(look(byte), Look::Digit | Look::Separator)
}

/// The card numbers of a text, from left to right.
pub(super) struct Cards<'a> {
    text: &'a [u8],
    /// The run being read.
    run: Range<usize>,
    /// Where the next number in it may begin.
    at: usize,
}

impl<'a> Cards<'a> {
    /// Begins with the first run that [`find_run`] found.
    pub(super) fn new(text: &'a [u8], run: Run) -> Self {
        Self { text, at: run.at, run: run.start..run_end(text, run.at) }
    }

    /// The next number in the run being read.
    fn next_in_run(&mut self) -> Option<Range<usize>> {
        let run = self.text.get(..self.run.end)?;
        while let Some((class, len)) = char_at(run, self.at) {
            if !matches!(class, Class::Digit(_)) {
                self.at += len;
                continue;
            }
            let start = self.at;
            if let Some(end) = number_at(run, &self.run, start) {
                self.at = end;
                return Some(start..end);
            }
            self.at = match look_through(run, group_end(run, start)) {
                Found::Candidate(at) => at,
                Found::Nothing(_) => self.run.end,
            };
        }
        None
    }
}

impl Iterator for Cards<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        loop {
            if let Some(hit) = self.next_in_run() {
                return Some(hit);
            }
            *self = Self::new(self.text, find_run(self.text, self.run.end + STRIDE)?);
        }
    }
}

/// Where the group of digits that begins at `start` ends, invisible characters included.
fn group_end(run: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some((Class::Digit(_) | Class::Invisible, len)) = char_at(run, at) {
        at += len;
    }
    at
}

/// How the groups read so far are made.
#[derive(Default)]
struct Grouping {
    /// Groups that ended.
    groups: u8,
    /// Digits of the first group.
    first_len: u8,
    /// All groups that ended have three digits or more.
    wide: bool,
    /// All groups that ended have as many digits as the first.
    even: bool,
    /// The group that is being read.
    len: u8,
}

impl Grouping {
    const fn end_group(&mut self) {
        if self.groups == 0 {
            self.first_len = self.len;
            (self.wide, self.even) = (true, true);
        }
        self.wide &= self.len >= 3;
        self.even &= self.len == self.first_len;
        self.groups += 1;
        self.len = 0;
    }
}

/// The end of the longest number that begins with the group at `start`.
fn number_at(text: &[u8], run: &Range<usize>, start: usize) -> Option<usize> {
    let mut digits = [0_u8; DIGITS_MAX];
    let (mut total, mut separators, mut lengths) = (0, 0, 0);
    let mut grouping = Grouping::default();
    let (mut at, mut end, mut best) = (start, start, None);
    loop {
        let next = char_at(text, at);
        match next {
            Some((Class::Digit(digit), len)) => {
                if separators > SEPARATORS_MAX {
                    break;
                }
                let Some(slot) = digits.get_mut(total) else { break };
                *slot = digit;
                total += 1;
                if let Some(head) = digits.first_chunk().filter(|_| total == PREFIX_DIGITS) {
                    lengths = lengths_of(head);
                    if lengths == 0 {
                        break;
                    }
                }
                grouping.len += 1;
                separators = 0;
                at += len;
                end = at;
            }
            Some((Class::Invisible, len)) => at += len,
            _ => {
                if grouping.len > 0 {
                    let rest = text.get(end..run.end).unwrap_or_default();
                    if lengths & 1 << total != 0
                        && is_plausible(&grouping, text, run, start, rest)
                        && passes_luhn(digits.get(..total).unwrap_or_default())
                    {
                        best = Some(end);
                    }
                    grouping.end_group();
                }
                let Some((Class::Separator, len)) = next else { break };
                separators += 1;
                at += len;
            }
        }
    }
    best
}

/// Whether digits grouped like this, the last group just read, look like one number.
fn is_plausible(
    grouping: &Grouping,
    text: &[u8],
    run: &Range<usize>,
    start: usize,
    rest: &[u8],
) -> bool {
    if grouping.groups == 0 {
        return !is_fraction(text, start);
    }
    if grouping.wide {
        return true;
    }
    let before = text.get(run.start..start).unwrap_or_default();
    let has_digit = |text: &[u8]| super::class::digits(text).next().is_some();
    grouping.even && grouping.len <= grouping.first_len && !has_digit(before) && !has_digit(rest)
}

/// Whether the digits at `start` follow a decimal point.
fn is_fraction(text: &[u8], start: usize) -> bool {
    let before = text.get(..start).unwrap_or_default();
    matches!(before, [.., digit, b'.'] if digit.is_ascii_digit())
}

fn is_card(digits: &[u8]) -> bool {
    let lengths = digits.first_chunk().map_or(0, lengths_of);
    digits.len() <= DIGITS_MAX && lengths & 1 << digits.len() != 0 && passes_luhn(digits)
}

/// ISO/IEC 7812-1 annex B: every second digit from the right doubled, its digits added up; the
/// sum is a multiple of ten.
fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let value = u32::from(*digit) << (index % 2);
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Digits by which issuers are told apart.
const PREFIX_DIGITS: usize = 6;

/// How long the numbers are that issuers give out with this beginning (the public ranges of the
/// card schemes): a bit for each length.
fn lengths_of(head: &[u8; PREFIX_DIGITS]) -> u32 {
    const fn from(min: u32, max: u32) -> u32 {
        (2 << max) - (1 << min)
    }
    let prefix = head.iter().fold(0_u32, |value, digit| value * 10 + u32::from(*digit));
    match prefix {
        // Visa.
        400_000..=499_999 => 1 << 13 | 1 << 16 | 1 << 19,
        // Mastercard, old and new series.
        510_000..=559_999 | 222_100..=272_099 => 1 << 16,
        // American Express.
        340_000..=349_999 | 370_000..=379_999 => 1 << 15,
        // Diners Club.
        300_000..=305_999 | 309_500..=309_599 | 360_000..=369_999 | 380_000..=399_999 => {
            from(14, 19)
        }
        // JCB.
        352_800..=358_999 => from(16, 19),
        // Mir.
        220_000..=220_499 => from(16, 19),
        // Maestro, RuPay, Discover, UnionPay and others of the sixties; some Maestro are short.
        500_000..=509_999 | 560_000..=589_999 | 630_000..=639_999 | 670_000..=679_999 => {
            from(13, 19)
        }
        600_000..=629_999 | 640_000..=669_999 | 690_000..=699_999 => from(16, 19),
        810_000..=829_999 => from(16, 19),
        _ => 0,
    }
}

/// Whether the text of a number (whole, decimal with an empty fraction, or in scientific form) is
/// a card number: what a server prints for one that is stored in a numeric column.
pub(crate) fn is_card_number(text: &[u8]) -> bool {
    if !(DIGITS_MIN..=64).contains(&text.len()) {
        return false;
    }
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let mut parts = unsigned.split(|byte| matches!(byte, b'e' | b'E'));
    let mantissa = parts.next().unwrap_or_default();
    let exponent = match parts.next() {
        None => 0,
        Some(exponent) => {
            let exponent = exponent.strip_prefix(b"+").unwrap_or(exponent);
            match std::str::from_utf8(exponent).ok().and_then(|text| text.parse::<usize>().ok()) {
                Some(exponent) if exponent <= DIGITS_MAX => exponent,
                _ => return false,
            }
        }
    };
    let mut halves = mantissa.splitn(2, |byte| *byte == b'.');
    let whole = halves.next().unwrap_or_default();
    let fraction = halves.next().unwrap_or_default();
    if whole.iter().chain(fraction).any(|byte| !byte.is_ascii_digit()) {
        return false;
    }
    // Shift the point right by the exponent; what is left behind it must be nothing.
    let kept = fraction.iter().take(exponent).chain(std::iter::repeat(&b'0'));
    let zeros_only = fraction.iter().skip(exponent).all(|digit| *digit == b'0');
    let digits: Vec<u8> = whole
        .iter()
        .chain(kept.take(exponent))
        .map(|digit| digit - b'0')
        .skip_while(|digit| *digit == 0)
        .collect();
    zeros_only && (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len()) && is_card(&digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let Some(run) = find_run(text.as_bytes(), FIRST_PROBE) else { return Vec::new() };
        Cards::new(text.as_bytes(), run).map(|range| text.get(range).unwrap()).collect()
    }

    #[test]
    fn a_test_number_of_every_issuer_is_found() {
        for number in [
            "4111111111111111",
            "4222222222222",
            "5555555555554444",
            "2223003122003222",
            "378282246310005",
            "6011111111111117",
            "30569309025904",
            "38520000023237",
            "3530111333300000",
            "6200000000000005",
            "6304000000000000",
            "6759649826438453",
            "2200000000000004",
        ] {
            assert_eq!(found(number), [number]);
        }
    }

    /// C11: separators, zero-width characters and digits of other scripts.
    #[test]
    fn c11_a_number_is_found_however_it_is_written() {
        for number in [
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "4111.1111.1111.1111",
            "4111  1111  1111  1111",
            "4111\n1111\n1111\n1111",
            "4111\r\n1111\r\n1111\r\n1111",
            "3782 822463 10005",
            "620000 0000000005",
            "6304 0000 0000 0000 000",
            "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
            "41 11 11 11 11 11 11 11",
            "4111\u{200b}1111\u{200b}1111\u{200b}1111",
            "4\u{200d}111111111111111",
            "4111\u{a0}1111\u{a0}1111\u{a0}1111",
            "4111\u{2013}1111\u{2013}1111\u{2013}1111",
            "４１１１１１１１１１１１１１１１",
            "٤١١١١١١١١١١١١١١١",
            "𝟒𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏",
            "4\u{fe0f}\u{20e3}111111111111111",
        ] {
            let digits: Vec<u8> = super::super::class::digits(number.as_bytes()).collect();
            if passes_luhn(&digits) {
                assert_eq!(found(number), [number]);
                let within = format!("card: {number}; thanks");
                assert_eq!(found(&within), [number]);
            } else {
                panic!("{number} is no number to test with");
            }
        }
    }

    #[test]
    fn other_numbers_beside_it_do_not_hide_a_number() {
        for text in [
            "42 4111111111111111 7",
            "2024-11-21 4111-1111-1111-1111 12/27",
            "id=4111111111111111,",
            "pan4111111111111111x",
            "1,4111111111111111,2",
            "{\"a\":4111111111111111}",
            "12345678901234567890123 4111111111111111",
        ] {
            assert_eq!(found(text).len(), 1, "{text}");
        }
        assert_eq!(found("4111111111111111 5555555555554444").len(), 2);
    }

    #[test]
    fn ordinary_numbers_are_left_alone() {
        for text in [
            "4111111111111112",
            "1111111111111117",
            "0.4111111111111111",
            "41111111111111110000000",
            "2024-11-21 10:11:12.123456+00",
            "192.168.100.200 192.168.100.201",
            "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
            "+49 170 1234567 +49 170 1234568",
            "4111   1111   1111   1111",
            "411111111111",
            "",
        ] {
            assert!(found(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn numbers_as_a_server_prints_them_are_recognised() {
        for (text, want) in [
            ("4111111111111111", true),
            ("-4111111111111111", true),
            ("4111111111111111.000", true),
            ("4.111111111111111e+15", true),
            ("4.111111111111111E15", true),
            ("4.1111111111111115e+15", false),
            ("4111111111111111.5", false),
            ("0.4111111111111111", false),
            ("4.111111111111111e-15", false),
            ("4111111111111111e", false),
            ("NaN", false),
            ("4111 1111 1111 1111", false),
        ] {
            assert_eq!(is_card_number(text.as_bytes()), want, "{text}");
        }
    }
}
