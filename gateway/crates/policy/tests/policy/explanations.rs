//! What `explain` prints.

use insta::assert_snapshot;
use model::{Detector, Effect, Transform};
use policy::{Policy, compile};

use crate::fixture::{
    NOW, allow, at, classified, deny, hold, operation, principal, role, session_rule, source,
    target, when,
};

fn report_policy() -> Policy {
    let reader = role(
        "report-reader",
        "readers",
        vec![
            allow("read", "select", &["shop.public.*"]),
            allow("read-name", "select", &["shop.hr.staff(id, name)"]),
            deny("no-email", "select", &["shop.public.users(email)"]),
            when(deny("not-on-sunday", "select", &[]), "time.getDayOfWeek() == 0"),
            at(allow("crm", "select", &["crm.*"]), &["crm"]),
        ],
    );
    let dropper = role(
        "dropper",
        "admins",
        vec![
            hold("drop-needs-human", "drop", &["shop.*"]),
            hold("salary", "select", &["shop.hr.staff(salary)"]),
            session_rule("in", Effect::Allow),
        ],
    );
    let mut source = source(vec![reader, dropper]);
    source.targets.push(target("crm"));
    let mut cards = classified("pci.pan", &[], Transform::Last4);
    cards.detect = Some(Detector::PaymentCard);
    source.classification =
        vec![classified("pii.email", &["*.users.email"], Transform::Partial), cards];
    compile(&source).unwrap()
}

fn explain(groups: &[&str], accesses: &[&str]) -> String {
    let mut asked = operation(accesses);
    asked.text = "select ..\n\x1b[2Jfrom users".into();
    report_policy().explain(&principal(groups), &"shop".into(), &asked, NOW).to_string()
}

#[test]
fn an_allowance() {
    assert_snapshot!(explain(&["readers", "others"], &["select shop.public.users(id)"]));
}

#[test]
fn a_denial_by_a_rule_and_for_want_of_one() {
    assert_snapshot!(explain(
        &["readers"],
        &["select shop.public.users(email, id)", "delete shop.public.users"]
    ));
}

#[test]
fn a_hold_in_part() {
    assert_snapshot!(explain(
        &["admins", "readers"],
        &["select shop.hr.staff(name, salary)", "drop shop.public.users"]
    ));
}

#[test]
fn connecting_and_nothing_beyond() {
    assert_snapshot!(explain(&["admins"], &["connect database:shop"]));
    assert_snapshot!(explain(&["admins"], &[]));
}

#[test]
fn nobody() {
    assert_snapshot!(explain(&[], &["select shop.public.users(id)"]));
}

#[test]
fn an_explanation_as_json_has_stable_names() {
    let asked = operation(&["select shop.public.users(email)"]);
    let explanation =
        report_policy().explain(&principal(&["readers"]), &"shop".into(), &asked, NOW);
    insta::assert_json_snapshot!(explanation);
}
