//! The records of a session: neutral facts that any protocol can state.
//!
//! Owns their shapes. Must not know bytes (`encoding`) nor a protocol. One type serves both ways: a
//! session pushes borrowed records, a reader yields `Record<'static>`.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use model::audit::{HoldEnd, SessionEnd};
use model::{DecidingRule, Effect, HoldId, OperationNumber, Reason, Timestamp};

use super::header::Counts;

/// One fact of a session. Texts and values are what the workload wrote or was shown: parameters and
/// results come in already redacted and masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// An operation arrived.
    OperationStarted {
        /// Its number.
        operation: OperationNumber,
        /// Its kind (`select`, `drop table`).
        kind: Cow<'a, str>,
        /// Its text.
        text: Cow<'a, str>,
        /// Its parameters.
        parameters: Cow<'a, [Value<'a>]>,
    },
    /// It was decided; after a hold, decided again.
    Decided {
        /// Its number.
        operation: OperationNumber,
        /// The effect.
        effect: Effect,
        /// True where the target is only observed.
        observed_only: bool,
        /// Why.
        reason: Cow<'a, Reason>,
        /// The rules behind it.
        rules: Cow<'a, [DecidingRule]>,
    },
    /// It waits for approvers.
    Held {
        /// Its number.
        operation: OperationNumber,
        /// The hold.
        hold: HoldId,
        /// When the hold expires.
        expires: Timestamp,
    },
    /// Its hold ended.
    HoldEnded {
        /// Its number.
        operation: OperationNumber,
        /// The hold.
        hold: HoldId,
        /// How.
        end: HoldEnd,
        /// Who decided.
        by: Cow<'a, [Arc<str>]>,
        /// What they said.
        comment: Option<Cow<'a, str>>,
    },
    /// The columns of a result that follows.
    ResultColumns {
        /// Its number.
        operation: OperationNumber,
        /// Their names, in order.
        names: Cow<'a, [Cow<'a, str>]>,
    },
    /// A row of a result, as shown.
    ResultRow {
        /// Its number.
        operation: OperationNumber,
        /// Its values, in the order of the columns.
        values: Cow<'a, [Value<'a>]>,
    },
    /// What was shown but not kept, because the operation's result or output reached its limit. Made
    /// by the recorder.
    ResultOmitted {
        /// Its number.
        operation: OperationNumber,
        /// How many rows; none where it was output.
        rows: u64,
        /// Bytes of their values, or of the output.
        bytes: u64,
    },
    /// A chunk of a byte stream: terminal output, a body. Its time is the entry's.
    Output {
        /// The operation it belongs to, where it belongs to one.
        operation: Option<OperationNumber>,
        /// Which stream.
        stream: Stream,
        /// The bytes, as shown.
        bytes: Cow<'a, [u8]>,
    },
    /// The terminal that an operation runs in. Its output from here on is a terminal's; the times of
    /// an export count from here.
    Terminal {
        /// The operation whose output the terminal shows: the shell or the command, not the request
        /// for a terminal.
        operation: OperationNumber,
        /// Its type, as the workload named it (`xterm-256color`).
        term: Cow<'a, str>,
        /// Its width in characters.
        columns: u32,
        /// Its height in characters.
        rows: u32,
    },
    /// An operation's terminal changed its size.
    Resized {
        /// The operation.
        operation: OperationNumber,
        /// Its width in characters.
        columns: u32,
        /// Its height in characters.
        rows: u32,
    },
    /// A file went through. Its content is not in the recording.
    Transferred {
        /// The operation that opened it.
        operation: OperationNumber,
        /// The upstream's name of it.
        path: Cow<'a, str>,
        /// Which way it went.
        direction: Direction,
        /// Bytes that went, each counted once a way.
        bytes: u64,
        /// SHA-256 of them, where they went in order and without a hole.
        sha256: Option<[u8; 32]>,
        /// Whether it went from its first byte to its end.
        whole: bool,
    },
    /// A message the workload was sent beside results.
    Notice {
        /// The operation it belongs to, where it belongs to one.
        operation: Option<OperationNumber>,
        /// Its severity, in the protocol's word (`NOTICE`, `WARNING`).
        severity: Cow<'a, str>,
        /// Its text.
        text: Cow<'a, str>,
    },
    /// The answer to an operation is complete.
    OperationEnded {
        /// Its number.
        operation: OperationNumber,
        /// How it ended.
        outcome: OperationOutcome,
        /// The upstream's word for it: a command tag, a status, or an error's text.
        status: Cow<'a, str>,
        /// The error's code, where it is one (an SQLSTATE, an exit status).
        code: Option<Cow<'a, str>>,
        /// Rows shown or affected.
        rows: u64,
        /// Bytes of the answer.
        bytes: u64,
        /// Values masked in it.
        masked_values: u64,
        /// From the operation's arrival to the end of its answer.
        duration: Duration,
    },
    /// A remark of the gateway's own.
    Note {
        /// The remark.
        text: Cow<'a, str>,
    },
    /// Records that could not be kept. Made by the recorder.
    Gap {
        /// How many.
        records: u64,
    },
    /// The session ended. Made by the recorder, last.
    SessionEnded {
        /// Why.
        end: Cow<'a, SessionEnd>,
        /// What it did.
        counts: Counts,
    },
}

impl Record<'_> {
    /// True where the record must reach the disk at once: refusals, holds and ends are what people
    /// look for after a crash.
    pub(super) fn is_urgent(&self) -> bool {
        match self {
            Self::Decided { effect, .. } => *effect != Effect::Allow,
            Self::Held { .. } | Self::HoldEnded { .. } | Self::SessionEnded { .. } => true,
            _ => false,
        }
    }

    /// The operation it belongs to.
    #[must_use]
    pub const fn operation(&self) -> Option<OperationNumber> {
        match self {
            Self::OperationStarted { operation, .. }
            | Self::Decided { operation, .. }
            | Self::Held { operation, .. }
            | Self::HoldEnded { operation, .. }
            | Self::ResultColumns { operation, .. }
            | Self::ResultRow { operation, .. }
            | Self::ResultOmitted { operation, .. }
            | Self::Terminal { operation, .. }
            | Self::Resized { operation, .. }
            | Self::Transferred { operation, .. }
            | Self::OperationEnded { operation, .. } => Some(*operation),
            Self::Output { operation, .. } | Self::Notice { operation, .. } => *operation,
            Self::Note { .. } | Self::Gap { .. } | Self::SessionEnded { .. } => None,
        }
    }
}

/// A parameter or a value of a result, in the text or bytes the workload used or was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// No value.
    Null,
    /// A value, whole.
    Whole(Cow<'a, [u8]>),
    /// The beginning of a value that was too long to keep.
    Cut {
        /// What was kept.
        kept: Cow<'a, [u8]>,
        /// Bytes of the whole value.
        bytes_total: u64,
    },
}

impl<'a> From<Option<&'a [u8]>> for Value<'a> {
    fn from(value: Option<&'a [u8]>) -> Self {
        value.map_or(Self::Null, |bytes| Self::Whole(Cow::Borrowed(bytes)))
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(value: Option<&'a str>) -> Self {
        value.map(str::as_bytes).into()
    }
}

/// A byte stream of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// What the workload sent.
    Input,
    /// What it was shown.
    Output,
    /// What it was shown on the error stream.
    Error,
}

/// Which way a file goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the upstream to the workload.
    Download,
    /// From the workload to the upstream.
    Upload,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationOutcome {
    /// The upstream did it.
    Completed,
    /// The upstream refused or failed.
    Failed,
    /// The gateway refused it.
    Refused,
    /// The client or the session went away first.
    Abandoned,
}

/// A record as a reader yields it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the session, from 1.
    pub number: u64,
    /// Time since the session started.
    pub at: Duration,
    /// The record.
    pub record: Record<'static>,
}
