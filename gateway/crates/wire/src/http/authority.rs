//! The host that a request is for.
//!
//! Owns reading `host[:port]` (the `host` header, `:authority` of HTTP/2). Must not know which hosts
//! there are.

use std::borrow::Cow;
use std::net::Ipv6Addr;

/// A host and, where one was given, a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority<'a> {
    /// The name or address: lower case, without brackets, without a dot at the end.
    pub host: Cow<'a, str>,
    /// The port that was given.
    pub port: Option<u16>,
}

/// Why a text is no authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum AuthorityError {
    /// It is empty.
    #[error("the host is empty")]
    Empty,
    /// It holds what no host does: a user name, a list, a blank.
    #[error("the host is malformed")]
    Host,
    /// The port is no number.
    #[error("the port is malformed")]
    Port,
}

/// Bytes of a host name (RFC 1035).
const HOST_BYTES_MAX: usize = 253;

impl<'a> Authority<'a> {
    /// Reads it, as it was sent.
    ///
    /// # Errors
    /// Where it is anything but one host and at most a port.
    pub fn read(sent: &'a str) -> Result<Self, AuthorityError> {
        let (host, port) = match sent.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']').ok_or(AuthorityError::Host)?;
                host.parse::<Ipv6Addr>().map_err(|_| AuthorityError::Host)?;
                let port = match after.strip_prefix(':') {
                    Some(port) => Some(port),
                    None if after.is_empty() => None,
                    None => return Err(AuthorityError::Port),
                };
                (host, port)
            }
            None => match sent.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (sent, None),
            },
        };
        let is_bracketed = sent.starts_with('[');
        let name = host.strip_suffix('.').unwrap_or(host);
        if name.is_empty() {
            return Err(AuthorityError::Empty);
        }
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let is_name = name.len() <= HOST_BYTES_MAX
            && (is_bracketed || name.bytes().all(is_host))
            && !name.starts_with('.')
            && !name.ends_with('.')
            && !name.contains("..");
        if !is_name {
            return Err(AuthorityError::Host);
        }
        let host = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(name.to_ascii_lowercase())
        } else {
            Cow::Borrowed(name)
        };
        Ok(Self { host, port: port.map(read_port).transpose()? })
    }
}

fn read_port(text: &str) -> Result<u16, AuthorityError> {
    if text.is_empty() || text.len() > 5 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AuthorityError::Port);
    }
    text.parse().ok().filter(|port| *port > 0).ok_or(AuthorityError::Port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_in_one_form() {
        for (sent, host, port) in [
            ("api.example", "api.example", None),
            ("API.Example.:8443", "api.example", Some(8443)),
            ("10.0.0.1:80", "10.0.0.1", Some(80)),
            ("[fd00::1]:443", "fd00::1", Some(443)),
            ("[FD00::1]", "fd00::1", None),
            ("my_service", "my_service", None),
        ] {
            let read = Authority::read(sent).unwrap();
            assert_eq!((read.host.as_ref(), read.port), (host, port), "{sent}");
        }
    }

    #[test]
    fn anything_else_is_no_host() {
        for sent in [
            "",
            ".",
            "..",
            ":80",
            "a b",
            "a,b",
            "user@host",
            "host:",
            "host:0",
            "host:99999",
            "host:80:80",
            "host/",
            "ho%73t",
            "[::1",
            "[::1]x",
            "[host]",
            "a..b",
            ".a",
            "a..",
            "é",
            "host:+80",
            "fd00::1",
        ] {
            assert!(Authority::read(sent).is_err(), "{sent}");
        }
    }
}
