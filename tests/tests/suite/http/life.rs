//! How connections end, and clients that do not trust the gateway.

use std::io::Read;

use tests::assert_eventually;
use tests::web::WebServer;
use tests::web::client::request;
use tests::world::World;

use super::bare;

#[test]
fn a_drain_ends_idle_connections_and_lets_answers_arrive() {
    let server = WebServer::plain();
    let world = World::with(server, bare);
    let mut idle = world.web();
    assert_eq!(idle.get("/show/x").status, 200);
    let mut busy = world.web();
    busy.send(request("GET", "/slow", &[]));
    assert_eq!(busy.head().unwrap().status, 200);
    let drained = world.begin_drain();
    assert!(idle.answer().is_none(), "an idle connection stays open");
    let rest = String::from_utf8(busy.rest()).unwrap();
    assert!(rest.contains("\"count\":4") && rest.ends_with("0\r\n\r\n"), "{rest}");
    world.block_on(drained).unwrap();
    let causes: Vec<_> =
        world.events("session_ended").iter().map(|line| line["cause"].clone()).collect();
    assert_eq!(causes, ["drained", "drained"]);
}

#[test]
fn a_policy_that_shuts_the_door_ends_what_is_under_way() {
    let server = WebServer::plain();
    let mut world = World::with(server, bare);
    let mut client = world.web();
    client.send(request("GET", "/hang", &[]));
    assert_eventually!(!server.seen().is_empty());
    world.reload(|usual| usual.role_of("{ id: shut, effect: deny, target: shop }")).unwrap();
    let mut rest = Vec::new();
    let _ = client.stream().read_to_end(&mut rest);
    assert!(rest.is_empty(), "{rest:?}");
    let line = world.event("session_ended", |_| true);
    assert_eq!(line["cause"], "policy_changed");
    let answered = world.web().get("/show/x");
    assert_eq!((answered.status, answered.text().contains("shut")), (403, true), "{answered:?}");
}

#[test]
fn a_client_that_does_not_trust_the_gateway_is_recognised_the_second_time() {
    let server = WebServer::secure();
    let world = World::with(server, |usual| usual);
    let station = world.web_station_without_trust();
    for _ in 0..2 {
        assert!(world.events("certificate_refused").is_empty());
        let said = station.curl("/show/x", &[]);
        assert_eq!(said.status, Some(60), "{said:?}");
        let ended = world.events("session_ended").len();
        assert_eventually!(
            world.events("session_ended").len() > ended || world.open_connections() == 0
        );
    }
    let line = world.event("certificate_refused", |_| true);
    assert_eq!(line["name"], "api.test", "{line}");
    assert!(line["remedy"].as_str().unwrap().contains("portcullis trust"), "{line}");
    assert!(server.seen().is_empty());
}

#[test]
fn a_client_that_does_not_trust_the_gateway_may_pass_where_the_target_says_so() {
    let server = WebServer::secure();
    let world = World::with(server, |usual| usual.target_key("untrusting_clients: passthrough"));
    // It trusts the server's own authority, and not the gateway's.
    let station = tests::web::station::WebStation::new(
        server,
        [127, 0, 0, 2].into(),
        server.authority().certificate_pem(),
    );
    for _ in 0..2 {
        assert_eq!(station.curl("/echo", &[]).status, Some(60));
        assert_eventually!(world.open_connections() == 0);
    }
    let said = station.curl("/echo", &["--header", "Authorization: Bearer own"]).success();
    assert!(said.contains("Bearer own"), "{said}");
    assert!(!said.contains(tests::web::TOKEN), "{said}");
}

#[test]
fn a_server_that_cannot_be_verified_gets_no_credential() {
    let (server, other) = (WebServer::secure(), WebServer::secure());
    let world = World::with(server, |usual| {
        let directory = usual.directory().to_path_buf();
        let ca = other.authority().write(&directory);
        usual.upstream_tls(&format!("{{ mode: verify-full, ca: {} }}", ca.display()))
    });
    let said = world.web_station().curl("/show/x", &[]).success();
    assert!(said.contains("urn:portcullis:upstream"), "{said}");
    let _ = world.event("upstream_failed", |_| true);
    assert!(server.seen().is_empty());
}
