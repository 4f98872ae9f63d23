use insta::assert_snapshot;

use super::*;

const CONTAINER: &str = "4f3a9c1e4f3a9c1e4f3a9c1e4f3a9c1e4f3a9c1e4f3a9c1e4f3a9c1e4f3a9c1e";

fn seen(cgroup_path: &str) -> Attestation {
    let facts = super::super::unit::read_path(cgroup_path);
    Attestation {
        cgroup_path: cgroup_path.to_owned(),
        systemd_unit: facts.unit,
        container: facts.container,
        user_name: Some(String::from("reports")),
        executable: Some(String::from("/usr/bin/psql")),
        executable_file: None,
        executable_unknown_because: None,
    }
}

fn workload(name: &str, asks: &[(&str, &str)]) -> WorkloadDefinition {
    let mut matches = WorkloadMatch::default();
    for (key, text) in asks {
        let value = Some((*text).to_owned());
        match *key {
            "unit" => matches.systemd_unit = value,
            "cgroup" => matches.cgroup = value,
            "user" => matches.user = value.map(UserMatch::Name),
            "uid" => matches.user = Some(UserMatch::Id(text.parse().unwrap())),
            "executable" => matches.executable = value,
            "container" => matches.container = value,
            other => panic!("{other}"),
        }
    }
    WorkloadDefinition {
        name: WorkloadName::new(name),
        matches,
        token: None,
        groups: BTreeSet::new(),
    }
}

fn resolve(table: &[WorkloadDefinition], seen: &Attestation) -> String {
    let table = WorkloadTable::new(table.iter().cloned()).unwrap();
    match table.resolve(seen, 1_001) {
        Ok(found) => found.name.to_string(),
        Err(refusal) => refusal.to_string(),
    }
}

const REPORT: &str = "/automation.slice/nightly-report.service";

#[test]
fn everything_that_is_given_must_hold() {
    let cases = [
        ("unit", "nightly-report.service", "other.service"),
        ("cgroup", "/automation.slice", "/system.slice"),
        ("user", "reports", "root"),
        ("uid", "1001", "1002"),
        // A name of digits is a name.
        ("user", "reports", "1001"),
        ("executable", "/usr/bin/psql", "/usr/bin/pg_dump"),
    ];
    for (key, right, wrong) in cases {
        assert_eq!(resolve(&[workload("w", &[(key, right)])], &seen(REPORT)), "w", "{key}");
        let refused = resolve(&[workload("w", &[(key, wrong)])], &seen(REPORT));
        assert!(refused.starts_with("no workload matches"), "{key}: {refused}");
        let both = [("cgroup", "/automation.slice"), (key, wrong)];
        let refused = resolve(&[workload("w", &both)], &seen(REPORT));
        assert!(refused.starts_with("no workload matches"), "{key}: {refused}");
    }
    let docker = seen(&format!("/system.slice/docker-{CONTAINER}.scope"));
    assert_eq!(
        resolve(&[workload("w", &[("container", CONTAINER.get(..12).unwrap())])], &docker),
        "w"
    );
    assert_ne!(resolve(&[workload("w", &[("container", "000000000000")])], &docker), "w");
}

#[test]
fn the_deeper_place_wins_and_the_full_name_over_the_pattern() {
    let table = [
        workload("all", &[("cgroup", "/automation.slice")]),
        workload("any-report", &[("cgroup", "/automation.slice/*-report.service")]),
        workload("report", &[("unit", "nightly-report.service")]),
        workload("worker", &[("cgroup", "/automation.slice/nightly-report.service/worker")]),
    ];
    assert_eq!(resolve(&table, &seen("/automation.slice/x.service")), "all");
    assert_eq!(resolve(&table, &seen("/automation.slice/daily-report.service")), "any-report");
    assert_eq!(resolve(&table, &seen(REPORT)), "report");
    let deeper = seen("/automation.slice/nightly-report.service/worker");
    assert_eq!(resolve(&table, &deeper), "worker");
}

#[test]
fn more_asked_for_in_one_respect_wins_only_if_nothing_less_is_asked_in_another() {
    let unit = workload("unit", &[("unit", "nightly-report.service")]);
    let psql = workload("psql", &[("executable", "/usr/bin/psql")]);
    let both =
        workload("both", &[("unit", "nightly-report.service"), ("executable", "/usr/bin/psql")]);
    assert_eq!(resolve(&[unit.clone(), both.clone()], &seen(REPORT)), "both");
    assert_eq!(resolve(&[unit.clone(), psql.clone(), both], &seen(REPORT)), "both");
    assert_snapshot!(
        resolve(&[unit.clone(), psql], &seen(REPORT)),
        @"workloads `unit`, `psql` match alike: give one of them what the others ask for too"
    );
    let same = workload("same", &[("cgroup", REPORT)]);
    assert_snapshot!(
        resolve(&[unit, same], &seen(REPORT)),
        @"workloads `unit`, `same` match alike: give one of them what the others ask for too"
    );
}

#[test]
fn an_unknown_executable_matches_no_definition_that_names_one_and_says_why() {
    let mut seen = seen(REPORT);
    seen.executable = None;
    seen.executable_unknown_because = Some(String::from("process 7 has ended since it connected"));
    let psql =
        workload("psql", &[("unit", "nightly-report.service"), ("executable", "/usr/bin/psql")]);
    assert_snapshot!(
        resolve(std::slice::from_ref(&psql), &seen),
        @"no workload matches /automation.slice/nightly-report.service; not psql: its program is not known: process 7 has ended since it connected"
    );
    let rest = workload("rest", &[("cgroup", "/automation.slice")]);
    assert_eq!(resolve(&[psql, rest], &seen), "rest");
}

#[test]
fn b2_a_user_s_look_alike_unit_is_no_match() {
    let payments = workload("payments", &[("unit", "payments.service")]);
    for path in [
        "/user.slice/user-1000.slice/user@1000.service/app.slice/payments.service",
        "/user.slice/payments.service",
        "/system.slice/ci.service/payments.service",
    ] {
        let refused = resolve(std::slice::from_ref(&payments), &seen(path));
        assert!(refused.starts_with("no workload matches"), "{path}: {refused}");
    }
    assert_eq!(resolve(&[payments], &seen("/system.slice/payments.service")), "payments");
}

#[test]
fn every_mistake_in_the_definitions_is_reported_at_once() {
    let mut grouped = workload("grouped", &[("unit", "x.service")]);
    grouped.groups.insert(Group::new("a"));
    grouped.token = Some(TokenSettings {
        provider: String::from("corp"),
        source: super::super::tokens::TokenSource::HostFile("/run/token".into()),
    });
    let errors = WorkloadTable::new([
        workload("empty", &[]),
        workload("unit", &[("unit", "nightly"), ("cgroup", "automation.slice")]),
        workload("unit", &[("cgroup", "/"), ("container", "xyz"), ("executable", "psql")]),
        workload("dots", &[("cgroup", "/a/../b"), ("executable", "/usr/../bin/psql")]),
        grouped,
    ])
    .unwrap_err();
    let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_snapshot!(text.join("\n"), @r"
    workload `empty`, match: nothing is asked for, so everything would match; give at least one of systemd_unit, cgroup, user, executable, container
    workload `unit`, match.systemd_unit: `nightly` does not end as a unit does (.service, .scope, .slice, .socket, .mount, .swap); write it as systemctl shows it
    workload `unit`, match.cgroup: `automation.slice` begins without /; write it as /proc/PID/cgroup shows it
    workload `unit`, name: another workload has this name; names are unique: rename one
    workload `unit`, match.cgroup: `/` is the whole host; write it as /proc/PID/cgroup shows it
    workload `unit`, match.container: `xyz` is no container id; give at least twelve of its hexadecimal digits
    workload `unit`, match.executable: `psql` is not a full path; give the path as readlink -f prints it
    workload `dots`, match.cgroup: `/a/../b` has a component that no cgroup can have; write it as /proc/PID/cgroup shows it
    workload `dots`, match.executable: `/usr/../bin/psql` is not a full path; give the path as readlink -f prints it
    workload `grouped`, groups: there is a token as well, and groups come from one place only; remove `groups` or `token`
    ");
}
