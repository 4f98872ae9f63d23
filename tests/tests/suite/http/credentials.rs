//! What the gateway logs in with: put in, in the place of the workload's own, and never shown.

use std::time::Duration;

use tests::programs;
use tests::web::client::WebClient;
use tests::web::{NAME, Seen, TOKEN, WebServer};
use tests::world::{Configuration, World};

/// What a workload could send by itself.
const OWN: &[&str] = &[
    "Authorization: Bearer workload",
    "Cookie: session=workload",
    "X-Api-Key: workload",
    "X-Amz-Security-Token: workload",
    "X-Amz-Date: 20200101T000000Z",
];

fn with(credential: impl Fn(&Configuration) -> String) -> (World, &'static WebServer) {
    let server = WebServer::plain();
    let world = World::with(server, |usual| {
        let credential = credential(&usual);
        usual.host_credential(&credential)
    });
    (world, server)
}

fn seen(world: &World, target: &str) -> Seen {
    let answered = world.web().ask("GET", target, OWN);
    assert_eq!(answered.status, 200, "{answered:?}");
    let seen = world.web_server().last_seen();
    let all = format!("{seen:?}");
    assert!(!all.contains("workload"), "the workload's own went through: {all}");
    seen
}

#[test]
fn every_kind_is_put_in_and_the_workloads_own_taken_out() {
    let (world, _) = with(|usual| format!("{{ bearer: {} }}", usual.secret()));
    assert_eq!(seen(&world, "/echo").header("authorization"), Some(&*format!("Bearer {TOKEN}")));
    let (world, _) = with(|usual| format!("{{ user: job, password: {} }}", usual.secret()));
    let encoded = "am9iOmNhbmFyeS13ZWItNWYzMWMwZGU3N2Fh";
    assert_eq!(seen(&world, "/echo").header("authorization"), Some(&*format!("Basic {encoded}")));
    let (world, _) =
        with(|usual| format!("{{ header: {{ name: X-Api-Key, value: {} }} }}", usual.secret()));
    assert_eq!(seen(&world, "/echo").header("x-api-key"), Some(TOKEN));
    let (world, _) =
        with(|usual| format!("{{ query: {{ name: key, value: {} }} }}", usual.secret()));
    let seen = seen(&world, "/echo?a=1&key=workload&k%65y=workload&b=2");
    assert_eq!(seen.target, format!("/echo?a=1&b=2&key={TOKEN}"));
    assert_eq!(seen.header("authorization"), None);
}

#[test]
fn what_a_target_without_credential_gets_is_the_workloads_own() {
    let (world, server) = with(|_| "{ none: true }".to_owned());
    assert_eq!(world.web().ask("GET", "/echo", OWN).status, 200);
    assert_eq!(server.last_seen().header("authorization"), Some("Bearer workload"));
}

#[test]
fn a_secret_that_is_sent_back_is_starred_wherever_it_stands() {
    for kind in ["bearer", "header", "query", "basic"] {
        let (world, _) = with(|usual| match kind {
            "bearer" => format!("{{ bearer: {} }}", usual.secret()),
            "header" => format!("{{ header: {{ name: X-Api-Key, value: {} }} }}", usual.secret()),
            "query" => format!("{{ query: {{ name: key, value: {} }} }}", usual.secret()),
            _ => format!("{{ user: job, password: {} }}", usual.secret()),
        });
        let answered = world.web().get("/reflect");
        let all = format!("{answered:?} {}", answered.text());
        for secret in [TOKEN, "am9iOmNhbmFyeS13ZWItNWYzMWMwZGU3N2Fh"] {
            assert!(!all.contains(secret), "{kind}: {all}");
        }
        assert!(answered.text().contains("****"), "{kind}: {all}");
        assert!(answered.header("x-reflected").unwrap().contains("****"), "{kind}: {all}");
        assert!(!world.everything_written().contains(TOKEN), "{kind}");
    }
}

#[test]
fn a_redirect_elsewhere_carries_nothing() {
    let elsewhere = WebServer::plain();
    let (world, server) = with(|usual| format!("{{ bearer: {} }}", usual.secret()));
    let to = format!("http://127.0.0.1:{}/echo", elsewhere.port());
    let said = world.web_station().curl(&format!("/redirect?to={to}"), &["--location"]).success();
    assert!(said.contains("/echo"), "{said}");
    assert!(server.heard().contains(TOKEN));
    assert!(!elsewhere.heard().contains(TOKEN), "{}", elsewhere.heard());
    assert!(!said.contains(TOKEN));
}

#[test]
fn a_credential_that_the_upstream_does_not_take_is_reported() {
    let server = WebServer::plain();
    let world = World::with(server, |usual| usual);
    assert_eq!(world.web().get("/guarded").text(), "come in\n");
    let wrong = tests::cluster::User { name: "x", password: "canary-wrong-77aa" };
    let world = World::with(server, |usual| {
        let credential = format!("{{ bearer: {} }}", usual.secret());
        usual.credential(wrong).host_credential(&credential)
    });
    assert_eq!(world.web().get("/guarded").status, 401);
    let _ = world.event("upstream_failed", |line| line.to_string().contains("401"));
    assert!(!world.everything_written().contains("canary-wrong-77aa"));
}

/// What botocore, the library that jobs sign with, makes of a request that reached the server.
pub(super) const BOTOCORE: &str = r#"
import sys, json, datetime
from botocore.auth import SigV4Auth, S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
told = json.loads(sys.argv[1])
headers = {k.lower(): v for k, v in told["headers"]}
sent = headers["authorization"]
names = sent.split("SignedHeaders=")[1].split(",")[0].split(";")
request = AWSRequest(method=told["method"], url=told["base"] + told["target"], data=told["body"].encode())
for name in names:
    request.headers[name] = headers[name]
if told["service"] == "s3" and "x-amz-content-sha256" in headers:
    request.headers["X-Amz-Content-SHA256"] = headers["x-amz-content-sha256"]
kind = S3SigV4Auth if told["service"] == "s3" else SigV4Auth
auth = kind(Credentials("AKIDEXAMPLE", told["secret"], told.get("token")), told["service"], "eu-central-1")
request.context["timestamp"] = headers["x-amz-date"]
auth.headers_to_sign = lambda r: __import__("botocore.compat", fromlist=["HTTPHeaders"]).HTTPHeaders.from_pairs([(n, r.headers[n]) for n in names])
text = auth.string_to_sign(request, auth.canonical_request(request))
print(auth.signature(text, request) == sent.split("Signature=")[1], auth.canonical_request(request))
"#;

#[test]
fn signatures_of_aws_are_what_botocore_signs() {
    for (service, method, target, body, fields) in [
        ("execute-api", "GET", "/echo/list?b=2&a=1&c=%20x", "", &[][..]),
        ("dynamodb", "POST", "/echo", "{\"Table\":\"t\"}", &["X-Amz-Target: Db.Get"]),
        ("s3", "GET", "/echo/bucket/a%20key%2Bplus", "", &[]),
        (
            "s3",
            "POST",
            "/echo/bucket/key",
            "hello",
            &[
                "X-Amz-Content-Sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
            ],
        ),
    ] {
        let (world, server) = with(|usual| {
            format!(
                "{{ aws: {{ access_key_id: AKIDEXAMPLE, secret_access_key: {}, region: eu-central-1, service: {service} }} }}",
                usual.secret()
            )
        });
        let length = format!("Content-Length: {}", body.len());
        let own = "Authorization: AWS4-HMAC-SHA256 Credential=workload/x";
        let fields: Vec<&str> = [own, &length].into_iter().chain(fields.iter().copied()).collect();
        let mut client = world.web();
        client.send(tests::web::client::request(method, target, &fields) + body);
        let answered = client.answer().unwrap();
        assert_eq!(answered.status, 200, "{service}: {answered:?}");
        let seen = server.last_seen();
        assert_eq!(answered.json()["body"], body);
        let host = seen.header("host").unwrap();
        let told = serde_json::json!({
            "method": method, "target": target, "base": format!("http://{host}"), "body": body,
            "headers": seen.headers, "service": service, "secret": TOKEN,
        });
        let said = programs::python(BOTOCORE, &[&told.to_string()]);
        assert!(said.output.starts_with("True"), "{service}: {said:?} {seen:?}");
    }
}

#[test]
fn tokens_are_fetched_once_and_again_when_they_expire() {
    let (tokens, server) = (WebServer::secure(), WebServer::plain());
    let world = World::with(server, |usual| {
        let directory = usual.directory().to_path_buf();
        let ca = tokens.authority().write(&directory);
        let credential = format!(
            "{{ oauth2: {{ token_url: \"https://localhost:{}/token?60\", client_id: job, \
             client_secret: {}, scopes: [read], ca: {} }} }}",
            tokens.port(),
            usual.secret(),
            ca.display()
        );
        usual.host_credential(&credential)
    });
    let mut client: WebClient = world.web();
    for _ in 0..3 {
        let answered = client.get("/reflect");
        assert_eq!(answered.status, 200, "{answered:?}");
        assert!(!answered.text().contains("canary-token"), "{}", answered.text());
        assert_eq!(server.last_seen().header("authorization"), Some("Bearer canary-token-1"));
    }
    assert_eq!(tokens.tokens(), 1);
    world.clock().pass(Duration::from_secs(120));
    let _ = client.get("/echo");
    assert_eq!(server.last_seen().header("authorization"), Some("Bearer canary-token-2"));
    assert!(!world.everything_written().contains("canary-token"));
}

#[test]
fn a_certificate_of_the_client_logs_in_where_the_server_asks_for_one() {
    let server = WebServer::asking();
    let world = World::with(server, |usual| {
        let directory = usual.directory().to_path_buf();
        let ca = server.authority().write(&directory);
        let (certificate, key) = server.authority().issue_client("job").write(&directory, "job");
        let tls = format!(
            "{{ mode: verify-full, ca: {}, client_certificate: {{ certificate: {}, key: {} }} }}",
            ca.display(),
            certificate.display(),
            key.display()
        );
        usual.upstream_tls(&tls).host_credential("{ none: true }")
    });
    let said = world.web_station().curl("/show/x", &[]).success();
    assert_eq!(said, "this is x\n");
    assert_eq!(server.last_seen().header("host").or(Some(NAME)), Some(NAME));
}
