//! The offsets of kernel members that the programs read.
//!
//! Owns the list. A member that this kernel does not have is absent, not an error, unless identity
//! rests on it.

use gateway_ebpf::Offsets;

use super::btf::{Btf, BtfError};

/// Where the kernel publishes its types.
const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

/// Why the offsets are not known.
#[derive(Debug, thiserror::Error)]
pub enum OffsetsError {
    /// The kernel was built without `CONFIG_DEBUG_INFO_BTF`, or the file cannot be read.
    #[error("{VMLINUX} cannot be read (a kernel with CONFIG_DEBUG_INFO_BTF is needed)")]
    Read(#[source] std::io::Error),
    /// The file cannot be understood.
    #[error("{VMLINUX}")]
    Parse(#[from] BtfError),
    /// A member is missing without which a process cannot be told from another.
    #[error("this kernel has no {structure}.{member}")]
    Missing {
        /// The structure.
        structure: &'static str,
        /// The member.
        member: &'static str,
    },
}

/// Reads them from the running kernel.
///
/// # Errors
/// [`OffsetsError`].
pub(super) fn of_running_kernel() -> Result<Offsets, OffsetsError> {
    let file = std::fs::read(VMLINUX).map_err(OffsetsError::Read)?;
    from_btf(&Btf::parse(&file)?)
}

fn from_btf(btf: &Btf<'_>) -> Result<Offsets, OffsetsError> {
    let needed = |structure, member| {
        btf.offset(structure, member).ok_or(OffsetsError::Missing { structure, member })
    };
    let optional = |structure, member| btf.offset(structure, member).unwrap_or(Offsets::ABSENT);
    Ok(Offsets {
        task_mm: needed("task_struct", "mm")?,
        task_group_leader: needed("task_struct", "group_leader")?,
        task_start_boottime: needed("task_struct", "start_boottime")?,
        // Kernels without CONFIG_AUDIT have no login uid.
        task_loginuid: optional("task_struct", "loginuid"),
        task_self_exec_id: needed("task_struct", "self_exec_id")?,
        task_cred: needed("task_struct", "cred")?,
        task_nsproxy: optional("task_struct", "nsproxy"),
        cred_euid: needed("cred", "euid")?,
        cred_egid: needed("cred", "egid")?,
        mm_exe_file: needed("mm_struct", "exe_file")?,
        file_f_inode: needed("file", "f_inode")?,
        inode_i_sb: needed("inode", "i_sb")?,
        inode_i_ino: needed("inode", "i_ino")?,
        super_block_s_dev: needed("super_block", "s_dev")?,
        // The rest serves the optional programs.
        nsproxy_net_ns: optional("nsproxy", "net_ns"),
        net_cookie: optional("net", "net_cookie"),
        cgroup_kn: optional("cgroup", "kn"),
        cgroup_root: optional("cgroup", "root"),
        kernfs_node_id: optional("kernfs_node", "id"),
        kernfs_node_name: optional("kernfs_node", "name"),
        cgroup_root_hierarchy_id: optional("cgroup_root", "hierarchy_id"),
        task_tgid: optional("task_struct", "tgid"),
        cgroup_ancestors: optional("cgroup", "ancestors"),
        cgroup_level: optional("cgroup", "level"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_kernel_has_every_member() {
        let offsets = of_running_kernel().unwrap();
        assert_ne!(offsets, Offsets::UNKNOWN);
        for optional in [offsets.cgroup_kn, offsets.kernfs_node_id, offsets.net_cookie] {
            assert_ne!(optional, Offsets::ABSENT, "{offsets:?}");
        }
    }
}
