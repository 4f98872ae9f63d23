//! Rules for Kubernetes: what they mean, and what is wrong with them.

use std::sync::Arc;

use insta::assert_snapshot;
use model::{
    Access, Action, ApiPattern, CommandPattern, Domain, Effect, FieldPattern, Object, Operation,
    PathPattern, RequestFacts, ResourceFacts, ResourcePattern, RoutePattern, Transform,
};
use policy::{BlockSource, Policy, PolicySource, RuleSource, TargetFacts, compile};

use crate::fixture::{NOW, classified, principal, role, rule, source, target, when};

const ALLOW: Effect = Effect::Allow;
const DENY: Effect = Effect::Deny;
const HOLD: Effect = Effect::Hold;

fn verb(word: &str) -> Action {
    Action::in_domain(Domain::Kubernetes, word).unwrap()
}

/// Reads `resources: pods`, `namespaces: team-*`, `names: web`, `commands: ls **`,
/// `paths: /version`, one a line. Verbs are words, or `*` for all; one to allow does not name those
/// that must be.
fn kube(id: &str, effect: Effect, verbs: &str, lists: &[&str]) -> RuleSource {
    let own = |action: &Action| action.domain() == Domain::Kubernetes;
    let all = || Action::ALL.iter().copied().filter(own);
    let (actions, named): (Vec<Action>, Vec<Action>) = match verbs {
        "*" => (all().collect(), all().filter(|verb| !verb.must_be_named()).collect()),
        words => {
            let named: Vec<Action> = words.split(' ').map(verb).collect();
            (named.clone(), named)
        }
    };
    let mut api = ApiPattern { verbs: named, ..ApiPattern::default() };
    for list in lists {
        let (key, pattern) = list.split_once(": ").unwrap();
        match key {
            "resources" => api.resources.push(ResourcePattern::parse(pattern).unwrap()),
            "namespaces" => api.namespaces.push(PathPattern::parse_name(pattern).unwrap()),
            "names" => api.names.push(PathPattern::parse_name(pattern).unwrap()),
            "commands" => api.commands.push(CommandPattern::parse(pattern).unwrap()),
            _ => api.paths.push(RoutePattern::parse(pattern).unwrap()),
        }
    }
    let block = BlockSource { api, ..BlockSource::new(Domain::Kubernetes, actions) };
    RuleSource { block: Some(block), ..rule(id, effect, "select", &[]) }
}

fn source_of(rules: Vec<RuleSource>) -> PolicySource {
    let mut source = source(vec![role("reader", "readers", rules)]);
    source.targets = vec![TargetFacts { domain: Domain::Kubernetes, ..target("shop") }];
    source
}

fn policy(rules: Vec<RuleSource>) -> Policy {
    compile(&source_of(rules)).unwrap()
}

/// Reads `get pods/log shop/web: ls -l`, `list nodes`, `list pods shop/`, `get /version`.
fn operation(text: &str) -> Operation {
    let (request, command) = text.split_once(": ").unwrap_or((text, ""));
    let mut words = request.split(' ');
    let (action, kind) = (verb(words.next().unwrap()), words.next().unwrap());
    let place = words.next().unwrap_or_default();
    let (namespace, name) = place.split_once('/').unwrap_or(("", place));
    let path = if kind.starts_with('/') { kind } else { "/api/v1/x" };
    let facts = ResourceFacts::of_path(Arc::new(RequestFacts {
        method: "GET".into(),
        host: "cluster.example".into(),
        path: path.into(),
        query: vec![("dryRun".into(), "All".into())],
        headers: Vec::new(),
        status: None,
    }));
    let facts = if kind.starts_with('/') {
        facts
    } else {
        let (kind, group) = kind.split_once('.').unwrap_or((kind, ""));
        let (resource, subresource) = kind.split_once('/').unwrap_or((kind, ""));
        ResourceFacts {
            group: group.into(),
            version: "v1".into(),
            resource: resource.into(),
            subresource: subresource.into(),
            namespace: namespace.into(),
            name: name.into(),
            command: command.split_whitespace().map(Arc::from).collect(),
            ..facts
        }
    };
    let object = Object::Resource(Arc::new(facts));
    Operation {
        kind: "request".into(),
        text: text.into(),
        accesses: [Access { action, object }].into(),
    }
}

fn effect(policy: &Policy, text: &str) -> Effect {
    policy.decide(&principal(&["readers"]), &"shop".into(), &operation(text), NOW).effect
}

#[test]
fn a_request_is_granted_by_verb_resource_namespace_and_name_together() {
    let policy = policy(vec![
        kube(
            "read",
            ALLOW,
            "get list watch",
            &[
                "resources: pods",
                "resources: pods/log",
                "resources: deployments.apps",
                "namespaces: shop",
            ],
        ),
        kube("scale", ALLOW, "patch", &["resources: deployments/scale.apps", "names: web"]),
        kube("look", ALLOW, "get", &["paths: /version", "paths: /apis/**"]),
    ]);
    for allowed in [
        "get pods shop/web-0",
        "list pods shop/",
        "watch deployments.apps shop/",
        "get pods/log shop/web-0",
        "patch deployments/scale.apps any/web",
        "get /version",
        "get /apis/apps/v1",
    ] {
        assert_eq!(effect(&policy, allowed), ALLOW, "{allowed}");
    }
    for denied in [
        "list pods",
        "get pods other/web-0",
        "delete pods shop/web-0",
        "get pods/status shop/web-0",
        "get deployments.extensions shop/web",
        "get deployments shop/web",
        "patch deployments/scale.apps shop/db",
        "patch deployments.apps shop/web",
        "create /version",
        "get /metrics",
        "exec pods/exec shop/web-0: ls",
    ] {
        assert_eq!(effect(&policy, denied), DENY, "{denied}");
    }
}

#[test]
fn every_verb_of_every_resource_leaves_out_what_must_be_named() {
    let policy = policy(vec![kube("all", ALLOW, "*", &["resources: *"])]);
    for allowed in ["get secrets shop/db", "deletecollection pods shop/", "patch nodes a"] {
        assert_eq!(effect(&policy, allowed), ALLOW, "{allowed}");
    }
    for denied in [
        "exec pods/exec shop/web: ls",
        "attach pods/attach shop/web",
        "portforward pods/portforward shop/web",
        "proxy services/proxy shop/web",
        "proxy nodes/proxy a",
        "create serviceaccounts/token shop/deployer",
        "patch pods/ephemeralcontainers shop/web",
        "other pods shop/web",
    ] {
        assert_eq!(effect(&policy, denied), DENY, "{denied}");
    }
}

#[test]
fn what_must_be_named_is_granted_where_it_is() {
    let policy = policy(vec![
        kube("run", ALLOW, "exec", &["resources: pods", "commands: ls **"]),
        kube("forward", ALLOW, "portforward", &["resources: *"]),
        kube("proxy", ALLOW, "proxy", &["resources: *"]),
        kube("token", ALLOW, "create", &["resources: serviceaccounts/token", "names: deployer"]),
    ]);
    for allowed in [
        "exec pods/exec shop/web: ls -l",
        "portforward pods/portforward shop/web",
        "proxy services/proxy shop/web",
        "create serviceaccounts/token shop/deployer",
    ] {
        assert_eq!(effect(&policy, allowed), ALLOW, "{allowed}");
    }
    for denied in [
        "exec pods/exec shop/web: sh -c ls",
        "exec pods/exec shop/web: rm -rf /",
        "exec pods/exec shop/web",
        "proxy nodes/proxy a",
        "create serviceaccounts/token shop/admin",
    ] {
        assert_eq!(effect(&policy, denied), DENY, "{denied}");
    }
}

#[test]
fn a_denial_is_about_all_that_may_be_meant() {
    let policy = policy(vec![
        kube("all", ALLOW, "*", &["resources: *"]),
        kube("run", ALLOW, "exec", &["commands: ls **", "commands: env **"]),
        kube("no-system", DENY, "*", &["namespaces: kube-system"]),
        kube("no-db", DENY, "delete deletecollection", &["resources: *", "names: db"]),
        kube("no-rm", DENY, "exec", &["commands: rm **"]),
    ]);
    for denied in [
        "get pods kube-system/x",
        "list pods",
        "watch widgets.example.com",
        "get namespaces kube-system/kube-system",
        "delete pods shop/db",
        "deletecollection pods shop/",
        "exec pods/exec shop/web: env rm x",
    ] {
        assert_eq!(effect(&policy, denied), DENY, "{denied}");
    }
    for allowed in
        ["list nodes", "list pods shop/", "delete pods shop/web", "get namespaces shop/shop"]
    {
        assert_eq!(effect(&policy, allowed), ALLOW, "{allowed}");
    }
}

#[test]
fn a_hold_of_every_verb_holds_what_must_be_named_and_grants_it_not() {
    let policy = policy(vec![
        kube("all", HOLD, "*", &["namespaces: prod"]),
        kube("run", ALLOW, "exec get", &["resources: pods"]),
    ]);
    assert_eq!(effect(&policy, "get pods prod/web"), HOLD);
    assert_eq!(effect(&policy, "delete pods prod/web"), HOLD);
    assert_eq!(effect(&policy, "exec pods/exec prod/web: ls"), HOLD);
    assert_eq!(effect(&policy, "attach pods/attach prod/web"), DENY);
    assert_eq!(effect(&policy, "get pods shop/web"), ALLOW);
}

#[test]
fn a_condition_sees_what_a_request_means() {
    let condition = r#"operation.accesses.all(a, a.namespace.startsWith("team-") &&
        a.resource == "pods" && a.group == "" && a.version == "v1" && a.subresource == "" &&
        a.name == ["team-a", "web"] && a.query["dryRun"] == ["All"] && a.action == "delete")"#;
    let policy = policy(vec![when(kube("own", ALLOW, "delete", &["resources: pods"]), condition)]);
    assert_eq!(effect(&policy, "delete pods team-a/web"), ALLOW);
    assert_eq!(effect(&policy, "delete pods shop/web"), DENY);
}

#[test]
fn an_explanation_says_in_which_part_a_rule_is_about_other_requests() {
    let policy = policy(vec![
        kube("by-verb", ALLOW, "delete", &["resources: pods"]),
        kube("by-resource", ALLOW, "get", &["resources: configmaps"]),
        kube("by-namespace", ALLOW, "get", &["namespaces: team-*"]),
        kube("by-name", ALLOW, "get", &["names: db"]),
        kube("by-path", ALLOW, "get", &["paths: /version"]),
        kube("no-secrets", DENY, "*", &["resources: secrets"]),
        kube("yes", ALLOW, "get", &["resources: pods", "namespaces: shop"]),
    ]);
    let who = principal(&["readers"]);
    let explained = policy.explain(&who, &"shop".into(), &operation("get pods shop/web"), NOW);
    assert_snapshot!(explained.to_string());
}

#[test]
fn a_rule_for_kubernetes_must_be_able_to_fire() {
    let errors = compile(&source_of(vec![
        kube("commands-without-exec", ALLOW, "get", &["commands: ls"]),
        kube("paths-with-list", ALLOW, "list", &["paths: /version"]),
        kube("exec-by-create", ALLOW, "create get", &["resources: pods/exec"]),
        kube("parameters", ALLOW, "get", &["paths: /a;b"]),
        kube("everything", DENY, "*", &[]),
        kube("shadowed", ALLOW, "get", &["resources: pods"]),
    ]))
    .unwrap_err();
    let lines: Vec<String> =
        errors.iter().map(|error| format!("{error}\n  -> {}", error.remedy())).collect();
    assert_snapshot!(lines.join("\n"));
}

#[test]
fn fields_of_resources_are_for_targets_that_have_some() {
    let of = |resources: &[&str]| policy::ClassificationSource {
        fields: vec![FieldPattern::parse("data.*").unwrap()],
        resources: resources.iter().map(|one| ResourcePattern::parse(one).unwrap()).collect(),
        target: Some("shop".into()),
        ..classified("secret", &[], Transform::Redact)
    };
    let rules = vec![kube("read", ALLOW, "get", &["resources: secrets"])];
    let mut source = source_of(rules);
    source.classification = vec![of(&["secrets"]), of(&[])];
    let policy = compile(&source).unwrap();
    let standing = policy.standing(&principal(&["readers"]), &"shop".into());
    let texts: Vec<String> = standing.masks().fields.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["field data.*", "field data.* of secrets"]);

    let mut none = of(&["secrets"]);
    none.fields.clear();
    source.classification = vec![none];
    let errors = compile(&source).unwrap_err();
    assert!(errors.iter().any(|error| error.to_string().contains("resources, and no fields")));
}
