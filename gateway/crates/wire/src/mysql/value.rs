//! Values of prepared statements: their binary form, and the text that stands for them.
//!
//! Owns the step from one to the other and back, type by type. Must not know a row, nor what is
//! masked. Texts are those that the server itself gives in the text protocol, as far as a type has
//! only one.

use std::io::Write as _;

use super::column::{Column, flag, kind};
use super::{Reader, Violation, put_lenenc, put_u16, put_u32};

/// How values of a type stand in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// So many bytes.
    Fixed(usize),
    /// A byte of length, and so many bytes.
    Short,
    /// A length of 1 to 9 bytes, and so many bytes.
    Long,
    /// Nothing: such a value is always NULL.
    Nothing,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    /// Its number (see [`kind`]).
    pub kind: u8,
    /// Whether it has no sign.
    pub unsigned: bool,
}

impl Type {
    /// The type of a column.
    #[must_use]
    pub const fn of(column: &Column<'_>) -> Self {
        Self { kind: column.kind, unsigned: column.flags & flag::UNSIGNED != 0 }
    }

    /// How its values stand in a row; `None` for a number that no type has.
    #[inline]
    #[must_use]
    pub const fn form(self) -> Option<Form> {
        Some(match self.kind {
            kind::TINY => Form::Fixed(1),
            kind::SHORT | kind::YEAR => Form::Fixed(2),
            kind::LONG | kind::INT24 | kind::FLOAT => Form::Fixed(4),
            kind::LONGLONG | kind::DOUBLE => Form::Fixed(8),
            kind::DATE | kind::DATETIME | kind::TIMESTAMP | kind::TIME => Form::Short,
            kind::DECIMAL | kind::VARCHAR | kind::BIT | kind::JSON..=kind::GEOMETRY => Form::Long,
            kind::NULL => Form::Nothing,
            _ => return None,
        })
    }

    /// Takes one value off a reader: its bytes without their length.
    ///
    /// # Errors
    /// Where the value is truncated, or the type is not known.
    #[inline]
    pub fn take<'a>(self, reader: &mut Reader<'a>) -> Result<&'a [u8], Violation> {
        match self.form() {
            Some(Form::Fixed(count)) => reader.bytes(count, "value"),
            Some(Form::Short) => {
                let count = reader.u8("value")?;
                reader.bytes(usize::from(count), "value")
            }
            Some(Form::Long) => reader.lenenc("value"),
            Some(Form::Nothing) => Ok(b""),
            None => Err(Violation::Value { field: "type" }),
        }
    }

    /// Appends a value with its length. False where it cannot stand there, and nothing is appended.
    #[must_use]
    pub fn put(self, out: &mut Vec<u8>, value: &[u8]) -> bool {
        match self.form() {
            Some(Form::Fixed(count)) if count == value.len() => out.extend_from_slice(value),
            Some(Form::Short) => {
                let Ok(length) = u8::try_from(value.len()) else { return false };
                out.push(length);
                out.extend_from_slice(value);
            }
            Some(Form::Long) => put_lenenc(out, value),
            _ => return false,
        }
        true
    }

    /// The text of a value. `None` where its bytes are the text, or have none.
    #[must_use]
    pub fn text(self, value: &[u8], out: &mut Vec<u8>) -> Option<()> {
        out.clear();
        if !matches!(self.form(), Some(Form::Fixed(_) | Form::Short)) {
            return None;
        }
        let written = match (self.kind, self.unsigned) {
            (kind::FLOAT, _) => write!(out, "{}", f32::from_le_bytes(value.try_into().ok()?)),
            (kind::DOUBLE, _) => write!(out, "{}", f64::from_le_bytes(value.try_into().ok()?)),
            (kind::DATE, _) => return date(value, out),
            (kind::DATETIME | kind::TIMESTAMP, _) => {
                date(value, out)?;
                out.push(b' ');
                return clock(value.get(4..).unwrap_or_default(), 0, out);
            }
            (kind::TIME, _) => return time(value, out),
            (kind::YEAR, _) => write!(out, "{:04}", unsigned(value)?),
            (_, true) => write!(out, "{}", unsigned(value)?),
            (_, false) => write!(out, "{}", signed(value)?),
        };
        written.ok()
    }

    /// Writes the value that a text stands for. False where it stands for none of this type; then
    /// `out` may hold a part of it.
    #[must_use]
    pub fn binary(self, text: &[u8], out: &mut Vec<u8>) -> bool {
        self.parse(text, out).is_some()
    }

    fn parse(self, text: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let text = str::from_utf8(text).ok()?;
        let Some(Form::Fixed(count)) = self.form() else {
            return match self.kind {
                kind::DATE => parse_date(text, out),
                kind::DATETIME | kind::TIMESTAMP => {
                    let (day, clock) = text.split_once(' ').unwrap_or((text, "00:00:00"));
                    parse_date(day, out)?;
                    parse_clock(clock, out)
                }
                _ => None,
            };
        };
        match self.kind {
            kind::FLOAT => out.extend_from_slice(&text.parse::<f32>().ok()?.to_le_bytes()),
            kind::DOUBLE => out.extend_from_slice(&text.parse::<f64>().ok()?.to_le_bytes()),
            _ => {
                let number: i128 = text.parse().ok()?;
                let bits = u32::try_from(count).ok()? * 8;
                let unsigned = self.unsigned || self.kind == kind::YEAR;
                let (low, high) = if unsigned {
                    (0, (1_i128 << bits) - 1)
                } else {
                    (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1)
                };
                if number < low || number > high {
                    return None;
                }
                out.extend_from_slice(number.to_le_bytes().get(..count)?);
            }
        }
        Some(())
    }
}

fn unsigned(value: &[u8]) -> Option<u64> {
    Some(match value.len() {
        1 => u64::from(*value.first()?),
        2 => u64::from(u16::from_le_bytes(value.try_into().ok()?)),
        4 => u64::from(u32::from_le_bytes(value.try_into().ok()?)),
        8 => u64::from_le_bytes(value.try_into().ok()?),
        _ => return None,
    })
}

fn signed(value: &[u8]) -> Option<i64> {
    Some(match value.len() {
        1 => i64::from(i8::from_le_bytes(value.try_into().ok()?)),
        2 => i64::from(i16::from_le_bytes(value.try_into().ok()?)),
        4 => i64::from(i32::from_le_bytes(value.try_into().ok()?)),
        8 => i64::from_le_bytes(value.try_into().ok()?),
        _ => return None,
    })
}

/// Year, month and day; nothing at all is the day zero.
fn date(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let [a, b, month, day] = match value {
        [] => [0; 4],
        _ => *value.first_chunk::<4>()?,
    };
    write!(out, "{:04}-{month:02}-{day:02}", u16::from_le_bytes([a, b])).ok()
}

/// Hour, minute and second, and microseconds where they are there; nothing at all is midnight.
fn clock(value: &[u8], days: u32, out: &mut Vec<u8>) -> Option<()> {
    let [hour, minute, second] = match value {
        [] => [0; 3],
        _ => *value.first_chunk::<3>()?,
    };
    let hours = u64::from(days) * 24 + u64::from(hour);
    write!(out, "{hours:02}:{minute:02}:{second:02}").ok()?;
    match value.get(3..) {
        Some(micros) if !micros.is_empty() => {
            write!(out, ".{:06}", u32::from_le_bytes(micros.try_into().ok()?)).ok()
        }
        _ => Some(()),
    }
}

/// A sign, days, and what [`clock`] reads.
fn time(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if value.is_empty() {
        return clock(b"", 0, out);
    }
    let ([negative, days @ ..], rest) = value.split_first_chunk::<5>()?;
    if *negative != 0 {
        out.push(b'-');
    }
    clock(rest, u32::from_le_bytes(*days), out)
}

fn parse_date(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let mut parts = text.split('-');
    let year: u16 = parts.next()?.parse().ok()?;
    let (month, day): (u8, u8) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    if parts.next().is_some() {
        return None;
    }
    put_u16(out, year);
    out.extend_from_slice(&[month, day]);
    Some(())
}

fn parse_clock(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.split(':');
    for _ in 0..3 {
        out.push(parts.next()?.parse().ok()?);
    }
    if parts.next().is_some() || fraction.len() > 6 {
        return None;
    }
    if !fraction.is_empty() {
        put_u32(out, format!("{fraction:0<6}").parse().ok()?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(kind: u8, unsigned: bool, value: &[u8]) -> Option<String> {
        let mut out = Vec::new();
        Type { kind, unsigned }.text(value, &mut out)?;
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn values_read_as_the_server_writes_them() {
        for (kind, unsigned, value, want) in [
            (kind::TINY, false, &[0xff][..], "-1"),
            (kind::TINY, true, &[0xff], "255"),
            (kind::SHORT, false, &[0, 0x80], "-32768"),
            (kind::YEAR, true, &[0xe8, 7], "2024"),
            (kind::LONGLONG, true, &[0xff; 8], "18446744073709551615"),
            (kind::DOUBLE, false, &1.25_f64.to_le_bytes(), "1.25"),
            (kind::DATE, false, &[0xe8, 7, 2, 29], "2024-02-29"),
            (kind::DATE, false, &[], "0000-00-00"),
            (kind::DATETIME, false, &[0xe8, 7, 2, 29], "2024-02-29 00:00:00"),
            (kind::DATETIME, false, &[0xe8, 7, 2, 29, 1, 2, 3], "2024-02-29 01:02:03"),
            (
                kind::TIMESTAMP,
                false,
                &[0xe8, 7, 2, 29, 1, 2, 3, 5, 0, 0, 0],
                "2024-02-29 01:02:03.000005",
            ),
            (kind::TIME, false, &[1, 2, 0, 0, 0, 3, 4, 5], "-51:04:05"),
            (kind::TIME, false, &[], "00:00:00"),
        ] {
            assert_eq!(text(kind, unsigned, value).as_deref(), Some(want));
        }
        assert_eq!(text(kind::VAR_STRING, false, b"amy"), None);
        assert_eq!(text(kind::VAR_STRING, false, b"7"), None, "as long as a number");
        assert_eq!(text(kind::DATE, false, &[1]), None);
    }

    #[test]
    fn a_text_that_does_not_fit_its_type_stands_for_no_value() {
        for (kind, unsigned, text) in [
            (kind::TINY, false, "128"),
            (kind::TINY, true, "-1"),
            (kind::LONG, false, "***"),
            (kind::DATE, false, "2024-02"),
            (kind::DATETIME, false, "2024-02-29 1:2"),
            (kind::VAR_STRING, false, "amy"),
            (kind::TIME, false, "01:02:03"),
        ] {
            assert!(!Type { kind, unsigned }.binary(text.as_bytes(), &mut Vec::new()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn numbers_and_dates_go_to_text_and_back(
            kind in prop::sample::select(vec![
                kind::TINY, kind::SHORT, kind::LONG, kind::INT24, kind::LONGLONG, kind::DATETIME,
            ]),
            unsigned in any::<bool>(),
            bytes in any::<[u8; 8]>(),
            clock in (0u8..24, 0u8..60, 0u8..60, 1u32..1_000_000),
        ) {
            let this = Type { kind, unsigned };
            let value = match this.form() {
                Some(Form::Fixed(count)) => bytes[..count].to_vec(),
                _ => {
                    let mut value = vec![0xe8, 7, bytes[0] % 12 + 1, bytes[1] % 28 + 1];
                    value.extend([clock.0, clock.1, clock.2]);
                    value.extend(clock.3.to_le_bytes());
                    value
                }
            };
            let (mut text, mut back) = (Vec::new(), Vec::new());
            prop_assert!(this.text(&value, &mut text).is_some());
            prop_assert!(this.binary(&text, &mut back));
            prop_assert_eq!(back, value);
        }

        #[test]
        fn no_bytes_panic(kind in any::<u8>(), value in prop::collection::vec(any::<u8>(), 0..20)) {
            let this = Type { kind, unsigned: false };
            let _ = this.text(&value, &mut Vec::new());
            let _ = this.binary(&value, &mut Vec::new());
            let _ = this.take(&mut Reader::new(&value));
        }
    }
}
