//! The host's SSH certificate authority.
//!
//! Owns its key on disk: made on first use, unique to this host, readable for root alone; and the
//! shape of the host certificates it signs. Must not know who trusts it: clients do by a line in
//! their known hosts, which names the targets it is trusted for.

use std::path::Path;
use std::time::Duration;

use model::Timestamp;
use russh::keys::ssh_key::certificate::{Builder, CertType};
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::ssh_key::{self, LineEnding};
use russh::keys::{Certificate, HashAlg, PrivateKey, PublicKey};
use zeroize::Zeroizing;

use super::HostKeyError;
use super::files;

const KEY_FILE: &str = "ssh-ca.key";
/// The file with the authority's public key, beside that of the key: what clients take in.
pub const PUBLIC_KEY_FILE: &str = "ssh-ca.pub";

/// How long a host certificate is good. It is shown within seconds of being signed; the rest is
/// for clocks that are ahead of ours.
pub(super) const CERTIFICATE_LIVES: Duration = Duration::from_secs(3_600);
/// Clocks of clients may be behind ours by this much.
const CLOCKS_BEHIND: Duration = Duration::from_secs(3_600);

/// The certificate authority.
#[derive(Debug)]
pub struct SshAuthority {
    key: PrivateKey,
}

impl SshAuthority {
    /// Opens the authority in `directory`, or makes one.
    ///
    /// # Errors
    /// Where files cannot be read or written, or the key may be known to others.
    pub fn open(directory: &Path) -> Result<Self, HostKeyError> {
        let authority =
            Self { key: key(directory, KEY_FILE, || ed25519("Portcullis SSH host CA"))? };
        let line = format!("{}\n", authority.public_line()?);
        let public = directory.join(PUBLIC_KEY_FILE);
        // Restored from a backup without it, or from another host's: the key decides.
        if std::fs::read_to_string(&public).ok().as_deref() != Some(line.as_str()) {
            files::write_public(&public, &line)?;
        }
        Ok(authority)
    }

    /// The public key, as a line of `known_hosts` takes it: type and base64.
    ///
    /// # Errors
    /// Where it cannot be encoded.
    pub fn public_line(&self) -> Result<String, HostKeyError> {
        self.key.public_key().to_openssh().map_err(making)
    }

    /// Its fingerprint (`SHA256:...`).
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }

    /// Signs a host certificate; with no names it is good for every name.
    pub(super) fn sign(
        &self,
        subject: &PublicKey,
        names: &[String],
        now: Timestamp,
    ) -> Result<Certificate, HostKeyError> {
        let now = Duration::from_secs(now.as_seconds());
        let (after, before) = (now.saturating_sub(CLOCKS_BEHIND), now + CERTIFICATE_LIVES);
        let (mut nonce, mut serial) = ([0; 32], [0; 8]);
        fill(&mut nonce)?;
        fill(&mut serial)?;
        let subject = subject.key_data().clone();
        let mut certificate =
            Builder::new(nonce, subject, after.as_secs(), before.as_secs()).map_err(making)?;
        certificate.cert_type(CertType::Host).map_err(making)?;
        certificate.serial(u64::from_be_bytes(serial)).map_err(making)?;
        certificate.key_id("portcullis").map_err(making)?;
        if names.is_empty() {
            certificate.all_principals_valid().map_err(making)?;
        }
        for name in names {
            certificate.valid_principal(name).map_err(making)?;
        }
        certificate.sign(&self.key).map_err(making)
    }
}

/// The key in a file of ours, made where there is none.
pub(super) fn key(
    directory: &Path,
    name: &str,
    make: impl FnOnce() -> Result<PrivateKey, HostKeyError>,
) -> Result<PrivateKey, HostKeyError> {
    files::make_directory(directory)?;
    let path = directory.join(name);
    if let Some(text) = files::read_own_key(&path)? {
        return PrivateKey::from_openssh(text.expose()).map_err(|error| HostKeyError::Unusable {
            path,
            because: format!("{error}; remove it to have a new one made"),
        });
    }
    let key = make()?;
    let text: Zeroizing<String> = key.to_openssh(LineEnding::LF).map_err(making)?;
    files::write_key(&path, &text)?;
    Ok(key)
}

pub(super) fn ed25519(comment: &str) -> Result<PrivateKey, HostKeyError> {
    let mut seed = Zeroizing::new([0; 32]);
    fill(seed.as_mut())?;
    let mut key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
    key.set_comment(comment);
    Ok(key)
}

fn fill(bytes: &mut [u8]) -> Result<(), HostKeyError> {
    let filled = aws_lc_rs::rand::fill(bytes);
    filled.map_err(|_| HostKeyError::Making(String::from("the system gives no randomness")))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
pub(super) fn making(error: ssh_key::Error) -> HostKeyError {
    HostKeyError::Making(error.to_string())
}
