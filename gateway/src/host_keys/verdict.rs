//! The verdict on what an upstream shows of itself.
//!
//! Owns the rules: a revocation wins; a key must be known for the host; a certificate must be a
//! good host certificate of an authority that is known for the host. Must not learn: what is not
//! known is refused, every time. Files are looked at each time and read where they changed.
//!
//! As OpenSSH does, a host at another port than 22 is looked for as `[host]:port` first, and under
//! its bare name where nothing is known of that.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Timestamp;
use parking_lot::Mutex;
use russh::keys::ssh_key::certificate::CertType;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, Certificate, HashAlg, PublicKey};

use super::error::NotTrusted;
use super::known_hosts::{self, Line, Says};
use super::{HostKeyError, HostKeyTrust, Shown, UpstreamName, files};
use crate::files::Looks;

/// Files remembered: as many as targets have.
const FILES_MAX: usize = 4_096;
/// The smallest RSA modulus, in bits, of a key that a certificate is about or signed with. What
/// the operator has pinned is his to choose.
const RSA_BITS_MIN: usize = 2_048;

/// What an upstream may show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Whether certificates can be checked: an authority is known for it.
    pub certificates: bool,
    /// The types of the keys that are known for it. Empty where none is: any may then be asked
    /// for, to say which was seen.
    pub known: Vec<Algorithm>,
}

/// The files of trust read so far.
#[derive(Debug, Default)]
pub(super) struct TrustFiles {
    read: Mutex<HashMap<HostKeyTrust, Read>>,
}

/// Lines, and how their file looked.
type Read = (Looks, Arc<[Line]>);

impl TrustFiles {
    /// Whether a file can be used.
    pub(super) fn check(&self, trust: &HostKeyTrust) -> Result<(), HostKeyError> {
        let lines = self.lines(trust)?;
        if lines.iter().all(|line| line.says == Says::Revoked) {
            let because = String::from("it makes no host key and no authority known");
            return Err(HostKeyError::Unusable { path: file_of(trust).to_owned(), because });
        }
        Ok(())
    }

    /// What an upstream may show.
    pub(super) fn expected(
        &self,
        trust: &HostKeyTrust,
        at: &UpstreamName,
    ) -> Result<Expected, HostKeyError> {
        let lines = self.lines(trust)?;
        let relevant = Relevant::of(&lines, at);
        let mut known: Vec<Algorithm> = Vec::new();
        for line in relevant.of_kind(Says::Known) {
            let algorithm = line.key.algorithm();
            if !known.contains(&algorithm) {
                known.push(algorithm);
            }
        }
        let certificates = relevant.of_kind(Says::Authority).next().is_some();
        Ok(Expected { certificates, known })
    }

    /// The verdict.
    pub(super) fn verdict(
        &self,
        trust: &HostKeyTrust,
        at: &UpstreamName,
        shown: Shown<'_>,
        now: Timestamp,
    ) -> Result<(), HostKeyError> {
        let lines = self.lines(trust)?;
        let case = Case { at, file: file_of(trust), relevant: Relevant::of(&lines, at) };
        case.not_revoked(shown)?;
        match (trust, shown) {
            (HostKeyTrust::KnownHosts(_), Shown::Key(key)) => case.known_key(key),
            (HostKeyTrust::CertificateAuthority(_), Shown::Key(key)) => {
                let shown = fingerprint(key.key_data());
                let (host, file) = (case.host(), case.file.to_owned());
                Err(NotTrusted::BareKey { host, file, shown }.into())
            }
            (_, Shown::Certificate(certificate)) => case.certificate(certificate, now),
        }
    }

    fn lines(&self, trust: &HostKeyTrust) -> Result<Arc<[Line]>, HostKeyError> {
        let path = file_of(trust);
        let looks = files::looks_of(path)?;
        let mut read = self.read.lock();
        if let Some((known, lines)) = read.get(trust)
            && *known == looks
        {
            return Ok(Arc::clone(lines));
        }
        // What cannot be read any more is not used any more.
        read.remove(trust);
        let (looks, text) = files::read_trust(path)?;
        let lines = match trust {
            HostKeyTrust::KnownHosts(_) => known_hosts::read(&text),
            HostKeyTrust::CertificateAuthority(_) => known_hosts::read_authorities(&text),
        };
        let lines: Arc<[Line]> = lines
            .map_err(|number| HostKeyError::Unusable {
                path: path.to_owned(),
                because: format!("line {number} cannot be read"),
            })?
            .into();
        if read.len() >= FILES_MAX {
            read.clear();
        }
        read.insert(trust.clone(), (looks, Arc::clone(&lines)));
        Ok(lines)
    }
}

fn file_of(trust: &HostKeyTrust) -> &PathBuf {
    match trust {
        HostKeyTrust::KnownHosts(file) | HostKeyTrust::CertificateAuthority(file) => file,
    }
}

/// The lines that speak of a host.
struct Relevant<'a> {
    /// Under `[host]:port`.
    exact: Vec<&'a Line>,
    /// Under the bare name; empty where the port is 22, the name being exact then.
    bare: Vec<&'a Line>,
}

impl<'a> Relevant<'a> {
    fn of(lines: &'a [Line], at: &UpstreamName) -> Self {
        let bare: Vec<String> = at.hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        let speaks = |names: &[String]| -> Vec<&'a Line> {
            let speaks = |line: &&Line| names.iter().any(|name| line.speaks_of(name));
            lines.iter().filter(speaks).collect()
        };
        if at.port == 22 {
            return Self { exact: speaks(&bare), bare: Vec::new() };
        }
        let exact: Vec<String> = bare.iter().map(|name| format!("[{name}]:{}", at.port)).collect();
        Self { exact: speaks(&exact), bare: speaks(&bare) }
    }

    /// The lines of a kind: those of the exact name, or else those of the bare one.
    fn of_kind(&self, says: Says) -> impl Iterator<Item = &'a Line> {
        let exact = self.exact.iter().any(|line| line.says == says);
        let lines = if exact { &self.exact } else { &self.bare };
        lines.iter().copied().filter(move |line| line.says == says)
    }

    fn revoked(&self) -> impl Iterator<Item = &'a Line> {
        let lines = self.exact.iter().chain(&self.bare);
        lines.copied().filter(|line| line.says == Says::Revoked)
    }
}

struct Case<'a> {
    at: &'a UpstreamName,
    file: &'a Path,
    relevant: Relevant<'a>,
}

impl Case<'_> {
    fn host(&self) -> String {
        let names: Vec<String> =
            self.at.hosts.iter().map(|host| format!("[{host}]:{}", self.at.port)).collect();
        names.join(", ")
    }

    /// Neither the key, nor the key in a certificate, nor the one that signed it, is revoked.
    fn not_revoked(&self, shown: Shown<'_>) -> Result<(), NotTrusted> {
        let keys: Vec<&KeyData> = match shown {
            Shown::Key(key) => vec![key.key_data()],
            Shown::Certificate(one) => vec![one.public_key(), one.signature_key()],
        };
        let hit = self.relevant.revoked().find_map(|line| {
            let key = keys.iter().find(|key| line.key.key_data() == **key)?;
            Some((line.number, fingerprint(key)))
        });
        match hit {
            Some((known_line, shown)) => {
                let (host, file) = (self.host(), self.file.to_owned());
                Err(NotTrusted::Revoked { host, file, known_line, shown })
            }
            None => Ok(()),
        }
    }

    fn known_key(&self, key: &PublicKey) -> Result<(), HostKeyError> {
        let mut first = None;
        for line in self.relevant.of_kind(Says::Known) {
            if line.key.key_data() == key.key_data() {
                return Ok(());
            }
            first.get_or_insert(line.number);
        }
        let (host, file) = (self.host(), self.file.to_owned());
        let shown = fingerprint(key.key_data());
        Err(match first {
            Some(known_line) => NotTrusted::Changed { host, file, known_line, shown },
            None => NotTrusted::Unknown { host, file, shown, line: self.line_for(key) },
        }
        .into())
    }

    fn line_for(&self, key: &PublicKey) -> String {
        let name = self.at.hosts.first().map_or("", String::as_str);
        let key = PublicKey::new(key.key_data().clone(), "").to_openssh().unwrap_or_default();
        let name =
            if self.at.port == 22 { name.to_owned() } else { format!("[{name}]:{}", self.at.port) };
        format!("{name} {key}")
    }

    fn certificate(&self, shown: &Certificate, now: Timestamp) -> Result<(), HostKeyError> {
        let mut authorities = self.relevant.of_kind(Says::Authority);
        if authorities.any(|line| line.key.key_data() == shown.signature_key()) {
            return good_certificate(shown, &self.at.hosts, now)
                .map_err(|because| NotTrusted::Certificate { host: self.host(), because }.into());
        }
        // Its authority is a stranger; the key in it may be known by itself.
        let mut known = self.relevant.of_kind(Says::Known);
        if known.any(|line| line.key.key_data() == shown.public_key()) {
            return Ok(());
        }
        let (host, file) = (self.host(), self.file.to_owned());
        let authority = fingerprint(shown.signature_key());
        Err(NotTrusted::Authority { host, file, authority }.into())
    }
}

/// Whether a certificate of a trusted authority is good for one of the names now.
fn good_certificate(shown: &Certificate, hosts: &[String], now: Timestamp) -> Result<(), String> {
    if shown.cert_type() != CertType::Host {
        return Err(String::from("it is no host certificate"));
    }
    match shown.signature().algorithm() {
        Algorithm::Rsa { hash: None } | Algorithm::Dsa => {
            return Err(String::from("it is signed with SHA-1; sign it again"));
        }
        _ => {}
    }
    for key in [shown.public_key(), shown.signature_key()] {
        if key.rsa().is_some_and(|key| rsa_bits(key) < RSA_BITS_MIN) {
            return Err(format!("it has to do with an RSA key of fewer than {RSA_BITS_MIN} bits"));
        }
    }
    if shown.critical_options().iter().next().is_some() {
        return Err(String::from("it has critical options, and host certificates have none"));
    }
    let principals = shown.valid_principals();
    if principals.is_empty() {
        return Err(String::from("it names no host; sign it again with -n NAMES"));
    }
    let names_host = |principal: &String| {
        let principal = principal.to_ascii_lowercase();
        hosts.iter().any(|host| known_hosts::wildcard(&principal, &host.to_ascii_lowercase()))
    };
    if !principals.iter().any(names_host) {
        return Err(format!("it is for {}", principals.join(", ")));
    }
    let (from, until, at) = (shown.valid_after(), shown.valid_before(), now.as_seconds());
    if at < from || until <= at {
        return Err(format!("it is good from {from} until {until} (Unix time), and now is {at}"));
    }
    let authority = shown.signature_key().fingerprint(HashAlg::Sha256);
    shown
        .validate_at(at, [&authority])
        .map_err(|_| String::from("its signature is not that of the authority it names"))
}

fn rsa_bits(key: &russh::keys::ssh_key::public::RsaPublicKey) -> usize {
    let bytes = key.n().as_positive_bytes().unwrap_or_default();
    let leading = bytes.first().map_or(0, |first| first.leading_zeros() as usize);
    (bytes.len() * 8).saturating_sub(leading)
}

/// A key's fingerprint, as OpenSSH prints it.
fn fingerprint(key: &KeyData) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

#[cfg(test)]
mod tests;
