//! Connection numbers: what we gave out, and what they stand for upstream.
//!
//! Owns the table from numbers to live sessions. Must not know how one is ended. A session is in
//! the table while it holds its [`Ticket`].
//!
//! A client is told its number before anybody knows the upstream's, and ends a statement of its
//! own by that number over another connection (`KILL QUERY`). Clients that ask the server for
//! theirs (`SELECT CONNECTION_ID()`) name the upstream's. Both are taken, from the same principal
//! at the same target alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use model::{TargetName, WorkloadName};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::sync::Notify;

/// Our numbers have this bit, which those of servers reach late if ever.
const OURS: u32 = 0x8000_0000;

/// Stands for no number: servers have none above 32 bits here.
const NONE: u64 = u64::MAX;

/// The live sessions.
#[derive(Debug, Default)]
pub(super) struct Connections {
    live: Mutex<FxHashMap<u32, Arc<Live>>>,
}

/// Whose a session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) workload: WorkloadName,
    /// Issuer and subject of its token.
    pub(super) subject: Option<(String, String)>,
    pub(super) target: TargetName,
}

#[derive(Debug)]
pub(super) struct Live {
    owner: Owner,
    /// The upstream's number for it.
    upstream: AtomicU64,
    /// Woken by a cancellation while an operation is held.
    held: Notify,
    is_held: AtomicBool,
}

/// Whom a number stands for.
#[derive(Debug)]
pub(super) enum Killing {
    /// No such connection of this principal.
    Nobody,
    /// One whose operation is held: [`Live::cancel`] ends the hold.
    Hold(Arc<Live>),
    /// The upstream knows it by this number.
    Upstream(u32),
}

/// A session's place in the table; leaving it frees the place.
#[derive(Debug)]
pub(super) struct Ticket {
    connections: Arc<Connections>,
    live: Arc<Live>,
    number: u32,
}

impl Connections {
    /// Gives out a number. `None` where the system has no randomness.
    pub(super) fn register(self: &Arc<Self>, owner: Owner) -> Option<Ticket> {
        let live = Arc::new(Live {
            owner,
            upstream: AtomicU64::new(NONE),
            held: Notify::new(),
            is_held: AtomicBool::new(false),
        });
        let mut table = self.live.lock();
        let number = loop {
            let mut four = [0; 4];
            SystemRandom::new().fill(&mut four).ok()?;
            let number = u32::from_le_bytes(four) | OURS;
            if !table.contains_key(&number) {
                break number;
            }
        };
        table.insert(number, Arc::clone(&live));
        Some(Ticket { connections: Arc::clone(self), live, number })
    }

    /// The session of `owner` that a number stands for, ours or the upstream's.
    pub(super) fn find(&self, owner: &Owner, number: u32) -> Killing {
        let table = self.live.lock();
        let named = |live: &&Arc<Live>| live.owner == *owner;
        let by_ours = table.get(&number).filter(named);
        let found = by_ours.or_else(|| {
            let upstream = u64::from(number);
            table
                .values()
                .filter(named)
                .find(|live| live.upstream.load(Ordering::Acquire) == upstream)
        });
        let Some(live) = found else { return Killing::Nobody };
        if live.is_held.load(Ordering::Acquire) {
            return Killing::Hold(Arc::clone(live));
        }
        match u32::try_from(live.upstream.load(Ordering::Acquire)) {
            Ok(upstream) => Killing::Upstream(upstream),
            Err(_) => Killing::Nobody,
        }
    }
}

impl Live {
    /// Ends the hold that its operation waits for.
    pub(super) fn cancel(&self) {
        self.held.notify_one();
    }
}

impl Ticket {
    /// The number to give out.
    pub(super) const fn number(&self) -> u32 {
        self.number
    }

    /// Whose the session is.
    pub(super) fn owner(&self) -> &Owner {
        &self.live.owner
    }

    /// The table.
    pub(super) const fn connections(&self) -> &Arc<Connections> {
        &self.connections
    }

    /// Says what the upstream's number is.
    pub(super) fn set_upstream(&self, number: u32) {
        self.live.upstream.store(u64::from(number), Ordering::Release);
    }

    /// Says whether an operation is held: a cancellation ends the hold then.
    pub(super) fn set_held(&self, held: bool) {
        self.live.is_held.store(held, Ordering::Release);
    }

    /// Resolves when a held operation is cancelled. Cancel-safe.
    pub(super) async fn cancelled(&self) {
        self.live.held.notified().await;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.connections.live.lock().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(workload: &str, subject: Option<&str>) -> Owner {
        let subject = subject.map(|subject| ("corp".to_owned(), subject.to_owned()));
        Owner { workload: workload.into(), subject, target: "shop".into() }
    }

    fn upstream(found: &Killing) -> Option<u32> {
        match found {
            Killing::Upstream(number) => Some(*number),
            Killing::Nobody | Killing::Hold(_) => None,
        }
    }

    #[test]
    fn only_the_same_principal_ends_a_statement_by_either_number() {
        let table = Arc::new(Connections::default());
        let job = owner("job", Some("nightly"));
        let ticket = table.register(job.clone()).unwrap();
        assert_eq!(ticket.number() & OURS, OURS);
        assert!(matches!(table.find(&job, ticket.number()), Killing::Nobody), "not logged in");
        ticket.set_upstream(42);
        assert_eq!(upstream(&table.find(&job, ticket.number())), Some(42));
        assert_eq!(upstream(&table.find(&job, 42)), Some(42));
        assert!(matches!(table.find(&job, 43), Killing::Nobody));
        for other in [owner("other", Some("nightly")), owner("job", None), owner("job", Some("x"))]
        {
            assert!(matches!(table.find(&other, ticket.number()), Killing::Nobody));
            assert!(matches!(table.find(&other, 42), Killing::Nobody));
        }
        drop(ticket);
        assert!(matches!(table.find(&job, 42), Killing::Nobody), "ended");
        assert!(table.live.lock().is_empty());
    }

    #[tokio::test]
    async fn a_held_operation_is_told_and_the_upstream_is_not() {
        let table = Arc::new(Connections::default());
        let job = owner("job", None);
        let ticket = table.register(job.clone()).unwrap();
        ticket.set_upstream(42);
        ticket.set_held(true);
        let Killing::Hold(held) = table.find(&job, ticket.number()) else { panic!("held") };
        held.cancel();
        ticket.cancelled().await;
    }
}
