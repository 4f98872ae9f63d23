//! A disk that is full, slow or away: the session is told, and nothing is lost unsaid.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use model::audit::{AuditEvent, SessionEnd};
use model::{OperationNumber, SessionId};

use super::world::{self, World};
use crate::recording::*;

/// Each write to it fails for want of space.
fn full_disk() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

fn note(text: &str) -> Record<'_> {
    Record::Note { text: text.into() }
}

async fn until(mut reached: impl FnMut() -> bool) {
    for _ in 0..5000 {
        if reached() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("it was not reached within five seconds");
}

fn notes(world: &World) -> Vec<String> {
    let reader = open(&world.directory(), world::SESSION, &world.trust()).unwrap();
    reader
        .filter_map(|entry| match entry.unwrap().record {
            Record::Note { text } => Some(text.into_owned()),
            Record::Gap { records } => Some(format!("gap of {records}")),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn d5_a_full_disk_refuses_operations_until_it_has_room_and_loses_nothing() {
    let world = World::new();
    let mut session = world.recorder.begin(world::header()).await.unwrap();
    let mut other = {
        let header = world::header_of(SessionId::from_u128(2), world::START);
        world.recorder.begin(header).await.unwrap()
    };
    session.push(&note("before")).unwrap();
    let path = find(&world.directory(), world::SESSION).unwrap();
    let before = std::fs::metadata(&path).unwrap().len();
    until(|| std::fs::metadata(&path).unwrap().len() > before).await;

    let shared = session.shared();
    let disk = shared.file.lock().replace(full_disk());
    session.push(&note("while full, not known yet")).unwrap();
    until(|| !world.recorder.healthy()).await;
    let error = session.push(&note("while full")).unwrap_err();
    assert!(error.to_string().contains("No space left"), "{error}");
    assert_eq!(session.ready().await, Err(error.clone()));
    assert_eq!(other.ready().await, Err(error), "the disk is everybody's");
    let failed = |event| matches!(event, AuditEvent::RecordingFailed { .. }).then_some(());
    world.event(failed).await;

    shared.file.lock().replace(disk);
    until(|| world.recorder.healthy()).await;
    until(|| session.push(&note("after")).is_ok()).await;
    assert_eq!(other.ready().await, Ok(()));
    session.ready().await.unwrap();
    session.finish(SessionEnd::Client);
    world.sealed().await;
    assert!(verify(&path, &world.trust()).unwrap().ok());
    let mut kept = notes(&world);
    kept.dedup();
    assert_eq!(kept, ["before", "while full, not known yet", "while full", "after"]);
}

#[tokio::test]
async fn a_session_that_ends_on_a_full_disk_is_sealed_when_there_is_room() {
    let world = World::new();
    let mut session = world.recorder.begin(world::header()).await.unwrap();
    let shared = session.shared();
    let disk = shared.file.lock().replace(full_disk());
    session.push(&note("last words")).unwrap();
    session.finish(SessionEnd::Client);
    until(|| !world.recorder.healthy()).await;
    shared.file.lock().replace(disk);
    world.sealed().await;
    let path = find(&world.directory(), world::SESSION).unwrap();
    assert!(verify(&path, &world.trust()).unwrap().ok());
    assert_eq!(notes(&world), ["last words"]);
}

#[tokio::test]
async fn a_recording_that_cannot_be_created_is_an_error_and_an_event() {
    let world = World::new();
    std::fs::write(world.directory(), "a file where the directory should be").unwrap();
    let error = world.recorder.begin(world::header()).await.unwrap_err();
    assert!(matches!(error, RecordingError::NotCreated { .. }), "{error}");
    assert_eq!(world.recorder.health(), Err(error));
    let failed = |event| matches!(event, AuditEvent::RecordingFailed { .. }).then_some(());
    world.event(failed).await;
    std::fs::remove_file(world.directory()).unwrap();
    let session = world.recorder.begin(world::header()).await.unwrap();
    assert!(world.recorder.healthy());
    drop(session);
}

#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "the lock plays the disk that stands still")]
async fn d6_a_slow_disk_makes_the_session_wait_then_drops_with_a_gap_that_says_how_much() {
    let world = World::new();
    let mut session = world.recorder.begin(world::header()).await.unwrap();
    let shared = session.shared();
    let disk = shared.file.lock();
    let long = "x".repeat(60_000);
    for _ in 0..3 {
        session.push(&note(&long)).unwrap();
        // Lets the writer take the block and stand still before the file.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let waits = tokio::time::timeout(Duration::from_millis(50), session.ready()).await;
    assert!(waits.is_err(), "there was room: {waits:?}");
    let mut lost = 0_u64;
    for _ in 0..20 {
        match session.push(&note(&long)) {
            Ok(()) => assert_eq!(lost, 0, "room came back while the disk stood still"),
            Err(error) => {
                assert_eq!(error, RecordingError::Behind);
                lost += 1;
            }
        }
    }
    assert!(lost > 0);
    drop(disk);
    session.ready().await.unwrap();
    until(|| session.push(&note("room again")).is_ok()).await;
    session.finish(SessionEnd::Client);
    world.sealed().await;
    let path = find(&world.directory(), world::SESSION).unwrap();
    let report = verify(&path, &world.trust()).unwrap();
    assert!(report.ok(), "{report:?}");
    assert_eq!(report.seal.unwrap().records_lost, lost);
    let said = notes(&world);
    let place = said.iter().position(|note| *note == format!("gap of {lost}")).unwrap();
    assert_eq!(said.get(place + 1).map(String::as_str), Some("room again"));
}

#[tokio::test]
async fn a_record_that_is_too_large_is_refused_and_leaves_a_gap() {
    let world = World::new();
    let mut session = world.recorder.begin(world::header()).await.unwrap();
    let huge = "x".repeat(2 * 1024 * 1024);
    assert_eq!(session.push(&note(&huge)), Err(RecordingError::TooLarge));
    session.push(&note("fits")).unwrap();
    session.finish(SessionEnd::Client);
    world.sealed().await;
    assert_eq!(notes(&world), ["gap of 1", "fits"]);
}

#[tokio::test]
async fn a_session_dropped_without_an_end_is_sealed_with_that_as_its_cause() {
    let world = World::new();
    let mut session = world.recorder.begin(world::header()).await.unwrap();
    session.push(&note("then the driver panicked")).unwrap();
    drop(session);
    world.sealed().await;
    let path = find(&world.directory(), world::SESSION).unwrap();
    let report = verify(&path, &world.trust()).unwrap();
    assert!(report.ok());
    assert!(matches!(report.seal.unwrap().end, SessionEnd::Internal { .. }));
}

#[tokio::test]
async fn after_a_shutdown_nothing_begins_and_nothing_is_taken() {
    let world = World::new();
    let mut session = world.recorder.begin(world::header()).await.unwrap();
    world.recorder.shutdown(Duration::from_secs(5)).await.unwrap();
    let begun = world.recorder.begin(world::header_of(SessionId::from_u128(3), world::START)).await;
    assert_eq!(begun.unwrap_err(), RecordingError::Closed);
    assert_eq!(session.push(&note("late")), Err(RecordingError::Closed));
    assert_eq!(session.ready().await, Err(RecordingError::Closed));
}

#[tokio::test]
async fn files_are_their_owners_alone() {
    let world = World::new();
    let path = world.record(&world::story(), SessionEnd::Client).await;
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(mode(&world.directory()), 0o700);
    assert!(path.ends_with("2026-11-21/ses_00000000000000000000000001935e55.rec"), "{path:?}");
}

#[tokio::test]
async fn a_second_recording_of_the_same_session_does_not_overwrite_the_first() {
    let world = World::new();
    let path = world.record(&world::story(), SessionEnd::Client).await;
    let error = world.recorder.begin(world::header()).await.unwrap_err();
    assert!(matches!(error, RecordingError::NotCreated { .. }), "{error}");
    assert!(verify(&path, &world.trust()).unwrap().ok());
}

#[tokio::test]
async fn refusals_holds_and_ends_are_on_disk_without_the_timer() {
    let world = World::with(|settings| settings.flush_every = Duration::from_secs(3600));
    let mut session = world.recorder.begin(world::header()).await.unwrap();
    let path = find(&world.directory(), world::SESSION).unwrap();
    for record in &world::story() {
        session.push(record).unwrap();
        if record.is_urgent() {
            let operation = record.operation().unwrap_or(OperationNumber(0));
            until(|| {
                let reader = Reader::open_path(&path, &world.trust()).unwrap();
                let last = reader.last().map(Result::unwrap);
                last.is_some_and(|entry| entry.record == *record)
            })
            .await;
            assert!(operation.0 > 1, "an allowance is not urgent");
        }
    }
    session.finish(SessionEnd::Killed);
    world.sealed().await;
    assert!(verify(&path, &world.trust()).unwrap().ok());
}

#[tokio::test]
async fn a_session_that_goes_away_while_its_recording_is_made_leaves_a_sealed_one() {
    let world = World::new();
    {
        let begin = std::pin::pin!(world.recorder.begin(world::header()));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        drop(begin.poll(&mut context));
    }
    // The dropped future is the session's death; whether the writer answered before it or after, the
    // file is sealed.
    world.sealed().await;
    let path = find(&world.directory(), world::SESSION).unwrap();
    assert!(verify(&path, &world.trust()).unwrap().ok());
}
