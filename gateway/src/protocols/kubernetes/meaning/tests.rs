use http::HeaderName;

use super::*;

fn facts(method: &str, sent: &str) -> (Arc<RequestFacts>, String) {
    let target = wire::http::Target::read(sent, wire::http::Slashes::Refuse).unwrap();
    let facts = RequestFacts {
        method: method.into(),
        host: "cluster.example".into(),
        path: target.path.as_ref().into(),
        query: target
            .query
            .iter()
            .map(|(name, value)| (name.as_ref().into(), value.as_ref().into()))
            .collect(),
        headers: Vec::new(),
        status: None,
    };
    (Arc::new(facts), sent.split_once('?').map_or("", |(_, query)| query).to_owned())
}

fn means(method: &str, sent: &str, upgrades: bool) -> Result<String, String> {
    let (facts, query) = facts(method, sent);
    Cluster.means(&facts, &query, upgrades).map(|meant| {
        let texts: Vec<String> = meant.accesses.iter().map(ToString::to_string).collect();
        texts.join(" and ")
    })
}

#[test]
fn a_request_means_a_verb_on_a_resource() {
    for (method, sent, want) in [
        ("GET", "/api/v1/namespaces/shop/pods/web", "get on pods shop/web"),
        ("GET", "/apis/apps/v1/deployments?watch=1", "watch on deployments.apps"),
        ("POST", "/api/v1/namespaces/shop/pods", "create on pods shop/*"),
        ("DELETE", "/api/v1/namespaces/shop/pods", "deletecollection on pods shop/*"),
        ("GET", "/version", "get on /version"),
        ("HEAD", "/healthz", "get on /healthz"),
        ("POST", "/apis/x", "create on /apis/x"),
        ("OPTIONS", "/api/v1/pods", "other on pods"),
        ("TRACE", "/version", "other on /version"),
        ("GET", "/api/v1/nodes/a/proxy/logs", "proxy on nodes/proxy a"),
        (
            "DELETE",
            "/api/v1/namespaces/s/services/web:80/proxy/x",
            "proxy on services/proxy s/web:80",
        ),
        ("GET", "/api/v1/proxy/nodes/a", "proxy on nodes/proxy a"),
        (
            "POST",
            "/api/v1/namespaces/shop/serviceaccounts/deployer/token",
            "create on serviceaccounts/token shop/deployer",
        ),
    ] {
        assert_eq!(means(method, sent, false).as_deref(), Ok(want), "{method} {sent}");
    }
}

#[test]
fn what_runs_attaches_or_forwards_is_a_verb_of_its_own_whatever_the_method() {
    let pod = "/api/v1/namespaces/shop/pods/web";
    for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS"] {
        let exec = format!("{pod}/exec?command=ls&container=c&command=-l&command=a%20b");
        let want = "exec on pods/exec shop/web: ls -l 'a b'";
        assert_eq!(means(method, &exec, true).as_deref(), Ok(want), "{method}");
        let attach = means(method, &format!("{pod}/attach?stdin=1"), true);
        assert_eq!(attach.as_deref(), Ok("attach on pods/attach shop/web"), "{method}");
        let forward = means(method, &format!("{pod}/portforward"), true);
        assert_eq!(forward.as_deref(), Ok("portforward on pods/portforward shop/web"), "{method}");
    }
    // A command that is none is not run, and not said to be.
    let log = format!("{pod}/log?command=ls");
    assert_eq!(means("GET", &log, false).as_deref(), Ok("get on pods/log shop/web"));
}

#[test]
fn streams_go_on_in_another_protocol_and_nothing_else_does() {
    let pod = "/api/v1/namespaces/shop/pods/web";
    assert!(means("POST", &format!("{pod}/exec?command=ls"), false).is_err());
    assert!(means("GET", &format!("{pod}/log"), true).is_err());
    assert!(means("GET", "/api/v1/pods?watch=1", true).is_err());
    assert!(means("GET", "/version", true).is_err());
    assert!(means("GET", &format!("{pod}/proxy/socket"), true).is_ok());
    let console =
        "/apis/subresources.kubevirt.io/v1/namespaces/s/virtualmachineinstances/v/console";
    assert!(means("GET", console, true).is_err());
}

#[test]
fn what_is_unclear_is_refused() {
    for sent in [
        "/api/v1/pods?watch=0&watch=1",
        "/api/v1/pods?a=b;watch=1",
        "/api/v1/watch",
        "/api/v1/pods?fieldSelector=a%3Db&fieldSelector=metadata.name%3Dx",
    ] {
        assert!(means("GET", sent, false).unwrap_err().contains("unclear"), "{sent}");
    }
}

#[test]
fn nobody_is_taken_for_somebody_else() {
    let mut headers: HeaderMap = [
        ("impersonate-user", "admin"),
        ("impersonate-group", "system:masters"),
        ("impersonate-extra-scopes", "all"),
        ("impersonate-uid", "1"),
        ("x-remote-user", "admin"),
        ("x-remote-extra-scopes", "all"),
        ("accept", "application/json"),
    ]
    .into_iter()
    .map(|(name, value)| (HeaderName::from_static(name), http::HeaderValue::from_static(value)))
    .collect();
    Cluster.strip(&mut headers);
    assert_eq!(headers.len(), 1);
}

#[test]
fn every_frame_and_copy_is_a_pattern() {
    assert_eq!(FRAME_PATTERNS.len(), FRAMES.len());
    assert_eq!(COPY_PATTERNS.len(), COPIES.len());
}
