//! The gateway's key at the upstream.
//!
//! Owns reading it and signing with it. Must not know a connection. RSA is signed with by the one
//! crypto provider (aws-lc-rs), whose private operations take the same time whatever the key;
//! those of the key types that the SSH library brings do not promise that (RUSTSEC-2023-0071).
//! Wiped when dropped.

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, RsaKeyPair};
use russh::keys::agent::AgentIdentity;
use russh::keys::pkcs8::encode_pkcs8;
use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode;
use russh::keys::ssh_key::Signature;
use russh::keys::{Algorithm, Certificate, HashAlg, PrivateKey, decode_secret_key};
use zeroize::Zeroizing;

/// Why a key cannot be used. The texts hold nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::protocols::ssh) enum KeyError {
    /// It is no key.
    #[error("private key is none that can be read (OpenSSH, PKCS #8, PKCS #1)")]
    Unreadable,
    /// It needs a passphrase.
    #[error("private key needs a passphrase; take it off: ssh-keygen -p -N '' -f FILE")]
    Locked,
    /// It is a key that only a hardware token can sign with, or too small.
    #[error(
        "private key is of a kind that cannot be used (ed25519, ecdsa, rsa of 2048 to 8192 bits)"
    )]
    Kind,
    /// The certificate is no certificate.
    #[error("certificate cannot be read")]
    Certificate,
    /// The certificate is for another key.
    #[error("certificate is for another key than the private key")]
    Mismatch,
    /// No signature.
    #[error("private key cannot sign")]
    Signing,
}

/// A key that can sign, and the certificate for it.
pub(super) struct Identity {
    key: Arc<PrivateKey>,
    /// The same key, where it is RSA.
    rsa: Option<RsaKeyPair>,
    certificate: Option<Certificate>,
}

impl Identity {
    /// Reads a key and its certificate.
    pub(super) fn read(key: &str, certificate: Option<&str>) -> Result<Self, KeyError> {
        let key = if key.contains("BEGIN OPENSSH PRIVATE KEY") {
            PrivateKey::from_openssh(key).map_err(|_| KeyError::Unreadable)?
        } else if key.contains("ENCRYPTED") {
            return Err(KeyError::Locked);
        } else {
            decode_secret_key(key, None).map_err(|_| KeyError::Unreadable)?
        };
        if key.is_encrypted() {
            return Err(KeyError::Locked);
        }
        let rsa = match key.algorithm() {
            Algorithm::Rsa { .. } => Some(rsa(&key)?),
            Algorithm::Ed25519 | Algorithm::Ecdsa { .. } => None,
            _ => return Err(KeyError::Kind),
        };
        let certificate = certificate
            .map(|text| Certificate::from_openssh(text.trim()).map_err(|_| KeyError::Certificate))
            .transpose()?;
        if let Some(certificate) = &certificate
            && certificate.public_key() != key.public_key().key_data()
        {
            return Err(KeyError::Mismatch);
        }
        Ok(Self { key: Arc::new(key), rsa, certificate })
    }

    /// The public half.
    pub(super) fn public_key(&self) -> &russh::keys::PublicKey {
        self.key.public_key()
    }

    /// The certificate.
    pub(super) const fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// Whether a hash must be chosen for its signatures.
    pub(super) const fn is_rsa(&self) -> bool {
        self.rsa.is_some()
    }

    fn sign(&self, hash: Option<HashAlg>, data: &[u8]) -> Result<Signature, KeyError> {
        let Some(rsa) = &self.rsa else {
            return self.key.try_sign(data).map_err(|_| KeyError::Signing);
        };
        let (hash, padding) = match hash {
            Some(HashAlg::Sha256) => (HashAlg::Sha256, &signature::RSA_PKCS1_SHA256),
            // Never SHA-1, whatever is asked for.
            _ => (HashAlg::Sha512, &signature::RSA_PKCS1_SHA512),
        };
        let mut bytes = vec![0; rsa.public_modulus_len()];
        rsa.sign(padding, &SystemRandom::new(), data, &mut bytes).map_err(|_| KeyError::Signing)?;
        Signature::new(Algorithm::Rsa { hash: Some(hash) }, bytes).map_err(|_| KeyError::Signing)
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("kind", &self.key.algorithm()).finish_non_exhaustive()
    }
}

/// Why a signature is not made, as the library wants to have it.
#[derive(Debug, thiserror::Error)]
pub(super) enum SigningError {
    /// By us.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The connection is gone.
    #[error("the connection is gone")]
    Gone(#[from] russh::SendError),
}

impl russh::Signer for &Identity {
    type Error = SigningError;

    async fn auth_sign(
        &mut self,
        _key: &AgentIdentity,
        hash: Option<HashAlg>,
        mut data: Vec<u8>,
    ) -> Result<Vec<u8>, Self::Error> {
        let signed = self.sign(hash, &data)?;
        // The request goes on with the signature, as a string.
        signed.encode_prefixed(&mut data).map_err(|_| KeyError::Signing)?;
        Ok(data)
    }
}

fn rsa(key: &PrivateKey) -> Result<RsaKeyPair, KeyError> {
    let document = Zeroizing::new(encode_pkcs8(key).map_err(|_| KeyError::Kind)?);
    RsaKeyPair::from_pkcs8(&document).map_err(|_| KeyError::Kind)
}
