//! A recorder on a directory of its own, with a clock set by hand.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::audit::{AuditEvent, HoldEnd, SessionEnd};
use model::{
    Binding, CgroupId, Clock, DecidingRule, Effect, Environment, HoldId, Limits, OperationNumber,
    PolicyDigest, Principal, ProcessFacts, Protocol, Reason, SessionId, Timestamp, UserFacts,
};

use crate::recording::*;
use crate::telemetry::narrate::samples;
use crate::telemetry::{Events, MemorySink};

pub(crate) const SESSION: SessionId = SessionId::from_u128(0x0193_5e55);
pub(crate) const START: Timestamp = Timestamp(1_795_291_200_000_000);

/// Steps by one millisecond each time it is read.
#[derive(Debug)]
pub(crate) struct Steps(AtomicU64);

impl Clock for Steps {
    fn now(&self) -> Timestamp {
        Timestamp(START.0 + self.0.fetch_add(1000, Ordering::Relaxed))
    }
}

#[derive(Debug)]
pub(crate) struct World {
    directory: tempfile::TempDir,
    pub(crate) recorder: Recorder,
    pub(crate) sink: Arc<MemorySink>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut RecorderSettings)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(Steps(AtomicU64::new(0)));
        let (events, sink) = Events::in_memory(Arc::clone(&clock));
        let path = directory.path().join("recordings");
        let mut settings = RecorderSettings::new(path, &Limits::default());
        settings.flush_every = Duration::from_millis(5);
        change(&mut settings);
        let key = SigningKey::generate().unwrap();
        let recorder = Recorder::start(settings, key, clock, events).unwrap();
        Self { directory, recorder, sink }
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.directory.path().join("recordings")
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust::Keys(vec![self.recorder.public_key()])
    }

    /// Records a whole session; returns its sealed file.
    pub(crate) async fn record(&self, records: &[Record<'static>], end: SessionEnd) -> PathBuf {
        let mut session = self.recorder.begin(header()).await.unwrap();
        for record in records {
            session.push(record).unwrap();
        }
        session.finish(end);
        self.sealed().await;
        find(&self.directory(), SESSION).unwrap()
    }

    /// Waits for the seal's event; returns the chain's head and the number of records.
    pub(crate) async fn sealed(&self) -> (String, u64) {
        self.event(|event| match event {
            AuditEvent::RecordingSealed { chain_head, records, .. } => Some((chain_head, records)),
            _ => None,
        })
        .await
    }

    /// Waits for an event.
    pub(crate) async fn event<T>(&self, wanted: impl Fn(AuditEvent) -> Option<T>) -> T {
        for _ in 0..5000 {
            if let Some(found) = self.sink.events().into_iter().find_map(&wanted) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("the event did not come; there were {:?}", self.sink.events());
    }
}

pub(crate) fn header() -> SessionHeader {
    header_of(SESSION, START)
}

pub(crate) fn header_of(session: SessionId, started_us: Timestamp) -> SessionHeader {
    SessionHeader {
        session,
        started_us,
        principal: Principal {
            workload: "nightly-report".into(),
            token: None,
            groups: ["report-generator-readonly".into()].into_iter().collect(),
        },
        target: "analytics".into(),
        environment: Some(Environment("prod".into())),
        protocol: Protocol::Postgres,
        binding: Binding {
            original: ([10, 0, 5, 10], 5432).into(),
            cgroup: CgroupId(77),
            process: ProcessFacts {
                tgid: 4711,
                tid: 4711,
                start_boottime_ns: 1,
                exec_id: 2,
                executable: None,
                comm: "psql\u{1b}[31m".into(),
            },
            user: UserFacts { uid: 1000, gid: 1000, login_uid: None },
            socket_cookie: 5,
            netns_cookie: 6,
            connected_boottime_ns: 7,
        },
        attestation: samples::attestation(),
        policy: PolicyDigest::from_bytes([7; 32]),
    }
}

pub(crate) fn rule(rule: &str, effect: Effect, access: &str) -> DecidingRule {
    DecidingRule { role: "report-reader".into(), rule: rule.into(), effect, access: access.into() }
}

pub(crate) fn value(text: &'static str) -> Value<'static> {
    Some(text).into()
}

fn started(number: u64, kind: &'static str, text: &'static str) -> Record<'static> {
    Record::OperationStarted {
        operation: OperationNumber(number),
        kind: kind.into(),
        text: text.into(),
        parameters: Cow::Borrowed(&[]),
    }
}

fn decided(number: u64, effect: Effect, reason: Reason, deciding: DecidingRule) -> Record<'static> {
    Record::Decided {
        operation: OperationNumber(number),
        effect,
        observed_only: false,
        reason: Cow::Owned(reason),
        rules: vec![deciding].into(),
    }
}

fn ended(number: u64, outcome: OperationOutcome, status: &'static str) -> Record<'static> {
    Record::OperationEnded {
        operation: OperationNumber(number),
        outcome,
        status: status.into(),
        code: (outcome != OperationOutcome::Completed).then(|| "42501".into()),
        rows: 2,
        bytes: 120,
        masked_values: 2,
        duration: Duration::from_micros(3200),
    }
}

/// A session with everything in it: a masked select, a refused delete, a held drop, hostile text.
pub(crate) fn story() -> Vec<Record<'static>> {
    let mut records = select();
    records.extend(delete());
    records.extend(drop_table());
    records.extend([
        Record::Notice {
            operation: None,
            severity: "WARNING".into(),
            text: "\u{1b}]0;owned\u{7} \u{202e}evil".into(),
        },
        Record::Output {
            operation: Some(OperationNumber(3)),
            stream: Stream::Output,
            bytes: b"one\ntwo \x1b[2J\xff".as_slice().into(),
        },
        Record::Note { text: "policy changed, session judged again".into() },
    ]);
    records
}

fn select() -> Vec<Record<'static>> {
    let operation = OperationNumber(1);
    let row = |values: Vec<Value<'static>>| Record::ResultRow { operation, values: values.into() };
    vec![
        Record::OperationStarted {
            operation,
            kind: "select".into(),
            text: "select id, email\n  from users where id < $1".into(),
            parameters: vec![value("3"), Value::Null].into(),
        },
        decided(
            1,
            Effect::Allow,
            Reason::Granted,
            rule("read-analytics", Effect::Allow, "select on shop.public.users(email, id)"),
        ),
        Record::ResultColumns { operation, names: vec!["id".into(), "email".into()].into() },
        row(vec![value("1"), value("a***@example.com")]),
        row(vec![value("2"), Value::Null]),
        Record::ResultOmitted { operation, rows: 40, bytes: 900 },
        ended(1, OperationOutcome::Completed, "SELECT 42"),
    ]
}

fn delete() -> Vec<Record<'static>> {
    vec![
        started(2, "delete", "delete from users -- \u{1b}[2K\rselect 1"),
        decided(
            2,
            Effect::Deny,
            Reason::DeniedByRule,
            rule("no-dml", Effect::Deny, "delete on shop.public.users"),
        ),
        ended(2, OperationOutcome::Refused, "ERROR"),
    ]
}

fn drop_table() -> Vec<Record<'static>> {
    let operation = OperationNumber(3);
    let hold = HoldId::from_u128(0x401d);
    vec![
        started(3, "drop table", "drop table old_users"),
        decided(
            3,
            Effect::Hold,
            Reason::HeldByRule,
            rule("drop-needs-human", Effect::Hold, "drop on shop.public.old_users"),
        ),
        Record::Held { operation, hold, expires: START.after(Duration::from_secs(600)) },
        Record::HoldEnded {
            operation,
            hold,
            end: HoldEnd::Approved,
            by: vec!["alice".into()].into(),
            comment: Some("ticket 12".into()),
        },
        ended(3, OperationOutcome::Completed, "DROP TABLE"),
    ]
}

/// A session over SSH: a command, a terminal with hostile output, files.
pub(crate) fn shell_story() -> Vec<Record<'static>> {
    let mut records = command();
    records.extend(terminal());
    records.extend(files());
    records
}

fn output(number: u64, stream: Stream, bytes: &'static [u8]) -> Record<'static> {
    Record::Output { operation: Some(OperationNumber(number)), stream, bytes: bytes.into() }
}

fn granted(number: u64, access: &str) -> Record<'static> {
    decided(number, Effect::Allow, Reason::Granted, rule("deploy", Effect::Allow, access))
}

fn command() -> Vec<Record<'static>> {
    let ended = Record::OperationEnded {
        operation: OperationNumber(1),
        outcome: OperationOutcome::Failed,
        status: "exit status 1".into(),
        code: Some("1".into()),
        rows: 0,
        bytes: 44,
        masked_values: 1,
        duration: Duration::from_millis(12),
    };
    vec![
        started(1, "exec", "tail -n 2 /var/log/app/app.log"),
        granted(1, "exec on tail -n 2 /var/log/app/app.log"),
        output(1, Stream::Output, b"user ***@example"),
        output(1, Stream::Error, b"tail: file truncated\n"),
        output(1, Stream::Output, b".com\nlast \x1b[1mline"),
        ended,
    ]
}

fn terminal() -> Vec<Record<'static>> {
    let operation = OperationNumber(3);
    vec![
        started(3, "shell", "shell"),
        granted(3, "shell on login deploy"),
        Record::Terminal { operation, term: "xterm-256color".into(), columns: 80, rows: 24 },
        output(3, Stream::Output, b"\x1b]0;deploy@web1\x07\x1b[?2004h$ "),
        output(3, Stream::Input, b"ls\r"),
        output(3, Stream::Output, b"ls\r\n\x1b[1;34mgr\xc3"),
        output(3, Stream::Output, b"\xb6\xc3\x9fe\x1b[0m \xff\x1b]52;c;cm0=\x07\r\n"),
        Record::Resized { operation, columns: 132, rows: 43 },
        Record::Gap { records: 2 },
        output(3, Stream::Output, b"\x1b[6n$ exit\r\n"),
        ended(3, OperationOutcome::Completed, "exit status 0"),
    ]
}

fn files() -> Vec<Record<'static>> {
    let operation = OperationNumber(4);
    vec![
        started(4, "sftp open", "sftp open /srv/app/release.tar for writing"),
        granted(4, "write on /srv/app/release.tar"),
        Record::Transferred {
            operation,
            path: "/srv/app/release.tar".into(),
            direction: Direction::Upload,
            bytes: 3_145_728,
            sha256: Some([0xab; 32]),
            whole: true,
        },
        Record::Transferred {
            operation,
            path: "/srv/app/\u{1b}[2Jlog".into(),
            direction: Direction::Download,
            bytes: 10,
            sha256: None,
            whole: false,
        },
    ]
}
