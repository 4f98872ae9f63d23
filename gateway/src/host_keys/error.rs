//! Why there is no host key to show, or an upstream is not trusted.
//!
//! Owns the words: what was seen, which file decides, and what to do. Must not decide.

use std::io;
use std::path::PathBuf;

/// Why host keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HostKeyError {
    /// A file cannot be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Others can read a private key, or change a file of trust.
    #[error("{}: {because}", .path.display())]
    Exposed {
        /// Which.
        path: PathBuf,
        /// What is wrong, and what to do.
        because: String,
    },
    /// It is not what it should be.
    #[error("{}: {because}", .path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// Why.
        because: String,
    },
    /// A key or a certificate cannot be made.
    #[error("a host key or certificate cannot be made: {0}")]
    Making(String),
    /// The upstream is not trusted.
    #[error("{0}")]
    NotTrusted(Box<NotTrusted>),
    /// It is no target of SSH.
    #[error("the target is none of SSH")]
    NoTarget,
}

/// Why an upstream is not trusted. `shown` is a fingerprint.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTrusted {
    /// Nothing is known of it.
    #[error(
        "no host key is known for {host} in {}; it shows {shown}; compare that with \
         `ssh-keygen -lf /etc/ssh/ssh_host_..._key.pub` on the host itself, and add the line: {line}",
        .file.display()
    )]
    Unknown {
        /// The names it was looked for by.
        host: String,
        /// Where.
        file: PathBuf,
        /// What it shows.
        shown: String,
        /// The line that would make it known.
        line: String,
    },
    /// Other keys are known for it.
    #[error(
        "the host key of {host} is not the one in {} (line {known_line}): it shows {shown}; either \
         somebody stands in between, or the host has a new key: compare with `ssh-keygen -lf \
         /etc/ssh/ssh_host_..._key.pub` on the host itself before changing that line",
        .file.display()
    )]
    Changed {
        /// The names it was looked for by.
        host: String,
        /// Where.
        file: PathBuf,
        /// The line with another key.
        known_line: usize,
        /// What it shows.
        shown: String,
    },
    /// The key is marked as revoked.
    #[error(
        "the host key {shown} of {host} is revoked by {} (line {known_line}); the host needs a new \
         key, and that file a line with it",
        .file.display()
    )]
    Revoked {
        /// The names it was looked for by.
        host: String,
        /// Where.
        file: PathBuf,
        /// The line that revokes it.
        known_line: usize,
        /// What it shows.
        shown: String,
    },
    /// A certificate is wanted and a bare key shown.
    #[error(
        "{host} shows the bare key {shown}, and {} trusts only certificates; sign its key (ssh-keygen \
         -h -s CA -n NAMES ...) and name the certificate as HostCertificate in its sshd_config",
        .file.display()
    )]
    BareKey {
        /// The names it was looked for by.
        host: String,
        /// Where the authorities are.
        file: PathBuf,
        /// What it shows.
        shown: String,
    },
    /// The certificate's authority is not trusted.
    #[error(
        "the host certificate of {host} is signed by {authority}, which {} does not trust for it",
        .file.display()
    )]
    Authority {
        /// The names it was looked for by.
        host: String,
        /// Where the authorities are.
        file: PathBuf,
        /// Fingerprint of the authority.
        authority: String,
    },
    /// The certificate is not good.
    #[error("the host certificate of {host} cannot be accepted: {because}")]
    Certificate {
        /// The names it was looked for by.
        host: String,
        /// Why.
        because: String,
    },
}

impl HostKeyError {
    /// What the client may know: no path, no address and no key.
    #[must_use]
    pub fn for_client(&self) -> &'static str {
        let Self::NotTrusted(because) = self else {
            return "the host keys of this target cannot be used";
        };
        match **because {
            NotTrusted::Unknown { .. } => "no host key is known for the upstream",
            NotTrusted::Changed { .. } => {
                "the upstream's host key is not the one that is known for it"
            }
            NotTrusted::Revoked { .. } => "the upstream's host key is revoked",
            NotTrusted::BareKey { .. }
            | NotTrusted::Authority { .. }
            | NotTrusted::Certificate { .. } => "the upstream's host certificate is not trusted",
        }
    }
}

impl From<NotTrusted> for HostKeyError {
    fn from(because: NotTrusted) -> Self {
        Self::NotTrusted(Box::new(because))
    }
}
