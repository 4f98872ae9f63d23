//! What is asked about HTTP, as the operation that a session would judge.
//!
//! Owns reading the question. Must not decide anything. Path, query and host are read as a session
//! reads them, and what it would refuse before any rule is asked is refused here too.

use std::sync::Arc;

use model::{Access, Operation, RequestFacts};
use wire::http::{Authority, Slashes, Target as PathAndQuery};

use crate::control::view::HttpQuestion;
use crate::control::{Problem, ProblemKind};
use crate::session::HttpTarget;

/// The header by which a request asks to go on in another protocol.
const UPGRADE: &str = "upgrade";

/// The operation, and what is worth knowing about how it was read. `wanted` are the headers that
/// conditions ask for, in lower case; `means` says what a request needs, as the target's driver
/// does.
pub(super) fn operation(
    question: &HttpQuestion,
    target: &HttpTarget,
    wanted: &[Arc<str>],
    means: impl Fn(&Arc<RequestFacts>, &str, bool) -> Result<Arc<[Access]>, String>,
) -> Result<(Operation, Vec<String>), Problem> {
    let mut notes = Vec::new();
    let (method, url) = question
        .request
        .split_once(' ')
        .filter(|(method, url)| is_token(method) && !url.is_empty() && !url.contains(' '))
        .ok_or_else(|| invalid("this is not a method and an address"))?;
    let (host, sent) = place(url, target, &mut notes)?;
    if !target.serves(&host) {
        notes.push(format!("{host} is no host of this target: a session refuses the request"));
    }
    let slashes = if target.encoded_slashes { Slashes::Opaque } else { Slashes::Refuse };
    let read = PathAndQuery::read(sent, slashes).map_err(|error| {
        let text = format!("a session refuses it, whatever is granted: {error}");
        Problem::new(ProblemKind::Invalid, text)
            .with_remedy("Write the path as a client sends it, each part encoded once.")
    })?;
    let (headers, upgrades) = headers(&question.headers, wanted, &mut notes)?;
    let pair = |(name, value): &(_, _)| (text(name), text(value));
    let facts = Arc::new(RequestFacts {
        method: method.into(),
        host: host.into(),
        path: text(&read.path),
        query: read.query.iter().map(pair).collect(),
        headers,
        status: None,
    });
    let query = sent.split_once('?').map_or("", |(_, query)| query);
    let accesses = means(&facts, query, upgrades).map_err(|error| {
        let text = format!("a session refuses it, whatever is granted: {error}");
        Problem::new(ProblemKind::Invalid, text)
    })?;
    let operation = Operation {
        kind: if upgrades { "upgrade" } else { "request" }.into(),
        text: question.request.as_str().into(),
        accesses,
    };
    Ok((operation, notes))
}

/// The host of an address, and what a client would send as its path and query.
fn place<'a>(
    url: &'a str,
    target: &HttpTarget,
    notes: &mut Vec<String>,
) -> Result<(String, &'a str), Problem> {
    if url.starts_with('/') {
        let hosts = target.hosts.iter();
        let named = hosts.clone().find_map(|host| host.name());
        let host = named.or_else(|| hosts.clone().find_map(|one| Some(one.address()?.to_string())));
        let host =
            host.ok_or_else(|| invalid("the target has several hosts, and none is named"))?;
        notes.push(format!("no host is named: the request is taken to be for {host}"));
        return Ok((host, url));
    }
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let rest = rest.ok_or_else(|| invalid("this is neither a path nor an http or https URL"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, sent) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let authority = Authority::read(authority).map_err(|error| invalid(&error.to_string()))?;
    // A client sends the root where an address has no path.
    Ok((authority.host.into_owned(), if sent.is_empty() { "/" } else { sent }))
}

/// Names and values.
type Headers = Vec<(Arc<str>, Arc<str>)>;

/// The headers that conditions ask for, and whether one asks to go on in another protocol.
fn headers(
    given: &[String],
    wanted: &[Arc<str>],
    notes: &mut Vec<String>,
) -> Result<(Headers, bool), Problem> {
    let (mut headers, mut upgrades) = (Vec::new(), false);
    for header in given {
        let (name, value) = header
            .split_once(':')
            .filter(|(name, _)| is_token(name))
            .ok_or_else(|| invalid("a header is a name, a colon and a value"))?;
        let name = name.to_ascii_lowercase();
        let known = wanted.iter().find(|one| ***one == *name);
        upgrades |= name == UPGRADE;
        match known {
            Some(known) => headers.push((Arc::clone(known), text(value.trim()))),
            None if name == UPGRADE => {}
            None => notes.push(format!("no condition asks for the header {name}")),
        }
    }
    Ok((headers, upgrades))
}

/// Whether it is a token (RFC 9110 section 5.6.2): what a method or the name of a header is.
fn is_token(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

fn text(text: impl AsRef<str>) -> Arc<str> {
    Arc::from(text.as_ref())
}

fn invalid(reason: &str) -> Problem {
    Problem::new(ProblemKind::Invalid, reason).with_remedy(
        "Write a method and an address: GET https://api.example/v1/users?page=1, or GET /v1/users.",
    )
}

#[cfg(test)]
mod tests {
    use model::{HostPattern, Object};

    use super::*;
    use crate::protocols::Driver as _;
    use crate::session::UntrustingClients;

    fn target(hosts: &[&str], encoded_slashes: bool) -> HttpTarget {
        HttpTarget {
            hosts: hosts.iter().map(|host| HostPattern::parse(host).unwrap()).collect(),
            untrusting_clients: UntrustingClients::Deny,
            encoded_slashes,
            names: Vec::new(),
        }
    }

    fn plain(
        facts: &Arc<RequestFacts>,
        query: &str,
        upgrades: bool,
    ) -> Result<Arc<[Access]>, String> {
        crate::protocols::http::Http::default().accesses(facts, query, upgrades)
    }

    fn ask(request: &str, headers: &[&str]) -> Result<(Vec<String>, Vec<String>), String> {
        let question = HttpQuestion {
            request: request.to_owned(),
            headers: headers.iter().map(|header| (*header).to_owned()).collect(),
        };
        let target = target(&["*.api.example", "api.example", "10.0.0.5"], false);
        let read = operation(&question, &target, &["x-team".into()], plain);
        let (operation, notes) = read.map_err(|problem| problem.to_string())?;
        Ok((operation.accesses.iter().map(ToString::to_string).collect(), notes))
    }

    #[test]
    fn a_request_is_read_as_a_session_reads_it() {
        let (accesses, notes) = ask("GET https://EU.api.example:443/v1/a%20b?x=1&y", &[]).unwrap();
        assert_eq!(accesses, ["GET on eu.api.example/v1/a%20b?x&y"]);
        assert!(notes.is_empty(), "{notes:?}");
        let (accesses, _) = ask("PURGE http://10.0.0.5", &[]).unwrap();
        assert_eq!(accesses, ["OTHER on 10.0.0.5/"]);
        let (accesses, notes) = ask("GET /v1/", &[]).unwrap();
        assert_eq!(accesses, ["GET on api.example/v1/"]);
        assert!(notes[0].contains("taken to be for api.example"));
        let (_, notes) = ask("GET https://other.example/", &[]).unwrap();
        assert!(notes[0].contains("no host of this target"));
    }

    #[test]
    fn headers_count_where_a_condition_or_an_upgrade_asks_for_them() {
        let headers = ["X-Team: ops", "Upgrade: websocket", "X-Other: canary"];
        let (accesses, notes) = ask("GET /socket", &headers).unwrap();
        assert_eq!(accesses, ["GET on api.example/socket", "UPGRADE on api.example/socket"]);
        assert!(notes.iter().any(|note| note == "no condition asks for the header x-other"));
        let question =
            HttpQuestion { request: "GET /".to_owned(), headers: vec!["X-Team:  ops ".to_owned()] };
        let target = target(&["a"], false);
        let (operation, _) = operation(&question, &target, &["x-team".into()], plain).unwrap();
        let Object::Request(facts) = &operation.accesses[0].object else { panic!() };
        assert_eq!(facts.headers, [("x-team".into(), "ops".into())]);
    }

    #[test]
    fn what_a_session_would_refuse_is_refused() {
        for bad in ["/v1/../admin", "/v1//x", "/a%2Fb", "/a;b", "/a%", "https://api.example/a#b"] {
            let error = ask(&format!("GET {bad}"), &[]).unwrap_err();
            assert!(error.contains("whatever is granted"), "{bad}: {error}");
        }
        for bad in ["", "GET", "GET ", "G(T /", "GET ftp://a/", "GET a/b", "GET / HTTP/1.1"] {
            assert!(ask(bad, &[]).is_err(), "{bad}");
        }
        assert!(ask("GET https://user@api.example/", &[]).is_err());
        assert!(ask("GET /", &["no colon"]).is_err() && ask("GET /", &["a b: c"]).is_err());
        let question = HttpQuestion { request: "GET /a%2Fb".to_owned(), headers: Vec::new() };
        assert!(operation(&question, &target(&["a"], true), &[], plain).is_ok());
        assert!(operation(&question, &target(&["*.a"], true), &[], plain).is_err(), "no one host");
    }
}
