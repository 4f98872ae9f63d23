//! Finding sensitive values in text whose column says nothing.
//!
//! Owns the detectors, the order of their hits and how a hit is changed in place. A value without
//! a hit costs one search for `@` and one look at every thirteenth byte. Must not know where the
//! text came from. Best effort by nature: a value that was encoded (base64, hexadecimal,
//! compressed) or cut into rows is not found; column masks are what is sound.

mod card;
mod class;
mod email;
mod groups;

use std::ops::Range;
use std::sync::Arc;

use model::{Detector, DetectorMask, MaskProfile, Transform};

use crate::kind::ValueKind;
use crate::transform::{Masked, STARS, Transforms, last_four_digits, stars_over_digits};

pub(crate) use card::is_card_number;
pub(crate) use class::{Class, char_at, may_belong_to_card};
pub(crate) use email::may_belong_to_address;

/// One found value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// What it is.
    pub detector: Detector,
    /// Where it is, in bytes of the scanned text.
    pub range: Range<usize>,
}

/// The detectors of one mask profile, ready to scan. Cheap to share; holds no state of a scan.
#[derive(Clone, Debug)]
pub struct ScanSet {
    transforms: Arc<Transforms>,
    card: Option<DetectorMask>,
    email: Option<DetectorMask>,
}

impl ScanSet {
    /// Takes the detectors of a profile. Where one is named twice the first counts, as with
    /// columns.
    #[must_use]
    pub fn new(profile: &MaskProfile, transforms: Arc<Transforms>) -> Self {
        let first = |detector: Detector| {
            profile.detectors.iter().find(|mask| mask.detector == detector).cloned()
        };
        Self { transforms, card: first(Detector::PaymentCard), email: first(Detector::Email) }
    }

    /// Whether there is nothing to look for.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.card.is_none() && self.email.is_none()
    }

    /// Whether a first look shows that there is nothing to find: what most values cost.
    #[inline]
    pub(crate) fn is_clean(&self, value: &[u8]) -> bool {
        matches!(self.first_look(value), (None, None))
    }

    /// Appends what is found in `value`, in order, never overlapping.
    pub fn scan(&self, value: &[u8], hits: &mut Vec<Hit>) {
        match self.first_look(value) {
            (None, None) => {}
            (run, sign) => hits.extend(Hits::new(value, run, sign)),
        }
    }

    /// Appends `value` to `out` with every hit changed, and answers how many there were. With
    /// none, nothing is written: the value can be sent as it came.
    pub fn mask(&self, value: &[u8], out: &mut Vec<u8>) -> usize {
        self.rewrite(value, out, |hit, text, out| self.change(hit, text, out))
    }

    /// Masks a value so that it stays one of its kind: in numbers the whole value is changed, in
    /// JSON a bare number stays a number, and what is not understood becomes NULL.
    pub fn mask_value(&self, kind: ValueKind, value: &[u8], out: &mut Vec<u8>) -> Masked {
        let hits = match kind {
            ValueKind::Integer { .. } | ValueKind::Number => {
                let Some(mask) = self.card.as_ref().filter(|_| is_card_number(value)) else {
                    return Masked::Unchanged;
                };
                return self.transforms.apply(mask.transform, kind, value, out);
            }
            ValueKind::Boolean | ValueKind::Date | ValueKind::Timestamp | ValueKind::Uuid => 0,
            ValueKind::Json => self.rewrite(value, out, |hit, text, out| {
                if is_inside_json_string(value, hit.range.start) {
                    self.change(hit, text, out);
                } else {
                    self.change_json_number(hit, text, out);
                }
            }),
            // In hexadecimal every other digit run would look like a number, and mean none.
            ValueKind::Bytes if value.starts_with(b"\\x") => 0,
            // What is not understood cannot be changed in part: it may be a list of numbers.
            ValueKind::Other => {
                let (run, sign) = self.first_look(value);
                let found = Hits::new(value, run, sign).next().is_some();
                return if found { Masked::Null } else { Masked::Unchanged };
            }
            ValueKind::Text | ValueKind::Bytes => self.mask(value, out),
        };
        if hits == 0 { Masked::Unchanged } else { Masked::Value }
    }

    /// The first run of characters in which a card number may begin, and the first `@`.
    #[inline]
    fn first_look(&self, value: &[u8]) -> (Option<card::Run>, Option<usize>) {
        let run = if self.card.is_some() { card::find_run(value, card::FIRST_PROBE) } else { None };
        let sign = if self.email.is_some() { email::find_sign(value, 0) } else { None };
        (run, sign)
    }

    #[inline]
    fn rewrite(
        &self,
        value: &[u8],
        out: &mut Vec<u8>,
        change: impl FnMut(&Hit, &[u8], &mut Vec<u8>),
    ) -> usize {
        match self.first_look(value) {
            (None, None) => 0,
            (run, sign) => rewrite_hits(Hits::new(value, run, sign), value, out, change),
        }
    }

    fn mask_of(&self, detector: Detector) -> Option<&DetectorMask> {
        match detector {
            Detector::PaymentCard => self.card.as_ref(),
            Detector::Email => self.email.as_ref(),
        }
    }

    /// Changes the found part. A part cannot be NULL nor cut to a year: it is starred instead.
    pub(crate) fn change(&self, hit: &Hit, text: &[u8], out: &mut Vec<u8>) {
        let transform = self.mask_of(hit.detector).map_or(Transform::Redact, |mask| mask.transform);
        match (transform, hit.detector) {
            (Transform::Redact | Transform::Null | Transform::DateYear, _) => {
                out.extend_from_slice(STARS);
            }
            (Transform::Partial, Detector::PaymentCard) => stars_over_digits(text, out),
            (Transform::Last4, Detector::PaymentCard) => last_four_digits(text, out),
            // The digits alone, so that one card hashes alike however it is grouped.
            (Transform::Hash, Detector::PaymentCard) => {
                let mut digits = Vec::with_capacity(19);
                digits.extend(class::digits(text).map(|digit| b'0' + digit));
                self.transforms.hash_hex(&digits, out);
            }
            (Transform::Partial | Transform::Last4 | Transform::Hash, Detector::Email) => {
                self.transforms.apply(transform, ValueKind::Text, text, out);
            }
        }
    }

    /// Changes a card number that stands in JSON outside any string: what replaces it must be a
    /// number, or a string of its own.
    fn change_json_number(&self, hit: &Hit, text: &[u8], out: &mut Vec<u8>) {
        match self.mask_of(hit.detector).map(|mask| mask.transform) {
            Some(transform @ (Transform::Last4 | Transform::Hash)) => {
                let kind = ValueKind::Integer { bits: 64 };
                self.transforms.apply(transform, kind, text, out);
            }
            _ => out.push(b'0'),
        }
    }
}

/// Copies the text with every hit changed; out of the way of text without any.
#[inline(never)]
fn rewrite_hits(
    hits: Hits<'_>,
    value: &[u8],
    out: &mut Vec<u8>,
    mut change: impl FnMut(&Hit, &[u8], &mut Vec<u8>),
) -> usize {
    let (mut count, mut copied) = (0, 0);
    for hit in hits {
        out.extend_from_slice(value.get(copied..hit.range.start).unwrap_or_default());
        change(&hit, value.get(hit.range.clone()).unwrap_or_default(), out);
        copied = hit.range.end;
        count += 1;
    }
    if count > 0 {
        out.extend_from_slice(value.get(copied..).unwrap_or_default());
    }
    count
}

/// Whether the byte at `at` lies inside a string of a JSON text. Only asked where there is a hit.
fn is_inside_json_string(text: &[u8], at: usize) -> bool {
    let mut inside = false;
    let mut bytes = text.iter().take(at);
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => inside = !inside,
            b'\\' if inside => {
                bytes.next();
            }
            _ => {}
        }
    }
    inside
}

/// The hits of one text, in order. Where two overlap the one that begins first keeps the shared
/// part and the other keeps the rest, so that nothing found is left as it was.
struct Hits<'a> {
    cards: Option<card::Cards<'a>>,
    emails: Option<email::Emails<'a>>,
    card: Option<Range<usize>>,
    email: Option<Range<usize>>,
    end: usize,
}

impl<'a> Hits<'a> {
    /// Begins with the first run that may hold a card number and the first `@`.
    fn new(text: &'a [u8], run: Option<card::Run>, sign: Option<usize>) -> Self {
        let mut cards = run.map(|run| card::Cards::new(text, run));
        let mut emails = sign.map(|sign| email::Emails::new(text, sign));
        let card = cards.as_mut().and_then(Iterator::next);
        let email = emails.as_mut().and_then(Iterator::next);
        Self { cards, emails, card, email, end: 0 }
    }
}

impl Iterator for Hits<'_> {
    type Item = Hit;

    fn next(&mut self) -> Option<Hit> {
        loop {
            let card_first = match (&self.card, &self.email) {
                (None, None) => return None,
                (Some(card), Some(email)) => card.start < email.start,
                (card, _) => card.is_some(),
            };
            let (detector, found) = if card_first {
                let next = self.cards.as_mut().and_then(Iterator::next);
                (Detector::PaymentCard, std::mem::replace(&mut self.card, next)?)
            } else {
                let next = self.emails.as_mut().and_then(Iterator::next);
                (Detector::Email, std::mem::replace(&mut self.email, next)?)
            };
            let range = found.start.max(self.end)..found.end;
            if !range.is_empty() {
                self.end = range.end;
                return Some(Hit { detector, range });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Secret;

    use super::*;

    fn set(card: Transform, email: Transform) -> ScanSet {
        let mask = |detector, transform| DetectorMask { detector, tag: "t".into(), transform };
        let profile = MaskProfile {
            detectors: vec![mask(Detector::PaymentCard, card), mask(Detector::Email, email)],
            ..MaskProfile::default()
        };
        ScanSet::new(&profile, Arc::new(Transforms::new(&Secret::new(vec![1; 32]))))
    }

    fn masked(set: &ScanSet, text: &str) -> String {
        let mut out = Vec::new();
        match set.mask(text.as_bytes(), &mut out) {
            0 => {
                assert!(out.is_empty(), "unchanged means untouched");
                text.to_owned()
            }
            _ => String::from_utf8(out).unwrap(),
        }
    }

    #[test]
    fn found_values_are_changed_in_place() {
        let set = set(Transform::Last4, Transform::Partial);
        for (text, want) in [
            ("nothing here", "nothing here"),
            ("", ""),
            ("bob@example.com", "b***@***.com"),
            (
                "paid by bob@example.com with 4111-1111-1111-1111, thanks",
                "paid by b***@***.com with ****-****-****-1111, thanks",
            ),
            ("<bob@example.com>,<amy@example.org>", "<b***@***.com>,<a***@***.org>"),
            ("4111111111111111@example.com", "4***@***.com"),
            ("4111 1111 1111 1111bob@example.com", "**** **** **** 1111b***@***.com"),
        ] {
            assert_eq!(masked(&set, text), want);
        }
    }

    #[test]
    fn one_card_hashes_alike_however_it_is_grouped() {
        let set = set(Transform::Hash, Transform::Redact);
        let plain = masked(&set, "4111111111111111");
        assert_eq!(plain.len(), 32);
        assert_eq!(plain, masked(&set, "4111 1111 1111 1111"));
        assert_eq!(plain, masked(&set, "４１１１１１１１１１１１１１１１"));
        assert_ne!(plain, masked(&set, "5500005555555559"));
    }

    #[test]
    fn json_stays_json() {
        for (transform, value, want) in [
            (Transform::Last4, r#"{"n": 4111111111111111}"#, r#"{"n": 1111}"#),
            (Transform::Redact, r#"{"n":4111111111111111}"#, r#"{"n":0}"#),
            (Transform::Last4, r#"{"n":"4111111111111111"}"#, r#"{"n":"************1111"}"#),
            (Transform::Redact, r#"["\"",4111111111111111]"#, r#"["\"",0]"#),
            (Transform::Redact, r#"{"to":"bob@example.com"}"#, r#"{"to":"***"}"#),
        ] {
            let mut out = Vec::new();
            let masked = set(transform, Transform::Redact).mask_value(
                ValueKind::Json,
                value.as_bytes(),
                &mut out,
            );
            assert_eq!(masked, Masked::Value);
            assert_eq!(String::from_utf8(out).unwrap(), want);
        }
    }

    #[test]
    fn a_number_that_is_a_card_is_changed_whole_and_stays_a_number() {
        let set = set(Transform::Last4, Transform::Redact);
        for (kind, value, want) in [
            (ValueKind::Integer { bits: 64 }, "4111111111111111", Some("1111")),
            (ValueKind::Number, "4111111111111111", Some("1111")),
            (ValueKind::Number, "4111111111111111.00", Some("0")),
            (ValueKind::Number, "4.111111111111111e+15", Some("0")),
            (ValueKind::Number, "0.4111111111111111", None),
            (ValueKind::Integer { bits: 64 }, "4111111111111112", None),
            (ValueKind::Date, "1980-05-17", None),
        ] {
            let mut out = Vec::new();
            let masked = set.mask_value(kind, value.as_bytes(), &mut out);
            let got = (masked == Masked::Value).then(|| String::from_utf8(out).unwrap());
            assert_eq!(got.as_deref(), want, "{value}");
        }
    }

    #[test]
    fn what_is_not_understood_is_null_where_something_is_found_in_it() {
        let set = set(Transform::Last4, Transform::Partial);
        for (kind, value, want) in [
            (ValueKind::Other, "{4111111111111111,2}", Masked::Null),
            (ValueKind::Other, "{bob@example.com}", Masked::Null),
            (ValueKind::Other, "{1,2,3}", Masked::Unchanged),
            (ValueKind::Bytes, "\\x4111111111111111", Masked::Unchanged),
            (ValueKind::Bytes, "to bob@example.com", Masked::Value),
        ] {
            let mut out = Vec::new();
            assert_eq!(set.mask_value(kind, value.as_bytes(), &mut out), want, "{value}");
            assert_eq!(out.is_empty(), want != Masked::Value);
        }
    }

    #[test]
    fn a_profile_without_detectors_finds_nothing() {
        let transforms = Arc::new(Transforms::new(&Secret::new(vec![1; 32])));
        let set = ScanSet::new(&MaskProfile::default(), transforms);
        assert!(set.is_empty());
        assert_eq!(set.mask(b"bob@example.com 4111111111111111", &mut Vec::new()), 0);
    }
}
