//! Patterns over the paths of requests, tried with what people write and with what attackers write.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn pattern(text: &str) -> RoutePattern {
    RoutePattern::parse(text).unwrap()
}

#[test]
fn stars_are_those_of_files() {
    assert!(pattern("/v1/users/*").matches("/v1/users/7"));
    assert!(!pattern("/v1/users/*").matches("/v1/users/7/keys"));
    assert!(!pattern("/v1/users/*").matches("/v1/users"));
    for path in ["/v1", "/v1/", "/v1/users", "/v1/users/", "/v1/users/7/keys"] {
        assert!(pattern("/v1/**").matches(path), "{path}");
        assert!(pattern("/**").matches(path), "{path}");
    }
    assert!(!pattern("/v1/**").matches("/v10") && !pattern("/v1/**").matches("/"));
    assert!(pattern("/v1/*.json").matches("/v1/users.json"));
    assert!(pattern("/").matches("/") && !pattern("/").matches("/a"));
    for odd in ["//", "/v1//", "/v1//users", "v1", "", "*", "/v1/./a", "/v1/.."] {
        assert!(!pattern("/**").matches(odd) && pattern("/x").may_match(odd), "{odd}");
    }
}

#[test]
fn a_slash_at_the_end_counts_for_a_grant_and_not_for_a_denial() {
    assert!(!pattern("/v1/users").matches("/v1/users/"));
    assert!(!pattern("/v1/users/").matches("/v1/users"));
    assert!(pattern("/v1/users/").matches("/v1/users/"));
    assert!(pattern("/v1/users").may_match("/v1/users/"));
    assert!(pattern("/v1/users/").may_match("/v1/users"));
}

#[test]
fn what_a_server_may_read_otherwise_is_possible_and_never_granted_by_that() {
    let admin = pattern("/admin/**");
    for path in [
        "/ADMIN/users",
        "/admin;jsessionid=1/users",
        "/admin%2Fusers",
        "/Admin%2fusers",
        "/public%2F..%2Fadmin/users",
        "/admin;x%2Fusers",
        "*",
        "/public/../admin",
    ] {
        assert!(admin.may_match(path), "{path}");
        assert!(!admin.matches(path), "{path}");
    }
    assert!(!admin.may_match("/administrator") && !admin.may_match("/public/admin"));
}

#[test]
fn an_encoded_slash_is_part_of_its_part_unless_it_climbs() {
    let project = pattern("/projects/*/issues");
    assert!(project.matches("/projects/group%2Fproject/issues"));
    assert!(pattern("/projects/group%2Fproject").matches("/projects/group%2Fproject"));
    for path in [
        "/projects/..%2Fadmin/issues",
        "/projects/a%2F..%2F..%2Fb/issues",
        "/projects/%2Fa/issues",
        "/projects/a%2f/issues",
        "/projects/a%2F./issues",
    ] {
        assert!(!project.matches(path) && !pattern("/**").matches(path), "{path}");
        assert!(pattern("/secret/**").may_match(path), "{path}");
    }
}

#[test]
fn a_mistake_is_refused_with_its_reason() {
    use RoutePatternError as E;
    for (text, error) in [
        ("v1/users", E::Path(FilePatternError::Relative)),
        ("", E::Path(FilePatternError::Relative)),
        ("*", E::Path(FilePatternError::Relative)),
        ("https://api.example/v1", E::Url),
        ("/v1?page=1", E::Query),
        ("/v1/users?", E::Query),
        ("/v1#top", E::Query),
        ("/v1//users", E::Path(FilePatternError::Empty)),
        ("//", E::Path(FilePatternError::Empty)),
        ("/v1/../users", E::Path(FilePatternError::Dots)),
        ("/v1/users**", E::Path(FilePatternError::Deep)),
        ("/v1/{id}", E::Path(FilePatternError::Bracket)),
        ("/v1/a%20b", E::Encoded),
        ("/v1/a%2fb", E::Encoded),
        ("/v1/\u{7}", E::Path(FilePatternError::Character)),
    ] {
        assert_eq!(RoutePattern::parse(text), Err(error), "{text:?}");
    }
    assert!(pattern("/v1/what\\?").matches("/v1/what?"));
    assert!(pattern("/100%").matches("/100%"));
}

fn path() -> impl Strategy<Value = String> {
    let part = select(vec!["a", "B", "ab", "a;b", "a%2Fb", "..%2Fa", "%2f", "a.b"]);
    (prop::collection::vec(part, 0..4), any::<bool>()).prop_map(|(parts, slash)| {
        let path = format!("/{}", parts.join("/"));
        if slash && !parts.is_empty() { format!("{path}/") } else { path }
    })
}

fn pattern_text() -> impl Strategy<Value = String> {
    let part = select(vec!["a", "B", "*", "a*", "*b", "**", "a%2Fb", "a;b"]);
    (prop::collection::vec(part, 0..4), any::<bool>()).prop_map(|(parts, slash)| {
        let path = format!("/{}", parts.join("/"));
        if slash && !parts.is_empty() { format!("{path}/") } else { path }
    })
}

proptest! {
    #[test]
    fn what_is_granted_is_possible_too(text in pattern_text(), path in path()) {
        let pattern = pattern(&text);
        if pattern.matches(&path) { prop_assert!(pattern.may_match(&path)); }
    }

    #[test]
    fn a_literal_grants_itself_and_nothing_else(one in path(), two in path()) {
        // Other encodings of a slash are not written in patterns, and what climbs is not granted.
        prop_assume!(!one.contains("%2f") && !climbs(&one));
        let pattern = pattern(&one);
        prop_assert!(pattern.matches(&one));
        prop_assert_eq!(pattern.matches(&two), one == two);
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,30}", path in ".{0,30}") {
        if let Ok(pattern) = RoutePattern::parse(&format!("/{text}")) {
            _ = (pattern.matches(&path), pattern.may_match(&path));
        }
    }
}
