//! Short ways to write a source, a principal and an operation.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use model::{
    Access, Action, ApprovalRequirement, Columns, Decision, Domain, Effect, Environment, Group,
    Object, ObjectPath, Operation, PathPattern, Principal, RoleName, RuleId, Tag, TargetName,
    Timestamp, Transform,
};
use policy::{
    BlockSource, ClassificationSource, GroupsKnown, ObjectPattern, Origin, Policy, PolicySource,
    RoleSource, RuleSource, TargetFacts, TargetScope, compile,
};

/// Saturday, 21 November 2026, 20:00 UTC.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_795_291_200);

pub(crate) fn rule(id: &str, effect: Effect, actions: &str, objects: &[&str]) -> RuleSource {
    RuleSource {
        id: RuleId::from(id),
        origin: Origin::default(),
        effect,
        targets: TargetScope::Named(vec!["shop".into()]),
        environments: Vec::new(),
        block: Some(BlockSource {
            objects: objects.iter().map(|text| ObjectPattern::parse(text).unwrap()).collect(),
            ..BlockSource::new(Domain::Sql, words(actions))
        }),
        when: None,
        approvers: (effect == Effect::Hold).then(|| approvers("oncall", 1)),
    }
}

/// Reads `exec shell`.
pub(crate) fn words(actions: &str) -> Vec<Action> {
    actions.split_whitespace().map(|word| Action::from_word(word).unwrap()).collect()
}

pub(crate) fn allow(id: &str, actions: &str, objects: &[&str]) -> RuleSource {
    rule(id, Effect::Allow, actions, objects)
}

pub(crate) fn deny(id: &str, actions: &str, objects: &[&str]) -> RuleSource {
    rule(id, Effect::Deny, actions, objects)
}

pub(crate) fn hold(id: &str, actions: &str, objects: &[&str]) -> RuleSource {
    rule(id, Effect::Hold, actions, objects)
}

pub(crate) fn approvers(group: &str, count: u32) -> ApprovalRequirement {
    ApprovalRequirement { group: group.into(), count, within: Duration::from_secs(600) }
}

/// A rule about connecting.
pub(crate) fn session_rule(id: &str, effect: Effect) -> RuleSource {
    RuleSource { block: None, ..rule(id, effect, "select", &[]) }
}

pub(crate) fn with_functions(mut rule: RuleSource, functions: &[&str]) -> RuleSource {
    let block = rule.block.as_mut().unwrap();
    block.functions = functions.iter().map(|text| PathPattern::parse(text).unwrap()).collect();
    rule
}

pub(crate) fn when(mut rule: RuleSource, condition: &str) -> RuleSource {
    rule.when = Some(condition.into());
    rule
}

pub(crate) fn at(mut rule: RuleSource, targets: &[&str]) -> RuleSource {
    rule.targets = TargetScope::Named(targets.iter().map(|name| TargetName::from(*name)).collect());
    rule
}

pub(crate) fn role(name: &str, group: &str, rules: Vec<RuleSource>) -> RoleSource {
    RoleSource {
        name: RoleName::from(name),
        origin: Origin::default(),
        groups: vec![group.into()],
        unmask: Vec::new(),
        rules,
    }
}

pub(crate) fn target(name: &str) -> TargetFacts {
    TargetFacts {
        name: name.into(),
        origin: Origin::default(),
        domain: Domain::Sql,
        environment: Some(Environment("prod".into())),
        roots: Vec::new(),
        hosts: Vec::new(),
        encoded_slashes: false,
    }
}

pub(crate) fn classified(tag: &str, columns: &[&str], mask: Transform) -> ClassificationSource {
    ClassificationSource {
        tag: Tag::from(tag),
        origin: Origin::default(),
        target: None,
        columns: columns.iter().map(|text| PathPattern::parse(text).unwrap()).collect(),
        detect: None,
        paths: Vec::new(),
        fields: Vec::new(),
        routes: Vec::new(),
        resources: Vec::new(),
        mask,
    }
}

pub(crate) fn source(roles: Vec<RoleSource>) -> PolicySource {
    PolicySource {
        roles,
        classification: Vec::new(),
        targets: vec![target("shop")],
        groups: GroupsKnown { named: BTreeSet::new(), others_possible: true },
        approver_groups: None,
    }
}

/// One role, held by the group `readers`, at the target `shop`.
pub(crate) fn policy(rules: Vec<RuleSource>) -> Policy {
    compile(&source(vec![role("reader", "readers", rules)])).unwrap()
}

pub(crate) fn principal(groups: &[&str]) -> Principal {
    Principal {
        workload: "nightly-report".into(),
        token: None,
        groups: groups.iter().map(|group| Group::from(*group)).collect(),
    }
}

/// Reads `select shop.public.users(email, id)`; `(*)` is every column, no list is no column.
/// `name()` is a function, `role:bob` a named object.
pub(crate) fn access(text: &str) -> Access {
    let (action, object) = text.split_once(' ').unwrap();
    let path = |name: &str| ObjectPath::new(name.split('.'));
    let object = if let Some((kind, name)) = object.split_once(':') {
        let kind = ["role", "schema", "database"].into_iter().find(|one| *one == kind).unwrap();
        Object::Named { kind, path: path(name) }
    } else if let Some(name) = object.strip_suffix("()") {
        Object::Function { path: path(name) }
    } else if let Some((name, list)) = object.split_once('(') {
        let list = list.trim_end_matches(')');
        let columns = match list {
            "*" => Columns::All,
            _ => Columns::Named(list.split(", ").map(Arc::from).collect()),
        };
        Object::Relation { path: path(name), columns }
    } else {
        Object::Relation { path: path(object), columns: Columns::None }
    };
    Access { action: Action::from_word(action).unwrap(), object }
}

pub(crate) fn operation(accesses: &[&str]) -> Operation {
    Operation {
        kind: "select".into(),
        text: "select 1".into(),
        accesses: accesses.iter().map(|text| access(text)).collect(),
    }
}

pub(crate) fn decide(policy: &Policy, accesses: &[&str]) -> Arc<Decision> {
    policy.decide(&principal(&["readers"]), &"shop".into(), &operation(accesses), NOW)
}

pub(crate) fn effect(policy: &Policy, accesses: &[&str]) -> Effect {
    decide(policy, accesses).effect
}
