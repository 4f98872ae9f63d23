//! The living process behind a binding.
//!
//! Owns reading `/proc` without being fooled by a pid that is given to another process, by a
//! program that calls `execve`, or by a mount namespace in which `/usr/bin/psql` is another file.
//! Must not know workloads or tokens. A handle keeps the process's directory in `/proc` open: the
//! kernel ties that descriptor to the one process, so it never shows a successor.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{FileId, ProcessFacts};
use nix::fcntl::{OFlag, openat};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::{Mode, fstat};

use super::mounts;

/// Nanoseconds in one tick of `/proc/PID/stat` (`USER_HZ` is 100 on every Linux).
const TICK_NS: u64 = 10_000_000;

/// Longest text read from one file of `/proc`.
const PROC_FILE_BYTES_MAX: u64 = 1 << 20;

/// Why the process of a binding cannot be looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProcessError {
    /// It ended.
    #[error("process {0} has ended since it connected")]
    Ended(u32),
    /// Another process has its id now.
    #[error("process id {0} belongs to a process that started at another time")]
    AnotherProcess(u32),
    /// The kernel refused to show it.
    #[error("process {tgid} cannot be looked at: {because}")]
    Hidden {
        /// Process id.
        tgid: u32,
        /// What the kernel said.
        because: String,
    },
}

/// Why the path of an executable is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExecutableUnknown {
    /// The process cannot be looked at.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The kernel's record names no executable.
    #[error("the kernel's record names no executable")]
    NotRecorded,
    /// It runs another file than the one that connected.
    #[error("process {0} runs another program than the one that connected")]
    AnotherProgram(u32),
    /// What stands at that path on the host is another file.
    #[error(
        "on this host {} is another file: the program was replaced or deleted since it started, \
         or runs in a mount namespace of its own", .0.display()
    )]
    AnotherFileAtPath(PathBuf),
    /// The path is not text.
    #[error("the executable's path is not UTF-8")]
    NotText,
}

/// The processes of this host, or made-up ones in tests.
pub trait ProcessTable: Send + Sync + std::fmt::Debug {
    /// The process that the kernel recorded, if it still lives.
    ///
    /// # Errors
    /// Where it ended, or its id is another's by now.
    fn find(&self, recorded: &ProcessFacts) -> Result<Arc<dyn LiveProcess>, ProcessError>;
}

/// A process that is known to be the recorded one.
pub trait LiveProcess: Send + Sync + std::fmt::Debug {
    /// The path, in the host's own mount namespace, of the program that connected.
    ///
    /// # Errors
    /// Where it runs another program by now, or the path does not lead to that file.
    fn executable(&self) -> Result<String, ExecutableUnknown>;

    /// Its root directory, in its own mount namespace.
    ///
    /// # Errors
    /// Where it ended or may not be looked at.
    fn root(&self) -> Result<OwnedFd, ProcessError>;
}

/// The processes of this host.
#[derive(Debug)]
pub struct HostProcesses {
    /// What `/proc` adds to start times for readers in a time namespace, in nanoseconds.
    boottime_offset_ns: i128,
}

impl HostProcesses {
    /// Reads what is needed to compare start times.
    ///
    /// # Errors
    /// Where `/proc` is not that of the initial pid namespace: ids of the kernel's records would
    /// name other processes there.
    pub fn open() -> io::Result<Self> {
        const INITIAL_PID_NAMESPACE: &str = "pid:[4026531836]";
        let namespace = std::fs::read_link("/proc/self/ns/pid")?;
        if namespace.as_os_str() != INITIAL_PID_NAMESPACE {
            return Err(io::Error::other(
                "the daemon runs in a pid namespace of its own; run it in the host's",
            ));
        }
        let offsets = std::fs::read_to_string("/proc/self/timens_offsets").unwrap_or_default();
        Ok(Self { boottime_offset_ns: boottime_offset_ns(&offsets) })
    }

    fn started_at(&self, recorded_ns: u64) -> Option<u64> {
        let shown = i128::from(recorded_ns).checked_add(self.boottime_offset_ns)?;
        Some(u64::try_from(shown).ok()? / TICK_NS)
    }
}

impl ProcessTable for HostProcesses {
    fn find(&self, recorded: &ProcessFacts) -> Result<Arc<dyn LiveProcess>, ProcessError> {
        let tgid = recorded.tgid;
        let pidfd = open_pidfd(tgid).map_err(|error| process_error(tgid, &error))?;
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let path = format!("/proc/{tgid}");
        let directory = nix::fcntl::open(path.as_str(), flags, Mode::empty())
            .map_err(|error| process_error(tgid, &error.into()))?;
        let process = HostProcess { tgid, pidfd, directory, recorded: recorded.executable };
        let stat = process.read("stat")?;
        if start_ticks(&stat) != self.started_at(recorded.start_boottime_ns) {
            return Err(ProcessError::AnotherProcess(tgid));
        }
        // Alive by its pidfd after the directory was opened: both are the same process.
        process.alive()?;
        Ok(Arc::new(process))
    }
}

/// One process of this host.
#[derive(Debug)]
struct HostProcess {
    tgid: u32,
    pidfd: OwnedFd,
    directory: OwnedFd,
    recorded: Option<FileId>,
}

impl HostProcess {
    fn open(&self, name: &str, flags: OFlag) -> Result<OwnedFd, ProcessError> {
        openat(&self.directory, name, flags | OFlag::O_CLOEXEC, Mode::empty())
            .map_err(|error| process_error(self.tgid, &error.into()))
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, ProcessError> {
        let mut bytes = Vec::with_capacity(512);
        File::from(self.open(name, OFlag::O_RDONLY)?)
            .take(PROC_FILE_BYTES_MAX)
            .read_to_end(&mut bytes)
            .map_err(|error| process_error(self.tgid, &error))?;
        Ok(bytes)
    }

    fn alive(&self) -> Result<(), ProcessError> {
        let mut polled = [PollFd::new(self.pidfd.as_fd(), PollFlags::POLLIN)];
        match poll(&mut polled, PollTimeout::ZERO) {
            Ok(0) => Ok(()),
            Ok(_) => Err(ProcessError::Ended(self.tgid)),
            Err(error) => Err(process_error(self.tgid, &error.into())),
        }
    }

    /// The open executable and what tells files apart, as the kernel's record would give it.
    fn recorded_file(&self, file: &OwnedFd) -> Option<FileId> {
        let plain = file_id(file).ok()?;
        if Some(plain) == self.recorded {
            return Some(plain);
        }
        // overlayfs shows `stat` another device than the kernel's record has; there the inode and
        // the mount's own device are asked for. Not so on file systems with subvolumes (btrfs),
        // where several files share that pair: there the executable stays unknown.
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd()));
        let info = info.ok()?;
        let field = |name: &str| {
            info.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok())
        };
        let (mount_id, inode) = (field("mnt_id:")?, field("ino:")?);
        let mountinfo = self.read("mountinfo").ok()?;
        let mount = mounts::parse(&mountinfo)
            .find(|mount| mount.id == mount_id && mount.kind == "overlay")?;
        Some(FileId { device: mount.device, inode })
    }
}

impl LiveProcess for HostProcess {
    fn executable(&self) -> Result<String, ExecutableUnknown> {
        let recorded = self.recorded.ok_or(ExecutableUnknown::NotRecorded)?;
        // One descriptor gives inode and path, so that no `execve` can fall between the two.
        let file = self.open("exe", OFlag::O_PATH)?;
        self.alive()?;
        if self.recorded_file(&file) != Some(recorded) {
            return Err(ExecutableUnknown::AnotherProgram(self.tgid));
        }
        let path = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))
            .map_err(|error| process_error(self.tgid, &error))?;
        // The path is the one of the process's own mount namespace, where anybody with a user
        // namespace can mount any file anywhere: it counts only if it leads us to the same file.
        if !is_file_at(&path, &file) {
            return Err(ExecutableUnknown::AnotherFileAtPath(path));
        }
        path.into_os_string().into_string().map_err(|_| ExecutableUnknown::NotText)
    }

    fn root(&self) -> Result<OwnedFd, ProcessError> {
        let root = self.open("root", OFlag::O_PATH | OFlag::O_DIRECTORY)?;
        self.alive()?;
        Ok(root)
    }
}

fn is_file_at(path: &Path, file: &OwnedFd) -> bool {
    let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
    let Ok(ours) = nix::fcntl::open(path, flags, Mode::empty()) else { return false };
    matches!((file_id(&ours), file_id(file)), (Ok(ours), Ok(theirs)) if ours == theirs)
}

fn file_id(file: &OwnedFd) -> io::Result<FileId> {
    let stat = fstat(file)?;
    Ok(FileId { device: stat.st_dev, inode: stat.st_ino })
}

fn process_error(tgid: u32, error: &io::Error) -> ProcessError {
    match error.raw_os_error() {
        Some(libc::ESRCH | libc::ENOENT | libc::EINVAL) => ProcessError::Ended(tgid),
        _ => ProcessError::Hidden { tgid, because: error.to_string() },
    }
}

fn open_pidfd(tgid: u32) -> io::Result<OwnedFd> {
    // SAFETY: pidfd_open(2) takes a process id and flags by value and gives a new descriptor.
    let opened = unsafe { libc::syscall(libc::SYS_pidfd_open, libc::c_ulong::from(tgid), 0) };
    let opened = i32::try_from(opened).map_err(io::Error::other)?;
    if opened < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call gave a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(opened) })
}

/// Field 22 of `/proc/PID/stat`. The second field is a name in parentheses that may hold anything,
/// parentheses and spaces included, so fields are counted from its last `)`.
fn start_ticks(stat: &[u8]) -> Option<u64> {
    let end_of_name = stat.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(stat.get(end_of_name + 1..)?).ok()?;
    // The first field after the name is the third.
    rest.split_ascii_whitespace().nth(22 - 3)?.parse().ok()
}

/// The `boottime` line of `/proc/PID/timens_offsets`: seconds and nanoseconds.
fn boottime_offset_ns(offsets: &str) -> i128 {
    offsets
        .lines()
        .find_map(|line| {
            let mut fields = line.strip_prefix("boottime")?.split_ascii_whitespace();
            let (seconds, nanos): (i128, i128) =
                (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
            seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
        })
        .unwrap_or(0)
}

#[cfg(test)]
#[path = "process/tests.rs"]
mod tests;
