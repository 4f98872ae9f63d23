//! One captured socket as people see it.
//!
//! Owns the field names. Holds nothing live.

use std::net::SocketAddr;

use model::{
    Effect, OperationNumber, Protocol, RuleId, SessionId, TargetName, Timestamp, WorkloadName,
};
use serde::{Deserialize, Serialize};

/// What a session is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SocketPhase {
    /// Accepted; the client has not yet said what it wants.
    Opening,
    /// Operations may come.
    Live,
    /// An operation waits for an approver.
    Held,
    /// It is being ended.
    Ending,
}

/// The last decision of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastDecisionView {
    /// The operation's number in the session.
    pub operation: OperationNumber,
    /// Its kind.
    pub kind: String,
    /// What was decided.
    pub effect: Effect,
    /// The rule that decided, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
    /// When.
    pub at_us: Timestamp,
}

/// One captured socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketView {
    /// The session on it.
    pub session: SessionId,
    /// Process id at connect.
    pub pid: u32,
    /// The process's own name for itself; nothing is decided by it.
    pub comm: String,
    /// The executable, where it was verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executable: Option<String>,
    /// The systemd unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The container id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Path of the cgroup.
    pub cgroup: String,
    /// User id at connect.
    pub uid: u32,
    /// Name of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The workload.
    pub workload: WorkloadName,
    /// The principal, as people read it.
    pub principal: String,
    /// Its groups.
    pub groups: Vec<String>,
    /// Where the workload meant to go.
    pub original: SocketAddr,
    /// The target.
    pub target: TargetName,
    /// Its protocol.
    pub protocol: Protocol,
    /// Database, host or the like inside the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// What it is doing.
    pub phase: SocketPhase,
    /// The last decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<LastDecisionView>,
    /// Operations decided.
    pub operations: u64,
    /// Values masked.
    pub masked_values: u64,
    /// Bytes the client sent, by the kernel's count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel_bytes_from_client: Option<u64>,
    /// Bytes the client acknowledged, by the kernel's count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel_bytes_to_client: Option<u64>,
    /// Bytes the client sent, by the proxy's count.
    pub bytes_from_client: u64,
    /// Bytes sent to the client, by the proxy's count.
    pub bytes_to_client: u64,
    /// When it was accepted.
    pub accepted_us: Timestamp,
}
