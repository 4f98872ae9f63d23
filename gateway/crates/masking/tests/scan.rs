//! The detectors against plain readings of their definitions, and streams against whole texts.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "the whole file is a test; a wrong index fails it"
)]

use std::sync::Arc;

use masking::{CarryOver, Hit, ScanSet, Transforms};
use model::{Detector, DetectorMask, MaskProfile, Secret, Transform};
use proptest::prelude::*;

fn set_of(masks: &[(Detector, Transform)]) -> ScanSet {
    let detectors = masks
        .iter()
        .map(|(detector, transform)| DetectorMask {
            detector: *detector,
            tag: "t".into(),
            transform: *transform,
        })
        .collect();
    let profile = MaskProfile { detectors, ..MaskProfile::default() };
    ScanSet::new(&profile, Arc::new(Transforms::new(&Secret::new(vec![3; 32]))))
}

fn both() -> ScanSet {
    set_of(&[(Detector::PaymentCard, Transform::Last4), (Detector::Email, Transform::Partial)])
}

/// The definition of a card number, read literally: every run of characters, every group, every
/// number of groups. No stride, no early end.
mod naive {
    use std::ops::Range;

    #[derive(Clone, Copy, PartialEq)]
    enum Kind {
        Digit(u8),
        Separator,
        Invisible,
    }

    /// Only the characters that the strategy below makes.
    fn kind(c: char) -> Option<Kind> {
        match c {
            '0'..='9' => Some(Kind::Digit(u8::try_from(u32::from(c) - 0x30).unwrap())),
            '\u{FF10}'..='\u{FF19}' => {
                Some(Kind::Digit(u8::try_from(u32::from(c) - 0xFF10).unwrap()))
            }
            ' ' | '-' | '.' | '\n' | '_' | '\u{a0}' => Some(Kind::Separator),
            '\u{200b}' => Some(Kind::Invisible),
            _ => None,
        }
    }

    #[derive(Clone)]
    struct Group {
        range: Range<usize>,
        digits: Vec<u8>,
        separators_before: usize,
    }

    fn runs(text: &str) -> Vec<Vec<Group>> {
        let mut runs = vec![Vec::<Group>::new()];
        let (mut separators, mut open) = (0, false);
        for (at, c) in text.char_indices() {
            let Some(kind) = kind(c) else {
                runs.push(Vec::new());
                (separators, open) = (0, false);
                continue;
            };
            let run = runs.last_mut().unwrap();
            match kind {
                Kind::Digit(digit) => {
                    let end = at + c.len_utf8();
                    if open {
                        let group = run.last_mut().unwrap();
                        group.digits.push(digit);
                        group.range.end = end;
                    } else {
                        run.push(Group {
                            range: at..end,
                            digits: vec![digit],
                            separators_before: separators,
                        });
                        open = true;
                    }
                    separators = 0;
                }
                Kind::Separator => {
                    separators += 1;
                    open = false;
                }
                Kind::Invisible => {}
            }
        }
        runs
    }

    fn luhn(digits: &[u8]) -> bool {
        let mut sum = 0;
        for (index, digit) in digits.iter().rev().enumerate() {
            let mut value = u32::from(*digit);
            if index % 2 == 1 {
                value *= 2;
                if value > 9 {
                    value -= 9;
                }
            }
            sum += value;
        }
        sum % 10 == 0
    }

    fn issued(digits: &[u8]) -> bool {
        let text: String = digits.iter().map(ToString::to_string).collect();
        let head = |n: usize| text[..n].parse::<u32>().unwrap();
        let n = digits.len();
        match () {
            () if head(1) == 4 => [13, 16, 19].contains(&n),
            () if (51..=55).contains(&head(2)) || (2221..=2720).contains(&head(4)) => n == 16,
            () if [34, 37].contains(&head(2)) => n == 15,
            () if (300..=305).contains(&head(3))
                || head(4) == 3095
                || [36, 38, 39].contains(&head(2)) =>
            {
                n >= 14
            }
            () if (3528..=3589).contains(&head(4)) => n >= 16,
            () if (2200..=2204).contains(&head(4)) => n >= 16,
            () if [50, 56, 57, 58, 63, 67].contains(&head(2)) => true,
            () if head(1) == 6 && head(2) != 68 => n >= 16,
            () if [81, 82].contains(&head(2)) => n >= 16,
            () => false,
        }
    }

    fn plausible(text: &str, run: &[Group], first: usize, last: usize) -> bool {
        let groups = &run[first..=last];
        if groups.iter().skip(1).any(|group| group.separators_before > 2) {
            return false;
        }
        let (tail, head) = groups.split_last().unwrap();
        if head.is_empty() {
            let before = &text.as_bytes()[..tail.range.start];
            return !matches!(before, [.., b'0'..=b'9', b'.']);
        }
        let len = head[0].digits.len();
        head.iter().all(|group| group.digits.len() >= 3)
            || (head.iter().all(|group| group.digits.len() == len)
                && tail.digits.len() <= len
                && first == 0
                && last + 1 == run.len())
    }

    pub(crate) fn cards(text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for run in runs(text) {
            let mut first = 0;
            while first < run.len() {
                let hit = (first..run.len()).rev().find(|last| {
                    let digits: Vec<u8> =
                        run[first..=*last].iter().flat_map(|group| group.digits.clone()).collect();
                    (13..=19).contains(&digits.len())
                        && issued(&digits)
                        && luhn(&digits)
                        && plausible(text, &run, first, *last)
                });
                if let Some(last) = hit {
                    found.push(run[first].range.start..run[last].range.end);
                    first = last + 1;
                } else {
                    first += 1;
                }
            }
        }
        found
    }
}

/// Groups of digits in a row, as references and telephone numbers are written.
fn number_list() -> impl Strategy<Value = String> {
    let group = prop_oneof![
        4 => "[0-9]{1,7}",
        2 => "[0-9]{8,20}",
        1 => Just("4111111111111111".to_owned()),
        1 => Just("4111\u{200b}1111".to_owned()),
        1 => Just("1111".to_owned()),
        1 => Just("é".to_owned()),
    ];
    let separator = prop_oneof![6 => "[ .\\-_]", 2 => "[ -]{2,3}", 1 => Just("\u{a0}".to_owned())];
    prop::collection::vec((group, separator), 1..12)
        .prop_map(|pieces| pieces.into_iter().map(|(group, between)| group + &between).collect())
}

/// Text made of what matters: real numbers in many groupings, near misses, filler.
fn text() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        Just("4111111111111111"),
        Just("378282246310005"),
        Just("5555555555554444"),
        Just("4222222222222"),
        Just("6304000000000000"),
        Just("4111111111111112"),
        Just("1234567"),
    ];
    let grouped = (number, 1..6_usize, "[ .\\-_\n\u{a0}\u{200b}]{0,3}").prop_map(
        |(number, size, separator)| {
            let groups: Vec<&str> =
                number.as_bytes().chunks(size).map(|g| std::str::from_utf8(g).unwrap()).collect();
            groups.join(&separator)
        },
    );
    let piece = prop_oneof![
        3 => grouped,
        1 => "[0-9]{1,20}",
        1 => "[\u{FF10}-\u{FF19}]{1,17}",
        2 => "[a-z @.,é\u{200b}-]{0,15}",
        1 => "[ .\\-0-9]{0,24}",
        1 => Just("bob@example.com".to_owned()),
        2 => number_list(),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_stride_finds_what_a_literal_reading_finds(text in text()) {
        let set = set_of(&[(Detector::PaymentCard, Transform::Last4)]);
        let mut hits = Vec::new();
        set.scan(text.as_bytes(), &mut hits);
        let found: Vec<_> = hits.into_iter().map(|hit| hit.range).collect();
        prop_assert_eq!(found, naive::cards(&text));
    }

    #[test]
    fn any_bytes_are_scanned_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut hits = Vec::new();
        both().scan(&bytes, &mut hits);
        let mut end = 0;
        for Hit { range, .. } in hits {
            prop_assert!(end <= range.start && range.start < range.end && range.end <= bytes.len());
            end = range.end;
        }
    }

    #[test]
    fn a_stream_is_masked_like_the_whole_text(
        text in text(),
        cuts in prop::collection::vec(0..200_usize, 0..6),
    ) {
        let bytes = text.as_bytes();
        let mut whole = Vec::new();
        let count = both().mask(bytes, &mut whole);
        if count == 0 {
            whole.extend_from_slice(bytes);
        }
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.sort_unstable();
        let (mut carry, mut out, mut streamed, mut at) = (CarryOver::new(both()), Vec::new(), 0, 0);
        for cut in cuts {
            streamed += carry.push(&bytes[at..cut], &mut out);
            at = cut;
        }
        streamed += carry.push(&bytes[at..], &mut out);
        streamed += carry.finish(&mut out);
        prop_assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&whole));
        prop_assert_eq!(streamed, count);
    }
}

#[test]
fn a_stream_split_at_every_byte_is_masked_like_the_whole() {
    let text = "to bob@example.com, card 4111 1111 1111 1111 or ４１１１１１１１１１１１１１１１.";
    let mut whole = Vec::new();
    assert_eq!(both().mask(text.as_bytes(), &mut whole), 3);
    for cut in 0..=text.len() {
        let (mut carry, mut out) = (CarryOver::new(both()), Vec::new());
        let (head, tail) = text.as_bytes().split_at(cut);
        carry.push(head, &mut out);
        carry.push(tail, &mut out);
        carry.finish(&mut out);
        assert_eq!(out, whole, "cut at {cut}");
    }
}

#[test]
fn of_a_value_whose_beginning_somebody_waited_for_the_rest_is_not_shown() {
    let text = "to bob@example.com, card 4111 1111 1111 1111 and on";
    let cards = 25..44;
    for cut in 0..text.len() {
        let (mut carry, mut out) = (CarryOver::new(both()), Vec::new());
        let (head, tail) = text.as_bytes().split_at(cut);
        carry.push(head, &mut out);
        carry.flush(&mut out);
        assert!(!carry.is_holding(), "cut at {cut}");
        // Whoever waits sees all that has come, or its mask.
        let before = String::from_utf8(out.clone()).unwrap();
        let is_through = !cards.contains(&cut) && !(3..18).contains(&cut);
        assert!(!is_through || before.len() + 8 > cut, "cut at {cut}: {before}");
        carry.push(tail, &mut out);
        carry.finish(&mut out);
        let shown = String::from_utf8(out).unwrap();
        let digits = shown.bytes().filter(u8::is_ascii_digit).count();
        let came = text.get(..cut).unwrap().bytes().filter(u8::is_ascii_digit).count();
        assert!(digits <= came.max(4), "cut at {cut}: {shown}");
        assert!(!shown.contains("bob@example.com"), "cut at {cut}: {shown}");
        assert!(shown.starts_with("to ") && shown.ends_with(" and on"), "cut at {cut}: {shown}");
    }
}

#[test]
fn a_word_that_is_none_of_a_value_goes_on_where_it_was_left() {
    let (mut carry, mut out) = (CarryOver::new(both()), Vec::new());
    for piece in ["work", "ing on", " it", " 12", "34 times\n", "and ", "again"] {
        carry.push(piece.as_bytes(), &mut out);
        carry.flush(&mut out);
    }
    carry.finish(&mut out);
    assert_eq!(String::from_utf8(out).unwrap(), "working on it 1234 times\nand again");
}

#[test]
fn a_stream_without_any_boundary_is_held_only_so_far() {
    let (mut carry, mut out) = (CarryOver::new(both()), Vec::new());
    let mut sent = 0;
    for _ in 0..64 {
        carry.push(&[b'x'; 1024], &mut out);
        sent += 1024;
        assert!(sent - out.len() <= 17 * 1024, "{} of {sent}", out.len());
    }
    carry.push(b" bob@example.com", &mut out);
    carry.finish(&mut out);
    assert!(out.ends_with(b" b***@***.com"));
    assert_eq!(out.len(), sent + " b***@***.com".len());
}

#[test]
fn the_time_for_hostile_text_grows_with_its_length_only() {
    let set = both();
    for piece in ["1 ", "4", "@", "a@", "a.", "\u{200b}", "4\u{200b}", "411 ", "a@b.", " ", "4 "] {
        let text = format!("4{}", piece.repeat(400_000 / piece.len()));
        let begin = std::time::Instant::now();
        set.scan(text.as_bytes(), &mut Vec::new());
        let took = begin.elapsed();
        assert!(took.as_secs() < 5, "{piece:?} took {took:?}");
    }
}
