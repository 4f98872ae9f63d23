//! Bodies that come slowly: each part is shown when it is there, and no value with it.

use std::time::{Duration, Instant};

use tests::web::client::{WebClient, request};
use tests::web::{TOKEN, WebServer};
use tests::world::World;

/// The usual configuration, whose detectors look through every body.
fn world() -> World {
    World::with(WebServer::plain(), |usual| {
        usual.classification(
            "\n  - { tag: pii.email, detect: email, mask: partial }\n  \
             - { tag: pci.pan, detect: payment_card, mask: last4 }\n",
        )
    })
}

/// Reads until the body holds `part`, and says how long that took.
fn until(client: &mut WebClient, seen: &mut String, part: &str) -> Duration {
    let began = Instant::now();
    while !seen.contains(part) {
        let some = client.some();
        assert!(!some.is_empty(), "{part} is not in {seen}");
        seen.push_str(&String::from_utf8_lossy(&some));
    }
    began.elapsed()
}

fn open(world: &World, target: &str) -> (WebClient, String) {
    let mut client = world.web();
    client.send(request("GET", target, &[]));
    let head = client.head().unwrap();
    assert_eq!(head.status, 200, "{head:?}");
    (client, String::new())
}

/// A body in chunks, put together.
fn body(chunks: &str) -> String {
    let mut out = String::new();
    let mut rest = chunks;
    while let Some((size, behind)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        out.push_str(behind.get(..size).unwrap());
        rest = behind.get(size + 2..).unwrap();
    }
    out
}

#[test]
fn the_last_word_of_a_text_is_shown_though_nothing_follows() {
    let world = world();
    let (mut client, mut seen) = open(&world, "/drip/6000/text/plain?working%20on%20it,done%0A");
    let _ = until(&mut client, &mut seen, "working");
    let took = until(&mut client, &mut seen, "it");
    assert!(took < Duration::from_secs(3), "{took:?}");
    // A line is shown when it is there, its end with it.
    let (mut client, mut seen) = open(&world, "/drip/6000/text/plain?line%20one%0A,line%20two%0A");
    let took = until(&mut client, &mut seen, "\r\n\n\r\n");
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn lines_and_events_are_shown_when_they_are_complete() {
    let world = world();
    for (kind, pieces) in [
        ("application/x-ndjson", "{%22a%22:1}%0A,{%22b%22:%22x@y.example%22}%0A"),
        ("application/json", "{%22a%22:1},{%22b%22:2}"),
        ("text/event-stream", "data:%20{%22a%22:1}%0A%0A,data:%202%0A%0A"),
    ] {
        let (mut client, mut seen) = open(&world, &format!("/drip/5000/{kind}?{pieces}"));
        let took = until(&mut client, &mut seen, "{\"a\":1}");
        assert!(took < Duration::from_secs(2), "{kind}: {took:?}");
    }
}

#[test]
fn a_value_that_comes_in_halves_is_never_put_together() {
    let world = world();
    for (pause, pieces) in [
        (300, "write%20to%20customer1@mail,.example%20now%0A"),
        (800, "write%20to%20custo,mer1@mail.example%20now%0A"),
        (2600, "write%20to%20customer1@mail,.example%20now%0A"),
        (800, "pay%20with%20555,5555555554444%20now%0A"),
        (2600, "pay%20with%205555555555,554444%20now%0A"),
    ] {
        let (mut client, mut seen) = open(&world, &format!("/drip/{pause}/text/plain?{pieces}"));
        let _ = until(&mut client, &mut seen, "0\r\n\r\n");
        let body = body(&seen);
        assert!(!body.contains("customer1@mail.example"), "{pause} {pieces}: {body}");
        assert!(!body.contains("5555555555554444"), "{pause} {pieces}: {body}");
        assert!(body.contains('*') && body.ends_with(" now\n"), "{pause} {pieces}: {body}");
    }
}

#[test]
fn a_secret_that_comes_in_halves_is_starred() {
    let world = World::with(WebServer::plain(), |usual| usual.classification(""));
    for cut in [1, 3, 4, 12] {
        let (head, tail) = TOKEN.split_at(cut);
        let target = format!("/drip/900/text/plain?it%20is%20{head},{tail}%20now%0A");
        let (mut client, mut seen) = open(&world, &target);
        let _ = until(&mut client, &mut seen, "0\r\n\r\n");
        let body = body(&seen);
        // At most three characters of it were shown before it was known.
        assert!(!body.contains(TOKEN.get(4..8).unwrap()), "{cut}: {body}");
        assert!(!body.contains(TOKEN.get(..4).unwrap()), "{cut}: {body}");
        assert!(body.contains("****") && body.ends_with(" now\n"), "{cut}: {body}");
    }
    // What only begins like it is shown.
    let (mut client, mut seen) = open(&world, "/drip/6000/text/plain?vatican,%20city");
    let _ = until(&mut client, &mut seen, "vati");
    let took = until(&mut client, &mut seen, "can");
    assert!(took < Duration::from_secs(3), "{took:?}");
}
