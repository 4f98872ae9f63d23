//! The one door for facts: a typed event goes in; a log line, a count and an audit line come out.
//!
//! Owns the [`Events`] handle and the trait behind which the audit log stands. Must not know files.
//! `emit` never blocks on a disk: the sink queues, bounded, and says when it cannot keep up.

use std::sync::Arc;

use model::audit::{AuditEvent, AuditLine};
use model::{Clock, Timestamp};
use parking_lot::Mutex;

use super::metrics::Metrics;
use super::narrate;

/// Emits typed events. Cheap to clone; every part that states facts holds one.
#[derive(Clone, Debug)]
pub struct Events {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    sink: Arc<dyn AuditSink>,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
}

/// Where audit lines go. Implemented by `recording::AuditLog` and by [`MemorySink`].
pub trait AuditSink: Send + Sync + std::fmt::Debug {
    /// Takes a line for writing; returns at once. A line that cannot be taken is counted as lost.
    fn append(&self, time: Timestamp, event: AuditEvent);
    /// False while lines cannot be written. A session that must be audited refuses then.
    fn healthy(&self) -> bool;
    /// Lines lost since the daemon started.
    fn lost(&self) -> u64;
    /// Closes the file and opens it again under its name, after a rotation moved it away.
    fn reopen(&self);
}

impl Events {
    /// Joins the three outlets.
    #[must_use]
    pub fn new(sink: Arc<dyn AuditSink>, metrics: Arc<Metrics>, clock: Arc<dyn Clock>) -> Self {
        metrics.audit_healthy.set(1.0);
        Self { inner: Arc::new(Inner { sink, metrics, clock }) }
    }

    /// Events that end in memory, for worlds without an audit file. The sink reads them back.
    #[must_use]
    pub fn in_memory(clock: Arc<dyn Clock>) -> (Self, Arc<MemorySink>) {
        let sink = Arc::new(MemorySink::default());
        (Self::new(Arc::clone(&sink) as Arc<dyn AuditSink>, Metrics::new(), clock), sink)
    }

    /// States a fact: counts it, logs it, appends it to the audit log.
    pub fn emit(&self, event: AuditEvent) {
        self.inner.metrics.count(&event);
        narrate::log(&event);
        self.inner.sink.append(self.inner.clock.now(), event);
    }

    /// False while the audit log cannot be written: new operations are to be refused where the
    /// configuration asks for audit.
    #[must_use]
    pub fn healthy(&self) -> bool {
        self.inner.sink.healthy()
    }

    /// Audit lines lost since the daemon started.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.inner.sink.lost()
    }

    /// Reopens the audit log after a rotation (SIGHUP).
    pub fn reopen(&self) {
        self.inner.sink.reopen();
    }

    /// The metrics, for parts that count without stating a fact.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.inner.metrics
    }
}

/// Lines kept in memory, newest last, at most [`MemorySink::LINES_MAX`]: what comes after is lost
/// and counted, as it is with a file. Its health is set by hand.
#[derive(Debug, Default)]
pub struct MemorySink {
    state: Mutex<MemoryState>,
}

#[derive(Debug, Default)]
struct MemoryState {
    lines: Vec<AuditLine>,
    sequence: u64,
    lost: u64,
    reopened: u64,
    broken: bool,
}

impl MemorySink {
    /// Lines it keeps.
    pub const LINES_MAX: usize = 65_536;

    /// The lines so far.
    #[must_use]
    pub fn lines(&self) -> Vec<AuditLine> {
        self.state.lock().lines.clone()
    }

    /// The events so far.
    #[must_use]
    pub fn events(&self) -> Vec<AuditEvent> {
        self.state.lock().lines.iter().map(|line| line.event.clone()).collect()
    }

    /// How often a reopen was asked for.
    #[must_use]
    pub fn reopened(&self) -> u64 {
        self.state.lock().reopened
    }

    /// Plays a sink that cannot write.
    pub fn set_healthy(&self, healthy: bool) {
        self.state.lock().broken = !healthy;
    }
}

impl AuditSink for MemorySink {
    fn append(&self, time: Timestamp, event: AuditEvent) {
        let mut state = self.state.lock();
        state.sequence += 1;
        if state.broken || state.lines.len() >= Self::LINES_MAX {
            state.lost += 1;
            return;
        }
        let sequence = state.sequence;
        state.lines.push(AuditLine { time_us: time, sequence, event });
    }

    fn healthy(&self) -> bool {
        !self.state.lock().broken
    }

    fn lost(&self) -> u64 {
        self.state.lock().lost
    }

    fn reopen(&self) {
        self.state.lock().reopened += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::telemetry::narrate::samples;

    #[derive(Debug)]
    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp::from_seconds(43_200)
        }
    }

    /// Collects what a subscriber writes.
    #[derive(Clone, Debug, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// Emits every kind of event; returns the log, line by line, and the audit lines.
    fn emit_all() -> (Vec<serde_json::Value>, Vec<AuditLine>) {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_writer(move || writer.clone())
            .finish();
        let (events, sink) = Events::in_memory(Arc::new(Noon));
        tracing::subscriber::with_default(subscriber, || {
            for event in samples::every_event() {
                events.emit(event);
            }
        });
        let text = String::from_utf8(log.0.lock().clone()).unwrap();
        (text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), sink.lines())
    }

    #[test]
    fn every_event_is_one_log_line_and_one_audit_line() {
        let (log, audit) = emit_all();
        assert_eq!(log.len(), audit.len());
        for ((place, line), logged) in (1..).zip(&audit).zip(&log) {
            assert_eq!(line.sequence, place);
            assert_eq!(line.time_us, Timestamp::from_seconds(43_200));
            let json = serde_json::to_value(line).unwrap();
            assert_eq!(logged["message"], json["event"], "{logged}");
            if let Some(session) = json.get("session") {
                assert_eq!(&logged["session"], session, "{logged}");
            }
        }
    }

    #[test]
    fn statements_stay_out_of_the_log() {
        let (log, audit) = emit_all();
        let (log, audit) = (format!("{log:?}"), serde_json::to_string(&audit).unwrap());
        for statement in ["delete from users", "drop table users"] {
            assert!(audit.contains(statement), "{statement}");
            assert!(!log.contains(statement), "{statement}");
        }
    }

    #[test]
    fn a_sink_that_cannot_write_is_seen_and_what_it_loses_is_counted() {
        let (events, sink) = Events::in_memory(Arc::new(Noon));
        assert!(events.healthy());
        sink.set_healthy(false);
        events.emit(AuditEvent::DaemonStopped { because: "signal" });
        assert!(!events.healthy());
        assert_eq!((events.lost(), sink.lines().len()), (1, 0));
        events.reopen();
        assert_eq!(sink.reopened(), 1);
    }
}
