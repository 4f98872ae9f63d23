//! Golden output of everything that people read: help, tables, explanations, errors.

use std::path::PathBuf;

use clap::{Command as Clap, CommandFactory};
use model::{Attestation, Effect, HoldId, SessionId, Timestamp};

use super::context::{ColorWhen, Context, SharedArguments};
use super::failure::{Exit, Failure};
use super::look::{self, Look};
use super::{Arguments, DEFAULT_CONFIG, dispatch, reference};
use crate::control::view::{
    AccessView, ApprovalView, CheckView, DaemonState, DecisionView, ExplainView, HoldView,
    InterceptionView, LastDecisionView, MaskView, ReloadView, RequirementView, RoleView, RuleView,
    SocketPhase, SocketView, StatusView, TargetView, VoteView, WorkloadView,
};
use crate::control::{ClientError, Problem, ProblemKind};

const PLAIN: Look = Look { color: false, width: None };
const NARROW: Look = Look { color: false, width: Some(100) };
const NOW: Timestamp = Timestamp::from_seconds(1_763_755_395);

fn ago(seconds: u64) -> Timestamp {
    Timestamp(NOW.0 - seconds * 1_000_000)
}

fn session() -> SessionId {
    SessionId::from_u128(0x0190_c0ff_ee00_7000_8000_0000_0000_0001)
}

/// Every command, by its full name.
fn commands() -> Vec<(String, Clap)> {
    fn add(command: &Clap, all: &mut Vec<(String, Clap)>) {
        all.push((command.get_bin_name().unwrap().to_owned(), command.clone()));
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            add(sub, all);
        }
    }
    let mut root = Arguments::command().term_width(100);
    root.build();
    let mut all = Vec::new();
    add(&root, &mut all);
    all
}

#[test]
fn the_definitions_are_sound() {
    Arguments::command().debug_assert();
}

#[test]
fn the_help_of_every_command_is_what_it_was() {
    for (name, mut command) in commands() {
        let help = command.render_long_help().to_string();
        insta::assert_snapshot!(format!("help {name}").replace(' ', "_"), help);
    }
}

#[test]
fn every_command_shows_examples_that_parse() {
    for (name, mut command) in commands() {
        if name == "portcullis" {
            continue;
        }
        let help = command.render_long_help().to_string();
        let (_, examples) = help.split_once("Examples:").expect(&name);
        // An example may go on in the next line, lead with another command, or end in a comment.
        let examples = examples.replace("\\\n", " ");
        let mut parsed = 0;
        let lines = examples.lines().flat_map(|line| {
            let command = line.split(" #").next().unwrap_or_default();
            command.split("&&").map(|part| part.split('|').next().unwrap_or_default().trim())
        });
        let ours = |line: &'_ str| line.trim_start_matches("sudo ").starts_with("portcullis ");
        for line in lines.filter(|line| ours(line)) {
            let line = line.trim_start_matches("sudo ").trim_start_matches("portcullis ");
            let line = line.replace("64_HEX_DIGITS", &"0".repeat(64));
            let words = line.split('\'').enumerate().flat_map(|(index, part)| {
                if index % 2 == 1 {
                    vec![part.to_owned()]
                } else {
                    part.split_whitespace().map(str::to_owned).collect()
                }
            });
            let words: Vec<String> =
                std::iter::once("portcullis".to_owned()).chain(words).collect();
            if let Err(error) = Arguments::command().try_get_matches_from(&words) {
                panic!("{name}: {words:?}: {error}");
            }
            parsed += 1;
        }
        assert!(parsed > 0, "{name} has no example");
    }
}

#[test]
fn the_reference_has_every_command_once() {
    let reference = reference();
    for (name, _) in commands() {
        assert_eq!(reference.matches(&format!("\n## `{name}`\n")).count(), 1, "{name}");
    }
    assert_eq!(reference.matches("Shared options:").count(), 1, "said once");
    assert!(!reference.lines().any(|line| line.ends_with(' ')), "no trailing blanks");
}

fn status() -> StatusView {
    StatusView {
        version: "0.1.0".into(),
        pid: 812,
        state: DaemonState::Serving,
        started_us: ago(93_784),
        now_us: NOW,
        config: DEFAULT_CONFIG.into(),
        policy: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
        policy_since_us: ago(3_600),
        reload_errors: Vec::new(),
        sessions: 3,
        holds: 1,
        interception: InterceptionView {
            programs: 8,
            pinned_at: "/sys/fs/bpf/portcullis/v1/main".into(),
            governed: vec!["nightly-report.service".into(), "/automation.slice".into()],
            namespaces: 2,
            captured: 1_204,
            refused: 3,
        },
        targets: vec![TargetView {
            name: "analytics".into(),
            protocol: model::Protocol::Postgres,
            addresses: vec!["10.0.5.10:5432".into(), "[fd00::10]:5432".into()],
            environment: Some("prod".into()),
            enforced: true,
            sessions: 3,
        }],
        checks: vec![CheckView { name: "recording".into(), healthy: true, detail: String::new() }],
    }
}

#[test]
fn a_healthy_daemon_at_a_glance() {
    assert!(status().is_healthy());
    insta::assert_snapshot!(super::status::render(&status(), false, &PLAIN));
}

#[test]
fn a_daemon_that_is_not_well_says_so() {
    let mut view = status();
    view.reload_errors = vec!["error: no such group\n  --> portcullis.yaml:3:5".into()];
    view.checks =
        vec![CheckView { name: "recording".into(), healthy: false, detail: "disk full".into() }];
    for target in &mut view.targets {
        target.enforced = false;
    }
    assert!(!view.is_healthy());
    insta::assert_snapshot!(super::status::render(&view, false, &NARROW));
}

fn sockets() -> Vec<SocketView> {
    let first = SocketView {
        session: session(),
        pid: 4711,
        comm: "psql".into(),
        executable: Some("/usr/bin/psql".into()),
        unit: Some("nightly-report.service".into()),
        container: None,
        cgroup: "/system.slice/nightly-report.service".into(),
        uid: 999,
        user: Some("report".into()),
        workload: "nightly-report".into(),
        principal: "nightly-report (job@corp)".into(),
        groups: vec!["report-generator-readonly".into()],
        original: "10.0.5.10:5432".parse().unwrap(),
        target: "analytics".into(),
        protocol: model::Protocol::Postgres,
        database: Some("shop".into()),
        phase: SocketPhase::Held,
        last: Some(LastDecisionView {
            operation: model::OperationNumber(3),
            kind: "drop table".into(),
            effect: Effect::Hold,
            rule: Some("drop-needs-human".into()),
            at_us: ago(20),
        }),
        operations: 3,
        masked_values: 120,
        kernel_bytes_from_client: Some(1_234),
        kernel_bytes_to_client: Some(3_345_678),
        bytes_from_client: 1_234,
        bytes_to_client: 3_345_678,
        accepted_us: ago(200),
    };
    let second = SocketView {
        pid: 4800,
        // What a hostile process may call itself.
        comm: "\u{1b}[2Jevil".into(),
        unit: None,
        phase: SocketPhase::Opening,
        last: None,
        database: None,
        kernel_bytes_from_client: None,
        kernel_bytes_to_client: None,
        bytes_from_client: 8,
        bytes_to_client: 0,
        accepted_us: ago(1),
        ..first.clone()
    };
    vec![first, second]
}

#[test]
fn live_sockets_are_one_line_each_where_there_is_no_terminal() {
    let text = super::sockets::render(&sockets(), NOW, &PLAIN);
    assert!(!text.contains('\u{1b}'), "what a process calls itself steers no terminal");
    insta::assert_snapshot!(text);
    assert_eq!(super::sockets::render(&[], NOW, &PLAIN), "no live sockets\n");
}

#[test]
fn live_sockets_fit_the_terminal() {
    let text = super::sockets::render(&sockets(), NOW, &Look { color: false, width: Some(140) });
    assert!(text.lines().all(|line| line.chars().count() <= 140), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn the_json_of_a_socket_keeps_its_field_names() {
    insta::assert_json_snapshot!(sockets().first());
}

fn explanation() -> ExplainView {
    let rule = |rule: &str, effect, matches, because: &str| RuleView {
        role: "report-reader".into(),
        rule: rule.into(),
        effect,
        matches,
        because: because.into(),
    };
    ExplainView {
        session: Some(session()),
        binding: vec![("kernel".into(), "pid 4711 (psql), uid 999, to 10.0.5.10:5432".into())],
        attestation: Some(Attestation {
            cgroup_path: "/system.slice/nightly-report.service".into(),
            systemd_unit: Some("nightly-report.service".into()),
            container: None,
            user_name: Some("report".into()),
            executable: Some("/usr/bin/psql".into()),
            executable_file: None,
            executable_unknown_because: None,
        }),
        workload: Some(WorkloadView {
            name: "nightly-report".into(),
            matched_by: vec!["systemd_unit: nightly-report.service".into()],
        }),
        principal: "nightly-report".into(),
        groups: vec!["report-generator-readonly".into()],
        target: "analytics".into(),
        roles: vec![RoleView {
            name: "report-reader".into(),
            through: vec!["report-generator-readonly".into()],
        }],
        kind: "delete".into(),
        statement: Some("DELETE FROM users\nWHERE id = 1".into()),
        accesses: vec![AccessView {
            access: "delete on analytics.public.users(id)".into(),
            rules: vec![
                rule("no-dml", Effect::Deny, true, "delete is one of its actions"),
                rule("read-analytics", Effect::Allow, false, "delete is none of its actions"),
            ],
            effect: Effect::Deny,
        }],
        decision: DecisionView {
            effect: Effect::Deny,
            reason: "a deny rule matches".into(),
            rules: vec!["report-reader/no-dml".into()],
            approvals: Vec::new(),
            enforced: true,
        },
        masks: vec![
            MaskView {
                what: "*.users.email".into(),
                tag: "pii.email".into(),
                transform: "partial".into(),
            },
            MaskView {
                what: "payment_card".into(),
                tag: "pci.pan".into(),
                transform: "last4".into(),
            },
        ],
        policy: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
        candidate: false,
        notes: Vec::new(),
    }
}

#[test]
fn a_denial_is_explained_from_the_binding_to_the_masks() {
    insta::assert_snapshot!(super::explain::render(&explanation(), &PLAIN));
}

#[test]
fn a_candidate_that_would_hold_says_who_is_asked() {
    let mut view = explanation();
    view.session = None;
    view.binding.clear();
    view.attestation = None;
    view.roles.clear();
    view.accesses.clear();
    view.candidate = true;
    view.decision.effect = Effect::Hold;
    view.decision.enforced = false;
    view.decision.approvals =
        vec![ApprovalView { group: "oncall".into(), count: 1, within_ms: 600_000 }];
    view.notes = vec!["the catalogue is not known: names were not resolved".into()];
    insta::assert_snapshot!(super::explain::render(&view, &PLAIN));
}

fn hold() -> HoldView {
    HoldView {
        id: HoldId::from_u128(0x0190_c0ff_ee00_7000_8000_0000_0000_0002),
        session: session(),
        workload: "nightly-report".into(),
        subject: Some("job@corp".into()),
        pid: 4711,
        target: "analytics".into(),
        operation: model::OperationNumber(3),
        kind: "drop table".into(),
        text: "DROP TABLE users; \u{1b}[31m".into(),
        digest: "ab".repeat(32),
        requirements: vec![
            RequirementView { group: "oncall".into(), count: 1 },
            RequirementView { group: "dba".into(), count: 2 },
        ],
        approved_by: vec!["alice".into()],
        since_us: ago(30),
        expires_us: Timestamp(NOW.0 + 570_000_000),
    }
}

#[test]
fn a_hold_shows_all_that_an_approver_must_know() {
    let text = super::approvals::render(&[hold()], NOW, &PLAIN);
    assert!(!text.contains('\u{1b}'));
    insta::assert_snapshot!(text);
    assert_eq!(super::approvals::render(&[], NOW, &PLAIN), "nothing is held\n");
}

#[test]
fn a_vote_says_whether_it_was_enough() {
    let vote = VoteView { id: hold().id, by: "uid 1 (a)".into(), ended: true, missing: vec![] };
    let more = VoteView { ended: false, missing: hold().requirements, ..vote.clone() };
    let text = [vote, more].map(|vote| super::approvals::render_vote(&vote, &PLAIN)).concat();
    insta::assert_snapshot!(text);
}

#[test]
fn a_reload_says_which_policy_is_in_force() {
    let good = ReloadView { applied: true, policy: "9f".repeat(32), errors: Vec::new() };
    let errors = vec!["error: no such group\n  --> portcullis.yaml:3:5".into()];
    let bad = ReloadView { applied: false, errors, ..good.clone() };
    let text = [good, bad].map(|view| super::reload::render(&view, &PLAIN)).concat();
    insta::assert_snapshot!(text);
}

#[test]
fn colour_is_only_colour() {
    let colored = Look { color: true, width: None };
    let strip = |text: String| anstream::adapter::strip_str(&text).to_string();
    let renders: [&dyn Fn(&Look) -> String; 4] = [
        &|look| super::status::render(&status(), false, look),
        &|look| super::sockets::render(&sockets(), NOW, look),
        &|look| super::explain::render(&explanation(), look),
        &|look| super::approvals::render(&[hold()], NOW, look),
    ];
    for render in renders {
        assert!(render(&colored).contains('\u{1b}'));
        assert_eq!(strip(render(&colored)), render(&PLAIN));
    }
}

fn errors() -> Vec<ClientError> {
    let path = PathBuf::from("/run/portcullis/control.sock");
    let problem = |kind| {
        Problem::new(kind, "the daemon says no")
            .with_remedy("Do this instead.")
            .with_details(vec!["one\ntwo".into()])
    };
    vec![
        ClientError::NotRunning { path: path.clone() },
        ClientError::NoPermission { path },
        ClientError::Connection { because: "reset".into() },
        ClientError::Answer { because: "expected value at line 1".into() },
        ClientError::TooLate,
        ClientError::Refused(problem(ProblemKind::Forbidden)),
        ClientError::Refused(problem(ProblemKind::Invalid)),
        ClientError::Refused(problem(ProblemKind::NotFound)),
    ]
}

#[test]
fn every_error_says_what_to_do_next_and_has_its_exit_status() {
    let mut text = String::new();
    for error in errors() {
        let failure = Failure::from(error);
        assert!(failure.remedy().is_some(), "{}", failure.message());
        text.push_str(&format!("{:?}\n{}\n", failure.exit(), look::failure(&failure, &PLAIN)));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn every_question_to_a_daemon_that_is_not_there_ends_with_status_three() {
    let directory = tempfile::tempdir().unwrap();
    let control = directory.path().join("none.sock");
    let questions: [&[&str]; 9] = [
        &["status"],
        &["sockets"],
        &["sockets", "--watch"],
        &["explain", "--pid", "1"],
        &["approvals", "list"],
        &["approvals", "approve", "hold_0190c0ffee0070008000000000000002"],
        &["sessions", "kill", "ses_0190c0ffee0070008000000000000001"],
        &["reload"],
        &["drain"],
    ];
    for question in questions {
        let words = ["portcullis"].iter().chain(question);
        let parsed = <Arguments as clap::Parser>::try_parse_from(words).unwrap();
        let shared = SharedArguments {
            control: Some(control.clone()),
            json: false,
            color: ColorWhen::Never,
        };
        let entries = super::Entries {
            run: |_| std::process::ExitCode::FAILURE,
            uninstall: |_| Err("not here".into()),
        };
        let failure = dispatch(parsed.command, &Context::new(shared), entries).unwrap_err();
        assert_eq!(failure.exit(), Exit::NoAnswer, "{question:?}");
    }
}
