//! Permits: the values without which nothing goes upstream.
//!
//! Owns the types that only the session can mint: a [`ConnectPermit`] to fetch the credential and
//! dial, a [`Permit`] to forward one operation, and the [`Receipt`] that is left when a permit has
//! been used and with which the answer may be shown. Must not know how a decision is reached. None
//! can be cloned, and a permit is gone once used, so "forgot to ask" does not compile.

use std::sync::Arc;
use std::time::Instant;

use model::{Decision, MaskProfile, Operation, OperationNumber};

/// Allows one fetch of the credential and one dial of the upstream.
#[derive(Debug)]
#[must_use = "a permit that is not used forwards nothing"]
pub struct ConnectPermit {
    /// Nobody else can make one.
    pub(super) _minted: (),
}

/// Allows one operation to be forwarded.
#[derive(Debug)]
#[must_use = "a permit that is not used forwards nothing"]
pub struct Permit {
    pub(super) receipt: Receipt,
}

impl Permit {
    /// Uses the permit up. Only the gate calls this, at the moment it takes the bytes in.
    pub(super) fn consume(self) -> Receipt {
        self.receipt
    }

    /// The operation's number in the session.
    #[must_use]
    pub const fn number(&self) -> OperationNumber {
        self.receipt.number
    }
}

/// What is left of a used permit: the right to show the answer, under the decision's masks.
#[derive(Debug)]
pub struct Receipt {
    pub(super) number: OperationNumber,
    pub(super) operation: Arc<Operation>,
    pub(super) decision: Arc<Decision>,
    /// The number of the standing it was decided under.
    pub(super) standing: u32,
    pub(super) begun: Instant,
}

impl Receipt {
    /// The operation's number in the session.
    #[must_use]
    pub const fn number(&self) -> OperationNumber {
        self.number
    }

    /// What is masked in its answer.
    #[must_use]
    pub fn masks(&self) -> &Arc<MaskProfile> {
        &self.decision.masks
    }

    /// What was judged.
    #[must_use]
    pub const fn operation(&self) -> &Arc<Operation> {
        &self.operation
    }
}
