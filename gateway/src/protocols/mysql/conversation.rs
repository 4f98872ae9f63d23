//! The conversation of a live session: what the client asks, what it may, what it is shown.
//!
//! Owns the state that both directions share: the answer that is owed, the prepared statements, a
//! held request. Must not know sockets (`pump` reads and writes) nor how a decision is reached
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

use std::future::pending;
use std::sync::Arc;

use model::audit::SessionEnd;
use rustc_hash::FxHashMap;
use wire::mysql::Capabilities;
use wire::mysql::command::{code::QUIT, put_command};
use wire::mysql::status::AUTOCOMMIT;

use super::connections::Ticket;
use super::lines::{BUFFER_BYTES_MAX, Lines};
use super::pins::Pins;
use super::shape::Buffers;
use super::words::{Complaint, code};
use crate::protocols::pump::{Ending, Talk};
use crate::session::{Held, OperationOutcome, Refusal, Session};
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
}

impl Ending for Ended {
    fn client() -> Self {
        Self { cause: SessionEnd::Client, last: None }
    }

    fn upstream() -> Self {
        let last = Complaint::new(
            code::UPSTREAM,
            "portcullis: the upstream server closed the connection. Whether the last statement \
             was carried out is not known.",
        );
        Self { cause: SessionEnd::Upstream, last: Some(last) }
    }

    fn refused(cause: SessionEnd, refusal: &Refusal) -> Self {
        Self { cause, last: Some(refusal.into()) }
    }

    fn cause(self) -> SessionEnd {
        self.cause
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

impl Talk for Conversation {
    type Lines = Lines;
    type Ended = Ended;

    fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    fn is_held(&self) -> bool {
        self.parked.is_some()
    }

    fn wants_requests(&self, lines: &Lines) -> bool {
        let waits = self.parked.is_some() || !matches!(self.owed, Owed::Nothing);
        !waits || lines.requests.pending() < BUFFER_BYTES_MAX
    }

    fn is_quiet(&self) -> bool {
        matches!(self.owed, Owed::Nothing) && self.parked.is_none()
    }

    async fn end(mut self, cause: SessionEnd) -> SessionEnd {
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

    fn update_ticket(&self) {
        self.ticket.set_held(self.parked.is_some());
    }

    async fn settle_hold(&mut self, lines: &mut Lines, cancelled: bool) {
        let Some(Parked { held, request }) = self.parked.take() else { return };
        match self.session.settle(held, cancelled).await {
            Ok(permit) => self.forward(lines, request, permit),
            Err(refusal) => {
                self.deny(lines, &refusal);
                self.take_back(lines, request.kind);
            }
        }
    }

    async fn hold_over(&mut self) -> bool {
        let Self { parked: Some(parked), ticket, .. } = self else { return pending().await };
        tokio::select! {
            biased; // What was decided counts.
            () = parked.held.wait() => false,
            () = ticket.cancelled() => true,
        }
    }

    fn show_answers(&mut self, lines: &mut Lines) -> Result<(), Ended> {
        self.show_what_came(lines)
    }

    fn has_requests(&self, lines: &Lines) -> bool {
        self.is_quiet() && (self.waiting.is_some() || lines.requests.pending() > 0)
    }

    fn take_requests(&mut self, lines: &mut Lines) -> Result<(), Ended> {
        self.take_what_came(lines)
    }

    fn put_last(&mut self, lines: &mut Lines, ended: &Ended) {
        // A message that is passing in parts cannot be followed by another.
        if !lines.shown.is_streaming()
            && let Some(complaint) = &ended.last
        {
            if self.is_quiet() {
                // The client reads it in the place of the answer to what it sends next.
                lines.shown.begin(1);
            }
            lines.shown.put(|out| complaint.put(out));
        }
    }

    fn farewell() -> Vec<u8> {
        let mut quit = Vec::new();
        put_command(&mut quit, QUIT, b"");
        quit
    }
}
