//! Rules for SSH: what they mean, what is wrong with them, and the laws they keep.

use std::sync::Arc;

use insta::assert_snapshot;
use model::{
    Access, Action, CommandPattern, Domain, Effect, EndpointPattern, FilePattern, Object,
    ObjectPath, Operation, Transform,
};
use policy::{BlockSource, ObjectPattern, Policy, PolicySource, RuleSource, TargetFacts, compile};
use proptest::prelude::*;
use proptest::sample::select;

use crate::fixture::{NOW, classified, principal, role, rule, source, target, when, words};

/// Reads `commands: ls **`, `paths: /srv/**`, `names: a`, `destinations: h:1`, one a line.
fn ssh(id: &str, effect: Effect, actions: &str, lists: &[&str]) -> RuleSource {
    let mut block = BlockSource::new(Domain::Ssh, words(actions));
    for list in lists {
        let (key, pattern) = list.split_once(": ").unwrap();
        match key {
            "commands" => block.commands.push(CommandPattern::parse(pattern).unwrap()),
            "paths" => block.paths.push(FilePattern::parse(pattern).unwrap()),
            "destinations" => block.destinations.push(EndpointPattern::parse(pattern).unwrap()),
            _ => block.objects.push(ObjectPattern::parse_name(pattern).unwrap()),
        }
    }
    RuleSource { block: Some(block), ..rule(id, effect, "select", &[]) }
}

fn source_of(rules: Vec<RuleSource>) -> PolicySource {
    let mut source = source(vec![role("reader", "readers", rules)]);
    source.targets = vec![TargetFacts { domain: Domain::Ssh, ..target("shop") }];
    source
}

fn policy(rules: Vec<RuleSource>) -> Policy {
    compile(&source_of(rules)).unwrap()
}

/// Reads `exec ls -l`, `read /srv/x`, `forward host:port`, `shell deploy`.
fn access(text: &str) -> Access {
    let (action, object) = text.split_once(' ').unwrap();
    let action = Action::from_word(action).unwrap();
    let object = match action {
        Action::Exec => Object::Command { words: object.split(' ').map(Arc::from).collect() },
        Action::Forward | Action::Listen => {
            let (host, port) = object.rsplit_once(':').unwrap();
            Object::Endpoint { host: host.into(), port: port.parse().unwrap() }
        }
        Action::Env => Object::Named { kind: "variable", path: ObjectPath::new([object]) },
        Action::Shell | Action::Opaque | Action::Pty | Action::Agent => {
            Object::Named { kind: "login", path: ObjectPath::new([object]) }
        }
        _ => Object::File { path: object.into() },
    };
    Access { action, object }
}

fn operation(accesses: &[&str]) -> Operation {
    let accesses = accesses.iter().map(|text| access(text)).collect();
    Operation { kind: "exec".into(), text: "exec".into(), accesses }
}

fn effect(policy: &Policy, accesses: &[&str]) -> Effect {
    policy.decide(&principal(&["readers"]), &"shop".into(), &operation(accesses), NOW).effect
}

const ALLOW: Effect = Effect::Allow;
const DENY: Effect = Effect::Deny;
const HOLD: Effect = Effect::Hold;

#[test]
fn commands_files_end_points_and_names_are_matched_each_by_its_list() {
    let policy = policy(vec![
        ssh("run", ALLOW, "exec", &["commands: systemctl restart app", "commands: ls **"]),
        ssh("files", ALLOW, "read list", &["paths: /srv/app/**"]),
        ssh("reach", ALLOW, "forward", &["destinations: 10.0.0.5:5432"]),
        ssh("names", ALLOW, "env shell", &["names: LC_*", "names: first.last"]),
    ]);
    for allowed in [
        "exec systemctl restart app",
        "exec ls -la /srv",
        "read /srv/app/a/b",
        "list /srv/app",
        "read /srv/app/**",
        "forward 10.0.0.5:5432",
        "env LC_ALL",
        "shell first.last",
    ] {
        assert_eq!(effect(&policy, &[allowed]), ALLOW, "{allowed}");
    }
    for denied in [
        "exec systemctl restart web",
        "exec /bin/ls",
        "exec ls ../x",
        "read /srv/other",
        "read /srv/**",
        "read *",
        "write /srv/app/a",
        "forward 10.0.0.5:22",
        "forward db:5432",
        "env LD_PRELOAD",
        "shell root",
        "opaque first.last",
        "fetch /srv/app",
    ] {
        assert_eq!(effect(&policy, &[denied]), DENY, "{denied}");
    }
    assert_eq!(effect(&policy, &["read /srv/app/a", "read /etc/shadow"]), DENY);
}

#[test]
fn an_interpreter_is_granted_only_by_its_name() {
    let everything = policy(vec![ssh("all", ALLOW, "exec", &[])]);
    assert_eq!(effect(&everything, &["exec uptime"]), ALLOW);
    for command in ["exec sh -c x", "exec /usr/bin/python3.11 x", "exec sudo ls", "exec env ls"] {
        assert_eq!(effect(&everything, &[command]), DENY, "{command}");
    }
    let policy = policy(vec![
        ssh("wild", ALLOW, "exec", &["commands: * **"]),
        ssh("sudo", HOLD, "exec", &["commands: sudo systemctl restart *"]),
    ]);
    assert_eq!(effect(&policy, &["exec sudo systemctl restart app"]), HOLD);
    assert_eq!(effect(&policy, &["exec sudo rm x"]), DENY);
    assert_eq!(effect(&policy, &["exec uptime"]), ALLOW);
}

#[test]
fn what_is_denied_is_denied_wherever_it_stands() {
    let policy = policy(vec![
        ssh("all", ALLOW, "exec read rename link forward", &[]),
        ssh("sudo", ALLOW, "exec", &["commands: sudo **"]),
        ssh("no-rm", DENY, "exec", &["commands: rm **"]),
        ssh("secret", DENY, "read rename link", &["paths: /srv/secret/*.key"]),
        ssh("metadata", DENY, "forward", &["destinations: 169.254.169.254:*"]),
    ]);
    for denied in [
        "exec rm x",
        "exec /bin/rm -rf x",
        "exec sudo rm x",
        "read /srv/secret/a.key",
        "read /srv/**",
        "read *",
        "rename /srv",
        "rename /srv/secret",
        "link /",
        "rename *",
        "forward 169.254.169.254:80",
        "forward 2852039166:80",
        "forward metadata.example:80",
        "forward *:80",
    ] {
        assert_eq!(effect(&policy, &[denied]), DENY, "{denied}");
    }
    for allowed in [
        "exec rmdir x",
        "exec sudo ls",
        "read /srv/secret/a.txt",
        "read /srv",
        "rename /srv/app",
        "forward 10.0.0.5:80",
    ] {
        assert_eq!(effect(&policy, &[allowed]), ALLOW, "{allowed}");
    }
}

#[test]
fn a_condition_sees_words_paths_and_end_points() {
    let says = |condition: &str, access: &str| {
        let rule = when(ssh("if", ALLOW, "exec read forward env", &[]), condition);
        effect(&policy(vec![rule]), &[access])
    };
    let first = "operation.accesses[0].";
    assert_eq!(says(&format!("{first}words == ['ls', '-l']"), "exec ls -l"), ALLOW);
    assert_eq!(says(&format!("size({first}words) < 2"), "exec ls -l"), DENY);
    assert_eq!(says(&format!("{first}name[0] == 'srv'"), "read /srv/x"), ALLOW);
    assert_eq!(says(&format!("{first}object == '/srv/x'"), "read /srv/x"), ALLOW);
    assert_eq!(says(&format!("{first}name == ['db', '22']"), "forward db:22"), ALLOW);
    assert_eq!(says(&format!("{first}name == ['LANG']"), "env LANG"), ALLOW);
    assert_eq!(says(&format!("{first}words[5] == 'x'"), "exec ls"), DENY);
}

#[test]
fn a_rule_for_ssh_must_be_able_to_fire() {
    let rules = vec![
        ssh("good", ALLOW, "exec", &["commands: ls **"]),
        ssh("paths-of-exec", ALLOW, "exec", &["paths: /srv/**"]),
        ssh("commands-of-read", ALLOW, "read", &["commands: cat x", "paths: /srv/**"]),
        ssh("destinations-of-shell", ALLOW, "shell", &["destinations: db:22", "names: a"]),
        ssh("names-of-exec", ALLOW, "exec", &["commands: ls", "names: a"]),
        ssh("action-left", ALLOW, "exec shell read", &["commands: ls"]),
        ssh("scp", ALLOW, "exec", &["commands: scp -t /srv/x"]),
        ssh("rsync", ALLOW, "exec", &["commands: rsync --server **"]),
        ssh("git", ALLOW, "exec", &["commands: git-upload-pack **"]),
        ssh("foreign", ALLOW, "exec select", &[]),
        ssh("denied", DENY, "exec", &["commands: df **"]),
        ssh("shadowed", ALLOW, "exec", &["commands: df **"]),
        ssh("socket", ALLOW, "forward", &["paths: /run/app.sock"]),
    ];
    let errors = compile(&source_of(rules)).err().unwrap_or_default();
    let text: String =
        errors.iter().map(|error| format!("{error}\n  {}\n", error.remedy())).collect();
    assert_snapshot!(text);
}

#[test]
fn classified_files_are_masked_for_whoever_may_not_see_them() {
    let mut source = source_of(vec![ssh("all", ALLOW, "read", &[])]);
    let mut exports = classified("pii", &[], Transform::Redact);
    exports.paths = vec![FilePattern::parse("/srv/exports/**").unwrap()];
    source.classification = vec![exports.clone()];
    let standing = |source: &PolicySource| {
        compile(source).unwrap().standing(&principal(&["readers"]), &"shop".into())
    };
    let masked = standing(&source);
    assert!(masked.masks().file("/srv/exports/a.csv").is_some());
    assert!(masked.masks().file("/srv/**").is_some() && masked.masks().file("*").is_some());
    assert!(masked.masks().file("/srv/other").is_none() && !masked.masks().is_empty());
    assert!(masked.masks().file("/srv").is_none() && masked.masks().file_below("/srv").is_some());
    source.roles[0].unmask = vec!["pii".into()];
    assert!(standing(&source).masks().is_empty());
    exports.target = Some("shop".into());
    exports.columns = vec![model::PathPattern::parse("*.email").unwrap()];
    source.classification = vec![exports];
    let errors = compile(&source).err().unwrap_or_default();
    assert!(errors.iter().any(|error| error.to_string().contains("has no columns")), "{errors:?}");
}

#[test]
fn every_list_counts_in_the_digest() {
    let digest =
        |lists: &[&str], actions: &str| policy(vec![ssh("one", ALLOW, actions, lists)]).digest();
    let digests = [
        digest(&["commands: ls"], "exec"),
        digest(&["commands: ls **"], "exec"),
        digest(&[], "exec"),
        digest(&["paths: /a"], "forward"),
        digest(&["destinations: a:1"], "forward"),
        digest(&["destinations: a:2"], "forward"),
        digest(&[], "forward"),
    ];
    for (at, one) in digests.iter().enumerate() {
        assert!(digests[at + 1..].iter().all(|other| other != one), "{at}");
    }
}

/// A second reading of the rules, one access at a time, over patterns and objects whose relation
/// is written down in tables rather than computed.
mod table {
    pub(super) const PATTERNS: &[(&str, &str)] = &[
        ("exec", "commands: ls **"),
        ("exec", "commands: * x"),
        ("exec", "commands: sudo **"),
        ("read", "paths: /srv/**"),
        ("read", "paths: /srv/*"),
        ("rename", "paths: /srv/a/b"),
        ("forward", "destinations: db:1"),
        ("forward", "destinations: 10.0.0.1:*"),
        ("env", "names: L*"),
    ];
    /// The object, the patterns that touch it and those that grant it.
    pub(super) const OBJECTS: &[(&str, &[usize], &[usize])] = &[
        ("exec ls x", &[0, 1], &[0, 1]),
        ("exec /bin/ls", &[0], &[]),
        ("exec sudo ls", &[0, 2], &[2]),
        ("exec sudo x", &[1, 2], &[2]),
        ("exec df", &[], &[]),
        ("read /srv/a", &[3, 4], &[3, 4]),
        ("read /srv/a/b", &[3], &[3]),
        ("read /srv/a/**", &[3, 4], &[3]),
        ("read *", &[3, 4], &[]),
        ("read /etc", &[], &[]),
        ("rename /srv", &[5], &[]),
        ("rename /srv/a/b", &[5], &[5]),
        ("rename /srv/a/c", &[], &[]),
        ("forward db:1", &[6, 7], &[6]),
        ("forward db:2", &[7], &[]),
        ("forward 10.0.0.1:1", &[6, 7], &[7]),
        ("forward 10.0.0.2:2", &[], &[]),
        ("env LANG", &[8], &[8]),
        ("env PATH", &[], &[]),
    ];
}

/// A rule as the table has it: an effect, and one pattern or none for the action.
type Row = (Effect, &'static str, Option<usize>);

fn row() -> impl Strategy<Value = Row> {
    let effects = select(vec![ALLOW, ALLOW, HOLD, DENY]);
    let patterned = select(
        table::PATTERNS.iter().enumerate().map(|(at, one)| (one.0, Some(at))).collect::<Vec<_>>(),
    );
    let bare = select(vec!["exec", "read", "rename", "forward", "env"]).prop_map(|one| (one, None));
    (effects, prop_oneof![4 => patterned, 1 => bare]).prop_map(|(e, (action, at))| (e, action, at))
}

fn expected(rows: &[Row], (object, touched, granted): (&str, &[usize], &[usize])) -> Effect {
    let about = |row: &&Row| object.split(' ').next() == Some(row.1);
    let wrapper = object.starts_with("exec sudo");
    let touches = |row: &&Row| row.2.is_none_or(|at| touched.contains(&at));
    let grants = |row: &&Row| row.2.map_or(!wrapper, |at| granted.contains(&at));
    let with = |effect| rows.iter().filter(about).filter(move |row| row.0 == effect);
    let holds = with(HOLD).any(|row| touches(&row));
    let allowed = with(ALLOW).any(|row| grants(&row));
    let approved = with(HOLD).any(|row| grants(&row));
    if with(DENY).any(|row| touches(&row)) || !(allowed || approved) {
        DENY
    } else if holds {
        HOLD
    } else {
        ALLOW
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_decision_is_what_the_table_says(rows in prop::collection::vec(row(), 1..8)) {
        let rules = rows.iter().enumerate().map(|(at, (effect, action, pattern))| {
            let lists: Vec<&str> = pattern.iter().map(|at| table::PATTERNS[*at].1).collect();
            ssh(&format!("r{at}"), *effect, action, &lists)
        });
        // A policy with a rule that never fires is refused: then there is nothing to compare.
        let Ok(policy) = compile(&source_of(rules.collect())) else { return Ok(()) };
        for object in table::OBJECTS {
            let decided = effect(&policy, &[object.0]);
            prop_assert_eq!(decided, expected(&rows, *object), "{:?} by {:?}", object, rows);
            let who = principal(&["readers"]);
            let told = policy.explain(&who, &"shop".into(), &operation(&[object.0]), NOW);
            prop_assert_eq!(told.decision.effect, decided);
        }
    }
}
