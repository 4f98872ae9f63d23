//! The binding of one socket, and the key under which it travels to the accepting side.

/// Set in [`Record::known`] when the executable's device and inode were read.
pub const EXECUTABLE_KNOWN: u32 = 1;

/// The audit login uid of a task that never logged in.
pub const LOGIN_UID_UNSET: u32 = u32::MAX;

/// What the kernel knew of a socket and its task at `connect`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The destination that the task asked for.
    pub original: [u8; 16],
    /// Its port.
    pub original_port: u16,
    /// `AF_INET` (2) or `AF_INET6` (10): what the socket is, whatever the address.
    pub socket_family: u16,
    /// Thread group id in the initial pid namespace.
    pub tgid: u32,
    /// Thread id in the initial pid namespace.
    pub tid: u32,
    /// Effective user id in the initial user namespace.
    pub uid: u32,
    /// Effective group id in the initial user namespace.
    pub gid: u32,
    /// Audit login uid, or [`LOGIN_UID_UNSET`].
    pub login_uid: u32,
    /// Device of the executable, in the kernel's own encoding (major << 20 | minor).
    pub executable_device: u32,
    /// Bits that say which optional fields were read.
    pub known: u32,
    /// Inode number of the executable.
    pub executable_inode: u64,
    /// Start of the thread group's leader, nanoseconds of boot time.
    pub start_boottime_ns: u64,
    /// The leader's `self_exec_id`.
    pub exec_id: u64,
    /// The task's cgroup.
    pub cgroup: u64,
    /// Cookie of the client's socket.
    pub socket_cookie: u64,
    /// Cookie of its network namespace.
    pub netns_cookie: u64,
    /// Boot time of the connect in nanoseconds.
    pub connected_boottime_ns: u64,
    /// `comm`, for people only.
    pub comm: [u8; 16],
}

/// The connection as both of its ends see it: the key under which a binding waits between the
/// client's SYN and the accepted socket.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tuple {
    /// Network namespace: the same addresses and ports may be in use in several.
    pub netns_cookie: u64,
    /// The client's address as four words in network order; IPv4 in the last word, with the
    /// mapped prefix.
    pub client: [u32; 4],
    /// The client's port.
    pub client_port: u32,
    /// The gateway's port.
    pub server_port: u32,
}

#[cfg(feature = "user")]
mod pod {
    // SAFETY: `repr(C)`, only integers, no padding, so every bit pattern is a value.
    unsafe impl aya::Pod for super::Record {}
    // SAFETY: as above.
    unsafe impl aya::Pod for super::Tuple {}
}
