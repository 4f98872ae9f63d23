//! Numbers, texts and values as bytes.
//!
//! Owns the smallest pieces of the encoding. Must not know a record.

use std::borrow::Cow;
use std::time::Duration;

use super::EncodingError;
use crate::recording::record::Value;

/// Appends pieces to a block.
#[derive(Debug)]
pub(super) struct Sink<'b> {
    block: &'b mut Vec<u8>,
}

impl<'b> Sink<'b> {
    pub(super) fn new(block: &'b mut Vec<u8>) -> Self {
        Self { block }
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.block.push(byte);
    }

    /// LEB128: seven bits a byte, the lowest first.
    pub(super) fn number(&mut self, mut number: u64) {
        // Counts, lengths and operation numbers are small nearly always.
        while number >= 0x80 {
            let [low, ..] = number.to_le_bytes();
            self.block.push(low | 0x80);
            number >>= 7;
        }
        let [low, ..] = number.to_le_bytes();
        self.block.push(low);
    }

    pub(super) fn time(&mut self, at: Duration) {
        self.number(u64::try_from(at.as_micros()).unwrap_or(u64::MAX));
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.block.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn optional_text(&mut self, text: Option<&str>) {
        match text {
            None => self.byte(0),
            Some(text) => {
                self.byte(1);
                self.text(text);
            }
        }
    }

    /// A value, cut to what is left of the budget.
    pub(super) fn value(&mut self, value: Option<&[u8]>, budget: &mut usize) {
        let Some(bytes) = value else { return self.byte(0) };
        let kept = bytes.get(..*budget).unwrap_or(bytes);
        *budget -= kept.len();
        self.kept(kept, bytes.len() as u64);
    }

    /// A value that may have been cut before.
    pub(super) fn own_value(&mut self, value: &Value<'_>, budget: &mut usize) {
        match value {
            Value::Null => self.byte(0),
            Value::Whole(bytes) => self.value(Some(bytes), budget),
            Value::Cut { kept, bytes_total } => {
                let kept = kept.get(..*budget).unwrap_or(kept);
                *budget -= kept.len();
                self.kept(kept, *bytes_total);
            }
        }
    }

    fn kept(&mut self, kept: &[u8], total: u64) {
        let length = kept.len() as u64;
        let cut = u64::from(length < total);
        self.number((length << 1 | cut) + 1);
        if cut == 1 {
            self.number(total);
        }
        self.block.extend_from_slice(kept);
    }
}

/// Takes pieces off the front of a record.
#[derive(Debug)]
pub(super) struct Cursor<'b> {
    rest: &'b [u8],
}

impl<'b> Cursor<'b> {
    pub(super) const fn new(rest: &'b [u8]) -> Self {
        Self { rest }
    }

    pub(super) const fn rest(&self) -> &'b [u8] {
        self.rest
    }

    pub(super) fn byte(&mut self) -> Result<u8, EncodingError> {
        let (first, rest) = self.rest.split_first().ok_or(EncodingError::Short)?;
        self.rest = rest;
        Ok(*first)
    }

    pub(super) fn number(&mut self) -> Result<u64, EncodingError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit only.
            if shift == 63 && bits > 1 {
                return Err(EncodingError::Meaningless);
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(EncodingError::Meaningless)
    }

    /// A count of things that take at least one byte each: never more than bytes are left.
    pub(super) fn count(&mut self) -> Result<usize, EncodingError> {
        let count = usize::try_from(self.number()?).map_err(|_| EncodingError::Meaningless)?;
        if count > self.rest.len() { Err(EncodingError::Short) } else { Ok(count) }
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<&'b [u8], EncodingError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(EncodingError::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], EncodingError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(EncodingError::Short)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(super) fn fixed_u32(&mut self) -> Result<u32, EncodingError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn byte_string(&mut self) -> Result<&'b [u8], EncodingError> {
        let length = self.count()?;
        self.bytes(length)
    }

    pub(super) fn text(&mut self) -> Result<String, EncodingError> {
        let bytes = self.byte_string()?;
        String::from_utf8(bytes.to_vec()).map_err(|_| EncodingError::Meaningless)
    }

    pub(super) fn optional_text(&mut self) -> Result<Option<String>, EncodingError> {
        match self.byte()? {
            0 => Ok(None),
            1 => self.text().map(Some),
            _ => Err(EncodingError::Meaningless),
        }
    }

    pub(super) fn flag(&mut self) -> Result<bool, EncodingError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(EncodingError::Meaningless),
        }
    }

    pub(super) fn value(&mut self) -> Result<Value<'static>, EncodingError> {
        let Some(code) = self.number()?.checked_sub(1) else { return Ok(Value::Null) };
        let bytes_total = if code & 1 == 1 { Some(self.number()?) } else { None };
        let length = usize::try_from(code >> 1).map_err(|_| EncodingError::Meaningless)?;
        let kept = Cow::Owned(self.bytes(length)?.to_vec());
        Ok(match bytes_total {
            None => Value::Whole(kept),
            Some(bytes_total) => Value::Cut { kept, bytes_total },
        })
    }

    pub(super) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, EncodingError>,
    ) -> Result<Vec<T>, EncodingError> {
        let count = self.count()?;
        (0..count).map(|_| item(self)).collect()
    }
}
