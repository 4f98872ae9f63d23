use std::sync::atomic::AtomicUsize;

use insta::assert_snapshot;
use jsonwebtoken::Algorithm;
use serde_json::json;

use super::super::KEYS_BELIEVED;
use super::super::testing::{TestIssuer, jwks};
use super::*;
use crate::identity::testing::HandSetClock;

/// A source that says what it is told to, and counts how often it is asked.
#[derive(Debug)]
struct Told {
    answer: Mutex<Result<String, FetchError>>,
    asked: AtomicUsize,
    held: tokio::sync::Semaphore,
}

impl Told {
    fn new(answer: &str) -> Arc<Self> {
        let held = tokio::sync::Semaphore::new(1_000);
        Arc::new(Self {
            answer: Mutex::new(Ok(answer.to_owned())),
            asked: AtomicUsize::new(0),
            held,
        })
    }

    fn say(&self, answer: Result<&str, &str>) {
        *self.answer.lock() =
            answer.map(str::to_owned).map_err(|error| FetchError::Answer(error.to_owned()));
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl FetchKeys for Told {
    fn fetch(&self) -> BoxFuture<'_, Result<Vec<u8>, FetchError>> {
        Box::pin(async {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let _turn = self.held.acquire().await.unwrap();
            self.answer.lock().clone().map(String::into_bytes)
        })
    }
}

struct World {
    source: Arc<Told>,
    clock: Arc<HandSetClock>,
    keys: Arc<Keys>,
}

fn world(answer: &str) -> World {
    let (source, clock) = (Told::new(answer), HandSetClock::at_second(1_000_000));
    let origin = Origin::Asked(Arc::clone(&source) as _);
    let keys =
        Arc::new(Keys::new(String::from("corp"), origin, KEYS_BELIEVED, Arc::clone(&clock) as _));
    World { source, clock, keys }
}

fn set(kids: &[&'static str]) -> String {
    let issuers: Vec<TestIssuer> =
        kids.iter().map(|kid| TestIssuer::new(kid, Algorithm::ES256)).collect();
    jwks(&issuers.iter().collect::<Vec<_>>())
}

#[tokio::test]
async fn keys_are_asked_for_once_and_again_when_they_are_old() {
    let world = world(&set(&["a"]));
    for _ in 0..5 {
        world.keys.key("a").await.unwrap();
    }
    assert_eq!(world.source.asked(), 1);
    world.clock.pass(KEYS_FRESH);
    world.keys.key("a").await.unwrap();
    assert_eq!(world.source.asked(), 2);
    assert_eq!(world.keys.generation(), 1, "the same keys are no change");
}

#[tokio::test]
async fn an_unknown_key_is_asked_for_at_a_bounded_rate() {
    let world = world(&set(&["a"]));
    world.keys.key("a").await.unwrap();
    world.source.say(Ok(&set(&["a", "b"])));
    // Within the interval nothing is asked, whatever the tokens say.
    for _ in 0..100 {
        assert!(matches!(world.keys.key("b").await, Err(KeyError::Unknown { .. })));
    }
    assert_eq!(world.source.asked(), 1);
    world.clock.pass(ASK_INTERVAL_MIN);
    world.keys.key("b").await.unwrap();
    assert_eq!(world.source.asked(), 2);
    assert_eq!(world.keys.generation(), 2);
}

#[tokio::test]
async fn many_at_once_ask_once() {
    let world = world(&set(&["a"]));
    world.source.held.forget_permits(1_000);
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let keys = Arc::clone(&world.keys);
            tokio::spawn(async move { keys.key("a").await.map(|_| ()) })
        })
        .collect();
    while world.source.asked() == 0 {
        tokio::task::yield_now().await;
    }
    world.source.held.add_permits(1_000);
    for one in waiting {
        one.await.unwrap().unwrap();
    }
    assert_eq!(world.source.asked(), 1);
}

#[tokio::test]
async fn while_one_asks_again_others_go_on_with_the_keys_there_are() {
    let world = world(&set(&["a"]));
    world.keys.key("a").await.unwrap();
    world.clock.pass(KEYS_FRESH);
    world.source.held.forget_permits(1_000);
    let keys = Arc::clone(&world.keys);
    let asking = tokio::spawn(async move { keys.key("a").await.map(|_| ()) });
    while world.source.asked() < 2 {
        tokio::task::yield_now().await;
    }
    world.keys.key("a").await.unwrap();
    world.source.held.add_permits(1_000);
    asking.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_last_good_keys_serve_while_the_source_fails_but_not_for_ever() {
    let world = world(&set(&["a"]));
    world.keys.key("a").await.unwrap();
    world.source.say(Err("no route to host"));
    world.clock.pass(KEYS_FRESH);
    world.keys.key("a").await.unwrap();
    assert_snapshot!(
        world.keys.key("b").await.unwrap_err(),
        @"identity provider `corp` has no key `b` that can verify signatures (refresh failed: no route to host)"
    );
    world.clock.pass(KEYS_BELIEVED);
    assert_snapshot!(
        world.keys.key("a").await.unwrap_err(),
        @"the keys of identity provider `corp` are not to be had: the last good ones are too old; no route to host"
    );
    world.source.say(Ok(&set(&["c"])));
    world.clock.pass(ASK_INTERVAL_MIN);
    world.keys.key("c").await.unwrap();
    assert!(world.keys.key("a").await.is_err(), "a key that was taken away is gone");
}

#[tokio::test]
async fn what_is_no_key_set_is_an_answer_but_no_keys() {
    let many: Vec<_> = (0..=256).map(|_| json!({})).collect();
    for wrong in ["", "null", "[]", "{}", r#"{"keys": 7}"#, r#"{"keys": []}"#, "<html>"] {
        let world = world(wrong);
        assert!(matches!(world.keys.key("a").await, Err(KeyError::Unavailable { .. })), "{wrong}");
    }
    let world = world(&json!({ "keys": many }).to_string());
    assert_snapshot!(
        world.keys.key("a").await.unwrap_err(),
        @"the keys of identity provider `corp` are not to be had: it holds more than 256 keys"
    );
}

#[tokio::test]
async fn two_keys_with_one_id_prove_nothing() {
    let world = world(&set(&["a", "a", "b"]));
    world.keys.key("b").await.unwrap();
    assert_snapshot!(
        world.keys.key("a").await.unwrap_err(),
        @"the keys of identity provider `corp` are not to be had: two of them have the same id, which proves nothing"
    );
}

#[tokio::test]
async fn a_file_is_read_again_when_it_changes_and_a_broken_one_is_not_believed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("jwks.json");
    let clock = HandSetClock::at_second(1_000_000);
    let origin = Origin::File(path.clone());
    let keys = Keys::new(String::from("corp"), origin, KEYS_BELIEVED, Arc::clone(&clock) as _);
    let missing = keys.key("a").await.unwrap_err().to_string();
    assert!(missing.contains("jwks.json: No such file"), "{missing}");
    std::fs::write(&path, set(&["a"])).unwrap();
    keys.key("a").await.unwrap();
    assert_eq!(keys.generation(), 1);
    // Replaced by a rename, as careful operators do.
    let beside = directory.path().join("new");
    std::fs::write(&beside, set(&["b"])).unwrap();
    std::fs::rename(&beside, &path).unwrap();
    keys.key("b").await.unwrap();
    assert!(keys.key("a").await.is_err());
    assert_eq!(keys.generation(), 2);
    // Broken: the last good ones stay, for a while.
    std::fs::write(&path, "{").unwrap();
    keys.key("b").await.unwrap();
    clock.pass(KEYS_BELIEVED + Duration::from_secs(1));
    assert!(matches!(keys.key("b").await, Err(KeyError::Unavailable { .. })));
    std::fs::write(&path, "x".repeat(JWKS_BYTES_MAX + 1)).unwrap();
    assert!(keys.key("b").await.unwrap_err().to_string().contains("larger than"));
}
