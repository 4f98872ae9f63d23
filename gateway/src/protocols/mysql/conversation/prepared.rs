//! Prepared statements of the protocol.
//!
//! Owns what is remembered of them from request to request: text, parameters, long data, cursors.
//! Must not know how answers are shown. A statement is judged when it is prepared (whether it could
//! ever run) and each time it runs, with its values.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use wire::mysql::command::{
    Execute, Prepared as Described, code as number, cursor, put_command, put_statement_command,
};
use wire::mysql::value::Type;

use super::effects::Unresolved;
use super::expected::{Cursor, LongValue, Owed, Prepared, Preparing, Running, Word};
use super::requests::{Flow, Judged, JudgedKind};
use super::{Conversation, Ended};
use crate::protocols::mysql::DIALECT;
use crate::protocols::mysql::lines::Lines;
use crate::protocols::mysql::words::{Complaint, code};
use crate::session::{Answer, Refusal, Statements};

/// The number by which MariaDB's clients mean the statement that was prepared last.
const LAST_PREPARED: u32 = u32::MAX;

impl Conversation {
    pub(super) fn take_prepare(&mut self, lines: &mut Lines, text: &[u8]) -> Result<Flow, Ended> {
        let Some(read) = self.read_text(lines, text) else { return Ok(Flow::Next) };
        if self.refresh_catalog(lines, &read) || self.session.must_read_aside(read.as_bytes()) {
            return Ok(Flow::Wait);
        }
        let limit = self.session.limits().named_statements_max;
        if self.statements.len() >= limit {
            let message = format!(
                "portcullis: the session already has {limit} prepared statements. Close some"
            );
            self.complain(lines, &Complaint::new(code::LIMIT, message));
            return Ok(Flow::Next);
        }
        let statements = match self.resolve(&read) {
            Ok(statements) => statements,
            Err(unresolved) => {
                self.refuse(lines, &unresolved);
                return Ok(Flow::Next);
            }
        };
        let permit = match self.session.admit_statements(&statements) {
            Ok(permit) => permit,
            Err(refusal) => {
                self.deny(lines, &refusal);
                return Ok(Flow::Next);
            }
        };
        let mut message = Vec::new();
        lines.expect(put_command(&mut message, number::STMT_PREPARE, text));
        let receipt = lines.gate.forward(permit, &message);
        self.owed = Owed::Preparing(Box::new(Preparing {
            receipt,
            statements,
            text: read.into(),
            path: self.place.path(),
            statement: None,
            parameters: 0,
            left: 0,
            parameters_end: 0,
        }));
        Ok(Flow::Next)
    }

    /// The server has prepared a statement.
    pub(super) fn prepared(&mut self, preparing: Preparing) {
        let Some(statement) = preparing.statement else { return };
        let prepared = Prepared {
            receipt: preparing.receipt,
            text: preparing.text,
            path: preparing.path,
            parameters: preparing.parameters,
            types: None,
            server_knows_types: false,
            long: rustc_hash::FxHashMap::default(),
            cursor: None,
        };
        self.last_prepared = Some(statement);
        self.statements.insert(statement, prepared);
    }

    fn statement_number(&self, number: u32) -> u32 {
        if number == LAST_PREPARED { self.last_prepared.unwrap_or(number) } else { number }
    }

    pub(super) fn take_execute(
        &mut self,
        lines: &mut Lines,
        execute: &Execute<'_>,
    ) -> Result<Flow, Ended> {
        let statement = self.statement_number(execute.statement);
        let Some(prepared) = self.statements.get(&statement) else {
            self.complain(lines, &no_statement(statement, "mysqld_stmt_execute"));
            return Ok(Flow::Next);
        };
        let text = Arc::clone(&prepared.text);
        if self.refresh_catalog(lines, &text) || self.session.must_read_aside(text.as_bytes()) {
            return Ok(Flow::Wait);
        }
        let Some(parameters) = self.bind(statement, execute) else {
            let message = "portcullis: the parameters of the prepared statement cannot be read";
            self.complain(lines, &Complaint::new(code::WRONG_PARAMETERS, message));
            return Ok(Flow::Next);
        };
        let statements = match self.resolve_prepared(statement, &text) {
            Ok(statements) => statements,
            Err(unresolved) => {
                self.refuse(lines, &unresolved);
                self.take_back(lines, JudgedKind::Execute(statement));
                return Ok(Flow::Next);
            }
        };
        let Parameters { message, due, values } = parameters;
        let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        let judgement = self.session.judge_statements(&statements, &values);
        let kind = JudgedKind::Execute(statement);
        self.carry_out(lines, judgement, Judged { kind, statements, text, message, due });
        Ok(Flow::Next)
    }

    /// Reads the parameters of a run; nothing where they are not what the statement has. The types
    /// are kept: a client tells them once.
    fn bind(&mut self, statement: u32, execute: &Execute<'_>) -> Option<Parameters> {
        if execute.flags > cursor::READ_ONLY || execute.iterations != 1 {
            return None;
        }
        let prepared = self.statements.get_mut(&statement)?;
        let mut message = Vec::new();
        let mut run = Execute { statement, rest: b"", ..*execute };
        if prepared.parameters == 0 {
            let due = run.put(&mut message);
            return Some(Parameters { message, due, values: Vec::new() });
        }
        let is_long = |index: usize| {
            u16::try_from(index).is_ok_and(|index| prepared.long.contains_key(&index))
        };
        let bound = execute.bound(prepared.parameters, prepared.types.as_deref(), is_long).ok()?;
        if let Some(types) = bound.new_types {
            prepared.types = Some(types);
            prepared.server_knows_types = false;
        }
        let types = prepared.types.as_deref().unwrap_or_default();
        run.rest = bound.values;
        // The server may not have heard of types that came with a run that was refused.
        let due = if prepared.server_knows_types {
            run.put(&mut message)
        } else {
            run.put_with_types(&mut message, types)
        };
        let mut values = vec![type_bytes(types), bound.values.to_vec()];
        let mut long: Vec<_> = prepared.long.iter().collect();
        long.sort_by_key(|(index, _)| **index);
        for (index, LongValue(digest)) in long {
            let mut named = index.to_le_bytes().to_vec();
            named.extend_from_slice(digest.clone().finish().as_ref());
            values.push(named);
        }
        Some(Parameters { message, due, values })
    }

    /// Reads a prepared statement's text anew, under what its names mean: they are looked for where
    /// they were when it was prepared.
    fn resolve_prepared(
        &mut self,
        statement: u32,
        text: &str,
    ) -> Result<Arc<Statements>, Unresolved> {
        let path = self.statements.get(&statement).map(|prepared| Arc::clone(&prepared.path));
        let here = self.place.path();
        match path {
            Some(path) if path != here => {
                self.session.set_search_path(DIALECT, path);
                let resolved = self.resolve(text);
                self.session.set_search_path(DIALECT, here);
                resolved
            }
            _ => self.resolve(text),
        }
    }

    /// A run has gone to the server: it has forgotten long data and cursor, and knows the types.
    pub(super) fn executed(&mut self, statement: u32) {
        let Some(prepared) = self.statements.get_mut(&statement) else { return };
        prepared.long.clear();
        prepared.server_knows_types = prepared.types.is_some();
        let cursor = prepared.cursor.take();
        self.close_cursor(cursor);
    }

    /// A run was refused. What was sent for it in parts must not be taken for the next one's.
    pub(super) fn take_back(&mut self, lines: &mut Lines, kind: JudgedKind) {
        let JudgedKind::Execute(statement) = kind else { return };
        let Some(prepared) = self.statements.get_mut(&statement) else { return };
        if prepared.long.is_empty() {
            return;
        }
        prepared.long.clear();
        let cursor = prepared.cursor.take();
        self.close_cursor(cursor);
        self.ask_for_word(lines, number::STMT_RESET, &statement.to_le_bytes(), Word::Silent);
    }

    /// A part of a value. It is not answered; what cannot be right is noticed when the statement
    /// is run.
    pub(super) fn take_long_data(
        &mut self,
        lines: &mut Lines,
        statement: u32,
        parameter: u16,
        data: &[u8],
    ) {
        let statement = self.statement_number(statement);
        let Some(prepared) = self.statements.get_mut(&statement) else { return };
        if usize::from(parameter) >= prepared.parameters {
            return;
        }
        let value =
            prepared.long.entry(parameter).or_insert_with(|| LongValue(Context::new(&SHA256)));
        value.0.update(data);
        let mut out = Vec::new();
        let body = [&parameter.to_le_bytes()[..], data].concat();
        put_statement_command(&mut out, number::STMT_SEND_LONG_DATA, statement, &body);
        lines.gate.continue_operation(&prepared.receipt, &out);
    }

    pub(super) fn take_close(&mut self, lines: &mut Lines, statement: u32) {
        let statement = self.statement_number(statement);
        let Some(prepared) = self.statements.remove(&statement) else { return };
        self.close_cursor(prepared.cursor);
        if self.last_prepared == Some(statement) {
            self.last_prepared = None;
        }
        let mut out = Vec::new();
        put_statement_command(&mut out, number::STMT_CLOSE, statement, b"");
        lines.gate.protocol(&out);
    }

    pub(super) fn take_reset(&mut self, lines: &mut Lines, statement: u32) {
        let statement = self.statement_number(statement);
        let Some(prepared) = self.statements.get_mut(&statement) else {
            self.complain(lines, &no_statement(statement, "mysqld_stmt_reset"));
            return;
        };
        prepared.long.clear();
        let cursor = prepared.cursor.take();
        self.close_cursor(cursor);
        self.ask_for_word(lines, number::STMT_RESET, &statement.to_le_bytes(), Word::Plain);
    }

    pub(super) fn take_fetch(&mut self, lines: &mut Lines, statement: u32, rows: u32) {
        let statement = self.statement_number(statement);
        let open =
            self.statements.get(&statement).and_then(|one| Some((one, one.cursor.as_ref()?)));
        let Some((prepared, cursor)) = open else {
            let message = "The statement has no open cursor.";
            self.complain(lines, &Complaint::new(code::NO_CURSOR, message));
            return;
        };
        let (text, statements) = (Arc::clone(&prepared.text), Arc::clone(&cursor.statements));
        let judgement = self.session.judge_further(&cursor.receipt, &statements, &[]);
        let mut message = Vec::new();
        let due =
            put_statement_command(&mut message, number::STMT_FETCH, statement, &rows.to_le_bytes());
        let kind = JudgedKind::Fetch(statement);
        self.carry_out(lines, judgement, Judged { kind, statements, text, message, due });
    }

    /// Rows of a cursor are coming: they are planned under the receipt of now.
    pub(super) fn begin_fetch(
        &mut self,
        statement: u32,
        running: &mut Running,
    ) -> Result<(), Refusal> {
        let cursor = self.statements.get_mut(&statement).and_then(|one| one.cursor.as_mut());
        if let Some(cursor) = cursor {
            cursor.fetched = true;
            running.columns = cursor.columns.clone();
        }
        running.fetches = true;
        running.phase = super::expected::Phase::Rows;
        running.shape = Some(self.shapes.shape(&self.session, running)?);
        Ok(())
    }

    /// A cursor is closed. Where nothing of it was ever shown, its operation ends now.
    pub(super) fn close_cursor(&mut self, cursor: Option<Cursor>) {
        let Some(cursor) = cursor.filter(|cursor| !cursor.fetched) else { return };
        self.session.finished(cursor.receipt, &Answer::done());
    }
}

/// The parameters of a run, ready to go and to be judged.
struct Parameters {
    message: Vec<u8>,
    due: u8,
    values: Vec<Vec<u8>>,
}

impl Preparing {
    /// The server has begun to describe the statement.
    pub(super) fn begin(&mut self, described: &Described) {
        // Each list has an end of its own.
        let with_end = |count: u16| if count == 0 { 0 } else { usize::from(count) + 1 };
        self.statement = Some(described.statement);
        self.parameters = usize::from(described.parameters);
        self.parameters_end = with_end(described.columns);
        self.left = with_end(described.parameters) + self.parameters_end;
    }

    /// Whether the next message ends a list.
    pub(super) const fn ends_list(&self) -> bool {
        self.left == 1 || self.left == self.parameters_end + 1
    }
}

fn type_bytes(types: &[Type]) -> Vec<u8> {
    types.iter().flat_map(|one| [one.kind, u8::from(one.unsigned)]).collect()
}

fn no_statement(statement: u32, to: &str) -> Complaint {
    let message = format!("Unknown prepared statement handler ({statement}) given to {to}");
    Complaint::new(code::NO_STATEMENT, message)
}
