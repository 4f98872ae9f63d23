//! Keys about the daemon itself: what it writes, where it listens, how much it takes.
//!
//! Owns their names, kinds and documentation. Must not know what makes a value good (`check`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::scalar::{Size, Span};
use crate::config::read::At;

/// What governed tasks may reach beside the targets.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "UnlistedDestinations", inline)]
pub(in crate::config) enum RawUnlisted {
    /// Anything; counted.
    Allow,
    /// Nothing.
    Deny,
}

/// Recordings of sessions.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Recording")]
pub(in crate::config) struct RawRecording {
    /// Where they are kept. Default: `recordings` in the state directory.
    pub(in crate::config) directory: Option<At<String>>,
}

/// The audit log.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Audit")]
pub(in crate::config) struct RawAudit {
    /// Its file. Default: `audit.jsonl` in the state directory.
    pub(in crate::config) file: Option<At<String>>,
    /// Whether operations that are allowed get a line too; they are recorded in any case.
    /// Default: `false`.
    pub(in crate::config) allowed_operations: Option<At<bool>>,
}

/// The local API.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Control")]
pub(in crate::config) struct RawControl {
    /// Its socket. Default: `/run/portcullis/control.sock`.
    pub(in crate::config) socket: Option<At<String>>,
    /// Who is in the groups that rules name as approvers. Where this is not given, a group is the
    /// host's group of the same name.
    pub(in crate::config) approver_groups: Option<At<BTreeMap<String, At<RawMembers>>>>,
}

/// Who is in an approver group.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Members")]
pub(in crate::config) struct RawMembers {
    /// Users of the host, by name.
    #[serde(default)]
    pub(in crate::config) users: Vec<At<String>>,
    /// Groups of the host, by name.
    #[serde(default)]
    pub(in crate::config) groups: Vec<At<String>>,
}

/// Where captured connections are accepted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Listen")]
pub(in crate::config) struct RawListen {
    /// The port, on the loopback addresses of every network namespace with governed tasks.
    /// Default: 15432.
    pub(in crate::config) port: Option<At<u16>>,
}

/// Prometheus metrics.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Metrics")]
pub(in crate::config) struct RawMetrics {
    /// Where they are served over HTTP: `127.0.0.1:9464`.
    pub(in crate::config) listen: At<String>,
}

/// Bounds on everything that grows with what a peer sends.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Limits")]
pub(in crate::config) struct RawLimits {
    /// Size of a message before the session is authorised. Default: `10000`.
    pub(in crate::config) startup_bytes_max: Option<At<Size>>,
    /// Size of one statement's text. Default: `4MiB`.
    pub(in crate::config) statement_bytes_max: Option<At<Size>>,
    /// Size of one message that must be held whole to be judged or masked. Default: `16MiB`.
    pub(in crate::config) message_bytes_max: Option<At<Size>>,
    /// Time from accept to an authorised session. Default: `20s`.
    pub(in crate::config) handshake_within: Option<At<Span>>,
    /// Time from dialling to a ready upstream. Default: `20s`.
    pub(in crate::config) upstream_within: Option<At<Span>>,
    /// Live sessions of one workload. Default: 4096.
    pub(in crate::config) sessions_per_workload_max: Option<At<u32>>,
    /// Connections of one workload that are not yet sessions. Default: 256.
    pub(in crate::config) half_open_per_workload_max: Option<At<u32>>,
    /// Held operations of one workload. Default: 32.
    pub(in crate::config) holds_per_workload_max: Option<At<u32>>,
    /// Operations a client may send ahead of their answers. Default: 4096.
    pub(in crate::config) pipeline_depth_max: Option<At<u32>>,
    /// Named prepared statements and portals of one session. Default: 8192.
    pub(in crate::config) named_statements_max: Option<At<u32>>,
    /// Size of one result that a recording keeps; the rest is counted. Default: `64KiB`.
    pub(in crate::config) recorded_result_bytes_max: Option<At<Size>>,
    /// How long a drain waits for operations in flight. Default: `30s`.
    pub(in crate::config) drain_within: Option<At<Span>>,
}
