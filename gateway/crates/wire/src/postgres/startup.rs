//! What a client sends before the first tagged message, and what we send upstream there.
//!
//! Owns `SSLRequest`, `GSSENCRequest`, `CancelRequest` and `StartupMessage` (protocol 3.0 to
//! 3.2). Must not know which of them may come when. Borrows the packet.

use super::write::{put_cstr, put_i32, with_length};
use super::{Reader, Violation};

/// Code of `SSLRequest`.
const SSL_REQUEST: i32 = 80_877_103;
/// Code of `GSSENCRequest`.
const GSSENC_REQUEST: i32 = 80_877_104;
/// Code of `CancelRequest`.
const CANCEL_REQUEST: i32 = 80_877_102;

/// Bytes of the longest cancel key that protocol 3.2 allows.
pub const CANCEL_KEY_BYTES_MAX: usize = 256;

/// A protocol version: major and minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The major number; 3 is the only one spoken.
    pub major: u16,
    /// The minor number.
    pub minor: u16,
}

impl Version {
    /// 3.0, which every server speaks.
    pub const V3_0: Self = Self { major: 3, minor: 0 };
    /// 3.2, with cancel keys of up to 256 bytes.
    pub const V3_2: Self = Self { major: 3, minor: 2 };
}

/// One packet without a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// The client wants TLS.
    SslRequest,
    /// The client wants GSSAPI encryption.
    GssEncRequest,
    /// The client wants a statement of another connection cancelled.
    Cancel {
        /// The process id we gave out.
        pid: i32,
        /// The key we gave out, 4 to 256 bytes.
        key: &'a [u8],
    },
    /// The client wants a session.
    Startup {
        /// The version it asks for.
        version: Version,
        /// Names and values.
        parameters: Parameters<'a>,
    },
}

/// The parameters of a `StartupMessage`: checked to be well formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters<'a> {
    /// Pairs of C strings, without the last NUL.
    pairs: &'a [u8],
}

impl<'a> Parameters<'a> {
    /// Each name and value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let mut reader = Reader::new(self.pairs);
        std::iter::from_fn(move || {
            let name = reader.cstr("parameter name").ok()?;
            let value = reader.cstr("parameter value").ok()?;
            Some((name, value))
        })
    }

    /// The last value of a parameter, as the server would see it.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.iter().filter(|(candidate, _)| *candidate == name).last().map(|(_, value)| value)
    }
}

/// How many bytes the packet at the front of `bytes` has, once its length field is there.
///
/// # Errors
/// Where the length is below 8 or above `limit`.
pub fn packet_bytes(bytes: &[u8], limit: usize) -> Result<Option<usize>, Violation> {
    let Some((field, _)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
    let length = i32::from_be_bytes(*field);
    let total = usize::try_from(length).map_err(|_| Violation::Length { length })?;
    if total < 8 {
        return Err(Violation::Length { length });
    }
    if total > limit {
        return Err(Violation::TooLong { length: total, limit });
    }
    Ok(Some(total))
}

/// Reads one whole packet.
///
/// # Errors
/// Where its fields do not fill it exactly.
pub fn parse(packet: &[u8]) -> Result<Packet<'_>, Violation> {
    let mut reader = Reader::new(packet);
    let length = reader.i32("length")?;
    if usize::try_from(length) != Ok(packet.len()) {
        return Err(Violation::Length { length });
    }
    match reader.i32("request code")? {
        SSL_REQUEST => reader.finish().map(|()| Packet::SslRequest),
        GSSENC_REQUEST => reader.finish().map(|()| Packet::GssEncRequest),
        CANCEL_REQUEST => {
            let pid = reader.i32("process id")?;
            let key = reader.rest();
            if key.len() < 4 || key.len() > CANCEL_KEY_BYTES_MAX {
                return Err(Violation::Value { field: "cancel key" });
            }
            Ok(Packet::Cancel { pid, key })
        }
        code => {
            let [a, b, c, d] = code.to_be_bytes();
            let version =
                Version { major: u16::from_be_bytes([a, b]), minor: u16::from_be_bytes([c, d]) };
            parse_parameters(reader, version)
        }
    }
}

fn parse_parameters(mut reader: Reader<'_>, version: Version) -> Result<Packet<'_>, Violation> {
    // Another major version has another layout: the driver refuses it by its number.
    if version.major != 3 {
        return Ok(Packet::Startup { version, parameters: Parameters { pairs: &[] } });
    }
    let body = reader.rest();
    loop {
        let before = reader.rest().len();
        let name = reader.cstr("parameter name")?;
        if name.is_empty() {
            reader.finish()?;
            let pairs = body.get(..body.len() - before).unwrap_or_default();
            return Ok(Packet::Startup { version, parameters: Parameters { pairs } });
        }
        reader.cstr("parameter value")?;
    }
}

/// Appends an `SSLRequest`.
pub fn put_ssl_request(out: &mut Vec<u8>) {
    with_length(out, |out| put_i32(out, SSL_REQUEST));
}

/// Appends a `CancelRequest`.
pub fn put_cancel(out: &mut Vec<u8>, pid: i32, key: &[u8]) {
    with_length(out, |out| {
        put_i32(out, CANCEL_REQUEST);
        put_i32(out, pid);
        out.extend_from_slice(key);
    });
}

/// Appends a `StartupMessage`.
pub fn put_startup<'a>(
    out: &mut Vec<u8>,
    version: Version,
    parameters: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
) {
    with_length(out, |out| {
        out.extend_from_slice(&version.major.to_be_bytes());
        out.extend_from_slice(&version.minor.to_be_bytes());
        for (name, value) in parameters {
            // An empty name would end the list early.
            if !name.is_empty() {
                put_cstr(out, name);
                put_cstr(out, value);
            }
        }
        out.push(0);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn requests_are_read_as_they_are_written() {
        let mut out = Vec::new();
        put_ssl_request(&mut out);
        assert_eq!(parse(&out), Ok(Packet::SslRequest));
        for key in [&[1u8, 2, 3, 4][..], &[9; 32], &[1; 256]] {
            let mut out = Vec::new();
            put_cancel(&mut out, 7, key);
            assert_eq!(parse(&out), Ok(Packet::Cancel { pid: 7, key }));
        }
        for key in [&[1u8, 2, 3][..], &[1; 257]] {
            let mut out = Vec::new();
            put_cancel(&mut out, 7, key);
            assert!(parse(&out).is_err());
        }
        assert_eq!(
            parse(&[0, 0, 0, 8, 4, 210, 22, 48]),
            Ok(Packet::GssEncRequest),
            "80877104 is 1234,5680"
        );
    }

    #[test]
    fn a_length_outside_its_bounds_is_refused_from_its_four_bytes() {
        assert_eq!(packet_bytes(&[0, 0, 0], 100), Ok(None));
        assert_eq!(packet_bytes(&[0, 0, 0, 8], 100), Ok(Some(8)));
        assert_eq!(packet_bytes(&[0, 0, 0, 7], 100), Err(Violation::Length { length: 7 }));
        assert_eq!(
            packet_bytes(&10_000_000_i32.to_be_bytes(), 10_000),
            Err(Violation::TooLong { length: 10_000_000, limit: 10_000 })
        );
        assert!(packet_bytes(&[255; 4], 100).is_err());
    }

    #[test]
    fn trailing_bytes_after_the_parameters_are_refused() {
        let mut out = Vec::new();
        put_startup(&mut out, Version::V3_0, [(&b"user"[..], &b"amy"[..])]);
        assert!(parse(&out).is_ok());
        out.push(b'x');
        out[3] += 1;
        assert!(parse(&out).is_err());
    }

    #[test]
    fn a_name_with_a_nul_cannot_add_a_parameter() {
        let mut out = Vec::new();
        put_startup(&mut out, Version::V3_0, [(&b"user"[..], &b"amy\0options\0-c x=y"[..])]);
        let Ok(Packet::Startup { parameters, .. }) = parse(&out) else { panic!("startup") };
        assert_eq!(parameters.get(b"user"), Some(&b"amy"[..]));
        assert_eq!(parameters.get(b"options"), None);
    }

    proptest! {
        #[test]
        fn parameters_come_back_in_order(pairs in prop::collection::vec(("[a-z_]{1,9}", "[ -~]{0,20}"), 0..6)) {
            let mut out = Vec::new();
            put_startup(
                &mut out,
                Version::V3_2,
                pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())),
            );
            let Ok(Packet::Startup { version, parameters }) = parse(&out) else {
                return Err(TestCaseError::fail("startup"));
            };
            prop_assert_eq!(version, Version::V3_2);
            let back: Vec<_> = parameters.iter().collect();
            let want: Vec<_> =
                pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
            prop_assert_eq!(back, want);
            for cut in 0..out.len() {
                prop_assert!(parse(&out[..cut]).is_err());
            }
        }

        #[test]
        fn no_packet_panics(packet in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&packet);
            let mut whole = (i32::try_from(packet.len() + 4).unwrap()).to_be_bytes().to_vec();
            whole.extend_from_slice(&packet);
            let _ = parse(&whole);
        }
    }
}
