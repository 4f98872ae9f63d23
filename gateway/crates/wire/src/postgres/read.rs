//! A cursor over the body of one message: every read is checked, every field named.
//!
//! Owns reading of the protocol's primitive types. Must not know a message. Borrows the body.

use super::Violation;

/// What is left of a body.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Over a whole body.
    #[must_use]
    pub const fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }

    /// The bytes not yet read.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
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

    /// Two bytes, big-endian, signed.
    ///
    /// # Errors
    /// Where fewer are left.
    #[inline]
    pub fn i16(&mut self, field: &'static str) -> Result<i16, Violation> {
        self.array(field).map(i16::from_be_bytes)
    }

    /// Four bytes, big-endian, signed.
    ///
    /// # Errors
    /// Where fewer are left.
    #[inline]
    pub fn i32(&mut self, field: &'static str) -> Result<i32, Violation> {
        self.array(field).map(i32::from_be_bytes)
    }

    /// Four bytes, big-endian, unsigned: an object id.
    ///
    /// # Errors
    /// Where fewer are left.
    #[inline]
    pub fn u32(&mut self, field: &'static str) -> Result<u32, Violation> {
        self.array(field).map(u32::from_be_bytes)
    }

    /// Eight bytes, big-endian, signed.
    ///
    /// # Errors
    /// Where fewer are left.
    #[inline]
    pub fn i64(&mut self, field: &'static str) -> Result<i64, Violation> {
        self.array(field).map(i64::from_be_bytes)
    }

    /// A count of things that follow: two bytes without a sign. The documentation calls them
    /// `Int16`; the server and its clients count parameters up to 65,535 with them.
    ///
    /// # Errors
    /// Where fewer are left.
    #[inline]
    pub fn count(&mut self, field: &'static str) -> Result<usize, Violation> {
        Ok(usize::from(self.i16(field)?.cast_unsigned()))
    }

    /// Bytes up to a NUL, which is read but not returned.
    ///
    /// # Errors
    /// Where there is no NUL.
    #[inline]
    pub fn cstr(&mut self, field: &'static str) -> Result<&'a [u8], Violation> {
        let end = memchr::memchr(0, self.rest).ok_or(Violation::Truncated { field })?;
        let taken = self.bytes(end, field)?;
        self.u8(field)?;
        Ok(taken)
    }

    /// A length of four bytes and that many bytes; `None` where the length is -1 (SQL NULL).
    ///
    /// # Errors
    /// Where fewer are left, or the length is below -1.
    #[inline]
    pub fn value(&mut self, field: &'static str) -> Result<Option<&'a [u8]>, Violation> {
        match self.i32(field)? {
            -1 => Ok(None),
            length => {
                let length = usize::try_from(length).map_err(|_| Violation::Value { field })?;
                self.bytes(length, field).map(Some)
            }
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Where bytes are left.
    #[inline]
    pub const fn finish(self) -> Result<(), Violation> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Violation::Trailing { excess: self.rest.len() })
        }
    }
}
