//! The daemon as a whole.
//!
//! Owns the field names. Holds nothing live.

use model::{Protocol, TargetName, Timestamp};
use serde::{Deserialize, Serialize};

/// What the daemon is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DaemonState {
    /// Not yet ready.
    Starting,
    /// Serving.
    Serving,
    /// Takes no new sessions; waits for operations in flight.
    Draining,
}

/// What the kernel programs are doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterceptionView {
    /// Programs attached.
    pub programs: u32,
    /// Where they are pinned.
    pub pinned_at: String,
    /// What they govern, as the configuration says.
    pub governed: Vec<String>,
    /// Network namespaces with a listener.
    pub namespaces: u32,
    /// Connects captured since they were loaded.
    pub captured: u64,
    /// Connects refused in the kernel.
    pub refused: u64,
}

/// One target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetView {
    /// Its name.
    pub name: TargetName,
    /// Its protocol.
    pub protocol: Protocol,
    /// Its addresses.
    pub addresses: Vec<String>,
    /// Its environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// False where decisions are only observed, not enforced.
    pub enforced: bool,
    /// Live sessions.
    pub sessions: u64,
}

/// One thing that can be well or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckView {
    /// What: `recording`, `audit log`, `identity provider corp`.
    pub name: String,
    /// Whether it is well.
    pub healthy: bool,
    /// More about it, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// The daemon as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusView {
    /// Its version.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// What it is doing.
    pub state: DaemonState,
    /// Since when it runs.
    pub started_us: Timestamp,
    /// Now, by its clock.
    pub now_us: Timestamp,
    /// The configuration file or directory.
    pub config: String,
    /// Digest of the policy in force, 64 hexadecimal digits.
    pub policy: String,
    /// Since when it is in force.
    pub policy_since_us: Timestamp,
    /// Why the last reload was refused; empty where it was not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reload_errors: Vec<String>,
    /// Live sessions.
    pub sessions: u64,
    /// Held operations.
    pub holds: u64,
    /// The kernel's side.
    pub interception: InterceptionView,
    /// The targets.
    pub targets: Vec<TargetView>,
    /// What can be well or not.
    pub checks: Vec<CheckView>,
}

impl StatusView {
    /// Whether everything is as it should be.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.state == DaemonState::Serving
            && self.reload_errors.is_empty()
            && self.checks.iter().all(|check| check.healthy)
    }
}
