//! What keeps a verified token good without verifying it again.
//!
//! Owns the cheap question that is asked before each operation. Must not know the token's text,
//! which nobody keeps. A lease ends with its session; a broken one is replaced by reading and
//! verifying again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::Timestamp;

use super::Provider;
use super::source::FileSeal;

/// After this long the path is resolved again: a symbolic link on the way may lead elsewhere while
/// the file behind it stays untouched. Raised, such a swap takes effect later; every other change
/// is seen at once.
const PATH_TRUSTED: Duration = Duration::from_secs(1);

/// Whether a principal still stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing has changed.
    Good,
    /// It must be established again before the next operation; why.
    Recheck(&'static str),
}

/// The facts on which a verified token rests.
#[derive(Debug)]
pub struct TokenLease {
    seal: FileSeal,
    useless_from: Timestamp,
    provider: Arc<Provider>,
    generation: u64,
    resolved_at_us: AtomicU64,
}

impl TokenLease {
    pub(in crate::identity) fn new(
        seal: FileSeal,
        useless_from: Timestamp,
        provider: Arc<Provider>,
        generation: u64,
        now: Timestamp,
    ) -> Self {
        Self { seal, useless_from, provider, generation, resolved_at_us: AtomicU64::new(now.0) }
    }

    /// Whether the token is still what it was: not expired, its file untouched, the provider's
    /// keys the same. One system call, no allocation.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        if now >= self.useless_from {
            return Standing::Recheck("the token expired");
        }
        if self.provider.generation() != self.generation {
            return Standing::Recheck("the provider's keys changed");
        }
        if !self.seal.unbroken() {
            return Standing::Recheck("the token's file changed");
        }
        if now.since(Timestamp(self.resolved_at_us.load(Ordering::Relaxed))) >= PATH_TRUSTED {
            return Standing::Recheck("the token's path is due to be looked up again");
        }
        Standing::Good
    }

    /// Notes that the path led to the same file again, if it did and all else is as it was: a
    /// provider of another configuration may have other rules.
    pub(in crate::identity) fn renew(
        &self,
        found: &FileSeal,
        provider: &Arc<Provider>,
        now: Timestamp,
    ) -> bool {
        let same = now < self.useless_from
            && Arc::ptr_eq(&self.provider, provider)
            && self.provider.generation() == self.generation
            && self.seal.same_as(found)
            && self.seal.unbroken();
        if same {
            self.resolved_at_us.store(now.0, Ordering::Relaxed);
        }
        same
    }
}
