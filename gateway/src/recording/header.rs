//! What a recording says about its session as a whole: first, and last.
//!
//! Owns the header (in clear at the file's start), the counts and the seal's body. Must not know
//! where they stand in a file (`layout`). Both are JSON: a field, once shipped, keeps its name.

use model::audit::SessionEnd;
use model::{
    Attestation, Binding, Environment, PolicyDigest, Principal, Protocol, SessionId, TargetName,
    Timestamp,
};
use serde::{Deserialize, Serialize};

/// Who and what a session is: the fact that it started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionHeader {
    /// The session.
    pub session: SessionId,
    /// When it started; the times of its records count from here.
    pub started_us: Timestamp,
    /// Whom it acts for.
    pub principal: Principal,
    /// Its target.
    pub target: TargetName,
    /// The target's environment, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// The target's protocol.
    pub protocol: Protocol,
    /// The kernel's record of the socket.
    pub binding: Binding,
    /// What was found out about the process.
    pub attestation: Attestation,
    /// The policy that let the session begin.
    pub policy: PolicyDigest,
}

/// What a session did, counted by the recorder from its records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Operations that arrived.
    pub operations: u64,
    /// Decisions to deny.
    pub denied: u64,
    /// Holds that began.
    pub held: u64,
    /// Operations that failed upstream.
    pub failed: u64,
    /// Rows shown or affected.
    pub rows: u64,
    /// Values masked.
    pub masked_values: u64,
}

/// The last words of a recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealBody {
    /// When the session ended.
    pub ended_us: Timestamp,
    /// Why.
    pub end: SessionEnd,
    /// What it did.
    pub counts: Counts,
    /// Records in the file.
    pub records: u64,
    /// Records that could not be kept.
    pub records_lost: u64,
}

/// The header as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileHeader {
    /// Version of the gateway that wrote it.
    pub(super) gateway: String,
    /// The public key that signs it, hexadecimal.
    pub(super) key: String,
    /// The session.
    pub(super) session: SessionHeader,
}
