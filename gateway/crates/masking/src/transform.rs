//! Changing one value so that it keeps its type and format and loses what is sensitive.
//!
//! Owns what each [`Transform`] means for each [`ValueKind`]. Where a transform has no form that
//! both fits the type and hides the value (the first digit of a number, the last four letters of
//! a date), it falls back to the kind's fixed value, and where even that cannot be made up, to
//! NULL: never to the value itself. Must not know why a value is masked.

mod coded;
mod date;
mod text;

use aws_lc_rs::hmac;
use model::{Secret, Transform};

use crate::kind::ValueKind;

pub(crate) use coded::CODED_STARS;
pub(crate) use text::{last_four_digits, stars_over_digits};

/// What became of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Masked {
    /// Send the value as it came; nothing was written.
    Unchanged,
    /// Send NULL; nothing was written.
    Null,
    /// Send what was appended to the output.
    Value,
}

/// The fixed value of text.
pub(crate) const STARS: &[u8] = b"***";
/// Hexadecimal digits of a keyed hash: 128 bits, so that no join ever meets a collision.
const HASH_HEX_LEN: usize = 32;

/// The transforms, with the key of the keyed hash.
pub struct Transforms {
    key: hmac::Key,
}

impl std::fmt::Debug for Transforms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Transforms(key redacted)")
    }
}

impl Transforms {
    /// Takes the key of [`Transform::Hash`]. The same key gives the same hashes on every host;
    /// whoever holds it can try values, so it is a secret of the gateway (32 random bytes).
    #[must_use]
    pub fn new(hash_key: &Secret<Vec<u8>>) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, hash_key.expose()) }
    }

    /// Changes `value`, appending to `out`. Never answers [`Masked::Unchanged`].
    ///
    /// A value that is not what `kind` says it is gets the kind's fixed value.
    pub fn apply(
        &self,
        transform: Transform,
        kind: ValueKind,
        value: &[u8],
        out: &mut Vec<u8>,
    ) -> Masked {
        if transform == Transform::Null {
            return Masked::Null;
        }
        match kind {
            ValueKind::Text => self.text(transform, value, out),
            ValueKind::Integer { bits } => self.integer(transform, bits, value, out),
            ValueKind::Number => self.integer(transform, 64, value, out),
            ValueKind::Boolean => return boolean(transform, value, out),
            ValueKind::Date | ValueKind::Timestamp => {
                return date_or_timestamp(transform, kind, value, out);
            }
            ValueKind::Uuid => self.uuid(transform, value, out),
            ValueKind::Json => self.json(transform, value, out),
            ValueKind::Bytes => self.bytes(transform, value, out),
            ValueKind::Other => return Masked::Null,
        }
        Masked::Value
    }

    fn text(&self, transform: Transform, value: &[u8], out: &mut Vec<u8>) {
        match transform {
            Transform::Redact | Transform::Null => out.extend_from_slice(STARS),
            Transform::Partial => text::partial(value, out),
            Transform::Last4 => text::last_four(value, out),
            Transform::Hash => self.hash_hex(value, out),
            Transform::DateYear => {
                if !date::cut(value, date::Year::Keep, out) {
                    out.extend_from_slice(STARS);
                }
            }
        }
    }

    fn integer(&self, transform: Transform, bits: u8, value: &[u8], out: &mut Vec<u8>) {
        match transform {
            Transform::Last4 => match last_four_of_integer(value) {
                Some(number) => out.extend_from_slice(number.to_string().as_bytes()),
                None => out.push(b'0'),
            },
            Transform::Hash => {
                // Positive and one bit short of the type's width, so that it fits wherever the
                // value did. A 32-bit type has room for few collisions only; 64 bits for none.
                let [a, b, c, d, e, f, g, h, ..] = self.digest(value);
                let wide = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
                let shift = 65_u32.saturating_sub(u32::from(bits)).clamp(1, 63);
                out.extend_from_slice((wide >> shift).to_string().as_bytes());
            }
            _ => out.push(b'0'),
        }
    }

    fn uuid(&self, transform: Transform, value: &[u8], out: &mut Vec<u8>) {
        let digits: Vec<u8> = value.iter().copied().filter(u8::is_ascii_hexdigit).collect();
        let hyphens = value.iter().filter(|byte| **byte == b'-').count();
        let well_formed = digits.len() == 32 && digits.len() + hyphens == value.len();
        let mut masked = [b'0'; 32];
        match transform {
            Transform::Last4 if well_formed => {
                for (to, from) in masked.iter_mut().zip(&digits).skip(28) {
                    *to = *from;
                }
            }
            Transform::Hash => {
                let mut hex = Vec::with_capacity(HASH_HEX_LEN);
                self.hash_hex(&digits.to_ascii_lowercase(), &mut hex);
                for (to, from) in masked.iter_mut().zip(&hex) {
                    *to = *from;
                }
                // RFC 9562: version 8 (custom) and the standard variant.
                if let Some(version) = masked.get_mut(12) {
                    *version = b'8';
                }
                if let Some(variant) = masked.get_mut(16) {
                    *variant = b'8';
                }
            }
            _ => {}
        }
        let hyphenated = hyphens > 0 || !well_formed;
        for (index, digit) in masked.iter().enumerate() {
            if hyphenated && matches!(index, 8 | 12 | 16 | 20) {
                out.push(b'-');
            }
            out.push(*digit);
        }
    }

    fn json(&self, transform: Transform, value: &[u8], out: &mut Vec<u8>) {
        if transform == Transform::Hash {
            out.push(b'"');
            self.hash_hex(value, out);
            out.push(b'"');
            return;
        }
        let first = value.iter().find(|byte| !byte.is_ascii_whitespace());
        out.extend_from_slice(match first {
            Some(b'{') => b"{}",
            Some(b'[') => b"[]",
            Some(b'"') => b"\"***\"",
            Some(b't' | b'f') => b"false",
            Some(b'-' | b'0'..=b'9') => b"0",
            _ => b"null",
        });
    }

    fn bytes(&self, transform: Transform, value: &[u8], out: &mut Vec<u8>) {
        let textual = value.starts_with(b"\\x");
        if textual {
            out.extend_from_slice(b"\\x");
        }
        if transform == Transform::Hash {
            self.hash_hex(value, out);
        }
    }

    /// HMAC-SHA256 of `value` under the key, cut to 128 bits, in hexadecimal.
    pub(crate) fn hash_hex(&self, value: &[u8], out: &mut Vec<u8>) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        for byte in self.digest(value).iter().take(HASH_HEX_LEN / 2) {
            for nibble in [byte >> 4, byte & 15] {
                out.extend(HEX.get(usize::from(nibble)));
            }
        }
    }

    fn digest(&self, value: &[u8]) -> [u8; 32] {
        let tag = hmac::sign(&self.key, value);
        let mut digest = [0; 32];
        for (to, from) in digest.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        digest
    }
}

/// The number that the last four digits of a long whole number make, or `None` where the text is
/// not one or so short that four digits would give half of it away.
fn last_four_of_integer(value: &[u8]) -> Option<u16> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    if digits.len() < 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let last = digits.last_chunk::<4>()?;
    Some(last.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0')))
}

/// A truth value has no second form: everything but NULL is a fixed "no" as it was written, and
/// a hash, which could only take two values, is NULL.
fn boolean(transform: Transform, value: &[u8], out: &mut Vec<u8>) -> Masked {
    let no: &[u8] = match value {
        b"t" | b"f" => b"f",
        b"T" | b"F" => b"F",
        b"true" | b"false" => b"false",
        b"TRUE" | b"FALSE" => b"FALSE",
        b"0" | b"1" => b"0",
        _ => return Masked::Null,
    };
    if transform == Transform::Hash {
        return Masked::Null;
    }
    out.extend_from_slice(no);
    Masked::Value
}

/// A hashed date would have to be some other day, which reads like a fact: it is NULL instead.
fn date_or_timestamp(
    transform: Transform,
    kind: ValueKind,
    value: &[u8],
    out: &mut Vec<u8>,
) -> Masked {
    let year = match transform {
        Transform::Hash => return Masked::Null,
        Transform::DateYear => date::Year::Keep,
        _ => date::Year::Fixed,
    };
    if !date::cut(value, year, out) {
        out.extend_from_slice(match kind {
            ValueKind::Date => b"1970-01-01".as_slice(),
            _ => b"1970-01-01 00:00:00",
        });
    }
    Masked::Value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transforms() -> Transforms {
        Transforms::new(&Secret::new(vec![7; 32]))
    }

    fn show(transform: Transform, kind: ValueKind, value: &str) -> String {
        let mut out = Vec::new();
        match transforms().apply(transform, kind, value.as_bytes(), &mut out) {
            Masked::Null => {
                assert!(out.is_empty());
                "NULL".to_owned()
            }
            Masked::Value => String::from_utf8(out).unwrap(),
            Masked::Unchanged => panic!("a transform never keeps a value"),
        }
    }

    #[test]
    fn every_transform_keeps_the_type_of_every_kind() {
        let samples = [
            (ValueKind::Text, "alice@example.com"),
            (ValueKind::Text, "4111 1111 1111 1111"),
            (ValueKind::Integer { bits: 16 }, "31000"),
            (ValueKind::Integer { bits: 64 }, "4111111111111111"),
            (ValueKind::Number, "12.5"),
            (ValueKind::Boolean, "t"),
            (ValueKind::Date, "1980-05-17"),
            (ValueKind::Timestamp, "1980-05-17 10:11:12.123+02"),
            (ValueKind::Uuid, "6f1e0d2c-9b8a-4a57-8c6b-123456789abc"),
            (ValueKind::Json, r#"{"a": 1}"#),
            (ValueKind::Bytes, "\\xdeadbeef"),
            (ValueKind::Other, "{1,2}"),
        ];
        let mut table = String::new();
        for (kind, value) in samples {
            table.push_str(&format!("{kind:?} {value}\n"));
            for transform in Transform::ALL {
                let shown = show(*transform, kind, value);
                table.push_str(&format!("  {:<9} {shown}\n", transform.as_str()));
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn no_transform_of_any_kind_gives_the_value_back() {
        for value in ["alice@example.com", "12345678", "secret", "2024-02-29", "é", "x"] {
            for kind in ValueKind::ALL {
                for transform in Transform::ALL {
                    let shown = show(*transform, *kind, value);
                    assert_ne!(shown, value, "{transform} of {kind:?}");
                }
            }
        }
    }

    #[test]
    fn a_hash_is_the_same_for_the_same_value_and_fits_the_type() {
        for (bits, max) in [(16, i64::from(i16::MAX)), (32, i64::from(i32::MAX)), (64, i64::MAX)] {
            let kind = ValueKind::Integer { bits };
            for value in ["1", "2", "3", "4711", "-5"] {
                let shown: i64 = show(Transform::Hash, kind, value).parse().unwrap();
                assert!((0..=max).contains(&shown));
            }
        }
        let one = show(Transform::Hash, ValueKind::Text, "alice");
        assert_eq!(one, show(Transform::Hash, ValueKind::Text, "alice"));
        assert_ne!(one, show(Transform::Hash, ValueKind::Text, "bob"));
        let mut other = Vec::new();
        Transforms::new(&Secret::new(vec![8; 32])).apply(
            Transform::Hash,
            ValueKind::Text,
            b"alice",
            &mut other,
        );
        assert_ne!(one.as_bytes(), other);
    }

    #[test]
    fn bytes_that_are_not_text_are_starred_whole() {
        let mut out = Vec::new();
        transforms().apply(Transform::Partial, ValueKind::Text, b"\xff\xfeabcdef", &mut out);
        assert_eq!(out, b"***");
        out.clear();
        transforms().apply(Transform::Last4, ValueKind::Text, b"\xff\xfeabcdefghijk", &mut out);
        assert_eq!(out, b"***");
    }
}
