//! How much of what a client sent has not gone upstream yet.
//!
//! Owns the count of one channel and the pace of a client that must wait. Must not know the data.
//! The library grants a client more window as soon as data comes, for all channels by one
//! measure, and says so in `adjust_window`; it offers no way to grant later. So while a channel
//! has too much waiting, every grant is [`TRICKLE`]: the client goes on asking with packets of
//! that size, at the pace of [`Pace`], and gets its window back once there is room. The library's
//! loop is never blocked by a slow upstream: other channels and the client's goodbye get through.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use russh::ChannelId;
use rustc_hash::FxHashSet;
use tokio::time::Instant;

/// Window that clients are granted. Raised, one upload keeps more in memory.
pub(super) const WINDOW: u32 = 2 * 1024 * 1024;
/// Window that is granted while a channel has too much waiting. The least that the library grants
/// when, and only when, nothing is left of it.
pub(super) const TRICKLE: u32 = 3;
/// Bytes of one channel that may wait before clients are held up.
const WAITING_BYTES_MAX: usize = 2 * 1024 * 1024;
/// What a packet costs beside its bytes.
const PACKET_BYTES: usize = 128;
/// How often a client that is held up may ask.
const ASK_EVERY: Duration = Duration::from_millis(10);

/// What of one channel waits.
#[derive(Clone, Debug, Default)]
pub(super) struct Backlog {
    waiting: Arc<AtomicUsize>,
}

impl Backlog {
    /// A packet came.
    pub(super) fn came(&self, bytes: usize) {
        self.waiting.fetch_add(bytes + PACKET_BYTES, Ordering::Relaxed);
    }

    /// A packet that came has gone.
    pub(super) fn gone(&self, bytes: usize) {
        // It may go below zero for a moment: the library hands a packet over before it says that
        // it came.
        self.waiting.fetch_sub(bytes + PACKET_BYTES, Ordering::Relaxed);
    }

    /// Whether too much waits.
    pub(super) fn is_full(&self) -> bool {
        let waiting = self.waiting.load(Ordering::Relaxed);
        // What has gone before it was said to have come counts as nothing.
        waiting > WAITING_BYTES_MAX && waiting < usize::MAX / 2
    }
}

/// Holds up clients that ask again and again.
#[derive(Debug)]
pub(super) struct Pace {
    since: Instant,
    served: FxHashSet<ChannelId>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { since: Instant::now(), served: FxHashSet::default() }
    }

    /// Waits until `channel` may ask again. However many channels ask, the wait is one.
    pub(super) async fn wait(&mut self, channel: ChannelId) {
        if self.since.elapsed() < ASK_EVERY {
            if self.served.insert(channel) {
                return;
            }
            tokio::time::sleep_until(self.since + ASK_EVERY).await;
        }
        self.since = Instant::now();
        self.served.clear();
        self.served.insert(channel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_full_only_while_much_waits() {
        let backlog = Backlog::default();
        backlog.gone(100);
        assert!(!backlog.is_full(), "gone before it was said to have come");
        backlog.came(100);
        backlog.came(WAITING_BYTES_MAX);
        assert!(backlog.is_full());
        backlog.gone(WAITING_BYTES_MAX);
        assert!(!backlog.is_full());
    }

    #[test]
    fn packets_of_one_byte_count_for_what_they_cost() {
        let backlog = Backlog::default();
        (0..WAITING_BYTES_MAX / PACKET_BYTES).for_each(|_| backlog.came(1));
        assert!(backlog.is_full());
    }
}
