//! What the kernel says about itself, read from /proc and /sys.
//!
//! Owns the reading, below a root that tests set. Must not judge. What cannot be read is `None`,
//! which is not the same as absent.

use std::fs;
use std::path::Path;

use super::super::trust;

/// The facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct HostFacts {
    /// `uname -r`.
    pub(super) release: Option<String>,
    /// Whether the kernel carries its own type information.
    pub(super) has_btf: bool,
    /// Where the cgroup2 hierarchy is mounted.
    pub(super) cgroup2: Option<String>,
    /// Where a BPF file system is mounted.
    pub(super) bpffs: Option<String>,
    /// Whether the usual place for one exists.
    pub(super) has_bpffs_place: bool,
    /// Effective capabilities of this process, as a bit set.
    pub(super) capabilities: Option<u64>,
    /// Limit of locked memory, as the kernel words it.
    pub(super) memlock: Option<String>,
    /// Active security modules.
    pub(super) lsm: Option<String>,
    /// The lockdown mode in force.
    pub(super) lockdown: Option<String>,
    /// Where tracefs is mounted.
    pub(super) tracefs: Option<String>,
    /// Whether the system's SSH clients trust the gateway's host certificates.
    pub(super) trusts_ssh: bool,
}

impl HostFacts {
    /// Reads the host below `root`.
    pub(super) fn read(root: &Path) -> Self {
        let text = |path: &str| fs::read_to_string(root.join(path)).ok();
        let mounts = text("proc/self/mountinfo").unwrap_or_default();
        let status = text("proc/self/status").unwrap_or_default();
        let limits = text("proc/self/limits").unwrap_or_default();
        Self {
            release: text("proc/sys/kernel/osrelease").map(|text| text.trim().to_owned()),
            has_btf: root.join("sys/kernel/btf/vmlinux").exists(),
            cgroup2: mount_of(&mounts, "cgroup2"),
            bpffs: mount_of(&mounts, "bpf"),
            has_bpffs_place: root.join("sys/fs/bpf").exists(),
            capabilities: field(&status, "CapEff:").and_then(|t| u64::from_str_radix(t, 16).ok()),
            memlock: limits
                .lines()
                .find_map(|line| line.strip_prefix("Max locked memory"))
                .and_then(|rest| rest.split_whitespace().next().map(str::to_owned)),
            lsm: text("sys/kernel/security/lsm").map(|text| text.trim().to_owned()),
            lockdown: text("sys/kernel/security/lockdown").as_deref().and_then(bracketed),
            tracefs: mount_of(&mounts, "tracefs"),
            trusts_ssh: trust::is_installed(&root.join(trust::SYSTEM_FILE.trim_start_matches('/'))),
        }
    }
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

/// The first mount point of a file system type in `/proc/PID/mountinfo` (proc(5)): the fields
/// before ` - ` hold the mount point fifth, the field behind it is the type.
fn mount_of(mounts: &str, kind: &str) -> Option<String> {
    mounts.lines().find_map(|line| {
        let (before, behind) = line.split_once(" - ")?;
        let found = behind.split_whitespace().next()? == kind;
        found.then(|| before.split_whitespace().nth(4).map(str::to_owned))?
    })
}

/// The chosen one of `none [integrity] confidentiality`.
fn bracketed(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('[')?;
    rest.split_once(']').map(|(chosen, _)| chosen.to_owned())
}
