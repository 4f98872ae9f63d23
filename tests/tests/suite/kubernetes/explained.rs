//! What `explain --request` says of a request is what becomes of it.
//!
//! Owns the requests: some of every effect, and of what is refused whatever is granted.

use gateway::control::view::{ExplainRequest, ExplainSubject, ExplainView, HttpQuestion};
use tests::web::WebServer;
use tests::web::client::request;
use tests::world::World;

const SPDY: &str = "Upgrade: SPDY/3.1";

const REQUESTS: &[(&str, &str, &[&str])] = &[
    ("GET", "/api/v1/namespaces/shop/pods", &[]),
    ("GET", "/api/v1/namespaces/shop/pods/web", &[]),
    ("HEAD", "/api/v1/namespaces/shop/pods/web", &[]),
    ("GET", "/api/v1/namespaces/shop/pods?watch=true", &[]),
    ("GET", "/api/v1/pods?fieldSelector=metadata.name%3Dweb", &[]),
    ("GET", "/apis/apps/v1/deployments", &[]),
    ("GET", "/version", &[]),
    ("POST", "/version", &[]),
    ("POST", "/api/v1/namespaces/shop/configmaps", &[]),
    ("PUT", "/api/v1/namespaces/shop/configmaps/drop-it", &[]),
    ("PUT", "/api/v1/namespaces/shop/configmaps/other", &[]),
    ("PATCH", "/api/v1/namespaces/shop/widgets/gear", &[]),
    ("DELETE", "/api/v1/namespaces/shop/pods/web", &[]),
    ("DELETE", "/api/v1/namespaces/shop/pods", &[]),
    ("POST", "/api/v1/namespaces/shop/serviceaccounts/deployer/token", &[]),
    ("GET", "/api/v1/nodes/n/proxy/pods", &[]),
    ("GET", "/api/v1/namespaces/shop/secrets/db", &[]),
    ("PUT", "/api/v1/namespaces/shop/secrets/db", &[]),
    ("PATCH", "/api/v1/namespaces/shop/secrets/db", &[]),
    ("GET", "/api/v1/namespaces/shop/customers?labelSelector=owner%3Dann", &[]),
    ("GET", "/api/v1/namespaces/shop/customers?fieldSelector=spec.email%3Da", &[]),
    ("GET", "/api/v1/namespaces/shop/customers?labelSelector=app%3Dweb", &[]),
    ("POST", "/api/v1/namespaces/shop/pods/web/exec?command=ls&command=-l&stdout=1", &[SPDY]),
    ("GET", "/api/v1/namespaces/shop/pods/web/exec?command=rm&command=x&stdout=1", &[SPDY]),
    ("POST", "/api/v1/namespaces/shop/pods/web/exec?command=sh&stdout=1", &[SPDY]),
    ("POST", "/api/v1/namespaces/shop/pods/web/exec?command=ls&stdout=1", &[]),
    ("POST", "/api/v1/namespaces/shop/pods/web/portforward", &[SPDY]),
    ("GET", "/api/v1/pods", &[SPDY]),
    ("GET", "/api/v1/pods?watch=0&watch=1", &[]),
    ("GET", "/api/v1//pods", &[]),
    ("GET", "/api/v1/watch", &[]),
    ("GET", "/api/v1/namespaces/shop%2Fpods/web", &[]),
];

fn world() -> (World, &'static WebServer) {
    super::world_with(|usual| {
        usual
            .rule("{ id: write, effect: allow, target: shop, kubernetes: { verbs: [patch], resources: [\"*\"] } }")
            .rule("{ id: write-secrets, effect: allow, target: shop, kubernetes: { verbs: [update], resources: [secrets] } }")
            .rule("{ id: run, effect: allow, target: shop, kubernetes: { verbs: [exec], resources: [pods], commands: [\"ls **\"] } }")
            .classification(
                "\n  - { tag: secret, target: shop, resources: [secrets], fields: [\"data.*\"], mask: redact }\n  \
                 - { tag: owner, target: shop, resources: [customers], \
                 fields: [\"metadata.labels.owner\", \"spec.email\"], mask: redact }\n",
            )
    })
}

fn explained(
    world: &World,
    (method, target, fields): (&str, &str, &[&str]),
) -> Option<ExplainView> {
    let question = HttpQuestion {
        request: format!("{method} {target}"),
        headers: fields.iter().map(|field| (*field).to_owned()).collect(),
    };
    let subject = ExplainSubject::Workload {
        workload: "nightly-report".into(),
        target: "shop".into(),
        database: None,
    };
    let request = ExplainRequest {
        subject,
        statement: None,
        ssh: None,
        http: Some(question),
        candidate: Vec::new(),
    };
    world.explain(request).ok()
}

/// What becomes of a request, in one word, and the rules that an audit line gives for it.
fn became(
    world: &World,
    server: &WebServer,
    (method, target, fields): (&str, &str, &[&str]),
) -> (&'static str, Vec<String>) {
    let decided = || {
        let all = world.events("operation_decided").into_iter();
        all.filter(|line| line["kind"] != "connect").collect::<Vec<_>>()
    };
    let (seen, lines) = (server.seen().len(), decided().len());
    let mut client = world.web();
    let upgrade = (!fields.is_empty()).then_some("Connection: Upgrade");
    let fields: Vec<&str> = fields.iter().copied().chain(upgrade).collect();
    client.send(request(method, target, &fields));
    let mut is_held = false;
    let status = std::thread::scope(|scope| {
        let answered = scope.spawn(|| client.head().unwrap().status);
        tests::assert_eventually!({
            if let Some(hold) = world.holds().into_iter().next() {
                world.reject(hold.id).unwrap();
                is_held = true;
            }
            answered.is_finished()
        });
        answered.join().unwrap()
    });
    let reached = server.seen().len() > seen;
    let word = match status {
        _ if is_held => "hold",
        400 => "unread",
        403 => "deny",
        _ => "allow",
    };
    assert_eq!(reached, word == "allow", "{method} {target}: {status}");
    // What is refused for its content may have been allowed first.
    let effect = if word == "unread" { "deny" } else { word };
    let last = || decided().split_off(lines).pop();
    let is_last = || last().is_some_and(|line| line.get("effect").is_some_and(|one| one == effect));
    tests::assert_eventually!(is_last(), "{method} {target}: no {effect}");
    let line = last();
    let rules = line.as_ref().and_then(|line| line["rules"].as_array());
    let names = rules.into_iter().flatten().filter_map(|rule| rule.get("rule")?.as_str());
    (word, names.map(str::to_owned).collect())
}

#[test]
fn what_is_explained_of_a_request_is_what_becomes_of_it() {
    let (world, server) = world();
    let mut words = Vec::new();
    for asked in REQUESTS {
        let view = explained(&world, *asked);
        let expected = match &view {
            None => "unread",
            Some(view) => match view.decision.effect {
                model::Effect::Allow => "allow",
                model::Effect::Hold => "hold",
                model::Effect::Deny => "deny",
            },
        };
        let (word, rules) = became(&world, server, *asked);
        assert_eq!(word, expected, "{asked:?}: {view:?}");
        if let Some(view) = view.filter(|_| word == "allow") {
            assert_eq!(rules, view.decision.rules, "{asked:?}");
        }
        words.push(word);
    }
    for word in ["allow", "deny", "hold", "unread"] {
        assert!(words.contains(&word), "none is {word}");
    }
    let masked = ("PATCH", "/api/v1/namespaces/shop/secrets/db", &[][..]);
    let reason = explained(&world, masked).unwrap().decision.reason;
    assert!(reason.contains("would be written back masked"), "{reason}");
}
