//! Files that say which host keys are known: OpenSSH's `known_hosts` (sshd(8), "SSH_KNOWN_HOSTS
//! FILE FORMAT"), and lists of authorities.
//!
//! Owns the reading of lines and which of them speak of a host. Must not judge. What OpenSSH reads
//! and skips is read and skipped here, but for a revocation that cannot be read: that is an error.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use russh::keys::PublicKey;

/// Hashed host names begin so.
const HASHED: &str = "|1|";

/// What a line says of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// It is a host's.
    Known,
    /// It signs host certificates.
    Authority,
    /// It must never be accepted.
    Revoked,
}

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Its number, from 1.
    pub(super) number: usize,
    /// What it says.
    pub(super) says: Says,
    /// Of which key.
    pub(super) key: PublicKey,
    hosts: Hosts,
}

#[derive(Clone, Debug)]
enum Hosts {
    /// Of every host (a line of a list of authorities).
    Any,
    /// Patterns, lower case.
    Patterns(Vec<String>),
    /// HMAC-SHA1 of one name.
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

impl Line {
    /// Whether it speaks of a host: `name` is lower case, and `[name]:port` where the port is not
    /// 22.
    pub(super) fn speaks_of(&self, name: &str) -> bool {
        match &self.hosts {
            Hosts::Any => true,
            Hosts::Patterns(patterns) => patterns_match(patterns, name),
            Hosts::Hashed { salt, hash } => {
                let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
                hmac::verify(&key, name.as_bytes(), hash).is_ok()
            }
        }
    }
}

/// Reads a file in the format of `known_hosts`.
///
/// # Errors
/// The number of a line that revokes something that cannot be read.
pub(super) fn read(text: &str) -> Result<Vec<Line>, usize> {
    let mut lines = Vec::new();
    for (number, line) in numbered(text) {
        match read_line(number, line) {
            Some(line) => lines.push(line),
            // Kept out of sight it would be trusted again.
            None if line.starts_with("@revoked") => return Err(number),
            None => {}
        }
    }
    Ok(lines)
}

/// Reads a list of authorities: public keys, or lines of `known_hosts` that begin with a marker.
///
/// # Errors
/// The number of a line that is neither.
pub(super) fn read_authorities(text: &str) -> Result<Vec<Line>, usize> {
    numbered(text)
        .map(|(number, line)| {
            let read = if line.starts_with('@') {
                read_line(number, line)
            } else {
                PublicKey::from_openssh(line).ok().filter(is_usable).map(|key| Line {
                    number,
                    says: Says::Authority,
                    key,
                    hosts: Hosts::Any,
                })
            };
            read.ok_or(number)
        })
        .collect()
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn read_line(number: usize, line: &str) -> Option<Line> {
    let (says, line) = match line.strip_prefix('@') {
        None => (Says::Known, line),
        Some(marked) => {
            let (marker, rest) = marked.split_once([' ', '\t'])?;
            let says = match marker {
                "cert-authority" => Says::Authority,
                "revoked" => Says::Revoked,
                _ => return None,
            };
            (says, rest.trim_start())
        }
    };
    let (hosts, key) = line.split_once([' ', '\t'])?;
    let key = PublicKey::from_openssh(key.trim_start()).ok().filter(is_usable)?;
    Some(Line { number, says, key, hosts: read_hosts(hosts)? })
}

/// A certificate is no key, and a key of a type we do not know proves nothing to us.
fn is_usable(key: &PublicKey) -> bool {
    let data = key.key_data();
    !data.is_certificate() && !data.is_other() && !data.is_dsa()
}

fn read_hosts(text: &str) -> Option<Hosts> {
    let Some(hashed) = text.strip_prefix(HASHED) else {
        return Some(Hosts::Patterns(text.split(',').map(str::to_ascii_lowercase).collect()));
    };
    let (salt, hash) = hashed.split_once('|')?;
    let (salt, hash) = (STANDARD.decode(salt).ok()?, STANDARD.decode(hash).ok()?);
    (hash.len() == 20 && !salt.is_empty()).then_some(Hosts::Hashed { salt, hash })
}

/// A negated pattern that matches excludes the line, whatever else matches.
fn patterns_match(patterns: &[String], name: &str) -> bool {
    let mut matched = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(pattern) if wildcard(pattern, name) => return false,
            Some(_) => {}
            None => matched |= wildcard(pattern, name),
        }
    }
    matched
}

/// `*` is any run, `?` any one character. Linear in the product of the lengths.
pub(super) fn wildcard(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(b'?') => (p, t) = (p + 1, t + 1),
            Some(byte) if text.get(t) == Some(byte) => (p, t) = (p + 1, t + 1),
            _ => {
                let Some((star_p, star_t)) = star else { return false };
                star = Some((star_p, star_t + 1));
                (p, t) = (star_p + 1, star_t + 1);
            }
        }
    }
    pattern.iter().skip(p).all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests;
