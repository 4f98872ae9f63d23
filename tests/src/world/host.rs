//! A stand-in for the host: its cgroups, processes, users, its clock, and the way out.
//!
//! Owns them. Every process is alive and its root is this machine's, so tokens can be read from
//! files.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gateway::identity::Attestor;
use gateway::identity::cgroup::{CgroupError, CgroupPaths};
use gateway::identity::process::{ExecutableUnknown, LiveProcess, ProcessError, ProcessTable};
use gateway::identity::user::UserDatabase;
use gateway::session::{BoxFuture, Dial};
use model::{Binding, CgroupId, Clock, ProcessFacts, Timestamp};
use tokio::net::TcpStream;

/// Paths that have been given an id, for the life of this process.
static CGROUPS: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

/// The id of a cgroup's path.
pub(super) fn cgroup_id(path: &'static str) -> CgroupId {
    let mut paths = CGROUPS.lock().expect("nobody panicked");
    let index = paths.iter().position(|known| *known == path).unwrap_or_else(|| {
        paths.push(path);
        paths.len() - 1
    });
    CgroupId(index as u64 + 1)
}

/// Attests everything that is made up here.
pub(super) fn attestor(clock: Arc<dyn Clock>) -> Attestor {
    Attestor::new(Arc::new(MadeUpHost), Arc::new(MadeUpHost), Arc::new(MadeUpHost), clock)
}

#[derive(Debug)]
struct MadeUpHost;

impl CgroupPaths for MadeUpHost {
    fn path_of(&self, id: CgroupId) -> Result<Arc<str>, CgroupError> {
        let paths = CGROUPS.lock().expect("nobody panicked");
        let index = usize::try_from(id.0).expect("a small number") - 1;
        Ok(Arc::from(*paths.get(index).expect("a cgroup that was made up")))
    }
}

impl ProcessTable for MadeUpHost {
    fn find(&self, _: &ProcessFacts) -> Result<Arc<dyn LiveProcess>, ProcessError> {
        Ok(Arc::new(Self))
    }
}

impl LiveProcess for MadeUpHost {
    fn executable(&self) -> Result<String, ExecutableUnknown> {
        Err(ExecutableUnknown::NotRecorded)
    }

    fn root(&self) -> Result<OwnedFd, ProcessError> {
        Ok(File::open("/").expect("a root directory").into())
    }
}

impl UserDatabase for MadeUpHost {
    fn name_of(&self, uid: u32) -> Option<String> {
        Some(format!("user{uid}"))
    }
}

/// Dials as anybody would: no namespace, no mark.
#[derive(Debug)]
pub(super) struct PlainDial;

impl Dial for PlainDial {
    fn dial<'a>(
        &'a self,
        _: &'a Binding,
        address: SocketAddr,
    ) -> BoxFuture<'a, io::Result<TcpStream>> {
        Box::pin(TcpStream::connect(address))
    }
}

/// The time of this machine, and as much later as a test says.
#[derive(Debug, Default)]
pub struct HandClock {
    later_us: AtomicU64,
}

impl HandClock {
    /// Lets time pass.
    pub fn pass(&self, span: Duration) {
        let span = u64::try_from(span.as_micros()).expect("a span that fits");
        self.later_us.fetch_add(span, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970");
        let later = Duration::from_micros(self.later_us.load(Ordering::SeqCst));
        Timestamp(0).after(now + later)
    }
}
