//! Host keys of a target that its operator has given to the gateway.
//!
//! Owns reading them, with the care that a private key asks for, and what was read last. Must not
//! know targets. A key file may have a certificate beside it (`KEY-cert.pub`), as sshd has it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use russh::keys::{Certificate, PrivateKey, decode_secret_key};

use super::{HostIdentity, HostKeyError, files};
use crate::files::Looks;

/// Files remembered: as many as targets have.
const FILES_MAX: usize = 4_096;

/// The keys read so far.
#[derive(Debug, Default)]
pub(super) struct Enrolled {
    read: Mutex<HashMap<PathBuf, (Looks, PrivateKey)>>,
}

impl Enrolled {
    /// The keys in the files, in their order. They are looked at each time and read where they
    /// changed.
    pub(super) fn identity(&self, files: &[PathBuf]) -> Result<HostIdentity, HostKeyError> {
        let mut identity = HostIdentity { keys: Vec::new(), certificates: Vec::new() };
        for file in files {
            let key = self.key(file)?;
            if let Some(certificate) = certificate_beside(file, &key)? {
                identity.certificates.push(certificate);
            }
            identity.keys.push(key);
        }
        Ok(identity)
    }

    fn key(&self, path: &Path) -> Result<PrivateKey, HostKeyError> {
        let looks = files::looks_of(path)?;
        let mut read = self.read.lock();
        if let Some((known, key)) = read.get(path)
            && *known == looks
        {
            return Ok(key.clone());
        }
        // What cannot be read any more is not used any more.
        read.remove(path);
        let (looks, text) = files::read_key(path)?;
        let key = private_key(text.expose()).map_err(|because| HostKeyError::Unusable {
            path: path.to_owned(),
            because: because.to_owned(),
        })?;
        if read.len() >= FILES_MAX {
            read.clear();
        }
        read.insert(path.to_owned(), (looks, key.clone()));
        Ok(key)
    }
}

/// Reads a private key in any of the usual forms. The reason says nothing of its content.
fn private_key(text: &str) -> Result<PrivateKey, &'static str> {
    const NO_KEY: &str = "it holds no private key that can be read (OpenSSH, PKCS #8, PKCS #1)";
    let key = if text.contains("BEGIN OPENSSH PRIVATE KEY") {
        PrivateKey::from_openssh(text).map_err(|_| NO_KEY)?
    } else {
        decode_secret_key(text, None).map_err(|_| NO_KEY)?
    };
    if key.is_encrypted() {
        return Err("the key needs a passphrase; take it off: ssh-keygen -p -N '' -f FILE");
    }
    Ok(key)
}

fn certificate_beside(path: &Path, key: &PrivateKey) -> Result<Option<Certificate>, HostKeyError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push("-cert.pub");
    let beside = PathBuf::from(beside);
    if !beside.exists() {
        return Ok(None);
    }
    let unusable = |because: String| HostKeyError::Unusable { path: beside.clone(), because };
    let (_, text) = files::read_trust(&beside)?;
    let certificate =
        Certificate::from_openssh(text.trim()).map_err(|error| unusable(error.to_string()))?;
    if certificate.public_key() != key.public_key().key_data() {
        return Err(unusable(String::from("it certifies another key than the one beside it")));
    }
    Ok(Some(certificate))
}

#[cfg(test)]
mod tests;
