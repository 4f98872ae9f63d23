//! What every channel of an open session needs.
//!
//! Owns the handles. Must not know the session behind the desk. Dropped with the last channel and
//! the connection's own task.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OnceCell, watch};
use tokio_util::sync::CancellationToken;

use super::desk::Desk;
use super::fault::Fault;
use super::forwards::Granted;
use super::inflow::Budget;
use super::upstream::UpstreamHandle;
use crate::session::Guarded;

/// Handles of an open session.
pub(super) struct Open {
    /// Where everything is asked.
    pub(super) desk: Desk,
    /// The way upstream.
    pub(super) upstream: Guarded<UpstreamHandle>,
    /// What is wrong with the upstream. Noting it ends the session.
    pub(super) fault: Fault,
    /// What the upstream may make use of at the client.
    pub(super) granted: Granted,
    /// The login the workload asked for.
    pub(super) user: Arc<str>,
    /// Its home directory at the target, once somebody has asked.
    pub(super) home: OnceCell<Arc<str>>,
    /// What channels, of both sides, may be granted beyond their first window.
    pub(super) budget: Budget,
    /// Counts changes of policy: what runs is judged again.
    pub(super) standing: watch::Receiver<u64>,
    /// Whether paths are judged as the target resolves them.
    pub(super) strict_paths: bool,
    /// Bytes of one command line.
    pub(super) text_bytes_max: usize,
    /// Bytes of one operation's output that the recording keeps.
    pub(super) recorded_bytes_max: usize,
    /// How long the upstream may take to begin something.
    pub(super) upstream_within: Duration,
    /// Cancelled when nothing new may begin.
    pub(super) closing: CancellationToken,
}
