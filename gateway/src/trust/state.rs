//! How a step stands: done, not done, or done and changed since.
//!
//! Owns the question. Must not change anything.

use serde::Serialize;

use super::block::BlockError;
use super::files::Files;
use super::journal::{Journal, sha256};
use super::step::{Action, Step};
use super::{TrustError, keystore, kubeconfig};

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is done.
    Applied,
    /// It is not done, or an upgrade has undone it.
    Missing,
    /// It was done with another certificate, or for other units.
    Outdated,
    /// There is something else in its place.
    Changed,
}

/// How a step stands.
///
/// # Errors
/// Where its file cannot be read.
pub fn state(files: &Files, journal: &Journal, step: &Step) -> Result<State, TrustError> {
    let Some(found) = files.read(&step.path)? else { return Ok(State::Missing) };
    let bytes = found.bytes;
    let done = |is: bool| if is { State::Applied } else { State::Missing };
    Ok(match &step.action {
        Action::File { bytes: wanted } => whole(journal, step, &bytes, wanted),
        Action::Anchor { bytes: wanted, system } => match whole(journal, step, &bytes, wanted) {
            State::Applied => done(is_taken_in(files, &system.bundle, wanted)?),
            other => other,
        },
        Action::Block { marks, body } => match marks.body(&bytes) {
            Ok(Some(found)) if found == *body => State::Applied,
            Ok(Some(_)) => State::Outdated,
            Ok(None) => State::Missing,
            Err(BlockError::Open { .. }) => State::Changed,
            Err(error) => return Err(error.into()),
        },
        Action::Keystore { tool, alias, pem } => {
            let known = journal.entry(&step.id);
            // Asking takes a second; a keystore that is as it was left needs no question.
            let as_left = known.is_some_and(|entry| entry.done && entry.after == sha256(&bytes));
            let same = known.is_some_and(|entry| entry.of == sha256(pem.as_bytes()));
            done(as_left && same || keystore::has(files, tool, &bytes, alias, pem))
        }
        Action::Kubeconfig { certificates, data, .. } => {
            done(data.iter().all(|data| kubeconfig::holds(data, certificates)))
        }
    })
}

fn whole(journal: &Journal, step: &Step, bytes: &[u8], wanted: &[u8]) -> State {
    if bytes == wanted {
        return State::Applied;
    }
    match journal.entry(&step.id) {
        Some(entry) if entry.after == sha256(bytes) => State::Outdated,
        _ => State::Changed,
    }
}

/// Whether the system's bundle has the certificate, however its lines are wrapped.
fn is_taken_in(
    files: &Files,
    bundle: &std::path::Path,
    certificate: &[u8],
) -> Result<bool, TrustError> {
    let Some(found) = files.read(&files.resolve(bundle)?)? else { return Ok(false) };
    let bare = |bytes: &[u8]| -> Vec<u8> {
        bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
    };
    Ok(memchr::memmem::find(&bare(&found.bytes), &bare(certificate)).is_some())
}
