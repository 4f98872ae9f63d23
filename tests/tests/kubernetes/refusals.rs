//! What is refused is refused in words that every client shows, and does not reach the server.
//!
//! Owns the refusals. Must not know why a rule says what it says.

use tests::kube::kubectl::Kubectl;
use tests::kube::{GATEWAY, KubeCluster};

use super::through::{ruled, shell};

const READER: &str = "{ id: read, effect: allow, target: shop, \
     kubernetes: { verbs: [get, list, watch, create], resources: [\"*\"], namespaces: [shop] } }";
const NO_DELETES: &str = "{ id: no-deletes, effect: deny, target: shop, \
     kubernetes: { verbs: [delete, deletecollection], resources: [\"*\"] } }";
const SAY: &str = "{ id: say, effect: allow, target: shop, \
     kubernetes: { verbs: [exec], resources: [pods/exec], namespaces: [shop], \
     commands: [\"echo **\", \"cat app.conf\"] } }";

/// Refused commands, and what the refusal names.
const REFUSED: &[(&str, &str)] = &[
    ("$KUBECTL delete pod web-1 --wait=false", "no-deletes"),
    ("$KUBECTL delete pods --all --wait=false", "no-deletes"),
    ("$KUBECTL delete pod web-1 --grace-period=0 --force --wait=false", "no-deletes"),
    ("$KUBECTL get pods --all-namespaces", "session"),
    ("$KUBECTL get pods -n team-a", "session"),
    ("$KUBECTL label pod web-1 a=b", "session"),
    ("$KUBECTL scale deployment web --replicas=0", "session"),
    ("$KUBECTL exec web-1 -c app -- rm -rf sent", "session"),
    ("$KUBECTL exec web-1 -c app -- sh -c 'cat app.conf'", "session"),
    ("$KUBECTL exec web-1 -c app -- cat app.conf log", "session"),
    ("$KUBECTL exec -n team-a batch-1 -- echo hello", "session"),
    ("$KUBECTL attach web-1 -c app", "session"),
    ("$KUBECTL port-forward pod/web-1 :1", "session"),
    ("$KUBECTL cp -c app web-1:app.conf fetched", "session"),
    ("$KUBECTL get --raw /api/v1/nodes/node-1/proxy/pods", "session"),
    ("$KUBECTL get --raw /api/v1/namespaces/shop/pods/web-1/proxy/", "session"),
    (
        "echo '{}' >token.json; \
         $KUBECTL create --raw /api/v1/namespaces/shop/serviceaccounts/deployer/token -f token.json",
        "session",
    ),
];

#[test]
fn what_is_refused_names_why_and_does_not_reach_the_server() {
    let cluster = KubeCluster::shared();
    let world = ruled(&[READER, NO_DELETES, SAY]);
    let station = world.kube_station(cluster);
    for which in Kubectl::all() {
        for (line, names) in REFUSED {
            let before = cluster.events().len();
            let said = shell(&station, line, &which.path());
            assert_ne!(said.status, Some(0), "{which:?} {line}: {said:?}");
            assert!(said.everything().contains("portcullis"), "{which:?} {line}: {said:?}");
            assert!(said.everything().contains(names), "{which:?} {line}: {said:?}");
            let reached = cluster.events().split_off(before);
            let reached = reached.into_iter().filter(|event| event.user == GATEWAY.name);
            // Looking is allowed, and asked for before much else.
            let others: Vec<_> =
                reached.filter(|event| !["get", "list"].contains(&event.verb.as_str())).collect();
            assert!(others.is_empty(), "{which:?} {line}: {others:?}");
        }
    }
}

#[test]
fn commands_are_let_through_word_by_word() {
    let cluster = KubeCluster::shared();
    let world = ruled(&[READER, SAY]);
    let station = world.kube_station(cluster);
    for which in Kubectl::all() {
        for (line, expected) in [
            ("$KUBECTL exec web-1 -c app -- echo hello", "hello\n"),
            ("$KUBECTL exec web-1 -c app -- echo 'a; rm -rf /' '$(id)'", "a; rm -rf / $(id)\n"),
            ("$KUBECTL exec web-1 -c app -- cat app.conf", "colour=green\n"),
        ] {
            let said = shell(&station, line, &which.path());
            assert_eq!(said.output, expected, "{which:?} {line}: {said:?}");
        }
    }
}

#[test]
fn nobody_becomes_somebody_else() {
    let cluster = KubeCluster::shared();
    let world = ruled(&[READER]);
    let station = world.kube_station(cluster);
    for which in Kubectl::all() {
        let before = cluster.raw_events().len();
        let line = "$KUBECTL get pods --as=admin --as-group=system:masters -o name";
        let _ = shell(&station, line, &which.path());
        let events = cluster.raw_events().split_off(before);
        let is_ours = |event: &&serde_json::Value| {
            event.pointer("/user/username").is_some_and(|name| name == GATEWAY.name)
        };
        for event in events.iter().filter(is_ours) {
            assert_eq!(event.get("impersonatedUser"), None, "{event}");
        }
    }
}

#[test]
fn a_token_of_an_account_needs_a_grant_that_names_it_and_is_not_recorded() {
    let cluster = KubeCluster::shared();
    let grant = "{ id: token, effect: allow, target: shop, \
         kubernetes: { verbs: [create], resources: [serviceaccounts/token], namespaces: [shop] } }";
    let world = ruled(&[READER, grant]);
    let station = world.kube_station(cluster);
    let line = "echo '{}' >token.json; $KUBECTL create --raw \
         /api/v1/namespaces/shop/serviceaccounts/deployer/token -f token.json";
    let said = shell(&station, line, &Kubectl::Old.path()).success();
    let said: serde_json::Value = serde_json::from_str(&said).expect("an object");
    let token = said.pointer("/status/token").and_then(serde_json::Value::as_str);
    let token = token.expect("a token");
    tests::assert_eventually!(world.open_connections() == 0);
    assert!(!world.everything_written().contains(token));
}
