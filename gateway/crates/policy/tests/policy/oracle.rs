//! A second, naive reading of the rules: slow, obvious, and written from the documentation.

use model::{Access, Action, Columns, Effect, Object, Operation, PathPattern, Principal};
use policy::{ObjectPattern, PolicySource, RuleSource, TargetScope};

/// The effect, by going through every rule for every access.
pub(crate) fn effect(
    source: &PolicySource,
    who: &Principal,
    target: &str,
    operation: &Operation,
) -> Effect {
    let rules: Vec<&RuleSource> = source
        .roles
        .iter()
        .filter(|role| role.groups.iter().any(|group| who.groups.contains(group)))
        .flat_map(|role| &role.rules)
        .filter(|rule| match &rule.targets {
            TargetScope::All => true,
            TargetScope::Named(names) => names.iter().any(|name| name.as_str() == target),
        })
        .collect();
    if operation.accesses.is_empty() {
        let bars = |rule: &&&RuleSource| {
            let everywhere = |one: &policy::BlockSource| {
                one.actions.contains(&Action::Connect)
                    && one.objects.is_empty()
                    && one.functions.is_empty()
            };
            rule.effect == Effect::Deny && rule.block.as_ref().is_none_or(everywhere)
        };
        let out = rules.iter().find(bars).is_some();
        let lets_in = rules.iter().any(|rule| rule.effect != Effect::Deny);
        return if lets_in && !out { Effect::Allow } else { Effect::Deny };
    }
    operation.accesses.iter().map(|access| one(&rules, access)).max().unwrap()
}

fn one(rules: &[&RuleSource], access: &Access) -> Effect {
    let with = |effect| rules.iter().filter(move |rule| rule.effect == effect);
    if with(Effect::Deny).any(|rule| touches(rule, access)) {
        return Effect::Deny;
    }
    let connects = access.action == Action::Connect
        && rules.iter().any(|rule| {
            let names_more =
                |one: &policy::BlockSource| one.actions.iter().any(|a| *a != Action::Connect);
            rule.effect != Effect::Deny && rule.block.as_ref().is_some_and(names_more)
        });
    let allowed = connects || with(Effect::Allow).any(|rule| covers(rule, access));
    if with(Effect::Hold).any(|rule| touches(rule, access)) {
        let granted = allowed || with(Effect::Hold).any(|rule| covers(rule, access));
        return if granted { Effect::Hold } else { Effect::Deny };
    }
    if allowed {
        Effect::Allow
    } else if with(Effect::Hold).any(|rule| covers(rule, access)) {
        Effect::Hold
    } else {
        Effect::Deny
    }
}

fn speaks_of(rule: &RuleSource, action: Action) -> bool {
    rule.block.as_ref().map_or(action == Action::Connect, |block| block.actions.contains(&action))
}

/// The patterns as plain text: path and columns.
fn split(pattern: &ObjectPattern) -> (PathPattern, Option<Vec<String>>) {
    let text = pattern.to_string();
    let (path, columns) = match text.split_once('(') {
        None => (text.as_str(), None),
        Some((path, list)) => {
            (path, Some(list.trim_end_matches(')').split(", ").map(str::to_owned).collect()))
        }
    };
    (PathPattern::parse(path).unwrap(), columns)
}

/// Whether the rule has to do with any part of the access.
fn touches(rule: &RuleSource, access: &Access) -> bool {
    says(
        rule,
        access,
        |pattern, name| pattern.may_match(name),
        |listed, columns| match columns {
            Columns::None => false,
            Columns::All => true,
            Columns::Named(names) => {
                names.iter().any(|name| listed.iter().any(|one| **one == **name))
            }
        },
    )
}

/// Whether the rule speaks for the whole of the access.
fn covers(rule: &RuleSource, access: &Access) -> bool {
    // One name at a time, so that the lists of one rule add up.
    let each = |column: &std::sync::Arc<str>| {
        let Object::Relation { path, .. } = &access.object else { return false };
        let columns = Columns::Named(vec![column.clone()]);
        let part = Access {
            action: access.action,
            object: Object::Relation { path: path.clone(), columns },
        };
        says(
            rule,
            &part,
            |pattern, name| pattern.matches(name),
            |listed, _| listed.iter().any(|one| **one == **column),
        )
    };
    match &access.object {
        Object::Relation { columns: Columns::Named(names), .. } => names.iter().all(each),
        Object::Relation { columns, .. } => {
            let none = *columns == Columns::None;
            says(rule, access, |pattern, name| pattern.matches(name), |_, _| none)
        }
        _ => says(rule, access, |pattern, name| pattern.matches(name), |_, _| false),
    }
}

fn says(
    rule: &RuleSource,
    access: &Access,
    path_fits: impl Fn(&PathPattern, &[std::sync::Arc<str>]) -> bool,
    list_fits: impl Fn(&[String], &Columns) -> bool,
) -> bool {
    if !speaks_of(rule, access.action) {
        return false;
    }
    let Some(block) = &rule.block else { return true };
    if block.objects.is_empty() && block.functions.is_empty() {
        return true;
    }
    let name = &access.object.path().unwrap().0;
    if matches!(access.object, Object::Function { .. }) && !block.functions.is_empty() {
        return block.functions.iter().any(|pattern| path_fits(pattern, name));
    }
    block.objects.iter().any(|pattern| {
        let (path, listed) = split(pattern);
        path_fits(&path, name)
            && match (&access.object, listed) {
                (_, None) => true,
                (Object::Relation { columns, .. }, Some(listed)) => list_fits(&listed, columns),
                (_, Some(_)) => false,
            }
    })
}
