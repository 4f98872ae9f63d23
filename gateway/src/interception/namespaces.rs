//! Sockets inside other network namespaces.
//!
//! Owns one thread that moves between namespaces (`setns` moves a thread, and a runtime's threads
//! must stay where they are) and the descriptors of the namespaces it knows, by cookie. A descriptor
//! keeps a namespace alive; [`Namespaces::forget_deserted`] lets go of those without processes. The
//! thread ends when the last handle is dropped.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use nix::sched::{CloneFlags, setns};
use parking_lot::Mutex;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::oneshot;

/// Jobs that wait for the thread. Each takes microseconds; when there are more, callers wait.
const WAITING_MAX: usize = 256;
/// `SO_NETNS_COOKIE` (asm-generic/socket.h, Linux 5.14).
const SO_NETNS_COOKIE: libc::c_int = 71;

/// What runs inside a namespace. It gets the error where the namespace could not be entered.
type Work = Box<dyn FnOnce(io::Result<()>) + Send>;

struct Job {
    namespace: Arc<File>,
    work: Work,
}

/// The network namespaces that the gateway works in.
#[derive(Clone, Debug)]
pub struct Namespaces {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    jobs: SyncSender<Job>,
    known: Mutex<HashMap<u64, Arc<File>>>,
    own_cookie: u64,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").finish_non_exhaustive()
    }
}

impl Namespaces {
    /// Starts the thread. The caller's own namespace is known from the start.
    ///
    /// # Errors
    /// Of opening the own namespace or starting the thread.
    pub fn start() -> io::Result<Self> {
        let own = Arc::new(File::open("/proc/thread-self/ns/net")?);
        let own_cookie = cookie_here()?;
        let (jobs, receiver) = sync_channel(WAITING_MAX);
        std::thread::Builder::new().name("namespaces".into()).spawn(move || serve(&receiver))?;
        let known = Mutex::new(HashMap::from([(own_cookie, own)]));
        Ok(Self { shared: Arc::new(Shared { jobs, known, own_cookie }) })
    }

    /// The cookie of the namespace that the gateway itself is in.
    #[must_use]
    pub fn own_cookie(&self) -> u64 {
        self.shared.own_cookie
    }

    /// The cookies of all known namespaces.
    #[must_use]
    pub fn known(&self) -> BTreeSet<u64> {
        self.shared.known.lock().keys().copied().collect()
    }

    /// Learns the namespace of a process, and says its cookie. With `expected`, a thread of the
    /// process that is in that namespace is looked for: threads may be in different ones.
    ///
    /// # Errors
    /// `NotFound` where no thread is in the expected namespace or the process is gone; others of
    /// reading /proc and entering the namespace.
    pub async fn learn(&self, tgid: u32, expected: Option<u64>) -> io::Result<u64> {
        let mut tried = BTreeSet::new();
        for path in namespace_files(tgid) {
            let Ok(file) = File::open(&path) else { continue };
            if !tried.insert(file.metadata()?.ino()) {
                continue;
            }
            let cookie = self.learn_file(file).await?;
            if expected.is_none_or(|expected| expected == cookie) {
                return Ok(cookie);
            }
        }
        Err(io::Error::new(io::ErrorKind::NotFound, "no thread is in that network namespace"))
    }

    /// Learns an open namespace file, and says its cookie.
    ///
    /// # Errors
    /// Of entering the namespace.
    pub async fn learn_file(&self, file: File) -> io::Result<u64> {
        let file = Arc::new(file);
        let cookie = self.run(Arc::clone(&file), cookie_here).await??;
        self.shared.known.lock().entry(cookie).or_insert(file);
        Ok(cookie)
    }

    /// A TCP socket in a known namespace, not blocking.
    ///
    /// # Errors
    /// `NotFound` for a namespace that is not known; others of `socket` and `setns`.
    pub async fn stream_socket(&self, cookie: u64, domain: Domain) -> io::Result<Socket> {
        if cookie == self.own_cookie() {
            return stream_socket_here(domain);
        }
        self.inside(cookie, move || stream_socket_here(domain)).await?
    }

    /// Runs `work` on the thread, inside a known namespace. It must not block.
    ///
    /// # Errors
    /// `NotFound` for a namespace that is not known; others of `setns`.
    pub async fn inside<T: Send + 'static>(
        &self,
        cookie: u64,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        let file = self.shared.known.lock().get(&cookie).map(Arc::clone);
        let file = file.ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, "the network namespace is not known")
        })?;
        self.run(file, work).await
    }

    /// Lets go of namespaces in which no process is any more, and gives their cookies. Reads the
    /// namespace of every process: call it at intervals, on a thread that may block.
    ///
    /// # Errors
    /// Of reading /proc.
    pub fn forget_deserted(&self) -> io::Result<Vec<u64>> {
        let inhabited: BTreeSet<u64> = processes()?
            .into_iter()
            .filter_map(|tgid| fs::metadata(format!("/proc/{tgid}/ns/net")).ok())
            .map(|found| found.ino())
            .collect();
        let mut deserted = Vec::new();
        self.shared.known.lock().retain(|cookie, file| {
            let keep = *cookie == self.shared.own_cookie
                || file.metadata().is_ok_and(|found| inhabited.contains(&found.ino()));
            if !keep {
                deserted.push(*cookie);
            }
            keep
        });
        Ok(deserted)
    }

    async fn run<T: Send + 'static>(
        &self,
        namespace: Arc<File>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |entered| {
            // The caller may have gone; then nobody wants the answer.
            let _ = answer.send(entered.map(|()| work()));
        });
        let gone = || io::Error::other("the namespace thread has ended");
        self.shared.jobs.send(Job { namespace, work }).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

/// The thread: enters the namespace of each job and does it there.
fn serve(jobs: &Receiver<Job>) {
    let mut inside: Option<u64> = None;
    while let Ok(job) = jobs.recv() {
        let number = job.namespace.metadata().map(|found| found.ino()).ok();
        let entered = if number.is_some() && number == inside {
            Ok(())
        } else {
            inside = None;
            setns(job.namespace.as_fd(), CloneFlags::CLONE_NEWNET).map_err(io::Error::from)
        };
        if entered.is_ok() {
            inside = number;
        }
        (job.work)(entered);
    }
}

/// The namespace files of a process: its leader's, then its threads'.
fn namespace_files(tgid: u32) -> Vec<PathBuf> {
    let tasks = fs::read_dir(format!("/proc/{tgid}/task"));
    let threads = tasks.into_iter().flatten().flatten().map(|entry| entry.path().join("ns/net"));
    std::iter::once(Path::new("/proc").join(tgid.to_string()).join("ns/net"))
        .chain(threads)
        .collect()
}

/// Every process's id.
pub(super) fn processes() -> io::Result<Vec<u32>> {
    let entries = fs::read_dir("/proc")?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

/// A TCP socket in the namespace of the calling thread, not blocking.
fn stream_socket_here(domain: Domain) -> io::Result<Socket> {
    Socket::new(domain, Type::STREAM.nonblocking().cloexec(), Some(Protocol::TCP))
}

/// The cookie of the calling thread's namespace.
fn cookie_here() -> io::Result<u64> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM.cloexec(), None)?;
    netns_cookie(socket.as_fd())
}

/// The cookie of a socket's network namespace.
///
/// # Errors
/// Of `getsockopt`.
pub fn netns_cookie(socket: BorrowedFd<'_>) -> io::Result<u64> {
    let mut cookie = 0_u64;
    let mut length: libc::socklen_t = 8;
    // SAFETY: the kernel writes at most 8 bytes into the cookie.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_NETNS_COOKIE,
            (&raw mut cookie).cast(),
            &raw mut length,
        )
    };
    if result == 0 { Ok(cookie) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_own_namespace_is_known_and_an_unknown_one_is_not() {
        let namespaces = Namespaces::start().unwrap();
        let own = namespaces.own_cookie();
        let socket = namespaces.stream_socket(own, Domain::IPV4).await.unwrap();
        assert_eq!(netns_cookie(socket.as_fd()).unwrap(), own);
        assert_eq!(namespaces.learn(std::process::id(), None).await.unwrap(), own);
        let unknown = namespaces.stream_socket(u64::MAX, Domain::IPV4).await.unwrap_err();
        assert_eq!(unknown.kind(), io::ErrorKind::NotFound);
    }
}
