//! What a client says while it logs in: passwords and SASL.
//!
//! Owns the four messages that share the tag `p`; which one it is follows from what the server
//! asked. Must not know a mechanism. Borrows the body.

use crate::postgres::write::{message, put_cstr, put_i32};
use crate::postgres::{Reader, Violation};

/// `PasswordMessage`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Password<'a> {
    /// The password, in the clear or hashed.
    pub password: &'a [u8],
}

impl std::fmt::Debug for Password<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(redacted)")
    }
}

impl<'a> Password<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// Where it is not one C string.
    pub fn read(body: &'a [u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(body);
        let password = reader.cstr("password")?;
        reader.finish()?;
        Ok(Self { password })
    }
}

/// Appends a `PasswordMessage`.
pub fn put_password(out: &mut Vec<u8>, password: &[u8]) {
    message(out, b'p', |out| put_cstr(out, password));
}

/// Appends a `SASLInitialResponse`.
pub fn put_sasl_initial_response(out: &mut Vec<u8>, mechanism: &str, data: &[u8]) {
    message(out, b'p', |out| {
        put_cstr(out, mechanism.as_bytes());
        put_i32(out, i32::try_from(data.len()).unwrap_or(i32::MAX));
        out.extend_from_slice(data);
    });
}

/// Appends a `SASLResponse`.
pub fn put_sasl_response(out: &mut Vec<u8>, data: &[u8]) {
    message(out, b'p', |out| out.extend_from_slice(data));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_read_and_never_printed() {
        let mut out = Vec::new();
        put_password(&mut out, b"hunter2");
        let password = Password::read(&out[5..]).unwrap();
        assert_eq!(password.password, b"hunter2");
        assert_eq!(format!("{password:?}"), "Password(redacted)");
    }

    #[test]
    fn sasl_messages_have_the_shape_of_the_manual() {
        let mut out = Vec::new();
        put_sasl_initial_response(&mut out, "SCRAM-SHA-256", b"n,,n=,r=x");
        assert_eq!(&out[..5], b"p\0\0\0\x1f");
        assert_eq!(&out[5..], b"SCRAM-SHA-256\0\0\0\0\x09n,,n=,r=x");
        let mut out = Vec::new();
        put_sasl_response(&mut out, b"c=biws");
        assert_eq!(out, b"p\0\0\0\x0ac=biws");
    }
}
