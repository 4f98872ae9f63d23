//! The meaning of rules, one sentence a test.

use model::{Effect, Reason, Transform};
use policy::{TargetScope, compile};

use crate::fixture::*;

use Effect::{Allow, Deny, Hold};

#[test]
fn what_no_rule_grants_is_denied() {
    let policy = policy(vec![allow("read", "select", &["shop.public.*"])]);
    assert_eq!(effect(&policy, &["select shop.public.users(*)"]), Allow);
    assert_eq!(effect(&policy, &["delete shop.public.users"]), Deny);
    assert_eq!(effect(&policy, &["select shop.secret.keys(*)"]), Deny);
    assert_eq!(
        decide(&policy, &["select shop.public.users(id)", "select shop.secret.keys(key)"]).reason,
        Reason::NotGranted { access: "select on shop.secret.keys(key)".into() }
    );
}

#[test]
fn an_operation_is_allowed_only_when_every_access_is() {
    let policy = policy(vec![
        allow("read", "select", &["shop.public.*"]),
        allow("write", "insert", &["shop.public.orders"]),
    ]);
    let both = ["insert shop.public.orders(id)", "select shop.public.users(id)"];
    assert_eq!(effect(&policy, &both), Allow);
    let rules: Vec<String> =
        decide(&policy, &both).rules.iter().map(|one| one.rule.to_string()).collect();
    assert_eq!(rules, ["read", "write"]);
    assert_eq!(effect(&policy, &[both[0], both[1], "select shop.audit.log(id)"]), Deny);
}

#[test]
fn deny_beats_hold_beats_allow_whatever_the_order() {
    let rules = || {
        vec![
            allow("a", "select", &["shop.*"]),
            hold("h", "select", &["shop.public.*"]),
            deny("d", "select", &["shop.public.users"]),
        ]
    };
    for turn in 0..3 {
        let mut rules = rules();
        rules.rotate_left(turn);
        let policy = policy(rules);
        assert_eq!(effect(&policy, &["select shop.audit.log(*)"]), Allow);
        assert_eq!(effect(&policy, &["select shop.public.orders(*)"]), Hold);
        assert_eq!(effect(&policy, &["select shop.public.users(*)"]), Deny);
    }
}

#[test]
fn a_hold_rule_grants_what_it_names_and_says_who_must_approve() {
    let mut second = hold("truncate", "truncate", &["shop.public.*"]);
    second.approvers = Some(approvers("dba", 2));
    let policy = policy(vec![hold("drop", "drop", &[]), second]);
    let decision = decide(&policy, &["drop shop.public.users", "truncate shop.public.orders"]);
    assert_eq!(decision.effect, Hold);
    assert_eq!(decision.approvals, [approvers("oncall", 1), approvers("dba", 2)]);
    assert_eq!(effect(&policy, &["drop shop.public.users", "delete shop.public.users"]), Deny);
}

#[test]
fn what_is_not_understood_is_granted_only_by_a_rule_that_names_it() {
    let known = "select insert update delete merge truncate execute create alter drop grant lock \
                 maintain set notify server_file code";
    let rules = vec![allow("all", known, &[])];
    assert_eq!(effect(&policy(rules), &["unknown shop.public.users"]), Deny);
    let rules = vec![allow("all", "unknown", &[])];
    assert_eq!(effect(&policy(rules), &["unknown shop.public.users"]), Allow);
}

#[test]
fn an_allow_rule_with_columns_grants_only_those() {
    let policy = policy(vec![allow("read", "select", &["shop.public.users(id, name_*)"])]);
    assert_eq!(effect(&policy, &["select shop.public.users(id, name_first)"]), Allow);
    assert_eq!(effect(&policy, &["select shop.public.users"]), Allow);
    assert_eq!(effect(&policy, &["select shop.public.users(email, id)"]), Deny);
    assert_eq!(effect(&policy, &["select shop.public.users(*)"]), Deny);
}

#[test]
fn the_column_lists_of_one_rule_add_up() {
    let objects = ["shop.public.users(id)", "shop.*(name)"];
    let policy = policy(vec![allow("read", "select", &objects)]);
    assert_eq!(effect(&policy, &["select shop.public.users(id, name)"]), Allow);
    assert_eq!(effect(&policy, &["select shop.public.orders(id, name)"]), Deny);
}

#[test]
fn a_deny_rule_with_columns_denies_whatever_touches_one() {
    let policy = policy(vec![
        allow("read", "select", &["shop.*"]),
        deny("no-email", "select", &["shop.public.users(email)"]),
    ]);
    assert_eq!(effect(&policy, &["select shop.public.users(id)"]), Allow);
    assert_eq!(effect(&policy, &["select shop.public.users"]), Allow);
    assert_eq!(effect(&policy, &["select shop.public.users(email, id)"]), Deny);
    assert_eq!(effect(&policy, &["select shop.public.users(*)"]), Deny);
}

#[test]
fn a_hold_rule_with_columns_holds_what_touches_one_and_grants_only_those() {
    let holding = || hold("email", "select", &["shop.public.users(email)"]);
    let both = policy(vec![allow("read", "select", &["shop.*"]), holding()]);
    assert_eq!(effect(&both, &["select shop.public.users(email, id)"]), Hold);
    assert_eq!(effect(&both, &["select shop.public.users(*)"]), Hold);
    assert_eq!(effect(&both, &["select shop.public.users(id)"]), Allow);
    let alone = policy(vec![holding()]);
    assert_eq!(effect(&alone, &["select shop.public.users(email)"]), Hold);
    assert_eq!(effect(&alone, &["select shop.public.users(email, id)"]), Deny);
}

#[test]
fn functions_are_matched_by_their_own_list_where_there_is_one() {
    let policy = policy(vec![
        with_functions(allow("read", "select execute", &["shop.*"]), &["shop.public.area"]),
        allow("tools", "execute", &["shop.tools.*"]),
    ]);
    assert_eq!(effect(&policy, &["select shop.public.users(*)"]), Allow);
    assert_eq!(effect(&policy, &["execute shop.public.area()"]), Allow);
    assert_eq!(effect(&policy, &["execute shop.pg_catalog.pg_sleep()"]), Deny);
    assert_eq!(effect(&policy, &["execute shop.tools.pack()"]), Allow);
}

#[test]
fn an_unresolved_name_meets_every_deny_and_no_spelled_out_allow() {
    let denying = with_functions(deny("no-sleep", "execute", &[]), &["shop.pg_catalog.pg_sleep"]);
    let policy = policy(vec![allow("any", "execute", &["shop.*"]), denying]);
    assert_eq!(effect(&policy, &["execute shop.*.pg_sleep()"]), Deny);
    assert_eq!(effect(&policy, &["execute shop.*.area()"]), Allow);
    let public = crate::fixture::policy(vec![allow("public", "execute", &["shop.public.*"])]);
    assert_eq!(effect(&public, &["execute shop.*.area()"]), Deny);
}

#[test]
fn connecting_is_granted_by_any_rule_that_grants_something() {
    let connect = ["connect database:shop"];
    assert_eq!(effect(&policy(vec![allow("a", "select", &[])]), &connect), Allow);
    assert_eq!(effect(&policy(vec![hold("h", "drop", &[])]), &connect), Allow);
    let mixed = policy(vec![allow("a", "select", &[]), session_rule("d", Deny)]);
    assert_eq!(effect(&mixed, &connect), Deny);
    let held = policy(vec![allow("a", "select", &[]), session_rule("h", Hold)]);
    assert_eq!(effect(&held, &connect), Hold);
    assert_eq!(decide(&held, &connect).approvals, [approvers("oncall", 1)]);
    let only = policy(vec![session_rule("only", Allow)]);
    assert_eq!(effect(&only, &connect), Allow);
}

#[test]
fn what_needs_no_access_goes_through_for_whoever_is_let_in() {
    assert_eq!(effect(&policy(vec![allow("a", "select", &[])]), &[]), Allow);
    let out = policy(vec![allow("a", "select", &[]), session_rule("d", Deny)]);
    assert_eq!(effect(&out, &[]), Deny);
    let held = policy(vec![allow("a", "select", &[]), session_rule("h", Hold)]);
    assert_eq!(effect(&held, &[]), Allow);
}

#[test]
fn b3_without_groups_there_is_no_role_and_no_role_is_a_denial() {
    let policy = policy(vec![allow("a", "select", &[])]);
    for groups in [&[][..], &["Readers"], &["readers "], &["reader"], &["read*"], &["*"]] {
        let who = principal(groups);
        for needs in [&["select shop.public.users(*)"][..], &["connect database:shop"], &[]] {
            let decision = policy.decide(&who, &"shop".into(), &operation(needs), NOW);
            assert_eq!((decision.effect, &decision.reason), (Deny, &Reason::NoRole), "{groups:?}");
        }
    }
}

#[test]
fn a_rule_speaks_of_its_targets_only() {
    let mut source = source(vec![role(
        "reader",
        "readers",
        vec![
            allow("shop", "select", &["shop.*"]),
            at(allow("crm", "select", &["crm.*"]), &["crm"]),
        ],
    )]);
    source.targets.push(target("crm"));
    let policy = compile(&source).unwrap();
    let who = principal(&["readers"]);
    let at = |target: &str, needs: &str| {
        policy.decide(&who, &target.into(), &operation(&[needs]), NOW).effect
    };
    assert_eq!(at("shop", "select shop.public.users(*)"), Allow);
    assert_eq!(at("crm", "select shop.public.users(*)"), Deny);
    assert_eq!(at("crm", "select crm.public.users(*)"), Allow);
    assert_eq!(at("elsewhere", "select crm.public.users(*)"), Deny);
}

#[test]
fn a_rule_can_name_environments_instead_of_targets() {
    let mut everywhere = allow("read", "select", &[]);
    everywhere.targets = TargetScope::All;
    let mut no_prod = deny("not-in-prod", "insert select", &[]);
    no_prod.targets = TargetScope::All;
    no_prod.environments = vec![model::Environment("prod".into())];
    let mut source = source(vec![
        role("reader", "readers", vec![everywhere]),
        role("careful", "readers", vec![no_prod]),
    ]);
    let mut staging = target("staging");
    staging.environment = Some(model::Environment("staging".into()));
    let mut nowhere = target("nowhere");
    nowhere.environment = None;
    source.targets.extend([staging, nowhere]);
    let policy = compile(&source).unwrap();
    let needs = operation(&["select shop.public.users(*)"]);
    let at = |name: &str| policy.decide(&principal(&["readers"]), &name.into(), &needs, NOW).effect;
    assert_eq!((at("shop"), at("staging"), at("nowhere")), (Deny, Allow, Allow));
}

#[test]
fn a_tag_is_raw_only_for_roles_that_unmask_it_where_they_let_in() {
    let mut viewer = role("viewer", "viewers", vec![allow("v", "select", &[])]);
    viewer.unmask = vec!["pii.email".into()];
    let mut elsewhere = role("elsewhere", "crm", vec![at(allow("e", "select", &[]), &["crm"])]);
    elsewhere.unmask = vec!["pii.email".into(), "pii.name".into()];
    let mut everywhere = role("raw", "raw", Vec::new());
    everywhere.unmask = vec!["pii.name".into()];
    let reader = role("reader", "readers", vec![allow("r", "select", &[])]);
    let mut source = source(vec![viewer, elsewhere, everywhere, reader]);
    source.targets.push(target("crm"));
    source.classification = vec![
        classified("pii.email", &["*.users.email"], Transform::Partial),
        classified("pii.name", &["*.users.name"], Transform::Redact),
    ];
    let policy = compile(&source).unwrap();
    let masked = |groups: &[&str]| -> Vec<String> {
        let standing = policy.standing(&principal(groups), &"shop".into());
        standing.masks().columns.iter().map(|mask| mask.tag.to_string()).collect()
    };
    assert_eq!(masked(&["readers"]), ["pii.name", "pii.email"]);
    assert_eq!(masked(&["viewers"]), ["pii.name"]);
    assert_eq!(masked(&["readers", "crm"]), ["pii.name", "pii.email"]);
    assert_eq!(masked(&["readers", "raw"]), ["pii.email"]);
    assert_eq!(masked(&["viewers", "raw"]), Vec::<String>::new());
}

#[test]
fn the_stronger_mask_of_a_column_counts_whatever_the_order() {
    let classes = [
        classified("pii.email", &["*.users.email"], Transform::Partial),
        classified("secret", &["*.users.*"], Transform::Redact),
    ];
    for turn in 0..2 {
        let mut source = source(vec![role("r", "readers", vec![allow("a", "select", &[])])]);
        source.classification = classes.to_vec();
        source.classification.rotate_left(turn);
        let standing = compile(&source).unwrap().standing(&principal(&["readers"]), &"shop".into());
        let mask = standing.masks().column(&["shop", "public", "users", "email"]).unwrap();
        assert_eq!(mask.transform, Transform::Redact);
    }
}

#[test]
fn a_standing_goes_on_answering_by_the_policy_it_came_from() {
    let old = policy(vec![allow("a", "select", &[])]);
    let standing = old.standing(&principal(&["readers"]), &"shop".into());
    let digest = old.digest();
    drop(old);
    let decision = standing.decide(&operation(&["select shop.public.users(*)"]), NOW);
    assert_eq!((decision.effect, decision.policy), (Allow, digest));
}

#[test]
fn a_list_of_accesses_asked_about_again_gets_the_decision_it_got() {
    let policy = policy(vec![
        allow("a", "select", &["shop.public.*"]),
        deny("d", "select", &["shop.public.t3"]),
    ]);
    let standing = policy.standing(&principal(&["readers"]), &"shop".into());
    let table = |at: usize| operation(&[&format!("select shop.public.t{at}(id)")]);
    // More than are remembered, so that the oldest makes room.
    let asked: Vec<_> = (0..20).map(table).collect();
    for again in asked.iter().chain(&asked).chain(asked.iter().rev()) {
        let decision = standing.decide(again, NOW);
        let fresh = policy.decide(&principal(&["readers"]), &"shop".into(), again, NOW);
        assert_eq!(decision, fresh, "{}", again.accesses[0]);
    }
    let first = standing.decide(&asked[0], NOW);
    assert!(std::sync::Arc::ptr_eq(&first, &standing.decide(&asked[0], NOW)));
}

#[test]
fn a_decision_with_a_condition_is_made_anew_each_time() {
    let by_text = when(deny("d", "select", &[]), "operation.text.contains('secret')");
    let policy = policy(vec![allow("a", "select", &["shop.*"]), by_text]);
    let standing = policy.standing(&principal(&["readers"]), &"shop".into());
    let mut asked = operation(&["select shop.public.users(id)"]);
    assert_eq!(standing.decide(&asked, NOW).effect, Allow);
    asked.text = "select secret".into();
    assert_eq!(standing.decide(&asked, NOW).effect, Deny);
}
