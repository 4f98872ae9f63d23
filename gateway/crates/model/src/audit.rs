//! The audit vocabulary: one type for one line about one fact.
//!
//! Owns the events and the stable names of their fields. Must not know where lines are written
//! (`recording`) nor what a metric is (`telemetry`). A field, once shipped, keeps its name.

use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::access::{Action, Object};
use crate::decision::{DecidingRule, Effect, Reason};
use crate::id::{HoldId, OperationNumber, PolicyDigest, SessionId, TargetName, WorkloadName};
use crate::operation::Operation;
use crate::principal::{Attestation, TokenSubject};
use crate::target::Protocol;
use crate::time::Timestamp;

/// One line of the audit log.
#[derive(Clone, Debug, Serialize)]
pub struct AuditLine {
    /// When it happened, microseconds since the Unix epoch.
    pub time_us: Timestamp,
    /// Counts lines since the daemon started, from 1: a gap is a lost line.
    pub sequence: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: AuditEvent,
}

/// What is asked of an API server of resources, in the words of that server's own audit log, so that
/// the two can be laid side by side. What is not there is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResourceAsked {
    /// The verb.
    pub verb: Action,
    /// The group of the API; the core group has none.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub group: Arc<str>,
    /// The version of the API.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub version: Arc<str>,
    /// The resource, in the plural.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub resource: Arc<str>,
    /// The subresource.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub subresource: Arc<str>,
    /// The namespace.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub namespace: Arc<str>,
    /// The name of the object.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub name: Arc<str>,
    /// The path, where it is no resource.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub path: Arc<str>,
}

impl ResourceAsked {
    /// What an operation asks for, where it is of such a server.
    #[must_use]
    pub fn of(operation: &Operation) -> Option<Box<Self>> {
        operation.accesses.iter().find_map(|access| {
            let Object::Resource(facts) = &access.object else { return None };
            let path = if facts.is_path() { Arc::clone(&facts.request.path) } else { "".into() };
            Some(Box::new(Self {
                verb: access.action,
                group: Arc::clone(&facts.group),
                version: Arc::clone(&facts.version),
                resource: Arc::clone(&facts.resource),
                subresource: Arc::clone(&facts.subresource),
                namespace: Arc::clone(&facts.namespace),
                name: Arc::clone(&facts.name),
                path,
            }))
        })
    }
}

/// Who and what a session is, repeated on every event of the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionFacts {
    /// The session.
    pub session: SessionId,
    /// Its workload.
    pub workload: WorkloadName,
    /// The verified subject, where there is a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<TokenSubject>,
    /// Its target.
    pub target: TargetName,
    /// The target's protocol.
    pub protocol: Protocol,
    /// Process id of the workload's process at connect.
    pub pid: u32,
}

/// Why a socket was turned away before it became a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SocketRefusal {
    /// The accepted socket carries no binding: somebody connected to the listener directly.
    NoBinding,
    /// No workload of the configuration matches the binding.
    NoWorkload,
    /// More than one workload matches with equal right.
    AmbiguousWorkload,
    /// The workload requires a token and there is none that is valid.
    NoValidToken,
    /// The original destination belongs to no target.
    NoTarget,
    /// It belongs to more than one target.
    AmbiguousTarget,
    /// A limit of the workload is reached.
    LimitReached,
    /// The daemon is draining.
    Draining,
    /// The kernel refused it: no listener in that network namespace yet, or a map was full.
    Kernel,
}

/// How a hold ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldEnd {
    /// Enough approvers said yes.
    Approved,
    /// An approver said no.
    Rejected,
    /// Nobody answered in time.
    Expired,
    /// The client went away, or its session ended.
    Cancelled,
}

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "cause")]
pub enum SessionEnd {
    /// The client said goodbye or closed.
    Client,
    /// The upstream closed or reset.
    Upstream,
    /// The policy of now refuses the session.
    PolicyChanged,
    /// The token expired or was revoked.
    TokenExpired,
    /// An operator ended it.
    Killed,
    /// The daemon drained.
    Drained,
    /// Login or connect was refused.
    Refused,
    /// A peer broke the protocol or a limit.
    ProtocolViolation {
        /// What it did.
        because: Arc<str>,
    },
    /// Our own fault, recording and store included.
    Internal {
        /// What went wrong.
        because: Arc<str>,
    },
}

/// What happened.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum AuditEvent {
    /// The daemon is ready to serve.
    DaemonStarted {
        /// Its version.
        version: &'static str,
        /// The policy it serves.
        policy: PolicyDigest,
    },
    /// The daemon stops serving.
    DaemonStopped {
        /// Why.
        because: &'static str,
    },
    /// A policy took effect.
    PolicyLoaded {
        /// Its digest.
        policy: PolicyDigest,
        /// Who asked: `start`, `signal`, or `uid N` of a control client.
        by: Arc<str>,
    },
    /// A policy was refused; the old one stays.
    PolicyRejected {
        /// The errors, one text each.
        errors: Vec<String>,
        /// Who asked.
        by: Arc<str>,
    },
    /// A socket was turned away before it became a session.
    SocketRefused {
        /// Why.
        why: SocketRefusal,
        /// More about it, for people.
        detail: Arc<str>,
        /// Where it wanted to go, where known.
        #[serde(skip_serializing_if = "Option::is_none")]
        original: Option<SocketAddr>,
        /// Process id, where known.
        #[serde(skip_serializing_if = "Option::is_none")]
        pid: Option<u32>,
        /// User id, where known.
        #[serde(skip_serializing_if = "Option::is_none")]
        uid: Option<u32>,
        /// Path of the cgroup, where known.
        #[serde(skip_serializing_if = "Option::is_none")]
        cgroup: Option<Arc<str>>,
        /// The workload, where known.
        #[serde(skip_serializing_if = "Option::is_none")]
        workload: Option<WorkloadName>,
    },
    /// A session began.
    SessionStarted {
        /// The session.
        #[serde(flatten)]
        session: SessionFacts,
        /// Where the workload meant to go.
        original: SocketAddr,
        /// What was found out about the process.
        attestation: Arc<Attestation>,
        /// User id at connect.
        uid: u32,
    },
    /// A session ended.
    SessionEnded {
        /// The session.
        #[serde(flatten)]
        session: SessionFacts,
        /// Why.
        #[serde(flatten)]
        end: SessionEnd,
        /// Operations decided.
        operations: u64,
        /// Values masked.
        masked_values: u64,
        /// Bytes the client sent us, by our own count.
        bytes_from_client: u64,
        /// Bytes we sent the client, by our own count.
        bytes_to_client: u64,
        /// Bytes the client sent, by the kernel's count.
        #[serde(skip_serializing_if = "Option::is_none")]
        kernel_bytes_from_client: Option<u64>,
        /// Bytes the client acknowledged, by the kernel's count.
        #[serde(skip_serializing_if = "Option::is_none")]
        kernel_bytes_to_client: Option<u64>,
        /// How long it lasted, in milliseconds.
        duration_ms: u64,
    },
    /// An operation was decided. Written for denials and holds always; for allowances where the
    /// configuration asks for it (every operation is in the recording).
    OperationDecided {
        /// The session.
        #[serde(flatten)]
        session: SessionFacts,
        /// Its place in the session.
        operation: OperationNumber,
        /// Its kind.
        kind: Arc<str>,
        /// Its text, shortened.
        text: Arc<str>,
        /// What it asks an API server of resources for.
        #[serde(skip_serializing_if = "Option::is_none")]
        resource: Option<Box<ResourceAsked>>,
        /// The effect.
        effect: Effect,
        /// True where the target is only observed: decided and recorded, not enforced.
        observed_only: bool,
        /// Why.
        reason: Reason,
        /// The rules behind it.
        rules: Vec<DecidingRule>,
        /// The policy behind it.
        policy: PolicyDigest,
    },
    /// An operation waits for approvers.
    HoldStarted {
        /// The session.
        #[serde(flatten)]
        session: SessionFacts,
        /// The hold.
        hold: HoldId,
        /// The operation.
        operation: OperationNumber,
        /// Its text, shortened.
        text: Arc<str>,
        /// When it expires.
        expires_us: Timestamp,
    },
    /// A hold ended.
    HoldEnded {
        /// The session.
        #[serde(flatten)]
        session: SessionFacts,
        /// The hold.
        hold: HoldId,
        /// How.
        end: HoldEnd,
        /// Who decided, where somebody did.
        by: Vec<Arc<str>>,
        /// What they said.
        #[serde(skip_serializing_if = "Option::is_none")]
        comment: Option<Arc<str>>,
    },
    /// The upstream could not be reached, trusted or logged in to.
    UpstreamFailed {
        /// The session.
        #[serde(flatten)]
        session: SessionFacts,
        /// What failed, without any secret.
        because: Arc<str>,
    },
    /// A client of SSH went away when it was shown our host key.
    HostKeyRefused {
        /// The session.
        #[serde(flatten)]
        session: SessionFacts,
        /// What the client says it is (`SSH-2.0-OpenSSH_9.2p1`).
        client: Arc<str>,
        /// What to do about it.
        remedy: Arc<str>,
    },
    /// A program goes away, again and again, when it is shown the gateway's certificate.
    CertificateRefused {
        /// The session.
        #[serde(flatten)]
        session: SessionFacts,
        /// The program's file.
        executable: Arc<str>,
        /// The name it asked for.
        name: Arc<str>,
        /// What to do about it.
        remedy: Arc<str>,
    },
    /// A recording could not be written; operations are refused until it can.
    RecordingFailed {
        /// The session.
        #[serde(flatten)]
        session: SessionFacts,
        /// What failed.
        because: Arc<str>,
    },
    /// A session's recording is complete: the head of its hash chain.
    RecordingSealed {
        /// The session.
        session: SessionId,
        /// Hash of the last record, hexadecimal.
        chain_head: String,
        /// Number of records.
        records: u64,
    },
    /// Lines that could not be kept while the audit log was unwritable. Their sequence numbers are
    /// the gap before this line.
    AuditLinesLost {
        /// How many.
        lines: u64,
    },
    /// An operator acted through the control socket.
    ControlAction {
        /// What: `reload`, `kill`, `approve`, `reject`, `drain`.
        action: &'static str,
        /// On what.
        subject: Arc<str>,
        /// Who: `uid 0 (root)`.
        by: Arc<str>,
        /// Whether it was done.
        accepted: bool,
    },
}
