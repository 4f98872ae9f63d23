//! The simple query, the legacy function call, the goodbye.
//!
//! Owns `Query`, `FunctionCall` and `Terminate`. Must not know SQL. Borrows the bodies.

use crate::postgres::write::{message, put_cstr};
use crate::postgres::{Reader, Violation};

/// `Query`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<'a> {
    /// Statements, without the NUL that ends them.
    pub text: &'a [u8],
}

impl<'a> Query<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// Where it is not one C string: text after the NUL would be seen by us and not by the
    /// server, or the other way round.
    pub fn read(body: &'a [u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(body);
        let text = reader.cstr("query text")?;
        reader.finish()?;
        Ok(Self { text })
    }
}

/// `FunctionCall`: only which function; we refuse the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionCall {
    /// Object id of the function.
    pub function: u32,
}

impl FunctionCall {
    /// Reads the beginning of the body.
    ///
    /// # Errors
    /// Where it is shorter than an object id.
    pub fn read(body: &[u8]) -> Result<Self, Violation> {
        Ok(Self { function: Reader::new(body).u32("function")? })
    }
}

/// Appends a `Query`.
pub fn put_query(out: &mut Vec<u8>, text: &[u8]) {
    message(out, b'Q', |out| put_cstr(out, text));
}

/// Appends a `Terminate`.
pub fn put_terminate(out: &mut Vec<u8>) {
    message(out, b'X', |_| {});
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_one_string() {
        assert_eq!(Query::read(b"SELECT 1\0"), Ok(Query { text: b"SELECT 1" }));
        assert_eq!(Query::read(b"\0"), Ok(Query { text: b"" }));
        assert!(Query::read(b"SELECT 1").is_err());
        assert!(Query::read(b"SELECT 1\0DROP TABLE t\0").is_err());
        assert!(Query::read(b"").is_err());
    }

    #[test]
    fn a_written_query_is_read_back() {
        let mut out = Vec::new();
        put_query(&mut out, b"SELECT 1");
        assert_eq!(out, b"Q\0\0\0\x0dSELECT 1\0");
        let mut out = Vec::new();
        put_terminate(&mut out);
        assert_eq!(out, b"X\0\0\0\x04");
    }
}
