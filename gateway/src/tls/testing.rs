//! What the tests of this part share: a clock that stands still, and connections in memory.
//!
//! Owns no behaviour of the product. Exists in tests only.

use model::{Clock, Timestamp};

/// Always shows the same time.
#[derive(Debug)]
pub(super) struct HandSetClock(pub(super) Timestamp);

impl Clock for HandSetClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// The system's time, which rustls goes by.
pub(super) fn now() -> Timestamp {
    Timestamp::from_seconds(rustls_pki_types::UnixTime::now().as_secs())
}
