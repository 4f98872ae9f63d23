//! What a peer sends on one channel, and how much more it may send.
//!
//! Owns the queue of what has come and nobody has taken yet, and the channel's window: more is
//! granted only as what came is used. Must not know who uses it, nor what for. The library's loop
//! serves every channel of a connection and waits where a channel's own queue is full, so whoever
//! works on what came does so in [`Inflow::meanwhile`], which goes on emptying it: a channel whose
//! reader stalls keeps no other waiting. What it holds meanwhile is bounded by its window. Ends
//! with the channel.
//!
//! ```text
//!  peer ── window ──▶ library ── emptied at any time ──▶ Inflow ── next ──▶ use
//!    ▲                                                      │
//!    └───────────────── grant, once it was used ────────────┘
//! ```
//!
//! Windows begin small and grow where they are used up, as far as the [`Budget`] of the connection
//! goes: many channels that stall hold little each.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::{Bytes, BytesMut};
use russh::{ChannelMsg, ChannelReadHalf};

/// Window of a new channel. Raised, channels that stall at once hold more; lowered, short transfers
/// from far away are slower.
pub(super) const WINDOW: u32 = 256 * 1024;
/// Window of a channel whose peer uses all of it. Raised, fast far links are used better.
const WINDOW_MAX: u32 = 4 * 1024 * 1024;
/// What all channels of a connection may have beyond [`WINDOW`], together.
const GROWN_BYTES_MAX: u32 = 64 * 1024 * 1024;
/// Packets of a channel that wait in the library until the queue here takes them.
pub(super) const PACKETS_WAITING_MAX: usize = 256;
/// A window is granted when so much of it was used: a quarter.
const GRANT_AT: u32 = 4;
/// Packets below this size are put together while they wait: each costs more than its bytes.
const SMALL_BYTES: usize = 2 * 1024;
/// Bytes that small packets are put together to.
const PIECE_BYTES: usize = 32 * 1024;
/// Pieces that wait. A peer whose packets cannot be put together (bytes of output and of error
/// output by turns) waits from then on, with its whole connection.
const PIECES_MAX: usize = 4_096;

/// What the channels of one connection may still be granted beyond their first window.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    left: Arc<AtomicU32>,
}

impl Budget {
    /// The budget of a connection.
    pub(super) fn new() -> Self {
        Self { left: Arc::new(AtomicU32::new(GROWN_BYTES_MAX)) }
    }

    fn take(&self, bytes: u32) -> bool {
        let take = |left: u32| left.checked_sub(bytes);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    fn give_back(&self, bytes: u32) {
        self.left.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// What a peer sends on one channel.
#[derive(Debug)]
pub(super) struct Inflow {
    from: ChannelReadHalf,
    queue: VecDeque<Piece>,
    /// Nothing more comes.
    ended: bool,
    /// Bytes of what was taken last, which is being used.
    taken: u32,
    /// Bytes that were used and not granted again.
    used: u32,
    window: u32,
    budget: Budget,
}

/// Something that waits.
#[derive(Debug)]
enum Piece {
    /// As it came.
    Whole(ChannelMsg),
    /// Small packets, put together: of output, or of extended data of one kind.
    Joined(Option<u32>, BytesMut),
}

impl Inflow {
    /// The inflow of a channel that was opened with [`WINDOW`].
    pub(super) fn new(from: ChannelReadHalf, budget: &Budget) -> Self {
        let (queue, budget) = (VecDeque::new(), budget.clone());
        Self { from, queue, ended: false, taken: 0, used: 0, window: WINDOW, budget }
    }

    /// What comes next; `None` where the channel, or its connection, is gone. Taking it says that
    /// what was taken before has been used. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<ChannelMsg> {
        self.settle();
        let message = loop {
            match self.queue.pop_front() {
                Some(piece) => break piece.message(),
                None if self.ended => return None,
                None => match self.from.wait().await? {
                    // The library has taken note of it.
                    ChannelMsg::WindowAdjusted { .. } => {}
                    message => break message,
                },
            }
        };
        self.taken = length(&message);
        Some(message)
    }

    /// Does `work`, and keeps what comes meanwhile.
    pub(super) async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            let room = !self.ended && self.queue.len() < PIECES_MAX;
            tokio::select! {
                biased; // What is done at once needs no queue.
                done = &mut work => return done,
                message = self.from.wait(), if room => match message {
                    Some(message) => self.keep(message),
                    None => self.ended = true,
                },
            }
        }
    }

    /// Uses up whatever comes, until the peer has closed the channel or is gone.
    pub(super) async fn discard(&mut self) {
        while let Some(message) = self.next().await {
            if matches!(message, ChannelMsg::Close) {
                return;
            }
        }
    }

    /// Grants what was taken last again, once that is worth a packet.
    fn settle(&mut self) {
        self.used = self.used.saturating_add(std::mem::take(&mut self.taken));
        if self.used < self.window / GRANT_AT {
            return;
        }
        let mut granted = std::mem::take(&mut self.used);
        // Whoever waits for nothing but the peer lets it send more at once.
        if self.queue.is_empty() && self.window < WINDOW_MAX && self.budget.take(self.window) {
            granted = granted.saturating_add(self.window);
            self.window = self.window.saturating_mul(2);
        }
        self.from.grant(granted);
    }

    fn keep(&mut self, message: ChannelMsg) {
        let (kind, data) = match message {
            ChannelMsg::Data { data } => (None, data),
            ChannelMsg::ExtendedData { data, ext } => (Some(ext), data),
            ChannelMsg::WindowAdjusted { .. } => return,
            message => return self.queue.push_back(Piece::Whole(message)),
        };
        if data.len() >= SMALL_BYTES {
            return self.queue.push_back(Piece::Whole(of_kind(kind, data)));
        }
        match self.queue.back_mut() {
            Some(Piece::Joined(other, joined))
                if *other == kind && joined.len() + data.len() <= PIECE_BYTES =>
            {
                joined.extend_from_slice(&data);
            }
            _ => self.queue.push_back(Piece::Joined(kind, BytesMut::from(&*data))),
        }
    }
}

impl Drop for Inflow {
    fn drop(&mut self) {
        self.budget.give_back(self.window.saturating_sub(WINDOW));
    }
}

impl Piece {
    fn message(self) -> ChannelMsg {
        match self {
            Self::Whole(message) => message,
            Self::Joined(kind, joined) => of_kind(kind, joined.freeze()),
        }
    }
}

const fn of_kind(kind: Option<u32>, data: Bytes) -> ChannelMsg {
    match kind {
        None => ChannelMsg::Data { data },
        Some(ext) => ChannelMsg::ExtendedData { data, ext },
    }
}

/// Bytes of window that a message took.
fn length(message: &ChannelMsg) -> u32 {
    match message {
        ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. } => {
            u32::try_from(data.len()).unwrap_or(u32::MAX)
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
