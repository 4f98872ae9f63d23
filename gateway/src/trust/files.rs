//! The files of a host, below a root.
//!
//! Owns how they are found, read and changed: links are followed below the root and never by
//! accident, a change is there as a whole or not at all, rights and owner stay. Must not know what
//! the files are for. Some of them lie in directories of other users, and this runs as root: a path
//! that was resolved is opened again without following any link, so that whoever swaps a directory
//! in between makes the change fail and not land elsewhere.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, FileTimes, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{
    DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown, symlink,
};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use serde::{Deserialize, Serialize};

/// Bytes of a file that is read or changed.
pub(super) const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Links on the way to a file, as in path_resolution(7).
const LINKS_MAX: usize = 40;
/// What is written beside a file before it takes its place.
const BESIDE: &str = ".portcullis-new";

/// The files of a host.
#[derive(Debug)]
pub struct Files {
    root: PathBuf,
    /// Changes that are still made before every one fails, as after a kill.
    #[cfg(test)]
    pub(super) strokes_left: std::cell::Cell<Option<u32>>,
}

/// What a file has beside its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attributes {
    pub(super) mode: u32,
    pub(super) owner: u32,
    pub(super) group: u32,
    /// Nanoseconds of the epoch.
    pub(super) modified_ns: i64,
}

/// A file that was read.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) bytes: Vec<u8>,
    pub(super) attributes: Attributes,
}

/// A name in a directory that is held open.
struct Place {
    directory: OwnedFd,
    name: OsString,
}

impl Attributes {
    /// Of a new file of ours, for everybody to read.
    pub(super) const fn public() -> Self {
        Self { mode: 0o644, owner: 0, group: 0, modified_ns: 0 }
    }

    /// Of a new file of ours, for its owner alone.
    pub(super) const fn private() -> Self {
        Self { mode: 0o600, ..Self::public() }
    }

    fn of(about: &Metadata) -> Self {
        let modified_ns = about.mtime().saturating_mul(1_000_000_000) + about.mtime_nsec();
        let mode = about.mode() & 0o7777;
        Self { mode, owner: about.uid(), group: about.gid(), modified_ns }
    }

    fn modified(&self) -> Option<SystemTime> {
        let span = Duration::from_nanos(self.modified_ns.unsigned_abs());
        match self.modified_ns < 0 {
            true => SystemTime::UNIX_EPOCH.checked_sub(span),
            false => SystemTime::UNIX_EPOCH.checked_add(span),
        }
    }
}

impl Files {
    /// The files below a directory; `/` for those of this host.
    #[must_use]
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            #[cfg(test)]
            strokes_left: std::cell::Cell::new(None),
        }
    }

    /// Whether these are the host's own.
    pub(super) fn are_the_hosts(&self) -> bool {
        self.root == Path::new("/")
    }

    /// Where a path of theirs is for this process.
    pub(super) fn outside(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Where a path leads: every link on the way followed, below the root. What does not exist is
    /// taken as it is named.
    pub(super) fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let mut ahead: Vec<OsString> = names(path);
        ahead.reverse();
        let mut at = PathBuf::from("/");
        let mut links = 0;
        while let Some(name) = ahead.pop() {
            if name == ".." {
                at.pop();
                continue;
            }
            at.push(&name);
            let Ok(target) = fs::read_link(self.outside(&at)) else { continue };
            links += 1;
            if links > LINKS_MAX {
                return Err(io::Error::other("too many links on the way"));
            }
            at.pop();
            if target.is_absolute() {
                at = PathBuf::from("/");
            }
            ahead.extend(names(&target).into_iter().rev());
        }
        Ok(at)
    }

    /// What is there, links followed.
    pub(super) fn about(&self, path: &Path) -> Option<Metadata> {
        let path = self.resolve(path).ok()?;
        fs::symlink_metadata(self.outside(&path)).ok()
    }

    pub(super) fn is_file(&self, path: &Path) -> bool {
        self.about(path).is_some_and(|about| about.is_file())
    }

    pub(super) fn is_directory(&self, path: &Path) -> bool {
        self.about(path).is_some_and(|about| about.is_dir())
    }

    /// Where a link points; `None` where there is none.
    pub(super) fn link_target(&self, path: &Path) -> Option<PathBuf> {
        fs::read_link(self.outside(path)).ok()
    }

    /// The names in a directory, in their order; none where there is none.
    pub(super) fn names_in(&self, path: &Path) -> Vec<OsString> {
        let Ok(path) = self.resolve(path) else { return Vec::new() };
        let entries = fs::read_dir(self.outside(&path)).into_iter().flatten().flatten();
        let mut names: Vec<OsString> = entries.map(|entry| entry.file_name()).collect();
        names.sort();
        names
    }

    /// A text, links followed, that is only looked at; `None` where it cannot be read.
    pub(super) fn text(&self, path: &Path) -> Option<String> {
        let found = self.read(&self.resolve(path).ok()?).ok()??;
        String::from_utf8(found.bytes).ok()
    }

    /// A file by its resolved path; `None` where there is none.
    ///
    /// # Errors
    /// Where it cannot be read, is no file or too large, or a link is on the way.
    pub(super) fn read(&self, path: &Path) -> io::Result<Option<Found>> {
        let place = match self.place(path) {
            Ok(place) => place,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
        let file = match OpenOptions::new().read(true).custom_flags(flags).open(place.path()) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let about = file.metadata()?;
        if !about.is_file() || about.len() > FILE_BYTES_MAX {
            let says = format!("it is no plain file of at most {FILE_BYTES_MAX} bytes");
            return Err(io::Error::other(says));
        }
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(Some(Found { bytes, attributes: Attributes::of(&about) }))
    }

    /// Writes beside the resolved path and takes its place when all is on disk. A time of
    /// modification of zero is now.
    pub(super) fn write(&self, path: &Path, bytes: &[u8], like: &Attributes) -> io::Result<()> {
        self.stroke()?;
        let place = self.place(path)?;
        let mut name = place.name.clone();
        name.push(BESIDE);
        let beside = place.beside(&name);
        absent_is_fine(fs::remove_file(&beside))?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        let written = (|| {
            file.write_all(bytes)?;
            let about = file.metadata()?;
            if (about.uid(), about.gid()) != (like.owner, like.group)
                && nix::unistd::geteuid().is_root()
            {
                fchown(&file, Some(like.owner), Some(like.group))?;
            }
            file.set_permissions(Permissions::from_mode(like.mode))?;
            if let Some(modified) = like.modified().filter(|_| like.modified_ns != 0) {
                file.set_times(FileTimes::new().set_modified(modified))?;
            }
            file.sync_all()
        })();
        if let Err(error) = written {
            let _left_behind = fs::remove_file(&beside);
            return Err(error);
        }
        self.stroke()?;
        fs::rename(&beside, place.path())?;
        place.settle()?;
        self.stroke()
    }

    /// Removes a file or link, and what a killed write has left beside it.
    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        self.stroke()?;
        let place = match self.place(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            place => place?,
        };
        absent_is_fine(fs::remove_file(place.path()))?;
        place.settle()?;
        self.stroke()
    }

    /// Removes what a killed write has left beside a file.
    pub(super) fn sweep(&self, path: &Path) -> io::Result<()> {
        let Ok(place) = self.place(path) else { return Ok(()) };
        let mut name = place.name.clone();
        name.push(BESIDE);
        absent_is_fine(fs::remove_file(place.beside(&name)))
    }

    /// Makes a link, in the place of what is there.
    pub(super) fn link(&self, path: &Path, target: &Path) -> io::Result<()> {
        self.stroke()?;
        let place = self.place(path)?;
        absent_is_fine(fs::remove_file(place.path()))?;
        symlink(target, place.path())?;
        place.settle()
    }

    /// The directories of a resolved path that do not exist, outermost first.
    pub(super) fn missing_directories(&self, path: &Path) -> Vec<PathBuf> {
        let missing = |one: &&Path| fs::symlink_metadata(self.outside(one)).is_err();
        let mut found: Vec<PathBuf> =
            path.ancestors().skip(1).take_while(missing).map(Path::to_owned).collect();
        found.reverse();
        found
    }

    /// Makes a directory in one that exists.
    pub(super) fn make_directory(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.stroke()?;
        let place = self.place(path)?;
        match DirBuilder::new().mode(mode).create(place.path()) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
            // The mask of this process may be narrower.
            Ok(()) => fs::set_permissions(place.path(), Permissions::from_mode(mode)),
        }
    }

    /// Removes a directory if nothing is in it.
    pub(super) fn remove_empty_directory(&self, path: &Path) -> io::Result<()> {
        self.stroke()?;
        let Ok(place) = self.place(path) else { return Ok(()) };
        match fs::remove_dir(place.path()) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(()),
            removed => absent_is_fine(removed),
        }
    }

    fn place(&self, path: &Path) -> io::Result<Place> {
        let wrong = || io::Error::from(ErrorKind::InvalidInput);
        let name = path.file_name().ok_or_else(wrong)?.to_owned();
        let parent = path.parent().and_then(|parent| parent.strip_prefix("/").ok());
        let parent = match parent.ok_or_else(wrong)? {
            parent if parent.as_os_str().is_empty() => Path::new("."),
            parent => parent,
        };
        let root = File::open(&self.root)?;
        let how = OpenHow::new()
            .flags(OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_NO_SYMLINKS);
        let directory = openat2(&root, parent, how)?;
        Ok(Place { directory, name })
    }

    /// One change, that a test may let fail.
    #[cfg(test)]
    pub(super) fn stroke(&self) -> io::Result<()> {
        match self.strokes_left.get() {
            Some(0) => Err(io::Error::other("killed by the test")),
            Some(left) => {
                self.strokes_left.set(Some(left - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "tests let it fail")]
    pub(super) const fn stroke(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Place {
    fn path(&self) -> PathBuf {
        self.beside(&self.name)
    }

    /// By the directory that is held, wherever it has gone.
    fn beside(&self, name: &OsStr) -> PathBuf {
        Path::new("/proc/self/fd").join(self.directory.as_raw_fd().to_string()).join(name)
    }

    fn settle(&self) -> io::Result<()> {
        File::from(self.directory.try_clone()?).sync_all()
    }
}

fn names(path: &Path) -> Vec<OsString> {
    path.components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some(OsString::from("..")),
            _ => None,
        })
        .collect()
}

fn absent_is_fine(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_below_the_root_only() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("etc/ssl")).unwrap();
        symlink("/etc/ssl", root.path().join("etc/pki")).unwrap();
        symlink("../../../../x", root.path().join("etc/ssl/up")).unwrap();
        symlink("loop", root.path().join("loop")).unwrap();
        let files = Files::below(root.path());
        let resolved = |path: &str| files.resolve(Path::new(path)).unwrap();
        assert_eq!(resolved("/etc/pki/new.pem"), Path::new("/etc/ssl/new.pem"));
        assert_eq!(resolved("/etc/pki/up"), Path::new("/x"));
        assert!(files.resolve(Path::new("/loop")).is_err());
    }

    #[test]
    fn a_directory_that_became_a_link_is_not_written_through() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        symlink(outside.path(), root.path().join("venv")).unwrap();
        let files = Files::below(root.path());
        let path = Path::new("/venv/cacert.pem");
        assert!(files.write(path, b"x", &Attributes::public()).is_err());
        assert!(files.read(path).is_err());
        assert!(files.remove(path).is_err());
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_is_replaced_with_rights_owner_and_time() {
        let root = tempfile::tempdir().unwrap();
        let files = Files::below(root.path());
        let path = Path::new("/file");
        let like = Attributes {
            mode: 0o640,
            owner: nix::unistd::geteuid().as_raw(),
            group: nix::unistd::getegid().as_raw(),
            modified_ns: 1_234_567_890_123_456_789,
        };
        files.write(path, b"bytes", &like).unwrap();
        let found = files.read(path).unwrap().unwrap();
        assert_eq!((found.bytes.as_slice(), found.attributes), (&b"bytes"[..], like));
        assert_eq!(files.names_in(Path::new("/")), ["file"]);
        files.remove(path).unwrap();
        assert!(files.read(path).unwrap().is_none());
    }
}
