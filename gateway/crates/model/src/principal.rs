//! Who a session acts for: the workload, what its token said, and the groups that roles attach to.
//!
//! Owns the finished identity. Must not know how it was attested or verified (`identity`). Fixed
//! when the session begins; a re-judged session gets a new one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::binding::FileId;
use crate::id::{Group, WorkloadName};
use crate::time::Timestamp;

/// What was found out about the process behind a binding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// Path of the cgroup below the cgroup2 root, such as `/system.slice/nightly-report.service`.
    pub cgroup_path: String,
    /// The systemd unit (service, scope or slice leaf) that the cgroup path names, if it does.
    pub systemd_unit: Option<String>,
    /// The container id that the cgroup path names, if it does.
    pub container: Option<String>,
    /// Name of the user, where the user database has one.
    pub user_name: Option<String>,
    /// Path of the executable: given only when the live process still had the start time of the
    /// kernel's record, and the path leads to the record's device and inode.
    pub executable: Option<String>,
    /// The executable of the kernel's record.
    pub executable_file: Option<FileId>,
    /// Why `executable` is missing, for people.
    pub executable_unknown_because: Option<String>,
}

/// What a verified token said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenSubject {
    /// The `iss` claim.
    pub issuer: String,
    /// The `sub` claim.
    pub subject: String,
    /// The `exp` claim.
    pub expires_at: Timestamp,
}

/// Workload, verified token subject and groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The workload.
    pub workload: WorkloadName,
    /// The token's subject; `None` for a workload that the configuration gives its groups.
    pub token: Option<TokenSubject>,
    /// The groups. None means no roles.
    pub groups: BTreeSet<Group>,
}

impl std::fmt::Display for Principal {
    /// `nightly-report` or `nightly-report (job@corp)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.token {
            Some(token) => write!(f, "{} ({})", self.workload, token.subject),
            None => self.workload.fmt(f),
        }
    }
}
