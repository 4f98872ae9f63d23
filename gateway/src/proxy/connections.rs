//! The table of all connections, from accept to end.
//!
//! Owns the registration of each connection, the counts per workload that limits are held
//! against, and the way to find and end a session. Must not know what a session does. A
//! connection leaves the table when its guard is dropped, panics included; the table itself ends
//! with the daemon, after [`Connections::drained`].

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use model::audit::SessionEnd;
use model::{Limits, SessionId, WorkloadName};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::sync::watch;

use crate::interception::{ByteCounts, byte_counts};
use crate::session::Card;

/// All connections.
#[derive(Debug)]
pub struct Connections {
    table: Mutex<Table>,
    open: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Table {
    sessions: FxHashMap<SessionId, Entry>,
    per_workload: FxHashMap<WorkloadName, Counts>,
}

#[derive(Debug)]
struct Entry {
    card: Arc<Card>,
    /// A second descriptor of the client's socket, to ask the kernel for its counts.
    socket: Option<Arc<OwnedFd>>,
}

/// A live session as the table sees it.
#[derive(Debug)]
pub struct Listed {
    /// Its visible side.
    pub card: Arc<Card>,
    /// Bytes of the client's socket, by the kernel's count.
    pub kernel: Option<ByteCounts>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    half_open: usize,
    sessions: usize,
}

/// A limit of the workload is reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("workload {workload} already has {have} {what}; the limit is {max}")]
pub struct LimitReached {
    workload: WorkloadName,
    what: &'static str,
    have: usize,
    max: usize,
}

impl Default for Connections {
    fn default() -> Self {
        Self { table: Mutex::default(), open: watch::Sender::new(0) }
    }
}

impl Connections {
    /// Registers a connection before anything is decided about it.
    ///
    /// # Errors
    /// Where the workload has as many connections as its limits allow.
    pub fn register(
        self: &Arc<Self>,
        card: Arc<Card>,
        socket: Option<OwnedFd>,
        workload: WorkloadName,
        limits: &Limits,
    ) -> Result<ConnectionGuard, LimitReached> {
        let mut table = self.table.lock();
        table.count_in(&workload, limits)?;
        let entry = Entry { card: Arc::clone(&card), socket: socket.map(Arc::new) };
        table.sessions.insert(card.session, entry);
        self.open.send_replace(table.sessions.len());
        drop(table);
        let half_open = AtomicBool::new(true);
        Ok(ConnectionGuard { connections: Arc::clone(self), card, workload, half_open })
    }

    /// Counts a connection in of which it is not known yet where it goes.
    ///
    /// # Errors
    /// Where the workload has as many connections as its limits allow.
    pub(super) fn await_name(
        self: &Arc<Self>,
        workload: &WorkloadName,
        limits: &Limits,
    ) -> Result<Nameless, LimitReached> {
        self.table.lock().count_in(workload, limits)?;
        Ok(Nameless { connections: Arc::clone(self), workload: workload.clone() })
    }

    /// Every live session, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<Listed> {
        let mut listed: Vec<(Arc<Card>, Option<Arc<OwnedFd>>)> = {
            let table = self.table.lock();
            let both = |entry: &Entry| (Arc::clone(&entry.card), entry.socket.clone());
            table.sessions.values().map(both).collect()
        };
        listed.sort_by_key(|(card, _)| card.session);
        let counted = listed.into_iter().map(|(card, socket)| {
            let kernel = socket.and_then(|socket| byte_counts(socket.as_fd()).ok());
            Listed { card, kernel }
        });
        counted.collect()
    }

    /// One live session.
    #[must_use]
    pub fn card(&self, session: SessionId) -> Option<Arc<Card>> {
        self.table.lock().sessions.get(&session).map(|entry| Arc::clone(&entry.card))
    }

    /// The kernel's last counts of a session, whose second descriptor is closed by this.
    pub(super) fn last_counts(&self, session: SessionId) -> Option<ByteCounts> {
        let socket = self.table.lock().sessions.get_mut(&session)?.socket.take()?;
        byte_counts(socket.as_fd()).ok()
    }

    /// How many connections are open.
    #[must_use]
    pub fn open(&self) -> usize {
        *self.open.borrow()
    }

    /// Ends every session for the same cause.
    pub fn end_all(&self, cause: &SessionEnd) {
        let cards: Vec<_> =
            self.table.lock().sessions.values().map(|entry| Arc::clone(&entry.card)).collect();
        for card in cards {
            card.ending().end(cause.clone());
        }
    }

    /// Resolves when no connection is left.
    pub async fn drained(&self) {
        let mut open = self.open.subscribe();
        // The sender lives in `self`, so waiting can only end by the count.
        let _ended = open.wait_for(|open| *open == 0).await;
    }
}

impl Table {
    fn count_in(&mut self, workload: &WorkloadName, limits: &Limits) -> Result<(), LimitReached> {
        let counts = self.per_workload.entry(workload.clone()).or_default();
        let reached =
            |what, have, max| LimitReached { workload: workload.clone(), what, have, max };
        if counts.half_open >= limits.half_open_per_workload_max {
            return Err(reached(
                "connections that are not yet sessions",
                counts.half_open,
                limits.half_open_per_workload_max,
            ));
        }
        if counts.sessions >= limits.sessions_per_workload_max {
            return Err(reached("sessions", counts.sessions, limits.sessions_per_workload_max));
        }
        counts.half_open += 1;
        Ok(())
    }

    fn count_out(&mut self, workload: &WorkloadName, half_open: bool) {
        let Some(counts) = self.per_workload.get_mut(workload) else { return };
        if half_open {
            counts.half_open = counts.half_open.saturating_sub(1);
        } else {
            counts.sessions = counts.sessions.saturating_sub(1);
        }
        if counts.half_open == 0 && counts.sessions == 0 {
            self.per_workload.remove(workload);
        }
    }
}

/// A connection that has not said where it goes. Dropping it counts it out.
#[derive(Debug)]
pub(super) struct Nameless {
    connections: Arc<Connections>,
    workload: WorkloadName,
}

impl Drop for Nameless {
    fn drop(&mut self) {
        self.connections.table.lock().count_out(&self.workload, true);
    }
}

/// A registered connection. Dropping it takes it out of the table.
#[derive(Debug)]
pub struct ConnectionGuard {
    connections: Arc<Connections>,
    card: Arc<Card>,
    workload: WorkloadName,
    half_open: AtomicBool,
}

impl ConnectionGuard {
    /// The connection has become a session.
    pub fn opened(&self) {
        if !self.half_open.swap(false, Ordering::AcqRel) {
            return;
        }
        let mut table = self.connections.table.lock();
        let counts = table.per_workload.entry(self.workload.clone()).or_default();
        counts.half_open = counts.half_open.saturating_sub(1);
        counts.sessions += 1;
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        let half_open = *self.half_open.get_mut();
        let mut table = self.connections.table.lock();
        table.sessions.remove(&self.card.session);
        table.count_out(&self.workload, half_open);
        self.connections.open.send_replace(table.sessions.len());
    }
}
