//! What `when:` sees, and what comes of one that cannot be evaluated.

use model::{Effect, Operation, Reason, Timestamp, TokenSubject};
use policy::{Policy, compile};

use crate::fixture::*;

use Effect::{Allow, Deny, Hold};

const NEEDS: &[&str] = &["select shop.public.users(email, id)"];

fn holds(condition: &str) -> Effect {
    effect(&policy(vec![when(allow("a", "select", &[]), condition)]), NEEDS)
}

#[test]
fn a_condition_sees_the_operation_the_principal_the_target_and_the_time() {
    for condition in [
        "operation.kind == 'select'",
        "operation.text.startsWith('select') && size(operation.text) < 100",
        "operation.text.matches('(?i)^SELECT [0-9]$')",
        "operation.accesses.all(a, a.action == 'select' && a.name[2] == 'users')",
        "operation.accesses.exists(a, 'email' in a.columns && !a.every_column)",
        "operation.accesses[0].object == 'shop.public.users(email, id)'",
        "size(operation.accesses.filter(a, a.action == 'delete')) == 0",
        "principal.workload == 'nightly-report' && principal.subject == ''",
        "'readers' in principal.groups",
        "target == 'shop' && environment == 'prod'",
        "time.getHours() == 20 && time.getHours('Europe/Zurich') == 21",
        "time.getDayOfWeek() == 6 && time < timestamp('2027-01-01T00:00:00Z')",
        "time - timestamp('2026-11-21T19:00:00Z') == duration('1h')",
        "int(time) == 1795291200 && string(1) == '1' && double(1) < 1.5",
        "has(operation.text) && (true ? true : false)",
    ] {
        assert_eq!(holds(condition), Allow, "{condition}");
        assert_eq!(holds(&format!("!({condition})")), Deny, "{condition}");
    }
}

#[test]
fn a_condition_sees_the_token() {
    let policy = policy(vec![when(
        allow("a", "select", &[]),
        "principal.subject == 'job' && principal.issuer == 'https://idp.example'",
    )]);
    let mut who = principal(&["readers"]);
    let decide = |who: &_| policy.decide(who, &"shop".into(), &operation(NEEDS), NOW).effect;
    assert_eq!(decide(&who), Deny);
    who.token = Some(TokenSubject {
        issuer: "https://idp.example".into(),
        subject: "job".into(),
        expires_at: NOW,
    });
    assert_eq!(decide(&who), Allow);
}

#[test]
fn a_condition_narrows_a_rule_of_any_effect() {
    let policy = policy(vec![
        allow("a", "select", &[]),
        when(hold("h", "select", &[]), "time.getHours() < 6"),
        when(deny("d", "select", &[]), "time.getDayOfWeek() == 0"),
    ]);
    let at = |hours: u64| {
        let now = Timestamp::from_seconds(NOW.as_seconds() + hours * 3_600);
        policy.decide(&principal(&["readers"]), &"shop".into(), &operation(NEEDS), now).effect
    };
    assert_eq!(at(0), Allow, "Saturday evening");
    assert_eq!(at(6), Deny, "Sunday night: held and denied");
    assert_eq!(at(30), Hold, "Monday night");
    assert_eq!(at(38), Allow, "Monday morning");
}

#[test]
fn a_condition_that_cannot_be_evaluated_refuses_the_operation() {
    for condition in [
        "operation.accesses[7].action == 'select'",
        "1 / (size(operation.text) - 8) == 1",
        "operation.accesses.all(a, a.colour == 'red')",
        "operation.text",
        "operation.text > 3",
    ] {
        let failing = when(allow("broken", "select", &[]), condition);
        let policy = policy(vec![allow("a", "select", &[]), failing]);
        let decision = decide(&policy, NEEDS);
        assert_eq!(decision.effect, Deny, "{condition}");
        let Reason::ConditionFailed { rule, .. } = &decision.reason else {
            panic!("{condition}: {:?}", decision.reason)
        };
        assert_eq!(rule.as_str(), "broken");
    }
}

#[test]
fn the_reason_of_a_failure_repeats_no_value_of_the_operation() {
    let policy = policy(vec![when(allow("a", "select", &[]), "operation.text > 3")]);
    let mut asked = operation(NEEDS);
    asked.text = "select 'canary'".into();
    let decision = policy.decide(&principal(&["readers"]), &"shop".into(), &asked, NOW);
    assert!(!format!("{:?}", decision.reason).contains("canary"), "{:?}", decision.reason);
}

#[test]
fn a_failing_condition_of_a_rule_about_something_else_does_not_matter() {
    let failing = when(deny("broken", "delete", &[]), "1 / 0 == 1");
    let policy = policy(vec![allow("a", "select", &[]), failing]);
    assert_eq!(effect(&policy, NEEDS), Allow);
    assert_eq!(effect(&policy, &["delete shop.public.users"]), Deny);
}

#[test]
fn an_operation_too_large_for_a_condition_is_refused() {
    let policy = policy(vec![when(allow("a", "select", &[]), "true")]);
    let decide = |asked: &Operation| {
        policy.decide(&principal(&["readers"]), &"shop".into(), asked, NOW).effect
    };
    let mut long = operation(NEEDS);
    assert_eq!(decide(&long), Allow);
    long.text = "x".repeat(256 * 1024 + 1).into();
    assert_eq!(decide(&long), Deny);
    assert_eq!(decide(&operation(&[NEEDS[0]; 1_025])), Deny);
}

#[test]
fn a_decision_that_a_condition_had_a_say_in_is_not_to_be_kept() {
    let policy: Policy = policy(vec![
        allow("a", "select", &[]),
        when(deny("d", "delete", &[]), "time.getHours() < 6"),
    ]);
    let standing = policy.standing(&principal(&["readers"]), &"shop".into());
    assert!(!standing.is_conditional(&operation(NEEDS).accesses));
    assert!(standing.is_conditional(&operation(&["delete shop.public.users"]).accesses));
}

#[test]
fn a_condition_as_deep_as_can_be_is_evaluated_and_a_deeper_one_refused() {
    let compiles = |condition: &str| {
        let rules = vec![when(allow("a", "select", &[]), condition)];
        compile(&source(vec![role("reader", "readers", rules)])).ok()
    };
    let shapes: [fn(usize) -> String; 5] = [
        |depth| format!("{}true{}", "(".repeat(depth), ")".repeat(depth)),
        |depth| format!("{}true", "!!".repeat(depth)),
        |depth| format!("1{} > 0", "+1".repeat(depth)),
        |depth| format!("{}true{}", "true ? ".repeat(depth), " : false".repeat(depth)),
        |depth| format!("size({}{}) >= 0", "[".repeat(depth), "]".repeat(depth)),
    ];
    for shape in shapes {
        let deepest = (1..60).rev().find_map(|depth| compiles(&shape(depth))).unwrap();
        assert_eq!(effect(&deepest, NEEDS), Allow, "{}", shape(3));
    }
    for shape in shapes.iter().skip(2) {
        assert!(compiles(&shape(200)).is_none(), "{}", shape(3));
        assert!(compiles(&shape(100_000)).is_none(), "{}", shape(3));
    }
}
