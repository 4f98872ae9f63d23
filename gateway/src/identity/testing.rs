//! What the tests of this part share: a clock that is set by hand.
//!
//! Owns no behaviour of the product. Exists in tests only.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::{Clock, Timestamp};

/// Stands still until it is told to pass.
#[derive(Debug)]
pub(crate) struct HandSetClock(AtomicU64);

impl HandSetClock {
    pub(crate) fn at_second(second: u64) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(Timestamp::from_seconds(second).0)))
    }

    pub(crate) fn pass(&self, span: Duration) {
        self.0.fetch_add(u64::try_from(span.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for HandSetClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}
