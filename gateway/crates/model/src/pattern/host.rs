//! Patterns over hosts: the one reading of names and addresses of where something goes.
//!
//! Owns reading and matching one. Must not resolve a name. In a name or an address `*` stands for
//! any run of characters, dots too: `api.example`, `*.internal`, `10.0.*`, `[fd00::5]`. Names are
//! compared in lower case, addresses by value.
//!
//! What a name resolves to is somebody else's affair. So what restricts an address touches every
//! name, and what restricts a name every address: either could be the other.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use serde::Serialize;

use super::{Piece, UNKNOWN_PART, glob_matches};

/// A compiled pattern over hosts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPattern {
    text: String,
    host: Host,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Host {
    Any,
    Address(IpAddr),
    /// A name, or a glob of names or addresses.
    Glob(Vec<Piece>),
}

/// Why a pattern over hosts could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host is neither an address nor a name nor a pattern of one")]
pub struct HostPatternError;

impl HostPattern {
    /// Reads a pattern. An IPv6 address stands in brackets.
    ///
    /// # Errors
    /// Where it is empty, or has what cannot be in a host.
    pub fn parse(text: &str) -> Result<Self, HostPatternError> {
        Ok(Self { text: text.to_owned(), host: parse_host(text)? })
    }

    /// The pattern that matches one address.
    #[must_use]
    pub fn of_address(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let text = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
        Self { text, host: Host::Address(address) }
    }

    /// The text it was read from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The one name in lower case that it matches, where it is neither a glob nor an address.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let Host::Glob(pieces) = &self.host else { return None };
        if is_of_addresses(pieces) {
            return None;
        }
        let literal = |piece: &Piece| if let Piece::Char(c) = piece { Some(*c) } else { None };
        pieces.iter().map(literal).collect()
    }

    /// The one address that it matches, where it is one.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        match &self.host {
            Host::Address(address) => Some(*address),
            Host::Any | Host::Glob(_) => None,
        }
    }

    /// The name below which all its hosts are, where it ends in whole labels: `api.example` for
    /// `*.api.example` and `eu-*.api.example`.
    #[must_use]
    pub fn parent(&self) -> Option<String> {
        let (_, after) = self.text.rsplit_once('*')?;
        let (_, labels) = after.split_once('.')?;
        Self::parse(labels).ok()?.name()
    }

    /// Whether the host matches for certain: every host of somebody else's choosing (`*`) only
    /// where every host does.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        match &self.host {
            Host::Any => true,
            Host::Address(address) => canonical(host) == Some(*address),
            // A glob of addresses never grants a name that looks like one: 10.0.evil.example.
            Host::Glob(pieces) => {
                host != UNKNOWN_PART
                    && is_of_addresses(pieces) == canonical(host).is_some()
                    && glob_fits(pieces, host)
            }
        }
    }

    /// Whether the host could match.
    #[must_use]
    pub fn may_match(&self, host: &str) -> bool {
        host == UNKNOWN_PART
            || match &self.host {
                Host::Any => true,
                Host::Address(address) => canonical(host).is_none_or(|one| one == *address),
                Host::Glob(pieces) => {
                    let is_address = canonical(host).is_some();
                    glob_fits(pieces, host) || is_address != is_of_addresses(pieces)
                }
            }
    }

    /// Whether some host could match both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        match (&self.host, &other.host) {
            (Host::Any, _) | (_, Host::Any) => true,
            (Host::Address(one), Host::Address(two)) => one == two,
            (Host::Address(address), Host::Glob(pieces))
            | (Host::Glob(pieces), Host::Address(address)) => {
                is_of_addresses(pieces) && glob_fits(pieces, &address.to_string())
            }
            (Host::Glob(one), Host::Glob(two)) => globs_overlap(one, two),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for HostPattern {
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

fn parse_host(text: &str) -> Result<Host, HostPatternError> {
    if text == "*" {
        return Ok(Host::Any);
    }
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Ok(address) = bracketed.unwrap_or(text).parse::<IpAddr>() {
        let fits = address.is_ipv4() || bracketed.is_some();
        return fits.then_some(Host::Address(address.to_canonical())).ok_or(HostPatternError);
    }
    let text = bracketed.unwrap_or(text);
    let fits = |c: char| {
        c.is_ascii_alphanumeric() || "-_.*".contains(c) || (bracketed.is_some() && c == ':')
    };
    let lower = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    if lower.is_empty() || !lower.chars().all(fits) || lower.split('.').any(str::is_empty) {
        return Err(HostPatternError);
    }
    let pieces = lower.chars().map(|c| if c == '*' { Piece::Run } else { Piece::Char(c) });
    Ok(Host::Glob(pieces.collect()))
}

/// Whether some text matches both globs: all pairs of places that a text can have led to.
fn globs_overlap(one: &[Piece], two: &[Piece]) -> bool {
    // The places in `two` that can be reached while `one` stands at its current piece.
    let mut reached = vec![false; two.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    skip_runs(two, &mut reached);
    for piece in one {
        let mut next = vec![false; reached.len()];
        for (at, _) in reached.iter().enumerate().filter(|(_, reached)| **reached) {
            let mut reach = |to: usize| {
                if let Some(to) = next.get_mut(to) {
                    *to = true;
                }
            };
            match (piece, two.get(at)) {
                // A run takes nothing, or whatever the other wants, any number of times.
                (Piece::Run, _) => (at..=two.len()).for_each(reach),
                (_, None) => {}
                (_, Some(Piece::Run)) => reach(at),
                (Piece::Char(a), Some(Piece::Char(b))) if a != b => {}
                _ => reach(at + 1),
            }
        }
        skip_runs(two, &mut next);
        reached = next;
    }
    reached.last().is_some_and(|end| *end)
}

/// A run may stand for nothing.
fn skip_runs(pieces: &[Piece], reached: &mut [bool]) {
    for (at, piece) in pieces.iter().enumerate() {
        if *piece == Piece::Run
            && reached.get(at).is_some_and(|reached| *reached)
            && let Some(next) = reached.get_mut(at + 1)
        {
            *next = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> HostPattern {
        HostPattern::parse(text).unwrap()
    }

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        assert!(pattern("api.example").matches("API.example."));
        assert!(pattern("*.api.example").matches("eu.west.api.example"));
        assert!(!pattern("*.api.example").matches("api.example"));
        assert!(!pattern("*.api.example").matches("api.example.evil"));
        assert!(pattern("[fd00::5]").matches("fd00:0::5"));
        assert!(pattern("*").matches("*") && !pattern("a*").matches("*"));
    }

    #[test]
    fn one_host_and_the_name_above_many_are_told() {
        assert_eq!(pattern("API.example").name().as_deref(), Some("api.example"));
        assert_eq!(pattern("*.api.example").name(), None);
        assert_eq!(pattern("10.0.0.1").name(), None);
        assert_eq!(pattern("10.0.0.1").address(), "10.0.0.1".parse().ok());
        assert_eq!(pattern("*.API.example").parent().as_deref(), Some("api.example"));
        assert_eq!(pattern("*.eu-*.API.example").parent().as_deref(), Some("api.example"));
        assert_eq!(pattern("a*.example").parent().as_deref(), Some("example"));
        for other in ["api.example", "*", "api.*", "*example", "10.0.*", "*.0.0.1", "[fd00::*]"] {
            assert_eq!(pattern(other).parent(), None, "{other}");
        }
        let address = HostPattern::of_address("fd00::5".parse().unwrap());
        assert_eq!(HostPattern::parse(address.as_str()), Ok(address));
    }

    #[test]
    fn patterns_overlap_where_a_host_could_match_both() {
        for (one, two) in [
            ("api.example", "API.example"),
            ("*.example", "api.*"),
            ("*.example", "api.example"),
            ("a*b.example", "ab.*"),
            ("*", "10.0.0.1"),
            ("10.0.*", "10.0.0.1"),
            ("*a*a*", "aa.b"),
        ] {
            assert!(pattern(one).overlaps(&pattern(two)), "{one} {two}");
            assert!(pattern(two).overlaps(&pattern(one)), "{two} {one}");
        }
        for (one, two) in [
            ("api.example", "api2.example"),
            ("*.example", "example"),
            ("*.a.example", "*.b.example"),
            ("10.0.*", "10.1.0.1"),
            ("10.0.0.1", "api.example"),
            ("a*.x", "b*.x"),
        ] {
            assert!(!pattern(one).overlaps(&pattern(two)), "{one} {two}");
            assert!(!pattern(two).overlaps(&pattern(one)), "{two} {one}");
        }
    }

    #[test]
    fn what_cannot_be_a_host_is_refused() {
        for text in ["", "a b", "http://a", "a..b", "a:443", "fd00::5", "a/b", "\u{e9}.x"] {
            assert_eq!(HostPattern::parse(text), Err(HostPatternError), "{text:?}");
        }
    }
}
