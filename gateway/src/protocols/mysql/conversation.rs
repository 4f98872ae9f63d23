//! The conversation of a live session: what the client asks, what it may, what it is shown.
//!
//! Owns the state that both directions share: the answer that is owed, the prepared statements, a
//! held request. Must not know sockets ([`Lines`] reads and writes) nor how a decision is reached
//! ([`Session`]). Ends with an [`Ended`].
//!
//! ```text
//!  request ─▶ judged ─ allowed ─▶ forwarded, its answer owed ─▶ answered, shown
//!                    ─ held ────▶ parked; requests wait
//!                    ─ denied ──▶ answered here; the server hears nothing of it
//! ```
//!
//! The protocol is one of questions and answers. A client that sends ahead is read one request at a
//! time: the next is taken in when the one before has been answered. So there is one owed answer,
//! and order is never in doubt.

mod answers;
mod effects;
mod expected;
mod killing;
mod own;
mod prepared;
mod requests;
mod rows;
mod variables;

use std::sync::Arc;

use model::audit::SessionEnd;
use rustc_hash::FxHashMap;
use wire::mysql::Capabilities;
use wire::mysql::status::AUTOCOMMIT;

use super::connections::Ticket;
use super::lines::{BUFFER_BYTES_MAX, Lines};
use super::pins::Pins;
use super::shape::Buffers;
use super::words::{Complaint, code};
use crate::session::{Held, OperationOutcome, Refusal, RefusalKind, Session};
use effects::Names;
use expected::{Owed, Prepared};
use rows::ShapeCache;

/// The state of a conversation.
#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) session: Session,
    /// The request that waits for an approver.
    pub(super) parked: Option<Parked>,
    /// Our number's place in the table.
    pub(super) ticket: Ticket,
    place: Place,
    owed: Owed,
    /// Prepared statements of the protocol, by the server's numbers.
    statements: FxHashMap<u32, Prepared>,
    /// The one that was prepared last, which MariaDB's clients may mean without its number.
    last_prepared: Option<u32>,
    /// Prepared statements of SQL.
    names: Names,
    status: u16,
    /// A request that is too long is dropped as it comes: the number of its next packet.
    discarding: Option<u8>,
    /// A request that waits for an answer to a question of our own, and the number of the first
    /// packet of its own answer.
    waiting: Option<(Vec<u8>, u8)>,
    /// Whether the server was asked for the variables of the request that waits.
    variables_asked: bool,
    shapes: ShapeCache,
    buffers: Buffers,
    catalog_checked: tokio::time::Instant,
    /// Whether something that was run here may have changed the catalogue.
    catalog_due: bool,
}

/// Where the session is, and what it was agreed to be.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The upstream's user.
    pub(super) user: Arc<str>,
    /// The default database.
    pub(super) database: Option<Arc<str>>,
    /// What pins the session.
    pub(super) pins: Pins,
    /// What was agreed on with the upstream.
    pub(super) agreed: Capabilities,
    /// What was agreed on with the client.
    pub(super) client: Capabilities,
    /// Whether the client has said that its texts are UTF-8, or bytes.
    pub(super) speaks_utf8: bool,
}

impl Place {
    /// Where unqualified names are looked for.
    pub(super) fn path(&self) -> Arc<[Arc<str>]> {
        self.database.iter().cloned().collect()
    }
}

/// A request that waits for an approver.
#[derive(Debug)]
pub(super) struct Parked {
    pub(super) held: Held,
    request: requests::Judged,
}

/// How a conversation ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// Why.
    pub(super) cause: SessionEnd,
    /// The last message for the client.
    pub(super) last: Option<Complaint>,
}

impl Ended {
    /// The client said goodbye or is gone.
    pub(super) const fn client() -> Self {
        Self { cause: SessionEnd::Client, last: None }
    }

    /// A peer broke the protocol.
    pub(super) fn violation(by: &str, what: impl std::fmt::Display) -> Self {
        let because = format!("the {by} broke the protocol: {what}");
        let last = Complaint::new(code::OUT_OF_ORDER, format!("portcullis: {because}"));
        Self { cause: SessionEnd::ProtocolViolation { because: because.into() }, last: Some(last) }
    }

    /// The client broke a limit.
    pub(super) fn complaint(complaint: Complaint) -> Self {
        let because = complaint.message.as_str().into();
        Self { cause: SessionEnd::ProtocolViolation { because }, last: Some(complaint) }
    }

    /// The upstream is gone.
    pub(super) fn upstream() -> Self {
        let last = Complaint::new(
            code::UPSTREAM,
            "portcullis: the upstream server closed the connection. Whether the last statement \
             was carried out is not known.",
        );
        Self { cause: SessionEnd::Upstream, last: Some(last) }
    }

    /// The session may not go on.
    pub(super) fn refused(cause: SessionEnd, refusal: &Refusal) -> Self {
        Self { cause, last: Some(refusal.into()) }
    }

    /// It was ended from outside.
    pub(super) fn ordered(cause: SessionEnd) -> Self {
        let message = match &cause {
            SessionEnd::PolicyChanged => "portcullis: the policy no longer allows this session",
            SessionEnd::TokenExpired => "portcullis: the workload's token is no longer valid",
            SessionEnd::Killed => "portcullis: an operator ended this session",
            SessionEnd::Drained => "portcullis: the gateway is shutting down",
            _ => "portcullis: this session has been ended",
        };
        Self::refused(cause, &Refusal::new(RefusalKind::Ending, message))
    }
}

impl Conversation {
    pub(super) fn new(session: Session, place: Place, ticket: Ticket, status: u16) -> Self {
        Self {
            session,
            parked: None,
            ticket,
            place,
            owed: Owed::Nothing,
            statements: FxHashMap::default(),
            last_prepared: None,
            names: Names::default(),
            status: status | AUTOCOMMIT,
            discarding: None,
            waiting: None,
            variables_asked: false,
            shapes: ShapeCache::default(),
            buffers: Buffers::default(),
            catalog_checked: tokio::time::Instant::now(),
            catalog_due: false,
        }
    }

    /// Whether the client may be read: what it says next can be taken in, or kept up to a bound.
    /// While an answer is owed it is read to learn that the client is gone.
    pub(super) const fn wants_requests(&self, lines: &Lines) -> bool {
        let waits = self.parked.is_some() || !matches!(self.owed, Owed::Nothing);
        !waits || lines.requests.pending() < BUFFER_BYTES_MAX
    }

    /// Whether nothing is owed and nothing is held.
    pub(super) const fn is_quiet(&self) -> bool {
        matches!(self.owed, Owed::Nothing) && self.parked.is_none()
    }

    /// Makes the session ready to judge what has been read.
    ///
    /// # Errors
    /// The end, where nothing could be judged any more.
    pub(super) async fn ready(&mut self) -> Result<(), Ended> {
        self.session.ready().await.map_err(|refusal| {
            let cause = self.session.card().ending().cause().cloned();
            let cause = cause.unwrap_or(SessionEnd::Refused);
            Ended::refused(cause, &refusal)
        })
    }

    /// Takes in what has been read of the client and could not be taken in so far.
    ///
    /// # Errors
    /// As [`Self::take_requests`].
    pub(super) async fn take_requests_if_any(&mut self, lines: &mut Lines) -> Result<(), Ended> {
        let nothing = self.waiting.is_none() && lines.requests.pending() == 0;
        if !self.is_quiet() || nothing {
            return Ok(());
        }
        self.ready().await?;
        self.take_requests(lines)
    }

    /// Ends the session: what has not been answered never will be.
    pub(super) async fn end(mut self, cause: SessionEnd) -> SessionEnd {
        if let Some(Parked { held, .. }) = self.parked.take() {
            // The refusal has nobody to go to.
            drop(self.session.settle(held, true).await);
        }
        if let Owed::Running(running) = std::mem::take(&mut self.owed) {
            self.finish(*running, OperationOutcome::Abandoned);
        }
        let open: Vec<Prepared> = self.statements.drain().map(|(_, one)| one).collect();
        for prepared in open {
            self.close_cursor(prepared.cursor);
        }
        self.session.close(cause)
    }

    /// Tells the table of connections how things stand.
    pub(super) fn update_ticket(&self) {
        self.ticket.set_held(self.parked.is_some());
    }

    /// The held request's hold has ended, or is `cancelled` by the client.
    pub(super) async fn settle_hold(&mut self, lines: &mut Lines, cancelled: bool) {
        let Some(Parked { held, request }) = self.parked.take() else { return };
        match self.session.settle(held, cancelled).await {
            Ok(permit) => self.forward(lines, request, permit),
            Err(refusal) => {
                self.deny(lines, &refusal);
                self.take_back(lines, request.kind);
            }
        }
    }

    /// Answers a request with an error of ours.
    fn deny(&mut self, lines: &mut Lines, refusal: &Refusal) {
        self.complain(lines, &refusal.into());
    }

    /// Answers a request with an error of ours.
    #[expect(clippy::unused_self, reason = "a request is answered by the conversation alone")]
    fn complain(&mut self, lines: &mut Lines, complaint: &Complaint) {
        lines.shown.put(|out| complaint.put(out));
    }
}
