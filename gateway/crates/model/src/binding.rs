//! The kernel's record of one socket, as userspace reads it.
//!
//! Owns the decoded form. Must not know the kernel's layout (`gateway-ebpf`) nor how a record is
//! fetched (`interception`). A binding is a fact of the moment of `connect`; it never changes.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// A cgroup v2 id: the inode number of the cgroup's directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CgroupId(pub u64);

/// A file as the kernel names it: device and inode, never a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FileId {
    /// Device number in the encoding of `stat(2)`'s `st_dev`.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
}

/// The process that called `connect`, as the kernel saw it at that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessFacts {
    /// Process id (thread group id) in the initial pid namespace.
    pub tgid: u32,
    /// Thread id.
    pub tid: u32,
    /// Start of the thread group leader in nanoseconds of boot time.
    pub start_boottime_ns: u64,
    /// The task's `self_exec_id`: grows with every `execve`.
    pub exec_id: u64,
    /// The executable mapped at that moment; `None` where the kernel could not tell.
    pub executable: Option<FileId>,
    /// `comm`: for people only. Any process can set it, so nothing is decided by it.
    pub comm: String,
}

/// The user behind the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserFacts {
    /// Effective user id in the initial user namespace.
    pub uid: u32,
    /// Effective group id in the initial user namespace.
    pub gid: u32,
    /// The audit login uid; `None` where none was set.
    pub login_uid: Option<u32>,
}

/// The kernel's record of one captured socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Where the workload meant to go. A v4-mapped IPv6 address is given as IPv4.
    pub original: SocketAddr,
    /// The cgroup of the task at `connect`.
    pub cgroup: CgroupId,
    /// The process.
    pub process: ProcessFacts,
    /// The user.
    pub user: UserFacts,
    /// Cookie of the client's socket: unique while the host is up.
    pub socket_cookie: u64,
    /// Cookie of the client's network namespace: unique while the host is up.
    pub netns_cookie: u64,
    /// Boot time of the `connect`, in nanoseconds.
    pub connected_boottime_ns: u64,
}
