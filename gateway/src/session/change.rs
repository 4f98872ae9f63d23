//! What can befall a live session from outside: an end, or a new policy.
//!
//! Owns the cause of an end and the wake-up. Must not know who asked. The first cause stays; a
//! session that is told to end twice ends for the first reason.

use std::sync::OnceLock;

use model::audit::SessionEnd;
use tokio_util::sync::CancellationToken;

/// The switch that ends a session from outside.
#[derive(Debug)]
pub struct Ending {
    token: CancellationToken,
    cause: OnceLock<SessionEnd>,
}

impl Ending {
    pub(super) const fn new(token: CancellationToken) -> Self {
        Self { token, cause: OnceLock::new() }
    }

    /// Ends the session, naming the cause. Says whether this call was the first.
    pub fn end(&self, cause: SessionEnd) -> bool {
        let first = self.cause.set(cause).is_ok();
        self.token.cancel();
        first
    }

    /// The cause, once there is one.
    #[must_use]
    pub fn cause(&self) -> Option<&SessionEnd> {
        self.cause.get()
    }

    /// Resolves when the session must end.
    pub async fn ended(&self) -> SessionEnd {
        self.token.cancelled().await;
        self.cause.get().cloned().unwrap_or(SessionEnd::Drained)
    }
}
