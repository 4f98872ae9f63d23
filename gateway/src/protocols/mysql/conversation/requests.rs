//! What the client asks, taken in and judged.
//!
//! Owns the commands that are accepted, and the handling of each. Must not know how answers are
//! shown. Everything the client wrote goes upstream with a permit or not at all; commands that
//! carry nothing but a number are written anew.

use std::borrow::Cow;
use std::sync::Arc;

use wire::mysql::Violation;
use wire::mysql::command::{Command, code as number, put_command};
use wire::mysql::frame::Step;

use super::effects::Unresolved;
use super::expected::{Owed, Running, Word};
use super::killing::{self, Kill};
use super::{Conversation, Ended, Parked};
use crate::protocols::mysql::lines::Lines;
use crate::protocols::mysql::words::{Complaint, code};
use crate::protocols::pump::{Ending, Talk};
use crate::session::sql::mysql::{BytesIn, text_around_bytes};
use crate::session::{Judgement, Permit, Statements};

/// Whether a request was taken in.
pub(super) enum Flow {
    /// On to the next.
    Next,
    /// It waits for an answer to a question of our own.
    Wait,
}

/// A request that was judged: what is needed to forward it.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) kind: JudgedKind,
    pub(super) statements: Arc<Statements>,
    pub(super) text: Arc<str>,
    /// The command, as it goes upstream.
    pub(super) message: Vec<u8>,
    /// The number of the first packet of its answer.
    pub(super) due: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JudgedKind {
    /// A text.
    Query,
    /// A run of this prepared statement.
    Execute(u32),
    /// Rows of the cursor of this prepared statement.
    Fetch(u32),
}

impl Conversation {
    /// Takes in what the client has said, as far as it can be taken in now.
    ///
    /// # Errors
    /// The end, where the client says goodbye or breaks the protocol.
    pub(super) fn take_what_came(&mut self, lines: &mut Lines) -> Result<(), Ended> {
        while self.is_quiet() {
            let (payload, next) = match self.waiting.take() {
                Some(waiting) => waiting,
                None => match self.next_request(lines)? {
                    Some(request) => request,
                    None => break,
                },
            };
            lines.shown.begin(next);
            if let Flow::Wait = self.take(lines, &payload)? {
                self.waiting = Some((payload, next));
                break;
            }
        }
        Ok(())
    }

    /// The next whole request and the number of the first packet of its answer.
    fn next_request(&mut self, lines: &mut Lines) -> Result<Option<(Vec<u8>, u8)>, Ended> {
        let whole_max = self.session.limits().message_bytes_max;
        loop {
            match lines.requests.step(whole_max).map_err(client_violation)? {
                Step::Message { range, sequence, next } => {
                    check_first(sequence)?;
                    let payload = lines.requests.bytes(range).to_vec();
                    lines.requests.consume();
                    return Ok(Some((payload, next)));
                }
                Step::Large { sequence, first, .. } => {
                    check_first(sequence)?;
                    let Some(first) = first else {
                        lines.request_missing = 1;
                        return Ok(None);
                    };
                    self.begin_discarding(lines, first, whole_max)?;
                }
                Step::Chunk { begins, last, .. } => {
                    lines.requests.consume();
                    let packets = self.discarding.unwrap_or_default();
                    let packets = packets.wrapping_add(u8::from(begins.is_some()));
                    self.discarding = (!last).then_some(packets);
                    if last {
                        lines.shown.begin(packets);
                        self.complain(lines, &too_large(whole_max));
                    }
                }
                Step::NeedMore { missing } => {
                    // What is no command is not waited for.
                    if let Some(first) = lines.requests.next_first() {
                        check_command(first)?;
                    }
                    lines.request_missing = missing;
                    return Ok(None);
                }
            }
        }
    }

    /// A request too long to be held, as it would have to be to be judged: it is dropped as it
    /// comes, and refused at its end. What has no answer cannot be refused, and ends the session.
    fn begin_discarding(
        &mut self,
        lines: &mut Lines,
        first: u8,
        limit: usize,
    ) -> Result<(), Ended> {
        check_command(first)?;
        if matches!(first, number::STMT_SEND_LONG_DATA | number::STMT_CLOSE | number::QUIT) {
            return Err(Ended::complaint(too_large(limit)));
        }
        lines.requests.stream();
        self.discarding = Some(0);
        Ok(())
    }

    fn take(&mut self, lines: &mut Lines, payload: &[u8]) -> Result<Flow, Ended> {
        let command = Command::read(payload).map_err(client_violation)?;
        match command {
            Command::Quit => return Err(Ended::client()),
            Command::Ping => self.ask_for_word(lines, number::PING, &[], Word::Plain),
            Command::ResetConnection => {
                self.ask_for_word(lines, number::RESET_CONNECTION, &[], Word::Reset);
            }
            Command::SetOption(option @ 0..=1) => {
                self.ask_for_word(lines, number::SET_OPTION, &option.to_le_bytes(), Word::Plain);
            }
            Command::SetOption(_) => self.complain(lines, &not_accepted("this option")),
            Command::ProcessKill(connection) => {
                return Ok(self.take_process_kill(lines, connection));
            }
            Command::Query(text) => return self.take_query(lines, text),
            Command::InitDb(name) => return self.take_init_db(lines, name),
            Command::Prepare(text) => return self.take_prepare(lines, text),
            Command::Execute(execute) => return self.take_execute(lines, &execute),
            Command::LongData { statement, parameter, data } => {
                self.take_long_data(lines, statement, parameter, data);
            }
            Command::Close(statement) => self.take_close(lines, statement),
            Command::Reset(statement) => self.take_reset(lines, statement),
            Command::Fetch { statement, rows } => self.take_fetch(lines, statement, rows),
            Command::Other(number) => self.complain(lines, &not_accepted(name_of(number))),
        }
        Ok(Flow::Next)
    }

    /// Sends a command that carries nothing of the client's, and is answered by one message.
    pub(super) fn ask_for_word(&mut self, lines: &mut Lines, command: u8, body: &[u8], word: Word) {
        let mut out = Vec::new();
        lines.expect(put_command(&mut out, command, body));
        lines.gate.protocol(&out);
        self.owed = Owed::Word(word);
    }

    /// A connection's end: judged as the statement that does the same.
    fn take_process_kill(&mut self, lines: &mut Lines, connection: u32) -> Flow {
        let text = format!("KILL {connection}");
        if self.kill(lines, Kill { connection, statement_only: false }, &text) {
            return Flow::Next;
        }
        let mut message = Vec::new();
        let due = put_command(&mut message, number::QUERY, text.as_bytes());
        self.judge_text(lines, &text, message, due)
    }

    fn take_query(&mut self, lines: &mut Lines, text: &[u8]) -> Result<Flow, Ended> {
        let Some(read) = self.read_text(lines, text) else { return Ok(Flow::Next) };
        if let Some(kill) = killing::read(&read)
            && self.kill(lines, kill, &read)
        {
            return Ok(Flow::Next);
        }
        if self.refresh_catalog(lines, &read) || self.session.must_read_aside(read.as_bytes()) {
            return Ok(Flow::Wait);
        }
        let mut message = Vec::new();
        let due = put_command(&mut message, number::QUERY, text);
        Ok(self.judge_text(lines, &read, message, due))
    }

    /// Another default database: judged as the statement that does the same.
    fn take_init_db(&mut self, lines: &mut Lines, name: &[u8]) -> Result<Flow, Ended> {
        let Some(read) = self.read_text(lines, name) else { return Ok(Flow::Next) };
        if self.refresh_catalog(lines, "") {
            return Ok(Flow::Wait);
        }
        let mut message = Vec::new();
        let due = put_command(&mut message, number::INIT_DB, name);
        let text = format!("USE `{}`", read.replace('`', "``"));
        Ok(self.judge_text(lines, &text, message, due))
    }

    fn judge_text(&mut self, lines: &mut Lines, text: &str, message: Vec<u8>, due: u8) -> Flow {
        match self.resolve(text) {
            Ok(statements) => {
                if self.ask_for_variables(lines, &statements, text) {
                    return Flow::Wait;
                }
                let text = text.into();
                let kind = JudgedKind::Query;
                let judgement = self.session.judge_statements(&statements, &[]);
                self.carry_out(lines, judgement, Judged { kind, statements, text, message, due });
            }
            Err(unresolved) => self.refuse(lines, &unresolved),
        }
        Flow::Next
    }

    pub(super) fn refuse(&mut self, lines: &mut Lines, unresolved: &Unresolved) {
        match unresolved {
            Unresolved::Missing(complaint) => self.complain(lines, complaint),
            Unresolved::Refused(refusal) => self.deny(lines, refusal),
        }
    }

    /// Does as judged.
    pub(super) fn carry_out(&mut self, lines: &mut Lines, judgement: Judgement, request: Judged) {
        match judgement {
            Judgement::Allowed(permit) => self.forward(lines, request, permit),
            Judgement::Held(held) => {
                self.session.record_notice(None, "NOTICE", &held.notice());
                self.parked = Some(Parked { held, request });
            }
            Judgement::Denied(refusal) => {
                self.deny(lines, &refusal);
                self.take_back(lines, request.kind);
            }
        }
    }

    /// Forwards a request that may go.
    pub(super) fn forward(&mut self, lines: &mut Lines, request: Judged, permit: Permit) {
        let Judged { kind, statements, text, message, due } = request;
        let receipt = lines.gate.forward(permit, &message);
        lines.expect(due);
        self.forwarded(&statements);
        let mut running = Running::new(receipt, statements, text);
        match kind {
            JudgedKind::Query => {}
            JudgedKind::Execute(statement) => {
                self.executed(statement);
                running.prepared = Some(statement);
            }
            JudgedKind::Fetch(statement) => {
                running.prepared = Some(statement);
                if let Err(refusal) = self.begin_fetch(statement, &mut running) {
                    // What comes cannot be shown: the session says so, and goes on without it.
                    running.withheld = Some(refusal);
                }
            }
        }
        self.owed = Owed::Running(Box::new(running));
    }

    /// Text of the client's, if it is one; otherwise it is refused. Bytes in strings are left out
    /// of it.
    pub(super) fn read_text<'a>(
        &mut self,
        lines: &mut Lines,
        text: &'a [u8],
    ) -> Option<Cow<'a, str>> {
        let error = match str::from_utf8(text) {
            Ok(text) => return Some(Cow::Borrowed(text)),
            Err(error) => error,
        };
        let bytes_in =
            if self.place.speaks_utf8 { BytesIn::Strings } else { BytesIn::BinaryStrings };
        if let Some(text) = text_around_bytes(text, bytes_in) {
            return Some(Cow::Owned(text));
        }
        let message = format!(
            "portcullis: the statement is not valid UTF-8 (after byte {}). Send it in UTF-8; the \
             character set is utf8mb4 in every session. Bytes may stand in _binary'..' and X'..'",
            error.valid_up_to()
        );
        self.complain(lines, &Complaint::new(code::WRONG_STRING, message));
        None
    }
}

fn check_first(sequence: u8) -> Result<(), Ended> {
    match sequence {
        0 => Ok(()),
        got => Err(client_violation(Violation::OutOfOrder { got, expected: 0 })),
    }
}

fn check_command(first: u8) -> Result<(), Ended> {
    if Command::exists(first) {
        return Ok(());
    }
    Err(client_violation(Violation::Value { field: "command" }))
}

pub(super) fn client_violation(violation: Violation) -> Ended {
    Ended::violation("client", violation)
}

fn too_large(limit: usize) -> Complaint {
    Complaint::new(
        code::TOO_LARGE,
        format!(
            "portcullis: a message is longer than the {limit} bytes accepted. Send less at once"
        ),
    )
}

fn not_accepted(what: &str) -> Complaint {
    Complaint::new(code::NOT_SUPPORTED, format!("portcullis: {what} is not accepted"))
}

/// Commands that clients are known to send and that are not accepted.
fn name_of(command: u8) -> &'static str {
    match command {
        number::FIELD_LIST => "COM_FIELD_LIST (use SHOW COLUMNS)",
        number::STATISTICS => "COM_STATISTICS (use SHOW STATUS)",
        number::CHANGE_USER => "COM_CHANGE_USER (the socket is the identity; connect anew)",
        number::BINLOG_DUMP => "COM_BINLOG_DUMP",
        _ => "this command",
    }
}
