//! Finding recordings again.

use std::time::Duration;

use model::audit::SessionEnd;
use model::{SessionId, Timestamp};

use super::world::{self, World};
use crate::recording::*;

const DAY: Duration = Duration::from_secs(86_400);

/// Sessions 1 to 4, a day apart; the fourth is still running.
async fn four_days() -> (World, SessionRecorder) {
    let world = World::new();
    let mut start = world::START;
    for number in 1..=3 {
        let mut header = world::header_of(SessionId::from_u128(number), start);
        header.target = if number == 2 { "orders".into() } else { "analytics".into() };
        let session = world.recorder.begin(header).await.unwrap();
        session.finish(SessionEnd::Client);
        start = start.after(DAY);
    }
    let running = world.recorder.begin(world::header_of(SessionId::from_u128(4), start)).await;
    world.recorder.begin(world::header_of(SessionId::from_u128(9), start)).await.unwrap();
    // Sealed in order, so the last seal is the last.
    let last = SessionId::from_u128(9);
    world
        .event(|event| match event {
            model::audit::AuditEvent::RecordingSealed { session, .. } if session == last => {
                Some(())
            }
            _ => None,
        })
        .await;
    std::fs::remove_file(find(&world.directory(), last).unwrap()).unwrap();
    (world, running.unwrap())
}

fn numbers(world: &World, filter: &Filter) -> Vec<u128> {
    let found = list(&world.directory(), filter).unwrap();
    found.iter().map(|summary| summary.header.session.as_u128()).collect()
}

#[tokio::test]
async fn recordings_are_listed_newest_first_with_their_ends() {
    let (world, _running) = four_days().await;
    let found = list(&world.directory(), &Filter::default()).unwrap();
    let sealed: Vec<_> = found
        .iter()
        .map(|summary| (summary.header.session.as_u128(), summary.seal.is_some()))
        .collect();
    assert_eq!(sealed, [(4, false), (3, true), (2, true), (1, true)]);
}

#[tokio::test]
async fn a_filter_narrows_by_target_workload_time_and_number() {
    let (world, _running) = four_days().await;
    let day = |days| Some(world::START.after(DAY * days));
    let cases = [
        (Filter { target: Some("orders".into()), ..Filter::default() }, vec![2]),
        (Filter { workload: Some("other".into()), ..Filter::default() }, vec![]),
        (Filter { since: day(1), ..Filter::default() }, vec![4, 3, 2]),
        (Filter { until: day(1), ..Filter::default() }, vec![1]),
        (Filter { since: day(1), until: day(3), ..Filter::default() }, vec![3, 2]),
        (Filter { limit: 2, ..Filter::default() }, vec![4, 3]),
        (Filter { since: Some(Timestamp(u64::MAX)), ..Filter::default() }, vec![]),
    ];
    for (filter, expected) in cases {
        assert_eq!(numbers(&world, &filter), expected, "{filter:?}");
    }
}

#[tokio::test]
async fn what_is_no_recording_is_passed_over() {
    let (world, _running) = four_days().await;
    let day = world.directory().join("2026-11-21");
    std::fs::write(day.join("empty.rec"), "").unwrap();
    std::fs::write(day.join("noise.rec"), [0xff; 5000]).unwrap();
    std::fs::write(day.join("readme.txt"), "hello").unwrap();
    std::fs::create_dir(world.directory().join("lost+found")).unwrap();
    assert_eq!(numbers(&world, &Filter::default()), [4, 3, 2, 1]);
}

#[test]
fn a_directory_that_does_not_exist_holds_no_recordings() {
    let nowhere = std::path::Path::new("/nonexistent/recordings");
    assert!(list(nowhere, &Filter::default()).unwrap().is_empty());
    let error = find(nowhere, SessionId::from_u128(1)).unwrap_err();
    assert!(matches!(error, ReadError::NotFound { .. }), "{error}");
}
