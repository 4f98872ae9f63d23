//! Names of users.
//!
//! Owns a bounded cache over the host's user database. Must not know workloads. A look-up may ask
//! a directory server (NSS), so it runs apart from the event loop, within a deadline; a name that
//! cannot be had in time is unknown, and a workload that asks for a name does not match.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use model::{Clock, Timestamp};
use nix::unistd::{Uid, User};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

/// Names kept; the cache is emptied when it is full.
const CACHED_NAMES_MAX: usize = 4_096;
/// Look-ups at once. Raised, a stalled directory server holds more threads.
const LOOKUPS_AT_ONCE_MAX: usize = 4;
/// How long a name is believed.
const NAME_LIVES: Duration = Duration::from_secs(60);
/// How long a look-up may take.
const LOOKUP_WITHIN: Duration = Duration::from_secs(2);

/// The user database of this host, or a made-up one in tests.
pub trait UserDatabase: Send + Sync + std::fmt::Debug + 'static {
    /// The name of a user id; may block.
    fn name_of(&self, uid: u32) -> Option<String>;
}

/// The host's user database, by `getpwuid_r(3)`.
#[derive(Debug)]
pub struct HostUsers;

impl UserDatabase for HostUsers {
    fn name_of(&self, uid: u32) -> Option<String> {
        User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|user| user.name)
    }
}

/// Names of users, remembered for a while.
#[derive(Debug)]
pub struct UserNames {
    database: Arc<dyn UserDatabase>,
    clock: Arc<dyn Clock>,
    names: Mutex<HashMap<u32, (Timestamp, Option<String>)>>,
    lookups: Arc<Semaphore>,
}

impl UserNames {
    /// Over a user database.
    #[must_use]
    pub fn new(database: Arc<dyn UserDatabase>, clock: Arc<dyn Clock>) -> Self {
        let lookups = Arc::new(Semaphore::new(LOOKUPS_AT_ONCE_MAX));
        Self { database, clock, names: Mutex::default(), lookups }
    }

    /// The name of a user id; `None` where it has none or it cannot be had in time.
    pub async fn name_of(&self, uid: u32) -> Option<String> {
        let now = self.clock.now();
        if let Some((read_at, name)) = self.names.lock().get(&uid)
            && now.since(*read_at) < NAME_LIVES
        {
            return name.clone();
        }
        let name = tokio::time::timeout(LOOKUP_WITHIN, self.look_up(uid)).await.ok().flatten()?;
        let mut names = self.names.lock();
        if names.len() >= CACHED_NAMES_MAX {
            names.clear();
        }
        names.insert(uid, (now, name.clone()));
        name
    }

    /// `None` where the look-up itself failed, `Some(None)` where the user has no name.
    async fn look_up(&self, uid: u32) -> Option<Option<String>> {
        let permit = Arc::clone(&self.lookups).acquire_owned().await.ok()?;
        let database = Arc::clone(&self.database);
        let looked_up = tokio::task::spawn_blocking(move || {
            let name = database.name_of(uid);
            drop(permit);
            name
        });
        looked_up.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::super::testing::HandSetClock;
    use super::*;

    #[derive(Debug, Default)]
    struct Counting(AtomicU32);

    impl UserDatabase for Counting {
        fn name_of(&self, uid: u32) -> Option<String> {
            self.0.fetch_add(1, Ordering::SeqCst);
            (uid == 7).then(|| String::from("reports"))
        }
    }

    #[tokio::test]
    async fn a_name_is_asked_for_once_in_a_while() {
        let (database, clock) = (Arc::new(Counting::default()), HandSetClock::at_second(1_000));
        let names = UserNames::new(Arc::clone(&database) as _, Arc::clone(&clock) as _);
        for _ in 0..3 {
            assert_eq!(names.name_of(7).await.as_deref(), Some("reports"));
            assert_eq!(names.name_of(8).await, None);
        }
        assert_eq!(database.0.load(Ordering::SeqCst), 2);
        clock.pass(Duration::from_secs(61));
        names.name_of(7).await;
        assert_eq!(database.0.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn the_host_knows_root() {
        let names = UserNames::new(Arc::new(HostUsers), HandSetClock::at_second(1_000));
        assert_eq!(names.name_of(0).await.as_deref(), Some("root"));
    }
}
