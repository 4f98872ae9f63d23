//! One event of every kind, for sweeps.
//!
//! Owns made-up facts. Must not know what is checked with them. Compiled for tests only.

use std::sync::Arc;

use model::audit::{AuditEvent, HoldEnd, SessionEnd, SessionFacts, SocketRefusal};
use model::{
    Attestation, DecidingRule, Effect, HoldId, OperationNumber, PolicyDigest, Protocol, Reason,
    SessionId, Timestamp,
};

const POLICY: PolicyDigest = PolicyDigest::from_bytes([7; 32]);

pub(crate) fn facts() -> SessionFacts {
    SessionFacts {
        session: SessionId::from_u128(0x5e55),
        workload: "nightly-report".into(),
        subject: None,
        target: "analytics".into(),
        protocol: Protocol::Postgres,
        pid: 4711,
    }
}

/// Every kind of event, and every kind of refusal, end and outcome.
pub(crate) fn every_event() -> Vec<AuditEvent> {
    let mut events = of_the_daemon();
    events.extend(of_sockets());
    events.extend(of_sessions());
    events.extend(of_holds());
    events
}

fn of_the_daemon() -> Vec<AuditEvent> {
    let by: Arc<str> = "signal".into();
    let action = |accepted| AuditEvent::ControlAction {
        action: "kill",
        subject: "ses_1".into(),
        by: "uid 0 (root)".into(),
        accepted,
    };
    vec![
        AuditEvent::DaemonStarted { version: "0.1.0", policy: POLICY },
        AuditEvent::DaemonStopped { because: "signal" },
        AuditEvent::PolicyLoaded { policy: POLICY, by: Arc::clone(&by) },
        AuditEvent::PolicyRejected { errors: vec!["x".into()], by },
        AuditEvent::AuditLinesLost { lines: 3 },
        action(true),
        action(false),
    ]
}

fn of_sockets() -> impl Iterator<Item = AuditEvent> {
    let whys = [
        SocketRefusal::NoBinding,
        SocketRefusal::NoWorkload,
        SocketRefusal::AmbiguousWorkload,
        SocketRefusal::NoValidToken,
        SocketRefusal::NoTarget,
        SocketRefusal::AmbiguousTarget,
        SocketRefusal::LimitReached,
        SocketRefusal::Draining,
        SocketRefusal::Kernel,
    ];
    whys.into_iter().map(|why| AuditEvent::SocketRefused {
        why,
        detail: "because".into(),
        original: Some(([10, 0, 5, 10], 5432).into()),
        pid: Some(1),
        uid: Some(2),
        cgroup: Some("/automation.slice".into()),
        workload: Some("w".into()),
    })
}

fn of_sessions() -> Vec<AuditEvent> {
    let ends = [
        SessionEnd::Client,
        SessionEnd::Upstream,
        SessionEnd::PolicyChanged,
        SessionEnd::TokenExpired,
        SessionEnd::Killed,
        SessionEnd::Drained,
        SessionEnd::Refused,
        SessionEnd::ProtocolViolation { because: "x".into() },
        SessionEnd::Internal { because: "x".into() },
    ];
    let mut events: Vec<AuditEvent> = ends
        .into_iter()
        .map(|end| AuditEvent::SessionEnded {
            session: facts(),
            end,
            operations: 3,
            masked_values: 4,
            bytes_from_client: 5,
            bytes_to_client: 6,
            kernel_bytes_from_client: Some(5),
            kernel_bytes_to_client: None,
            duration_ms: 7,
        })
        .collect();
    events.extend([
        AuditEvent::SessionStarted {
            session: facts(),
            original: ([10, 0, 5, 10], 5432).into(),
            attestation: Arc::new(attestation()),
            uid: 1000,
        },
        AuditEvent::OperationDecided {
            session: facts(),
            operation: OperationNumber(2),
            kind: "delete".into(),
            text: "delete from users".into(),
            resource: None,
            effect: Effect::Deny,
            observed_only: false,
            reason: Reason::DeniedByRule,
            rules: vec![DecidingRule {
                role: "report-reader".into(),
                rule: "no-dml".into(),
                effect: Effect::Deny,
                access: "delete on shop.public.users".into(),
            }],
            policy: POLICY,
        },
        AuditEvent::UpstreamFailed { session: facts(), because: "refused".into() },
        AuditEvent::HostKeyRefused {
            session: facts(),
            client: "SSH-2.0-paramiko_3.4.0".into(),
            remedy: "enrol the key".into(),
        },
        AuditEvent::CertificateRefused {
            session: facts(),
            executable: "/usr/bin/node".into(),
            name: "api.example".into(),
            remedy: "set NODE_EXTRA_CA_CERTS".into(),
        },
        AuditEvent::RecordingFailed { session: facts(), because: "no space left".into() },
        AuditEvent::RecordingSealed {
            session: facts().session,
            chain_head: "00".repeat(32),
            records: 9,
        },
    ]);
    events
}

fn of_holds() -> Vec<AuditEvent> {
    let hold = HoldId::from_u128(9);
    let mut events: Vec<AuditEvent> =
        [HoldEnd::Approved, HoldEnd::Rejected, HoldEnd::Expired, HoldEnd::Cancelled]
            .into_iter()
            .map(|end| AuditEvent::HoldEnded {
                session: facts(),
                hold,
                end,
                by: vec!["alice".into()],
                comment: None,
            })
            .collect();
    events.push(AuditEvent::HoldStarted {
        session: facts(),
        hold,
        operation: OperationNumber(3),
        text: "drop table users".into(),
        expires_us: Timestamp::from_seconds(60),
    });
    events
}

pub(crate) fn attestation() -> Attestation {
    Attestation {
        cgroup_path: "/system.slice/nightly-report.service".into(),
        systemd_unit: Some("nightly-report.service".into()),
        container: None,
        user_name: Some("reports".into()),
        executable: Some("/usr/bin/psql".into()),
        executable_file: None,
        executable_unknown_because: None,
    }
}
