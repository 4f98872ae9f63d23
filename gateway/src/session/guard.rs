//! The way upstream for protocols whose library writes the bytes itself.
//!
//! Owns the upstream's handle and gives it out for a permit, or under the receipt of one. Must not
//! know the handle. What [`Gate`](super::Gate) is for bytes, this is for calls: reviewers read
//! every use of [`Guarded::protocol`]. Ends with the session.

use super::permit::{Permit, Receipt};

/// An upstream that is logged in to. Beginning an operation takes a [`Permit`].
#[derive(Debug)]
pub struct Guarded<T> {
    upstream: T,
}

impl<T> Guarded<T> {
    pub(super) const fn new(upstream: T) -> Self {
        Self { upstream }
    }

    /// Begins one permitted operation.
    #[must_use = "the receipt is what the answer is shown with"]
    pub fn open(&self, permit: Permit) -> (Receipt, &T) {
        (permit.consume(), &self.upstream)
    }

    /// Goes on with an operation that is under way.
    #[must_use]
    pub const fn under(&self, _of: &Receipt) -> &T {
        &self.upstream
    }

    /// For what is no operation: keeping alive, goodbye, and what the driver asks on its own
    /// account. Never with anything that the workload wrote.
    #[must_use]
    pub const fn protocol(&self) -> &T {
        &self.upstream
    }
}
