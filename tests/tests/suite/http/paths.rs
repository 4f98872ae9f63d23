//! Paths, hosts and fields that make a request another one than it seems.

use tests::web::WebServer;
use tests::web::client::request;
use tests::world::World;

use super::role;

#[test]
fn paths_that_servers_read_differently_reach_no_server() {
    let (world, server) = super::world();
    for path in [
        "//show/x",
        "/show//x",
        "/./show",
        "/show/.",
        "/show/../admin",
        "/show/..",
        "/show/%2e%2e/admin",
        "/show/%2E./admin",
        "/show/.%2e",
        "/show/%2e",
        "/show/x;y=1",
        "/show/..;/admin",
        "/show\\admin",
        "/show%5cadmin",
        "/show%2fadmin",
        "/show%2Fadmin",
        "/show%00",
        "/show%0d%0aX: 1",
        "/show%0d%0aX",
        "/show%",
        "/show%2",
        "/show%zz",
        "/show%252e%252e/admin",
        "/show%252fadmin",
        "/show%c0%af",
        "/show%ff",
        "/show#x",
    ] {
        let mut client = world.web();
        client.send(format!("GET {path} HTTP/1.1\r\nHost: api.test\r\n\r\n"));
        let answered = client.answer().unwrap();
        assert_eq!(answered.status, 400, "{path}: {answered:?}");
    }
    assert_eq!(server.heard(), "");
}

#[test]
fn hosts_that_are_not_the_targets_reach_no_server() {
    let (world, server) = super::world();
    let port = server.port();
    for (host, status) in [
        ("evil.test".to_owned(), 421),
        ("api.test.evil.test".to_owned(), 421),
        ("xapi.test".to_owned(), 421),
        ("localhost".to_owned(), 421),
        (format!("api.test:{}", port ^ 1), 421),
        ("api.test:0".to_owned(), 400),
        ("api.test:".to_owned(), 400),
        ("api.test..".to_owned(), 400),
        ("api.test:80:80".to_owned(), 400),
        ("api..test".to_owned(), 400),
    ] {
        let mut client = world.web();
        client.send(format!("GET /show/x HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        let answered = client.answer().unwrap();
        assert_eq!(answered.status, status, "{host}: {answered:?}");
    }
    assert_eq!(server.heard(), "");
    for host in ["API.Test".to_owned(), "api.test.".to_owned(), format!("api.test:{port}")] {
        let mut client = world.web();
        client.send(format!("GET /show/x HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(client.answer().unwrap().status, 200, "{host}");
        assert_eq!(server.last_seen().header("host"), Some(host.as_str()));
    }
}

#[test]
fn fields_that_change_method_or_path_reach_no_server() {
    let (world, server) = super::world();
    for field in [
        "X-HTTP-Method-Override: DELETE",
        "X-HTTP-Method: DELETE",
        "X-Method-Override: DELETE",
        "X-Original-URL: /admin",
        "X-Rewrite-URL: /admin",
        "X-Original-URI: /admin",
        // Where fields become variables these are the same.
        "X_HTTP_Method_Override: DELETE",
        "X-Original_URL: /admin",
        "X.Rewrite.URL: /admin",
        "Content_Length: 5",
        "Transfer_Encoding: chunked",
    ] {
        let answered = world.web().ask("GET", "/show/x", &[field]);
        assert_eq!(answered.status, 400, "{field}");
        assert!(answered.text().contains("another one than it seems"), "{}", answered.text());
    }
    assert_eq!(server.heard(), "");
}

#[test]
fn fields_that_say_who_somebody_is_are_taken_out() {
    let (world, server) = super::world();
    let fields = [
        "X-Forwarded-For: 10.0.0.1",
        "X-Forwarded-User: admin",
        "X-Forwarded-Client-Cert: By=x",
        "Forwarded: for=10.0.0.1",
        "X-Real-IP: 10.0.0.1",
        "X-Remote-User: admin",
        "X_Forwarded_For: 10.0.0.1",
        "Remote_User: admin",
        "X_Api_Key: of-the-workload",
        "Impersonate-User: admin",
        "Proxy-Authorization: Basic x",
        "Connection: X-Secret-Hop",
        "X-Secret-Hop: 1",
        "Keep-Alive: timeout=5",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAAQAAP__",
        "X-Stays: 1",
    ];
    assert_eq!(world.web().ask("GET", "/echo", &fields).status, 200);
    let seen = server.last_seen();
    let names: Vec<&str> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
    for gone in fields.iter().take(fields.len() - 1) {
        let name = gone.split(':').next().unwrap().to_lowercase();
        assert!(!names.contains(&name.as_str()), "{name} went through: {names:?}");
    }
    assert!(names.contains(&"x-stays"), "{names:?}");
}

#[test]
fn what_clients_send_unencoded_is_judged_and_sent_encoded() {
    let server = WebServer::plain();
    let rule = "{ id: no-admin, effect: deny, target: shop, http: { methods: [GET], paths: [\"/admin/ä\"] } }";
    let world = World::with(server, |usual| usual.rule(rule));
    for (sent, meant) in [
        ("/show/x?query=up{job=\"node\"}", "/show/x?query=up{job=%22node%22}"),
        ("/show/x?q=<a>|`b`", "/show/x?q=%3Ca%3E|`b`"),
        ("/show/x?rate=100%&name=%4", "/show/x?rate=100%25&name=%254"),
        ("/show/größe?q=ä", "/show/gr%C3%B6%C3%9Fe?q=%C3%A4"),
    ] {
        let mut client = world.web();
        // The one behind it is read where it begins.
        client.send(request("GET", sent, &[]) + &request("GET", "/show/after", &[]));
        assert_eq!(client.answer().unwrap().status, 200, "{sent}");
        assert_eq!(client.answer().unwrap().text(), "this is after\n");
        let heard = server.heard();
        assert!(heard.contains(&format!("GET {meant} HTTP/1.1\r\n")), "{heard}");
    }
    let denied = world.web().ask("GET", "/admin/ä", &[]);
    assert_eq!(denied.status, 403, "{denied:?}");
}

#[test]
fn a_field_that_may_be_taken_for_one_of_a_condition_reaches_no_server() {
    let server = WebServer::plain();
    let world = World::with(server, |usual| {
        usual.rule(
            r#"{ id: of-a-team, effect: deny, target: shop, http: { methods: [GET] },
                 when: 'operation.accesses.exists(a, "ops" in a.headers["x-team"])' }"#,
        )
    });
    assert_eq!(world.web().ask("GET", "/show/x", &["X-Team: dev"]).status, 200);
    for fields in [&["X_Team: ops"][..], &["X-Team: dev", "X_Team: ops"], &["X.Team: dev"]] {
        let answered = world.web().ask("GET", "/show/x", fields);
        assert_eq!(answered.status, 400, "{fields:?}");
    }
    assert!(!server.heard().to_lowercase().contains("ops"), "{}", server.heard());
}

#[test]
fn a_denial_holds_for_every_spelling_of_a_path() {
    let server = WebServer::plain();
    let world = World::with(server, |usual| {
        role(
            usual,
            &[
                "{ id: all, effect: allow, target: shop, http: { methods: [\"*\"] } }",
                "{ id: no-admin, effect: deny, target: shop, http: { methods: [\"*\"], paths: [\"/admin/**\"] } }",
            ],
        )
    });
    for path in [
        "/admin",
        "/admin/",
        "/admin/x",
        "/%61dmin/x",
        "/ADMIN/x",
        "/admin/x?y=1",
        "/admin%20/../admin",
    ] {
        let mut client = world.web();
        client.send(format!("GET {path} HTTP/1.1\r\nHost: api.test\r\n\r\n"));
        let answered = client.answer().unwrap();
        assert!([400, 403].contains(&answered.status), "{path}: {answered:?}");
    }
    assert_eq!(server.heard(), "");
    assert_eq!(world.web().get("/administrators").status, 200);
}

#[test]
fn the_name_in_tls_and_the_host_must_agree() {
    let server = WebServer::secure();
    let world = World::with(server, |usual| usual);
    let station = world.web_station();
    let host = format!("Host: 127.0.0.1:{}", server.port());
    for version in ["--http1.1", "--http2"] {
        let said =
            station.curl("/show/x", &[version, "--header", &host, "--write-out", "%{http_code}"]);
        assert!(said.output.ends_with("421"), "{said:?}");
    }
    assert!(server.seen().is_empty(), "{:?}", server.seen());
    // A name that is not the target's gets no TLS at all.
    let address = format!("https://evil.test:{}/", server.port());
    let to = format!("evil.test:{0}:127.0.0.2:{0}", server.port());
    let said = station.run("curl", &["--silent", "--insecure", "--connect-to", &to, &address]);
    assert_ne!(said.status, Some(0), "{said:?}");
    assert_eq!(server.accepted(), 2);
}
