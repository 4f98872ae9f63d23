//! Two targets at one address, told apart by the name that is asked for.

use tests::web::WebServer;
use tests::web::client::WebClient;
use tests::world::{Configuration, World};

/// A second target beside the usual one, with rules and a credential of its own.
fn with_neighbour(mut usual: Configuration, tls: &str) -> Configuration {
    let secret = usual.directory().join("other-secret");
    std::fs::write(&secret, "canary-other-08c2").unwrap();
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let address = usual.upstream();
    usual.target = usual.target.replace("hosts: [api.test, 127.0.0.1]", "hosts: [api.test]");
    usual.target.push_str(&format!(
        "  - name: other\n    protocol: http\n    addresses: [\"{address}\"]\n    \
         hosts: [\"*.other.test\", localhost]\n    upstream_tls: {tls}\n    \
         credential: {{ header: {{ name: X-Key, value: {{ file: {} }} }} }}\n",
        secret.display()
    ));
    usual
        .rule("{ id: into-other, effect: allow, target: other }")
        .rule("{ id: other-writes, effect: allow, target: other, http: { methods: [DELETE] } }")
}

fn ask(client: &mut WebClient, method: &str, host: &str) -> (u16, String) {
    client.send(format!("{method} /echo HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n"));
    match client.answer() {
        Some(answered) => (answered.status, answered.text()),
        None => (0, String::new()),
    }
}

#[test]
fn each_name_has_its_own_rules_and_credential_in_the_clear() {
    let server = WebServer::plain();
    let world = World::with(server, |usual| with_neighbour(usual, "disable"));
    let port = server.port();
    // The usual target may be read, the other one only be deleted from.
    assert_eq!(ask(&mut world.web(), "GET", "api.test").0, 200);
    let seen = server.last_seen();
    let bearer = format!("Bearer {}", tests::web::TOKEN);
    assert_eq!((seen.header("authorization"), seen.header("x-key")), (Some(&*bearer), None));
    assert_eq!(ask(&mut world.web(), "DELETE", "a.other.test").0, 200);
    let seen = server.last_seen();
    assert_eq!(
        (seen.header("authorization"), seen.header("x-key")),
        (None, Some("canary-other-08c2"))
    );
    let reached = server.seen().len();
    assert_eq!(ask(&mut world.web(), "DELETE", "api.test").0, 403);
    assert_eq!(ask(&mut world.web(), "GET", &format!("a.other.test:{port}")).0, 403);
    // A connection stays with the target that it was opened for.
    let mut client = world.web();
    assert_eq!(ask(&mut client, "GET", "api.test").0, 200);
    assert_eq!(ask(&mut client, "DELETE", "a.other.test").0, 421);
    assert_eq!(ask(&mut client, "GET", "api.test").0, 200);
    assert_eq!(server.seen().len(), reached + 2);
    assert!(server.seen().iter().all(|seen| {
        let is_other = seen.header("host").unwrap().contains("other.test");
        is_other == seen.header("x-key").is_some()
            && is_other != seen.header("authorization").is_some()
    }));
}

#[test]
fn a_name_that_is_nobodys_and_none_at_all_reach_nothing() {
    let server = WebServer::plain();
    let world = World::with(server, |usual| with_neighbour(usual, "disable"));
    for host in ["elsewhere.test", "127.0.0.1", "other.test", "api.test.evil.test"] {
        let (status, said) = ask(&mut world.web(), "GET", host);
        assert!(status != 200, "{host}: {said}");
    }
    let mut client = world.web();
    client.send("GET /echo HTTP/1.0\r\n\r\n");
    assert!(client.answer().is_none_or(|answered| answered.status != 200));
    assert_eq!(server.heard(), "");
}

#[test]
fn names_in_tls_choose_and_hosts_must_agree() {
    let server = WebServer::secure();
    let world = World::with(server, |usual| {
        let ca = server.authority().write(usual.directory());
        let tls = format!("{{ mode: verify-ca, ca: {} }}", ca.display());
        with_neighbour(usual, &tls)
    });
    let station = world.web_station();
    let port = server.port();
    let curl = |name: &str, arguments: &[&str]| {
        let mut all = vec!["-sS", "-o", "/dev/stderr", "-w", "%{http_code}", "--max-time", "20"];
        let resolve = format!("{name}:{port}:127.0.0.2");
        all.extend(["--resolve", &resolve]);
        all.extend(arguments);
        let address = format!("https://{name}:{port}/echo");
        all.push(&address);
        station.run("curl", &all)
    };
    assert_eq!(curl("api.test", &[]).output, "200");
    assert!(server.last_seen().header("authorization").is_some());
    let said = curl("x.other.test", &["-X", "DELETE"]);
    assert_eq!(said.output, "200", "{said:?}");
    assert_eq!(server.last_seen().header("x-key"), Some("canary-other-08c2"));
    assert_eq!(curl("x.other.test", &[]).output, "403");
    let reached = server.seen().len();
    // The name in TLS is one target's, the host the other's.
    let said = curl("api.test", &["-H", &format!("Host: x.other.test:{port}"), "-X", "DELETE"]);
    assert_eq!(said.output, "421", "{said:?}");
    // A name that is nobody's, and none.
    assert_ne!(curl("elsewhere.test", &["-k"]).output, "200");
    let address = format!("https://127.0.0.2:{port}/echo");
    let said = station.run("curl", &["-sSk", "-w", "%{http_code}", "--max-time", "20", &address]);
    assert!(!said.output.contains("200"), "{said:?}");
    assert_eq!(server.seen().len(), reached);
}
