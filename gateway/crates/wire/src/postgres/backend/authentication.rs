//! How a server asks for proof, and how we say that none is needed.
//!
//! Owns the `Authentication*` messages. Must not know a mechanism's arithmetic (the driver's
//! login does). Borrows the body.

use crate::postgres::write::{message, put_i32};
use crate::postgres::{Reader, Violation};

/// One `Authentication*` message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication<'a> {
    /// Proven, or nothing to prove.
    Ok,
    /// Send the password in the clear.
    Cleartext,
    /// Send MD5 over password, user and this salt.
    Md5 {
        /// The salt.
        salt: [u8; 4],
    },
    /// Choose a SASL mechanism.
    Sasl {
        /// Those offered.
        mechanisms: Mechanisms<'a>,
    },
    /// A SASL challenge.
    SaslContinue {
        /// Its data.
        data: &'a [u8],
    },
    /// The last word of SASL.
    SaslFinal {
        /// Its data.
        data: &'a [u8],
    },
    /// A method that we do not speak (Kerberos, GSSAPI, SSPI, ...).
    Other {
        /// Its number.
        code: i32,
    },
}

/// Names of SASL mechanisms: checked to be well formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mechanisms<'a> {
    names: &'a [u8],
}

impl<'a> Mechanisms<'a> {
    /// Each name, in the server's order of preference.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.names.split(|byte| *byte == 0).filter(|name| !name.is_empty())
    }

    /// Whether `name` is offered.
    #[must_use]
    pub fn offer(&self, name: &str) -> bool {
        self.iter().any(|offered| offered == name.as_bytes())
    }
}

impl<'a> Authentication<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// Where its fields do not fill it exactly.
    pub fn read(body: &'a [u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(body);
        match reader.i32("authentication code")? {
            0 => reader.finish().map(|()| Self::Ok),
            3 => reader.finish().map(|()| Self::Cleartext),
            5 => {
                let salt = reader.bytes(4, "salt")?;
                reader.finish()?;
                let salt = salt.try_into().map_err(|_| Violation::Truncated { field: "salt" })?;
                Ok(Self::Md5 { salt })
            }
            10 => {
                let names = reader.rest();
                while !reader.cstr("mechanism")?.is_empty() {}
                reader.finish()?;
                Ok(Self::Sasl { mechanisms: Mechanisms { names } })
            }
            11 => Ok(Self::SaslContinue { data: reader.rest() }),
            12 => Ok(Self::SaslFinal { data: reader.rest() }),
            code => Ok(Self::Other { code }),
        }
    }
}

/// Appends an `AuthenticationOk`.
pub fn put_authentication_ok(out: &mut Vec<u8>) {
    message(out, b'R', |out| put_i32(out, 0));
}

/// Appends an `AuthenticationCleartextPassword`.
pub fn put_authentication_cleartext(out: &mut Vec<u8>) {
    message(out, b'R', |out| put_i32(out, 3));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_told_apart() {
        let parse = Authentication::read;
        assert_eq!(parse(&[0, 0, 0, 0]), Ok(Authentication::Ok));
        assert_eq!(parse(&[0, 0, 0, 3]), Ok(Authentication::Cleartext));
        assert_eq!(
            parse(&[0, 0, 0, 5, 1, 2, 3, 4]),
            Ok(Authentication::Md5 { salt: [1, 2, 3, 4] })
        );
        assert_eq!(parse(&[0, 0, 0, 7]), Ok(Authentication::Other { code: 7 }));
        let sasl = b"\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0";
        let Ok(Authentication::Sasl { mechanisms }) = parse(sasl) else { panic!("sasl") };
        assert!(mechanisms.offer("SCRAM-SHA-256-PLUS"));
        assert!(mechanisms.offer("SCRAM-SHA-256"));
        assert!(!mechanisms.offer("SCRAM-SHA-1"));
        for cut in 4..sasl.len() {
            assert!(parse(&sasl[..cut]).is_err(), "cut at {cut}");
        }
        assert!(parse(&[0, 0, 0, 0, 9]).is_err());
        assert!(parse(&[0, 0, 0, 5, 1, 2, 3]).is_err());
    }

    #[test]
    fn what_we_write_we_read() {
        let mut out = Vec::new();
        put_authentication_ok(&mut out);
        assert_eq!(out, b"R\0\0\0\x08\0\0\0\0");
    }
}
