//! Targets of Kubernetes and rules for them: what they have, and what is said about mistakes.

use std::sync::Arc;

use insta::assert_snapshot;
use model::{
    Access, Action, Domain, Effect, Group, Object, Operation, Principal, RequestFacts,
    ResourceFacts, Timestamp,
};

use super::{errors, read};
use crate::config::{ClientTls, Settings, UpstreamTlsMode};

const SKETCH: &str = r#"
govern: host
workloads:
  - { name: deploy, match: { cgroup: /deploy }, groups: [deployers] }
targets:
  - name: cluster
    protocol: kubernetes
    addresses: ["10.0.7.1:6443"]
    hosts: [kubernetes, 10.0.7.1]
    credential: { bearer: { file: /etc/portcullis/secrets/cluster } }
classification:
  - { tag: secret, target: cluster, resources: [secrets], fields: ["data.*", "stringData.*"], mask: redact }
roles:
  - name: deployer
    groups: [deployers]
    rules:
      - id: read
        effect: allow
        target: cluster
        kubernetes: { verbs: ["*"], resources: [pods, pods/log, deployments.apps], namespaces: [shop] }
      - { id: run, effect: allow, target: cluster, kubernetes: { verbs: [exec], resources: [pods], commands: ["ls **"] } }
      - { id: paths, effect: allow, target: cluster, kubernetes: { verbs: [get], paths: ["/version", "/apis/**"] } }
      - { id: no-system, effect: deny, target: cluster, kubernetes: { verbs: ["*"], namespaces: ["kube-*"] } }
"#;

fn with(part: &str, otherwise: &str) -> String {
    assert!(SKETCH.contains(part), "{part}");
    SKETCH.replacen(part, otherwise, 1)
}

fn settings(text: &str) -> Settings {
    read(text).map_err(|errors| errors.to_string()).unwrap()
}

#[test]
fn a_target_of_kubernetes_is_one_of_http_with_an_authority_of_its_own() {
    let settings = settings(&with(
        "    credential:",
        "    client_authority: { certificate: /etc/portcullis/ca.pem, key: /etc/portcullis/ca.key }\n    \
         credential:",
    ));
    let target = &settings.targets[0];
    let http = target.http.as_ref().unwrap();
    assert!(!http.encoded_slashes);
    assert_eq!(
        http.client_authority.as_ref().unwrap().key.to_str(),
        Some("/etc/portcullis/ca.key")
    );
    assert_eq!(target.client_tls, ClientTls::Offer);
    assert_eq!(target.upstream_tls.mode, UpstreamTlsMode::VerifyFull);
}

fn effect(settings: &Settings, verb: &str, kind: &str, namespace: &str, words: &[&str]) -> Effect {
    let request = RequestFacts {
        method: "GET".into(),
        host: "kubernetes".into(),
        path: kind.into(),
        query: Vec::new(),
        headers: Vec::new(),
        status: None,
    };
    let path = ResourceFacts::of_path(Arc::new(request));
    let facts = if kind.starts_with('/') {
        path
    } else {
        let (kind, group) = kind.split_once('.').unwrap_or((kind, ""));
        let (resource, subresource) = kind.split_once('/').unwrap_or((kind, ""));
        ResourceFacts {
            group: group.into(),
            resource: resource.into(),
            subresource: subresource.into(),
            namespace: namespace.into(),
            name: "web".into(),
            command: words.iter().map(|word| Arc::from(*word)).collect(),
            ..path
        }
    };
    let principal = Principal {
        workload: "deploy".into(),
        token: None,
        groups: [Group::from("deployers")].into(),
    };
    let action = Action::in_domain(Domain::Kubernetes, verb).unwrap();
    let access = Access { action, object: Object::Resource(Arc::new(facts)) };
    let operation =
        Operation { kind: "request".into(), text: "".into(), accesses: [access].into() };
    settings.policy.decide(&principal, &"cluster".into(), &operation, Timestamp(0)).effect
}

#[test]
fn rules_for_kubernetes_mean_what_they_say() {
    let settings = settings(SKETCH);
    let effect =
        |verb, kind, namespace, words: &[&str]| effect(&settings, verb, kind, namespace, words);
    assert_eq!(effect("delete", "pods", "shop", &[]), Effect::Allow);
    assert_eq!(effect("get", "deployments.apps", "shop", &[]), Effect::Allow);
    assert_eq!(effect("get", "pods", "other", &[]), Effect::Deny);
    assert_eq!(effect("exec", "pods/exec", "shop", &["ls", "-l"]), Effect::Allow);
    assert_eq!(effect("exec", "pods/exec", "shop", &["sh"]), Effect::Deny);
    assert_eq!(effect("exec", "pods/exec", "kube-system", &["ls"]), Effect::Deny);
    assert_eq!(effect("attach", "pods/attach", "shop", &[]), Effect::Deny);
    assert_eq!(effect("get", "/version", "", &[]), Effect::Allow);
    assert_eq!(effect("get", "/metrics", "", &[]), Effect::Deny);
}

#[test]
fn fields_of_resources_become_masks() {
    let settings = settings(SKETCH);
    let principal = Principal {
        workload: "deploy".into(),
        token: None,
        groups: [Group::from("deployers")].into(),
    };
    let standing = settings.policy.standing(&principal, &"cluster".into());
    let masks: Vec<String> = standing.masks().fields.iter().map(ToString::to_string).collect();
    assert_eq!(masks, ["field data.* of secrets", "field stringData.* of secrets"]);
}

#[test]
fn every_error_of_a_target_of_kubernetes_is_reported_in_one_run() {
    assert_snapshot!(errors(include_str!("kubernetes.yaml")));
}
