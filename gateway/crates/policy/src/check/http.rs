//! Rules for HTTP that can never fire: hosts and paths that no request has, and answers that are not
//! denied.
//!
//! Owns what the parts of a request can be at the targets in question.

use model::{Action, Effect, HostPattern, RoutePattern};

use crate::error::RuleProblem;
use crate::source::{BlockSource, RuleSource, TargetFacts};

pub(super) fn rule_problems(
    rule: &RuleSource,
    block: &BlockSource,
    targets: &[&TargetFacts],
) -> Vec<RuleProblem> {
    let mut problems = Vec::new();
    if rule.effect != Effect::Deny && block.actions.contains(&Action::Answer) {
        problems.push(RuleProblem::Answers(rule.effect));
    }
    let foreign = block.requests.hosts.iter().filter(|host| !is_there(host, targets));
    problems.extend(foreign.map(|host| RuleProblem::NeverMatches {
        pattern: host.to_string(),
        because: format!("requests to its targets are for {}", hosts(targets)),
    }));
    let unread =
        block.requests.paths.iter().filter_map(|path| Some((path, unread(path, targets)?)));
    problems.extend(unread.map(|(path, because)| RuleProblem::NeverMatches {
        pattern: path.to_string(),
        because: because.to_owned(),
    }));
    problems
}

/// Whether a request to one of the targets could be for such a host. What restricts an address
/// also touches names, but nobody who wrote one that no target has meant that.
fn is_there(host: &HostPattern, targets: &[&TargetFacts]) -> bool {
    let has = |target: &&TargetFacts| {
        target.hosts.is_empty() || target.hosts.iter().any(|one| one.overlaps(host))
    };
    targets.is_empty() || targets.iter().any(has)
}

/// Why no request has such a path, where none has: they are refused before any rule is asked.
pub(super) fn unread(path: &RoutePattern, targets: &[&TargetFacts]) -> Option<&'static str> {
    if path.as_str().contains(';') {
        return Some("a request with parameters (;) in its path is refused");
    }
    let encoded = path.as_str().contains("%2F");
    (encoded && !targets.iter().any(|target| target.encoded_slashes))
        .then_some("a request with %2F is refused, unless its target has encoded_slashes: allow")
}

/// The hosts of the targets, each once.
fn hosts(targets: &[&TargetFacts]) -> String {
    let mut names: Vec<&str> =
        targets.iter().flat_map(|target| &target.hosts).map(HostPattern::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}
