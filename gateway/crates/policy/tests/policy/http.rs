//! Rules for HTTP: what they mean, what is wrong with them, and the laws they keep (`laws`).

mod laws;

use std::sync::Arc;

use insta::assert_snapshot;
use model::{
    Access, Action, Domain, Effect, FieldPattern, HostPattern, Object, Operation, QueryPattern,
    RequestFacts, RoutePattern, StatusPattern, Transform,
};
use policy::{BlockSource, Policy, PolicySource, RuleSource, TargetFacts, compile};

use crate::fixture::{NOW, classified, principal, role, rule, source, target, when};

/// Reads `hosts: *.example`, `paths: /v1/**`, `query: a=b`, `statuses: 5xx`, one a line. Actions
/// are words, or `*` for every method.
fn http(id: &str, effect: Effect, actions: &str, lists: &[&str]) -> RuleSource {
    let own = |action: &Action| action.domain() == Domain::Http && *action != Action::Answer;
    let actions = match actions {
        "*" => Action::ALL.iter().copied().filter(own).collect(),
        words => words.split(' ').map(|word| Action::from_word(word).unwrap()).collect(),
    };
    let mut block = BlockSource::new(Domain::Http, actions);
    for list in lists {
        let (key, pattern) = list.split_once(": ").unwrap();
        match key {
            "hosts" => block.requests.hosts.push(HostPattern::parse(pattern).unwrap()),
            "paths" => block.requests.paths.push(RoutePattern::parse(pattern).unwrap()),
            "statuses" => block.requests.statuses.push(StatusPattern::parse(pattern).unwrap()),
            "methods" => block.requests.methods.push(Action::from_word(pattern).unwrap()),
            _ => {
                let (name, value) = pattern.split_once('=').unwrap();
                block.requests.query.push(QueryPattern::parse(name, value).unwrap());
            }
        }
    }
    RuleSource { block: Some(block), ..rule(id, effect, "select", &[]) }
}

fn source_of(rules: Vec<RuleSource>) -> PolicySource {
    let mut source = source(vec![role("reader", "readers", rules)]);
    source.targets = vec![TargetFacts { domain: Domain::Http, ..target("shop") }];
    source
}

fn policy(rules: Vec<RuleSource>) -> Policy {
    compile(&source_of(rules)).unwrap()
}

/// Reads `GET api.example/v1/users?page=1`; `UPGRADE` before it adds that access, `404` makes it
/// the answer.
fn operation(text: &str) -> Operation {
    let (text, upgrade) = text.strip_prefix("UPGRADE ").map_or((text, false), |rest| (rest, true));
    let mut words = text.split(' ');
    let (method, url) = (words.next().unwrap(), words.next().unwrap());
    let status = words.next().map(|status| status.parse().unwrap());
    let (host, rest) = url.split_once('/').unwrap();
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let query = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (Arc::from(name), Arc::from(value))
    });
    let facts = Arc::new(RequestFacts {
        method: method.into(),
        host: host.into(),
        path: format!("/{path}").into(),
        query: query.collect(),
        headers: vec![("x-team".into(), "ops".into())],
        status,
    });
    let on = |action| Access { action, object: Object::Request(Arc::clone(&facts)) };
    let mut accesses = vec![match status {
        None => on(Action::of_method(method)),
        Some(_) => on(Action::Answer),
    }];
    accesses.extend(upgrade.then(|| on(Action::Upgrade)));
    Operation {
        kind: "request".into(),
        text: format!("{method} https://{facts}").into(),
        accesses: accesses.into(),
    }
}

fn effect(policy: &Policy, text: &str) -> Effect {
    policy.decide(&principal(&["readers"]), &"shop".into(), &operation(text), NOW).effect
}

/// The rules that keep an answer from being shown; `None` where it is shown.
fn denial(policy: &Policy, text: &str) -> Option<Vec<String>> {
    let standing = policy.standing(&principal(&["readers"]), &"shop".into());
    let decision = standing.denies(&operation(text), NOW)?;
    assert_eq!(decision.effect, DENY);
    Some(decision.rules.iter().map(|one| one.rule.to_string()).collect())
}

const ALLOW: Effect = Effect::Allow;
const DENY: Effect = Effect::Deny;
const HOLD: Effect = Effect::Hold;

#[test]
fn a_request_is_granted_by_method_host_path_and_query_together() {
    let policy = policy(vec![
        http("read", ALLOW, "GET HEAD", &["hosts: *.api.example", "paths: /v1/**"]),
        http("dry", ALLOW, "POST", &["paths: /v1/jobs", "query: dry_run=true"]),
    ]);
    for allowed in [
        "GET eu.api.example/v1/users?page=2",
        "HEAD eu.api.example/v1",
        "POST any.example/v1/jobs?dry_run=true&x=y",
    ] {
        assert_eq!(effect(&policy, allowed), ALLOW, "{allowed}");
    }
    for denied in [
        "get eu.api.example/v1/users",
        "OPTIONS eu.api.example/v1/users",
        "GET api.example/v1/users",
        "GET eu.api.example/v2",
        "POST any.example/v1/jobs",
        "POST any.example/v1/jobs/?dry_run=true",
        "POST any.example/v1/jobs?dry_run=true&dry_run=false",
        "UPGRADE GET eu.api.example/v1/users",
        "PURGE eu.api.example/v1/users",
    ] {
        assert_eq!(effect(&policy, denied), DENY, "{denied}");
    }
}

#[test]
fn a_denial_and_a_hold_touch_what_a_server_could_take_for_theirs() {
    let policy = policy(vec![
        http("all", ALLOW, "*", &[]),
        http("no-admin", DENY, "*", &["paths: /admin/**"]),
        http("no-force", DENY, "DELETE", &["query: force=true"]),
        http("ask", HOLD, "DELETE", &["paths: /v1/users/*"]),
    ]);
    for denied in [
        "GET a.example/admin",
        "GET a.example/Admin/users",
        "GET a.example/admin;x=1/users",
        "GET a.example/public%2F..%2Fadmin",
        "UPGRADE GET a.example/admin/socket",
        "DELETE a.example/v1/jobs?force=false&force=true",
        "DELETE a.example/v1/jobs?FORCE=TRUE",
    ] {
        assert_eq!(effect(&policy, denied), DENY, "{denied}");
    }
    for held in ["DELETE a.example/v1/users/7", "DELETE a.example/v1/users/7/"] {
        assert_eq!(effect(&policy, held), HOLD, "{held}");
    }
    for allowed in ["GET a.example/administrator", "UPGRADE GET a.example/x", "PURGE a.example/x"] {
        assert_eq!(effect(&policy, allowed), ALLOW, "{allowed}");
    }
}

#[test]
fn an_upgrade_is_granted_beside_its_method_and_for_the_methods_of_its_rule() {
    let policy = policy(vec![
        http("all", ALLOW, "GET POST", &[]),
        http("socket", ALLOW, "GET UPGRADE", &["methods: GET", "paths: /socket"]),
    ]);
    assert_eq!(effect(&policy, "UPGRADE GET a.example/socket"), ALLOW);
    assert_eq!(effect(&policy, "UPGRADE POST a.example/socket"), DENY);
    assert_eq!(effect(&policy, "UPGRADE GET a.example/other"), DENY);
    assert_eq!(effect(&policy, "POST a.example/socket"), ALLOW);
}

#[test]
fn answers_are_shown_unless_a_rule_denies_them() {
    let policy = policy(vec![
        http("read", ALLOW, "GET", &[]),
        http("no-errors", DENY, "ANSWER", &["statuses: 5xx", "paths: /v1/**"]),
        when(http("odd", DENY, "ANSWER", &["statuses: 418"]), "operation.accesses[9].status == 1"),
    ]);
    assert_eq!(denial(&policy, "GET a.example/v1/users 200"), None);
    assert_eq!(denial(&policy, "GET a.example/v2/users 503"), None);
    let denied = Some(vec!["no-errors".to_owned()]);
    assert_eq!(denial(&policy, "GET a.example/v1/users 503"), denied);
    // A condition that cannot be evaluated denies.
    assert_eq!(denial(&policy, "GET a.example/v1/users 418"), Some(Vec::new()));
    // Nobody asks whether an answer is granted; whoever did would be told that it is not.
    assert_eq!(effect(&policy, "GET a.example/v1/users 200"), DENY);
}

#[test]
fn a_condition_sees_the_request() {
    let holds = |condition: &str, text: &str| {
        let policy = policy(vec![when(http("a", ALLOW, "*", &[]), condition)]);
        effect(&policy, text)
    };
    let request = "POST api.example/v1/users?a=1&a=2&b";
    for condition in [
        "operation.accesses.all(a, a.method == 'POST' && a.host == 'api.example')",
        "operation.accesses[0].path.startsWith('/v1/') && operation.accesses[0].name[1] == 'users'",
        "operation.accesses[0].query['a'] == ['1', '2'] && operation.accesses[0].query.b == ['']",
        "!('c' in operation.accesses[0].query) && size(operation.accesses[0].query) == 2",
        "operation.accesses[0].headers['x-team'] == ['ops']",
        "'ops' in operation.accesses[0].headers['x-team']",
        "'x-team' in operation.accesses[0].headers",
        "operation.accesses[0].headers['x-none'] == []",
        "operation.accesses[0].headers.host == []",
        "operation.accesses[0].status == 0",
        "operation.text == 'POST https://api.example/v1/users?a&a&b'",
    ] {
        assert_eq!(holds(condition, request), ALLOW, "{condition}");
        assert_eq!(holds(&format!("!({condition})"), request), DENY, "{condition}");
    }
    // What is asked for and is not there refuses.
    assert_eq!(holds("operation.accesses[0].query['c'] != ['1']", request), DENY);
    let long = format!("GET a.example/x?a={}", "x".repeat(256 * 1024));
    assert_eq!(holds("true", &long), DENY);
}

#[test]
fn the_headers_that_conditions_ask_for_are_known_beforehand() {
    let policy = policy(vec![
        when(
            http("a", ALLOW, "GET", &[]),
            "operation.accesses.exists(a, 'x' in a.headers['x-b'] || has(a.headers.via))",
        ),
        when(http("b", DENY, "GET", &[]), "'x-a' in operation.accesses[0].headers"),
    ]);
    let headers: Vec<&str> = policy.request_headers().iter().map(AsRef::as_ref).collect();
    assert_eq!(headers, ["via", "x-a", "x-b"]);
    let refused: Vec<String> = [
        "operation.accesses[0].headers.exists(h, h == 'x')",
        "size(operation.accesses[0].headers) == 0",
        "operation.accesses[0].headers[target] == []",
        "operation.accesses[0]['headers']['x'] == []",
        "operation.accesses[0].headers['X-Team'] == []",
        "operation.accesses[0].headers[''] == []",
        "target in operation.accesses[0].headers",
    ]
    .into_iter()
    .map(|condition| {
        let source = source_of(vec![when(http("a", ALLOW, "GET", &[]), condition)]);
        let error = compile(&source).unwrap_err().remove(0);
        format!("{condition}\n  {}\n  {}", error.problem, error.remedy())
    })
    .collect();
    assert_snapshot!(refused.join("\n"));
}

fn explain(rules: Vec<RuleSource>, text: &str) -> String {
    let mut source = source_of(rules);
    let mut email = classified("pii.email", &[], Transform::Partial);
    email.fields = vec![FieldPattern::parse("**.email").unwrap()];
    email.routes = vec![RoutePattern::parse("/v1/users/**").unwrap()];
    source.classification = vec![email];
    let policy = compile(&source).unwrap();
    policy.explain(&principal(&["readers"]), &"shop".into(), &operation(text), NOW).to_string()
}

fn explained() -> Vec<RuleSource> {
    vec![
        http("read", ALLOW, "GET HEAD", &["hosts: *.api.example", "paths: /v1/**"]),
        http("dry", ALLOW, "POST", &["paths: /v1/jobs", "query: dry_run=true"]),
        http("socket", ALLOW, "GET UPGRADE", &["methods: GET", "paths: /v1/socket"]),
        http("ask", HOLD, "DELETE", &["paths: /v1/users/*"]),
        http("no-admin", DENY, "*", &["paths: /v1/admin/**"]),
        http("no-errors", DENY, "ANSWER", &["statuses: 5xx"]),
        when(http("ops", DENY, "GET", &[]), "operation.accesses[0].headers['x-team'] == ['dev']"),
    ]
}

#[test]
fn an_explanation_says_in_which_part_a_rule_is_about_other_requests() {
    let said = |text| explain(explained(), text);
    let all = [
        "GET eu.api.example/v1/users/7?token=canary",
        "GET eu.api.example/v1/Admin/",
        "POST api.example/v1/jobs?dry_run=false",
        "DELETE api.example/v1/users/7",
        "UPGRADE GET eu.api.example/v1/socket",
        "GET eu.api.example/v1/users 503",
    ]
    .map(said)
    .join("\n\n");
    assert!(!all.contains("canary"), "{all}");
    assert_snapshot!(all);
}

#[test]
fn a_rule_for_http_must_be_able_to_fire() {
    let rules = vec![
        http("good", ALLOW, "GET", &["hosts: *.api.example"]),
        http("elsewhere", ALLOW, "GET", &["hosts: api.example", "hosts: 10.0.0.*"]),
        http("answers", ALLOW, "ANSWER", &["statuses: 404"]),
        http("held-answers", HOLD, "ANSWER", &[]),
        http("foreign", ALLOW, "GET select", &[]),
        http("nothing", ALLOW, "*", &["paths: /v2"]),
        http("denied", DENY, "GET HEAD", &["paths: /v1/**", "query: a=b"]),
        http("shadowed", ALLOW, "GET", &["paths: /v1/**", "query: a=b", "query: c=d"]),
        http("slashes", ALLOW, "GET", &["paths: /a%2Fb", "paths: /a;b/**"]),
        http("not-shadowed", ALLOW, "GET", &["paths: /v1/**"]),
    ];
    let mut source = source_of(rules);
    source.targets[0].hosts = vec![HostPattern::parse("*.api.example").unwrap()];
    let errors = compile(&source).err().unwrap_or_default();
    let text: String =
        errors.iter().map(|error| format!("{error}\n  {}\n", error.remedy())).collect();
    assert_snapshot!(text);
}

#[test]
fn every_part_of_a_request_counts_in_the_digest() {
    let digest = |lists: &[&str]| {
        policy(vec![http("one", DENY, "GET", lists), http("two", ALLOW, "*", &[])]).digest()
    };
    let digests = [
        digest(&[]),
        digest(&["hosts: a"]),
        digest(&["paths: /a"]),
        digest(&["query: a=b"]),
        digest(&["query: a=b=c"]),
        digest(&["statuses: 404"]),
        digest(&["statuses: 4xx"]),
        digest(&["methods: GET"]),
    ];
    for (at, one) in digests.iter().enumerate() {
        assert!(digests[at + 1..].iter().all(|other| other != one), "{at}");
    }
}

#[test]
fn classified_fields_are_masked_for_whoever_may_not_see_them() {
    let mut source = source_of(vec![http("all", ALLOW, "GET", &[])]);
    let mut email = classified("pii.email", &[], Transform::Partial);
    email.fields = vec![FieldPattern::parse("**.email").unwrap()];
    email.routes = vec![RoutePattern::parse("/v1/users/**").unwrap()];
    let whole = email.clone();
    let stronger = policy::ClassificationSource { mask: Transform::Redact, ..whole };
    source.classification = vec![email, stronger];
    let standing = |source: &PolicySource| {
        compile(source).unwrap().standing(&principal(&["readers"]), &"shop".into())
    };
    let masked = standing(&source);
    let first = &masked.masks().fields[0];
    assert_eq!(first.transform, Transform::Redact);
    assert!(first.is_about("/v1/users/7") && first.is_about("/V1/users"));
    assert!(!first.is_about("/v1/orders"));
    source.roles[0].unmask = vec!["pii.email".into()];
    assert!(standing(&source).masks().is_empty());
}
