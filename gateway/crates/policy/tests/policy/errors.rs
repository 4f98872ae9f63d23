//! Everything that can be wrong with a policy, each with its reason and remedy.

use std::time::Duration;

use insta::assert_snapshot;
use model::{Domain, Effect, Environment, Transform};
use policy::{GroupsKnown, ObjectPattern, PolicySource, RuleSource, compile};

use crate::fixture::{
    allow, approvers, at, classified, deny, hold, role, session_rule, source, target, when,
    with_functions,
};

fn errors(source: &PolicySource) -> String {
    let errors = compile(source).err().unwrap_or_default();
    errors.iter().map(|error| format!("{error}\n  {}\n", error.remedy())).collect()
}

/// The errors of one rule beside one that is good.
fn errors_of(rule: RuleSource) -> String {
    errors(&source(vec![role("reader", "readers", vec![allow("good", "select", &[]), rule])]))
}

#[test]
fn a_good_policy_has_none() {
    assert_eq!(errors_of(deny("no", "delete", &["shop.*"])), "");
}

#[test]
fn what_is_wrong_with_roles_targets_and_classification_is_said_at_once() {
    let mut stranger = role("stranger", "nobody", vec![allow("good", "select", &[])]);
    stranger.unmask = vec!["pii.emial".into(), "other".into()];
    let mut source = source(vec![
        stranger,
        role("stranger", "readers", vec![at(allow("good", "select", &[]), &["shop"])]),
        role("empty", "readers", Vec::new()),
    ]);
    source.roles[2].groups.clear();
    source.targets.extend([target("shop"), target("lonely")]);
    source.groups = GroupsKnown { named: ["readers".into()].into(), others_possible: false };
    let mut elsewhere = classified("pii.email", &["users.email"], Transform::Partial);
    elsewhere.target = Some("shp".into());
    source.classification = vec![elsewhere, classified("nothing", &[], Transform::Redact)];
    assert_snapshot!(errors(&source));
}

#[test]
fn a_rule_must_be_able_to_fire() {
    let mut foreign = allow("foreign", "select", &[]);
    foreign.block.as_mut().unwrap().domain = Domain::Session;
    let mut nowhere = allow("nowhere", "select", &[]);
    nowhere.environments = vec![Environment("staging".into()), Environment("test".into())];
    let rules = vec![
        allow("good", "select", &[]),
        at(allow("unknown-target", "select", &[]), &["shp", "elsewhere"]),
        nowhere,
        allow("no-action", "", &[]),
        foreign,
        allow("arity", "select drop", &["public.users"]),
        allow("too-long", "drop", &["a.b.c.d.e"]),
        deny("whole", "select drop", &["shop.public.users(email)"]),
        with_functions(allow("not-called", "select", &["shop.*"]), &["shop.public.area"]),
        with_functions(allow("only-functions", "select execute", &[]), &["shop.public.area"]),
        with_functions(allow("function-arity", "execute", &[]), &["area"]),
        when(allow("syntax", "select", &[]), "operation.text =="),
        when(allow("misspelt", "select", &[]), "operation.txt == ''"),
        when(allow("long", "select", &[]), &"(true) && ".repeat(300)),
        when(allow("nested", "select", &[]), "[1].all(a, [1].all(b, [1].all(c, a + b + c == 3)))"),
    ];
    assert_snapshot!(errors(&source(vec![role("reader", "readers", rules)])));
}

#[test]
fn a_pattern_must_name_a_database_of_a_target() {
    let mut source = source(vec![role(
        "reader",
        "readers",
        vec![
            allow("good", "select", &["*.public.users"]),
            allow("other", "select", &["crm.*", "shop.*"]),
        ],
    )]);
    source.targets[0].roots = vec!["shop".into()];
    source.classification = vec![classified("a", &["crm.*"], Transform::Redact)];
    assert_snapshot!(errors(&source), @r"
    classification a: the pattern crm.* can never match: no target of the rule has a database that it names
      write database.schema.table.column, with * for one or more of them
    rule other of role reader: the pattern crm.* can never match: no target of the rule has a database that it names
      correct the pattern, or remove it
    ");
}

#[test]
fn a_rule_that_another_always_beats_is_an_error() {
    let shadowed = |by: RuleSource, rule: RuleSource| {
        let rules = vec![allow("other", "update", &[]), by, rule];
        errors(&source(vec![role("reader", "readers", rules)])).contains("it can never fire")
    };
    let read = |objects: &[&str]| allow("read", "select", objects);
    assert!(shadowed(deny("all", "select delete", &[]), read(&[])));
    assert!(shadowed(deny("all", "select", &["shop.*"]), read(&["shop.*(id)"])));
    assert!(shadowed(hold("all", "select", &[]), read(&["shop.*"])));
    assert!(shadowed(session_rule("out", Effect::Deny), session_rule("in", Effect::Allow)));
    // Each of these leaves it something.
    assert!(!shadowed(deny("all", "delete", &[]), read(&[])));
    assert!(!shadowed(deny("some", "select", &["shop.public.*"]), read(&["shop.*"])));
    assert!(!shadowed(deny("columns", "select", &["shop.*(id)"]), read(&["shop.*(id)"])));
    assert!(!shadowed(when(deny("at-night", "select", &[]), "time.getHours() < 6"), read(&[])));
    let elsewhere = with_functions(deny("f", "execute", &[]), &["shop.a.b"]);
    assert!(!shadowed(elsewhere, allow("call", "execute", &["shop.*"])));
}

#[test]
fn approvers_must_be_able_to_approve() {
    let mut none = hold("none", "drop", &[]);
    none.approvers = None;
    let mut instead = allow("instead", "drop", &[]);
    instead.approvers = Some(approvers("oncall", 1));
    let mut zero = hold("zero", "drop", &[]);
    zero.approvers = Some(approvers("oncall", 0));
    let mut no_time = hold("no-time", "drop", &[]);
    no_time.approvers.as_mut().unwrap().within = Duration::ZERO;
    let mut nobody = hold("nobody", "drop", &[]);
    nobody.approvers = Some(approvers("on-call", 1));
    let rules = vec![none, instead, zero, no_time, nobody];
    let mut source = source(vec![role("reader", "readers", rules)]);
    source.approver_groups = Some(["oncall".into()].into());
    assert_snapshot!(errors(&source));
}

#[test]
fn an_error_carries_the_origin_of_what_it_is_about() {
    let mut rule = deny("bad", "select", &["users"]);
    rule.origin = policy::Origin(17);
    let mut broken = source(vec![role("reader", "readers", vec![allow("a", "select", &[]), rule])]);
    broken.roles[0].origin = policy::Origin(3);
    let errors = compile(&broken).unwrap_err();
    assert_eq!(errors.iter().map(|error| error.origin.0).collect::<Vec<_>>(), [17]);
}

#[test]
fn patterns_are_read_before_they_get_here() {
    assert!(ObjectPattern::parse("shop..users").is_err());
}
