//! What the facts mean: good, missing, or missing but not needed, each with what to do.
//!
//! Owns the judgement and the list of capabilities the daemon uses. Must not read anything.

use serde::Serialize;

use super::super::trust::SYSTEM_FILE;
use super::facts::HostFacts;

/// Oldest kernel with everything the programs use (bounded loops, BPF links on cgroups, socket
/// storage in connect hooks, ring buffer, CAP_BPF).
const KERNEL_MIN: (u32, u32) = (5, 15);
/// Since here locked memory is not what BPF maps count against.
const KERNEL_WITHOUT_MEMLOCK: (u32, u32) = (5, 11);

/// Capabilities by bit (capabilities(7)), and what each is for.
const CAPABILITIES: &[(u32, &str, &str)] = &[
    (12, "CAP_NET_ADMIN", "attaches the programs, marks sockets"),
    (21, "CAP_SYS_ADMIN", "enters network namespaces, mounts the BPF file system"),
    (38, "CAP_PERFMON", "reads task facts in the programs"),
    (39, "CAP_BPF", "loads programs and maps"),
];
/// Capabilities that only some hosts need.
const CAPABILITIES_OPTIONAL: &[(u32, &str, &str)] =
    &[(19, "CAP_SYS_PTRACE", "reads the executable of other users' processes")];

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// It is there.
    Good,
    /// It is not there, and the daemon runs without it.
    Optional,
    /// It is not there, and the daemon cannot run.
    Missing,
}

/// One thing looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) name: &'static str,
    pub(super) state: State,
    pub(super) found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
}

impl Finding {
    fn new(name: &'static str, state: State, found: impl Into<String>) -> Self {
        Self { name, state, found: found.into(), remedy: None }
    }

    fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// Judges the facts, what is required first.
pub(super) fn findings(facts: &HostFacts) -> Vec<Finding> {
    let mut findings =
        vec![kernel(facts), btf(facts), cgroup2(facts), bpffs(facts), lockdown(facts)];
    findings.extend(CAPABILITIES.iter().map(|c| capability(facts, *c, State::Missing)));
    findings.push(memlock(facts));
    findings.extend(CAPABILITIES_OPTIONAL.iter().map(|c| capability(facts, *c, State::Optional)));
    findings.push(lsm(facts));
    findings.push(tracing(facts));
    findings.push(ssh_trust(facts));
    findings
}

fn ssh_trust(facts: &HostFacts) -> Finding {
    if facts.trusts_ssh {
        return Finding::new("ssh trust", State::Good, SYSTEM_FILE);
    }
    let found = format!("no line of the gateway's in {SYSTEM_FILE}");
    Finding::new("ssh trust", State::Optional, found)
        .with_remedy("Where there are targets of SSH: `portcullis trust ssh --apply`.")
}

fn version(facts: &HostFacts) -> Option<(u32, u32)> {
    let mut numbers = facts.release.as_deref()?.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn kernel(facts: &HostFacts) -> Finding {
    let release = facts.release.as_deref().unwrap_or("unknown");
    let (major, minor) = KERNEL_MIN;
    match version(facts) {
        Some(version) if version >= KERNEL_MIN => Finding::new("kernel", State::Good, release),
        _ => Finding::new("kernel", State::Missing, release)
            .with_remedy(format!("Boot a kernel {major}.{minor} or newer.")),
    }
}

fn btf(facts: &HostFacts) -> Finding {
    if facts.has_btf {
        return Finding::new("BTF", State::Good, "/sys/kernel/btf/vmlinux");
    }
    Finding::new("BTF", State::Missing, "the kernel carries no type information")
        .with_remedy("Boot a kernel built with CONFIG_DEBUG_INFO_BTF=y; distribution kernels are.")
}

fn cgroup2(facts: &HostFacts) -> Finding {
    match &facts.cgroup2 {
        Some(place) => Finding::new("cgroup2", State::Good, place),
        None => Finding::new("cgroup2", State::Missing, "not mounted").with_remedy(
            "Mount it: `mount -t cgroup2 none /sys/fs/cgroup`, or boot with \
             systemd.unified_cgroup_hierarchy=1.",
        ),
    }
}

fn bpffs(facts: &HostFacts) -> Finding {
    match (&facts.bpffs, facts.has_bpffs_place) {
        (Some(place), _) => Finding::new("bpffs", State::Good, place),
        (None, true) => Finding::new(
            "bpffs",
            State::Optional,
            "not mounted; the daemon mounts it at /sys/fs/bpf",
        )
        .with_remedy("To have it from boot: `mount -t bpf bpf /sys/fs/bpf`."),
        (None, false) => Finding::new("bpffs", State::Missing, "there is no /sys/fs/bpf")
            .with_remedy("Boot a kernel built with CONFIG_BPF_SYSCALL=y."),
    }
}

fn lockdown(facts: &HostFacts) -> Finding {
    match facts.lockdown.as_deref() {
        Some("confidentiality") => Finding::new(
            "lockdown",
            State::Missing,
            "confidentiality: programs may not read task facts",
        )
        .with_remedy("Boot with lockdown=integrity or lockdown=none."),
        Some(mode) => Finding::new("lockdown", State::Good, mode),
        None => Finding::new("lockdown", State::Good, "not in this kernel"),
    }
}

fn capability(
    facts: &HostFacts,
    (bit, name, what): (u32, &'static str, &str),
    absent: State,
) -> Finding {
    if facts.capabilities.is_some_and(|set| set & (1 << bit) != 0) {
        return Finding::new(name, State::Good, what);
    }
    Finding::new(name, absent, format!("this process has it not: {what}"))
        .with_remedy("Run it as root; the systemd unit grants it (AmbientCapabilities=).")
}

fn memlock(facts: &HostFacts) -> Finding {
    let limit = facts.memlock.as_deref().unwrap_or("unknown");
    let counts = version(facts).is_none_or(|version| version < KERNEL_WITHOUT_MEMLOCK);
    if counts && limit != "unlimited" {
        return Finding::new("memlock", State::Missing, format!("{limit} bytes")).with_remedy(
            "Raise it: `LimitMEMLOCK=infinity` in the unit, or `ulimit -l unlimited`.",
        );
    }
    let found =
        if counts { limit.to_owned() } else { format!("{limit}; not counted on this kernel") };
    Finding::new("memlock", State::Good, found)
}

fn lsm(facts: &HostFacts) -> Finding {
    let active = facts.lsm.as_deref().unwrap_or("unknown");
    if active.split(',').any(|module| module == "bpf") {
        return Finding::new("BPF LSM", State::Good, active);
    }
    Finding::new("BPF LSM", State::Optional, format!("not active ({active})"))
        .with_remedy("It would close raw packet sockets too: boot with `bpf` appended to lsm=.")
}

fn tracing(facts: &HostFacts) -> Finding {
    if !facts.has_btf {
        return Finding::new("tp_btf", State::Optional, "needs BTF");
    }
    match &facts.tracefs {
        Some(place) => Finding::new("tp_btf", State::Good, format!("BTF, tracefs at {place}")),
        None => Finding::new("tp_btf", State::Good, "BTF; tracefs is not mounted and not needed"),
    }
}
