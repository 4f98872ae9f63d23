//! The text of a value, for detectors and recordings.
//!
//! Owns the dispatch by type. Must not know what is looked for. Writes to a buffer of the
//! caller's only where the value is not text already.

use std::io::Write as _;

use super::{Shape, datetime, numeric};
use crate::postgres::{Format, Reader};

/// Where the text of a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextForm {
    /// The value's bytes are its text.
    AsIs,
    /// The value's bytes from this one on are its text (`jsonb` begins with a version).
    Tail(usize),
    /// It was decoded to the buffer.
    Decoded,
    /// There is none, or the bytes are not of the type.
    None,
}

/// The text of a value that is not NULL. `decoded` is emptied first.
pub fn text_of(type_oid: u32, format: Format, bytes: &[u8], decoded: &mut Vec<u8>) -> TextForm {
    decoded.clear();
    if format == Format::Text {
        return TextForm::AsIs;
    }
    match Shape::of(type_oid) {
        Shape::Text | Shape::Json => TextForm::AsIs,
        Shape::Jsonb if bytes.first() == Some(&1) => TextForm::Tail(1),
        shape => {
            if decode(shape, bytes, decoded).is_some() {
                TextForm::Decoded
            } else {
                decoded.clear();
                TextForm::None
            }
        }
    }
}

fn decode(shape: Shape, bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    match shape {
        Shape::Integer(_) => write!(out, "{}", integer(bytes)?).ok(),
        Shape::Float(4) => write!(out, "{}", f32::from_be_bytes(bytes.try_into().ok()?)).ok(),
        Shape::Float(_) => write!(out, "{}", f64::from_be_bytes(bytes.try_into().ok()?)).ok(),
        Shape::Bool => match bytes {
            [0] => out.write_all(b"f").ok(),
            [_] => out.write_all(b"t").ok(),
            _ => None,
        },
        Shape::Numeric => numeric::put_text(bytes, out),
        Shape::Date => datetime::put_date(bytes, out),
        Shape::Timestamp => datetime::put_timestamp(bytes, out),
        Shape::Time => datetime::put_time(bytes, out),
        Shape::Uuid => put_uuid(bytes, out),
        Shape::Bytes => {
            out.extend_from_slice(b"\\x");
            put_hex(bytes, out);
            Some(())
        }
        Shape::Network => put_network(bytes, out),
        Shape::TimeTz
        | Shape::Interval
        | Shape::Array(_)
        | Shape::Record
        | Shape::Opaque
        | Shape::Text
        | Shape::Json
        | Shape::Jsonb => None,
    }
}

fn integer(bytes: &[u8]) -> Option<i64> {
    let mut reader = Reader::new(bytes);
    match bytes.len() {
        2 => reader.i16("integer").ok().map(i64::from),
        4 => reader.i32("integer").ok().map(i64::from),
        8 => reader.i64("integer").ok(),
        _ => None,
    }
}

fn put_hex(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 });
        }
    }
}

fn put_uuid(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if bytes.len() != 16 {
        return None;
    }
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        put_hex(&[*byte], out);
    }
    Some(())
}

fn put_network(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let ([_family, bits, _cidr, length], address) = bytes.split_first_chunk::<4>()?;
    let full = match (usize::from(*length), address.len()) {
        (4, 4) => {
            let four: [u8; 4] = address.try_into().ok()?;
            write!(out, "{}", std::net::Ipv4Addr::from(four)).ok()?;
            32
        }
        (16, 16) => {
            let sixteen: [u8; 16] = address.try_into().ok()?;
            write!(out, "{}", std::net::Ipv6Addr::from(sixteen)).ok()?;
            128
        }
        _ => return None,
    };
    if *bits == full { Some(()) } else { write!(out, "/{bits}").ok() }
}

#[cfg(test)]
mod tests {
    use super::super::oid;
    use super::*;
    use proptest::prelude::*;

    fn decoded(type_oid: u32, bytes: &[u8]) -> String {
        let mut out = Vec::new();
        assert_eq!(text_of(type_oid, Format::Binary, bytes, &mut out), TextForm::Decoded);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn binary_values_read_as_the_server_prints_them() {
        assert_eq!(decoded(oid::INT4, &(-7i32).to_be_bytes()), "-7");
        assert_eq!(decoded(oid::INT8, &4_111_111_111_111_111i64.to_be_bytes()), "4111111111111111");
        assert_eq!(decoded(oid::BOOL, &[1]), "t");
        assert_eq!(decoded(oid::FLOAT8, &12.5f64.to_be_bytes()), "12.5");
        assert_eq!(decoded(oid::BYTEA, &[0xde, 0x01]), "\\xde01");
        assert_eq!(decoded(oid::UUID, &[0xa0; 16]), "a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a0a0");
        assert_eq!(decoded(oid::INET, &[2, 24, 0, 4, 10, 0, 5, 1]), "10.0.5.1/24");
        assert_eq!(decoded(oid::INET, &[2, 32, 0, 4, 10, 0, 5, 1]), "10.0.5.1");
    }

    #[test]
    fn text_is_not_copied() {
        let mut out = Vec::new();
        assert_eq!(text_of(oid::TEXT, Format::Binary, b"x", &mut out), TextForm::AsIs);
        assert_eq!(text_of(99_999, Format::Text, b"x", &mut out), TextForm::AsIs);
        assert_eq!(text_of(oid::JSONB, Format::Binary, b"\x01{}", &mut out), TextForm::Tail(1));
        assert_eq!(text_of(oid::JSONB, Format::Binary, b"\x02{}", &mut out), TextForm::None);
        assert_eq!(text_of(oid::INT4, Format::Binary, b"\x02{}", &mut out), TextForm::None);
        assert_eq!(text_of(99_999, Format::Binary, b"x", &mut out), TextForm::None);
    }

    proptest! {
        #[test]
        fn no_value_panics(bytes in prop::collection::vec(any::<u8>(), 0..40), type_oid in 0u32..4000) {
            let _ = text_of(type_oid, Format::Binary, &bytes, &mut Vec::new());
        }
    }
}
