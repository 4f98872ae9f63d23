//! The first messages: a server's greeting, the request for TLS, and who the client is.
//!
//! Owns their formats. Must not know what is agreed to, nor how somebody proves who they are.

use super::{
    Capabilities, Reader, Violation, put_lenenc, put_lenenc_int, put_nul, put_u16, put_u32,
};

/// The version of the handshake that every server of this century speaks.
const VERSION: u8 = 10;

/// Bytes of the challenge's first part.
const SALT_HEAD_BYTES: usize = 8;

/// Bytes of the challenge in a greeting.
pub const SALT_BYTES: usize = 20;

/// A server's greeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting<'a> {
    /// The server's version, as it shows it.
    pub version: &'a [u8],
    /// The number of the connection.
    pub connection: u32,
    /// What the server can do, with MariaDB's own above.
    pub capabilities: Capabilities,
    /// The server's collation.
    pub collation: u8,
    /// The session's status.
    pub status: u16,
    /// The challenge, without its NUL.
    pub salt: Vec<u8>,
    /// The method of authentication that the challenge is for.
    pub method: &'a [u8],
}

impl<'a> Greeting<'a> {
    /// Reads a greeting.
    ///
    /// # Errors
    /// Where it is of another version, or truncated.
    pub fn read(payload: &'a [u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(payload);
        if reader.u8("version of the handshake")? != VERSION {
            return Err(Violation::Value { field: "version of the handshake" });
        }
        let version = reader.nul("server version")?;
        let connection = reader.u32("connection number")?;
        let mut salt = reader.bytes(SALT_HEAD_BYTES, "challenge")?.to_vec();
        reader.u8("filler")?;
        let low = reader.u16("capabilities")?;
        let collation = reader.u8("collation")?;
        let status = reader.u16("status")?;
        let high = reader.u16("capabilities")?;
        let salt_bytes = usize::from(reader.u8("length of the challenge")?);
        reader.bytes(6, "filler")?;
        let extended = reader.u32("extended capabilities")?;
        let low = u64::from(low) | u64::from(high) << 16;
        let capabilities = if Capabilities(low).has(Capabilities::LONG_PASSWORD) {
            Capabilities(low)
        } else {
            Capabilities(low | u64::from(extended) << 32)
        };
        let tail_bytes = salt_bytes.saturating_sub(SALT_HEAD_BYTES).max(13);
        let tail = reader.bytes(tail_bytes, "challenge")?;
        salt.extend_from_slice(tail.strip_suffix(&[0]).unwrap_or(tail));
        let method = if capabilities.has(Capabilities::PLUGIN_AUTH) {
            let rest = reader.rest();
            // Some servers leave the NUL out.
            reader.nul("method of authentication").unwrap_or(rest)
        } else {
            b""
        };
        Ok(Self { version, connection, capabilities, collation, status, salt, method })
    }

    /// Appends its payload. The challenge must have [`SALT_BYTES`], none of them NUL.
    pub fn put(&self, out: &mut Vec<u8>) {
        let (head, tail) =
            self.salt.split_at_checked(SALT_HEAD_BYTES).unwrap_or((&[0; SALT_HEAD_BYTES], b""));
        out.push(VERSION);
        put_nul(out, self.version);
        put_u32(out, self.connection);
        out.extend_from_slice(head);
        out.push(0);
        let [a, b, c, d] = self.capabilities.low().to_le_bytes();
        out.extend_from_slice(&[a, b, self.collation]);
        put_u16(out, self.status);
        out.extend_from_slice(&[c, d]);
        out.push(u8::try_from(self.salt.len() + 1).unwrap_or(u8::MAX));
        out.extend_from_slice(&[0; 10]);
        out.extend_from_slice(tail);
        out.push(0);
        if self.capabilities.has(Capabilities::PLUGIN_AUTH) {
            put_nul(out, self.method);
        }
    }
}

/// Bytes of a client's answer up to its user: the whole of a request for TLS.
pub const RESPONSE_HEAD_BYTES: usize = 32;

/// What a client's answer begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// What the client wants to use.
    pub capabilities: Capabilities,
    /// Bytes of the longest packet it wants.
    pub packet_bytes_max: u32,
    /// Its collation.
    pub collation: u8,
}

impl ResponseHead {
    /// Reads the head; a request for TLS is nothing else.
    ///
    /// # Errors
    /// Where it is truncated, or not of the protocol of 4.1.
    pub fn read(payload: &[u8]) -> Result<Self, Violation> {
        Self::take(&mut Reader::new(payload))
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Violation> {
        let low = reader.u32("capabilities")?;
        let capabilities = Capabilities(u64::from(low));
        if !capabilities.has(Capabilities::PROTOCOL_41) {
            return Err(Violation::Value { field: "capabilities" });
        }
        let packet_bytes_max = reader.u32("longest packet")?;
        let collation = reader.u8("collation")?;
        reader.bytes(23, "filler")?;
        Ok(Self { capabilities, packet_bytes_max, collation })
    }

    /// Appends it.
    pub fn put(&self, out: &mut Vec<u8>) {
        put_u32(out, self.capabilities.low());
        put_u32(out, self.packet_bytes_max);
        out.push(self.collation);
        out.extend_from_slice(&[0; 23]);
    }
}

/// Who a client is and what it wants.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Response<'a> {
    /// Its head.
    pub head: ResponseHead,
    /// Its user.
    pub user: &'a [u8],
    /// Its answer to the challenge.
    pub answer: &'a [u8],
    /// The database, where it names one.
    pub database: Option<&'a [u8]>,
    /// The method that it answered by, where methods have names.
    pub method: Option<&'a [u8]>,
    /// What it says of itself: names and values, each with its length before it.
    attributes: &'a [u8],
}

// By hand: the answer to the challenge is nobody's to print.
impl std::fmt::Debug for Response<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("head", &self.head)
            .field("user", &String::from_utf8_lossy(self.user))
            .field("database", &self.database.map(String::from_utf8_lossy))
            .finish_non_exhaustive()
    }
}

impl<'a> Response<'a> {
    /// Reads an answer to a greeting that offered `offered`: what was not offered is not there,
    /// whatever the client says. Bytes after the last field are left alone, as servers do.
    ///
    /// # Errors
    /// Where a field is truncated.
    pub fn read(payload: &'a [u8], offered: Capabilities) -> Result<Self, Violation> {
        let mut reader = Reader::new(payload);
        let mut head = ResponseHead::take(&mut reader)?;
        head.capabilities = head.capabilities & offered;
        let has = |one| head.capabilities.has(one);
        let user = reader.nul("user")?;
        let answer = if has(Capabilities::PLUGIN_AUTH_LENENC) {
            reader.lenenc("answer to the challenge")?
        } else if has(Capabilities::SECURE_CONNECTION) {
            let length = reader.u8("answer to the challenge")?;
            reader.bytes(usize::from(length), "answer to the challenge")?
        } else {
            reader.nul("answer to the challenge")?
        };
        let database = match has(Capabilities::CONNECT_WITH_DB) {
            true => Some(reader.nul("database")?).filter(|name| !name.is_empty()),
            false => None,
        };
        let method = match has(Capabilities::PLUGIN_AUTH) {
            true => Some(reader.nul("method of authentication")?),
            false => None,
        };
        let attributes = match has(Capabilities::CONNECT_ATTRS) && !reader.is_empty() {
            true => reader.lenenc("attributes")?,
            false => b"",
        };
        let mut pairs = Reader::new(attributes);
        while !pairs.is_empty() {
            pairs.lenenc("name of an attribute")?;
            pairs.lenenc("value of an attribute")?;
        }
        Ok(Self { head, user, answer, database, method, attributes })
    }

    /// Name and value of each attribute.
    pub fn attributes(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let mut pairs = Reader::new(self.attributes);
        std::iter::from_fn(move || {
            let name = pairs.lenenc("name of an attribute").ok()?;
            Some((name, pairs.lenenc("value of an attribute").ok()?))
        })
    }
}

/// Appends a client's answer. What its capabilities leave out is left out. The answer to the
/// challenge has its length before it.
pub fn put_response<'a>(
    out: &mut Vec<u8>,
    head: &ResponseHead,
    user: &[u8],
    answer: &[u8],
    database: Option<&[u8]>,
    method: &[u8],
    attributes: impl Iterator<Item = (&'a [u8], &'a [u8])>,
) {
    let has = |one| head.capabilities.has(one);
    head.put(out);
    put_nul(out, user);
    put_lenenc(out, answer);
    if has(Capabilities::CONNECT_WITH_DB) {
        put_nul(out, database.unwrap_or_default());
    }
    if has(Capabilities::PLUGIN_AUTH) {
        put_nul(out, method);
    }
    if has(Capabilities::CONNECT_ATTRS) {
        let mut pairs = Vec::new();
        for (name, value) in attributes {
            put_lenenc(&mut pairs, name);
            put_lenenc(&mut pairs, value);
        }
        put_lenenc_int(out, pairs.len() as u64);
        out.extend_from_slice(&pairs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn greeting() -> Greeting<'static> {
        Greeting {
            version: b"5.5.5-10.11.19-MariaDB",
            connection: 0x8000_0007,
            capabilities: Capabilities::OFFERED | Capabilities::SSL,
            collation: 45,
            status: 2,
            salt: (1..21).collect(),
            method: b"mysql_native_password",
        }
    }

    #[test]
    fn a_greeting_is_read_back_and_every_cut_is_refused() {
        let greeting = greeting();
        let mut out = Vec::new();
        greeting.put(&mut out);
        assert_eq!(Greeting::read(&out).unwrap(), greeting);
        let fixed = out.len() - greeting.method.len() - 1;
        for cut in 0..fixed {
            assert!(Greeting::read(&out[..cut]).is_err(), "cut at {cut}");
        }
        // Servers without the last NUL.
        assert_eq!(Greeting::read(&out[..out.len() - 1]).unwrap(), greeting);
    }

    #[test]
    fn what_only_mariadb_can_do_is_told_apart() {
        let mut out = Vec::new();
        let plain = Greeting {
            capabilities: Capabilities(Capabilities::OFFERED.0 & !Capabilities::LONG_PASSWORD.0),
            ..greeting()
        };
        plain.put(&mut out);
        let at = 1 + plain.version.len() + 1 + 4 + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 6;
        out[at..at + 4].copy_from_slice(&[0x1d, 0, 0, 0]);
        assert_eq!(Greeting::read(&out).unwrap().capabilities.0 >> 32, 0x1d);
    }

    fn response(capabilities: Capabilities) -> Vec<u8> {
        let mut out = Vec::new();
        let head = ResponseHead { capabilities, packet_bytes_max: 1 << 24, collation: 28 };
        let attributes: [(&[u8], &[u8]); 2] = [(b"_client_name", b"libmariadb"), (b"_pid", b"77")];
        put_response(
            &mut out,
            &head,
            b"amy",
            &[7; 20],
            Some(b"shop"),
            b"mysql_native_password",
            attributes.into_iter(),
        );
        out
    }

    #[test]
    fn a_response_is_read_back_and_every_cut_is_refused() {
        let out = response(Capabilities::OFFERED);
        let read = Response::read(&out, Capabilities::OFFERED).unwrap();
        assert_eq!((read.user, read.answer), (&b"amy"[..], &[7; 20][..]));
        assert_eq!(read.database, Some(&b"shop"[..]));
        assert_eq!(read.method, Some(&b"mysql_native_password"[..]));
        assert_eq!(read.attributes().count(), 2);
        assert_eq!(read.head.collation, 28);
        let without = Capabilities(Capabilities::OFFERED.0 & !Capabilities::CONNECT_ATTRS.0);
        let before_attributes = response(without).len();
        for cut in (0..out.len()).filter(|cut| *cut != before_attributes) {
            assert!(Response::read(&out[..cut], Capabilities::OFFERED).is_err(), "cut at {cut}");
        }
        let shown = format!("{read:?}");
        assert!(!shown.contains("[7") && shown.contains("amy"), "{shown}");
    }

    #[test]
    fn a_response_of_each_form_is_read() {
        let old = Capabilities::PROTOCOL_41 | Capabilities::SECURE_CONNECTION;
        let mut out = Vec::new();
        ResponseHead { capabilities: old, packet_bytes_max: 0, collation: 8 }.put(&mut out);
        assert_eq!(out.len(), RESPONSE_HEAD_BYTES);
        out.extend_from_slice(b"amy\0\x02hi");
        let read = Response::read(&out, Capabilities::OFFERED).unwrap();
        assert_eq!((read.answer, read.database, read.method), (&b"hi"[..], None, None));
        // A client that takes what was not offered for granted.
        let more = response(Capabilities::OFFERED | Capabilities::LOCAL_FILES);
        let read = Response::read(&more, Capabilities::OFFERED).unwrap();
        assert!(!read.head.capabilities.has(Capabilities::LOCAL_FILES));
        // The protocol before 4.1 is not spoken.
        assert!(ResponseHead::read(&[0; RESPONSE_HEAD_BYTES]).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(payload in prop::collection::vec(any::<u8>(), 0..200), low in any::<u32>()) {
            let _ = Greeting::read(&payload);
            let offered = Capabilities(u64::from(low));
            let _ = Response::read(&payload, offered).map(|read| read.attributes().count());
            let mut greeting = vec![10];
            greeting.extend_from_slice(&payload);
            let _ = Greeting::read(&greeting);
        }
    }
}
