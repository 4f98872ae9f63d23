//! The host's certificate authority as the stores see it: a certificate, never its key.
//!
//! Owns reading it from where the daemon leaves it.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::files::Files;
use crate::tls::{AuthorityFacts, CertificateNames};

/// The host's certificate authority.
#[derive(Clone, Debug, Serialize)]
pub struct Authority {
    /// Where its certificate is.
    pub file: PathBuf,
    /// SHA-256 of it, hexadecimal.
    pub fingerprint: String,
    /// Until when it is good, in seconds of the epoch.
    pub valid_until_seconds: u64,
    /// What it may sign for.
    pub names: Vec<String>,
    /// The certificate, as text.
    #[serde(skip)]
    pub(super) pem: String,
}

impl Authority {
    /// Reads the certificate below the state directory; `None` where the daemon has made none.
    ///
    /// # Errors
    /// Where there is something else in its place.
    pub fn read(files: &Files, state_directory: &Path) -> Result<Option<Self>, super::TrustError> {
        let file = state_directory.join("ca/host-ca.pem");
        let Some(found) = files.read(&files.resolve(&file)?)? else { return Ok(None) };
        let unfit = || {
            super::TrustError::Unfit(format!(
                "{} holds no certificate of the gateway's authority",
                file.display()
            ))
        };
        let text = String::from_utf8(found.bytes).map_err(|_| unfit())?;
        let facts = AuthorityFacts::read(&text).ok_or_else(unfit)?;
        let pem = text;
        let AuthorityFacts { fingerprint, valid_until_seconds, names } = facts;
        let CertificateNames { dns, addresses } = names;
        let addresses = addresses.iter().map(ToString::to_string);
        let names = dns.into_iter().chain(addresses).collect();
        Ok(Some(Self { file, fingerprint, valid_until_seconds, names, pem }))
    }

    /// What is put where certificates are read from text: the certificate, with a line end.
    pub(super) fn text(&self) -> String {
        format!("{}\n", self.pem.trim_end())
    }
}
