//! A cursor over one message: every read is checked, every field named.
//!
//! Owns reading of the protocol's primitive types. Must not know a message. Borrows the payload.

use super::Violation;

/// What is left of a message.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Over a whole message.
    #[must_use]
    pub const fn new(payload: &'a [u8]) -> Self {
        Self { rest: payload }
    }

    /// The bytes not yet read.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything has been read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// Where fewer are left.
    #[inline]
    pub fn bytes(&mut self, count: usize, field: &'static str) -> Result<&'a [u8], Violation> {
        let (taken, rest) =
            self.rest.split_at_checked(count).ok_or(Violation::Truncated { field })?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Violation> {
        let (taken, rest) =
            self.rest.split_first_chunk::<N>().ok_or(Violation::Truncated { field })?;
        self.rest = rest;
        Ok(*taken)
    }

    /// One byte.
    ///
    /// # Errors
    /// Where none is left.
    #[inline]
    pub fn u8(&mut self, field: &'static str) -> Result<u8, Violation> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    /// Two bytes.
    ///
    /// # Errors
    /// Where fewer are left.
    #[inline]
    pub fn u16(&mut self, field: &'static str) -> Result<u16, Violation> {
        self.array(field).map(u16::from_le_bytes)
    }

    /// Four bytes.
    ///
    /// # Errors
    /// Where fewer are left.
    #[inline]
    pub fn u32(&mut self, field: &'static str) -> Result<u32, Violation> {
        self.array(field).map(u32::from_le_bytes)
    }

    /// An integer of 1 to 9 bytes. `None` is the mark of NULL.
    ///
    /// # Errors
    /// Where it is truncated, or begins with a byte that no integer begins with.
    #[inline]
    pub fn lenenc_or_null(&mut self, field: &'static str) -> Result<Option<u64>, Violation> {
        Ok(Some(match self.u8(field)? {
            small @ 0..=250 => u64::from(small),
            0xfb => return Ok(None),
            0xfc => u64::from(self.u16(field)?),
            0xfd => {
                let [a, b, c] = self.array(field)?;
                u64::from(u32::from_le_bytes([a, b, c, 0]))
            }
            0xfe => u64::from_le_bytes(self.array(field)?),
            0xff => return Err(Violation::Value { field }),
        }))
    }

    /// An integer of 1 to 9 bytes.
    ///
    /// # Errors
    /// Where it is truncated, or NULL, or begins with a byte that no integer begins with.
    #[inline]
    pub fn lenenc_int(&mut self, field: &'static str) -> Result<u64, Violation> {
        self.lenenc_or_null(field)?.ok_or(Violation::Value { field })
    }

    /// A text with its length before it; `None` is NULL.
    ///
    /// # Errors
    /// Where it is truncated.
    #[inline]
    pub fn value(&mut self, field: &'static str) -> Result<Option<&'a [u8]>, Violation> {
        let Some(length) = self.lenenc_or_null(field)? else { return Ok(None) };
        let length = usize::try_from(length).map_err(|_| Violation::Truncated { field })?;
        self.bytes(length, field).map(Some)
    }

    /// A text with its length before it.
    ///
    /// # Errors
    /// Where it is truncated or NULL.
    #[inline]
    pub fn lenenc(&mut self, field: &'static str) -> Result<&'a [u8], Violation> {
        self.value(field)?.ok_or(Violation::Value { field })
    }

    /// A text up to its NUL, which is taken too.
    ///
    /// # Errors
    /// Where there is no NUL.
    pub fn nul(&mut self, field: &'static str) -> Result<&'a [u8], Violation> {
        let at = memchr::memchr(0, self.rest).ok_or(Violation::Truncated { field })?;
        let text = self.bytes(at, field)?;
        self.u8(field)?;
        Ok(text)
    }

    /// Says that everything has been read.
    ///
    /// # Errors
    /// Where something is left.
    #[inline]
    pub const fn finish(self) -> Result<(), Violation> {
        match self.rest.len() {
            0 => Ok(()),
            excess => Err(Violation::Trailing { excess }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mysql::{put_lenenc, put_lenenc_int};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn integers_and_texts_are_read_back_and_every_cut_is_refused(
            number in prop_oneof![any::<u64>(), 0u64..70_000, 16_777_000u64..16_778_000],
            text in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut out = Vec::new();
            put_lenenc_int(&mut out, number);
            let integer = out.len();
            put_lenenc(&mut out, &text);
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.lenenc_int("number"), Ok(number));
            prop_assert_eq!(reader.lenenc("text"), Ok(&text[..]));
            prop_assert_eq!(reader.finish(), Ok(()));
            for cut in 0..out.len() {
                let mut reader = Reader::new(&out[..cut]);
                let read = reader.lenenc_int("number").and_then(|_| reader.lenenc("text"));
                prop_assert!(read.is_err(), "cut at {} of {}", cut, integer);
            }
        }
    }
}
