//! What a statement costs inside the gateway, without a socket: reading and deciding it, and
//! looking through its answer.
//!
//! Owns the inner loops over the real parts, set up as a session sets them up. The best of many
//! short rounds counts: whatever else the machine does only adds.

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway::config::{ConfigFile, Settings};
use gateway::daemon::SystemClock;
use gateway::session::{CatalogBuilder, DatabaseKey, DatabaseScope, Databases, Readings};
use masking::{ScanSet, Transforms};
use model::{Clock, Detector, DetectorMask, MaskProfile, Principal, Secret, Transform};
use sql::AnalysisLimits;
use sql::catalog::RelationKind;

const POLICY: &str = "\
state_directory: /nowhere
govern: host
workloads: [{ name: bench, match: { user: bench }, groups: [bench] }]
targets: [{ name: bench, protocol: postgres, addresses: [\"127.0.0.1:5432\"], credential: { user: bench } }]
roles:
  - name: bench
    groups: [bench]
    rules:
      - { id: connect, effect: allow, target: bench }
      - { id: read, effect: allow, target: bench, sql: { actions: [select], objects: [\"bench.*\"] } }
      - { id: no-writes, effect: deny, target: bench, sql: { actions: [insert, update, delete, truncate] } }
classification:
  - { tag: pii.email, columns: [\"*.users.email\"], mask: partial }
";

/// Statements of one round, and rounds.
const STATEMENTS: u32 = 500;
const ROUNDS: u32 = 200;

/// Reads and decides a point query, known and new.
pub(super) fn statements() -> Result<String, Box<dyn Error>> {
    let file = ConfigFile { path: "bench.yaml".into(), text: POLICY.to_owned() };
    let settings = Settings::parse(&[file])?;
    let principal = Principal {
        workload: "bench".into(),
        token: None,
        groups: std::iter::once("bench".into()).collect(),
    };
    let standing = settings.policy.standing(&principal, &"bench".into());
    let clock = Arc::new(SystemClock);
    let readings = Readings::new(AnalysisLimits::default());
    let scope = scope(&readings, Arc::clone(&clock) as _);
    let judge = |text: &str| {
        let read = readings.read(text, &scope);
        black_box(standing.decide(&read.operation, clock.now()))
    };
    let decision = judge("SELECT abalance FROM pgbench_accounts WHERE aid = 1");
    if decision.effect != model::Effect::Allow {
        return Err(format!("the point query is not allowed: {decision:?}").into());
    }
    let cached = best(|_| {
        judge(black_box("SELECT abalance FROM pgbench_accounts WHERE aid = 1"));
    });
    let mut number = 0_u64;
    let mut with_another_number = |before: &str, after: &str| {
        best(|text| {
            number += 1;
            text.clear();
            text.push_str(before);
            text.push_str(&number.to_string());
            text.push_str(after);
            judge(text);
        })
    };
    // Known but for the number that it compares with.
    let alike = with_another_number("SELECT abalance FROM pgbench_accounts WHERE aid = ", "");
    // Nothing remembered helps.
    let uncached = with_another_number("SELECT abalance FROM pgbench_accounts WHERE aid IN (", ")");
    Ok(format!(r#"{{"cached_us":{cached},"alike_us":{alike},"uncached_us":{uncached}}}"#))
}

fn scope(readings: &Readings, clock: Arc<dyn Clock>) -> DatabaseScope {
    let databases = Databases::new(clock);
    let mut catalog = CatalogBuilder::new(databases.next_version());
    catalog.schema("public").relation(16_384, "public", "pgbench_accounts", RelationKind::Table);
    for (attribute, name) in [(1, "aid"), (2, "bid"), (3, "abalance"), (4, "filler")] {
        catalog.column(16_384, attribute, name, 23, false);
    }
    let key =
        DatabaseKey { target: "bench".into(), database: "bench".into(), user: "bench".into() };
    let snapshot = databases.keep(key, catalog.build());
    DatabaseScope::new(readings, sql::postgres::DIALECT, snapshot, Arc::from(["public".into()]))
}

/// Microseconds of one run, in the best round.
fn best(mut run: impl FnMut(&mut String)) -> f64 {
    let mut text = String::new();
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..STATEMENTS {
            run(&mut text);
        }
        best = best.min(began.elapsed() / STATEMENTS);
    }
    best.as_secs_f64() * 1e6
}

/// Looks through clean text, in pieces as columns are.
pub(super) fn detectors() -> Result<String, Box<dyn Error>> {
    let detectors = [Detector::PaymentCard, Detector::Email].map(|detector| DetectorMask {
        detector,
        tag: "bench".into(),
        transform: Transform::Last4,
    });
    let profile = MaskProfile { detectors: detectors.to_vec(), ..MaskProfile::default() };
    let set = ScanSet::new(&profile, Arc::new(Transforms::new(&Secret::new(vec![0; 32]))));
    let columns: Vec<String> = (0..10_000)
        .map(|row| match row % 4 {
            0 => format!("{} Avenida da Liberdade {}", row % 97, row % 911),
            1 => format!("2024-{:02}-{:02} 10:11:12.{row:06}", 1 + row % 12, 1 + row % 28),
            2 => format!("order {row} shipped to Lisbon, large and blue"),
            _ => format!("item {} of the catalogue", row % 4_999),
        })
        .collect();
    let bytes: usize = columns.iter().map(String::len).sum();
    let mut out = Vec::new();
    let mut found = 0;
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for column in &columns {
            out.clear();
            found += set.mask(black_box(column.as_bytes()), &mut out);
        }
        best = best.min(began.elapsed());
    }
    if found > 0 {
        return Err("the clean text is not clean".into());
    }
    #[expect(clippy::cast_precision_loss, reason = "a byte count far below 2^52")]
    let speed = bytes as f64 / best.as_secs_f64() / 1e9;
    Ok(format!(r#"{{"clean_gb_per_s":{speed}}}"#))
}
