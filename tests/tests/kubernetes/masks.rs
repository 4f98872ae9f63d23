//! What is masked is masked in every form that an API server answers in, and is not written back.
//!
//! Owns the forms. Values are canaries: they stand in the cluster, and nowhere else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tests::kube::client::{JSON, MERGE_PATCH, authorization, send};
use tests::kube::kubectl::Kubectl;
use tests::kube::{JOB, KubeCluster};
use tests::web::client::Answered;
use tests::world::World;

use super::through::{ruled, shell};

const READER: &str = "{ id: read, effect: allow, target: shop, \
     kubernetes: { verbs: [get, list, watch, create, update, patch], resources: [\"*\"] } }";

/// What stands in secrets of the cluster, plain and as the API writes it.
pub(super) fn canaries() -> Vec<String> {
    let plain =
        ["canary-secret-7d20c1", "canary-secret-payments-33e9", "canary-secret-registry-0b1f"];
    let mut all: Vec<String> = plain.map(str::to_owned).to_vec();
    all.extend(plain.iter().map(|one| STANDARD.encode(one)));
    // As part of something longer: whatever it begins with, this stands in its base64.
    all.push(STANDARD.encode("canary").get(..7).expect("base64").to_owned());
    all.push("canary-secret".to_owned());
    all
}

fn ask(world: &World, method: &str, uri: &str, accept: &str, body: Option<&str>) -> Answered {
    let mut client = world.kube_client(KubeCluster::shared());
    let content = if method == "PATCH" { MERGE_PATCH } else { JSON };
    let fields = [authorization(JOB.token), format!("Accept: {accept}"), content.to_owned()];
    send(&mut client, method, uri, &fields, body);
    client.answer_to(method).expect("an answer")
}

pub(super) fn assert_hidden(answered: &Answered, what: &str) {
    let text = answered.text();
    for canary in canaries() {
        assert!(!text.contains(&canary), "{canary} in {what}: {text}");
    }
}

const FORMS: &[&str] = &[
    "application/json",
    "*/*",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/vnd.kubernetes.protobuf, application/json",
    "application/vnd.kubernetes.protobuf;type=watch, application/json",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
    "application/json;as=Table;v=v1beta1;g=meta.k8s.io, application/json",
    "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json",
    "application/cbor, application/json",
    "text/html, application/json;q=0.9",
];

const FORMS_OF_WATCHES: &[&str] = &[
    "application/json",
    "application/vnd.kubernetes.protobuf;type=watch, application/json",
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
];

const PLACES: &[&str] = &[
    "/api/v1/secrets",
    "/api/v1/namespaces/shop/secrets",
    "/api/v1/namespaces/shop/secrets/",
    "/api/v1/namespaces/shop/secrets/database",
    "/api/v1/namespaces/team-a/secrets/registry",
    "/api/v1/namespaces/shop/secrets?fieldSelector=metadata.name%3Ddatabase",
    "/api/v1/namespaces/shop/secrets?limit=1",
    "/api/v1/namespaces/shop/secrets?includeObject=Object",
    "/api/v1/namespaces/shop/secrets?includeObject=None",
    "/api/v1/namespaces/shop/secrets?pretty=true",
    "/api/v1/namespaces/shop/secrets?watch=true&timeoutSeconds=1",
    "/api/v1/namespaces/shop/secrets?watch=true&timeoutSeconds=1&includeObject=Object",
    "/api/v1/namespaces/shop/secrets?watch=true&timeoutSeconds=1&allowWatchBookmarks=true",
    "/api/v1/watch/namespaces/shop/secrets?timeoutSeconds=1",
    "/api/v1/watch/namespaces/shop/secrets/database?timeoutSeconds=1",
    "/api/v1/watch/secrets?timeoutSeconds=1",
    "/api/v1/namespaces/shop/secr%65ts/database",
];

#[test]
fn a_secret_is_hidden_in_every_form_of_every_answer() {
    let world = ruled(&[READER]);
    for place in PLACES {
        for form in FORMS {
            // A watch takes a second, and its forms are those of what is watched.
            if place.contains("watch") && !FORMS_OF_WATCHES.contains(form) {
                continue;
            }
            let answered = ask(&world, "GET", place, form, None);
            assert_hidden(&answered, &format!("{place} as {form}"));
            let is_plain = *form == "application/json" && !place.contains('%');
            assert!(!is_plain || answered.status == 200, "{place}: {answered:?}");
        }
    }
}

#[test]
fn what_is_masked_is_not_written_back() {
    let cluster = KubeCluster::shared();
    let world = ruled(&[READER]);
    let station = world.kube_station(cluster);
    let before = cluster.ask("GET", "/api/v1/namespaces/shop/secrets/payments", None).json();
    for which in Kubectl::all() {
        let line =
            "$KUBECTL get secret payments -o yaml >seen.yaml && $KUBECTL replace -f seen.yaml";
        let said = shell(&station, line, &which.path());
        assert_ne!(said.status, Some(0), "{which:?}: {said:?}");
        assert!(said.error.contains("masked"), "{which:?}: {said:?}");
        let line = "$KUBECTL patch secret payments -p '{\"metadata\":{\"labels\":{\"a\":\"b\"}}}'";
        let said = shell(&station, line, &which.path());
        assert_ne!(said.status, Some(0), "{which:?}: {said:?}");
        let line = "$KUBECTL apply -f seen.yaml";
        assert_ne!(shell(&station, line, &which.path()).status, Some(0), "{which:?}");
    }
    let after = cluster.ask("GET", "/api/v1/namespaces/shop/secrets/payments", None).json();
    assert_eq!(before, after);
}

#[test]
fn a_secret_that_is_made_is_answered_masked() {
    let cluster = KubeCluster::shared();
    let world = ruled(&[READER]);
    let place = "/api/v1/namespaces/shop/secrets";
    let body = r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"new","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"canary-secret-9"}},"stringData":{"key":"canary-secret-9"}}"#;
    let answered = ask(&world, "POST", place, "application/json", Some(body));
    assert_eq!(answered.status, 201, "{answered:?}");
    assert_hidden(&answered, "what was made");
    let answered = ask(&world, "GET", &format!("{place}/new"), "application/json", None);
    assert_eq!(answered.status, 200);
    assert_hidden(&answered, "what was applied");
    let made = cluster.ask("GET", &format!("{place}/new"), None).text();
    assert!(made.contains(&STANDARD.encode("canary-secret-9")), "{made}");
    let _ = cluster.ask("DELETE", &format!("{place}/new"), None);
}

#[test]
fn kubectl_shows_secrets_masked_and_everything_else_as_it_is() {
    let cluster = KubeCluster::shared();
    let world = ruled(&[READER]);
    let station = world.kube_station(cluster);
    for which in Kubectl::all() {
        for line in [
            "$KUBECTL get secrets -o yaml",
            "$KUBECTL get secrets -o json",
            "$KUBECTL get secret database -o jsonpath='{.data}'",
            "$KUBECTL get secret database -o go-template='{{.data.password}}'",
            "$KUBECTL get secrets",
            "$KUBECTL describe secret database",
            "timeout 2 $KUBECTL get secrets --watch -o json",
        ] {
            let said = shell(&station, line, &which.path());
            assert!(said.output.len() >= 3, "{which:?} {line}: {said:?}");
            for canary in canaries() {
                assert!(!said.everything().contains(&canary), "{which:?} {line}: {said:?}");
            }
        }
        let said = shell(&station, "$KUBECTL get configmap settings -o yaml", &which.path());
        assert!(said.output.contains("colour: green"), "{said:?}");
        let lookalike = "$KUBECTL get secrets.vault.example lookalike -o jsonpath='{.spec.engine}'";
        assert_eq!(shell(&station, lookalike, &which.path()).output, "kv");
    }
}

#[test]
fn no_secret_is_recorded_or_logged() {
    let world = ruled(&[READER]);
    let place = "/api/v1/namespaces/shop/secrets";
    let _ = ask(&world, "GET", place, "application/json", None);
    tests::assert_eventually!(world.open_connections() == 0);
    let written = world.everything_written();
    for canary in canaries().iter().map(String::as_str).chain([tests::kube::GATEWAY.token]) {
        assert!(!written.contains(canary), "{canary}");
    }
}
