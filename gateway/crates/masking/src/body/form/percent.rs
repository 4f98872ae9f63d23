//! How forms write text: `%` and two hexadecimal digits for a byte, `+` for a blank.
//!
//! Owns reading and writing it.

use crate::body::BodyFault;
use crate::body::scratch::{Escape, Escaping};

/// How the names and values of forms are written.
#[derive(Debug)]
pub(super) struct Percent;

impl Escaping for Percent {
    const MARK: u8 = b'%';
    const BLANK: Option<u8> = Some(b'+');

    fn escape(text: &[u8], _: bool) -> Result<Option<Escape>, BodyFault> {
        let mut byte = 0;
        let digits = text.get(1..text.len().min(3)).unwrap_or_default();
        for digit in digits {
            let value = char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
            byte = byte << 4 | value.ok_or(BodyFault::Escape)?;
        }
        let escape = Escape { written: 3, says: [byte, 0, 0, 0], said: 1 };
        Ok((digits.len() == 2).then_some(escape))
    }

    fn write(text: &[u8], out: &mut Vec<u8>) {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        for byte in text {
            match byte {
                b' ' => out.push(b'+'),
                b'*' | b'-' | b'.' | b'_' => out.push(*byte),
                _ if byte.is_ascii_alphanumeric() => out.push(*byte),
                _ => {
                    out.push(b'%');
                    out.extend(HEX.get(usize::from(byte >> 4)));
                    out.extend(HEX.get(usize::from(byte & 15)));
                }
            }
        }
    }
}
