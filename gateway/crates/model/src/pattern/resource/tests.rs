use std::sync::Arc;

use super::*;
use crate::request::RequestFacts;

fn facts(kind: &str, namespace: &str, name: &str, command: &[&str]) -> ResourceFacts {
    let request = RequestFacts {
        method: "GET".into(),
        host: "cluster.example".into(),
        path: if kind.starts_with('/') { kind.into() } else { "/api/v1/x".into() },
        query: Vec::new(),
        headers: Vec::new(),
        status: None,
    };
    let path = ResourceFacts::of_path(Arc::new(request));
    if kind.starts_with('/') {
        return path;
    }
    let (kind, group) = kind.split_once('.').unwrap_or((kind, ""));
    let (resource, subresource) = kind.split_once('/').unwrap_or((kind, ""));
    ResourceFacts {
        group: group.into(),
        version: "v1".into(),
        resource: resource.into(),
        subresource: subresource.into(),
        namespace: namespace.into(),
        name: name.into(),
        command: command.iter().map(|word| Arc::from(*word)).collect(),
        ..path
    }
}

fn matches(pattern: &str, kind: &str) -> bool {
    ResourcePattern::parse(pattern).unwrap().matches(&facts(kind, "shop", "web", &[]))
}

fn may_match(pattern: &str, kind: &str) -> bool {
    ResourcePattern::parse(pattern).unwrap().may_match(&facts(kind, "shop", "web", &[]))
}

#[test]
fn a_name_alone_is_of_the_core_group_and_without_its_subresources() {
    assert!(matches("pods", "pods"));
    for other in ["pods.metrics.k8s.io", "pods/log", "pods/status", "secrets", "/version"] {
        assert!(!may_match("pods", other), "{other}");
    }
    assert!(matches("pods/log", "pods/log") && !matches("pods/log", "pods"));
    assert!(matches("pods/*", "pods/log") && !matches("pods/*", "pods"));
    assert!(matches("deployments.apps", "deployments.apps"));
    assert!(!matches("deployments.apps", "deployments.extensions"));
    assert!(matches("deployments/scale.apps", "deployments/scale.apps"));
    assert!(matches("pods.*", "pods.metrics.k8s.io") && matches("pods.*", "pods"));
}

#[test]
fn every_resource_is_of_every_group_with_all_subresources() {
    for kind in ["pods", "pods/log", "deployments/scale.apps", "widgets.example.com"] {
        assert!(matches("*", kind), "{kind}");
    }
    assert!(matches("*.apps", "deployments/scale.apps") && !matches("*.apps", "pods"));
    assert!(matches("*/status", "widgets/status.example.com") && !matches("*/status", "pods"));
    assert!(matches("config*", "configmaps") && !matches("config*", "configs.example.com"));
}

#[test]
fn what_is_a_verb_of_its_own_needs_no_subresource() {
    for verb in ["exec", "attach", "portforward", "proxy"] {
        assert!(matches("pods", &format!("pods/{verb}")), "{verb}");
        assert!(matches(&format!("pods/{verb}"), &format!("pods/{verb}")), "{verb}");
    }
}

#[test]
fn no_wildcard_grants_what_gives_out_more_than_its_resource() {
    for kind in ["serviceaccounts/token", "nodes/proxy", "pods/ephemeralcontainers"] {
        let (name, subresource) = kind.split_once('/').unwrap();
        for wild in ["*", "*/*", &format!("{name}/*"), &format!("*/{subresource}")] {
            assert!(!matches(wild, kind), "{wild} {kind}");
            assert!(may_match(wild, kind), "{wild} {kind}");
        }
        assert!(matches(kind, kind), "{kind}");
    }
    assert!(matches("nodes", "nodes/proxy"));
    assert!(!matches("serviceaccounts", "serviceaccounts/token"));
}

#[test]
fn the_objects_of_a_resource_are_shown_by_its_subresources_too() {
    let objects = |pattern: &str, kind: &str| {
        ResourcePattern::parse(pattern).unwrap().has_objects(&facts(kind, "shop", "web", &[]))
    };
    for kind in ["pods", "pods/status", "pods/ephemeralcontainers", "pods/eviction"] {
        assert!(objects("pods", kind) && objects("*", kind), "{kind}");
    }
    for kind in ["pods/log", "pods/exec", "pods/proxy", "/logs/x"] {
        assert!(!objects("pods", kind) && !objects("*", kind), "{kind}");
    }
    assert!(objects("services/proxy", "services/proxy"));
}

#[test]
fn what_is_no_resource_is_refused() {
    use ResourcePatternError as E;
    for (text, want) in [
        ("", E::Empty),
        ("/log", E::Empty),
        ("pods/", E::Empty),
        ("pods.", E::Empty),
        (".apps", E::Empty),
        ("Pods", E::Character('P')),
        ("pods log", E::Character(' ')),
        ("deployments.apps/scale", E::Order),
        ("pods/a/b", E::Order),
    ] {
        assert_eq!(ResourcePattern::parse(text), Err(want), "{text}");
    }
}

fn api(text: &[(&str, &[&str])]) -> ApiPattern {
    let mut api = ApiPattern::default();
    for (key, values) in text {
        for value in *values {
            match *key {
                "verbs" => {
                    api.verbs.push(Action::in_domain(crate::Domain::Kubernetes, value).unwrap())
                }
                "resources" => api.resources.push(ResourcePattern::parse(value).unwrap()),
                "namespaces" => api.namespaces.push(PathPattern::parse_name(value).unwrap()),
                "names" => api.names.push(PathPattern::parse_name(value).unwrap()),
                "commands" => api.commands.push(CommandPattern::parse(value).unwrap()),
                "paths" => api.paths.push(RoutePattern::parse(value).unwrap()),
                other => panic!("{other}"),
            }
        }
    }
    api
}

#[test]
fn a_namespace_must_be_there_to_grant_and_may_be_any_to_restrict() {
    let in_shop = api(&[("namespaces", &["shop", "team-*"])]);
    let grants = |action, one: &ResourceFacts| in_shop.not_matching(action, one).is_none();
    let touches = |action, one: &ResourceFacts| in_shop.not_possible(action, one).is_none();
    use Action as A;
    assert!(grants(A::KubeGet, &facts("pods", "shop", "web", &[])));
    assert!(grants(A::KubeList, &facts("pods", "team-a", "", &[])));
    assert!(!grants(A::KubeList, &facts("pods", "", "", &[])));
    assert!(!grants(A::KubeGet, &facts("nodes", "", "a", &[])));
    assert!(!grants(A::KubeGet, &facts("/version", "", "", &[])));
    // All namespaces are these too.
    assert!(touches(A::KubeList, &facts("pods", "", "", &[])));
    assert!(touches(A::KubeList, &facts("pods", "", "web", &[])));
    assert!(touches(A::KubeWatch, &facts("widgets.example.com", "", "", &[])));
    assert!(!touches(A::KubeList, &facts("pods", "other", "", &[])));
    assert!(!touches(A::KubeList, &facts("nodes", "", "", &[])));
    assert!(!touches(A::KubeGet, &facts("widgets.example.com", "", "a", &[])));
    assert!(!touches(A::KubeGet, &facts("/version", "", "", &[])));
}

#[test]
fn a_name_must_be_there_to_grant_and_may_be_any_to_restrict() {
    let web = api(&[("names", &["web*"])]);
    let (named, all) = (facts("pods", "shop", "web-0", &[]), facts("pods", "shop", "", &[]));
    let other = facts("pods", "shop", "db", &[]);
    assert_eq!(web.not_matching(Action::KubeGet, &named), None);
    assert_eq!(web.not_matching(Action::KubeList, &all), Some(RequestPart::Name));
    assert_eq!(web.not_possible(Action::KubeDeleteCollection, &all), None);
    assert_eq!(web.not_possible(Action::KubeGet, &other), Some(RequestPart::Name));
    let proxied = facts("services/proxy", "shop", "https:web:443", &[]);
    assert_eq!(web.not_possible(Action::KubeProxy, &proxied), None);
}

#[test]
fn a_verb_that_must_be_named_is_granted_by_no_other() {
    let every = api(&[("resources", &["*"])]);
    let exec = facts("pods/exec", "shop", "web", &["ls"]);
    assert_eq!(every.not_matching(Action::KubeExec, &exec), Some(RequestPart::Verb));
    assert_eq!(every.not_possible(Action::KubeExec, &exec), None);
    let named = api(&[("verbs", &["exec"]), ("resources", &["pods"])]);
    assert_eq!(named.not_matching(Action::KubeExec, &exec), None);
}

#[test]
fn a_command_is_granted_as_over_ssh() {
    let run = |commands: &[&str], command: &[&str]| {
        let rule = api(&[("verbs", &["exec"]), ("commands", commands)]);
        let exec = facts("pods/exec", "shop", "web", command);
        (
            rule.not_matching(Action::KubeExec, &exec).is_none(),
            rule.not_possible(Action::KubeExec, &exec).is_none(),
        )
    };
    assert_eq!(run(&["ls **"], &["ls", "-l"]), (true, true));
    assert_eq!(run(&["ls **"], &["rm", "-rf", "/"]), (false, false));
    assert_eq!(run(&["rm **"], &["sh", "-c", "rm -rf /"]), (false, true));
    assert_eq!(run(&["rm **"], &["/bin/rm", "x"]), (false, true));
    assert_eq!(run(&[], &["ls"]), (true, true));
    assert_eq!(run(&[], &["sh", "-c", "ls"]), (false, true));
    assert_eq!(run(&[], &[]), (false, true));
    assert_eq!(run(&["sh -c 'uname -a'"], &["sh", "-c", "uname -a"]), (true, true));
}

#[test]
fn a_rule_for_paths_is_about_no_resource() {
    let paths = api(&[("paths", &["/healthz", "/apis/**"])]);
    assert_eq!(paths.not_matching(Action::KubeGet, &facts("/apis/apps", "", "", &[])), None);
    let pod = facts("pods", "shop", "web", &[]);
    assert_eq!(paths.not_matching(Action::KubeGet, &pod), Some(RequestPart::Resource));
    assert_eq!(paths.not_possible(Action::KubeGet, &pod), Some(RequestPart::Resource));
    let both = api(&[("paths", &["/version"]), ("resources", &["pods"])]);
    assert_eq!(both.not_matching(Action::KubeGet, &pod), None);
    assert_eq!(both.not_matching(Action::KubeGet, &facts("/version", "", "", &[])), None);
    let neither = api(&[("verbs", &["get"])]);
    assert_eq!(neither.not_matching(Action::KubeGet, &facts("/metrics", "", "", &[])), None);
    assert_eq!(
        neither.not_matching(Action::KubeGet, &facts("serviceaccounts/token", "a", "b", &[])),
        Some(RequestPart::Resource)
    );
}

#[test]
fn what_covers_another_fits_all_that_it_fits() {
    let pods = api(&[("resources", &["pods"])]);
    let pods_in_shop = api(&[("resources", &["pods"]), ("namespaces", &["shop"])]);
    let version = api(&[("paths", &["/version"])]);
    let everything = api(&[]);
    assert!(pods.covers(&pods_in_shop) && !pods_in_shop.covers(&pods));
    assert!(everything.covers(&pods) && everything.covers(&version));
    assert!(!pods.covers(&version) && !version.covers(&pods) && !pods.covers(&everything));
}
