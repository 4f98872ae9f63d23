//! Patterns over where a connection goes to or is waited for.
//!
//! Owns reading and matching one. Must not resolve a name. A pattern is `host:port`; in the host
//! `*` stands for any run of characters, the port is a number or `*`: `10.0.0.5:5432`,
//! `*.internal:443`, `[fd00::5]:*`. Hosts are compared in lower case, addresses by value.
//!
//! What a name resolves to is the target's affair. So what restricts an address touches every
//! name at that port, and what restricts a name every address: either could be the other.

use std::fmt;

use serde::Serialize;

use super::{HostPattern, HostPatternError};

/// A compiled pattern over end points.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EndpointPattern {
    text: String,
    host: HostPattern,
    /// `None` for any.
    port: Option<u16>,
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
    #[error(transparent)]
    Host(#[from] HostPatternError),
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
        Ok(Self { text: text.to_owned(), host: HostPattern::parse(host)?, port })
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
        self.host.matches(host) && self.port.is_none_or(|own| own == port)
    }

    /// Whether the end point could match.
    #[must_use]
    pub fn may_match(&self, host: &str, port: u16) -> bool {
        self.host.may_match(host) && (port == 0 || self.port.is_none_or(|own| own == port))
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
            (":22", E::Host(HostPatternError)),
            ("a b:22", E::Host(HostPatternError)),
            ("http://db:22", E::Host(HostPatternError)),
            ("a..b:22", E::Host(HostPatternError)),
        ] {
            assert_eq!(EndpointPattern::parse(text), Err(error), "{text:?}");
        }
    }
}
