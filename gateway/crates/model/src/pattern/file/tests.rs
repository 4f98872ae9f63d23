//! Patterns over paths, tried with what people write and with what attackers write.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn pattern(text: &str) -> FilePattern {
    FilePattern::parse(text).unwrap()
}

#[test]
fn a_star_stays_within_its_component() {
    assert!(pattern("/srv/app/*.log").matches("/srv/app/today.log"));
    assert!(!pattern("/srv/app/*.log").matches("/srv/app/old/today.log"));
    assert!(!pattern("/srv/app/*").matches("/srv/app"));
    assert!(pattern("/srv/a?p").matches("/srv/app"));
    assert!(!pattern("/srv/a?p").matches("/srv/a/p"));
}

#[test]
fn two_stars_stand_for_any_number_of_components() {
    let all = pattern("/srv/app/**");
    assert!(all.matches("/srv/app") && all.matches("/srv/app/a") && all.matches("/srv/app/a/b"));
    assert!(!all.matches("/srv") && !all.matches("/srv/apple") && !all.matches("/srv/app2/a"));
    let inner = pattern("/srv/**/x");
    assert!(inner.matches("/srv/x") && inner.matches("/srv/a/b/x") && !inner.matches("/srv/a/y"));
    assert!(
        pattern("/**").matches("/") && pattern("/").matches("/") && !pattern("/").matches("/a")
    );
}

#[test]
fn what_is_not_normal_is_never_granted_and_always_possible() {
    let all = pattern("/srv/app/**");
    for path in [
        "*",
        "",
        "srv/app/a",
        "/srv/app/../../etc/shadow",
        "/srv/app/./a",
        "/srv/app//a",
        "/srv/app/",
        "/srv/app/..",
        "//srv/app",
        "/srv/app/a\u{fffd}",
    ] {
        assert!(!all.matches(path), "{path}");
        assert!(all.may_match(path) || path.contains('\u{fffd}'), "{path}");
    }
    assert!(pattern("/etc/**").may_match("*"));
    assert!(all.may_match("/srv/app/a\u{fffd}"));
    assert!(!pattern("/srv/Secret").matches("/srv/secret"));
    assert!(!pattern("/srv/\u{e9}").matches("/srv/e\u{301}"));
}

#[test]
fn a_directory_with_all_below_it_is_granted_only_as_a_whole() {
    let all = pattern("/srv/app/**");
    assert!(all.matches("/srv/app/**") && all.matches("/srv/app/logs/**"));
    assert!(!all.matches("/srv/**") && !all.matches("/**"));
    assert!(!pattern("/srv/*").matches("/srv/**") && !pattern("/srv/*").matches("/srv/app/**"));
    assert!(!pattern("/srv/*/x").matches("/srv/app/**"));
}

#[test]
fn a_directory_with_all_below_it_touches_what_could_be_in_it() {
    let secret = pattern("/srv/secret/*.key");
    assert!(secret.may_match("/srv/**") && secret.may_match("/**"));
    assert!(secret.may_match("/srv/secret/**") && !secret.may_match("/srv/app/**"));
    assert!(!secret.may_match("/srv") && secret.may_match_below("/srv"));
    assert!(secret.may_match_below("/") && !secret.may_match_below("/srv/app"));
}

#[test]
fn a_mistake_is_refused_with_its_reason() {
    use FilePatternError as E;
    for (text, error) in [
        ("", E::Relative),
        ("srv/app", E::Relative),
        ("~/x", E::Relative),
        ("/srv/", E::Empty),
        ("//srv", E::Empty),
        ("/srv/../etc", E::Dots),
        ("/srv/.", E::Dots),
        ("/srv/a**", E::Deep),
        ("/srv/[ab]", E::Bracket),
        ("/srv/{a,b}", E::Bracket),
        ("/srv/a\\", E::Escape),
        ("/srv/a\n", E::Character),
    ] {
        assert_eq!(FilePattern::parse(text), Err(error), "{text:?}");
    }
    assert!(pattern("/srv/\\*\\[x]").matches("/srv/*[x]"));
    assert!(!pattern("/srv/\\*").matches("/srv/a"));
}

fn component() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "b", "ab", "a.b", "..a", "-a"])
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(component(), 0..4).prop_map(|parts| format!("/{}", parts.join("/")))
}

fn pattern_text() -> impl Strategy<Value = String> {
    let part = select(vec!["a", "ab", "*", "a*", "*b", "?", "**"]);
    prop::collection::vec(part, 0..5).prop_map(|parts| format!("/{}", parts.join("/")))
}

/// A second, naive reading.
fn naive(parts: &[&str], names: &[&str]) -> bool {
    match parts.split_first() {
        None => names.is_empty(),
        Some((&"**", rest)) => (0..=names.len()).any(|at| naive(rest, &names[at..])),
        Some((part, rest)) => names.split_first().is_some_and(|(name, more)| {
            let (part, name): (Vec<char>, Vec<char>) =
                (part.chars().collect(), name.chars().collect());
            naive_glob(&part, &name) && naive(rest, more)
        }),
    }
}

fn naive_glob(part: &[char], name: &[char]) -> bool {
    match part.split_first() {
        None => name.is_empty(),
        Some(('*', rest)) => (0..=name.len()).any(|at| naive_glob(rest, &name[at..])),
        Some((c, rest)) => name
            .split_first()
            .is_some_and(|(n, more)| (*c == '?' || c == n) && naive_glob(rest, more)),
    }
}

fn split(text: &str) -> Vec<&str> {
    text.split('/').skip(1).filter(|part| !part.is_empty()).collect()
}

proptest! {
    #[test]
    fn matching_agrees_with_a_naive_reading(text in pattern_text(), path in path()) {
        let expected = naive(&split(&text), &split(&path));
        prop_assert_eq!(pattern(&text).matches(&path), expected);
        prop_assert_eq!(pattern(&text).may_match(&path), expected);
    }

    #[test]
    fn what_is_granted_below_a_directory_is_granted_for_each_path_in_it(
        text in pattern_text(), directory in path(), below in prop::collection::vec(component(), 0..3),
    ) {
        let whole = format!("{}/**", directory.trim_end_matches('/'));
        let mut one = directory.trim_end_matches('/').to_owned();
        below.iter().for_each(|part| { one.push('/'); one.push_str(part); });
        if one.is_empty() { one.push('/'); }
        let pattern = pattern(&text);
        if pattern.matches(&whole) { prop_assert!(pattern.matches(&one)); }
        if pattern.may_match(&one) { prop_assert!(pattern.may_match(&whole)); }
        if pattern.may_match(&one) { prop_assert!(pattern.may_match_below(&directory)); }
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,30}", path in ".{0,30}") {
        if let Ok(pattern) = FilePattern::parse(&text) {
            _ = (pattern.matches(&path), pattern.may_match(&path), pattern.may_match_below(&path));
        }
    }
}
