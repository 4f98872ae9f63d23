//! What names mean, before a request is read by them.
//!
//! Owns asking the server what the database holds, where what is known is too old. Must not know
//! the request that waits for it.

use std::sync::Arc;

use super::Flow;
use crate::protocols::postgres::catalog;
use crate::protocols::postgres::conversation::Conversation;
use crate::protocols::postgres::conversation::expected::Answer;
use crate::protocols::postgres::conversation::path::{self, Names};
use crate::protocols::postgres::lines::Lines;

/// How often a session looks whether its catalogue is stale.
pub(super) const CATALOG_CHECK_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

impl Conversation {
    /// Makes sure that what names mean is known: what the database holds, and the search path.
    /// Where it is not, what becomes of the request that needs it. `alike` is what
    /// [`Self::reads_alike`] says of its text.
    pub(super) fn unless_names_are_known(
        &mut self,
        lines: &mut Lines,
        simple: bool,
        alike: bool,
    ) -> Option<Flow> {
        if self.refresh_catalog(lines, alike) {
            return Some(Flow::Wait);
        }
        match self.know_names(lines) {
            Names::Known => self.learn_temporaries(lines).then_some(Flow::Wait),
            Names::Wait => Some(Flow::Wait),
            Names::Lost => {
                self.complain(lines, simple, &path::lost());
                Some(Flow::Next)
            }
        }
    }

    /// Whether a text is read alike before and after what this session has changed.
    pub(super) fn reads_alike(&self, text: &[u8]) -> bool {
        str::from_utf8(text).is_ok_and(|text| self.session.reads_alike(text))
    }

    /// Asks the server what the database holds now, where what we know is too old and nothing is
    /// under way. Says whether the request at hand must wait for that. `alike` says that what this
    /// session has changed does not matter to it.
    pub(in super::super) fn refresh_catalog(&mut self, lines: &mut Lines, alike: bool) -> bool {
        if self.owed.iter().any(|owed| matches!(owed.answer, Answer::Catalog(_))) {
            return true;
        }
        let idle = self.owed.is_empty()
            && !self.batch_open
            && self.status == wire::postgres::TransactionStatus::Idle;
        let due =
            (self.catalog_due && !alike) || self.catalog_checked.elapsed() >= CATALOG_CHECK_EVERY;
        if !idle || !due {
            return false;
        }
        self.catalog_due = false;
        self.catalog_checked = tokio::time::Instant::now();
        if !self.session.catalog_is_stale() {
            return false;
        }
        if let Some(snapshot) = self.session.fresh_catalog(&self.place.database, &self.place.user) {
            let path = Arc::clone(&self.place.search_path);
            self.session.set_database(crate::protocols::postgres::DIALECT, snapshot, path);
            self.everything_is_listed();
            return false;
        }
        let collector = catalog::Collector::new(self.session.next_catalog_version());
        let mut out = Vec::new();
        wire::postgres::frontend::put_query(&mut out, catalog::query().as_bytes());
        lines.gate.protocol(&out);
        self.owe(Answer::Catalog(Box::new(collector)), Vec::new());
        self.end_batch();
        true
    }
}
