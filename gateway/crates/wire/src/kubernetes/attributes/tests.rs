use super::*;
use crate::http::{Slashes, Target};

/// `verb group/version resource/subresource namespace name`, `-` for what is not there; of a path
/// the verb alone.
fn read(method: &str, sent: &str) -> Result<String, Unclear> {
    let target = Target::read(sent, Slashes::Refuse).unwrap();
    let query = sent.split_once('?').map_or("", |(_, query)| query);
    let read = Attributes::read(method, &target.path, query, &target.query)?;
    if !read.is_resource {
        return Ok(read.verb.into_owned());
    }
    let or = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    let kind = match read.subresource {
        "" => read.resource.to_owned(),
        subresource => format!("{}/{subresource}", read.resource),
    };
    let api = format!("{}/{}", or(read.group), read.version);
    Ok(format!("{} {api} {kind} {} {}", or(&read.verb), or(read.namespace), or(&read.name)))
}

#[test]
fn a_request_is_read_as_the_server_reads_it() {
    for (method, sent, want) in [
        ("GET", "/api/v1/namespaces/shop/pods/web", "get -/v1 pods shop web"),
        ("HEAD", "/api/v1/namespaces/shop/pods/web", "get -/v1 pods shop web"),
        ("GET", "/api/v1/namespaces/shop/pods", "list -/v1 pods shop -"),
        ("GET", "/api/v1/namespaces/shop/pods/", "list -/v1 pods shop -"),
        ("HEAD", "/api/v1/pods", "list -/v1 pods - -"),
        ("GET", "/api/v1/pods", "list -/v1 pods - -"),
        ("POST", "/api/v1/namespaces/shop/pods", "create -/v1 pods shop -"),
        ("PUT", "/api/v1/namespaces/shop/pods/web", "update -/v1 pods shop web"),
        (
            "PATCH",
            "/apis/apps/v1/namespaces/s/deployments/w/scale",
            "patch apps/v1 deployments/scale s w",
        ),
        ("DELETE", "/api/v1/namespaces/shop/pods/web", "delete -/v1 pods shop web"),
        ("DELETE", "/api/v1/namespaces/shop/pods", "deletecollection -/v1 pods shop -"),
        ("GET", "/api/v1/nodes/a", "get -/v1 nodes - a"),
        ("GET", "/api/v1/nodes/a/proxy/stats/summary", "get -/v1 nodes/proxy - a"),
        (
            "POST",
            "/api/v1/namespaces/shop/pods/web/exec?command=ls",
            "create -/v1 pods/exec shop web",
        ),
        ("GET", "/api/v1/namespaces/shop/pods/web/exec?command=ls", "get -/v1 pods/exec shop web"),
        ("GET", "/api/v1/namespaces", "list -/v1 namespaces - -"),
        ("GET", "/api/v1/namespaces/shop", "get -/v1 namespaces shop shop"),
        ("PUT", "/api/v1/namespaces/shop/finalize", "update -/v1 namespaces/finalize shop shop"),
        ("GET", "/api/v1/namespaces/shop/status", "get -/v1 namespaces/status shop shop"),
        ("OPTIONS", "/api/v1/namespaces/shop/pods", "- -/v1 pods shop -"),
        ("get", "/api/v1/namespaces/shop/pods/web", "- -/v1 pods shop web"),
        ("GET", "/api/v1/watch/namespaces/shop/pods", "watch -/v1 pods shop -"),
        ("GET", "/api/v1/watch/namespaces/shop/pods/web", "watch -/v1 pods shop web"),
        ("DELETE", "/api/v1/watch/pods", "watch -/v1 pods - -"),
        ("POST", "/api/v1/proxy/namespaces/shop/services/web/a/b", "proxy -/v1 services shop web"),
        ("GET", "/api/v1/proxy/nodes/a/logs", "proxy -/v1 nodes - a"),
    ] {
        assert_eq!(read(method, sent).as_deref(), Ok(want), "{method} {sent}");
    }
}

#[test]
fn what_is_no_resource_has_only_its_method() {
    for (method, sent, verb) in [
        ("GET", "/", "get"),
        ("GET", "/version", "get"),
        ("GET", "/api", "get"),
        ("GET", "/api/v1", "get"),
        ("GET", "/api/v1/", "get"),
        ("GET", "/apis/apps/v1", "get"),
        ("HEAD", "/healthz", "head"),
        ("POST", "/openapi/v2", "post"),
        ("OPTIONS", "/logs/a/b/c", "options"),
        ("GET", "/apiv1/v1/pods/web", "get"),
    ] {
        assert_eq!(read(method, sent).as_deref(), Ok(verb), "{method} {sent}");
    }
}

#[test]
fn a_watch_is_whatever_the_server_takes_for_one() {
    for yes in ["watch=1", "watch=true", "watch", "watch=", "watch=no", "watch=TRUE", "watch=2"] {
        let sent = format!("/api/v1/pods?{yes}");
        assert_eq!(read("GET", &sent).as_deref(), Ok("watch -/v1 pods - -"), "{yes}");
    }
    for no in ["watch=0", "watch=false", "watch=FALSE", "Watch=1", "x=watch", "watch%20=1"] {
        let sent = format!("/api/v1/pods?{no}");
        assert_eq!(read("GET", &sent).as_deref(), Ok("list -/v1 pods - -"), "{no}");
    }
    // With a name there is nothing to watch.
    let named = read("GET", "/api/v1/namespaces/shop/pods/web?watch=1");
    assert_eq!(named.as_deref(), Ok("get -/v1 pods shop web"));
}

#[test]
fn a_name_that_is_selected_is_a_name() {
    for (query, want) in [
        ("fieldSelector=metadata.name%3Dweb", "list -/v1 pods - web"),
        ("fieldSelector=metadata.name=web&watch=1", "watch -/v1 pods - web"),
        ("fieldSelector=metadata.name%3Da%2Fb", "list -/v1 pods - -"),
        ("fieldSelector=metadata.name%3D..", "list -/v1 pods - -"),
        ("fieldSelector=metadata.name!%3Dweb", "list -/v1 pods - -"),
        ("fieldSelector=metadata.name%3Dweb&limit=x", "list -/v1 pods - -"),
        ("fieldSelector=nonsense", "list -/v1 pods - -"),
    ] {
        let sent = format!("/api/v1/pods?{query}");
        assert_eq!(read("GET", &sent).as_deref(), Ok(want), "{query}");
    }
    let deleted = read("DELETE", "/api/v1/pods?fieldSelector=metadata.name%3Dweb");
    assert_eq!(deleted.as_deref(), Ok("deletecollection -/v1 pods - -"));
    let old = read("GET", "/api/v1/watch/pods?fieldSelector=metadata.name%3Dweb");
    assert_eq!(old.as_deref(), Ok("watch -/v1 pods - -"));
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    for (sent, why) in [
        ("/api/v1/pods?watch=0&watch=1", Unclear::Twice("watch")),
        ("/api/v1/pods?fieldSelector=a%3Db&fieldSelector=", Unclear::Twice("fieldSelector")),
        ("/api/v1/pods?watch=0;watch=1", Unclear::Semicolon),
        ("/api/v1/pods?fieldSelector=metadata.name%3D%ff", Unclear::NotText),
        ("/api/v1/watch", Unclear::NoKind),
        ("/apis/apps/v1/proxy/", Unclear::NoKind),
    ] {
        assert_eq!(read("GET", sent), Err(why), "{sent}");
    }
}

/// Requests whose attributes a real API server wrote into its audit log.
const GOLDEN: &str = include_str!("../golden.jsonl");
/// Requests that it answered without attributes.
const REFUSED: &str = include_str!("../golden-refused.jsonl");

fn rows(text: &str) -> impl Iterator<Item = serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap())
}

#[test]
fn what_a_real_api_server_made_of_a_request_we_make_of_it_or_refuse_it() {
    let (mut agreed, mut refused) = (0, Vec::new());
    for row in rows(GOLDEN) {
        let text = |name: &str| row[name].as_str().unwrap();
        let (method, sent) = (text("method"), text("uri"));
        let Ok(target) = Target::read(sent, Slashes::Refuse) else {
            refused.push(format!("{method} {sent}"));
            continue;
        };
        let query = sent.split_once('?').map_or("", |(_, query)| query);
        let Ok(read) = Attributes::read(method, &target.path, query, &target.query) else {
            refused.push(format!("{method} {sent}"));
            continue;
        };
        assert_eq!(read.is_resource, row["is_resource"].as_bool().unwrap(), "{row}");
        for (name, ours) in [
            ("verb", &*read.verb),
            ("group", read.group),
            ("version", read.version),
            ("resource", read.resource),
            ("subresource", read.subresource),
            ("namespace", read.namespace),
            ("name", &*read.name),
            ("path", if read.is_resource { "" } else { &*target.path }),
        ] {
            assert_eq!(ours, text(name), "{name} of {row}");
        }
        agreed += 1;
    }
    assert!(agreed > 450, "{agreed} agreed; refused: {refused:#?}");
    assert!(refused.len() < 60, "{refused:#?}");
}

#[test]
fn what_a_real_api_server_refuses_to_read_is_refused() {
    for row in rows(REFUSED) {
        let sent = row["uri"].as_str().unwrap();
        if sent == "*" {
            // A path that no rule for paths names.
            continue;
        }
        let Ok(target) = Target::read(sent, Slashes::Refuse) else { continue };
        let method = row["method"].as_str().unwrap();
        assert!(Attributes::read(method, &target.path, "", &target.query).is_err(), "{row}");
    }
}
