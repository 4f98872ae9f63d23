//! Masking of bodies, in every form and coding.

use tests::assert_eventually;
use tests::web::WebServer;
use tests::web::people::RAW_VALUES;
use tests::world::{World, text_of};

use super::bare;

#[test]
fn every_form_and_coding_is_masked() {
    let (world, _) = super::world();
    let mut client = world.web();
    for form in ["json", "lines", "events", "form", "gzip", "deflate", "zstd", "br"] {
        let answered = client.get(&format!("/people/{form}"));
        assert_eq!(answered.status, 200, "{form}: {answered:?}");
        let text = answered.text();
        for raw in RAW_VALUES {
            assert!(!text.contains(raw), "{form}: {text}");
            assert!(!text.contains(&raw.replace('@', "%40")), "{form}: {text}");
        }
        assert!(text.contains("4444"), "{form}: the last four digits are shown: {text}");
        assert!(text.contains("Ann"), "{form}: {text}");
        assert_eq!(answered.header("content-encoding"), None, "{form}");
    }
}

#[test]
fn detectors_look_through_texts_of_other_paths() {
    let server = WebServer::plain();
    let world = World::with(server, |usual| {
        usual.classification("\n  - { tag: pii.email, detect: email, mask: partial }\n  - { tag: pci.pan, detect: payment_card, mask: last4 }\n")
    });
    let mut client = world.web();
    for form in ["text", "json", "lines", "events", "form", "gzip"] {
        let answered = client.get(&format!("/people/{form}"));
        assert_eq!(answered.status, 200, "{form}: {answered:?}");
        for raw in RAW_VALUES {
            assert!(!answered.text().contains(raw), "{form}: {}", answered.text());
        }
    }
    // What is no text is not looked through.
    assert_eq!(client.get("/people/bytes").status, 200);
}

#[test]
fn what_cannot_be_masked_is_not_shown() {
    let (world, _) = super::world();
    for form in ["bytes", "utf-16", "unknown-coding", "text"] {
        let answered = world.web().get(&format!("/people/{form}"));
        assert_eq!(answered.status, 502, "{form}: {answered:?}");
        assert_eq!(answered.json()["type"], "urn:portcullis:masking");
        for raw in RAW_VALUES {
            assert!(!answered.text().contains(raw));
        }
    }
}

#[test]
fn a_body_that_grows_beyond_any_ratio_is_refused_and_ends_the_connection() {
    let (world, _) = super::world();
    let mut client = world.web();
    client.send(tests::web::client::request("GET", "/people/bomb", &[]));
    let answered = client.answer().expect("an answer");
    assert_eq!((answered.status, answered.header("connection")), (502, Some("close")));
    assert_eq!(answered.json()["type"], "urn:portcullis:masking");
    assert!(client.answer().is_none(), "it goes on");
    let line = world.event("session_ended", |_| true);
    assert_eq!(line["cause"], "protocol_violation", "{line}");
}

#[test]
fn what_says_something_of_the_bytes_is_taken_out_with_them() {
    let server = WebServer::plain();
    let world = World::with(server, |mut usual| {
        usual.classification = usual.classification.replace("/switch/**", "/bytes");
        usual
    });
    let fields = ["Range: bytes=0-3", "If-None-Match: \"abc\"", "Accept-Encoding: gzip"];
    let answered = world.web().ask("GET", "/bytes", &fields);
    assert_eq!(answered.status, 200);
    for name in ["etag", "accept-ranges", "digest", "content-md5"] {
        assert_eq!(answered.header(name), None, "{name}: {answered:?}");
    }
    // The length that is said is the one that is shown.
    assert_eq!(answered.header("content-length"), Some(&*answered.body.len().to_string()));
    assert!(answered.is_whole && answered.header("transfer-encoding").is_none());
    let seen = server.last_seen();
    assert_eq!((seen.header("range"), seen.header("if-none-match")), (None, None));
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
    // A route without masks keeps all of it.
    let world = World::with(server, bare);
    let answered = world.web().ask("GET", "/bytes", &fields);
    assert_eq!(answered.header("etag"), Some("\"abc\""));
    assert_eq!(server.last_seen().header("range"), Some("bytes=0-3"));
}

#[test]
fn who_may_see_a_tag_sees_it() {
    let server = WebServer::plain();
    let world = World::with(server, |mut usual| {
        usual.roles =
            usual.roles.replace("    rules:", "    unmask: [pii.email, pci.pan]\n    rules:");
        usual
    });
    let answered = world.web().get("/people/json");
    assert_eq!(answered.text(), tests::web::people::JSON);
}

#[test]
fn recordings_hold_what_was_shown() {
    let (world, _) = super::world();
    let mut client = world.web();
    let shown = client.get("/people/json").text();
    let _ = client.ask("DELETE", "/users/7", &[]);
    client.send(tests::web::client::request("POST", "/echo", &["Content-Length: 9"]) + "a message");
    let _ = client.answer();
    drop(client);
    let ended = world.event("session_ended", |_| true);
    assert!(ended["masked_values"].as_u64().unwrap() >= 4, "{ended}");
    assert_eventually!(world.recordings().iter().all(|(report, _)| report.ok()));
    let recordings = world.recordings();
    let text: String = recordings.iter().map(|(_, entries)| text_of(entries)).collect();
    let first = shown.split(',').nth(2).unwrap();
    assert!(text.contains(first), "{first} in {text}");
    assert!(text.contains("a message"), "{text}");
    assert!(text.contains("/users/7"), "{text}");
    for raw in RAW_VALUES {
        assert!(!text.contains(raw));
    }
}
