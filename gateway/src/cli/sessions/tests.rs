//! Recordings as the commands show them, made by the recorder itself.

use model::audit::SessionEnd;

use super::*;
use crate::recording::tests::world::{SESSION, World, story as recorded};

const PLAIN: Look = Look { color: false, width: None };

#[tokio::test]
async fn a_session_is_listed_shown_and_verified() {
    let world = World::new();
    world.record(&recorded(), SessionEnd::Client).await;
    let directory = world.directory();

    let found = recording::list(&directory, &Filter::default()).unwrap();
    let facts: Vec<_> = found.into_iter().map(SessionFacts::from).collect();
    let listed = render_list(&facts, &PLAIN);
    assert_eq!(listed.lines().count(), 2, "{listed}");
    for word in [SESSION.to_string().as_str(), "nightly-report", "analytics", "client"] {
        assert!(listed.contains(word), "{word} in {listed}");
    }

    let (shown, text) = story(&directory, SESSION).unwrap();
    let seal = shown.session.seal.as_ref().unwrap();
    assert!(shown.verified.good && seal.counts.operations > 0);
    assert!(text.contains("nightly-report"), "{text}");
    let end = render_end(&shown, &PLAIN);
    assert!(end.contains("sealed") && end.contains(": client"), "{end}");

    let json = serde_json::to_value(&shown).unwrap();
    assert_eq!(json.pointer("/session").unwrap(), &SESSION.to_string());
    assert_eq!(json.pointer("/verified/verdict").unwrap(), "sealed");
    assert!(json.pointer("/seal/counts/denied").is_some());
}

#[tokio::test]
async fn what_the_workload_was_shown_is_for_replay_alone() {
    let world = World::new();
    world.record(&recorded(), SessionEnd::Client).await;
    let (_, text) = story(&world.directory(), SESSION).unwrap();
    assert!(text.contains("from users where id < $1"), "{text}");
    assert!(text.contains("drop table old_users"), "{text}");
    let reader = recording::open(&world.directory(), SESSION, &Trust::AnyKey).unwrap();
    let header = reader.header().clone();
    let entries: Vec<_> = reader.map(Result::unwrap).collect();
    let replayed = recording::replay::render(&header, &entries, &Options::default());
    assert!(replayed.contains("a***@example.com"), "{replayed}");
    assert!(!text.contains("a***@example.com"), "{text}");
}

#[tokio::test]
async fn an_edited_recording_is_called_broken() {
    let world = World::new();
    let path = world.record(&recorded(), SessionEnd::Client).await;
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let report = recording::verify(&path, &Trust::AnyKey).unwrap();
    let facts = VerifyFacts::new(path, &report);
    assert!(!facts.good);
    let text = render_verify(&[facts], &PLAIN);
    assert!(text.starts_with("broken ses_"), "{text}");
}

#[test]
fn a_session_that_is_not_there_is_impossible_not_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let failure = story(directory.path(), SESSION).unwrap_err();
    assert_eq!(failure.exit(), Exit::Impossible);
    assert!(failure.remedy().is_some());
    assert_eq!(render_list(&[], &PLAIN), "no recorded sessions\n");
}

#[test]
fn spans_are_read_as_people_write_them() {
    for (text, seconds) in [("90s", 90), ("30m", 1_800), ("24h", 86_400), ("7d", 604_800)] {
        assert_eq!(parse_span(text), Ok(Duration::from_secs(seconds)));
    }
    for text in ["", "7", "d", "-1h", "1w", "1.5h", "é"] {
        assert!(parse_span(text).is_err(), "{text}");
    }
}
