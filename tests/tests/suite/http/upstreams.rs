//! Upstreams that answer in ways that could be read in two: their clients get one answer a request,
//! or none.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use tests::assert_eventually;
use tests::web::WebServer;
use tests::web::client::{Answered, request};
use tests::world::World;

use super::bare;

/// A server that says this to the first request of each connection, and then nothing; it closes
/// where told to.
fn server(says: &'static [u8], closes: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let mut held = Vec::new();
                let mut buffer = [0; 4096];
                while !held.windows(4).any(|four| four == b"\r\n\r\n") {
                    let Ok(read @ 1..) = stream.read(&mut buffer) else { return };
                    held.extend_from_slice(buffer.get(..read).unwrap());
                }
                let _ = stream.write_all(says);
                if !closes {
                    while let Ok(1..) = stream.read(&mut buffer) {}
                }
            });
        }
    });
    address
}

fn world(at: SocketAddr) -> World {
    World::with(WebServer::shared(), |usual| bare(usual).upstream_at(at))
}

/// What a client is shown of such an answer, and of what it asks next on the same connection.
fn shown(says: &'static [u8], closes: bool) -> (Option<Answered>, Option<Answered>) {
    let world = world(server(says, closes));
    let mut client = world.web();
    client.stream().set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    client.send(request("GET", "/one", &[]));
    let first = client.answer();
    client.send(request("GET", "/two", &[]));
    let second = client.answer();
    drop(client);
    assert_eventually!(world.open_connections() == 0);
    (first, second)
}

#[test]
fn an_answer_that_is_none_is_refused() {
    for (what, says) in [
        ("no status", &b"HTTP/1.1\r\n\r\n"[..]),
        ("another protocol", b"SSH-2.0-OpenSSH_9.2\r\n"),
        ("version 0.9", b"<html>hello</html>"),
        ("a status of letters", b"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n"),
        ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nyes"),
        ("a length with a sign", b"HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nyes"),
        ("a negative length", b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nyes"),
        ("a NUL", b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 3\r\n\r\nyes"),
        ("a CR alone", b"HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 3\r\n\r\nyes"),
        ("a folded line", b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 3\r\n\r\nyes"),
        ("a blank before the colon", b"HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\nyes"),
        (
            "a switch that nobody asked for",
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        ),
        (
            "a coding of the transfer that nobody asked for",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n",
        ),
    ] {
        let (first, second) = shown(says, true);
        assert_eq!(first.as_ref().map(|first| first.status), Some(502), "{what}: {first:?}");
        assert!(second.is_none_or(|second| second.status == 502), "{what}");
    }
}

#[test]
fn an_upstream_that_goes_away_without_an_answer_is_mirrored() {
    for says in [&b""[..], b"HTTP/1.1 200 OK\r\nContent-Le"] {
        let (first, second) = shown(says, true);
        assert!(first.is_none() && second.is_none(), "{first:?}, {second:?}");
    }
}

#[test]
fn what_came_before_an_answer_broke_off_is_shown() {
    for says in [
        &b"HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\n"[..],
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\nabc",
        b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ] {
        // It must not depend on which of the two comes first.
        for _ in 0..50 {
            let (first, _) = shown(says, true);
            let first = first.expect("a head");
            assert!(first.status == 404 && !first.is_whole, "{first:?}");
        }
    }
}

#[test]
fn an_answer_that_nobody_asked_for_is_nobodys() {
    let two = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyesHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged";
    let (first, second) = shown(two, false);
    assert_eq!(first.unwrap().text(), "yes");
    assert!(second.as_ref().is_none_or(|second| second.status == 502), "{second:?}");
}

#[test]
fn lengths_that_disagree_never_join_two_answers() {
    // The chunks count (RFC 9112 6.3).
    let both = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n";
    let (first, second) = shown(both, false);
    let first = first.unwrap();
    assert!(first.text() == "0123456789" && first.is_whole, "{first:?}");
    assert_eq!(first.header("content-length"), None, "{first:?}");
    assert!(second.is_none_or(|second| second.status == 502));
    // Less than was announced, and more.
    let (first, _) = shown(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nyes", true);
    let first = first.unwrap();
    assert_eq!((first.text().as_str(), first.is_whole), ("yes", false));
    let (first, second) = shown(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes and more", false);
    assert_eq!(first.unwrap().text(), "yes");
    assert!(second.is_none_or(|second| second.status == 502));
    for chunks in [
        &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\nzz\r\n"[..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyesno\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\nffffffffffffffff\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n",
    ] {
        let (first, second) = shown(chunks, true);
        assert!(first.is_none_or(|first| !first.is_whole || first.status == 502));
        assert!(second.is_none(), "{second:?}");
    }
}

#[test]
fn servers_of_the_oldest_version_are_understood() {
    let (first, second) =
        shown(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nall of it", true);
    let first = first.unwrap();
    assert_eq!((first.status, first.text().as_str()), (200, "all of it"));
    assert!(first.is_whole && second.is_none(), "{second:?}");
    let (first, _) = shown(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nyes", true);
    assert_eq!(first.unwrap().text(), "yes");
    // Statuses without a body, whatever is said of one.
    for says in [
        &b"HTTP/1.1 204 No Content\r\n\r\n"[..],
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\nETag: \"x\"\r\n\r\n",
    ] {
        let (first, _) = shown(says, false);
        let first = first.unwrap();
        assert!(first.body.is_empty() && [204, 304].contains(&first.status), "{first:?}");
    }
}

#[test]
fn fields_that_come_again_stay_apart_and_odd_bytes_stay_as_they_are() {
    let says = b"HTTP/1.1 200 Fine By Me\r\nSet-Cookie: a=1; Path=/\r\nX-One: 1\r\nSet-Cookie: b=2\r\n\
                 WWW-Authenticate: Basic\r\nWWW-Authenticate: Bearer\r\nX-Latin: caf\xe9\r\nX-Empty:\r\n\
                 X-TAB: a\tb\r\nContent-Length: 3\r\n\r\nyes";
    let (first, _) = shown(says, false);
    let first = first.unwrap();
    let all = |wanted: &str| -> Vec<String> {
        let found = first.headers.iter().filter(|(name, _)| name == wanted);
        found.map(|(_, value)| value.clone()).collect()
    };
    assert_eq!(all("Set-Cookie"), ["a=1; Path=/", "b=2"]);
    assert_eq!(all("WWW-Authenticate"), ["Basic", "Bearer"]);
    assert_eq!(all("X-TAB"), ["a\tb"]);
    assert_eq!(all("X-Empty"), [""]);
    assert_eq!(all("X-Latin"), ["caf\u{fffd}"]);
}

#[test]
fn a_head_of_an_upstream_that_never_ends_is_given_up() {
    let says = {
        let mut says = b"HTTP/1.1 200 OK\r\n".to_vec();
        for number in 0..5_000 {
            says.extend(format!("X-{number}: {}\r\n", "x".repeat(100)).bytes());
        }
        Box::leak(says.into_boxed_slice())
    };
    let (first, second) = shown(says, false);
    assert_eq!(first.unwrap().status, 502);
    assert!(second.is_none_or(|second| second.status == 502));
    // One that is merely long is not.
    let says = {
        let mut says = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n".to_vec();
        says.extend(format!("Content-Security-Policy: {}\r\n\r\nyes", "x".repeat(60_000)).bytes());
        Box::leak(says.into_boxed_slice())
    };
    let (first, _) = shown(says, false);
    assert_eq!(first.unwrap().header("content-security-policy").unwrap().len(), 60_000);
}
