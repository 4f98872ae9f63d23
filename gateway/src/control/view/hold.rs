//! A held operation as an approver sees it, and a vote.
//!
//! Owns the field names. Holds nothing live.

use model::{HoldId, OperationNumber, SessionId, TargetName, Timestamp, WorkloadName};
use serde::{Deserialize, Serialize};

/// Who must approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequirementView {
    /// The group.
    pub group: String,
    /// How many of it.
    pub count: u32,
}

/// A held operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldView {
    /// The hold.
    pub id: HoldId,
    /// The session that waits.
    pub session: SessionId,
    /// The workload.
    pub workload: WorkloadName,
    /// The token's subject, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Process id at connect.
    pub pid: u32,
    /// The target.
    pub target: TargetName,
    /// The operation's number in the session.
    pub operation: OperationNumber,
    /// Its kind.
    pub kind: String,
    /// The operation as the workload wrote it.
    pub text: String,
    /// What an approval is bound to, 64 hexadecimal digits.
    pub digest: String,
    /// Who must approve; all of them.
    pub requirements: Vec<RequirementView>,
    /// Who has approved so far.
    pub approved_by: Vec<String>,
    /// Since when it waits.
    pub since_us: Timestamp,
    /// When it expires.
    pub expires_us: Timestamp,
}

/// A vote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoteRequest {
    /// What the approver says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The digest of the operation the approver looked at; where given it must be the hold's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// What a vote did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoteView {
    /// The hold.
    pub id: HoldId,
    /// Who voted, as the audit log names them.
    pub by: String,
    /// Whether the hold has ended by this vote.
    pub ended: bool,
    /// Who is still asked.
    pub missing: Vec<RequirementView>,
}
