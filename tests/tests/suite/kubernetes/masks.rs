//! Masking of objects, in every form that an API server sends them in.

use serde_json::json;
use tests::assert_eventually;
use tests::web::api::{RAW_VALUES, TOKEN};
use tests::web::client::{Answered, request};
use tests::world::text_of;

const SECRETS: &str = "/api/v1/namespaces/shop/secrets";
const TABLE: &str = "Accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
const PROTOBUF: &str = "Accept: application/vnd.kubernetes.protobuf, */*";

fn assert_masked(answered: &Answered) {
    assert_eq!(answered.status, 200, "{answered:?}");
    let text = answered.text();
    for raw in RAW_VALUES {
        assert!(!text.contains(raw), "{text}");
    }
    assert!(text.contains("***"), "{text}");
    // What is not masked is there.
    assert!(text.contains("\"team\":\"shop\""), "{text}");
}

#[test]
fn a_secret_is_masked_alone_in_lists_in_tables_and_in_watches() {
    let (world, server) = super::world();
    let mut client = world.web();
    for (target, fields) in [
        (format!("{SECRETS}/db"), &[][..]),
        (format!("{SECRETS}/db"), &["Accept: application/yaml"]),
        (format!("{SECRETS}/db"), &[PROTOBUF]),
        (SECRETS.to_owned(), &[]),
        (SECRETS.to_owned(), &[TABLE]),
        (SECRETS.to_owned(), &[PROTOBUF]),
        (format!("{SECRETS}?watch=1"), &[]),
        (format!("{SECRETS}?watch=true&allowWatchBookmarks=true"), &[TABLE]),
        (format!("{SECRETS}?fieldSelector=metadata.name%3Ddb"), &[]),
    ] {
        assert_masked(&client.ask("GET", &target, fields));
        let accept = server.last_seen().header("accept").map(str::to_owned);
        let expected = if fields == [TABLE] {
            TABLE.trim_start_matches("Accept: ")
        } else {
            "application/json"
        };
        assert_eq!(accept.as_deref(), Some(expected), "{target} {fields:?}");
    }
}

#[test]
fn a_table_of_what_might_show_a_field_is_not_asked_for() {
    let (world, server) = super::world_with(|usual| {
        usual.classification(
            "\n  - { tag: secret, target: shop, resources: [secrets, pods], \
             fields: [\"**.password\", \"metadata.annotations.*\"], mask: redact }\n",
        )
    });
    let answered = world.web().ask("GET", SECRETS, &[TABLE]);
    assert_eq!(answered.json()["kind"], "SecretList");
    assert_eq!(server.last_seen().header("accept"), Some("application/json"));
}

#[test]
fn what_is_masked_is_not_written_back() {
    let (world, server) = super::world_with(|usual| {
        usual.rule("{ id: write, effect: allow, target: shop, kubernetes: { verbs: [update, patch], resources: [\"*\"] } }")
    });
    let mut client = world.web();
    for method in ["PUT", "PATCH"] {
        let answered = client.ask(method, &format!("{SECRETS}/db"), &["Content-Length: 0"]);
        assert_eq!(answered.status, 403, "{answered:?}");
        let status = answered.json();
        assert_eq!(status["kind"], "Status");
        let message = status["message"].as_str().unwrap();
        assert!(message.contains("written back masked"), "{message}");
    }
    assert!(server.seen().is_empty(), "{:?}", server.seen());
    let line = world.event("operation_decided", |line| line["effect"] == "deny");
    assert_eq!(line["reason"]["kind"], "refused", "{line}");
    // Other resources are written, and secrets are made.
    let answered = client.ask("PATCH", "/api/v1/namespaces/shop/pods/web", &["Content-Length: 0"]);
    assert_eq!(answered.status, 200);
    let created = client.ask("POST", SECRETS, &["Content-Length: 0"]);
    assert_eq!(created.status, 200);
    assert!(RAW_VALUES.iter().all(|raw| !created.text().contains(raw)));
}

#[test]
fn what_is_sent_to_make_a_secret_is_recorded_masked() {
    let (world, _) = super::world();
    let mut client = world.web();
    let body = json!({ "kind": "Secret", "metadata": { "name": "new" },
        "stringData": { "password": "canary-sent" } })
    .to_string();
    let length = format!("Content-Length: {}", body.len());
    let fields = ["Content-Type: application/json", &length];
    client.send(request("POST", SECRETS, &fields) + &body);
    assert_eq!(client.answer().unwrap().status, 200);
    let fields = ["Content-Type: application/vnd.kubernetes.protobuf", &length];
    client.send(request("POST", SECRETS, &fields) + &body);
    assert_eq!(client.answer().unwrap().status, 200);
    drop(client);
    let text = recorded(&world);
    assert!(text.contains("stringData") && !text.contains("canary-sent"), "{text}");
}

#[test]
fn a_token_that_is_given_out_is_in_no_record() {
    let rule = "{ id: token, effect: allow, target: shop, kubernetes: \
                { verbs: [create], resources: [serviceaccounts/token], names: [deployer] } }";
    let (world, server) = super::world_with(|usual| usual.rule(rule));
    let mut client = world.web();
    let token = |name: &str| format!("/api/v1/namespaces/shop/serviceaccounts/{name}/token");
    // The usual rule for every resource does not stand for tokens.
    assert_eq!(client.ask("POST", &token("admin"), &["Content-Length: 0"]).status, 403);
    assert!(server.seen().is_empty());
    let answered = client.ask("POST", &token("deployer"), &["Content-Length: 0"]);
    assert_eq!(answered.json()["status"]["token"], TOKEN);
    drop(client);
    let text = recorded(&world);
    assert!(text.contains("serviceaccounts/token") && !text.contains(TOKEN), "{text}");
}

#[test]
fn an_answer_that_cannot_be_masked_is_not_shown() {
    // The rule of the masks is about documents of this path: nothing narrows what they are.
    let (world, _) = super::world_with(|usual| {
        usual.classification(
            "\n  - { tag: secret, target: shop, resources: [pods], fields: [\"data.*\"], mask: redact }\n",
        )
    });
    let mut client = world.web();
    // A log has no fields, and is not an object.
    assert_eq!(client.get("/api/v1/namespaces/shop/pods/web/log").status, 200);
    assert_eq!(client.get("/api/v1/namespaces/shop/pods/web").status, 200);
    let answered = client.ask("GET", &format!("{SECRETS}/db"), &[PROTOBUF]);
    assert_eq!(answered.header("content-type"), Some("application/vnd.kubernetes.protobuf"));
}

/// The text of all recordings, once the sessions have ended.
fn recorded(world: &tests::world::World) -> String {
    let _ = world.event("session_ended", |_| true);
    assert_eventually!(!world.recordings().is_empty());
    assert_eventually!(world.recordings().iter().all(|(report, _)| report.ok()));
    world.recordings().iter().map(|(_, entries)| text_of(entries)).collect()
}

#[test]
fn schema_is_asked_for_and_shown_in_whatever_form_the_client_likes() {
    let (world, server) = super::world();
    let mut client = world.web();
    let accept = "Accept: application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
    for path in ["/apis", "/apis/apps/v1", "/api", "/api/v1", "/version"] {
        let _ = client.ask("GET", path, &[accept]);
        let asked = server.last_seen().header("accept").map(str::to_owned);
        assert_eq!(asked.as_deref(), accept.strip_prefix("Accept: "), "{path}");
    }
    // What shows objects is asked for in a form that detectors can read.
    let _ = client.ask("GET", "/api/v1/namespaces/shop/pods", &[PROTOBUF]);
    assert_eq!(server.last_seen().header("accept"), Some("application/json"));
}

#[test]
fn what_is_masked_is_not_told_by_a_selector() {
    let (world, server) = super::world_with(|usual| {
        usual.classification(
            "\n  - { tag: owner, target: shop, resources: [pods], \
             fields: [\"metadata.labels.owner\", \"spec.nodeName\"], mask: redact }\n",
        )
    });
    let mut client = world.web();
    let pods = "/api/v1/namespaces/shop/pods";
    for selector in [
        "labelSelector=owner%3Dann",
        "labelSelector=app%3Dweb%2C%21owner",
        "labelSelector=app%20in%20%28a%2Cb%29%2Cowner",
        "fieldSelector=metadata.name%3Dweb%2Cspec.nodeName%3Da",
        "watch=1&labelSelector=owner",
    ] {
        let answered = client.get(&format!("{pods}?{selector}"));
        assert_eq!(answered.status, 403, "{selector}: {answered:?}");
        assert!(answered.text().contains("would tell what is masked"), "{}", answered.text());
    }
    assert!(server.seen().is_empty());
    for selector in ["labelSelector=app%3Downer", "fieldSelector=metadata.name%3Downer"] {
        assert_eq!(client.get(&format!("{pods}?{selector}")).status, 200, "{selector}");
    }
}
