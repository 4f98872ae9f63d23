//! The fields of each kind of record, in order.
//!
//! Owns the kinds' numbers. Must not know the frame around a body (`encoding`).

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use model::audit::{HoldEnd, SessionEnd};
use model::{DecidingRule, Effect, HoldId, OperationNumber, Reason, RuleId, Timestamp};

use super::EncodingError;
use super::primitives::{Cursor, Sink};
use crate::recording::header::Counts;
use crate::recording::record::{Direction, OperationOutcome, Record, Stream};

const OPERATION_STARTED: u8 = 1;
const DECIDED: u8 = 2;
const HELD: u8 = 3;
const HOLD_ENDED: u8 = 4;
pub(super) const RESULT_COLUMNS: u8 = 5;
pub(super) const RESULT_ROW: u8 = 6;
const RESULT_OMITTED: u8 = 7;
const OUTPUT: u8 = 8;
const NOTICE: u8 = 9;
const OPERATION_ENDED: u8 = 10;
const NOTE: u8 = 11;
const GAP: u8 = 12;
const SESSION_ENDED: u8 = 13;
const TERMINAL: u8 = 14;
const RESIZED: u8 = 15;
const TRANSFERRED: u8 = 16;

pub(super) const fn kind(record: &Record<'_>) -> u8 {
    match record {
        Record::OperationStarted { .. } => OPERATION_STARTED,
        Record::Decided { .. } => DECIDED,
        Record::Held { .. } => HELD,
        Record::HoldEnded { .. } => HOLD_ENDED,
        Record::ResultColumns { .. } => RESULT_COLUMNS,
        Record::ResultRow { .. } => RESULT_ROW,
        Record::ResultOmitted { .. } => RESULT_OMITTED,
        Record::Output { .. } => OUTPUT,
        Record::Notice { .. } => NOTICE,
        Record::OperationEnded { .. } => OPERATION_ENDED,
        Record::Note { .. } => NOTE,
        Record::Gap { .. } => GAP,
        Record::SessionEnded { .. } => SESSION_ENDED,
        Record::Terminal { .. } => TERMINAL,
        Record::Resized { .. } => RESIZED,
        Record::Transferred { .. } => TRANSFERRED,
    }
}

/// Writes the fields. Values take from `budget` what is kept of them.
pub(super) fn write(sink: &mut Sink<'_>, record: &Record<'_>, budget: &mut usize) {
    sink_operation(sink, record);
    match record {
        Record::OperationStarted { kind, text, parameters, .. } => {
            sink.text(kind);
            sink.text(text);
            sink.number(parameters.len() as u64);
            for value in parameters.iter() {
                sink.own_value(value, budget);
            }
        }
        Record::Decided { effect, observed_only, reason, rules, .. } => {
            sink.byte(effect_code(*effect));
            sink.byte(u8::from(*observed_only));
            write_reason(sink, reason);
            sink.number(rules.len() as u64);
            for deciding in rules.iter() {
                sink.text(deciding.role.as_str());
                sink.text(deciding.rule.as_str());
                sink.byte(effect_code(deciding.effect));
                sink.text(&deciding.access);
            }
        }
        Record::ResultColumns { names, .. } => {
            sink.number(names.len() as u64);
            for name in names.iter() {
                sink.text(name);
            }
        }
        Record::ResultRow { values, .. } => {
            sink.number(values.len() as u64);
            for value in values.iter() {
                sink.own_value(value, budget);
            }
        }
        Record::Output { stream, bytes, .. } => {
            sink.byte(match stream {
                Stream::Input => 0,
                Stream::Output => 1,
                Stream::Error => 2,
            });
            sink.bytes(bytes);
        }
        Record::OperationEnded {
            outcome,
            status,
            code,
            rows,
            bytes,
            masked_values,
            duration,
            ..
        } => {
            sink.byte(match outcome {
                OperationOutcome::Completed => 0,
                OperationOutcome::Failed => 1,
                OperationOutcome::Refused => 2,
                OperationOutcome::Abandoned => 3,
            });
            sink.text(status);
            sink.optional_text(code.as_deref());
            sink.number(*rows);
            sink.number(*bytes);
            sink.number(*masked_values);
            sink.time(*duration);
        }
        rare => write_rare(sink, rare),
    }
}

/// The kinds that a session sees a few times at most.
fn write_rare(sink: &mut Sink<'_>, record: &Record<'_>) {
    match record {
        Record::Held { hold, expires, .. } => {
            sink.bytes(&hold.as_u128().to_le_bytes());
            sink.number(expires.0);
        }
        Record::HoldEnded { hold, end, by, comment, .. } => {
            sink.bytes(&hold.as_u128().to_le_bytes());
            sink.byte(match end {
                HoldEnd::Approved => 0,
                HoldEnd::Rejected => 1,
                HoldEnd::Expired => 2,
                HoldEnd::Cancelled => 3,
            });
            sink.number(by.len() as u64);
            for approver in by.iter() {
                sink.text(approver);
            }
            sink.optional_text(comment.as_deref());
        }
        Record::ResultOmitted { rows, bytes, .. } => {
            sink.number(*rows);
            sink.number(*bytes);
        }
        Record::Notice { severity, text, .. } => {
            sink.text(severity);
            sink.text(text);
        }
        Record::Terminal { term, columns, rows, .. } => {
            sink.text(term);
            sink.number((*columns).into());
            sink.number((*rows).into());
        }
        Record::Resized { columns, rows, .. } => {
            sink.number((*columns).into());
            sink.number((*rows).into());
        }
        Record::Transferred { path, direction, bytes, sha256, whole, .. } => {
            sink.text(path);
            sink.byte(match direction {
                Direction::Download => 0,
                Direction::Upload => 1,
            });
            sink.number(*bytes);
            sink.bytes(sha256.as_ref().map_or(&[], |digest| digest.as_slice()));
            sink.byte(u8::from(*whole));
        }
        Record::Note { text } => sink.text(text),
        Record::Gap { records } => sink.number(*records),
        Record::SessionEnded { end, counts } => {
            write_session_end(sink, end);
            for count in counts_of(*counts) {
                sink.number(count);
            }
        }
        _ => {}
    }
}

/// The operation's number, for the kinds that have one.
fn sink_operation(sink: &mut Sink<'_>, record: &Record<'_>) {
    let has_one =
        !matches!(record, Record::Note { .. } | Record::Gap { .. } | Record::SessionEnded { .. });
    if has_one {
        sink.number(record.operation().map_or(0, |number| number.0));
    }
}

/// Reads the fields of `kind`; `None` for a kind of a later version.
pub(super) fn read(
    kind: u8,
    cursor: &mut Cursor<'_>,
) -> Result<Option<Record<'static>>, EncodingError> {
    Ok(Some(match kind {
        OPERATION_STARTED => Record::OperationStarted {
            operation: OperationNumber(cursor.number()?),
            kind: cursor.text()?.into(),
            text: cursor.text()?.into(),
            parameters: cursor.list(Cursor::value)?.into(),
        },
        DECIDED => Record::Decided {
            operation: OperationNumber(cursor.number()?),
            effect: read_effect(cursor)?,
            observed_only: cursor.flag()?,
            reason: Cow::Owned(read_reason(cursor)?),
            rules: cursor.list(read_rule)?.into(),
        },
        RESULT_COLUMNS => Record::ResultColumns {
            operation: OperationNumber(cursor.number()?),
            names: cursor.list(|cursor| cursor.text().map(Cow::Owned))?.into(),
        },
        RESULT_ROW => Record::ResultRow {
            operation: OperationNumber(cursor.number()?),
            values: cursor.list(Cursor::value)?.into(),
        },
        RESULT_OMITTED => Record::ResultOmitted {
            operation: OperationNumber(cursor.number()?),
            rows: cursor.number()?,
            bytes: cursor.number()?,
        },
        OUTPUT => Record::Output {
            operation: read_optional_operation(cursor)?,
            stream: match cursor.byte()? {
                0 => Stream::Input,
                1 => Stream::Output,
                2 => Stream::Error,
                _ => return Err(EncodingError::Meaningless),
            },
            bytes: cursor.byte_string()?.to_vec().into(),
        },
        OPERATION_ENDED => read_operation_ended(cursor)?,
        _ => return read_rare(kind, cursor),
    }))
}

fn read_rare(kind: u8, cursor: &mut Cursor<'_>) -> Result<Option<Record<'static>>, EncodingError> {
    Ok(Some(match kind {
        HELD => Record::Held {
            operation: OperationNumber(cursor.number()?),
            hold: read_hold(cursor)?,
            expires: Timestamp(cursor.number()?),
        },
        HOLD_ENDED => Record::HoldEnded {
            operation: OperationNumber(cursor.number()?),
            hold: read_hold(cursor)?,
            end: match cursor.byte()? {
                0 => HoldEnd::Approved,
                1 => HoldEnd::Rejected,
                2 => HoldEnd::Expired,
                3 => HoldEnd::Cancelled,
                _ => return Err(EncodingError::Meaningless),
            },
            by: cursor.list(|cursor| cursor.text().map(Arc::from))?.into(),
            comment: cursor.optional_text()?.map(Cow::Owned),
        },
        NOTICE => Record::Notice {
            operation: read_optional_operation(cursor)?,
            severity: cursor.text()?.into(),
            text: cursor.text()?.into(),
        },
        TERMINAL => Record::Terminal {
            operation: OperationNumber(cursor.number()?),
            term: cursor.text()?.into(),
            columns: read_size(cursor)?,
            rows: read_size(cursor)?,
        },
        RESIZED => Record::Resized {
            operation: OperationNumber(cursor.number()?),
            columns: read_size(cursor)?,
            rows: read_size(cursor)?,
        },
        TRANSFERRED => read_transferred(cursor)?,
        NOTE => Record::Note { text: cursor.text()?.into() },
        GAP => Record::Gap { records: cursor.number()? },
        SESSION_ENDED => Record::SessionEnded {
            end: Cow::Owned(read_session_end(cursor)?),
            counts: Counts {
                operations: cursor.number()?,
                denied: cursor.number()?,
                held: cursor.number()?,
                failed: cursor.number()?,
                rows: cursor.number()?,
                masked_values: cursor.number()?,
            },
        },
        _ => return Ok(None),
    }))
}

fn read_operation_ended(cursor: &mut Cursor<'_>) -> Result<Record<'static>, EncodingError> {
    Ok(Record::OperationEnded {
        operation: OperationNumber(cursor.number()?),
        outcome: match cursor.byte()? {
            0 => OperationOutcome::Completed,
            1 => OperationOutcome::Failed,
            2 => OperationOutcome::Refused,
            3 => OperationOutcome::Abandoned,
            _ => return Err(EncodingError::Meaningless),
        },
        status: cursor.text()?.into(),
        code: cursor.optional_text()?.map(Cow::Owned),
        rows: cursor.number()?,
        bytes: cursor.number()?,
        masked_values: cursor.number()?,
        duration: Duration::from_micros(cursor.number()?),
    })
}

fn read_transferred(cursor: &mut Cursor<'_>) -> Result<Record<'static>, EncodingError> {
    Ok(Record::Transferred {
        operation: OperationNumber(cursor.number()?),
        path: cursor.text()?.into(),
        direction: match cursor.byte()? {
            0 => Direction::Download,
            1 => Direction::Upload,
            _ => return Err(EncodingError::Meaningless),
        },
        bytes: cursor.number()?,
        sha256: match cursor.byte_string()? {
            [] => None,
            digest => Some(digest.try_into().map_err(|_| EncodingError::Meaningless)?),
        },
        whole: cursor.flag()?,
    })
}

fn read_size(cursor: &mut Cursor<'_>) -> Result<u32, EncodingError> {
    u32::try_from(cursor.number()?).map_err(|_| EncodingError::Meaningless)
}

fn read_optional_operation(
    cursor: &mut Cursor<'_>,
) -> Result<Option<OperationNumber>, EncodingError> {
    Ok(Some(cursor.number()?).filter(|number| *number != 0).map(OperationNumber))
}

fn read_hold(cursor: &mut Cursor<'_>) -> Result<HoldId, EncodingError> {
    if cursor.number()? != 16 {
        return Err(EncodingError::Meaningless);
    }
    Ok(HoldId::from_u128(u128::from_le_bytes(cursor.array()?)))
}

const fn effect_code(effect: Effect) -> u8 {
    match effect {
        Effect::Allow => 0,
        Effect::Hold => 1,
        Effect::Deny => 2,
    }
}

fn read_effect(cursor: &mut Cursor<'_>) -> Result<Effect, EncodingError> {
    match cursor.byte()? {
        0 => Ok(Effect::Allow),
        1 => Ok(Effect::Hold),
        2 => Ok(Effect::Deny),
        _ => Err(EncodingError::Meaningless),
    }
}

fn read_rule(cursor: &mut Cursor<'_>) -> Result<DecidingRule, EncodingError> {
    Ok(DecidingRule {
        role: cursor.text()?.as_str().into(),
        rule: cursor.text()?.as_str().into(),
        effect: read_effect(cursor)?,
        access: cursor.text()?.into(),
    })
}

fn write_reason(sink: &mut Sink<'_>, reason: &Reason) {
    match reason {
        Reason::Granted => sink.byte(0),
        Reason::DeniedByRule => sink.byte(1),
        Reason::HeldByRule => sink.byte(2),
        Reason::NotGranted { access } => {
            sink.byte(3);
            sink.text(access);
        }
        Reason::NoRole => sink.byte(4),
        Reason::ConditionFailed { rule, because } => {
            sink.byte(5);
            sink.text(rule.as_str());
            sink.text(because);
        }
        Reason::Refused { because } => {
            sink.byte(6);
            sink.text(because);
        }
    }
}

fn read_reason(cursor: &mut Cursor<'_>) -> Result<Reason, EncodingError> {
    Ok(match cursor.byte()? {
        0 => Reason::Granted,
        1 => Reason::DeniedByRule,
        2 => Reason::HeldByRule,
        3 => Reason::NotGranted { access: cursor.text()?.into() },
        4 => Reason::NoRole,
        5 => Reason::ConditionFailed {
            rule: RuleId::new(cursor.text()?),
            because: cursor.text()?.into(),
        },
        6 => Reason::Refused { because: cursor.text()?.into() },
        _ => return Err(EncodingError::Meaningless),
    })
}

fn write_session_end(sink: &mut Sink<'_>, end: &SessionEnd) {
    let (code, because) = match end {
        SessionEnd::Client => (0, None),
        SessionEnd::Upstream => (1, None),
        SessionEnd::PolicyChanged => (2, None),
        SessionEnd::TokenExpired => (3, None),
        SessionEnd::Killed => (4, None),
        SessionEnd::Drained => (5, None),
        SessionEnd::Refused => (6, None),
        SessionEnd::ProtocolViolation { because } => (7, Some(&**because)),
        SessionEnd::Internal { because } => (8, Some(&**because)),
    };
    sink.byte(code);
    sink.optional_text(because);
}

fn read_session_end(cursor: &mut Cursor<'_>) -> Result<SessionEnd, EncodingError> {
    let code = cursor.byte()?;
    let because = cursor.optional_text()?.map(Arc::from);
    Ok(match (code, because) {
        (0, None) => SessionEnd::Client,
        (1, None) => SessionEnd::Upstream,
        (2, None) => SessionEnd::PolicyChanged,
        (3, None) => SessionEnd::TokenExpired,
        (4, None) => SessionEnd::Killed,
        (5, None) => SessionEnd::Drained,
        (6, None) => SessionEnd::Refused,
        (7, Some(because)) => SessionEnd::ProtocolViolation { because },
        (8, Some(because)) => SessionEnd::Internal { because },
        _ => return Err(EncodingError::Meaningless),
    })
}

const fn counts_of(counts: Counts) -> [u64; 6] {
    [
        counts.operations,
        counts.denied,
        counts.held,
        counts.failed,
        counts.rows,
        counts.masked_values,
    ]
}
