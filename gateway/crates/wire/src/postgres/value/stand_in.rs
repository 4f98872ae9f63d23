//! What may stand in the place of a value so that the client still decodes it.
//!
//! Owns one constant a type and format. Must not know why a value is replaced. Constants only.

use super::Shape;
use crate::postgres::Format;

/// 1970-01-01, 10,957 days before 2000-01-01.
const DATE_1970: [u8; 4] = (-10_957_i32).to_be_bytes();
/// 1970-01-01, in microseconds before 2000-01-01.
const TIMESTAMP_1970: [u8; 8] = (-946_684_800_000_000_i64).to_be_bytes();

/// What stands in for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandIn {
    /// These bytes.
    Bytes(&'static [u8]),
    /// An empty array of this element type, in binary.
    EmptyArray(u32),
    /// Nothing but NULL is safe.
    Null,
}

impl StandIn {
    /// Appends the bytes; false where it is NULL.
    pub fn put(self, out: &mut Vec<u8>) -> bool {
        match self {
            Self::Bytes(bytes) => out.extend_from_slice(bytes),
            Self::EmptyArray(element) => {
                // Dimensions, flags, element type.
                out.extend_from_slice(&[0; 8]);
                out.extend_from_slice(&element.to_be_bytes());
            }
            Self::Null => return false,
        }
        true
    }
}

/// The stand-in for a value of a type in a format: a fixed value of that type, or NULL where
/// there is none that every client decodes.
#[must_use]
pub const fn stand_in(type_oid: u32, format: Format) -> StandIn {
    match format {
        Format::Text => text(Shape::of(type_oid)),
        Format::Binary => binary(Shape::of(type_oid)),
    }
}

const fn text(shape: Shape) -> StandIn {
    StandIn::Bytes(match shape {
        Shape::Text => b"***",
        Shape::Json | Shape::Jsonb | Shape::Array(_) => b"{}",
        Shape::Integer(_) | Shape::Numeric | Shape::Float(_) => b"0",
        Shape::Bool => b"f",
        Shape::Date => b"1970-01-01",
        Shape::Timestamp => b"1970-01-01 00:00:00",
        Shape::Time => b"00:00:00",
        Shape::TimeTz => b"00:00:00+00",
        Shape::Interval => b"00:00:00",
        Shape::Uuid => b"00000000-0000-0000-0000-000000000000",
        Shape::Bytes => b"\\x",
        Shape::Network => b"0.0.0.0",
        Shape::Record | Shape::Opaque => return StandIn::Null,
    })
}

const fn binary(shape: Shape) -> StandIn {
    StandIn::Bytes(match shape {
        Shape::Text => b"***",
        Shape::Json => b"{}",
        Shape::Jsonb => b"\x01{}",
        Shape::Integer(2) => &[0; 2],
        Shape::Integer(4) | Shape::Float(4) => &[0; 4],
        Shape::Integer(8) | Shape::Float(8) | Shape::Numeric | Shape::Time => &[0; 8],
        Shape::Bool => &[0],
        Shape::Date => &DATE_1970,
        Shape::Timestamp => &TIMESTAMP_1970,
        Shape::TimeTz => &[0; 12],
        Shape::Interval | Shape::Uuid => &[0; 16],
        Shape::Bytes => b"",
        // Family IPv4, 32 bits, not a cidr, 4 bytes: 0.0.0.0.
        Shape::Network => &[2, 32, 0, 4, 0, 0, 0, 0],
        Shape::Array(element) => return StandIn::EmptyArray(element),
        Shape::Integer(_) | Shape::Float(_) | Shape::Record | Shape::Opaque => {
            return StandIn::Null;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::oid;
    use super::*;
    use crate::postgres::value::{TextForm, text_of};

    #[test]
    fn a_binary_stand_in_decodes_to_the_text_one() {
        for type_oid in [
            oid::TEXT,
            oid::JSON,
            oid::JSONB,
            oid::INT2,
            oid::INT4,
            oid::INT8,
            oid::NUMERIC,
            oid::BOOL,
            oid::DATE,
            oid::TIMESTAMP,
            oid::TIME,
            oid::UUID,
            oid::BYTEA,
            oid::FLOAT8,
        ] {
            let mut bytes = Vec::new();
            assert!(stand_in(type_oid, Format::Binary).put(&mut bytes));
            let mut decoded = Vec::new();
            let text = match text_of(type_oid, Format::Binary, &bytes, &mut decoded) {
                TextForm::AsIs => bytes.as_slice(),
                TextForm::Tail(skip) => &bytes[skip..],
                TextForm::Decoded => decoded.as_slice(),
                TextForm::None => panic!("type {type_oid} has no text form"),
            };
            let mut want = Vec::new();
            assert!(stand_in(type_oid, Format::Text).put(&mut want));
            assert_eq!(text, want, "type {type_oid}");
        }
    }

    #[test]
    fn what_we_do_not_know_becomes_null() {
        assert_eq!(stand_in(600, Format::Text), StandIn::Null);
        assert_eq!(stand_in(99_999, Format::Binary), StandIn::Null);
        assert_eq!(stand_in(oid::RECORD, Format::Binary), StandIn::Null);
    }

    #[test]
    fn an_array_becomes_an_empty_one() {
        let mut bytes = Vec::new();
        assert!(stand_in(1009, Format::Binary).put(&mut bytes));
        assert_eq!(bytes, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25]);
    }
}
