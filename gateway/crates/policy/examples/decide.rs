//! How long a decision takes: `cargo run -r -p portcullis-policy --example decide`.
//!
//! Prints nanoseconds a decision, the best of many short runs (so that whatever else the machine
//! does counts little), for a policy of 20 roles with 10
//! rules each, for operations that need 0 to 3 accesses: asked about for the first time, and again.
#![expect(clippy::print_stdout, reason = "it exists to print")]

use std::hint::black_box;
use std::time::Instant;

use model::{
    Access, Action, Columns, Domain, Effect, Object, ObjectPath, Operation, Principal, Timestamp,
};
use policy::{
    BlockSource, GroupsKnown, ObjectPattern, Origin, PolicySource, RoleSource, RuleSource,
    Standing, TargetFacts, TargetScope, compile,
};

const DECISIONS: usize = 500;
const RUNS: usize = 2_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let policy = compile(&source()?).map_err(|errors| format!("{errors:?}"))?;
    let principal = Principal {
        workload: "bench".into(),
        token: None,
        groups: ["group-3".into(), "group-4".into()].into(),
    };
    let standing = policy.standing(&principal, &"shop".into());
    for count in 0..=3 {
        // More operations than a standing remembers, and one.
        let many: Vec<Operation> = (0..16).map(|_| operation(count)).collect();
        let (first, again) =
            (best_ns(&standing, &many), best_ns(&standing, many.get(..1).unwrap_or(&[])));
        let effect = standing.decide(&operation(count), Timestamp::default()).effect;
        println!("{count} accesses, {effect}: {first} ns, again {again} ns");
    }
    Ok(())
}

fn best_ns(standing: &Standing, operations: &[Operation]) -> u128 {
    let run = |_| {
        let start = Instant::now();
        for operation in operations.iter().cycle().take(DECISIONS) {
            black_box(standing.decide(black_box(operation), Timestamp::default()));
        }
        start.elapsed().as_nanos() / DECISIONS as u128
    };
    (0..RUNS).map(run).min().unwrap_or(0)
}

fn operation(accesses: usize) -> Operation {
    let access = |index: usize| Access {
        action: Action::Select,
        object: Object::Relation {
            path: ObjectPath::new(["shop".to_owned(), "public".to_owned(), format!("t3_{index}")]),
            columns: Columns::Named(vec!["email".into(), "id".into(), "name".into()]),
        },
    };
    Operation {
        kind: "select".into(),
        text: "select ..".into(),
        accesses: (0..accesses).map(access).collect(),
    }
}

fn source() -> Result<PolicySource, model::PatternError> {
    let mut roles = Vec::new();
    for role in 0..20 {
        let mut rules = Vec::new();
        for rule in 0..10 {
            let effect = if rule == 9 { Effect::Deny } else { Effect::Allow };
            rules.push(RuleSource {
                id: format!("r{role}-{rule}").as_str().into(),
                origin: Origin::default(),
                effect,
                targets: TargetScope::All,
                environments: Vec::new(),
                block: Some(BlockSource {
                    objects: vec![ObjectPattern::parse(&format!("shop.public.t{role}_{rule}"))?],
                    ..BlockSource::new(
                        Domain::Sql,
                        vec![Action::Select, Action::Insert, Action::Update],
                    )
                }),
                when: None,
                approvers: None,
            });
        }
        roles.push(RoleSource {
            name: format!("role-{role}").as_str().into(),
            origin: Origin::default(),
            groups: vec![format!("group-{role}").as_str().into()],
            unmask: Vec::new(),
            rules,
        });
    }
    Ok(PolicySource {
        roles,
        classification: Vec::new(),
        targets: vec![TargetFacts {
            name: "shop".into(),
            origin: Origin::default(),
            domain: Domain::Sql,
            environment: None,
            roots: Vec::new(),
            hosts: Vec::new(),
            encoded_slashes: false,
        }],
        groups: GroupsKnown { named: std::collections::BTreeSet::new(), others_possible: true },
        approver_groups: None,
    })
}
