//! Who is who in SSH: the keys that the gateway shows to clients, and the keys that it accepts of
//! upstreams.
//!
//! Owns the host's SSH certificate authority and the host certificates it signs, the host keys
//! that operators enrol, and the verdict on what an upstream shows. Must not know a session or a
//! credential. Nothing is ever trusted on first use. Nothing here runs on its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Clock;
use russh::keys::{Certificate, PrivateKey, PublicKey};

/// What an upstream's host key is checked against.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostKeyTrust {
    /// A file in the format of OpenSSH's `known_hosts`.
    KnownHosts(PathBuf),
    /// A file with the public keys of certificate authorities that sign host keys, one a line.
    CertificateAuthority(PathBuf),
}

/// What the gateway shows clients of a target.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ClientHostKey {
    /// A host certificate that the gateway's own authority signs.
    Certificate,
    /// The target's own host keys, which the operator has put in these files.
    Enrolled(Vec<PathBuf>),
}

/// What a server shows of itself.
#[derive(Clone, Copy, Debug)]
pub enum Shown<'a> {
    /// A bare key.
    Key(&'a PublicKey),
    /// A host certificate.
    Certificate(&'a Certificate),
}

/// What the gateway shows to one client.
#[derive(Debug)]
pub struct HostIdentity {
    /// The keys that exchanges are signed with.
    pub keys: Vec<PrivateKey>,
    /// Certificates for some of them.
    pub certificates: Vec<Certificate>,
}

/// Why there is no host key to show, or an upstream is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum HostKeyError {
    /// Nothing is there to check against, or to show.
    #[error("{0}")]
    Unusable(String),
}

impl HostKeyError {
    /// What the client may know: no path and no key.
    #[must_use]
    pub const fn for_client(&self) -> &'static str {
        match self {
            Self::Unusable(_) => "the host keys of this target cannot be used",
        }
    }
}

/// Host keys of both sides.
#[derive(Debug)]
pub struct HostKeys {
    _directory: PathBuf,
    _clock: Arc<dyn Clock>,
}

impl HostKeys {
    /// Keeps what must be kept in `directory`.
    #[must_use]
    pub fn new(directory: &Path, clock: Arc<dyn Clock>) -> Self {
        Self { _directory: directory.to_owned(), _clock: clock }
    }

    /// What to show a client that reaches the target by one of `names`. `client_version` is the
    /// client's version line (`SSH-2.0-OpenSSH_9.2p1`), where it has sent one.
    ///
    /// # Errors
    /// Where there is nothing to show.
    pub fn identity(
        &self,
        _choice: &ClientHostKey,
        _names: &[String],
        _client_version: Option<&str>,
    ) -> Result<HostIdentity, HostKeyError> {
        Err(HostKeyError::Unusable(String::from("no host keys")))
    }

    /// Whether what an upstream shows is what the target's configuration trusts.
    ///
    /// # Errors
    /// Where it is not.
    pub fn verdict(
        &self,
        _trust: &HostKeyTrust,
        _at: &UpstreamName,
        _shown: Shown<'_>,
    ) -> Result<(), HostKeyError> {
        Err(HostKeyError::Unusable(String::from("no host keys")))
    }
}

/// What an upstream is called, for looking it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamName {
    /// Its configured names, and its address.
    pub hosts: Vec<String>,
    /// Its port.
    pub port: u16,
}
