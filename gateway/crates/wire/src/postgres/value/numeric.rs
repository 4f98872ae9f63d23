//! `numeric` in binary: groups of four decimal digits.
//!
//! Owns decoding to text. Must not know other types.

use std::io::Write as _;

use crate::postgres::Reader;

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xc000;
const PLUS_INFINITY: u16 = 0xd000;
const MINUS_INFINITY: u16 = 0xf000;

/// Appends the text of a `numeric`; `None` where the bytes are not one.
pub(super) fn put_text(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut reader = Reader::new(bytes);
    let count = usize::try_from(reader.i16("digits").ok()?).ok()?;
    let weight = reader.i16("weight").ok()?;
    let sign = reader.i16("sign").ok()?.cast_unsigned();
    let scale = usize::try_from(reader.i16("scale").ok()?).ok()?;
    let digits = reader.bytes(count * 2, "digits").ok()?;
    reader.finish().ok()?;
    match sign {
        0 => {}
        NEGATIVE => out.push(b'-'),
        NAN => return out.write_all(b"NaN").ok(),
        PLUS_INFINITY => return out.write_all(b"Infinity").ok(),
        MINUS_INFINITY => return out.write_all(b"-Infinity").ok(),
        _ => return None,
    }
    let group = |position: i32| -> u16 {
        usize::try_from(position)
            .ok()
            .and_then(|at| digits.as_chunks::<2>().0.get(at))
            .map_or(0, |two| u16::from_be_bytes(*two))
    };
    let weight = i32::from(weight);
    // Weight is at most 32,767: 131,072 digits before the point, 16,384 after it.
    if weight < 0 {
        out.push(b'0');
    }
    for position in 0..=weight {
        if position == 0 {
            write!(out, "{}", group(position)).ok()?;
        } else {
            write!(out, "{:04}", group(position)).ok()?;
        }
    }
    if scale > 0 {
        out.push(b'.');
        let end = out.len() + scale;
        // Groups between the point and the first stored digit have a position below zero: zeros.
        let mut position = weight + 1;
        while out.len() < end {
            write!(out, "{:04}", group(position)).ok()?;
            position += 1;
        }
        out.truncate(end);
    }
    Some(())
}

/// Appends the binary form of a decimal number without exponent; `None` where it is not one, or
/// longer than any masked value is.
pub(super) fn put_binary(text: &str, out: &mut Vec<u8>) -> Option<()> {
    const DIGITS_MAX: usize = 1_000;
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    let sound = !whole.is_empty()
        && text.len() <= DIGITS_MAX
        && all_digits(whole)
        && all_digits(part)
        && (text.len() == whole.len() || !part.is_empty());
    sound.then_some(())?;
    // Groups of four are counted from the point: pad to the left of it and to the right.
    let left = whole.len().div_ceil(4) * 4;
    let right = part.len().div_ceil(4) * 4;
    let padded = format!("{whole:0>left$}{part:0<right$}");
    let groups: Vec<i16> = padded
        .as_bytes()
        .as_chunks::<4>()
        .0
        .iter()
        .map(|four| four.iter().fold(0, |sum, digit| sum * 10 + i16::from(digit - b'0')))
        .collect();
    let leading = groups.iter().take_while(|group| **group == 0).count();
    let stored = groups.get(leading..).unwrap_or_default();
    let trailing = stored.iter().rev().take_while(|group| **group == 0).count();
    let stored = stored.get(..stored.len() - trailing).unwrap_or_default();
    let weight = i16::try_from(left / 4).ok()? - 1 - i16::try_from(leading).ok()?;
    let weight = if stored.is_empty() { 0 } else { weight };
    let sign = if negative && !stored.is_empty() { NEGATIVE.cast_signed() } else { 0 };
    let heads = [i16::try_from(stored.len()).ok()?, weight, sign, i16::try_from(part.len()).ok()?];
    for value in heads.iter().chain(stored) {
        out.extend_from_slice(&value.to_be_bytes());
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(groups: &[i16], weight: i16, sign: u16, scale: i16) -> Option<String> {
        let mut bytes = Vec::new();
        for value in [i16::try_from(groups.len()).unwrap(), weight, sign.cast_signed(), scale] {
            bytes.extend_from_slice(&value.to_be_bytes());
        }
        groups.iter().for_each(|group| bytes.extend_from_slice(&group.to_be_bytes()));
        let mut out = Vec::new();
        put_text(&bytes, &mut out)?;
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn numbers_read_as_the_server_prints_them() {
        assert_eq!(text(&[12, 5000], 0, 0, 1).as_deref(), Some("12.5"));
        assert_eq!(text(&[], 0, 0, 0).as_deref(), Some("0"));
        assert_eq!(text(&[], 0, 0, 2).as_deref(), Some("0.00"));
        assert_eq!(text(&[1], 2, 0, 0).as_deref(), Some("100000000"));
        assert_eq!(text(&[1, 2345, 6789], 2, NEGATIVE, 0).as_deref(), Some("-123456789"));
        assert_eq!(text(&[500], -1, 0, 3).as_deref(), Some("0.050"));
        assert_eq!(text(&[12], -2, 0, 8).as_deref(), Some("0.00000012"));
        assert_eq!(text(&[4111, 1111, 1111, 1111], 3, 0, 0).as_deref(), Some("4111111111111111"));
        assert_eq!(text(&[], 0, NAN, 0).as_deref(), Some("NaN"));
        assert_eq!(text(&[], 0, PLUS_INFINITY, 0).as_deref(), Some("Infinity"));
        assert_eq!(text(&[], 0, 0x1234, 0), None);
        assert_eq!(text(&[7], 0, 0, -1), None);
    }
}
