//! The decisions of a standing about the accesses it was asked about last.
//!
//! Owns a small memory, found by identity: a statement that is run again comes with the very same
//! list of accesses, and a decision that no condition has a say in depends on nothing else. Must
//! not be given a decision that does. Ends with the standing, and so with the policy.

use std::sync::{Arc, Mutex, PoisonError};

use model::{Access, Decision};

/// Decisions kept. Raised, each session holds more memory and each lookup takes longer.
const KEPT_MAX: usize = 8;

/// The decisions given last.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<Ring>);

#[derive(Debug, Default)]
struct Ring {
    /// Holding the list keeps its address from being given to another.
    kept: Vec<(Arc<[Access]>, Arc<Decision>)>,
    oldest: usize,
}

impl Recent {
    /// The decision about this very list.
    pub(crate) fn find(&self, accesses: &Arc<[Access]>) -> Option<Arc<Decision>> {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = ring.kept.iter();
        kept.find(|(list, _)| Arc::ptr_eq(list, accesses)).map(|(_, decision)| Arc::clone(decision))
    }

    /// Keeps a decision in place of the oldest.
    pub(crate) fn keep(&self, accesses: &Arc<[Access]>, decision: &Arc<Decision>) {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = (Arc::clone(accesses), Arc::clone(decision));
        let oldest = ring.oldest;
        match ring.kept.get_mut(oldest) {
            Some(place) => *place = entry,
            None => ring.kept.push(entry),
        }
        ring.oldest = (oldest + 1) % KEPT_MAX;
    }
}
