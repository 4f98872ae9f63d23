//! Every metric of the daemon, in one table.
//!
//! Owns the names, their help and the handles. Must not know who counts. The table is the only place
//! where a metric can be made, so one that is registered is documented and the other way round.
//! Handles are registered once; counting is one atomic addition, with no look-up by label. The
//! upkeep thread (histograms are sampled into a list that has to be drained) ends with [`Metrics`].

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder, Unit};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use model::audit::AuditEvent;
use model::{Effect, Protocol};

use super::narrate;

/// How often histogram samples are folded into their buckets. Raised, a burst holds more memory.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Bounds of every histogram, in seconds: from a cached decision to a held operation.
const SECONDS: &[f64] = &[
    0.000_001, 0.000_002, 0.000_005, 0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5,
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 600.0,
];

const PROTOCOLS: &[&str] = &["postgres", "ssh", "http", "mysql", "kubernetes"];
const EFFECTS: &[&str] = &["allow", "hold", "deny"];
const DIRECTIONS: &[&str] = &["from_client", "to_client"];
const OUTCOMES: &[&str] = &["loaded", "rejected"];
const ACCEPTANCE: &[&str] = &["accepted", "refused"];

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size, in the bounds of the table's seconds.
    Histogram,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// Its name in the exposition.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// What it counts, for people.
    pub help: &'static str,
    /// Its label and every value the label takes.
    pub label: Option<(&'static str, &'static [&'static str])>,
}

/// Counters of one name, one handle a label value.
#[derive(Debug)]
pub struct Family {
    handles: Vec<(&'static str, Counter)>,
}

impl Family {
    /// The handle of the value at `index` of the label's list. For parts that count often: keep it.
    pub fn at(&self, index: usize) -> Counter {
        self.handles.get(index).map_or_else(Counter::noop, |(_, counter)| counter.clone())
    }

    /// Counts one under `value`. A value outside the table is a mistake the tests find.
    fn count(&self, value: &str) {
        let found = self.handles.iter().find(|(known, _)| *known == value);
        debug_assert!(found.is_some(), "the table of metrics has no label value `{value}`");
        if let Some((_, counter)) = found {
            counter.increment(1);
        }
    }
}

macro_rules! metrics_table {
    (@type counter) => { Counter };
    (@type gauge) => { Gauge };
    (@type histogram) => { Histogram };
    (@type family) => { Family };
    (@kind counter) => { Kind::Counter };
    (@kind family) => { Kind::Counter };
    (@kind gauge) => { Kind::Gauge };
    (@kind histogram) => { Kind::Histogram };
    (@label) => { None };
    (@label $label:literal $values:expr) => { Some(($label, $values)) };
    ($($(#[doc = $help:literal])+ $field:ident: $kind:ident $name:literal $(by $label:literal in $values:expr)?;)*) => {
        /// The handles of every metric.
        #[derive(Debug)]
        pub struct Metrics {
            $($(#[doc = $help])+ pub $field: metrics_table!(@type $kind),)*
            handle: Exposition,
            _upkeep: SyncSender<()>,
        }

        /// The table, in the order of the reference.
        pub const DEFINITIONS: &[Definition] = &[$(Definition {
            name: $name,
            kind: metrics_table!(@kind $kind),
            help: concat!($($help),+),
            label: metrics_table!(@label $($label $values)?),
        }),*];

        impl Metrics {
            fn register(register: &Register<'_>, handle: Exposition, upkeep: SyncSender<()>) -> Self {
                Self {
                    $($field: register.$kind($name, metrics_table!(@label $($label $values)?)),)*
                    handle,
                    _upkeep: upkeep,
                }
            }
        }
    };
}

metrics_table! {
    /// Sockets turned away before they became a session, by reason.
    sockets_refused: family "portcullis_sockets_refused_total" by "why" in narrate::REFUSALS;
    /// Sessions that began.
    sessions_started: family "portcullis_sessions_started_total" by "protocol" in PROTOCOLS;
    /// Sessions that ended, by cause.
    sessions_ended: family "portcullis_sessions_ended_total" by "cause" in narrate::SESSION_ENDS;
    /// Sessions that live now.
    sessions_live: gauge "portcullis_sessions_live";
    /// Operations decided, by effect.
    operations: family "portcullis_operations_total" by "effect" in EFFECTS;
    /// Time from a decoded operation to its decision, in seconds.
    decision_seconds: histogram "portcullis_decision_seconds";
    /// Time from an operation's arrival to the end of its answer, in seconds.
    operation_seconds: histogram "portcullis_operation_seconds";
    /// Values masked before a workload saw them.
    masked_values: counter "portcullis_masked_values_total";
    /// Bytes of the workloads' connections, by direction, by the gateway's own count.
    session_bytes: family "portcullis_session_bytes_total" by "direction" in DIRECTIONS;
    /// Operations that wait for approvers now.
    holds_live: gauge "portcullis_holds_live";
    /// Operations that had to wait for approvers.
    holds_started: counter "portcullis_holds_started_total";
    /// Holds that ended, by how.
    holds_ended: family "portcullis_holds_ended_total" by "end" in narrate::HOLD_ENDS;
    /// Upstreams that could not be reached, trusted or logged in to.
    upstream_failures: counter "portcullis_upstream_failures_total";
    /// Policies offered, by outcome.
    policy_loads: family "portcullis_policy_loads_total" by "outcome" in OUTCOMES;
    /// Requests over the control socket, by whether they were done.
    control_actions: family "portcullis_control_actions_total" by "outcome" in ACCEPTANCE;
    /// Recordings that are complete and signed.
    recordings_sealed: counter "portcullis_recordings_sealed_total";
    /// Times a recording could not be written.
    recording_failures: counter "portcullis_recording_failures_total";
    /// Recordings that cannot be written now; operations of their sessions are refused.
    recordings_failing: gauge "portcullis_recordings_failing";
    /// Records that reached a recording's file.
    recording_records: counter "portcullis_recording_records_total";
    /// Records that could not be kept; each run of them leaves a gap record.
    recording_records_lost: counter "portcullis_recording_records_lost_total";
    /// Bytes of records before compression.
    recording_plain_bytes: counter "portcullis_recording_plain_bytes_total";
    /// Bytes written to recordings.
    recording_bytes: counter "portcullis_recording_bytes_total";
    /// Audit events, by name.
    audit_events: family "portcullis_audit_events_total" by "event" in narrate::EVENTS;
    /// Audit lines that could not be kept; their sequence numbers are a gap in the log.
    audit_lines_lost: counter "portcullis_audit_lines_lost_total";
    /// 1 while the audit log can be written, else 0.
    audit_healthy: gauge "portcullis_audit_healthy";
}

impl Metrics {
    /// Registers every metric of the table and starts the upkeep thread.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let recorder = recorder();
        let handle = recorder.handle();
        let (stop, stopped) = sync_channel(0);
        keep_up(handle.clone(), stopped);
        Arc::new(Self::register(&Register(&recorder), Exposition(handle), stop))
    }

    /// Everything, in the Prometheus text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.0.render()
    }

    /// Counts a decision. Takes no look-up: safe on the way of every operation.
    pub fn operation_decided(&self, effect: Effect) {
        let index = match effect {
            Effect::Allow => 0,
            Effect::Hold => 1,
            Effect::Deny => 2,
        };
        if let Some((_, counter)) = self.operations.handles.get(index) {
            counter.increment(1);
        }
    }

    /// Counts bytes that passed, by direction. Call once per operation or buffer, not per message.
    pub fn bytes_passed(&self, from_client: u64, to_client: u64) {
        for ((_, counter), bytes) in self.session_bytes.handles.iter().zip([from_client, to_client])
        {
            counter.increment(bytes);
        }
    }

    /// Counts an event. Operations, masked values and bytes are counted where they pass, not here:
    /// not every operation makes an event.
    pub(super) fn count(&self, event: &AuditEvent) {
        self.audit_events.count(narrate::name(event));
        match event {
            AuditEvent::PolicyLoaded { .. } => self.policy_loads.count("loaded"),
            AuditEvent::PolicyRejected { .. } => self.policy_loads.count("rejected"),
            AuditEvent::SocketRefused { why, .. } => {
                self.sockets_refused.count(narrate::refusal(*why));
            }
            AuditEvent::SessionStarted { session, .. } => {
                self.sessions_started.count(session.protocol.as_str());
                self.sessions_live.increment(1.0);
            }
            AuditEvent::SessionEnded { end, .. } => {
                self.sessions_ended.count(narrate::session_end(end));
                self.sessions_live.decrement(1.0);
            }
            AuditEvent::HoldStarted { .. } => {
                self.holds_started.increment(1);
                self.holds_live.increment(1.0);
            }
            AuditEvent::HoldEnded { end, .. } => {
                self.holds_ended.count(narrate::hold_end(*end));
                self.holds_live.decrement(1.0);
            }
            AuditEvent::UpstreamFailed { .. } => self.upstream_failures.increment(1),
            AuditEvent::RecordingFailed { .. } => self.recording_failures.increment(1),
            AuditEvent::RecordingSealed { .. } => self.recordings_sealed.increment(1),
            AuditEvent::AuditLinesLost { lines } => self.audit_lines_lost.increment(*lines),
            AuditEvent::ControlAction { accepted, .. } => {
                self.control_actions.count(if *accepted { "accepted" } else { "refused" });
            }
            AuditEvent::DaemonStarted { .. }
            | AuditEvent::DaemonStopped { .. }
            | AuditEvent::HostKeyRefused { .. }
            | AuditEvent::CertificateRefused { .. }
            | AuditEvent::OperationDecided { .. } => {}
        }
    }
}

const REFERENCE_HEAD: &str = "\
# Metrics

The daemon renders these in the Prometheus text format. Counters start at 0 with the daemon, and every
label value listed is there from the start.

| metric | kind | label: values | what it counts |
|---|---|---|---|
";

/// The table of metrics as Markdown, for `docs/reference/metrics.md`.
#[must_use]
pub fn metrics_reference() -> String {
    let mut text = String::from(REFERENCE_HEAD);
    for definition in DEFINITIONS {
        let kind = match definition.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let label = definition
            .label
            .map(|(label, values)| format!("`{label}`: {}", values.join(", ")))
            .unwrap_or_default();
        // Writing to a String cannot fail.
        _ = writeln!(
            text,
            "| `{}` | {kind} | {label} | {} |",
            definition.name,
            definition.help.trim()
        );
    }
    text
}

/// The renderer. Its `Debug` says nothing: it would print every series.
struct Exposition(PrometheusHandle);

impl std::fmt::Debug for Exposition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Exposition")
    }
}

/// Registers handles; one method a kind of the table.
struct Register<'a>(&'a PrometheusRecorder);

type LabelValues = Option<(&'static str, &'static [&'static str])>;

const METADATA: Metadata<'static> = Metadata::new("portcullis", Level::INFO, None);

impl Register<'_> {
    fn describe(&self, name: &'static str) -> (&'static str, &'static str) {
        DEFINITIONS
            .iter()
            .find(|definition| definition.name == name)
            .map_or((name, ""), |definition| (definition.name, definition.help.trim()))
    }

    fn counter(&self, name: &'static str, _: LabelValues) -> Counter {
        let (name, help) = self.describe(name);
        self.0.describe_counter(KeyName::from_const_str(name), Some(Unit::Count), help.into());
        let counter = self.0.register_counter(&Key::from_static_name(name), &METADATA);
        counter.increment(0);
        counter
    }

    fn gauge(&self, name: &'static str, _: LabelValues) -> Gauge {
        let (name, help) = self.describe(name);
        self.0.describe_gauge(KeyName::from_const_str(name), Some(Unit::Count), help.into());
        let gauge = self.0.register_gauge(&Key::from_static_name(name), &METADATA);
        gauge.set(0.0);
        gauge
    }

    fn histogram(&self, name: &'static str, _: LabelValues) -> Histogram {
        let (name, help) = self.describe(name);
        self.0.describe_histogram(KeyName::from_const_str(name), Some(Unit::Seconds), help.into());
        self.0.register_histogram(&Key::from_static_name(name), &METADATA)
    }

    fn family(&self, name: &'static str, label: LabelValues) -> Family {
        let (name, help) = self.describe(name);
        self.0.describe_counter(KeyName::from_const_str(name), Some(Unit::Count), help.into());
        let (label, values) = label.unwrap_or(("", &[]));
        let handles = values.iter().map(|value| {
            let key = Key::from_parts(name, vec![Label::from_static_parts(label, value)]);
            let counter = self.0.register_counter(&key, &METADATA);
            counter.increment(0);
            (*value, counter)
        });
        Family { handles: handles.collect() }
    }
}

fn recorder() -> PrometheusRecorder {
    // The one way this can fail is an empty list of bounds; without them, quantiles are shown.
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix(String::from("_seconds")), SECONDS)
        .unwrap_or_else(|_| PrometheusBuilder::new());
    builder.build_recorder()
}

/// Folds histogram samples until `stopped` hangs up.
fn keep_up(handle: PrometheusHandle, stopped: Receiver<()>) {
    let work = move || {
        while stopped.recv_timeout(UPKEEP_EVERY) == Err(RecvTimeoutError::Timeout) {
            handle.run_upkeep();
        }
    };
    if let Err(error) = std::thread::Builder::new().name("metrics".into()).spawn(work) {
        tracing::warn!(%error, "metrics upkeep thread could not start");
    }
}

/// Keeps the label list of sessions in step with the protocols.
const _: () = assert!(PROTOCOLS.len() == Protocol::ALL.len());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::narrate::samples;

    #[test]
    fn every_metric_of_the_table_is_registered_and_nothing_else_is() {
        let metrics = Metrics::new();
        metrics.decision_seconds.record(0.000_3);
        metrics.operation_seconds.record(0.2);
        let rendered = metrics.render();
        for definition in DEFINITIONS {
            let kind = match definition.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            let line = format!("# TYPE {} {kind}\n", definition.name);
            assert!(rendered.contains(&line), "{line} in\n{rendered}");
            assert!(!definition.help.trim().is_empty(), "{} has no help", definition.name);
        }
        let types = rendered.lines().filter(|line| line.starts_with("# TYPE ")).count();
        assert_eq!(types, DEFINITIONS.len(), "{rendered}");
    }

    #[test]
    fn names_are_unique_and_tell_their_unit_as_the_exposition_format_wants() {
        let mut seen = std::collections::BTreeSet::new();
        for definition in DEFINITIONS {
            assert!(seen.insert(definition.name), "{} twice", definition.name);
            assert!(definition.name.starts_with("portcullis_"), "{}", definition.name);
            assert_eq!(
                definition.kind == Kind::Counter,
                definition.name.ends_with("_total"),
                "{}",
                definition.name
            );
        }
    }

    #[test]
    fn every_event_is_counted_under_its_name_and_every_label_of_the_table_can_be_reached() {
        let metrics = Metrics::new();
        for protocol in Protocol::ALL {
            for mut event in samples::every_event() {
                if let AuditEvent::SessionStarted { session, .. } = &mut event {
                    session.protocol = *protocol;
                }
                metrics.count(&event);
            }
        }
        for effect in [Effect::Allow, Effect::Hold, Effect::Deny] {
            metrics.operation_decided(effect);
        }
        metrics.bytes_passed(3, 4);
        let rendered = metrics.render();
        for definition in DEFINITIONS {
            let Some((label, values)) = definition.label else { continue };
            for value in values {
                let series = format!("{}{{{label}=\"{value}\"}} ", definition.name);
                let line = rendered.lines().find(|line| line.starts_with(&series));
                let count = line.and_then(|line| line.rsplit(' ').next());
                assert!(count.is_some_and(|count| count != "0"), "{series}: {line:?}");
            }
        }
    }

    #[test]
    fn the_reference_names_every_metric() {
        let reference = metrics_reference();
        for definition in DEFINITIONS {
            assert!(reference.contains(&format!("| `{}` |", definition.name)));
        }
    }
}
