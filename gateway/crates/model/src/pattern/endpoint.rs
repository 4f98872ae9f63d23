//! Patterns over where a connection goes to or is waited for.
//!
//! Owns reading and matching one. Must not resolve a name. A pattern is `host:port`; in the host
//! `*` stands for any run of characters, the port is a number or `*`: `10.0.0.5:5432`,
//! `*.internal:443`, `[fd00::5]:*`. Hosts are compared in lower case, addresses by value.
//!
//! What a name resolves to is the target's affair. So what restricts an address touches every
//! name at that port, and what restricts a name every address: either could be the other.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use serde::Serialize;

use super::{Piece, UNKNOWN_PART, glob_matches};

/// A compiled pattern over end points.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EndpointPattern {
    text: String,
    host: Host,
    /// `None` for any.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Host {
    Any,
    Address(IpAddr),
    /// A name, or a glob of names or addresses.
    Glob(Vec<Piece>),
}

/// Why a pattern over end points could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointPatternError {
    /// No port.
    #[error("it has no port; write host:port, or host:* for every port")]
    NoPort,
    /// No such port.
    #[error("the port is neither * nor a number from 1 to 65535")]
    Port,
    /// No host, or what cannot be in one.
    #[error("the host is neither an address nor a name nor a pattern of one")]
    Host,
}

impl EndpointPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Where host or port is missing or cannot be one.
    pub fn parse(text: &str) -> Result<Self, EndpointPatternError> {
        let (host, port) = text.rsplit_once(':').ok_or(EndpointPatternError::NoPort)?;
        if text.parse::<std::net::Ipv6Addr>().is_ok() || text.ends_with(']') {
            return Err(EndpointPatternError::NoPort);
        }
        let port = match port {
            "*" => None,
            number => match number.parse() {
                Ok(0) | Err(_) => return Err(EndpointPatternError::Port),
                Ok(port) => Some(port),
            },
        };
        Ok(Self { text: text.to_owned(), host: parse_host(host)?, port })
    }

    /// The text it was read from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the end point matches for certain. A port that the target chooses (0) is granted
    /// only with every port, every address of the target (`*`) only with every host.
    #[must_use]
    pub fn matches(&self, host: &str, port: u16) -> bool {
        let host_fits = match &self.host {
            Host::Any => true,
            Host::Address(address) => canonical(host) == Some(*address),
            // A glob of addresses never grants a name that looks like one: 10.0.evil.example.
            Host::Glob(pieces) => {
                host != UNKNOWN_PART
                    && is_of_addresses(pieces) == canonical(host).is_some()
                    && glob_fits(pieces, host)
            }
        };
        host_fits && self.port.is_none_or(|own| own == port)
    }

    /// Whether the end point could match.
    #[must_use]
    pub fn may_match(&self, host: &str, port: u16) -> bool {
        let host_fits = host == UNKNOWN_PART
            || match &self.host {
                Host::Any => true,
                Host::Address(address) => canonical(host).is_none_or(|one| one == *address),
                Host::Glob(pieces) => {
                    let is_address = canonical(host).is_some();
                    glob_fits(pieces, host) || is_address != is_of_addresses(pieces)
                }
            };
        host_fits && (port == 0 || self.port.is_none_or(|own| own == port))
    }
}

impl fmt::Display for EndpointPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for EndpointPattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// Compares by value where the host is an address, as text where it is a name.
fn glob_fits(pieces: &[Piece], host: &str) -> bool {
    let text = match canonical(host) {
        Some(address) => address.to_string(),
        None => host.strip_suffix('.').unwrap_or(host).to_lowercase(),
    };
    !text.is_empty() && glob_matches(pieces, &text)
}

/// Whether the pattern is of addresses: digits and dots, or with a colon.
fn is_of_addresses(pieces: &[Piece]) -> bool {
    let numeric = |piece: &Piece| match piece {
        Piece::Char(c) => c.is_ascii_digit() || *c == '.',
        Piece::Run | Piece::One => true,
    };
    pieces.contains(&Piece::Char(':')) || pieces.iter().all(numeric)
}

/// The address that a text means to a resolver, `0x7f.1` and `2130706433` included.
fn canonical(host: &str) -> Option<IpAddr> {
    let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    // A zone does not name another host here.
    let host = host.split('%').next().unwrap_or(host);
    let host = host.strip_suffix('.').unwrap_or(host);
    match host.parse::<IpAddr>() {
        Ok(address) => Some(address.to_canonical()),
        Err(_) => legacy_address(host).map(IpAddr::V4),
    }
}

/// The forms of `inet_aton`: one to four numbers, decimal, octal or hexadecimal, the last one for
/// all bytes that are left.
fn legacy_address(text: &str) -> Option<Ipv4Addr> {
    let numbers = text.split('.').map(legacy_number).collect::<Option<Vec<u32>>>()?;
    let (last, heads) = numbers.split_last()?;
    let left = u32::try_from(4_usize.checked_sub(heads.len()).filter(|left| *left > 0)?).ok()?;
    if left < 4 && *last >= 1 << (8 * left) {
        return None;
    }
    let mut address = *last;
    for (at, head) in heads.iter().enumerate() {
        if *head > 255 {
            return None;
        }
        address |= head << (24 - 8 * u32::try_from(at).ok()?);
    }
    Some(Ipv4Addr::from(address))
}

fn legacy_number(text: &str) -> Option<u32> {
    let digits = |text: &str, radix| {
        let fits = !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
        fits.then(|| u32::from_str_radix(text, radix).ok()).flatten()
    };
    if let Some(hexadecimal) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return digits(hexadecimal, 16);
    }
    match text.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => digits(octal, 8),
        _ => digits(text, 10),
    }
}

fn parse_host(text: &str) -> Result<Host, EndpointPatternError> {
    if text == "*" {
        return Ok(Host::Any);
    }
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Ok(address) = bracketed.unwrap_or(text).parse::<IpAddr>() {
        let fits = address.is_ipv4() || bracketed.is_some();
        return fits
            .then_some(Host::Address(address.to_canonical()))
            .ok_or(EndpointPatternError::Host);
    }
    let text = bracketed.unwrap_or(text);
    let fits = |c: char| {
        c.is_ascii_alphanumeric() || "-_.*".contains(c) || (bracketed.is_some() && c == ':')
    };
    let lower = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    if lower.is_empty() || !lower.chars().all(fits) || lower.split('.').any(str::is_empty) {
        return Err(EndpointPatternError::Host);
    }
    let pieces = lower.chars().map(|c| if c == '*' { Piece::Run } else { Piece::Char(c) });
    Ok(Host::Glob(pieces.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> EndpointPattern {
        EndpointPattern::parse(text).unwrap()
    }

    #[test]
    fn hosts_and_ports_are_compared() {
        assert!(pattern("10.0.0.5:5432").matches("10.0.0.5", 5432));
        assert!(!pattern("10.0.0.5:5432").matches("10.0.0.5", 5433));
        assert!(pattern("*.internal:443").matches("a.b.Internal.", 443));
        assert!(!pattern("*.internal:443").matches("internal", 443));
        assert!(!pattern("*.internal:443").matches("x.internal.example", 443));
        assert!(pattern("10.0.*:*").matches("10.0.7.7", 1));
        assert!(pattern("[fd00::5]:22").matches("fd00:0::5", 22));
        assert!(pattern("DB.Example:22").matches("db.example", 22));
    }

    #[test]
    fn an_address_is_the_same_however_it_is_written() {
        let own = pattern("127.0.0.1:80");
        for host in [
            "127.0.0.1",
            "::ffff:127.0.0.1",
            "[::ffff:7f00:1]",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "127.1",
            "0x7F000001",
            "127.0.0.1.",
        ] {
            assert!(own.matches(host, 80), "{host}");
        }
        assert!(!own.may_match("127.0.0.2", 80));
        assert!(!pattern("127.0.0.1:80").matches("127.0.0.256", 80));
    }

    #[test]
    fn a_name_could_be_any_address_and_an_address_any_name() {
        assert!(pattern("127.0.0.1:80").may_match("localhost", 80));
        assert!(pattern("169.254.*:80").may_match("metadata.example", 80));
        assert!(pattern("*.internal:80").may_match("10.0.0.1", 80));
        assert!(!pattern("*.internal:80").may_match("db.example", 80));
        assert!(!pattern("127.0.0.1:80").may_match("localhost", 81));
        assert!(!pattern("127.0.0.1:80").matches("localhost", 80));
    }

    #[test]
    fn what_the_target_chooses_is_granted_by_everything_only() {
        assert!(!pattern("localhost:8080").matches("localhost", 0));
        assert!(pattern("localhost:8080").may_match("localhost", 0));
        assert!(pattern("localhost:*").matches("localhost", 0));
        assert!(pattern("*:8080").matches("*", 8080));
        assert!(!pattern("l*:8080").matches("*", 8080) && pattern("l*:8080").may_match("*", 8080));
    }

    #[test]
    fn a_mistake_is_refused_with_its_reason() {
        use EndpointPatternError as E;
        for (text, error) in [
            ("db", E::NoPort),
            ("10.0.0.5", E::NoPort),
            ("fd00::5", E::NoPort),
            ("[fd00::5]", E::NoPort),
            ("db:0", E::Port),
            ("db:x", E::Port),
            ("db:70000", E::Port),
            (":22", E::Host),
            ("a b:22", E::Host),
            ("http://db:22", E::Host),
            ("a..b:22", E::Host),
        ] {
            assert_eq!(EndpointPattern::parse(text), Err(error), "{text:?}");
        }
    }
}
