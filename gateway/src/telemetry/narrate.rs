//! Events in words: their stable names, and the log line of each.
//!
//! Owns the match over every kind of event. Must not know metrics' handles or files. Statement texts
//! stay out of logs: the audit log and the recording have them, under tighter permissions.

use model::audit::{AuditEvent, HoldEnd, SessionEnd, SocketRefusal};
use tracing::{error, info, warn};

/// Every name of an event, as it stands in the audit log.
pub(super) const EVENTS: &[&str] = &[
    "daemon_started",
    "daemon_stopped",
    "policy_loaded",
    "policy_rejected",
    "socket_refused",
    "session_started",
    "session_ended",
    "operation_decided",
    "hold_started",
    "hold_ended",
    "upstream_failed",
    "host_key_refused",
    "certificate_refused",
    "recording_failed",
    "recording_sealed",
    "audit_lines_lost",
    "control_action",
];

/// Every reason a socket is turned away.
pub(super) const REFUSALS: &[&str] = &[
    "no_binding",
    "no_workload",
    "ambiguous_workload",
    "no_valid_token",
    "no_target",
    "ambiguous_target",
    "limit_reached",
    "draining",
    "kernel",
];

/// Every cause of a session's end.
pub(super) const SESSION_ENDS: &[&str] = &[
    "client",
    "upstream",
    "policy_changed",
    "token_expired",
    "killed",
    "drained",
    "refused",
    "protocol_violation",
    "internal",
];

/// Every end of a hold.
pub(super) const HOLD_ENDS: &[&str] = &["approved", "rejected", "expired", "cancelled"];

/// The event's name in the audit log.
pub(super) const fn name(event: &AuditEvent) -> &'static str {
    match event {
        AuditEvent::DaemonStarted { .. } => "daemon_started",
        AuditEvent::DaemonStopped { .. } => "daemon_stopped",
        AuditEvent::PolicyLoaded { .. } => "policy_loaded",
        AuditEvent::PolicyRejected { .. } => "policy_rejected",
        AuditEvent::SocketRefused { .. } => "socket_refused",
        AuditEvent::SessionStarted { .. } => "session_started",
        AuditEvent::SessionEnded { .. } => "session_ended",
        AuditEvent::OperationDecided { .. } => "operation_decided",
        AuditEvent::HoldStarted { .. } => "hold_started",
        AuditEvent::HoldEnded { .. } => "hold_ended",
        AuditEvent::UpstreamFailed { .. } => "upstream_failed",
        AuditEvent::HostKeyRefused { .. } => "host_key_refused",
        AuditEvent::CertificateRefused { .. } => "certificate_refused",
        AuditEvent::RecordingFailed { .. } => "recording_failed",
        AuditEvent::RecordingSealed { .. } => "recording_sealed",
        AuditEvent::AuditLinesLost { .. } => "audit_lines_lost",
        AuditEvent::ControlAction { .. } => "control_action",
    }
}

pub(super) const fn refusal(why: SocketRefusal) -> &'static str {
    match why {
        SocketRefusal::NoBinding => "no_binding",
        SocketRefusal::NoWorkload => "no_workload",
        SocketRefusal::AmbiguousWorkload => "ambiguous_workload",
        SocketRefusal::NoValidToken => "no_valid_token",
        SocketRefusal::NoTarget => "no_target",
        SocketRefusal::AmbiguousTarget => "ambiguous_target",
        SocketRefusal::LimitReached => "limit_reached",
        SocketRefusal::Draining => "draining",
        SocketRefusal::Kernel => "kernel",
    }
}

/// The word for a session's end, as in the audit log's `cause`.
pub(crate) const fn session_end(end: &SessionEnd) -> &'static str {
    match end {
        SessionEnd::Client => "client",
        SessionEnd::Upstream => "upstream",
        SessionEnd::PolicyChanged => "policy_changed",
        SessionEnd::TokenExpired => "token_expired",
        SessionEnd::Killed => "killed",
        SessionEnd::Drained => "drained",
        SessionEnd::Refused => "refused",
        SessionEnd::ProtocolViolation { .. } => "protocol_violation",
        SessionEnd::Internal { .. } => "internal",
    }
}

/// The word for a hold's end.
pub(crate) const fn hold_end(end: HoldEnd) -> &'static str {
    match end {
        HoldEnd::Approved => "approved",
        HoldEnd::Rejected => "rejected",
        HoldEnd::Expired => "expired",
        HoldEnd::Cancelled => "cancelled",
    }
}

/// Logs the event, at a level by who has to act on it.
pub(super) fn log(event: &AuditEvent) {
    let name = name(event);
    match event {
        AuditEvent::DaemonStarted { version, policy } => info!(version, %policy, "{name}"),
        AuditEvent::DaemonStopped { because } => info!(because, "{name}"),
        AuditEvent::PolicyLoaded { policy, by } => info!(%policy, %by, "{name}"),
        AuditEvent::PolicyRejected { errors, by } => {
            error!(errors = errors.len(), first = errors.first(), %by, "{name}");
        }
        AuditEvent::SocketRefused { why, detail, original, pid, workload, .. } => warn!(
            why = refusal(*why),
            %detail,
            original = original.map(tracing::field::display),
            pid,
            workload = workload.as_ref().map(tracing::field::display),
            "{name}"
        ),
        AuditEvent::ControlAction { action, subject, by, accepted } => {
            info!(action, %subject, %by, accepted, "{name}");
        }
        AuditEvent::AuditLinesLost { lines } => error!(lines, "{name}"),
        AuditEvent::RecordingSealed { session, chain_head, records } => {
            info!(%session, chain_head, records, "{name}");
        }
        of_session => log_of_session(name, of_session),
    }
}

/// Logs the events that carry the facts of a session.
fn log_of_session(name: &'static str, event: &AuditEvent) {
    match event {
        AuditEvent::SessionStarted { session, original, uid, .. } => info!(
            session = %session.session, workload = %session.workload, target = %session.target,
            pid = session.pid, %original, uid, "{name}"
        ),
        AuditEvent::SessionEnded {
            session, end, operations, masked_values, duration_ms, ..
        } => {
            info!(
                session = %session.session, workload = %session.workload,
                target = %session.target, cause = session_end(end), operations, masked_values,
                duration_ms, "{name}"
            );
        }
        AuditEvent::OperationDecided { session, operation, kind, effect, rules, .. } => info!(
            session = %session.session, workload = %session.workload, %operation, %kind, %effect,
            rule = rules.first().map(|deciding| tracing::field::display(&deciding.rule)), "{name}"
        ),
        AuditEvent::HoldStarted { session, hold, operation, .. } => info!(
            session = %session.session, workload = %session.workload, %hold, %operation, "{name}"
        ),
        AuditEvent::HoldEnded { session, hold, end, .. } => {
            info!(session = %session.session, %hold, end = hold_end(*end), "{name}");
        }
        AuditEvent::UpstreamFailed { session, because } => warn!(
            session = %session.session, workload = %session.workload, target = %session.target,
            %because, "{name}"
        ),
        AuditEvent::HostKeyRefused { session, client, remedy } => warn!(
            session = %session.session, workload = %session.workload, target = %session.target,
            %client, %remedy, "{name}"
        ),
        AuditEvent::CertificateRefused { session, executable, name: asked, remedy } => warn!(
            session = %session.session, workload = %session.workload, target = %session.target,
            %executable, %asked, %remedy, "{name}"
        ),
        AuditEvent::RecordingFailed { session, because } => {
            error!(session = %session.session, %because, "{name}");
        }
        _ => {}
    }
}

#[cfg(test)]
pub(crate) mod samples;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_audit_log() {
        for event in samples::every_event() {
            let json = serde_json::to_value(&event).unwrap();
            assert_eq!(json["event"], name(&event));
            assert!(EVENTS.contains(&name(&event)), "{}", name(&event));
            if let AuditEvent::SocketRefused { why, .. } = &event {
                assert_eq!(json["why"], refusal(*why));
            }
            if let AuditEvent::SessionEnded { end, .. } = &event {
                assert_eq!(json["cause"], session_end(end));
            }
            if let AuditEvent::HoldEnded { end, .. } = &event {
                assert_eq!(json["end"], hold_end(*end));
            }
        }
    }
}
