//! What server and client say while one proves who it is.
//!
//! Owns the formats of the messages and the names of the methods. Must not know a secret, nor how
//! an answer is computed.

use super::answer::{ErrPacket, OkPacket};
use super::{Capabilities, Reader, Violation, put_nul};

/// SHA-1 of SHA-1; the method of every server up to MySQL 8 and MariaDB.
pub const NATIVE: &[u8] = b"mysql_native_password";
/// SHA-256 with a cache on the server; the method of MySQL 8 and later.
pub const CACHING_SHA2: &[u8] = b"caching_sha2_password";
/// Ed25519, of MariaDB.
pub const ED25519: &[u8] = b"client_ed25519";
/// The password as it is.
pub const CLEAR: &[u8] = b"mysql_clear_password";

/// What `caching_sha2_password` says after the answer to its challenge: it knew the user.
pub const FAST_SUCCESS: u8 = 3;
/// What it says where it must be told the password itself.
pub const FULL_NEEDED: u8 = 4;
/// What a client says to be told the server's public key.
pub const PUBLIC_KEY_REQUEST: u8 = 2;

/// What a server says during authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// The session is open.
    Ok(OkPacket<'a>),
    /// It is not.
    Refused(ErrPacket<'a>),
    /// Another method, with its challenge.
    Switch {
        /// Its name.
        method: &'a [u8],
        /// Its challenge, as it was sent: some methods put a NUL behind it, and of others a NUL at
        /// the end is a part of it.
        salt: &'a [u8],
    },
    /// More of the same method.
    More(&'a [u8]),
}

impl<'a> Verdict<'a> {
    /// Reads a message of a server.
    ///
    /// # Errors
    /// Where it is none of these, or truncated.
    pub fn read(payload: &'a [u8], capabilities: Capabilities) -> Result<Self, Violation> {
        let mut reader = Reader::new(payload);
        match reader.u8("kind of the message")? {
            0x00 => OkPacket::read(payload, capabilities).map(Self::Ok),
            0xff => ErrPacket::read(payload).map(Self::Refused),
            0x01 => Ok(Self::More(reader.rest())),
            0xfe if reader.is_empty() => {
                Ok(Self::Switch { method: b"mysql_old_password", salt: b"" })
            }
            0xfe => {
                let method = reader.nul("method of authentication")?;
                Ok(Self::Switch { method, salt: reader.rest() })
            }
            _ => Err(Violation::Value { field: "kind of the message" }),
        }
    }
}

/// Appends the payload of a switch to another method.
pub fn put_switch(out: &mut Vec<u8>, method: &[u8], salt: &[u8]) {
    out.push(0xfe);
    put_nul(out, method);
    out.extend_from_slice(salt);
    out.push(0);
}

/// Appends the payload of more of the same method.
pub fn put_more(out: &mut Vec<u8>, data: &[u8]) {
    out.push(0x01);
    out.extend_from_slice(data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_switch_and_more_are_read_back() {
        let mut out = Vec::new();
        put_switch(&mut out, CACHING_SHA2, &[9; 20]);
        let salt = [[9; 20].as_slice(), &[0]].concat();
        let switch = Verdict::Switch { method: CACHING_SHA2, salt: &salt };
        assert_eq!(Verdict::read(&out, Capabilities::OFFERED), Ok(switch));
        for cut in 1..=CACHING_SHA2.len() {
            let read = Verdict::read(&out[..=cut], Capabilities::OFFERED);
            assert!(cut == 0 || read.is_err(), "cut after {cut}");
        }
        let mut out = Vec::new();
        put_more(&mut out, &[FULL_NEEDED]);
        assert_eq!(Verdict::read(&out, Capabilities::OFFERED), Ok(Verdict::More(&[FULL_NEEDED])));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(payload in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = Verdict::read(&payload, Capabilities::OFFERED);
        }
    }
}
