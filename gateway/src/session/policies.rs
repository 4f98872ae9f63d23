//! The policy of now, swapped whole.
//!
//! Owns the one place where the current policy stands and the wake-up of those who must judge
//! again. Must not know where a policy comes from. A reader holds the policy it loaded for as long
//! as it judges one operation, so no operation sees half of a change.

use std::sync::Arc;

use arc_swap::ArcSwap;
use policy::Policy;
use tokio::sync::watch;

/// The current policy and a counter of its changes.
#[derive(Debug)]
pub struct Policies {
    current: ArcSwap<Policy>,
    generation: watch::Sender<u64>,
}

impl Policies {
    /// Begins with `policy`.
    #[must_use]
    pub fn new(policy: Arc<Policy>) -> Self {
        Self { current: ArcSwap::new(policy), generation: watch::Sender::new(1) }
    }

    /// The policy of now.
    #[must_use]
    pub fn current(&self) -> Arc<Policy> {
        self.current.load_full()
    }

    /// Whether `policy` is the policy of now. Cheap: it is asked before every operation.
    #[must_use]
    pub fn is_current(&self, policy: &Arc<Policy>) -> bool {
        Arc::ptr_eq(&self.current.load(), policy)
    }

    /// Puts a new policy in place and wakes every session.
    pub fn swap(&self, policy: Arc<Policy>) {
        self.current.store(policy);
        self.generation.send_modify(|generation| *generation = generation.wrapping_add(1));
    }

    /// Follows the changes.
    #[must_use]
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }
}
