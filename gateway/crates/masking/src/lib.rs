//! What a workload sees instead of what it may not see: transforms of single values, detectors
//! that find sensitive values in text, the plan of an output column, redaction of messages, and
//! the fields of bodies.
//!
//! Owns the soundness rules of masking. Works on values as text bytes and knows no wire format:
//! who decodes a frame says what [`ValueKind`] a value has and puts the answer back. Documents
//! (JSON, forms, events) are not frames: [`body`] goes through them itself. Must not know
//! who may see what (the [`MaskProfile`](model::MaskProfile) it is given has that settled), nor a
//! socket, a file or a clock. Nothing here outlives its caller.
//!
//! ```text
//!  MaskProfile -> ScanSet ---------.
//!  hash key ----> Transforms ------+--> Masker -- value(plan, kind, bytes) --> Masked + bytes
//!  lineage -----> ColumnPlan ------'
//!  MaskProfile, path -> body::FieldSet -> BodyMasker -- push(chunk) --> what may be shown
//! ```

pub mod body;
mod carry;
mod detect;
mod kind;
mod masker;
mod message;
mod plan;
mod transform;

pub use carry::CarryOver;
pub use detect::{Hit, ScanSet};
pub use kind::ValueKind;
pub use masker::Masker;
pub use message::redact_message;
pub use plan::{ColumnFacts, ColumnPlan, Lineage, plan_column};
pub use transform::{Masked, Transforms};
