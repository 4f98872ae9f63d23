//! What is kept of a result, and what never reaches the disk.

use std::path::Path;
use std::time::Duration;

use model::OperationNumber;
use model::audit::SessionEnd;

use super::world::{self, World};
use crate::recording::*;

const CANARY: &str = "canary-7f3a91";

fn rows_kept(world: &World) -> (usize, Vec<Record<'static>>) {
    let reader = open(&world.directory(), world::SESSION, &world.trust()).unwrap();
    let records: Vec<_> = reader.map(|entry| entry.unwrap().record).collect();
    let rows = records.iter().filter(|record| matches!(record, Record::ResultRow { .. })).count();
    (rows, records)
}

/// Looks through every block of every recording, decompressed, and every other byte on disk.
fn on_disk(directory: &Path, needle: &str) -> bool {
    let mut found = false;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found |= on_disk(&path, needle);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        found |= memchr::memmem::find(&bytes, needle.as_bytes()).is_some();
        let Ok(reader) = Reader::open_path(&path, &Trust::AnyKey) else { continue };
        found |= reader.map(Result::unwrap).any(|entry| {
            let plain = format!("{:?}", entry.record);
            let values = match &entry.record {
                Record::ResultRow { values, .. }
                | Record::OperationStarted { parameters: values, .. } => values.to_vec(),
                _ => Vec::new(),
            };
            let output = match &entry.record {
                Record::Output { bytes, .. } => memchr::memmem::find(bytes, needle.as_bytes()),
                _ => None,
            };
            plain.contains(needle)
                || output.is_some()
                || values.iter().any(|value| match value {
                    Value::Null => false,
                    Value::Whole(bytes) | Value::Cut { kept: bytes, .. } => {
                        memchr::memmem::find(bytes, needle.as_bytes()).is_some()
                    }
                })
        });
    }
    found
}

#[tokio::test]
async fn a_result_is_kept_to_its_limit_and_the_rest_is_counted() {
    let world = World::with(|settings| settings.recorded_result_bytes_max = 1000);
    let mut session = world.recorder.begin(world::header()).await.unwrap();
    let operation = OperationNumber(1);
    session.push_columns(operation, ["id", "name"].into_iter()).unwrap();
    let cell = [b'x'; 150];
    for _ in 0..10 {
        session.push_row(operation, [Some(cell.as_slice()), None].into_iter()).unwrap();
    }
    assert!(session.result_is_full(operation));
    session.skip_rows(operation, 90, 13_500);
    session.finish(SessionEnd::Client);
    world.sealed().await;
    let (rows, records) = rows_kept(&world);
    // Six whole rows are 900 bytes; of the seventh 100 are kept.
    assert_eq!(rows, 7);
    let cut = Value::Cut { kept: cell[..100].to_vec().into(), bytes_total: 150 };
    assert!(
        records.contains(&Record::ResultRow { operation, values: vec![cut, Value::Null].into() })
    );
    assert!(records.contains(&Record::ResultOmitted { operation, rows: 93, bytes: 13_950 }));
}

#[tokio::test]
async fn each_operation_has_the_limit_for_itself() {
    let world = World::with(|settings| settings.recorded_result_bytes_max = 10);
    let mut session = world.recorder.begin(world::header()).await.unwrap();
    for number in 1..=3 {
        for _ in 0..2 {
            let record = Record::ResultRow {
                operation: OperationNumber(number),
                values: vec![world::value("0123456789")].into(),
            };
            session.push(&record).unwrap();
        }
    }
    session.finish(SessionEnd::Client);
    world.sealed().await;
    let (rows, records) = rows_kept(&world);
    assert_eq!(rows, 3);
    for number in 1..=3 {
        let operation = OperationNumber(number);
        assert!(records.contains(&Record::ResultOmitted { operation, rows: 1, bytes: 10 }));
    }
}

#[tokio::test]
async fn d5_what_was_not_to_be_kept_is_nowhere_on_disk() {
    let world = World::with(|settings| settings.recorded_result_bytes_max = 64);
    let mut session = world.recorder.begin(world::header()).await.unwrap();
    let operation = OperationNumber(1);
    let shown = "shown to the workload";
    let late = format!("{}{CANARY}", "x".repeat(64));
    session
        .push(&Record::OperationStarted {
            operation,
            kind: "insert".into(),
            text: "insert into notes values ($1)".into(),
            parameters: vec![Some(late.as_str()).into()].into(),
        })
        .unwrap();
    session.push_row(operation, [Some(shown.as_bytes())].into_iter()).unwrap();
    session.push_row(operation, [Some(late.as_bytes())].into_iter()).unwrap();
    session.push_row(operation, [Some(CANARY.as_bytes())].into_iter()).unwrap();
    session.finish(SessionEnd::Client);
    world.sealed().await;
    // The search finds what is there, compressed as it is, and so would find the canary.
    assert!(on_disk(&world.directory(), shown));
    assert!(!on_disk(&world.directory(), CANARY));
}

#[tokio::test]
async fn the_seal_counts_what_the_session_did() {
    let world = World::new();
    let path = world.record(&world::story(), SessionEnd::Client).await;
    let seal = verify(&path, &world.trust()).unwrap().seal.unwrap();
    assert_eq!(
        seal.counts,
        Counts { operations: 3, denied: 1, held: 1, failed: 0, rows: 6, masked_values: 6 }
    );
    assert_eq!(seal.records_lost, 0);
}

fn output(number: u64, stream: Stream, bytes: &[u8]) -> Record<'_> {
    Record::Output { operation: Some(OperationNumber(number)), stream, bytes: bytes.into() }
}

fn end_of(number: u64) -> Record<'static> {
    Record::OperationEnded {
        operation: OperationNumber(number),
        outcome: OperationOutcome::Completed,
        status: "exit status 0".into(),
        code: None,
        rows: 0,
        bytes: 30,
        masked_values: 0,
        duration: Duration::ZERO,
    }
}

#[tokio::test]
async fn a_commands_output_is_kept_up_to_its_limit_and_a_terminals_whole() {
    let world = World::with(|settings| settings.recorded_result_bytes_max = 10);
    let mut session = world.recorder.begin(world::header()).await.unwrap();
    let operation = OperationNumber(2);
    let opened = Record::Terminal { operation, term: "vt100".into(), columns: 80, rows: 24 };
    session.push(&opened).unwrap();
    // Two operations at once, each with a budget a stream.
    for _ in 0..5 {
        session.push(&output(1, Stream::Output, b"abcdef")).unwrap();
        session.push(&output(1, Stream::Error, b"no")).unwrap();
        session.push(&output(2, Stream::Output, b"abcdef")).unwrap();
    }
    session.push(&end_of(1)).unwrap();
    session.push(&end_of(2)).unwrap();
    session.finish(SessionEnd::Client);
    world.sealed().await;
    let reader = open(&world.directory(), world::SESSION, &world.trust()).unwrap();
    let records: Vec<_> = reader.map(|entry| entry.unwrap().record).collect();
    let kept = |wanted: u64, of: Stream| {
        let bytes = records.iter().filter_map(|record| match record {
            Record::Output { operation: Some(number), stream, bytes }
                if number.0 == wanted && *stream == of =>
            {
                Some(bytes.len())
            }
            _ => None,
        });
        bytes.sum::<usize>()
    };
    assert_eq!(
        (kept(1, Stream::Output), kept(1, Stream::Error), kept(2, Stream::Output)),
        (10, 10, 30)
    );
    let omitted: Vec<_> =
        records.iter().filter(|one| matches!(one, Record::ResultOmitted { .. })).collect();
    assert_eq!(
        omitted,
        [&Record::ResultOmitted { operation: OperationNumber(1), rows: 0, bytes: 20 }]
    );
}
