//! What follows an upgrade: WebSocket, and protocols that nobody here knows.

use std::io::{Read, Write};
use std::net::TcpStream;

use tests::assert_eventually;
use tests::web::WebServer;
use tests::web::client::{WebClient, request};
use tests::web::people::RAW_VALUES;
use tests::world::{World, text_of};

use super::{bare, role};

const WEBSOCKET: &[&str] = &[
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Extensions: permessage-deflate",
];

fn upgraded(world: &World, fields: &[&str]) -> TcpStream {
    let mut client: WebClient = world.web();
    client.send(request("GET", "/switch/it", fields));
    let answered = client.head().unwrap();
    assert_eq!(answered.status, 101, "{answered:?}");
    client.stream().try_clone().unwrap()
}

/// A frame of a client, masked with a key.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let key = [1, 2, 3, 4];
    let mut out = vec![0x80 | opcode, 0x80 | u8::try_from(payload.len()).unwrap()];
    out.extend(key);
    out.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    out
}

fn message(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    let length = match head[1] {
        126 => {
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            usize::from(u16::from_be_bytes(length))
        }
        short => usize::from(short),
    };
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).unwrap();
    (head[0] & 0x0f, payload)
}

#[test]
fn messages_pass_both_ways_and_are_recorded() {
    let server = WebServer::plain();
    let world = World::with(server, bare);
    let mut stream = upgraded(&world, WEBSOCKET);
    assert_eq!(server.last_seen().header("sec-websocket-extensions"), None);
    for (opcode, payload) in [(1, &b"hello"[..]), (2, &[0, 1, 2, 255]), (9, b"ping"), (1, b"")] {
        stream.write_all(&frame(opcode, payload)).unwrap();
        assert_eq!(message(&mut stream), (opcode, payload.to_vec()));
    }
    stream.write_all(&frame(8, &[3, 232])).unwrap();
    assert_eq!(message(&mut stream).0, 8);
    drop(stream);
    let _ = world.event("session_ended", |_| true);
    assert_eventually!(world.recordings().iter().all(|(report, _)| report.ok()));
    let text: String = world.recordings().iter().map(|(_, all)| text_of(all)).collect();
    assert!(text.matches("hello").count() >= 2, "{text}");
}

#[test]
fn text_messages_are_masked_and_secrets_in_them_starred() {
    let server = WebServer::plain();
    let world = World::with(server, |usual| {
        usual.rule("{ id: sockets, effect: allow, target: shop, http: { methods: [UPGRADE] } }")
    });
    let mut stream = upgraded(&world, WEBSOCKET);
    stream.write_all(&frame(1, b"people")).unwrap();
    let (_, payload) = message(&mut stream);
    let text = String::from_utf8(payload).unwrap();
    for raw in RAW_VALUES {
        assert!(!text.contains(raw), "{text}");
    }
    assert!(text.contains("Ann") && text.contains("4444"), "{text}");
    stream.write_all(&frame(1, tests::web::TOKEN.as_bytes())).unwrap();
    let (_, payload) = message(&mut stream);
    assert!(!String::from_utf8_lossy(&payload).contains(tests::web::TOKEN));
}

#[test]
fn an_upgrade_needs_a_grant_of_its_own() {
    let (world, server) = super::world();
    let answered = world.web().ask("GET", "/switch/it", WEBSOCKET);
    assert_eq!(answered.status, 403, "{answered:?}");
    assert_eq!(server.heard(), "");
    // Without it the request is one like any other.
    let world = World::with(server, |usual| {
        role(usual, &["{ id: get, effect: allow, target: shop, http: { methods: [GET] } }"])
            .classification("")
    });
    assert_eq!(world.web().ask("GET", "/switch/it", &["Upgrade: websocket"]).status, 426);
    assert_eq!(server.last_seen().header("upgrade"), None);
}

#[test]
fn a_protocol_that_nobody_knows_passes_where_it_may_and_nothing_is_masked() {
    let server = WebServer::plain();
    let world = World::with(server, bare);
    let mut stream = upgraded(&world, &["Connection: Upgrade", "Upgrade: lines"]);
    stream.write_all(b"GET / HTTP/1.1\r\n\n\x00any bytes").unwrap();
    let mut back = vec![0; 27];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(back, b"GET / HTTP/1.1\r\n\n\x00any bytes");
    let world = World::with(server, |usual| {
        usual.rule("{ id: sockets, effect: allow, target: shop, http: { methods: [UPGRADE] } }")
    });
    let fields = ["Connection: Upgrade", "Upgrade: lines"];
    assert_eq!(world.web().ask("GET", "/switch/it", &fields).status, 502);
}

#[test]
fn bytes_sent_ahead_of_an_upgrades_answer_are_kept_for_it() {
    let server = WebServer::plain();
    let world = World::with(server, bare);
    let mut client = world.web();
    client.send([request("GET", "/switch/it", WEBSOCKET).as_bytes(), &frame(1, b"early")].concat());
    assert_eq!(client.head().unwrap().status, 101);
    let mut bytes = client.some();
    while bytes.len() < 7 {
        bytes.extend(client.some());
    }
    assert_eq!(bytes, [&[0x81, 5][..], b"early"].concat());
    // Where it is refused they are a request, or what is none.
    let (world, _) = super::world();
    let mut client = world.web();
    client.send(request("GET", "/switch/it", WEBSOCKET) + &request("GET", "/show/on", &[]));
    assert_eq!(client.answer().unwrap().status, 403);
    assert_eq!(client.answer().unwrap().text(), "this is on\n");
}

#[test]
fn a_frame_that_breaks_the_protocol_ends_both_sides() {
    let server = WebServer::plain();
    let world = World::with(server, bare);
    for frame in [&[0xc1, 0x80, 0, 0, 0, 0][..], &[0x81, 1, b'x'], &[0x83, 0x80, 0, 0, 0, 0]] {
        let mut stream = upgraded(&world, WEBSOCKET);
        stream.write_all(frame).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty(), "{rest:?}");
    }
    assert_eventually!(world.open_connections() == 0);
}
