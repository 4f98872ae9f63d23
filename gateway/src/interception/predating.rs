//! Connections that are older than their governance.
//!
//! Owns ending them: a governed process's connection to a captured destination that no hook saw,
//! because it was made before the programs ran, before its cgroup was governed, or before the process
//! entered the cgroup. The backstop only lets such a connection stall (and not even that where its
//! socket was created in another cgroup); here it is closed, so that the process is told and connects
//! anew, through the gateway.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::sync::Arc;

use model::CgroupId;

use super::capture::Captured;
use super::namespaces::Namespaces;
use super::programs::Programs;
use super::socket_diag::{FoundSocket, SocketDiag};

/// Ends connections that predate governance.
#[derive(Clone, Debug)]
pub struct Predating {
    programs: Arc<Programs>,
    namespaces: Namespaces,
}

/// Whose connections are ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Of every governed process and cgroup.
    Governed,
    /// Of one process, which has just entered a governed cgroup.
    Process(u32),
}

impl Predating {
    /// For what these programs govern.
    #[must_use]
    pub fn new(programs: Arc<Programs>, namespaces: Namespaces) -> Self {
        Self { programs, namespaces }
    }

    /// Ends them in one known network namespace; says how many. Sockets of this process are never
    /// among them.
    ///
    /// # Errors
    /// Of netlink (`CAP_NET_ADMIN`; `EOPNOTSUPP` on a kernel without `CONFIG_INET_DIAG_DESTROY`), of
    /// /proc, or `NotFound` for an unknown namespace. Those found earlier are ended.
    pub async fn end(
        &self,
        netns_cookie: u64,
        captured: &BTreeSet<Captured>,
        whose: Whose,
    ) -> io::Result<usize> {
        let diag = self.namespaces.inside(netns_cookie, SocketDiag::open_here).await??;
        let (programs, captured) = (Arc::clone(&self.programs), captured.clone());
        // Dumps and /proc may take milliseconds.
        tokio::task::spawn_blocking(move || end_here(&diag, &programs, &captured, whose))
            .await
            .map_err(io::Error::other)?
    }
}

fn end_here(
    diag: &SocketDiag,
    programs: &Programs,
    captured: &BTreeSet<Captured>,
    whose: Whose,
) -> io::Result<usize> {
    let to_captured = |found: &FoundSocket| captured.iter().any(|one| one.contains(found.peer));
    let candidates: Vec<FoundSocket> =
        diag.connections()?.into_iter().filter(to_captured).collect();
    if candidates.is_empty() {
        return Ok(0);
    }
    let own = sockets_of([std::process::id()]);
    let held = match whose {
        Whose::Governed => sockets_of(programs.governed_processes().map_err(io::Error::other)?),
        Whose::Process(tgid) => sockets_of([tgid]),
    };
    let mut ended = 0;
    for found in &candidates {
        let created_governed = || {
            whose == Whose::Governed
                && found.cgroup.is_some_and(|id| programs.is_governed(CgroupId(id)))
        };
        let meant = held.contains(&found.inode) || created_governed();
        if meant && !own.contains(&found.inode) && diag.destroy(found)? {
            ended += 1;
        }
    }
    Ok(ended)
}

/// The inodes of all sockets that these processes have open. A process that ends meanwhile has none.
fn sockets_of(processes: impl IntoIterator<Item = u32>) -> BTreeSet<u32> {
    let mut inodes = BTreeSet::new();
    for tgid in processes {
        let descriptors = fs::read_dir(format!("/proc/{tgid}/fd"));
        for entry in descriptors.into_iter().flatten().flatten() {
            let Ok(target) = fs::read_link(entry.path()) else { continue };
            let target = target.to_string_lossy();
            let inode = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
            inodes.extend(inode.and_then(|inode| inode.parse::<u32>().ok()));
        }
    }
    // A socket that no process has open says 0.
    inodes.remove(&0);
    inodes
}
