//! What must survive a restart: keys in the state directory.
//!
//! Owns their names and modes. Must not know what they are used for beyond that. Written once,
//! read at every start; a file that others may read is refused.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use model::Secret;

/// Bytes of the key of keyed hashes.
const MASK_KEY_BYTES: usize = 32;

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A file or directory cannot be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read it.
    #[error("{} can be read by others; chmod 600 it, or remove it to have a new one", .0.display())]
    Open(PathBuf),
    /// It is not what was written.
    #[error("{} is damaged; remove it to have a new one", .0.display())]
    Damaged(PathBuf),
    /// No randomness.
    #[error("the system gives no randomness")]
    Randomness,
}

/// The state directory.
#[derive(Clone, Debug)]
pub(super) struct StateDirectory(PathBuf);

impl StateDirectory {
    /// Opens the directory, making it where it is missing.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub(super) fn open(path: &Path) -> Result<Self, StateError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(path).map_err(|source| file(path, source))?;
        Ok(Self(path.to_owned()))
    }

    /// A file or directory in it.
    #[must_use]
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The key of keyed hashes: equal values stay equal for as long as it is kept.
    ///
    /// # Errors
    /// Where it cannot be read or made.
    pub(super) fn mask_key(&self) -> Result<Secret<Vec<u8>>, StateError> {
        let path = self.path("mask.key");
        match File::open(&path) {
            Ok(found) => read_key(&path, found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => make_key(&path),
            Err(source) => Err(file(&path, source)),
        }
    }
}

fn read_key(path: &Path, mut found: File) -> Result<Secret<Vec<u8>>, StateError> {
    let about = found.metadata().map_err(|source| file(path, source))?;
    if about.mode() & 0o077 != 0 {
        return Err(StateError::Open(path.to_owned()));
    }
    let mut bytes = Vec::with_capacity(MASK_KEY_BYTES);
    let limit = MASK_KEY_BYTES as u64 + 1;
    Read::by_ref(&mut found)
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|source| file(path, source))?;
    let key = Secret::new(bytes);
    if key.expose().len() == MASK_KEY_BYTES {
        Ok(key)
    } else {
        Err(StateError::Damaged(path.to_owned()))
    }
}

fn make_key(path: &Path) -> Result<Secret<Vec<u8>>, StateError> {
    let mut bytes = vec![0; MASK_KEY_BYTES];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| StateError::Randomness)?;
    let key = Secret::new(bytes);
    let mut options = OpenOptions::new();
    let mut made = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| file(path, source))?;
    made.write_all(key.expose()).map_err(|source| file(path, source))?;
    made.sync_all().map_err(|source| file(path, source))?;
    Ok(key)
}

fn file(path: &Path, source: io::Error) -> StateError {
    StateError::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_mask_key_stays_the_same_and_is_refused_where_others_can_read_it() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDirectory::open(&directory.path().join("state")).unwrap();
        let first = state.mask_key().unwrap();
        assert_eq!(first.expose(), state.mask_key().unwrap().expose());
        let path = state.path("mask.key");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(state.mask_key(), Err(StateError::Open(_))));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, b"short").unwrap();
        assert!(matches!(state.mask_key(), Err(StateError::Damaged(_))));
    }
}
