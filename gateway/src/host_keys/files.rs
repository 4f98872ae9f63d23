//! The files of host keys.
//!
//! Owns who may read and change them, and that a crash leaves either the old or the new file. Must
//! not know what a key is. A private key is nobody's but root's or ours; a file of trust may be
//! seen by all and changed by nobody else.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use model::Secret;

use super::HostKeyError;
use crate::files::{Looks, replace};

/// Bytes of a private key's file.
const KEY_BYTES_MAX: u64 = 64 * 1024;
/// Bytes of a file of trust: some ten thousand hosts. Raised, a wrong path can make us read more.
const TRUST_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Makes the directory, for its owner only, where there is none.
pub(super) fn make_directory(directory: &Path) -> Result<(), HostKeyError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(|source| failed(directory, source))
}

/// How the file at the path looks now.
pub(super) fn looks_of(path: &Path) -> Result<Looks, HostKeyError> {
    Looks::at(path).map_err(|source| failed(path, source))
}

/// A private key's text.
pub(super) fn read_key(path: &Path) -> Result<(Looks, Secret<String>), HostKeyError> {
    let (file, found) = open(path)?;
    check(path, &found, 0o027, "chmod 600")?;
    let mut text = String::with_capacity(usize::try_from(KEY_BYTES_MAX).unwrap_or_default());
    let read = file.take(KEY_BYTES_MAX).read_to_string(&mut text);
    let text = Secret::new(text);
    read.map_err(|source| failed(path, source))?;
    Ok((Looks::of(&found), text))
}

/// A private key's text; `None` where there is no file.
pub(super) fn read_own_key(path: &Path) -> Result<Option<Secret<String>>, HostKeyError> {
    match read_key(path) {
        Ok((_, text)) => Ok(Some(text)),
        Err(HostKeyError::File { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The text of a file that says what is trusted.
pub(super) fn read_trust(path: &Path) -> Result<(Looks, String), HostKeyError> {
    let (file, found) = open(path)?;
    check(path, &found, 0o022, "chmod go-w")?;
    if found.len() > TRUST_BYTES_MAX {
        let because = format!("it is larger than {TRUST_BYTES_MAX} bytes");
        return Err(HostKeyError::Unusable { path: path.to_owned(), because });
    }
    let mut bytes = Vec::new();
    file.take(TRUST_BYTES_MAX).read_to_end(&mut bytes).map_err(|source| failed(path, source))?;
    // Comments may be in any encoding; names and keys are ASCII.
    Ok((Looks::of(&found), String::from_utf8_lossy(&bytes).into_owned()))
}

fn open(path: &Path) -> Result<(File, Metadata), HostKeyError> {
    // Without O_NONBLOCK a pipe at the path would hold us.
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = file.map_err(|source| failed(path, source))?;
    let found = file.metadata().map_err(|source| failed(path, source))?;
    Ok((file, found))
}

fn check(path: &Path, found: &Metadata, forbidden: u32, remedy: &str) -> Result<(), HostKeyError> {
    let exposed = |because| HostKeyError::Exposed { path: path.to_owned(), because };
    if !found.is_file() {
        return Err(exposed(String::from("it is not a plain file")));
    }
    let owner = found.uid();
    if owner != 0 && owner != nix::unistd::geteuid().as_raw() {
        let because = format!("it belongs to user {owner}, who could change it; run: chown root");
        return Err(exposed(format!("{because} {}", path.display())));
    }
    let mode = found.mode() & 0o777;
    if mode & forbidden != 0 {
        let because = format!("its mode {mode:03o} lets others read or change it; run: {remedy}");
        return Err(exposed(format!("{because} {}", path.display())));
    }
    Ok(())
}

/// Writes a key that was not there before, for its owner only.
pub(super) fn write_key(path: &Path, text: &str) -> Result<(), HostKeyError> {
    replace(path, text.as_bytes(), 0o600).map_err(|source| failed(path, source))
}

/// Writes a public key for everybody to read.
pub(super) fn write_public(path: &Path, text: &str) -> Result<(), HostKeyError> {
    replace(path, text.as_bytes(), 0o644).map_err(|source| failed(path, source))
}

fn failed(path: &Path, source: io::Error) -> HostKeyError {
    HostKeyError::File { path: path.to_owned(), source }
}
