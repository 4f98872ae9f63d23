//! A named limit on everything that grows with what a peer sends.
//!
//! Owns the numbers, their units and what breaks when one is raised. Must not know who enforces
//! them.

use std::time::Duration;

use serde::Serialize;

/// Limits of the daemon and of each session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Bytes of a message before the session is authorised (startup, password). Raised, an
    /// unauthenticated peer can make us hold more.
    pub startup_bytes_max: usize,
    /// Bytes of one statement's text. Raised, parsing needs more stack and time per statement.
    pub statement_bytes_max: usize,
    /// Bytes of one protocol message that has to be held whole to be judged or masked. Larger
    /// ones are refused where they must be judged or masked, streamed where not.
    pub message_bytes_max: usize,
    /// From accept to an authorised session, for everything the client owes us.
    pub handshake_within: Duration,
    /// From dialling to an upstream that is ready for operations.
    pub upstream_within: Duration,
    /// Live sessions of one workload.
    pub sessions_per_workload_max: usize,
    /// Connections of one workload that are not yet sessions.
    pub half_open_per_workload_max: usize,
    /// Held operations of one workload.
    pub holds_per_workload_max: usize,
    /// Operations a client may send ahead of their answers (pipelining).
    pub pipeline_depth_max: usize,
    /// Named prepared statements and portals of one session.
    pub named_statements_max: usize,
    /// Bytes of one result that a recording keeps; the rest is counted, not kept.
    pub recorded_result_bytes_max: usize,
    /// How long a drain waits for operations in flight.
    pub drain_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            startup_bytes_max: 10_000,
            statement_bytes_max: 4 * 1024 * 1024,
            message_bytes_max: 16 * 1024 * 1024,
            handshake_within: Duration::from_secs(20),
            upstream_within: Duration::from_secs(20),
            sessions_per_workload_max: 4_096,
            half_open_per_workload_max: 256,
            holds_per_workload_max: 32,
            pipeline_depth_max: 4_096,
            named_statements_max: 8_192,
            recorded_result_bytes_max: 64 * 1024,
            drain_within: Duration::from_secs(30),
        }
    }
}
