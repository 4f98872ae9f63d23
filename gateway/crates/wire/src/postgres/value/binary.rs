//! Text put back into binary: for values that were changed as text.
//!
//! Owns the inverse of [`text_of`](super::text_of) for the types whose changed values have a text
//! form. Must not know why they were changed. What cannot be put back is said so, and the caller
//! sends NULL.

use super::{Shape, datetime, numeric};

/// Appends the binary form of a text; false (and nothing appended) where the type has none here,
/// or the text is not of the type.
pub fn binary_of(type_oid: u32, text: &[u8], out: &mut Vec<u8>) -> bool {
    let at = out.len();
    let put = put(Shape::of(type_oid), text, out).is_some();
    if !put {
        out.truncate(at);
    }
    put
}

fn put(shape: Shape, text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let words = str::from_utf8(text).ok();
    match shape {
        Shape::Text | Shape::Json => out.extend_from_slice(text),
        Shape::Jsonb => {
            out.push(1);
            out.extend_from_slice(text);
        }
        Shape::Integer(2) => out.extend_from_slice(&words?.parse::<i16>().ok()?.to_be_bytes()),
        Shape::Integer(4) => out.extend_from_slice(&words?.parse::<i32>().ok()?.to_be_bytes()),
        Shape::Integer(_) => out.extend_from_slice(&words?.parse::<i64>().ok()?.to_be_bytes()),
        Shape::Float(4) => out.extend_from_slice(&words?.parse::<f32>().ok()?.to_be_bytes()),
        Shape::Float(_) => out.extend_from_slice(&words?.parse::<f64>().ok()?.to_be_bytes()),
        Shape::Bool => out.push(match text {
            b"t" | b"true" | b"1" => 1,
            b"f" | b"false" | b"0" => 0,
            _ => return None,
        }),
        Shape::Numeric => numeric::put_binary(words?, out)?,
        Shape::Date => datetime::put_binary_date(words?, out)?,
        Shape::Timestamp => datetime::put_binary_timestamp(words?, out)?,
        Shape::Uuid => put_uuid(text, out)?,
        Shape::Bytes => put_hex(text.strip_prefix(b"\\x")?, out)?,
        Shape::Time
        | Shape::TimeTz
        | Shape::Interval
        | Shape::Network
        | Shape::Array(_)
        | Shape::Record
        | Shape::Opaque => return None,
    }
    Some(())
}

fn put_uuid(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let digits: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'-').collect();
    (digits.len() == 32).then_some(())?;
    put_hex(&digits, out)
}

fn put_hex(digits: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    for [high, low] in pairs {
        out.push(nibble(*high)? << 4 | nibble(*low)?);
    }
    Some(())
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{TextForm, oid, text_of};
    use super::*;
    use crate::postgres::Format;
    use proptest::prelude::*;

    fn back(type_oid: u32, text: &str) -> Option<String> {
        let mut bytes = Vec::new();
        if !binary_of(type_oid, text.as_bytes(), &mut bytes) {
            assert!(bytes.is_empty(), "nothing is left behind");
            return None;
        }
        let mut decoded = Vec::new();
        let text = match text_of(type_oid, Format::Binary, &bytes, &mut decoded) {
            TextForm::AsIs => bytes,
            TextForm::Tail(skip) => bytes.split_off(skip),
            TextForm::Decoded => decoded,
            TextForm::None => return Some("none".into()),
        };
        Some(String::from_utf8(text).unwrap())
    }

    #[test]
    fn a_text_survives_the_way_to_binary_and_back() {
        for (type_oid, text) in [
            (oid::INT2, "-7"),
            (oid::INT4, "1111"),
            (oid::INT8, "9223372036854775807"),
            (oid::FLOAT8, "12.5"),
            (oid::NUMERIC, "0"),
            (oid::NUMERIC, "-1234567.089"),
            (oid::NUMERIC, "10000"),
            (oid::NUMERIC, "0.0001"),
            (oid::BOOL, "f"),
            (oid::DATE, "2024-01-01"),
            (oid::DATE, "0001-01-01"),
            (oid::TIMESTAMP, "2024-01-01 00:00:00"),
            (oid::UUID, "a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a0a0"),
            (oid::BYTEA, "\\xdead"),
            (oid::JSONB, "{}"),
            (oid::TEXT, "***"),
        ] {
            assert_eq!(back(type_oid, text).as_deref(), Some(text), "type {type_oid}");
        }
    }

    #[test]
    fn what_is_not_of_the_type_is_not_put() {
        for (type_oid, text) in [
            (oid::INT2, "99999"),
            (oid::INT4, "***"),
            (oid::BOOL, "maybe"),
            (oid::NUMERIC, "1e5"),
            (oid::NUMERIC, ""),
            (oid::DATE, "today"),
            (oid::DATE, "2024-13-01"),
            (oid::UUID, "a0"),
            (oid::BYTEA, "dead"),
            (oid::BYTEA, "\\xdea"),
            (oid::INET, "10.0.0.1"),
            (99_999, "x"),
        ] {
            assert_eq!(back(type_oid, text), None, "type {type_oid}, {text}");
        }
    }

    proptest! {
        #[test]
        fn any_decimal_number_comes_back(whole in "0|[1-9][0-9]{0,20}", part in "([0-9]{1,12})?") {
            let text = if part.is_empty() { whole } else { format!("{whole}.{part}") };
            prop_assert_eq!(back(oid::NUMERIC, &text), Some(text));
        }

        #[test]
        fn any_day_comes_back(year in 1i64..9999, month in 1u8..=12, day in 1u8..=28) {
            let text = format!("{year:04}-{month:02}-{day:02}");
            prop_assert_eq!(back(oid::DATE, &text), Some(text));
        }

        #[test]
        fn no_text_panics(text in ".{0,24}", type_oid in 0u32..4000) {
            let _ = back(type_oid, &text);
        }
    }
}
