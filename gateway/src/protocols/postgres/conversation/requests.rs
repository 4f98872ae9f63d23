//! What the client asks, taken in and judged.
//!
//! Owns the handling of each frontend message. Must not know how answers are shown. Everything the
//! client wrote goes upstream with a permit or not at all; messages that carry nothing but a name
//! are written anew.

use std::sync::Arc;

use wire::postgres::Violation;
use wire::postgres::backend::{Severity, put_ready};
use wire::postgres::frame::{Frame, Step};
use wire::postgres::frontend::{
    Bind, Describe, Execute, Kind, Parse, Query, Subject, put_close, put_describe, put_flush,
    put_sync,
};

use super::effects::{Resolved, key, no_portal, no_statement};
use super::expected::{
    Answer, Bound, Copying, Description, NameUndo, Owed, Portal, Prepared, Running,
};
use super::path::{self, Names};
use super::{Conversation, Ended, Skipping};
use crate::protocols::postgres::catalog;
use crate::protocols::postgres::copy_out;
use crate::protocols::postgres::lines::Lines;
use crate::protocols::postgres::names::Found;
use crate::protocols::postgres::words::{Complaint, put_refusal, state};
use crate::session::sql::{Statement, StatementKind};
use crate::session::{Judgement, Permit, Refusal, RefusalKind, Statements};

/// Whether a request was taken in.
pub(super) enum Flow {
    /// On to the next.
    Next,
    /// It waits for answers; it is tried again when some have come.
    Wait,
}

/// A request that was judged: what is needed to forward it.
#[derive(Debug)]
pub(super) struct Judged {
    kind: JudgedKind,
    statements: Arc<Statements>,
    effects: Vec<(usize, NameUndo)>,
    /// The whole message, kept only where it waits for an approver.
    message: Vec<u8>,
}

#[derive(Debug)]
pub(super) enum JudgedKind {
    Query,
    Call,
    Bind { portal: Vec<u8>, text: Arc<str>, parameters: Box<[u8]> },
    Execute { portal: Arc<Portal>, name: Vec<u8> },
}

impl Judged {
    /// Whether its answer ends with `ReadyForQuery`.
    pub(super) const fn is_simple(&self) -> bool {
        matches!(self.kind, JudgedKind::Query | JudgedKind::Call)
    }
}

/// How often a session looks whether its catalogue is stale.
const CATALOG_CHECK_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

impl Conversation {
    /// Takes in what the client has said, as far as it can be taken in now.
    ///
    /// # Errors
    /// The end, where the client says goodbye or breaks the protocol.
    pub(in super::super) fn take_requests(&mut self, lines: &mut Lines) -> Result<(), Ended> {
        let whole_max = self.session.limits().message_bytes_max;
        loop {
            if self.parked.is_some() || self.owed.len() >= self.session.limits().pipeline_depth_max
            {
                break;
            }
            let frame = match self.waiting.take() {
                Some(frame) => frame,
                None => match lines.requests.step(whole_max).map_err(client_violation)? {
                    Step::Frame(frame) => frame,
                    Step::Large { tag, length } => {
                        self.take_large(lines, tag, length)?;
                        continue;
                    }
                    Step::Chunk { range, last } => {
                        if self.discarding {
                            self.discarding = !last;
                        } else if let Some(running) = self.copying_in() {
                            let chunk = lines.requests.bytes(range);
                            lines.gate.continue_operation(&running.receipt, chunk);
                        }
                        continue;
                    }
                    Step::NeedMore { missing } => {
                        // What is no message is not waited for.
                        if let Some(tag) = lines.requests.next_tag() {
                            kind_of(tag)?;
                        }
                        lines.request_missing = missing;
                        break;
                    }
                },
            };
            if let Flow::Wait = self.take(lines, &frame)? {
                self.waiting = Some(frame);
                // What was read stays where it is until it is tried again.
                return Ok(());
            }
        }
        lines.requests.consume();
        Ok(())
    }

    /// A message too long to be held: COPY data passes in pieces, anything else ends the session,
    /// as it would have to be held whole to be judged.
    fn take_large(&mut self, lines: &mut Lines, tag: u8, length: usize) -> Result<(), Ended> {
        if Kind::from_tag(tag) == Some(Kind::CopyData) {
            lines.requests.stream(length);
            self.discarding = self.skipping != Skipping::No || self.copying_in().is_none();
            return Ok(());
        }
        let limit = self.session.limits().message_bytes_max;
        let complaint = Complaint::new(
            state::PROGRAM_LIMIT_EXCEEDED,
            format!("portcullis: a message of {length} bytes is longer than the {limit} accepted"),
        )
        .with_hint("Send less at once; COPY data may be of any length.");
        Err(Ended::complaint(&complaint))
    }

    pub(super) fn complain(&mut self, lines: &mut Lines, simple: bool, complaint: &Complaint) {
        self.deny(lines, simple, |out| complaint.put(out, Severity::Error));
    }

    fn take(&mut self, lines: &mut Lines, frame: &Frame) -> Result<Flow, Ended> {
        let kind = kind_of(frame.tag)?;
        let skipped =
            self.skipping != Skipping::No && !matches!(kind, Kind::Sync | Kind::Terminate);
        if skipped {
            return Ok(Flow::Next);
        }
        if self.must_wait_for_copy(lines, kind)? {
            return Ok(Flow::Wait);
        }
        match kind {
            Kind::Query => self.take_query(lines, frame),
            Kind::Parse => self.take_parse(lines, frame),
            Kind::Bind => self.take_bind(lines, frame),
            Kind::Describe => self.take_describe(lines, frame),
            Kind::Execute => self.take_execute(lines, frame),
            Kind::Close => self.take_close(lines, frame),
            Kind::Sync => Ok(self.take_sync(lines)),
            Kind::Flush => {
                let mut out = Vec::new();
                put_flush(&mut out);
                lines.gate.protocol(&out);
                Ok(Flow::Next)
            }
            Kind::CopyData | Kind::CopyDone | Kind::CopyFail => {
                self.take_copy(lines, kind, frame);
                Ok(Flow::Next)
            }
            Kind::FunctionCall => self.take_call(lines, frame),
            Kind::Terminate => Err(Ended::client()),
            Kind::Password => Err(Ended::violation("client", "a password that nobody asked for")),
        }
    }

    /// While the server reads COPY data it takes whatever comes for it. So that requests and
    /// answers stay in step, nothing else is sent until the COPY has been answered.
    fn must_wait_for_copy(&mut self, lines: &mut Lines, kind: Kind) -> Result<bool, Ended> {
        let belongs = matches!(
            kind,
            Kind::CopyData
                | Kind::CopyDone
                | Kind::CopyFail
                | Kind::Flush
                | Kind::Sync
                | Kind::Terminate
        );
        if belongs || self.owed.is_empty() {
            return Ok(false);
        }
        let Some(running) = self.copying_in() else { return Ok(false) };
        let ended = self.owed.iter().any(|owed| matches!(owed.answer, Answer::CopyEnd));
        if matches!(running.copy, Copying::In) && !ended {
            return Err(Ended::violation("client", "another message in the middle of COPY data"));
        }
        // In the extended protocol the server keeps answers back until it is asked for them.
        let mut out = Vec::new();
        put_flush(&mut out);
        lines.gate.protocol(&out);
        Ok(true)
    }

    fn take_query(&mut self, lines: &mut Lines, frame: &Frame) -> Result<Flow, Ended> {
        match self.names(lines) {
            Names::Known => {}
            Names::Wait => return Ok(Flow::Wait),
            Names::Lost => {
                self.complain(lines, true, &path::lost());
                return Ok(Flow::Next);
            }
        }
        let text = Query::read(lines.requests.body(frame)).map_err(client_violation)?.text;
        let (text, statements) = match self.read_text(text) {
            Ok(read) => read,
            Err(refusal) => {
                self.deny(lines, true, |out| put_refusal(out, Severity::Error, &refusal));
                return Ok(Flow::Next);
            }
        };
        if self.path_is_lost_in(&statements) {
            self.complain(lines, true, &path::lost());
            return Ok(Flow::Next);
        }
        let resolved = self.resolve(text, &statements);
        self.judge(lines, frame, resolved, &[], JudgedKind::Query)
    }

    fn take_parse(&mut self, lines: &mut Lines, frame: &Frame) -> Result<Flow, Ended> {
        match self.names(lines) {
            Names::Known => {}
            Names::Wait => return Ok(Flow::Wait),
            Names::Lost => {
                self.complain(lines, false, &path::lost());
                return Ok(Flow::Next);
            }
        }
        let parse = Parse::read(lines.requests.body(frame)).map_err(client_violation)?;
        let limit = self.session.limits().named_statements_max;
        if self.statements.len() >= limit && !parse.name.is_empty() {
            let complaint = too_many("prepared statements", limit);
            self.complain(lines, false, &complaint);
            return Ok(Flow::Next);
        }
        let admitted = self.read_text(parse.text).and_then(|(text, statements)| {
            Ok((Arc::from(text), self.session.admit_statements(&statements)?))
        });
        let (text, permit): (Arc<str>, Permit) = match admitted {
            Ok(admitted) => admitted,
            Err(refusal) => {
                self.deny(lines, false, |out| put_refusal(out, Severity::Error, &refusal));
                return Ok(Flow::Next);
            }
        };
        let prepared = Arc::new(Prepared { text, by_sql: false });
        let undo = self.statements.set(key(parse.name), prepared, self.batch);
        let message = lines.requests.bytes(frame.range.clone());
        // Parsing runs nothing and shows nothing: what the receipt would allow is not used.
        drop(lines.gate.forward(permit, message));
        self.owe(Answer::Parse, vec![NameUndo::Statement(undo)]);
        Ok(Flow::Next)
    }

    fn take_bind(&mut self, lines: &mut Lines, frame: &Frame) -> Result<Flow, Ended> {
        match self.names(lines) {
            Names::Known => {}
            Names::Wait => return Ok(Flow::Wait),
            Names::Lost => {
                self.complain(lines, false, &path::lost());
                return Ok(Flow::Next);
            }
        }
        let bind = Bind::read(lines.requests.body(frame)).map_err(client_violation)?;
        let prepared = match self.statements.get(key(bind.statement), self.batch) {
            Found::Known(prepared) => prepared,
            Found::Unsettled => return Ok(Flow::Wait),
            Found::Missing => {
                let complaint = no_statement(bind.statement);
                self.complain(lines, false, &complaint);
                return Ok(Flow::Next);
            }
        };
        let limit = self.session.limits().named_statements_max;
        if self.portals.len() >= limit && !bind.portal.is_empty() {
            self.complain(lines, false, &too_many("portals", limit));
            return Ok(Flow::Next);
        }
        let resolved = self.read_prepared(&prepared);
        let kind = JudgedKind::Bind {
            portal: bind.portal.to_vec(),
            text: Arc::clone(&prepared.text),
            parameters: bind.bound.into(),
        };
        let parameters: Box<[u8]> = bind.bound.into();
        self.judge(lines, frame, resolved, &[&parameters], kind)
    }

    fn take_execute(&mut self, lines: &mut Lines, frame: &Frame) -> Result<Flow, Ended> {
        let execute = Execute::read(lines.requests.body(frame)).map_err(client_violation)?;
        let name = execute.portal.to_vec();
        let portal = match self.portals.get(key(&name), self.batch) {
            Found::Known(portal) => portal,
            Found::Unsettled => return Ok(Flow::Wait),
            Found::Missing => {
                self.complain(lines, false, &no_portal(&name));
                return Ok(Flow::Next);
            }
        };
        let Some(bound) = &portal.bound else {
            // A cursor of SQL: what it is was judged when it was declared; it is judged again.
            let resolved = self.read_cursor(&portal);
            let kind = JudgedKind::Execute { portal, name };
            return self.judge(lines, frame, resolved, &[], kind);
        };
        let statements = Arc::clone(&bound.statements);
        let refers = statements.statements().iter().any(|one| one.refers_to.is_some());
        // What the statements do to names happens when they run; what they run by name is looked
        // up then too, and may be another than when they were bound.
        let resolved = if refers {
            match self.session.read(&portal.text) {
                Ok(outer) => self.resolve(&portal.text, &outer),
                Err(refusal) => Resolved::Refused(refusal),
            }
        } else {
            self.resolve(&portal.text, &statements)
        };
        let effects = match resolved {
            Resolved::Ready(_, effects) if !refers => effects,
            resolved => {
                let kind = JudgedKind::Execute { portal: Arc::clone(&portal), name };
                return self.judge(lines, frame, resolved, &[&bound.parameters], kind);
            }
        };
        let judgement =
            self.session.judge_further(&bound.receipt, &statements, &[&bound.parameters]);
        let request = Judged {
            kind: JudgedKind::Execute { portal: Arc::clone(&portal), name },
            statements,
            effects,
            message: Vec::new(),
        };
        self.carry_out(lines, frame, judgement, request);
        Ok(Flow::Next)
    }

    /// Judges a request whose statements have been resolved, and does as judged.
    pub(super) fn judge(
        &mut self,
        lines: &mut Lines,
        frame: &Frame,
        resolved: Resolved,
        parameters: &[&[u8]],
        kind: JudgedKind,
    ) -> Result<Flow, Ended> {
        let simple = matches!(kind, JudgedKind::Query | JudgedKind::Call);
        let (statements, effects) = match resolved {
            Resolved::Ready(statements, effects) => (statements, effects),
            Resolved::Wait => return Ok(Flow::Wait),
            Resolved::Missing(complaint) => {
                self.complain(lines, simple, &complaint);
                return Ok(Flow::Next);
            }
            Resolved::Refused(refusal) => {
                self.deny(lines, simple, |out| put_refusal(out, Severity::Error, &refusal));
                return Ok(Flow::Next);
            }
        };
        let judgement = match self.cannot_be_masked(&statements) {
            Some(refusal) => {
                Judgement::Denied(self.session.refuse_operation(&statements.operation, refusal))
            }
            None => self.session.judge_statements(&statements, parameters),
        };
        let request = Judged { kind, statements, effects, message: Vec::new() };
        self.carry_out(lines, frame, judgement, request);
        Ok(Flow::Next)
    }

    fn carry_out(
        &mut self,
        lines: &mut Lines,
        frame: &Frame,
        judgement: Judgement,
        mut request: Judged,
    ) {
        match judgement {
            Judgement::Allowed(permit) => {
                self.forward_message(lines, request, permit, Message::Frame(frame));
            }
            Judgement::Held(held) => {
                request.message = lines.requests.bytes(frame.range.clone()).to_vec();
                self.park(lines, held, request);
            }
            Judgement::Denied(refusal) => {
                let simple = request.is_simple();
                self.take_back(request);
                self.deny(lines, simple, |out| put_refusal(out, Severity::Error, &refusal));
            }
        }
    }

    /// Forwards a request that was parked.
    pub(super) fn forward(&mut self, lines: &mut Lines, mut request: Judged, permit: Permit) {
        let message = std::mem::take(&mut request.message);
        self.forward_message(lines, request, permit, Message::Kept(&message));
    }

    fn forward_message(
        &mut self,
        lines: &mut Lines,
        request: Judged,
        permit: Permit,
        message: Message<'_>,
    ) {
        let Judged { kind, statements, effects, .. } = request;
        if let JudgedKind::Execute { portal, name } = &kind {
            self.ask_for_columns(lines, portal, name);
        }
        let bytes = match message {
            Message::Frame(frame) => lines.requests.bytes(frame.range.clone()),
            Message::Kept(bytes) => bytes,
        };
        let receipt = lines.gate.forward(permit, bytes);
        if !matches!(kind, JudgedKind::Bind { .. }) {
            self.note_moves(&statements);
        }
        match kind {
            JudgedKind::Query | JudgedKind::Call => {
                let mut running = Running::new(receipt, statements);
                running.is_call = matches!(kind, JudgedKind::Call);
                running.effects = effects;
                self.owe(Answer::Query(Box::new(running)), Vec::new());
                self.end_batch();
            }
            JudgedKind::Bind { portal, text, parameters } => {
                let made = Portal {
                    text,
                    by_sql: false,
                    hold: false,
                    bound: Some(Bound { parameters, statements, receipt }),
                    description: Description::default().into(),
                };
                let undo = self.portals.set(key(&portal), Arc::new(made), self.batch);
                self.owe(Answer::Bind, vec![NameUndo::Portal(undo)]);
            }
            JudgedKind::Execute { portal, .. } => {
                let mut running = Running::new(receipt, statements);
                running.effects = effects;
                running.portal = Some(portal);
                self.owe(Answer::Execute(Box::new(running)), Vec::new());
            }
        }
    }

    /// Takes back what a request that will not be forwarded did to names.
    pub(super) fn take_back(&mut self, request: Judged) {
        self.take_back_effects(request.effects);
    }

    /// Rows are masked by the server's own word on their columns. Where the client has not asked
    /// for it, we do, before the rows come.
    fn ask_for_columns(&mut self, lines: &mut Lines, portal: &Arc<Portal>, name: &[u8]) {
        if self.session.masks().is_empty() {
            return;
        }
        let mut description = portal.description.lock();
        if !matches!(*description, Description::Unasked) {
            return;
        }
        *description = Description::Asked;
        drop(description);
        let mut out = Vec::new();
        put_describe(&mut out, Subject::Portal, name);
        lines.gate.protocol(&out);
        let portal = Arc::clone(portal);
        self.owe(Answer::DescribePortal { portal, shown: false }, Vec::new());
    }

    /// Why an answer could not be masked, whatever is in it: then it is not asked for.
    fn cannot_be_masked(&self, statements: &Statements) -> Option<Refusal> {
        if self.session.masks().is_empty() {
            return None;
        }
        let unmaskable = |one: &Statement| {
            matches!(&one.kind, StatementKind::CopyOut { options, .. }
                if !copy_out::is_maskable(options))
        };
        statements.statements().iter().any(unmaskable).then(|| {
            Refusal::new(RefusalKind::Masking, "portcullis: the data of this COPY cannot be masked")
                .because("Its format or encoding is not one whose values can be told apart.")
                .with_hint("Use FORMAT text, csv or binary, in UTF8.")
        })
    }

    fn take_describe(&mut self, lines: &mut Lines, frame: &Frame) -> Result<Flow, Ended> {
        let describe = Describe::read(lines.requests.body(frame)).map_err(client_violation)?;
        let name = describe.name;
        let answer = match describe.subject {
            Subject::Statement => match self.statements.get(key(name), self.batch) {
                Found::Known(_) => Answer::DescribeStatement { types_came: false },
                Found::Unsettled => return Ok(Flow::Wait),
                Found::Missing => {
                    let complaint = no_statement(name);
                    self.complain(lines, false, &complaint);
                    return Ok(Flow::Next);
                }
            },
            Subject::Portal => match self.portals.get(key(name), self.batch) {
                Found::Known(portal) => {
                    *portal.description.lock() = Description::Asked;
                    Answer::DescribePortal { portal, shown: true }
                }
                Found::Unsettled => return Ok(Flow::Wait),
                Found::Missing => {
                    let complaint = no_portal(name);
                    self.complain(lines, false, &complaint);
                    return Ok(Flow::Next);
                }
            },
        };
        let mut out = Vec::new();
        put_describe(&mut out, describe.subject, name);
        lines.gate.protocol(&out);
        self.owe(answer, Vec::new());
        Ok(Flow::Next)
    }

    fn take_close(&mut self, lines: &mut Lines, frame: &Frame) -> Result<Flow, Ended> {
        let close = Describe::read(lines.requests.body(frame)).map_err(client_violation)?;
        let undo = match close.subject {
            Subject::Statement => {
                self.statements.remove(key(close.name), self.batch).map(NameUndo::Statement)
            }
            Subject::Portal => {
                self.portals.remove(key(close.name), self.batch).map(NameUndo::Portal)
            }
        };
        let mut out = Vec::new();
        put_close(&mut out, close.subject, close.name);
        lines.gate.protocol(&out);
        self.owe(Answer::Close, undo.into_iter().collect());
        Ok(Flow::Next)
    }

    fn take_sync(&mut self, lines: &mut Lines) -> Flow {
        if self.skipping == Skipping::Here {
            self.skipping = Skipping::No;
            let status = self.status;
            lines.shown.put(|out| put_ready(out, status));
            return Flow::Next;
        }
        let copying = self.copying_in().is_some_and(|running| matches!(running.copy, Copying::In));
        let ended = self.owed.iter().any(|owed| matches!(owed.answer, Answer::CopyEnd));
        if copying && !ended {
            // The server ignores it there, and answers none.
            return Flow::Next;
        }
        self.skipping = Skipping::No;
        let mut out = Vec::new();
        put_sync(&mut out);
        lines.gate.protocol(&out);
        self.owe(Answer::Sync, Vec::new());
        self.end_batch();
        Flow::Next
    }

    /// COPY data goes where an operation waits for it; where none does, the server would ignore
    /// it, and it is dropped.
    fn take_copy(&mut self, lines: &mut Lines, kind: Kind, frame: &Frame) {
        let Some(running) = self.copying_in() else { return };
        let message = lines.requests.bytes(frame.range.clone());
        lines.gate.continue_operation(&running.receipt, message);
        if kind != Kind::CopyData {
            let batch = self.batch;
            self.owed.push_back(Owed { answer: Answer::CopyEnd, batch, undo: Vec::new() });
        }
    }

    /// Reads statement text.
    fn read_text<'a>(&self, text: &'a [u8]) -> Result<(&'a str, Arc<Statements>), Refusal> {
        let text = str::from_utf8(text).map_err(|error| {
            Refusal::new(
                RefusalKind::Unreadable,
                format!(
                    "portcullis: the statement is not valid UTF-8 (after byte {})",
                    error.valid_up_to()
                ),
            )
            .with_hint("Send it in UTF-8; client_encoding is UTF8 in every session.")
        })?;
        Ok((text, self.session.read(text)?))
    }

    /// Makes sure that what names mean is known: what the database holds, and the search path.
    fn names(&mut self, lines: &mut Lines) -> Names {
        if self.refresh_catalog(lines) { Names::Wait } else { self.know_names(lines) }
    }

    /// Asks the server what the database holds now, where what we know is too old and nothing is
    /// under way. Says whether the request at hand must wait for that.
    pub(super) fn refresh_catalog(&mut self, lines: &mut Lines) -> bool {
        if self.owed.iter().any(|owed| matches!(owed.answer, Answer::Catalog(_))) {
            return true;
        }
        let idle = self.owed.is_empty()
            && !self.batch_open
            && self.status == wire::postgres::TransactionStatus::Idle;
        let due = self.catalog_due || self.catalog_checked.elapsed() >= CATALOG_CHECK_EVERY;
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
            self.session.set_database(super::super::DIALECT, snapshot, path);
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

/// Where a message to be forwarded is.
#[derive(Clone, Copy)]
enum Message<'a> {
    /// In the client's buffer.
    Frame(&'a Frame),
    /// Kept aside.
    Kept(&'a [u8]),
}

fn kind_of(tag: u8) -> Result<Kind, Ended> {
    Kind::from_tag(tag)
        .ok_or_else(|| Ended::violation("client", format_args!("message type {tag}")))
}

pub(super) fn client_violation(violation: Violation) -> Ended {
    Ended::violation("client", violation)
}

fn too_many(what: &str, limit: usize) -> Complaint {
    Complaint::new(
        state::PROGRAM_LIMIT_EXCEEDED,
        format!("portcullis: the session already has {limit} {what}"),
    )
    .with_hint("Close or deallocate some.")
}
