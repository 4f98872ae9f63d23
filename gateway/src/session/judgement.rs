//! The answers a driver gets when it asks.
//!
//! Owns the three outcomes and the hold in between. Must not know how they are worded. A hold that
//! is dropped before it is settled is cancelled: a client that went away cannot be approved.

use std::sync::Arc;

use model::{Decision, HoldId, Operation, OperationNumber};

use super::permit::Permit;
use super::refusal::Refusal;
use crate::approvals::Waiting;

/// The answer to one operation.
#[derive(Debug)]
#[must_use = "an operation that was judged must be carried out as judged"]
pub enum Judgement {
    /// It may go.
    Allowed(Permit),
    /// It may not.
    Denied(Refusal),
    /// It waits for an approver.
    Held(Held),
}

/// An operation that waits for an approver. [`Self::wait`], then `Session::settle`.
#[derive(Debug)]
pub struct Held {
    pub(super) waiting: Waiting,
    pub(super) number: OperationNumber,
    pub(super) operation: Arc<Operation>,
    pub(super) decision: Arc<Decision>,
}

impl Held {
    /// The hold.
    #[must_use]
    pub fn id(&self) -> HoldId {
        self.waiting.id()
    }

    /// What the client may be told while it waits: who must approve, how, and until when.
    #[must_use]
    pub fn notice(&self) -> String {
        let needed: Vec<String> = self
            .decision
            .approvals
            .iter()
            .map(|need| format!("{} of group {}", need.count, need.group))
            .collect();
        format!(
            "portcullis: held for approval by {}; approve with: portcullis approvals approve {}",
            needed.join(" and "),
            self.waiting.id()
        )
    }

    /// Resolves when the hold has ended, in whatever way. Cancel-safe.
    pub async fn wait(&mut self) {
        self.waiting.ended().await;
    }
}
