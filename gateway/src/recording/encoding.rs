//! Records as bytes.
//!
//! Owns the encoding of one record. Must not know blocks or files. Integers are LEB128 varints
//! unless said; a text or byte string is its length and its bytes.
//! ```text
//! record    := length:u32le kind:u8 at_us:varint body      length counts everything after itself
//! operation := varint                                      0 where there is none
//! value     := 0                                           null
//!            | (kept << 1 | cut) + 1 [total if cut] bytes
//! ```
//! A kind keeps its number and the order of its fields. New fields go at the end: an older reader
//! stops after what it knows, since the length says where the next record begins.

mod body;
mod primitives;

use std::time::Duration;

use super::record::Record;
use primitives::{Cursor, Sink};

/// Bytes one encoded record may have. Raised, a reader allocates more for a hostile file.
pub(super) const RECORD_BYTES_MAX: usize = 1024 * 1024;

/// A record's bytes are not what the format says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum EncodingError {
    /// It ends in the middle of a field.
    #[error("a record ends in the middle of a field")]
    Short,
    /// A number does not fit, or a code is not one of ours.
    #[error("a record has a field that means nothing")]
    Meaningless,
    /// Larger than a record may be.
    #[error("a record is larger than {RECORD_BYTES_MAX} bytes")]
    TooLarge,
}

/// Appends a record to a block. On an error the block is as it was.
///
/// # Errors
/// [`EncodingError::TooLarge`].
pub(super) fn append(
    block: &mut Vec<u8>,
    at: Duration,
    record: &Record<'_>,
    values_budget: &mut usize,
) -> Result<(), EncodingError> {
    framed(block, body::kind(record), at, |sink| body::write(sink, record, values_budget))
}

/// Appends a row without a [`Record`] being built for it.
///
/// # Errors
/// [`EncodingError::TooLarge`].
pub(super) fn append_row<'v>(
    block: &mut Vec<u8>,
    at: Duration,
    operation: u64,
    values: impl ExactSizeIterator<Item = Option<&'v [u8]>>,
    values_budget: &mut usize,
) -> Result<(), EncodingError> {
    framed(block, body::RESULT_ROW, at, |sink| {
        sink.number(operation);
        sink.number(values.len() as u64);
        for value in values {
            sink.value(value, values_budget);
        }
    })
}

/// Appends column names without a [`Record`] being built for them.
///
/// # Errors
/// [`EncodingError::TooLarge`].
pub(super) fn append_columns<'v>(
    block: &mut Vec<u8>,
    at: Duration,
    operation: u64,
    names: impl ExactSizeIterator<Item = &'v str>,
) -> Result<(), EncodingError> {
    framed(block, body::RESULT_COLUMNS, at, |sink| {
        sink.number(operation);
        sink.number(names.len() as u64);
        for name in names {
            sink.text(name);
        }
    })
}

/// Takes the next record off the front of a block.
///
/// # Errors
/// When the bytes are not a record of this format, in whole.
pub(super) fn take(rest: &mut &[u8]) -> Result<Taken, EncodingError> {
    let mut frame = Cursor::new(rest);
    let length = usize::try_from(frame.fixed_u32()?).map_err(|_| EncodingError::Meaningless)?;
    if length > RECORD_BYTES_MAX {
        return Err(EncodingError::TooLarge);
    }
    let mut cursor = Cursor::new(frame.bytes(length)?);
    *rest = frame.rest();
    let kind = cursor.byte()?;
    let at = Duration::from_micros(cursor.number()?);
    Ok(Taken { at, record: body::read(kind, &mut cursor)? })
}

/// A decoded record and its time since the session's start.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) at: Duration,
    /// `None` where the kind is one that a later version writes.
    pub(super) record: Option<Record<'static>>,
}

/// Writes the frame around a body. The length is filled in afterwards: bodies are written once.
fn framed(
    block: &mut Vec<u8>,
    kind: u8,
    at: Duration,
    write: impl FnOnce(&mut Sink<'_>),
) -> Result<(), EncodingError> {
    let start = block.len();
    block.extend_from_slice(&[0; 4]);
    let mut sink = Sink::new(block);
    sink.byte(kind);
    sink.time(at);
    write(&mut sink);
    let body_start = start + 4;
    let length = block.len() - body_start;
    let place = block.get_mut(start..body_start);
    match (u32::try_from(length), place) {
        (Ok(encoded), Some(place)) if length <= RECORD_BYTES_MAX => {
            place.copy_from_slice(&encoded.to_le_bytes());
            Ok(())
        }
        _ => {
            block.truncate(start);
            Err(EncodingError::TooLarge)
        }
    }
}

#[cfg(test)]
mod tests;
