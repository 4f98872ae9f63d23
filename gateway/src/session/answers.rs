//! The other half of a session: its upstream, what names mean there, and its answers.
//!
//! Owns no state of its own. Must not judge. See `live` for the life of a session.

use std::sync::Arc;

use masking::CarryOver;
use model::Limits;
use model::audit::AuditEvent;
use sql::{Catalog, Dialect, Statement};

use super::altered::{self, Altered};
use super::card::Card;
use super::databases::{DatabaseKey, Snapshot};
use super::gate::Gate;
use super::guard::Guarded;
use super::live::Session;
use super::log::{Answer, Transfer};
use super::own_tables::OwnTables;
use super::pending::Login;
use super::permit::{ConnectPermit, Receipt};
use super::refusal::{Refusal, RefusalKind};
use super::statements::{DatabaseScope, LONG_TEXT_BYTES, Statements};
use super::stream::Stream;
use super::upstream::{self, Upstream};
use crate::recording::Stream as OutputStream;

impl Session {
    /// Fetches the credential and connects to the upstream.
    ///
    /// # Errors
    /// The refusal, worded for the client; the operator gets the whole chain.
    pub async fn dial(&self, _permit: ConnectPermit) -> Result<Upstream, Refusal> {
        let dialled = upstream::dial(&self.services, &self.target, &self.card.binding, true).await;
        dialled.inspect_err(|refusal| self.upstream_failed(&refusal.message))
    }

    /// Reports that the upstream could not be reached, trusted or logged in to. `because` must
    /// hold no secret.
    pub fn upstream_failed(&self, because: &str) {
        self.services.events.emit(AuditEvent::UpstreamFailed {
            session: (*self.facts).clone(),
            because: because.into(),
        });
    }

    /// Closes the gate over an upstream that is logged in to.
    #[must_use]
    pub fn gate(&self, stream: Stream) -> Gate {
        Gate::new(stream)
    }

    /// The snapshot of a database, unless there is none or it is stale; then fetch one and
    /// [`Self::keep_catalog`].
    #[must_use]
    pub fn fresh_catalog(&self, database: &str, user: &str) -> Option<Arc<Snapshot>> {
        self.services.databases.fresh(&self.database_key(database, user))
    }

    /// The version a new snapshot is to be built with.
    #[must_use]
    pub fn next_catalog_version(&self) -> u64 {
        self.services.databases.next_version()
    }

    /// Keeps a snapshot that was just fetched.
    #[must_use]
    pub fn keep_catalog(&self, database: &str, user: &str, catalog: Catalog) -> Arc<Snapshot> {
        self.services.databases.keep(self.database_key(database, user), catalog)
    }

    /// Sets what names mean from now on.
    pub fn set_database(
        &mut self,
        dialect: Dialect,
        snapshot: Arc<Snapshot>,
        search_path: Arc<[Arc<str>]>,
    ) {
        self.classified = snapshot.classified(&self.masks);
        let version = snapshot.catalog.version;
        if self.database.as_ref().is_none_or(|before| before.catalog().version != version) {
            self.altered = Altered::default();
        }
        let readings = Arc::clone(&self.services.readings);
        let temporary = self.database.take();
        let mut scope = DatabaseScope::new(&readings, dialect, snapshot, search_path);
        if let Some(before) = temporary {
            scope.add_temporary(before.temporary());
        }
        self.database = Some(scope);
    }

    /// Unqualified names are looked for elsewhere from now on.
    pub fn set_search_path(&mut self, dialect: Dialect, search_path: Arc<[Arc<str>]>) {
        if let Some(database) = &self.database {
            let snapshot = Arc::clone(&database.snapshot);
            self.set_database(dialect, snapshot, search_path);
        }
    }

    /// Whether the snapshot in use is older than it may be; then fetch another when convenient.
    #[must_use]
    pub fn catalog_is_stale(&self) -> bool {
        self.database.as_ref().is_some_and(|database| {
            self.services
                .databases
                .fresh(&database.snapshot.key)
                .is_none_or(|fresh| fresh.catalog.version != database.snapshot.catalog.version)
        })
    }

    /// Whether a text is read alike with and without what this session has changed since its
    /// snapshot was taken; then none needs to be fetched for it.
    #[must_use]
    pub fn reads_alike(&self, text: &str) -> bool {
        let Some(database) = &self.database else { return false };
        // A long one is read aside, by what is known then.
        text.len() <= LONG_TEXT_BYTES
            && self.read(text).is_ok_and(|read| {
                let catalog = database.catalog();
                read.unreadable.is_none() && self.altered.leaves_as_read(read.statements(), catalog)
            })
    }

    /// A statement that may have changed what the database holds has been run. Says whether it has:
    /// a call of a procedure that defines nothing has not.
    pub fn catalog_changed(&mut self, by: &Statement) -> bool {
        let Some(database) = &self.database else { return true };
        if altered::defines_nothing(by, database.catalog()) {
            return false;
        }
        self.altered.note(by);
        self.definitions_stand();
        true
    }

    /// What this session has changed others can see from now on: what they took before does not show
    /// it.
    pub fn definitions_stand(&self) {
        if let Some(database) = &self.database {
            let key = &database.snapshot.key;
            self.services.databases.forget(&key.target, &key.database);
        }
    }

    /// Adds temporary relations that a statement made.
    pub fn add_temporary(&mut self, names: &[Arc<str>]) {
        if let Some(database) = &mut self.database {
            database.add_temporary(names);
        }
    }

    /// Whether this is among the temporary relations.
    #[must_use]
    pub fn has_temporary(&self, name: &str) -> bool {
        self.database.as_ref().is_some_and(|one| one.temporary().iter().any(|own| **own == *name))
    }

    /// Whether a text would be shown with something masked in it.
    #[must_use]
    pub fn would_mask(&self, text: &str) -> bool {
        let Some(mut masker) = self.stream_masker() else { return false };
        let mut out = Vec::new();
        masker.push(text.as_bytes(), &mut out) + masker.finish(&mut out) > 0
    }

    /// Sets which temporary tables there are; nothing where it is not known.
    pub fn set_own_tables(&mut self, tables: Option<OwnTables>) {
        self.own_tables = tables;
    }

    /// The type of a stored column, where the snapshot knows it.
    #[must_use]
    pub fn column_type(&self, relation: u32, attribute: i16) -> Option<u32> {
        let catalog = self.database.as_ref()?.catalog();
        let column = catalog.relation_by_oid(relation)?.column_by_attribute(attribute)?;
        Some(column.type_oid)
    }

    /// Reads statement text. Before [`Self::set_database`] nothing can be read, and the text is
    /// refused.
    ///
    /// # Errors
    /// The refusal, where there is no database to read it against.
    pub fn read(&self, text: &str) -> Result<Arc<Statements>, Refusal> {
        let Some(database) = &self.database else {
            return Err(Refusal::new(
                RefusalKind::Internal,
                "portcullis: the session has no catalogue to read statements against",
            ));
        };
        if let Some(read) = self.aside.find(text, database) {
            return Ok(read);
        }
        Ok(self.services.readings.read(text, database))
    }

    /// Records the columns of an answer.
    pub fn record_columns<'v>(
        &mut self,
        receipt: &Receipt,
        names: impl ExactSizeIterator<Item = &'v str>,
    ) {
        self.log.columns(receipt, names);
    }

    /// Whether the recording keeps more rows of this answer. Where not, [`Self::skip_rows`].
    pub fn keeps_rows(&mut self, receipt: &Receipt) -> bool {
        self.log.keeps_rows(receipt)
    }

    /// Records a row as it was shown: each value as text or bytes, `None` for NULL.
    pub fn record_row<'v>(
        &mut self,
        receipt: &Receipt,
        values: impl ExactSizeIterator<Item = Option<&'v [u8]>>,
    ) {
        self.log.row(receipt, values);
    }

    /// Counts rows that were shown and that the recording does not keep.
    pub fn skip_rows(&mut self, receipt: &Receipt, rows: u64, bytes: u64) {
        self.log.skip_rows(receipt, rows, bytes);
    }

    /// Records a message as it was shown.
    pub fn record_notice(&mut self, receipt: Option<&Receipt>, severity: &str, text: &str) {
        self.log.notice(receipt, severity, text);
    }

    /// Records a chunk of a byte stream as it was shown (terminal and command output).
    pub fn record_output(&mut self, receipt: Option<&Receipt>, stream: OutputStream, bytes: &[u8]) {
        self.log.output(receipt, stream, bytes);
    }

    /// What masks a stream of text that comes in chunks; `None` where nothing is looked for, and
    /// the stream passes as it is. A masker serves one stream.
    #[must_use]
    pub fn stream_masker(&self) -> Option<CarryOver> {
        let set = self.masker().scan_set();
        (!set.is_empty()).then(|| CarryOver::new(set.clone()))
    }

    /// Closes the guard over an upstream that is logged in to, where the protocol's own library
    /// writes the bytes.
    #[must_use]
    pub const fn guard<T>(&self, upstream: T) -> Guarded<T> {
        Guarded::new(upstream)
    }

    /// Records that the operation's output goes to a terminal, from here on. Call it with the shell's
    /// or the command's receipt, before its first output.
    pub fn terminal(&mut self, receipt: &Receipt, term: &str, columns: u32, rows: u32) {
        self.log.terminal(receipt, term, columns, rows);
    }

    /// Records that the operation's terminal changed its size.
    pub fn resized(&mut self, receipt: &Receipt, columns: u32, rows: u32) {
        self.log.resized(receipt, columns, rows);
    }

    /// Records a file that went through: its name and size, not its content.
    pub fn transferred(&mut self, receipt: &Receipt, transfer: &Transfer<'_>) {
        self.log.transferred(receipt, transfer);
    }

    /// Records the end of an answer.
    pub fn finished(&mut self, receipt: Receipt, answer: &Answer<'_>) {
        self.card.masked(answer.masked_values);
        let metrics = self.services.events.metrics();
        metrics.masked_values.increment(answer.masked_values);
        metrics.operation_seconds.record(receipt.begun.elapsed().as_secs_f64());
        self.log.ended(&receipt, answer);
        // Taken by value: an answer ends once.
        drop(receipt);
    }

    /// The visible side, for byte counts.
    #[must_use]
    pub const fn card(&self) -> &Arc<Card> {
        &self.card
    }

    /// What the client asked to be logged in to.
    #[must_use]
    pub const fn login(&self) -> &Login {
        &self.login
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &Arc<Limits> {
        &self.services.limits
    }

    fn database_key(&self, database: &str, user: &str) -> DatabaseKey {
        DatabaseKey {
            target: self.target.name.clone(),
            database: database.into(),
            user: user.into(),
        }
    }
}
