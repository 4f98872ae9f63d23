//! The conversation of a live session: what the client asks, what it may, what it is shown.
//!
//! Owns the state that both directions share: the answers owed, the names, the transaction's
//! status, a held request. Must not know sockets (`pump` reads and writes) nor how a decision
//! is reached ([`Session`]). Ends with an [`Ended`].
//!
//! ```text
//!  request ─▶ judged ─ allowed ─▶ forwarded, its answer owed ─▶ answered, shown
//!                    ─ held ────▶ parked; answers go on, requests wait
//!                    ─ denied ──▶ nothing before it unanswered and no transaction open:
//!                                   answered here
//!                                 else: a statement that cannot but fail goes in its place, and
//!                                   its error is replaced by ours, so that order, skipping and
//!                                   the transaction's state are the server's own
//! ```

mod answers;
mod calls;
mod cursors;
mod effects;
mod expected;
mod path;
mod requests;
mod rows;
mod temporaries;

use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;

use model::audit::SessionEnd;
use wire::postgres::TransactionStatus;
use wire::postgres::backend::{Severity, put_ready};
use wire::postgres::frontend::{put_parse, put_query, put_terminate};

use super::cancel::Ticket;
use super::lines::Lines;
use super::names::Names;
use super::shape::Buffers;
use super::words::{Complaint, put_our_notice, put_refusal, state};
use crate::protocols::pump::{Ending, Talk};
use crate::session::{Held, Refusal, Session};
use cursors::Calls;
use expected::{Answer, NameUndo, Owed, Portal, Prepared, Running};
use path::Path;
use rows::ShapeCache;
use temporaries::Temporaries;

/// What a refused request is replaced by upstream. It cannot be parsed, so it cannot do anything;
/// what the client wrote stays here.
const CANNOT_BUT_FAIL: &[u8] = b"refused by portcullis";
/// The name it is parsed under, so that the unnamed statement stays what it is.
const CANNOT_BUT_FAIL_NAME: &[u8] = b"refused by portcullis";

/// The state of a conversation.
#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) session: Session,
    /// The request that waits for an approver.
    pub(super) parked: Option<Parked>,
    /// Our cancel key's place in the table.
    pub(super) ticket: Option<Ticket>,
    place: Place,
    owed: VecDeque<Owed>,
    statements: Names<Prepared>,
    portals: Names<Portal>,
    batch: u64,
    /// Whether requests have been forwarded since the last `Sync` or `Query`.
    batch_open: bool,
    status: TransactionStatus,
    skipping: Skipping,
    /// Whether the client's message that is passing in pieces is dropped.
    discarding: bool,
    /// A request that waits for answers.
    waiting: Option<wire::postgres::frame::Frame>,
    shapes: ShapeCache,
    buffers: Buffers,
    catalog_checked: tokio::time::Instant,
    /// When the unnamed statement was parsed.
    unnamed_at: tokio::time::Instant,
    /// Whether something that was run here may have changed the catalogue.
    catalog_due: bool,
    /// Whether the transaction has changed what the database holds, which others see at its end.
    defined: bool,
    path: Path,
    calls: Calls,
    temporaries: Temporaries,
    fatal_shown: bool,
}

/// Where the session is, for reading its catalogue again.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) database: Arc<str>,
    pub(super) user: Arc<str>,
    pub(super) search_path: Arc<[Arc<str>]>,
}

/// Whether requests are dropped until the next `Sync`, as the server does after an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Skipping {
    #[default]
    No,
    /// The server has not heard of the batch: its `Sync` is answered here.
    Here,
    /// The server skips too: its `Sync` goes to it.
    There,
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
    pub(super) last: Vec<u8>,
}

impl Ended {
    /// A peer broke the protocol.
    pub(super) fn violation(by: &str, what: impl std::fmt::Display) -> Self {
        let because = format!("the {by} broke the protocol: {what}");
        let mut last = Vec::new();
        Complaint::new(state::PROTOCOL_VIOLATION, format!("portcullis: {because}"))
            .put(&mut last, Severity::Fatal);
        Self { cause: SessionEnd::ProtocolViolation { because: because.into() }, last }
    }

    /// The client broke a limit.
    pub(super) fn complaint(complaint: &Complaint) -> Self {
        let mut last = Vec::new();
        complaint.put(&mut last, Severity::Fatal);
        let because = complaint.message.as_str().into();
        Self { cause: SessionEnd::ProtocolViolation { because }, last }
    }
}

impl Ending for Ended {
    fn client() -> Self {
        Self { cause: SessionEnd::Client, last: Vec::new() }
    }

    fn upstream() -> Self {
        let mut last = Vec::new();
        Complaint::new(
            state::CONNECTION_FAILURE,
            "portcullis: the upstream server closed the connection",
        )
        .with_hint("Whether the last statement was carried out is not known.")
        .put(&mut last, Severity::Fatal);
        Self { cause: SessionEnd::Upstream, last }
    }

    fn refused(cause: SessionEnd, refusal: &Refusal) -> Self {
        let mut last = Vec::new();
        put_refusal(&mut last, Severity::Fatal, refusal);
        Self { cause, last }
    }

    fn cause(self) -> SessionEnd {
        self.cause
    }
}

impl Conversation {
    pub(super) fn new(session: Session, place: Place, ticket: Option<Ticket>) -> Self {
        let path = Path::new(Arc::clone(&place.search_path));
        Self {
            session,
            parked: None,
            ticket,
            place,
            owed: VecDeque::with_capacity(16),
            statements: Names::default(),
            portals: Names::default(),
            batch: 1,
            batch_open: false,
            status: TransactionStatus::Idle,
            skipping: Skipping::No,
            discarding: false,
            waiting: None,
            shapes: ShapeCache::default(),
            buffers: Buffers::default(),
            catalog_checked: tokio::time::Instant::now(),
            unnamed_at: tokio::time::Instant::now(),
            catalog_due: false,
            defined: false,
            path,
            calls: Calls::default(),
            temporaries: Temporaries::default(),
            fatal_shown: false,
        }
    }

    /// Parks a request until its hold ends, and tells the client.
    fn park(&mut self, lines: &mut Lines, held: Held, request: requests::Judged) {
        let notice = held.notice();
        lines.shown.put(|out| put_our_notice(out, &notice));
        self.session.record_notice(None, "NOTICE", &notice);
        self.parked = Some(Parked { held, request });
    }

    /// Answers a request with an error of ours, at its place in the order of answers.
    fn deny(&mut self, lines: &mut Lines, simple: bool, words: impl FnOnce(&mut Vec<u8>)) {
        let nothing_depends =
            self.owed.is_empty() && !self.batch_open && self.status != TransactionStatus::InBlock;
        if nothing_depends {
            let status = self.status;
            lines.shown.put(|out| {
                words(out);
                if simple {
                    put_ready(out, status);
                }
            });
            if !simple {
                self.skipping = Skipping::Here;
            }
            return;
        }
        let mut error = Vec::new();
        words(&mut error);
        let mut stand_in = Vec::new();
        if simple {
            put_query(&mut stand_in, CANNOT_BUT_FAIL);
            lines.gate.protocol(&stand_in);
            self.owe(Answer::RefusedQuery(error), Vec::new());
            self.end_batch();
        } else {
            put_parse(&mut stand_in, CANNOT_BUT_FAIL_NAME, CANNOT_BUT_FAIL);
            lines.gate.protocol(&stand_in);
            self.owe(Answer::Refused(error), Vec::new());
            self.skipping = Skipping::There;
        }
    }

    fn owe(&mut self, answer: Answer, undo: Vec<NameUndo>) {
        self.batch_open = true;
        self.owed.push_back(Owed { answer, batch: self.batch, undo });
    }

    fn end_batch(&mut self) {
        self.batch += 1;
        self.batch_open = false;
    }

    fn undo(&mut self, undo: NameUndo) {
        match undo {
            NameUndo::Statement(undo) => self.statements.undo(undo),
            NameUndo::Portal(undo) => self.portals.undo(undo),
        }
    }

    /// The operation that takes the client's COPY data.
    fn copying_in(&self) -> Option<&Running> {
        use crate::session::sql::StatementKind;
        self.owed.iter().filter_map(Owed::running).find(|running| {
            running
                .statements
                .statements()
                .iter()
                .any(|one| matches!(one.kind, StatementKind::CopyIn { .. }))
        })
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
        if self.waiting.is_some() {
            return false;
        }
        if self.parked.is_some() {
            // Only to learn that it is gone; what it says meanwhile is kept, up to a bound.
            return lines.requests.pending() < super::lines::BUFFER_BYTES_MAX;
        }
        self.owed.len() < self.session.limits().pipeline_depth_max
    }

    fn is_quiet(&self) -> bool {
        self.owed.is_empty() && self.parked.is_none() && self.skipping == Skipping::No
    }

    async fn end(mut self, cause: SessionEnd) -> SessionEnd {
        if let Some(Parked { held, .. }) = self.parked.take() {
            // The refusal has nobody to go to.
            drop(self.session.settle(held, true).await);
        }
        while let Some(owed) = self.owed.pop_front() {
            if let Answer::Query(running) | Answer::Execute(running) = owed.answer {
                self.finish(*running, crate::session::OperationOutcome::Abandoned);
            }
        }
        self.session.close(cause)
    }

    fn update_ticket(&self) {
        if let Some(ticket) = &self.ticket {
            ticket.set_in_flight(self.owed.len());
            ticket.set_held(self.parked.is_some());
        }
    }

    async fn settle_hold(&mut self, lines: &mut Lines, cancelled: bool) {
        let Some(Parked { held, request }) = self.parked.take() else { return };
        match self.session.settle(held, cancelled).await {
            Ok(permit) => self.forward(lines, request, permit),
            Err(refusal) => {
                let simple = request.is_simple();
                self.take_back(request);
                self.deny(lines, simple, |out| {
                    put_refusal(out, Severity::Error, &refusal);
                });
            }
        }
    }

    async fn hold_over(&mut self) -> bool {
        let Self { parked: Some(parked), ticket, .. } = self else { return pending().await };
        let cancelled = async {
            match ticket {
                Some(ticket) => ticket.cancelled().await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased; // What was decided counts.
            () = parked.held.wait() => false,
            () = cancelled => true,
        }
    }

    fn show_answers(&mut self, lines: &mut Lines) -> Result<(), Ended> {
        self.show_what_came(lines)
    }

    fn has_requests(&self, lines: &Lines) -> bool {
        self.waiting.is_some() || lines.requests.pending() > 0
    }

    fn take_requests(&mut self, lines: &mut Lines) -> Result<(), Ended> {
        self.take_what_came(lines)
    }

    fn put_last(&mut self, lines: &mut Lines, ended: &Ended) {
        let last = if self.fatal_shown { &[] } else { ended.last.as_slice() };
        // A message that is passing in pieces cannot be followed by another.
        if !lines.shown.is_streaming() {
            lines.shown.put(|out| out.extend_from_slice(last));
        }
    }

    fn farewell() -> Vec<u8> {
        let mut terminate = Vec::new();
        put_terminate(&mut terminate);
        terminate
    }
}
