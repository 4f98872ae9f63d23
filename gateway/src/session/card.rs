//! What can be seen of a live session from outside: the row that `portcullis sockets` prints.
//!
//! Owns the counters and the last decision. Must not know who looks. Written by the session,
//! read by anybody, dropped with the last of them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::{
    Attestation, Binding, Effect, OperationNumber, Principal, Protocol, RuleId, SessionId,
    TargetName, Timestamp,
};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::change::Ending;

/// The last decision of a session.
#[derive(Clone, Debug)]
pub struct LastDecision {
    /// The operation.
    pub number: OperationNumber,
    /// Its kind.
    pub kind: Arc<str>,
    /// The effect.
    pub effect: Effect,
    /// The rule, where one decided.
    pub rule: Option<RuleId>,
    /// When.
    pub at: Timestamp,
}

/// What a session is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The client has not yet said what it wants.
    Opening,
    /// Operations may come.
    Live,
    /// An operation waits for an approver.
    Held,
}

/// The visible side of a session.
#[derive(Debug)]
pub struct Card {
    /// The session.
    pub session: SessionId,
    /// The kernel's record.
    pub binding: Arc<Binding>,
    /// The process.
    pub attestation: Arc<Attestation>,
    /// The target.
    pub target: TargetName,
    /// Its protocol.
    pub protocol: Protocol,
    /// Address of the client's socket as we see it.
    pub peer: SocketAddr,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Bytes the client sent us.
    pub bytes_from_client: AtomicU64,
    /// Bytes we sent the client.
    pub bytes_to_client: AtomicU64,
    /// Operations decided.
    pub operations: AtomicU64,
    /// Values masked.
    pub masked_values: AtomicU64,
    changing: Mutex<Changing>,
    ending: Ending,
}

#[derive(Debug)]
struct Changing {
    principal: Arc<Principal>,
    phase: Phase,
    user: Option<Arc<str>>,
    database: Option<Arc<str>>,
    last: Option<LastDecision>,
}

/// What identifies a new card.
#[derive(Debug)]
pub struct CardFacts {
    /// The session.
    pub session: SessionId,
    /// The kernel's record.
    pub binding: Arc<Binding>,
    /// The process.
    pub attestation: Arc<Attestation>,
    /// The principal at the start.
    pub principal: Arc<Principal>,
    /// The target.
    pub target: TargetName,
    /// Its protocol.
    pub protocol: Protocol,
    /// Address of the client's socket as we see it.
    pub peer: SocketAddr,
    /// When it was accepted.
    pub accepted: Timestamp,
}

impl Card {
    /// A new card; `token` is what ends the session from outside.
    #[must_use]
    pub fn new(facts: CardFacts, token: CancellationToken) -> Self {
        Self {
            session: facts.session,
            binding: facts.binding,
            attestation: facts.attestation,
            target: facts.target,
            protocol: facts.protocol,
            peer: facts.peer,
            accepted: facts.accepted,
            bytes_from_client: AtomicU64::new(0),
            bytes_to_client: AtomicU64::new(0),
            operations: AtomicU64::new(0),
            masked_values: AtomicU64::new(0),
            changing: Mutex::new(Changing {
                principal: facts.principal,
                phase: Phase::Opening,
                user: None,
                database: None,
                last: None,
            }),
            ending: Ending::new(token),
        }
    }

    /// How the session is ended from outside.
    #[must_use]
    pub const fn ending(&self) -> &Ending {
        &self.ending
    }

    /// The principal as last verified.
    #[must_use]
    pub fn principal(&self) -> Arc<Principal> {
        Arc::clone(&self.changing.lock().principal)
    }

    /// The last decision.
    #[must_use]
    pub fn last(&self) -> Option<LastDecision> {
        self.changing.lock().last.clone()
    }

    /// What the session is doing.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.changing.lock().phase
    }

    /// User and database the client asked for, once it has.
    #[must_use]
    pub fn login(&self) -> (Option<Arc<str>>, Option<Arc<str>>) {
        let changing = self.changing.lock();
        (changing.user.clone(), changing.database.clone())
    }

    pub(super) fn set_principal(&self, principal: Arc<Principal>) {
        self.changing.lock().principal = principal;
    }

    pub(super) fn set_phase(&self, phase: Phase) {
        self.changing.lock().phase = phase;
    }

    pub(super) fn set_login(&self, user: Arc<str>, database: Option<Arc<str>>) {
        let mut changing = self.changing.lock();
        changing.user = Some(user);
        changing.database = database;
    }

    pub(super) fn masked(&self, values: u64) {
        if values > 0 {
            self.masked_values.fetch_add(values, Ordering::Relaxed);
        }
    }

    pub(super) fn decided(&self, last: LastDecision) {
        self.operations.fetch_add(1, Ordering::Relaxed);
        self.changing.lock().last = Some(last);
    }
}
