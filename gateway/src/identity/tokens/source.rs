//! Reading a token's file, as the workload would.
//!
//! Owns the care that takes: a workload decides what lies at a path in its own mount namespace, so
//! the path is resolved inside its root (a link never leads out), with its user's rights (a link
//! to a file that only root may read shows nothing), it must be a plain, small file, and it may
//! not stall us. Must not know what a token says. Everything here blocks; callers run it apart
//! from the event loop.

mod borrowed_rights;

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use model::Secret;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat};
use nix::sys::statfs::{FUSE_SUPER_MAGIC, fstatfs};

use self::borrowed_rights::BorrowedRights;
use super::TOKEN_BYTES_MAX;
use crate::identity::process::ProcessError;

/// Why a token could not be read. The texts name paths, never contents.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The process that has it is gone.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// It cannot be opened or read.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The path in the configuration.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// It is a directory, a pipe, a device, or lies on a file system that a user serves (FUSE).
    #[error("{}: it is not a plain file of the host's own file systems", .0.display())]
    NotPlain(PathBuf),
    /// It is too large or empty, or not text.
    #[error("{}: it holds no token (at most {TOKEN_BYTES_MAX} bytes of text)", .0.display())]
    NotToken(PathBuf),
    /// The daemon may not take on the workload's rights.
    #[error("the rights of user {uid} cannot be taken on (this takes CAP_SETUID and CAP_SETGID)")]
    Rights {
        /// The workload's user.
        uid: u32,
    },
    /// Earlier reads for this workload have not come back.
    #[error("earlier reads for this workload stall")]
    Busy,
    /// It took too long.
    #[error("reading took longer than {0} seconds")]
    Slow(u64),
}

/// Where to resolve the path, and with whose rights.
#[derive(Debug)]
pub(in crate::identity) enum Vantage<'a> {
    /// The host's own view and the daemon's rights.
    Host,
    /// A workload's root directory and its user.
    Workload {
        /// Its root, in its mount namespace.
        root: &'a OwnedFd,
        /// User id in the initial user namespace.
        uid: u32,
        /// Group id in the initial user namespace.
        gid: u32,
    },
}

/// A token's text, and what tells when its file is no longer the same.
#[derive(Debug)]
pub(in crate::identity) struct TokenFile {
    pub(in crate::identity) text: Secret<String>,
    pub(in crate::identity) seal: FileSeal,
}

/// A file held open without being read, and how it looked when it was read.
#[derive(Debug)]
pub(in crate::identity) struct FileSeal {
    file: OwnedFd,
    looks: Looks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Looks {
    device: u64,
    inode: u64,
    size: i64,
    links: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileSeal {
    /// Whether the file is untouched and still has its place: written to, replaced by a rename
    /// over it, moved or removed, its times or its number of links differ. One `fstat(2)`.
    pub(super) fn unbroken(&self) -> bool {
        fstat(&self.file).is_ok_and(|stat| Looks::of(&stat) == self.looks)
    }

    /// Whether both are the same file in the same state.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        self.looks == other.looks
    }
}

impl Looks {
    fn of(stat: &FileStat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: stat.st_size,
            links: stat.st_nlink,
            modified: (stat.st_mtime, stat.st_mtime_nsec),
            changed: (stat.st_ctime, stat.st_ctime_nsec),
        }
    }
}

/// Opens and reads a token's file. Blocks.
pub(in crate::identity) fn read_token(
    vantage: &Vantage<'_>,
    path: &Path,
) -> Result<TokenFile, SourceError> {
    let failed = |source: io::Error| SourceError::Io { path: path.to_owned(), source };
    let _rights = match vantage {
        Vantage::Host => None,
        Vantage::Workload { uid, gid, .. } => {
            Some(BorrowedRights::of(*uid, *gid).ok_or(SourceError::Rights { uid: *uid })?)
        }
    };
    let file = open_path(vantage, path).map_err(failed)?;
    let stat = fstat(&file).map_err(|error| failed(error.into()))?;
    let plain = SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFREG;
    let served_by_user =
        fstatfs(&file).map_or(true, |found| found.filesystem_type() == FUSE_SUPER_MAGIC);
    if !plain || served_by_user {
        return Err(SourceError::NotPlain(path.to_owned()));
    }
    let text = read_bounded(&file).map_err(failed)?;
    let text = text.ok_or_else(|| SourceError::NotToken(path.to_owned()))?;
    let seal = FileSeal { looks: Looks::of(&stat), file };
    // Written to while it was read: what was read may be half of each.
    if !seal.unbroken() {
        return Err(failed(io::Error::other("it changed while it was read")));
    }
    Ok(TokenFile { text, seal })
}

/// Opens without reading: no device or pipe feels it.
fn open_path(vantage: &Vantage<'_>, path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
    match vantage {
        Vantage::Host => Ok(nix::fcntl::open(path, flags, Mode::empty())?),
        Vantage::Workload { root, .. } => {
            let how = OpenHow::new()
                .flags(flags)
                .resolve(ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS);
            Ok(openat2(root, path, how)?)
        }
    }
}

/// The file's text without white space around it; `None` where it is none or too long.
fn read_bounded(file: &OwnedFd) -> io::Result<Option<Secret<String>>> {
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let opened = nix::fcntl::open(path.as_str(), flags, Mode::empty())?;
    let limit = u64::try_from(TOKEN_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    // Room for everything at once: growing would leave copies behind that nobody wipes.
    let mut read = Vec::with_capacity(TOKEN_BYTES_MAX + 2);
    File::from(opened).take(limit).read_to_end(&mut read)?;
    let bytes = Secret::new(read);
    if bytes.expose().len() > TOKEN_BYTES_MAX {
        return Ok(None);
    }
    let text = std::str::from_utf8(bytes.expose()).map(str::trim_ascii).unwrap_or_default();
    Ok((!text.is_empty()).then(|| Secret::new(text.to_owned())))
}

#[cfg(test)]
mod tests;
