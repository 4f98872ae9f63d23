//! Cancel keys: what we gave out, and what it stands for upstream.
//!
//! Owns the table from our own random keys to live sessions. Must not know how a cancellation is
//! sent. A session is in the table while it holds its [`Ticket`]. Keys are compared in constant
//! time; a wrong one is ignored without a word, as by the server.
//!
//! The process id we give out is the server's own: clients compare it with the one in
//! notifications and with `pg_backend_pid()`. Servers of several targets may have the same one.

use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use model::{Secret, TargetName, WorkloadName};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::sync::Notify;

/// Bytes of a key for a client of protocol 3.0.
const SHORT_KEY_BYTES: usize = 4;
/// Bytes of a key for a client of protocol 3.2.
const LONG_KEY_BYTES: usize = 32;

/// The live sessions that can be cancelled.
#[derive(Debug, Default)]
pub(super) struct CancelKeys {
    by_pid: Mutex<FxHashMap<i32, Vec<Arc<Cancellable>>>>,
}

/// Who may cancel, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) workload: WorkloadName,
    pub(super) target: TargetName,
}

/// The key the upstream gave us.
#[derive(Clone, Debug)]
pub(super) struct UpstreamKey {
    pub(super) pid: i32,
    pub(super) key: Secret<Vec<u8>>,
}

/// A session that can be cancelled.
#[derive(Debug)]
pub(super) struct Cancellable {
    owner: Owner,
    key: Secret<Vec<u8>>,
    upstream: Option<UpstreamKey>,
    /// Operations that the upstream has not answered yet.
    in_flight: AtomicU32,
    /// Woken by a cancellation while an operation is held.
    held: Notify,
    is_held: std::sync::atomic::AtomicBool,
}

/// What a cancellation leads to.
#[derive(Debug)]
pub(super) enum Cancelling {
    /// Nothing: no such key, another workload's, or nothing in flight.
    Nothing,
    /// A held operation was told.
    Hold,
    /// The upstream is to be told with this key.
    Upstream(UpstreamKey),
}

/// A session's place in the table; leaving it frees the place.
#[derive(Debug)]
pub(super) struct Ticket {
    keys: Arc<CancelKeys>,
    session: Arc<Cancellable>,
    pid: i32,
}

impl CancelKeys {
    /// Gives out a key. `None` where the system has no randomness: then the client gets none, and
    /// cannot cancel. Where the upstream gives no process id, one is made up.
    pub(super) fn register(
        self: &Arc<Self>,
        owner: Owner,
        upstream: Option<UpstreamKey>,
        long: bool,
    ) -> Option<Ticket> {
        let random = SystemRandom::new();
        let mut key = vec![0; if long { LONG_KEY_BYTES } else { SHORT_KEY_BYTES }];
        random.fill(&mut key).ok()?;
        let pid = match &upstream {
            Some(upstream) => upstream.pid,
            None => {
                let mut four = [0; 4];
                random.fill(&mut four).ok()?;
                i32::from_be_bytes(four) & i32::MAX
            }
        };
        let session = Arc::new(Cancellable {
            owner,
            key: Secret::new(key),
            upstream,
            in_flight: AtomicU32::new(0),
            held: Notify::new(),
            is_held: false.into(),
        });
        self.by_pid.lock().entry(pid).or_default().push(Arc::clone(&session));
        Some(Ticket { keys: Arc::clone(self), session, pid })
    }

    /// Answers a `CancelRequest` that came over a connection of `from`.
    pub(super) fn cancel(&self, from: &Owner, pid: i32, key: &[u8]) -> Cancelling {
        let named = |session: &&Arc<Cancellable>| {
            verify_slices_are_equal(session.key.expose(), key).is_ok() && session.owner == *from
        };
        let found = self.by_pid.lock().get(&pid).and_then(|all| all.iter().find(named).cloned());
        let Some(session) = found else { return Cancelling::Nothing };
        if session.is_held.load(Ordering::Acquire) {
            session.held.notify_one();
            return Cancelling::Hold;
        }
        match &session.upstream {
            Some(upstream) if session.in_flight.load(Ordering::Acquire) > 0 => {
                Cancelling::Upstream(upstream.clone())
            }
            _ => Cancelling::Nothing,
        }
    }
}

impl Ticket {
    /// The process id to give out.
    pub(super) const fn pid(&self) -> i32 {
        self.pid
    }

    /// The key to give out.
    pub(super) fn key(&self) -> &[u8] {
        self.session.key.expose()
    }

    /// Says how many operations are in flight.
    pub(super) fn set_in_flight(&self, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.session.in_flight.store(count, Ordering::Release);
    }

    /// Says whether an operation is held: a cancellation ends the hold then.
    pub(super) fn set_held(&self, held: bool) {
        self.session.is_held.store(held, Ordering::Release);
    }

    /// Resolves when a held operation is cancelled. Cancel-safe.
    pub(super) async fn cancelled(&self) {
        self.session.held.notified().await;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut table = self.keys.by_pid.lock();
        if let Entry::Occupied(mut all) = table.entry(self.pid) {
            all.get_mut().retain(|one| !Arc::ptr_eq(one, &self.session));
            if all.get().is_empty() {
                all.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(workload: &str) -> Owner {
        Owner { workload: workload.into(), target: "shop".into() }
    }

    fn upstream() -> Option<UpstreamKey> {
        Some(UpstreamKey { pid: 7, key: Secret::new(vec![1, 2, 3, 4]) })
    }

    #[test]
    fn only_the_same_workload_with_the_right_key_and_something_in_flight_cancels() {
        let keys = Arc::new(CancelKeys::default());
        let ticket = keys.register(owner("job"), upstream(), true).unwrap();
        let (pid, key) = (ticket.pid(), ticket.key().to_vec());
        assert_eq!(key.len(), 32);
        assert!(matches!(keys.cancel(&owner("job"), pid, &key), Cancelling::Nothing), "idle");
        ticket.set_in_flight(1);
        assert!(matches!(
            keys.cancel(&owner("job"), pid, &key),
            Cancelling::Upstream(UpstreamKey { pid: 7, .. })
        ));
        assert!(matches!(keys.cancel(&owner("other"), pid, &key), Cancelling::Nothing));
        assert!(matches!(keys.cancel(&owner("job"), pid, &key[..4]), Cancelling::Nothing));
        assert!(matches!(keys.cancel(&owner("job"), pid ^ 1, &key), Cancelling::Nothing));
        drop(ticket);
        assert!(matches!(keys.cancel(&owner("job"), pid, &key), Cancelling::Nothing), "ended");
    }

    #[test]
    fn servers_that_number_alike_are_told_apart_by_the_key() {
        let keys = Arc::new(CancelKeys::default());
        let one = keys.register(owner("job"), upstream(), true).unwrap();
        let other = keys.register(owner("job"), upstream(), true).unwrap();
        assert_eq!((one.pid(), other.pid()), (7, 7), "the server's own number");
        other.set_in_flight(1);
        let key = one.key().to_vec();
        assert!(matches!(keys.cancel(&owner("job"), 7, &key), Cancelling::Nothing));
        drop(one);
        assert!(matches!(keys.cancel(&owner("job"), 7, other.key()), Cancelling::Upstream(_)));
        drop(other);
        assert!(keys.by_pid.lock().is_empty());
    }

    #[tokio::test]
    async fn a_held_operation_is_told_and_the_upstream_is_not() {
        let keys = Arc::new(CancelKeys::default());
        let ticket = keys.register(owner("job"), upstream(), false).unwrap();
        let (pid, key) = (ticket.pid(), ticket.key().to_vec());
        assert_eq!(key.len(), 4);
        ticket.set_in_flight(1);
        ticket.set_held(true);
        assert!(matches!(keys.cancel(&owner("job"), pid, &key), Cancelling::Hold));
        ticket.cancelled().await;
    }
}
