//! Answers before the answer: those of an upstream are passed on as they come.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use tests::programs;
use tests::web::client::request;
use tests::web::{TOKEN, WebServer};
use tests::world::{Configuration, World};

use super::{DOOR, bare};

const HINTS: &str = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX-Back: canary-web-5f31c0de77aa\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes";

/// A server that says this to every request, with a pause before each part but the first.
fn server(parts: &'static [&'static str]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let mut held = Vec::new();
                let mut buffer = [0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut buffer) {
                    held.extend_from_slice(buffer.get(..read).unwrap());
                    while let Some(end) = held.windows(4).position(|four| four == b"\r\n\r\n") {
                        held.drain(..end + 4);
                        for (number, part) in parts.iter().enumerate() {
                            if number > 0 {
                                thread::sleep(Duration::from_millis(400));
                            }
                            if stream.write_all(part.as_bytes()).is_err() {
                                return;
                            }
                        }
                    }
                }
            });
        }
    });
    address
}

fn world(at: SocketAddr, change: impl Fn(Configuration) -> Configuration) -> World {
    World::with(WebServer::shared(), |usual| change(usual.upstream_at(at)))
}

#[test]
fn early_hints_are_shown_before_the_answer_and_for_each_request() {
    let world = world(server(&[HINTS, ANSWER]), bare);
    let mut client = world.web();
    client.send(request("GET", "/one", &[]) + &request("GET", "/two", &[]));
    for _ in 0..2 {
        let began = Instant::now();
        let early = client.head().unwrap();
        assert_eq!((early.status, early.header("link")), (103, Some("</a.css>; rel=preload")));
        let answered = client.answer().unwrap();
        assert_eq!((answered.status, answered.text().as_str()), (200, "yes"));
        assert!(began.elapsed() > Duration::from_millis(300), "they came together");
    }
}

#[test]
fn a_secret_in_them_is_starred_and_who_knows_none_is_shown_none() {
    let world = world(server(&[HINTS, ANSWER]), |usual| usual);
    let mut client = world.web();
    client.send(request("GET", "/one", &[]));
    let early = client.head().unwrap();
    assert_eq!(early.status, 103);
    assert!(!format!("{early:?}").contains(TOKEN), "{early:?}");
    assert_eq!(client.answer().unwrap().text(), "yes");
    let mut client = world.web();
    client.send("GET /one HTTP/1.0\r\nHost: api.test\r\n\r\n");
    assert_eq!(client.answer().unwrap().status, 200);
}

#[test]
fn a_rule_about_answers_is_about_them_too() {
    let world = world(server(&[HINTS, ANSWER]), |usual| {
        bare(usual).rule("{ id: no-hints, effect: deny, target: shop, http: { statuses: [103] } }")
    });
    let answered = world.web().get("/one");
    assert_eq!((answered.status, answered.text().as_str()), (200, "yes"));
}

#[test]
fn what_the_gateway_says_itself_is_not_said_twice() {
    let parts: &[&str] = &[
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
        ANSWER,
    ];
    let world = world(server(parts), bare);
    let mut client = world.web();
    client.send(request("GET", "/one", &[]));
    assert_eq!(client.head().unwrap().status, 102);
    assert_eq!(client.answer().unwrap().status, 200);
}

#[test]
fn a_flood_of_them_does_not_stop_the_answer() {
    const FLOOD: &str = concat!(
        "HTTP/1.1 103 Early Hints\r\nLink: </1>\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </2>\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </3>\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </4>\r\n\r\n",
    );
    let world = world(server(&[FLOOD, FLOOD, FLOOD, ANSWER]), bare);
    let mut client = world.web();
    client.send(request("GET", "/one", &[]));
    let mut before = 0;
    loop {
        let head = client.head().unwrap();
        if head.status == 200 {
            break;
        }
        assert_eq!(head.status, 103, "{head:?}");
        before += 1;
    }
    assert_eq!(before, 12);
}

/// Asks for WebSocket over HTTP/2 (RFC 8441), whatever the server says it takes.
const EXTENDED: &str = r#"
import socket, sys, h2.connection, h2.config, h2.events
config = h2.config.H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False)
connection = h2.connection.H2Connection(config)
stream = socket.create_connection((sys.argv[1], int(sys.argv[2])))
connection.initiate_connection()
connection.send_headers(1, [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"),
    (":path", "/switch/it"), (":authority", "api.test"), ("sec-websocket-version", "13")])
stream.sendall(connection.data_to_send())
said, offered = None, False
while said is None:
    for event in connection.receive_data(stream.recv(65536)):
        if isinstance(event, h2.events.RemoteSettingsChanged):
            offered = offered or any(int(code) == 8 and change.new_value for code, change in event.changed_settings.items())
        if isinstance(event, h2.events.StreamReset):
            said = "reset %d" % event.error_code
        if isinstance(event, h2.events.ResponseReceived):
            said = "answered %r" % dict(event.headers)[b":status"]
        if isinstance(event, h2.events.ConnectionTerminated):
            said = "terminated %d" % event.error_code
    stream.sendall(connection.data_to_send())
print(offered, said)
"#;

#[test]
fn websocket_over_http2_is_not_offered_and_reaches_no_server() {
    let server = WebServer::plain();
    let world = World::with(server, bare);
    let said = programs::python(EXTENDED, &[DOOR, &world.port().to_string()]);
    // PROTOCOL_ERROR: the client was not told that it may ask.
    assert_eq!(said.success(), "False reset 1\n");
    assert!(server.seen().is_empty());
}
