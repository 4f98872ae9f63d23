//! What the daemon must be able to answer and do.
//!
//! Owns the traits; the daemon implements them over its services. Each is as narrow as one part
//! of the API. Nothing here knows HTTP. A method that may take long is asynchronous.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use model::audit::AuditEvent;
use model::{HoldId, SessionId};

use super::peer::Peer;
use super::problem::Problem;
use super::view::{
    ExplainRequest, ExplainView, HoldView, ReloadView, SocketView, StatusView, VoteRequest,
    VoteView,
};

/// The daemon itself.
pub trait DaemonHandle: Send + Sync {
    /// How it is.
    fn status(&self) -> StatusView;

    /// All metrics in Prometheus's text format.
    fn metrics(&self) -> String;

    /// Reads the configuration again and puts it in force if it is good. `by` is for the audit.
    fn reload(&self, by: String) -> BoxFuture<'_, ReloadView>;

    /// Takes no new sessions and ends when those there are have ended, or the limit is reached.
    /// Answers at once.
    fn drain(&self);

    /// Writes an audit line.
    fn audit(&self, event: AuditEvent);
}

/// Live sockets.
pub trait SocketsHandle: Send + Sync {
    /// All of them, oldest first.
    fn sockets(&self) -> Vec<SocketView>;

    /// Ends one. False where it is not live.
    fn kill(&self, session: SessionId) -> bool;
}

/// Explanations.
pub trait ExplainHandle: Send + Sync {
    /// Explains.
    ///
    /// # Errors
    /// Where what is asked about does not exist, or the candidate configuration has errors.
    fn explain(&self, request: ExplainRequest) -> BoxFuture<'_, Result<ExplainView, Problem>>;
}

/// Held operations.
pub trait ApprovalsHandle: Send + Sync {
    /// Every open hold, oldest first.
    fn holds(&self) -> Vec<HoldView>;

    /// Votes for one.
    ///
    /// # Errors
    /// Where it is not open or this peer may not vote on it.
    fn approve(&self, hold: HoldId, peer: &Peer, vote: VoteRequest) -> Result<VoteView, Problem>;

    /// Votes against one.
    ///
    /// # Errors
    /// As [`Self::approve`].
    fn reject(&self, hold: HoldId, peer: &Peer, vote: VoteRequest) -> Result<VoteView, Problem>;
}

/// All that the server needs.
#[derive(Clone)]
pub struct Handles {
    /// The daemon.
    pub daemon: Arc<dyn DaemonHandle>,
    /// Live sockets.
    pub sockets: Arc<dyn SocketsHandle>,
    /// Explanations.
    pub explain: Arc<dyn ExplainHandle>,
    /// Held operations.
    pub approvals: Arc<dyn ApprovalsHandle>,
}

impl std::fmt::Debug for Handles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handles")
    }
}
