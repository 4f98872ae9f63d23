//! What the API says: plain data, the same on both ends, stable under `--json`.
//!
//! Owns the field names. Must not hold anything live. Times are microseconds since the Unix epoch
//! (`_us`), sizes are bytes; a field that is missing is not known.

mod explain;
mod hold;
mod socket;
mod status;

use serde::{Deserialize, Serialize};

pub use explain::{
    AccessView, ApprovalView, CandidateFile, DecisionView, ExplainRequest, ExplainSubject,
    ExplainView, HttpQuestion, MaskView, RoleView, RuleView, SshQuestion, WorkloadView,
};
pub use hold::{HoldView, RequirementView, VoteRequest, VoteView};
pub use socket::{LastDecisionView, SocketPhase, SocketView};
pub use status::{CheckView, DaemonState, InterceptionView, StatusView, TargetView};

/// What a reload did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReloadView {
    /// Whether the new configuration is in force. If not, the old one still is.
    pub applied: bool,
    /// Digest of the policy that is in force now.
    pub policy: String,
    /// Why it was not applied, one text each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

/// What was done to something named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoneView {
    /// What happened, in a sentence.
    pub message: String,
}
