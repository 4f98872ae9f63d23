//! What requests mean, and how clients are told that they are refused.

use tests::web::client::request;

const POD: &str = "/api/v1/namespaces/shop/pods/web";

#[test]
fn a_refusal_is_a_status_that_kubectl_shows() {
    let (world, server) = super::world();
    let mut client = world.web();
    let answered = client.ask("DELETE", POD, &[]);
    assert_eq!(answered.status, 403);
    assert_eq!(answered.header("content-type"), Some("application/json"));
    let status = answered.json();
    assert_eq!(status["kind"], "Status");
    assert_eq!(status["apiVersion"], "v1");
    assert_eq!(status["status"], "Failure");
    assert_eq!(status["reason"], "Forbidden");
    assert_eq!(status["code"], 403);
    let message = status["message"].as_str().unwrap();
    assert!(message.contains("permission denied: delete on pods shop/web"), "{message}");
    let line = world.event("operation_decided", |line| line["effect"] == "deny");
    let session = line["session"].as_str().unwrap();
    assert!(message.ends_with(&format!("(rule no-deletes, session {session})")), "{message}");
    assert!(server.seen().is_empty());
    assert_eq!(client.get(POD).status, 200);
}

#[test]
fn a_client_that_is_not_let_in_is_told_so_as_a_status() {
    let (world, _) =
        super::world_with(|usual| usual.role_of("{ id: nobody, effect: deny, target: shop }"));
    let status = world.web().get("/version").json();
    assert_eq!((&status["kind"], &status["code"]), (&"Status".into(), &403.into()), "{status}");
}

#[test]
fn nobody_is_taken_for_somebody_else() {
    let (world, server) = super::world();
    let fields = [
        "Impersonate-User: admin",
        "Impersonate-Group: system:masters",
        "Impersonate-Extra-Scopes: all",
        "Impersonate-Uid: 1",
        "X-Remote-User: admin",
        "X-Remote-Extra-Scopes: all",
        "Authorization: Bearer own",
    ];
    assert_eq!(world.web().ask("GET", POD, &fields).status, 200);
    let seen = server.last_seen();
    let names: Vec<&str> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
    let foreign = |name: &&&str| name.starts_with("impersonate") || name.starts_with("x-remote");
    assert!(!names.iter().any(|name| foreign(&name)), "{names:?}");
    assert_eq!(seen.header("authorization"), Some(&*format!("Bearer {}", tests::web::TOKEN)));
    // Nor where the workload's own login passes.
    let (world, server) = super::world_with(|usual| usual.host_credential("{ none: true }"));
    assert_eq!(world.web().ask("GET", POD, &fields).status, 200);
    let seen = server.last_seen();
    assert_eq!(seen.header("impersonate-user"), None);
    assert_eq!(seen.header("authorization"), Some("Bearer own"));
}

#[test]
fn a_host_that_a_proxy_before_the_client_has_named_is_not_passed_on() {
    // `kubectl proxy` sends the name by which it was asked itself.
    let (world, server) = super::world();
    for host in ["127.0.0.1:1", "localhost:8001", "other.example"] {
        let mut client = world.web();
        client.send(format!("GET {POD} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(client.answer().unwrap().status, 200, "{host}");
        let own = format!("127.0.0.1:{}", server.port());
        assert_eq!(server.last_seen().header("host"), Some(&*own), "{host}");
    }
    let mut client = world.web();
    client.send(format!("GET {POD} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"));
    assert_eq!(client.answer().unwrap().status, 400);
}

#[test]
fn what_servers_could_read_in_two_ways_never_reaches_one() {
    let (world, server) = super::world_with(|usual| usual.everything_allowed());
    for target in [
        "/api/v1/namespaces/shop%2Fpods/web",
        "/api/v1/namespaces/shop/pods/..%2Fsecrets",
        "/api/v1/namespaces/shop/../kube-system/secrets",
        "/api/v1/namespaces/shop/%2e%2e/kube-system/secrets",
        "/api/v1//secrets",
        "/api/v1/pods?watch=0&watch=1",
        "/api/v1/pods?fieldSelector=metadata.name%3Da&fieldSelector=",
        "/api/v1/pods?watch=0;watch=1",
        "/api/v1/pods;x=1",
        "/api/v1/watch",
    ] {
        let answered = world.web().get(target);
        assert_eq!(answered.status, 400, "{target}: {answered:?}");
        assert_eq!(answered.json()["reason"], "BadRequest", "{target}");
    }
    for field in ["X-HTTP-Method-Override: DELETE", "X-Original-URL: /api/v1/secrets"] {
        assert_eq!(world.web().ask("GET", POD, &[field]).status, 400, "{field}");
    }
    assert!(server.seen().is_empty(), "{:?}", server.seen());
}

#[test]
fn a_stream_is_a_verb_of_its_own_and_goes_on_in_another_protocol_only() {
    let (world, server) = super::world();
    let exec = format!("{POD}/exec?command=ls&stdout=1");
    let upgrade = ["Connection: Upgrade", "Upgrade: SPDY/3.1"];
    for method in ["GET", "POST"] {
        let status = world.web().ask(method, &exec, &upgrade).json();
        let message = status["message"].as_str().unwrap();
        assert!(message.contains("exec on pods/exec shop/web: ls"), "{message}");
        assert_eq!(world.web().ask(method, &exec, &[]).status, 400);
    }
    let (other, _) = super::world_with(|usual| usual.everything_allowed());
    for target in ["/api/v1/pods?watch=1", POD, "/version"] {
        assert_eq!(other.web().ask("GET", target, &upgrade).status, 400, "{target}");
    }
    assert!(server.seen().is_empty());
}

#[test]
fn a_held_request_waits_and_its_approver_sees_the_object() {
    let (world, server) = super::world();
    let mut client = world.web();
    let held = "/api/v1/namespaces/shop/configmaps/drop-it";
    client.send(request("PUT", held, &["Content-Length: 13"]) + "{\"sure\":true}");
    let hold = world.hold();
    assert!(format!("{hold:?}").contains("sure"), "{hold:?}");
    assert!(server.seen().is_empty());
    world.approve(hold.id).unwrap();
    assert_eq!(client.answer().unwrap().status, 200);
}

#[test]
fn a_hold_that_is_rejected_is_a_status_without_a_time_to_ask_again() {
    let (world, _) = super::world();
    let mut client = world.web();
    client.send(request("PUT", "/api/v1/namespaces/shop/configmaps/drop-it", &[]));
    world.reject(world.hold().id).unwrap();
    let answered = client.answer().unwrap();
    assert_eq!((answered.status, answered.json()["reason"].as_str()), (403, Some("Forbidden")));
    assert_eq!(answered.header("retry-after"), None);
}

#[test]
fn the_sessions_of_a_cluster_are_its_own_protocol() {
    let (world, _) = super::world();
    let mut client = world.web();
    assert_eq!(client.get("/version").status, 200);
    drop(client);
    let line = world.event("session_ended", |_| true);
    assert_eq!(line["target"], "shop", "{line}");
    let line = world.event("session_started", |_| true);
    assert_eq!(line["protocol"], "kubernetes", "{line}");
}
