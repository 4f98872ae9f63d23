//! Laws that hold for every rule for HTTP and every request, against a second reading of both.

use model::{Action, Effect, StatusPattern};
use policy::RuleSource;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::{ALLOW, DENY, HOLD, denial, effect, http, operation, policy};
use crate::fixture::{NOW, principal};

/// A second, naive reading of what a rule for requests says: slow, obvious, from the documentation.
mod naive {
    pub(super) struct Said<'a> {
        pub(super) methods: &'a [&'a str],
        pub(super) hosts: &'a [&'a str],
        pub(super) paths: &'a [&'a str],
        pub(super) query: &'a [(&'a str, &'a str)],
    }

    pub(super) struct Asked<'a> {
        pub(super) method: &'a str,
        pub(super) host: &'a str,
        pub(super) path: &'a str,
        pub(super) query: &'a [(&'a str, &'a str)],
    }

    fn glob(pattern: &str, text: &str) -> bool {
        match pattern.strip_prefix('*') {
            Some(rest) => {
                glob(rest, text) || text.get(1..).is_some_and(|shorter| glob(pattern, shorter))
            }
            None => match (pattern.split_at_checked(1), text.split_at_checked(1)) {
                (Some((want, rest)), Some((have, more))) => want == have && glob(rest, more),
                (None, None) => true,
                _ => false,
            },
        }
    }

    fn parts(pattern: &[&str], path: &[&str]) -> bool {
        match pattern.split_first() {
            None => path.is_empty(),
            Some((&"**", rest)) => {
                parts(rest, path) || path.get(1..).is_some_and(|shorter| parts(pattern, shorter))
            }
            Some((part, rest)) => {
                path.split_first().is_some_and(|(name, more)| glob(part, name) && parts(rest, more))
            }
        }
    }

    fn split(path: &str) -> Vec<&str> {
        path.split('/').filter(|part| !part.is_empty()).collect()
    }

    fn path(pattern: &str, path: &str) -> bool {
        let ends = pattern.ends_with("/**") || pattern.ends_with('/') == path.ends_with('/');
        ends && parts(&split(pattern), &split(path))
    }

    /// Whether the rule says all of what is asked.
    pub(super) fn says(said: &Said<'_>, asked: &Asked<'_>) -> bool {
        said.methods.contains(&asked.method)
            && (said.hosts.is_empty() || said.hosts.iter().any(|one| glob(one, asked.host)))
            && (said.paths.is_empty() || said.paths.iter().any(|one| path(one, asked.path)))
            && said.query.iter().all(|(name, value)| {
                let mut own = asked.query.iter().filter(|(other, _)| other == name).peekable();
                own.peek().is_some() && own.all(|(_, have)| glob(value, have))
            })
    }

    /// Whether the rule says some of what is asked, for a server that ignores case and a slash at
    /// the end.
    pub(super) fn could_say(said: &Said<'_>, asked: &Asked<'_>) -> bool {
        let lower = |text: &str| text.to_lowercase();
        let bare = |text: &str| match text.strip_suffix('/') {
            Some(bare) if !bare.is_empty() => lower(bare),
            _ => lower(text),
        };
        said.methods.contains(&asked.method)
            && (said.hosts.is_empty() || said.hosts.iter().any(|one| glob(one, asked.host)))
            && (said.paths.is_empty()
                || said.paths.iter().any(|one| path(&bare(one), &bare(asked.path))))
            && said.query.iter().all(|(name, value)| {
                asked.query.iter().any(|(other, have)| {
                    lower(other) == lower(name) && glob(&lower(value), &lower(have))
                })
            })
    }
}

/// Patterns of one rule for GET and POST.
type Lists =
    (Vec<&'static str>, Vec<&'static str>, Vec<&'static str>, Vec<(&'static str, &'static str)>);

fn lists() -> impl Strategy<Value = Lists> {
    (
        subsequence(vec!["GET", "POST"], 1..=2),
        subsequence(vec!["a.example", "*.example", "b.*", "*"], 0..=2),
        subsequence(
            vec!["/", "/v1", "/v1/", "/v1/*", "/v1/**", "/*/X", "/**/x", "/v*/**/x"],
            0..=2,
        ),
        subsequence(vec![("p", "1"), ("q", "*"), ("p", "T*"), ("P", "")], 0..=2),
    )
}

fn url()
-> impl Strategy<Value = (&'static str, &'static str, String, Vec<(&'static str, &'static str)>)> {
    let part = select(vec!["v1", "V1", "x", "X", "vx"]);
    let pair = (select(vec!["p", "P", "q"]), select(vec!["", "1", "true", "True"]));
    let path = (prop::collection::vec(part, 0..4), any::<bool>()).prop_map(|(parts, slash)| {
        let path = format!("/{}", parts.join("/"));
        if slash && !parts.is_empty() { format!("{path}/") } else { path }
    });
    (
        select(vec!["GET", "POST", "PUT"]),
        select(vec!["a.example", "b.example", "c.b.example", "b.other"]),
        path,
        prop::collection::vec(pair, 0..3),
    )
}

fn rule_of(id: &str, effect: Effect, (methods, hosts, paths, query): &Lists) -> RuleSource {
    let mut texts: Vec<String> = hosts.iter().map(|one| format!("hosts: {one}")).collect();
    texts.extend(paths.iter().map(|one| format!("paths: {one}")));
    texts.extend(query.iter().map(|(name, value)| format!("query: {name}={value}")));
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    http(id, effect, &methods.join(" "), &texts)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_allowance_grants_what_its_text_says_and_nothing_else(
        lists in lists(), (method, host, path, query) in url(),
    ) {
        let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let text = format!("{method} {host}{path}?{}", pairs.join("&"));
        let (methods, hosts, paths, wanted) = &lists;
        let said = naive::Said { methods, hosts, paths, query: wanted };
        let asked = naive::Asked { method, host, path: &path, query: &query };
        // A name of the query in another case is one that some server takes for it: then a grant
        // needs more than the naive reading knows.
        let odd = wanted.iter().any(|(name, _)| {
            query.iter().any(|(other, _)| other != name && other.eq_ignore_ascii_case(name))
        });
        let allowed = effect(&policy(vec![rule_of("one", ALLOW, &lists)]), &text) == ALLOW;
        prop_assert!(!allowed || naive::says(&said, &asked), "{:?} {}", lists, text);
        prop_assert!(odd || allowed == naive::says(&said, &asked), "{:?} {}", lists, text);

        let denying = policy(vec![rule_of("one", DENY, &lists), http("all", ALLOW, "GET POST PUT", &[])]);
        let denied = effect(&denying, &text) == DENY;
        prop_assert_eq!(denied, naive::could_say(&said, &asked), "{:?} {}", lists, text);

        // A hold needs approval for what it could touch, and grants only what it says.
        let holding = policy(vec![rule_of("one", HOLD, &lists)]);
        let held = effect(&holding, &text);
        prop_assert_eq!(held == HOLD, allowed, "{:?} {}", lists, text);
        for policy in [&denying, &holding] {
            let operation = operation(&text);
            let told = policy.explain(&principal(&["readers"]), &"shop".into(), &operation, NOW);
            prop_assert_eq!(told.decision.effect, effect(policy, &text));
        }
    }

    #[test]
    fn an_answer_is_denied_as_a_request_like_it_would_be(
        lists in lists(), (method, host, path, query) in url(), status in select(vec![200_u16, 404, 503]),
    ) {
        let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = format!("{method} {host}{path}?{}", pairs.join("&"));
        let mut about = rule_of("one", DENY, &lists);
        let requests = policy(vec![about.clone(), http("all", ALLOW, "GET POST PUT", &[])]);
        let block = about.block.as_mut().unwrap();
        block.requests.methods = std::mem::replace(&mut block.actions, vec![Action::Answer]);
        block.requests.statuses = vec![StatusPattern::parse("5xx").unwrap()];
        let answers = policy(vec![about, http("all", ALLOW, "GET POST PUT", &[])]);
        let denied = denial(&answers, &format!("{request} {status}")).is_some();
        prop_assert_eq!(denied, status == 503 && effect(&requests, &request) == DENY);
        // Of requests such a rule says nothing.
        prop_assert_eq!(effect(&answers, &request), ALLOW);
    }
}
