//! What the client asks, taken in and judged.
//!
//! Owns the handling of each frontend message. Must not know how answers are shown. Everything the
//! client wrote goes upstream with a permit or not at all; messages that carry nothing but a name
//! are written anew.

mod catalogue;
mod described;
mod judged;
mod statements;

use wire::postgres::Violation;
use wire::postgres::backend::{Severity, put_ready};
use wire::postgres::frame::{Frame, Step};
use wire::postgres::frontend::{Kind, put_flush, put_sync};

use super::expected::{Answer, Copying, Owed};
use super::{Conversation, Ended, Skipping};
use crate::protocols::postgres::lines::Lines;
use crate::protocols::postgres::words::{Complaint, state};
use crate::protocols::pump::Ending;

pub(super) use judged::{Judged, JudgedKind};

/// Whether a request was taken in.
pub(super) enum Flow {
    /// On to the next.
    Next,
    /// It waits for answers; it is tried again when some have come.
    Wait,
}

impl Conversation {
    /// Takes in what the client has said, as far as it can be taken in now.
    ///
    /// # Errors
    /// The end, where the client says goodbye or breaks the protocol.
    pub(super) fn take_what_came(&mut self, lines: &mut Lines) -> Result<(), Ended> {
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
}

fn kind_of(tag: u8) -> Result<Kind, Ended> {
    Kind::from_tag(tag)
        .ok_or_else(|| Ended::violation("client", format_args!("message type {tag}")))
}

pub(super) fn client_violation(violation: Violation) -> Ended {
    Ended::violation("client", violation)
}
