//! What userspace tells the programs.

/// In [`Settings::flags`]: every task is governed but those in the gateway's own cgroup.
pub const FLAG_GOVERN_HOST: u32 = 1;
/// In [`Settings::flags`]: governed tasks reach captured destinations only.
pub const FLAG_DENY_UNLISTED: u32 = 2;
/// In [`Settings::flags`]: send an event for each redirected connect.
pub const FLAG_REPORT_REDIRECTED: u32 = 4;

/// Levels of the cgroup tree that are looked at: the root is level 0. Governed cgroups lie at
/// levels 1 to `LEVELS - 1`; tasks may be deeper.
pub const LEVELS: usize = 16;

/// Bytes of a watched cgroup name or path, with its terminating NUL.
pub const NAME_BYTES: usize = 256;

/// The one element of the settings array.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `FLAG_*`.
    pub flags: u32,
    /// Level of the gateway's own cgroup.
    pub own_level: u32,
    /// The gateway's own cgroup; 0 for none.
    pub own_cgroup: u64,
    /// Not 0 at each level where a governed cgroup is, or may appear.
    pub levels: [u8; LEVELS],
    /// Not 0: a cgroup that had to be governed at its creation did not fit the map. Until userspace
    /// has made room, every task is governed, so that the one cannot slip through. Written by the
    /// programs.
    pub overflowed: u64,
}

/// The gateway's listener in one network namespace, on the loopback addresses of both families.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listener {
    /// Port in network order, in the low half; the form in which hooks see ports.
    pub port_be: u32,
    /// 1: open. Room for more states.
    pub state: u32,
}

/// A cgroup's last path component, or its whole path (starting with `/`), padded with NULs.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchedName {
    /// The text; at least one NUL ends it.
    pub text: [u8; NAME_BYTES],
}

/// Where fields of kernel structures are, in bytes from the start of their structure. Read from the
/// running kernel's BTF; `Offsets::ABSENT` for a field that this kernel does not have.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offsets {
    /// `task_struct.mm`
    pub task_mm: u32,
    /// `task_struct.group_leader`
    pub task_group_leader: u32,
    /// `task_struct.start_boottime`
    pub task_start_boottime: u32,
    /// `task_struct.loginuid`
    pub task_loginuid: u32,
    /// `task_struct.self_exec_id`
    pub task_self_exec_id: u32,
    /// `task_struct.cred`
    pub task_cred: u32,
    /// `task_struct.nsproxy`
    pub task_nsproxy: u32,
    /// `cred.euid`
    pub cred_euid: u32,
    /// `cred.egid`
    pub cred_egid: u32,
    /// `mm_struct.exe_file`
    pub mm_exe_file: u32,
    /// `file.f_inode`
    pub file_f_inode: u32,
    /// `inode.i_sb`
    pub inode_i_sb: u32,
    /// `inode.i_ino`
    pub inode_i_ino: u32,
    /// `super_block.s_dev`
    pub super_block_s_dev: u32,
    /// `nsproxy.net_ns`
    pub nsproxy_net_ns: u32,
    /// `net.net_cookie`
    pub net_cookie: u32,
    /// `cgroup.kn`
    pub cgroup_kn: u32,
    /// `cgroup.root`
    pub cgroup_root: u32,
    /// `kernfs_node.id`
    pub kernfs_node_id: u32,
    /// `kernfs_node.name`
    pub kernfs_node_name: u32,
    /// `cgroup_root.hierarchy_id`
    pub cgroup_root_hierarchy_id: u32,
    /// `task_struct.tgid`
    pub task_tgid: u32,
    /// `cgroup.ancestors`
    pub cgroup_ancestors: u32,
    /// `cgroup.level`
    pub cgroup_level: u32,
}

impl Offsets {
    /// The offset of a field that the kernel does not have.
    pub const ABSENT: u32 = u32::MAX;

    /// No field known: what the object file carries until userspace fills it in.
    pub const UNKNOWN: Self = Self {
        task_mm: Self::ABSENT,
        task_group_leader: Self::ABSENT,
        task_start_boottime: Self::ABSENT,
        task_loginuid: Self::ABSENT,
        task_self_exec_id: Self::ABSENT,
        task_cred: Self::ABSENT,
        task_nsproxy: Self::ABSENT,
        cred_euid: Self::ABSENT,
        cred_egid: Self::ABSENT,
        mm_exe_file: Self::ABSENT,
        file_f_inode: Self::ABSENT,
        inode_i_sb: Self::ABSENT,
        inode_i_ino: Self::ABSENT,
        super_block_s_dev: Self::ABSENT,
        nsproxy_net_ns: Self::ABSENT,
        net_cookie: Self::ABSENT,
        cgroup_kn: Self::ABSENT,
        cgroup_root: Self::ABSENT,
        kernfs_node_id: Self::ABSENT,
        kernfs_node_name: Self::ABSENT,
        cgroup_root_hierarchy_id: Self::ABSENT,
        task_tgid: Self::ABSENT,
        cgroup_ancestors: Self::ABSENT,
        cgroup_level: Self::ABSENT,
    };
}

#[cfg(feature = "user")]
mod pod {
    // SAFETY: `repr(C)`, only integers, no padding, so every bit pattern is a value.
    unsafe impl aya::Pod for super::Settings {}
    // SAFETY: as above.
    unsafe impl aya::Pod for super::Listener {}
    // SAFETY: as above.
    unsafe impl aya::Pod for super::WatchedName {}
    // SAFETY: as above.
    unsafe impl aya::Pod for super::Offsets {}
}
