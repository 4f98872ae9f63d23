//! Prints what recording costs: nanoseconds a `push` on the way of an operation, and how much the
//! writer takes. Run it with optimisation; arguments: number of operations, number of sessions.
//!
//! Owns nothing; writes to a directory under the system's temporary one and removes it.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use gateway::recording::{
    OperationOutcome, Record, Recorder, RecorderSettings, SessionHeader, SessionRecorder,
    SigningKey, Trust, find, verify,
};
use gateway::telemetry::Events;
use model::audit::{AuditEvent, SessionEnd};
use model::{
    Attestation, Binding, CgroupId, Clock, DecidingRule, Effect, Limits, OperationNumber,
    PolicyDigest, Principal, ProcessFacts, Protocol, Reason, SessionId, Timestamp, UserFacts,
};

#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
    }
}

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Result<(), Failure> {
    let argument = |place, default| {
        std::env::args().nth(place).and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let operations: u64 = argument(1, 300_000);
    let sessions: u64 = argument(2, 32);
    let directory = std::env::temp_dir().join(format!("recorder_speed.{}", std::process::id()));
    let outcome = measure(&directory, operations, sessions).await;
    std::fs::remove_dir_all(&directory)?;
    outcome
}

async fn measure(directory: &Path, operations: u64, sessions: u64) -> Result<(), Failure> {
    let (events, sink) = Events::in_memory(Arc::new(SystemClock));
    let settings = RecorderSettings::new(directory, &Limits::default());
    let key = SigningKey::generate()?;
    let trust = Trust::Keys(vec![key.public()]);
    let recorder = Recorder::start(settings, key, Arc::new(SystemClock), events.clone())?;

    let began = Instant::now();
    let mut open = Vec::new();
    for number in 0..sessions {
        open.push(recorder.begin(header(u128::from(number))).await?);
    }
    say("begin, each", began.elapsed() / u32::try_from(sessions)?);

    let began = Instant::now();
    let mut pushing = Duration::ZERO;
    for round in 0..operations / sessions {
        for session in &mut open {
            session.ready().await?;
            let one = Instant::now();
            operation(session, OperationNumber(round + 1))?;
            pushing += one.elapsed();
        }
    }
    let records = operations / sessions * sessions * 3;
    say("push, each", pushing / u32::try_from(records)?);
    say("ready and push, an operation (3 records)", began.elapsed() / u32::try_from(operations)?);

    let mut rows = Duration::ZERO;
    let row = [Some(b"17".as_slice()), Some(b"a***@example.com".as_slice()), None];
    if let Some(session) = open.first_mut() {
        for number in 0..operations {
            let one = OperationNumber(operations + number / 500);
            let start = Instant::now();
            session.push_row(one, row.into_iter())?;
            rows += start.elapsed();
            session.ready().await?;
        }
    }
    say("push_row of 3 values, each", rows / u32::try_from(operations)?);

    for session in open {
        session.finish(SessionEnd::Client);
    }
    let sealed = |event: &AuditEvent| matches!(event, AuditEvent::RecordingSealed { .. });
    while sink.events().iter().filter(|event| sealed(event)).count() < usize::try_from(sessions)? {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let whole = began.elapsed();
    let metrics = events.metrics().render();
    let read = |name: &str| -> f64 {
        let line = metrics.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(f64::NAN)
    };
    let plain = read("portcullis_recording_plain_bytes_total") / 1e6;
    let written = read("portcullis_recording_bytes_total") / 1e6;
    let rate = plain / whole.as_secs_f64();
    out(&format!("records: {plain:.1} MB, on disk {written:.1} MB; end to end {rate:.0} MB/s"));

    let path = find(directory, SessionId::from_u128(0))?;
    let began = Instant::now();
    let report = verify(&path, &trust)?;
    if !report.ok() {
        return Err(format!("the recording does not hold: {report:?}").into());
    }
    out(&format!("verify: {} records in {:?}", report.records, began.elapsed()));
    Ok(())
}

/// What the session states for each point query.
fn operation(session: &mut SessionRecorder, operation: OperationNumber) -> Result<(), Failure> {
    session.push(&Record::OperationStarted {
        operation,
        kind: "select".into(),
        text: "SELECT abalance FROM pgbench_accounts WHERE aid = 4711;".into(),
        parameters: Cow::Borrowed(&[]),
    })?;
    let rules = rules();
    session.push(&Record::Decided {
        operation,
        effect: Effect::Allow,
        observed_only: false,
        reason: Cow::Borrowed(&Reason::Granted),
        rules: Cow::Borrowed(rules),
    })?;
    session.push(&Record::OperationEnded {
        operation,
        outcome: OperationOutcome::Completed,
        status: "SELECT 1".into(),
        code: None,
        rows: 1,
        bytes: 62,
        masked_values: 0,
        duration: Duration::from_micros(87),
    })?;
    Ok(())
}

fn rules() -> &'static [DecidingRule] {
    static RULES: std::sync::OnceLock<[DecidingRule; 1]> = std::sync::OnceLock::new();
    RULES.get_or_init(|| {
        [DecidingRule {
            role: "report-reader".into(),
            rule: "read-analytics".into(),
            effect: Effect::Allow,
            access: "select on bench.public.pgbench_accounts(abalance, aid)".into(),
        }]
    })
}

fn header(number: u128) -> SessionHeader {
    SessionHeader {
        session: SessionId::from_u128(number),
        started_us: SystemClock.now(),
        principal: Principal {
            workload: "bench".into(),
            token: None,
            groups: std::collections::BTreeSet::new(),
        },
        target: "bench".into(),
        environment: None,
        protocol: Protocol::Postgres,
        binding: Binding {
            original: ([127, 0, 0, 1], 5432).into(),
            cgroup: CgroupId(1),
            process: ProcessFacts {
                tgid: 1,
                tid: 1,
                start_boottime_ns: 0,
                exec_id: 0,
                executable: None,
                comm: String::from("pgbench"),
            },
            user: UserFacts { uid: 0, gid: 0, login_uid: None },
            socket_cookie: 1,
            netns_cookie: 1,
            connected_boottime_ns: 0,
        },
        attestation: Attestation {
            cgroup_path: String::from("/bench.slice"),
            systemd_unit: None,
            container: None,
            user_name: None,
            executable: None,
            executable_file: None,
            executable_unknown_because: None,
        },
        policy: PolicyDigest::from_bytes([0; 32]),
    }
}

fn say(what: &str, took: Duration) {
    out(&format!("{what}: {} ns", took.as_nanos()));
}

#[expect(clippy::print_stdout, reason = "printing is what this program is for")]
fn out(line: &str) {
    println!("{line}");
}
