//! What the upstream says, matched with what is owed, and shown.
//!
//! Owns the handling of each message of an answer. Must not know how a request was judged. A
//! message that what is owed does not explain ends the session: an answer shown for the wrong
//! request would be shown under the wrong masks.

use wire::mysql::Violation;
use wire::mysql::answer::{Beginning, EofPacket, ErrPacket, OkPacket};
use wire::mysql::column::Column;
use wire::mysql::command::Prepared as Described;
use wire::mysql::frame::Step;
use wire::mysql::status::{CURSOR_EXISTS, MORE_RESULTS};

use super::expected::{Cursor, Owed, Phase, Preparing, Running, Word};
use super::own::no_longer_pinned;
use super::{Conversation, Ended};
use crate::protocols::mysql::DIALECT;
use crate::protocols::mysql::lines::{BUFFER_BYTES_MAX, Lines};
use crate::protocols::mysql::pins::{self, Report};
use crate::protocols::mysql::shape::{Shape, WireColumn};
use crate::protocols::pump::Ending;
use crate::session::sql::StatementKind;
use crate::session::{Answer, OperationOutcome, Statements};

impl Conversation {
    /// Shows what the upstream has said, as far as it has said it.
    ///
    /// # Errors
    /// The end, where it breaks the protocol or its answers cannot be shown.
    pub(super) fn show_what_came(&mut self, lines: &mut Lines) -> Result<(), Ended> {
        loop {
            let passes = self.passes();
            let whole_max =
                if passes { BUFFER_BYTES_MAX } else { self.session.limits().message_bytes_max };
            match lines.answers.step(whole_max).map_err(upstream_violation)? {
                Step::Message { range, sequence, next } => {
                    if matches!(self.owed, Owed::Nothing) {
                        return Err(unsolicited(lines.answers.bytes(range)));
                    }
                    lines.check(sequence, next).map_err(upstream_violation)?;
                    self.show(lines, range)?;
                    lines.answers.consume();
                }
                Step::Large { sequence, length, .. } => {
                    if !passes {
                        let limit = whole_max;
                        return Err(upstream_violation(Violation::TooLong { length, limit }));
                    }
                    lines.check(sequence, sequence).map_err(upstream_violation)?;
                    lines.answers.stream();
                    self.count_streamed(length);
                }
                Step::Chunk { range, begins, last } => {
                    lines.pass_chunk(range, begins, last);
                }
                Step::NeedMore { missing } => {
                    lines.answer_missing = missing;
                    return Ok(());
                }
            }
        }
    }

    /// Whether the next message is a row that passes as it is, however long.
    fn passes(&self) -> bool {
        let Owed::Running(running) = &self.owed else { return false };
        running.phase == Phase::Rows
            && !running.quotes
            && running.shape.as_deref().is_some_and(Shape::passes)
    }

    fn count_streamed(&mut self, length: usize) {
        if let Owed::Running(running) = &mut self.owed {
            running.rows += 1;
            running.bytes += length as u64;
            running.unrecorded.0 += 1;
            running.unrecorded.1 += length as u64;
        }
    }

    #[inline]
    fn show(&mut self, lines: &mut Lines, range: std::ops::Range<usize>) -> Result<(), Ended> {
        if let Owed::Running(running) = &self.owed
            && running.phase == Phase::Rows
        {
            let payload = lines.answers.bytes(range.clone());
            // A row of texts cannot begin like an error, nor a short one like an end.
            let is_word = EofPacket::is(payload) || payload.first() == Some(&0xff);
            if !is_word {
                return self.show_row(lines, range);
            }
        }
        let payload = lines.answers.bytes(range).to_vec();
        match std::mem::take(&mut self.owed) {
            Owed::Nothing => Err(unsolicited(&payload)),
            Owed::Running(running) => self.show_running(lines, running, &payload),
            Owed::Preparing(preparing) => self.show_preparing(lines, preparing, &payload),
            Owed::Word(word) => self.show_word(lines, word, &payload),
            Owed::Own(own) => self.take_own(lines, *own, &payload),
        }
    }

    fn show_running(
        &mut self,
        lines: &mut Lines,
        mut running: Box<Running>,
        payload: &[u8],
    ) -> Result<(), Ended> {
        match running.phase {
            Phase::Begin => {
                let beginning =
                    Beginning::read(payload, self.place.agreed).map_err(upstream_violation)?;
                match beginning {
                    Beginning::Ok(ok) => return self.show_ok(lines, running, &ok),
                    Beginning::Err(error) => {
                        self.show_failure(lines, *running, &error);
                        return Ok(());
                    }
                    Beginning::Rows(count) => {
                        running.columns = Vec::new();
                        running.shape = None;
                        running.phase = Phase::Columns(count);
                        lines.shown.pass(payload);
                    }
                    Beginning::LocalFile => {
                        let what = "it asks for a file of the client's, which nobody has allowed";
                        return Err(Ended::violation("upstream", what));
                    }
                }
            }
            Phase::Columns(left) => {
                let column = Column::read(payload).map_err(upstream_violation)?;
                running.columns.push(WireColumn::of(&column));
                running.phase = match left.saturating_sub(1) {
                    0 => Phase::ColumnsEnd,
                    left => Phase::Columns(left),
                };
                lines.shown.pass(payload);
            }
            Phase::ColumnsEnd => {
                let end = EofPacket::read(payload).map_err(upstream_violation)?;
                self.check_status(end.status)?;
                lines.shown.pass(payload);
                if end.status & CURSOR_EXISTS != 0 && running.is_binary() && !running.fetches {
                    self.leave_cursor(*running);
                    return Ok(());
                }
                self.plan_rows(&mut running)?;
                running.phase = Phase::Rows;
            }
            Phase::Rows => return self.end_rows(lines, running, payload),
        }
        self.owed = Owed::Running(running);
        Ok(())
    }

    /// Rows have ended: well, or by an error.
    fn end_rows(
        &mut self,
        lines: &mut Lines,
        mut running: Box<Running>,
        payload: &[u8],
    ) -> Result<(), Ended> {
        if !EofPacket::is(payload) {
            let error = ErrPacket::read(payload).map_err(upstream_violation)?;
            self.show_failure(lines, *running, &error);
            return Ok(());
        }
        let end = EofPacket::read(payload).map_err(upstream_violation)?;
        self.check_status(end.status)?;
        lines.shown.pass(payload);
        // The rows of a call are followed by its OK, and belong to it until then.
        if !answers_many(&running) {
            self.statement_answered(&mut running);
        }
        if end.has_more() {
            running.phase = Phase::Begin;
            self.owed = Owed::Running(running);
        } else {
            self.finish(*running, OperationOutcome::Completed);
        }
        Ok(())
    }

    fn show_ok(
        &mut self,
        lines: &mut Lines,
        mut running: Box<Running>,
        ok: &OkPacket<'_>,
    ) -> Result<(), Ended> {
        running.rows = running.rows.saturating_add(ok.affected);
        let info = String::from_utf8_lossy(ok.info).into_owned();
        if !info.is_empty() {
            running.status = info;
        }
        // What the statement did, and then what the server says of it, which is better known.
        self.statement_answered(&mut running);
        self.pass_ok(lines, ok)?;
        if ok.status & MORE_RESULTS != 0 {
            running.phase = Phase::Begin;
            self.owed = Owed::Running(running);
        } else {
            self.finish(*running, OperationOutcome::Completed);
        }
        Ok(())
    }

    /// Shows an OK, with what the client may see of the changes of state.
    fn pass_ok(&mut self, lines: &mut Lines, ok: &OkPacket<'_>) -> Result<(), Ended> {
        self.check_status(ok.status)?;
        let mut changes = Vec::new();
        let mut database = None;
        for change in ok.changes() {
            match pins::judge(&change) {
                Report::Show => change.put(&mut changes),
                Report::Database(name) => {
                    change.put(&mut changes);
                    database = Some(name.to_vec());
                }
                Report::Hide => {}
                Report::Broken(name) => return Err(no_longer_pinned(name)),
            }
        }
        if let Some(name) = database {
            let name = str::from_utf8(&name)
                .map_err(|_| Ended::violation("upstream", "a database's name is no text"))?;
            self.move_to(name);
        }
        // The server's own words, but detectors look at all that passes.
        let info = self.session.safe_message(None, ok.info, true);
        let shown = OkPacket { info: info.as_deref().unwrap_or(ok.info), changes: &changes, ..*ok };
        let client = self.place.client;
        lines.shown.put(|out| shown.put(out, client));
        Ok(())
    }

    /// Another default database, or none.
    pub(super) fn move_to(&mut self, name: &str) {
        let database = (!name.is_empty()).then(|| name.into());
        if database != self.place.database {
            self.place.database = database;
            self.session.set_search_path(DIALECT, self.place.path());
        }
    }

    /// The statement at hand has been carried out; the next result is of the next.
    fn statement_answered(&mut self, running: &mut Running) {
        let done = running.statements.statements().get(running.which).cloned();
        // Results that no statement explains are planned as unknown ones, whole.
        running.which += 1;
        running.shape = None;
        running.quotes = false;
        if let Some(statement) = done {
            self.statement_done(&statement, &running.text);
        }
    }

    /// A cursor stays open: its rows come when they are asked for.
    fn leave_cursor(&mut self, running: Running) {
        let Some(statement) = running.prepared else { return };
        let names = running.columns.iter().map(|column| &*column.name);
        self.session.record_columns(&running.receipt, names.collect::<Vec<_>>().into_iter());
        let cursor = Cursor {
            receipt: running.receipt,
            statements: running.statements,
            columns: running.columns,
            fetched: false,
        };
        match self.statements.get_mut(&statement) {
            Some(prepared) => prepared.cursor = Some(cursor),
            None => self.close_cursor(Some(cursor)),
        }
    }

    /// Shows an error, without the values it may quote, and ends its operation.
    fn show_failure(&mut self, lines: &mut Lines, mut running: Running, error: &ErrPacket<'_>) {
        let state = error.sqlstate.unwrap_or(*b"HY000");
        running.failed = Some(String::from_utf8_lossy(&state).into_owned());
        let statements = std::sync::Arc::clone(&running.statements);
        let shown = self.pass_error(lines, error, Some(&statements), false);
        self.session.record_notice(Some(&running.receipt), "ERROR", &shown);
        self.finish(running, OperationOutcome::Failed);
    }

    /// Shows an error and gives its text as it was shown. `unread` says that no row was read
    /// before it.
    fn pass_error(
        &mut self,
        lines: &mut Lines,
        error: &ErrPacket<'_>,
        statements: Option<&Statements>,
        unread: bool,
    ) -> String {
        let safe = self.session.safe_message(statements, error.message, unread);
        let message = safe.as_deref().unwrap_or(error.message);
        let shown = ErrPacket { message, ..*error };
        lines.shown.put(|out| shown.put(out));
        String::from_utf8_lossy(message).into_owned()
    }

    fn show_preparing(
        &mut self,
        lines: &mut Lines,
        mut preparing: Box<Preparing>,
        payload: &[u8],
    ) -> Result<(), Ended> {
        if preparing.statement.is_none() {
            if payload.first() == Some(&0xff) {
                let error = ErrPacket::read(payload).map_err(upstream_violation)?;
                let statements = std::sync::Arc::clone(&preparing.statements);
                let shown = self.pass_error(lines, &error, Some(&statements), true);
                self.session.record_notice(Some(&preparing.receipt), "ERROR", &shown);
                return Ok(());
            }
            preparing.begin(&Described::read(payload).map_err(upstream_violation)?);
        } else {
            if preparing.ends_list() {
                let end = EofPacket::read(payload).map_err(upstream_violation)?;
                self.check_status(end.status)?;
            } else {
                Column::read(payload).map_err(upstream_violation)?;
            }
            preparing.left -= 1;
        }
        lines.shown.pass(payload);
        if preparing.left > 0 {
            self.owed = Owed::Preparing(preparing);
        } else {
            self.prepared(*preparing);
        }
        Ok(())
    }

    fn show_word(&mut self, lines: &mut Lines, word: Word, payload: &[u8]) -> Result<(), Ended> {
        if payload.first() == Some(&0xff) {
            let error = ErrPacket::read(payload).map_err(upstream_violation)?;
            if word == Word::Silent {
                return Err(Ended::violation("upstream", "it refuses to forget a parameter"));
            }
            self.pass_error(lines, &error, None, true);
            return Ok(());
        }
        if EofPacket::is(payload) && word == Word::Plain {
            let end = EofPacket::read(payload).map_err(upstream_violation)?;
            self.check_status(end.status)?;
            lines.shown.pass(payload);
            return Ok(());
        }
        if payload.first() != Some(&0) {
            return Err(upstream_violation(Violation::Value { field: "kind of the message" }));
        }
        let ok = OkPacket::read(payload, self.place.agreed).map_err(upstream_violation)?;
        match word {
            Word::Plain => self.pass_ok(lines, &ok),
            Word::Silent => self.check_status(ok.status),
            Word::Reset => {
                self.forget_everything();
                // What the server says now is before the session is pinned again.
                self.status = ok.status & !pins::LEXICAL_STATUS;
                self.pin(lines);
                Ok(())
            }
        }
    }

    /// The server has forgotten everything that belongs to the session.
    fn forget_everything(&mut self) {
        let open: Vec<_> = self.statements.drain().map(|(_, one)| one).collect();
        for prepared in open {
            self.close_cursor(prepared.cursor);
        }
        self.last_prepared = None;
        self.names = super::Names::default();
    }

    /// Records the end of an operation.
    pub(super) fn finish(&mut self, running: Running, outcome: OperationOutcome) {
        let (rows, bytes) = running.unrecorded;
        if rows > 0 {
            self.session.skip_rows(&running.receipt, rows, bytes);
        }
        let answer = Answer {
            outcome,
            status: &running.status,
            code: running.failed.as_deref(),
            rows: running.rows,
            bytes: running.bytes,
            masked_values: running.masked,
        };
        self.session.finished(running.receipt, &answer);
    }
}

/// Whether the statement at hand may answer with rows several times before its OK.
fn answers_many(running: &Running) -> bool {
    let statement = running.statements.statements().get(running.which);
    statement.is_some_and(|one| matches!(one.kind, StatementKind::Call))
}

/// The server speaks without being asked: it says why it closes the connection, or lies.
fn unsolicited(payload: &[u8]) -> Ended {
    match ErrPacket::read(payload) {
        Ok(error) => {
            tracing::info!(code = error.code, "the upstream ends the connection");
            Ended::upstream()
        }
        Err(_) => Ended::violation("upstream", "a message that nothing asked for"),
    }
}

pub(super) fn upstream_violation(violation: Violation) -> Ended {
    Ended::violation("upstream", violation)
}
