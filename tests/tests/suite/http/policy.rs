//! What rules say of requests and answers, and how clients are told.

use std::time::Duration;

use serde_json::json;
use tests::assert_eventually;
use tests::web::WebServer;
use tests::web::client::request;
use tests::world::World;

use super::role;

#[test]
fn a_denial_is_problem_details_that_name_the_rule_and_the_request() {
    let (world, server) = super::world();
    let mut client = world.web();
    let answered = client.ask("DELETE", "/users/7?token=abc&dry=1", &[]);
    assert_eq!(answered.status, 403);
    assert_eq!(answered.header("content-type"), Some("application/problem+json; charset=utf-8"));
    let problem = answered.json();
    assert_eq!(problem["rule"], "shop/no-deletes".replace("shop/", ""), "{problem}");
    assert_eq!(
        (&problem["status"], &problem["type"]),
        (&json!(403), &json!("urn:portcullis:denied"))
    );
    assert!(problem["request"].is_string(), "{problem}");
    let line = world.event("operation_decided", |line| line["effect"] == "deny");
    let text = line["text"].as_str().unwrap();
    assert!(text.contains("DELETE http://api.test"), "{line}");
    assert!(text.contains("/users/7?token=***&dry=1"), "{line}");
    assert!(problem["request"].as_str().unwrap().contains(line["session"].as_str().unwrap()));
    assert_eq!(client.get("/show/on").status, 200);
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_denied_request_with_a_long_body_is_answered() {
    let (world, server) = super::world();
    let mut client = world.web();
    client.send(request("DELETE", "/x", &["Content-Length: 10000000"]));
    let mut stream = client.stream().try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        use std::io::Write;
        let _ = stream.write_all(&vec![b'x'; 10_000_000]);
    });
    assert_eq!(client.answer().map(|answered| answered.status), Some(403));
    drop(client);
    sending.join().unwrap();
    assert_eq!(server.heard(), "");
}

#[test]
fn approvers_see_the_body_and_the_bytes_they_approve_are_sent() {
    let (world, server) = super::world();
    let mut client = world.web();
    client.send(request("PUT", "/drop/orders", &["Content-Length: 13"]) + "{\"sure\":true}");
    let hold = world.hold();
    assert!(format!("{hold:?}").contains("sure"), "{hold:?}");
    assert_eq!(server.heard(), "");
    world.approve(hold.id).unwrap();
    assert_eq!(client.answer().unwrap().text(), "done orders\n");
    assert!(server.heard().ends_with("{\"sure\":true}"), "{}", server.heard());
}

#[test]
fn a_hold_without_a_body_waits_too_and_a_rejection_is_told() {
    let (world, server) = super::world();
    let mut client = world.web();
    client.send(request("PUT", "/drop/orders", &[]));
    world.reject(world.hold().id).unwrap();
    let answered = client.answer().unwrap();
    assert_eq!(answered.status, 403);
    assert_eq!(answered.json()["type"], "urn:portcullis:hold-rejected");
    assert!(answered.text().contains("not today"), "{}", answered.text());
    assert_eq!(client.get("/show/on").status, 200);
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn an_expired_hold_says_when_to_try_again() {
    let server = WebServer::plain();
    let world = World::with(server, |mut usual| {
        usual.roles = usual.roles.replace("within: 1m", "within: 1s");
        usual
    });
    let answered = world.web().ask("PUT", "/drop/orders", &[]);
    assert_eq!((answered.status, answered.header("retry-after")), (503, Some("60")));
    assert_eq!(server.heard(), "");
}

#[test]
fn a_body_that_is_too_long_to_wait_is_refused() {
    let (world, server) = super::world();
    let mut client = world.web();
    client.send(request("PUT", "/drop/x", &["Content-Length: 2000000"]));
    client.send(vec![b'x'; 2_000_000]);
    let answered = client.answer().unwrap();
    assert_eq!(answered.status, 429, "{answered:?}");
    assert!(world.holds().is_empty());
    assert_eq!(server.heard(), "");
}

#[test]
fn what_the_client_sends_behind_a_held_request_waits_with_it() {
    let (world, server) = super::world();
    let mut client = world.web();
    client.send(request("PUT", "/drop/x", &[]) + &request("GET", "/show/next", &[]));
    let hold = world.hold();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(server.heard(), "");
    world.approve(hold.id).unwrap();
    assert_eq!(client.answer().unwrap().text(), "done x\n");
    assert_eq!(client.answer().unwrap().text(), "this is next\n");
}

#[test]
fn an_answer_that_a_rule_denies_is_not_shown() {
    let server = WebServer::plain();
    let world = World::with(server, |usual| {
        usual.rule(
            "{ id: no-errors, effect: deny, target: shop, http: { statuses: [\"5xx\", 404] } }",
        )
    });
    let mut client = world.web();
    for target in ["/fail/x", "/status/404", "/status/503"] {
        let answered = client.get(target);
        assert_eq!(answered.status, 403, "{target}");
        assert!(answered.text().contains("no-errors"), "{}", answered.text());
        assert!(!answered.text().contains("it failed"));
    }
    assert_eq!(client.get("/show/on").status, 200);
}

#[test]
fn rules_look_at_queries_and_headers() {
    let server = WebServer::plain();
    let world = World::with(server, |usual| {
        role(
            usual,
            &[
                "{ id: dry, effect: allow, target: shop, http: { methods: [POST], paths: [/jobs], query: { dry_run: \"true\" } } }",
                "{ id: ops, effect: allow, target: shop, http: { methods: [GET] }, when: 'operation.accesses.all(a, a.headers[\"x-team\"] == [\"ops\"])' }",
            ],
        )
    });
    let mut client = world.web();
    for (method, target, fields, status) in [
        ("POST", "/jobs?dry_run=true", &[][..], 200),
        ("POST", "/jobs?dry_run=true&x=1", &[], 200),
        ("POST", "/jobs", &[], 403),
        ("POST", "/jobs?dry_run=false", &[], 403),
        ("POST", "/jobs?dry_run=true&dry_run=false", &[], 403),
        ("POST", "/jobs?dry_run=true&DRY_RUN=false", &[], 403),
        ("GET", "/show/x", &["X-Team: ops"], 200),
        ("GET", "/show/x", &["X-TEAM: ops"], 200),
        ("GET", "/show/x", &["X-Team: dev"], 403),
        ("GET", "/show/x", &["X-Team: ops", "X-Team: dev"], 403),
        ("GET", "/show/x", &[], 403),
    ] {
        let answered = client.ask(method, target, fields);
        assert_eq!(answered.status, status, "{method} {target} {fields:?}: {}", answered.text());
    }
}

#[test]
fn a_new_policy_is_felt_by_a_live_connection() {
    let server = WebServer::plain();
    let mut world = World::with(server, |usual| usual);
    let mut client = world.web();
    assert_eq!(client.get("/show/x").status, 200);
    let rule = "{ id: closed, effect: deny, target: shop, http: { methods: [GET] }, when: 'operation.accesses.all(a, a.headers[\"x-in\"] == [])' }";
    world.reload(|usual| usual.rule(rule)).unwrap();
    assert_eventually!(client.get("/show/x").status == 403);
    assert_eq!(client.ask("GET", "/show/x", &["X-In: 1"]).status, 200);
    assert_eq!(server.accepted(), 1);
}
