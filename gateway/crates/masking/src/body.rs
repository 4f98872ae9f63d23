//! Masking of bodies as they stream by: JSON, JSON lines, forms, events, text.
//!
//! Owns going through a body without holding it, matching its fields, and the rule that nothing is
//! let out that has not been proven: every byte in the output is either structure that was read,
//! or a value that no mask is about. Must not know a header, a content type or what to do about a
//! [`BodyFault`]; whoever reads the body names its kind and closes on a fault. Ends with
//! [`BodyMasker::finish`].
//!
//! ```text
//!  chunk -> reader of the kind -> name or value, whole or in pieces ---.
//!              |                                                       v
//!              '-- Walk over FieldPaths: which mask is about it? -> transform | detectors | keep
//!                                                                      |
//!                        untouched spans are copied <------------------'
//! ```
//!
//! The output does not depend on how the body was cut into chunks. Memory is bounded by the limits
//! below, whatever the body's size.

mod document;
mod events;
mod form;
mod json;
mod paths;
mod scratch;
mod set;
mod utf8;
mod walk;

use std::sync::Arc;

pub use document::mask_message;
pub use set::{FieldSet, Place};

use crate::carry::CarryOver;
use events::EventMasker;
use form::FormMasker;
use json::{Documents, JsonMasker};

/// Bytes of a value, as written, that is held to be changed by its transform or scanned as one.
/// A longer one is redacted whole where a field mask is about it, and scanned in pieces of this
/// size where none is. Raised, a stream holds more.
pub(crate) const VALUE_HELD_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a name, as written. Raised, a stream holds more; a longer name is a fault.
const NAME_BYTES_MAX: usize = 4 * 1024;
/// Characters of a number. No number in use is longer; a longer one is a fault.
const NUMBER_BYTES_MAX: usize = 1024;
/// Objects and arrays within each other. Raised, a stream holds more; deeper is a fault.
const DEPTH_MAX: usize = 512;
/// Bytes of one event of an event stream, which is held whole. Longer is a fault.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// What a body is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BodyKind {
    /// One JSON text (RFC 8259). A byte order mark before it is let through.
    Json,
    /// Any number of JSON texts: one a line, one behind the other (the watches of Kubernetes), or
    /// each behind a record separator (RFC 7464). Each is let out as soon as it is complete.
    JsonLines,
    /// `application/x-www-form-urlencoded`. Each name is a path of one part.
    Form,
    /// Text without fields: the detectors only.
    Text,
    /// Server-sent events. Data that is JSON is masked as JSON; each event is let out at its end.
    EventStream,
}

/// Why a body cannot be let through. What was let out before is sound; the rest must not follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// Not the grammar of the kind.
    #[error("the body is not valid JSON")]
    Syntax,
    /// An escape that means nothing, or half a surrogate pair in a name.
    #[error("the body has an escape that has no meaning")]
    Escape,
    /// Not UTF-8.
    #[error("the body is not UTF-8")]
    Utf8,
    /// Objects and arrays too deep in each other.
    #[error("the body is nested deeper than {DEPTH_MAX}")]
    Depth,
    /// A name that is too long.
    #[error("the body has a name longer than {NAME_BYTES_MAX} bytes")]
    Name,
    /// A number that is too long.
    #[error("the body has a number longer than {NUMBER_BYTES_MAX} characters")]
    Number,
    /// An event that is too long.
    #[error("the body has an event longer than {EVENT_BYTES_MAX} bytes")]
    Event,
    /// It ends in the middle.
    #[error("the body ends before what it began is complete")]
    Truncated,
}

/// Masks one body, chunk by chunk.
#[derive(Debug)]
pub struct BodyMasker {
    reader: Reader,
    /// The fault that ended it: nothing is let out after one.
    fault: Option<BodyFault>,
}

#[derive(Debug)]
enum Reader {
    /// Nothing is to be masked here.
    Pass,
    Json(Box<JsonMasker>),
    Form(Box<FormMasker>),
    Events(Box<EventMasker>),
    Text {
        carry: CarryOver,
        masked: u64,
    },
}

impl BodyMasker {
    /// Begins a body. With an empty set it is let through unread.
    #[must_use]
    pub fn new(kind: BodyKind, set: Arc<FieldSet>) -> Self {
        let reader = match kind {
            _ if set.is_empty() => Reader::Pass,
            BodyKind::Json => Reader::Json(Box::new(JsonMasker::new(set, Documents::One))),
            BodyKind::JsonLines => Reader::Json(Box::new(JsonMasker::new(set, Documents::Many))),
            BodyKind::Form => Reader::Form(Box::new(FormMasker::new(set))),
            BodyKind::EventStream => Reader::Events(Box::new(EventMasker::new(set))),
            BodyKind::Text => {
                Reader::Text { carry: CarryOver::new(set.scan_set().clone()), masked: 0 }
            }
        };
        Self { reader, fault: None }
    }

    /// Takes a chunk; appends to `out` what may be shown. Holds back at most what the limits say.
    ///
    /// # Errors
    /// Where the body cannot be understood; from then on every call.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), BodyFault> {
        self.unless_faulted(|reader| match reader {
            Reader::Pass => {
                out.extend_from_slice(chunk);
                Ok(())
            }
            Reader::Json(json) => json.push(chunk, out),
            Reader::Form(form) => form.push(chunk, out),
            Reader::Events(events) => events.push(chunk, out),
            Reader::Text { carry, masked } => {
                *masked += count(carry.push(chunk, out));
                Ok(())
            }
        })
    }

    /// Whether something is held back that a reader could be waiting for: of a text, the end of
    /// what came. What is held of other kinds is a part of a value or an event, which means nothing
    /// without the rest.
    #[must_use]
    pub const fn is_holding(&self) -> bool {
        matches!(&self.reader, Reader::Text { carry, .. } if carry.is_holding())
    }

    /// Whether that looks like the beginning of a value.
    #[must_use]
    pub fn is_likely(&self) -> bool {
        matches!(&self.reader, Reader::Text { carry, .. } if carry.is_likely())
    }

    /// Appends it, because nothing has come for a while. Of a value that it was the beginning of
    /// nothing more is shown.
    pub fn flush(&mut self, out: &mut Vec<u8>) {
        if let Reader::Text { carry, masked } = &mut self.reader {
            *masked += count(carry.flush(out));
        }
    }

    /// Ends the body: appends what was held back.
    ///
    /// # Errors
    /// Where it ends in the middle, or had a fault.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BodyFault> {
        self.unless_faulted(|reader| match reader {
            Reader::Pass => Ok(()),
            Reader::Json(json) => json.finish(out),
            Reader::Form(form) => form.finish(out),
            Reader::Events(events) => events.finish(out),
            Reader::Text { carry, masked } => {
                *masked += count(carry.flush(out));
                Ok(())
            }
        })
    }

    /// How many values were masked so far.
    #[must_use]
    pub fn masked(&self) -> u64 {
        match &self.reader {
            Reader::Pass => 0,
            Reader::Json(json) => json.masked(),
            Reader::Form(form) => form.masked(),
            Reader::Events(events) => events.masked(),
            Reader::Text { masked, .. } => *masked,
        }
    }

    fn unless_faulted(
        &mut self,
        step: impl FnOnce(&mut Reader) -> Result<(), BodyFault>,
    ) -> Result<(), BodyFault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let done = step(&mut self.reader);
        self.fault = done.err();
        done
    }
}

fn count(values: usize) -> u64 {
    u64::try_from(values).unwrap_or(u64::MAX)
}
