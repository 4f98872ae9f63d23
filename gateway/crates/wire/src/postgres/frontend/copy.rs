//! The client's end of a COPY: `CopyFail` (`CopyData` is raw bytes, `CopyDone` is empty).
//!
//! Owns its one field. Must not know the data. Borrows the body.

use crate::postgres::write::{message, put_cstr};
use crate::postgres::{Reader, Violation};

/// `CopyFail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyFail<'a> {
    /// Why, in the client's words.
    pub reason: &'a [u8],
}

impl<'a> CopyFail<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// Where it is not one C string.
    pub fn read(body: &'a [u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(body);
        let reason = reader.cstr("reason")?;
        reader.finish()?;
        Ok(Self { reason })
    }
}

/// Appends a `CopyFail`.
pub fn put_copy_fail(out: &mut Vec<u8>, reason: &[u8]) {
    message(out, b'f', |out| put_cstr(out, reason));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_failure_is_read_back() {
        let mut out = Vec::new();
        put_copy_fail(&mut out, b"changed my mind");
        assert_eq!(CopyFail::read(&out[5..]).unwrap().reason, b"changed my mind");
        assert!(CopyFail::read(b"no end").is_err());
    }
}
