//! Whose fault the end of a connection is.
//!
//! Owns the first thing that was found wrong with what the upstream sent. Must not know how it was
//! found, nor what the client did.

use std::sync::{Arc, OnceLock};

use model::audit::SessionEnd;

/// Shared by all that look at what an upstream sends.
#[derive(Clone, Debug, Default)]
pub(super) struct Blame(Arc<OnceLock<Arc<str>>>);

impl Blame {
    /// What the upstream sent is not what any honest one sends. Only the first word counts.
    pub(super) fn upstream(&self, because: &str) {
        let _ = self.0.set(because.into());
    }

    /// The end that follows from it.
    pub(super) fn end(&self) -> Option<SessionEnd> {
        let because = Arc::clone(self.0.get()?);
        Some(SessionEnd::ProtocolViolation { because })
    }
}
