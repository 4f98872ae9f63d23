//! Keys from a file.
//!
//! Owns noticing that the file changed. Must not know keys. Reads apart from the event loop.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::{FetchError, JWKS_BYTES_MAX};
use crate::files::Looks;

/// The file's text, unless it looks as it did before.
pub(super) async fn read_if_changed(
    path: PathBuf,
    known: Option<Looks>,
) -> Result<Option<(Looks, Vec<u8>)>, FetchError> {
    // Looking is one system call on a file of the operator's; only reading goes elsewhere.
    let looks = looks_of(&path).map_err(|error| failed(&path, &error))?;
    if known == Some(looks) {
        return Ok(None);
    }
    let reading = tokio::task::spawn_blocking(move || read(&path));
    let read = reading.await.map_err(|error| FetchError::Answer(error.to_string()))?;
    read.map(|text| Some((looks, text)))
}

fn looks_of(path: &Path) -> std::io::Result<Looks> {
    let found = std::fs::metadata(path)?;
    if !found.is_file() {
        return Err(std::io::Error::other("it is not a plain file"));
    }
    Ok(Looks::of(&found))
}

fn read(path: &Path) -> Result<Vec<u8>, FetchError> {
    let mut text = Vec::new();
    let limit = u64::try_from(JWKS_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut text))
        .map_err(|error| failed(path, &error))?;
    if text.len() > JWKS_BYTES_MAX {
        let error = std::io::Error::other(format!("it is larger than {JWKS_BYTES_MAX} bytes"));
        return Err(failed(path, &error));
    }
    Ok(text)
}

fn failed(path: &Path, error: &std::io::Error) -> FetchError {
    FetchError::File { path: path.to_owned(), because: error.to_string() }
}
