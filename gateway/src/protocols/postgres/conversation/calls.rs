//! Functions called by number (`FunctionCall`), which is how clients work with large objects.
//!
//! Owns the few functions that may be called so, and the statement each stands for: it is judged
//! and recorded as that statement. Must not know how it is decided. Any other function is refused,
//! because a number says nothing that a rule could name.

use wire::postgres::backend::Kind;
use wire::postgres::frame::Frame;
use wire::postgres::frontend::FunctionCall;

use super::answers::{Show, unexpected};
use super::expected::Answer;
use super::requests::{Flow, JudgedKind, client_violation};
use super::{Conversation, Ended};
use crate::protocols::postgres::lines::Lines;
use crate::protocols::postgres::words::{Complaint, put_refusal, state};
use crate::session::{Refusal, RefusalKind};
use wire::postgres::backend::Severity;

/// The function that answers with what a large object holds.
const LOREAD: u32 = 954;

/// The functions for large objects by their numbers, which no version of the server has changed
/// (`pg_proc.dat`), as statements.
const CALLS: &[(u32, &str)] = &[
    (715, "SELECT pg_catalog.lo_create($1)"),
    (952, "SELECT pg_catalog.lo_open($1, $2)"),
    (953, "SELECT pg_catalog.lo_close($1)"),
    (LOREAD, "SELECT pg_catalog.loread($1, $2)"),
    (955, "SELECT pg_catalog.lowrite($1, $2)"),
    (956, "SELECT pg_catalog.lo_lseek($1, $2, $3)"),
    (957, "SELECT pg_catalog.lo_creat($1)"),
    (958, "SELECT pg_catalog.lo_tell($1)"),
    (964, "SELECT pg_catalog.lo_unlink($1)"),
    (1004, "SELECT pg_catalog.lo_truncate($1, $2)"),
    (3170, "SELECT pg_catalog.lo_lseek64($1, $2, $3)"),
    (3171, "SELECT pg_catalog.lo_tell64($1)"),
    (3172, "SELECT pg_catalog.lo_truncate64($1, $2)"),
];

impl Conversation {
    /// Takes in a call by number.
    pub(super) fn take_call(&mut self, lines: &mut Lines, frame: &Frame) -> Result<Flow, Ended> {
        if self.refresh_catalog(lines, false) {
            return Ok(Flow::Wait);
        }
        let body = lines.requests.body(frame);
        let called = FunctionCall::read(body).map_err(client_violation)?.function;
        let Some((_, text)) = CALLS.iter().find(|(number, _)| *number == called) else {
            self.complain(lines, true, &not_accepted(called));
            return Ok(Flow::Next);
        };
        let arguments = body.get(4..).unwrap_or_default().to_vec();
        let masked = called == LOREAD && !self.session.masks().is_empty();
        let read = if masked { Err(cannot_be_masked()) } else { self.session.read(text) };
        let statements = match read {
            Ok(statements) => statements,
            Err(refusal) => {
                self.deny(lines, true, |out| put_refusal(out, Severity::Error, &refusal));
                return Ok(Flow::Next);
            }
        };
        let resolved = self.resolve(text, &statements);
        self.judge(lines, frame, resolved, &[&arguments], JudgedKind::Call)
    }

    /// The value that a call answers with.
    pub(super) fn show_call_answer(&mut self, lines: &Lines, frame: &Frame) -> Result<Show, Ended> {
        let length = lines.shown.answers.body(frame).len() as u64;
        match self.owed.front_mut().map(|owed| &mut owed.answer) {
            Some(Answer::Query(running)) if running.is_call => {
                running.rows += 1;
                running.bytes += length;
                Ok(Show::AsIs)
            }
            _ => Err(unexpected(Kind::FunctionCallResponse)),
        }
    }
}

fn not_accepted(called: u32) -> Complaint {
    let message = format!("portcullis: function calls by number ({called}) are not accepted");
    Complaint::new(state::FEATURE_NOT_SUPPORTED, message)
        .with_hint("Call the function in a statement: SELECT function(...).")
}

fn cannot_be_masked() -> Refusal {
    Refusal::new(RefusalKind::Masking, "portcullis: what a large object holds cannot be masked")
        .because("It is read in pieces, and values are masked for this session.")
        .with_hint("Read it in a statement: SELECT lo_get(...).")
}
