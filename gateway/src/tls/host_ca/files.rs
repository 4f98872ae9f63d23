//! The authority's files.
//!
//! Owns their rights and that a crash leaves either the old or the new file, never half of one.
//! Must not know what a certificate is.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use model::Secret;

use super::HostCaError;
use crate::files::replace;

/// Bytes of a key or certificate file.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Makes the directory, for its owner only, where there is none.
pub(super) fn make_directory(directory: &Path) -> Result<(), HostCaError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(|source| failed(directory, source))
}

/// The key's text; `None` where there is no file.
pub(in crate::tls) fn read_key(path: &Path) -> Result<Option<Secret<String>>, HostCaError> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, error)),
    };
    let found = file.metadata().map_err(|error| failed(path, error))?;
    let exposed = |because: String| HostCaError::Exposed { path: path.to_owned(), because };
    let own = nix::unistd::geteuid().as_raw();
    if !found.is_file() || (found.uid() != own && found.uid() != 0) {
        return Err(exposed(format!("it belongs to user {}", found.uid())));
    }
    if found.mode() & 0o077 != 0 {
        return Err(exposed(format!("its mode is {:03o}", found.mode() & 0o777)));
    }
    let mut text = String::with_capacity(4_096);
    let read = file.take(FILE_BYTES_MAX).read_to_string(&mut text);
    let text = Secret::new(text);
    read.map_err(|error| failed(path, error))?;
    Ok(Some(text))
}

/// The certificate's text; `None` where there is no file.
pub(super) fn read_certificate(path: &Path) -> Result<Option<String>, HostCaError> {
    let mut text = String::new();
    match File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text)) {
        Ok(_) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path, error)),
    }
}

/// Writes a key that was not there before, for its owner only.
pub(super) fn write_key(path: &Path, text: &Secret<String>) -> Result<(), HostCaError> {
    replace(path, text.expose().as_bytes(), 0o600).map_err(|error| failed(path, error))
}

/// Writes a certificate for everybody to read.
pub(super) fn write_certificate(path: &Path, text: &str) -> Result<(), HostCaError> {
    replace(path, text.as_bytes(), 0o644).map_err(|error| failed(path, error))
}

fn failed(path: &Path, source: io::Error) -> HostCaError {
    HostCaError::File { path: path.to_owned(), source }
}
