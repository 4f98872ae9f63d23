//! Clients of old: HTTP/1.0 that keeps its connection, and clients that close their side when they
//! have asked.

use std::time::{Duration, Instant};

use tests::assert_eventually;
use tests::web::WebServer;
use tests::web::client::request;
use tests::world::World;

use super::bare;

#[test]
fn the_oldest_version_keeps_a_connection_where_both_sides_say_so() {
    let server = WebServer::plain();
    let world = World::with(server, bare);
    let mut client = world.web();
    let ask = "GET /show/it HTTP/1.0\r\nHost: api.test\r\nConnection: Keep-Alive\r\n\r\n";
    for _ in 0..3 {
        client.send(ask);
        let answered = client.answer().unwrap();
        assert_eq!(answered.text(), "this is it\n");
        let connection = answered.header("connection").unwrap_or_default();
        assert!(connection.eq_ignore_ascii_case("keep-alive"), "{answered:?}");
    }
    assert_eq!(server.accepted(), 1);
    // Said otherwise, it closes.
    client.send("GET /show/it HTTP/1.0\r\nHost: api.test\r\n\r\n");
    assert_eq!(client.answer().unwrap().status, 200);
    assert!(client.answer().is_none());
}

#[test]
fn a_client_that_says_close_is_answered_and_closed() {
    let server = WebServer::plain();
    let world = World::with(server, bare);
    let mut client = world.web();
    client.send(
        request("GET", "/show/one", &["Connection: close"]) + &request("GET", "/show/two", &[]),
    );
    assert_eq!(client.answer().unwrap().text(), "this is one\n");
    assert!(client.answer().is_none());
    // What came behind it is nobody's.
    assert_eq!(server.seen().len(), 1, "{:?}", server.seen());
    assert_eventually!(world.open_connections() == 0);
}

#[test]
fn a_client_that_has_asked_all_and_closes_its_side_is_answered() {
    let server = WebServer::plain();
    let world = World::with(server, bare);
    let mut client = world.web();
    client.send(request("GET", "/show/one", &[]) + &request("GET", "/slow", &[]));
    client.finish();
    assert_eq!(client.answer().unwrap().text(), "this is one\n");
    let slow = client.answer().unwrap();
    assert!(slow.is_whole && slow.text().contains("\"count\":4"), "{slow:?}");
    assert!(client.answer().is_none());
    let mut client = world.web();
    client.send("GET /trailers HTTP/1.0\r\n\r\n");
    client.finish();
    assert_eq!(client.answer().unwrap().text(), "part one, part two\n");
    let mut client = world.web();
    client.send(request("POST", "/echo", &["Content-Length: 5"]) + "hello");
    client.finish();
    assert_eq!(client.answer().unwrap().json()["body"], "hello");
    // A body that breaks off is none.
    let mut client = world.web();
    client.send(request("POST", "/upload", &["Content-Length: 500"]) + "hello");
    client.finish();
    assert!(client.answer().is_none_or(|answered| answered.status >= 400));
    assert_eventually!(world.open_connections() == 0);
}

#[test]
fn a_client_that_is_gone_is_not_waited_for() {
    let (world, server) = super::world();
    let mut client = world.web();
    client.send(request("GET", "/hang", &[]));
    assert_eventually!(!server.seen().is_empty());
    let began = Instant::now();
    drop(client);
    assert_eventually!(world.open_connections() == 0);
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
    // Nor is its hold.
    let mut client = world.web();
    client.send(request("PUT", "/drop/x", &["Content-Length: 0"]));
    assert_eventually!(!world.holds().is_empty());
    drop(client);
    assert_eventually!(world.holds().is_empty(), "the hold outlives its client");
    assert_eventually!(world.open_connections() == 0);
}
