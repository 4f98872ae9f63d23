//! Patterns that can never match, and actions that no pattern is left for.
//!
//! Owns the comparison of a pattern with the names that are possible: how many parts they have,
//! and what their first part can be at the targets in question.

use model::{Action, Domain, PathPattern};

use crate::error::{ClassificationProblem, RuleProblem};
use crate::object::ObjectPattern;
use crate::source::{BlockSource, ClassificationSource, PolicySource, RuleSource, TargetFacts};

/// A column's full name: database, schema, table, column.
const COLUMN_PARTS: usize = 4;

pub(super) fn rule_problems(
    source: &PolicySource,
    rule: &RuleSource,
    block: &BlockSource,
) -> Vec<RuleProblem> {
    let targets: Vec<&TargetFacts> = super::reach(source, rule).collect();
    match block.domain {
        Domain::Http => return super::http::rule_problems(rule, block, &targets),
        Domain::Kubernetes => return super::kubernetes::rule_problems(block),
        _ if block.is_about_everything() => return Vec::new(),
        Domain::Ssh => return super::ssh::rule_problems(block),
        Domain::Sql | Domain::Session => {}
    }
    let never = |pattern: String, because: String| RuleProblem::NeverMatches { pattern, because };
    let mut problems = Vec::new();
    for pattern in &block.objects {
        if let Err(because) = object_can_match(pattern, block, &targets) {
            problems.push(never(pattern.to_string(), because));
        }
    }
    for pattern in &block.functions {
        if !block.actions.iter().any(|action| has_functions(*action)) {
            let because = "none of the actions is done to functions; execute is".to_owned();
            problems.push(never(pattern.to_string(), because));
        } else if let Err(because) = path_can_match(pattern, (3, 3), &targets) {
            problems.push(never(pattern.to_string(), because));
        }
    }
    if problems.is_empty() {
        let left = block.actions.iter().filter(|action| !has_pattern(**action, block, &targets));
        problems.extend(left.map(|action| RuleProblem::ActionUnmatched(*action)));
    }
    problems
}

/// Whether some action of the block could be done to an object that the pattern matches. A list
/// of columns beside an action that is about whole objects would quietly say nothing about it.
fn object_can_match(
    pattern: &ObjectPattern,
    block: &BlockSource,
    targets: &[&TargetFacts],
) -> Result<(), String> {
    if pattern.lists_columns()
        && let Some(whole) = block.actions.iter().find(|action| !action.may_name_columns())
    {
        return Err(format!("{whole} is about whole objects, never about some of their columns"));
    }
    let mut last = Ok(());
    for action in &block.actions {
        last = path_can_match(pattern.path(), action.path_parts(), targets);
        if last.is_ok() {
            break;
        }
    }
    last
}

fn has_pattern(action: Action, block: &BlockSource, targets: &[&TargetFacts]) -> bool {
    let fits =
        |pattern: &PathPattern| path_can_match(pattern, action.path_parts(), targets).is_ok();
    let by_function = has_functions(action) && block.functions.iter().any(fits);
    let only_functions = action == Action::Execute && !block.functions.is_empty();
    by_function || (!only_functions && block.objects.iter().any(|pattern| fits(pattern.path())))
}

/// Whether an access of the action can be about a function.
const fn has_functions(action: Action) -> bool {
    matches!(
        action,
        Action::Execute
            | Action::Create
            | Action::Alter
            | Action::Drop
            | Action::Grant
            | Action::Code
            | Action::Unknown
    )
}

/// Whether a name with that many parts, at one of the targets, could match the pattern.
fn path_can_match(
    pattern: &PathPattern,
    (fewest, most): (usize, usize),
    targets: &[&TargetFacts],
) -> Result<(), String> {
    if !(fewest..=most).any(|parts| pattern.can_match_arity(parts)) {
        let parts = if fewest == most { most.to_string() } else { format!("{fewest} to {most}") };
        return Err(format!(
            "names here have {parts} parts (database.schema.name), and it has another number"
        ));
    }
    let root_fits = |root: &str| {
        (fewest..=most).any(|parts| {
            let mut name = vec!["*"; parts];
            name.iter_mut().take(1).for_each(|first| *first = root);
            pattern.may_match(&name)
        })
    };
    // A name that does not begin with a database (a role, a setting) can have any first part.
    let rootless = fewest == 1 && pattern.can_match_arity(1);
    let reaches = |target: &&TargetFacts| {
        target.roots.is_empty() || target.roots.iter().any(|root| root_fits(root))
    };
    if rootless || targets.is_empty() || targets.iter().any(reaches) {
        return Ok(());
    }
    Err("no target of the rule has a database that it names".to_owned())
}

pub(super) fn classification_problems(
    source: &PolicySource,
    one: &ClassificationSource,
) -> Vec<ClassificationProblem> {
    let about = |target: &&TargetFacts| {
        target.domain == Domain::Sql && one.target.as_ref().is_none_or(|name| *name == target.name)
    };
    let targets: Vec<&TargetFacts> = source.targets.iter().filter(about).collect();
    let problem = |pattern: &PathPattern| {
        let because = if pattern.can_match_arity(COLUMN_PARTS) {
            path_can_match(pattern, (COLUMN_PARTS, COLUMN_PARTS), &targets).err()?
        } else {
            "a column's name has 4 parts (database.schema.table.column), and it has another number"
                .to_owned()
        };
        Some(ClassificationProblem::NeverMatches { pattern: pattern.to_string(), because })
    };
    let mut problems: Vec<ClassificationProblem> = one.columns.iter().filter_map(problem).collect();
    let named = |domain| {
        let mut named =
            source.targets.iter().filter(|target| one.target.as_ref() == Some(&target.name));
        named.any(|target| target.domain != domain)
    };
    if !one.columns.is_empty() && named(Domain::Sql) {
        problems.push(ClassificationProblem::NotThere("columns"));
    }
    if !one.paths.is_empty() && named(Domain::Ssh) {
        problems.push(ClassificationProblem::NotThere("files"));
    }
    if !one.fields.is_empty() && named(Domain::Http) && named(Domain::Kubernetes) {
        problems.push(ClassificationProblem::NotThere("fields"));
    }
    if !one.resources.is_empty() && named(Domain::Kubernetes) {
        problems.push(ClassificationProblem::NotThere("resources"));
    }
    problems
}
