//! The journal: what was done to the host, and what was there before.
//!
//! Owns its form on disk: `trust/journal.json` and `trust/originals/SHA-256` below the state
//! directory, for root alone, since an original may hold secrets. Must not know how a step is done.
//! An entry is on disk before its step touches anything, and goes when the step is taken back.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::block::Marks;
use super::files::{Attributes, Files};
use super::plan::Options;
use super::step::Layer;

/// Of the form on disk.
const VERSION: u32 = 1;

/// Why there is no journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It cannot be read or written.
    #[error("the journal {}: {source}", .path.display())]
    File {
        /// Its file, or that of an original.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// It is no journal that this version can read.
    #[error("the journal {}: {because}; what it lists cannot be taken back by this program", .path.display())]
    Unreadable {
        /// Its file.
        path: PathBuf,
        /// Why.
        because: String,
    },
}

/// What was done to the host.
#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
    pub(super) written: Written,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    version: u32,
    pub(super) options: Options,
    pub(super) entries: Vec<Entry>,
}

/// A step that was begun.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// The step's.
    pub(super) id: String,
    pub(super) layer: Layer,
    /// The file, links resolved.
    pub(super) path: PathBuf,
    /// Whether it was done to its end.
    pub(super) done: bool,
    /// The file before; `None` where there was none.
    pub(super) before: Option<Kept>,
    /// SHA-256 of the file after.
    pub(super) after: String,
    /// SHA-256 of the certificate, where the file does not tell.
    pub(super) of: String,
    /// Directories that were made for it, outermost first.
    pub(super) made: Vec<PathBuf>,
    pub(super) undo: Undo,
}

/// How a step is taken back where the file is not as the step left it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Undo {
    /// It is not.
    File,
    /// The block is taken out.
    Block(Marks),
    /// The alias is deleted with this `keytool`.
    Keystore { tool: PathBuf, alias: String },
    /// These certificates are taken out of the data.
    Kubeconfig { certificates: String },
    /// The system's tool makes its files anew.
    Anchor { tool: Vec<String>, outputs: Vec<PathBuf>, before: Option<Tree>, after: Option<Tree> },
}

/// A file as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Also the name of the original.
    pub(super) sha256: String,
    #[serde(flatten)]
    pub(super) attributes: Attributes,
}

/// Files and links below some directories.
pub(super) type Tree = BTreeMap<PathBuf, Object>;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Object {
    File(Kept),
    Link(PathBuf),
}

impl Journal {
    /// Reads the journal below the state directory; empty where there is none.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn open(files: &Files, state_directory: &Path) -> Result<Self, JournalError> {
        let failed = |path: &Path, source| JournalError::File { path: path.to_owned(), source };
        let directory = state_directory.join("trust");
        let directory = files.resolve(&directory).map_err(|error| failed(&directory, error))?;
        let path = directory.join("journal.json");
        let empty = Written { version: VERSION, options: Options::default(), entries: Vec::new() };
        let written = match files.read(&path).map_err(|error| failed(&path, error))? {
            None => empty,
            Some(found) => {
                let unreadable = |because| JournalError::Unreadable { path: path.clone(), because };
                let written: Written = serde_json::from_slice(&found.bytes)
                    .map_err(|error| unreadable(error.to_string()))?;
                if written.version != VERSION {
                    return Err(unreadable(format!("it is of version {}", written.version)));
                }
                written
            }
        };
        Ok(Self { directory, written })
    }

    /// Whether nothing was done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.written.entries.is_empty()
    }

    /// The options of the last `apply`.
    #[must_use]
    pub const fn options(&self) -> &Options {
        &self.written.options
    }

    pub(super) fn entry(&self, id: &str) -> Option<&Entry> {
        self.written.entries.iter().find(|entry| entry.id == id)
    }

    /// Puts an entry in, last, or in the place of the one with its name; on disk when this returns.
    pub(super) fn put(&mut self, files: &Files, entry: Entry) -> Result<(), JournalError> {
        match self.written.entries.iter_mut().find(|one| one.id == entry.id) {
            Some(one) => *one = entry,
            None => self.written.entries.push(entry),
        }
        self.save(files)
    }

    /// Takes an entry out; on disk when this returns.
    pub(super) fn take(&mut self, files: &Files, id: &str) -> Result<(), JournalError> {
        self.written.entries.retain(|entry| entry.id != id);
        self.save(files)
    }

    /// Keeps the bytes of an original.
    pub(super) fn keep(
        &self,
        files: &Files,
        bytes: &[u8],
        attributes: Attributes,
    ) -> Result<Kept, JournalError> {
        let sha256 = sha256(bytes);
        let path = self.original(&sha256);
        if files.about(&path).is_none() {
            self.make_directories(files)?;
            files
                .write(&path, bytes, &Attributes::private())
                .map_err(|source| JournalError::File { path, source })?;
        }
        Ok(Kept { sha256, attributes })
    }

    /// The bytes of an original.
    pub(super) fn kept(&self, files: &Files, kept: &Kept) -> Result<Vec<u8>, JournalError> {
        let path = self.original(&kept.sha256);
        let failed = |source| JournalError::File { path: path.clone(), source };
        let found = files.read(&path).map_err(failed)?;
        let found = found.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        if sha256(&found.bytes) != kept.sha256 {
            return Err(failed(io::Error::other("it is not what was kept")));
        }
        Ok(found.bytes)
    }

    pub(super) fn save(&self, files: &Files) -> Result<(), JournalError> {
        let path = self.directory.join("journal.json");
        let failed = |source| JournalError::File { path: path.clone(), source };
        let text = serde_json::to_vec_pretty(&self.written)
            .map_err(|error| failed(io::Error::other(error)))?;
        self.make_directories(files)?;
        files.write(&path, &text, &Attributes::private()).map_err(failed)
    }

    /// Removes originals that no entry needs, and all of it where there is no entry.
    pub(super) fn tidy(&self, files: &Files) -> Result<(), JournalError> {
        let mut needed = BTreeSet::new();
        for entry in &self.written.entries {
            needed.extend(entry.before.iter().map(|kept| kept.sha256.as_str()));
            if let Undo::Anchor { before, after, .. } = &entry.undo {
                for object in [before, after].into_iter().flatten().flat_map(Tree::values) {
                    if let Object::File(kept) = object {
                        needed.insert(&kept.sha256);
                    }
                }
            }
        }
        let originals = self.directory.join("originals");
        let failed = |source| JournalError::File { path: originals.clone(), source };
        for name in files.names_in(&originals) {
            if !name.to_str().is_some_and(|name| needed.contains(name)) {
                files.remove(&originals.join(name)).map_err(failed)?;
            }
        }
        if self.is_empty() && files.is_directory(&self.directory) {
            let file = self.directory.join("journal.json");
            files.sweep(&file).map_err(failed)?;
            files.remove(&file).map_err(failed)?;
            files.remove_empty_directory(&originals).map_err(failed)?;
            files.remove_empty_directory(&self.directory).map_err(failed)?;
        }
        Ok(())
    }

    fn original(&self, sha256: &str) -> PathBuf {
        self.directory.join("originals").join(sha256)
    }

    fn make_directories(&self, files: &Files) -> Result<(), JournalError> {
        for directory in files.missing_directories(&self.original("x")) {
            files
                .make_directory(&directory, 0o700)
                .map_err(|source| JournalError::File { path: directory, source })?;
        }
        Ok(())
    }
}

/// SHA-256, hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
