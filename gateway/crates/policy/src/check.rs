//! What can be wrong with a source, found without compiling it.
//!
//! Owns the checks, each of which finds all there is. Must not know the compiled form. Conditions
//! are the one thing checked elsewhere (`compile`), because checking one is compiling it.

mod http;
mod kubernetes;
mod pattern;
mod shadow;
mod ssh;

use std::collections::BTreeSet;

use model::{Domain, Effect, Group, Tag, TargetName};
use rustc_hash::FxHashMap;

use crate::error::{
    ApproverProblem, ClassificationProblem, PolicyError, Problem, RoleProblem, RuleProblem,
    TargetProblem,
};
use crate::source::{
    ClassificationSource, PolicySource, RoleSource, RuleSource, TargetFacts, TargetScope,
};

/// Everything that is wrong with a source, conditions aside.
pub(crate) fn check(source: &PolicySource) -> Vec<PolicyError> {
    let mut errors = Vec::new();
    check_targets(source, &mut errors);
    check_classification(source, &mut errors);
    let mut ids = FxHashMap::default();
    let mut names = BTreeSet::new();
    for role in &source.roles {
        let mut problems = role_problems(source, role);
        if !names.insert(&role.name) {
            problems.push(RoleProblem::Duplicate);
        }
        errors.extend(problems.into_iter().map(|problem| role_error(role, problem)));
        for rule in &role.rules {
            let mut problems = rule_problems(source, role, rule);
            if let Some(first) = ids.insert(&rule.id, &role.name) {
                problems.push(RuleProblem::DuplicateId(first.clone()));
            }
            errors.extend(problems.into_iter().map(|problem| rule_error(role, rule, problem)));
        }
    }
    errors
}

/// The targets that a rule reaches.
pub(crate) fn reach<'a>(
    source: &'a PolicySource,
    rule: &'a RuleSource,
) -> impl Iterator<Item = &'a TargetFacts> {
    let domain = rule.block.as_ref().map(|block| block.domain);
    source.targets.iter().filter(move |target| {
        let named = match &rule.targets {
            TargetScope::All => true,
            TargetScope::Named(names) => names.contains(&target.name),
        };
        named && in_environment(rule, target) && domain.is_none_or(|one| serves(target, one))
    })
}

fn in_environment(rule: &RuleSource, target: &TargetFacts) -> bool {
    rule.environments.is_empty()
        || target.environment.as_ref().is_some_and(|one| rule.environments.contains(one))
}

/// Connecting is what every target has in common.
fn serves(target: &TargetFacts, domain: Domain) -> bool {
    domain == target.domain || domain == Domain::Session
}

fn role_error(role: &RoleSource, problem: RoleProblem) -> PolicyError {
    PolicyError {
        origin: role.origin,
        subject: format!("role {}", role.name),
        problem: Problem::Role(problem),
    }
}

pub(crate) fn rule_error(
    role: &RoleSource,
    rule: &RuleSource,
    problem: RuleProblem,
) -> PolicyError {
    PolicyError {
        origin: rule.origin,
        subject: format!("rule {} of role {}", rule.id, role.name),
        problem: Problem::Rule(problem),
    }
}

fn check_targets(source: &PolicySource, errors: &mut Vec<PolicyError>) {
    let mut names = BTreeSet::new();
    let reached: BTreeSet<&TargetName> = source
        .roles
        .iter()
        .flat_map(|role| &role.rules)
        .filter(|rule| rule.effect != Effect::Deny)
        .flat_map(|rule| reach(source, rule))
        .map(|target| &target.name)
        .collect();
    for target in &source.targets {
        let duplicate = (!names.insert(&target.name)).then_some(TargetProblem::Duplicate);
        let unreached = (!reached.contains(&target.name)).then_some(TargetProblem::NotReached);
        errors.extend(duplicate.into_iter().chain(unreached).map(|problem| PolicyError {
            origin: target.origin,
            subject: format!("target {}", target.name),
            problem: Problem::Target(problem),
        }));
    }
}

fn check_classification(source: &PolicySource, errors: &mut Vec<PolicyError>) {
    for one in &source.classification {
        let mut problems = pattern::classification_problems(source, one);
        let names = !(one.columns.is_empty() && one.paths.is_empty() && one.fields.is_empty());
        if !names && one.detect.is_none() {
            problems.push(ClassificationProblem::FindsNothing);
        }
        for (key, is_there) in
            [("routes", !one.routes.is_empty()), ("resources", !one.resources.is_empty())]
        {
            if one.fields.is_empty() && is_there {
                problems.push(ClassificationProblem::PlacesWithoutFields(key));
            }
        }
        if let Some(name) = &one.target
            && !source.targets.iter().any(|target| target.name == *name)
        {
            let nearest = nearest(name, source.targets.iter().map(|target| &target.name));
            problems.push(ClassificationProblem::UnknownTarget { name: name.clone(), nearest });
        }
        errors.extend(problems.into_iter().map(|problem| classification_error(one, problem)));
    }
}

fn classification_error(one: &ClassificationSource, problem: ClassificationProblem) -> PolicyError {
    PolicyError {
        origin: one.origin,
        subject: format!("classification {}", one.tag),
        problem: Problem::Classification(problem),
    }
}

fn role_problems(source: &PolicySource, role: &RoleSource) -> Vec<RoleProblem> {
    let mut problems = Vec::new();
    if role.groups.is_empty() {
        problems.push(RoleProblem::NoGroups);
    }
    let known =
        |group: &&Group| source.groups.others_possible || source.groups.named.contains(*group);
    let unknown = role.groups.iter().filter(|group| !known(group));
    problems.extend(unknown.cloned().map(RoleProblem::GroupNotYielded));
    if role.rules.is_empty() && role.unmask.is_empty() {
        problems.push(RoleProblem::Empty);
    }
    let tags = || source.classification.iter().map(|one| &one.tag);
    for tag in role.unmask.iter().filter(|tag| !tags().any(|known| known == *tag)) {
        let nearest: Option<Tag> = nearest(tag, tags());
        problems.push(RoleProblem::UnknownTag { tag: tag.clone(), nearest });
    }
    problems
}

fn rule_problems(source: &PolicySource, role: &RoleSource, rule: &RuleSource) -> Vec<RuleProblem> {
    let mut problems = target_problems(source, rule);
    if let Some(block) = &rule.block {
        if block.actions.is_empty() {
            problems.push(RuleProblem::NoActions(block.domain));
        }
        let belongs = [block.domain, Domain::Session];
        let foreign = block.actions.iter().filter(|action| !belongs.contains(&action.domain()));
        problems.extend(
            foreign
                .map(|action| RuleProblem::ForeignAction { action: *action, domain: block.domain }),
        );
        problems.extend(pattern::rule_problems(source, rule, block));
    }
    problems.extend(approver_problem(source, rule).map(RuleProblem::Approvers));
    if problems.is_empty() {
        problems.extend(shadow::shadowed_by(source, role, rule));
    }
    problems
}

fn target_problems(source: &PolicySource, rule: &RuleSource) -> Vec<RuleProblem> {
    let mut problems = Vec::new();
    let names: &[TargetName] = match &rule.targets {
        TargetScope::All => &[],
        TargetScope::Named(names) => names,
    };
    for name in names {
        let Some(target) = source.targets.iter().find(|target| target.name == *name) else {
            let nearest = nearest(name, source.targets.iter().map(|target| &target.name));
            problems.push(RuleProblem::UnknownTarget { name: name.clone(), nearest });
            continue;
        };
        let ours = rule.block.as_ref().map(|block| block.domain);
        if let Some(ours) = ours.filter(|ours| !serves(target, *ours)) {
            let theirs = target.domain;
            problems.push(RuleProblem::ForeignTarget { target: name.clone(), theirs, ours });
        }
    }
    if problems.is_empty() && reach(source, rule).next().is_none() {
        problems.push(RuleProblem::NoTarget(rule.environments.clone()));
    }
    problems
}

fn approver_problem(source: &PolicySource, rule: &RuleSource) -> Option<ApproverProblem> {
    let Some(approvers) = &rule.approvers else {
        return (rule.effect == Effect::Hold).then_some(ApproverProblem::Missing);
    };
    if rule.effect != Effect::Hold {
        return Some(ApproverProblem::NotAHold);
    }
    if approvers.count == 0 {
        return Some(ApproverProblem::CountZero);
    }
    if approvers.within.is_zero() {
        return Some(ApproverProblem::NoTime);
    }
    let known = source.approver_groups.as_ref()?;
    (!known.contains(&approvers.group)).then(|| ApproverProblem::UnknownGroup {
        group: approvers.group.clone(),
        nearest: nearest(&approvers.group, known.iter()),
    })
}

/// The candidate that was probably meant, if any is close.
fn nearest<'a, T>(wanted: &T, candidates: impl Iterator<Item = &'a T>) -> Option<T>
where
    T: AsRef<str> + Clone + 'a,
{
    candidates
        .map(|one| (strsim::damerau_levenshtein(wanted.as_ref(), one.as_ref()), one))
        .filter(|(distance, one)| *distance <= 1 + one.as_ref().len() / 5)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, one)| one.clone())
}
