//! The host's key that signs recordings.
//!
//! Owns an ed25519 key pair (RFC 8032): made on first start, kept as PKCS#8 in a file that only its
//! owner can read, used by the writer thread alone. Must not know what is signed. The public half is
//! written beside it, in hexadecimal, for verifiers.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use zeroize::Zeroizing;

/// Bytes of a signature.
pub(super) const SIGNATURE_BYTES: usize = 64;

/// Bytes a key file may have; a PKCS#8 ed25519 key has 83.
const KEY_FILE_BYTES_MAX: u64 = 4096;

/// The key pair.
#[derive(Debug)]
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

/// A public key: 32 bytes, printed as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

/// Whose signatures count.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Those of these keys. A recording signed by another is reported as forged.
    Keys(Vec<PublicKey>),
    /// That of the key the recording itself names: shows that it was not changed since, not who
    /// made it.
    AnyKey,
}

/// The key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file operation failed.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// Others can read the private key.
    #[error("{path}: mode {mode:o} lets others read the signing key; remedy: chmod 600")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds no ed25519 key.
    #[error("{path}: holds no ed25519 key in PKCS#8")]
    Unreadable {
        /// The file.
        path: PathBuf,
    },
    /// No key could be drawn.
    #[error("the system gives no randomness for a signing key")]
    NoRandomness,
}

impl SigningKey {
    /// Reads the key at `path`, or draws one and writes it there, mode 0600, and its public half to
    /// `path` with `.pub` appended.
    ///
    /// # Errors
    /// When it cannot be read, written or drawn, or others can read it.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        match File::open(path) {
            Ok(file) => Self::load(path, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path),
            Err(source) => Err(KeyError::File { path: path.to_owned(), source }),
        }
    }

    /// A key that is kept nowhere, for tests.
    ///
    /// # Errors
    /// When no key can be drawn.
    pub fn generate() -> Result<Self, KeyError> {
        Ed25519KeyPair::generate().map(Self::from_pair).map_err(|_| KeyError::NoRandomness)
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    pub(super) fn sign(&self, message: &[u8]) -> Option<[u8; SIGNATURE_BYTES]> {
        self.pair.try_sign(message).ok()?.as_ref().try_into().ok()
    }

    fn from_pair(pair: Ed25519KeyPair) -> Self {
        let mut public = [0; 32];
        for (to, from) in public.iter_mut().zip(pair.public_key().as_ref()) {
            *to = *from;
        }
        Self { pair, public: PublicKey(public) }
    }

    fn load(path: &Path, file: File) -> Result<Self, KeyError> {
        let wrong = |source| KeyError::File { path: path.to_owned(), source };
        let mode = file.metadata().map_err(wrong)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Exposed { path: path.to_owned(), mode });
        }
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(KEY_FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(wrong)?;
        Ed25519KeyPair::from_pkcs8(&bytes)
            .map(Self::from_pair)
            .map_err(|_| KeyError::Unreadable { path: path.to_owned() })
    }

    /// Written under another name first, so that a crash leaves no half key.
    fn create(path: &Path) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| KeyError::NoRandomness)?;
        let document = pair.to_pkcs8().map_err(|_| KeyError::NoRandomness)?;
        let key = Self::from_pair(pair);
        write_whole(path, document.as_ref(), 0o600)?;
        write_whole(&public_path(path), format!("{}\n", key.public).as_bytes(), 0o644)?;
        Ok(key)
    }
}

impl PublicKey {
    /// Reads the public half of the key at `path` (the path of the private key).
    ///
    /// # Errors
    /// When the file beside it cannot be read or holds no key.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let path = public_path(path);
        let text = std::fs::read_to_string(&path)
            .map_err(|source| KeyError::File { path: path.clone(), source })?;
        Self::from_hex(text.trim()).ok_or(KeyError::Unreadable { path })
    }

    /// From 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let mut bytes = [0; 32];
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(message, signature).is_ok()
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl Trust {
    pub(super) fn accepts(&self, key: &PublicKey) -> bool {
        match self {
            Self::Keys(keys) => keys.contains(key),
            Self::AnyKey => true,
        }
    }
}

fn public_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    PathBuf::from(name)
}

fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeyError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let unfinished = PathBuf::from(name);
    let write = || {
        if let Err(error) = std::fs::remove_file(&unfinished)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(mode).open(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, path)
    };
    write().map_err(|source| KeyError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_readable_by_its_owner_only_and_then_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("recording.key");
        let made = SigningKey::load_or_create(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let read = SigningKey::load_or_create(&path).unwrap();
        assert_eq!(made.public(), read.public());
        assert_eq!(PublicKey::load(&path).unwrap(), made.public());
        let signature = read.sign(b"message").unwrap();
        assert!(made.public().verifies(b"message", &signature));
        assert!(!made.public().verifies(b"massage", &signature));
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("recording.key");
        SigningKey::load_or_create(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = SigningKey::load_or_create(&path).unwrap_err();
        assert!(matches!(error, KeyError::Exposed { mode: 0o640, .. }), "{error}");
    }

    #[test]
    fn a_file_that_holds_no_key_is_refused_and_not_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("recording.key");
        write_whole(&path, b"not a key", 0o600).unwrap();
        let error = SigningKey::load_or_create(&path).unwrap_err();
        assert!(matches!(error, KeyError::Unreadable { .. }), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"not a key");
    }
}
