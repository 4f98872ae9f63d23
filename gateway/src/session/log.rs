//! What a session leaves behind: records and audit lines.
//!
//! Owns the session's recording. Must not know a decision's making. A session that must be
//! recorded and cannot be is told so by every call; it refuses then. Ends with [`SessionLog::close`].

use std::borrow::Cow;
use std::sync::Arc;

use model::audit::{AuditEvent, HoldEnd, SessionEnd, SessionFacts};
use model::{Decision, HoldId, Operation, OperationNumber, Timestamp};

use super::permit::Receipt;
use super::refusal::{Refusal, RefusalKind};
use super::services::Services;
use super::target::{Enforcement, OnRecordingFailure, Target};
use crate::approvals::Outcome;
use crate::recording::{
    Direction, OperationOutcome, Record, RecordingError, SessionHeader, SessionRecorder, Stream,
};
use crate::telemetry::Events;

/// The records and audit lines of one session.
#[derive(Debug)]
pub(super) struct SessionLog {
    recorder: Option<SessionRecorder>,
    events: Events,
    facts: Arc<SessionFacts>,
    observed_only: bool,
    failure_told: bool,
    /// The holds that have begun and not ended.
    open_holds: Vec<(OperationNumber, HoldId)>,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Whether the upstream did it, refused it, or never finished.
    pub outcome: OperationOutcome,
    /// The upstream's word for it.
    pub status: &'a str,
    /// The error's code.
    pub code: Option<&'a str>,
    /// Rows shown or affected.
    pub rows: u64,
    /// Bytes shown.
    pub bytes: u64,
    /// Values masked.
    pub masked_values: u64,
}

impl Answer<'_> {
    /// That of an operation that was carried out, and showed nothing.
    #[must_use]
    pub const fn done() -> Self {
        Self {
            outcome: OperationOutcome::Completed,
            status: "",
            code: None,
            rows: 0,
            bytes: 0,
            masked_values: 0,
        }
    }
}

/// A file that went through.
#[derive(Clone, Copy, Debug)]
pub struct Transfer<'a> {
    /// The upstream's name of it.
    pub path: &'a str,
    /// Which way it went.
    pub direction: Direction,
    /// Bytes that went.
    pub bytes: u64,
    /// SHA-256 of them, where they went in order and without a hole.
    pub sha256: Option<[u8; 32]>,
    /// Whether it went from its first byte to its end.
    pub whole: bool,
}

impl SessionLog {
    pub(super) async fn begin(
        services: &Services,
        target: &Target,
        facts: &Arc<SessionFacts>,
        header: SessionHeader,
    ) -> Result<Self, Refusal> {
        let mut log = Self {
            recorder: None,
            events: services.events.clone(),
            facts: Arc::clone(facts),
            observed_only: target.enforcement == Enforcement::Observe,
            failure_told: false,
            open_holds: Vec::new(),
        };
        match services.recorder.begin(header).await {
            Ok(recorder) => log.recorder = Some(recorder),
            Err(failure) => {
                log.tell(&failure);
                if target.on_recording_failure == OnRecordingFailure::Deny {
                    return Err(not_recorded());
                }
            }
        }
        Ok(log)
    }

    /// Whether what happens next can be recorded.
    pub(super) fn decided(
        &mut self,
        number: OperationNumber,
        operation: &Operation,
        shown: &str,
        decision: &Decision,
    ) -> Result<(), RecordingError> {
        self.push(&Record::OperationStarted {
            operation: number,
            kind: Cow::Borrowed(&operation.kind),
            text: Cow::Borrowed(shown),
            parameters: Cow::Borrowed(&[]),
        })?;
        let observed_only = self.observed_only;
        self.push(&Record::Decided {
            operation: number,
            effect: decision.effect,
            observed_only,
            reason: Cow::Borrowed(&decision.reason),
            rules: Cow::Borrowed(&decision.rules),
        })
    }

    pub(super) fn held(&mut self, operation: OperationNumber, hold: HoldId, expires: Timestamp) {
        self.open_holds.push((operation, hold));
        self.note(&Record::Held { operation, hold, expires });
    }

    pub(super) fn hold_ended(
        &mut self,
        operation: OperationNumber,
        hold: HoldId,
        outcome: &Outcome,
    ) {
        self.open_holds.retain(|(_, open)| *open != hold);
        self.note(&Record::HoldEnded {
            operation,
            hold,
            end: outcome.end,
            by: Cow::Borrowed(&outcome.by),
            comment: outcome.comment.as_deref().map(Cow::Borrowed),
        });
        self.events.emit(AuditEvent::HoldEnded {
            session: (*self.facts).clone(),
            hold,
            end: outcome.end,
            by: outcome.by.clone(),
            comment: outcome.comment.clone(),
        });
    }

    /// Waits until there is room.
    pub(super) async fn ready(&mut self) -> Result<(), RecordingError> {
        let Some(recorder) = &mut self.recorder else { return Ok(()) };
        let ready = recorder.ready().await;
        ready.inspect_err(|failure| self.tell(failure))
    }

    pub(super) fn columns<'v>(
        &mut self,
        receipt: &Receipt,
        names: impl ExactSizeIterator<Item = &'v str>,
    ) {
        if let Some(recorder) = &mut self.recorder {
            kept(recorder.push_columns(receipt.number(), names));
        }
    }

    pub(super) fn keeps_rows(&mut self, receipt: &Receipt) -> bool {
        self.recorder.as_mut().is_some_and(|recorder| !recorder.result_is_full(receipt.number()))
    }

    pub(super) fn skip_rows(&mut self, receipt: &Receipt, rows: u64, bytes: u64) {
        if let Some(recorder) = &mut self.recorder {
            recorder.skip_rows(receipt.number(), rows, bytes);
        }
    }

    pub(super) fn row<'v>(
        &mut self,
        receipt: &Receipt,
        values: impl ExactSizeIterator<Item = Option<&'v [u8]>>,
    ) {
        if let Some(recorder) = &mut self.recorder {
            kept(recorder.push_row(receipt.number(), values));
        }
    }

    pub(super) fn notice(&mut self, receipt: Option<&Receipt>, severity: &str, text: &str) {
        self.note(&Record::Notice {
            operation: receipt.map(Receipt::number),
            severity: Cow::Borrowed(severity),
            text: Cow::Borrowed(text),
        });
    }

    pub(super) fn output(&mut self, receipt: Option<&Receipt>, stream: Stream, bytes: &[u8]) {
        self.note(&Record::Output {
            operation: receipt.map(Receipt::number),
            stream,
            bytes: Cow::Borrowed(bytes),
        });
    }

    pub(super) fn terminal(&mut self, receipt: &Receipt, term: &str, columns: u32, rows: u32) {
        let operation = receipt.number();
        self.note(&Record::Terminal { operation, term: Cow::Borrowed(term), columns, rows });
    }

    pub(super) fn resized(&mut self, receipt: &Receipt, columns: u32, rows: u32) {
        self.note(&Record::Resized { operation: receipt.number(), columns, rows });
    }

    pub(super) fn transferred(&mut self, receipt: &Receipt, transfer: &Transfer<'_>) {
        self.note(&Record::Transferred {
            operation: receipt.number(),
            path: Cow::Borrowed(transfer.path),
            direction: transfer.direction,
            bytes: transfer.bytes,
            sha256: transfer.sha256,
            whole: transfer.whole,
        });
    }

    pub(super) fn ended(&mut self, receipt: &Receipt, answer: &Answer<'_>) {
        self.note(&Record::OperationEnded {
            operation: receipt.number(),
            outcome: answer.outcome,
            status: Cow::Borrowed(answer.status),
            code: answer.code.map(Cow::Borrowed),
            rows: answer.rows,
            bytes: answer.bytes,
            masked_values: answer.masked_values,
            duration: receipt.begun.elapsed(),
        });
    }

    pub(super) fn close(&mut self, cause: &SessionEnd) {
        // The session ended before anybody had decided: the client went away, or was sent away.
        for (operation, hold) in std::mem::take(&mut self.open_holds) {
            let cancelled = Outcome { end: HoldEnd::Cancelled, by: Vec::new(), comment: None };
            self.hold_ended(operation, hold, &cancelled);
        }
        if let Some(recorder) = self.recorder.take() {
            recorder.finish(cause.clone());
        }
    }

    /// Pushes a record whose loss is told of by the next decision.
    fn note(&mut self, record: &Record<'_>) {
        kept(self.push(record));
    }

    fn push(&mut self, record: &Record<'_>) -> Result<(), RecordingError> {
        let Some(recorder) = &mut self.recorder else { return Ok(()) };
        let pushed = recorder.push(record);
        pushed.inspect_err(|failure| self.tell(failure))
    }

    /// One audit line a session, however many records fail.
    fn tell(&mut self, failure: &RecordingError) {
        if !std::mem::replace(&mut self.failure_told, true) {
            self.events.emit(AuditEvent::RecordingFailed {
                session: (*self.facts).clone(),
                because: failure.to_string().into(),
            });
        }
    }
}

/// A record that is not kept is told of by the next decision, which asks.
fn kept(pushed: Result<(), RecordingError>) {
    if let Err(failure) = pushed {
        tracing::debug!(error = %failure, "record not kept");
    }
}

/// What the client is told where recording is required and fails.
pub(super) fn not_recorded() -> Refusal {
    Refusal::new(RefusalKind::Internal, "portcullis: this cannot be recorded, so it is refused")
        .with_hint("Operator: see `portcullis status` and the daemon's log.")
}
