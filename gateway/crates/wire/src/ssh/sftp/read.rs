//! A cursor over the body of one packet: every read is checked, every field named.
//!
//! Owns reading of the protocol's primitive types. Must not know a packet. Borrows the body, whose
//! content may go on in other pieces.

use bytes::BytesMut;

use super::frame::{Content, rest_bytes};
use super::{HANDLE_BYTES_MAX, Violation};

#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    /// What follows that: nothing but content.
    more: &'a [BytesMut],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(body: &'a [u8]) -> Self {
        Self { rest: body, more: &[] }
    }

    pub(super) const fn of_pieces(body: &'a [u8], more: &'a [BytesMut]) -> Self {
        Self { rest: body, more }
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Violation> {
        let (taken, rest) =
            self.rest.split_first_chunk::<N>().ok_or(Violation::Truncated { field })?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self, field: &'static str) -> Result<u8, Violation> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self, field: &'static str) -> Result<u32, Violation> {
        self.array(field).map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self, field: &'static str) -> Result<u64, Violation> {
        self.array(field).map(u64::from_be_bytes)
    }

    pub(super) fn string(&mut self, field: &'static str) -> Result<&'a [u8], Violation> {
        let length = usize::try_from(self.u32(field)?).unwrap_or(usize::MAX);
        let (taken, rest) =
            self.rest.split_at_checked(length).ok_or(Violation::Truncated { field })?;
        self.rest = rest;
        Ok(taken)
    }

    /// A string that is the last field: content.
    pub(super) fn content(&mut self, field: &'static str) -> Result<Content<'a>, Violation> {
        if self.more.is_empty() {
            return Ok(Content::from(self.string(field)?));
        }
        let length = usize::try_from(self.u32(field)?).unwrap_or(usize::MAX);
        let there = self.rest.len() + rest_bytes(self.more);
        if length > there {
            return Err(Violation::Truncated { field });
        }
        if length < there {
            return Err(Violation::Trailing { excess: there - length });
        }
        let (first, more) = (std::mem::take(&mut self.rest), std::mem::take(&mut self.more));
        Ok(Content::new(first, more))
    }

    pub(super) fn handle(&mut self) -> Result<&'a [u8], Violation> {
        let handle = self.string("handle")?;
        if handle.len() > HANDLE_BYTES_MAX {
            return Err(Violation::Value { field: "handle" });
        }
        Ok(handle)
    }

    /// A path. A zero byte ends paths for most servers, so that what follows it would be judged
    /// and not meant.
    pub(super) fn path(&mut self) -> Result<&'a [u8], Violation> {
        let path = self.string("path")?;
        if path.contains(&0) {
            return Err(Violation::Value { field: "path" });
        }
        Ok(path)
    }

    pub(super) fn end(self) -> Result<(), Violation> {
        match self.rest.len() + rest_bytes(self.more) {
            0 => Ok(()),
            excess => Err(Violation::Trailing { excess }),
        }
    }
}
