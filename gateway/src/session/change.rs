//! What can befall a live session from outside: an end, or a new policy.
//!
//! Owns the cause of an end and the wake-up. Must not know who asked. The first cause stays; a
//! session that is told to end twice ends for the first reason.

use std::sync::{Arc, OnceLock};

use model::audit::SessionEnd;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::card::Card;

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

/// What befell a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It must end.
    End(SessionEnd),
    /// It must be judged again, with `Session::rejudge`.
    Policy,
}

/// Waits for what can befall one session.
#[derive(Debug)]
pub struct Changes {
    pub(super) card: Arc<Card>,
    pub(super) policy_changes: watch::Receiver<u64>,
}

impl Changes {
    /// Resolves with the next change. Cancel-safe.
    pub async fn next(&mut self) -> Change {
        tokio::select! {
            biased; // An end beats a change: there is no use in judging what is over.
            cause = self.card.ending().ended() => Change::End(cause),
            changed = self.policy_changes.changed() => match changed {
                Ok(()) => Change::Policy,
                Err(_) => Change::End(SessionEnd::Drained),
            },
        }
    }
}
