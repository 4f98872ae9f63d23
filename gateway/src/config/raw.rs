//! The configuration as it is written: one struct for each group of keys.
//!
//! Owns the keys, their kinds and their documentation, from which the JSON Schema and the
//! reference are generated. Must not know what makes a value good (`check`).

pub(super) mod daemon;
pub(super) mod http;
pub(super) mod identity;
pub(super) mod kubernetes;
pub(super) mod roles;
pub(super) mod scalar;
pub(super) mod ssh;
pub(super) mod target;

use schemars::JsonSchema;
use serde::Deserialize;

use self::daemon::{
    RawAudit, RawControl, RawLimits, RawListen, RawMetrics, RawRecording, RawUnlisted,
};
use self::identity::{RawGovern, RawProvider, RawWorkload};
use self::roles::{RawClassification, RawRole};
use self::target::RawTarget;
use super::read::At;

/// The configuration of Portcullis: one YAML file, or a directory of `*.yaml` files whose lists
/// are joined.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Configuration")]
pub(super) struct RawConfig {
    /// Name of this gateway, for hosts with more than one and for the audit log. Default:
    /// `portcullis`.
    pub(super) instance: Option<At<String>>,
    /// Directory of what must survive a restart: keys, the audit log, recordings. Default:
    /// `/var/lib/portcullis`.
    pub(super) state_directory: Option<At<String>>,
    /// What the kernel captures: `host` for everybody but the gateway, or a list of cgroup
    /// subtrees and systemd units. Needed as soon as there are targets.
    pub(super) govern: Option<At<RawGovern>>,
    /// What governed tasks may reach beside the targets. Default: `allow`.
    pub(super) unlisted_destinations: Option<At<RawUnlisted>>,
    /// Named sets of processes: who a captured socket belongs to. A governed socket that matches
    /// none is refused at every target.
    #[serde(default)]
    pub(super) workloads: Vec<At<RawWorkload>>,
    /// Who issues the tokens of workloads.
    #[serde(default)]
    pub(super) identity_providers: Vec<At<RawProvider>>,
    /// What workloads reach through the gateway.
    #[serde(default)]
    pub(super) targets: Vec<At<RawTarget>>,
    /// Who may do what. What no rule allows is denied.
    #[serde(default)]
    pub(super) roles: Vec<At<RawRole>>,
    /// What is sensitive, and how it is masked.
    #[serde(default)]
    pub(super) classification: Vec<At<RawClassification>>,
    /// Recordings of sessions.
    pub(super) recording: Option<At<RawRecording>>,
    /// The audit log.
    pub(super) audit: Option<At<RawAudit>>,
    /// The local API for operators and approvers.
    pub(super) control: Option<At<RawControl>>,
    /// Where captured connections are accepted.
    pub(super) listen: Option<At<RawListen>>,
    /// Prometheus metrics.
    pub(super) metrics: Option<At<RawMetrics>>,
    /// Bounds on everything that grows with what a peer sends.
    pub(super) limits: Option<At<RawLimits>>,
}
