//! Honest clients: what they get is what the server sent, and when it sent it.

use std::io::Write;
use std::time::{Duration, Instant};

use tests::assert_eventually;
use tests::web::WebServer;
use tests::web::client::{Answered, WebClient, request};
use tests::world::World;

use super::{bare, direct};

/// What does not change from one moment to the next.
fn lasting(mut answered: Answered) -> Answered {
    answered.headers.retain(|(name, _)| name != "date");
    answered.headers.sort();
    answered
}

#[test]
fn answers_are_what_the_server_sent() {
    let server = WebServer::plain();
    let world = World::with(server, bare);
    for (method, target, fields) in [
        ("GET", "/show/it", &[][..]),
        ("GET", "/echo?a=1&b=%20x&&c", &["X-Mixed-Case: Kept", "Accept: */*", "Cookie: a=1"]),
        ("POST", "/echo", &["Content-Length: 0"]),
        ("OPTIONS", "/echo", &[]),
        ("PURGE", "/echo", &[]),
        ("HEAD", "/show/it", &[]),
        ("GET", "/status/204", &[]),
        ("GET", "/status/304", &["If-None-Match: \"abc\""]),
        ("GET", "/status/404", &[]),
        ("GET", "/status/503", &[]),
        ("GET", "/trailers", &["TE: trailers", "Connection: TE"]),
        ("GET", "/redirect?to=https://elsewhere.test/x", &[]),
        ("GET", "/bytes", &["Range: bytes=0-3"]),
        ("GET", "/people/gzip", &["Accept-Encoding: gzip, br"]),
        ("GET", "/people/br", &[]),
        ("GET", "/people/events", &[]),
    ] {
        let through = lasting(world.web().ask(method, target, fields));
        let mut expected = lasting(direct(server).ask(method, target, fields));
        // A hop's own fields stay on it.
        if target.starts_with("/echo") {
            let strip = |answered: &Answered| {
                let mut said = answered.json();
                let headers = said["headers"].as_array_mut().unwrap();
                headers.retain(|pair| pair[0] != "connection");
                said
            };
            assert_eq!(strip(&through), strip(&expected), "{method} {target}");
            expected.body.clone_from(&through.body);
            expected.headers.clone_from(&through.headers);
        }
        assert_eq!(through, expected, "{method} {target}");
    }
    assert!(server.heard().contains("X-Mixed-Case: Kept"), "{}", server.heard());
}

#[test]
fn one_connection_carries_many_requests_and_is_one_upstream() {
    let server = WebServer::plain();
    let world = World::with(server, bare);
    let mut client = world.web();
    for number in 0..20 {
        assert_eq!(client.get(&format!("/show/{number}")).text(), format!("this is {number}\n"));
    }
    assert_eq!(server.accepted(), 1);
    let ahead: String = (0..30).map(|n| request("GET", &format!("/show/{n}"), &[])).collect();
    client.send(ahead);
    for number in 0..30 {
        assert_eq!(client.answer().unwrap().text(), format!("this is {number}\n"));
    }
    assert_eq!(server.accepted(), 1);
}

#[test]
fn bodies_and_trailers_go_up_by_every_framing() {
    let server = WebServer::plain();
    let world = World::with(server, bare);
    let mut client = world.web();
    client.send(request("POST", "/echo", &["Content-Length: 5"]) + "hello");
    assert_eq!(client.answer().unwrap().json()["body"], "hello");
    let chunked = &["Transfer-Encoding: chunked", "Trailer: X-Sum"];
    client.send(request("POST", "/echo", chunked) + "3\r\nhel\r\n2\r\nlo\r\n0\r\nX-Sum: 7\r\n\r\n");
    let said = client.answer().unwrap().json();
    assert_eq!(said["body"], "hello");
    assert_eq!(said["trailers"], serde_json::json!([["x-sum", "7"]]));
}

#[test]
fn a_body_that_is_asked_for_is_sent_after_the_word() {
    let world = World::with(WebServer::plain(), bare);
    let mut client = world.web();
    client.send(request("POST", "/echo", &["Content-Length: 5", "Expect: 100-continue"]));
    assert_eq!(client.head().unwrap().status, 100);
    client.send("hello");
    assert_eq!(client.answer().unwrap().json()["body"], "hello");
}

#[test]
fn a_body_that_is_refused_is_not_asked_for() {
    let (world, server) = super::world();
    let mut client = world.web();
    client.send(request("DELETE", "/x", &["Content-Length: 5", "Expect: 100-continue"]));
    assert_eq!(client.answer().unwrap().status, 403);
    assert_eq!(server.heard(), "");
}

#[test]
fn clients_of_the_oldest_version_are_served() {
    let world = World::with(WebServer::plain(), bare);
    for head in ["GET /show/it HTTP/1.0\r\n\r\n", "GET /show/it HTTP/1.0\r\nHost: api.test\r\n\r\n"]
    {
        let mut client = world.web();
        client.send(head);
        let answered = client.answer().unwrap();
        assert_eq!((answered.status, answered.text().as_str()), (200, "this is it\n"));
        assert!(client.answer().is_none(), "the connection stays open");
    }
    let mut client = world.web();
    client.send("GET /trailers HTTP/1.0\r\n\r\n");
    let answered = client.answer().unwrap();
    assert_eq!(answered.text(), "part one, part two\n");
    assert!(answered.header("transfer-encoding").is_none());
}

#[test]
fn events_arrive_when_they_are_sent() {
    for mask in [false, true] {
        let world = World::with(WebServer::plain(), |usual| if mask { usual } else { bare(usual) });
        let mut client = world.web();
        client.send(request("GET", "/slow", &[]));
        let began = Instant::now();
        assert_eq!(client.head().unwrap().status, 200);
        let first = String::from_utf8(client.some()).unwrap();
        assert!(first.contains("\"count\":0"), "{first}");
        let first_after = began.elapsed();
        let rest = loop {
            let more = client.some();
            if String::from_utf8_lossy(&more).contains("\"count\":4") {
                break began.elapsed();
            }
        };
        // The server sends for 1.2 seconds.
        assert!(rest > first_after + Duration::from_millis(700), "{first_after:?} {rest:?}");
    }
}

#[test]
fn much_goes_up_and_down_without_being_held() {
    const BYTES: usize = 192 * 1024 * 1024;
    let world = World::with(WebServer::plain(), bare);
    let before = resident();
    let mut client = world.web();
    client.send(request("POST", "/upload", &[&format!("Content-Length: {BYTES}")]));
    let piece = vec![b'x'; 1024 * 1024];
    for _ in 0..BYTES / piece.len() {
        client.stream().write_all(&piece).unwrap();
    }
    assert_eq!(client.answer().unwrap().text(), format!("{BYTES}\n"));
    client.send(request("GET", &format!("/download?bytes={BYTES}"), &[]));
    assert_eq!(client.head().unwrap().status, 200);
    // A client that does not read is not read for.
    std::thread::sleep(Duration::from_millis(300));
    assert!(resident() < before + 96 * 1024 * 1024, "{} before, {} now", before, resident());
    let mut read = 0;
    while read < BYTES {
        let some = client.some();
        assert!(!some.is_empty(), "it ended after {read}");
        read += some.len();
    }
}

/// Bytes of memory that this process has.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
fn what_the_server_does_with_its_connection_is_mirrored() {
    let server = WebServer::plain();
    let world = World::with(server, bare);
    let mut client = world.web();
    let answered = client.get("/close");
    assert_eq!(answered.header("connection"), Some("close"), "{answered:?}");
    assert!(client.answer().is_none());
    let mut client = world.web();
    client.send(request("GET", "/cut", &[]));
    let answered = client.answer().unwrap();
    assert_eq!((answered.status, answered.is_whole), (200, false), "{answered:?}");
    assert_eq!(answered.text(), "only this");
    assert_eventually!(world.open_connections() == 0);
}

#[test]
fn a_client_that_goes_away_is_told_to_the_server() {
    let server = WebServer::plain();
    let world = World::with(server, bare);
    let mut client: WebClient = world.web();
    client.send(request("GET", "/hang", &[]));
    assert_eventually!(!server.seen().is_empty());
    drop(client);
    assert_eventually!(world.open_connections() == 0);
    let line = world.event("session_ended", |_| true);
    assert_eq!(line["cause"], "client", "{line}");
}

#[test]
fn tls_on_both_legs_agrees_on_what_the_server_speaks() {
    for (server, version) in
        [(WebServer::secure(), "HTTP/2.0"), (WebServer::secure_http1(), "HTTP/1.1")]
    {
        let world = World::with(server, bare);
        let station = world.web_station();
        let said = station.curl("/echo", &["--http2"]).success();
        assert_eq!(server.last_seen().version, version, "{said}");
        let said = station.curl("/echo", &["--http1.1"]).success();
        assert_eq!(server.last_seen().version, "HTTP/1.1", "{said}");
    }
}
