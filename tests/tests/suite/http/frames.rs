//! Frames and heads of HTTP/2 that only an attacker sends: nothing of them reaches a server.

use tests::programs;
use tests::web::WebServer;
use tests::world::World;

use super::{DOOR, bare};

/// Sends each attack on a connection of its own, and says what became of it: the status of an
/// answer, `reset` or `closed`.
const ATTACKER: &str = r#"
import socket, sys, hpack, h2.connection, h2.config, h2.events, hyperframe.frame as frames
GOOD = [(":method", "GET"), (":scheme", "http"), (":path", "/show/x"), (":authority", "api.test")]
POST = [(":method", "POST"), (":scheme", "http"), (":path", "/show/x"), (":authority", "api.test")]
def without(name): return [pair for pair in GOOD if pair[0] != name]
def changed(name, value): return [(n, value if n == name else v) for n, v in GOOD]
HEADS = {
    "upper case": GOOD + [("X-Upper", "1")],
    "a connection's own": GOOD + [("connection", "close")],
    "keep-alive": GOOD + [("keep-alive", "5")],
    "transfer-encoding": GOOD + [("transfer-encoding", "chunked")],
    "upgrade": GOOD + [("upgrade", "websocket")],
    "te of another kind": GOOD + [("te", "gzip")],
    "no method": without(":method"),
    "no scheme": without(":scheme"),
    "no path": without(":path"),
    "an empty path": changed(":path", ""),
    "a path without a slash": changed(":path", "show/x"),
    "an absolute path": changed(":path", "http://evil.test/"),
    "a path with a blank": changed(":path", "/show/x HTTP/1.1\r\nHost: evil.test"),
    "dots": changed(":path", "/show/../admin"),
    "encoded dots": changed(":path", "/show/%2e%2e/admin"),
    "two slashes": changed(":path", "//show/x"),
    "a fragment": changed(":path", "/show/x#y"),
    "the method twice": [(":method", "GET")] + GOOD,
    "the path twice": GOOD + [(":path", "/admin")],
    "the authority twice": [(":authority", "api.test")] + GOOD,
    "an unknown one": [(":what", "1")] + GOOD,
    "a status": [(":status", "200")] + GOOD,
    "one behind the others": [("x-a", "1")] + GOOD,
    "a line end in a value": GOOD + [("x-a", "1\r\nhost: evil.test")],
    "a NUL in a value": GOOD + [("x-a", "1\0")],
    "a blank in a name": GOOD + [("x a", "1")],
    "a colon in a name": GOOD + [("x:a", "1")],
    "an empty name": GOOD + [("", "1")],
    "another host": GOOD + [("host", "evil.test")],
    "two hosts": GOOD + [("host", "api.test"), ("host", "evil.test")],
    "a host with a user": changed(":authority", "evil@api.test"),
    "a foreign host": changed(":authority", "evil.test"),
    "another port": changed(":authority", "api.test:1"),
    "no host at all": without(":authority"),
    "a proxy's method": [(":method", "CONNECT"), (":authority", "api.test:443")],
    "a method that is none": changed(":method", "GET /admin HTTP/1.1"),
    "another method in a header": GOOD + [("x-http-method-override", "DELETE")],
    "another path in a header": GOOD + [("x-original-url", "/admin")],
    "two lengths": POST + [("content-length", "3"), ("content-length", "4")],
    "a length that is none": POST + [("content-length", "3x")],
    "expect of another kind": GOOD + [("expect", "200-ok")],
}
def attack(raw):
    stream = socket.create_connection((sys.argv[1], int(sys.argv[2]))); stream.settimeout(10)
    config = h2.config.H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False, validate_inbound_headers=False)
    connection = h2.connection.H2Connection(config)
    connection.initiate_connection()
    stream.sendall(connection.data_to_send())
    # What the gateway says of itself comes first.
    data = stream.recv(65536)
    connection.receive_data(data)
    stream.sendall(connection.data_to_send())
    encoder = hpack.Encoder()
    raw(stream, encoder)
    buffer = b""
    while True:
        try: more = stream.recv(65536)
        except socket.timeout: return "nothing"
        except OSError: return "closed"
        if not more: return "closed"
        buffer += more
        while len(buffer) >= 9:
            frame, length = frames.Frame.parse_frame_header(memoryview(buffer[:9]))
            if len(buffer) < 9 + length: break
            frame.parse_body(memoryview(buffer[9:9 + length])); buffer = buffer[9 + length:]
            if isinstance(frame, frames.GoAwayFrame) and frame.error_code: return "closed"
            if isinstance(frame, frames.RstStreamFrame): return "reset"
            if isinstance(frame, frames.HeadersFrame):
                return dict(hpack.Decoder().decode(frame.data)).get(":status", "?")
def headers(pairs, end=True, stream=1, flags=("END_HEADERS",)):
    def send(socket, encoder):
        frame = frames.HeadersFrame(stream); frame.data = encoder.encode([(n, v) for n, v in pairs])
        for flag in flags: frame.flags.add(flag)
        if end: frame.flags.add("END_STREAM")
        socket.sendall(frame.serialize())
    return send
def data(bytes, end=True, stream=1):
    def send(socket, _):
        frame = frames.DataFrame(stream, bytes)
        if end: frame.flags.add("END_STREAM")
        socket.sendall(frame.serialize())
    return send
def both(*steps):
    def send(socket, encoder):
        for step in steps: step(socket, encoder)
    return send
def raw(kind, flags, stream, payload):
    return lambda socket, _: socket.sendall(len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload)
FRAMES = {
    "data before a head": data(b"x"),
    "an even stream": headers(GOOD, stream=2),
    "stream zero": raw(1, 5, 0, hpack.Encoder().encode(GOOD)),
    "a continuation of nothing": raw(9, 4, 1, b""),
    "a head that is not continued": both(headers(GOOD, flags=()), data(b"x")),
    "a head that depends on itself": raw(1, 0x25, 1, (1).to_bytes(4, "big") + b"\x10" + hpack.Encoder().encode(GOOD)),
    "garbage as a head": raw(1, 5, 1, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
    "a padding beyond the frame": raw(0, 9, 1, b"\xff" + b"x" * 4),
    "a window that overflows": both(raw(8, 0, 0, (2**31 - 1).to_bytes(4, "big")), raw(8, 0, 0, (2**31 - 1).to_bytes(4, "big"))),
    "a setting that is none": raw(4, 0, 0, b"\x00\x04\xff\xff\xff\xff"),
    "a promise of a client": raw(5, 4, 1, (2).to_bytes(4, "big") + hpack.Encoder().encode(GOOD)),
    "a frame that is too long": raw(0, 0, 1, b"x" * 70000),
}
for name, pairs in HEADS.items(): print("%s: %s" % (name, attack(headers(pairs))))
for name, steps in FRAMES.items(): print("%s: %s" % (name, attack(steps)))
print("good: %s" % attack(headers(GOOD)))
"#;

#[test]
fn what_only_an_attacker_sends_reaches_no_server() {
    let server = WebServer::plain();
    let world = World::with(server, bare);
    let said = programs::python(ATTACKER, &[DOOR, &world.port().to_string()]).success();
    let wrong: Vec<&str> = said
        .lines()
        .filter(|line| {
            let (_, became) = line.split_once(": ").unwrap();
            !matches!(became, "reset" | "closed" | "400" | "421" | "502")
        })
        .collect();
    // A fragment is nobody's to send; it is left out, and what is left was decided.
    assert_eq!(wrong, ["a fragment: 200", "good: 200"], "{said}");
    let seen: Vec<_> = server.seen().into_iter().map(|seen| seen.target).collect();
    assert!(seen.len() == 2 && seen.iter().all(|one| one.ends_with("/show/x")), "{seen:?}");
}

/// A body whose length is another than was announced, and a head behind it that begins another
/// request.
const LENGTHS: &str = r#"
import socket, sys, h2.connection, h2.config, h2.events
def ask(length, body, trailers=None):
    stream = socket.create_connection((sys.argv[1], int(sys.argv[2]))); stream.settimeout(10)
    config = h2.config.H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False)
    connection = h2.connection.H2Connection(config)
    connection.initiate_connection()
    connection.send_headers(1, [(":method", "POST"), (":scheme", "http"), (":path", "/echo"), (":authority", "api.test"), ("content-length", str(length))])
    stream.sendall(connection.data_to_send())
    connection.send_data(1, body, end_stream=trailers is None)
    if trailers is not None: connection.send_headers(1, trailers, end_stream=True)
    stream.sendall(connection.data_to_send())
    while True:
        try: more = stream.recv(65536)
        except OSError: return "nothing"
        if not more: return "closed"
        for event in connection.receive_data(more):
            if isinstance(event, h2.events.StreamReset): return "reset"
            if isinstance(event, h2.events.ConnectionTerminated): return "closed"
            if isinstance(event, h2.events.ResponseReceived): return dict(event.headers)[b":status"].decode()
        stream.sendall(connection.data_to_send())
print(ask(5, b"hello"), ask(3, b"hello"), ask(9, b"hello"))
print(ask(5, b"hello", [(":path", "/admin"), ("authorization", "Bearer own"), ("x-forwarded-for", "evil"), ("x-sum", "kept")]))
"#;

#[test]
fn a_body_is_as_long_as_was_said() {
    let server = WebServer::plain();
    let world = World::with(server, bare);
    let said = programs::python(LENGTHS, &[DOOR, &world.port().to_string()]).success();
    let mut words = said.split_whitespace();
    assert_eq!(words.next(), Some("200"), "{said}");
    assert!(words.by_ref().take(2).all(|word| ["reset", "closed", "400", "502"].contains(&word)));
    assert_eq!(words.next(), Some("200"), "{said}");
    assert!(server.seen().iter().all(|seen| seen.target.ends_with("/echo")));
    // What belongs into a head says nothing behind a body.
    let heard = server.heard();
    assert!(!heard.contains("Bearer own") && !heard.contains("evil"), "{heard:?}");
}
