//! A secret in a file.
//!
//! Owns the checks: a plain file, of root or the daemon's own user, that others can neither read
//! nor change, of bounded size. Must not know what the secret opens.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use model::Secret;

use super::SECRET_BYTES_MAX;
use crate::files::Looks;

/// Permission bits for others, and for writing by the group.
const OPEN_TO_OTHERS: u32 = 0o027;
/// Permission bits for writing by the group and by others.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Why a secret file is not used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be opened or read.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// It is a directory, a pipe or a device.
    #[error("{}: it is not a plain file", .0.display())]
    NotPlain(PathBuf),
    /// Others can read or change it.
    #[error(
        "{}: its mode {mode:03o} lets others read or change it; run: chmod 600 {}",
        .path.display(), .path.display()
    )]
    Open {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs to somebody who may change it at will.
    #[error(
        "{}: it belongs to user {owner}, who could change it; run: chown root {}",
        .path.display(), .path.display()
    )]
    Owner {
        /// Which.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// It is empty, too large, or not text.
    #[error("{}: it holds no secret (1 to {SECRET_BYTES_MAX} bytes of UTF-8)", .0.display())]
    NotSecret(PathBuf),
}

/// Reads the file, unless it looks as it did before (`Ok(None)`).
pub(super) fn read_if_changed(
    path: &Path,
    known: Option<Looks>,
) -> Result<Option<(Looks, Secret<String>)>, FileError> {
    let failed = |source: io::Error| FileError::Io { path: path.to_owned(), source };
    let unchanged = std::fs::metadata(path).map_err(failed)?;
    if known == Some(Looks::of(&unchanged)) {
        return Ok(None);
    }
    // Checks are made on what was opened, not on what stood at the path before or after. Without
    // O_NONBLOCK a pipe at the path would hold us.
    let (file, found) = open(path, OPEN_TO_OTHERS)?;
    let secret = read_secret(file).map_err(failed)?;
    let secret = secret.ok_or_else(|| FileError::NotSecret(path.to_owned()))?;
    Ok(Some((Looks::of(&found), secret)))
}

/// Reads a file that everybody may see and only root or our own user may change: a certificate.
pub(super) fn read_public(path: &Path) -> Result<String, FileError> {
    let (file, _) = open(path, WRITABLE_BY_OTHERS)?;
    let text = read_secret(file)
        .map_err(|source| FileError::Io { path: path.to_owned(), source })?
        .ok_or_else(|| FileError::NotSecret(path.to_owned()))?;
    Ok(text.expose().clone())
}

fn open(path: &Path, forbidden: u32) -> Result<(File, std::fs::Metadata), FileError> {
    let failed = |source: io::Error| FileError::Io { path: path.to_owned(), source };
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
        .map_err(failed)?;
    let found = file.metadata().map_err(failed)?;
    check(path, &found, forbidden)?;
    Ok((file, found))
}

fn check(path: &Path, found: &std::fs::Metadata, forbidden: u32) -> Result<(), FileError> {
    if !found.is_file() {
        return Err(FileError::NotPlain(path.to_owned()));
    }
    let owner = found.uid();
    if owner != 0 && owner != nix::unistd::geteuid().as_raw() {
        return Err(FileError::Owner { path: path.to_owned(), owner });
    }
    let mode = found.mode() & 0o777;
    if mode & forbidden != 0 {
        return Err(FileError::Open { path: path.to_owned(), mode });
    }
    Ok(())
}

/// The file's text without the line end that editors add; `None` where it is none or too long.
fn read_secret(file: File) -> io::Result<Option<Secret<String>>> {
    let limit = u64::try_from(SECRET_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    // Room for everything at once: growing would leave copies behind that nobody wipes.
    let size = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let mut bytes = Vec::with_capacity(size.min(SECRET_BYTES_MAX) + 64);
    let read = file.take(limit).read_to_end(&mut bytes);
    let bytes = Secret::new(bytes);
    read?;
    if bytes.expose().len() > SECRET_BYTES_MAX {
        return Ok(None);
    }
    let Ok(text) = std::str::from_utf8(bytes.expose()) else { return Ok(None) };
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    Ok((!text.is_empty()).then(|| Secret::new(text.to_owned())))
}
