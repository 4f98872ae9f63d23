//! Taking the steps back.
//!
//! Owns what becomes of a file: it is what it was, byte for byte, where nobody has changed it since;
//! else only what is ours goes. A file that is ours as a whole and was changed is left alone and
//! named. Must not know the configuration: the journal says it all, so that this works when nothing
//! else of the gateway's is left.

use std::path::PathBuf;

use super::block::Rest;
use super::files::{Attributes, Files, Found};
use super::journal::{Entry, Journal, Tree, Undo, sha256};
use super::{TrustError, anchors, keystore, kubeconfig};

/// What was taken back.
#[derive(Debug, Default)]
pub struct Reverted {
    /// Files that are what they were.
    pub restored: Vec<PathBuf>,
    /// Files that others have changed since, and that have nothing of ours any more.
    pub edited: Vec<PathBuf>,
    /// Files that were left as they are, and why.
    pub refused: Vec<(PathBuf, TrustError)>,
}

/// How a file was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Back {
    Restored,
    Edited,
}

/// Takes back everything in the journal, the last first. `force` also overwrites what somebody has
/// changed since.
///
/// # Errors
/// Where the journal cannot be kept. Files that could not be taken back are in the answer.
pub fn revert(files: &Files, journal: &mut Journal, force: bool) -> Result<Reverted, TrustError> {
    let mut reverted = Reverted::default();
    let entries: Vec<Entry> = journal.written.entries.iter().rev().cloned().collect();
    for entry in entries {
        match take_back(files, journal, &entry, force) {
            Ok(Back::Restored) => reverted.restored.push(entry.path.clone()),
            Ok(Back::Edited) => reverted.edited.push(entry.path.clone()),
            Err(error) => {
                reverted.refused.push((entry.path, error));
                continue;
            }
        }
        journal.take(files, &entry.id)?;
    }
    journal.tidy(files)?;
    Ok(reverted)
}

/// Takes one step back by itself; false where the journal does not have it.
///
/// # Errors
/// Where it cannot be taken back, or the journal not be kept.
pub fn revert_step(files: &Files, journal: &mut Journal, id: &str) -> Result<bool, TrustError> {
    let Some(entry) = journal.entry(id).cloned() else { return Ok(false) };
    take_back(files, journal, &entry, false)?;
    journal.take(files, id)?;
    journal.tidy(files)?;
    Ok(true)
}

/// Takes one step back; its entry stays.
pub(super) fn take_back(
    files: &Files,
    journal: &Journal,
    entry: &Entry,
    force: bool,
) -> Result<Back, TrustError> {
    files.sweep(&entry.path)?;
    let now = files.read(&entry.path)?;
    let digest = now.as_ref().map(|now| sha256(&now.bytes));
    let before = entry.before.as_ref().map(|kept| &kept.sha256);
    let mut back = Back::Restored;
    if digest.as_ref() == before {
        // It was never done, or is taken back already.
    } else if digest.as_ref() == Some(&entry.after) {
        restore(files, journal, entry, now.as_ref())?;
    } else if let Some(now) = &now {
        back = edit(files, journal, entry, now, force)?;
    } else {
        // Somebody has removed it with everything in it.
        back = Back::Edited;
    }
    if let Undo::Anchor { tool, outputs, before, after } = &entry.undo {
        let now = anchors::record(files, journal, outputs)?;
        match (before, after) {
            (Some(before), Some(after)) if anchors::is_between(before, after, &now) => {
                anchors::restore(files, journal, before, &now)?;
            }
            _ => {
                back = make_anew(files, journal, tool, outputs, before.as_ref())?;
            }
        }
    }
    for directory in entry.made.iter().rev() {
        files.remove_empty_directory(directory)?;
    }
    Ok(back)
}

fn make_anew(
    files: &Files,
    journal: &Journal,
    tool: &[String],
    outputs: &[PathBuf],
    before: Option<&Tree>,
) -> Result<Back, TrustError> {
    anchors::run(files, tool)?;
    let now = anchors::record(files, journal, outputs)?;
    let Some(before) = before else { return Ok(Back::Edited) };
    anchors::restore_attributes(files, journal, before, &now)?;
    Ok(if anchors::is_same(before, &now) { Back::Restored } else { Back::Edited })
}

fn restore(
    files: &Files,
    journal: &Journal,
    entry: &Entry,
    now: Option<&Found>,
) -> Result<(), TrustError> {
    let Some(kept) = &entry.before else { return Ok(files.remove(&entry.path)?) };
    let bytes = journal.kept(files, kept)?;
    // Rights that somebody has changed since stay.
    let modified_ns = kept.attributes.modified_ns;
    let like = now.map_or_else(
        || kept.attributes.clone(),
        |now| Attributes { modified_ns, ..now.attributes.clone() },
    );
    Ok(files.write(&entry.path, &bytes, &like)?)
}

/// Takes what is ours out of a file that others have changed.
fn edit(
    files: &Files,
    journal: &Journal,
    entry: &Entry,
    now: &Found,
    force: bool,
) -> Result<Back, TrustError> {
    let like = Attributes { modified_ns: 0, ..now.attributes.clone() };
    let bytes = match &entry.undo {
        Undo::Block(marks) => match marks.without(&now.bytes)? {
            Some(Rest::Nothing) => {
                files.remove(&entry.path)?;
                return Ok(Back::Restored);
            }
            Some(Rest::Bytes(bytes)) => Some(bytes),
            None => None,
        },
        Undo::Kubeconfig { certificates } => {
            let text = String::from_utf8_lossy(&now.bytes);
            kubeconfig::without(&text, certificates).map(String::into_bytes)
        }
        Undo::Keystore { tool, alias } => keystore::without(files, tool, &now.bytes, alias).ok(),
        Undo::File | Undo::Anchor { .. } if force => {
            restore(files, journal, entry, Some(now))?;
            return Ok(Back::Restored);
        }
        Undo::File | Undo::Anchor { .. } => {
            return Err(TrustError::Changed("overwrite it"));
        }
    };
    if let Some(bytes) = bytes {
        files.write(&entry.path, &bytes, &like)?;
    }
    Ok(Back::Edited)
}
