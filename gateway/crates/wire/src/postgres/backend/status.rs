//! The short messages around statements: keys, parameters, tags, readiness, versions.
//!
//! Owns `BackendKeyData`, `ParameterStatus`, `CommandComplete`, `ReadyForQuery`,
//! `NegotiateProtocolVersion` and the messages without a body. Must not know when each is due.
//! Borrows the bodies.

use crate::postgres::startup::{CANCEL_KEY_BYTES_MAX, Version};
use crate::postgres::write::{message, put_cstr, put_i32};
use crate::postgres::{Reader, TransactionStatus, Violation};

use super::Kind;

/// `BackendKeyData`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyData<'a> {
    /// Process id.
    pub pid: i32,
    /// The key that cancels: 4 bytes in protocol 3.0, up to 256 in 3.2.
    pub key: &'a [u8],
}

impl<'a> KeyData<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// Where the key has a length that the protocol does not allow.
    pub fn read(body: &'a [u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(body);
        let pid = reader.i32("process id")?;
        let key = reader.rest();
        if key.len() < 4 || key.len() > CANCEL_KEY_BYTES_MAX {
            return Err(Violation::Value { field: "cancel key" });
        }
        Ok(Self { pid, key })
    }
}

/// `ParameterStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterStatus<'a> {
    /// The parameter.
    pub name: &'a [u8],
    /// Its value.
    pub value: &'a [u8],
}

impl<'a> ParameterStatus<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// Where its fields do not fill it exactly.
    pub fn read(body: &'a [u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(body);
        let name = reader.cstr("parameter name")?;
        let value = reader.cstr("parameter value")?;
        reader.finish()?;
        Ok(Self { name, value })
    }
}

/// `CommandComplete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandComplete<'a> {
    /// The tag, such as `INSERT 0 1`.
    pub tag: &'a [u8],
}

impl<'a> CommandComplete<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// Where it is not one C string.
    pub fn read(body: &'a [u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(body);
        let tag = reader.cstr("command tag")?;
        reader.finish()?;
        Ok(Self { tag })
    }

    /// The number of rows that the tag ends with, if it does.
    #[must_use]
    pub fn rows(&self) -> Option<u64> {
        let last = self.tag.rsplit(|byte| *byte == b' ').next()?;
        str::from_utf8(last).ok()?.parse().ok()
    }
}

/// `NegotiateProtocolVersion`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NegotiateVersion {
    /// The newest minor version that the server speaks.
    pub minor: i32,
}

impl NegotiateVersion {
    /// Reads the body.
    ///
    /// # Errors
    /// Where its fields do not fill it exactly.
    pub fn read(body: &[u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(body);
        let minor = reader.i32("minor version")?;
        let count = reader.i32("number of options")?;
        for _ in 0..count {
            reader.cstr("option")?;
        }
        reader.finish()?;
        Ok(Self { minor })
    }
}

/// Reads the body of a `ReadyForQuery`.
///
/// # Errors
/// Where it is not one known byte.
pub fn ready_for_query(body: &[u8]) -> Result<TransactionStatus, Violation> {
    let mut reader = Reader::new(body);
    let status = TransactionStatus::from_byte(reader.u8("transaction status")?)?;
    reader.finish()?;
    Ok(status)
}

/// Appends a `BackendKeyData`.
pub fn put_key_data(out: &mut Vec<u8>, pid: i32, key: &[u8]) {
    message(out, b'K', |out| {
        put_i32(out, pid);
        out.extend_from_slice(key);
    });
}

/// Appends a `ParameterStatus`.
pub fn put_parameter_status(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    message(out, b'S', |out| {
        put_cstr(out, name);
        put_cstr(out, value);
    });
}

/// Appends a `CommandComplete`.
pub fn put_command_complete(out: &mut Vec<u8>, tag: &[u8]) {
    message(out, b'C', |out| put_cstr(out, tag));
}

/// Appends a `ReadyForQuery`.
pub fn put_ready(out: &mut Vec<u8>, status: TransactionStatus) {
    message(out, b'Z', |out| out.push(status.as_byte()));
}

/// Appends a message without a body, such as `ParseComplete`.
pub fn put_empty(out: &mut Vec<u8>, kind: Kind) {
    message(out, kind.tag(), |_| {});
}

/// Appends a `NegotiateProtocolVersion`: the newest version we speak, and the options
/// (`_pq_.*`) that we do not know.
pub fn put_negotiate_version<'a>(
    out: &mut Vec<u8>,
    newest: Version,
    unknown: impl ExactSizeIterator<Item = &'a [u8]>,
) {
    message(out, b'v', |out| {
        // The server sends the whole version number, as libpq reads it: (major << 16) | minor.
        put_i32(out, (i32::from(newest.major) << 16) | i32::from(newest.minor));
        put_i32(out, i32::try_from(unknown.len()).unwrap_or(i32::MAX));
        for option in unknown {
            put_cstr(out, option);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_both_versions_are_read() {
        let mut out = Vec::new();
        put_key_data(&mut out, 9, &[1; 32]);
        assert!(KeyData::read(&out[5..]) == Ok(KeyData { pid: 9, key: &[1; 32] }));
        assert!(KeyData::read(&[0, 0, 0, 1, 9, 9, 9]).is_err());
    }

    #[test]
    fn a_command_tag_tells_its_rows() {
        assert_eq!(CommandComplete { tag: b"INSERT 0 12" }.rows(), Some(12));
        assert_eq!(CommandComplete { tag: b"SELECT 3" }.rows(), Some(3));
        assert_eq!(CommandComplete { tag: b"BEGIN" }.rows(), None);
        let mut out = Vec::new();
        put_command_complete(&mut out, b"COPY 5");
        assert_eq!(CommandComplete::read(&out[5..]).unwrap().tag, b"COPY 5");
    }

    #[test]
    fn readiness_has_three_states() {
        for status in
            [TransactionStatus::Idle, TransactionStatus::InBlock, TransactionStatus::Failed]
        {
            let mut out = Vec::new();
            put_ready(&mut out, status);
            assert_eq!(ready_for_query(&out[5..]), Ok(status));
        }
        assert!(ready_for_query(b"X").is_err());
        assert!(ready_for_query(b"").is_err());
        assert!(ready_for_query(b"II").is_err());
    }

    #[test]
    fn a_negotiation_lists_what_is_unknown() {
        let mut out = Vec::new();
        put_negotiate_version(&mut out, Version::V3_2, [&b"_pq_.x"[..]].into_iter());
        assert_eq!(&out[5..], b"\0\x03\0\x02\0\0\0\x01_pq_.x\0");
        assert_eq!(NegotiateVersion::read(&out[5..]).unwrap().minor, 0x0003_0002);
        assert!(NegotiateVersion::read(&out[5..12]).is_err());
    }

    #[test]
    fn a_status_is_read_back() {
        let mut out = Vec::new();
        put_parameter_status(&mut out, b"TimeZone", b"UTC");
        assert_eq!(
            ParameterStatus::read(&out[5..]),
            Ok(ParameterStatus { name: b"TimeZone", value: b"UTC" })
        );
        let mut out = Vec::new();
        put_empty(&mut out, Kind::ParseComplete);
        assert_eq!(out, b"1\0\0\0\x04");
    }
}
