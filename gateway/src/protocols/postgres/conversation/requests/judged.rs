//! A request that was judged: forwarded, parked or refused.
//!
//! Owns what a permit is used for, and what is then owed. Must not know what kind of message a
//! request came in, beyond what its answer depends on.

use std::sync::Arc;

use wire::postgres::backend::Severity;
use wire::postgres::frame::Frame;
use wire::postgres::frontend::{Subject, put_describe};

use super::Flow;
use crate::protocols::postgres::conversation::effects::{Resolved, key};
use crate::protocols::postgres::conversation::expected::{
    Answer, Bound, Description, NameUndo, Portal, Running,
};
use crate::protocols::postgres::conversation::{Conversation, Ended};
use crate::protocols::postgres::copy_out;
use crate::protocols::postgres::lines::Lines;
use crate::protocols::postgres::words::put_refusal;
use crate::session::sql::{Statement, StatementKind};
use crate::session::{Judgement, Permit, Refusal, RefusalKind, Statements};

/// A request that was judged: what is needed to forward it.
#[derive(Debug)]
pub(in super::super) struct Judged {
    pub(super) kind: JudgedKind,
    pub(super) statements: Arc<Statements>,
    pub(super) effects: Vec<(usize, NameUndo)>,
    /// The whole message, kept only where it waits for an approver.
    pub(super) message: Vec<u8>,
}

#[derive(Debug)]
pub(in super::super) enum JudgedKind {
    Query,
    Call,
    Bind { portal: Vec<u8>, text: Arc<str>, parameters: Box<[u8]> },
    Execute { portal: Arc<Portal>, name: Vec<u8> },
}

impl Judged {
    /// Whether its answer ends with `ReadyForQuery`.
    pub(in super::super) const fn is_simple(&self) -> bool {
        matches!(self.kind, JudgedKind::Query | JudgedKind::Call)
    }
}

impl Conversation {
    /// Judges a request whose statements have been resolved, and does as judged.
    pub(in super::super) fn judge(
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

    pub(super) fn carry_out(
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
    pub(in super::super) fn forward(
        &mut self,
        lines: &mut Lines,
        mut request: Judged,
        permit: Permit,
    ) {
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
            self.calls.note(&statements);
            self.note_temporaries(&statements);
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
                    path: self.path.number,
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
    pub(in super::super) fn take_back(&mut self, request: Judged) {
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
}

/// Where a message to be forwarded is.
#[derive(Clone, Copy)]
enum Message<'a> {
    /// In the client's buffer.
    Frame(&'a Frame),
    /// Kept aside.
    Kept(&'a [u8]),
}
