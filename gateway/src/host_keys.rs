//! Who is who in SSH: the keys that the gateway shows to clients, and the keys that it accepts of
//! upstreams.
//!
//! Owns the host's SSH certificate authority and the host certificates it signs, the host keys
//! that operators enrol, and the verdict on what an upstream shows. Must not know a session or a
//! credential. Nothing is ever trusted on first use. Nothing here runs on its own.

mod authority;
mod enrolled;
mod error;
mod files;
mod known_hosts;
mod minted;
#[cfg(test)]
pub(crate) mod testing;
mod verdict;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Clock;
use parking_lot::Mutex;
use russh::keys::{Certificate, PrivateKey, PublicKey};

pub use authority::{PUBLIC_KEY_FILE, SshAuthority};
use enrolled::Enrolled;
pub use error::{HostKeyError, NotTrusted};
use minted::Minted;
pub use verdict::Expected;
use verdict::TrustFiles;

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
#[derive(Clone, Debug)]
pub struct HostIdentity {
    /// The keys that exchanges are signed with.
    pub keys: Vec<PrivateKey>,
    /// Certificates for some of them.
    pub certificates: Vec<Certificate>,
}

/// What an upstream is called, for looking it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamName {
    /// Its configured names, and its address.
    pub hosts: Vec<String>,
    /// Its port.
    pub port: u16,
}

/// Host keys of both sides.
#[derive(Debug)]
pub struct HostKeys {
    directory: PathBuf,
    clock: Arc<dyn Clock>,
    minted: Mutex<Option<Arc<Minted>>>,
    enrolled: Enrolled,
    trust: TrustFiles,
}

impl HostKeys {
    /// Keeps what must be kept in `directory`. Nothing is made before it is asked for.
    #[must_use]
    pub fn new(directory: &Path, clock: Arc<dyn Clock>) -> Self {
        Self {
            directory: directory.to_owned(),
            clock,
            minted: Mutex::new(None),
            enrolled: Enrolled::default(),
            trust: TrustFiles::default(),
        }
    }

    /// Makes sure that a target can be served: the authority is there, enrolled keys and files of
    /// trust can be read. To be asked before a configuration is taken in.
    ///
    /// # Errors
    /// What cannot be used, with a remedy.
    pub fn check(&self, choice: &ClientHostKey, trust: &HostKeyTrust) -> Result<(), HostKeyError> {
        match choice {
            ClientHostKey::Certificate => self.minted().map(drop)?,
            ClientHostKey::Enrolled(files) => self.enrolled.identity(files).map(drop)?,
        }
        self.trust.check(trust)
    }

    /// What to show a client that reaches the target by one of `names`. `client_version` is the
    /// client's version line (`SSH-2.0-OpenSSH_9.2p1`), where it has sent one. The first call
    /// makes keys and takes a moment.
    ///
    /// # Errors
    /// Where there is nothing to show.
    pub fn identity(
        &self,
        choice: &ClientHostKey,
        names: &[String],
        client_version: Option<&str>,
    ) -> Result<HostIdentity, HostKeyError> {
        match choice {
            ClientHostKey::Certificate => {
                self.minted()?.identity(names, client_version, self.clock.now())
            }
            ClientHostKey::Enrolled(files) => self.enrolled.identity(files),
        }
    }

    /// What an upstream may show, to be asked for in its order.
    ///
    /// # Errors
    /// Where the file of trust cannot be used.
    pub fn expected(
        &self,
        trust: &HostKeyTrust,
        at: &UpstreamName,
    ) -> Result<Expected, HostKeyError> {
        self.trust.expected(trust, at)
    }

    /// Whether what an upstream shows is what the target's configuration trusts. That it holds the
    /// key has been proved by the exchange, not here.
    ///
    /// # Errors
    /// Where it is not.
    pub fn verdict(
        &self,
        trust: &HostKeyTrust,
        at: &UpstreamName,
        shown: Shown<'_>,
    ) -> Result<(), HostKeyError> {
        self.trust.verdict(trust, at, shown, self.clock.now())
    }

    /// The authority that signs host certificates, made where there is none.
    ///
    /// # Errors
    /// Where its files cannot be used.
    pub fn authority(&self) -> Result<SshAuthority, HostKeyError> {
        SshAuthority::open(&self.directory)
    }

    fn minted(&self) -> Result<Arc<Minted>, HostKeyError> {
        let mut minted = self.minted.lock();
        if let Some(minted) = &*minted {
            return Ok(Arc::clone(minted));
        }
        let made = Arc::new(Minted::open(&self.directory)?);
        *minted = Some(Arc::clone(&made));
        Ok(made)
    }
}
