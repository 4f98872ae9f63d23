//! Statements: sent whole, prepared, bound and run.
//!
//! Owns reading them from their messages and resolving what they name. Must not know what they may
//! do: that is judged.

use std::sync::Arc;

use wire::postgres::backend::Severity;
use wire::postgres::frame::Frame;
use wire::postgres::frontend::{Bind, Execute, Parse, Query};

use super::judged::{Judged, JudgedKind};
use super::{Flow, client_violation};
use crate::protocols::postgres::conversation::effects::{Resolved, key, no_portal, no_statement};
use crate::protocols::postgres::conversation::expected::{Answer, NameUndo, Prepared};
use crate::protocols::postgres::conversation::path;
use crate::protocols::postgres::conversation::{Conversation, Ended};
use crate::protocols::postgres::lines::Lines;
use crate::protocols::postgres::names::Found;
use crate::protocols::postgres::words::{Complaint, put_refusal, state};
use crate::session::{Permit, Refusal, RefusalKind, Statements};

/// How long the unnamed statement is read by what was known when it was parsed. Raised, what others
/// change meanwhile (a view that shows another column) is not seen for as long.
const UNNAMED_READ_WITHIN: std::time::Duration = super::catalogue::CATALOG_CHECK_EVERY;

impl Conversation {
    pub(super) fn take_query(&mut self, lines: &mut Lines, frame: &Frame) -> Result<Flow, Ended> {
        let body = lines.requests.body(frame);
        let alike =
            self.catalog_due && self.reads_alike(Query::read(body).map_err(client_violation)?.text);
        if let Some(flow) = self.unless_names_are_known(lines, true, alike) {
            return Ok(flow);
        }
        let text = Query::read(lines.requests.body(frame)).map_err(client_violation)?.text;
        if self.session.must_read_aside(text) {
            return Ok(Flow::Wait);
        }
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

    pub(super) fn take_parse(&mut self, lines: &mut Lines, frame: &Frame) -> Result<Flow, Ended> {
        let body = lines.requests.body(frame);
        let alike =
            self.catalog_due && self.reads_alike(Parse::read(body).map_err(client_violation)?.text);
        if let Some(flow) = self.unless_names_are_known(lines, false, alike) {
            return Ok(flow);
        }
        let parse = Parse::read(lines.requests.body(frame)).map_err(client_violation)?;
        if self.session.must_read_aside(parse.text) {
            return Ok(Flow::Wait);
        }
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
        if parse.name.is_empty() {
            self.unnamed_at = tokio::time::Instant::now();
        }
        let undo = self.statements.set(key(parse.name), prepared, self.batch);
        let message = lines.requests.bytes(frame.range.clone());
        // Parsing runs nothing and shows nothing: what the receipt would allow is not used.
        drop(lines.gate.forward(permit, message));
        self.owe(Answer::Parse, vec![NameUndo::Statement(undo)]);
        Ok(Flow::Next)
    }

    pub(super) fn take_bind(&mut self, lines: &mut Lines, frame: &Frame) -> Result<Flow, Ended> {
        let body = lines.requests.body(frame);
        let statement = Bind::read(body).map_err(client_violation)?.statement;
        let unnamed = statement.is_empty();
        let alike = self.catalog_due
            && matches!(self.statements.get(key(statement), self.batch),
                Found::Known(prepared) if self.reads_alike(prepared.text.as_bytes()));
        // What this session itself has changed counts at once, also if the server forgets the
        // statement over the question.
        let current =
            (alike || !self.catalog_due) && self.unnamed_at.elapsed() < UNNAMED_READ_WITHIN;
        if !unnamed || !current {
            if let Some(flow) = self.unless_names_are_known(lines, false, alike) {
                return Ok(flow);
            }
        } else if self.path_is_unknown() {
            // Asking would make the server forget the unnamed statement.
            self.complain(lines, false, &path::lost());
            return Ok(Flow::Next);
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
        if self.session.must_read_aside(prepared.text.as_bytes()) {
            return Ok(Flow::Wait);
        }
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

    pub(super) fn take_execute(&mut self, lines: &mut Lines, frame: &Frame) -> Result<Flow, Ended> {
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
            let resolved = self.read_cursor(&portal, execute.portal);
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
}

fn too_many(what: &str, limit: usize) -> Complaint {
    Complaint::new(
        state::PROGRAM_LIMIT_EXCEEDED,
        format!("portcullis: the session already has {limit} {what}"),
    )
    .with_hint("Close or deallocate some.")
}
