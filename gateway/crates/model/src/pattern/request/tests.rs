//! Patterns over requests: each part, and what servers could make of a query.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn query(text: &str) -> Vec<Pair> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name.into(), value.into())
        })
        .collect()
}

fn request(method: &str, url: &str) -> RequestFacts {
    let (host, rest) = url.split_once('/').unwrap();
    let (path, text) = rest.split_once('?').unwrap_or((rest, ""));
    RequestFacts {
        method: method.into(),
        host: host.into(),
        path: format!("/{path}").into(),
        query: query(text),
        headers: Vec::new(),
        status: None,
    }
}

fn pattern() -> RequestPattern {
    RequestPattern {
        methods: vec![Action::Get, Action::OtherMethod],
        hosts: vec![HostPattern::parse("*.api.example").unwrap()],
        paths: vec![RoutePattern::parse("/v1/**").unwrap(), RoutePattern::parse("/").unwrap()],
        query: vec![QueryPattern::parse("dry_run", "true").unwrap()],
        statuses: Vec::new(),
    }
}

#[test]
fn every_part_must_fit_and_the_first_that_does_not_is_told() {
    let told = |method, url| pattern().not_matching(&request(method, url));
    assert_eq!(told("GET", "eu.api.example/v1/x?dry_run=true"), None);
    assert_eq!(told("PURGE", "eu.api.example/?dry_run=true"), None);
    assert_eq!(told("POST", "eu.api.example/v1/x?dry_run=true"), Some(RequestPart::Method));
    assert_eq!(told("GET", "api.example/v1/x?dry_run=true"), Some(RequestPart::Host));
    assert_eq!(told("GET", "eu.api.example/v2?dry_run=true"), Some(RequestPart::Path));
    assert_eq!(told("GET", "eu.api.example/v1"), Some(RequestPart::Query));
    assert!(RequestPattern::default().matches(&request("ANY", "any/thing?at=all")));
    assert!(RequestPattern::default().is_about_everything());
    assert!(!pattern().is_about_everything());
}

#[test]
fn a_query_grants_only_where_every_reading_of_it_matches() {
    let dry = QueryPattern::parse("dry_run", "true").unwrap();
    for text in ["dry_run=true", "a=b&dry_run=true&c", "dry_run=true&dry_run=true"] {
        assert!(dry.matches(&query(text)), "{text}");
    }
    for text in [
        "",
        "dry_run",
        "dry_run=false",
        "dry_run=true&dry_run=false",
        "dry_run=True",
        "DRY_RUN=true",
        "dry_run=true&Dry_Run=false",
        "dry_run=true;dry_run=false",
        "dry_run=true&a=b;dry_run=false",
        "dry_run=true&a;dry_run=false",
        "dry_run=true&dry_run;a=b",
        "dry_run=true ",
    ] {
        assert!(!dry.matches(&query(text)), "{text}");
    }
}

#[test]
fn a_query_restricts_where_any_reading_of_it_matches() {
    let forced = QueryPattern::parse("force", "t*").unwrap();
    for text in [
        "force=true",
        "force=false&force=true",
        "FORCE=TRUE",
        "a=b;force=true",
        "a;force=true",
        "force=true;a=b",
        "force=t",
    ] {
        assert!(forced.may_match(&query(text)), "{text}");
    }
    for text in ["", "force", "force=false", "enforce=true", "a=force=true", "a=true;force=no"] {
        assert!(!forced.may_match(&query(text)), "{text}");
    }
    assert!(QueryPattern::parse("a", "").unwrap().matches(&query("a")));
    assert!(QueryPattern::parse("a", "\\*").unwrap().matches(&query("a=*")));
    assert_eq!(QueryPattern::parse("", "x"), Err(QueryPatternError::Name));
    assert_eq!(QueryPattern::parse("a", "x\\"), Err(QueryPatternError::Escape));
}

#[test]
fn statuses_are_one_or_a_class() {
    let status = |text| StatusPattern::parse(text).unwrap();
    assert!(status("2xx").matches(204) && !status("2xx").matches(304));
    assert!(status("404").matches(404) && !status("404").matches(403));
    for text in ["", "6xx", "0xx", "2XX", "99", "600", "+20", "+xx", "2x", "20x", "2xxx", "0200"] {
        assert_eq!(StatusPattern::parse(text), Err(StatusPatternError), "{text}");
    }
    assert_eq!(status("5xx").to_string(), "5xx");
    let mut about = RequestPattern { statuses: vec![status("5xx")], ..RequestPattern::default() };
    let answer = |status| RequestFacts { status, ..request("GET", "a/b") };
    assert!(about.may_match(&answer(Some(503))) && !about.may_match(&answer(Some(200))));
    assert!(about.may_match(&answer(None)) && !about.matches(&answer(None)));
    about.methods = vec![Action::Post];
    assert!(!about.may_match(&answer(Some(503))));
}

#[test]
fn a_pattern_covers_what_it_shows_to_fit() {
    let everything = RequestPattern::default();
    assert!(everything.covers(&pattern()) && !pattern().covers(&everything));
    assert!(pattern().covers(&pattern()));
    let narrower = RequestPattern { paths: vec![RoutePattern::parse("/").unwrap()], ..pattern() };
    assert!(pattern().covers(&narrower) && !narrower.covers(&pattern()));
    let wider = RequestPattern { query: Vec::new(), ..pattern() };
    assert!(wider.covers(&pattern()) && !pattern().covers(&wider));
}

fn pairs() -> impl Strategy<Value = Vec<Pair>> {
    let name = select(vec!["a", "A", "b", "a;b", "b;a", ""]);
    let value = select(vec!["", "1", "x", "X", "1;a=x", "x;b", ";a"]);
    prop::collection::vec((name, value), 0..4)
        .prop_map(|pairs| pairs.into_iter().map(|(n, v)| (n.into(), v.into())).collect())
}

proptest! {
    #[test]
    fn what_is_granted_is_possible_and_no_further_pair_makes_a_grant(
        value in select(vec!["", "1", "x", "*", "?"]), pairs in pairs(), more in pairs(),
    ) {
        let pattern = QueryPattern::parse("a", value).unwrap();
        if pattern.matches(&pairs) { prop_assert!(pattern.may_match(&pairs)); }
        let extended: Vec<Pair> = pairs.iter().chain(&more).cloned().collect();
        // A pair more can take a grant away or bring the name; it never undoes a restriction.
        if pattern.may_match(&pairs) { prop_assert!(pattern.may_match(&extended)); }
        let has_name = pairs.iter().any(|(name, _)| &**name == "a");
        if has_name && !pattern.matches(&pairs) { prop_assert!(!pattern.matches(&extended)); }
    }
}
