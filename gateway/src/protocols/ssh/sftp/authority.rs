//! What the relay needs of the session behind it.
//!
//! Owns the seam: small types, and a trait that the driver's desk has. Must not know a packet. A
//! permit becomes a receipt only by [`Authority::begin`], and nothing of the workload's is sent
//! upstream without a receipt.

use std::future::Future;
use std::sync::Arc;

use model::Operation;
use tokio::sync::watch;

use super::content::Moved;
use crate::session::{Direction, OperationOutcome, Refusal};

/// The answer to one operation.
pub(in crate::protocols::ssh) enum Judged<P, H> {
    /// It may go.
    Allowed(P),
    /// It may not.
    Denied(Refusal),
    /// It waits for an approver.
    Held(H),
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::protocols::ssh) struct Ended {
    /// Whether the upstream did it.
    pub(in crate::protocols::ssh) outcome: OperationOutcome,
    /// For people: `ok`, `read 5 bytes, sha256 ...`, the upstream's words for a failure.
    pub(in crate::protocols::ssh) status: String,
    /// Bytes of content that went either way.
    pub(in crate::protocols::ssh) bytes: u64,
    /// The files whose content went through.
    pub(in crate::protocols::ssh) files: Vec<File>,
}

/// A file whose content went one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::protocols::ssh) struct File {
    /// The path that was judged.
    pub(in crate::protocols::ssh) path: String,
    /// Which way.
    pub(in crate::protocols::ssh) direction: Direction,
    /// Whether it was closed, with nothing gone wrong.
    pub(in crate::protocols::ssh) whole: bool,
    /// What went.
    pub(in crate::protocols::ssh) moved: Moved,
}

/// Who decides, records and is told. Clones speak for the same channel.
pub(in crate::protocols::ssh) trait Authority:
    Clone + Send + Sync + 'static
{
    /// The right to send one operation.
    type Permit: Send + 'static;
    /// What is left of it: the right to go on, and to show the answer.
    type Receipt: Send + Sync + 'static;
    /// An operation that waits for an approver. Dropped, it is given up.
    type Held: Send + 'static;

    /// Judges an operation.
    fn judge(
        &self,
        operation: Arc<Operation>,
    ) -> impl Future<Output = Judged<Self::Permit, Self::Held>> + Send;

    /// Waits for the approver, and settles. Dropped, the hold is given up.
    fn settle(
        &self,
        held: Self::Held,
    ) -> impl Future<Output = Result<Self::Permit, Refusal>> + Send;

    /// Refuses an operation for a reason that is not the policy's, with the record of a denial.
    fn refuse(
        &self,
        operation: Arc<Operation>,
        refusal: Refusal,
    ) -> impl Future<Output = Refusal> + Send;

    /// The tag by which a file's content must be masked, `None` where it may be shown. A path that
    /// ends in `/**` asks of everything below.
    fn content_mask(&self, path: &str) -> impl Future<Output = Option<String>> + Send;

    /// Uses a permit up.
    fn begin(&self, permit: Self::Permit) -> Self::Receipt;

    /// Whether an operation that was begun could go now, under a policy that has changed.
    fn admit(&self, receipt: &Self::Receipt) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// Counts changes of policy.
    fn standing(&self) -> watch::Receiver<u64>;

    /// Records the end of an operation.
    fn finished(&self, receipt: Self::Receipt, ended: Ended) -> impl Future<Output = ()> + Send;

    /// Says a line to people at the client (its standard error).
    fn tell(&self, line: &str) -> impl Future<Output = ()> + Send;

    /// What people are told while an operation waits.
    fn notice(held: &Self::Held) -> String;
}
