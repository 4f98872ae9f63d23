//! Ways around masks and rules, tried on a real API server by somebody who may do a lot.
//!
//! Owns the tries. What is refused must not reach the server as anything else either.

use tests::kube::client::{authorization, send};
use tests::kube::{GATEWAY, JOB, KubeCluster};
use tests::web::client::Answered;
use tests::world::World;

use super::masks::{assert_hidden, canaries};
use super::through::ruled;

const EVERYTHING: &str = "{ id: all, effect: allow, target: shop, kubernetes: { verbs: \
     [get, list, watch, create, update, patch, delete, deletecollection, proxy, other], \
     resources: [\"*\"] } }";
const NO_SECRETS: &str = "{ id: no-secrets, effect: deny, target: shop, \
     kubernetes: { verbs: [\"*\"], resources: [secrets, \"secrets/*\"] } }";

const SECRETS: &str = "/api/v1/namespaces/shop/secrets";
const DATABASE: &str = "/api/v1/namespaces/shop/secrets/database";

fn ask(
    world: &World,
    method: &str,
    uri: &str,
    fields: &[&str],
    body: Option<&str>,
) -> Option<Answered> {
    let mut client = world.kube_client(KubeCluster::shared());
    let mut all = vec![authorization(JOB.token)];
    all.extend(fields.iter().map(|field| (*field).to_owned()));
    send(&mut client, method, uri, &all, body);
    client.answer_to(method)
}

/// Method, target, fields, body.
type Try<'a> = (&'a str, String, &'a [&'a str], Option<&'a str>);

const JSON: &str = "Accept: application/json";
const TABLE: &str = "Accept: application/json;as=Table;v=v1;g=meta.k8s.io";
const APPLY: &str = "Content-Type: application/apply-patch+yaml";

/// Everything that shows a secret in one form or another.
fn tries() -> Vec<Try<'static>> {
    let at = |query: &str| format!("{DATABASE}{query}");
    let all = |query: &str| format!("{SECRETS}{query}");
    vec![
        ("GET", at("?export=true&exact=true"), &[JSON], None),
        ("GET", at("?resourceVersion=0"), &[JSON], None),
        ("GET", at("/"), &[JSON], None),
        ("GET", at("?pretty=1"), &["Accept: application/json, application/yaml"], None),
        ("GET", at(""), &["Accept: application/yaml;q=1, application/json;q=0"], None),
        ("GET", at(""), &["Accept: application/cbor"], None),
        ("GET", at(""), &["Accept: application/cbor-seq, application/json"], None),
        ("GET", at(""), &[JSON, "Accept: application/vnd.kubernetes.protobuf"], None),
        ("GET", at(""), &["Accept: Application/Vnd.Kubernetes.Protobuf"], None),
        ("GET", at(""), &["accept: application/json;as=Table;v=v1;g=meta.k8s.io", TABLE], None),
        ("GET", at(""), &[JSON, "Accept-Encoding: gzip"], None),
        ("GET", at(""), &[JSON, "Range: bytes=40-400"], None),
        ("GET", all("?labelSelector=&fieldSelector=type%3DOpaque"), &[JSON], None),
        ("GET", all("?limit=1&continue="), &[JSON], None),
        ("GET", all("?includeObject=Object"), &[TABLE], None),
        ("GET", all("?watch=1&timeoutSeconds=1&resourceVersion=0"), &[TABLE], None),
        ("GET", all("?watch=&timeoutSeconds=1"), &[JSON], None),
        ("GET", all("?watch=maybe&timeoutSeconds=1"), &[JSON], None),
        ("GET", "/api/v1/secrets?fieldSelector=metadata.namespace%3Dshop".into(), &[JSON], None),
        ("GET", "/api/v1/watch/namespaces/shop/secrets?timeoutSeconds=1".into(), &[TABLE], None),
        ("GET", "/api/v1/proxy/namespaces/shop/secrets/database".into(), &[JSON], None),
        ("GET", "/apis//v1/namespaces/shop/secrets/database".into(), &[JSON], None),
        ("GET", "/apis/v1/namespaces/shop/secrets/database".into(), &[JSON], None),
        ("GET", "/API/v1/namespaces/shop/secrets/database".into(), &[JSON], None),
        ("GET", "/api/v1/namespaces/shop/Secrets/database".into(), &[JSON], None),
        ("GET", "/api/v1/namespaces/shop/secrets%2fdatabase".into(), &[JSON], None),
        ("GET", "/api/v1/namespaces/shop/%73ecrets/database".into(), &[JSON], None),
        ("GET", "/api/v1/namespaces/shop/pods/../secrets/database".into(), &[JSON], None),
        ("GET", "/api/v1/namespaces/shop/./secrets/database".into(), &[JSON], None),
        ("GET", "//api/v1/namespaces/shop/secrets/database".into(), &[JSON], None),
        ("GET", "/api/v1/namespaces/shop/secrets/database;x".into(), &[JSON], None),
        ("GET", at("/status"), &[JSON], None),
        ("POST", all("?dryRun=All"), &[JSON], Some(MADE)),
        ("POST", all("?dryRun=All&pretty=true"), &[TABLE], Some(MADE)),
        ("DELETE", at("?dryRun=All"), &[JSON], None),
        ("DELETE", all("?dryRun=All"), &[JSON], None),
        ("DELETE", all("?dryRun=All&limit=1"), &[TABLE], None),
        ("PATCH", at("?fieldManager=x&force=true"), &[APPLY, JSON], Some(APPLIED)),
        ("PATCH", at("?dryRun=All&fieldManager=x"), &[APPLY, JSON], Some(APPLIED)),
        ("PATCH", at(""), &["Content-Type: application/json-patch+json"], Some(TESTED)),
        ("PATCH", at(""), &["Content-Type: application/strategic-merge-patch+json"], Some("{}")),
        ("PUT", at("?dryRun=All"), &[JSON], Some(MADE)),
        ("PUT", at("/status"), &[JSON], Some(MADE)),
    ]
}

const MADE: &str = r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"tried","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"canary-secret-tried"}},"stringData":{"key":"canary-secret-tried"}}"#;
const APPLIED: &str = "{apiVersion: v1, kind: Secret, metadata: {name: database}, type: Opaque}";
/// Whether the password begins so is something that an answer would tell.
const TESTED: &str = r#"[{"op":"test","path":"/data/password","value":"x"}]"#;

#[test]
fn no_way_of_asking_shows_a_secret_or_changes_one() {
    let cluster = KubeCluster::shared();
    let before = cluster.ask("GET", DATABASE, None).json();
    let world = ruled(&[EVERYTHING]);
    for (method, uri, fields, body) in tries() {
        let Some(answered) = ask(&world, method, &uri, fields, body) else { continue };
        assert_hidden(&answered, &format!("{method} {uri} {fields:?}"));
        if ["PUT", "PATCH"].contains(&method) {
            assert!((400..500).contains(&answered.status), "{method} {uri}: {answered:?}");
        }
    }
    assert_eq!(cluster.ask("GET", DATABASE, None).json(), before);
    tests::assert_eventually!(world.open_connections() == 0);
    let written = world.everything_written();
    for canary in canaries() {
        assert!(!written.contains(&canary), "{canary}");
    }
}

#[test]
fn a_rule_against_secrets_holds_however_they_are_asked_for() {
    let cluster = KubeCluster::shared();
    let world = ruled(&[EVERYTHING, NO_SECRETS]);
    let reached = |cluster: &KubeCluster| {
        let events = cluster.events().into_iter().filter(|event| event.user == GATEWAY.name);
        let secrets = events.filter(|event| {
            event.object.as_ref().is_some_and(|object| {
                object.resource == "secrets" && object.group.is_empty() && event.verb != "proxy"
            })
        });
        secrets.count()
    };
    let before = reached(cluster);
    for (method, uri, fields, body) in tries() {
        if let Some(answered) = ask(&world, method, &uri, fields, body) {
            assert!(answered.status >= 400, "{method} {uri}: {answered:?}");
        }
    }
    assert_eq!(reached(cluster), before, "a request for secrets has reached the server");
}
