//! Laws that hold for every policy and every operation.

use std::sync::Arc;

use model::{Access, Action, Columns, Effect, Object, ObjectPath, Operation, PathPattern};
use policy::{
    BlockSource, ObjectPattern, Origin, Policy, PolicySource, RuleSource, TargetScope, compile,
};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::fixture::{NOW, approvers, principal, role, source, target};
use crate::oracle;

const GROUPS: &[&str] = &["red", "green", "blue"];
const TARGETS: &[&str] = &["shop", "crm"];
const ACTIONS: &[Action] = &[
    Action::Select,
    Action::Update,
    Action::Execute,
    Action::Drop,
    Action::Unknown,
    Action::Connect,
];

fn pattern() -> impl Strategy<Value = &'static str> {
    select(vec!["*", "a.*", "*.t", "a.b.t", "a.b.*", "a.?.u", "b.*"])
}

fn columns() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(vec!["x", "y", "z"], 0..=3)
}

fn object_pattern() -> impl Strategy<Value = ObjectPattern> {
    (pattern(), columns()).prop_map(|(path, columns)| {
        let list =
            if columns.is_empty() { String::new() } else { format!("({})", columns.join(", ")) };
        ObjectPattern::parse(&format!("{path}{list}")).unwrap()
    })
}

fn block() -> impl Strategy<Value = BlockSource> {
    (
        subsequence(ACTIONS.to_vec(), 1..=4),
        prop::collection::vec(object_pattern(), 0..3),
        prop::collection::vec(pattern(), 0..2),
    )
        .prop_map(|(actions, objects, functions)| BlockSource {
            objects,
            functions: functions.into_iter().map(|p| PathPattern::parse(p).unwrap()).collect(),
            ..BlockSource::new(model::Domain::Sql, actions)
        })
}

fn effect() -> impl Strategy<Value = Effect> {
    select(vec![Effect::Allow, Effect::Allow, Effect::Hold, Effect::Deny])
}

fn rule() -> impl Strategy<Value = RuleSource> {
    let scope = prop_oneof![
        Just(TargetScope::All),
        select(TARGETS.to_vec()).prop_map(|name| TargetScope::Named(vec![name.into()])),
    ];
    (effect(), scope, prop::option::weighted(0.9, block())).prop_map(|(effect, targets, block)| {
        RuleSource {
            id: "unnamed".into(),
            origin: Origin::default(),
            effect,
            targets,
            environments: Vec::new(),
            block,
            when: None,
            approvers: (effect == Effect::Hold).then(|| approvers("oncall", 1)),
        }
    })
}

/// Rules with the index of the group, and so the role, that has them.
fn rules() -> impl Strategy<Value = Vec<(usize, RuleSource)>> {
    prop::collection::vec((0..GROUPS.len(), rule()), 0..10).prop_map(|mut rules| {
        for (index, (_, rule)) in rules.iter_mut().enumerate() {
            rule.id = format!("r{index}").as_str().into();
        }
        rules
    })
}

fn access() -> impl Strategy<Value = Access> {
    let path = select(vec!["a.b.t", "a.b.u", "a.c.t", "b.b.t", "a.*.t"]);
    let columns = prop_oneof![
        Just(Columns::None),
        Just(Columns::All),
        subsequence(vec!["x", "y", "z"], 1..=3)
            .prop_map(|names| Columns::Named(names.into_iter().map(Arc::from).collect())),
    ];
    (select(ACTIONS.to_vec()), path, columns, 0..4).prop_map(|(action, path, columns, kind)| {
        let path = ObjectPath::new(path.split('.'));
        let object = match (action, kind) {
            (Action::Connect, _) => {
                Object::Named { kind: "database", path: ObjectPath::new(["a"]) }
            }
            (Action::Execute, _) => Object::Function { path },
            (_, 0) => Object::Named { kind: "role", path: ObjectPath::new(["a"]) },
            _ => Object::Relation { path, columns },
        };
        Access { action, object }
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    prop::collection::vec(access(), 0..4).prop_map(|accesses| Operation {
        kind: "any".into(),
        text: "any".into(),
        accesses: accesses.into(),
    })
}

fn asked() -> impl Strategy<Value = (Vec<&'static str>, &'static str, Operation)> {
    (subsequence(GROUPS.to_vec(), 0..=3), select(TARGETS.to_vec()), operation())
}

fn assemble(rules: &[(usize, RuleSource)]) -> PolicySource {
    let roles = GROUPS.iter().enumerate().map(|(index, group)| {
        let mine = rules.iter().filter(|(of, _)| *of == index).map(|(_, rule)| rule.clone());
        role(&format!("role-{group}"), group, mine.collect())
    });
    let mut source = source(roles.collect());
    source.targets.push(target("crm"));
    source
}

/// Compiles a source that may hold rules that never fire: the laws are about what rules mean, and
/// a policy with such a rule is refused only because it is surely a mistake.
fn build(mut source: PolicySource) -> Option<(PolicySource, Policy)> {
    source.roles.retain(|role| !role.rules.is_empty());
    for _ in 0..10 {
        match compile(&source) {
            Ok(policy) => return Some((source, policy)),
            Err(errors) => {
                let named =
                    |id: &str| errors.iter().any(|e| e.subject.starts_with(&format!("rule {id} ")));
                let unreached: Vec<String> = errors
                    .iter()
                    .filter_map(|e| Some(e.subject.strip_prefix("target ")?.to_owned()))
                    .collect();
                source.targets.retain(|one| !unreached.contains(&one.name.to_string()));
                for role in &mut source.roles {
                    role.rules.retain(|rule| !named(rule.id.as_str()));
                }
                source.roles.retain(|role| !role.rules.is_empty());
            }
        }
    }
    None
}

fn decided(policy: &Policy, (groups, target, operation): &(Vec<&str>, &str, Operation)) -> Effect {
    policy.decide(&principal(groups), &(*target).into(), operation, NOW).effect
}

/// How much an effect lets through.
fn width(effect: Effect) -> u8 {
    match effect {
        Effect::Deny => 0,
        Effect::Hold => 1,
        Effect::Allow => 2,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, rng_seed: proptest::test_runner::RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_decision_is_what_a_naive_reading_of_the_rules_gives(rules in rules(), asked in asked()) {
        let Some((source, policy)) = build(assemble(&rules)) else { return Ok(()) };
        let (groups, target, operation) = &asked;
        let expected = if source.targets.iter().any(|one| one.name.as_str() == *target) {
            oracle::effect(&source, &principal(groups), target, operation)
        } else {
            Effect::Deny
        };
        prop_assert_eq!(decided(&policy, &asked), expected);
    }

    #[test]
    fn the_order_of_roles_rules_and_accesses_does_not_matter(
        (rules, shuffled) in rules().prop_flat_map(|r| (Just(r.clone()), Just(r).prop_shuffle())),
        mut asked in asked(),
    ) {
        let mut other = assemble(&shuffled);
        other.roles.reverse();
        other.targets.reverse();
        let (Some((_, a)), Some((_, b))) = (build(assemble(&rules)), build(other)) else {
            return Ok(());
        };
        prop_assert_eq!(a.digest(), b.digest());
        let who = principal(&asked.0);
        let first = a.decide(&who, &asked.1.into(), &asked.2, NOW);
        prop_assert_eq!(&first, &b.decide(&who, &asked.1.into(), &asked.2, NOW));
        asked.2.accesses = asked.2.accesses.iter().rev().cloned().collect();
        prop_assert_eq!(first.effect, decided(&b, &asked));
    }

    #[test]
    fn a_further_deny_never_widens_and_a_further_allow_never_narrows(
        rules in rules(), more in rule(), to in 0..GROUPS.len(), asked in asked(),
    ) {
        let more = RuleSource { id: "more".into(), ..more };
        let mut extended = rules.clone();
        extended.push((to, more.clone()));
        // Both are taken as they are: a rule dropped from one only would prove nothing.
        let (Ok(before), Ok(after)) = (compile(&nonempty(assemble(&rules))), compile(&nonempty(assemble(&extended)))) else {
            return Ok(());
        };
        let (before, after) = (width(decided(&before, &asked)), width(decided(&after, &asked)));
        match more.effect {
            Effect::Deny => prop_assert!(after <= before),
            Effect::Allow => prop_assert!(after >= before),
            Effect::Hold => {}
        }
    }

    #[test]
    fn an_explanation_agrees_with_the_decision(rules in rules(), asked in asked()) {
        use policy::Outcome;
        let Some((_, policy)) = build(assemble(&rules)) else { return Ok(()) };
        let explanation = policy.explain(&principal(&asked.0), &asked.1.into(), &asked.2, NOW);
        prop_assert_eq!(explanation.decision.effect, decided(&policy, &asked));
        if explanation.accesses.is_empty() || explanation.roles.iter().all(|role| !role.at_target) {
            return Ok(());
        }
        let worst = explanation.accesses.iter().map(|access| match access.outcome {
            Outcome::Denied | Outcome::NotGranted => Effect::Deny,
            Outcome::Held => Effect::Hold,
            Outcome::Allowed => Effect::Allow,
        });
        prop_assert_eq!(worst.max().unwrap(), explanation.decision.effect);
    }
}

fn nonempty(mut source: PolicySource) -> PolicySource {
    source.roles.retain(|role| !role.rules.is_empty());
    source
}
