//! What the daemon says about itself: logs, metrics and typed events.
//!
//! Owns the tracing set-up, the one table of metrics and the one `emit` through which a typed event
//! becomes a log line, a count and an audit line. Must not know a file format (`recording` keeps the
//! audit log behind [`AuditSink`]), a protocol or a policy. Lives as long as the daemon; the metrics'
//! upkeep thread ends when the last [`Metrics`] is dropped.

pub mod events;
pub mod logging;
pub mod metrics;
pub(crate) mod narrate;

pub use events::{AuditSink, Events, MemorySink};
pub use metrics::{Metrics, metrics_reference};
