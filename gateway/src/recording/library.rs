//! The recordings of a directory.
//!
//! Owns the names of files and the listing. Must not know how a block is checked: a listing reads
//! the header and the seal of each file and believes them, because it has to be fast; `verify` is
//! for knowing. Files are `<directory>/<YYYY-MM-DD, UTC>/<session>.rec`, mode 0600 in 0700.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use model::{SessionId, TargetName, Timestamp, WorkloadName};

use super::header::{FileHeader, SealBody, SessionHeader};
use super::key::Trust;
use super::layout::{self, BlockKind, FOOTER_BYTES, HEAD_BYTES, Head, PREAMBLE_BYTES};
use super::reader::{ReadError, Reader};

const EXTENSION: &str = "rec";

/// Which recordings to list. The default lists all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this workload only.
    pub workload: Option<WorkloadName>,
    /// Of this target only.
    pub target: Option<TargetName>,
    /// Started at this moment or later.
    pub since: Option<Timestamp>,
    /// Started before this moment.
    pub until: Option<Timestamp>,
    /// At most so many, the newest first; 0 is no limit.
    pub limit: usize,
}

/// One recording of a listing.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Where it is.
    pub path: PathBuf,
    /// Its length in bytes.
    pub file_bytes: u64,
    /// Whom the session acted for, where, and when it started.
    pub header: SessionHeader,
    /// How it ended; `None` where the session still runs or the daemon died.
    pub seal: Option<SealBody>,
}

impl Filter {
    fn admits(&self, header: &SessionHeader) -> bool {
        self.workload.as_ref().is_none_or(|wanted| *wanted == header.principal.workload)
            && self.target.as_ref().is_none_or(|wanted| *wanted == header.target)
            && self.since.is_none_or(|since| header.started_us >= since)
            && self.until.is_none_or(|until| header.started_us < until)
    }

    /// Days are named by the session's start, so a whole day can be passed over.
    fn admits_day(&self, day: &str) -> bool {
        self.since.is_none_or(|since| day >= day_name(since).as_str())
            && self.until.is_none_or(|until| day <= day_name(until).as_str())
    }
}

/// Lists the recordings of `directory`, the newest first. Files that are no recordings are passed
/// over; a directory that does not exist holds none.
///
/// # Errors
/// When a directory cannot be read.
pub fn list(directory: &Path, filter: &Filter) -> Result<Vec<Summary>, ReadError> {
    let limit = if filter.limit == 0 { usize::MAX } else { filter.limit };
    let mut found = Vec::new();
    for day in days(directory)?.into_iter().filter(|day| filter.admits_day(day)) {
        let mut of_day = list_day(&directory.join(&day), filter)?;
        of_day.sort_unstable_by_key(|summary| {
            std::cmp::Reverse((summary.header.started_us, summary.header.session))
        });
        found.append(&mut of_day);
        // Days come newest first, and a later day holds no earlier session.
        if found.len() >= limit {
            found.truncate(limit);
            break;
        }
    }
    Ok(found)
}

/// The file of a session's recording.
///
/// # Errors
/// When there is none, or a directory cannot be read.
pub fn find(directory: &Path, session: SessionId) -> Result<PathBuf, ReadError> {
    days(directory)?
        .into_iter()
        .map(|day| directory.join(day).join(file_name(session)))
        .find(|path| path.is_file())
        .ok_or_else(|| ReadError::NotFound { session, directory: directory.to_owned() })
}

/// Opens a session's recording.
///
/// # Errors
/// As [`find`] and [`Reader::open_path`].
pub fn open(directory: &Path, session: SessionId, trust: &Trust) -> Result<Reader, ReadError> {
    Reader::open_path(&find(directory, session)?, trust)
}

/// The name of the directory for sessions that start at `moment`: the day, UTC.
pub(super) fn day_name(moment: Timestamp) -> String {
    i64::try_from(moment.0)
        .ok()
        .and_then(|microseconds| jiff::Timestamp::from_microsecond(microseconds).ok())
        .unwrap_or(jiff::Timestamp::MAX)
        .strftime("%Y-%m-%d")
        .to_string()
}

pub(super) fn file_name(session: SessionId) -> String {
    format!("{session}.{EXTENSION}")
}

/// The names of the days, newest first.
fn days(directory: &Path) -> Result<Vec<String>, ReadError> {
    let mut names = Vec::new();
    for entry in entries(directory)? {
        let name = entry.file_name();
        if let Some(name) = name.to_str()
            && is_day(name)
        {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable_by(|one, other| other.cmp(one));
    Ok(names)
}

fn is_day(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(place, byte)| match place {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

fn list_day(day: &Path, filter: &Filter) -> Result<Vec<Summary>, ReadError> {
    let mut found = Vec::new();
    for entry in entries(day)? {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != EXTENSION) {
            continue;
        }
        match summarise(&path) {
            Ok(Some(summary)) if filter.admits(&summary.header) => found.push(summary),
            Ok(_) => {}
            Err(error) => tracing::debug!(path = %path.display(), %error, "recording passed over"),
        }
    }
    Ok(found)
}

fn entries(directory: &Path) -> Result<Vec<std::fs::DirEntry>, ReadError> {
    let failed = |source| ReadError::File { path: directory.to_owned(), source };
    match std::fs::read_dir(directory) {
        Ok(entries) => entries.collect::<Result<_, _>>().map_err(failed),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(error)),
    }
}

/// Reads a file's header and seal.
fn summarise(path: &Path) -> io::Result<Option<Summary>> {
    let file = File::open(path)?;
    let file_bytes = file.metadata()?.len();
    let mut start = [0; PREAMBLE_BYTES];
    file.read_exact_at(&mut start, 0)?;
    let Some(length) = layout::header_length(&start) else { return Ok(None) };
    let mut json = vec![0; length];
    file.read_exact_at(&mut json, PREAMBLE_BYTES as u64)?;
    let Ok(header) = serde_json::from_slice::<FileHeader>(&json) else { return Ok(None) };
    let seal = read_seal(&file, file_bytes).unwrap_or_default();
    Ok(Some(Summary { path: path.to_owned(), file_bytes, header: header.session, seal }))
}

fn read_seal(file: &File, file_bytes: u64) -> io::Result<Option<SealBody>> {
    let Some(footer_at) = file_bytes.checked_sub(FOOTER_BYTES as u64) else { return Ok(None) };
    let mut footer = [0; FOOTER_BYTES];
    file.read_exact_at(&mut footer, footer_at)?;
    let seal_at =
        layout::seal_length(&footer).and_then(|length| footer_at.checked_sub(u64::from(length)));
    let Some(seal_at) = seal_at else { return Ok(None) };
    let mut head = [0; HEAD_BYTES];
    file.read_exact_at(&mut head, seal_at)?;
    let Some((head, _)) = Head::parse(&head) else { return Ok(None) };
    if head.kind != BlockKind::Seal {
        return Ok(None);
    }
    let mut payload = vec![0; head.payload_bytes()];
    file.read_exact_at(&mut payload, seal_at + HEAD_BYTES as u64)?;
    Ok(layout::split_signature(&payload).and_then(|(_, body)| serde_json::from_slice(body).ok()))
}
