//! What the daemon writes, where it listens, how much it takes.
//!
//! Owns the defaults of these settings and what makes each good. Must not know who heeds them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use model::{Group, Limits};

use super::Checker;
use crate::config::raw::RawConfig;
use crate::config::raw::daemon::{
    RawAudit, RawControl, RawLimits, RawListen, RawMembers, RawMetrics, RawRecording, RawUnlisted,
};
use crate::config::read::At;
use crate::config::settings::{
    ApproverMembers, AuditSettings, ControlSettings, RecordingSettings, UnlistedDestinations,
};

const INSTANCE: &str = "portcullis";
const STATE_DIRECTORY: &str = "/var/lib/portcullis";
const CONTROL_SOCKET: &str = "/run/portcullis/control.sock";
/// Bytes of a socket's path that the kernel takes, its end included (unix(7)).
const SOCKET_PATH_BYTES_MAX: usize = 108;
const LISTEN_PORT: u16 = 15_432;

impl Checker<'_> {
    pub(super) fn instance(self, raw: &RawConfig) -> String {
        let Some(at) = &raw.instance else { return INSTANCE.to_owned() };
        let name = self.name(at).unwrap_or(INSTANCE);
        if name.contains('.') {
            self.refuse(at, "the name of an instance has no dots", "use a dash instead");
        }
        name.to_owned()
    }

    pub(super) fn state_directory(self, raw: &RawConfig) -> PathBuf {
        let path = raw.state_directory.as_ref().and_then(|at| self.path(at));
        path.unwrap_or_else(|| STATE_DIRECTORY.into())
    }

    pub(super) fn recording(
        self,
        at: Option<&At<RawRecording>>,
        state: &Path,
    ) -> RecordingSettings {
        let raw = at.and_then(At::get);
        let directory = raw.and_then(|raw| raw.directory.as_ref()).and_then(|at| self.path(at));
        RecordingSettings { directory: directory.unwrap_or_else(|| state.join("recordings")) }
    }

    pub(super) fn audit(self, at: Option<&At<RawAudit>>, state: &Path) -> AuditSettings {
        let raw = at.and_then(At::get);
        let file = raw.and_then(|raw| raw.file.as_ref()).and_then(|at| self.path(at));
        AuditSettings { file: file.unwrap_or_else(|| state.join("audit.jsonl")) }
    }

    pub(super) fn audits_allowed(self, at: Option<&At<RawAudit>>) -> bool {
        let raw = at.and_then(At::get);
        let allowed = raw.and_then(|raw| raw.allowed_operations.as_ref()).and_then(At::get);
        allowed.copied().unwrap_or(false)
    }

    pub(super) fn control(self, at: Option<&At<RawControl>>) -> ControlSettings {
        let raw = at.and_then(At::get);
        let socket = raw.and_then(|raw| raw.socket.as_ref()).and_then(|at| self.socket(at));
        let groups = raw.and_then(|raw| raw.approver_groups.as_ref()).and_then(At::get);
        ControlSettings {
            socket: socket.unwrap_or_else(|| CONTROL_SOCKET.into()),
            approver_groups: groups.map(|groups| self.approver_groups(groups)).unwrap_or_default(),
        }
    }

    fn socket(self, at: &At<String>) -> Option<PathBuf> {
        let path = self.path(at)?;
        if path.as_os_str().len() >= SOCKET_PATH_BYTES_MAX {
            let remedy = format!("use less than {SOCKET_PATH_BYTES_MAX} bytes");
            self.refuse(at, "the path is too long for a socket", remedy);
            return None;
        }
        Some(path)
    }

    fn approver_groups(
        self,
        groups: &BTreeMap<String, At<RawMembers>>,
    ) -> BTreeMap<Group, ApproverMembers> {
        let mut checked = BTreeMap::new();
        for (name, at) in groups {
            let Some(raw) = at.get() else { continue };
            if raw.users.is_empty() && raw.groups.is_empty() {
                let reason = format!("nobody is in {name}, so nobody can approve");
                self.refuse(at, reason, "list users or groups of this host");
            }
            let texts = |list: &[At<String>]| -> Vec<String> {
                list.iter().filter_map(|one| self.free_text(one)).map(str::to_owned).collect()
            };
            let members = ApproverMembers { users: texts(&raw.users), groups: texts(&raw.groups) };
            checked.insert(Group::from(name.as_str()), members);
        }
        checked
    }

    pub(super) fn listen_port(self, at: Option<&At<RawListen>>) -> u16 {
        let port = at.and_then(At::get).and_then(|raw| raw.port.as_ref());
        if let Some(at) = port.filter(|at| at.get() == Some(&0)) {
            self.refuse(at, "the port must be the same everywhere", "write a port from 1 to 65535");
        }
        port.and_then(At::get).copied().unwrap_or(LISTEN_PORT)
    }

    pub(super) fn metrics_listen(self, at: Option<&At<RawMetrics>>) -> Option<SocketAddr> {
        let at = &at.and_then(At::get)?.listen;
        let address = at.get()?.parse().ok();
        if address.is_none() {
            self.refuse(at, "this is not an address and port", "write it like 127.0.0.1:9464");
        }
        address
    }

    pub(super) fn limits(self, at: Option<&At<RawLimits>>) -> Limits {
        let mut limits = Limits::default();
        let Some(raw) = at.and_then(At::get) else { return limits };
        let size = |limit: &mut usize, at: &Option<At<_>>| {
            set(limit, at.as_ref().and_then(|at| self.size(at)));
        };
        let span = |limit: &mut _, at: &Option<At<_>>| {
            set(limit, at.as_ref().and_then(|at| self.span(at)));
        };
        let count = |limit: &mut usize, at: &Option<At<u32>>| {
            set(limit, at.as_ref().and_then(|at| self.count(at)));
        };
        size(&mut limits.startup_bytes_max, &raw.startup_bytes_max);
        size(&mut limits.statement_bytes_max, &raw.statement_bytes_max);
        size(&mut limits.message_bytes_max, &raw.message_bytes_max);
        span(&mut limits.handshake_within, &raw.handshake_within);
        span(&mut limits.upstream_within, &raw.upstream_within);
        count(&mut limits.sessions_per_workload_max, &raw.sessions_per_workload_max);
        count(&mut limits.half_open_per_workload_max, &raw.half_open_per_workload_max);
        count(&mut limits.holds_per_workload_max, &raw.holds_per_workload_max);
        count(&mut limits.pipeline_depth_max, &raw.pipeline_depth_max);
        count(&mut limits.named_statements_max, &raw.named_statements_max);
        size(&mut limits.recorded_result_bytes_max, &raw.recorded_result_bytes_max);
        span(&mut limits.drain_within, &raw.drain_within);
        if limits.statement_bytes_max > limits.message_bytes_max
            && let Some(at) = &raw.statement_bytes_max
        {
            let reason = "a statement of this size would not fit a message";
            self.refuse(at, reason, "raise message_bytes_max too");
        }
        limits
    }

    fn count(self, at: &At<u32>) -> Option<usize> {
        let count = usize::try_from(*at.get()?).ok()?;
        if count == 0 {
            self.refuse(at, "a limit of 0 refuses everything", "write at least 1");
            return None;
        }
        Some(count)
    }
}

fn set<T>(limit: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *limit = value;
    }
}

pub(super) fn unlisted(at: Option<&At<RawUnlisted>>) -> UnlistedDestinations {
    match at.and_then(At::get) {
        None | Some(RawUnlisted::Allow) => UnlistedDestinations::Allow,
        Some(RawUnlisted::Deny) => UnlistedDestinations::Deny,
    }
}
