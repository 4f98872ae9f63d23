//! Targets of HTTP and rules for them: what they have, and what is said about mistakes.

use std::sync::Arc;

use insta::assert_snapshot;
use model::{
    Access, Action, Effect, Group, HttpCredential, Object, Operation, Principal, RequestFacts,
    Timestamp,
};

use super::{errors, read};
use crate::config::{ClientTls, SecretSource, Settings, UntrustingClients, UpstreamTlsMode};

const SKETCH: &str = r#"
govern: host
workloads:
  - { name: sync, match: { cgroup: /sync }, groups: [syncers] }
targets:
  - name: crm
    protocol: http
    addresses: ["api.crm.example:443", "10.0.7.1:443"]
    credential: { bearer: { file: /etc/portcullis/secrets/crm } }
roles:
  - name: syncer
    groups: [syncers]
    rules:
      - { id: read, effect: allow, target: crm, http: { methods: [GET, HEAD], paths: ["/v1/**"] } }
"#;

fn with(part: &str, otherwise: &str) -> String {
    assert!(SKETCH.contains(part), "{part}");
    SKETCH.replacen(part, otherwise, 1)
}

fn settings(text: &str) -> Settings {
    read(text).map_err(|errors| errors.to_string()).unwrap()
}

#[test]
fn a_target_of_http_has_strict_defaults() {
    let settings = settings(SKETCH);
    let target = &settings.targets[0];
    let http = target.http.as_ref().unwrap();
    let hosts: Vec<&str> = http.hosts.iter().map(|host| host.as_str()).collect();
    assert_eq!(hosts, ["api.crm.example", "10.0.7.1"]);
    assert_eq!(http.untrusting_clients, UntrustingClients::Deny);
    assert!(!http.encoded_slashes);
    assert_eq!(target.client_tls, ClientTls::Offer);
    assert_eq!(target.upstream_tls.mode, UpstreamTlsMode::VerifyFull);
    let token = SecretSource::File("/etc/portcullis/secrets/crm".into());
    assert_eq!(target.credential.http, Some(HttpCredential::Bearer(token)));
    assert!(settings.warnings.is_empty());
}

#[test]
fn a_target_of_http_can_be_told_otherwise() {
    let text = with(
        "    credential:",
        "    hosts: [\"*.crm.example\"]\n    untrusting_clients: passthrough\n    \
         encoded_slashes: allow\n    credential:",
    );
    let settings = settings(&text);
    let http = settings.targets[0].http.as_ref().unwrap();
    assert_eq!(http.untrusting_clients, UntrustingClients::Passthrough);
    assert!(http.encoded_slashes && http.hosts[0].matches("eu.crm.example"));
    assert_eq!(settings.warnings.len(), 1);
    assert!(settings.warnings[0].to_string().contains("does not trust"));
}

#[test]
fn hosts_that_no_certificate_can_be_limited_to_are_warned_of() {
    let warnings = |hosts: &str, more: &str| {
        let text = with("    credential:", &format!("    hosts: [{hosts}]\n{more}    credential:"));
        let settings = settings(&text);
        settings.warnings.iter().map(ToString::to_string).collect::<Vec<String>>()
    };
    assert!(warnings("api.crm.example, 10.0.7.1, \"eu-*.crm.example\"", "").is_empty());
    let told = warnings("\"*\", \"10.0.*\", \"*.example\"", "");
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].contains("cannot be limited") && told[1].contains("cannot be limited"));
    assert!(told[2].contains("every name below example"));
    assert!(warnings("\"*\"", "    client_tls: refuse\n").is_empty());
}

#[test]
fn a_rule_may_speak_of_encoded_slashes_where_a_target_takes_them() {
    let rule = |target: &str| {
        with("[\"/v1/**\"]", "[\"/v1/a%2Fb\"]")
            .replace("    credential:", &format!("{target}    credential:"))
    };
    assert!(read(&rule("    encoded_slashes: allow\n")).is_ok());
    assert!(errors(&rule("")).contains("unless its target has encoded_slashes: allow"));
}

#[test]
fn credentials_of_each_kind_are_read() {
    let file = |name: &str| SecretSource::File(format!("/s/{name}").into());
    let read = |text: &str| {
        let text = with("{ bearer: { file: /etc/portcullis/secrets/crm } }", text);
        settings(&text).targets[0].credential.http.clone().unwrap()
    };
    assert_eq!(read("{ none: true }"), HttpCredential::None);
    assert_eq!(
        read("{ user: u, password: { env: PW } }"),
        HttpCredential::Basic {
            user: "u".into(),
            password: SecretSource::Environment("PW".into())
        }
    );
    assert_eq!(
        read("{ header: { name: X-Api-Key, value: { file: /s/key } } }"),
        HttpCredential::Header { name: "x-api-key".into(), value: file("key") }
    );
    assert_eq!(
        read("{ query: { name: key, value: { file: /s/key } } }"),
        HttpCredential::Query { name: "key".into(), value: file("key") }
    );
    assert_eq!(
        read(
            "{ aws: { access_key_id: AKIA1, secret_access_key: { file: /s/aws }, session_token: \
             { file: /s/session }, region: eu-central-1, service: s3 } }"
        ),
        HttpCredential::Aws {
            access_key_id: "AKIA1".into(),
            secret_access_key: file("aws"),
            session_token: Some(file("session")),
            region: "eu-central-1".into(),
            service: "s3".into(),
        }
    );
    assert_eq!(
        read(
            "{ oauth2: { token_url: \"https://idp.example/token\", client_id: sync, \
             client_secret: { file: /s/oauth2 }, scopes: [crm.read], audience: crm, ca: /s/ca } }"
        ),
        HttpCredential::OAuth2 {
            token_url: "https://idp.example/token".into(),
            client_id: "sync".into(),
            client_secret: file("oauth2"),
            scopes: vec!["crm.read".into()],
            audience: Some("crm".into()),
            ca: Some("/s/ca".into()),
        }
    );
}

/// The sketch with these rules, written as a YAML list.
fn with_rules(rules: &str) -> String {
    let rule = r#"
      - { id: read, effect: allow, target: crm, http: { methods: [GET, HEAD], paths: ["/v1/**"] } }"#;
    with(rule, &format!(" [{rules}]"))
}

fn effect(settings: &Settings, method: &str, path: &str, upgrade: bool) -> Effect {
    let who =
        Principal { workload: "sync".into(), token: None, groups: [Group::from("syncers")].into() };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let facts = Arc::new(RequestFacts {
        method: method.into(),
        host: "api.crm.example".into(),
        path: path.into(),
        query: pairs.map(|(name, value)| (name.into(), value.into())).collect(),
        headers: Vec::new(),
        status: None,
    });
    let on = |action| Access { action, object: Object::Request(Arc::clone(&facts)) };
    let mut accesses = vec![on(Action::of_method(method))];
    accesses.extend(upgrade.then(|| on(Action::Upgrade)));
    let operation =
        Operation { kind: "request".into(), text: "any".into(), accesses: accesses.into() };
    settings.policy.decide(&who, &"crm".into(), &operation, Timestamp::default()).effect
}

#[test]
fn rules_for_http_decide_as_they_say() {
    let settings = settings(&with_rules(
        r#"
      { id: read, effect: allow, target: crm, http: { methods: [GET, HEAD], paths: ["/v1/**"] } },
      { id: dry, effect: allow, target: crm, http: { methods: [POST], paths: [/v1/jobs], query: { dry_run: "true" } } },
      { id: ask, effect: hold, target: crm, http: { methods: ["*"], hosts: ["api.crm.*"], paths: ["/v1/users/*"] }, approvers: { group: oncall } },
      { id: socket, effect: allow, target: crm, http: { methods: [GET], upgrade: true, paths: [/v1/socket] } },
      { id: errors, effect: deny, target: crm, http: { statuses: [500, 4xx], methods: [GET] } }"#,
    ));
    let effect = |method, path, upgrade| effect(&settings, method, path, upgrade);
    assert_eq!(effect("GET", "/v1/jobs", false), Effect::Allow);
    assert_eq!(effect("GET", "/v2", false), Effect::Deny);
    assert_eq!(effect("POST", "/v1/jobs?dry_run=true", false), Effect::Allow);
    assert_eq!(effect("POST", "/v1/jobs", false), Effect::Deny);
    assert_eq!(effect("PURGE", "/v1/users/7", false), Effect::Hold);
    assert_eq!(effect("GET", "/v1/users/7", true), Effect::Hold);
    assert_eq!(effect("GET", "/v1/socket", true), Effect::Allow);
    assert_eq!(effect("GET", "/v1/jobs", true), Effect::Deny);
}

#[test]
fn every_error_of_a_rule_for_http_is_reported_in_one_run() {
    let unread = with_rules(
        r#"
      { id: a, effect: allow, target: crm, http: { methods: [get, PROPFIND, ANSWER, SELECT] } },
      { id: b, effect: allow, target: crm, http: { methods: [GET], paths: [v1, "https://api.crm.example/v1", "/v1?x=1", "/v1/{id}", "/v1/a%20b"] } },
      { id: c, effect: allow, target: crm, http: { methods: [GET], hosts: ["api.crm.example:443", "a b"], query: { dry_run: true } } },
      { id: d, effect: allow, target: crm, http: { paths: ["/v1/**"] } },
      { id: e, effect: deny, target: crm, http: { statuses: [99, 6xx, 404], query: { "": x, a: "x\\" } } },
      { id: f, effect: deny, target: crm, http: { statuses: [404], upgrade: true } },
      { id: g, effect: allow, target: crm, http: { methods: [], paths: [], query: {} } },
      { id: h, effect: allow, target: crm, http: { methods: [UPGRADE], upgrade: false } },
      { id: i, effect: allow, target: crm, http: { method: [GET] } },
      { id: j, effect: allow, target: crm, http: { methods: [GET] }, ssh: { actions: [exec] } }"#,
    );
    assert_snapshot!("unread", errors(&unread));
    let idle = with_rules(
        r#"
      { id: a, effect: allow, target: crm, http: { statuses: [404] } },
      { id: b, effect: allow, target: crm, http: { methods: [GET], hosts: [api.other.example, "*.crm.example", 10.0.7.2] } },
      { id: c, effect: allow, target: crm, sql: { actions: [select, GET] } },
      { id: d, effect: deny, target: crm, http: { methods: ["*"], paths: ["/v1/**"] } },
      { id: e, effect: allow, target: crm, http: { methods: [GET], paths: ["/v1/**"] } },
      { id: f, effect: allow, target: crm, http: { methods: [GET], paths: ["/v2"] }, when: "operation.accesses[0].headers == {}" }"#,
    );
    assert_snapshot!("idle", errors(&idle));
}

#[test]
fn classified_fields_need_a_mask_and_a_target_of_http() {
    let classified = |text: &str| format!("{SKETCH}classification: [{text}]\n");
    let good = classified(
        r#"{ tag: pii.email, target: crm, fields: ["**.email"], routes: ["/v1/users/**"], mask: partial }"#,
    );
    let who =
        Principal { workload: "sync".into(), token: None, groups: [Group::from("syncers")].into() };
    let standing = settings(&good).policy.standing(&who, &"crm".into());
    let masks = &standing.masks().fields;
    assert_eq!(masks.len(), 1);
    assert_eq!(masks[0].to_string(), "field **.email at /v1/users/**");
    assert_snapshot!(
        "classified",
        errors(&classified(
            r#"{ tag: a, fields: ["$.email", "a..b"], routes: [users], mask: redact }, { tag: b, fields: [email] }, { tag: c, target: crm, columns: ["*.email"], mask: redact }, { tag: d, routes: [/v1], detect: email, mask: redact }, { tag: e, target: crm, paths: [/srv] }"#
        ))
    );
}

#[test]
fn every_error_of_a_target_of_http_is_reported_in_one_run() {
    assert_snapshot!(errors(include_str!("http.yaml")));
}

#[test]
fn targets_of_http_share_an_address_where_their_hosts_tell_them_apart() {
    let second = |hosts: &str| {
        with(
            "roles:",
            &format!(
                "  - name: shop\n    protocol: http\n    addresses: [\"10.0.7.1:443\"]\n    \
                 hosts: [{hosts}]\n    credential: {{ none: true }}\nroles:"
            ),
        )
        .replace("target: crm", "target: [crm, shop]")
    };
    assert!(read(&second("shop.example, \"*.shop.example\"")).is_ok());
    for shared in ["10.0.7.1", "\"*.crm.example\"", "\"*\""] {
        let refused = errors(&second(shared));
        assert!(refused.contains("has the address 10.0.7.1:443 too"), "{shared}: {refused}");
    }
}

#[test]
fn the_files_of_a_target_of_http_are_looked_for() {
    for (credential, what) in [
        ("bearer: { file: /s/x }", "the bearer token"),
        ("header: { name: x, value: { file: /s/x } }", "the header's value"),
        ("query: { name: x, value: { file: /s/x } }", "the query's value"),
        (
            "aws: { access_key_id: A, secret_access_key: { file: /s/x }, region: r, service: s }",
            "the secret access key",
        ),
        (
            "oauth2: { token_url: \"https://a.b/c\", client_id: x, client_secret: { file: /s/x } }",
            "the client's secret",
        ),
    ] {
        let text = with("bearer: { file: /etc/portcullis/secrets/crm }", credential);
        let missing = settings(&text).check_files(|_| false).unwrap_err().to_string();
        assert!(missing.contains(&format!("the file of {what}")), "{what}: {missing}");
    }
}

#[test]
fn no_error_shows_what_stands_where_a_secret_should() {
    let good = "{ bearer: { file: /etc/portcullis/secrets/crm } }";
    for otherwise in [
        "{ bearer: canary-7f3a }",
        "{ bearer: { value: canary-7f3a } }",
        "{ header: { name: X-Api-Key, value: canary-7f3a } }",
        "{ header: { name: Host, value: { file: canary-7f3a } } }",
        "{ query: canary-7f3a }",
        "{ aws: { access_key_id: \"canary-7f3a \", secret_access_key: canary-7f3a } }",
        "{ oauth2: { token_url: \"http://canary-7f3a\", client_secret: canary-7f3a } }",
        "{ user: \"canary:7f3a\", password: canary-7f3a }",
        "{ none: canary-7f3a }",
    ] {
        let refused = read(&with(good, otherwise)).unwrap_err();
        let json = serde_json::to_string(&refused).unwrap();
        assert!(!refused.to_string().contains("canary"), "{otherwise}: {refused}");
        assert!(!json.contains("canary"), "{otherwise}: {json}");
    }
}
