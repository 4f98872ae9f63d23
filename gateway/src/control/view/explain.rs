//! Why a socket or a statement is judged as it is: every step from the kernel's record to the
//! obligations.
//!
//! Owns the field names. Must not decide anything.

use model::{Attestation, Effect, SessionId, TargetName, WorkloadName};
use serde::{Deserialize, Serialize};

/// What is to be explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ExplainSubject {
    /// A live session.
    Socket(SessionId),
    /// The newest live session of a process.
    Pid(u32),
    /// A workload at a target, live or not.
    Workload {
        /// The workload, by name.
        workload: WorkloadName,
        /// The target, by name.
        target: TargetName,
        /// The database, where the target has several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        database: Option<String>,
    },
}

/// What would be done over SSH.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SshQuestion {
    /// Run a command line.
    Exec(String),
    /// An action on files: `read /srv/x`, `rename /srv/x /srv/y`.
    Sftp(String),
    /// Have the target connect to `host:port`.
    Forward(String),
}

/// A request that would be sent over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpQuestion {
    /// The method and the address: `GET https://api.example/v1/users?page=1`; a path alone is for
    /// the target's first host.
    pub request: String,
    /// Headers, `name: value`; those that conditions ask for count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
}

/// One file of a candidate configuration. The text travels, not the path: the daemon reads no
/// file on somebody's behalf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CandidateFile {
    /// Its name, for error messages.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExplainRequest {
    /// About what.
    pub subject: ExplainSubject,
    /// A statement to judge; without one, a live socket's last operation or the session itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// What would be done over SSH, instead of a statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<SshQuestion>,
    /// What would be sent over HTTP, instead of a statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpQuestion>,
    /// A configuration to judge by instead of the one in force.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidate: Vec<CandidateFile>,
}

/// How the process became a workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadView {
    /// The workload.
    pub name: WorkloadName,
    /// What of it matched, such as `systemd_unit: nightly-report.service`.
    pub matched_by: Vec<String>,
}

/// A role the principal has at the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleView {
    /// The role.
    pub name: String,
    /// The groups it comes from.
    pub through: Vec<String>,
}

/// One rule that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleView {
    /// Its role.
    pub role: String,
    /// Its id.
    pub rule: String,
    /// Its effect.
    pub effect: Effect,
    /// Whether it matches.
    pub matches: bool,
    /// Why, or why not.
    pub because: String,
}

/// One access the operation needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessView {
    /// The access, such as `select on shop.public.users(email)`.
    pub access: String,
    /// The rules, in the order they were looked at.
    pub rules: Vec<RuleView>,
    /// What follows for this access.
    pub effect: Effect,
}

/// Who must approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalView {
    /// The group.
    pub group: String,
    /// How many of it.
    pub count: u32,
    /// Within how long, in milliseconds.
    pub within_ms: u64,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionView {
    /// What would happen, or happened.
    pub effect: Effect,
    /// Why, in a sentence.
    pub reason: String,
    /// The rules that decide.
    pub rules: Vec<String>,
    /// Who must approve, where it would be held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<ApprovalView>,
    /// False where the target only observes.
    pub enforced: bool,
}

/// A mask the principal is under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskView {
    /// What is masked: a column pattern or a detector.
    pub what: String,
    /// The classification.
    pub tag: String,
    /// How.
    pub transform: String,
}

/// The whole explanation. Steps that do not apply are missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainView {
    /// The live session, where one was asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The kernel's record, as people read it, line by line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub binding: Vec<(String, String)>,
    /// What was found out about the process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<Attestation>,
    /// The workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<WorkloadView>,
    /// The principal.
    pub principal: String,
    /// Its groups.
    pub groups: Vec<String>,
    /// The target.
    pub target: TargetName,
    /// The roles at that target.
    pub roles: Vec<RoleView>,
    /// The operation's kind.
    pub kind: String,
    /// The operation's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// What it needs, and which rules speak to that.
    pub accesses: Vec<AccessView>,
    /// The answer.
    pub decision: DecisionView,
    /// The masks the principal is under at that target.
    pub masks: Vec<MaskView>,
    /// Digest of the policy that answered.
    pub policy: String,
    /// Whether that is a candidate rather than the one in force.
    pub candidate: bool,
    /// What else is worth knowing (catalogue unknown, token expires soon).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}
