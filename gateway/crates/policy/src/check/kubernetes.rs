//! Rules for Kubernetes that can never fire: what no verb of theirs is done to.
//!
//! Owns which verbs there are for resources, for commands and for paths. Must not know how one
//! pattern matches.

use model::{Action, ResourcePattern, RoutePattern};

use crate::error::RuleProblem;
use crate::source::BlockSource;

/// Verbs that a request for a path that is no resource can have.
const OF_PATHS: &[Action] = &[
    Action::KubeGet,
    Action::KubeCreate,
    Action::KubeUpdate,
    Action::KubePatch,
    Action::KubeDelete,
    Action::KubeOther,
];

pub(super) fn rule_problems(block: &BlockSource) -> Vec<RuleProblem> {
    let api = &block.api;
    let has = |action: &Action| block.actions.contains(action);
    let mut problems = Vec::new();
    let mut never = |pattern: String, because: &str| {
        problems.push(RuleProblem::NeverMatches { pattern, because: because.to_owned() });
    };
    if !has(&Action::KubeExec) {
        for pattern in &api.commands {
            never(pattern.to_string(), "commands are run by exec, which is none of the verbs");
        }
    }
    if !OF_PATHS.iter().any(has) {
        for pattern in &api.paths {
            never(pattern.to_string(), "none of the verbs is done to a path that is no resource");
        }
    }
    for pattern in &api.resources {
        if let Some(verb) = verb_of(pattern)
            && !has(&verb)
        {
            let because = format!("its verb is {verb}, whatever the method, and is not named");
            never(pattern.to_string(), &because);
        }
    }
    let unread = |path: &RoutePattern| Some((path.to_string(), super::http::unread(path, &[])?));
    for (pattern, because) in api.paths.iter().filter_map(unread) {
        never(pattern, because);
    }
    problems
}

/// The verb that goes with a subresource alone.
fn verb_of(pattern: &ResourcePattern) -> Option<Action> {
    match pattern.subresource()? {
        "exec" => Some(Action::KubeExec),
        "attach" => Some(Action::KubeAttach),
        "portforward" => Some(Action::KubePortForward),
        "proxy" => Some(Action::KubeProxy),
        _ => None,
    }
}
