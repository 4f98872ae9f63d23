//! What the upstream says, matched with what is owed, and shown.
//!
//! Owns the handling of each backend message. Must not know how a request was judged. A message
//! that nothing owed explains ends the session: an answer shown for the wrong request would be
//! shown under the wrong masks.

use std::sync::Arc;

use model::{Access, Action};
use wire::postgres::backend::{
    CommandComplete, CopyResponse, FieldKind, Fields, Kind, Notification, ParameterStatus,
    RowDescription, parameter_types, put_parameter_status, ready_for_query,
};
use wire::postgres::frame::{Frame, Step};
use wire::postgres::{TransactionStatus, Violation, message, put_cstr};

use super::expected::{Answer, Copying, Description, Owed, Running};
use super::{Conversation, Ended, Skipping};
use crate::protocols::postgres::catalog::Collector;
use crate::protocols::postgres::lines::{BUFFER_BYTES_MAX, Lines};
use crate::protocols::postgres::reported::{self, Report};
use crate::session::{Answer as Outcome, OperationOutcome, Statements};

/// Whether a message goes on to the client.
pub(super) enum Show {
    /// As it is.
    AsIs,
    /// Not at all; what is shown in its place, if anything, has been put.
    No,
}

impl Conversation {
    /// Shows what the upstream has said, as far as it has said it.
    ///
    /// # Errors
    /// The end, where it breaks the protocol or its answers cannot be shown.
    pub(super) fn show_what_came(&mut self, lines: &mut Lines) -> Result<(), Ended> {
        loop {
            let whole_max = self.whole_max();
            match lines.shown.answers.step(whole_max).map_err(upstream_violation)? {
                Step::Frame(frame) => self.show(lines, &frame)?,
                Step::Large { tag, length } => {
                    if self.may_stream(tag) {
                        lines.shown.answers.stream(length);
                        self.count_streamed(length);
                    } else {
                        return Err(upstream_violation(Violation::TooLong {
                            length,
                            limit: whole_max,
                        }));
                    }
                }
                Step::Chunk { range, last } => lines.shown.pass_chunk(range, last),
                Step::NeedMore { missing } => {
                    // What is no message is not waited for.
                    if let Some(tag) = lines.shown.answers.next_tag() {
                        kind_of(tag)?;
                    }
                    lines.shown.missing = missing;
                    return Ok(());
                }
            }
        }
    }

    /// Bytes up to which messages are held whole: few where they pass as they are, many where
    /// they must be looked at.
    fn whole_max(&self) -> usize {
        let passes = self.owed.front().and_then(Owed::running).is_some_and(Running::passes);
        if passes { BUFFER_BYTES_MAX } else { self.session.limits().message_bytes_max }
    }

    fn may_stream(&self, tag: u8) -> bool {
        let Some(running) = self.owed.front().and_then(Owed::running) else { return false };
        match Kind::from_tag(tag) {
            Some(Kind::DataRow) => running.passes(),
            Some(Kind::CopyData) => matches!(running.copy, Copying::OutAsIs),
            Some(Kind::FunctionCallResponse) => running.is_call && running.passes(),
            _ => false,
        }
    }

    fn count_streamed(&mut self, length: usize) {
        if let Some(running) = self.front_running() {
            running.rows += 1;
            running.bytes += length as u64;
            running.unrecorded.0 += 1;
            running.unrecorded.1 += length as u64;
        }
    }

    pub(super) fn front_running(&mut self) -> Option<&mut Running> {
        match &mut self.owed.front_mut()?.answer {
            Answer::Query(running) | Answer::Execute(running) => Some(running),
            _ => None,
        }
    }

    #[inline]
    fn show(&mut self, lines: &mut Lines, frame: &Frame) -> Result<(), Ended> {
        if frame.tag == b'D' && matches!(self.owed.front(), Some(owed) if owed.running().is_some())
        {
            return self.show_row(lines, frame);
        }
        match self.answer(lines, frame)? {
            Show::AsIs => lines.shown.pass(frame.range.clone()),
            Show::No => {}
        }
        Ok(())
    }

    fn answer(&mut self, lines: &mut Lines, frame: &Frame) -> Result<Show, Ended> {
        let kind = kind_of(frame.tag)?;
        match kind {
            Kind::Notice => return self.show_notice(lines, frame),
            Kind::Notification => return self.show_notification(lines, frame),
            Kind::ParameterStatus => return self.show_parameter(lines, frame),
            Kind::Error => return self.show_error(lines, frame),
            Kind::ReadyForQuery => return self.show_ready(lines, frame),
            _ => {}
        }
        let Some(owed) = self.owed.front_mut() else {
            return Err(unexpected(kind));
        };
        match (&mut owed.answer, kind) {
            (Answer::Parse, Kind::ParseComplete)
            | (Answer::Bind, Kind::BindComplete)
            | (Answer::Close, Kind::CloseComplete) => {
                self.pop_answered();
                Ok(Show::AsIs)
            }
            (Answer::DescribeStatement { types_came }, Kind::ParameterDescription)
                if !*types_came =>
            {
                *types_came = true;
                let body = lines.shown.answers.body(frame);
                parameter_types(body).map(|_types| Show::AsIs).map_err(upstream_violation)
            }
            (Answer::DescribeStatement { types_came: true }, Kind::RowDescription) => {
                let body = lines.shown.answers.body(frame);
                RowDescription::read(body).map_err(upstream_violation)?;
                self.pop_answered();
                Ok(Show::AsIs)
            }
            (Answer::DescribeStatement { types_came: true }, Kind::NoData) => {
                self.pop_answered();
                Ok(Show::AsIs)
            }
            (Answer::DescribePortal { portal, shown }, Kind::RowDescription | Kind::NoData) => {
                let body = lines.shown.answers.body(frame);
                let description = if kind == Kind::NoData {
                    Description::NoData
                } else {
                    RowDescription::read(body).map_err(upstream_violation)?;
                    Description::Rows(body.into())
                };
                *portal.description.lock() = description;
                let shown = *shown;
                self.pop_answered();
                Ok(if shown { Show::AsIs } else { Show::No })
            }
            (Answer::Query(_) | Answer::Execute(_), _) => self.answer_running(lines, frame, kind),
            (Answer::Catalog(collector), _) => {
                collect(collector, kind, lines.shown.answers.body(frame))
            }
            (Answer::Path(schemas), _) => {
                super::path::collect(schemas, kind, lines.shown.answers.body(frame))
            }
            (Answer::Temporaries(tables), _) => {
                super::temporaries::collect(tables, kind, lines.shown.answers.body(frame))
            }
            _ => Err(unexpected(kind)),
        }
    }

    fn answer_running(
        &mut self,
        lines: &mut Lines,
        frame: &Frame,
        kind: Kind,
    ) -> Result<Show, Ended> {
        let is_query = matches!(self.owed.front(), Some(Owed { answer: Answer::Query(_), .. }));
        match kind {
            Kind::RowDescription if is_query => {
                let body: Arc<[u8]> = lines.shown.answers.body(frame).into();
                self.describe_rows(&body)?;
                Ok(Show::AsIs)
            }
            Kind::CommandComplete => {
                let body = lines.shown.answers.body(frame);
                let complete = CommandComplete::read(body).map_err(upstream_violation)?;
                self.statement_completed(&complete);
                if !is_query {
                    self.finish_front(OperationOutcome::Completed);
                }
                Ok(Show::AsIs)
            }
            Kind::EmptyQuery | Kind::PortalSuspended => {
                if !is_query {
                    self.finish_front(OperationOutcome::Completed);
                } else if kind == Kind::PortalSuspended {
                    return Err(unexpected(kind));
                }
                Ok(Show::AsIs)
            }
            Kind::FunctionCallResponse => self.show_call_answer(lines, frame),
            Kind::CopyOut => self.begin_copy_out(lines, frame),
            Kind::CopyIn => {
                let body = lines.shown.answers.body(frame);
                CopyResponse::read(body).map_err(upstream_violation)?;
                self.begin_copy_in();
                Ok(Show::AsIs)
            }
            Kind::CopyData => self.show_copy_data(lines, frame),
            Kind::CopyDone => {
                let Some(running) = self.front_running() else { return Err(unexpected(kind)) };
                match std::mem::take(&mut running.copy) {
                    Copying::OutAsIs => Ok(Show::AsIs),
                    Copying::Out(mask) => {
                        running.masked += mask.masked();
                        Ok(Show::AsIs)
                    }
                    Copying::No | Copying::In => Err(unexpected(kind)),
                }
            }
            _ => Err(unexpected(kind)),
        }
    }

    /// The server reads COPY data now. What the client has sent as `Sync` before the data's end
    /// is ignored there.
    fn begin_copy_in(&mut self) {
        if let Some(running) = self.front_running() {
            running.copy = Copying::In;
        }
        let end = self
            .owed
            .iter()
            .position(|owed| matches!(owed.answer, Answer::CopyEnd))
            .unwrap_or(self.owed.len());
        let mut at = 0;
        self.owed.retain(|owed| {
            let ignored = at < end && matches!(owed.answer, Answer::Sync);
            at += 1;
            !ignored
        });
    }

    fn statement_completed(&mut self, complete: &CommandComplete<'_>) {
        let Some(running) = self.front_running() else { return };
        let which = running.which;
        running.which += 1;
        running.shape = None;
        running.copy = Copying::No;
        running.status = String::from_utf8_lossy(complete.tag).into_owned();
        if running.rows == 0 || which > 0 {
            running.rows = running.rows.max(complete.rows().unwrap_or_default());
        }
        // What a completed statement did to names stands.
        running.effects.retain(|(statement, _)| *statement > which);
        let statements = Arc::clone(&running.statements);
        let completed = statements.statements().get(which);
        if let Some(changing) = completed.filter(|one| one.kind.changes_catalog()) {
            let changed = self.session.catalog_changed(changing);
            self.catalog_due |= changed;
            self.defined |= changed;
        }
    }

    /// Takes the answer in front, which has come whole, and the marks behind it, which have no
    /// answer of their own: once everything is answered, nothing is left that could be waited for.
    fn pop_answered(&mut self) -> Option<Owed> {
        let answered = self.owed.pop_front();
        while matches!(self.owed.front(), Some(Owed { answer: Answer::CopyEnd, .. })) {
            self.owed.pop_front();
        }
        answered
    }

    /// The operation in front has been answered.
    fn finish_front(&mut self, outcome: OperationOutcome) {
        let Some(owed) = self.pop_answered() else { return };
        if let Answer::Query(running) | Answer::Execute(running) = owed.answer {
            self.finish(*running, outcome);
        }
    }

    /// Records the end of an operation, and takes back what its unreached statements would have
    /// done to names.
    pub(super) fn finish(&mut self, mut running: Running, outcome: OperationOutcome) {
        self.take_back_effects(std::mem::take(&mut running.effects));
        let (rows, bytes) = running.unrecorded;
        if rows > 0 {
            self.session.skip_rows(&running.receipt, rows, bytes);
        }
        let outcome = if running.failed.is_some() { OperationOutcome::Failed } else { outcome };
        let answer = Outcome {
            outcome,
            status: &running.status,
            code: running.failed.as_deref(),
            rows: running.rows,
            bytes: running.bytes,
            masked_values: running.masked,
        };
        self.session.finished(running.receipt, &answer);
    }

    fn show_error(&mut self, lines: &mut Lines, frame: &Frame) -> Result<Show, Ended> {
        let body = lines.shown.answers.body(frame);
        let fields = Fields::read(body).map_err(upstream_violation)?;
        let sqlstate = fields.sqlstate().unwrap_or("XX000").to_owned();
        if fields.is_fatal() {
            self.fatal_shown = true;
            return Ok(self.show_words(lines, frame));
        }
        self.note_failure();
        self.temporaries_may_be_gone();
        let Some(owed) = self.owed.front_mut() else {
            return Err(unexpected(Kind::Error));
        };
        match &mut owed.answer {
            Answer::Query(running) => {
                running.failed = Some(sqlstate);
                running.copy = Copying::No;
                running.shape = None;
                Ok(self.show_words(lines, frame))
            }
            Answer::RefusedQuery(words) => {
                let words = std::mem::take(words);
                lines.shown.put(|out| out.extend_from_slice(&words));
                Ok(Show::No)
            }
            Answer::Refused(words) => {
                let words = std::mem::take(words);
                lines.shown.put(|out| out.extend_from_slice(&words));
                self.skip_to_sync();
                Ok(Show::No)
            }
            Answer::Catalog(collector) => {
                collector.refused(Some(&sqlstate));
                Ok(Show::No)
            }
            Answer::Path(_) | Answer::Temporaries(_) => Err(unexpected(Kind::Error)),
            // Deferred constraints are checked when the implicit transaction is committed.
            Answer::Sync => Ok(self.show_words(lines, frame)),
            _ => {
                if let Some(running) = self.front_running() {
                    running.failed = Some(sqlstate);
                }
                let show = self.show_words(lines, frame);
                self.skip_to_sync();
                Ok(show)
            }
        }
    }

    /// The server skips everything up to the next `Sync`: none of it will be answered, and what
    /// it would have done to names is not done.
    fn skip_to_sync(&mut self) {
        let mut skipped = Vec::new();
        while let Some(owed) = self.owed.pop_front() {
            if matches!(owed.answer, Answer::Sync) {
                self.owed.push_front(owed);
                break;
            }
            skipped.push(owed);
        }
        if self.owed.is_empty() {
            // The `Sync` has not been sent yet.
            self.skipping = Skipping::There;
        }
        for owed in skipped.into_iter().rev() {
            if let Answer::Query(running) | Answer::Execute(running) = owed.answer {
                let outcome = if running.failed.is_some() {
                    OperationOutcome::Failed
                } else {
                    OperationOutcome::Abandoned
                };
                self.finish(*running, outcome);
            }
            for undo in owed.undo.into_iter().rev() {
                self.undo(undo);
            }
        }
    }

    fn show_ready(&mut self, lines: &mut Lines, frame: &Frame) -> Result<Show, Ended> {
        let status =
            ready_for_query(lines.shown.answers.body(frame)).map_err(upstream_violation)?;
        let Some(owed) = self.pop_answered() else {
            return Err(unexpected(Kind::ReadyForQuery));
        };
        let batch = owed.batch;
        let show = match owed.answer {
            Answer::Query(running) => {
                self.finish(*running, OperationOutcome::Completed);
                Show::AsIs
            }
            Answer::Sync | Answer::RefusedQuery(_) => Show::AsIs,
            Answer::Catalog(collector) => {
                self.catalog_came(*collector)?;
                Show::No
            }
            Answer::Path(schemas) => {
                self.path_came(schemas, status);
                Show::No
            }
            Answer::Temporaries(tables) => {
                self.temporaries_came(*tables);
                Show::No
            }
            _ => return Err(unexpected(Kind::ReadyForQuery)),
        };
        if status == TransactionStatus::Idle {
            // The transaction is over, and its portals with it.
            self.portals.forget_unless(batch, |portal| portal.hold);
            if std::mem::take(&mut self.defined) {
                self.session.definitions_stand();
            }
        }
        self.statements.settle(batch);
        self.portals.settle(batch);
        self.status = status;
        Ok(show)
    }

    fn catalog_came(&mut self, collector: Collector) -> Result<(), Ended> {
        match collector.finish(&self.place.database) {
            Ok(catalog) => {
                let place = &self.place;
                let snapshot = self.session.keep_catalog(&place.database, &place.user, catalog);
                let path = Arc::clone(&place.search_path);
                self.session.set_database(super::super::DIALECT, snapshot, path);
                self.everything_is_listed();
                Ok(())
            }
            // With an old catalogue, statements would be read for what they meant.
            Err(error) => Err(Ended::violation("upstream", error)),
        }
    }

    fn show_notice(&mut self, lines: &mut Lines, frame: &Frame) -> Result<Show, Ended> {
        let body = lines.shown.answers.body(frame);
        Fields::read(body).map_err(upstream_violation)?;
        // What the server says about a question of our own is not the client's.
        if self.owed.front().is_some_and(Owed::is_ours) {
            return Ok(Show::No);
        }
        Ok(self.show_words(lines, frame))
    }

    /// Shows an error or a notice, without the values it may quote.
    fn show_words(&mut self, lines: &mut Lines, frame: &Frame) -> Show {
        let body = lines.shown.answers.body(frame).to_vec();
        let Ok(fields) = Fields::read(&body) else { return Show::No };
        let front = self.owed.front();
        let statements =
            front.and_then(Owed::running).map(|running| Arc::clone(&running.statements));
        // What is only parsed or described has read no row.
        let unread =
            matches!(
                front.map(|owed| &owed.answer),
                Some(
                    Answer::Parse
                        | Answer::DescribeStatement { .. }
                        | Answer::DescribePortal { .. }
                        | Answer::Close
                )
            ) || statements.as_deref().is_some_and(|all| names_what_is_missing(&fields, all));
        let mut changed = false;
        let mut shown = Vec::new();
        // A function can raise a message with any text for a name.
        let raised = fields.get(b'F').is_none_or(|file| file.starts_with(b"pl"));
        for (code, text) in fields.iter() {
            let safe = match FieldKind::of(code) {
                FieldKind::Fixed => None,
                FieldKind::Name if !raised => None,
                FieldKind::Name | FieldKind::Prose => {
                    self.session.safe_message(statements.as_deref(), text, unread)
                }
            };
            changed |= safe.is_some();
            shown.push(code);
            put_cstr(&mut shown, safe.as_deref().unwrap_or(text));
        }
        shown.push(0);
        self.record_words(&shown);
        if !changed {
            return Show::AsIs;
        }
        lines.shown.put(|out| message(out, frame.tag, |out| out.extend_from_slice(&shown)));
        Show::No
    }

    fn record_words(&mut self, shown: &[u8]) {
        let Ok(fields) = Fields::read(shown) else { return };
        let severity = fields.get(b'V').or_else(|| fields.get(b'S')).unwrap_or_default();
        let severity = String::from_utf8_lossy(severity);
        let text = fields.message();
        let receipt = self.owed.front().and_then(Owed::running).map(|running| &running.receipt);
        self.session.record_notice(receipt, &severity, &text);
    }

    /// What another session sent may quote anything.
    fn show_notification(&mut self, lines: &mut Lines, frame: &Frame) -> Result<Show, Ended> {
        let body = lines.shown.answers.body(frame);
        let notification = Notification::read(body).map_err(upstream_violation)?;
        let Some(safe) = self.session.safe_message(None, notification.payload, false) else {
            return Ok(Show::AsIs);
        };
        let head = body.get(..4).unwrap_or_default().to_vec();
        let channel = notification.channel.to_vec();
        lines.shown.put(|out| {
            message(out, frame.tag, |out| {
                out.extend_from_slice(&head);
                put_cstr(out, &channel);
                put_cstr(out, &safe);
            });
        });
        Ok(Show::No)
    }

    fn show_parameter(&mut self, lines: &mut Lines, frame: &Frame) -> Result<Show, Ended> {
        let status =
            ParameterStatus::read(lines.shown.answers.body(frame)).map_err(upstream_violation)?;
        let own = self.owed.front().is_some_and(Owed::is_ours);
        match reported::judge(status.name, status.value) {
            Report::Show if own => Ok(Show::No),
            Report::Show => Ok(Show::AsIs),
            Report::FreeText => {
                let Some(safe) = self.session.safe_message(None, status.value, false) else {
                    return Ok(if own { Show::No } else { Show::AsIs });
                };
                let name = status.name.to_vec();
                lines.shown.put(|out| put_parameter_status(out, &name, &safe));
                Ok(Show::No)
            }
            Report::Hide => Ok(Show::No),
            Report::Broken(name) => Err(Ended::violation(
                "upstream",
                format_args!("{name} is not what this session was started with"),
            )),
        }
    }
}

/// Whether an error is the parser's about a name in the statement itself, not in what a function
/// runs: it has a context then, and the statement needs to call one. The source file is the
/// server's own word, which no function can choose.
fn names_what_is_missing(fields: &Fields<'_>, statements: &Statements) -> bool {
    let calls =
        |access: &Access| matches!(access.action, Action::Execute | Action::Code | Action::Unknown);
    fields.get(b'F') == Some(b"parse_relation.c")
        && fields.get(b'W').is_none()
        && fields.get(b'q').is_none()
        && !statements.operation.accesses.iter().any(calls)
}

/// Takes a message of the answer to our own question.
fn collect(collector: &mut Collector, kind: Kind, body: &[u8]) -> Result<Show, Ended> {
    match kind {
        Kind::DataRow => collector.row(body),
        Kind::CommandComplete => collector.statement_ended(),
        Kind::RowDescription => {}
        other => return Err(unexpected(other)),
    }
    Ok(Show::No)
}

impl Running {
    /// Whether everything of the answer passes as it is.
    pub(super) fn passes(&self) -> bool {
        match &self.copy {
            Copying::OutAsIs => true,
            Copying::Out(_) | Copying::In => false,
            Copying::No => match &self.shape {
                Some(shape) => shape.passes(),
                None => self.receipt.masks().is_empty(),
            },
        }
    }
}

fn kind_of(tag: u8) -> Result<Kind, Ended> {
    Kind::from_tag(tag)
        .ok_or_else(|| Ended::violation("upstream", format_args!("message type {tag}")))
}

pub(super) fn upstream_violation(violation: Violation) -> Ended {
    Ended::violation("upstream", violation)
}

pub(super) fn unexpected(kind: Kind) -> Ended {
    Ended::violation("upstream", format_args!("{kind:?} where nothing asked for it"))
}
