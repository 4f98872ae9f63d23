//! Requests that two readers could understand differently: each is refused before the server has
//! seen a byte of it.

use tests::assert_eventually;
use tests::web::WebServer;
use tests::web::client::request;
use tests::world::World;

/// What follows the request line and the host of an attack.
const FRAMINGS: &[(&str, &str)] = &[
    ("both lengths", "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG"),
    (
        "both lengths, the other way",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    ),
    ("the same length twice", "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx"),
    ("two lengths", "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
    ("a list of lengths", "Content-Length: 1, 1\r\n\r\nx"),
    ("a length with a sign", "Content-Length: +1\r\n\r\nx"),
    ("a negative length", "Content-Length: -1\r\n\r\n"),
    ("a length in hexadecimal", "Content-Length: 0x1\r\n\r\nx"),
    ("a length with blanks in it", "Content-Length: 1 0\r\n\r\nx"),
    ("an empty length", "Content-Length:\r\n\r\n"),
    ("a length beyond 64 bits", "Content-Length: 18446744073709551617\r\n\r\nx"),
    ("a coding that is nearly chunked", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    ("chunked before another", "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    ("chunked behind another", "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    ("chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("chunked with a parameter", "Transfer-Encoding: chunked;x=1\r\n\r\n0\r\n\r\n"),
    ("chunked in quotes", "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
    ("chunked behind a control character", "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
    ("a blank before the colon", "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    ("a folded line", "X-A: 1\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("a folded line with a tab", "X-A: 1\r\n\tb\r\n\r\n"),
    ("a line that ends with LF alone", "X-A: 1\nX-B: 2\r\n\r\n"),
    ("a head that ends with LF alone", "X-A: 1\r\n\n"),
    ("a CR within a line", "X-A: 1\rX-B: 2\r\n\r\n"),
    ("a NUL in a value", "X-A: 1\x002\r\n\r\n"),
    ("a line without a colon", "X-A\r\n\r\n"),
    ("a field without a name", ": 1\r\n\r\n"),
    ("a name in brackets", "X(A): 1\r\n\r\n"),
    ("a second host", "Host: evil.test\r\n\r\n"),
    ("the same host twice", "Host: api.test\r\n\r\n"),
    ("an expectation of another kind", "Expect: 200-ok\r\n\r\n"),
    ("a chunk with an extension", "Transfer-Encoding: chunked\r\n\r\n1;x=1\r\na\r\n0\r\n\r\n"),
    ("a chunk's size with 0x", "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n"),
    ("a chunk's size with a sign", "Transfer-Encoding: chunked\r\n\r\n-1\r\na\r\n0\r\n\r\n"),
    ("a chunk's size behind a blank", "Transfer-Encoding: chunked\r\n\r\n 1\r\na\r\n0\r\n\r\n"),
    ("a chunk's size beyond 60 bits", "Transfer-Encoding: chunked\r\n\r\n10000000000000001\r\na"),
    ("a chunk's line with LF alone", "Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n"),
    ("a chunk longer than its size", "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n"),
    ("a trailer that names the host", "Transfer-Encoding: chunked\r\n\r\n0\r\nHost: x\r\n\r\n"),
    ("a trailer with a length", "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 9\r\n\r\n"),
];

/// Whole heads.
const HEADS: &[(&str, &str)] = &[
    ("no host", "GET /show/x HTTP/1.1\r\n\r\n"),
    ("an empty host", "GET /show/x HTTP/1.1\r\nHost:\r\n\r\n"),
    ("a host with a user", "GET /show/x HTTP/1.1\r\nHost: evil@api.test\r\n\r\n"),
    ("a list of hosts", "GET /show/x HTTP/1.1\r\nHost: api.test, evil.test\r\n\r\n"),
    ("a host with a path", "GET /show/x HTTP/1.1\r\nHost: api.test/x\r\n\r\n"),
    ("the absolute form", "GET http://api.test/show/x HTTP/1.1\r\nHost: api.test\r\n\r\n"),
    ("the absolute form of another", "GET http://evil.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n"),
    ("a proxy's method", "CONNECT api.test:443 HTTP/1.1\r\nHost: api.test\r\n\r\n"),
    ("a star that is not for OPTIONS", "GET * HTTP/1.1\r\nHost: api.test\r\n\r\n"),
    ("two blanks", "GET  /show/x HTTP/1.1\r\nHost: api.test\r\n\r\n"),
    ("a tab", "GET\t/show/x HTTP/1.1\r\nHost: api.test\r\n\r\n"),
    ("a blank in the target", "GET /show/x y HTTP/1.1\r\nHost: api.test\r\n\r\n"),
    ("no version", "GET /show/x\r\nHost: api.test\r\n\r\n"),
    ("a version in lower case", "GET /show/x http/1.1\r\nHost: api.test\r\n\r\n"),
    ("a version that is none", "GET /show/x HTTP/1.2\r\nHost: api.test\r\n\r\n"),
    ("version 2 without its preface", "GET /show/x HTTP/2.0\r\nHost: api.test\r\n\r\n"),
    ("a method that is none", "G@T /show/x HTTP/1.1\r\nHost: api.test\r\n\r\n"),
    ("the gateway's own word", "*REFUSED /show/x HTTP/1.1\r\nHost: api.test\r\n\r\n"),
    (
        "chunks in the oldest version",
        "POST /show/x HTTP/1.0\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    ("a line before the method", " GET /show/x HTTP/1.1\r\nHost: api.test\r\n\r\n"),
];

#[test]
fn what_could_be_framed_otherwise_reaches_no_server() {
    let (world, server) = super::world();
    let of = |rest: &str| format!("POST /show/x HTTP/1.1\r\nHost: api.test\r\n{rest}");
    let framed = FRAMINGS.iter().map(|(what, rest)| (*what, of(rest)));
    let whole = HEADS.iter().map(|(what, head)| (*what, (*head).to_owned()));
    let mut wrong = Vec::new();
    for (what, attack) in framed.chain(whole) {
        let mut client = world.web();
        client.send(&attack);
        let answered = client.answer();
        let status = answered.as_ref().map(|answered| answered.status);
        let is_over = answered.is_some() && client.answer().is_none();
        if status != Some(400) || !server.heard().is_empty() {
            wrong.push(format!("{what}: {answered:?}, over: {is_over}, heard {}", server.heard()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(server.heard(), "");
}

#[test]
fn what_came_before_an_attack_is_answered_and_nothing_after_it() {
    let (world, server) = super::world();
    let mut client = world.web();
    let attack = "POST /show/attack HTTP/1.1\r\nHost: api.test\r\nContent-Length: 3\r\n\
                  Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /show/after HTTP/1.1\r\n\
                  Host: api.test\r\n\r\n";
    client.send(request("GET", "/show/before", &[]) + attack);
    assert_eq!(client.answer().unwrap().text(), "this is before\n");
    assert_eq!(client.answer().unwrap().status, 400);
    assert!(client.answer().is_none(), "the connection goes on");
    let heard = server.heard();
    assert!(heard.contains("/show/before"), "{heard}");
    assert!(!heard.contains("attack") && !heard.contains("after"), "{heard}");
    let line = world.event("session_ended", |_| true);
    assert_eq!(line["cause"], "protocol_violation", "{line}");
}

#[test]
fn an_attack_behind_its_head_is_broken_off() {
    let (world, server) = super::world();
    let mut client = world.web();
    client.send(request("POST", "/upload", &["Transfer-Encoding: chunked"]));
    assert_eventually!(!server.seen().is_empty());
    client.send("1;x=y\r\na\r\n0\r\n\r\nGET /show/after HTTP/1.1\r\nHost: api.test\r\n\r\n");
    let answered = client.answer();
    assert!(answered.as_ref().is_none_or(|answered| answered.status == 400), "{answered:?}");
    assert!(!server.heard().contains("after"), "{}", server.heard());
    let line = world.event("session_ended", |_| true);
    assert_eq!(line["cause"], "protocol_violation", "{line}");
}

#[test]
fn a_head_has_a_hundred_fields_at_most() {
    let world = World::with(WebServer::plain(), |usual| usual);
    let asked = |count: usize| {
        // The host is one of them.
        let fields: Vec<String> = (1..count).map(|n| format!("X-{n}: {n}")).collect();
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let mut client = world.web();
        client.send(request("GET", "/show/x", &fields));
        client.answer().unwrap()
    };
    // The gateway adds some of its own, and this server has the same bound.
    assert_eq!(asked(95).status, 200);
    let refused = asked(101);
    assert_eq!(refused.status, 431);
    assert!(refused.body.starts_with(b"{"), "{refused:?}");
}

#[test]
fn heads_that_are_too_long_or_too_slow_are_refused() {
    let server = WebServer::plain();
    let world = World::with(server, |usual| {
        usual.limits(
            "{ handshake_within: 1s, statement_bytes_max: 32KiB, message_bytes_max: 64KiB }",
        )
    });
    let mut client = world.web();
    client.send(request("GET", "/show/x", &[&format!("X-Long: {}", "x".repeat(70_000))]));
    assert_eq!(client.answer().unwrap().status, 431);
    let mut client = world.web();
    client.send(request("GET", &format!("/show/{}", "x".repeat(40_000)), &[]));
    assert_eq!(client.answer().map(|answered| answered.status), Some(414));
    let mut client = world.web();
    client.send("GET /show/x HTTP/1.1\r\nHost: api");
    assert_eq!(client.answer().unwrap().status, 408);
    assert!(client.answer().is_none());
    assert_eq!(server.heard(), "");
}
