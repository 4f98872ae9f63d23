//! Reads a recording back, checked as it goes.
//!
//! Owns the iterator over entries. Must not know directories (`library`). An entry is yielded only
//! after its whole block fitted the chain; the first problem is yielded as an error and ends it.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use model::SessionId;

use super::header::{SealBody, SessionHeader};
use super::key::Trust;
use super::layout::{FOOTER_BYTES, FOOTER_MAGIC};
use super::record::Entry;
use super::walk::{Problem, Step, Stop, Walk};

/// A recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file operation failed.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// The file is not what was written.
    #[error("{path}: {problem}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        problem: Problem,
    },
    /// There is no recording of this session.
    #[error("there is no recording of {session} in {directory}")]
    NotFound {
        /// The session.
        session: SessionId,
        /// Where it was looked for.
        directory: PathBuf,
    },
}

/// An open recording: its header, then its entries.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    walk: Walk<BufReader<File>>,
    entries: std::vec::IntoIter<Entry>,
    seal: Option<SealBody>,
    torn_bytes: u64,
    finished: bool,
}

impl Reader {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read, is not a recording, or names a key that is not trusted.
    pub fn open_path(path: &Path, trust: &Trust) -> Result<Self, ReadError> {
        let walk = start(path, trust).map_err(|stop| error(path, stop))?;
        Ok(Self {
            path: path.to_owned(),
            walk,
            entries: Vec::new().into_iter(),
            seal: None,
            torn_bytes: 0,
            finished: false,
        })
    }

    /// Whom the session acted for, where, and when it started.
    #[must_use]
    pub fn header(&self) -> &SessionHeader {
        &self.walk.header().session
    }

    /// The seal; only after the last entry, and only where the recording has one.
    #[must_use]
    pub const fn seal(&self) -> Option<&SealBody> {
        self.seal.as_ref()
    }

    /// Bytes of an unfinished block at the end; only after the last entry.
    #[must_use]
    pub const fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    fn next_entry(&mut self) -> Result<Option<Entry>, Stop> {
        loop {
            if let Some(entry) = self.entries.next() {
                return Ok(Some(entry));
            }
            if self.finished {
                return Ok(None);
            }
            match self.walk.step()? {
                Step::Records(entries) => self.entries = entries.into_iter(),
                Step::Checkpoint => {}
                Step::Sealed(seal) => {
                    self.seal = Some(seal);
                    self.finished = true;
                }
                Step::Ended { torn } => {
                    self.torn_bytes = torn;
                    self.finished = true;
                }
            }
        }
    }
}

impl Iterator for Reader {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_entry()
            .map_err(|stop| {
                self.finished = true;
                error(&self.path, stop)
            })
            .transpose()
    }
}

/// Opens a file and begins the walk.
pub(super) fn start(path: &Path, trust: &Trust) -> Result<Walk<BufReader<File>>, Stop> {
    let mut file = File::open(path).map_err(Stop::Io)?;
    let size = file.seek(SeekFrom::End(0)).map_err(Stop::Io)?;
    let has_footer = ends_in_a_footer(&mut file, size).map_err(Stop::Io)?;
    file.rewind().map_err(Stop::Io)?;
    Walk::begin(BufReader::with_capacity(128 * 1024, file), size, has_footer, trust)
}

pub(super) fn error(path: &Path, stop: Stop) -> ReadError {
    match stop {
        Stop::Io(source) => ReadError::File { path: path.to_owned(), source },
        Stop::Problem(problem) => ReadError::Damaged { path: path.to_owned(), problem },
    }
}

fn ends_in_a_footer(file: &mut File, size: u64) -> io::Result<bool> {
    let Some(start) = size.checked_sub(FOOTER_BYTES as u64) else { return Ok(false) };
    let mut last = [0; FOOTER_BYTES];
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut last)?;
    Ok(last.ends_with(FOOTER_MAGIC))
}
