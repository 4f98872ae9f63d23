//! Rules that can never fire, because another rule of the same role has precedence over them
//! wherever they match.
//!
//! Owns a sure but incomplete test: what it reports is shadowed; a rule shadowed by several
//! others together is not found.

use std::collections::BTreeSet;

use model::{Action, TargetName};

use crate::error::RuleProblem;
use crate::rule::ActionSet;
use crate::source::{BlockSource, PolicySource, RoleSource, RuleSource};

pub(super) fn shadowed_by(
    source: &PolicySource,
    role: &RoleSource,
    rule: &RuleSource,
) -> Option<RuleProblem> {
    let by = role.rules.iter().find(|other| {
        other.effect > rule.effect
            && other.when.is_none()
            && actions(other).contains_all(actions(rule))
            && reached(source, other).is_superset(&reached(source, rule))
            && covers(other.block.as_ref(), rule.block.as_ref())
    })?;
    Some(RuleProblem::Shadowed { by: by.id.clone() })
}

fn actions(rule: &RuleSource) -> ActionSet {
    match &rule.block {
        None => ActionSet::from_iter([Action::Connect]),
        Some(block) => block.actions.iter().copied().collect(),
    }
}

fn reached<'a>(source: &'a PolicySource, rule: &'a RuleSource) -> BTreeSet<&'a TargetName> {
    super::reach(source, rule).map(|target| &target.name).collect()
}

/// Whether `outer` matches every object that `inner` matches, as far as equal patterns show it.
fn covers(outer: Option<&BlockSource>, inner: Option<&BlockSource>) -> bool {
    let Some(outer) = outer else { return true };
    if outer.is_about_everything() {
        return true;
    }
    let Some(inner) = inner else { return false };
    if outer.functions.is_empty() != inner.functions.is_empty() || inner.is_about_everything() {
        return false;
    }
    let whole = || outer.objects.iter().filter(|pattern| !pattern.lists_columns());
    inner.objects.iter().all(|one| whole().any(|other| other.path() == one.path()))
        && inner.functions.iter().all(|one| outer.functions.contains(one))
        && inner.commands.iter().all(|one| outer.commands.contains(one))
        && inner.paths.iter().all(|one| outer.paths.contains(one))
        && inner.destinations.iter().all(|one| outer.destinations.contains(one))
        && outer.requests.covers(&inner.requests)
        && outer.api.covers(&inner.api)
}
