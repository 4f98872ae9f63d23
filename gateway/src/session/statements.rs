//! SQL text, read once and remembered.
//!
//! Owns the cache of readings and the step from an analysis to an operation. Must not know a
//! decision: what is cached depends on the text and on what names mean, never on who asks. The
//! cache is bounded by bytes, because its keys are the attacker's to choose.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::{Access, Action, Object, ObjectPath, Operation};
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};
use rustc_hash::FxHashMap;
use sql::{
    Analysis, AnalysisLimits, Catalog, Dialect, Outputs, Scope, Statement, StatementKind,
    Unreadable,
};

use tokio::task::spawn_blocking;

use super::databases::Snapshot;

/// Longest text whose reading is kept: longer ones are rarely the same twice.
const KEPT_TEXT_BYTES_MAX: usize = 16 * 1024;

/// Texts longer than this are read aside, so that other sessions do not wait for them.
pub(super) const LONG_TEXT_BYTES: usize = 32 * 1024;

/// Bytes of texts and readings kept.
const KEPT_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// A text, read: the operation it is, and what is known about its statements.
#[derive(Debug)]
pub struct Statements {
    /// What is decided.
    pub operation: Arc<Operation>,
    /// The statements; empty where the text could not be read.
    pub analysis: Arc<Analysis>,
    /// Why it could not be read.
    pub unreadable: Option<Unreadable>,
}

impl Statements {
    /// The statements.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.analysis.statements
    }

    /// This text together with what it runs by name: one operation that needs the accesses of
    /// all. `inner` are the readings of the prepared statements or cursors it refers to, each with
    /// the number of the statement that does.
    #[must_use]
    pub fn joined(self: &Arc<Self>, inner: &[(usize, Arc<Self>)]) -> Arc<Self> {
        if inner.is_empty() {
            return Arc::clone(self);
        }
        let mut accesses: Vec<Access> = self.operation.accesses.to_vec();
        accesses.extend(inner.iter().flat_map(|(_, one)| one.operation.accesses.iter().cloned()));
        accesses.sort();
        accesses.dedup();
        let mut analysis = Analysis::clone(&self.analysis);
        for (which, reading) in inner {
            let Some(statement) = analysis.statements.get_mut(*which) else { continue };
            // The rows are those of what is run, and what it touches is touched.
            if matches!(statement.kind, StatementKind::Execute { .. } | StatementKind::Fetch { .. })
            {
                statement.outputs = match reading.statements() {
                    [ran] => ran.outputs.clone(),
                    _ => Outputs::Unknown,
                };
            }
            let mut needed = statement.accesses.to_vec();
            for ran in reading.statements() {
                needed.extend(ran.accesses.iter().cloned());
                statement.relations.extend(ran.relations.iter().cloned());
                statement.writes_from.extend(ran.writes_from.iter().cloned());
                statement.read_columns.extend(ran.read_columns.iter().cloned());
                statement.comparisons.extend(ran.comparisons.iter().cloned());
                statement.creates_temporary.extend(ran.creates_temporary.iter().cloned());
            }
            needed.sort();
            needed.dedup();
            statement.accesses = needed.into();
        }
        Arc::new(Self {
            operation: Arc::new(Operation {
                kind: Arc::clone(&self.operation.kind),
                text: Arc::clone(&self.operation.text),
                accesses: accesses.into(),
            }),
            analysis: Arc::new(analysis),
            unreadable: None,
        })
    }

    /// What a `PREPARE` or `DECLARE` is around, as if it had been sent alone.
    #[must_use]
    pub fn inner(&self) -> Option<Arc<Self>> {
        let [statement] = self.statements() else { return None };
        let inner = match &statement.kind {
            StatementKind::Prepare { inner, .. } | StatementKind::DeclareCursor { inner, .. } => {
                inner
            }
            _ => return None,
        };
        Some(Arc::new(Self {
            operation: Arc::new(Operation {
                kind: inner.kind.phrase().into(),
                text: Arc::clone(&self.operation.text),
                accesses: Arc::clone(&inner.accesses),
            }),
            analysis: Arc::new(Analysis { statements: vec![(**inner).clone()] }),
            unreadable: None,
        }))
    }

    /// A query that runs inside what needed these accesses: its rows are those of a function, of
    /// which nothing is known.
    #[must_use]
    pub fn opened_by(accesses: Arc<[Access]>) -> Arc<Self> {
        let statement = Statement {
            kind: StatementKind::Select,
            range: 0..0,
            accesses: Arc::clone(&accesses),
            relations: Vec::new(),
            outputs: Outputs::Unknown,
            read_columns: Vec::new(),
            comparisons: Vec::new(),
            writes_from: Vec::new(),
            settings: Vec::new(),
            refers_to: None,
            creates_temporary: Vec::new(),
        };
        let operation = Operation { kind: "select".into(), text: "".into(), accesses };
        Arc::new(Self {
            operation: Arc::new(operation),
            analysis: Arc::new(Analysis { statements: vec![statement] }),
            unreadable: None,
        })
    }

    /// An operation on what is the principal's own: no rule needs to grant it. It is judged and
    /// recorded like any.
    #[must_use]
    pub fn own(kind: &'static str, text: &str) -> Arc<Self> {
        let operation = Operation { kind: kind.into(), text: text.into(), accesses: [].into() };
        Arc::new(Self {
            operation: Arc::new(operation),
            analysis: Arc::default(),
            unreadable: None,
        })
    }

    /// The same reading of another text that has the same pattern.
    fn of(&self, text: &str) -> Self {
        let Operation { kind, accesses, .. } = &*self.operation;
        let operation = Operation {
            kind: Arc::clone(kind),
            text: text.trim().into(),
            accesses: Arc::clone(accesses),
        };
        let analysis = Arc::clone(&self.analysis);
        Self { operation: Arc::new(operation), analysis, unreadable: None }
    }

    fn unread(text: &str, unreadable: Unreadable) -> Self {
        Self {
            operation: Arc::new(unknown(text)),
            analysis: Arc::default(),
            unreadable: Some(unreadable),
        }
    }

    fn bytes(&self) -> usize {
        // A reading is a small multiple of its text; what matters is that it is counted.
        512 + 8 * self.operation.text.len() + 64 * self.operation.accesses.len()
    }
}

/// What names mean in one session.
#[derive(Clone, Debug)]
pub struct DatabaseScope {
    /// How its statements are read.
    dialect: Dialect,
    /// What the database holds.
    pub(super) snapshot: Arc<Snapshot>,
    /// Where unqualified names are looked for.
    search_path: Arc<[Arc<str>]>,
    /// Temporary relations the session made.
    temporary: Vec<Arc<str>>,
    id: u64,
}

impl DatabaseScope {
    /// A scope; `readings` gives equal scopes the same number.
    #[must_use]
    pub fn new(
        readings: &Readings,
        dialect: Dialect,
        snapshot: Arc<Snapshot>,
        search_path: Arc<[Arc<str>]>,
    ) -> Self {
        let id = readings.scope_id(&snapshot, &search_path);
        Self { dialect, snapshot, search_path, temporary: Vec::new(), id }
    }

    /// Whether every text is read alike in both.
    pub(super) fn means_the_same_as(&self, other: &Self) -> bool {
        self.id == other.id && self.temporary == other.temporary
    }

    /// The catalogue.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.snapshot.catalog
    }

    /// Adds temporary relations that a statement made.
    pub fn add_temporary(&mut self, names: &[Arc<str>]) {
        for name in names {
            if !self.temporary.contains(name) {
                self.temporary.push(Arc::clone(name));
            }
        }
    }

    /// The temporary relations known so far.
    #[must_use]
    pub fn temporary(&self) -> &[Arc<str>] {
        &self.temporary
    }

    fn scope(&self) -> Scope<'_> {
        Scope {
            temporary: &self.temporary,
            ..Scope::new(
                &self.snapshot.key.database,
                &self.search_path,
                &self.snapshot.catalog,
                &self.snapshot.key.user,
            )
        }
    }
}

/// Slots for hashes of what was read lately.
const SEEN_SLOTS: u64 = 16 * 1024;

/// Readings by scope and text.
#[derive(Debug)]
pub struct Readings {
    cache: Cache<Key, Arc<Statements>, ByBytes>,
    /// Hashes of what was read lately, by their low bits: what comes a second time is kept. Texts
    /// with literals in them come once, and would only push others out.
    seen: Box<[AtomicU64]>,
    hasher: RandomState,
    scopes: Mutex<Scopes>,
    /// Held while a long text is read aside: one at a time, so that many of them cannot take all
    /// cores, nor the memory of many trees.
    long: tokio::sync::Mutex<()>,
    limits: AnalysisLimits,
}

#[derive(Debug, Default)]
struct Scopes {
    ids: FxHashMap<ScopeKey, u64>,
    last: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ScopeKey {
    snapshot: super::databases::DatabaseKey,
    version: u64,
    search_path: Arc<[Arc<str>]>,
}

/// Scope numbers remembered. Forgetting them costs readings, never correctness.
const SCOPES_MAX: usize = 4_096;

impl Readings {
    /// Nothing read yet.
    #[must_use]
    pub fn new(limits: AnalysisLimits) -> Self {
        Self {
            cache: Cache::with_weighter(16 * 1024, KEPT_BYTES_MAX, ByBytes),
            seen: (0..SEEN_SLOTS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
            scopes: Mutex::default(),
            long: tokio::sync::Mutex::default(),
            limits,
        }
    }

    /// Reads a text.
    #[must_use]
    pub fn read(&self, text: &str, scope: &DatabaseScope) -> Arc<Statements> {
        // Temporary relations are the session's own: what it reads is nobody else's.
        let kept = scope.temporary.is_empty() && text.len() <= KEPT_TEXT_BYTES_MAX;
        if !kept {
            return Arc::new(self.analyse(text, scope));
        }
        let wanted = Wanted { scope: scope.id, is_pattern: false, text };
        if let Some(found) = self.cache.get(&wanted) {
            return found;
        }
        let made = Arc::new(self.read_by_pattern(text, scope));
        if self.seen_before(&wanted) {
            self.cache.insert(wanted.key(), Arc::clone(&made));
        }
        made
    }

    /// Reads a text that has not been kept: as one that differs from it in numbers only, where there
    /// was one.
    fn read_by_pattern(&self, text: &str, scope: &DatabaseScope) -> Statements {
        let Some(pattern) = scope.dialect.pattern(text) else { return self.analyse(text, scope) };
        let wanted = Wanted { scope: scope.id, is_pattern: true, text: &pattern };
        if let Some(found) = self.cache.get(&wanted) {
            return found.of(text);
        }
        let made = self.analyse(text, scope);
        if made.unreadable.is_none() && self.seen_before(&wanted) {
            self.cache.insert(wanted.key(), Arc::new(made.of(&pattern)));
        }
        made
    }

    /// Reads a long text on a thread of its own, when its turn has come.
    pub(super) async fn read_aside(
        self: Arc<Self>,
        text: Arc<str>,
        scope: DatabaseScope,
    ) -> Arc<Statements> {
        let _one_at_a_time = self.long.lock().await;
        let (readings, read) = (Arc::clone(&self), Arc::clone(&text));
        let reading = spawn_blocking(move || Arc::new(readings.analyse(&read, &scope)));
        reading.await.unwrap_or_else(|error| {
            tracing::error!(%error, "the reader of statements failed");
            Arc::new(Statements::unread(&text, Unreadable::Internal))
        })
    }

    fn seen_before(&self, wanted: &Wanted<'_>) -> bool {
        let hash = self.hasher.hash_one(wanted);
        let slot = usize::try_from(hash % SEEN_SLOTS).unwrap_or_default();
        // A lost race costs one more reading.
        self.seen.get(slot).is_some_and(|seen| seen.swap(hash, Ordering::Relaxed) == hash)
    }

    fn analyse(&self, text: &str, scope: &DatabaseScope) -> Statements {
        match (scope.dialect.analyse)(text, &scope.scope(), &self.limits) {
            Ok(analysis) => Statements {
                operation: Arc::new(operation(text, &analysis)),
                analysis: Arc::new(analysis),
                unreadable: None,
            },
            Err(unreadable) => Statements::unread(text, unreadable),
        }
    }

    fn scope_id(&self, snapshot: &Snapshot, search_path: &Arc<[Arc<str>]>) -> u64 {
        let key = ScopeKey {
            snapshot: snapshot.key.clone(),
            version: snapshot.catalog.version,
            search_path: Arc::clone(search_path),
        };
        let mut scopes = self.scopes.lock();
        if let Some(id) = scopes.ids.get(&key) {
            return *id;
        }
        if scopes.ids.len() >= SCOPES_MAX {
            scopes.ids.clear();
        }
        scopes.last += 1;
        let id = scopes.last;
        scopes.ids.insert(key, id);
        id
    }
}

fn operation(text: &str, analysis: &Analysis) -> Operation {
    let kind: Arc<str> = match analysis.statements.as_slice() {
        [] => "empty".into(),
        [one] => one.kind.phrase().into(),
        [first, rest @ ..] => format!("{} and {} more", first.kind.phrase(), rest.len()).into(),
    };
    let mut accesses: Vec<Access> =
        analysis.statements.iter().flat_map(|one| one.accesses.iter().cloned()).collect();
    accesses.sort();
    accesses.dedup();
    Operation { kind, text: text.trim().into(), accesses: accesses.into() }
}

fn unknown(text: &str) -> Operation {
    let object = Object::Named { kind: "statement", path: ObjectPath::new(["unreadable"]) };
    Operation {
        kind: "unreadable".into(),
        text: text.trim().into(),
        accesses: [Access { action: Action::Unknown, object }].into(),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    scope: u64,
    is_pattern: bool,
    text: Box<str>,
}

// By hand, so that a key and what is wanted are hashed alike.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { scope, is_pattern, text } = self;
        Wanted { scope: *scope, is_pattern: *is_pattern, text }.hash(state);
    }
}

#[derive(Hash)]
struct Wanted<'a> {
    scope: u64,
    /// Whether the text is a pattern, which no text is kept under.
    is_pattern: bool,
    text: &'a str,
}

impl Wanted<'_> {
    fn key(&self) -> Key {
        Key { scope: self.scope, is_pattern: self.is_pattern, text: self.text.into() }
    }
}

impl Equivalent<Key> for Wanted<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.scope == key.scope && self.is_pattern == key.is_pattern && *self.text == *key.text
    }
}

#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<Key, Arc<Statements>> for ByBytes {
    fn weight(&self, key: &Key, value: &Arc<Statements>) -> u64 {
        (key.text.len() + value.bytes()) as u64
    }
}

#[cfg(test)]
mod tests {
    use model::Timestamp;
    use sql::catalog::RelationKind;
    use sql::{CatalogBuilder, mysql};

    use super::*;
    use crate::session::databases::{DatabaseKey, Databases};

    #[derive(Debug)]
    struct Still;

    impl model::Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp(1)
        }
    }

    fn scope(readings: &Readings) -> DatabaseScope {
        let databases = Databases::new(Arc::new(Still));
        let mut catalog = CatalogBuilder::new(databases.next_version());
        catalog.schema("shop").relation(1, "shop", "users", RelationKind::Table);
        catalog.column(1, 1, "id", 0, false);
        let key = DatabaseKey {
            target: "shop".into(),
            database: mysql::CATALOG.into(),
            user: "a".into(),
        };
        let snapshot = databases.keep(key, catalog.build());
        DatabaseScope::new(readings, mysql::DIALECT, snapshot, Arc::from(["shop".into()]))
    }

    #[test]
    fn texts_that_differ_in_a_number_share_a_reading_and_keep_their_text() {
        let readings = Readings::new(AnalysisLimits::default());
        let scope = scope(&readings);
        let read = |number: u32| {
            readings.read(&format!("SELECT id FROM users WHERE id = {number};"), &scope)
        };
        let first = read(17);
        let kept = read(18);
        assert!(!Arc::ptr_eq(&first.analysis, &kept.analysis), "nothing is kept at once");
        let shared = read(19);
        assert!(Arc::ptr_eq(&kept.analysis, &shared.analysis));
        assert_eq!(shared.analysis, first.analysis);
        assert_eq!(&*shared.operation.text, "SELECT id FROM users WHERE id = 19;");
        assert_eq!(shared.operation.accesses, first.operation.accesses);
        // The pattern itself is a text like others, and longer numbers are another pattern.
        assert_eq!(&*read(11).operation.text, "SELECT id FROM users WHERE id = 11;");
        assert!(!Arc::ptr_eq(&kept.analysis, &read(190).analysis));
        // A text that comes again is kept as it is.
        assert!(Arc::ptr_eq(&read(19), &read(19)));
    }

    #[test]
    fn what_cannot_be_read_is_kept_for_its_own_text_alone() {
        let readings = Readings::new(AnalysisLimits::default());
        let scope = scope(&readings);
        for number in [17, 18, 19, 18] {
            let read = readings.read(&format!("SELECT AND {number} {number}"), &scope);
            let because = read.unreadable.as_ref().unwrap().to_string();
            assert!(because.contains(&number.to_string()), "{because}");
        }
    }
}
