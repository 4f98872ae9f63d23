//! The host keys that the gateway shows clients by default, with certificates of its authority.
//!
//! Owns the keys (kept on disk, so that a client that remembers them is not alarmed by a restart)
//! and the certificates signed of late. Must not know targets: whoever asks gives the names.
//!
//! Principals, by what clients make of them (tried with OpenSSH 9.2; read in the source of 10.5):
//!
//! | client | an empty list | globs | names |
//! |---|---|---|---|
//! | OpenSSH before 10.3 | every name | never match | exact |
//! | OpenSSH from 10.3 | refused | match | exact |
//! | others that know certificates (asyncssh, Go) | every name | never match | exact |
//!
//! So OpenSSH from 10.3 gets the target's names, everybody else the empty list; what a certificate
//! is trusted for is bounded by the pattern of the client's `@cert-authority` line either way. With
//! `HostKeyAlias` OpenSSH looks for the alias: from 10.3 on that works only where the alias is a
//! name of the target.

use std::collections::HashMap;
use std::path::Path;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use model::Timestamp;
use parking_lot::Mutex;
use russh::keys::pkcs8::decode_pkcs8;
use russh::keys::{Certificate, PrivateKey};

use super::authority::{self, CERTIFICATE_LIVES, SshAuthority};
use super::{HostIdentity, HostKeyError};

/// Sets of certificates kept: one per target and kind of client. Raised, more memory.
const KEPT_MAX: usize = 1_024;
/// The version of OpenSSH from which a host certificate needs principals.
const PRINCIPALS_NEEDED_FROM: (u32, u32) = (10, 3);

/// Keys, and certificates for them.
#[derive(Debug)]
pub(super) struct Minted {
    authority: SshAuthority,
    keys: Vec<PrivateKey>,
    /// By principals.
    kept: Mutex<HashMap<Vec<String>, Signed>>,
}

/// Certificates, and when they were signed.
type Signed = (Timestamp, Vec<Certificate>);

impl Minted {
    /// Opens the keys in `directory`, or makes them. Making an RSA key takes a moment.
    pub(super) fn open(directory: &Path) -> Result<Self, HostKeyError> {
        let authority = SshAuthority::open(directory)?;
        let keys = vec![
            authority::key(directory, "ssh-host-ed25519.key", || authority::ed25519("portcullis"))?,
            // For clients held to FIPS 140 and for old ones.
            authority::key(directory, "ssh-host-ecdsa.key", ecdsa)?,
            authority::key(directory, "ssh-host-rsa.key", rsa)?,
        ];
        Ok(Self { authority, keys, kept: Mutex::default() })
    }

    /// The keys, with certificates for a client.
    pub(super) fn identity(
        &self,
        names: &[String],
        client_version: Option<&str>,
        now: Timestamp,
    ) -> Result<HostIdentity, HostKeyError> {
        let needed = client_version.and_then(openssh_version);
        let principals = match needed {
            Some(version) if version >= PRINCIPALS_NEEDED_FROM => names,
            _ => &[],
        };
        let certificates = self.certificates(principals, now)?;
        Ok(HostIdentity { keys: self.keys.clone(), certificates })
    }

    fn certificates(
        &self,
        principals: &[String],
        now: Timestamp,
    ) -> Result<Vec<Certificate>, HostKeyError> {
        let mut kept = self.kept.lock();
        if let Some((signed, certificates)) = kept.get(principals)
            // A clock that was set back makes a certificate of the future.
            && *signed <= now
            && now.since(*signed) < CERTIFICATE_LIVES / 2
        {
            return Ok(certificates.clone());
        }
        let sign = |key: &PrivateKey| self.authority.sign(key.public_key(), principals, now);
        let certificates: Vec<Certificate> =
            self.keys.iter().map(sign).collect::<Result<_, HostKeyError>>()?;
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(principals.to_vec(), (now, certificates.clone()));
        Ok(certificates)
    }
}

/// The version in `SSH-2.0-OpenSSH_9.2p1 Debian-2` or `SSH-2.0-OpenSSH_for_Windows_9.5`.
fn openssh_version(line: &str) -> Option<(u32, u32)> {
    let software = line.strip_prefix("SSH-2.0-OpenSSH_")?;
    let software = software.strip_prefix("for_Windows_").unwrap_or(software);
    let (major, rest) = software.split_once('.')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    Some((major.parse().ok()?, rest.get(..digits)?.parse().ok()?))
}

fn ecdsa() -> Result<PrivateKey, HostKeyError> {
    let made = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(unmade)?;
    taken_in(made.to_pkcs8v1().map_err(unmade)?.as_ref())
}

fn rsa() -> Result<PrivateKey, HostKeyError> {
    let made = RsaKeyPair::generate(KeySize::Rsa3072).map_err(unmade)?;
    let document: Pkcs8V1Der<'_> = made.as_der().map_err(unmade)?;
    taken_in(document.as_ref())
}

fn taken_in(document: &[u8]) -> Result<PrivateKey, HostKeyError> {
    let mut key =
        decode_pkcs8(document, None).map_err(|error| HostKeyError::Making(error.to_string()))?;
    key.set_comment("portcullis");
    Ok(key)
}

fn unmade(_: aws_lc_rs::error::Unspecified) -> HostKeyError {
    HostKeyError::Making(String::from("the crypto provider makes no key"))
}

#[cfg(test)]
mod tests;
