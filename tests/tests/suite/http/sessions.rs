//! Sessions of HTTP as operators handle them: ended in the middle.

use std::io::{Read, Write};

use model::SessionId;
use model::audit::SessionEnd;
use tests::assert_eventually;
use tests::web::WebServer;
use tests::web::client::request;
use tests::world::World;

use super::bare;

/// What `portcullis sessions kill` has the daemon do.
fn kill(world: &World) {
    let listed = world.gateway().proxy().connections().list();
    let session: SessionId = listed.first().unwrap().card.session;
    let card = world.gateway().proxy().connections().card(session).unwrap();
    card.ending().end(SessionEnd::Killed);
}

fn assert_killed(world: &World) {
    assert_eventually!(world.open_connections() == 0);
    let _ = world.event("session_ended", |line| line["cause"] == "killed");
    assert_eventually!(world.recordings().iter().all(|(report, _)| report.ok()));
}

#[test]
fn an_idle_connection_ends_at_once() {
    let world = World::with(WebServer::plain(), bare);
    let mut client = world.web();
    assert_eq!(client.get("/show/x").status, 200);
    kill(&world);
    assert!(client.answer().is_none());
    assert_killed(&world);
}

#[test]
fn an_answer_is_broken_off_and_cannot_be_taken_for_whole() {
    let server = WebServer::plain();
    let world = World::with(server, bare);
    let mut client = world.web();
    client.send(request("GET", "/slow", &[]));
    assert_eq!(client.head().unwrap().status, 200);
    assert!(client.begins());
    kill(&world);
    let rest = client.rest();
    assert!(!rest.ends_with(b"0\r\n\r\n"), "{}", String::from_utf8_lossy(&rest));
    assert_killed(&world);
    // What was recorded of it says that it did not come to its end.
    let text: String =
        world.recordings().iter().map(|(_, all)| tests::world::text_of(all)).collect();
    assert!(text.contains("\"count\":0") && text.contains("Failed"), "{text}");
}

#[test]
fn a_hold_goes_with_its_connection() {
    let (world, server) = super::world();
    let mut client = world.web();
    client.send(request("PUT", "/drop/x", &["Content-Length: 0"]));
    assert_eventually!(!world.holds().is_empty());
    kill(&world);
    assert_eventually!(world.holds().is_empty(), "the hold outlives its session");
    assert!(client.answer().is_none());
    assert_eq!(server.heard(), "");
    assert_killed(&world);
}

#[test]
fn a_websocket_is_cut_off() {
    let server = WebServer::plain();
    let world = World::with(server, bare);
    let mut client = world.web();
    client.send(request(
        "GET",
        "/switch/it",
        &[
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ],
    ));
    assert_eq!(client.head().unwrap().status, 101);
    let mut stream = client.stream().try_clone().unwrap();
    stream.write_all(&[0x81, 0x81, 0, 0, 0, 0, b'x']).unwrap();
    let mut back = [0; 3];
    stream.read_exact(&mut back).unwrap();
    kill(&world);
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(rest.is_empty(), "{rest:?}");
    assert_killed(&world);
}
