//! Rules for HTTP that can never fire: hosts that no target has, and answers that are not denied.
//!
//! Owns what the parts of a request can be at the targets in question.

use model::{Action, Effect, HostPattern};

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

/// The hosts of the targets, each once.
fn hosts(targets: &[&TargetFacts]) -> String {
    let mut names: Vec<&str> =
        targets.iter().flat_map(|target| &target.hosts).map(HostPattern::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}
