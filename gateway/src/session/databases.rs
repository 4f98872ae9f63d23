//! What upstream databases hold, remembered for a while.
//!
//! Owns the snapshots by target, database and database user, their age, and the joins with mask
//! profiles. Must not know how a snapshot is fetched (drivers) nor what is decided by it. A
//! snapshot is stale after [`SNAPSHOT_AGE_MAX`] or once a statement that passed here may have
//! changed what it shows.

use std::sync::Arc;
use std::time::Duration;

use model::{Clock, MaskProfile, TargetName, Timestamp};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use sql::{Catalog, CatalogBuilder};

use super::classified::Classified;

/// How long a snapshot is believed. Raised, a column added by others goes longer without its
/// mask by name; such a column is masked whole until then, so the bound is about usefulness.
pub const SNAPSHOT_AGE_MAX: Duration = Duration::from_secs(60);

/// Snapshots kept; the least recently taken go first.
const SNAPSHOTS_MAX: usize = 64;

/// Which database of which target, seen as which of its users.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DatabaseKey {
    /// The target.
    pub target: TargetName,
    /// The database.
    pub database: Arc<str>,
    /// The database user.
    pub user: Arc<str>,
}

/// A snapshot and what goes with it.
#[derive(Debug)]
pub struct Snapshot {
    /// Which database.
    pub key: DatabaseKey,
    /// What it holds.
    pub catalog: Arc<Catalog>,
    taken: Timestamp,
    joins: Mutex<Vec<(Arc<MaskProfile>, Arc<Classified>)>>,
}

/// All snapshots.
#[derive(Debug)]
pub struct Databases {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    snapshots: FxHashMap<DatabaseKey, Arc<Snapshot>>,
    version: u64,
    /// Which version was the newest when a database was last forgotten: what was begun by then may
    /// not show the change.
    forgotten: FxHashMap<(TargetName, Box<str>), u64>,
}

impl Databases {
    /// None yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// The snapshot of a database, unless there is none or it is stale.
    #[must_use]
    pub fn fresh(&self, key: &DatabaseKey) -> Option<Arc<Snapshot>> {
        let now = self.clock.now();
        let state = self.state.lock();
        let snapshot = state.snapshots.get(key)?;
        (now.since(snapshot.taken) < SNAPSHOT_AGE_MAX).then(|| Arc::clone(snapshot))
    }

    /// The newest snapshot of a database, or of any database of the target: for explanations.
    #[must_use]
    pub fn any(&self, target: &TargetName, database: Option<&str>) -> Option<Arc<Snapshot>> {
        let state = self.state.lock();
        let about = |key: &DatabaseKey| {
            key.target == *target && database.is_none_or(|database| *key.database == *database)
        };
        let found = state.snapshots.iter().filter(|(key, _)| about(key));
        found.max_by_key(|(_, one)| one.taken).map(|(_, one)| Arc::clone(one))
    }

    /// A snapshot that shows nothing, of a database nobody has looked at: for explanations. It is
    /// not kept.
    #[must_use]
    pub fn empty(&self, target: &TargetName, database: &str) -> Arc<Snapshot> {
        Arc::new(Snapshot {
            key: DatabaseKey { target: target.clone(), database: database.into(), user: "".into() },
            catalog: Arc::new(CatalogBuilder::new(self.next_version()).build()),
            taken: Timestamp::default(),
            joins: Mutex::default(),
        })
    }

    /// The version that the next snapshot is to be built with.
    #[must_use]
    pub fn next_version(&self) -> u64 {
        let mut state = self.state.lock();
        state.version += 1;
        state.version
    }

    /// Keeps a snapshot that was just taken, unless the database was forgotten meanwhile: then it
    /// is the caller's alone, and stale.
    pub fn keep(&self, key: DatabaseKey, catalog: Catalog) -> Arc<Snapshot> {
        let snapshot = Arc::new(Snapshot {
            key: key.clone(),
            catalog: Arc::new(catalog),
            taken: self.clock.now(),
            joins: Mutex::default(),
        });
        let mut state = self.state.lock();
        let place = (key.target.clone(), Box::from(&*key.database));
        if state.forgotten.get(&place).is_some_and(|newest| snapshot.catalog.version <= *newest) {
            return snapshot;
        }
        state.snapshots.insert(key, Arc::clone(&snapshot));
        if state.snapshots.len() > SNAPSHOTS_MAX {
            let oldest = state.snapshots.iter().min_by_key(|(_, one)| one.taken);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                state.snapshots.remove(&oldest);
            }
        }
        snapshot
    }

    /// Forgets a database of a target, for every user: something may have changed it.
    pub fn forget(&self, target: &TargetName, database: &str) {
        let matches = |key: &DatabaseKey| key.target == *target && *key.database == *database;
        let mut state = self.state.lock();
        state.snapshots.retain(|key, _| !matches(key));
        let newest = state.version;
        state.forgotten.insert((target.clone(), database.into()), newest);
        if state.forgotten.len() > SNAPSHOTS_MAX
            && let Some(oldest) = state.forgotten.iter().min_by_key(|(_, version)| **version)
        {
            let oldest = oldest.0.clone();
            state.forgotten.remove(&oldest);
        }
    }
}

impl Snapshot {
    /// The classified columns under a profile.
    #[must_use]
    pub fn classified(&self, profile: &Arc<MaskProfile>) -> Arc<Classified> {
        let mut joins = self.joins.lock();
        if let Some((_, found)) = joins.iter().find(|(known, _)| known == profile) {
            return Arc::clone(found);
        }
        let made = Arc::new(Classified::new(&self.key.database, &self.catalog, profile));
        joins.push((Arc::clone(profile), Arc::clone(&made)));
        made
    }
}
